/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What this CPU's VT-x has, and what of it we use: capability MSRs to control
 * words. Pure, so that every combination can be tried without the CPU.
 */
#ifndef NESTVM_VMX_CAPS_H
#define NESTVM_VMX_CAPS_H

#include "pure.h"

/* The capability MSRs as the CPU gives them (480H-491H, index less 480H). */
struct vmx_cap_msrs {
	u64 msr[0x14];
};

/* One value for each control word. */
struct vmx_ctls {
	u32 pin, proc, proc2, exit, entry;
};

struct vmx_caps {
	struct vmx_cap_msrs raw;
	u32 revision;
	struct vmx_ctls base;	/* chosen for a plain vCPU: required + wanted and present */
	u64 ept_vpid;		/* IA32_VMX_EPT_VPID_CAP */
	u64 misc;
	u64 cr0_fixed0, cr0_fixed1, cr4_fixed0, cr4_fixed1;
	bool ept_ad, ept_2m, ept_1g, vpid, shadow_vmcs, preempt_timer, virtual_nmis, mtf;
	bool tsc_scaling, unrestricted;
};

/* Of the CPU the module runs on; constant after load. */
extern struct vmx_caps vmx_caps;

/*
 * Fill @caps from @raw. Returns NULL, or a sentence that says what the CPU lacks
 * (control by its name) and what to do.
 */
const char *vmx_caps_choose(struct vmx_caps *caps, const struct vmx_cap_msrs *raw);

/* May @bits be 1 in the control word whose (true) capability MSR is @msr? */
static inline bool vmx_cap_allows(u64 msr, u32 bits)
{
	return ((u32)(msr >> 32) & bits) == bits;
}

#endif
