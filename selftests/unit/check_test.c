// SPDX-License-Identifier: GPL-2.0
/* The runner: order of the tables, the way out, memory read once. */
#include "check_fixture.h"

TEST(legal_entry)
{
	struct entry_result r;
	struct fix f;

	fix_init(&f);
	memset(&r, 0xff, sizeof(r));
	EXPECT_TRUE(nested_check_entry(&f.c, &r));
	EXPECT_EQ(r.way, ENTRY_PASS);
	EXPECT_TRUE(!r.name && !r.error && !r.qual);
}

/* Controls before host state before guest state. */
TEST(order)
{
	struct entry_result r;
	struct fix f;

	fix_init(&f);
	f.v.guest_cr0 = 0;
	EXPECT_FALSE(nested_check_entry(&f.c, &r));
	EXPECT_EQ(r.way, ENTRY_EXIT_GUEST);
	EXPECT_STREQ(r.name, "guest_cr0");
	f.v.host_cr0 = 0;
	EXPECT_FALSE(nested_check_entry(&f.c, &r));
	EXPECT_EQ(r.way, ENTRY_VMFAIL);
	EXPECT_EQ(r.error, VMERR_ENTRY_HOST_STATE);
	f.v.pin_ctls = 0;
	EXPECT_FALSE(nested_check_entry(&f.c, &r));
	EXPECT_EQ(r.error, VMERR_ENTRY_CONTROLS);
	EXPECT_STREQ(r.section, "VM-Execution Control Fields");
}

static int reads;

static bool counting_read(struct l1_mem *mem, gpa1_t gpa, void *buf, u32 len)
{
	reads++;
	return fix_read(mem, gpa, buf, len);
}

/* L1's other CPUs may write meanwhile: each datum is read once, or not at all. */
TEST(memory_is_read_once)
{
	struct entry_result r;
	struct fix f;

	fix_init(&f);
	f.mem.read = counting_read;
	reads = 0;
	EXPECT_TRUE(nested_check_entry(&f.c, &r));
	EXPECT_EQ(reads, 0);

	become_pae(&f);
	f.v.proc2_ctls &= ~PROC2_EPT;
	f.v.proc_ctls |= PROC_TPR_SHADOW;
	f.v.virtual_apic = VAPIC_PAGE;
	f.v.link_pointer = LINK_PAGE;
	EXPECT_TRUE(nested_check_entry(&f.c, &r));
	EXPECT_EQ(reads, 3);
}

/* Any content of vmcs12 gets an answer; one that passes passes again. */
TEST(random_vmcs12)
{
	struct entry_result r;
	struct fix f;
	u32 i, k;

	for (i = 0; i < 20000; i++) {
		fix_init(&f);
		for (k = 0; k < 1 + i % 8; k++) {
			u64 x = test_random();
			const struct vmcs12_field *field;

			field = vmcs12_field_at(x % VMCS12_FIELD_COUNT);
			vmcs12_write(&f.v, field->encoding,
				     x & 1 ? test_random() : 1ull << (x >> 8 & 63));
		}
		if (nested_check_entry(&f.c, &r))
			EXPECT_EQ(r.way, ENTRY_PASS);
		else
			EXPECT_TRUE(r.name && r.section && r.way != ENTRY_PASS);
	}
}

TEST(msr_failure)
{
	struct entry_result r;
	struct vmx_msr_entry e = { .index = IA32_FS_BASE };

	nested_msr_failure(&r, 3, nested_check_msr(&e, MSR_AREA_ENTRY_LOAD, false));
	EXPECT_EQ(r.way, ENTRY_EXIT_MSR);
	EXPECT_EQ(r.qual, 3);
	EXPECT_STREQ(r.name, "msr_fs_base");
	nested_msr_failure(&r, 1, NULL);
	EXPECT_STREQ(r.name, "msr_value");
}
