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
