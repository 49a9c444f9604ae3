/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * tcp: reliable streams (RFC 9293). What the socket layer, the reports and main.c
 * may know of it. Unless said otherwise a function that takes a struct sock * is
 * called with the socket lock held in process context.
 */
#ifndef _STRATA_TCP_H
#define _STRATA_TCP_H

#include <linux/tcp.h>		/* struct tcp_info, TCP_* options */
#include "icmp.h"
#include "port.h"

struct pipe_inode_info;
union tcp_cc_info;
struct vm_area_struct;

#define STRATA_FASTOPEN_KEYS	2	/* at once */
#define STRATA_FASTOPEN_KEY_LEN	16	/* octets */

extern struct proto strata_tcp_prot;

int strata_tcp_init(void);
void strata_tcp_exit(void);
int strata_tcp_net_init(struct strata_net *sn);
/** strata_tcp_net_exit() - no socket is left: purge TIME-WAIT objects */
void strata_tcp_net_exit(struct strata_net *sn);

/* from below */
/** strata_tcp_rcv() - strata_l4proto.rcv; strata_tcp_err() - strata_l4proto.err */
void strata_tcp_rcv(struct strata_net *sn, struct sk_buff *skb);
int strata_tcp_err(struct sk_buff *skb, u8 type, u8 code, u32 info);

/* opening */
/**
 * strata_tcp_connect() - active open (RFC 9293 3.10.1)
 * @daddr, @dport: peer; checked for length and family by the caller
 *
 * Chooses route, source address and port, enters SYN-SENT and sends the SYN; does not
 * wait. Returns 0, -ENETUNREACH and other route errors, -EACCES (broadcast), -EADDRNOTAVAIL,
 * -EADDRINUSE, -ENOBUFS.
 */
int strata_tcp_connect(struct sock *sk, __be32 daddr, __be16 dport);
/**
 * strata_tcp_fastopen_begin() - what send() opens with: the connect that follows puts the first
 * bytes of @msg on the SYN, if it may (RFC 7413). 0, -EOPNOTSUPP, -EALREADY: one has begun
 */
int strata_tcp_fastopen_begin(struct sock *sk, struct msghdr *msg);
/** strata_tcp_fastopen_end() - that connect has returned; bytes that the SYN took */
u32 strata_tcp_fastopen_end(struct sock *sk);
/** strata_tcp_fastopen_deferred() - has connect() left the opening to the first send()? */
bool strata_tcp_fastopen_deferred(const struct sock *sk);
/** strata_tcp_fastopen_key() - of the namespace's cookies, room for STRATA_FASTOPEN_KEYS; number */
int strata_tcp_fastopen_key(struct strata_net *sn, u8 *key);
/** strata_tcp_fastopen_set_key() - the first makes cookies, the second is taken too. 0, -ENOMEM */
int strata_tcp_fastopen_set_key(struct strata_net *sn, const u8 *key, int n);
/** strata_tcp_fastopen_blackhole_forget() - no blackhole has been seen */
void strata_tcp_fastopen_blackhole_forget(struct strata_net *sn);
/** strata_tcp_listen() - passive open, or a new backlog. 0, -EADDRINUSE, -ENOMEM */
int strata_tcp_listen(struct sock *sk, int backlog);
/**
 * strata_tcp_accept() - take an established connection off the accept queue
 * Takes the listener's lock itself and waits unless O_NONBLOCK in @flags. Returns the
 * child (referenced, not grafted), or NULL and @err: -EAGAIN, -EINVAL, -ERESTARTSYS...
 */
struct sock *strata_tcp_accept(struct sock *sk, int flags, int *err);
/** strata_tcp_can_accept() - is a connection waiting; lockless */
bool strata_tcp_can_accept(const struct sock *sk);
/** strata_tcp_disconnect() - back to CLOSED at once: connect(AF_UNSPEC) */
int strata_tcp_disconnect(struct sock *sk, int flags);

/* data; these take the socket lock themselves where noted */
/**
 * strata_tcp_sendmsg_locked() - queue bytes and send what may go; -EPIPE, -EAGAIN, ...
 * @done: bytes of the call that went before, with the SYN: if not 0, an error is left to the next
 * call, and what more was queued is returned
 */
int strata_tcp_sendmsg_locked(struct sock *sk, struct msghdr *msg, size_t done);
/** strata_tcp_recvmsg() - takes the socket lock itself */
int strata_tcp_recvmsg(struct sock *sk, struct msghdr *msg, size_t len, int flags);
/** strata_tcp_sendpage_locked() - kernels before MSG_SPLICE_PAGES: queue a reference to a page */
int strata_tcp_sendpage_locked(struct sock *sk, struct page *page, int offset, size_t size,
			       int flags);
/** strata_tcp_splice_eof() - the splice that fed sendmsg(MSG_MORE) ended: push; takes the lock */
void strata_tcp_splice_eof(struct socket *sock);
/** strata_tcp_splice_read() - receive queue into a pipe; takes the lock */
ssize_t strata_tcp_splice_read(struct socket *sock, loff_t *ppos, struct pipe_inode_info *pipe,
			       size_t len, unsigned int flags);
/** strata_tcp_mmap() - for TCP_ZEROCOPY_RECEIVE: an area to read only. 0, -EPERM; mmap_lock */
int strata_tcp_mmap(struct file *file, struct socket *sock, struct vm_area_struct *vma);
/** strata_tcp_poll() - poll mask as native; lockless */
__poll_t strata_tcp_poll(struct file *file, struct socket *sock, poll_table *wait);
/** strata_tcp_set_rcvlowat() - SO_RCVLOWAT */
int strata_tcp_set_rcvlowat(struct sock *sk, int val);
/** strata_tcp_inq() - FIONREAD; -EINVAL on a listener */
int strata_tcp_inq(struct sock *sk);
/** strata_tcp_outq() - SIOCOUTQ; -EINVAL on a listener */
int strata_tcp_outq(struct sock *sk);
/** strata_tcp_outqnsd() - SIOCOUTQNSD; -EINVAL on a listener */
int strata_tcp_outqnsd(struct sock *sk);
/** strata_tcp_atmark() - SIOCATMARK */
bool strata_tcp_atmark(struct sock *sk);

/* closing */
/** strata_tcp_shutdown() - CLOSE call for one direction (RFC 9293 3.10.4) */
void strata_tcp_shutdown(struct sock *sk, int how);
/** strata_tcp_close() - struct proto.close: takes the lock, lingers, orphans */
void strata_tcp_close(struct sock *sk, long timeout);
/** strata_tcp_abort() - RST and CLOSED with @err (SOCK_DESTROY); takes the lock */
int strata_tcp_abort(struct sock *sk, int err);

/* options */
int strata_tcp_setsockopt(struct sock *sk, int level, int optname, sockptr_t optval,
			  unsigned int optlen);
int strata_tcp_getsockopt(struct sock *sk, int level, int optname, char __user *optval,
			  int __user *optlen);
/** strata_tcp_get_info() - fill struct tcp_info; any context, consistent under the socket lock */
void strata_tcp_get_info(struct sock *sk, struct tcp_info *info);
/**
 * strata_tcp_cc_info() - what the congestion control tells of itself, if it is among the @ext
 * (bits of INET_DIAG_* - 1); its attribute goes to @attr. Any context; bytes, 0: nothing
 */
size_t strata_tcp_cc_info(struct sock *sk, u32 ext, int *attr, union tcp_cc_info *info);
/** strata_tcp_tstamp_key() - SOF_TIMESTAMPING_OPT_ID may be new: count bytes from now on. Locked */
void strata_tcp_tstamp_key(struct sock *sk);
/** strata_tcp_default_cong() - of the namespace, by name; @name: STRATA_CC_NAME_MAX octets */
void strata_tcp_default_cong(struct strata_net *sn, char *name);
/** strata_tcp_set_default_cong() - may load a module. 0, -ENOENT: unknown, -EPERM: restricted */
int strata_tcp_set_default_cong(struct strata_net *sn, const char *name);
/**
 * strata_tcp_known_cong() - may a route have @name? It is registered, or in a module that can be
 * loaded. 0, -ENOENT, -EPERM: restricted
 * @ecn: set if it needs ECN. May sleep; under rtnl: the modules do not take it
 */
int strata_tcp_known_cong(const char *name, bool *ecn);
/** strata_tcp_available_cong() - names of what is registered, with blanks between */
void strata_tcp_available_cong(char *buf, size_t size);
/** strata_tcp_allowed_cong() - those that anybody may choose */
void strata_tcp_allowed_cong(char *buf, size_t size);
/** strata_tcp_allow_cong() - of @names, with blanks between, alone. 0, -ENOENT: one is unknown */
int strata_tcp_allow_cong(char *names);
/** strata_tcp_cong_name() - name of the congestion control in use */
const char *strata_tcp_cong_name(const struct sock *sk);

/* reports */

enum strata_tcp_kind {
	STRATA_TCP_LISTEN,
	STRATA_TCP_REQUEST,
	STRATA_TCP_SOCK,
	STRATA_TCP_TIMEWAIT,
};

/**
 * struct strata_tcp_view - what reports may know of any TCP object, a copy
 * @sk: the socket (counted for the time of the call), NULL for requests and TIME-WAIT
 * @state: TCP_*; @timer: as in /proc/net/tcp (0 none, 1 retransmit, 2 keepalive,
 *	3 TIME-WAIT, 4 probe); @expires: jiffies
 * @pingpong: quick ACKs left and, in the lowest bit, interactive: as in /proc/net/tcp
 * @cookie: names TIME-WAIT objects and requests; a kernel address, not to be shown as it is
 */
struct strata_tcp_view {
	enum strata_tcp_kind	kind;
	struct sock		*sk;
	__be32			laddr;
	__be32			raddr;
	__be16			lport;
	__be16			rport;
	u8			state;
	u8			timer;
	u8			retrans;	/* unrecovered timeouts, or SYN-ACKs sent again */
	u8			probes;		/* unanswered window or keepalive probes */
	unsigned long		expires;
	u32			rx_queue;	/* bytes to read; listener: connections to accept */
	/* bytes not acknowledged; listener: backlog limit */
	u32			tx_queue;
	u32			unacked;	/* bytes sent and not acknowledged */
	u32			last_sent_ms;	/* since data was last sent */
	u32			last_rcvd_ms;	/* since data was last received */
	u32			srtt_us;
	u32			rto_us;
	u32			cwnd;		/* segments */
	u32			ssthresh;	/* segments; listener: TCP_FASTOPEN */
	u32			total_retrans;	/* segments */
	u32			ato_ms;
	u8			pingpong;
	kuid_t			uid;
	unsigned long		ino;
	int			ifindex;	/* bound to it */
	u32			mark;		/* requests and TIME-WAIT */
	u64			cookie;
};

/**
 * strata_tcp_walk() - call @fn for every TCP object of the namespace
 * @pos: where to begin, 0 at first; when @fn returns nonzero it stands on that object
 * @kinds: BIT(enum strata_tcp_kind) wanted
 *
 * RCU is held in @fn: it may not sleep. The walk does: process context, without RCU. Returns @fn's
 * last value. Objects that come and go meanwhile may be missed or seen; any other is seen once,
 * unless its chain is longer than a portion (16) and changes meanwhile.
 */
int strata_tcp_walk(struct strata_net *sn, long *pos, unsigned int kinds,
		    int (*fn)(const struct strata_tcp_view *view, void *arg), void *arg);

/** strata_tcp_view() - what strata_tcp_walk() shows of a socket the caller holds */
void strata_tcp_view(struct sock *sk, struct strata_tcp_view *view);

/**
 * strata_tcp_view_request() - the request of a 4-tuple (and device) in @key, as strata_tcp_walk()
 * shows it; strata_tcp_view_tw() - the object in TIME-WAIT. False: there is none. RCU
 */
bool strata_tcp_view_request(struct strata_net *sn, const struct strata_tcp_view *key,
			     struct strata_tcp_view *view);
bool strata_tcp_view_tw(struct strata_net *sn, const struct strata_tcp_view *key,
			struct strata_tcp_view *view);

/**
 * strata_tcp_destroy_mini() - end a request or a TIME-WAIT object
 * @view: as strata_tcp_walk() showed it
 * Returns 0, or -ENOENT: it is gone. Process context.
 */
int strata_tcp_destroy_mini(struct strata_net *sn, const struct strata_tcp_view *view);

/** strata_tcp_find() - one connected socket or listener by addresses, counted; NULL if none. RCU */
struct sock *strata_tcp_find(struct strata_net *sn, __be32 laddr, __be16 lport, __be32 raddr,
			     __be16 rport, int iif);

#endif /* _STRATA_TCP_H */
