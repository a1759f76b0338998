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

int pin_slot(struct nv_vm *vm, struct nv_slot *slot)
{
	unsigned int gup = FOLL_LONGTERM | (slot->flags & KVM_MEM_READONLY ? 0 : FOLL_WRITE);
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
		ret = pin_user_pages_fast(slot->hva + (done << PAGE_SHIFT), n, gup,
					  slot->pages + done);
		if (ret <= 0) {
			ret = nv_refuse(&vm->refusal, NESTVM_REFUSED_SLOT_PIN, ret ?: -EFAULT,
					"slot %u: memory at host address %#llx cannot be pinned (not mapped%s, or a file mapping)",
					slot->id, slot->hva + (done << PAGE_SHIFT),
					gup & FOLL_WRITE ? ", not writable" : "");
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
