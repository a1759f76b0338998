// SPDX-License-Identifier: GPL-2.0
/* What makes L0 allocate as it goes: memory that was not touched, L2, another VMCS. */
#include "l1.h"

#define TOUCHED		(GUEST_FREE + 0x200000ul)
#define PAGES		8

static void touch(void)
{
	unsigned int i;

	for (i = 0; i < PAGES; i++)
		*(volatile u64 *)(TOUCHED + i * 0x1000) = i;
}

GUEST_CASE(_memory, 0)
{
	touch();
}

static void l2_touches(void)
{
	touch();
	vmcall(1);
	outb(GUEST_PORT_NOTHING, 0);
	vmcall(2);
}


GUEST_CASE(_l2, NEED_VMX)
{
	l1_start(l2_touches);
	EXPECT_EXIT(VMEXIT_VMCALL);
	l1_skip_insn();
	EXPECT_EXIT(VMEXIT_VMCALL);
	vmxoff();
}

GUEST_CASE(_l2_with_ept, NEED_VMX)
{
	l1_start(l2_touches);
	l1_ept_on();
	EXPECT_EXIT(VMEXIT_VMCALL);
	l1_skip_insn();
	EXPECT_EXIT(VMEXIT_VMCALL);
	vmxoff();
}
