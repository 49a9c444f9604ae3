// SPDX-License-Identifier: GPL-2.0-only
/*
 * Pointers into nowhere, in every call that takes one, on both stacks: the same answer, and
 * the same left behind. What a call could not give to the user stays or is lost as native's;
 * after each the sockets still work.
 */
#include <netinet/ip_icmp.h>
#include <sys/epoll.h>
#include <sys/select.h>
#include <sys/sendfile.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include "input_env.h"

INPUT_FIXTURE(fault)

#define UNIT	64	/* octets of a message */

/*
 * @fd: as made; @con and @peer: joined; @lst: a listener with a connection waiting (stream);
 * @sin: where @peer is
 */
struct ends {
	enum kind kind;
	int family;
	int fd, con, peer, lst, waiting;
	struct sockaddr_in sin;
};

/* an address @n octets before a page that is not there, the octets zero */
static char *edge(size_t n)
{
	static char *page;

	if (!page) {
		page = mmap(NULL, 16 * 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS,
			    -1, 0);
		mprotect(page + 15 * 4096, 4096, PROT_NONE);
	}
	return page + 15 * 4096 - n;
}

static int join_stream(struct ends *e)
{
	int lst = socket(e->family, SOCK_STREAM, 0);

	if (env_bind(lst, "127.0.0.1", 0) || listen(lst, 4) ||
	    env_connect(e->con, "127.0.0.1", env_port(lst)))
		return -1;
	e->peer = accept(lst, NULL, NULL);
	e->waiting = socket(e->family, SOCK_STREAM, 0);
	e->lst = lst;
	e->sin = env_addr("127.0.0.1", env_port(lst));
	return env_connect(e->waiting, "127.0.0.1", env_port(lst)) || e->peer < 0;
}

static int join_dgram(struct ends *e)
{
	e->peer = socket(e->family, SOCK_DGRAM, 0);
	if (env_bind(e->peer, "127.0.0.1", 0) || env_bind(e->con, "127.0.0.1", 0))
		return -1;
	e->sin = env_addr("127.0.0.1", env_port(e->peer));
	return env_connect(e->con, "127.0.0.1", env_port(e->peer)) ||
	       env_connect(e->peer, "127.0.0.1", env_port(e->con));
}

/* the host answers: both ends are one socket */
static int join_ping(struct ends *e)
{
	e->peer = e->con;
	e->sin = env_addr("127.0.0.1", 0);
	return env_connect(e->con, "127.0.0.1", 0);
}

static int ends_open(struct ends *e, int family, enum kind kind)
{
	*e = (struct ends){ .kind = kind, .family = family, .lst = -1, .waiting = -1 };
	e->fd = kind_socket(family, kind);
	e->con = kind_socket(family, kind);
	if (kind == STREAM)
		return join_stream(e);
	return kind == DGRAM ? join_dgram(e) : join_ping(e);
}

static void ends_close(struct ends *e)
{
	close(e->fd);
	close(e->con);
	if (e->peer != e->con)
		close(e->peer);
	if (e->lst >= 0) {
		close(e->lst);
		close(e->waiting);
	}
}

/* one message; for ping it is an echo request */
static void unit_make(char *msg)
{
	struct icmphdr h = { .type = ICMP_ECHO };

	memset(msg, 'u', UNIT);
	memcpy(msg, &h, sizeof(h));
}

static int unit_send(int fd)
{
	char msg[UNIT];

	unit_make(msg);
	return send(fd, msg, UNIT, 0) == UNIT ? 0 : -1;
}

/* a message is waiting at e->peer */
static int fill(struct ends *e)
{
	struct pollfd pfd = { .fd = e->peer, .events = POLLIN };

	return unit_send(e->con) || poll(&pfd, 1, 20000) != 1;
}

/* octets to be read, all of them read; what was sent may still be on its way through a softirq */
static long left(int fd)
{
	struct pollfd pfd = { .fd = fd, .events = POLLIN };
	char buf[4 * UNIT];
	long n, sum = 0;

	poll(&pfd, 1, 50);
	while ((n = recv(fd, buf, sizeof(buf), MSG_DONTWAIT)) > 0)
		sum += n;
	return sum;
}

/* ---- one call each. What is left of one message at the peer is part of the answer ---- */

#define TO	((struct sockaddr *)&e->sin), sizeof(e->sin)

static struct said t_bind(struct ends *e)
{
	return said(bind(e->fd, NOWHERE, sizeof(e->sin)));
}

static struct said t_bind_edge(struct ends *e)
{
	return said(bind(e->fd, (void *)edge(8), sizeof(e->sin)));
}

static struct said t_connect(struct ends *e)
{
	return said(connect(e->fd, NOWHERE, sizeof(e->sin)));
}

static struct said t_connect_again(struct ends *e)
{
	return said(connect(e->con, NOWHERE, sizeof(e->sin)));
}

static struct said t_getsockname(struct ends *e)
{
	socklen_t len = sizeof(e->sin);

	return said_more(getsockname(e->con, NOWHERE, &len), len);
}

static struct said t_getsockname_len(struct ends *e)
{
	return said(getsockname(e->con, (void *)&e->sin, NOWHERE));
}

static struct said t_getpeername(struct ends *e)
{
	socklen_t len = sizeof(e->sin);

	return said_more(getpeername(e->con, NOWHERE, &len), len);
}

static struct said t_getpeername_len(struct ends *e)
{
	return said(getpeername(e->con, (void *)&e->sin, NOWHERE));
}

static struct said t_write(struct ends *e)
{
	return said_more(write(e->con, NOWHERE, UNIT), left(e->peer));
}

static struct said t_send(struct ends *e)
{
	return said_more(send(e->con, NOWHERE, UNIT, 0), left(e->peer));
}

static struct said t_send_empty(struct ends *e)
{
	return said_more(send(e->con, NOWHERE, 0, 0), left(e->peer));
}

static struct said t_send_more(struct ends *e)
{
	struct said s = said(send(e->con, NOWHERE, UNIT, MSG_MORE));

	unit_send(e->con);
	s.more = left(e->peer);
	return s;
}

static struct said t_send_oob(struct ends *e)
{
	return said_more(send(e->con, NOWHERE, 1, MSG_OOB), left(e->peer));
}

static struct said t_send_half(struct ends *e)
{
	unit_make(edge(UNIT));
	return said_more(send(e->con, edge(UNIT), 2 * UNIT, 0), left(e->peer));
}

static struct said t_send_long(struct ends *e)
{
	return said_more(send(e->con, NOWHERE, 60000, 0), left(e->peer));
}

static struct said t_send_long_half(struct ends *e)
{
	long n;

	unit_make(edge(50000));
	n = send(e->con, edge(50000), 60000, 0);
	/* how much of a stream goes depends on where its pages end */
	return said(n > 0 ? 1 : n);
}

static struct said t_send_huge(struct ends *e)
{
	return said_more(send(e->con, NOWHERE, 1 << 30, 0), left(e->peer));
}

static struct said t_sendto_name(struct ends *e)
{
	return said(sendto(e->fd, "abcdefgh", 8, 0, NOWHERE, sizeof(e->sin)));
}

static struct said t_sendto_data(struct ends *e)
{
	return said(sendto(e->fd, NOWHERE, UNIT, MSG_NOSIGNAL, TO));
}

static struct said t_sendto_con_name(struct ends *e)
{
	return said_more(sendto(e->con, "abcdefgh", 8, 0, NOWHERE, sizeof(e->sin)),
			 left(e->peer));
}

static struct said t_writev(struct ends *e)
{
	return said_more(writev(e->con, NOWHERE, 2), left(e->peer));
}

static struct said t_writev_second(struct ends *e)
{
	char msg[UNIT];
	struct iovec iov[] = { { msg, UNIT }, { NOWHERE, UNIT } };

	unit_make(msg);
	return said_more(writev(e->con, iov, 2), left(e->peer));
}

static struct said t_sendmsg(struct ends *e)
{
	return said(sendmsg(e->con, NOWHERE, 0));
}

static struct said send_msg(struct ends *e, struct msghdr *msg)
{
	char unit[UNIT];
	struct iovec iov = { unit, UNIT };

	unit_make(unit);
	if (!msg->msg_iov) {
		msg->msg_iov = &iov;
		msg->msg_iovlen = 1;
	}
	return said_more(sendmsg(e->con, msg, 0), left(e->peer));
}

static struct said t_sendmsg_name(struct ends *e)
{
	return send_msg(e, &(struct msghdr){ .msg_name = NOWHERE, .msg_namelen = 16 });
}

static struct said t_sendmsg_iov(struct ends *e)
{
	return send_msg(e, &(struct msghdr){ .msg_iov = NOWHERE, .msg_iovlen = 1 });
}

static struct said t_sendmsg_iovs(struct ends *e)
{
	return send_msg(e, &(struct msghdr){ .msg_iov = NOWHERE, .msg_iovlen = 100000 });
}

static struct said t_sendmsg_control(struct ends *e)
{
	return send_msg(e, &(struct msghdr){ .msg_control = NOWHERE, .msg_controllen = 32 });
}

static struct said t_sendmsg_control_edge(struct ends *e)
{
	return send_msg(e, &(struct msghdr){ .msg_control = edge(16), .msg_controllen = 32 });
}

static struct said t_sendmsg_control_huge(struct ends *e)
{
	return send_msg(e, &(struct msghdr){ .msg_control = edge(64),
					     .msg_controllen = (size_t)1 << 33 });
}

static struct said t_sendmmsg(struct ends *e)
{
	return said(syscall(SYS_sendmmsg, e->con, NOWHERE, 1, 0));
}

/* the first goes; the second cannot be read */
static struct said t_sendmmsg_second(struct ends *e)
{
	struct mmsghdr *m = (struct mmsghdr *)edge(sizeof(*m));
	char unit[UNIT];
	struct iovec iov = { unit, UNIT };

	unit_make(unit);
	memset(m, 0, sizeof(*m));
	m->msg_hdr.msg_iov = &iov;
	m->msg_hdr.msg_iovlen = 1;
	return said_more(syscall(SYS_sendmmsg, e->con, m, 2, 0), left(e->peer));
}

static struct said t_read(struct ends *e)
{
	long n = fill(e) ? -2 : read(e->peer, NOWHERE, UNIT);

	return said_more(n, left(e->peer));
}

static struct said t_read_half(struct ends *e)
{
	long n = fill(e) ? -2 : read(e->peer, edge(UNIT / 2), UNIT);

	return said_more(n, left(e->peer));
}

static struct said recv_flags(struct ends *e, int flags)
{
	struct said s = { .ret = -2 };

	if (!fill(e))
		s = said(recv(e->peer, NOWHERE, UNIT, flags));
	s.more = left(e->peer);
	return s;
}

static struct said t_recv_peek(struct ends *e)
{
	return recv_flags(e, MSG_PEEK);
}

static struct said t_recv_trunc(struct ends *e)
{
	return recv_flags(e, MSG_TRUNC);
}

static struct said t_recv_oob(struct ends *e)
{
	return recv_flags(e, MSG_OOB);
}

static struct said t_recv_errqueue(struct ends *e)
{
	return recv_flags(e, MSG_ERRQUEUE | MSG_DONTWAIT);
}

static struct said t_recv_waitall(struct ends *e)
{
	return recv_flags(e, MSG_WAITALL);
}

static struct said t_recv_empty(struct ends *e)
{
	struct said s = { .ret = -2 };

	if (!fill(e))
		s = said(recv(e->peer, NOWHERE, 0, MSG_DONTWAIT));
	s.more = left(e->peer);
	return s;
}

static struct said t_recvfrom_name(struct ends *e)
{
	socklen_t len = sizeof(e->sin);
	struct said s = { .ret = -2 };
	char buf[UNIT];

	if (!fill(e))
		s = said(recvfrom(e->peer, buf, UNIT, 0, NOWHERE, &len));
	s.more = left(e->peer);
	return s;
}

static struct said t_recvfrom_len(struct ends *e)
{
	struct said s = { .ret = -2 };
	char buf[UNIT];

	if (!fill(e))
		s = said(recvfrom(e->peer, buf, UNIT, 0, (void *)&e->sin, NOWHERE));
	s.more = left(e->peer);
	return s;
}

static struct said t_readv_second(struct ends *e)
{
	char buf[UNIT / 2];
	struct iovec iov[] = { { buf, UNIT / 2 }, { NOWHERE, UNIT } };
	struct said s = { .ret = -2 };

	if (!fill(e))
		s = said(readv(e->peer, iov, 2));
	s.more = left(e->peer);
	return s;
}

static struct said t_recvmsg(struct ends *e)
{
	struct said s = { .ret = -2 };

	if (!fill(e))
		s = said(recvmsg(e->peer, NOWHERE, 0));
	s.more = left(e->peer);
	return s;
}

static struct said recv_msg(struct ends *e, struct msghdr *msg)
{
	char unit[UNIT];
	struct iovec iov = { unit, UNIT };
	struct said s = { .ret = -2 };

	if (!msg->msg_iov) {
		msg->msg_iov = &iov;
		msg->msg_iovlen = 1;
	}
	env_setopt(e->peer, SOL_IP, IP_PKTINFO, 1);
	env_setopt(e->peer, SOL_IP, IP_RECVTTL, 1);
	if (e->kind != STREAM)
		env_setopt(e->peer, SOL_SOCKET, SO_TIMESTAMP, 1);
	if (!fill(e))
		s = said(recvmsg(e->peer, msg, MSG_DONTWAIT));
	s.more = left(e->peer) << 32 | msg->msg_controllen << 16 | msg->msg_flags;
	return s;
}

static struct said t_recvmsg_name(struct ends *e)
{
	return recv_msg(e, &(struct msghdr){ .msg_name = NOWHERE, .msg_namelen = 16 });
}

static struct said t_recvmsg_iov(struct ends *e)
{
	return recv_msg(e, &(struct msghdr){ .msg_iov = NOWHERE, .msg_iovlen = 1 });
}

static struct said t_recvmsg_control(struct ends *e)
{
	return recv_msg(e, &(struct msghdr){ .msg_control = NOWHERE, .msg_controllen = 200 });
}

static struct said t_recvmsg_control_edge(struct ends *e)
{
	return recv_msg(e, &(struct msghdr){ .msg_control = edge(20), .msg_controllen = 200 });
}

static struct said t_recvmsg_control_short(struct ends *e)
{
	return recv_msg(e, &(struct msghdr){ .msg_control = edge(40), .msg_controllen = 20 });
}

static struct said t_recvmmsg(struct ends *e)
{
	struct said s = { .ret = -2 };

	if (!fill(e))
		s = said(syscall(SYS_recvmmsg, e->peer, NOWHERE, 1, 0, NULL));
	s.more = left(e->peer);
	return s;
}

static struct said t_recvmmsg_timeout(struct ends *e)
{
	struct mmsghdr m = { };

	return said(syscall(SYS_recvmmsg, e->peer, &m, 1, MSG_DONTWAIT, NOWHERE));
}

/* an error on the error queue, no room for it */
static struct said t_errqueue_control(struct ends *e)
{
	struct msghdr msg = { .msg_control = NOWHERE, .msg_controllen = 200 };
	struct pollfd pfd = { .fd = e->fd };
	int dead = socket(e->family, SOCK_DGRAM, 0);
	struct said s;

	env_bind(dead, "127.0.0.1", 0);
	env_setopt(e->fd, SOL_IP, IP_RECVERR, 1);
	env_connect(e->fd, "127.0.0.1", env_port(dead));
	close(dead);
	send(e->fd, "x", 1, 0);
	poll(&pfd, 1, 20000);
	s = said(recvmsg(e->fd, &msg, MSG_ERRQUEUE | MSG_DONTWAIT));
	s.more = msg.msg_flags << 8 | msg.msg_controllen;
	return s;
}

/* what is accepted for nobody is closed, and the next accept waits for the next */
static struct said accept_at(struct ends *e, void *name, void *len)
{
	struct pollfd pfd = { .fd = e->lst, .events = POLLIN };
	struct said s;

	poll(&pfd, 1, 20000);
	s = said(accept4(e->lst, name, len, SOCK_NONBLOCK));
	s.more = poll(&pfd, 1, 0);
	return s;
}

static struct said t_accept_name(struct ends *e)
{
	socklen_t len = sizeof(e->sin);

	return accept_at(e, NOWHERE, &len);
}

static struct said t_accept_len(struct ends *e)
{
	return accept_at(e, &e->sin, NOWHERE);
}

static struct said t_accept_both(struct ends *e)
{
	return accept_at(e, NOWHERE, NOWHERE);
}

static struct said t_sendfile(struct ends *e)
{
	int zero = open("/proc/version", O_RDONLY);
	long n = sendfile(e->con, zero, NOWHERE, UNIT);
	struct said s = said(n);

	close(zero);
	return s;
}

static struct said t_splice(struct ends *e)
{
	int p[2];
	struct said s;

	if (pipe(p))
		return (struct said){ .ret = -2 };
	s = said(splice(e->peer, NOWHERE, p[1], NULL, UNIT, SPLICE_F_NONBLOCK));
	close(p[0]);
	close(p[1]);
	return s;
}

static struct said t_poll(struct ends *e)
{
	return said(poll(NOWHERE, 1, 0));
}

static struct said t_select(struct ends *e)
{
	return said(syscall(SYS_select, e->con + 1, NOWHERE, NULL, NULL, NULL));
}

static struct said t_epoll(struct ends *e)
{
	int ep = epoll_create1(0);
	struct said s = said(epoll_ctl(ep, EPOLL_CTL_ADD, e->con, NOWHERE));

	close(ep);
	return s;
}

#define IOCTL(name, cmd) \
static struct said t_ioctl_##name(struct ends *e) \
{ \
	return said(ioctl(e->con, cmd, NOWHERE)); \
}
IOCTL(inq, SIOCINQ)
IOCTL(outq, SIOCOUTQ)
IOCTL(outqnsd, SIOCOUTQNSD)
IOCTL(atmark, SIOCATMARK)
IOCTL(ifaddr, SIOCGIFADDR)
IOCTL(ifnetmask, SIOCGIFNETMASK)
IOCTL(ifbrdaddr, SIOCGIFBRDADDR)
IOCTL(ifdstaddr, SIOCGIFDSTADDR)
IOCTL(ifflags, SIOCGIFFLAGS)
IOCTL(ifconf, SIOCGIFCONF)
IOCTL(fionbio, FIONBIO)
IOCTL(pgrp, SIOCGPGRP)
IOCTL(spgrp, SIOCSPGRP)
IOCTL(unknown, 0x89ee)

static const struct {
	const char *name;
	int kinds;
	struct said (*call)(struct ends *e);
} tries[] = {
#define T(name, kinds)	{ #name, kinds, t_##name }
	T(bind, K_ALL), T(bind_edge, K_ALL), T(connect, K_ALL), T(connect_again, K_ALL),
	T(getsockname, K_ALL), T(getsockname_len, K_ALL), T(getpeername, K_ALL),
	T(getpeername_len, K_ALL), T(write, K_ALL), T(send, K_ALL), T(send_empty, K_ALL),
	T(send_more, K_ALL), T(send_oob, K_ALL), T(send_half, K_ALL), T(send_long, K_ALL),
	T(send_long_half, K_ALL), T(send_huge, K_ALL), T(sendto_name, K_ALL),
	T(sendto_data, K_ALL), T(sendto_con_name, K_ALL), T(writev, K_ALL),
	T(writev_second, K_ALL), T(sendmsg, K_ALL), T(sendmsg_name, K_ALL),
	T(sendmsg_iov, K_ALL), T(sendmsg_iovs, K_ALL), T(sendmsg_control, K_ALL),
	T(sendmsg_control_edge, K_ALL), T(sendmsg_control_huge, K_ALL), T(sendmmsg, K_ALL),
	T(sendmmsg_second, K_ALL), T(read, K_ALL), T(read_half, K_ALL), T(recv_peek, K_ALL),
	T(recv_trunc, K_ALL), T(recv_oob, K_ALL), T(recv_errqueue, K_ALL),
	T(recv_waitall, K_ALL), T(recv_empty, K_ALL), T(recvfrom_name, K_ALL),
	T(recvfrom_len, K_ALL), T(readv_second, K_ALL), T(recvmsg, K_ALL),
	T(recvmsg_name, K_ALL), T(recvmsg_iov, K_ALL), T(recvmsg_control, K_ALL),
	T(recvmsg_control_edge, K_ALL), T(recvmsg_control_short, K_ALL), T(recvmmsg, K_ALL),
	T(recvmmsg_timeout, K_ALL), T(errqueue_control, K_DGRAM), T(accept_name, K_STREAM),
	T(accept_len, K_STREAM), T(accept_both, K_STREAM), T(sendfile, K_ALL),
	T(splice, K_ALL), T(poll, K_ALL), T(select, K_ALL), T(epoll, K_ALL),
	T(ioctl_inq, K_ALL), T(ioctl_outq, K_ALL), T(ioctl_outqnsd, K_ALL),
	T(ioctl_atmark, K_ALL), T(ioctl_ifaddr, K_ALL), T(ioctl_ifnetmask, K_ALL),
	T(ioctl_ifbrdaddr, K_ALL), T(ioctl_ifdstaddr, K_ALL), T(ioctl_ifflags, K_ALL),
	T(ioctl_ifconf, K_ALL), T(ioctl_fionbio, K_ALL), T(ioctl_pgrp, K_ALL),
	T(ioctl_spgrp, K_ALL), T(ioctl_unknown, K_ALL),
#undef T
};

/* what a try leaves behind must not hinder a message each way */
static int alive(struct ends *e)
{
	left(e->peer);
	left(e->con);
	if (fill(e) || left(e->peer) != UNIT)
		return 0;
	if (e->kind == PING)
		return 1;
	return !unit_send(e->peer) && env_readable(e->con) == 1 && left(e->con) == UNIT;
}

TEST_F_TIMEOUT(fault, every_call, 240)
{
	struct said native, ours;
	struct ends e;
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(tries); i++) {
		if (!(tries[i].kinds & 1 << variant->kind))
			continue;
		ASSERT_EQ(0, ends_open(&e, AF_INET, variant->kind));
		native = tries[i].call(&e);
		ends_close(&e);
		ASSERT_EQ(0, ends_open(&e, self->strata, variant->kind));
		ours = tries[i].call(&e);
		EXPECT_TRUE(alive(&e)) {
			TH_LOG("dead after %s", tries[i].name);
		}
		ends_close(&e);
		EXPECT_NE(-2, native.ret) TH_LOG("%s", tries[i].name);
		EXPECT_TRUE(said_same(native, ours)) {
			TH_LOG("%s: native %ld errno %d more %#lx, strata %ld errno %d more %#lx",
			       tries[i].name, native.ret, native.err, native.more, ours.ret,
			       ours.err, ours.more);
		}
	}
}

TEST_HARNESS_MAIN
