// SPDX-License-Identifier: GPL-2.0
#include "harness.h"
#include "vpit_counter.h"

TEST(registers)
{
	EXPECT_EQ(pit_count_from_reg(0, false), 0x10000);
	EXPECT_EQ(pit_count_from_reg(0, true), 10000);
	EXPECT_EQ(pit_count_from_reg(0x1234, true), 1234);
	EXPECT_EQ(pit_count_from_reg(0x1234, false), 0x1234);
	EXPECT_EQ(pit_reg_from_count(1234, true), 0x1234);
	EXPECT_EQ(pit_reg_from_count(10000, true), 0);
	EXPECT_EQ(pit_reg_from_count(0x10000, false), 0);
}

TEST(values)
{
	static const struct {
		const char *name;
		u8 mode;
		u32 count;
		bool bcd;
		u64 ticks;
		u16 value;
		bool out;
	} rows[] = {
		{ "terminal count, start", PIT_TERMINAL_COUNT, 100, false, 0, 100, false },
		{ "terminal count, running", PIT_TERMINAL_COUNT, 100, false, 30, 70, false },
		{ "terminal count, reached", PIT_TERMINAL_COUNT, 100, false, 100, 0, true },
		{ "terminal count, wraps", PIT_TERMINAL_COUNT, 100, false, 101, 0xffff, true },
		{ "terminal count, BCD wraps", PIT_TERMINAL_COUNT, 100, true, 101, 0x9999, true },
		{ "terminal count, long after", PIT_TERMINAL_COUNT, 100, false, 100 + 0x50000, 0,
		  true },
		{ "largest", PIT_TERMINAL_COUNT, 0x10000, false, 0, 0, false },
		{ "largest, one on", PIT_TERMINAL_COUNT, 0x10000, false, 1, 0xffff, false },
		{ "rate, start", PIT_RATE, 10, false, 0, 10, true },
		{ "rate, last", PIT_RATE, 10, false, 9, 1, false },
		{ "rate, again", PIT_RATE, 10, false, 20, 10, true },
		{ "rate of one", PIT_RATE, 1, false, 5, 1, false },
		{ "square, start", PIT_SQUARE, 10, false, 0, 10, true },
		{ "square, first half", PIT_SQUARE, 10, false, 4, 2, true },
		{ "square, second half", PIT_SQUARE, 10, false, 5, 10, false },
		{ "square, again", PIT_SQUARE, 10, false, 10, 10, true },
		{ "strobe, before", PIT_STROBE, 10, false, 9, 1, true },
		{ "strobe", PIT_STROBE, 10, false, 10, 0, false },
		{ "strobe, after", PIT_STROBE, 10, false, 11, 0xffff, true },
		{ "one-shot, during", PIT_ONE_SHOT, 10, false, 5, 5, false },
		{ "one-shot, after", PIT_ONE_SHOT, 10, false, 10, 0, true },
		{ "a long time", PIT_RATE, 0x10000, false, ~0ull, 1, false },
	};

	FOR_EACH_ROW(r, rows) {
		CASE("%s", r->name);
		EXPECT_EQ(pit_counter_value(r->mode, r->count, r->bcd, r->ticks), r->value);
		EXPECT_EQ(pit_counter_out(r->mode, r->count, r->ticks), r->out);
	}
}

/* Every count and mode, at random times: no division by zero, nothing out of range. */
TEST(random_use)
{
	unsigned int i;

	for (i = 0; i < 200000; i++) {
		bool bcd = test_random() & 1;
		u32 count = pit_count_from_reg(test_random(), bcd);
		u8 mode = test_random() % 6;
		u64 ticks = test_random() >> (test_random() & 63);

		pit_counter_value(mode, count, bcd, ticks);
		pit_counter_out(mode, count, ticks);
	}
}
