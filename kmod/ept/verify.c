// SPDX-License-Identifier: GPL-2.0
/* EPT01 against the slots, and frames against both; see kmod/verify.h. */
#include "ept/verify02.h"
#include <linux/io.h>
#include <linux/kvm.h>
#include <linux/mm.h>
#include "ept/ept.h"
#include "ept/notifier.h"
#include "verify.h"
#include "vm.h"

/* Bits of a leaf that have a meaning here. */
#define LEAF_KNOWN	(EPT_ADDR_MASK | EPT_RWX | EPT_MT_MASK | EPT_IPAT | EPT_LARGE |	\
			 EPT_A | EPT_D)
#define LEAF_TYPE	(EPT_MT_WB << EPT_MT_SHIFT | EPT_IPAT)

struct verify_walk {
	struct nv_vm *vm;
	u64 tables, pages;
	bool bad;
};

const char *ept_verify_leaf(u64 entry, unsigned int level)
{
	if ((entry & (EPT_MT_MASK | EPT_IPAT)) != LEAF_TYPE)
		return "memory type";
	if ((entry & ~LEAF_KNOWN) || !(entry & EPT_RWX))
		return "bits that no leaf has";
	/* SDM 3C "EPT Misconfigurations" */
	if ((entry & EPT_W) && !(entry & EPT_R))
		return "can be written and not read";
	if (entry & EPT_ADDR_MASK & (EPT_LEVEL_SIZE(level) - 1))
		return "address not aligned";
	return NULL;
}

const char *ept_verify_rights(const struct nv_slot *slot, u64 gfn, u64 entry, unsigned int level)
{
	if (!(entry & EPT_W))
		return NULL;
	if (slot->flags & KVM_MEM_READONLY)
		return "a read-only slot can be written";
	if (!slot->dirty)
		return NULL;
	if (level > EPT_LEVEL_4K)
		return "a large leaf under the dirty log";
	if (!test_bit(gfn - slot->gfn, slot->dirty))
		return "can be written, and the dirty log does not say so";
	return NULL;
}

/* Dynamic memory: is it what its owner would find there? Also true if nobody can tell now. */
static bool owners_frame(struct nv_vm *vm, const struct nv_slot *slot, u64 gfn, bool write,
			 u64 pfn)
{
	const struct nv_notifier *n = &vm->ept.notifier;
	unsigned long hva = slot->hva + ((gfn - slot->gfn) << PAGE_SHIFT);
	struct page *page;
	bool same;

	if (current->mm != vm->mm || (n->active && hva < n->end && hva + PAGE_SIZE > n->start))
		return true;
	/* The zero page is never found in this way. */
	if (!get_user_page_fast_only(hva, write ? FOLL_WRITE : 0, &page))
		return !write && is_zero_pfn(pfn);
	same = page_to_pfn(page) == pfn;
	put_page(page);
	return same;
}

static const char *check_page(struct nv_vm *vm, u64 gfn, u64 pfn, u64 entry, unsigned int level)
{
	const struct nv_slot *slot = slots_find(vm, gfn);

	if (!slot)
		return "no slot is there";
	if (slot->pages && page_to_pfn(slot->pages[gfn - slot->gfn]) != pfn)
		return "another frame than the slot's";
	if (!slot->pages && !owners_frame(vm, slot, gfn, entry & EPT_W, pfn))
		return "another frame than the owner's";
	return ept_verify_rights(slot, gfn, entry, level);
}

static void check_leaf(struct verify_walk *w, u64 gpa, u64 entry, unsigned int level)
{
	u64 n = 1ull << (9 * (level - 1)), pfn = (entry & EPT_ADDR_MASK) >> PAGE_SHIFT, i;
	const char *wrong = ept_verify_leaf(entry, level);

	w->pages += n;
	for (i = 0; !wrong && i < n; i++)
		wrong = check_page(w->vm, (gpa >> PAGE_SHIFT) + i, pfn + i, entry, level);
	if (!wrong)
		return;
	w->bad = true;
	/* A test build's, and the test's failure: whoever reaches it has found a hole. */
	WARN(1, "nestvm verify: EPT01 at %#llx, level %u, entry %#llx, page %llu: %s\n", gpa, level,
	     entry, i, wrong);
}

static void check_table(struct verify_walk *w, const u64 *table, u64 base, unsigned int level)
{
	unsigned int i;

	w->tables++;
	for (i = 0; i < EPT_ENTRIES && !w->bad; i++) {
		u64 entry = READ_ONCE(table[i]), gpa = base + i * EPT_LEVEL_SIZE(level);

		if (!entry)
			continue;
		if (level == EPT_LEVEL_4K || (entry & EPT_LARGE))
			check_leaf(w, gpa, entry, level);
		else
			check_table(w, phys_to_virt(entry & EPT_ADDR_MASK), gpa, level - 1);
	}
}

static void check_pins(struct nv_vm *vm)
{
	const struct nv_slots *slots = rcu_dereference_protected(vm->slots,
								 lockdep_is_held(&vm->lock));
	u64 pinned = 0;
	unsigned int i;

	for (i = 0; i < slots->count; i++)
		if (slots->slot[i]->pages)
			pinned += slots->slot[i]->npages;
	WARN(pinned != vm->pinned_pages, "nestvm verify: %llu pages are pinned, %llu are counted\n",
	     pinned, vm->pinned_pages);
}

void ept_verify(struct nv_vm *vm)
{
	struct verify_walk w = { .vm = vm };

	lockdep_assert_held(&vm->lock);
	check_pins(vm);
	spin_lock(&vm->ept.lock);
	check_table(&w, phys_to_virt(vm->ept.root.v), 0, EPT_LEVEL_PML4);
	WARN(!w.bad && (w.tables != vm->ept.table_pages || w.pages != vm->ept.mapped),
	     "nestvm verify: EPT01 has %llu tables and maps %llu pages, counted are %llu and %llu\n",
	     w.tables, w.pages, vm->ept.table_pages, vm->ept.mapped);
	spin_unlock(&vm->ept.lock);
}

/* ----------------------------------------------------- whose frame is it? */

int ept_holders_make(struct nv_vm *vm, struct xarray *holders)
{
	const struct nv_slots *slots = rcu_dereference_protected(vm->slots,
								 lockdep_is_held(&vm->lock));
	unsigned int i;
	u64 k;

	xa_init(holders);
	for (i = 0; i < slots->count; i++) {
		const struct nv_slot *slot = slots->slot[i];

		for (k = 0; slot->pages && k < slot->npages; k++) {
			u64 pfn = page_to_pfn(slot->pages[k]);
			void *was = xa_load(holders, pfn);
			u64 gfn = was ? EPT_HOLDERS_SEVERAL : slot->gfn + k;

			if (xa_err(xa_store(holders, pfn, xa_mk_value(gfn), GFP_KERNEL)))
				return -ENOMEM;
			cond_resched();
		}
	}
	return 0;
}
