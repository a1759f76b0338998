// SPDX-License-Identifier: GPL-2.0
/* See large.h. */
#include "ept/large.h"
#include "ept/ept_defs.h"

/* Pages between two rests: a GiB. */
#define REST_PAGES	(1ull << 18)

static unsigned int shift_of(unsigned int level)
{
	return 9 * (level - 1);
}

size_t ept_large_words(u64 gfn, u64 npages, unsigned int level)
{
	unsigned int shift = shift_of(level);
	u64 pieces = ((gfn + npages - 1) >> shift) - (gfn >> shift) + 1;

	return DIV_ROUND_UP(pieces, BITS_PER_LONG);
}

/*
 * Guest frames [start, end) lie in the host at the same distance. A leaf has its whole
 * range within, and begins at a multiple of its size on both sides.
 */
static void mark(struct ept_large *large, u64 first, u64 start, u64 end, u64 distance,
		 unsigned int level)
{
	unsigned int shift = shift_of(level);
	u64 size = 1ull << shift, piece;

	if (distance & (size - 1))
		return;
	for (piece = (start + size - 1) >> shift; (piece + 1) << shift <= end; piece++) {
		u64 bit = piece - (first >> shift);

		large->map[level - 2][bit / BITS_PER_LONG] |= BIT(bit % BITS_PER_LONG);
	}
}

void ept_large_find(struct ept_large *large, const struct ept_frames *f)
{
	u64 i = 0, end, distance;

	while (i < f->npages) {
		distance = f->pfn(f->ctx, i) - (f->gfn + i);
		for (end = i + 1; end < f->npages; end++) {
			if (f->rest && !(end % REST_PAGES))
				f->rest();
			/* Each page is looked at: what the ends are says nothing of the middle. */
			if (f->pfn(f->ctx, end) - (f->gfn + end) != distance)
				break;
		}
		mark(large, f->gfn, f->gfn + i, f->gfn + end, distance, EPT_LEVEL_2M);
		mark(large, f->gfn, f->gfn + i, f->gfn + end, distance, EPT_LEVEL_1G);
		i = end;
	}
}
