// SPDX-License-Identifier: GPL-2.0
#include "harness.h"
#include "vmx/bitmap.h"
#include "x86.h"

static u8 page_a[VMX_BITMAP_SIZE] __aligned(8), page_b[VMX_BITMAP_SIZE] __aligned(8);
static u8 page_c[VMX_BITMAP_SIZE] __aligned(8);

static unsigned int count(const u8 *page)
{
	unsigned int i, n = 0;

	for (i = 0; i < VMX_BITMAP_SIZE; i++)
		n += hweight32(page[i]);
	return n;
}

/* SDM 3C "MSR-Bitmap Address": four parts of 1 KiB. */
TEST(msr_positions)
{
	static const struct {
		u32 msr;
		bool write, in_range;
		u32 byte;
		u8 mask;
	} rows[] = {
		{ 0, false, true, 0, 1 },
		{ 0x10, false, true, 2, 1 },
		{ 0x1fff, false, true, 0x3ff, 0x80 },
		{ 0x1fff, true, true, 0xbff, 0x80 },
		{ 0xc0000000, false, true, 0x400, 1 },
		{ 0xc0000080, true, true, 0xc10, 1 },
		{ 0xc0001fff, true, true, 0xfff, 0x80 },
		{ 0x2000, false, false, 0, 0 },
		{ 0xbfffffff, false, false, 0, 0 },
		{ 0xc0002000, true, false, 0, 0 },
		{ 0x40000000, false, false, 0, 0 },
		{ 0xffffffff, true, false, 0, 0 },
	};

	FOR_EACH_ROW(r, rows) {
		struct vmx_bit pos = { 0, 0 };

		CASE("%x", r->msr);
		EXPECT_EQ(msr_bitmap_pos(r->msr, r->write, &pos), r->in_range);
		EXPECT_EQ(pos.byte, r->byte);
		EXPECT_EQ(pos.mask, r->mask);
	}
}

TEST(msr_set_and_clear)
{
	memset(page_a, 0, sizeof(page_a));
	EXPECT_FALSE(msr_bitmap_test(page_a, IA32_EFER, false));
	EXPECT_TRUE(msr_bitmap_test(page_a, 0x40000000, false));
	msr_bitmap_intercept(page_a, IA32_EFER, MSR_WRITE);
	EXPECT_FALSE(msr_bitmap_test(page_a, IA32_EFER, false));
	EXPECT_TRUE(msr_bitmap_test(page_a, IA32_EFER, true));
	EXPECT_EQ(count(page_a), 1);
	msr_bitmap_intercept(page_a, IA32_PAT, MSR_READ_WRITE);
	EXPECT_EQ(count(page_a), 3);
	/* Outside the ranges there is nothing to set. */
	msr_bitmap_intercept(page_a, 0x40000000, MSR_READ_WRITE);
	msr_bitmap_pass(page_a, 0xc0002000, MSR_READ_WRITE);
	EXPECT_EQ(count(page_a), 3);

	msr_bitmap_intercept_all(page_a);
	msr_bitmap_pass(page_a, IA32_GS_BASE, MSR_READ);
	EXPECT_EQ(count(page_a), 4096 * 8 - 1);
	EXPECT_FALSE(msr_bitmap_test(page_a, IA32_GS_BASE, false));
	EXPECT_TRUE(msr_bitmap_test(page_a, IA32_GS_BASE, true));
}

TEST(io_ranges)
{
	memset(page_a, 0, sizeof(page_a));
	memset(page_b, 0, sizeof(page_b));
	EXPECT_FALSE(io_bitmap_test(page_a, page_b, 0, 4));
	EXPECT_FALSE(io_bitmap_test(page_a, page_b, 0xfffc, 4));
	/* "Wraps around": always. */
	EXPECT_TRUE(io_bitmap_test(page_a, page_b, 0xfffd, 4));
	EXPECT_TRUE(io_bitmap_test(page_a, page_b, 0xffff, 2));
	EXPECT_FALSE(io_bitmap_test(page_a, page_b, 0xffff, 1));

	io_bitmap_intercept(page_a, page_b, 0x7fff, 2);
	EXPECT_EQ(page_a[0xfff], 0x80);
	EXPECT_EQ(page_b[0], 1);
	EXPECT_TRUE(io_bitmap_test(page_a, page_b, 0x7ffc, 4));
	EXPECT_FALSE(io_bitmap_test(page_a, page_b, 0x7ffb, 4));
	EXPECT_TRUE(io_bitmap_test(page_a, page_b, 0x8000, 1));
	EXPECT_FALSE(io_bitmap_test(page_a, page_b, 0x8001, 4));
	io_bitmap_pass(page_a, page_b, 0x7fff, 2);
	EXPECT_EQ(count(page_a) + count(page_b), 0);

	/* A count that leaves the port space stops at its end. */
	io_bitmap_intercept(page_a, page_b, 0xfff0, 100);
	EXPECT_EQ(count(page_a), 0);
	EXPECT_EQ(count(page_b), 16);
	io_bitmap_intercept(page_a, page_b, 0, 0x10000);
	EXPECT_EQ(count(page_a) + count(page_b), 0x10000);
}

TEST(merge)
{
	unsigned int i;

	for (i = 0; i < VMX_BITMAP_SIZE; i++) {
		page_a[i] = test_random();
		page_b[i] = test_random();
	}
	vmx_bitmap_merge(page_c, page_a, page_b);
	for (i = 0; i < VMX_BITMAP_SIZE; i++)
		EXPECT_EQ(page_c[i], page_a[i] | page_b[i]);
	vmx_bitmap_merge(page_a, page_a, page_b);
	EXPECT_MEMEQ(page_a, page_c, VMX_BITMAP_SIZE);
}
