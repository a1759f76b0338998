/* SPDX-License-Identifier: GPL-2.0 */
/*
 * DHCP, the server's side (RFC 2131, RFC 2132), as frames: what a guest asks, which
 * is anybody's bytes, and what it is answered. Nothing here knows of files or
 * networks. Addresses in host byte order.
 */
#ifndef NET_DHCP_H
#define NET_DHCP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum dhcp_type {
	DHCP_DISCOVER = 1,
	DHCP_OFFER,
	DHCP_REQUEST,
	DHCP_DECLINE,
	DHCP_ACK,
	DHCP_NAK,
	DHCP_RELEASE,
	DHCP_INFORM,
};

struct dhcp_query {
	enum dhcp_type type;
	uint8_t mac[6];
	uint32_t xid;
	uint16_t flags;
	uint32_t ip_to;			/* the packet's destination */
	uint32_t client;		/* ciaddr: the address it uses already, or 0 */
	uint32_t wanted;		/* option "requested address", or 0 */
	uint32_t server;		/* option "server identifier", or 0 */
	uint8_t client_id_len;		/* option "client identifier", to be sent back */
	uint8_t client_id[255];
};

/* True for a whole query of a client on Ethernet, of a type that clients send. */
bool dhcp_parse(const uint8_t *frame, size_t len, struct dhcp_query *q);

struct dhcp_answer {
	enum dhcp_type type;		/* OFFER, ACK or NAK */
	uint8_t mac[6];			/* the server's */
	uint32_t server;
	uint32_t address;		/* 0: none, for INFORM and NAK */
	uint32_t mask, router, broadcast;
	const uint32_t *dns;
	unsigned int ndns;
	uint32_t seconds;
};

#define DHCP_ANSWER_MAX 700

/* The frame for who asked; its length, 0 when there is no room. */
size_t dhcp_build(const struct dhcp_query *q, const struct dhcp_answer *a, uint8_t *out,
		  size_t room);

#endif
