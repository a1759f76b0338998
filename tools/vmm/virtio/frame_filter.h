/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Which Ethernet frames an adapter lets out and in. With MAC spoofing off, only
 * frames from its own address leave it, and only its own unicast, multicast and
 * broadcast reach it; with spoofing on, for guests that run VMs of their own
 * behind it, everything passes.
 */
#ifndef VMM_FRAME_FILTER_H
#define VMM_FRAME_FILTER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define FRAME_HEADER	14
#define FRAME_MAX	65535
#define MAC_BYTES	6

struct frame_filter {
	uint8_t mac[MAC_BYTES];
	bool spoofing;
};

/* Frames shorter than a header pass neither way. */
bool frame_may_leave(const struct frame_filter *f, const uint8_t *frame, size_t len);
bool frame_may_enter(const struct frame_filter *f, const uint8_t *frame, size_t len);

/* "52:4e:56:01:02:03"; only an address that a single adapter may have. */
bool mac_parse(const char *text, uint8_t mac[MAC_BYTES]);
#define MAC_TEXT 18
void mac_print(const uint8_t mac[MAC_BYTES], char text[MAC_TEXT]);
/* A random address of the locally administered range. */
bool mac_make(uint8_t mac[MAC_BYTES]);

#endif
