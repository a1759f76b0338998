// SPDX-License-Identifier: GPL-2.0
#include "pfn_runs.h"

#include <stdlib.h>

static int compare(const void *a, const void *b)
{
	uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;

	return x < y ? -1 : x > y;
}

void pfn_runs(uint32_t *pfns, size_t n, void (*run)(void *ctx, uint32_t first, uint64_t count),
	      void *ctx)
{
	uint64_t end = 0;
	uint32_t first = 0;
	size_t i;

	qsort(pfns, n, sizeof(*pfns), compare);
	for (i = 0; i < n; i++) {
		if (i && pfns[i] <= end) {
			end = (uint64_t)pfns[i] + 1;
			continue;
		}
		if (i)
			run(ctx, first, end - first);
		first = pfns[i];
		end = (uint64_t)pfns[i] + 1;
	}
	if (n)
		run(ctx, first, end - first);
}
