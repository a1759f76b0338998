// SPDX-License-Identifier: GPL-2.0
/* Static memory: long-term pins, accounted, released with the slot. */
#include "ept/pin.h"
#include <linux/cred.h>
#include <linux/kvm.h>
#include <linux/mm.h>
#include <linux/sched/mm.h>
#include <linux/sched/signal.h>
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

int pin_slot(struct nv_vm *vm, struct nv_slot *slot)
{
	u64 done = 0;
	int ret;

	/* account_locked_vm() honours CAP_IPC_LOCK and says -ENOMEM past the limit. */
	ret = account_locked_vm(vm->mm, slot->npages, true);
	if (ret)
		return nv_refuse(&vm->refusal, NESTVM_REFUSED_LOCKED_LIMIT, -ENOMEM,
				 "static memory of %llu KiB passes the locked-memory limit of %lu KiB; raise it (ulimit -l) or give the VM less memory",
				 slot->npages * 4, rlimit(RLIMIT_MEMLOCK) / 1024);
	slot->pages = kvcalloc(slot->npages, sizeof(*slot->pages), GFP_KERNEL_ACCOUNT);
	ret = -ENOMEM;
	if (!slot->pages)
		goto unaccount;
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
unaccount:
	account_locked_vm(vm->mm, slot->npages, false);
	return ret;
}

void pin_release(struct nv_vm *vm, struct nv_slot *slot)
{
	if (!slot->pages)
		return;
	unpin_user_pages_dirty_lock(slot->pages, slot->npages, !(slot->flags & KVM_MEM_READONLY));
	kvfree(slot->pages);
	slot->pages = NULL;
	account_locked_vm(vm->mm, slot->npages, false);
	vm->pinned_pages -= slot->npages;
	atomic64_sub(slot->npages, &total_pinned);
}
