// SPDX-License-Identifier: GPL-2.0
/* Static memory: long-term pins, accounted, released with the slot. */
#include "ept/pin.h"
#include <linux/cred.h>
#include <linux/kvm.h>
#include <linux/mm.h>
#include <linux/sched/signal.h>
#include <linux/sched/user.h>
#include <linux/slab.h>
#include <uapi/nestvm.h>
#include "ept/ept.h"
#include "vm.h"

static atomic64_t total_pinned;

u64 ept_total_pinned(void)
{
	return atomic64_read(&total_pinned);
}

/*
 * Pinned for writing whoever writes: a page of anonymous memory that was only read
 * is the zero page or shared with a parent, and its owner's next write would go to
 * another one than the guest's. FOLL_FORCE is for a private mapping its owner may
 * only read; what nobody can write is pinned as it is.
 */
static int pin_some(const struct nv_slot *slot, u64 first, unsigned long n)
{
	unsigned long hva = slot->hva + (first << PAGE_SHIFT);
	struct page **pages = slot->pages + first;
	int ret;

	if (!(slot->flags & KVM_MEM_READONLY))
		return pin_user_pages_fast(hva, n, FOLL_LONGTERM | FOLL_WRITE, pages);
	ret = pin_user_pages_fast(hva, n, FOLL_LONGTERM | FOLL_WRITE | FOLL_FORCE, pages);
	return ret > 0 ? ret : pin_user_pages_fast(hva, n, FOLL_LONGTERM, pages);
}

/*
 * The pins live as long as the VM, whose file may outlive the process or go to another
 * one. So it is the user who is charged, until the pages are unpinned, for all processes
 * together; and not who may lock what he likes.
 */
static int charge(struct nv_vm *vm, struct nv_slot *slot)
{
	unsigned long limit = rlimit(RLIMIT_MEMLOCK) >> PAGE_SHIFT;
	struct user_struct *user = current_user();
	long locked = atomic_long_read(&user->locked_vm);

	if (!capable(CAP_IPC_LOCK)) {
		do {
			if (locked + slot->npages > limit)
				return nv_refuse(&vm->refusal, NESTVM_REFUSED_LOCKED_LIMIT, -ENOMEM,
						 "static memory of %llu KiB passes the locked-memory limit of %lu KiB, of which this user's processes have locked %ld; raise it (ulimit -l) or give the VM less memory",
						 slot->npages * 4, limit * 4, locked * 4);
		} while (!atomic_long_try_cmpxchg(&user->locked_vm, &locked,
						  locked + slot->npages));
		slot->charged = get_uid(user);
	}
	/* What /proc/PID/status calls VmPin. */
	atomic64_add(slot->npages, &vm->mm->pinned_vm);
	return 0;
}

static void uncharge(struct nv_vm *vm, struct nv_slot *slot)
{
	atomic64_sub(slot->npages, &vm->mm->pinned_vm);
	if (!slot->charged)
		return;
	atomic_long_sub(slot->npages, &slot->charged->locked_vm);
	free_uid(slot->charged);
	slot->charged = NULL;
}

int pin_slot(struct nv_vm *vm, struct nv_slot *slot)
{
	u64 done = 0;
	int ret;

	ret = charge(vm, slot);
	if (ret)
		return ret;
	slot->pages = kvcalloc(slot->npages, sizeof(*slot->pages), GFP_KERNEL_ACCOUNT);
	ret = -ENOMEM;
	if (!slot->pages)
		goto uncharge;
	while (done < slot->npages) {
		unsigned long n = min_t(u64, slot->npages - done, 512);

		if (fatal_signal_pending(current)) {
			ret = -EINTR;
			goto unpin;
		}
		ret = pin_some(slot, done, n);
		if (ret <= 0) {
			ret = nv_refuse(&vm->refusal, NESTVM_REFUSED_SLOT_PIN, ret ?: -EFAULT,
					"slot %u: memory at host address %#llx cannot be pinned (not mapped%s, or a file mapping)",
					slot->id, slot->hva + (done << PAGE_SHIFT),
					slot->flags & KVM_MEM_READONLY ? "" : ", not writable");
			goto unpin;
		}
		done += ret;
		cond_resched();
	}
	vm->pinned_pages += slot->npages;
	atomic64_add(slot->npages, &total_pinned);
	return 0;

unpin:
	if (done)
		unpin_user_pages(slot->pages, done);
	kvfree(slot->pages);
	slot->pages = NULL;
uncharge:
	uncharge(vm, slot);
	return ret;
}

void pin_release(struct nv_vm *vm, struct nv_slot *slot)
{
	if (!slot->pages)
		return;
	unpin_user_pages_dirty_lock(slot->pages, slot->npages, !(slot->flags & KVM_MEM_READONLY));
	kvfree(slot->pages);
	slot->pages = NULL;
	uncharge(vm, slot);
	vm->pinned_pages -= slot->npages;
	atomic64_sub(slot->npages, &total_pinned);
}
