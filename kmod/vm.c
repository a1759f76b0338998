// SPDX-License-Identifier: GPL-2.0
/* Life of a VM: create, count references, ask its vCPUs for something, destroy. */
#include "vm.h"
#include <linux/kvm.h>
#include <linux/sched/mm.h>
#include <linux/slab.h>
#include <linux/smp.h>
#include <asm/tsc.h>
#include "irq.h"
#include "module.h"
#include "vcpu.h"
#include "verify.h"

static atomic64_t vms;

u64 nv_vm_total(void)
{
	return atomic64_read(&vms);
}

struct nv_vm *nv_vm_create(void)
{
	struct nv_vm *vm = kzalloc(sizeof(*vm), GFP_KERNEL_ACCOUNT);
	struct nv_slots *slots;
	int ret;

	if (!vm)
		return ERR_PTR(-ENOMEM);
	kref_init(&vm->ref);
	mutex_init(&vm->lock);
	nv_refusal_init(&vm->refusal);
	vm->tsc_base = rdtsc();
	vm->expose = nv_expose_default && nv_nested_allowed;

	ret = init_srcu_struct(&vm->srcu);
	if (ret)
		goto free_vm;
	ret = -ENOMEM;
	slots = kvzalloc(sizeof(*slots), GFP_KERNEL_ACCOUNT);
	if (!slots)
		goto cleanup_srcu;
	rcu_assign_pointer(vm->slots, slots);
	ret = ept_create(vm);
	if (ret)
		goto free_slots;
	ret = irq_create(vm);
	if (ret)
		goto destroy_ept;
	vm->mm = current->mm;
	mmgrab(vm->mm);
	atomic64_inc(&vms);
	return vm;

destroy_ept:
	ept_destroy(vm);
free_slots:
	kvfree(slots);
cleanup_srcu:
	cleanup_srcu_struct(&vm->srcu);
free_vm:
	kfree(vm);
	return ERR_PTR(ret);
}

static void vm_release(struct kref *ref)
{
	struct nv_vm *vm = container_of(ref, struct nv_vm, ref);
	struct nv_vcpu *vcpu;
	int i;

	/* First what may still call in from outside: the owner's mm, eventfds, chips' timers. */
	notifier_unregister(vm);
	irq_destroy(vm);
	nv_verify_end(vm);
	nv_for_each_vcpu(i, vcpu, vm)
		nv_vcpu_destroy(vcpu);
	slots_destroy(vm);
	ept_destroy(vm);
	cleanup_srcu_struct(&vm->srcu);
	mmdrop(vm->mm);
	kfree(vm);
	atomic64_dec(&vms);
}

void nv_vm_get(struct nv_vm *vm)
{
	kref_get(&vm->ref);
}

void nv_vm_put(struct nv_vm *vm)
{
	kref_put(&vm->ref, vm_release);
}

void nv_vm_request(struct nv_vm *vm, unsigned int req)
{
	struct nv_vcpu *vcpu;
	int i;

	nv_for_each_vcpu(i, vcpu, vm)
		vcpu_request(vcpu, req);
}

static void acknowledge(void *unused)
{
}

/* A vCPU of the VM is there, between its last look at requests and its exit. */
static bool in_guest_on(int cpu, void *data)
{
	struct nv_vm *vm = data;
	struct nv_vcpu *vcpu;
	int i;

	nv_for_each_vcpu(i, vcpu, vm)
		if (READ_ONCE(vcpu->cpu) == cpu && READ_ONCE(vcpu->where) != OUTSIDE_GUEST)
			return true;
	return false;
}

void nv_vm_request_sync(struct nv_vm *vm, unsigned int req)
{
	nv_vm_request(vm, req);
	/* The interrupt is an exit, and vcpu->where changes with IRQs off. */
	on_each_cpu_cond(in_guest_on, acknowledge, vm, true);
}

void nv_vm_ept01_changed(struct nv_vm *vm)
{
	nv_vm_request_sync(vm, REQ_EPT01_CHANGED);
}

void nv_vm_ept01_protected(struct nv_vm *vm)
{
	nv_vm_request_sync(vm, REQ_EPT01_PROTECTED);
}
