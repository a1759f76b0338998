// SPDX-License-Identifier: GPL-2.0
#include "prefix.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

bool address_parse(const char *text, uint32_t *address)
{
	struct in_addr in;

	if (inet_pton(AF_INET, text, &in) != 1)
		return false;
	*address = ntohl(in.s_addr);
	return true;
}

bool prefix_parse(const char *text, struct prefix *p)
{
	const char *slash = strchr(text, '/');
	char address[ADDRESS_TEXT];
	struct prefix found;
	unsigned int i;

	if (!slash || slash - text >= ADDRESS_TEXT || !slash[1] || strlen(slash + 1) > 2)
		return false;
	snprintf(address, sizeof(address), "%.*s", (int)(slash - text), text);
	if (!address_parse(address, &found.address))
		return false;
	found.length = 0;
	for (i = 1; slash[i]; i++) {
		if (slash[i] < '0' || slash[i] > '9')
			return false;
		found.length = found.length * 10 + slash[i] - '0';
	}
	if (found.length > 32)
		return false;
	*p = found;
	return true;
}

const char *address_print(uint32_t address, char out[ADDRESS_TEXT])
{
	snprintf(out, ADDRESS_TEXT, "%u.%u.%u.%u", address >> 24, address >> 16 & 255,
		 address >> 8 & 255, address & 255);
	return out;
}

const char *prefix_print(struct prefix p, char out[PREFIX_TEXT])
{
	char address[ADDRESS_TEXT];

	snprintf(out, PREFIX_TEXT, "%s/%u", address_print(p.address, address),
		 p.length > 32 ? 32 : p.length);
	return out;
}

uint32_t prefix_mask(struct prefix p)
{
	return p.length ? ~0u << (32 - p.length) : 0;
}

struct prefix prefix_network(struct prefix p)
{
	p.address &= prefix_mask(p);
	return p;
}

uint32_t prefix_broadcast(struct prefix p)
{
	return p.address | ~prefix_mask(p);
}

bool prefix_has(struct prefix p, uint32_t address)
{
	return !((address ^ p.address) & prefix_mask(p));
}

bool prefix_has_host(struct prefix p, uint32_t address)
{
	return prefix_has(p, address) && address != prefix_network(p).address &&
	       address != prefix_broadcast(p);
}

bool prefix_overlap(struct prefix a, struct prefix b)
{
	return prefix_has(a.length < b.length ? a : b, a.length < b.length ? b.address : a.address);
}
