// SPDX-License-Identifier: GPL-2.0
/*
 * The guest-physical map: slots, made, moved and deleted while vCPUs run. A
 * change publishes a new array; who read the old one is waited for (SRCU) before
 * anything of it goes.
 */
#include "ept/slots.h"
#include <linux/kvm.h>
#include <linux/mm.h>
#include <linux/slab.h>
#include <linux/uaccess.h>
#include <uapi/nestvm.h>
#include "ept/ept.h"
#include "ept/notifier.h"
#include "ept/pin.h"
#include "ept/table.h"
#include "vm.h"

#define SLOT_FLAGS	(KVM_MEM_LOG_DIRTY_PAGES | KVM_MEM_READONLY)

/* What is kept for each page of a slot is one piece of the kernel's memory: below 2 GiB. */
#define MAX_SLOT_PAGES	(INT_MAX / sizeof(struct page *))

/* Guest frames are numbered up to the CPU's physical-address width; EPT01 has four levels. */
static u64 max_gfn(void)
{
	return 1ull << (min_t(unsigned int, boot_cpu_data.x86_phys_bits, 48) - PAGE_SHIFT);
}

const struct nv_slot *slots_find(struct nv_vm *vm, u64 gfn)
{
	const struct nv_slots *slots = srcu_dereference_check(vm->slots, &vm->srcu,
							      lockdep_is_held(&vm->lock));
	unsigned int low = 0, high = slots->count;

	while (low < high) {
		unsigned int mid = (low + high) / 2;
		const struct nv_slot *slot = slots->slot[mid];

		if (gfn < slot->gfn)
			high = mid;
		else if (gfn - slot->gfn >= slot->npages)
			low = mid + 1;
		else
			return slot;
	}
	return NULL;
}

struct nv_slot *slots_by_id(const struct nv_slots *slots, u32 id)
{
	unsigned int i;

	for (i = 0; i < slots->count; i++)
		if (slots->slot[i]->id == id)
			return slots->slot[i];
	return NULL;
}

static const struct nv_slot *overlaps(const struct nv_slots *slots, const struct nv_slot *new)
{
	unsigned int i;

	for (i = 0; i < slots->count; i++) {
		const struct nv_slot *s = slots->slot[i];

		if (s->id != new->id && new->gfn < s->gfn + s->npages &&
		    s->gfn < new->gfn + new->npages)
			return s;
	}
	return NULL;
}

static void free_large(struct nv_slot *slot)
{
	unsigned int i;

	for (i = 0; i < EPT_LARGE_LEVELS; i++)
		kvfree(slot->large.map[i]);
}

static void slot_free(struct nv_vm *vm, struct nv_slot *slot)
{
	if (!slot)
		return;
	pin_release(vm, slot);
	free_large(slot);
	kvfree(slot->dirty);
	kfree(slot);
}

static int check_region(struct nv_vm *vm, const struct kvm_userspace_memory_region *r)
{
	struct nv_refusal *why = &vm->refusal;

	if ((r->slot >> 16) || (r->slot & 0xffff) >= NV_MAX_SLOTS)
		return nv_refuse(why, NESTVM_REFUSED_SLOT_RANGE, -EINVAL,
				 "slot %u: numbers go from 0 to %u, address space 0 only",
				 r->slot, NV_MAX_SLOTS - 1);
	if (r->flags & ~SLOT_FLAGS)
		return nv_refuse(why, NESTVM_REFUSED_CAPABILITY, -EINVAL,
				 "slot %u: flags %#x are not supported", r->slot, r->flags);
	if (!PAGE_ALIGNED(r->guest_phys_addr) || !PAGE_ALIGNED(r->memory_size) ||
	    !PAGE_ALIGNED(r->userspace_addr))
		return nv_refuse(why, NESTVM_REFUSED_SLOT_UNALIGNED, -EINVAL,
				 "slot %u: guest address %#llx, size %#llx and host address %#llx must be multiples of 4096",
				 r->slot, r->guest_phys_addr, r->memory_size, r->userspace_addr);
	if (r->guest_phys_addr + r->memory_size < r->guest_phys_addr ||
	    (r->guest_phys_addr + r->memory_size) >> PAGE_SHIFT > max_gfn())
		return nv_refuse(why, NESTVM_REFUSED_SLOT_RANGE, -EINVAL,
				 "slot %u: %#llx bytes at %#llx reach beyond the guest's physical addresses",
				 r->slot, r->memory_size, r->guest_phys_addr);
	if (r->memory_size >> PAGE_SHIFT > MAX_SLOT_PAGES)
		return nv_refuse(why, NESTVM_REFUSED_SLOT_RANGE, -EINVAL,
				 "slot %u: %#llx bytes are more than the %#llx of the largest slot; use several",
				 r->slot, r->memory_size, (u64)MAX_SLOT_PAGES << PAGE_SHIFT);
	if (r->memory_size && !access_ok((void __user *)(unsigned long)r->userspace_addr,
					 r->memory_size))
		return nv_refuse(why, NESTVM_REFUSED_SLOT_RANGE, -EINVAL,
				 "slot %u: host address %#llx is not in user space", r->slot,
				 r->userspace_addr);
	return 0;
}

/* @gone is freed alone: what @stays has of it as well, the pins and the log, stays. */
static void slot_leave(struct nv_slot *gone, const struct nv_slot *stays)
{
	if (!gone || !stays)
		return;
	if (gone->pages == stays->pages)
		gone->pages = NULL;
	if (gone->dirty == stays->dirty)
		gone->dirty = NULL;
}

static u64 frame_of(const void *slot, u64 i)
{
	return page_to_pfn(((const struct nv_slot *)slot)->pages[i]);
}

static void rest_now(void)
{
	cond_resched();
}

/* At its address in the guest, which is new when a slot was moved. */
static int find_large(struct nv_slot *slot)
{
	const struct ept_frames frames = {
		.gfn = slot->gfn,
		.npages = slot->npages,
		.pfn = frame_of,
		.ctx = slot,
		.rest = rest_now,
	};
	unsigned int i;

	for (i = 0; i < EPT_LARGE_LEVELS; i++) {
		size_t words = ept_large_words(slot->gfn, slot->npages, EPT_LEVEL_2M + i);

		slot->large.map[i] = kvcalloc(words, sizeof(long), GFP_KERNEL_ACCOUNT);
		if (!slot->large.map[i])
			return -ENOMEM;
	}
	ept_large_find(&slot->large, &frames);
	return 0;
}

static int make_slot(struct nv_vm *vm, const struct kvm_userspace_memory_region *r,
		     const struct nv_slot *old, struct nv_slot **out)
{
	struct nv_slot *slot = kzalloc(sizeof(*slot), GFP_KERNEL_ACCOUNT);
	int ret;

	if (!slot)
		return -ENOMEM;
	slot->id = r->slot;
	slot->gfn = r->guest_phys_addr >> PAGE_SHIFT;
	slot->npages = r->memory_size >> PAGE_SHIFT;
	slot->hva = r->userspace_addr;
	slot->flags = r->flags;
	ret = -ENOMEM;
	/* Who reads the log copies by page of the slot: it goes where the slot goes. */
	if (old && old->dirty && (r->flags & KVM_MEM_LOG_DIRTY_PAGES)) {
		slot->dirty = old->dirty;
	} else if (r->flags & KVM_MEM_LOG_DIRTY_PAGES) {
		slot->dirty = kvcalloc(BITS_TO_LONGS(slot->npages), sizeof(long),
				       GFP_KERNEL_ACCOUNT);
		if (!slot->dirty)
			goto undo;
	}
	/* The same memory under new flags or at a new address: the pins move over. */
	if (old) {
		slot->pages = old->pages;
		slot->charged = old->charged;
	} else if (!vm->dynamic) {
		ret = pin_slot(vm, slot);
		if (ret)
			goto undo;
	}
	ret = slot->pages ? find_large(slot) : 0;
	if (ret)
		goto undo;
	*out = slot;
	return 0;

undo:
	slot_leave(slot, old);
	slot_free(vm, slot);
	return ret;
}

/* A copy of @slots without the slot of @id, and with @add in its place by address. */
static struct nv_slots *copy_slots(const struct nv_slots *slots, u32 id, struct nv_slot *add)
{
	struct nv_slots *new = kvzalloc(sizeof(*new), GFP_KERNEL_ACCOUNT);
	unsigned int i, n = 0;

	if (!new)
		return NULL;
	for (i = 0; i < slots->count; i++) {
		struct nv_slot *s = slots->slot[i];

		if (s->id == id)
			continue;
		if (add && add->gfn < s->gfn) {
			new->slot[n++] = add;
			add = NULL;
		}
		new->slot[n++] = s;
	}
	if (add)
		new->slot[n++] = add;
	new->count = n;
	return new;
}

static void zap_slot(struct nv_vm *vm, const struct nv_slot *slot)
{
	ept_flush(vm, ept_zap(vm, slot->gfn, slot->npages));
}

int slots_set(struct nv_vm *vm, const struct kvm_userspace_memory_region *r)
{
	struct nv_slots *slots = rcu_dereference_protected(vm->slots, lockdep_is_held(&vm->lock));
	struct nv_slot *old, *new = NULL;
	const struct nv_slot *other;
	struct nv_slots *next;
	int ret;

	ret = check_region(vm, r);
	if (ret)
		return ret;
	old = slots_by_id(slots, r->slot);
	if (!r->memory_size && !old)
		return -EINVAL;
	if (r->memory_size) {
		struct nv_slot probe = {
			.id = r->slot,
			.gfn = r->guest_phys_addr >> PAGE_SHIFT,
			.npages = r->memory_size >> PAGE_SHIFT,
		};

		/* KVM API: a slot keeps its size, and whether it can be written. */
		if (old && (old->npages != probe.npages || old->hva != r->userspace_addr ||
			    ((old->flags ^ r->flags) & KVM_MEM_READONLY)))
			return -EINVAL;
		other = overlaps(slots, &probe);
		if (other)
			return nv_refuse(&vm->refusal, NESTVM_REFUSED_SLOT_OVERLAP, -EEXIST,
					 "slot %u: %#llx bytes at %#llx overlap slot %u",
					 r->slot, r->memory_size, r->guest_phys_addr, other->id);
		if (!old && slots->count >= NV_MAX_SLOTS)
			return -EINVAL;
		/* KVM API: nothing changes, least of all what is mapped and logged. */
		if (old && old->gfn == probe.gfn && old->flags == r->flags)
			return 0;
		ret = make_slot(vm, r, old, &new);
		if (ret)
			return ret;
	}

	next = copy_slots(slots, r->slot, new);
	if (!next) {
		slot_leave(new, old);
		slot_free(vm, new);
		return -ENOMEM;
	}
	/*
	 * The notifier finds by its slot what dynamic memory is mapped. So nothing is, and
	 * nothing can be, when the slot goes.
	 */
	if (old && vm->dynamic) {
		notifier_block(vm, old);
		zap_slot(vm, old);
	}
	rcu_assign_pointer(vm->slots, next);
	/* From here on nobody finds the old slot; who has, may still fill EPT01 from it. */
	synchronize_srcu_expedited(&vm->srcu);
	if (old) {
		/* No vCPU runs on, and no nested mapping holds, what was there. */
		if (vm->dynamic)
			notifier_unblock(vm);
		else
			zap_slot(vm, old);
		slot_leave(old, new);
		slot_free(vm, old);
	}
	kvfree(slots);
	return 0;
}

void slots_destroy(struct nv_vm *vm)
{
	struct nv_slots *slots = rcu_dereference_protected(vm->slots, 1);
	unsigned int i;

	if (!slots)
		return;
	for (i = 0; i < slots->count; i++)
		slot_free(vm, slots->slot[i]);
	kvfree(slots);
}
