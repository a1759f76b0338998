/* SPDX-License-Identifier: GPL-2.0 */
/* Who has which address of a NAT network. */
#ifndef NET_LEASE_H
#define NET_LEASE_H

#include "net.h"

enum lease_step {
	LEASE_OFFER,			/* DISCOVER: keep one for a minute */
	LEASE_TAKE,			/* REQUEST */
	LEASE_RELEASE,
	LEASE_DECLINE,			/* somebody else was found at it */
};

struct lease_request {
	enum lease_step step;
	const char *owner;		/* VM/ADAPTER */
	unsigned int limit;		/* how many that owner may have */
	const uint8_t *mac;
	uint32_t address;		/* wanted, 0: any */
};

/*
 * Does @q for network @n, under the lock: 1 with the address and the seconds it is
 * given for, 0 when it cannot have what it wants, -1 with @r when the host fails.
 */
int lease_do(const struct net_nat *n, const struct lease_request *q, uint32_t *address,
	     uint32_t *seconds, struct refusal *r);

#endif
