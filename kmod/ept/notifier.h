/* SPDX-License-Identifier: GPL-2.0 */
/* How dynamic memory follows its owner's address space. Private to ept/. */
#ifndef NESTVM_EPT_NOTIFIER_H
#define NESTVM_EPT_NOTIFIER_H

#include "pure.h"

struct nv_slot;
struct nv_vm;

/*
 * To map a page: take the sequence, look the page up (which may sleep), take
 * ept.lock, and map it only if notifier_stale() says no. From then on every change
 * of the owner's mapping zaps it first, so no reference to the page is kept.
 */
unsigned long notifier_seq(struct nv_vm *vm);
bool notifier_stale(struct nv_vm *vm, const struct nv_slot *slot, u64 gfn, unsigned long seq);

/*
 * The largest leaf around @gfn: what the owner's page tables have there, within the
 * slot, and at the same offset. ept.lock held and not stale.
 */
unsigned int notifier_level(struct nv_vm *vm, const struct nv_slot *slot, u64 gfn);

/* Between these two nothing of the slot can be mapped. vm->lock held. */
void notifier_block(struct nv_vm *vm, const struct nv_slot *slot);
void notifier_unblock(struct nv_vm *vm);

#endif
