/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The contents of one section of a state stream: values of fixed width, little
 * endian, in the order in which a device writes them.
 *
 * Both directions remember the first failure and go on without harm, so that a
 * device writes or reads all of its values and asks once, at the end. A reader
 * gets zeros after a failure and must not act before it has asked.
 */
#ifndef VMM_STATE_PACK_H
#define VMM_STATE_PACK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct pack {
	uint8_t *data;
	size_t len, room;
	bool failed;			/* no memory left */
};

void pack_init(struct pack *p);
void pack_free(struct pack *p);
void pack_u8(struct pack *p, uint8_t v);
void pack_u16(struct pack *p, uint16_t v);
void pack_u32(struct pack *p, uint32_t v);
void pack_u64(struct pack *p, uint64_t v);
void pack_bool(struct pack *p, bool v);
void pack_bytes(struct pack *p, const void *data, size_t len);
/* A length of 32 bits, then the bytes. */
void pack_blob(struct pack *p, const void *data, size_t len);
void pack_string(struct pack *p, const char *s);

struct unpack {
	const uint8_t *data;
	size_t len, off;
	uint32_t version;		/* of the section, as its writer had it */
	bool failed;
};

void unpack_init(struct unpack *u, const void *data, size_t len, uint32_t version);
uint8_t unpack_u8(struct unpack *u);
uint16_t unpack_u16(struct unpack *u);
uint32_t unpack_u32(struct unpack *u);
uint64_t unpack_u64(struct unpack *u);
/* Anything but 0 and 1 is a failure. */
bool unpack_bool(struct unpack *u);
/* A number of 32 bits that may be @max at most. */
uint32_t unpack_max(struct unpack *u, uint32_t max);
void unpack_bytes(struct unpack *u, void *data, size_t len);
/* What pack_blob() wrote: a pointer into the section, NULL after a failure. */
const uint8_t *unpack_blob(struct unpack *u, size_t max, size_t *len);
/* What pack_string() wrote: malloc()ed, without NULs inside; NULL after a failure. */
char *unpack_string(struct unpack *u, size_t max);
/* Everything was there, and nothing is left over. */
bool unpack_ok(const struct unpack *u);

/*
 * What a device has to do with a stream. save() is called while the machine is
 * paused. load() is called on a machine that was just made and has not run; it
 * takes everything or, with false, says that the section is not what save()
 * writes. It must believe nothing that it reads.
 */
struct state_ops {
	const char *name;		/* of the section, 1 to 11 characters */
	uint32_t version;		/* newest, which save() writes; load() gets 1 to this */
	void (*save)(void *dev, struct pack *p);
	bool (*load)(void *dev, struct unpack *u);
};

#endif
