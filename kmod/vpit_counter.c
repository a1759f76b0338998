// SPDX-License-Identifier: GPL-2.0
#include "vpit_counter.h"

u32 pit_count_from_reg(u16 reg, bool bcd)
{
	u32 count = reg;

	if (bcd)
		count = (reg >> 12) * 1000 + (reg >> 8 & 0xf) * 100 + (reg >> 4 & 0xf) * 10 +
			(reg & 0xf);
	if (!count)
		count = bcd ? 10000 : 0x10000;
	return count;
}

u16 pit_reg_from_count(u32 count, bool bcd)
{
	if (!bcd)
		return count;
	count %= 10000;
	return count / 1000 << 12 | count / 100 % 10 << 8 | count / 10 % 10 << 4 | count % 10;
}

u16 pit_counter_value(u8 mode, u32 count, bool bcd, u64 ticks)
{
	u32 wrap = bcd ? 10000 : 0x10000;
	u32 left;

	switch (mode) {
	case PIT_RATE:
		left = count - (u32)(ticks % count);
		break;
	case PIT_SQUARE:
		/* Counts down by two, twice in a period. */
		left = count - (u32)(2 * (ticks % count) % count);
		break;
	default:
		/* Goes on from the top after it has passed zero. */
		left = (count + wrap - (u32)(ticks % wrap)) % wrap;
		break;
	}
	return pit_reg_from_count(left, bcd);
}

bool pit_counter_out(u8 mode, u32 count, u64 ticks)
{
	switch (mode) {
	case PIT_TERMINAL_COUNT:
		return ticks >= count;
	case PIT_ONE_SHOT:
		return ticks >= count;
	case PIT_RATE:
		return ticks % count != count - 1;
	case PIT_SQUARE:
		return ticks % count < (count + 1) / 2;
	default:
		return ticks != count;
	}
}
