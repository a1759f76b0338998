// SPDX-License-Identifier: GPL-2.0
/* From a violation of EPT01 to a mapping: slot, page, largest leaf, entry. */
#include <linux/kvm.h>
#include <linux/io.h>
#include <linux/mm.h>
#include "ept/ept.h"
#include "ept/table.h"
#include "vm.h"
#include "vmx/caps.h"

/*
 * Is the whole aligned range of @level around @gfn inside the slot and one piece
 * of host memory? Pinned pages do not move, so the answer stays true.
 */
static bool contiguous(const struct nv_slot *slot, u64 gfn, unsigned int level)
{
	u64 n = 1ull << (9 * (level - 1));
	u64 first = gfn & ~(n - 1);
	u64 i, index, pfn;

	if (first < slot->gfn || first + n > slot->gfn + slot->npages)
		return false;
	index = first - slot->gfn;
	pfn = page_to_pfn(slot->pages[index]);
	if (pfn & (n - 1))
		return false;
	/* A compound page of that size is contiguous by itself. */
	if (PageHead(slot->pages[index]) && compound_nr(slot->pages[index]) >= n)
		return page_to_pfn(slot->pages[index + n - 1]) == pfn + n - 1;
	if (level > EPT_LEVEL_2M)
		return false;
	for (i = 1; i < n; i++)
		if (page_to_pfn(slot->pages[index + i]) != pfn + i)
			return false;
	return true;
}

static unsigned int largest_level(const struct nv_slot *slot, u64 gfn)
{
	/* The dirty log has a bit for each 4-KiB page. */
	if (slot->dirty)
		return EPT_LEVEL_4K;
	if (vmx_caps.ept_1g && contiguous(slot, gfn, EPT_LEVEL_1G))
		return EPT_LEVEL_1G;
	if (vmx_caps.ept_2m && contiguous(slot, gfn, EPT_LEVEL_2M))
		return EPT_LEVEL_2M;
	return EPT_LEVEL_4K;
}

static int lookup(struct nv_vm *vm, gpa1_t gpa, bool write, struct nv_leaf *leaf,
		  const struct nv_slot **found)
{
	u64 gfn = gpa1_pfn(gpa);
	const struct nv_slot *slot = slots_find(vm, gfn);

	if (!slot)
		return EPT_NO_SLOT;
	if (write && (slot->flags & KVM_MEM_READONLY))
		return EPT_READ_ONLY;
	*found = slot;
	leaf->hpa = hpa(page_to_phys(slot->pages[gfn - slot->gfn]));
	leaf->level = largest_level(slot, gfn);
	/* With the dirty log on, write access is given by a write, which is then logged. */
	leaf->writable = !(slot->flags & KVM_MEM_READONLY) && (!slot->dirty || write);
	if (write)
		slots_mark_dirty(slot, gfn);
	return EPT_FILLED;
}

int ept_lookup(struct nv_vm *vm, gpa1_t gpa, bool write, struct nv_leaf *leaf)
{
	const struct nv_slot *slot;

	return lookup(vm, gpa, write, leaf, &slot);
}

int ept_fault(struct nv_vm *vm, gpa1_t gpa, unsigned int need)
{
	u64 bits = EPT_R | EPT_X | EPT_MT_WB << EPT_MT_SHIFT | EPT_IPAT;
	const struct nv_slot *slot;
	struct nv_leaf leaf;
	u64 gfn, pfn, mask;
	int ret;

	ret = lookup(vm, gpa, need & EPT_W, &leaf, &slot);
	if (ret != EPT_FILLED)
		return ret;
	if (leaf.writable)
		bits |= EPT_W;
	/* Accessed and dirty from the start: nobody asks EPT01's flags yet. */
	if (vmx_caps.ept_ad)
		bits |= EPT_A | (leaf.writable ? EPT_D : 0);
	for (;;) {
		mask = (1ull << (9 * (leaf.level - 1))) - 1;
		gfn = gpa1_pfn(gpa) & ~mask;
		pfn = (leaf.hpa.v >> PAGE_SHIFT) & ~mask;
		ret = ept_map(vm, gfn, pfn, leaf.level, bits);
		if (ret != -EAGAIN)
			return ret;
		leaf.level--;
	}
}
