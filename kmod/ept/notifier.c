// SPDX-License-Identifier: GPL-2.0
/*
 * Dynamic memory: the guest sees what is in its owner's address space now. Before
 * the kernel changes a mapping there (unmapping, copy on write, swapping out,
 * merging, moving), it calls us: the pages leave EPT01, and no CPU uses them any
 * more when we return. The next access of the guest looks them up again.
 *
 * The calls may come in memory reclaim, where nothing may be allocated, and in
 * contexts that must not sleep: only spinlocks, SRCU and interrupts to other CPUs
 * are used. Lock order: the mm's locks, vm->srcu (read), ept.lock.
 */
#include "ept/notifier.h"
#include <linux/mm.h>
#include <linux/pgtable.h>
#include "ept/ept.h"
#include "ept/table.h"
#include "vm.h"
#include "vmx/caps.h"

static unsigned long hva_of(const struct nv_slot *slot, u64 gfn)
{
	return slot->hva + ((gfn - slot->gfn) << PAGE_SHIFT);
}

unsigned long notifier_seq(struct nv_vm *vm)
{
	unsigned long seq = READ_ONCE(vm->ept.notifier.seq);

	/* What is looked up is looked up after. Pairs with ept.lock around seq++. */
	smp_rmb();
	return seq;
}

/* Is a change under way of what these addresses map? */
static bool changing(const struct nv_notifier *n, unsigned long start, unsigned long end)
{
	return n->active && start < n->end && end > n->start;
}

bool notifier_stale(struct nv_vm *vm, const struct nv_slot *slot, u64 gfn, unsigned long seq)
{
	const struct nv_notifier *n = &vm->ept.notifier;
	unsigned long hva = hva_of(slot, gfn);

	lockdep_assert_held(&vm->ept.lock);
	return n->seq != seq || changing(n, hva, hva + PAGE_SIZE);
}

/* What size of page maps @hva. No page table is freed while interrupts are off. */
static unsigned int host_level(struct mm_struct *mm, unsigned long hva)
{
	unsigned int level = EPT_LEVEL_4K;
	unsigned long flags;
	pgd_t pgd;
	p4d_t p4d;
	pud_t pud;
	pmd_t pmd;

	local_irq_save(flags);
	pgd = READ_ONCE(*pgd_offset(mm, hva));
	if (pgd_none(pgd))
		goto out;
	p4d = READ_ONCE(*p4d_offset(&pgd, hva));
	if (p4d_none(p4d) || !p4d_present(p4d))
		goto out;
	pud = READ_ONCE(*pud_offset(&p4d, hva));
	if (pud_none(pud) || !pud_present(pud))
		goto out;
	if (pud_leaf(pud)) {
		level = EPT_LEVEL_1G;
		goto out;
	}
	pmd = READ_ONCE(*pmd_offset(&pud, hva));
	if (pmd_present(pmd) && pmd_leaf(pmd))
		level = EPT_LEVEL_2M;
out:
	local_irq_restore(flags);
	return level;
}

unsigned int notifier_level(struct nv_vm *vm, const struct nv_slot *slot, u64 gfn)
{
	unsigned int level;

	lockdep_assert_held(&vm->ept.lock);
	/* The dirty log has a bit for each 4-KiB page. */
	if (slot->dirty)
		return EPT_LEVEL_4K;
	level = host_level(vm->mm, hva_of(slot, gfn));
	for (; level > EPT_LEVEL_4K; level--) {
		u64 n = 1ull << (9 * (level - 1));
		u64 first = gfn & ~(n - 1);

		if (!(level == EPT_LEVEL_1G ? vmx_caps.ept_1g : vmx_caps.ept_2m))
			continue;
		if (first >= slot->gfn && first + n <= slot->gfn + slot->npages &&
		    !(((slot->hva >> PAGE_SHIFT) - slot->gfn) & (n - 1)) &&
		    !changing(&vm->ept.notifier, hva_of(slot, first), hva_of(slot, first + n)))
			break;
	}
	return level;
}

static void begin(struct nv_vm *vm, unsigned long start, unsigned long end)
{
	struct nv_notifier *n = &vm->ept.notifier;

	spin_lock(&vm->ept.lock);
	if (!n->active++) {
		n->start = start;
		n->end = end;
	} else {
		n->start = min(n->start, start);
		n->end = max(n->end, end);
	}
	spin_unlock(&vm->ept.lock);
}

static void finish(struct nv_vm *vm)
{
	spin_lock(&vm->ept.lock);
	vm->ept.notifier.seq++;
	vm->ept.notifier.active--;
	spin_unlock(&vm->ept.lock);
}

void notifier_block(struct nv_vm *vm, const struct nv_slot *slot)
{
	begin(vm, slot->hva, slot->hva + (slot->npages << PAGE_SHIFT));
}

void notifier_unblock(struct nv_vm *vm)
{
	finish(vm);
}

/* The part of @slot that lies in [start, end) of the owner's addresses. */
static bool part_of(const struct nv_slot *slot, unsigned long start, unsigned long end,
		    u64 *gfn, u64 *npages)
{
	unsigned long first = max_t(unsigned long, start, slot->hva);
	unsigned long last = min_t(unsigned long, end, hva_of(slot, slot->gfn + slot->npages));

	if (first >= last)
		return false;
	*gfn = slot->gfn + ((first - slot->hva) >> PAGE_SHIFT);
	*npages = (PAGE_ALIGN(last) - (first & PAGE_MASK)) >> PAGE_SHIFT;
	return true;
}

static struct nv_vm *vm_of(struct mmu_notifier *mn)
{
	return container_of(mn, struct nv_vm, ept.notifier.mn);
}

/* Nothing that these addresses map stays in use by the guest. */
static void zap(struct nv_vm *vm, unsigned long start, unsigned long end)
{
	const struct nv_slots *slots;
	unsigned long gen = 0;
	u64 gfn, npages;
	unsigned int i;
	int idx;

	idx = srcu_read_lock(&vm->srcu);
	slots = srcu_dereference(vm->slots, &vm->srcu);
	for (i = 0; i < slots->count; i++)
		if (part_of(slots->slot[i], start, end, &gfn, &npages))
			gen = ept_zap(vm, gfn, npages);
	srcu_read_unlock(&vm->srcu, idx);
	ept_flush(vm, gen);
}

static int invalidate_start(struct mmu_notifier *mn, const struct mmu_notifier_range *range)
{
	/* Before the slots are read: who maps through newer ones than we see is stale. */
	begin(vm_of(mn), range->start, range->end);
	zap(vm_of(mn), range->start, range->end);
	return 0;
}

static void invalidate_end(struct mmu_notifier *mn, const struct mmu_notifier_range *range)
{
	finish(vm_of(mn));
}

static int young(struct mmu_notifier *mn, unsigned long start, unsigned long end, bool clear)
{
	struct nv_vm *vm = vm_of(mn);
	const struct nv_slots *slots;
	bool found = false;
	u64 gfn, npages;
	unsigned int i;
	int idx;

	idx = srcu_read_lock(&vm->srcu);
	slots = srcu_dereference(vm->slots, &vm->srcu);
	for (i = 0; i < slots->count; i++)
		if (part_of(slots->slot[i], start, end, &gfn, &npages))
			found |= ept_young(vm, gfn, npages, clear);
	srcu_read_unlock(&vm->srcu, idx);
	return found;
}

/* Nothing is flushed for the sake of a guess: a CPU that remembers a page sets no flag. */
static int clear_young(struct mmu_notifier *mn, struct mm_struct *mm, unsigned long start,
		       unsigned long end)
{
	return young(mn, start, end, true);
}

static int test_young(struct mmu_notifier *mn, struct mm_struct *mm, unsigned long address)
{
	return young(mn, address, address + PAGE_SIZE, false);
}

/* The address space ends, and no thread of it is left that could enter the guest. */
static void release(struct mmu_notifier *mn, struct mm_struct *mm)
{
	zap(vm_of(mn), 0, ULONG_MAX);
}

static const struct mmu_notifier_ops ops = {
	.invalidate_range_start = invalidate_start,
	.invalidate_range_end = invalidate_end,
	.clear_flush_young = clear_young,
	.clear_young = clear_young,
	.test_young = test_young,
	.release = release,
};

int notifier_register(struct nv_vm *vm)
{
	struct nv_notifier *n = &vm->ept.notifier;
	int ret;

	if (n->registered)
		return 0;
	n->mn.ops = &ops;
	/* Of a former registration: what ended after it has not been told. */
	n->active = 0;
	ret = mmu_notifier_register(&n->mn, vm->mm);
	n->registered = !ret;
	return ret;
}

void notifier_unregister(struct nv_vm *vm)
{
	struct nv_notifier *n = &vm->ept.notifier;

	if (!n->registered)
		return;
	/* Returns when no call is under way, even if the address space has ended before. */
	mmu_notifier_unregister(&n->mn, vm->mm);
	n->registered = false;
}
