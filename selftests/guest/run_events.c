// SPDX-License-Identifier: GPL-2.0
/* The guest's half of selftests/run_events.c. */
#include "apic.h"

static volatile u32 taken, nmis;

static void on_irq(struct trap_frame *f)
{
	taken++;
}

static void on_nmi(struct trap_frame *f)
{
	nmis++;
}

GUEST_CASE(_wait_for_interrupt, 0)
{
	on_trap(0x55, on_irq);
	sti_hlt();
	cli();
	EXPECT_EQ(taken, 1, "interrupts");
	sti_hlt();
	cli();
	EXPECT_EQ(taken, 2, "interrupts");
}

/* The window opens behind STI's shadow. */
GUEST_CASE(_window, 0)
{
	on_trap(0x55, on_irq);
	outb(0x50, 1);
	EXPECT_EQ(taken, 0, "interrupts with IF = 0");
	sti();
	asm volatile("nop; nop");
	cli();
	EXPECT_EQ(taken, 1, "interrupts");
}

GUEST_CASE(_nmi, 0)
{
	on_trap(VEC_NMI, on_nmi);
	outb(0x50, 1);
	EXPECT_EQ(nmis, 1, "NMIs");
	outb(0x50, 2);
	EXPECT_EQ(nmis, 2, "NMIs");
}

static void on_nmi_that_takes_long(struct trap_frame *f)
{
	if (!nmis++)
		outb(0x50, 2);
}

GUEST_CASE(_nmis_while_one_is_handled, 0)
{
	on_trap(VEC_NMI, on_nmi_that_takes_long);
	outb(0x50, 1);
	asm volatile("nop; nop");
	EXPECT_EQ(nmis, 2, "NMIs handled");
}

GUEST_CASE(_injected_exception, 0)
{
	EXPECT_EQ(CATCH("outb %%al, $0x50", , "a"(0)), VEC_GP, "the vector");
	EXPECT_EQ(trap.error, 0x1234, "the error code");
}

#define EXTINT		0x700
#define STEP(n)		outb(0x50, n)

static void let_in(void)
{
	sti();
	asm volatile("nop; nop");
	cli();
}

static void take_from_pic(void)
{
	apic_enable();
	apic_write(APIC_LVT_LINT0, EXTINT);
	on_trap(0x55, on_irq);
}

GUEST_CASE(_split, 0)
{
	take_from_pic();
	STEP(1);
	EXPECT_EQ(taken, 0, "interrupts with IF = 0");
	let_in();
	EXPECT_EQ(taken, 1, "interrupts");
	STEP(2);
	apic_write(APIC_LVT_LINT0, EXTINT | APIC_LVT_MASKED);
	sti();
	asm volatile("nop; nop");
	STEP(3);
	asm volatile("nop; nop");
	cli();
	EXPECT_EQ(taken, 1, "interrupts while LINT0 is masked");
	apic_write(APIC_LVT_LINT0, EXTINT);
	let_in();
	EXPECT_EQ(taken, 2, "interrupts after LINT0 is open again");
}

GUEST_CASE(_split_wait, 0)
{
	take_from_pic();
	STEP(1);
	sti_hlt();
	cli();
	EXPECT_EQ(taken, 1, "interrupts");
	STEP(2);
	sti_hlt();
	cli();
	EXPECT_EQ(taken, 2, "interrupts");
}

GUEST_CASE(_split_late, 0)
{
	take_from_pic();
	STEP(1);
	STEP(2);
	EXPECT_EQ(taken, 0, "interrupts with IF = 0");
	let_in();
	EXPECT_EQ(taken, 1, "interrupts");
	sti();
	asm volatile("nop; nop");
	STEP(3);
	asm volatile("nop; nop");
	cli();
	EXPECT_EQ(taken, 2, "interrupts");
}

#define MC_STATUS(i)	(IA32_MC0_CTL + 4 * (i) + 1)
#define MC_ADDR(i)	(IA32_MC0_CTL + 4 * (i) + 2)
#define MC_MISC(i)	(IA32_MC0_CTL + 4 * (i) + 3)

static volatile u32 checks;
static volatile u64 mcg_status;

static void on_machine_check(struct trap_frame *f)
{
	checks++;
	mcg_status = rdmsr(IA32_MCG_STATUS);
	wrmsr(IA32_MCG_STATUS, 0);
}

static int try_wrmsr(u32 msr, u64 v)
{
	return CATCH("wrmsr", , ARGS("c"(msr), "a"((u32)v), "d"((u32)(v >> 32))));
}

static int try_rdmsr(u32 msr)
{
	return CATCH("rdmsr", , ARGS("c"(msr)), "rax", "rdx");
}

GUEST_CASE(_machine_check, 0)
{
	on_trap(VEC_MC, on_machine_check);
	write_cr4(read_cr4() | CR4_MCE);
	EXPECT_EQ(rdmsr(IA32_MCG_CAP), 0x10a, "IA32_MCG_CAP");
	EXPECT_EQ(rdmsr(IA32_MCG_CTL), ~0ull, "IA32_MCG_CTL");
	EXPECT_EQ(try_wrmsr(IA32_MCG_CAP, 0x10a), VEC_GP, "the vector of WRMSR of IA32_MCG_CAP");
	EXPECT_EQ(try_rdmsr(MC_STATUS(10)), VEC_GP, "the vector of RDMSR of bank 10");
	STEP(1);
	EXPECT_EQ(checks, 1, "machine checks");
	EXPECT_EQ(mcg_status, 5, "IA32_MCG_STATUS");
	EXPECT_EQ(rdmsr(MC_STATUS(3)), 0xbf00000000000136ull, "IA32_MC3_STATUS");
	EXPECT_EQ(rdmsr(MC_ADDR(3)), 0x1234000, "IA32_MC3_ADDR");
	EXPECT_EQ(rdmsr(MC_MISC(3)), 0x8c, "IA32_MC3_MISC");
	EXPECT_EQ(try_wrmsr(MC_STATUS(3), 1), VEC_GP, "the vector of WRMSR of a status");
	wrmsr(MC_STATUS(3), 0);
	EXPECT_EQ(rdmsr(MC_STATUS(3)), 0, "IA32_MC3_STATUS after it was cleared");
	STEP(2);
	EXPECT_EQ(checks, 1, "machine checks after a corrected error");
	EXPECT_EQ(rdmsr(MC_STATUS(4)), 0x8c00000000000136ull, "IA32_MC4_STATUS");
	write_cr4(read_cr4() & ~CR4_MCE);
	STEP(3);
	failed("a machine check with CR4.MCE off did not shut the CPU down");
}
