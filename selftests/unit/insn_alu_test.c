// SPDX-License-Identifier: GPL-2.0
/* The CPU is the oracle: each operation is run on it and compared. */
#include "harness.h"
#include "insn_alu.h"

/*
 * Load the status flags, run one instruction on two operands, read the flags
 * back. The red zone is stepped over because the flags go through the stack.
 */
#define NATIVE(insn_, suffix, reg_, type)						\
	do {										\
		type na = a, nb = b;							\
		__asm__ volatile("lea -128(%%rsp), %%rsp\n\t"				\
				 "push %[fl]\n\tpopf\n\t"				\
				 insn_ #suffix " " reg_ "\n\t"				\
				 "pushf\n\tpop %[fl]\n\t"				\
				 "lea 128(%%rsp), %%rsp"				\
				 : [a] "+r" (na), [fl] "+r" (fl), [b] "+c" (nb)		\
				 : : "cc", "memory");					\
		a = na;									\
	} while (0)

#define NATIVE_SIZES(insn_, two)							\
	static u64 native_##insn_(unsigned int size, u64 a, u64 b, u64 *flags)		\
	{										\
		u64 fl = *flags;							\
											\
		switch (size) {								\
		case 1:									\
			NATIVE(#insn_, b, two("%b[a]", "%b[b]"), u8);			\
			break;								\
		case 2:									\
			NATIVE(#insn_, w, two("%w[a]", "%w[b]"), u16);			\
			break;								\
		case 4:									\
			NATIVE(#insn_, l, two("%k[a]", "%k[b]"), u32);			\
			break;								\
		default:								\
			NATIVE(#insn_, q, two("%q[a]", "%q[b]"), u64);			\
		}									\
		*flags = fl;								\
		return a;								\
	}

#define TWO(a, b)	b ", " a
#define ONE(a, b)	a
#define CL(a, b)	"%%cl, " a

NATIVE_SIZES(add, TWO)
NATIVE_SIZES(or, TWO)
NATIVE_SIZES(adc, TWO)
NATIVE_SIZES(sbb, TWO)
NATIVE_SIZES(and, TWO)
NATIVE_SIZES(sub, TWO)
NATIVE_SIZES(xor, TWO)
NATIVE_SIZES(cmp, TWO)
NATIVE_SIZES(test, TWO)
NATIVE_SIZES(inc, ONE)
NATIVE_SIZES(dec, ONE)
NATIVE_SIZES(not, ONE)
NATIVE_SIZES(neg, ONE)
NATIVE_SIZES(rol, CL)
NATIVE_SIZES(ror, CL)
NATIVE_SIZES(rcl, CL)
NATIVE_SIZES(rcr, CL)
NATIVE_SIZES(shl, CL)
NATIVE_SIZES(shr, CL)
NATIVE_SIZES(sar, CL)

static const struct row {
	const char *name;
	u8 op;
	u64 (*native)(unsigned int size, u64 a, u64 b, u64 *flags);
	u64 undefined;		/* flags the manual does not define */
} rows[] = {
	{ "add", INSN_ADD, native_add, 0 },
	{ "or", INSN_OR, native_or, RFLAGS_AF },
	{ "adc", INSN_ADC, native_adc, 0 },
	{ "sbb", INSN_SBB, native_sbb, 0 },
	{ "and", INSN_AND, native_and, RFLAGS_AF },
	{ "sub", INSN_SUB, native_sub, 0 },
	{ "xor", INSN_XOR, native_xor, RFLAGS_AF },
	{ "cmp", INSN_CMP, native_cmp, 0 },
	{ "test", INSN_TEST, native_test, RFLAGS_AF },
	{ "inc", INSN_INC, native_inc, 0 },
	{ "dec", INSN_DEC, native_dec, 0 },
	{ "not", INSN_NOT, native_not, 0 },
	{ "neg", INSN_NEG, native_neg, 0 },
	{ "rol", INSN_ROL, native_rol, 0 },
	{ "ror", INSN_ROR, native_ror, 0 },
	{ "rcl", INSN_RCL, native_rcl, 0 },
	{ "rcr", INSN_RCR, native_rcr, 0 },
	{ "shl", INSN_SHL, native_shl, RFLAGS_AF },
	{ "shr", INSN_SHR, native_shr, RFLAGS_AF },
	{ "sar", INSN_SAR, native_sar, RFLAGS_AF },
};

/* A shift leaves more undefined: OF for counts above 1, CF for counts beyond the operand. */
static u64 undefined_flags(const struct row *r, unsigned int size, u64 b)
{
	unsigned int count = b & (size == 8 ? 63 : 31);
	u64 undef = r->undefined;

	if (r->op < INSN_ROL)
		return undef;
	if (!count)
		return 0;
	if (count > 1)
		undef |= RFLAGS_OF;
	if ((r->op == INSN_SHL || r->op == INSN_SHR) && count >= 8 * size)
		undef |= RFLAGS_CF;
	return undef;
}

static void compare(const struct row *r, unsigned int size, u64 a, u64 b, u64 flags)
{
	u64 fa = flags, fb = flags, ra, rb, care;

	CASE("%s size %u a %#llx b %#llx flags %#llx", r->name, size, a, b, flags);
	ra = insn_alu(r->op, size, a, b, &fa);
	rb = r->native(size, a, b, &fb);
	if (insn_alu_writes(r->op))
		EXPECT_EQ(ra, rb & insn_mask(size));
	care = INSN_STATUS_FLAGS & ~undefined_flags(r, size, b);
	EXPECT_EQ(fa & care, fb & care);
	EXPECT_EQ(fa & ~INSN_STATUS_FLAGS, flags & ~INSN_STATUS_FLAGS);
}

static const u64 edges[] = {
	0, 1, 2, 7, 8, 9, 0xf, 0x10, 0x7f, 0x80, 0xff, 0x100, 0x7fff, 0x8000, 0xffff,
	0x10000, 0x7fffffff, 0x80000000, 0xffffffff, 0x100000000, 0x7fffffffffffffff,
	0x8000000000000000, 0xffffffffffffffff, 0x0123456789abcdef, 0xfedcba9876543210,
};

#define IF_SET	0x202ULL	/* what user space always runs with */

TEST(edge_values)
{
	unsigned int size;

	FOR_EACH_ROW(r, rows)
		for (size = 1; size <= 8; size *= 2)
			FOR_EACH_ROW(a, edges)
				FOR_EACH_ROW(b, edges) {
					compare(r, size, *a, *b, IF_SET);
					compare(r, size, *a, *b, IF_SET | INSN_STATUS_FLAGS);
				}
}

TEST(random_values)
{
	int n;

	for (n = 0; n < 200000; n++) {
		const struct row *r = &rows[test_random() % ARRAY_SIZE(rows)];
		u64 flags = IF_SET | (test_random() & INSN_STATUS_FLAGS);

		compare(r, 1 << (test_random() & 3), test_random(), test_random(), flags);
	}
}

/* Every count, for the operations that have one. */
TEST(shift_counts)
{
	unsigned int size, count;

	FOR_EACH_ROW(r, rows) {
		if (r->op < INSN_ROL)
			continue;
		for (size = 1; size <= 8; size *= 2)
			for (count = 0; count < 256; count++) {
				compare(r, size, test_random(), count, IF_SET);
				compare(r, size, test_random(), count,
					IF_SET | INSN_STATUS_FLAGS);
			}
	}
}
