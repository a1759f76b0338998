// SPDX-License-Identifier: GPL-2.0
/*
 * The order of the ioctls, which is the one that every program has to follow.
 *
 * Before: devices quiet, every vCPU out of KVM_RUN and drained: KVM_RUN with
 * immediate_exit until it fails with EINTR.
 *
 * Saving goes from where interrupts come from to where they go, so that a timer which
 * expires meanwhile is seen twice and never lost:
 *   VM    KVM_GET_PIT2, KVM_GET_IRQCHIP
 *   vCPU  KVM_GET_MP_STATE (lets a pending INIT or SIPI act), KVM_GET_MSRS (with the
 *         TSC deadline), KVM_GET_LAPIC, then all else in any order
 *
 * Restoring, each vCPU: CPUID, TSC offset, special registers (they bring APIC_BASE),
 * LAPIC, MSRs (VMX capabilities before the nested state, the deadline after the LAPIC;
 * not IA32_TSC, which the offset replaced), XCR0 and XSAVE, nested state (after the
 * special registers, which are L2's if that ran), general and debug registers, events,
 * MP state. After all vCPUs: KVM_SET_IRQCHIP (a level that is up goes to the LAPICs
 * then), KVM_SET_PIT2.
 */
#include "vm_state.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <time.h>

#define MSR_TSC	0x10

static u64 rdtsc(void)
{
	u32 lo, hi;

	asm volatile("rdtsc" : "=a"(lo), "=d"(hi));
	return (u64)hi << 32 | lo;
}

static u64 mono_ns(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec * 1000000000ull + ts.tv_nsec;
}

static void enable_cap(struct vm *vm, u32 cap)
{
	struct kvm_enable_cap e = { .cap = cap, .args[0] = 1 };

	MUST(vm->fd, KVM_ENABLE_CAP, &e);
}

void vm_state_prepare(struct vm *vm)
{
	enable_cap(vm, KVM_CAP_EXCEPTION_PAYLOAD);
	enable_cap(vm, KVM_CAP_X86_TRIPLE_FAULT_EVENT);
}

void vcpu_drain(struct vcpu *vcpu, void (*serve)(struct vcpu *vcpu, int reason))
{
	int ret;

	for (;;) {
		vcpu->run->immediate_exit = 1;
		ret = vcpu_run(vcpu);
		vcpu->run->immediate_exit = 0;
		if (ret == -EINTR)
			return;
		ASSERT(ret >= 0, "KVM_RUN fails: %s", strerror(-ret));
		serve(vcpu, ret);
	}
}

static void get_msr_list(struct vm *vm, struct vcpu_state *s)
{
	struct {
		struct kvm_msr_list head;
		u32 index[STATE_MSRS];
	} list = { .head.nmsrs = STATE_MSRS };
	u32 i;

	MUST(vm->dev, KVM_GET_MSR_INDEX_LIST, &list);
	s->msrs.head.nmsrs = 0;
	for (i = 0; i < list.head.nmsrs; i++)
		if (list.index[i] != MSR_TSC)
			s->msrs.entry[s->msrs.head.nmsrs++].index = list.index[i];
}

static void tsc_offset(struct vcpu *vcpu, unsigned long cmd, u64 *offset)
{
	struct kvm_device_attr a = {
		.group = KVM_VCPU_TSC_CTRL, .attr = KVM_VCPU_TSC_OFFSET, .addr = (uintptr_t)offset,
	};

	must_ioctl(vcpu->fd, cmd, "the TSC offset", &a);
}

static void save_vcpu(struct vcpu *vcpu, struct vcpu_state *s)
{
	struct vm *vm = vcpu->vm;
	u32 n;

	MUST(vcpu->fd, KVM_GET_MP_STATE, &s->mp);
	get_msr_list(vm, s);
	n = MUST(vcpu->fd, KVM_GET_MSRS, &s->msrs);
	ASSERT(n == s->msrs.head.nmsrs, "MSR %#x cannot be read", s->msrs.entry[n].index);
	if (vm->flags & VM_IRQCHIP)
		MUST(vcpu->fd, KVM_GET_LAPIC, &s->lapic);
	MUST(vcpu->fd, KVM_GET_REGS, &s->regs);
	MUST(vcpu->fd, KVM_GET_SREGS2, &s->sregs);
	MUST(vcpu->fd, KVM_GET_XSAVE, &s->xsave);
	MUST(vcpu->fd, KVM_GET_XCRS, &s->xcrs);
	MUST(vcpu->fd, KVM_GET_DEBUGREGS, &s->debugregs);
	MUST(vcpu->fd, KVM_GET_VCPU_EVENTS, &s->events);
	if (vm->flags & VM_EXPOSE) {
		s->nested.head.size = sizeof(s->nested);
		MUST(vcpu->fd, KVM_GET_NESTED_STATE, &s->nested);
	}
	tsc_offset(vcpu, KVM_GET_DEVICE_ATTR, &s->tsc_offset);
	s->cpuid = calloc(1, sizeof(*s->cpuid) + 256 * sizeof(s->cpuid->entries[0]));
	s->cpuid->nent = 256;
	MUST(vcpu->fd, KVM_GET_CPUID2, s->cpuid);
}

void vm_state_save(struct vm *vm, struct vm_state *s)
{
	unsigned int i;

	memset(s, 0, sizeof(*s));
	s->flags = vm->flags;
	s->nr_vcpus = vm->nr_vcpus;
	s->tsc_khz = MUST(vm->vcpus[0].fd, KVM_GET_TSC_KHZ, 0);
	s->host_tsc = rdtsc();
	s->mono_ns = mono_ns();
	if (vm->flags & VM_IRQCHIP) {
		s->has_pit = !ioctl(vm->fd, KVM_GET_PIT2, &s->pit);
		for (i = 0; i < 3; i++) {
			s->chip[i].chip_id = i;
			MUST(vm->fd, KVM_GET_IRQCHIP, &s->chip[i]);
		}
	}
	for (i = 0; i < vm->nr_vcpus; i++)
		save_vcpu(&vm->vcpus[i], &s->vcpu[i]);
	s->mem_size = vm->mem_size;
	s->mem = mmap(NULL, s->mem_size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1,
		      0);
	ASSERT(s->mem != MAP_FAILED, "%s", strerror(errno));
	memcpy(s->mem, vm->mem, s->mem_size);
}

static void set_msrs(struct vcpu *vcpu, const struct vcpu_state *s)
{
	u32 n = MUST(vcpu->fd, KVM_SET_MSRS, &s->msrs);

	ASSERT(n == s->msrs.head.nmsrs, "MSR %#x refuses the %#llx that was read from it. %s",
	       s->msrs.entry[n].index, (u64)s->msrs.entry[n].data, refusal_text(vcpu->fd));
}

static void restore_vcpu(struct vcpu *vcpu, const struct vm_state *vs, const struct vcpu_state *s,
			 u64 host_tsc, unsigned int without)
{
	u64 offset = s->tsc_offset + vs->host_tsc - host_tsc;

	MUST(vcpu->fd, KVM_SET_CPUID2, s->cpuid);
	MUST(vcpu->fd, KVM_SET_TSC_KHZ, (uintptr_t)vs->tsc_khz);
	if (!(without & STATE_TSC))
		tsc_offset(vcpu, KVM_SET_DEVICE_ATTR, &offset);
	if (!(without & STATE_SREGS))
		MUST(vcpu->fd, KVM_SET_SREGS2, &s->sregs);
	if ((vs->flags & VM_IRQCHIP) && !(without & STATE_LAPIC))
		MUST(vcpu->fd, KVM_SET_LAPIC, &s->lapic);
	if (!(without & STATE_OF_MSRS))
		set_msrs(vcpu, s);
	if (!(without & STATE_XCRS))
		MUST(vcpu->fd, KVM_SET_XCRS, &s->xcrs);
	if (!(without & STATE_XSAVE))
		MUST(vcpu->fd, KVM_SET_XSAVE, &s->xsave);
	if ((vs->flags & VM_EXPOSE) && !(without & STATE_NESTED))
		MUST(vcpu->fd, KVM_SET_NESTED_STATE, &s->nested);
	if (!(without & STATE_REGS))
		MUST(vcpu->fd, KVM_SET_REGS, &s->regs);
	if (!(without & STATE_DEBUGREGS))
		MUST(vcpu->fd, KVM_SET_DEBUGREGS, &s->debugregs);
	if (!(without & STATE_EVENTS))
		MUST(vcpu->fd, KVM_SET_VCPU_EVENTS, &s->events);
	if (!(without & STATE_MP))
		MUST(vcpu->fd, KVM_SET_MP_STATE, &s->mp);
}

static void restore_chips(struct vm *vm, const struct vm_state *s)
{
	struct kvm_pit_state2 pit = s->pit;
	unsigned int i;

	for (i = 0; i < 3; i++)
		MUST(vm->fd, KVM_SET_IRQCHIP, &s->chip[i]);
	if (!s->has_pit)
		return;
	/* The clock of another boot counts from elsewhere. */
	for (i = 0; i < 3; i++)
		pit.channels[i].count_load_time += mono_ns() - s->mono_ns;
	MUST(vm->fd, KVM_SET_PIT2, &pit);
}

void vm_state_restore(struct vm *vm, const struct vm_state *s, unsigned int without)
{
	struct kvm_pit_config pit = { 0 };
	unsigned int i;
	u64 now;

	vm_create_sized(vm, s->flags, s->mem_size);
	vm_state_prepare(vm);
	if (s->has_pit)
		MUST(vm->fd, KVM_CREATE_PIT2, &pit);
	for (i = 0; i < s->nr_vcpus; i++)
		vm_add_vcpu(vm);
	/* Read once: the vCPUs stay in step with each other. */
	now = rdtsc();
	for (i = 0; i < s->nr_vcpus; i++)
		restore_vcpu(&vm->vcpus[i], s, &s->vcpu[i], now, without);
	if ((s->flags & VM_IRQCHIP) && !(without & STATE_IRQCHIP))
		restore_chips(vm, s);
	if (!(without & STATE_MEMORY))
		memcpy(vm->mem, s->mem, s->mem_size);
}

void vm_state_free(struct vm_state *s)
{
	unsigned int i;

	for (i = 0; i < s->nr_vcpus; i++)
		free(s->vcpu[i].cpuid);
	munmap(s->mem, s->mem_size);
}
