// SPDX-License-Identifier: GPL-2.0
#include "ept/ept_defs.h"
#include "harness.h"
#include "nested/vmcs12.h"
#include "nested/vmx_msrs.h"

/* A host with everything. */
static struct vmx_host_caps_input rich_host(void)
{
	struct vmx_host_caps_input h;

	memset(&h, 0xff, sizeof(h));
	h.msr[IA32_VMX_MISC - IA32_VMX_BASIC] = 0x7 | VMX_MISC_STORE_LMA | VMX_MISC_ACTIVITY_HLT |
		VMX_MISC_ACTIVITY_SIPI | 4 << 16 | VMX_MISC_WRITE_ANY | VMX_MISC_INJECT_LEN0;
	h.msr[IA32_VMX_CR0_FIXED0 - IA32_VMX_BASIC] = 0x80000021;
	h.msr[IA32_VMX_CR0_FIXED1 - IA32_VMX_BASIC] = 0xffffffff;
	h.msr[IA32_VMX_CR4_FIXED0 - IA32_VMX_BASIC] = 0x2000;
	h.msr[IA32_VMX_CR4_FIXED1 - IA32_VMX_BASIC] = 0x3767ff;
	return h;
}

static struct nested_vmx_msrs rich(void)
{
	struct vmx_host_caps_input h = rich_host();
	struct nested_vmx_msrs m;

	nested_vmx_msrs_init(&m, &h);
	return m;
}

static void expect_pair(u64 pair)
{
	EXPECT_EQ((u32)pair & ~(u32)(pair >> 32), 0);
}

TEST(pairs_are_consistent)
{
	struct nested_vmx_msrs m = rich();

	expect_pair(m.pin);
	expect_pair(m.proc);
	expect_pair(m.exit);
	expect_pair(m.entry);
	expect_pair(m.proc2);
	expect_pair(m.true_pin);
	expect_pair(m.true_proc);
	expect_pair(m.true_exit);
	expect_pair(m.true_entry);
	EXPECT_EQ((u32)m.pin, PIN_DEFAULT1);
	EXPECT_EQ((u32)m.proc, PROC_DEFAULT1);
	EXPECT_EQ((u32)m.exit, EXIT_DEFAULT1);
	EXPECT_EQ((u32)m.entry, ENTRY_DEFAULT1);
	EXPECT_EQ((u32)m.true_proc, 0x04006172);
	EXPECT_EQ((u32)m.true_exit, 0x36dfb);
	EXPECT_EQ((u32)m.true_entry, 0x11fb);
	EXPECT_EQ((u32)m.proc2, 0);
}

TEST(basic)
{
	struct nested_vmx_msrs m = rich();

	EXPECT_EQ(m.basic & 0xffffffff, VMCS12_REVISION);
	EXPECT_EQ(VMCS12_REVISION >> 31, 0);
	EXPECT_EQ(m.basic >> 32 & 0x1fff, 4096);
	EXPECT_EQ(m.basic >> 50 & 15, 6);
	EXPECT_TRUE(m.basic & VMX_BASIC_HAS_TRUE);
	EXPECT_FALSE(m.basic & (VMX_BASIC_DUAL_MONITOR | VMX_BASIC_32BIT_ADDR));
}

/* What a stock kvm_intel asks for, and what nested/ cannot do. */
TEST(offer)
{
	struct nested_vmx_msrs m = rich();

	EXPECT_TRUE(nested_ctl_ok(PIN_DEFAULT1 | PIN_EXT_INTR | PIN_NMI_EXIT | PIN_VIRTUAL_NMIS |
				  PIN_PREEMPT_TIMER, m.true_pin));
	EXPECT_TRUE(nested_proc2_offered(&m, PROC2_EPT));
	EXPECT_TRUE(nested_proc2_offered(&m, PROC2_UNRESTRICTED));
	EXPECT_TRUE(nested_proc2_offered(&m, PROC2_VPID));
	EXPECT_FALSE(nested_proc2_offered(&m, PROC2_SHADOW_VMCS));
	EXPECT_FALSE(nested_proc2_offered(&m, PROC2_PML));
	EXPECT_FALSE(nested_proc2_offered(&m, PROC2_VIRT_INTR));
	EXPECT_FALSE(nested_proc2_offered(&m, BIT(27)));
	EXPECT_FALSE(nested_ctl_offered(m.true_pin, PIN_POSTED_INTR));
	EXPECT_FALSE(nested_ctl_offered(m.true_proc, PROC_TERTIARY));
	EXPECT_FALSE(nested_ctl_offered(m.true_entry, ENTRY_SMM));
	EXPECT_EQ(m.ept_vpid_cap & EPTCAP_WALK_5, 0);
	EXPECT_TRUE(m.ept_vpid_cap & EPTCAP_EXEC_ONLY);
	EXPECT_EQ(m.vmfunc, 0);
	EXPECT_EQ(m.misc & VMX_MISC_ACTIVITY_SIPI, 0);
	EXPECT_EQ(m.misc & VMX_MISC_PREEMPT_RATE, 7);
	EXPECT_EQ(nested_msr_list_max(&m), 512);
}

/* A host without a feature, and what hangs on it. */
TEST(poor_hosts)
{
	struct vmx_host_caps_input h = rich_host();
	struct nested_vmx_msrs m;
	u64 value;

	h.msr[IA32_VMX_PINBASED_CTLS - IA32_VMX_BASIC] &= ~(PIN_PREEMPT_TIMER << 32);
	h.msr[IA32_VMX_PROCBASED_CTLS2 - IA32_VMX_BASIC] &= ~((PROC2_EPT | PROC2_VPID) << 32);
	nested_vmx_msrs_init(&m, &h);
	EXPECT_FALSE(nested_ctl_offered(m.true_exit, EXIT_SAVE_PREEMPT_TIMER));
	EXPECT_EQ(m.misc & VMX_MISC_PREEMPT_RATE, 0);
	EXPECT_FALSE(nested_proc2_offered(&m, PROC2_UNRESTRICTED));
	EXPECT_EQ(m.ept_vpid_cap, 0);
	EXPECT_FALSE(nested_vmx_msr_get(&m, IA32_VMX_EPT_VPID_CAP, &value));

	h.msr[IA32_VMX_PROCBASED_CTLS - IA32_VMX_BASIC] &= ~(PROC_SECONDARY << 32);
	nested_vmx_msrs_init(&m, &h);
	EXPECT_EQ(m.proc2, 0);
	EXPECT_FALSE(nested_vmx_msr_get(&m, IA32_VMX_PROCBASED_CTLS2, &value));

	memset(&h, 0, sizeof(h));
	nested_vmx_msrs_init(&m, &h);
	EXPECT_EQ(m.true_pin, (u64)PIN_DEFAULT1 << 32 | PIN_DEFAULT1);
}

TEST(get)
{
	struct nested_vmx_msrs m = rich();
	u64 value;

	EXPECT_TRUE(nested_vmx_msr_get(&m, IA32_VMX_BASIC, &value));
	EXPECT_EQ(value, m.basic);
	EXPECT_TRUE(nested_vmx_msr_get(&m, IA32_VMX_TRUE_ENTRY_CTLS, &value));
	EXPECT_EQ(value, m.true_entry);
	EXPECT_TRUE(nested_vmx_msr_get(&m, IA32_VMX_VMCS_ENUM, &value));
	/* The preemption timer's field has the highest index, 17H. */
	EXPECT_EQ(value, 0x17 << 1);
	EXPECT_FALSE(nested_vmx_msr_get(&m, IA32_VMX_VMFUNC, &value));
	EXPECT_FALSE(nested_vmx_msr_get(&m, IA32_VMX_PROCBASED_CTLS3, &value));
	EXPECT_FALSE(nested_vmx_msr_get(&m, IA32_VMX_BASIC - 1, &value));
	EXPECT_FALSE(nested_vmx_msr_get(&m, ~0u, &value));
}

/* A saved set of this host goes back as it was, in any order. */
TEST(restore_own)
{
	struct nested_vmx_msrs full = rich(), m = rich();
	u32 msr;
	u64 value;

	for (msr = IA32_VMX_LAST; msr >= IA32_VMX_FIRST; msr--) {
		CASE("%x", msr);
		if (nested_vmx_msr_get(&full, msr, &value))
			EXPECT_EQ(nested_vmx_msr_set(&m, &full, msr, value), 0);
		else
			EXPECT_EQ(nested_vmx_msr_set(&m, &full, msr, 0), -ENOENT);
	}
	EXPECT_MEMEQ(&m, &full, sizeof(m));
}

TEST(restore_less)
{
	struct nested_vmx_msrs full = rich(), m = full;
	u64 less = full.true_pin & ~(PIN_PREEMPT_TIMER << 32);

	EXPECT_EQ(nested_vmx_msr_set(&m, &full, IA32_VMX_TRUE_PINBASED_CTLS, less), 0);
	EXPECT_EQ(m.true_pin, less);
	EXPECT_EQ(m.pin, less);
	/* Taken back: what this host has is the limit, not what was set last. */
	EXPECT_EQ(nested_vmx_msr_set(&m, &full, IA32_VMX_TRUE_PINBASED_CTLS, full.true_pin), 0);
	EXPECT_EQ(nested_vmx_msr_set(&m, &full, IA32_VMX_EPT_VPID_CAP,
				     full.ept_vpid_cap & ~EPTCAP_1G), 0);
	EXPECT_EQ(nested_vmx_msr_set(&m, &full, IA32_VMX_MISC,
				     full.misc & ~(VMX_MISC_CR3_TARGETS | VMX_MISC_WRITE_ANY)), 0);
	EXPECT_EQ(nested_vmx_msr_set(&m, &full, IA32_VMX_CR0_FIXED0, full.cr0_fixed0 | 2), 0);
	EXPECT_EQ(nested_vmx_msr_set(&m, &full, IA32_VMX_BASIC,
				     full.basic & ~VMX_BASIC_INS_OUTS), 0);
	EXPECT_EQ(nested_vmx_msr_set(&m, &full, IA32_VMX_TRUE_PROCBASED_CTLS,
				     full.true_proc | PROC_HLT), 0);
	EXPECT_TRUE((u32)m.proc & PROC_HLT);
}

TEST(restore_more_is_refused)
{
	struct nested_vmx_msrs full = rich(), m = full;
	const struct {
		u32 msr;
		u64 value;
	} rows[] = {
		{ IA32_VMX_BASIC, full.basic ^ 1 },
		{ IA32_VMX_BASIC, full.basic | VMX_BASIC_DUAL_MONITOR },
		{ IA32_VMX_BASIC, full.basic & ~VMX_BASIC_HAS_TRUE },
		{ IA32_VMX_TRUE_PINBASED_CTLS, full.true_pin | PIN_POSTED_INTR << 32 },
		{ IA32_VMX_TRUE_PINBASED_CTLS, full.true_pin & ~2ull },
		{ IA32_VMX_TRUE_PINBASED_CTLS, PIN_DEFAULT1 | PIN_EXT_INTR },
		{ IA32_VMX_TRUE_PROCBASED_CTLS, full.true_proc & ~(2ull << 32) },
		{ IA32_VMX_PROCBASED_CTLS2, full.proc2 | PROC2_PML << 32 },
		{ IA32_VMX_PINBASED_CTLS, full.pin & ~(1ull << 32) },
		{ IA32_VMX_MISC, full.misc | VMX_MISC_ACTIVITY_SIPI },
		{ IA32_VMX_MISC, full.misc ^ 1 },
		{ IA32_VMX_MISC, full.misc + (1 << 16) },
		{ IA32_VMX_MISC, full.misc | 1 << 25 },
		{ IA32_VMX_MISC, full.misc | BIT_ULL(40) },
		{ IA32_VMX_CR0_FIXED0, full.cr0_fixed0 & ~1ull },
		{ IA32_VMX_CR0_FIXED1, 0 },
		{ IA32_VMX_CR4_FIXED0, 0 },
		{ IA32_VMX_CR4_FIXED1, ~0ull },
		{ IA32_VMX_VMCS_ENUM, 1 },
		{ IA32_VMX_EPT_VPID_CAP, full.ept_vpid_cap | EPTCAP_WALK_5 },
	};

	FOR_EACH_ROW(r, rows) {
		CASE("%x = %llx", r->msr, r->value);
		EXPECT_EQ(nested_vmx_msr_set(&m, &full, r->msr, r->value), -EINVAL);
	}
	EXPECT_MEMEQ(&m, &full, sizeof(m));
}

TEST(cr4_follows_cpuid)
{
	struct nested_vmx_msrs m = rich();

	nested_vmx_msrs_set_cr4(&m, CR4_PAE | CR4_PGE);
	EXPECT_EQ(m.cr4_fixed1, CR4_PAE | CR4_PGE | CR4_VMXE);
}
