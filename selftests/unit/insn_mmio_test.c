// SPDX-License-Identifier: GPL-2.0
#include "harness.h"
#include "insn_mmio.h"

static struct insn_mmio m;

/* A device of the kernel at DEVICE, which counts how often it is read and written. */
#define DEVICE	0xfee00000ull
static unsigned int device_reads, device_writes;

static bool device_read(void *ctx, u64 gpa, void *buf, unsigned int len)
{
	(void)ctx;
	if (gpa < DEVICE || gpa >= DEVICE + 4096)
		return false;
	EXPECT_TRUE(len <= 8);
	memset(buf, 0x40 + device_reads++, len);
	return true;
}

static bool device_write(void *ctx, u64 gpa, const void *buf, unsigned int len)
{
	(void)ctx;
	(void)buf;
	if (gpa < DEVICE || gpa >= DEVICE + 4096)
		return false;
	EXPECT_TRUE(len <= 8);
	device_writes++;
	return true;
}

static const struct insn_devices devices = { device_read, device_write, NULL };

static enum insn_result mmio_read(u64 gpa, void *buf, unsigned int len)
{
	return insn_mmio_read(&m, &devices, gpa, buf, len);
}

static enum insn_result mmio_write(u64 gpa, const void *buf, unsigned int len)
{
	return insn_mmio_write(&m, &devices, gpa, buf, len);
}

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
	EXPECT_EQ(mmio_read(0x1000, &val, 4), INSN_NEED_IO);
	answer(0x1000, 4, 1);
	EXPECT_TRUE(!insn_mmio_next(&m));
	insn_mmio_rewind(&m);
	EXPECT_EQ(mmio_read(0x1000, &val, 4), INSN_DONE);
	EXPECT_EQ(val, 0x04030201);
	EXPECT_TRUE(!insn_mmio_next(&m));
}

/* 16 bytes go as two pieces of eight. */
TEST(wide_read)
{
	u8 val[16], i;

	insn_mmio_reset(&m);
	insn_mmio_rewind(&m);
	EXPECT_EQ(mmio_read(0x1000, val, 16), INSN_NEED_IO);
	answer(0x1000, 8, 0);
	insn_mmio_rewind(&m);
	EXPECT_EQ(mmio_read(0x1000, val, 16), INSN_NEED_IO);
	answer(0x1008, 8, 8);
	insn_mmio_rewind(&m);
	EXPECT_EQ(mmio_read(0x1000, val, 16), INSN_DONE);
	for (i = 0; i < 16; i++)
		EXPECT_EQ(val[i], i);
}

/* A device of the kernel is read once, although the instruction runs twice. */
TEST(device_is_read_once)
{
	u32 val = 0;

	device_reads = 0;
	insn_mmio_reset(&m);
	insn_mmio_rewind(&m);
	EXPECT_EQ(mmio_read(DEVICE + 0x20, &val, 4), INSN_DONE);
	EXPECT_EQ(val, 0x40404040);
	EXPECT_EQ(mmio_read(0x2000, &val, 4), INSN_NEED_IO);
	answer(0x2000, 4, 9);

	insn_mmio_rewind(&m);
	EXPECT_EQ(mmio_read(DEVICE + 0x20, &val, 4), INSN_DONE);
	EXPECT_EQ(val, 0x40404040);
	EXPECT_EQ(mmio_read(0x2000, &val, 4), INSN_DONE);
	EXPECT_EQ(val, 0x0c0b0a09);
	EXPECT_EQ(device_reads, 1);
}

/* It gets pieces of at most 8 bytes, too. */
TEST(wide_accesses_to_a_device)
{
	u8 val[16];

	device_reads = 0;
	device_writes = 0;
	insn_mmio_reset(&m);
	insn_mmio_rewind(&m);
	EXPECT_EQ(mmio_read(DEVICE, val, 16), INSN_DONE);
	EXPECT_EQ(device_reads, 2);
	EXPECT_EQ(val[7], 0x40);
	EXPECT_EQ(val[8], 0x41);
	EXPECT_EQ(mmio_write(DEVICE, val, 16), INSN_DONE);
	EXPECT_EQ(device_writes, 2);
	EXPECT_TRUE(!insn_mmio_next(&m));
}

/* An answer to another question is not used. */
TEST(moved_operand)
{
	u32 val = 0;

	insn_mmio_reset(&m);
	insn_mmio_rewind(&m);
	EXPECT_EQ(mmio_read(0x1000, &val, 4), INSN_NEED_IO);
	answer(0x1000, 4, 1);
	insn_mmio_rewind(&m);
	EXPECT_EQ(mmio_read(0x3000, &val, 4), INSN_NEED_IO);
	answer(0x3000, 4, 5);
	insn_mmio_rewind(&m);
	EXPECT_EQ(mmio_read(0x3000, &val, 4), INSN_DONE);
	EXPECT_EQ(val, 0x08070605);
}

TEST(writes_in_order)
{
	u8 data[16] = { 0, 1, 2, 3, 4, 5, 6, 7, 8, 9 };
	struct insn_mmio_frag *f;

	insn_mmio_reset(&m);
	insn_mmio_rewind(&m);
	EXPECT_EQ(mmio_write(0x1ffe, data, 2), INSN_DONE);
	EXPECT_EQ(mmio_write(0x2000, data, 10), INSN_DONE);
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
	EXPECT_EQ(mmio_write(0x1000, data, 4), INSN_DONE);
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
		EXPECT_EQ(mmio_write(0x1000, data, 16), INSN_DONE);
	EXPECT_EQ(mmio_write(0x1000, data, 1), INSN_CANNOT);
	for (i = 0; i < INSN_MMIO_FRAGS; i++)
		EXPECT_EQ(mmio_read(DEVICE, data, 8), INSN_DONE);
	EXPECT_EQ(mmio_read(DEVICE, data, 8), INSN_CANNOT);
	EXPECT_EQ(mmio_read(0x1000, data, 1), INSN_CANNOT);
}
