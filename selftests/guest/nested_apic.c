// SPDX-License-Identifier: GPL-2.0
/* L2's virtual APIC: the APIC-access page, the TPR shadow and its threshold. */
#include "l1.h"
#include "apic.h"

#define SLOT	0x10000000ul
#define VAPIC	(GUEST_FREE + 0x200000ul)
#define ACCESS	(GUEST_FREE + 0x201000ul)	/* an APIC-access page that is memory */
#define NOTHING	0xfee00000ul			/* one that is not */
#define IRQ	0x55

static volatile u32 taken;

static void count_only(struct trap_frame *f)
{
	taken++;
}

static u64 qual(void)
{
	return vmr(VMCS_EXIT_QUALIFICATION);
}

static void l2_done(void)
{
	vmcall(0);
}

static void start(void (*fn)(void), u64 access)
{
	memset((void *)VAPIC, 0, 4096);
	l1_start(fn);
	l1_ctl_set(VMCS_PROC_CTLS, PROC_TPR_SHADOW, "the TPR shadow");
	l1_ctl_clear(VMCS_PROC_CTLS, PROC_CR8_LOAD | PROC_CR8_STORE);
	vmw(VMCS_VIRTUAL_APIC, VAPIC);
	vmw(VMCS_TPR_THRESHOLD, 0);
	if (!access)
		return;
	l1_ctl_set(VMCS_PROC2_CTLS, PROC2_APIC_ACCESS, "virtualization of APIC accesses");
	vmw(VMCS_APIC_ACCESS, access);
}

/* ---- APIC accesses -------------------------------------------------------------- */

static u64 access;

static void l2_accesses(void)
{
	u32 v;

	asm volatile("mov 0x20(%1), %0" : "=r"(v) : "r"(access) : "memory");
	asm volatile("movl %0, 0x300(%1)" : : "r"(0x77), "r"(access) : "memory");
	vmcall(0);
}

static void expect_accesses(void)
{
	EXPECT_EXIT(VMEXIT_APIC_ACCESS);
	EXPECT_EQ(qual(), 0x20, "the qualification of a read");
	l1_skip_insn();
	EXPECT_EXIT(VMEXIT_APIC_ACCESS);
	EXPECT_EQ(qual(), 0x1300, "the qualification of a write");
	l1_skip_insn();
	EXPECT_L2_DONE();
}

static void expect_accesses_of_nothing(void)
{
	EXPECT_EXIT(VMEXIT_APIC_ACCESS);
	EXPECT_EQ(qual(), 0x20, "the qualification of a read");
	l1_set_l2(l2_done);
	EXPECT_L2_DONE();
}

GUEST_CASE(accesses, NEED_VMX)
{
	access = ACCESS;
	start(l2_accesses, access);
	expect_accesses();
}

GUEST_CASE(accesses_with_ept, NEED_VMX)
{
	access = ACCESS;
	start(l2_accesses, access);
	l1_ept_on();
	expect_accesses();
}

/* A large page of EPT02 around the page would let L2 through. */
GUEST_CASE(accesses_beside_large_pages, NEED_VMX)
{
	access = ACCESS;
	start(l2_accesses, 0);
	l1_ept_on();
	EXPECT_L2_DONE();
	l1_ctl_set(VMCS_PROC2_CTLS, PROC2_APIC_ACCESS, "virtualization of APIC accesses");
	vmw(VMCS_APIC_ACCESS, access);
	l1_invept();
	l1_set_l2(l2_accesses);
	expect_accesses();
}

GUEST_CASE(accesses_of_no_memory, NEED_VMX | NEED_IRQCHIP)
{
	access = NOTHING;
	start(l2_accesses, access);
	expect_accesses_of_nothing();
}

GUEST_CASE(accesses_of_no_memory_with_ept, NEED_VMX | NEED_IRQCHIP)
{
	access = NOTHING;
	start(l2_accesses, access);
	l1_ept_on();
	expect_accesses_of_nothing();
}

/* ---- the threshold --------------------------------------------------------------- */

static void threshold_above_vtpr(u64 page)
{
	on_trap(IRQ, count_only);
	start(l2_done, page);
	vmw(VMCS_TPR_THRESHOLD, 5);
	EXPECT_EXIT(VMEXIT_TPR_BELOW_THRESHOLD);
	EXPECT_EQ(vmr(VMCS_GUEST_RIP), (unsigned long)l2_done, "RIP");

	/* What the entry injects comes first. */
	vmw(VMCS_GUEST_RFLAGS, RFLAGS_FIXED1 | RFLAGS_IF);
	vmw(VMCS_ENTRY_INTR_INFO, INTR_INFO_VALID | INTR_TYPE_EXT | IRQ);
	EXPECT_EXIT(VMEXIT_TPR_BELOW_THRESHOLD);
	EXPECT_EQ(taken, 0, "times the handler ran");
	EXPECT_EQ(vmr(VMCS_IDT_VECTORING_INFO) & INTR_INFO_VALID, 0, "what was being delivered");
	EXPECT(!(vmr(VMCS_GUEST_RFLAGS) & RFLAGS_IF), "not in the handler");
	((u8 *)VAPIC)[APIC_TPR] = 0x50;
	EXPECT_L2_DONE();
	EXPECT_EQ(taken, 1, "times the handler ran");
}

GUEST_CASE(threshold_above_vtpr_of_memory, NEED_VMX)
{
	threshold_above_vtpr(ACCESS);
}

GUEST_CASE(threshold_above_vtpr_of_no_memory, NEED_VMX | NEED_IRQCHIP)
{
	threshold_above_vtpr(NOTHING);
}

static void l2_lowers(void)
{
	write_cr8(7);
	vmcall(read_cr8());
	write_cr8(3);
	vmcall(0);
}

static void l2_lowers_its_tpr(u64 page)
{
	start(l2_lowers, page);
	((u8 *)VAPIC)[APIC_TPR] = 0x90;
	vmw(VMCS_TPR_THRESHOLD, 5);
	EXPECT_EXIT(VMEXIT_VMCALL);
	EXPECT_EQ(l2.rax, 7, "CR8 as L2 reads it");
	EXPECT_EQ(((u8 *)VAPIC)[APIC_TPR], 0x70, "VTPR");
	l1_skip_insn();
	EXPECT_EXIT(VMEXIT_TPR_BELOW_THRESHOLD);
	EXPECT_EQ(((u8 *)VAPIC)[APIC_TPR], 0x30, "VTPR");
	vmw(VMCS_TPR_THRESHOLD, 0);
	EXPECT_L2_DONE();
}

GUEST_CASE(threshold_of_no_memory, NEED_VMX | NEED_IRQCHIP)
{
	l2_lowers_its_tpr(NOTHING);
	EXPECT_EQ(apic_read(APIC_TPR), 0, "the TPR of L1");
}

/* Nor is L1's CR8, which user space keeps then, L2's. */
GUEST_CASE(tpr_shadow_without_apic, NEED_VMX)
{
	l2_lowers_its_tpr(0);
	EXPECT_EQ(read_cr8(), 0, "CR8 of L1");
}

/* ---- selftests/nested_apic.c ------------------------------------------------------ */

static void l2_writes_cr8(void)
{
	u64 i;

	for (i = 1; i <= 3; i++) {
		write_cr8(i);
		vmcall(i);
	}
}

GUEST_CASE(_virtual_apic_page_is_logged, NEED_VMX | NEED_IRQCHIP)
{
	u64 i;

	start(l2_writes_cr8, 0);
	vmw(VMCS_VIRTUAL_APIC, SLOT + 0x1000);
	for (i = 1; i <= 3; i++) {
		EXPECT_EXIT(VMEXIT_VMCALL);
		outb(0x50, i);
		l1_skip_insn();
	}
}
