// SPDX-License-Identifier: GPL-2.0
#include "pack.h"

#include <stdlib.h>
#include <string.h>

void pack_init(struct pack *p)
{
	memset(p, 0, sizeof(*p));
}

void pack_free(struct pack *p)
{
	free(p->data);
	pack_init(p);
}

void pack_bytes(struct pack *p, const void *data, size_t len)
{
	size_t room = p->room ? p->room : 256;
	uint8_t *more;

	if (p->failed || !len)
		return;
	if (len > SIZE_MAX / 4 - p->len) {
		p->failed = true;
		return;
	}
	while (room < p->len + len)
		room *= 2;
	if (room != p->room) {
		more = realloc(p->data, room);
		if (!more) {
			p->failed = true;
			return;
		}
		p->data = more;
		p->room = room;
	}
	memcpy(p->data + p->len, data, len);
	p->len += len;
}

static void put(struct pack *p, uint64_t v, unsigned int bytes)
{
	uint8_t b[8];
	unsigned int i;

	for (i = 0; i < bytes; i++)
		b[i] = v >> (8 * i);
	pack_bytes(p, b, bytes);
}

void pack_u8(struct pack *p, uint8_t v)
{
	put(p, v, 1);
}

void pack_u16(struct pack *p, uint16_t v)
{
	put(p, v, 2);
}

void pack_u32(struct pack *p, uint32_t v)
{
	put(p, v, 4);
}

void pack_u64(struct pack *p, uint64_t v)
{
	put(p, v, 8);
}

void pack_bool(struct pack *p, bool v)
{
	put(p, v, 1);
}

void pack_blob(struct pack *p, const void *data, size_t len)
{
	if (len > UINT32_MAX) {
		p->failed = true;
		return;
	}
	pack_u32(p, len);
	pack_bytes(p, data, len);
}

void pack_string(struct pack *p, const char *s)
{
	pack_blob(p, s, strlen(s));
}

void unpack_init(struct unpack *u, const void *data, size_t len, uint32_t version)
{
	*u = (struct unpack) { .data = data, .len = len, .version = version };
}

static const uint8_t *take(struct unpack *u, size_t len)
{
	const uint8_t *p;

	if (u->failed || len > u->len - u->off) {
		u->failed = true;
		return NULL;
	}
	p = u->data + u->off;
	u->off += len;
	return p;
}

static uint64_t get(struct unpack *u, unsigned int bytes)
{
	const uint8_t *p = take(u, bytes);
	uint64_t v = 0;
	unsigned int i;

	for (i = 0; p && i < bytes; i++)
		v |= (uint64_t)p[i] << (8 * i);
	return v;
}

uint8_t unpack_u8(struct unpack *u)
{
	return get(u, 1);
}

uint16_t unpack_u16(struct unpack *u)
{
	return get(u, 2);
}

uint32_t unpack_u32(struct unpack *u)
{
	return get(u, 4);
}

uint64_t unpack_u64(struct unpack *u)
{
	return get(u, 8);
}

bool unpack_bool(struct unpack *u)
{
	uint8_t v = get(u, 1);

	if (v > 1)
		u->failed = true;
	return v == 1;
}

uint32_t unpack_max(struct unpack *u, uint32_t max)
{
	uint32_t v = get(u, 4);

	if (v <= max)
		return v;
	u->failed = true;
	return 0;
}

void unpack_bytes(struct unpack *u, void *data, size_t len)
{
	const uint8_t *p = take(u, len);

	if (p)
		memcpy(data, p, len);
	else
		memset(data, 0, len);
}

const uint8_t *unpack_blob(struct unpack *u, size_t max, size_t *len)
{
	*len = unpack_u32(u);
	if (*len > max)
		u->failed = true;
	return take(u, *len);
}

char *unpack_string(struct unpack *u, size_t max)
{
	size_t len;
	const uint8_t *p = unpack_blob(u, max, &len);
	char *s;

	if (!p || (len && memchr(p, 0, len))) {
		u->failed = true;
		return NULL;
	}
	s = malloc(len + 1);
	if (!s) {
		u->failed = true;
		return NULL;
	}
	memcpy(s, p, len);
	s[len] = '\0';
	return s;
}

bool unpack_ok(const struct unpack *u)
{
	return !u->failed && u->off == u->len;
}
