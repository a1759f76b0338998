/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Controls of vmcs02 = f(what L0 needs, what L1 asks in vmcs12). Pure.
 *
 * An exit is wanted if either level wants it; an ability is given only if L1
 * gives it; what L1 asks of hardware that L0 does in software is left out.
 */
#ifndef NESTVM_NESTED_MERGE_H
#define NESTVM_NESTED_MERGE_H

#include "pure.h"
#include "nested/vmcs12.h"
#include "vmx/caps.h"

struct merge_in {
	const struct vmcs12 *v;
	const struct vmx_ctls *l0;	/* of vmcs01 */
	u32 l0_exceptions;
	u64 cr0_host_mask, cr4_host_mask;
	bool timer;			/* the CPU has the VMX-preemption timer */
	bool apic_access;		/* L1's APIC-access page is memory */
};

struct merge_out {
	struct vmx_ctls ctls;
	u32 exceptions, pf_mask, pf_match;
	u64 cr0_mask, cr4_mask;
	u64 cr0_shadow, cr4_shadow;
};

void nested_merge(struct merge_out *out, const struct merge_in *in);

/*
 * One word of the MSR bitmap of vmcs02. Word @i covers MSRs 64 * (i % 128) up, low
 * range or high by i / 128 % 2. An x2APIC MSR always exits, whatever both levels
 * say, for the registers are L0's; TPR excepted where hardware redirects it
 * (@vtpr) to L1's virtual-APIC page.
 */
u64 nested_merge_msr_word(unsigned int i, u64 l0, u64 l1, bool vtpr);

#endif
