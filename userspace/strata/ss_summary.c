// SPDX-License-Identifier: GPL-2.0-only
/* strata ss -s: totals from /proc/net/strata/sockstat and .../snmp. */
#include <string.h>

#include "snmp.h"
#include "ss.h"
#include "strata.h"

static long long find(const struct snmp *t, const char *name)
{
	const struct snmp_counter *c = snmp_find(t, name);

	return c ? c->value : 0;
}

int ss_summary(const struct ss_opts *o)
{
	struct snmp sock = { 0 }, mib = { 0 };
	long long estab, orphan, tw, tcp, udp, icmp;
	int err;

	if (!family_require())
		return EXIT_KERNEL;
	err = snmp_read_pairs(&sock, "/proc/net/strata/sockstat");
	if (!err)
		err = snmp_read(&mib, "/proc/net/strata/snmp");
	estab = find(&mib, "TcpCurrEstab");
	orphan = find(&sock, "TCPorphan");
	tw = find(&sock, "TCPtw");
	tcp = find(&sock, "TCPinuse");
	udp = find(&sock, "UDPinuse");
	icmp = find(&sock, "PINGinuse") + find(&sock, "ICMPinuse");
	if (!err && o->json) {
		json_out(json_pack("{sI s{sI sI sI sI} s{sI} s{sI}}",
				   "total", (json_int_t)(tcp + tw + udp + icmp),
				   "tcp", "inuse", (json_int_t)tcp,
				   "estab", (json_int_t)estab,
				   "orphaned", (json_int_t)orphan,
				   "timewait", (json_int_t)tw,
				   "udp", "inuse", (json_int_t)udp,
				   "icmp", "inuse", (json_int_t)icmp));
	} else if (!err) {
		printf("Total: %lld\n", tcp + tw + udp + icmp);
		printf("TCP:   %lld (estab %lld, orphaned %lld, timewait %lld)\n",
		       tcp + tw, estab, orphan, tw);
		printf("\nTransport Total\nTCP\t  %lld\nUDP\t  %lld\nICMP\t  %lld\n",
		       tcp, udp, icmp);
	}
	snmp_free(&sock);
	snmp_free(&mib);
	return err;
}
