// SPDX-License-Identifier: GPL-2.0
#include "harness.h"
#include "nested/vmcs12.h"
#include "nested/vmx_msrs.h"

static struct nested_vmx_msrs all_offered(void)
{
	struct nested_vmx_msrs m;

	memset(&m, 0xff, sizeof(m));
	return m;
}

TEST(every_field_is_found)
{
	unsigned int i;

	for (i = 0; i < VMCS12_FIELD_COUNT; i++) {
		const struct vmcs12_field *f = vmcs12_field_at(i);

		CASE("%s", f->name);
		EXPECT_TRUE(vmcs12_find(f->encoding) == f);
		EXPECT_STREQ(vmcs_field_name(f->encoding), f->name);
		EXPECT_TRUE(f->offset >= 32 && f->offset + f->size <= sizeof(struct vmcs12));
		EXPECT_EQ(f->offset % f->size, 0);
		EXPECT_EQ(f->read_only, (f->encoding & VMCS_ENC_TYPE) == VMCS_TYPE_READ_ONLY);
		/* The high half exists for 64-bit fields alone. */
		EXPECT_EQ(!!vmcs12_find(f->encoding | 1),
			  (f->encoding & VMCS_ENC_WIDTH) == VMCS_WIDTH_64);
	}
	EXPECT_TRUE(!vmcs12_field_at(VMCS12_FIELD_COUNT));
	EXPECT_TRUE(!vmcs12_field_at(~0u));
}

/* Every field has its own bytes, and the header is not among them. */
TEST(round_trip)
{
	static const u64 mask[] = { [2] = 0xffff, [4] = 0xffffffff, [8] = ~0ull };
	struct vmcs12 v;
	unsigned int i;

	memset(&v, 0, sizeof(v));
	for (i = 0; i < VMCS12_FIELD_COUNT; i++)
		vmcs12_write(&v, vmcs12_field_at(i)->encoding, 0x0123456789abcd00ull * (i + 1) + i);
	for (i = 0; i < VMCS12_FIELD_COUNT; i++) {
		const struct vmcs12_field *f = vmcs12_field_at(i);

		CASE("%s", f->name);
		EXPECT_EQ(vmcs12_read(&v, f->encoding),
			  (0x0123456789abcd00ull * (i + 1) + i) & mask[f->size]);
	}
	EXPECT_EQ(v.revision | v.abort | v.launch_state, 0);
	v.guest_rip = 0x1234;
	EXPECT_EQ(vmcs12_read(&v, VMCS_GUEST_RIP), 0x1234);
}

TEST(high_half)
{
	struct vmcs12 v = { 0 };

	vmcs12_write(&v, VMCS_EPTP, 0x1111111122222222ull);
	EXPECT_EQ(vmcs12_read(&v, VMCS_EPTP | 1), 0x11111111);
	vmcs12_write(&v, VMCS_EPTP | 1, 0xaaaaaaaa33333333ull);
	EXPECT_EQ(v.eptp, 0x3333333322222222ull);
}

/* All 32-bit encodings in the defined bits, and hostile ones beyond. */
TEST(unknown_encodings)
{
	static const u64 hostile[] = {
		0x1000, 0x8000, 0x10000, 0x80000000, 0x100000000ull | VMCS_GUEST_RIP,
		BIT_ULL(63) | VMCS_GUEST_RIP, ~0ull, 0x6000 | 0x3fe, VMCS_VPID | 0x40,
		VMCS_GUEST_RIP | 1, VMCS_PIN_CTLS | 1, VMCS_VPID | 1, 0x482c,
	};
	struct vmcs12 v = { 0 }, zero = { 0 };
	unsigned int found = 0, wide = 0, i;
	u32 e;

	for (e = 0; e < 0x10000; e++)
		if (vmcs12_find(e))
			found++;
	for (i = 0; i < VMCS12_FIELD_COUNT; i++)
		if ((vmcs12_field_at(i)->encoding & VMCS_ENC_WIDTH) == VMCS_WIDTH_64)
			wide++;
	EXPECT_EQ(found, VMCS12_FIELD_COUNT + wide);
	FOR_EACH_ROW(h, hostile) {
		CASE("%llx", *h);
		EXPECT_TRUE(!vmcs12_find(*h));
		EXPECT_STREQ(vmcs_field_name(*h), "?");
		EXPECT_EQ(vmcs12_read(&v, *h), 0);
		vmcs12_write(&v, *h, ~0ull);
	}
	EXPECT_MEMEQ(&v, &zero, sizeof(v));
}

/* A field whose control is not offered does not exist. */
TEST(existence)
{
	static const struct {
		u32 field;
		size_t word;
		u32 bit;
	} rows[] = {
#define ROW(field, word, bit)	{ VMCS_##field, offsetof(struct nested_vmx_msrs, word), bit }
		ROW(VPID, proc2, PROC2_VPID),
		ROW(EPTP, proc2, PROC2_EPT),
		ROW(GUEST_PHYSICAL, proc2, PROC2_EPT),
		ROW(GUEST_PDPTE3, proc2, PROC2_EPT),
		ROW(MSR_BITMAP, true_proc, PROC_MSR_BITMAPS),
		ROW(VIRTUAL_APIC, true_proc, PROC_TPR_SHADOW),
		ROW(TPR_THRESHOLD, true_proc, PROC_TPR_SHADOW),
		ROW(PROC2_CTLS, true_proc, PROC_SECONDARY),
		ROW(EPTP, true_proc, PROC_SECONDARY),
		ROW(APIC_ACCESS, proc2, PROC2_APIC_ACCESS),
		ROW(GUEST_PREEMPT_TIMER, true_pin, PIN_PREEMPT_TIMER),
		ROW(POSTED_INTR_DESC, true_pin, PIN_POSTED_INTR),
		ROW(POSTED_INTR_NV, true_pin, PIN_POSTED_INTR),
		ROW(EOI_EXIT_2, proc2, PROC2_VIRT_INTR),
		ROW(GUEST_INTR_STATUS, proc2, PROC2_VIRT_INTR),
		ROW(TSC_MULTIPLIER, proc2, PROC2_TSC_SCALING),
		ROW(VMREAD_BITMAP, proc2, PROC2_SHADOW_VMCS),
		ROW(XSS_EXIT_BITMAP, proc2, PROC2_XSAVES),
		ROW(HOST_PAT, true_exit, EXIT_LOAD_PAT),
		ROW(HOST_EFER, true_exit, EXIT_LOAD_EFER),
		ROW(HOST_PERF_GLOBAL, true_exit, EXIT_LOAD_PERF_GLOBAL),
		ROW(GUEST_PERF_GLOBAL, true_entry, ENTRY_LOAD_PERF_GLOBAL),
#undef ROW
	};

	FOR_EACH_ROW(r, rows) {
		struct nested_vmx_msrs m = all_offered();
		u64 *word = (u64 *)((u8 *)&m + r->word);

		CASE("%s", vmcs_field_name(r->field));
		EXPECT_TRUE(vmcs12_field_valid(r->field, &m));
		*word &= ~((u64)r->bit << 32);
		EXPECT_FALSE(vmcs12_field_valid(r->field, &m));
	}
}

/* Either of two controls makes the field exist. */
TEST(existence_by_two_controls)
{
	struct nested_vmx_msrs m = all_offered();

	m.true_entry &= ~(ENTRY_LOAD_PAT << 32);
	EXPECT_TRUE(vmcs12_field_valid(VMCS_GUEST_PAT, &m));
	m.true_exit &= ~(EXIT_SAVE_PAT << 32);
	EXPECT_FALSE(vmcs12_field_valid(VMCS_GUEST_PAT, &m));
	EXPECT_TRUE(vmcs12_field_valid(VMCS_GUEST_EFER, &m));
}

TEST(cr3_targets_follow_their_count)
{
	struct nested_vmx_msrs m = all_offered();

	m.misc = 2 << VMX_MISC_CR3_TARGETS_SHIFT;
	EXPECT_TRUE(vmcs12_field_valid(VMCS_CR3_TARGET1, &m));
	EXPECT_FALSE(vmcs12_field_valid(VMCS_CR3_TARGET2, &m));
}

TEST(instructions)
{
	struct nested_vmx_msrs m = all_offered();
	struct vmcs12 v = { 0 };
	u64 value = 7;

	EXPECT_EQ(vmcs12_vmwrite(&v, &m, VMCS_GUEST_CR3, 0x1000), 0);
	EXPECT_EQ(vmcs12_vmread(&v, &m, VMCS_GUEST_CR3, &value), 0);
	EXPECT_EQ(value, 0x1000);
	EXPECT_EQ(vmcs12_vmread(&v, &m, 0x5000, &value), VMERR_UNSUPPORTED_FIELD);
	EXPECT_EQ(value, 0x1000);
	EXPECT_EQ(vmcs12_vmwrite(&v, &m, 0x5000, 1), VMERR_UNSUPPORTED_FIELD);
	m.proc2 = 0;
	EXPECT_EQ(vmcs12_vmwrite(&v, &m, VMCS_EPTP, 1), VMERR_UNSUPPORTED_FIELD);
	EXPECT_EQ(v.eptp, 0);

	EXPECT_EQ(vmcs12_vmwrite(&v, &m, VMCS_EXIT_REASON, 10), 0);
	EXPECT_EQ(v.exit_reason, 10);
	m.misc &= ~VMX_MISC_WRITE_ANY;
	EXPECT_EQ(vmcs12_vmwrite(&v, &m, VMCS_EXIT_REASON, 11), VMERR_READ_ONLY_FIELD);
	EXPECT_EQ(v.exit_reason, 10);
	EXPECT_EQ(vmcs12_vmread(&v, &m, VMCS_EXIT_REASON, &value), 0);
}
