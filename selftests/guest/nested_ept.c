// SPDX-License-Identifier: GPL-2.0
/*
 * L1's EPT: what each entry allows, what the exit says when it does not, and
 * when a change is seen.
 */
#include "l1.h"

#define PAGE	(GUEST_FREE + 0x200000ul)	/* L2's, in a 2-MiB page of its own */
#define OTHER	(GUEST_FREE + 0x400000ul)

/* SDM 3C "Exit Qualification for EPT Violations" */
#define Q_READ		BIT(0)
#define Q_WRITE		BIT(1)
#define Q_FETCH		BIT(2)
#define Q_ALLOWED_SHIFT	3
#define Q_ALLOWED	(7 << Q_ALLOWED_SHIFT)
#define Q_LINEAR	BIT(7)
#define Q_TRANSLATED	BIT(8)
#define Q_KNOWN		(7 | Q_ALLOWED | Q_LINEAR | Q_TRANSLATED)

static u64 qual(void)
{
	return vmr(VMCS_EXIT_QUALIFICATION);
}

static void l2_touch(void)
{
	volatile u64 *at = (u64 *)PAGE;
	u64 v = at[0];

	vmcall(v);
	at[1] = 0x77;
	vmcall(1);
	((void (*)(void))PAGE)();
	vmcall(2);
}

static void start(void)
{
	volatile u64 *page = (u64 *)PAGE, *other = (u64 *)OTHER;

	page[0] = 0x90909090909090c3;		/* RET */
	page[1] = 0;
	other[0] = 0x90909090909090c3 + 0x100;	/* RET too: c3 first; tells the pages apart */
	l1_start(l2_touch);
	l1_ept_on();
}

#define EXPECT_L2_AT(step) do {						\
	EXPECT_EXIT(VMEXIT_VMCALL);					\
	EXPECT_EQ(l2.rax, step, "how far L2 is");			\
	l1_skip_insn();							\
} while (0)

#define EXPECT_VIOLATION(gpa, want) do {						\
	EXPECT_EXIT(VMEXIT_EPT_VIOLATION);						\
	EXPECT_EQ(vmr(VMCS_GUEST_PHYSICAL), gpa, "the guest-physical address");		\
	EXPECT_EQ(qual() & Q_KNOWN, want, "the qualification");				\
} while (0)

GUEST_CASE(identity_map_runs, NEED_VMX)
{
	start();
	EXPECT_L2_AT(*(u64 *)PAGE);
	EXPECT_L2_AT(1);
	EXPECT_L2_AT(2);
}

/* One entry of each size and each permission L2 lacks, then has. */
static void permissions(u64 *entry)
{
	const u64 full = *entry, none = full & ~EPT_RWX;
	u64 rights = Q_LINEAR | Q_TRANSLATED;

	*entry = none;
	l1_invept();
	EXPECT_VIOLATION(PAGE, rights | Q_READ);
	EXPECT_EQ(vmr(VMCS_GUEST_LINEAR), PAGE, "the linear address");
	*entry = none | EPT_R;
	l1_invept();
	EXPECT_L2_AT(*(u64 *)PAGE);
	EXPECT_VIOLATION(PAGE + 8, rights | Q_WRITE | EPT_R << Q_ALLOWED_SHIFT);
	*entry = none | EPT_R | EPT_W;
	l1_invept();
	EXPECT_L2_AT(1);
	EXPECT_EQ(((u64 *)PAGE)[1], 0x77, "what L2 wrote");
	EXPECT_VIOLATION(PAGE, rights | Q_FETCH | (EPT_R | EPT_W) << Q_ALLOWED_SHIFT);
	EXPECT_EQ(vmr(VMCS_GUEST_RIP), PAGE, "RIP");
	*entry = full;
	l1_invept();
	EXPECT_L2_AT(2);
}

GUEST_CASE(permissions_4k, NEED_VMX)
{
	start();
	permissions(l1_ept_4k(PAGE));
}

GUEST_CASE(permissions_2m, NEED_VMX)
{
	start();
	permissions(l1_ept_2m(PAGE));
}

/* The rights of the levels are and-ed. */
GUEST_CASE(permissions_of_a_directory, NEED_VMX)
{
	start();
	l1_ept_4k(PAGE);
	permissions(l1_ept_2m(PAGE));
}

GUEST_CASE(execute_only, NEED_VMX)
{
	u64 *entry;

	start();
	if (!(rdmsr(IA32_VMX_EPT_VPID_CAP) & EPT_CAP_EXEC_ONLY))
		skip("execute-only is not offered");
	entry = l1_ept_4k(PAGE);
	*entry = (*entry & ~EPT_RWX) | EPT_X;
	l1_invept();
	EXPECT_VIOLATION(PAGE, Q_LINEAR | Q_TRANSLATED | Q_READ | EPT_X << Q_ALLOWED_SHIFT);
	l1_set_l2((void (*)(void))PAGE);	/* RET to nowhere: to the address on the stack */
	*(u64 *)(unsigned long)vmr(VMCS_GUEST_RSP) = (unsigned long)l2_touch;
	EXPECT_VIOLATION(PAGE, Q_LINEAR | Q_TRANSLATED | Q_READ | EPT_X << Q_ALLOWED_SHIFT);
	EXPECT(vmr(VMCS_GUEST_RIP) - (unsigned long)l2_touch < 32, "L2 is at %llx",
	       vmr(VMCS_GUEST_RIP));
}

static void misconfigured(u64 *entry, u64 value, const char *what)
{
	u64 before = *entry;
	u32 got;

	*entry = value;
	l1_invept();
	l1_set_l2(l2_touch);
	got = l1_run();
	EXPECT(got == VMEXIT_EPT_MISCONFIG, "%s: exit reason %x", what, got);
	/* A high entry is met on the way to L2's code or page tables already. */
	if (got == VMEXIT_EPT_MISCONFIG && entry != l1_ept_pdpte(PAGE) &&
	    entry != l1_ept_pml4e(PAGE))
		EXPECT_EQ(vmr(VMCS_GUEST_PHYSICAL), PAGE, "the guest-physical address");
	*entry = before;
	l1_invept();
}

GUEST_CASE(misconfiguration, NEED_VMX)
{
	const u64 cap = rdmsr(IA32_VMX_EPT_VPID_CAP);
	u64 width = cpuid(0x80000008, 0).eax & 0xff;
	u64 *pte, *pde, full;

	start();
	pte = l1_ept_4k(PAGE);
	pde = l1_ept_2m(PAGE);
	full = *pte;
	misconfigured(pte, (full & ~EPT_RWX) | EPT_W, "write-only");
	misconfigured(pte, (full & ~EPT_RWX) | EPT_W | EPT_X, "write and execute");
	misconfigured(pte, (full & ~(7ull << 3)) | 2 << 3, "memory type 2");
	misconfigured(pte, (full & ~(7ull << 3)) | 7 << 3, "memory type 7");
	if (width < 52)
		misconfigured(pte, full | 1ull << 51, "an address beyond the width");
	if (!(cap & EPT_CAP_EXEC_ONLY))
		misconfigured(pte, (full & ~EPT_RWX) | EPT_X, "execute-only, not offered");
	misconfigured(pde, *pde | 1 << 3, "a reserved bit in a directory entry");
	misconfigured(pde, PAGE | EPT_RWX | EPT_WB | EPT_PS | 1 << 12,
		      "a low address bit of 2 MiB");
	if (!(cap & EPT_CAP_1G))
		misconfigured(l1_ept_pdpte(PAGE), EPT_RWX | EPT_WB | EPT_PS, "1 GiB, not offered");
	misconfigured(l1_ept_pml4e(PAGE), *l1_ept_pml4e(PAGE) | EPT_PS, "a page of 512 GiB");
}

GUEST_CASE(pages_of_1g, NEED_VMX)
{
	start();
	if (!(rdmsr(IA32_VMX_EPT_VPID_CAP) & EPT_CAP_1G))
		skip("1-GiB pages are not offered");
	*l1_ept_pdpte(PAGE) = EPT_RWX | EPT_WB | EPT_PS;
	l1_invept();
	EXPECT_L2_AT(*(u64 *)PAGE);
	EXPECT_L2_AT(1);
	EXPECT_L2_AT(2);
	*l1_ept_pdpte(PAGE) &= ~EPT_W;		/* nothing of L2's can be written */
	l1_invept();
	l1_set_l2(l2_touch);
	EXPECT_L2_AT(*(u64 *)PAGE);
	EXPECT_VIOLATION(PAGE + 8, Q_LINEAR | Q_TRANSLATED | Q_WRITE |
			 (EPT_R | EPT_X) << Q_ALLOWED_SHIFT);
}

/* L2 sees another page once L1 has said INVEPT; a page it never saw at once. */
static void l2_read_again(void)
{
	volatile u64 *at = (u64 *)PAGE;

	for (;;)
		vmcall(at[0]);
}

GUEST_CASE(invept_shows_changes, NEED_VMX)
{
	u64 *entry, i;

	start();
	*(u64 *)PAGE = 0x1111;
	*(u64 *)OTHER = 0x2222;
	entry = l1_ept_4k(PAGE);
	l1_invept();
	l1_set_l2(l2_read_again);
	for (i = 0; i < 4; i++) {
		u64 to = i % 2 ? OTHER : PAGE;

		*entry = to | EPT_WB | EPT_RWX;
		l1_invept();
		EXPECT_EXIT(VMEXIT_VMCALL);
		EXPECT_EQ(l2.rax, i % 2 ? 0x2222 : 0x1111, "what L2 reads");
		l1_skip_insn();
	}
	/* The whole of 2 MiB at once, from a table to one large page and back. */
	entry = l1_ept_2m(PAGE);
	i = *entry;
	*entry = OTHER | EPT_PS | EPT_WB | EPT_RWX;
	l1_invept();
	EXPECT_EXIT(VMEXIT_VMCALL);
	EXPECT_EQ(l2.rax, 0x2222, "what L2 reads through a large page");
	l1_skip_insn();
	*entry = i;
	*l1_ept_4k(PAGE) = PAGE | EPT_WB | EPT_RWX;
	l1_invept();
	EXPECT_EXIT(VMEXIT_VMCALL);
	EXPECT_EQ(l2.rax, 0x1111, "what L2 reads through the table");
}

/* An entry that was not present is not cached: no INVEPT needed. */
GUEST_CASE(new_entry_needs_no_invept, NEED_VMX)
{
	u64 *entry, full;

	start();
	entry = l1_ept_4k(PAGE);
	full = *entry;
	*entry = 0;
	l1_invept();
	EXPECT_VIOLATION(PAGE, Q_LINEAR | Q_TRANSLATED | Q_READ);
	*entry = full;
	EXPECT_L2_AT(*(u64 *)PAGE);
}

GUEST_CASE(invept_single_context, NEED_VMX)
{
	struct inv_desc d = { l1_eptp(), 0 };
	u64 *entry;

	start();
	if (!(rdmsr(IA32_VMX_EPT_VPID_CAP) & EPT_CAP_INVEPT_SINGLE))
		skip("single-context INVEPT is not offered");
	*(u64 *)PAGE = 0x1111;
	*(u64 *)OTHER = 0x2222;
	entry = l1_ept_4k(PAGE);
	l1_invept();
	l1_set_l2(l2_read_again);
	EXPECT_EXIT(VMEXIT_VMCALL);
	EXPECT_EQ(l2.rax, 0x1111, "what L2 reads");
	l1_skip_insn();
	*entry = OTHER | EPT_WB | EPT_RWX;
	EXPECT_EQ(invept(INVEPT_SINGLE, &d), VMX_OK, "the result of INVEPT");
	EXPECT_EXIT(VMEXIT_VMCALL);
	EXPECT_EQ(l2.rax, 0x2222, "what L2 reads");
}

GUEST_CASE(accessed_and_dirty, NEED_VMX)
{
	u64 *entry;

	start();
	if (!(rdmsr(IA32_VMX_EPT_VPID_CAP) & EPT_CAP_AD))
		skip("accessed and dirty flags are not offered");
	entry = l1_ept_4k(PAGE);
	vmw(VMCS_EPTP, l1_eptp() | BIT(6));
	l1_invept();
	*entry &= ~(EPT_A | EPT_D);
	l1_invept();
	EXPECT_L2_AT(*(u64 *)PAGE);
	EXPECT_EQ(*entry & (EPT_A | EPT_D), EPT_A, "the flags after a read");
	EXPECT_L2_AT(1);
	EXPECT_EQ(*entry & (EPT_A | EPT_D), EPT_A | EPT_D, "the flags after a write");
	EXPECT(*l1_ept_2m(PAGE) & EPT_A, "the directory entry is not accessed");
	EXPECT(*l1_ept_pml4e(PAGE) & EPT_A, "the top entry is not accessed");
	*entry &= ~(EPT_A | EPT_D);
	l1_invept();
	l1_set_l2(l2_touch);
	EXPECT_L2_AT(*(u64 *)PAGE);
	EXPECT_EQ(*entry & (EPT_A | EPT_D), EPT_A, "the flags after they were cleared and a read");
}

/* L2's page tables lie behind EPT too: the violation says so. */
GUEST_CASE(violation_of_a_page_table, NEED_VMX)
{
	u64 *table, *entry, gpa;

	start();
	table = page_entry(PAGE);		/* in a page of the program's own */
	gpa = pa(table) & ~0xfffull;
	entry = l1_ept_4k(gpa);
	*entry &= ~EPT_RWX;
	l1_invept();
	EXPECT_EXIT(VMEXIT_EPT_VIOLATION);
	EXPECT_EQ(vmr(VMCS_GUEST_PHYSICAL), pa(table), "the guest-physical address: the entry");
	EXPECT_EQ(qual() & (Q_LINEAR | Q_TRANSLATED), Q_LINEAR,
		  "linear, not the translated address");
	EXPECT_EQ(vmr(VMCS_GUEST_LINEAR), PAGE, "the linear address");
	*entry |= EPT_RWX;
	EXPECT_L2_AT(*(u64 *)PAGE);
}

static void l2_unused(void)
{
	vmcall(0);
}

static void handled(struct trap_frame *f)
{
}

GUEST_CASE(violation_during_delivery, NEED_VMX)
{
	u64 *entry;

	start();
	on_trap(0x55, handled);
	memcpy((void *)PAGE, idt, 4096);
	entry = l1_ept_4k(PAGE);
	*entry &= ~EPT_RWX;
	l1_invept();
	l1_set_l2(l2_unused);
	vmw(VMCS_GUEST_IDTR_BASE, PAGE);
	vmw(VMCS_GUEST_RFLAGS, RFLAGS_FIXED1 | RFLAGS_IF);
	vmw(VMCS_ENTRY_INTR_INFO, INTR_INFO_VALID | INTR_TYPE_EXT | 0x55);
	EXPECT_EXIT(VMEXIT_EPT_VIOLATION);
	EXPECT_EQ(vmr(VMCS_GUEST_PHYSICAL), PAGE + 0x550, "the guest-physical address: the gate");
	EXPECT_EQ(vmr(VMCS_IDT_VECTORING_INFO), INTR_INFO_VALID | INTR_TYPE_EXT | 0x55,
		  "what was delivered");
	*entry |= EPT_RWX;
	vmw(VMCS_ENTRY_INTR_INFO, vmr(VMCS_IDT_VECTORING_INFO));
	EXPECT_L2_DONE();
}

/* L2 changes its own page table and says INVLPG; L1 with VPID is not asked. */
static void l2_remap(void)
{
	volatile u64 *at = (u64 *)PAGE;
	u64 a = at[0], b;

	*page_entry(PAGE) = OTHER | PTE_P | PTE_W | PTE_U;
	invlpg((void *)PAGE);
	b = at[0];
	vmcall(a << 32 | b);
}

GUEST_CASE(invlpg_in_l2_with_vpid, NEED_VMX)
{
	page_entry(PAGE);
	start();
	*(u64 *)PAGE = 0x1111;
	*(u64 *)OTHER = 0x2222;
	l1_ctl_set(VMCS_PROC2_CTLS, PROC2_VPID, "VPID");
	vmw(VMCS_VPID, 1);
	l1_set_l2(l2_remap);
	EXPECT_EXIT(VMEXIT_VMCALL);
	EXPECT_EQ(l2.rax, 0x111100002222, "what L2 read before and after");
}

GUEST_CASE(invvpid_shows_changes_of_l1, NEED_VMX)
{
	struct inv_desc d = { 1, 0 };
	u64 *pte = page_entry(PAGE);

	start();
	*(u64 *)PAGE = 0x1111;
	*(u64 *)OTHER = 0x2222;
	l1_ctl_set(VMCS_PROC2_CTLS, PROC2_VPID, "VPID");
	vmw(VMCS_VPID, 1);
	l1_set_l2(l2_read_again);
	EXPECT_EXIT(VMEXIT_VMCALL);
	EXPECT_EQ(l2.rax, 0x1111, "what L2 reads");
	l1_skip_insn();
	*pte = OTHER | PTE_P | PTE_W | PTE_U;
	EXPECT_EQ(invvpid(INVVPID_SINGLE, &d), VMX_OK, "the result of INVVPID");
	EXPECT_EXIT(VMEXIT_VMCALL);
	EXPECT_EQ(l2.rax, 0x2222, "what L2 reads");
}

#define LOGGED	0x10001000ul

static void l2_writes_three_times(void)
{
	u64 i;

	for (i = 1; i <= 3; i++) {
		*(volatile u64 *)LOGGED = i;
		outb(0x50, i);
	}
	vmcall(0);
}

/* selftests/nested_ept.c reads the dirty log at each step. */
GUEST_CASE(_writes_are_logged, NEED_VMX)
{
	l1_start(l2_writes_three_times);
	l1_ept_on();
	EXPECT_L2_DONE();
}
