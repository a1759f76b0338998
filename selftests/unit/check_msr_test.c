// SPDX-License-Identifier: GPL-2.0
#include "harness.h"
#include "nested/check.h"
#include "x86.h"

#define LOAD	MSR_AREA_ENTRY_LOAD
#define XLOAD	MSR_AREA_EXIT_LOAD
#define STORE	MSR_AREA_EXIT_STORE

static const struct {
	const char *rule;	/* that is broken, or NULL */
	u32 index, reserved;
	enum msr_area area;
	bool x2apic;
} cases[] = {
	{ "msr_fs_base", IA32_FS_BASE, 0, LOAD, false },
	{ "msr_fs_base", IA32_FS_BASE, 0, XLOAD, false },
	{ NULL, IA32_FS_BASE, 0, STORE, false },
	{ "msr_gs_base", IA32_GS_BASE, 0, LOAD, false },
	{ NULL, IA32_GS_BASE, 0, STORE, false },
	{ NULL, IA32_KERNEL_GS_BASE, 0, LOAD, false },
	{ "msr_x2apic", 0x800, 0, LOAD, true },
	{ "msr_x2apic", 0x8ff, 0, STORE, true },
	{ "msr_x2apic", 0x83f, 0, XLOAD, true },
	{ NULL, 0x800, 0, LOAD, false },
	{ NULL, 0x900, 0, LOAD, true },
	{ NULL, 0x7ff, 0, LOAD, true },
	{ "msr_smm_monitor", IA32_SMM_MONITOR_CTL, 0, LOAD, false },
	{ NULL, IA32_SMM_MONITOR_CTL, 0, STORE, false },
	{ "msr_smbase", IA32_SMBASE, 0, STORE, false },
	{ NULL, IA32_SMBASE, 0, LOAD, false },
	{ "msr_microcode", IA32_BIOS_UPDT_TRIG, 0, LOAD, false },
	{ "msr_microcode", IA32_BIOS_SIGN_ID, 0, XLOAD, false },
	{ NULL, IA32_BIOS_SIGN_ID, 0, STORE, false },
	{ "msr_reserved", IA32_PAT, 1, LOAD, false },
	{ "msr_reserved", IA32_PAT, 0x80000000, STORE, false },
	{ NULL, IA32_EFER, 0, LOAD, true },
};

TEST(entries)
{
	FOR_EACH_ROW(t, cases) {
		struct vmx_msr_entry e = { .index = t->index, .reserved = t->reserved };
		const struct msr_check *rule = nested_check_msr(&e, t->area, t->x2apic);

		CASE("%x in area %d", t->index, t->area);
		if (t->rule) {
			ASSERT_TRUE(rule);
			EXPECT_STREQ(rule->name, t->rule);
		} else {
			EXPECT_TRUE(!rule);
		}
	}
}

TEST(every_rule_is_broken_by_a_case)
{
	unsigned int i, hits;

	for (i = 0; i < nested_msr_check_count; i++) {
		CASE("%s", nested_msr_checks[i].name);
		hits = 0;
		FOR_EACH_ROW(t, cases)
			if (t->rule && !strcmp(t->rule, nested_msr_checks[i].name))
				hits++;
		EXPECT_NE(hits, 0);
	}
}
