/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The capability MSRs that L1 reads: what the host's CPU can do, limited to
 * what nested/ supports. Derived once per VM; user space may restore a set
 * that offers less (a migration from a smaller CPU), never more.
 */
#ifndef NESTVM_NESTED_VMX_MSRS_H
#define NESTVM_NESTED_VMX_MSRS_H

#include "pure.h"
#include "x86.h"

#define NESTED_VMX_MSR_COUNT	(IA32_VMX_VMFUNC - IA32_VMX_BASIC + 1)

/* In the order of the MSR numbers, so that it is an array too. */
struct nested_vmx_msrs {
	u64 basic;
	u64 pin;			/* control words: bits 31:0 must be 1, 63:32 may be 1 */
	u64 proc;
	u64 exit;
	u64 entry;
	u64 misc;
	u64 cr0_fixed0;
	u64 cr0_fixed1;
	u64 cr4_fixed0;
	u64 cr4_fixed1;
	u64 vmcs_enum;
	u64 proc2;
	u64 ept_vpid_cap;
	u64 true_pin;
	u64 true_proc;
	u64 true_exit;
	u64 true_entry;
	u64 vmfunc;
};

static_assert(sizeof(struct nested_vmx_msrs) == NESTED_VMX_MSR_COUNT * sizeof(u64));

/*
 * What the derivation starts from: the host's own MSRs, read by the caller
 * (those that do not exist on the host are 0).
 */
struct vmx_host_caps_input {
	u64 msr[NESTED_VMX_MSR_COUNT];	/* by number - IA32_VMX_BASIC */
};

void nested_vmx_msrs_init(struct nested_vmx_msrs *out, const struct vmx_host_caps_input *host);

/* CR4_FIXED1 follows CPUID: @cr4_allowed is cpu_cr4_allowed() of the vCPU's features. */
void nested_vmx_msrs_set_cr4(struct nested_vmx_msrs *m, u64 cr4_allowed);

/* False if L1's CPU has no such MSR: RDMSR is #GP. */
bool nested_vmx_msr_get(const struct nested_vmx_msrs *m, u32 msr, u64 *value);

/*
 * Restore one MSR of a saved set into @m. @max is the full set of this host,
 * from nested_vmx_msrs_init(): the value must offer nothing beyond it, and
 * must be self-consistent. 0, -EINVAL (too much, malformed) or -ENOENT (no such
 * MSR). Setting a true-control MSR sets its plain twin and the reverse is refused
 * unless it says the same.
 */
int nested_vmx_msr_set(struct nested_vmx_msrs *m, const struct nested_vmx_msrs *max,
		       u32 msr, u64 value);

/* Is the setting of a control word one the capability pair allows? */
static inline bool nested_ctl_ok(u32 value, u64 cap)
{
	return (value & (u32)cap) == (u32)cap && !(value & ~(u32)(cap >> 32));
}

/* May the control be 1? */
static inline bool nested_ctl_offered(u64 cap, u32 bit)
{
	return (cap >> 32) & bit;
}

/* Secondary controls exist only if "activate secondary controls" is offered. */
static inline bool nested_proc2_offered(const struct nested_vmx_msrs *m, u32 bit)
{
	return nested_ctl_offered(m->true_proc, BIT(31)) && nested_ctl_offered(m->proc2, bit);
}

static inline u32 nested_msr_list_max(const struct nested_vmx_msrs *m)
{
	return 512 * (((m->misc >> 25) & 7) + 1);
}

#endif
