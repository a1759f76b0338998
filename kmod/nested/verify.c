// SPDX-License-Identifier: GPL-2.0
/* EPT02 and vmcs02 against what L0 allows; see kmod/verify.h. */
#include "verify.h"
#include <linux/io.h>
#include <linux/xarray.h>
#include "ept/ept.h"
#include "ept/verify02.h"
#include "nested/nested_vcpu.h"

/* ------------------------------------------------------------------ EPT02 */

struct verify02 {
	struct nv_vm *vm;
	struct xarray holders;
	bool bad;
};

/*
 * EPT12 may have changed since the leaf was made, which L1 need not tell before it
 * executes INVEPT. What does not change: each frame is a page of a slot, and those of a
 * large leaf are neighbours in L1's memory.
 */
static const char *check_frames(struct verify02 *w, u64 entry, unsigned int level)
{
	u64 n = 1ull << (9 * (level - 1)), pfn = (entry & EPT_ADDR_MASK) >> PAGE_SHIFT, i;
	const char *wrong = NULL;
	u64 first = 0;

	for (i = 0; !wrong && i < n; i++) {
		void *holder = xa_load(&w->holders, pfn + i);
		u64 gfn;

		if (!holder)
			return "a frame that no slot holds";
		gfn = xa_to_value(holder);
		if (gfn == EPT_HOLDERS_SEVERAL)
			continue;
		if (i && first && gfn != first + i)
			return "frames of a large leaf that are no neighbours";
		first = gfn - i;
		wrong = ept_verify_rights(slots_find(w->vm, gfn), gfn, entry, level);
	}
	return wrong;
}

static void check_leaf(struct verify02 *w, u64 gpa, u64 entry, unsigned int level)
{
	const char *wrong = ept_verify_leaf(entry, level);

	if (!wrong)
		wrong = check_frames(w, entry, level);
	if (!wrong)
		return;
	w->bad = true;
	/* As in ept/verify.c: the test's failure. */
	WARN(1, "nestvm verify: EPT02 at %#llx, level %u, entry %#llx: %s\n", gpa, level, entry,
	     wrong);
}

static void check_table(struct verify02 *w, const u64 *table, u64 base, unsigned int level)
{
	unsigned int i;

	for (i = 0; i < EPT_ENTRIES && !w->bad; i++) {
		u64 entry = READ_ONCE(table[i]), gpa = base + i * EPT_LEVEL_SIZE(level);

		if (!entry)
			continue;
		if (level == EPT_LEVEL_4K || (entry & EPT_LARGE))
			check_leaf(w, gpa, entry, level);
		else
			check_table(w, phys_to_virt(entry & EPT_ADDR_MASK), gpa, level - 1);
		cond_resched();
	}
}

void nested_verify_ept02(struct nv_vcpu *vcpu)
{
	struct nv_nested *n = vcpu->nested;
	struct verify02 w = { .vm = vcpu->vm };
	unsigned int i;

	/* Not yet told of a change: nothing of it is used before. */
	if (vcpu->requests & (BIT(REQ_EPT01_CHANGED) | BIT(REQ_EPT01_PROTECTED)))
		return;
	if (!ept_holders_make(vcpu->vm, &w.holders))
		for (i = 0; i < NESTED_EPT02_ROOTS; i++)
			if (n->ept02s[i].table)
				check_table(&w, n->ept02s[i].table, 0, EPT_LEVEL_PML4);
	xa_destroy(&w.holders);
}

/* ----------------------------------------------------------------- vmcs02 */

/* A page of L1 that hardware writes or reads through vmcs02, or L0's own @scratch. */
static bool page_ok(u64 pa, const struct nv_gpage *p, const void *scratch)
{
	return (p->page && pa == p->hpa.v) || (scratch && pa == __pa(scratch));
}

static bool eptp_ok(struct nv_vcpu *vcpu, u64 eptp)
{
	struct nv_nested *n = vcpu->nested;

	return eptp == (n->ept02 ? n->ept02->eptp02 : vcpu->vmx.eptp01);
}

/* Each bit that L0 intercepts is set, but for TPR where it is virtualized. */
static bool bitmap_ok(struct nv_vcpu *vcpu, const u64 *merged)
{
	const u64 *l0 = (const u64 *)vcpu->vmx.msr_bitmap;
	unsigned int i;

	for (i = 0; i < VMX_BITMAP_SIZE / sizeof(u64); i++) {
		u64 open = l0[i] & ~merged[i];

		/* 808H, to read and to write */
		if (i == 32 || i == 2 * 128 + 32)
			open &= ~BIT_ULL(8);
		if (open)
			return false;
	}
	return true;
}

static const char *check_controls(struct nv_vcpu *vcpu)
{
	const struct vmx_ctls *l0 = &vcpu->vmx.ctls;
	u32 proc = vmcs_read(VMCS_PROC_CTLS), proc2 = vmcs_read(VMCS_PROC2_CTLS);
	const u32 windows = PROC_INTR_WINDOW | PROC_NMI_WINDOW | PROC_MTF;

	if (l0->pin & ~vmcs_read(VMCS_PIN_CTLS))
		return "pin-based controls";
	if (!(proc & PROC_UNCOND_IO) && !(proc & PROC_IO_BITMAPS))
		return "I/O is not intercepted";
	if (!(proc & PROC_TPR_SHADOW) && (proc & (PROC_CR8_LOAD | PROC_CR8_STORE)) !=
	    (PROC_CR8_LOAD | PROC_CR8_STORE))
		return "CR8 is the host's";
	if (!(proc2 & PROC2_EPT) || ((l0->proc2 ^ proc2) & PROC2_VPID))
		return "EPT or VPID";
	if ((proc & ~(windows | l0->proc)) & ~vcpu->nested->v->proc_ctls &
	    ~(PROC_UNCOND_IO | PROC_CR8_LOAD | PROC_CR8_STORE))
		return "processor-based controls that nobody asked for";
	if (vmcs_read(VMCS_EXIT_CTLS) != l0->exit)
		return "VM-exit controls";
	if (vmcs_read(VMCS_EXIT_MSR_STORE_COUNT) ||
	    vmcs_read(VMCS_EXIT_MSR_LOAD_COUNT) != vcpu->vmx.vmcs->switched_msrs ||
	    vmcs_read(VMCS_ENTRY_MSR_LOAD_COUNT) != vcpu->vmx.vmcs->switched_msrs)
		return "MSR areas";
	if (vmcs_read(VMCS_LINK_POINTER) != VMCS_NONE)
		return "link pointer";
	return NULL;
}

static const char *check_pages(struct nv_vcpu *vcpu)
{
	struct nv_nested *n = vcpu->nested;
	const struct vmcs02 *s = n->cur;
	u32 proc = vmcs_read(VMCS_PROC_CTLS), proc2 = vmcs_read(VMCS_PROC2_CTLS);

	if (!eptp_ok(vcpu, vmcs_read(VMCS_EPTP)))
		return "EPTP";
	if ((proc & PROC_MSR_BITMAPS) && (vmcs_read(VMCS_MSR_BITMAP) != __pa(s->msr_bitmap) ||
					  !bitmap_ok(vcpu, s->msr_bitmap)))
		return "MSR bitmap";
	/* To be mapped again before the next entry. */
	if (n->pages_stale)
		return NULL;
	if ((proc & PROC_TPR_SHADOW) &&
	    !page_ok(vmcs_read(VMCS_VIRTUAL_APIC), &s->vapic, n->scratch))
		return "virtual-APIC page";
	if ((proc2 & PROC2_APIC_ACCESS) &&
	    !page_ok(vmcs_read(VMCS_APIC_ACCESS), &s->apic_access, NULL))
		return "APIC-access page";
	return NULL;
}

/* Host state is what vmcs01 has, where it does not follow the CPU or the task. */
static const char *check_cache(struct nv_vcpu *vcpu)
{
	const struct vmcs12 *hw = vcpu->nested->cur->hw;

	if (hw->pin_ctls != vmcs_read(VMCS_PIN_CTLS) ||
	    hw->proc2_ctls != vmcs_read(VMCS_PROC2_CTLS) ||
	    hw->exception_bitmap != vmcs_read(VMCS_EXCEPTION_BITMAP) ||
	    hw->cr0_mask != vmcs_read(VMCS_CR0_MASK) || hw->cr4_mask != vmcs_read(VMCS_CR4_MASK) ||
	    hw->eptp != vmcs_read(VMCS_EPTP))
		return "a field is not what its cache says";
	if (vcpu->vmx.vmcs->vpid && vmcs_read(VMCS_VPID) != vcpu->vmx.vmcs->vpid)
		return "VPID";
	return NULL;
}

void nested_verify_vmcs02(struct nv_vcpu *vcpu)
{
	const char *wrong = check_controls(vcpu);

	if (!wrong)
		wrong = check_pages(vcpu);
	if (!wrong)
		wrong = check_cache(vcpu);
	/* As above. */
	WARN(wrong, "nestvm verify: vmcs02: %s\n", wrong);
}
