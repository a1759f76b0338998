/* SPDX-License-Identifier: GPL-2.0 */
/* EPT01's paging structures. Private to ept/. */
#ifndef NESTVM_EPT_TABLE_H
#define NESTVM_EPT_TABLE_H

#include "addr.h"
#include "pure.h"

struct nv_slot;
struct nv_vm;

/* A page that the guest needs. */
struct ept_fill {
	const struct nv_slot *slot;
	u64 gfn;
	u64 pfn;		/* of this 4-KiB page */
	unsigned int level;	/* of static memory: the largest leaf around it */
	bool writable;
	bool fetch;		/* it is to be executed */
	unsigned long seq;	/* of dynamic memory: notifier_seq() before it was looked up */
};

/*
 * Map it, as large as can be, and log it as dirty if it becomes writable. -ENOMEM;
 * -EAGAIN: the owner's address space changed meanwhile, @f is worth nothing.
 */
int ept_map(struct nv_vm *vm, const struct ept_fill *f);

/*
 * Remove what is mapped in the range. CPUs may go on using it until ept_flush()
 * of the value returned has come back. Any context that may take a spinlock.
 */
unsigned long ept_zap(struct nv_vm *vm, u64 gfn, u64 npages);

/* Return when no CPU uses what was zapped up to @gen. Does not sleep, IRQs on. */
void ept_flush(struct nv_vm *vm, unsigned long gen);

/*
 * Take write access from the pages of @mask, bit 0 of which is @gfn. ept.lock held.
 * They are mapped as 4-KiB pages, as all that is logged.
 */
void ept_protect(struct nv_vm *vm, u64 gfn, unsigned long mask);

/* Was any page of the range used since the last time? @clear: start counting anew. */
bool ept_young(struct nv_vm *vm, u64 gfn, u64 npages, bool clear);

#endif
