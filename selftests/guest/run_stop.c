// SPDX-License-Identifier: GPL-2.0
/* The guest's half of selftests/run_stop.c. */
#include "guest.h"

/* Interrupts on: the emulated CPU would else keep L0's timer and signals away. */
GUEST_CASE(_spin, 0)
{
	sti();
	for (;;)
		PARAMS->results[0]++;
}

GUEST_CASE(_halt, NEED_IRQCHIP)
{
	sti();
	for (;;)
		hlt();
}

GUEST_CASE(_ask, 0)
{
	EXPECT_EQ(inb(0x50), 0x42, "what IN gives");
	EXPECT_EQ(*(volatile u32 *)0xd0000000ul, 0x12345678, "what MMIO gives");
}
