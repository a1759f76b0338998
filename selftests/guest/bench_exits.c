// SPDX-License-Identifier: GPL-2.0
/*
 * The guest's half of selftests/bench/exits.c. results[0]: ticks of all rounds,
 * results[1]: rounds.
 */
#include "l1.h"
#include "apic.h"

#define ROUNDS		200
#define PORT_MEASURE	0x70

static u64 began;

static void begin(void)
{
	outb(PORT_MEASURE, 0);
	began = rdtsc();
}

static void done(u64 rounds)
{
	PARAMS->results[0] = rdtsc() - began;
	PARAMS->results[1] = rounds;
	outb(PORT_MEASURE, 1);
}

GUEST_CASE(_l1_cpuid, 0)
{
	int i;

	cpuid(0, 0);
	begin();
	for (i = 0; i < ROUNDS; i++)
		cpuid(0, 0);
	done(ROUNDS);
}

#define VEC	0x40

/* From the deadline to the handler, while the CPU is in HLT. */
static volatile u64 woke;

static void on_timer(struct trap_frame *f)
{
	woke = rdtsc();
	apic_eoi();
}

GUEST_CASE(_l1_hlt_to_timer, NEED_IRQCHIP)
{
	const int rounds = 20;
	u64 late = 0;
	int i;

	if (!(cpuid(1, 0).ecx & BIT(24)))
		skip("CPUID shows no TSC deadline");
	if (cpu_has_x2apic())
		apic_x2apic();
	apic_enable();
	on_trap(VEC, on_timer);
	apic_write(APIC_LVT_TIMER, VEC | APIC_TIMER_DEADLINE);
	begin();
	for (i = 0; i < rounds; i++) {
		u64 deadline = rdtsc() + 2000000;

		wrmsr(IA32_TSC_DEADLINE, deadline);
		sti_hlt();
		cli();
		late += woke - deadline;
	}
	done(rounds);
	PARAMS->results[0] = late;
}

static void l2_cpuid(void)
{
	for (;;)
		cpuid(0, 0);
}

static void handle_cpuid(unsigned int reads)
{
	int i;

	for (i = -10; i < ROUNDS; i++) {
		if (!i)
			begin();
		l1_enter();
		if (vmr(VMCS_EXIT_REASON) != VMEXIT_CPUID)
			failed("exit reason %llx", vmr(VMCS_EXIT_REASON));
		if (reads > 1) {
			vmr(VMCS_EXIT_QUALIFICATION);
			vmr(VMCS_GUEST_RFLAGS);
			vmr(VMCS_GUEST_CR0);
			vmr(VMCS_GUEST_INTERRUPTIBILITY);
		}
		vmw(VMCS_GUEST_RIP, vmr(VMCS_GUEST_RIP) + 2);
	}
	done(ROUNDS);
}

GUEST_CASE(_l2_cpuid, NEED_VMX)
{
	l1_start(l2_cpuid);
	handle_cpuid(1);
}

/* With a few more fields read, as real hypervisors do: VMCS shadowing or not. */
GUEST_CASE(_l2_cpuid_4_vmreads, NEED_VMX)
{
	l1_start(l2_cpuid);
	handle_cpuid(4);
}

/* An exit of L2 that L1 has not asked for: RDMSR of an MSR that L0 emulates. */
static void l2_rdmsr(void)
{
	int i;

	rdmsr(IA32_MTRRCAP);
	begin();
	for (i = 0; i < ROUNDS; i++)
		rdmsr(IA32_MTRRCAP);
	done(ROUNDS);
	vmcall(0);
}

GUEST_CASE(_l2_exit_of_l0, NEED_VMX)
{
	l1_start(l2_rdmsr);
	l1_ctl_set(VMCS_PROC_CTLS, PROC_MSR_BITMAPS, "MSR bitmaps");
	EXPECT_L2_DONE();
}

#define FRESH	0x2000000ul		/* 32 MiB: of L1's memory, which L1 has touched */

static void touch_all(u64 step, u64 count)
{
	u64 i;

	for (i = 0; i < count; i++)
		*(volatile u64 *)(FRESH + i * step) = i;
}

static void l2_touch_4k(void)
{
	begin();
	touch_all(4096, 512);
	done(512);
	vmcall(0);
}

static void l2_touch_2m(void)
{
	begin();
	touch_all(2 << 20, 8);
	done(8);
	vmcall(0);
}

GUEST_CASE(_l2_first_touch_4k, NEED_VMX)
{
	touch_all(4096, 512);
	l1_start(l2_touch_4k);
	l1_ept_on();
	l1_ept_4k(FRESH);
	l1_invept();
	EXPECT_L2_DONE();
}

GUEST_CASE(_l2_first_touch_2m, NEED_VMX)
{
	touch_all(2 << 20, 8);
	l1_start(l2_touch_2m);
	l1_ept_on();
	EXPECT_L2_DONE();
}
