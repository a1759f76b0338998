// SPDX-License-Identifier: GPL-2.0
#include "frame_filter.h"

#include <stdio.h>
#include <string.h>
#include <sys/random.h>

#define MULTICAST 0x01		/* in the first byte; broadcast is one of them */

bool frame_may_leave(const struct frame_filter *f, const uint8_t *frame, size_t len)
{
	if (len < FRAME_HEADER)
		return false;
	return f->spoofing || !memcmp(frame + MAC_BYTES, f->mac, MAC_BYTES);
}

bool frame_may_enter(const struct frame_filter *f, const uint8_t *frame, size_t len)
{
	if (len < FRAME_HEADER)
		return false;
	return f->spoofing || frame[0] & MULTICAST || !memcmp(frame, f->mac, MAC_BYTES);
}

static int hex_digit(char c)
{
	const char *digits = "0123456789abcdef";
	const char *p = c ? strchr(digits, c >= 'A' && c <= 'F' ? c - 'A' + 'a' : c) : NULL;

	return p ? p - digits : -1;
}

bool mac_parse(const char *text, uint8_t mac[MAC_BYTES])
{
	static const uint8_t zero[MAC_BYTES];
	unsigned int i;
	int high, low;

	if (strlen(text) != MAC_TEXT - 1)
		return false;
	for (i = 0; i < MAC_BYTES; i++) {
		high = hex_digit(text[3 * i]);
		low = hex_digit(text[3 * i + 1]);
		if (high < 0 || low < 0 || (i < MAC_BYTES - 1 && text[3 * i + 2] != ':'))
			return false;
		mac[i] = high << 4 | low;
	}
	return !(mac[0] & MULTICAST) && memcmp(mac, zero, MAC_BYTES);
}

void mac_print(const uint8_t mac[MAC_BYTES], char text[MAC_TEXT])
{
	snprintf(text, MAC_TEXT, "%02x:%02x:%02x:%02x:%02x:%02x", mac[0], mac[1], mac[2], mac[3],
		 mac[4], mac[5]);
}

bool mac_make(uint8_t mac[MAC_BYTES])
{
	static const uint8_t prefix[3] = { 0x52, 0x4e, 0x56 };

	memcpy(mac, prefix, sizeof(prefix));
	return getrandom(mac + 3, MAC_BYTES - 3, 0) == MAC_BYTES - 3;
}
