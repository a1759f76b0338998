/* SPDX-License-Identifier: GPL-2.0 */
/* EPT01's paging structures. Private to ept/. */
#ifndef NESTVM_EPT_TABLE_H
#define NESTVM_EPT_TABLE_H

#include "pure.h"

struct nv_vm;

/*
 * Map one leaf of @level at guest frame @gfn to host frame @pfn. Tables below a
 * leaf that is replaced are freed with the next zap. -ENOMEM.
 */
int ept_map(struct nv_vm *vm, u64 gfn, u64 pfn, unsigned int level, u64 bits);

/* Remove what is mapped in the range. Stale translations stay until flushed. */
void ept_zap(struct nv_vm *vm, u64 gfn, u64 npages);

#endif
