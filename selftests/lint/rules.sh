#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# Textual rules: no kernel version tests; HAVE_* only in compat; never net/tcp.h; byte
# order only at the edges (the wire: *_rcv.c, *_xmit.c, tcp_options.c, arp.c; the user:
# sock/, control/, port/; reports), constants aside; pure files know no socket and no clock; where
# packets are received, skbs die in strata_drop() or kfree_skb_reason() with a reason, or are consumed;
# sk_state has one writer.
set -u

# say WHAT PATTERN FILE...: every line of code (not comment) that matches
say() {
	local what=$1 pattern=$2
	shift 2
	[ $# -gt 0 ] || return
	grep -nHE "$pattern" "$@" | grep -vE '^[^:]+:[0-9]+:[[:space:]]*(\*|/\*|//)' |
		sed "s|\$|   <- $what|"
}

mapfile -t all < <(find kmod -name '*.[ch]' | sort)
mapfile -t nocompat < <(find kmod -name '*.[ch]' -not -path 'kmod/compat/*' | sort)
mapfile -t inner < <(find kmod -name '*.[ch]' -not -name '*_rcv.c' -not -name '*_xmit.c' \
	-not -name tcp_options.c -not -name arp.c -not -path 'kmod/report/*' \
	-not -path 'kmod/sock/*' -not -path 'kmod/control/*' -not -path 'kmod/port/*' \
	-not -name trace.h | sort)
pure=(kmod/tcp/tcp_{options,rtt,window,sack,rate,rack,recovery,chrono,mtup,cong,reno,cubic,bbr,dctcp}.c
	kmod/tcp/tcp_{alg,wnd,loss,rec,cong,chrono,mtup,bbr,dctcp}.h kmod/ip/route_lpm.c)

say "no version tests" 'KERNEL_VERSION|LINUX_VERSION_CODE' "${all[@]}"
say "HAVE_ belongs into compat" '\<HAVE_[A-Z0-9_]+' "${nocompat[@]}"
say "never the native stack's header" 'include <net/(tcp|udp|inet_(connection_sock|hashtables|timewait_sock|sock)|request_sock)\.h>' "${all[@]}"
say "byte order is handled at the edges" '\<(ntoh[sl]|hton[sl])\([^EI]' "${inner[@]}"
say "pure files know no socket" 'struct (sock|sk_buff) \*|strata_tcp_sk\(' "${pure[@]}"
say "pure files read no clock" '\<(jiffies|ktime_get[a-z_]*|strata_tcp_clock_us)\>' "${pure[@]}"
mapfile -t tcp < <(find kmod -name '*.c' -not -name tcp.c -not -path 'kmod/udp/*' -not -path 'kmod/icmp/*')
say "only tcp.c writes sk_state" 'sk_state = |sk_state\), |inet_sk_set_state' "${tcp[@]}"
mapfile -t input < <(find kmod/tcp -name 'tcp_segment.c' -o -name 'tcp_ack.c' -o -name 'tcp_data.c' -o -name 'tcp_ofo.c')
mapfile -t rcv < <(find kmod -name '*_rcv.c' -o -path 'kmod/arp/*.c' -o -path 'kmod/dev/*.c' \
	-o -name ip_reasm.c)
say "a packet received dies with a reason" '\<kfree_skb(_list)?\(|dev_kfree_skb' "${rcv[@]}" "${input[@]}"
say "receive code never transmits" 'strata_tcp_(xmit|output|send)_?[a-z]*\(' "${input[@]}"

# #ifdef inside a function: between a line that is "{" and one that is "}"
for f in "${nocompat[@]}"; do
	awk -v f="$f" '/^{/ { in_f = 1 } /^}/ { in_f = 0 }
		in_f && /^#[[:space:]]*(if|ifdef|ifndef)/ { print f ":" FNR ": " $0 "   <- no #if inside functions" }' "$f"
done
exit 0
