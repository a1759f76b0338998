// SPDX-License-Identifier: GPL-2.0
/* The L1s of mitigations.c: what L0 does for them, the program sees. */
#include "l1.h"

#define LARGE_AT	0x10000000ul
#define CODE_IN_LARGE	0x1000
#define STEP(n)		outb(0x50, n)

static void l2_reads(void)
{
	vmcall(*(volatile u8 *)(LARGE_AT + 0x100000));
	vmcall(*(volatile u8 *)(LARGE_AT + 0x100000));
}

GUEST_CASE(_l2_in_a_large_page, NEED_VMX)
{
	l1_start(l2_reads);
	l1_ept_on();
	EXPECT_EXIT(VMEXIT_VMCALL);
	STEP(1);
	l1_set_l2((void (*)(void))(LARGE_AT + CODE_IN_LARGE));
	EXPECT_EXIT(VMEXIT_VMCALL);
	STEP(2);
	l1_set_l2(l2_reads);
	EXPECT_EXIT(VMEXIT_VMCALL);
	STEP(3);
}

static void l2_calls(void)
{
	for (;;)
		vmcall(0);
}

GUEST_CASE(_l2_calls, NEED_VMX)
{
	int i;

	l1_start(l2_calls);
	EXPECT_EXIT(VMEXIT_VMCALL);
	STEP(1);
	for (i = 0; i < 5; i++) {
		l1_skip_insn();
		EXPECT_EXIT(VMEXIT_VMCALL);
	}
	STEP(2);
}
