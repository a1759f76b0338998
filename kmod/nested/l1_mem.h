/* SPDX-License-Identifier: GPL-2.0 */
/*
 * How pure code of nested/ reads L1's memory: a callback the caller supplies,
 * over guest memory in the module, over an array in a test.
 */
#ifndef NESTVM_NESTED_L1_MEM_H
#define NESTVM_NESTED_L1_MEM_H

#include "addr.h"

struct l1_mem {
	/*
	 * Read @len bytes at @gpa, all inside one page. False if there is no
	 * memory; the architecture then reads all ones, and so do we.
	 */
	bool (*read)(struct l1_mem *mem, gpa1_t gpa, void *buf, u32 len);
};

static inline void l1_mem_read(struct l1_mem *mem, gpa1_t gpa, void *buf, u32 len)
{
	if (!mem || !mem->read(mem, gpa, buf, len))
		memset(buf, 0xff, len);
}

#endif
