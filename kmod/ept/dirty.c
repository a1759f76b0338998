// SPDX-License-Identifier: GPL-2.0
/*
 * The dirty log: a bit for each page of a slot, set when a write makes its entry in
 * EPT01 writable. Bit and write access come and go together under ept.lock, so a page
 * whose bit was taken cannot be written again without the bit coming back.
 */
#include <linux/bitmap.h>
#include <linux/kvm.h>
#include <linux/mm.h>
#include <linux/slab.h>
#include <linux/uaccess.h>
#include "ept/ept.h"
#include "ept/slots.h"
#include "ept/table.h"
#include "vm.h"

void dirty_mark(const struct nv_slot *slot, u64 gfn)
{
	if (slot->dirty)
		set_bit(nv_slot_index(slot, gfn), slot->dirty);
}

/* In each loop over a log: that of the largest slot has millions of words. */
static void rest(size_t i)
{
	if (!(i % 4096))
		cond_resched();
}

/* @mask: of word @i of the log. Returns which bits were set; they are not any more. */
static unsigned long take(struct nv_vm *vm, struct nv_slot *slot, size_t i, unsigned long mask)
{
	unsigned long bits;

	if (!(READ_ONCE(slot->dirty[i]) & mask))
		return 0;
	spin_lock(&vm->ept.lock);
	bits = atomic_long_fetch_andnot(mask, (atomic_long_t *)&slot->dirty[i]) & mask;
	ept_protect(vm, slot->gfn + i * BITS_PER_LONG, bits);
	spin_unlock(&vm->ept.lock);
	return bits;
}

static struct nv_slot *logged_slot(struct nv_vm *vm, u32 id, int *ret)
{
	struct nv_slots *slots = rcu_dereference_protected(vm->slots, lockdep_is_held(&vm->lock));
	struct nv_slot *slot;

	*ret = -EINVAL;
	if ((id >> 16) || (id & 0xffff) >= NV_MAX_SLOTS)
		return NULL;
	*ret = -ENOENT;
	slot = slots_by_id(slots, id);
	return slot && slot->dirty ? slot : NULL;
}

int dirty_get(struct nv_vm *vm, struct kvm_dirty_log *log)
{
	unsigned long *copy, any = 0;
	struct nv_slot *slot;
	size_t i, longs;
	int ret;

	slot = logged_slot(vm, log->slot, &ret);
	if (!slot)
		return ret;
	longs = BITS_TO_LONGS(slot->npages);
	copy = kvcalloc(longs, sizeof(long), GFP_KERNEL_ACCOUNT);
	if (!copy)
		return -ENOMEM;
	for (i = 0; i < longs; i++) {
		rest(i);
		copy[i] = vm->manual_dirty_log ? READ_ONCE(slot->dirty[i]) :
						 take(vm, slot, i, ~0ul);
		any |= copy[i];
	}
	/* The reader copies the pages when this is back: by then no CPU writes them unseen. */
	if (any && !vm->manual_dirty_log)
		nv_vm_ept01_protected(vm);
	ret = copy_to_user(log->dirty_bitmap, copy, longs * sizeof(long)) ? -EFAULT : 0;
	/* Not told, so not forgotten; vCPUs set bits meanwhile. */
	for (i = 0; ret && i < longs; i++) {
		rest(i);
		atomic_long_or(copy[i], (atomic_long_t *)&slot->dirty[i]);
	}
	kvfree(copy);
	return ret;
}

int dirty_clear(struct nv_vm *vm, const struct kvm_clear_dirty_log *log)
{
	unsigned long *mask, any = 0;
	struct nv_slot *slot;
	size_t i, longs;
	int ret;

	slot = logged_slot(vm, log->slot, &ret);
	if (!slot)
		return ret;
	/* KVM API: whole words of the log, except at its end. */
	if (log->first_page % BITS_PER_LONG || log->first_page > slot->npages ||
	    log->num_pages > slot->npages - log->first_page ||
	    (log->num_pages % BITS_PER_LONG && log->num_pages != slot->npages - log->first_page))
		return -EINVAL;
	longs = BITS_TO_LONGS(log->num_pages);
	mask = kvmalloc_array(longs, sizeof(long), GFP_KERNEL_ACCOUNT);
	if (!mask)
		return -ENOMEM;
	ret = -EFAULT;
	if (copy_from_user(mask, log->dirty_bitmap, longs * sizeof(long)))
		goto free;
	if (log->num_pages % BITS_PER_LONG)
		mask[longs - 1] &= BITMAP_LAST_WORD_MASK(log->num_pages);
	for (i = 0; i < longs; i++) {
		rest(i);
		any |= take(vm, slot, log->first_page / BITS_PER_LONG + i, mask[i]);
	}
	if (any)
		nv_vm_ept01_protected(vm);
	ret = 0;
free:
	kvfree(mask);
	return ret;
}
