// SPDX-License-Identifier: GPL-2.0
/* Choose our control bits from the capability MSRs. Pure. */
#include "vmx/caps.h"
#include "vmx/vmx_defs.h"
#include "x86.h"

#define CAP(raw, index)	((raw)->msr[(index) - IA32_VMX_BASIC])

/* A control that we want: without a required one the module cannot work. */
struct wish {
	u32 bit;
	bool required;
	const char *missing;
};

static const struct wish pin_wishes[] = {
	{ PIN_EXT_INTR,		true, "external-interrupt exiting" },
	{ PIN_NMI_EXIT,		true, "NMI exiting" },
	{ PIN_VIRTUAL_NMIS,	true, "virtual NMIs" },
};

static const struct wish proc_wishes[] = {
	{ PROC_TSC_OFFSET,	true, "TSC offsetting" },
	{ PROC_HLT,		true, "HLT exiting" },
	{ PROC_MWAIT,		true, "MWAIT exiting" },
	{ PROC_RDPMC,		true, "RDPMC exiting" },
	{ PROC_MOV_DR,		true, "MOV-DR exiting" },
	{ PROC_UNCOND_IO,	true, "unconditional I/O exiting" },
	{ PROC_MSR_BITMAPS,	true, "MSR bitmaps" },
	{ PROC_MONITOR,		true, "MONITOR exiting" },
	{ PROC_TPR_SHADOW,	true, "use TPR shadow" },
	{ PROC_SECONDARY,	true, "secondary controls" },
};

static const struct wish proc2_wishes[] = {
	{ PROC2_EPT,		true, "EPT" },
	{ PROC2_UNRESTRICTED,	true, "unrestricted guest" },
	{ PROC2_VPID,		false, "VPID" },
	{ PROC2_RDTSCP,		false, "RDTSCP" },
	{ PROC2_INVPCID,	false, "INVPCID" },
	{ PROC2_WBINVD,		true, "WBINVD exiting" },
	{ PROC2_PAUSE_LOOP,	false, "PAUSE-loop exiting" },
};

static const struct wish exit_wishes[] = {
	{ EXIT_HOST_64,		true, "host address-space size" },
	{ EXIT_SAVE_DEBUG,	true, "save debug controls" },
	{ EXIT_SAVE_PAT,	true, "save IA32_PAT" },
	{ EXIT_LOAD_PAT,	true, "load IA32_PAT at VM exit" },
	{ EXIT_SAVE_EFER,	true, "save IA32_EFER" },
	{ EXIT_LOAD_EFER,	true, "load IA32_EFER at VM exit" },
};

static const struct wish entry_wishes[] = {
	{ ENTRY_LOAD_DEBUG,	true, "load debug controls" },
	{ ENTRY_LOAD_PAT,	true, "load IA32_PAT at VM entry" },
	{ ENTRY_LOAD_EFER,	true, "load IA32_EFER at VM entry" },
};

/*
 * SDM 3D "Reserved Bits and Default Settings": bits 31:0 of the MSR are the
 * controls that must be 1, bits 63:32 those that may be.
 */
static const char *choose(u32 *out, u64 msr, const struct wish *wishes, unsigned int n)
{
	u32 ctl = (u32)msr;
	unsigned int i;

	for (i = 0; i < n; i++) {
		if (vmx_cap_allows(msr, wishes[i].bit))
			ctl |= wishes[i].bit;
		else if (wishes[i].required)
			return wishes[i].missing;
	}
	*out = ctl;
	return NULL;
}

#define CHOOSE(field, index, wishes)						\
	do {									\
		const char *missing = choose(&caps->base.field, CAP(raw, index),	\
					     wishes, ARRAY_SIZE(wishes));	\
		if (missing)							\
			return missing;						\
	} while (0)

const char *vmx_caps_choose(struct vmx_caps *caps, const struct vmx_cap_msrs *raw)
{
	u64 basic = CAP(raw, IA32_VMX_BASIC);
	u64 ept = CAP(raw, IA32_VMX_EPT_VPID_CAP);

	memset(caps, 0, sizeof(*caps));
	caps->raw = *raw;
	caps->revision = basic & VMX_BASIC_REVISION;

	if (!(basic & VMX_BASIC_HAS_TRUE))
		return "the TRUE capability MSRs (IA32_VMX_BASIC bit 55)";
	if (((basic >> VMX_BASIC_MEMTYPE_SHIFT) & 0xf) != MEMTYPE_WB)
		return "write-back VMCS regions";

	CHOOSE(pin, IA32_VMX_TRUE_PINBASED_CTLS, pin_wishes);
	CHOOSE(proc, IA32_VMX_TRUE_PROCBASED_CTLS, proc_wishes);
	CHOOSE(proc2, IA32_VMX_PROCBASED_CTLS2, proc2_wishes);
	CHOOSE(exit, IA32_VMX_TRUE_EXIT_CTLS, exit_wishes);
	CHOOSE(entry, IA32_VMX_TRUE_ENTRY_CTLS, entry_wishes);

	if (!(ept & EPT_CAP_WALK_4))
		return "4-level EPT";
	if (!(ept & EPT_CAP_WB))
		return "write-back EPT paging structures";
	if (!(ept & EPT_CAP_INVEPT) || !(ept & EPT_CAP_INVEPT_ALL))
		return "all-context INVEPT";

	caps->ept_vpid = ept;
	caps->ept_ad = ept & EPT_CAP_AD;
	caps->ept_2m = ept & EPT_CAP_2M;
	caps->ept_1g = ept & EPT_CAP_1G;
	/* A VPID that cannot be flushed alone is no use. */
	caps->vpid = (caps->base.proc2 & PROC2_VPID) && (ept & VPID_CAP_INVVPID) &&
		     (ept & VPID_CAP_SINGLE) && (ept & VPID_CAP_ALL);
	if (!caps->vpid)
		caps->base.proc2 &= ~PROC2_VPID;
	caps->misc = CAP(raw, IA32_VMX_MISC);
	caps->cr0_fixed0 = CAP(raw, IA32_VMX_CR0_FIXED0);
	caps->cr0_fixed1 = CAP(raw, IA32_VMX_CR0_FIXED1);
	caps->cr4_fixed0 = CAP(raw, IA32_VMX_CR4_FIXED0);
	caps->cr4_fixed1 = CAP(raw, IA32_VMX_CR4_FIXED1);
	caps->virtual_nmis = true;
	caps->unrestricted = true;
	caps->preempt_timer = vmx_cap_allows(CAP(raw, IA32_VMX_TRUE_PINBASED_CTLS),
					     PIN_PREEMPT_TIMER) &&
			      vmx_cap_allows(CAP(raw, IA32_VMX_TRUE_EXIT_CTLS),
					     EXIT_SAVE_PREEMPT_TIMER);
	caps->mtf = vmx_cap_allows(CAP(raw, IA32_VMX_TRUE_PROCBASED_CTLS), PROC_MTF);
	/* Shadowing without the right to write read-only fields is of little use. */
	caps->shadow_vmcs = vmx_cap_allows(CAP(raw, IA32_VMX_PROCBASED_CTLS2),
					   PROC2_SHADOW_VMCS) &&
			    (caps->misc & VMX_MISC_WRITE_ANY);
	caps->tsc_scaling = vmx_cap_allows(CAP(raw, IA32_VMX_PROCBASED_CTLS2),
					   PROC2_TSC_SCALING);
	return NULL;
}
