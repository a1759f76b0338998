// SPDX-License-Identifier: GPL-2.0
#include "nested/merge.h"

/* Processor-based controls that L0 decides by itself at every entry or never uses. */
#define PROC_L0_ONLY	(PROC_INTR_WINDOW | PROC_NMI_WINDOW | PROC_TPR_SHADOW | PROC_MTF |	\
			 PROC_IO_BITMAPS | PROC_MSR_BITMAPS)

/*
 * Secondary controls that give L2 an ability or change what it sees: L1's word
 * alone counts. Everything else that L1 may set makes exits, and is added.
 */
#define PROC2_L1_ONLY	(PROC2_APIC_ACCESS | PROC2_RDTSCP | PROC2_X2APIC | PROC2_UNRESTRICTED |	\
			 PROC2_APIC_REGS | PROC2_VIRT_INTR | PROC2_INVPCID | PROC2_XSAVES |	\
			 PROC2_USER_WAIT)
#define PROC2_EXITS	(PROC2_DESC_TABLE | PROC2_WBINVD | PROC2_RDRAND | PROC2_RDSEED)

static u32 merge_pin(const struct merge_in *in)
{
	u32 pin = in->l0->pin | (in->v->pin_ctls & ~(PIN_PREEMPT_TIMER | PIN_POSTED_INTR));

	if (in->timer)
		pin |= in->v->pin_ctls & PIN_PREEMPT_TIMER;
	return pin;
}

static u32 merge_proc(const struct merge_in *in)
{
	const struct vmcs12 *v = in->v;
	/* Without an APIC in the kernel L0 wants L1's CR8, but what L2 has is L1's to say. */
	u32 proc = in->l0->proc & ~(PROC_L0_ONLY | PROC_CR8_LOAD | PROC_CR8_STORE);

	proc |= v->proc_ctls & ~(PROC_IO_BITMAPS | PROC_MSR_BITMAPS | PROC_TPR_SHADOW);
	/* L0 owns every port; whose exit it is, L1's bitmaps say afterwards. */
	proc |= PROC_UNCOND_IO | PROC_SECONDARY;
	/* Without a bitmap of L1's, every MSR access is an exit: so say both. */
	if ((in->l0->proc & PROC_MSR_BITMAPS) && (v->proc_ctls & PROC_MSR_BITMAPS))
		proc |= PROC_MSR_BITMAPS;
	/*
	 * CVE-2017-12154: with neither a TPR shadow nor exits, MOV CR8 of L2 would act
	 * on the host's local APIC.
	 */
	if (v->proc_ctls & PROC_TPR_SHADOW)
		proc |= PROC_TPR_SHADOW;
	else
		proc |= PROC_CR8_LOAD | PROC_CR8_STORE;
	return proc;
}

static u32 merge_proc2(const struct merge_in *in)
{
	const struct vmcs12 *v = in->v;
	u32 proc2 = in->l0->proc2 & ~(PROC2_L1_ONLY | PROC2_SHADOW_VMCS);
	u32 l1 = v->proc_ctls & PROC_SECONDARY ? v->proc2_ctls : 0;

	if (!in->apic_access)
		l1 &= ~PROC2_APIC_ACCESS;
	proc2 |= l1 & (PROC2_L1_ONLY | PROC2_EXITS);
	proc2 |= PROC2_EPT;
	return proc2;
}

/*
 * SDM 3C "Page faults": bit 14 and the mask and match values decide together. If
 * L0 wants page faults too, all must exit, and are sorted out in software.
 */
static void merge_exceptions(struct merge_out *out, const struct merge_in *in)
{
	out->exceptions = in->l0_exceptions | in->v->exception_bitmap;
	if (in->l0_exceptions & BIT(14)) {
		out->pf_mask = 0;
		out->pf_match = 0;
	} else {
		out->pf_mask = in->v->pf_ec_mask;
		out->pf_match = in->v->pf_ec_match;
	}
}

/* L2 reads L1's shadow for L1's bits, and its own value for the bits L0 keeps. */
static u64 merge_shadow(u64 mask12, u64 shadow12, u64 guest)
{
	return (shadow12 & mask12) | (guest & ~mask12);
}

void nested_merge(struct merge_out *out, const struct merge_in *in)
{
	const struct vmcs12 *v = in->v;

	out->ctls.pin = merge_pin(in);
	out->ctls.proc = merge_proc(in);
	out->ctls.proc2 = merge_proc2(in);
	/* Host state and what L0 saves are L0's; L1's share is done in software. */
	out->ctls.exit = in->l0->exit;
	out->ctls.entry = (in->l0->entry & ~ENTRY_IA32E) | (v->entry_ctls & ENTRY_IA32E);
	merge_exceptions(out, in);
	out->cr0_mask = in->cr0_host_mask | v->cr0_mask;
	out->cr4_mask = in->cr4_host_mask | v->cr4_mask;
	out->cr0_shadow = merge_shadow(v->cr0_mask, v->cr0_shadow, v->guest_cr0);
	out->cr4_shadow = merge_shadow(v->cr4_mask, v->cr4_shadow, v->guest_cr4);
}

/*
 * The page is four bitmaps of 128 words: read low, read high, write low, write
 * high. MSRs 800H-8FFH are words 32 to 35 of the low ones.
 */
u64 nested_merge_msr_word(unsigned int i, u64 l0, u64 l1, bool vtpr)
{
	unsigned int map = i / 128, word = i % 128;

	if ((map == 0 || map == 2) && word >= 32 && word < 36) {
		/* 808H is TPR. */
		if (vtpr && word == 32)
			return ~BIT_ULL(8) | (l1 & BIT_ULL(8));
		return U64_MAX;
	}
	return l0 | l1;
}
