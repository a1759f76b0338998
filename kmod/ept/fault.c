// SPDX-License-Identifier: GPL-2.0
/* From a violation of EPT01 to a mapping: slot, page, largest leaf, entry. */
#include <linux/kvm.h>
#include <linux/io.h>
#include <linux/mm.h>
#include <linux/pagemap.h>
#include <linux/swap.h>
#include "ept/ept.h"
#include "ept/notifier.h"
#include "ept/table.h"
#include "verify.h"
#include "vm.h"
#include "vmx/caps.h"

static unsigned int largest_level(const struct nv_slot *slot, u64 gfn)
{
	gfn = slot->gfn + nv_slot_index(slot, gfn);
	/* The dirty log has a bit for each 4-KiB page. */
	if (slot->dirty)
		return EPT_LEVEL_4K;
	if (vmx_caps.ept_1g && ept_large_at(&slot->large, slot->gfn, gfn, EPT_LEVEL_1G))
		return EPT_LEVEL_1G;
	if (vmx_caps.ept_2m && ept_large_at(&slot->large, slot->gfn, gfn, EPT_LEVEL_2M))
		return EPT_LEVEL_2M;
	return EPT_LEVEL_4K;
}

static int find(struct nv_vm *vm, gpa1_t gpa, bool write, const struct nv_slot **slot)
{
	*slot = slots_find(vm, gpa1_pfn(gpa));
	if (!*slot)
		return EPT_NO_SLOT;
	if (write && ((*slot)->flags & KVM_MEM_READONLY))
		return EPT_READ_ONLY;
	return EPT_FILLED;
}

/* With the dirty log on, write access is given by a write, which is then logged. */
static bool may_be_writable(const struct nv_slot *slot, bool write)
{
	return !(slot->flags & KVM_MEM_READONLY) && (!slot->dirty || write);
}

int ept_lookup(struct nv_vm *vm, gpa1_t gpa, bool write, struct nv_leaf *leaf)
{
	u64 gfn = gpa1_pfn(gpa);
	const struct nv_slot *slot;
	int ret;

	ret = find(vm, gpa, write, &slot);
	if (ret != EPT_FILLED)
		return ret;
	/* Only EPT02 asks, and an exposed VM has static memory: neither changes once it runs. */
	if (WARN_ON_ONCE(!slot->pages))
		return -EIO;
	leaf->hpa = hpa(page_to_phys(slot->pages[nv_slot_index(slot, gfn)]));
	leaf->level = largest_level(slot, gfn);
	leaf->writable = may_be_writable(slot, write);
	/*
	 * Before the page is written, which is early enough here: a log that is read from
	 * now on asks for REQ_EPT01_PROTECTED, which takes the entry back before it is used.
	 */
	if (write)
		dirty_mark(slot, gfn);
	return EPT_FILLED;
}

/*
 * The owner's page at @gfn, with a reference, filled if it was not there (by a file's
 * contents, from swap, by a copy of what it shares after fork() ...). May sleep.
 */
static int get_owners_page(const struct nv_slot *slot, u64 gfn, bool write, struct page **page,
			   bool *writable)
{
	unsigned long hva = slot->hva + (nv_slot_index(slot, gfn) << PAGE_SHIFT);
	bool rom = slot->flags & KVM_MEM_READONLY;
	struct page *other;
	long ret;

	*writable = true;
	if (!rom && get_user_page_fast_only(hva, FOLL_WRITE, page))
		return 0;
	ret = get_user_pages_unlocked(hva, 1, page, write ? FOLL_WRITE : 0);
	if (ret != 1)
		return ret < 0 ? ret : -EFAULT;
	*writable = write;
	if (rom || write)
		return 0;
	/* What was filled for reading can often be written as well: spare the next fault. */
	if (get_user_page_fast_only(hva, FOLL_WRITE, &other)) {
		put_page(*page);
		*page = other;
		*writable = true;
	}
	return 0;
}

static int fill_dynamic(struct nv_vm *vm, struct ept_fill *f, bool write)
{
	struct page *page;
	bool writable;
	int ret;

	/* The ioctls refuse all threads but the owner's: its address space is current. */
	if (WARN_ON_ONCE(current->mm != vm->mm))
		return -EIO;
	f->seq = notifier_seq(vm);
	ret = get_owners_page(f->slot, f->gfn, write, &page, &writable);
	if (ret)
		return ret;
	f->pfn = page_to_pfn(page);
	f->writable = writable && may_be_writable(f->slot, write);
	/*
	 * Marked before the guest can write: whoever cleans the page zaps it first, and
	 * then it comes here again.
	 */
	if (!PageReserved(page)) {
		if (f->writable)
			SetPageDirty(page);
		mark_page_accessed(page);
	}
	nv_verify_pause();
	ret = ept_map(vm, f);
	/* The notifier keeps the mapping right from here on, no reference does. */
	put_page(page);
	/* What we found is gone already: the guest tries again. */
	return ret == -EAGAIN ? 0 : ret;
}

int ept_fault(struct nv_vm *vm, gpa1_t gpa, unsigned int need)
{
	struct ept_fill f = { .gfn = gpa1_pfn(gpa), .fetch = need & EPT_X };
	bool write = need & EPT_W;
	int ret;

	ret = find(vm, gpa, write, &f.slot);
	if (ret != EPT_FILLED)
		return ret;
	if (!f.slot->pages)
		return fill_dynamic(vm, &f, write);
	f.pfn = page_to_pfn(f.slot->pages[nv_slot_index(f.slot, f.gfn)]);
	f.level = largest_level(f.slot, f.gfn);
	f.writable = may_be_writable(f.slot, write);
	nv_verify_pause();
	return ept_map(vm, &f);
}
