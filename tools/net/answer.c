// SPDX-License-Identifier: GPL-2.0
/*
 * DHCP without a daemon: the process of each VM answers what comes out of its own
 * adapters, from the leases of the NAT network that the adapter's switch has.
 */
#include "net.h"

#include "dhcp.h"
#include "lease.h"

#include <string.h>
#include <time.h>

#define DHCP_PER_SECOND	20		/* an answer may cost a write to the disk */

void dhcp_port_init(struct dhcp_port *p, const char *vm, const struct vm_adapter *a)
{
	struct net_switch s;

	memset(p, 0, sizeof(*p));
	snprintf(p->owner, sizeof(p->owner), "%s/%s", vm, a->name);
	/* Others have no NAT network, and a switch stays what it is while it is in use. */
	if (!switch_load(a->link.sw, &s, NULL) && s.type == SWITCH_INTERNAL)
		snprintf(p->sw, sizeof(p->sw), "%s", s.name);
}

static bool may_ask(struct dhcp_port *p)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	if (now.tv_sec != p->second) {
		p->second = now.tv_sec;
		p->tokens = DHCP_PER_SECOND;
	}
	if (!p->tokens)
		return false;
	p->tokens--;
	return true;
}

/* Which step of a lease a query is, with the address it is about; false: none. */
static bool step_of(const struct dhcp_query *q, const struct net_nat *n, struct lease_request *l)
{
	l->address = q->wanted ? q->wanted : q->client;
	switch (q->type) {
	case DHCP_DISCOVER:
		l->step = LEASE_OFFER;
		return true;
	case DHCP_REQUEST:
		l->step = LEASE_TAKE;
		/* It has taken another server's offer. */
		return !q->server || q->server == n->gateway;
	case DHCP_DECLINE:
		l->step = LEASE_DECLINE;
		return q->server == n->gateway;
	case DHCP_RELEASE:
		l->step = LEASE_RELEASE;
		l->address = q->client;
		return q->server == n->gateway;
	default:
		return false;
	}
}

static size_t answer(struct dhcp_port *p, const struct dhcp_query *q, const struct net_nat *n,
		     const uint8_t mac[6], uint8_t reply[DHCP_REPLY_MAX])
{
	struct dhcp_answer a = {
		.server = n->gateway, .router = n->gateway, .mask = prefix_mask(n->prefix),
		.broadcast = prefix_broadcast(n->prefix), .dns = n->dns, .ndns = n->ndns,
	};
	struct lease_request l = {
		.owner = p->owner, .mac = q->mac, .limit = LEASES_PER_ADAPTER,
	};
	int given = 1;

	memcpy(a.mac, mac, 6);
	if (q->type == DHCP_INFORM) {
		/* It has an address of its own and asks about the rest. */
		a.type = DHCP_ACK;
		if (!q->client)
			return 0;
	} else {
		if (!step_of(q, n, &l))
			return 0;
		given = lease_do(n, &l, &a.address, &a.seconds, NULL);
		if (given < 0 || l.step == LEASE_RELEASE || l.step == LEASE_DECLINE)
			return 0;
		if (!given && l.step == LEASE_OFFER)
			return 0;
		a.type = !given ? DHCP_NAK : l.step == LEASE_OFFER ? DHCP_OFFER : DHCP_ACK;
	}
	return dhcp_build(q, &a, reply, DHCP_REPLY_MAX);
}

bool dhcp_port_take(struct dhcp_port *p, const uint8_t *frame, size_t len,
		    uint8_t reply[DHCP_REPLY_MAX], size_t *reply_len)
{
	struct dhcp_query q;
	struct net_switch s;
	struct net_nat n;

	if (!*p->sw || !dhcp_parse(frame, len, &q))
		return false;
	*reply_len = 0;
	if (!may_ask(p)) {
		p->dropped++;
		return true;
	}
	/* Looked up each time: a network may be made while the VM runs. */
	if (nat_of_switch(p->sw, &n, NULL) <= 0 || n.state != RECORD_READY ||
	    switch_load(p->sw, &s, NULL) < 0 || (q.ip_to != ~0u && q.ip_to != n.gateway))
		return false;
	p->requests++;
	*reply_len = answer(p, &q, &n, s.mac, reply);
	p->replies += *reply_len > 0;
	return true;
}
