// SPDX-License-Identifier: GPL-2.0
#include "insn_alu.h"

static bool top_bit(u64 v, unsigned int size)
{
	return (v >> (8 * size - 1)) & 1;
}

static bool even_parity(u8 v)
{
	v ^= v >> 4;
	v ^= v >> 2;
	v ^= v >> 1;
	return !(v & 1);
}

static void set_flag(u64 *flags, u64 which, bool on)
{
	*flags = on ? *flags | which : *flags & ~which;
}

static void set_szp(u64 *flags, u64 r, unsigned int size)
{
	set_flag(flags, RFLAGS_SF, top_bit(r, size));
	set_flag(flags, RFLAGS_ZF, !(r & insn_mask(size)));
	set_flag(flags, RFLAGS_PF, even_parity((u8)r));
}

static u64 alu_add(unsigned int size, u64 a, u64 b, bool carry, u64 *flags)
{
	u64 r = (a + b + carry) & insn_mask(size);

	/* A carry leaves the top bit if both had it, or one and the sum has not. */
	set_flag(flags, RFLAGS_CF, top_bit((a & b) | ((a | b) & ~r), size));
	set_flag(flags, RFLAGS_OF, top_bit((a ^ r) & (b ^ r), size));
	set_flag(flags, RFLAGS_AF, (a ^ b ^ r) & 0x10);
	set_szp(flags, r, size);
	return r;
}

static u64 alu_sub(unsigned int size, u64 a, u64 b, bool borrow, u64 *flags)
{
	u64 r = (a - b - borrow) & insn_mask(size);

	set_flag(flags, RFLAGS_CF, top_bit((~a & b) | ((~a | b) & r), size));
	set_flag(flags, RFLAGS_OF, top_bit((a ^ b) & (a ^ r), size));
	set_flag(flags, RFLAGS_AF, (a ^ b ^ r) & 0x10);
	set_szp(flags, r, size);
	return r;
}

static u64 alu_logic(unsigned int size, u64 r, u64 *flags)
{
	r &= insn_mask(size);
	*flags &= ~(RFLAGS_CF | RFLAGS_OF | RFLAGS_AF);
	set_szp(flags, r, size);
	return r;
}

/* INC and DEC leave CF alone. */
static u64 alu_step(unsigned int op, unsigned int size, u64 a, u64 *flags)
{
	u64 cf = *flags & RFLAGS_CF;
	u64 r = op == INSN_INC ? alu_add(size, a, 1, false, flags) :
				 alu_sub(size, a, 1, false, flags);

	*flags = (*flags & ~RFLAGS_CF) | cf;
	return r;
}

/* Rotations change CF and OF only; OF is defined for a count of 1. */
static u64 alu_rotate(unsigned int op, unsigned int size, u64 a, unsigned int count, u64 *flags)
{
	unsigned int bits = 8 * size, n = count % bits;
	u64 r = a;

	if (op == INSN_ROL) {
		if (n)
			r = (a << n | a >> (bits - n)) & insn_mask(size);
		set_flag(flags, RFLAGS_CF, r & 1);
		set_flag(flags, RFLAGS_OF, top_bit(r, size) ^ (r & 1));
	} else {
		if (n)
			r = (a >> n | a << (bits - n)) & insn_mask(size);
		set_flag(flags, RFLAGS_CF, top_bit(r, size));
		set_flag(flags, RFLAGS_OF, top_bit(r, size) ^ top_bit(r << 1, size));
	}
	return r;
}

/* Through the carry flag: one bit at a time is quick enough. */
static u64 alu_rotate_carry(unsigned int op, unsigned int size, u64 a, unsigned int count,
			    u64 *flags)
{
	unsigned int top = 8 * size - 1;
	u64 cf = !!(*flags & RFLAGS_CF), out;

	for (; count; count--) {
		if (op == INSN_RCL) {
			out = (a >> top) & 1;
			a = ((a << 1) | cf) & insn_mask(size);
			cf = out;
			set_flag(flags, RFLAGS_OF, ((a >> top) & 1) ^ cf);
		} else {
			set_flag(flags, RFLAGS_OF, ((a >> top) & 1) ^ cf);
			out = a & 1;
			a = (a >> 1) | (cf << top);
			cf = out;
		}
	}
	set_flag(flags, RFLAGS_CF, cf);
	return a;
}

static u64 alu_shift(unsigned int op, unsigned int size, u64 a, unsigned int count, u64 *flags)
{
	unsigned int bits = 8 * size;
	u64 r;
	bool cf;

	if (op == INSN_SHL) {
		r = (a << count) & insn_mask(size);
		cf = count <= bits && (a >> (bits - count)) & 1;
		set_flag(flags, RFLAGS_OF, top_bit(r, size) ^ cf);
	} else {
		u64 wide = op == INSN_SAR ? insn_sign_extend(a, size) : a;

		set_flag(flags, RFLAGS_OF, op == INSN_SHR && top_bit(a, size));
		r = (op == INSN_SAR ? (u64)((s64)wide >> count) : wide >> count) & insn_mask(size);
		cf = (op == INSN_SAR ? (u64)((s64)wide >> (count - 1)) : wide >> (count - 1)) & 1;
	}
	set_flag(flags, RFLAGS_CF, cf);
	set_flag(flags, RFLAGS_AF, false);
	set_szp(flags, r, size);
	return r;
}

/* The count is cut to 5 bits, 6 for 64-bit operands; 0 changes no flag. */
static u64 alu_shift_group(unsigned int op, unsigned int size, u64 a, u64 b, u64 *flags)
{
	unsigned int count = b & (size == 8 ? 63 : 31);

	if (!count)
		return a;
	switch (op) {
	case INSN_ROL:
	case INSN_ROR:
		return alu_rotate(op, size, a, count, flags);
	case INSN_RCL:
	case INSN_RCR:
		return alu_rotate_carry(op, size, a, count, flags);
	default:
		return alu_shift(op, size, a, count, flags);
	}
}

u64 insn_alu(unsigned int op, unsigned int size, u64 a, u64 b, u64 *flags)
{
	bool cf = *flags & RFLAGS_CF;

	a &= insn_mask(size);
	b &= insn_mask(size);
	switch (op) {
	case INSN_ADD:
		return alu_add(size, a, b, false, flags);
	case INSN_ADC:
		return alu_add(size, a, b, cf, flags);
	case INSN_SUB:
	case INSN_CMP:
		return alu_sub(size, a, b, false, flags);
	case INSN_SBB:
		return alu_sub(size, a, b, cf, flags);
	case INSN_NEG:
		return alu_sub(size, 0, a, false, flags);
	case INSN_OR:
		return alu_logic(size, a | b, flags);
	case INSN_AND:
	case INSN_TEST:
		return alu_logic(size, a & b, flags);
	case INSN_XOR:
		return alu_logic(size, a ^ b, flags);
	case INSN_NOT:
		return ~a & insn_mask(size);
	case INSN_INC:
	case INSN_DEC:
		return alu_step(op, size, a, flags);
	case INSN_ROL ... INSN_SAR:
		return alu_shift_group(op, size, a, b, flags);
	}
	/* insn_exec() calls with the operations of its table, each of which is above. */
	WARN_ON_ONCE(1);
	return a;
}
