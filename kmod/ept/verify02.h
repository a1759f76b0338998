/* SPDX-License-Identifier: GPL-2.0 */
/* For who verifies EPT02. In a build with VERIFY=1 only, see kmod/verify.h. */
#ifndef NESTVM_EPT_VERIFY02_H
#define NESTVM_EPT_VERIFY02_H

#include <linux/xarray.h>
#include "pure.h"

struct nv_slot;
struct nv_vm;

/* What is wrong with a leaf of @level, or NULL. */
const char *ept_verify_leaf(u64 entry, unsigned int level);
/* What a leaf with the page at @gfn of @slot must not allow but does, or NULL. */
const char *ept_verify_rights(const struct nv_slot *slot, u64 gfn, u64 entry, unsigned int level);

/*
 * Frame of the host -> guest frame of the static memory that it is, as an xa_value;
 * EPT_HOLDERS_SEVERAL if it is more than one. vm->lock held. xa_destroy() it, also after
 * an error.
 */
#define EPT_HOLDERS_SEVERAL	(1ull << 52)
int ept_holders_make(struct nv_vm *vm, struct xarray *holders);

#endif
