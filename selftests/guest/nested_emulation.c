// SPDX-License-Identifier: GPL-2.0
/* Instructions of L2 that L0 has to execute, or cannot: what L1 and L2 learn of it. */
#include "l1.h"

#define MMIO		0xd0000000ul		/* nothing is there */
#define MEMORY_END	0x1000000ul		/* no slot from here on */

static void l2_runs_off_memory(void)
{
	*(volatile u8 *)(MEMORY_END - 1) = 0x8b;
	EXPECT_EQ(CATCH("jmp *%0", , "r"(MEMORY_END - 1)), VEC_UD, "the vector at the edge");
	EXPECT_EQ(CATCH("jmp *%0", , "r"(MMIO)), VEC_UD, "the vector in a device");
	vmcall(0);
}

GUEST_CASE(fetch_ends_with_memory, NEED_VMX)
{
	l1_start(l2_runs_off_memory);
	EXPECT_L2_DONE();
}

GUEST_CASE(fetch_ends_with_memory_ept, NEED_VMX)
{
	l1_start(l2_runs_off_memory);
	l1_ept_on();
	EXPECT_L2_DONE();
}

static void l2_loads_x87(void)
{
	EXPECT_EQ(CATCH("fldl (%0)", , "r"(MMIO)), VEC_UD, "the vector");
	vmcall(0);
}

/* An instruction that L0's interpreter does not know is one that L2's CPU does not have. */
GUEST_CASE(unknown_instruction, NEED_VMX)
{
	l1_start(l2_loads_x87);
	EXPECT_L2_DONE();
	/* and L1 may want to see that */
	l1_set_l2(l2_loads_x87);
	vmw(VMCS_EXCEPTION_BITMAP, BIT(VEC_UD));
	EXPECT_EXIT(VMEXIT_EXCEPTION_NMI);
	EXPECT_EQ(vmr(VMCS_EXIT_INTR_INFO),
		  INTR_INFO_VALID | INTR_TYPE_HARD_EXC | VEC_UD, "the interruption information");
}

static void l2_has_its_idt_in_a_device(void)
{
	struct descriptor_ptr none = { 0xfff, MMIO };

	asm volatile("lidt %0; ud2" : : "m"(none));
}

/* An event that cannot be delivered: to L1 it is L2's shutdown. */
GUEST_CASE(delivery_meets_a_device, NEED_VMX)
{
	l1_start(l2_has_its_idt_in_a_device);
	EXPECT_EXIT(VMEXIT_TRIPLE_FAULT);
	/* L1 goes on, and so does L0. */
	EXPECT_EQ(CATCH("ud2", , ), VEC_UD, "the vector in L1");
}

static u8 words[64];

static void l2_rep_outs(void)
{
	const void *from = words;
	u64 count = 3;

	asm volatile("rep outsb" : "+S"(from), "+c"(count) : "d"(GUEST_PORT_NOTHING) : "memory");
	vmcall(0);
}

/* SDM 3C "Monitor Trap Flag": an exit behind each iteration, of a REP that L0 does as well. */
GUEST_CASE(monitor_trap_flag_in_a_string, NEED_VMX)
{
	u64 rip;

	l1_start(l2_rep_outs);
	l1_ctl_set(VMCS_PROC_CTLS, PROC_MTF, "the monitor trap flag");
	do {
		EXPECT_EXIT(VMEXIT_MTF);
	} while (*(u16 *)vmr(VMCS_GUEST_RIP) != 0x6ef3);
	EXPECT_EQ(l2.rcx, 3, "RCX before the string");
	rip = vmr(VMCS_GUEST_RIP);
	EXPECT_EXIT(VMEXIT_MTF);
	EXPECT_EQ(vmr(VMCS_GUEST_RIP), rip, "RIP after the first");
	EXPECT_EQ(l2.rcx, 2, "RCX after the first");
	EXPECT_EXIT(VMEXIT_MTF);
	EXPECT_EQ(l2.rcx, 1, "RCX after the second");
	EXPECT_EXIT(VMEXIT_MTF);
	EXPECT_EQ(vmr(VMCS_GUEST_RIP), rip + 2, "RIP after the third");
	EXPECT_EQ(l2.rcx, 0, "RCX after the third");
}
