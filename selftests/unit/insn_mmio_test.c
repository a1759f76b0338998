// SPDX-License-Identifier: GPL-2.0
#include "harness.h"
#include "insn_mmio.h"

static struct insn_mmio m;

/* Answer whatever is asked for with bytes counting from @first. */
static void answer(u64 gpa, unsigned int len, u8 first)
{
	struct insn_mmio_frag *f = insn_mmio_next(&m);
	u8 data[8], i;

	ASSERT_TRUE(f);
	EXPECT_FALSE(f->write);
	EXPECT_EQ(f->gpa, gpa);
	EXPECT_EQ(f->len, len);
	for (i = 0; i < 8; i++)
		data[i] = first + i;
	insn_mmio_done(&m, data);
}

TEST(read_is_asked_then_answered)
{
	u32 val = 0;

	insn_mmio_reset(&m);
	insn_mmio_rewind(&m);
	EXPECT_TRUE(!insn_mmio_next(&m));
	EXPECT_EQ(insn_mmio_read(&m, 0x1000, &val, 4), INSN_NEED_IO);
	answer(0x1000, 4, 1);
	EXPECT_TRUE(!insn_mmio_next(&m));
	insn_mmio_rewind(&m);
	EXPECT_EQ(insn_mmio_read(&m, 0x1000, &val, 4), INSN_DONE);
	EXPECT_EQ(val, 0x04030201);
	EXPECT_TRUE(!insn_mmio_next(&m));
}

/* 16 bytes go as two pieces of eight. */
TEST(wide_read)
{
	u8 val[16], i;

	insn_mmio_reset(&m);
	insn_mmio_rewind(&m);
	EXPECT_EQ(insn_mmio_read(&m, 0x1000, val, 16), INSN_NEED_IO);
	answer(0x1000, 8, 0);
	insn_mmio_rewind(&m);
	EXPECT_EQ(insn_mmio_read(&m, 0x1000, val, 16), INSN_NEED_IO);
	answer(0x1008, 8, 8);
	insn_mmio_rewind(&m);
	EXPECT_EQ(insn_mmio_read(&m, 0x1000, val, 16), INSN_DONE);
	for (i = 0; i < 16; i++)
		EXPECT_EQ(val[i], i);
}

/* An in-kernel device is read once, although the instruction runs twice. */
TEST(in_kernel_read_is_kept)
{
	u32 val = 0, dev = 0x11223344;

	insn_mmio_reset(&m);
	insn_mmio_rewind(&m);
	EXPECT_FALSE(insn_mmio_replay(&m, 0xfee00020, &val, 4));
	EXPECT_EQ(insn_mmio_supply(&m, 0xfee00020, &dev, 4), INSN_DONE);
	EXPECT_EQ(insn_mmio_read(&m, 0x2000, &val, 4), INSN_NEED_IO);
	answer(0x2000, 4, 9);

	insn_mmio_rewind(&m);
	EXPECT_TRUE(insn_mmio_replay(&m, 0xfee00020, &val, 4));
	EXPECT_EQ(val, 0x11223344);
	EXPECT_EQ(insn_mmio_read(&m, 0x2000, &val, 4), INSN_DONE);
	EXPECT_EQ(val, 0x0c0b0a09);
}

/* An answer to another question is not used. */
TEST(moved_operand)
{
	u32 val = 0;

	insn_mmio_reset(&m);
	insn_mmio_rewind(&m);
	EXPECT_EQ(insn_mmio_read(&m, 0x1000, &val, 4), INSN_NEED_IO);
	answer(0x1000, 4, 1);
	insn_mmio_rewind(&m);
	EXPECT_EQ(insn_mmio_read(&m, 0x3000, &val, 4), INSN_NEED_IO);
	answer(0x3000, 4, 5);
	insn_mmio_rewind(&m);
	EXPECT_EQ(insn_mmio_read(&m, 0x3000, &val, 4), INSN_DONE);
	EXPECT_EQ(val, 0x08070605);
}

TEST(writes_in_order)
{
	u8 data[16] = { 0, 1, 2, 3, 4, 5, 6, 7, 8, 9 };
	struct insn_mmio_frag *f;

	insn_mmio_reset(&m);
	insn_mmio_rewind(&m);
	EXPECT_EQ(insn_mmio_write(&m, 0x1ffe, data, 2), INSN_DONE);
	EXPECT_EQ(insn_mmio_write(&m, 0x2000, data, 10), INSN_DONE);
	f = insn_mmio_next(&m);
	ASSERT_TRUE(f && f->write && f->gpa == 0x1ffe && f->len == 2);
	EXPECT_TRUE(insn_mmio_next(&m) == f);
	insn_mmio_done(&m, NULL);
	f = insn_mmio_next(&m);
	ASSERT_TRUE(f && f->gpa == 0x2000 && f->len == 8 && f->data[7] == 7);
	insn_mmio_done(&m, NULL);
	f = insn_mmio_next(&m);
	ASSERT_TRUE(f && f->gpa == 0x2008 && f->len == 2 && f->data[1] == 9);
	insn_mmio_done(&m, NULL);
	EXPECT_TRUE(!insn_mmio_next(&m));
	/* nothing is outstanding: a second "done" changes nothing */
	insn_mmio_done(&m, NULL);
	EXPECT_TRUE(!insn_mmio_next(&m));
}

/* A rewind forgets writes: the instruction makes them again. */
TEST(rewind_drops_writes)
{
	u8 data[4] = { 0 };

	insn_mmio_reset(&m);
	insn_mmio_rewind(&m);
	EXPECT_EQ(insn_mmio_write(&m, 0x1000, data, 4), INSN_DONE);
	insn_mmio_rewind(&m);
	EXPECT_TRUE(!insn_mmio_next(&m));
}

TEST(limits)
{
	u8 data[16] = { 0 };
	int i;

	insn_mmio_reset(&m);
	insn_mmio_rewind(&m);
	for (i = 0; i < INSN_MMIO_FRAGS / 2; i++)
		EXPECT_EQ(insn_mmio_write(&m, 0x1000, data, 16), INSN_DONE);
	EXPECT_EQ(insn_mmio_write(&m, 0x1000, data, 1), INSN_CANNOT);
	for (i = 0; i < INSN_MMIO_FRAGS; i++)
		EXPECT_EQ(insn_mmio_supply(&m, 0x1000, data, 8), INSN_DONE);
	EXPECT_EQ(insn_mmio_supply(&m, 0x1000, data, 8), INSN_CANNOT);
	EXPECT_EQ(insn_mmio_read(&m, 0x1000, data, 1), INSN_CANNOT);
}
