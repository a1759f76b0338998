/* SPDX-License-Identifier: GPL-2.0 */
/* All the state of a virtual machine through the KVM API, and a new machine made of it. */
#ifndef SELFTESTS_VM_STATE_H
#define SELFTESTS_VM_STATE_H

#include "vm.h"

#define STATE_MSRS	128

/* Parts, to be left out of a restore by a test that wants to see it fail. */
enum state_part {
	STATE_REGS = 1, STATE_SREGS = 2, STATE_XSAVE = 4, STATE_LAPIC = 8, STATE_OF_MSRS = 0x10,
	STATE_EVENTS = 0x20, STATE_MP = 0x40, STATE_DEBUGREGS = 0x80, STATE_NESTED = 0x100,
	STATE_TSC = 0x200, STATE_IRQCHIP = 0x400, STATE_MEMORY = 0x800, STATE_XCRS = 0x1000,
};

struct vcpu_state {
	struct kvm_cpuid2 *cpuid;
	struct kvm_mp_state mp;
	struct {
		struct kvm_msrs head;
		struct kvm_msr_entry entry[STATE_MSRS];
	} msrs;
	struct kvm_lapic_state lapic;
	struct kvm_regs regs;
	struct kvm_sregs2 sregs;
	struct kvm_xsave xsave;
	struct kvm_xcrs xcrs;
	struct kvm_debugregs debugregs;
	struct kvm_vcpu_events events;
	struct {
		struct kvm_nested_state head;
		u8 page[4096];
	} nested;
	u64 tsc_offset;
};

struct vm_state {
	unsigned int flags;		/* of vm_create() */
	unsigned int nr_vcpus;
	struct vcpu_state vcpu[VM_MAX_VCPUS];
	struct kvm_irqchip chip[3];
	struct kvm_pit_state2 pit;
	bool has_pit;
	u64 host_tsc, mono_ns;		/* when it was saved */
	u32 tsc_khz;
	u8 *mem;
	size_t mem_size;
};

/* Ask for what a state needs beyond the API's old defaults: of a new VM. */
void vm_state_prepare(struct vm *vm);

/* Finish what a vCPU has begun: @serve handles exits. Then the state is complete. */
void vcpu_drain(struct vcpu *vcpu, void (*serve)(struct vcpu *vcpu, int reason));

/* @vm's vCPUs are drained. The copy of its memory is the state's. */
void vm_state_save(struct vm *vm, struct vm_state *s);

/* A new VM in @vm. @without: enum state_part bits that are not restored. */
void vm_state_restore(struct vm *vm, const struct vm_state *s, unsigned int without);

void vm_state_free(struct vm_state *s);

/* Was L2 running on the first vCPU? */
static inline bool vm_state_in_l2(const struct vm_state *s)
{
	return s->vcpu[0].nested.head.flags & KVM_STATE_NESTED_GUEST_MODE;
}

#endif
