// SPDX-License-Identifier: GPL-2.0
/* The guest's half of selftests/nested_read_only.c. SLOT is read-only. */
#include "l1.h"
#include "apic.h"

#define SLOT	0x10000000ul
#define STEP(n)	outb(0x50, n)

static void l2_cr8(void)
{
	asm volatile("mov %0, %%cr8" : : "r"(6ull));
	vmcall(read_cr8());
}

static void start_with_tpr_shadow(void)
{
	l1_start(l2_cr8);
	l1_ctl_set(VMCS_PROC_CTLS, PROC_TPR_SHADOW, "the TPR shadow");
	l1_ctl_clear(VMCS_PROC_CTLS, PROC_CR8_LOAD | PROC_CR8_STORE);
	vmw(VMCS_VIRTUAL_APIC, SLOT);
	vmw(VMCS_TPR_THRESHOLD, 0);
}

GUEST_CASE(_virtual_apic, NEED_VMX | NEED_IRQCHIP)
{
	start_with_tpr_shadow();
	EXPECT_EXIT(VMEXIT_VMCALL);
	EXPECT_EQ(l2.rax, 6, "CR8 as L2 reads it");
	EXPECT_EQ(*(volatile u8 *)(SLOT + APIC_TPR), 0, "the TPR in the page");
	EXPECT_EQ(apic_read(APIC_TPR), 0, "the TPR of L1");
}

GUEST_CASE(_virtual_apic_later, NEED_VMX | NEED_IRQCHIP)
{
	start_with_tpr_shadow();
	EXPECT_EXIT(VMEXIT_VMCALL);
	STEP(1);			/* the TPR in the page is another now */
	l1_set_l2(l2_cr8);
	EXPECT_EXIT(VMEXIT_VMCALL);
	EXPECT_EQ(l2.rax, 6, "CR8 as L2 reads it");
	EXPECT_EQ(*(volatile u8 *)(SLOT + APIC_TPR), 0x20, "the TPR in the page");
}

static void l2_nothing(void)
{
	vmcall(0);
}

/* VMCLEAR and VMPTRLD of ROM are no error; what they would write is lost. */
GUEST_CASE(_vmcs, NEED_VMX)
{
	l1_start(l2_nothing);
	EXPECT_EQ(vmclear(pa(&l1_vmcs)), VMX_OK, "VMCLEAR");
	PARAMS->results[0] = pa(&l1_vmcs);
	STEP(1);
	EXPECT_EQ(vmclear(SLOT), VMX_OK, "VMCLEAR of ROM");
	EXPECT_EQ(vmptrld(SLOT), VMX_OK, "VMPTRLD of ROM");
	l1_fill_vmcs(l2_nothing);
	EXPECT_L2_DONE();
	EXPECT_EQ(vmclear(SLOT), VMX_OK, "VMCLEAR of ROM");
}

GUEST_CASE(_ept_tables, NEED_VMX)
{
	l1_start(l2_nothing);
	l1_ept_on();
	if (!(rdmsr(IA32_VMX_EPT_VPID_CAP) & EPT_CAP_AD))
		skip("accessed and dirty flags are not offered");
	PARAMS->results[0] = pa(l1_ept_pml4e(0));
	STEP(1);
	vmw(VMCS_EPTP, (l1_eptp() & 0xfff) | SLOT | BIT(6));
	EXPECT_L2_DONE();
	EXPECT(*l1_ept_pdpte(0) & EPT_A, "the entry below, in RAM, is not accessed");
}

static void l2_write(void)
{
	volatile u64 *rom = (u64 *)SLOT;

	*rom = 0x77;
	vmcall(*rom);
}

GUEST_CASE(_l2_writes, NEED_VMX)
{
	l1_start(l2_write);
	l1_ept_on();
	EXPECT_EXIT(VMEXIT_VMCALL);
	EXPECT_EQ(l2.rax, 0x1111, "what L2 reads after its write");
}

/* ---- page tables, which the CPU would write if a flag were clear ---------------- */

#define TABLES	0x20000000ul

/* None of these is an instruction that L0 would know. */
static void some_work(void)
{
	asm volatile("fninit; lea 1(%%rax), %%rax; bsf %%rax, %%rcx; nop" : : "a"(7) : "rcx", "cc");
}

GUEST_CASE(_page_tables_of_l1, NEED_VMX)
{
	u64 cr3 = read_cr3();

	write_cr3(TABLES);
	some_work();
	write_cr3(cr3);
}

static void l2_works(void)
{
	some_work();
	vmcall(0);
}

GUEST_CASE(_page_tables_of_l2, NEED_VMX)
{
	l1_start(l2_works);
	vmw(VMCS_GUEST_CR3, TABLES);
	EXPECT_L2_DONE();
}

GUEST_CASE(_page_tables_of_l2_ept, NEED_VMX)
{
	l1_start(l2_works);
	l1_ept_on();
	vmw(VMCS_GUEST_CR3, TABLES);
	EXPECT_L2_DONE();
	if (!(rdmsr(IA32_VMX_EPT_VPID_CAP) & BIT(21)))
		return;
	/* with accessed and dirty flags in L1's EPT as well */
	vmw(VMCS_EPTP, vmr(VMCS_EPTP) | BIT(6));
	l1_invept();
	l1_set_l2(l2_works);
	EXPECT_L2_DONE();
	l1_set_l2(l2_works);
	EXPECT_L2_DONE();
}
