/* SPDX-License-Identifier: GPL-2.0 */
/* IPv4 addresses and prefixes; every address in host byte order. */
#ifndef NET_PREFIX_H
#define NET_PREFIX_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define ADDRESS_TEXT	16		/* 255.255.255.255 */
#define PREFIX_TEXT	19		/* 255.255.255.255/32 */

struct prefix {
	uint32_t address;		/* of a network: its bits past @length are 0 */
	unsigned int length;		/* 0 to 32 */
};

bool address_parse(const char *text, uint32_t *address);
/* ADDRESS/LENGTH, whatever the bits past the length are. */
bool prefix_parse(const char *text, struct prefix *p);
const char *address_print(uint32_t address, char out[ADDRESS_TEXT]);
const char *prefix_print(struct prefix p, char out[PREFIX_TEXT]);

uint32_t prefix_mask(struct prefix p);
struct prefix prefix_network(struct prefix p);
uint32_t prefix_broadcast(struct prefix p);
bool prefix_has(struct prefix p, uint32_t address);
/* An address of @p that a host may have: neither the network's nor the broadcast one. */
bool prefix_has_host(struct prefix p, uint32_t address);
bool prefix_overlap(struct prefix a, struct prefix b);

#endif
