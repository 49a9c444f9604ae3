/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * For C tests of IP and what is above it: a TUN device whose far end is the test
 * itself, so that every octet of a packet is the test's to choose.
 *
 *	Strata: t0 10.0.0.2/24  ------  the test: 10.0.0.1 and whatever else
 */
#ifndef STRATA_TEST_TUN_H
#define STRATA_TEST_TUN_H

#include <linux/if_tun.h>
#include <netinet/ip.h>
#include <netinet/ip_icmp.h>
#include <sys/ioctl.h>
#include "rtnl.h"

#define ME	"10.0.0.1"
#define HOST	"10.0.0.2"
#define QUIET_MS	300	/* long enough for an answer that must not come */
#define ANSWER_MS	3000

struct pkt {
	int len;
	union {
		struct iphdr ip;
		uint8_t b[65536 + 64];
	};
};

static inline uint16_t sum16(const void *data, int len)
{
	const uint8_t *p = data;
	uint32_t sum = 0;

	for (; len > 1; len -= 2, p += 2)
		sum += p[0] << 8 | p[1];
	if (len)
		sum += p[0] << 8;
	while (sum >> 16)
		sum = (sum & 0xffff) + (sum >> 16);
	return htons(~sum);
}

/* these without a shell and ip(8): a test may do them a thousand times */
static inline int dev_ioctl(const char *name, unsigned long what, struct ifreq *ifr)
{
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0), err;

	strcpy(ifr->ifr_name, name);
	err = ioctl(fd, what, ifr);
	close(fd);
	return err;
}

static inline int dev_up(const char *name)
{
	struct ifreq ifr = { };

	if (dev_ioctl(name, SIOCGIFFLAGS, &ifr))
		return -1;
	ifr.ifr_flags |= IFF_UP;
	return dev_ioctl(name, SIOCSIFFLAGS, &ifr);
}

/* native's address @addr/24 */
static inline int dev_addr(const char *name, const char *addr)
{
	struct ifreq ifr = { };
	struct sockaddr_in *sin = (void *)&ifr.ifr_addr;

	sin->sin_family = AF_INET;
	sin->sin_addr.s_addr = inet_addr(addr);
	if (dev_ioctl(name, SIOCSIFADDR, &ifr))
		return -1;
	sin->sin_addr.s_addr = inet_addr("255.255.255.0");
	return dev_ioctl(name, SIOCSIFNETMASK, &ifr);
}

/* @name, a device of kind @flags (IFF_TUN, IFF_TAP), up and without addresses; the test's end */
static inline int tun_device(const char *name, int flags)
{
	struct ifreq ifr = { .ifr_flags = flags | IFF_NO_PI };
	char path[80];
	int fd, conf;

	if (access("/dev/net/tun", F_OK) &&
	    run("modprobe tun; mkdir -p /dev/net; [ -e /dev/net/tun ] || mknod /dev/net/tun c 10 200"))
		return -1;
	fd = open("/dev/net/tun", O_RDWR | O_CLOEXEC);
	strcpy(ifr.ifr_name, name);
	if (fd < 0 || ioctl(fd, TUNSETIFF, &ifr))
		return -1;
	/* the native stack would talk, too */
	snprintf(path, sizeof(path), "/proc/sys/net/ipv6/conf/%s/disable_ipv6", name);
	conf = open(path, O_WRONLY | O_CLOEXEC);
	if (conf >= 0) {
		if (write(conf, "1", 1) != 1)
			return -1;
		close(conf);
	}
	if (dev_up(name) || dev_up("lo"))
		return -1;
	return fd;
}

/* a device in a new namespace, up, with Strata's address if any; the test's end of it */
static inline int tun_open(struct rtnl *r, const char *addr, int plen)
{
	int fd;

	if (need_module() || ns_new() < 0)
		return -1;
	fd = tun_device("t0", IFF_TUN);
	if (fd < 0 || rtnl_open(r) || (addr && addr_add(r, "t0", addr, plen)))
		return -1;
	return fd;
}

static inline void ip_sum(struct pkt *p)
{
	p->ip.check = 0;
	p->ip.check = sum16(p->b, p->ip.ihl * 4);
}

static inline struct pkt *ip_make(struct pkt *p, int proto, const void *data, int len)
{
	p->ip = (struct iphdr){
		.version = 4, .ihl = 5, .tot_len = htons(20 + len), .id = htons(7), .ttl = 64,
		.protocol = proto, .saddr = inet_addr(ME), .daddr = inet_addr(HOST),
	};
	memcpy(p->b + 20, data, len);
	p->len = 20 + len;
	ip_sum(p);
	return p;
}

static inline void icmp_sum(struct pkt *p)
{
	struct icmphdr *h = (void *)(p->b + p->ip.ihl * 4);

	h->checksum = 0;
	h->checksum = sum16(h, p->len - p->ip.ihl * 4);
}

/* an echo request with @len octets of data */
static inline struct pkt *echo_make(struct pkt *p, int seq, int len)
{
	struct icmphdr h = { .type = ICMP_ECHO, .un.echo = { htons(0x1234), htons(seq) } };
	int i;

	ip_make(p, IPPROTO_ICMP, &h, sizeof(h));
	for (i = 0; i < len; i++)
		p->b[28 + i] = seq + i * 7;
	p->len = 28 + len;
	p->ip.tot_len = htons(p->len);
	icmp_sum(p);
	ip_sum(p);
	return p;
}

static inline bool pkt_send(int fd, const struct pkt *p)
{
	return write(fd, p->b, p->len) == p->len;
}

/*
 * The next IPv4 packet that Strata sends within @ms. One that waits already is seen however late
 * a slow machine comes to look; after a negative @ms there is no look at all
 */
static inline bool pkt_next(int fd, int ms, struct pkt *p)
{
	struct pollfd pfd = { .fd = fd, .events = POLLIN };
	double end = now_s() + ms / 1000.0;
	int left = ms;

	while (left >= 0 && poll(&pfd, 1, left) > 0) {
		p->len = read(fd, p->b, sizeof(p->b));
		if (p->len >= 20 && p->ip.version == 4)
			return true;
		if (p->len < 0)		/* the device is gone: poll() says so for ever */
			return false;
		left = (end - now_s()) * 1000;
		if (left < 0)
			left = 0;
	}
	return false;
}

static inline struct icmphdr *pkt_icmp(struct pkt *p)
{
	return (void *)(p->b + p->ip.ihl * 4);
}

/* is there an answer of this type and code to me within @ms? */
static inline bool icmp_next(int fd, int ms, int type, int code, struct pkt *p)
{
	double end = now_s() + ms / 1000.0;

	while (pkt_next(fd, (end - now_s()) * 1000, p))
		if (p->ip.protocol == IPPROTO_ICMP && pkt_icmp(p)->type == type &&
		    pkt_icmp(p)->code == code && p->ip.daddr == inet_addr(ME) &&
		    p->ip.saddr == inet_addr(HOST) && !sum16(p->b, p->ip.ihl * 4))
			return true;
	return false;
}

#endif
