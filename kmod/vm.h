/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A virtual machine: its memory, its vCPUs, its chips, its settings.
 *
 * Lock order, outermost first:
 *   vm->lock        settings, slots, creation of vCPUs and chips (ioctls only)
 *   vcpu->lock      one vCPU: held during every ioctl on it, KVM_RUN included
 *   vm->srcu        read side: who looks at slots; never held in the guest
 *   mmap_lock and what is below it: taken inside all of the above, and held where
 *                   the MMU notifier calls in, which takes vm->srcu and the next
 *   vm->ept.lock    EPT01's tables: page faults, zapping, the notifier's sequence
 *   chip locks      vpic, vioapic, vpit, routing: below all of the above, taken
 *                   with interrupts off where an irqfd or a timer may come
 * vm->lock is never taken with vcpu->lock held.
 */
#ifndef NESTVM_VM_H
#define NESTVM_VM_H

#include <linux/kref.h>
#include <linux/mm_types.h>
#include <linux/mutex.h>
#include <linux/srcu.h>
#include "addr.h"
#include "ept/ept.h"
#include "refusal.h"

#define NV_MAX_VCPUS	64

struct nv_irqchip;
struct nv_vcpu;

struct nv_vm {
	struct kref ref;		/* the VM file and each vCPU file hold one */
	struct mutex lock;
	struct mm_struct *mm;		/* who made it; every ioctl must come from there */
	bool dead;			/* our bug or the guest's end: nothing runs any more */

	/* Settings; written under lock and only while !has_run. */
	bool expose;
	bool dynamic;
	bool has_run;
	bool exception_payload;		/* user space knows of payloads and of triple faults */
	bool triple_fault_event;
	u64 tsc_base;			/* host TSC at which the guests' TSC was 0 */
	u32 bsp_id;			/* vCPU id of the boot processor */

	/* vcpus[id]; set once under lock, never cleared before the VM goes. */
	struct nv_vcpu *vcpus[NV_MAX_VCPUS];
	unsigned int vcpu_count;

	struct srcu_struct srcu;
	struct nv_slots __rcu *slots;
	struct nv_ept ept;

	/* NULL until KVM_CREATE_IRQCHIP or the split irqchip; see irq.h. */
	struct nv_irqchip *irqchip;

	struct nv_refusal refusal;
	u64 pinned_pages;
	bool manual_dirty_log;		/* KVM_GET_DIRTY_LOG only looks; under lock */
};

#define nv_for_each_vcpu(i, vcpu, vm)					\
	for ((i) = 0; (i) < NV_MAX_VCPUS; (i)++)			\
		if (((vcpu) = READ_ONCE((vm)->vcpus[(i)])))

struct nv_vm *nv_vm_create(void);
void nv_vm_get(struct nv_vm *vm);
void nv_vm_put(struct nv_vm *vm);

/* Ask every vCPU to do @req before its next entry, and wait for none. */
void nv_vm_request(struct nv_vm *vm, unsigned int req);

/*
 * The same, and return only when no vCPU is in the guest with the old state. IRQs on;
 * does not sleep or allocate.
 */
void nv_vm_request_sync(struct nv_vm *vm, unsigned int req);

/* ept/ took mappings, or write access, from EPT01. No CPU has them any more when these return. */
void nv_vm_ept01_changed(struct nv_vm *vm);
void nv_vm_ept01_protected(struct nv_vm *vm);

#endif
