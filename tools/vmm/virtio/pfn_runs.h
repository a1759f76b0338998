/* SPDX-License-Identifier: GPL-2.0 */
/* Page numbers as runs of pages, so that many pages cost few system calls. */
#ifndef VMM_PFN_RUNS_H
#define VMM_PFN_RUNS_H

#include <stddef.h>
#include <stdint.h>

/*
 * Sorts @pfns and calls @run for each run of consecutive ones: page numbers
 * @first to @first + @count - 1. A number that is there twice counts once.
 */
void pfn_runs(uint32_t *pfns, size_t n, void (*run)(void *ctx, uint32_t first, uint64_t count),
	      void *ctx);

#endif
