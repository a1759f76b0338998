/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The arithmetic of the instruction executor: results and status flags as the
 * CPU computes them. Flags that the manual leaves undefined are cleared or
 * kept, whichever is simpler.
 */
#ifndef NV_INSN_ALU_H
#define NV_INSN_ALU_H

#include "pure.h"
#include "insn_decode.h"
#include "x86.h"

#define INSN_STATUS_FLAGS	(RFLAGS_CF | RFLAGS_PF | RFLAGS_AF | \
				 RFLAGS_ZF | RFLAGS_SF | RFLAGS_OF)

/* All ones in the low @size bytes, 1 to 8. */
static inline u64 insn_mask(unsigned int size)
{
	return U64_MAX >> (64 - 8 * size);
}

static inline u64 insn_sign_extend(u64 v, unsigned int size)
{
	unsigned int shift = 64 - 8 * size;

	return (u64)((s64)(v << shift) >> shift);
}

/**
 * insn_alu - compute ADD to SAR, TEST and the one-operand operations
 * @op:		INSN_ADD ... INSN_SAR
 * @size:	of the operation: 1, 2, 4 or 8 bytes
 * @a:		destination operand
 * @b:		source operand or shift count; ignored by INC, DEC, NOT, NEG
 * @flags:	RFLAGS, in and out; only status flags change
 *
 * Returns the result in the low @size bytes (for CMP and TEST it is not stored).
 */
u64 insn_alu(unsigned int op, unsigned int size, u64 a, u64 b, u64 *flags);

/* Does @op store insn_alu()'s result? */
static inline bool insn_alu_writes(unsigned int op)
{
	return op != INSN_CMP && op != INSN_TEST;
}

#endif
