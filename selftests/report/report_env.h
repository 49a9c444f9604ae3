/* SPDX-License-Identifier: GPL-2.0-only */
/* What the tests of reports share: Strata's sockets over lo in a namespace of their own. */
#ifndef REPORT_ENV_H
#define REPORT_ENV_H

#include "../sock/sock_env.h"

#define NATIVE_PROC	"/proc/thread-self/net/"
#define STRATA_PROC	"/proc/thread-self/net/strata/"

/* a listener, a client and the accepted side on 127.0.0.1:@port; false: not all of them */
struct trio {
	int lsk, client, server;
};

static inline bool trio_open(struct trio *t, int family, int port)
{
	t->lsk = socket(family, SOCK_STREAM, 0);
	t->client = socket(family, SOCK_STREAM, 0);
	t->server = -1;
	if (t->lsk < 0 || t->client < 0 || env_bind(t->lsk, "127.0.0.1", port) ||
	    listen(t->lsk, 7) || env_connect(t->client, "127.0.0.1", port))
		return false;
	t->server = accept(t->lsk, NULL, NULL);
	return t->server >= 0;
}

static inline void trio_close(struct trio *t)
{
	close(t->client);
	close(t->server);
	close(t->lsk);
}

#endif /* REPORT_ENV_H */
