/* SPDX-License-Identifier: GPL-2.0 */
/* One counter of the 8254 as a function of the ticks since it was loaded. Pure. */
#ifndef NESTVM_VPIT_COUNTER_H
#define NESTVM_VPIT_COUNTER_H

#include "pure.h"

#define PIT_HZ		1193182u

enum pit_mode {
	PIT_TERMINAL_COUNT,
	PIT_ONE_SHOT,
	PIT_RATE,
	PIT_SQUARE,
	PIT_STROBE,
	PIT_HARD_STROBE,
};

/* From what the guest writes (16 bits, perhaps BCD; 0 is the largest) to a count, and back. */
u32 pit_count_from_reg(u16 reg, bool bcd);
u16 pit_reg_from_count(u32 count, bool bcd);

/* The counting element, in what is written to it, after @ticks since @count was loaded. */
u16 pit_counter_value(u8 mode, u32 count, bool bcd, u64 ticks);
/* The OUT pin then. */
bool pit_counter_out(u8 mode, u32 count, u64 ticks);
static inline bool pit_mode_repeats(u8 mode)
{
	return mode == PIT_RATE || mode == PIT_SQUARE;
}

/* Modes 1 and 5 start, and 2 and 3 start anew, when GATE rises; 0 and 4 go on. */
static inline bool pit_gate_restarts(u8 mode)
{
	return mode != PIT_TERMINAL_COUNT && mode != PIT_STROBE;
}

#endif
