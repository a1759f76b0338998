// SPDX-License-Identifier: GPL-2.0
/*
 * A workload that knows what must come out of it, to be saved and restored at any
 * point: L2 computes a checksum through devices, L1 and its own registers, with a
 * timer, injected interrupts and TSC in play. PARAMS->args[0] != 0: it is enough.
 */
#include "apic.h"
#include "l1.h"

#define TICK		0x40
#define L2_IRQ		0x55
#define L2_SOFT		0x56
/* Some are over before a state can be read, some are not. */
#define TICK_TSC	30000
#define PERIOD		600000
#define PREEMPT_TSC	3000

#define PORT_OUT	0x510
#define PORT_IN		0x514
#define PORT_OUTS	0x518
#define PORT_INS	0x51c
#define MMIO		0xd0000000ul
#define HOLE		0xe0000000ul
#define STRING		24
#define DONE		0x1234
#define STEPS_MIN	64

static volatile u64 ticks, l2_irqs, l2_soft, l2_uds, l2_pfs;
static volatile u64 l2_xmm, l2_result, l2_steps, last_tsc[2], tsc_backwards;
static bool periodic;

static u64 mix(u64 x, u64 y)
{
	x = (x ^ y) * 0xbf58476d1ce4e5b9ull + 0x9e3779b97f4a7c15ull;
	return x ^ x >> 29;
}

/* What devices and L1 make of what they are given; the test program has the same. */
static u32 answer(u32 v)
{
	return v * 0x2545f491u + 0x1234567u;
}

/* L1's handlers and L2's may come between, so each level has its own. */
static void see_tsc(int level)
{
	u64 now = rdtsc();

	if (now < last_tsc[level])
		tsc_backwards++;
	last_tsc[level] = now;
}

static void tick(struct trap_frame *f)
{
	ticks++;
	if (!periodic)
		wrmsr(IA32_TSC_DEADLINE, rdtsc() + TICK_TSC * (1 + ticks % 8));
	apic_eoi();
}

static void l2_irq(struct trap_frame *f)
{
	l2_irqs++;
}

static void soft(struct trap_frame *f)
{
	l2_soft++;
}

static void ud(struct trap_frame *f)
{
	l2_uds++;
	f->rip += 2;
}

static void pf(struct trap_frame *f)
{
	l2_pfs += read_cr2();
	f->rip += 3;
}

static void spin(void)
{
	int i;

	for (i = 0; i < 50; i++)
		cpu_relax();
}

static u64 through_xmm(u64 x)
{
	u64 y;

	asm volatile("movq %0, %%xmm3\n\tmovq %1, %%xmm9" : : "r"(x), "r"(~x));
	spin();
	asm volatile("movq %%xmm3, %0" : "=r"(y));
	asm volatile("movq %%xmm9, %0" : "=r"(x));
	return y == ~x ? y : 0;
}

static u64 strings(u64 x)
{
	u8 out[STRING], in[STRING];
	const u8 *from = out;
	u8 *to = in;
	u64 count = STRING;
	int i;

	for (i = 0; i < STRING; i++)
		out[i] = x >> (i % 8 * 8);
	asm volatile("rep outsb" : "+S"(from), "+c"(count) : "d"(PORT_OUTS) : "memory");
	count = STRING;
	asm volatile("rep insb" : "+D"(to), "+c"(count) : "d"(PORT_INS) : "memory");
	for (i = 0; i < STRING; i++)
		if (in[i] != (u8)(out[i] ^ 0x5a))
			return 0;
	return x;
}

/* One thing that L2 does with the checksum; @real or as it must turn out. */
static u64 step(u64 x, u64 i, bool real)
{
	switch (i % 12) {
	case 0:		/* an exit to L1, in a register */
		return mix(x, real ? cpuid(x, 0).eax : answer(x));
	case 1:
		if (!real)
			return mix(x, answer(x));
		outl(PORT_OUT, x);
		return mix(x, inl(PORT_IN));
	case 2:
		if (!real)
			return mix(x, answer(x));
		*(volatile u32 *)MMIO = x;
		return mix(x, *(volatile u32 *)(MMIO + 8));
	case 3:
		return mix(x, real ? through_xmm(x) : x);
	case 4:
		return mix(x, real ? strings(x) : x);
	case 5:		/* an MSR and a register that no VMCS holds */
		if (!real)
			return mix(mix(x, x >> 20), x >> 30);
		wrmsr(IA32_KERNEL_GS_BASE, x >> 20);
		write_dr0(x >> 30);
		spin();
		x = mix(x, rdmsr(IA32_KERNEL_GS_BASE));
		return mix(x, read_dr0());
	case 6:
		if (!real)
			return mix(x, 1);
		l2_soft = 0;
		asm volatile("int $0x56" : : : "memory");
		return mix(x, l2_soft);
	case 7:
		if (!real)
			return mix(x, 1);
		l2_uds = 0;
		asm volatile("ud2" : : : "memory");
		return mix(x, l2_uds);
	case 8:
		if (!real)
			return mix(x, HOLE + (x & 0xff8));
		l2_pfs = 0;
		asm volatile("mov (%0), %0" : : "a"(HOLE + (x & 0xff8)) : "memory");
		return mix(x, l2_pfs);
	case 9:
		if (!real)
			return mix(x, 1);
		hlt();		/* an interrupt of L1's ends it */
		return mix(x, 1);
	case 10:	/* the flags, and a loop of plain work */
		if (real)
			spin();
		return mix(x, i);
	default:
		if (real)
			asm volatile("std; call 1f; jmp 2f; 1: pause; pause; ret; 2: cld" : : :
				     "memory");
		return mix(x, i * 3);
	}
}

/* Nobody else uses this one. */
#define XMM_KEPT	0x1badb002c0ffee00ull

static void l2_main(void)
{
	u64 x = 1, i, kept;

	asm volatile("movq %0, %%xmm12" : : "r"(XMM_KEPT));
	sti();
	for (i = 0; i < STEPS_MIN || !PARAMS->args[0]; i++) {
		x = step(x, i, true);
		see_tsc(1);
		l2_steps = i + 1;
	}
	cli();
	asm volatile("movq %%xmm12, %0" : "=r"(kept));
	l2_xmm = kept;
	l2_result = x;
	vmcall(DONE);
}

/* ---- L1 ------------------------------------------------------------------------ */

static u32 preempt_count;
static u64 entered_at, preempt_early;

static void setup(bool ept, bool deadline)
{
	periodic = !deadline;
	if (deadline)
		apic_x2apic();
	apic_enable();
	on_trap(TICK, tick);
	on_trap(L2_IRQ, l2_irq);
	on_trap(L2_SOFT, soft);
	*page_entry(HOLE) = 0;
	l1_start(l2_main);
	on_trap(VEC_UD, ud);
	on_trap(VEC_PF, pf);
	if (ept)
		l1_ept_on();
	l1_ctl_set(VMCS_PIN_CTLS, PIN_EXT_INTR, "external-interrupt exiting");
	if (l1_ctl_allowed(VMCS_PIN_CTLS, PIN_PREEMPT_TIMER)) {
		preempt_count = PREEMPT_TSC >> (rdmsr(IA32_VMX_MISC) & VMX_MISC_PREEMPT_RATE);
		l1_ctl_set(VMCS_PIN_CTLS, PIN_PREEMPT_TIMER, "the preemption timer");
		vmw(VMCS_GUEST_PREEMPT_TIMER, preempt_count);
	}
	if (deadline) {
		apic_write(APIC_LVT_TIMER, TICK | APIC_TIMER_DEADLINE);
		wrmsr(IA32_TSC_DEADLINE, rdtsc() + TICK_TSC);
	} else {
		apic_timer(TICK | APIC_TIMER_PERIODIC, PERIOD);
	}
}

/* What an exit interrupted goes first; else a tick of ours is an interrupt for L2. */
static void inject(u64 ticks_before)
{
	u64 info = vmr(VMCS_IDT_VECTORING_INFO);

	if (info & INTR_INFO_VALID) {
		vmw(VMCS_ENTRY_INTR_INFO, info & ~0x7ffff000ull);
		vmw(VMCS_ENTRY_ERROR_CODE, vmr(VMCS_IDT_VECTORING_ERROR));
		vmw(VMCS_ENTRY_INSN_LEN, vmr(VMCS_EXIT_INSN_LEN));
		return;
	}
	if (ticks != ticks_before && (vmr(VMCS_GUEST_RFLAGS) & RFLAGS_IF) &&
	    !(vmr(VMCS_GUEST_INTERRUPTIBILITY) & 3))
		vmw(VMCS_ENTRY_INTR_INFO, INTR_INFO_VALID | INTR_TYPE_EXT | L2_IRQ);
}

/* Answers one exit; false: L2 is done. */
static bool serve(u32 reason)
{
	switch (reason) {
	case VMEXIT_EXTERNAL_INTERRUPT:
	case VMEXIT_MTF:
		return true;
	case VMEXIT_PREEMPT_TIMER:
		if (rdtsc() - entered_at <
		    (u64)preempt_count << (rdmsr(IA32_VMX_MISC) & VMX_MISC_PREEMPT_RATE))
			preempt_early++;
		return true;
	case VMEXIT_CPUID:
		l2.rax = answer(l2.rax);
		l1_skip_insn();
		return true;
	case VMEXIT_VMCALL:
		if (l2.rax == DONE)
			return false;
	}
	failed("exit %x, qualification %llx; L2 is at %llx after %llu steps", reason,
	       vmr(VMCS_EXIT_QUALIFICATION), vmr(VMCS_GUEST_RIP), l2_steps);
	return false;
}

static void verify(void)
{
	u64 x = 1, i;

	for (i = 0; i < l2_steps; i++)
		x = step(x, i, false);
	EXPECT_EQ(l2_result, x, "the checksum");
	EXPECT_EQ(l2_xmm, XMM_KEPT, "XMM12 of L2");
	EXPECT_EQ(tsc_backwards, 0, "times the TSC went backwards");
	EXPECT_EQ(preempt_early, 0, "times the preemption timer was early");
	EXPECT(ticks, "no tick in %llu steps", l2_steps);
	EXPECT(l2_irqs, "L2 had no interrupt in %llu steps, with %llu ticks", l2_steps, ticks);
	PARAMS->results[0] = l2_steps;
	PARAMS->results[1] = ticks;
	PARAMS->results[2] = l2_irqs;
}

static void work(bool ept, bool deadline)
{
	bool mtf = l1_ctl_allowed(VMCS_PROC_CTLS, PROC_MTF);
	u64 before, turns = 0;
	u32 reason;

	setup(ept, deadline);
	do {
		if (mtf && turns % 8 == 3)
			vmw(VMCS_PROC_CTLS, vmr(VMCS_PROC_CTLS) | PROC_MTF);
		entered_at = rdtsc();
		reason = l1_run();
		see_tsc(0);
		if (mtf && turns % 8 == 3)
			l1_ctl_clear(VMCS_PROC_CTLS, PROC_MTF);
		before = ticks;
		sti();
		cpu_relax();
		cli();
		inject(before);
		turns++;
	} while (serve(reason));
	verify();
}

GUEST_CASE(_ept_deadline, NEED_VMX | NEED_IRQCHIP)
{
	work(true, true);
}

GUEST_CASE(_plain_periodic, NEED_VMX | NEED_IRQCHIP)
{
	work(false, false);
}

/* ---- less VT-x than the host has -------------------------------------------------- */

GUEST_CASE(_restricted, NEED_VMX)
{
	u64 v = 0;

	l1_start(l2_main);
	EXPECT(!l1_ctl_allowed(VMCS_PIN_CTLS, PIN_PREEMPT_TIMER), "the timer is offered");
	EXPECT(!l1_ctl_allowed(VMCS_PROC2_CTLS, PROC2_EPT), "EPT is offered");
	EXPECT(!(rdmsr(IA32_VMX_PINBASED_CTLS) >> 32 & PIN_PREEMPT_TIMER),
	       "the plain MSR offers the timer");
	/* Fields come and go with the controls. */
	EXPECT_EQ(vmread(VMCS_GUEST_PREEMPT_TIMER, &v), VMX_ERROR, "VMREAD of the timer's value");
	EXPECT_EQ(vmwrite(VMCS_EPTP, 0), VMX_ERROR, "VMWRITE of EPTP");
	vmw(VMCS_PIN_CTLS, vmr(VMCS_PIN_CTLS) | PIN_PREEMPT_TIMER);
	EXPECT_EQ(vmlaunch_fails(), VMX_ERROR, "VMLAUNCH with the timer");
	EXPECT_EQ(vmr(VMCS_INSN_ERROR), VMERR_ENTRY_CONTROLS, "its error");
}
