// SPDX-License-Identifier: GPL-2.0
#include "harness.h"
#include "vmx/caps.h"
#include "vmx/vmx_defs.h"
#include "x86.h"

#define MSR(raw, index)	((raw)->msr[(index) - IA32_VMX_BASIC])

/* A CPU that has everything and demands the manual's default-1 bits. */
static struct vmx_cap_msrs all(void)
{
	struct vmx_cap_msrs raw = { 0 };
	u64 any = 0xffffffffull << 32;

	MSR(&raw, IA32_VMX_BASIC) = 0x2b | 6ull << VMX_BASIC_MEMTYPE_SHIFT | VMX_BASIC_HAS_TRUE;
	MSR(&raw, IA32_VMX_TRUE_PINBASED_CTLS) = any | 0x16;
	MSR(&raw, IA32_VMX_TRUE_PROCBASED_CTLS) = any | 0x04006172;
	MSR(&raw, IA32_VMX_PROCBASED_CTLS2) = any;
	MSR(&raw, IA32_VMX_TRUE_EXIT_CTLS) = any | 0x00036dfb;
	MSR(&raw, IA32_VMX_TRUE_ENTRY_CTLS) = any | 0x000011fb;
	MSR(&raw, IA32_VMX_EPT_VPID_CAP) = ~0ull;
	MSR(&raw, IA32_VMX_MISC) = VMX_MISC_WRITE_ANY;
	return raw;
}

TEST(everything)
{
	struct vmx_cap_msrs raw = all();
	struct vmx_caps caps;

	ASSERT_TRUE(!vmx_caps_choose(&caps, &raw));
	EXPECT_EQ(caps.revision, 0x2b);
	EXPECT_EQ(caps.base.pin, 0x16 | PIN_EXT_INTR | PIN_NMI_EXIT | PIN_VIRTUAL_NMIS);
	EXPECT_EQ(caps.base.proc & 0x04006172, 0x04006172);
	/* The guest's own affair: CR3, INVLPG, RDTSC do not exit. */
	EXPECT_EQ(caps.base.proc & (PROC_CR3_LOAD | PROC_CR3_STORE | PROC_INVLPG | PROC_RDTSC), 0);
	EXPECT_TRUE(caps.vpid && caps.ept_ad && caps.ept_2m && caps.ept_1g);
	EXPECT_TRUE(caps.shadow_vmcs && caps.preempt_timer && caps.mtf && caps.tsc_scaling);
}

/* Each control that the module cannot do without, missing alone, is named. */
TEST(required)
{
	static const struct {
		u32 msr, bit;
		const char *says;
	} rows[] = {
		{ IA32_VMX_TRUE_PINBASED_CTLS, PIN_EXT_INTR, "external-interrupt" },
		{ IA32_VMX_TRUE_PINBASED_CTLS, PIN_NMI_EXIT, "NMI exiting" },
		{ IA32_VMX_TRUE_PINBASED_CTLS, PIN_VIRTUAL_NMIS, "virtual NMIs" },
		{ IA32_VMX_TRUE_PROCBASED_CTLS, PROC_TSC_OFFSET, "TSC offsetting" },
		{ IA32_VMX_TRUE_PROCBASED_CTLS, PROC_HLT, "HLT" },
		{ IA32_VMX_TRUE_PROCBASED_CTLS, PROC_UNCOND_IO, "I/O" },
		{ IA32_VMX_TRUE_PROCBASED_CTLS, PROC_MSR_BITMAPS, "MSR bitmaps" },
		{ IA32_VMX_TRUE_PROCBASED_CTLS, PROC_TPR_SHADOW, "TPR shadow" },
		{ IA32_VMX_TRUE_PROCBASED_CTLS, PROC_SECONDARY, "secondary" },
		{ IA32_VMX_PROCBASED_CTLS2, PROC2_EPT, "EPT" },
		{ IA32_VMX_PROCBASED_CTLS2, PROC2_UNRESTRICTED, "unrestricted" },
		{ IA32_VMX_TRUE_EXIT_CTLS, EXIT_HOST_64, "host address-space" },
		{ IA32_VMX_TRUE_EXIT_CTLS, EXIT_LOAD_EFER, "IA32_EFER" },
		{ IA32_VMX_TRUE_ENTRY_CTLS, ENTRY_LOAD_PAT, "IA32_PAT" },
	};

	FOR_EACH_ROW(r, rows) {
		struct vmx_cap_msrs raw = all();
		struct vmx_caps caps;
		const char *missing;

		CASE("%s", r->says);
		MSR(&raw, r->msr) &= ~((u64)r->bit << 32 | r->bit);
		missing = vmx_caps_choose(&caps, &raw);
		ASSERT_TRUE(missing);
		EXPECT_TRUE(strstr(missing, r->says));
	}
}

TEST(required_of_ept)
{
	static const struct {
		u64 bit;
		const char *says;
	} rows[] = {
		{ EPT_CAP_WALK_4, "4-level" },
		{ EPT_CAP_WB, "write-back" },
		{ EPT_CAP_INVEPT, "INVEPT" },
		{ EPT_CAP_INVEPT_ALL, "INVEPT" },
	};

	FOR_EACH_ROW(r, rows) {
		struct vmx_cap_msrs raw = all();
		struct vmx_caps caps;
		const char *missing;

		CASE("%#llx", r->bit);
		MSR(&raw, IA32_VMX_EPT_VPID_CAP) &= ~r->bit;
		missing = vmx_caps_choose(&caps, &raw);
		ASSERT_TRUE(missing);
		EXPECT_TRUE(strstr(missing, r->says));
	}
}

/* What is optional is left out where it is missing, and the rest stays. */
TEST(optional)
{
	struct vmx_cap_msrs raw = all();
	struct vmx_caps caps;

	MSR(&raw, IA32_VMX_PROCBASED_CTLS2) &= ~((u64)PROC2_VPID << 32);
	ASSERT_TRUE(!vmx_caps_choose(&caps, &raw));
	EXPECT_FALSE(caps.vpid);
	EXPECT_FALSE(caps.base.proc2 & PROC2_VPID);

	/* A VPID that cannot be flushed alone is not used. */
	raw = all();
	MSR(&raw, IA32_VMX_EPT_VPID_CAP) &= ~VPID_CAP_SINGLE;
	ASSERT_TRUE(!vmx_caps_choose(&caps, &raw));
	EXPECT_FALSE(caps.vpid);
	EXPECT_FALSE(caps.base.proc2 & PROC2_VPID);

	raw = all();
	MSR(&raw, IA32_VMX_MISC) &= ~VMX_MISC_WRITE_ANY;
	ASSERT_TRUE(!vmx_caps_choose(&caps, &raw));
	EXPECT_FALSE(caps.shadow_vmcs);
}

TEST(basic)
{
	struct vmx_cap_msrs raw = all();
	struct vmx_caps caps;

	MSR(&raw, IA32_VMX_BASIC) &= ~VMX_BASIC_HAS_TRUE;
	EXPECT_TRUE(vmx_caps_choose(&caps, &raw));
	raw = all();
	MSR(&raw, IA32_VMX_BASIC) &= ~(0xfull << VMX_BASIC_MEMTYPE_SHIFT);
	EXPECT_TRUE(vmx_caps_choose(&caps, &raw));
}

/* Nothing is set that the CPU does not allow, whatever it allows. */
TEST(never_more_than_allowed)
{
	unsigned int i;

	for (i = 0; i < 100000; i++) {
		struct vmx_cap_msrs raw = all();
		struct vmx_caps caps;

		MSR(&raw, IA32_VMX_PROCBASED_CTLS2) &= test_random() | (u64)(PROC2_EPT |
			PROC2_UNRESTRICTED | PROC2_WBINVD) << 32;
		MSR(&raw, IA32_VMX_EPT_VPID_CAP) &= test_random();
		if (vmx_caps_choose(&caps, &raw))
			continue;
		EXPECT_EQ(caps.base.proc2 & ~(MSR(&raw, IA32_VMX_PROCBASED_CTLS2) >> 32), 0);
		EXPECT_TRUE(!caps.vpid == !(caps.base.proc2 & PROC2_VPID));
	}
}
