/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Which large leaves a slot of static memory allows: those around which the host's
 * memory is one piece, aligned as the guest's. Found once, from every page, when the
 * pages have been pinned: they stay where they are. Pure.
 */
#ifndef NESTVM_EPT_LARGE_H
#define NESTVM_EPT_LARGE_H

#include "pure.h"

/* The levels of a large leaf: 2M, 1G. */
#define EPT_LARGE_LEVELS	2

/* A bit for each aligned piece of guest memory that the slot touches, a map for each level. */
struct ept_large {
	unsigned long *map[EPT_LARGE_LEVELS];	/* of 2M, of 1G */
};

/* The memory of a slot, as the search sees it. */
struct ept_frames {
	u64 gfn, npages;
	/* Number of the host's frame behind page @i. */
	u64 (*pfn)(const void *ctx, u64 i);
	const void *ctx;
	void (*rest)(void);			/* called now and then; may be NULL */
};

/* Words that the map of @level needs. */
size_t ept_large_words(u64 gfn, u64 npages, unsigned int level);

/* Fill in maps that are zero. */
void ept_large_find(struct ept_large *large, const struct ept_frames *f);

/* Is the aligned piece of @level (2M, 1G) around @gfn of the slot at @first one leaf's? */
static inline bool ept_large_at(const struct ept_large *large, u64 first, u64 gfn,
				unsigned int level)
{
	unsigned int shift = 9 * (level - 1);
	u64 bit = (gfn >> shift) - (first >> shift);

	return large->map[level - 2][bit / BITS_PER_LONG] >> (bit % BITS_PER_LONG) & 1;
}

#endif
