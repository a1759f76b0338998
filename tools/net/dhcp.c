// SPDX-License-Identifier: GPL-2.0
#include "dhcp.h"

#include <string.h>

#define ETHERTYPE_IP	0x0800
#define IP_UDP		17
#define PORT_SERVER	67
#define PORT_CLIENT	68
#define MAGIC		0x63825363u
#define FLAG_BROADCAST	0x8000

/* Where things are in a frame without IP options. */
#define ETH_BYTES	14
#define IP_BYTES	20
#define UDP_BYTES	8
#define BOOTP_BYTES	236		/* up to the magic number */
#define BOOTP_MIN	300		/* shorter messages are dropped by old relays */

enum option {
	OPT_PAD = 0,
	OPT_MASK = 1,
	OPT_ROUTER = 3,
	OPT_DNS = 6,
	OPT_BROADCAST = 28,
	OPT_WANTED = 50,
	OPT_SECONDS = 51,
	OPT_TYPE = 53,
	OPT_SERVER = 54,
	OPT_CLIENT_ID = 61,
	OPT_END = 255,
};

static uint16_t get16(const uint8_t *p)
{
	return p[0] << 8 | p[1];
}

static uint32_t get32(const uint8_t *p)
{
	return (uint32_t)get16(p) << 16 | get16(p + 2);
}

static void put16(uint8_t *p, uint16_t v)
{
	p[0] = v >> 8;
	p[1] = v;
}

static void put32(uint8_t *p, uint32_t v)
{
	put16(p, v >> 16);
	put16(p + 2, v);
}

/* ---- reading ---- */

/* The BOOTP message in a frame, with its length; NULL if it is something else. */
static const uint8_t *find_bootp(const uint8_t *frame, size_t len, size_t *bootp_len,
				 uint32_t *ip_to)
{
	const uint8_t *ip = frame + ETH_BYTES, *udp;
	size_t head, total, udp_len;

	if (len < ETH_BYTES + IP_BYTES || get16(frame + 12) != ETHERTYPE_IP)
		return NULL;
	head = (ip[0] & 15) * 4u;
	total = get16(ip + 2);
	/* A frame may be padded behind the packet. */
	if (ip[0] >> 4 != 4 || head < IP_BYTES || total > len - ETH_BYTES ||
	    total < head + UDP_BYTES || ip[9] != IP_UDP)
		return NULL;
	/* Neither a fragment nor the first of several. */
	if (get16(ip + 6) & 0x3fff)
		return NULL;
	udp = ip + head;
	udp_len = get16(udp + 4);
	if (get16(udp + 2) != PORT_SERVER || udp_len < UDP_BYTES || udp_len > total - head)
		return NULL;
	*bootp_len = udp_len - UDP_BYTES;
	*ip_to = get32(ip + 16);
	return udp + UDP_BYTES;
}

static void take_option(struct dhcp_query *q, unsigned int code, const uint8_t *data,
			unsigned int len)
{
	switch (code) {
	case OPT_TYPE:
		if (len == 1)
			q->type = data[0];
		break;
	case OPT_WANTED:
		if (len == 4)
			q->wanted = get32(data);
		break;
	case OPT_SERVER:
		if (len == 4)
			q->server = get32(data);
		break;
	case OPT_CLIENT_ID:
		q->client_id_len = len;
		memcpy(q->client_id, data, len);
		break;
	}
}

static bool from_client(enum dhcp_type type)
{
	return type == DHCP_DISCOVER || type == DHCP_REQUEST || type == DHCP_DECLINE ||
	       type == DHCP_RELEASE || type == DHCP_INFORM;
}

bool dhcp_parse(const uint8_t *frame, size_t len, struct dhcp_query *q)
{
	const uint8_t *b, *p, *end;
	size_t n;

	memset(q, 0, sizeof(*q));
	b = find_bootp(frame, len, &n, &q->ip_to);
	/* A request over Ethernet, not by way of a relay, of the station that sends it. */
	if (!b || n < BOOTP_BYTES + 4 || b[0] != 1 || b[1] != 1 || b[2] != 6 || get32(b + 24) ||
	    get32(b + BOOTP_BYTES) != MAGIC || memcmp(b + 28, frame + 6, 6) || b[28] & 1)
		return false;
	memcpy(q->mac, b + 28, 6);
	q->xid = get32(b + 4);
	q->flags = get16(b + 10);
	q->client = get32(b + 12);
	end = b + n;
	for (p = b + BOOTP_BYTES + 4; p < end && *p != OPT_END;) {
		if (*p == OPT_PAD) {
			p++;
			continue;
		}
		if (end - p < 2 || end - p - 2 < p[1])
			return false;
		take_option(q, p[0], p + 2, p[1]);
		p += 2 + p[1];
	}
	return from_client(q->type);
}

/* ---- writing ---- */

struct options {
	uint8_t *p, *end;
	bool full;
};

static void put_option(struct options *o, unsigned int code, const void *data, unsigned int len)
{
	if (o->full || (size_t)(o->end - o->p) < 2 + len) {
		o->full = true;
		return;
	}
	*o->p++ = code;
	*o->p++ = len;
	memcpy(o->p, data, len);
	o->p += len;
}

static void put_option32(struct options *o, unsigned int code, uint32_t value)
{
	uint8_t data[4];

	put32(data, value);
	put_option(o, code, data, 4);
}

static void put_network(struct options *o, const struct dhcp_answer *a)
{
	uint8_t dns[4 * 16];
	unsigned int i;

	put_option32(o, OPT_MASK, a->mask);
	put_option32(o, OPT_ROUTER, a->router);
	put_option32(o, OPT_BROADCAST, a->broadcast);
	for (i = 0; i < a->ndns && i < 16; i++)
		put32(dns + 4 * i, a->dns[i]);
	if (i)
		put_option(o, OPT_DNS, dns, 4 * i);
	if (a->address)
		put_option32(o, OPT_SECONDS, a->seconds);
}

/* The Internet checksum, ~0 as the sum of nothing. */
static uint32_t sum(const uint8_t *p, size_t len, uint32_t s)
{
	for (; len > 1; p += 2, len -= 2)
		s += get16(p);
	return len ? s + (p[0] << 8) : s;
}

static uint16_t fold(uint32_t s)
{
	while (s >> 16)
		s = (s & 0xffff) + (s >> 16);
	return ~s;
}

static void put_headers(const struct dhcp_query *q, const struct dhcp_answer *a, uint8_t *out,
			size_t bootp)
{
	uint8_t *ip = out + ETH_BYTES, *udp = ip + IP_BYTES;
	uint32_t to = q->client ? q->client : a->address;
	uint16_t check;

	/* To one that has no address yet, at the one it gets; to all if it wants that. */
	if (a->type == DHCP_NAK || !to || (q->flags & FLAG_BROADCAST && !q->client)) {
		memset(out, 0xff, 6);
		to = ~0u;
	} else {
		memcpy(out, q->mac, 6);
	}
	memcpy(out + 6, a->mac, 6);
	put16(out + 12, ETHERTYPE_IP);
	memset(ip, 0, IP_BYTES + UDP_BYTES);
	ip[0] = 0x45;
	put16(ip + 2, IP_BYTES + UDP_BYTES + bootp);
	ip[8] = 64;
	ip[9] = IP_UDP;
	put32(ip + 12, a->server);
	put32(ip + 16, to);
	put16(ip + 10, fold(sum(ip, IP_BYTES, 0)));
	put16(udp, PORT_SERVER);
	put16(udp + 2, PORT_CLIENT);
	put16(udp + 4, UDP_BYTES + bootp);
	check = fold(sum(udp, UDP_BYTES + bootp, sum(ip + 12, 8, IP_UDP + UDP_BYTES + bootp)));
	put16(udp + 6, check ? check : 0xffff);
}

size_t dhcp_build(const struct dhcp_query *q, const struct dhcp_answer *a, uint8_t *out,
		  size_t room)
{
	uint8_t *b = out + ETH_BYTES + IP_BYTES + UDP_BYTES, type = a->type;
	struct options o = { .p = b + BOOTP_BYTES + 4 };
	size_t bootp;

	if (room < ETH_BYTES + IP_BYTES + UDP_BYTES + BOOTP_MIN + 1)
		return 0;
	o.end = out + room - 1;
	memset(out, 0, room);
	b[0] = 2;
	b[1] = 1;
	b[2] = 6;
	put32(b + 4, q->xid);
	put16(b + 10, q->flags);
	if (a->type == DHCP_ACK)
		put32(b + 12, q->client);
	put32(b + 16, a->address);
	memcpy(b + 28, q->mac, 6);
	put32(b + BOOTP_BYTES, MAGIC);
	put_option(&o, OPT_TYPE, &type, 1);
	put_option32(&o, OPT_SERVER, a->server);
	if (a->type != DHCP_NAK)
		put_network(&o, a);
	/* RFC 6842 */
	if (q->client_id_len)
		put_option(&o, OPT_CLIENT_ID, q->client_id, q->client_id_len);
	if (o.full)
		return 0;
	*o.p++ = OPT_END;
	bootp = o.p - b < BOOTP_MIN ? BOOTP_MIN : o.p - b;
	put_headers(q, a, out, bootp);
	return ETH_BYTES + IP_BYTES + UDP_BYTES + bootp;
}
