// SPDX-License-Identifier: GPL-2.0
#include "net.h"

#include <arpa/inet.h>
#include <errno.h>
#include <libslirp.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define MAX_TIMERS 4

struct slirp_timer {
	bool used, armed;
	SlirpTimerCb cb;
	void *cb_opaque;
	int64_t expires_ms;
};

struct user_net {
	struct net_back back;
	Slirp *slirp;
	struct slirp_timer timer[MAX_TIMERS];
	/* While the library is asked what to wait for, and told what came of it. */
	struct pollfd *fds;
	const struct pollfd *ready;
	unsigned int nfds, max;
};

/* -- what the library wants of us ------------------------------------------- */

static ssize_t on_packet(const void *buf, size_t len, void *opaque)
{
	struct user_net *u = opaque;

	u->back.port.deliver(u->back.port.adapter, buf, len);
	return len;
}

/* The guest's mistakes are the guest's. */
static void on_guest_error(const char *msg, void *opaque)
{
	(void)msg;
	(void)opaque;
}

static int64_t clock_ns(void *opaque)
{
	struct timespec ts;

	(void)opaque;
	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec * 1000000000ll + ts.tv_nsec;
}

static void *timer_new(SlirpTimerCb cb, void *cb_opaque, void *opaque)
{
	struct user_net *u = opaque;
	unsigned int i;

	for (i = 0; i < MAX_TIMERS; i++)
		if (!u->timer[i].used) {
			u->timer[i] = (struct slirp_timer) { true, false, cb, cb_opaque, 0 };
			return &u->timer[i];
		}
	abort();	/* one kind of timer exists, a library with more is not ours */
}

static void timer_free(void *timer, void *opaque)
{
	struct slirp_timer *t = timer;

	(void)opaque;
	t->used = false;
	t->armed = false;
}

static void timer_mod(void *timer, int64_t expires_ms, void *opaque)
{
	struct slirp_timer *t = timer;

	(void)opaque;
	t->armed = true;
	t->expires_ms = expires_ms;
}

/* Files are asked for before each wait. */
static void poll_fd(int fd, void *opaque)
{
	(void)fd;
	(void)opaque;
}

static void on_notify(void *opaque)
{
	(void)opaque;	/* only ever called in our own thread, which waits afterwards */
}

static const SlirpCb callbacks = {
	.send_packet = on_packet,
	.guest_error = on_guest_error,
	.clock_get_ns = clock_ns,
	.timer_new = timer_new,
	.timer_free = timer_free,
	.timer_mod = timer_mod,
	.register_poll_fd = poll_fd,
	.unregister_poll_fd = poll_fd,
	.notify = on_notify,
};

static const struct {
	int slirp;
	short poll;
} events[] = {
	{ SLIRP_POLL_IN, POLLIN },
	{ SLIRP_POLL_OUT, POLLOUT },
	{ SLIRP_POLL_PRI, POLLPRI },
	{ SLIRP_POLL_ERR, POLLERR },
	{ SLIRP_POLL_HUP, POLLHUP },
};

#define NEVENTS (sizeof(events) / sizeof(events[0]))

static int add_poll(int fd, int wanted, void *opaque)
{
	struct user_net *u = opaque;
	short poll = 0;
	unsigned int i;

	if (u->nfds == u->max)
		return -1;
	for (i = 0; i < NEVENTS; i++)
		if (wanted & events[i].slirp)
			poll |= events[i].poll;
	u->fds[u->nfds] = (struct pollfd) { .fd = fd, .events = poll };
	return u->nfds++;
}

static int get_revents(int idx, void *opaque)
{
	struct user_net *u = opaque;
	unsigned int i;
	int got = 0;

	if (idx < 0 || idx >= (int)u->nfds)
		return 0;
	for (i = 0; i < NEVENTS; i++)
		if (u->ready[idx].revents & events[i].poll)
			got |= events[i].slirp;
	return got;
}

/* -- what the adapter wants of us ------------------------------------------- */

static bool user_send(struct net_back *b, const uint8_t *frame, size_t len)
{
	struct user_net *u = (struct user_net *)b;

	slirp_input(u->slirp, frame, len);
	return true;
}

static unsigned int user_before_wait(struct net_back *b, struct pollfd *fds, unsigned int max,
				     int *timeout_ms)
{
	struct user_net *u = (struct user_net *)b;
	int64_t now = clock_ns(u) / 1000000, left;
	uint32_t timeout = UINT32_MAX;
	unsigned int i;

	u->fds = fds;
	u->nfds = 0;
	u->max = max;
	slirp_pollfds_fill(u->slirp, &timeout, add_poll, u);
	for (i = 0; i < MAX_TIMERS; i++) {
		if (!u->timer[i].armed)
			continue;
		left = u->timer[i].expires_ms - now;
		if (left < 0)
			left = 0;
		if (left < timeout)
			timeout = left;
	}
	*timeout_ms = timeout > INT32_MAX ? -1 : (int)timeout;
	return u->nfds;
}

static void user_after_wait(struct net_back *b, const struct pollfd *fds, unsigned int n)
{
	struct user_net *u = (struct user_net *)b;
	int64_t now = clock_ns(u) / 1000000;
	unsigned int i;

	/* A wait that failed says nothing about any file. */
	u->ready = fds;
	u->nfds = n;
	slirp_pollfds_poll(u->slirp, 0, get_revents, u);
	for (i = 0; i < MAX_TIMERS; i++)
		if (u->timer[i].armed && u->timer[i].expires_ms <= now) {
			u->timer[i].armed = false;
			u->timer[i].cb(u->timer[i].cb_opaque);
		}
}

static void user_close(struct net_back *b)
{
	struct user_net *u = (struct user_net *)b;

	slirp_cleanup(u->slirp);
	free(u);
}

static const struct net_back_ops user_ops = {
	user_send, user_before_wait, user_after_wait, user_close,
};

static int add_forward(struct user_net *u, const struct net_forward *f, struct nvl_error *err)
{
	struct in_addr host = { .s_addr = htonl(INADDR_LOOPBACK) };
	struct in_addr guest = { .s_addr = inet_addr("10.0.2.15") };

	if (slirp_add_hostfwd(u->slirp, f->udp, host, f->host_port, guest, f->guest_port) == 0)
		return 0;
	return nvl_fail(err, errno, "port %u of 127.0.0.1 (%s) cannot be forwarded to the guest: %s.",
			f->host_port, f->udp ? "UDP" : "TCP", strerror(errno));
}

int slirp_open(const struct net_forward *forwards, unsigned int n, struct net_port port,
	       struct net_back **out, struct nvl_error *err)
{
	const SlirpConfig conf = {
		.version = 3,
		.in_enabled = true,
		.vnetwork.s_addr = inet_addr("10.0.2.0"),
		.vnetmask.s_addr = inet_addr("255.255.255.0"),
		.vhost.s_addr = inet_addr("10.0.2.2"),
		.vdhcp_start.s_addr = inet_addr("10.0.2.15"),
		.vnameserver.s_addr = inet_addr("10.0.2.3"),
		.disable_host_loopback = true,
	};
	struct user_net *u;
	unsigned int i;
	int ret;

	u = calloc(1, sizeof(*u));
	if (!u)
		return nvl_fail(err, ENOMEM, "no memory left for a network adapter.");
	u->back = (struct net_back) { &user_ops, port };
	u->slirp = slirp_new(&conf, &callbacks, u);
	if (!u->slirp) {
		free(u);
		return nvl_fail(err, EINVAL, "the user-mode network cannot be set up.");
	}
	for (i = 0; i < n; i++) {
		ret = add_forward(u, &forwards[i], err);
		if (ret < 0) {
			user_close(&u->back);
			return ret;
		}
	}
	*out = &u->back;
	return 0;
}
