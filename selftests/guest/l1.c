// SPDX-License-Identifier: GPL-2.0
#include "l1.h"

struct vmx_region l1_vmxon_region, l1_vmcs, l1_vmcs2;
struct l2_regs l2;
u8 l1_io_bitmaps[2][4096] __aligned(4096), l1_msr_bitmap[4096] __aligned(4096);
static u8 l2_stack[0x8000] __aligned(16);
static bool launched;
static u64 l2_trap_resume;	/* L2 may be inside a CATCH of its own */

int l1_switch(bool launched);
extern u8 l1_exit[];

void l1_prepare(void)
{
	u64 feature;

	if (!cpu_has_vmx())
		skip("CPUID shows no VT-x");
	feature = rdmsr(IA32_FEATURE_CONTROL);
	if (!(feature & FEATURE_CONTROL_LOCKED))
		wrmsr(IA32_FEATURE_CONTROL, feature | FEATURE_CONTROL_LOCKED | FEATURE_CONTROL_VMX);
	write_cr0((read_cr0() | rdmsr(IA32_VMX_CR0_FIXED0)) & rdmsr(IA32_VMX_CR0_FIXED1));
	write_cr4((read_cr4() | CR4_VMXE | rdmsr(IA32_VMX_CR4_FIXED0)) &
		  rdmsr(IA32_VMX_CR4_FIXED1));
	l1_vmxon_region.revision = rdmsr(IA32_VMX_BASIC) & VMX_BASIC_REVISION;
	l1_vmcs.revision = l1_vmxon_region.revision;
	l1_vmcs2.revision = l1_vmxon_region.revision;
}

u64 vmr(u32 field)
{
	u64 v = 0;
	int ret = vmread(field, &v);

	ASSERT(ret == VMX_OK, "VMREAD of %x gives %x", field, ret);
	return v;
}

void vmw(u32 field, u64 v)
{
	int ret = vmwrite(field, v);

	ASSERT(ret == VMX_OK, "VMWRITE of %x gives %x", field, ret);
}

u64 l1_ctl_cap(u32 field)
{
	bool exact = rdmsr(IA32_VMX_BASIC) & VMX_BASIC_HAS_TRUE;

	switch (field) {
	case VMCS_PIN_CTLS:
		return rdmsr(exact ? IA32_VMX_TRUE_PINBASED_CTLS : IA32_VMX_PINBASED_CTLS);
	case VMCS_PROC_CTLS:
		return rdmsr(exact ? IA32_VMX_TRUE_PROCBASED_CTLS : IA32_VMX_PROCBASED_CTLS);
	case VMCS_EXIT_CTLS:
		return rdmsr(exact ? IA32_VMX_TRUE_EXIT_CTLS : IA32_VMX_EXIT_CTLS);
	case VMCS_ENTRY_CTLS:
		return rdmsr(exact ? IA32_VMX_TRUE_ENTRY_CTLS : IA32_VMX_ENTRY_CTLS);
	case VMCS_PROC2_CTLS:
		if (!(rdmsr(IA32_VMX_PROCBASED_CTLS) >> 32 & PROC_SECONDARY))
			return 0;
		return rdmsr(IA32_VMX_PROCBASED_CTLS2);
	default:
		ASSERT(false, "%x is no control field", field);
		return 0;
	}
}

bool l1_ctl_allowed(u32 field, u32 bits)
{
	return (l1_ctl_cap(field) >> 32 & bits) == bits;
}

void l1_ctl_set(u32 field, u32 bits, const char *what)
{
	if (!l1_ctl_allowed(field, bits))
		skip("%s is not offered", what);
	if (field == VMCS_PROC2_CTLS)
		vmw(VMCS_PROC_CTLS, vmr(VMCS_PROC_CTLS) | PROC_SECONDARY);
	vmw(field, vmr(field) | bits);
}

void l1_ctl_clear(u32 field, u32 bits)
{
	vmw(field, vmr(field) & ~(u64)bits);
}

static void fill_controls(void)
{
	bool secondary = l1_ctl_allowed(VMCS_PROC_CTLS, PROC_SECONDARY);
	bool msr_bitmap = l1_ctl_allowed(VMCS_PROC_CTLS, PROC_MSR_BITMAPS);

	vmw(VMCS_PIN_CTLS, (u32)l1_ctl_cap(VMCS_PIN_CTLS));
	vmw(VMCS_PROC_CTLS, (u32)l1_ctl_cap(VMCS_PROC_CTLS) |
	    (secondary ? PROC_SECONDARY : 0) | (msr_bitmap ? PROC_MSR_BITMAPS : 0));
	if (secondary)
		vmw(VMCS_PROC2_CTLS, (u32)l1_ctl_cap(VMCS_PROC2_CTLS) |
		    (l1_ctl_allowed(VMCS_PROC2_CTLS, PROC2_RDTSCP) ? PROC2_RDTSCP : 0));
	if (msr_bitmap)
		vmw(VMCS_MSR_BITMAP, pa(l1_msr_bitmap));
	vmw(VMCS_EXIT_CTLS, (u32)l1_ctl_cap(VMCS_EXIT_CTLS) | EXIT_HOST_64);
	vmw(VMCS_ENTRY_CTLS, (u32)l1_ctl_cap(VMCS_ENTRY_CTLS) | ENTRY_IA32E);
	vmw(VMCS_EXCEPTION_BITMAP, 0);
	vmw(VMCS_PF_EC_MASK, 0);
	vmw(VMCS_PF_EC_MATCH, 0);
	vmw(VMCS_CR3_TARGET_COUNT, 0);
	vmw(VMCS_EXIT_MSR_STORE_COUNT, 0);
	vmw(VMCS_EXIT_MSR_LOAD_COUNT, 0);
	vmw(VMCS_ENTRY_MSR_LOAD_COUNT, 0);
	vmw(VMCS_ENTRY_INTR_INFO, 0);
	vmw(VMCS_ENTRY_ERROR_CODE, 0);
	vmw(VMCS_ENTRY_INSN_LEN, 0);
	vmw(VMCS_CR0_MASK, 0);
	vmw(VMCS_CR4_MASK, 0);
	vmw(VMCS_CR0_SHADOW, 0);
	vmw(VMCS_CR4_SHADOW, 0);
	vmw(VMCS_TSC_OFFSET, 0);
}

static void fill_host(void)
{
	vmw(VMCS_HOST_CR0, read_cr0());
	vmw(VMCS_HOST_CR3, read_cr3());
	vmw(VMCS_HOST_CR4, read_cr4());
	vmw(VMCS_HOST_CS_SEL, SEL_CODE);
	vmw(VMCS_HOST_SS_SEL, SEL_DATA);
	vmw(VMCS_HOST_DS_SEL, SEL_DATA);
	vmw(VMCS_HOST_ES_SEL, SEL_DATA);
	vmw(VMCS_HOST_FS_SEL, SEL_DATA);
	vmw(VMCS_HOST_GS_SEL, SEL_DATA);
	vmw(VMCS_HOST_TR_SEL, SEL_TSS);
	vmw(VMCS_HOST_FS_BASE, 0);
	vmw(VMCS_HOST_GS_BASE, 0);
	vmw(VMCS_HOST_TR_BASE, pa(&tss[0]));
	vmw(VMCS_HOST_GDTR_BASE, pa(gdt));
	vmw(VMCS_HOST_IDTR_BASE, pa(idt));
	vmw(VMCS_HOST_SYSENTER_CS, 0);
	vmw(VMCS_HOST_SYSENTER_ESP, 0);
	vmw(VMCS_HOST_SYSENTER_EIP, 0);
	vmw(VMCS_HOST_RIP, pa(l1_exit));
	vmw(VMCS_HOST_RSP, 0);
}

/* The fields of a segment lie in the same order in each group, two apart. */
static void fill_segment(unsigned int nr, u16 sel, u32 ar, u32 limit, u64 base)
{
	vmw(VMCS_GUEST_ES_SEL + 2 * nr, sel);
	vmw(VMCS_GUEST_ES_LIMIT + 2 * nr, limit);
	vmw(VMCS_GUEST_ES_AR + 2 * nr, ar);
	vmw(VMCS_GUEST_ES_BASE + 2 * nr, base);
}

static void fill_guest(void (*fn)(void))
{
	fill_segment(SEG_ES, SEL_DATA, 0xc093, 0xffffffff, 0);
	fill_segment(SEG_CS, SEL_CODE, 0xa09b, 0xffffffff, 0);
	fill_segment(SEG_SS, SEL_DATA, 0xc093, 0xffffffff, 0);
	fill_segment(SEG_DS, SEL_DATA, 0xc093, 0xffffffff, 0);
	fill_segment(SEG_FS, SEL_DATA, 0xc093, 0xffffffff, 0);
	fill_segment(SEG_GS, SEL_DATA, 0xc093, 0xffffffff, 0);
	fill_segment(SEG_LDTR, 0, SEG_AR_UNUSABLE, 0, 0);
	fill_segment(SEG_TR, SEL_TSS, 0x8b, sizeof(struct tss) - 1, pa(&tss[0]));
	vmw(VMCS_GUEST_CR0, read_cr0());
	vmw(VMCS_GUEST_CR3, read_cr3());
	vmw(VMCS_GUEST_CR4, read_cr4());
	vmw(VMCS_GUEST_DR7, DR7_FIXED1);
	vmw(VMCS_GUEST_GDTR_BASE, pa(gdt));
	vmw(VMCS_GUEST_GDTR_LIMIT, 79);
	vmw(VMCS_GUEST_IDTR_BASE, pa(idt));
	vmw(VMCS_GUEST_IDTR_LIMIT, 4095);
	vmw(VMCS_GUEST_DEBUGCTL, 0);
	vmw(VMCS_GUEST_SYSENTER_CS, 0);
	vmw(VMCS_GUEST_SYSENTER_ESP, 0);
	vmw(VMCS_GUEST_SYSENTER_EIP, 0);
	vmw(VMCS_GUEST_INTERRUPTIBILITY, 0);
	vmw(VMCS_GUEST_ACTIVITY, ACTIVITY_ACTIVE);
	vmw(VMCS_GUEST_PENDING_DBG, 0);
	vmw(VMCS_LINK_POINTER, VMCS_NONE);
	l1_set_l2(fn);
}

void l1_set_l2(void (*fn)(void))
{
	l2_trap_resume = 0;
	vmw(VMCS_GUEST_RIP, (unsigned long)fn);
	vmw(VMCS_GUEST_RSP, pa(l2_stack + sizeof(l2_stack) - 8));
	vmw(VMCS_GUEST_RFLAGS, RFLAGS_FIXED1);
}

void l1_fill_vmcs(void (*fn)(void))
{
	launched = false;
	fill_controls();
	fill_host();
	fill_guest(fn);
}

void l1_start(void (*fn)(void))
{
	int ret;

	l1_prepare();
	ret = vmxon(pa(&l1_vmxon_region));
	ASSERT(ret == VMX_OK, "VMXON gives %x", ret);
	ret = vmclear(pa(&l1_vmcs));
	ASSERT(ret == VMX_OK, "VMCLEAR gives %x", ret);
	ret = vmptrld(pa(&l1_vmcs));
	ASSERT(ret == VMX_OK, "VMPTRLD gives %x", ret);
	l1_fill_vmcs(fn);
}

int l1_enter(void)
{
	int ret;

	trap_resume = l2_trap_resume;
	ret = l1_switch(launched);
	l2_trap_resume = trap_resume;
	trap_resume = 0;
	if (ret == VMX_OK && !(vmr(VMCS_EXIT_REASON) & VMEXIT_ENTRY_FAILURE))
		launched = true;
	return ret;
}

u32 l1_run(void)
{
	int ret = l1_enter();

	if (ret != VMX_OK) {
		failed("the entry fails with %d, error %llu", ret,
		       ret == VMX_ERROR ? vmr(VMCS_INSN_ERROR) : 0);
		end();
	}
	return vmr(VMCS_EXIT_REASON);
}

void l1_expect_exit(int line, u32 reason)
{
	u32 got = l1_run();

	if (got == reason)
		return;
	failed("line %d: exit reason is %x (qualification %llx, interruption %llx), should be %x; L2 is at %llx",
	       line, got, vmr(VMCS_EXIT_QUALIFICATION), vmr(VMCS_EXIT_INTR_INFO), reason,
	       vmr(VMCS_GUEST_RIP));
	end();
}

void l1_skip_insn(void)
{
	vmw(VMCS_GUEST_RIP, vmr(VMCS_GUEST_RIP) + vmr(VMCS_EXIT_INSN_LEN));
}

/* ---- EPT ----------------------------------------------------------------- */

static u64 ept_pml4[512] __aligned(4096), ept_pdpt[512] __aligned(4096);
static u64 ept_pd[4][512] __aligned(4096), ept_pt[4][512] __aligned(4096);
static unsigned int ept_splits;

u64 l1_eptp(void)
{
	return pa(ept_pml4) | 6 | 3 << 3;
}

u64 *l1_ept_pml4e(u64 gpa)
{
	return &ept_pml4[gpa >> 39];
}

u64 *l1_ept_pdpte(u64 gpa)
{
	return &ept_pdpt[gpa >> 30 & 511];
}

u64 *l1_ept_2m(u64 gpa)
{
	return &ept_pd[gpa >> 30 & 3][gpa >> 21 & 511];
}

u64 *l1_ept_4k(u64 gpa)
{
	u64 *pde = l1_ept_2m(gpa), i;

	if (*pde & EPT_PS) {
		u64 *table = ept_pt[ept_splits++];

		ASSERT(ept_splits <= ARRAY_SIZE(ept_pt), "too many split EPT pages");
		for (i = 0; i < 512; i++)
			table[i] = (gpa & ~0x1fffffull) | i << 12 | EPT_WB | EPT_RWX;
		*pde = pa(table) | EPT_RWX;
	}
	return (u64 *)(unsigned long)(*pde & ~0xfffull) + (gpa >> 12 & 511);
}

void l1_ept_on(void)
{
	u64 cap, i;

	l1_ctl_set(VMCS_PROC2_CTLS, PROC2_EPT, "EPT");
	cap = rdmsr(IA32_VMX_EPT_VPID_CAP);
	ASSERT(cap & EPT_CAP_WB && cap & EPT_CAP_WALK_4, "EPT without write-back or 4 levels");
	if (!(cap & EPT_CAP_2M))
		skip("EPT has no 2-MiB pages");
	ept_pml4[0] = pa(ept_pdpt) | EPT_RWX;
	for (i = 0; i < 4; i++)
		ept_pdpt[i] = pa(ept_pd[i]) | EPT_RWX;
	for (i = 0; i < 4 * 512; i++)
		ept_pd[i / 512][i % 512] = i << 21 | EPT_PS | EPT_WB | EPT_RWX;
	vmw(VMCS_EPTP, l1_eptp());
	l1_invept();
}

void l1_invept(void)
{
	struct inv_desc d = { l1_eptp(), 0 };
	u64 cap = rdmsr(IA32_VMX_EPT_VPID_CAP);
	int ret = invept(cap & EPT_CAP_INVEPT_ALL ? INVEPT_ALL : INVEPT_SINGLE, &d);

	ASSERT(ret == VMX_OK, "INVEPT gives %x", ret);
}
