// SPDX-License-Identifier: GPL-2.0
/* The guest's half of selftests/run_events.c. */
#include "guest.h"

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
