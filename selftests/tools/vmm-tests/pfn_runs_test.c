// SPDX-License-Identifier: GPL-2.0
/*
 * Page numbers become runs: in order, without overlap, each page once.
 *
 * links: vmm/virtio/pfn_runs.c
 */
#include "lib/ktap.h"
#include "vmm/virtio/pfn_runs.h"

#include <stdlib.h>
#include <string.h>

struct runs {
	unsigned int n;
	uint32_t first[64];
	uint64_t count[64];
};

static void collect(void *ctx, uint32_t first, uint64_t count)
{
	struct runs *r = ctx;

	ASSERT(r->n < 64, "too many runs");
	r->first[r->n] = first;
	r->count[r->n++] = count;
}

static void known(const void *arg)
{
	static const struct {
		const char *what;
		size_t n;
		uint32_t pfns[8];
		unsigned int nruns;
		uint32_t first[4];
		uint64_t count[4];
	} rows[] = {
		{ "none", 0, { 0 }, 0, { 0 }, { 0 } },
		{ "one", 1, { 7 }, 1, { 7 }, { 1 } },
		{ "page zero", 2, { 0, 1 }, 1, { 0 }, { 2 } },
		{ "downwards", 4, { 9, 8, 7, 6 }, 1, { 6 }, { 4 } },
		{ "two runs", 5, { 20, 3, 21, 4, 5 }, 2, { 3, 20 }, { 3, 2 } },
		{ "twice the same", 4, { 5, 5, 6, 5 }, 1, { 5 }, { 2 } },
		{ "the last page number", 3, { 0xffffffff, 0, 0xfffffffe }, 2, { 0, 0xfffffffe }, { 1, 2 } },
	};
	unsigned int i, j;

	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct runs r = { 0 };
		uint32_t pfns[8];

		memcpy(pfns, rows[i].pfns, sizeof(pfns));
		pfn_runs(pfns, rows[i].n, collect, &r);
		EXPECT_EQ(r.n, rows[i].nruns, rows[i].what);
		for (j = 0; j < r.n && j < rows[i].nruns; j++) {
			EXPECT_EQ(r.first[j], rows[i].first[j], rows[i].what);
			EXPECT_EQ(r.count[j], rows[i].count[j], rows[i].what);
		}
	}
}

static void mark(void *ctx, uint32_t first, uint64_t count)
{
	unsigned char *seen = ctx;

	while (count--)
		seen[first++]++;
}

/* Of many random lists every page comes exactly once. */
static void random_lists(const void *arg)
{
	unsigned char want[512], seen[512];
	uint32_t pfns[256];
	unsigned int turn, i, n;

	srandom(1);
	for (turn = 0; turn < 1000; turn++) {
		memset(want, 0, sizeof(want));
		memset(seen, 0, sizeof(seen));
		n = random() % 257;
		for (i = 0; i < n; i++) {
			pfns[i] = random() % 512;
			want[pfns[i]] = 1;
		}
		pfn_runs(pfns, n, mark, seen);
		ASSERT(!memcmp(want, seen, sizeof(want)), "list %u", turn);
	}
}

int main(int argc, char **argv)
{
	static const struct ktap_case cases[] = {
		{ "known", known },
		{ "random_lists", random_lists },
	};

	return ktap_main(cases, sizeof(cases) / sizeof(cases[0]), argc, argv);
}
