// SPDX-License-Identifier: GPL-2.0
/*
 * The capability MSRs shown to L1 (SDM 3D "VMX Capability Reporting Facility").
 * The tables are the policy: a control without OFFER is one that nested/ does
 * not implement, and L1 setting it fails the entry. Pure, see kmod/pure.mk.
 */
#include "nested/vmx_msrs.h"

#include "nested/vmcs12.h"
#include "vmx/vmx_defs.h"

enum ctl_policy {
	NOT_OFFERED,
	OFFER,				/* if the host's CPU has it */
};

struct ctl_row {
	u32 bit;
	enum ctl_policy policy;
};

static const struct ctl_row pin_rows[] = {
	{ PIN_EXT_INTR,			OFFER },
	{ PIN_NMI_EXIT,			OFFER },
	{ PIN_VIRTUAL_NMIS,		OFFER },
	{ PIN_PREEMPT_TIMER,		OFFER },
	{ PIN_POSTED_INTR,		NOT_OFFERED },	/* with virtual-interrupt delivery */
};

static const struct ctl_row proc_rows[] = {
	{ PROC_INTR_WINDOW,		OFFER },
	{ PROC_TSC_OFFSET,		OFFER },
	{ PROC_HLT,			OFFER },
	{ PROC_INVLPG,			OFFER },
	{ PROC_MWAIT,			OFFER },
	{ PROC_RDPMC,			OFFER },
	{ PROC_RDTSC,			OFFER },
	{ PROC_CR3_LOAD,		OFFER },
	{ PROC_CR3_STORE,		OFFER },
	{ PROC_TERTIARY,		NOT_OFFERED },	/* no tertiary control is supported */
	{ PROC_CR8_LOAD,		OFFER },
	{ PROC_CR8_STORE,		OFFER },
	{ PROC_TPR_SHADOW,		OFFER },
	{ PROC_NMI_WINDOW,		OFFER },
	{ PROC_MOV_DR,			OFFER },
	{ PROC_UNCOND_IO,		OFFER },
	{ PROC_IO_BITMAPS,		OFFER },
	{ PROC_MTF,			OFFER },
	{ PROC_MSR_BITMAPS,		OFFER },
	{ PROC_MONITOR,			OFFER },
	{ PROC_PAUSE,			OFFER },
	{ PROC_SECONDARY,		OFFER },
};

static const struct ctl_row proc2_rows[] = {
	{ PROC2_APIC_ACCESS,		OFFER },
	{ PROC2_EPT,			OFFER },
	{ PROC2_DESC_TABLE,		OFFER },
	{ PROC2_RDTSCP,			OFFER },
	{ PROC2_X2APIC,			OFFER },
	{ PROC2_VPID,			OFFER },
	{ PROC2_WBINVD,			OFFER },
	{ PROC2_UNRESTRICTED,		OFFER },
	{ PROC2_APIC_REGS,		NOT_OFFERED },	/* nested APICv */
	{ PROC2_VIRT_INTR,		NOT_OFFERED },	/* nested APICv */
	{ PROC2_PAUSE_LOOP,		NOT_OFFERED },	/* gap and window are not merged yet */
	{ PROC2_RDRAND,			OFFER },
	{ PROC2_INVPCID,		OFFER },
	{ PROC2_VMFUNC,			NOT_OFFERED },	/* EPTP switching */
	{ PROC2_SHADOW_VMCS,		NOT_OFFERED },	/* VMREAD/VMWRITE by L2 go to L1 */
	{ PROC2_ENCLS,			NOT_OFFERED },	/* no SGX in CPUID */
	{ PROC2_RDSEED,			OFFER },
	{ PROC2_PML,			NOT_OFFERED },
	{ PROC2_VE,			NOT_OFFERED },
	{ PROC2_PT_CONCEAL,		NOT_OFFERED },	/* no Intel PT in CPUID */
	{ PROC2_XSAVES,			NOT_OFFERED },	/* no XSAVES in CPUID */
	{ PROC2_MBEC,			NOT_OFFERED },
	{ PROC2_SPP,			NOT_OFFERED },
	{ PROC2_PT_GPA,			NOT_OFFERED },	/* no Intel PT in CPUID */
	{ PROC2_TSC_SCALING,		NOT_OFFERED },	/* the multiplier is not merged yet */
	{ PROC2_USER_WAIT,		NOT_OFFERED },	/* no WAITPKG in CPUID */
};

static const struct ctl_row exit_rows[] = {
	{ EXIT_SAVE_DEBUG,		OFFER },
	{ EXIT_HOST_64,			OFFER },
	{ EXIT_LOAD_PERF_GLOBAL,	NOT_OFFERED },	/* no PMU in CPUID */
	{ EXIT_ACK_INTR,		OFFER },
	{ EXIT_SAVE_PAT,		OFFER },
	{ EXIT_LOAD_PAT,		OFFER },
	{ EXIT_SAVE_EFER,		OFFER },
	{ EXIT_LOAD_EFER,		OFFER },
	{ EXIT_SAVE_PREEMPT_TIMER,	OFFER },
	{ EXIT_CLEAR_BNDCFGS,		NOT_OFFERED },	/* no MPX in CPUID */
	{ EXIT_SECONDARY,		NOT_OFFERED },
};

static const struct ctl_row entry_rows[] = {
	{ ENTRY_LOAD_DEBUG,		OFFER },
	{ ENTRY_IA32E,			OFFER },
	{ ENTRY_SMM,			NOT_OFFERED },	/* no dual-monitor treatment of SMM */
	{ ENTRY_DEACTIVATE_DUAL,	NOT_OFFERED },	/* likewise */
	{ ENTRY_LOAD_PERF_GLOBAL,	NOT_OFFERED },	/* no PMU in CPUID */
	{ ENTRY_LOAD_PAT,		OFFER },
	{ ENTRY_LOAD_EFER,		OFFER },
	{ ENTRY_LOAD_BNDCFGS,		NOT_OFFERED },	/* no MPX in CPUID */
};

/* Default-1 bits that the true MSRs allow to be 0. */
#define PROC_TRUE_OPTIONAL	((u32)(PROC_CR3_LOAD | PROC_CR3_STORE))
#define EXIT_TRUE_OPTIONAL	((u32)EXIT_SAVE_DEBUG)
#define ENTRY_TRUE_OPTIONAL	((u32)ENTRY_LOAD_DEBUG)

/* EPT and VPID: what the CPU does for us and what we do in software. */
#define EPT_CAP_IF_HOST		(EPT_CAP_EXEC_ONLY | EPT_CAP_WALK_4 | EPT_CAP_UC | EPT_CAP_WB | \
				 EPT_CAP_2M | EPT_CAP_1G | EPT_CAP_AD)
#define EPT_CAP_SOFTWARE	(EPT_CAP_INVEPT | EPT_CAP_INVEPT_SINGLE | EPT_CAP_INVEPT_ALL)
#define VPID_CAP_SOFTWARE	(VPID_CAP_INVVPID | VPID_CAP_ADDR | VPID_CAP_SINGLE | \
				 VPID_CAP_ALL | VPID_CAP_SINGLE_GLOBAL)

#define CR3_TARGETS_MAX		4u	/* vmcs12 has four */

static u32 offered(const struct ctl_row *rows, unsigned int n, u64 host)
{
	u32 bits = 0;
	unsigned int i;

	for (i = 0; i < n; i++)
		if (rows[i].policy == OFFER)
			bits |= rows[i].bit;
	return bits & (u32)(host >> 32);
}

static u64 ctl_pair(u32 must, u32 may)
{
	return (u64)(may | must) << 32 | must;
}

static u64 host_msr(const struct vmx_host_caps_input *host, u32 msr)
{
	return host->msr[msr - IA32_VMX_BASIC];
}

static void init_controls(struct nested_vmx_msrs *m, const struct vmx_host_caps_input *host)
{
	u32 pin = offered(pin_rows, ARRAY_SIZE(pin_rows), host_msr(host, IA32_VMX_PINBASED_CTLS));
	u32 proc = offered(proc_rows, ARRAY_SIZE(proc_rows),
			   host_msr(host, IA32_VMX_PROCBASED_CTLS));
	u32 exit = offered(exit_rows, ARRAY_SIZE(exit_rows), host_msr(host, IA32_VMX_EXIT_CTLS));
	u32 entry = offered(entry_rows, ARRAY_SIZE(entry_rows),
			    host_msr(host, IA32_VMX_ENTRY_CTLS));
	u32 proc2 = 0;

	if (proc & PROC_SECONDARY)
		proc2 = offered(proc2_rows, ARRAY_SIZE(proc2_rows),
				host_msr(host, IA32_VMX_PROCBASED_CTLS2));
	/* What needs another control is not there without it. */
	if (!(pin & PIN_NMI_EXIT))
		pin &= ~PIN_VIRTUAL_NMIS;
	if (!(pin & PIN_VIRTUAL_NMIS))
		proc &= ~PROC_NMI_WINDOW;
	if (!(pin & PIN_PREEMPT_TIMER))
		exit &= ~EXIT_SAVE_PREEMPT_TIMER;
	if (!(proc & PROC_TPR_SHADOW))
		proc2 &= ~PROC2_X2APIC;
	if (!(proc2 & PROC2_EPT))
		proc2 &= ~PROC2_UNRESTRICTED;

	m->pin = ctl_pair(PIN_DEFAULT1, pin);
	m->proc = ctl_pair(PROC_DEFAULT1, proc);
	m->exit = ctl_pair(EXIT_DEFAULT1, exit);
	m->entry = ctl_pair(ENTRY_DEFAULT1, entry);
	m->proc2 = ctl_pair(0, proc2);
	m->true_pin = m->pin;
	m->true_proc = ctl_pair(PROC_DEFAULT1 & ~PROC_TRUE_OPTIONAL, PROC_DEFAULT1 | proc);
	m->true_exit = ctl_pair(EXIT_DEFAULT1 & ~EXIT_TRUE_OPTIONAL, EXIT_DEFAULT1 | exit);
	m->true_entry = ctl_pair(ENTRY_DEFAULT1 & ~ENTRY_TRUE_OPTIONAL, ENTRY_DEFAULT1 | entry);
}

static void init_misc(struct nested_vmx_msrs *m, const struct vmx_host_caps_input *host)
{
	u64 misc = host_msr(host, IA32_VMX_MISC);
	u64 targets = (misc & VMX_MISC_CR3_TARGETS) >> VMX_MISC_CR3_TARGETS_SHIFT;

	m->misc = VMX_MISC_STORE_LMA | VMX_MISC_WRITE_ANY;
	m->misc |= misc & (VMX_MISC_ACTIVITY_HLT | VMX_MISC_INJECT_LEN0);
	m->misc |= min_t(u64, targets, CR3_TARGETS_MAX) << VMX_MISC_CR3_TARGETS_SHIFT;
	if (nested_ctl_offered(m->true_pin, PIN_PREEMPT_TIMER))
		m->misc |= misc & VMX_MISC_PREEMPT_RATE;
}

static void init_ept_vpid(struct nested_vmx_msrs *m, const struct vmx_host_caps_input *host)
{
	u64 cap = host_msr(host, IA32_VMX_EPT_VPID_CAP);

	m->ept_vpid_cap = 0;
	if (nested_proc2_offered(m, PROC2_EPT))
		m->ept_vpid_cap |= (cap & EPT_CAP_IF_HOST) | EPT_CAP_SOFTWARE;
	if (nested_proc2_offered(m, PROC2_VPID))
		m->ept_vpid_cap |= VPID_CAP_SOFTWARE;
}

/* Bits 9:1: the highest index of any field that exists. */
static u64 highest_index(const struct nested_vmx_msrs *m)
{
	const struct vmcs12_field *f;
	u64 max_index = 0;
	unsigned int i;

	for (i = 0; (f = vmcs12_field_at(i)); i++)
		if (vmcs12_field_valid(f->encoding, m))
			max_index = max_t(u64, max_index, f->encoding & VMCS_ENC_INDEX);
	return max_index;
}

void nested_vmx_msrs_init(struct nested_vmx_msrs *m, const struct vmx_host_caps_input *host)
{
	memset(m, 0, sizeof(*m));
	m->basic = VMCS12_REVISION | (u64)VMCS12_SIZE << VMX_BASIC_SIZE_SHIFT |
		   (u64)MEMTYPE_WB << VMX_BASIC_MEMTYPE_SHIFT | VMX_BASIC_HAS_TRUE |
		   (host_msr(host, IA32_VMX_BASIC) & VMX_BASIC_INS_OUTS);
	init_controls(m, host);
	init_misc(m, host);
	init_ept_vpid(m, host);
	m->cr0_fixed0 = host_msr(host, IA32_VMX_CR0_FIXED0);
	m->cr0_fixed1 = host_msr(host, IA32_VMX_CR0_FIXED1);
	m->cr4_fixed0 = host_msr(host, IA32_VMX_CR4_FIXED0);
	m->cr4_fixed1 = host_msr(host, IA32_VMX_CR4_FIXED1);
	m->vmcs_enum = highest_index(m);
}

void nested_vmx_msrs_set_cr4(struct nested_vmx_msrs *m, u64 cr4_allowed)
{
	m->cr4_fixed1 = cr4_allowed | m->cr4_fixed0;
}

static bool msr_exists(const struct nested_vmx_msrs *m, u32 msr)
{
	switch (msr) {
	case IA32_VMX_PROCBASED_CTLS2:
		return nested_ctl_offered(m->true_proc, PROC_SECONDARY);
	case IA32_VMX_EPT_VPID_CAP:
		return nested_proc2_offered(m, PROC2_EPT) || nested_proc2_offered(m, PROC2_VPID);
	case IA32_VMX_VMFUNC:
		return nested_proc2_offered(m, PROC2_VMFUNC);
	}
	return msr >= IA32_VMX_BASIC && msr <= IA32_VMX_TRUE_ENTRY_CTLS;
}

/* The member of an MSR that exists. */
static u64 *msr_member(struct nested_vmx_msrs *m, u32 msr)
{
	return (u64 *)m + array_index_nospec(msr - IA32_VMX_BASIC, sizeof(*m) / sizeof(u64));
}

bool nested_vmx_msr_get(const struct nested_vmx_msrs *m, u32 msr, u64 *value)
{
	if (!msr_exists(m, msr))
		return false;
	*value = *msr_member((struct nested_vmx_msrs *)m, msr);
	return true;
}

static bool subset(u64 value, u64 of)
{
	return !(value & ~of);
}

/* No control is free or offered that was not, and 1 is possible where it must be. */
static bool ctl_pair_ok(u64 value, u64 max_pair)
{
	u32 must = value, may = value >> 32;

	return subset((u32)max_pair, must) && subset(may, max_pair >> 32) && subset(must, may);
}

static bool misc_ok(u64 value, const struct nested_vmx_msrs *max_set)
{
	u64 bits = VMX_MISC_STORE_LMA | VMX_MISC_ACTIVITY_HLT | VMX_MISC_WRITE_ANY |
		   VMX_MISC_INJECT_LEN0;
	u64 m = max_set->misc;

	if (!subset(value, bits | VMX_MISC_PREEMPT_RATE | VMX_MISC_CR3_TARGETS))
		return false;
	if (!subset(value & bits, m) ||
	    (value & VMX_MISC_CR3_TARGETS) > (m & VMX_MISC_CR3_TARGETS))
		return false;
	/* The timer counts at this host's rate and no other. */
	return !nested_ctl_offered(max_set->true_pin, PIN_PREEMPT_TIMER) ||
	       (value & VMX_MISC_PREEMPT_RATE) == (m & VMX_MISC_PREEMPT_RATE);
}

/* The plain control MSRs follow from the true ones. */
static void derive_plain(struct nested_vmx_msrs *m)
{
	m->pin = ctl_pair((u32)m->true_pin | PIN_DEFAULT1, m->true_pin >> 32);
	m->proc = ctl_pair((u32)m->true_proc | PROC_DEFAULT1, m->true_proc >> 32);
	m->exit = ctl_pair((u32)m->true_exit | EXIT_DEFAULT1, m->true_exit >> 32);
	m->entry = ctl_pair((u32)m->true_entry | ENTRY_DEFAULT1, m->true_entry >> 32);
}

static bool msr_value_ok(const struct nested_vmx_msrs *m, const struct nested_vmx_msrs *max_set,
			 u32 msr, u64 value)
{
	u64 max_value = *msr_member((struct nested_vmx_msrs *)max_set, msr);

	switch (msr) {
	case IA32_VMX_BASIC:
		/* The layout is the revision's; only INS/OUTS information may be withheld. */
		return (value | VMX_BASIC_INS_OUTS) == (max_value | VMX_BASIC_INS_OUTS) &&
		       subset(value, max_value);
	case IA32_VMX_TRUE_PINBASED_CTLS:
	case IA32_VMX_TRUE_PROCBASED_CTLS:
	case IA32_VMX_TRUE_EXIT_CTLS:
	case IA32_VMX_TRUE_ENTRY_CTLS:
	case IA32_VMX_PROCBASED_CTLS2:
		return ctl_pair_ok(value, max_value);
	case IA32_VMX_MISC:
		return misc_ok(value, max_set);
	case IA32_VMX_CR0_FIXED0:
	case IA32_VMX_CR4_FIXED0:
		return subset(max_value, value);
	case IA32_VMX_VMCS_ENUM:
		return subset(value, VMCS_ENC_INDEX);
	case IA32_VMX_EPT_VPID_CAP:
	case IA32_VMX_VMFUNC:
		return subset(value, max_value);
	default:
		/* Plain controls and FIXED1 are derived: only the value they have. */
		return value == *msr_member((struct nested_vmx_msrs *)m, msr);
	}
}

int nested_vmx_msr_set(struct nested_vmx_msrs *m, const struct nested_vmx_msrs *max_set,
		       u32 msr, u64 value)
{
	if (!msr_exists(max_set, msr))
		return -ENOENT;
	if (!msr_value_ok(m, max_set, msr, value))
		return -EINVAL;
	*msr_member(m, msr) = value;
	derive_plain(m);
	return 0;
}
