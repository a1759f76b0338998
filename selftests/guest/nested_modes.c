// SPDX-License-Identifier: GPL-2.0
/* L2 in every mode of the CPU, and the registers that make it. */
#include "l1.h"

#define PDPT	(GUEST_FREE + 0x200000ul)	/* of L2 with PAE paging */
#define CODE16	0x20000ul			/* where real and virtual-8086 mode reach it */
#define STACK16	0x2f00ul
#define IRQ	0x55

static void l2_done(void)
{
	vmcall(0);
}

/* ---- who owns a bit -------------------------------------------------------------- */

static void l2_clears_lme(void)
{
	u64 efer = rdmsr(IA32_EFER) & ~IA32_EFER_LME;

	EXPECT_EQ(CATCH("wrmsr", , ARGS("c"(IA32_EFER), "a"((u32)efer), "d"(0))), VEC_GP,
		  "the vector of WRMSR");
	vmcall(0);
}

/* Paging is on, whatever L1 has L2 read of it. */
GUEST_CASE(lme_with_paging_shadowed, NEED_VMX)
{
	l1_start(l2_clears_lme);
	vmw(VMCS_CR0_MASK, CR0_PG);
	vmw(VMCS_CR0_SHADOW, 0);
	EXPECT_L2_DONE();
}

static void l2_toggles_mce(void)
{
	u64 cr4 = read_cr4();

	EXPECT_EQ(cr4 & CR4_PAE, 0, "CR4.PAE as L2 reads it");
	EXPECT_EQ(CATCH("mov %0, %%cr4", , "r"(cr4 ^ CR4_MCE)), NO_TRAP, "the vector of MOV");
	EXPECT_EQ(read_cr4(), cr4 ^ CR4_MCE, "CR4 as L2 reads it");
	vmcall(0);
}

/* L2 does not write what L1 owns: no write of it can be wrong. */
GUEST_CASE(mce_with_pae_shadowed, NEED_VMX)
{
	u64 cr4;

	l1_start(l2_toggles_mce);
	cr4 = vmr(VMCS_GUEST_CR4);
	vmw(VMCS_CR4_MASK, CR4_PAE);
	vmw(VMCS_CR4_SHADOW, 0);
	EXPECT_L2_DONE();
	EXPECT_EQ(vmr(VMCS_GUEST_CR4), cr4 ^ CR4_MCE, "CR4 of L2");
}

/* MOV to CR0 in compatibility mode, where paging may be turned off: the vector it raises. */
static int mov_to_cr0_in_32bit(u64 cr0)
{
	trap.vector = NO_TRAP;
	asm volatile("movq $2f, %%r11; movq %%r11, trap_resume\n\t"
		     "pushq $0x18; pushq $1f; lretq\n\t"
		     ".code32\n"
		     "1: mov %%eax, %%cr0\n"
		     "2: ljmp $0x08, $3f\n"
		     ".code64\n"
		     "3: movq $0, trap_resume" : : "a"(cr0) : "r11", "memory");
	return trap.vector;
}

/* SDM 3C "Restrictions on VMX Operation". */
GUEST_CASE(l1_keeps_protection_and_paging, NEED_VMX)
{
	u64 cr0;

	l1_start(l2_done);
	cr0 = read_cr0();
	EXPECT_EQ(mov_to_cr0_in_32bit(cr0 & ~CR0_PG), VEC_GP, "the vector without PG");
	EXPECT_EQ(mov_to_cr0_in_32bit(cr0 & ~(CR0_PG | CR0_PE)), VEC_GP,
		  "the vector without PE");
	EXPECT_EQ(read_cr0(), cr0, "CR0");
	write_cr0(cr0 ^ CR0_TS);
	EXPECT_EQ(read_cr0(), cr0 ^ CR0_TS, "CR0 with TS changed");
	write_cr0(cr0);
	EXPECT_L2_DONE();
	EXPECT_EQ(vmxoff(), VMX_OK, "VMXOFF");
	EXPECT_EQ(read_cr0(), cr0, "CR0 after VMXOFF");
}

/* SDM 3C "Loading Host Control Registers": an exit leaves the cache controls alone. */
GUEST_CASE(cache_controls_of_l1_stay, NEED_VMX)
{
	u64 cr0;

	l1_start(l2_done);
	cr0 = read_cr0();
	write_cr0(cr0 | CR0_CD | CR0_NW);
	EXPECT_L2_DONE();
	EXPECT_EQ(read_cr0(), cr0 | CR0_CD | CR0_NW, "CR0 after the exit");
	write_cr0(cr0);
	vmw(VMCS_HOST_CR0, cr0 | CR0_CD);
	l1_set_l2(l2_done);
	EXPECT_L2_DONE();
	EXPECT_EQ(read_cr0(), cr0, "CR0 after the exit");
}

/* Without VPID an exit forgets what L1's addresses were. */
GUEST_CASE(exit_without_vpid_flushes, NEED_VMX)
{
	volatile u64 *page = (u64 *)PDPT, *other = (u64 *)(PDPT + 0x1000);

	*page = 1;
	*other = 2;
	l1_start(l2_done);
	EXPECT_EQ(*page, 1, "the page");
	*page_entry(PDPT) = pa(other) | PTE_P | PTE_W | PTE_U;
	EXPECT_L2_DONE();
	EXPECT_EQ(*page, 2, "the page after an exit");
}

/* ---- 32 bits ------------------------------------------------------------------------ */

static u64 pd[4][512] __aligned(4096), real_pdpt[512] __aligned(4096);
static u64 gdt32[4] = {
	0, 0x00cf9a000000ffff, 0x00cf92000000ffff, 0x0000890000000067,
};

extern u8 l2_pae[], l2_switch[], l2_16[], l2_16_end[];
asm(".code32\n"
    "l2_pae: mov %cr4, %eax\n"
    "	xor $0xc0, %eax\n"		/* MCE, which L0 keeps, and PGE */
    "	mov %eax, %cr4\n"
    "	xor %eax, %eax\n"
    "	vmcall\n"
    "l2_switch: ljmp $0x18, $0\n"
    ".code16\n"
    "l2_16: cpuid\n"
    "	nop\n"
    "	cpuid\n"
    "l2_16_end:\n"
    ".code64\n");

static void become_32bit(u8 *fn)
{
	u64 i;

	for (i = 0; i < 4 * 512; i++)
		pd[i / 512][i % 512] = i << 21 | PTE_P | PTE_W | PTE_U | PTE_PS;
	for (i = 0; i < 4; i++)
		real_pdpt[i] = pa(pd[i]) | PTE_P;
	l1_start((void (*)(void))fn);
	l1_ctl_clear(VMCS_ENTRY_CTLS, ENTRY_IA32E);
	vmw(VMCS_GUEST_CR4, vmr(VMCS_GUEST_CR4) & ~(CR4_PCIDE | CR4_PGE));
	vmw(VMCS_GUEST_CR3, pa(real_pdpt));
	vmw(VMCS_GUEST_CS_SEL, 8);
	vmw(VMCS_GUEST_CS_AR, 0xc09b);
	vmw(VMCS_GUEST_GDTR_BASE, pa(gdt32));
	vmw(VMCS_GUEST_GDTR_LIMIT, sizeof(gdt32) - 1);
}

GUEST_CASE(pae_without_ept, NEED_VMX)
{
	become_32bit(l2_pae);
	EXPECT_L2_DONE();
}

/* The PDPTEs are where EPT12 has CR3's page, not where L1 has it. */
GUEST_CASE(pae_with_ept, NEED_VMX)
{
	u64 i;

	become_32bit(l2_pae);
	l1_ept_on();
	memset((void *)PDPT, 0xff, 4096);
	*l1_ept_4k(PDPT) = pa(real_pdpt) | EPT_WB | EPT_RWX;
	l1_invept();
	vmw(VMCS_GUEST_CR3, PDPT);
	for (i = 0; i < 4; i++)
		vmw(VMCS_GUEST_PDPTE0 + 2 * i, real_pdpt[i]);
	EXPECT_L2_DONE();
	EXPECT_EQ(vmr(VMCS_GUEST_PDPTE3), real_pdpt[3], "a PDPTE after the exit");

	/* And a violation where it has none: of no linear address. */
	*l1_ept_4k(PDPT) = 0;
	l1_invept();
	l1_set_l2((void (*)(void))l2_pae);
	EXPECT_EXIT(VMEXIT_EPT_VIOLATION);
	EXPECT_EQ(vmr(VMCS_GUEST_PHYSICAL), PDPT, "the address");
	EXPECT_EQ(vmr(VMCS_EXIT_QUALIFICATION) & 0x187, 1, "the qualification");
}

GUEST_CASE(bad_pdpte_fails_the_entry, NEED_VMX)
{
	become_32bit(l2_pae);
	real_pdpt[2] |= PTE_W;
	EXPECT_EQ(l1_run(), VMEXIT_INVALID_GUEST_STATE | VMEXIT_ENTRY_FAILURE, "the exit reason");
	EXPECT_EQ(vmr(VMCS_EXIT_QUALIFICATION), 2, "the qualification");
}

GUEST_CASE(task_switch_exits, NEED_VMX)
{
	become_32bit(l2_switch);
	EXPECT_EXIT(VMEXIT_TASK_SWITCH);
	EXPECT_EQ(vmr(VMCS_EXIT_QUALIFICATION), 2ull << 30 | 0x18, "the qualification: JMP");
}

/* ---- 16 bits ------------------------------------------------------------------------ */

static void become_16bit(u32 ar, u64 rflags)
{
	unsigned int i;

	memcpy((void *)CODE16, l2_16, l2_16_end - l2_16);
	for (i = SEG_ES; i <= SEG_GS; i++) {
		u64 base = i == SEG_CS ? CODE16 : 0;

		vmw(VMCS_GUEST_ES_SEL + 2 * i, base >> 4);
		vmw(VMCS_GUEST_ES_BASE + 2 * i, base);
		vmw(VMCS_GUEST_ES_LIMIT + 2 * i, 0xffff);
		vmw(VMCS_GUEST_ES_AR + 2 * i, i == SEG_CS && ar == 0x93 ? 0x9b : ar);
	}
	vmw(VMCS_GUEST_RIP, 0);
	vmw(VMCS_GUEST_RSP, STACK16);
	vmw(VMCS_GUEST_RFLAGS, RFLAGS_FIXED1 | rflags);
}

static void expect_16bit(void)
{
	EXPECT_EXIT(VMEXIT_CPUID);
	EXPECT_EQ(vmr(VMCS_GUEST_RIP), 0, "IP");
	l1_skip_insn();
	EXPECT_EXIT(VMEXIT_CPUID);
	EXPECT_EQ(vmr(VMCS_GUEST_RIP), 3, "IP");
	EXPECT_EQ(vmr(VMCS_GUEST_CS_BASE), CODE16, "the base of CS");
}

GUEST_CASE(virtual_8086, NEED_VMX)
{
	become_32bit(l2_pae);
	become_16bit(0xf3, RFLAGS_VM);
	expect_16bit();
	EXPECT(vmr(VMCS_GUEST_RFLAGS) & RFLAGS_VM, "VM is off");
}

/* An interrupt goes by the table at IDTR, six bytes on the stack. */
GUEST_CASE(real_mode, NEED_VMX)
{
	static u16 ivt[2 * 256];

	become_32bit(l2_pae);
	l1_ept_on();
	l1_ctl_set(VMCS_PROC2_CTLS, PROC2_UNRESTRICTED, "unrestricted guest");
	vmw(VMCS_GUEST_CR0, vmr(VMCS_GUEST_CR0) & ~(CR0_PG | CR0_PE));
	become_16bit(0x93, 0);
	expect_16bit();
	EXPECT_EQ(vmr(VMCS_GUEST_CR0) & (CR0_PG | CR0_PE), 0, "CR0");

	ivt[2 * IRQ] = 0;
	ivt[2 * IRQ + 1] = CODE16 >> 4;
	vmw(VMCS_GUEST_IDTR_BASE, pa(ivt));
	vmw(VMCS_GUEST_IDTR_LIMIT, sizeof(ivt) - 1);
	vmw(VMCS_GUEST_RFLAGS, RFLAGS_FIXED1 | RFLAGS_IF);
	vmw(VMCS_ENTRY_INTR_INFO, INTR_INFO_VALID | INTR_TYPE_EXT | IRQ);
	EXPECT_EXIT(VMEXIT_CPUID);
	EXPECT_EQ(vmr(VMCS_GUEST_RIP), 0, "IP");
	EXPECT_EQ(vmr(VMCS_GUEST_RSP), STACK16 - 6, "SP");
	EXPECT_EQ(*(u16 *)(STACK16 - 6), 3, "the IP on the stack");
}

/* ---- debug controls, INVPCID, aborts ---------------------------------------------- */

static void l2_debugctl(void)
{
	vmcall(rdmsr(IA32_DEBUGCTL));
}

GUEST_CASE(debug_controls, NEED_VMX)
{
	l1_start(l2_debugctl);
	l1_ctl_set(VMCS_ENTRY_CTLS, ENTRY_LOAD_DEBUG, "loading of debug controls");
	l1_ctl_set(VMCS_EXIT_CTLS, EXIT_SAVE_DEBUG, "saving of debug controls");
	vmw(VMCS_GUEST_DEBUGCTL, DEBUGCTL_BTF);
	vmw(VMCS_GUEST_DR7, DR7_FIXED1 | BIT(1));
	wrmsr(IA32_DEBUGCTL, 0);
	EXPECT_EXIT(VMEXIT_VMCALL);
	EXPECT_EQ(vmr(VMCS_GUEST_DEBUGCTL), DEBUGCTL_BTF, "DEBUGCTL of L2");
	EXPECT_EQ(vmr(VMCS_GUEST_DR7), DR7_FIXED1 | BIT(1), "DR7 of L2");
	EXPECT_EQ(rdmsr(IA32_DEBUGCTL), 0, "DEBUGCTL of L1");
	EXPECT_EQ(read_dr7(), DR7_FIXED1, "DR7 of L1");
	if (!l2.rax)
		skip("this CPU has no DEBUGCTL that entries load");
	EXPECT_EQ(l2.rax, DEBUGCTL_BTF, "DEBUGCTL as L2 reads it");
}

static void l2_invpcid(void)
{
	static const u64 desc[2] __aligned(16);

	vmcall(CATCH("invpcid (%0), %1", , ARGS("r"(desc), "r"(2ull))));
}

GUEST_CASE(invpcid, NEED_VMX)
{
	l1_start(l2_invpcid);
	EXPECT_EXIT(VMEXIT_VMCALL);
	EXPECT_EQ(l2.rax, VEC_UD, "the vector where L1 does not enable it");
	l1_ctl_set(VMCS_PROC2_CTLS, PROC2_INVPCID, "INVPCID");
	l1_set_l2(l2_invpcid);
	EXPECT_EXIT(VMEXIT_VMCALL);
	EXPECT_EQ(l2.rax, NO_TRAP, "the vector");
	l1_ctl_set(VMCS_PROC_CTLS, PROC_INVLPG, "INVLPG exiting");
	l1_set_l2(l2_invpcid);
	EXPECT_EXIT(VMEXIT_INVPCID);
}

static struct {
	u32 index, reserved;
	u64 value;
} list __aligned(16);

GUEST_CASE(_abort_by_msr_store, NEED_VMX)
{
	l1_start(l2_done);
	list.index = IA32_VMX_BASIC + 0x100;
	vmw(VMCS_EXIT_MSR_STORE, pa(&list));
	vmw(VMCS_EXIT_MSR_STORE_COUNT, 1);
	PARAMS->results[0] = pa(&l1_vmcs);
	PARAMS->results[1] = 1;
	l1_run();
}

GUEST_CASE(_abort_by_msr_load, NEED_VMX)
{
	l1_start(l2_done);
	list.index = IA32_LSTAR;
	list.value = 1ull << 62;
	vmw(VMCS_EXIT_MSR_LOAD, pa(&list));
	vmw(VMCS_EXIT_MSR_LOAD_COUNT, 1);
	PARAMS->results[0] = pa(&l1_vmcs);
	PARAMS->results[1] = 4;
	l1_run();
}
