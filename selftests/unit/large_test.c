// SPDX-License-Identifier: GPL-2.0
#include "harness.h"
#include "ept/ept_defs.h"
#include "ept/large.h"

#define PAGES_2M	512ull
#define PAGES_1G	(512ull * 512)

/* Host memory: from page @from on another distance, for @n pages. */
struct layout {
	u64 first;		/* host frame of page 0 */
	u64 from, n;		/* pages that lie elsewhere: n frames further on */
};

static u64 layout_pfn(const void *ctx, u64 i)
{
	const struct layout *l = ctx;

	return l->first + i + (i >= l->from && i < l->from + l->n ? 1ull << 30 : 0);
}

static u64 random_pfn(const void *ctx, u64 i)
{
	return ((const u64 *)ctx)[i];
}

static void find(struct ept_large *large, const struct ept_frames *f)
{
	unsigned int i;

	for (i = 0; i < EPT_LARGE_LEVELS; i++)
		large->map[i] = calloc(ept_large_words(f->gfn, f->npages, EPT_LEVEL_2M + i),
				       sizeof(long));
	ept_large_find(large, f);
}

static void release(struct ept_large *large)
{
	unsigned int i;

	for (i = 0; i < EPT_LARGE_LEVELS; i++)
		free(large->map[i]);
}

TEST(layouts)
{
	static const struct {
		const char *name;
		u64 gfn, npages;
		struct layout l;
		u64 at;
		bool ok_2m, ok_1g;
	} rows[] = {
		{ "one piece", 0, PAGES_1G, { 0 }, 0, true, true },
		{ "its last page", 0, PAGES_1G, { 0 }, PAGES_1G - 1, true, true },
		{ "a page in the middle is another", 0x200, 1024, { 0x400, 100, 1 }, 0x200 + 50,
		  false, false },
		{ "the piece beside it", 0x200, 1024, { 0x400, 100, 1 }, 0x400, true, false },
		{ "the first page is another", 0, 512, { 0x200, 0, 1 }, 5, false, false },
		{ "the last page is another", 0, 512, { 0x200, 511, 1 }, 5, false, false },
		{ "not aligned in the host", 0, 512, { 1 }, 0, false, false },
		{ "not aligned in the guest", 1, 1024, { 0x200 }, 0x200, false, false },
		{ "both not, by the same", 1, 1024, { 0x201 }, 0x200, true, false },
		{ "the slot begins in the piece", 1, 1024, { 0x201 }, 1, false, false },
		{ "the slot ends in the piece", 1, 1024, { 0x201 }, 0x400, false, false },
		{ "2M in the host, not 1G", 0, PAGES_1G, { 0x200 }, 0, true, false },
		{ "1G with a hole", 0, PAGES_1G, { 0, 100000, 1 }, 0, true, false },
		{ "smaller than a piece", 0, 511, { 0 }, 0, false, false },
	};

	FOR_EACH_ROW(r, rows) {
		const struct ept_frames f = {
			.gfn = r->gfn, .npages = r->npages, .pfn = layout_pfn, .ctx = &r->l,
		};
		struct ept_large large;

		CASE("%s", r->name);
		find(&large, &f);
		EXPECT_EQ(ept_large_at(&large, r->gfn, r->at, EPT_LEVEL_2M), r->ok_2m);
		EXPECT_EQ(ept_large_at(&large, r->gfn, r->at, EPT_LEVEL_1G), r->ok_1g);
		release(&large);
	}
}

/* The rule itself, page by page. */
static bool one_piece(const u64 *pfn, u64 gfn, u64 npages, u64 at)
{
	u64 first = at & ~(PAGES_2M - 1), i;

	if (first < gfn || first + PAGES_2M > gfn + npages)
		return false;
	for (i = 0; i < PAGES_2M; i++)
		if (pfn[first + i - gfn] != pfn[first - gfn] + i)
			return false;
	return !(pfn[first - gfn] % PAGES_2M);
}

TEST(against_the_rule)
{
	static u64 pfn[8 * PAGES_2M];
	unsigned int round;
	u64 i;

	for (round = 0; round < 2000; round++) {
		u64 npages = 1 + test_random() % ARRAY_SIZE(pfn), holes = test_random() % 4;
		u64 gfn = test_random() % 1024 * (test_random() % 2 ? 1 : 512);
		const struct ept_frames f = {
			.gfn = gfn, .npages = npages, .pfn = random_pfn, .ctx = pfn,
		};
		struct ept_large large;

		for (i = 0; i < npages; i++)
			pfn[i] = 0x100000 + gfn + i;
		while (holes--)
			pfn[test_random() % npages] = test_random() % 0x100000;
		find(&large, &f);
		for (i = gfn; i < gfn + npages; i++)
			ASSERT_EQ(ept_large_at(&large, gfn, i, EPT_LEVEL_2M),
				  one_piece(pfn, gfn, npages, i));
		release(&large);
	}
}
