// SPDX-License-Identifier: GPL-2.0
/*
 * An adapter on a virtual switch: a tap that is connected to the switch's bridge for
 * as long as the VM runs, and the DHCP server of the switch's NAT network, if it
 * has one, on the way to it.
 */
#include "net.h"

#include "../../net/net.h"

#include <errno.h>
#include <stdlib.h>

struct on_switch {
	struct net_back back;
	struct net_back *tap;
	struct dhcp_port dhcp;
	uint8_t reply[DHCP_REPLY_MAX];
};

static bool switch_send(struct net_back *b, const uint8_t *frame, size_t len)
{
	struct on_switch *s = (struct on_switch *)b;
	size_t reply;

	if (!dhcp_port_take(&s->dhcp, frame, len, s->reply, &reply))
		return s->tap->ops->send(s->tap, frame, len);
	if (reply)
		b->port.deliver(b->port.adapter, s->reply, reply);
	return true;
}

static unsigned int switch_before_wait(struct net_back *b, struct pollfd *fds, unsigned int max,
				       int *timeout_ms)
{
	struct on_switch *s = (struct on_switch *)b;

	return s->tap->ops->before_wait(s->tap, fds, max, timeout_ms);
}

static void switch_after_wait(struct net_back *b, const struct pollfd *fds, unsigned int n)
{
	struct on_switch *s = (struct on_switch *)b;

	s->tap->ops->after_wait(s->tap, fds, n);
}

static void switch_close(struct net_back *b)
{
	struct on_switch *s = (struct on_switch *)b;

	s->tap->ops->close(s->tap);
	free(s);
}

static const struct net_back_ops switch_ops = {
	switch_send, switch_before_wait, switch_after_wait, switch_close,
};

int switch_open(const char *vm, const struct vm_adapter *a, struct net_port port,
		struct net_back **out, struct nvl_error *err)
{
	struct net_tap tap;
	struct on_switch *s;
	struct refusal r;
	int ret;

	s = calloc(1, sizeof(*s));
	if (!s)
		return nvl_fail(err, ENOMEM, "no memory left for a network adapter.");
	if (net_tap_open(vm, a, &tap, &r) < 0) {
		free(s);
		return nvl_fail(err, EINVAL, "network adapter \"%s\": %s", a->name, r.text);
	}
	ret = tap_open_fd(tap.fd, port, &s->tap, err);
	if (ret < 0) {
		free(s);
		return ret;
	}
	s->back = (struct net_back) { &switch_ops, port };
	dhcp_port_init(&s->dhcp, vm, a);
	*out = &s->back;
	return 0;
}

/* ---- connected to nothing ---- */

static bool none_send(struct net_back *b, const uint8_t *frame, size_t len)
{
	(void)b;
	(void)frame;
	(void)len;
	return false;
}

static unsigned int none_before_wait(struct net_back *b, struct pollfd *fds, unsigned int max,
				     int *timeout_ms)
{
	(void)b;
	(void)fds;
	(void)max;
	(void)timeout_ms;
	return 0;
}

static void none_after_wait(struct net_back *b, const struct pollfd *fds, unsigned int n)
{
	(void)b;
	(void)fds;
	(void)n;
}

static void none_close(struct net_back *b)
{
	free(b);
}

static const struct net_back_ops none_ops = {
	none_send, none_before_wait, none_after_wait, none_close,
};

int none_open(struct net_port port, struct net_back **out, struct nvl_error *err)
{
	struct net_back *b = malloc(sizeof(*b));

	if (!b)
		return nvl_fail(err, ENOMEM, "no memory left for a network adapter.");
	*b = (struct net_back) { &none_ops, port };
	*out = b;
	return 0;
}
