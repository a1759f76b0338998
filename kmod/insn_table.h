/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The supported part of the SDM's opcode maps (volume 2D, "Opcode Map"), one
 * row per opcode, in its order. Private to insn_decode.c.
 */
#ifndef NV_INSN_TABLE_H
#define NV_INSN_TABLE_H

#include "pure.h"
#include "insn_decode.h"

/* How the operands are encoded, in the letters of the opcode map. */
enum form {
	F_NONE,			/* not supported */
	F_EG,			/* ModRM: E is the destination, G the source */
	F_GE,			/* G is the destination, E the source */
	F_EI,			/* E, immediate of operand size, at most 32 bits */
	F_EI8,			/* E, immediate of 8 bits, sign-extended */
	F_E,			/* E alone */
	F_E1,			/* E, the constant 1 */
	F_ECL,			/* E, register CL */
	F_ESRC,			/* E is a source and the only operand */
	F_AI,			/* accumulator, immediate */
	F_AO,			/* accumulator, absolute address */
	F_OA,			/* absolute address, accumulator */
	F_STR,			/* string instruction */
	F_INI,			/* accumulator, port in imm8 */
	F_OUTI,
	F_INDX,			/* accumulator, port in DX */
	F_OUTDX,
	F_GROUP,		/* ModRM.reg chooses: row->op is an enum group */
	F_VEC,			/* XMM move: look up vec_rows[] */
	F_ESC,			/* 0FH, 0FH 38H: another table */
};

enum row_flags {
	R_BYTE = BIT(0),	/* operand size is 8 bits */
	R_LOCK = BIT(1),	/* LOCK is legal if the destination is memory */
	R_SRC8 = BIT(2),	/* source is 8 bits wide */
	R_SRC16 = BIT(3),	/* source is 16 bits wide */
	R_SRC32 = BIT(4),	/* source is 32 bits wide, or operand size if smaller */
	R_ONLY64 = BIT(5),	/* something else outside 64-bit mode */
	R_NOT64 = BIT(6),	/* undefined in 64-bit mode */
	R_MEM = BIT(7),		/* register form: undefined */
	R_STACK = BIT(8),	/* 64-bit mode: 8 bytes without REX.W, 66H makes it 2 */
	R_NEAR = BIT(9),	/* 64-bit mode: 8 bytes whatever the prefixes */
	R_MEMSUP = BIT(10),	/* register form: not in our subset */
	R_MAX32 = BIT(11),	/* REX.W is ignored */
	R_NP = BIT(12),		/* undefined with 66H, F2H or F3H */
};

struct row {
	u8 op;
	u8 form;
	u16 flags;
};

enum group {
	GROUP1,
	GROUP1A,
	GROUP2,
	GROUP3,
	GROUP4,
	GROUP5,
	GROUP8,
	GROUP11,
	GROUP15,
	NR_GROUPS,
};

#define ALU_ROWS(base, op_, lock_)					\
	[(base) + 0] = { op_, F_EG, R_BYTE | (lock_) },			\
	[(base) + 1] = { op_, F_EG, lock_ },				\
	[(base) + 2] = { op_, F_GE, R_BYTE },				\
	[(base) + 3] = { op_, F_GE, 0 },				\
	[(base) + 4] = { op_, F_AI, R_BYTE },				\
	[(base) + 5] = { op_, F_AI, 0 }

static const struct row one_byte[256] = {
	ALU_ROWS(0x00, INSN_ADD, R_LOCK),
	ALU_ROWS(0x08, INSN_OR, R_LOCK),
	ALU_ROWS(0x10, INSN_ADC, R_LOCK),
	ALU_ROWS(0x18, INSN_SBB, R_LOCK),
	ALU_ROWS(0x20, INSN_AND, R_LOCK),
	ALU_ROWS(0x28, INSN_SUB, R_LOCK),
	ALU_ROWS(0x30, INSN_XOR, R_LOCK),
	ALU_ROWS(0x38, INSN_CMP, 0),
	[0x0f] = { 0, F_ESC, 0 },
	[0x63] = { INSN_MOVSX, F_GE, R_SRC32 | R_ONLY64 },	/* else ARPL */
	[0x6c] = { INSN_INS, F_STR, R_BYTE },
	[0x6d] = { INSN_INS, F_STR, R_MAX32 },
	[0x6e] = { INSN_OUTS, F_STR, R_BYTE },
	[0x6f] = { INSN_OUTS, F_STR, R_MAX32 },
	[0x80] = { GROUP1, F_GROUP, R_BYTE },
	[0x81] = { GROUP1, F_GROUP, 0 },
	[0x82] = { GROUP1, F_GROUP, R_BYTE | R_NOT64 },
	[0x83] = { GROUP1, F_GROUP, R_SRC8 },
	[0x84] = { INSN_TEST, F_EG, R_BYTE },
	[0x85] = { INSN_TEST, F_EG, 0 },
	[0x86] = { INSN_XCHG, F_EG, R_BYTE | R_LOCK },
	[0x87] = { INSN_XCHG, F_EG, R_LOCK },
	[0x88] = { INSN_MOV, F_EG, R_BYTE },
	[0x89] = { INSN_MOV, F_EG, 0 },
	[0x8a] = { INSN_MOV, F_GE, R_BYTE },
	[0x8b] = { INSN_MOV, F_GE, 0 },
	[0x8f] = { GROUP1A, F_GROUP, 0 },
	[0xa0] = { INSN_MOV, F_AO, R_BYTE },
	[0xa1] = { INSN_MOV, F_AO, 0 },
	[0xa2] = { INSN_MOV, F_OA, R_BYTE },
	[0xa3] = { INSN_MOV, F_OA, 0 },
	[0xa4] = { INSN_MOVS, F_STR, R_BYTE },
	[0xa5] = { INSN_MOVS, F_STR, 0 },
	[0xa6] = { INSN_CMPS, F_STR, R_BYTE },
	[0xa7] = { INSN_CMPS, F_STR, 0 },
	[0xa8] = { INSN_TEST, F_AI, R_BYTE },
	[0xa9] = { INSN_TEST, F_AI, 0 },
	[0xaa] = { INSN_STOS, F_STR, R_BYTE },
	[0xab] = { INSN_STOS, F_STR, 0 },
	[0xac] = { INSN_LODS, F_STR, R_BYTE },
	[0xad] = { INSN_LODS, F_STR, 0 },
	[0xae] = { INSN_SCAS, F_STR, R_BYTE },
	[0xaf] = { INSN_SCAS, F_STR, 0 },
	[0xc0] = { GROUP2, F_GROUP, R_BYTE | R_SRC8 },
	[0xc1] = { GROUP2, F_GROUP, R_SRC8 },
	[0xc6] = { GROUP11, F_GROUP, R_BYTE },
	[0xc7] = { GROUP11, F_GROUP, 0 },
	[0xd0] = { GROUP2, F_GROUP, R_BYTE },
	[0xd1] = { GROUP2, F_GROUP, 0 },
	[0xd2] = { GROUP2, F_GROUP, R_BYTE },
	[0xd3] = { GROUP2, F_GROUP, 0 },
	[0xe4] = { INSN_IN, F_INI, R_BYTE },
	[0xe5] = { INSN_IN, F_INI, R_MAX32 },
	[0xe6] = { INSN_OUT, F_OUTI, R_BYTE },
	[0xe7] = { INSN_OUT, F_OUTI, R_MAX32 },
	[0xec] = { INSN_IN, F_INDX, R_BYTE },
	[0xed] = { INSN_IN, F_INDX, R_MAX32 },
	[0xee] = { INSN_OUT, F_OUTDX, R_BYTE },
	[0xef] = { INSN_OUT, F_OUTDX, R_MAX32 },
	[0xf6] = { GROUP3, F_GROUP, R_BYTE },
	[0xf7] = { GROUP3, F_GROUP, 0 },
	[0xfe] = { GROUP4, F_GROUP, R_BYTE },
	[0xff] = { GROUP5, F_GROUP, 0 },
};

static const struct row two_byte[256] = {
	[0x0d] = { INSN_NOP, F_ESRC, R_MEMSUP },		/* PREFETCHW */
	[0x10] = { 0, F_VEC, 0 },
	[0x11] = { 0, F_VEC, 0 },
	[0x18] = { INSN_NOP, F_ESRC, R_MEMSUP },		/* PREFETCHh */
	[0x1f] = { INSN_NOP, F_ESRC, 0 },			/* NOP Ev */
	[0x28] = { 0, F_VEC, 0 },
	[0x29] = { 0, F_VEC, 0 },
	[0x2b] = { 0, F_VEC, 0 },
	[0x38] = { 0, F_ESC, 0 },
	[0x40 ... 0x4f] = { INSN_CMOV, F_GE, 0 },
	[0x6e] = { 0, F_VEC, 0 },
	[0x6f] = { 0, F_VEC, 0 },
	[0x7e] = { 0, F_VEC, 0 },
	[0x7f] = { 0, F_VEC, 0 },
	[0x90 ... 0x9f] = { INSN_SETCC, F_E, R_BYTE },
	[0xa3] = { INSN_BT, F_EG, 0 },
	[0xab] = { INSN_BTS, F_EG, R_LOCK },
	[0xae] = { GROUP15, F_GROUP, 0 },
	[0xb0] = { INSN_CMPXCHG, F_EG, R_BYTE | R_LOCK },
	[0xb1] = { INSN_CMPXCHG, F_EG, R_LOCK },
	[0xb3] = { INSN_BTR, F_EG, R_LOCK },
	[0xb6] = { INSN_MOVZX, F_GE, R_SRC8 },
	[0xb7] = { INSN_MOVZX, F_GE, R_SRC16 },
	[0xba] = { GROUP8, F_GROUP, R_SRC8 },
	[0xbb] = { INSN_BTC, F_EG, R_LOCK },
	[0xbe] = { INSN_MOVSX, F_GE, R_SRC8 },
	[0xbf] = { INSN_MOVSX, F_GE, R_SRC16 },
	[0xc0] = { INSN_XADD, F_EG, R_BYTE | R_LOCK },
	[0xc1] = { INSN_XADD, F_EG, R_LOCK },
	[0xc3] = { INSN_MOV, F_EG, R_MEM | R_NP },		/* MOVNTI */
	[0xd6] = { 0, F_VEC, 0 },
	[0xe7] = { 0, F_VEC, 0 },
	[0xf0] = { 0, F_VEC, 0 },
};

/*
 * The rows of a group, by ModRM.reg. A row with F_NONE is not supported; one
 * with F_E and INSN_OP_NONE is undefined on the CPU.
 */
#define UNDEFINED	{ INSN_OP_NONE, F_E, 0 }

static const struct row groups[NR_GROUPS][8] = {
	[GROUP1] = {
		{ INSN_ADD, F_EI, R_LOCK }, { INSN_OR, F_EI, R_LOCK },
		{ INSN_ADC, F_EI, R_LOCK }, { INSN_SBB, F_EI, R_LOCK },
		{ INSN_AND, F_EI, R_LOCK }, { INSN_SUB, F_EI, R_LOCK },
		{ INSN_XOR, F_EI, R_LOCK }, { INSN_CMP, F_EI, 0 },
	},
	/* What 8FH /1 to /7 encode on other vendors' CPUs faults on Intel's. */
	[GROUP1A] = {
		{ INSN_POP, F_E, R_STACK }, UNDEFINED, UNDEFINED, UNDEFINED,
		UNDEFINED, UNDEFINED, UNDEFINED, UNDEFINED,
	},
	/* The count's place follows from the opcode, see decode_group(). */
	[GROUP2] = {
		{ INSN_ROL, F_E, 0 }, { INSN_ROR, F_E, 0 },
		{ INSN_RCL, F_E, 0 }, { INSN_RCR, F_E, 0 },
		{ INSN_SHL, F_E, 0 }, { INSN_SHR, F_E, 0 },
		{ INSN_SHL, F_E, 0 }, { INSN_SAR, F_E, 0 },
	},
	[GROUP3] = {
		{ INSN_TEST, F_EI, 0 }, { INSN_TEST, F_EI, 0 },
		{ INSN_NOT, F_E, R_LOCK }, { INSN_NEG, F_E, R_LOCK },
	},
	[GROUP4] = {
		{ INSN_INC, F_E, R_LOCK }, { INSN_DEC, F_E, R_LOCK },
		UNDEFINED, UNDEFINED, UNDEFINED, UNDEFINED, UNDEFINED, UNDEFINED,
	},
	[GROUP5] = {
		{ INSN_INC, F_E, R_LOCK }, { INSN_DEC, F_E, R_LOCK },
		{ INSN_CALL, F_ESRC, R_NEAR }, { 0, F_NONE, 0 },
		{ INSN_JMP, F_ESRC, R_NEAR }, { 0, F_NONE, 0 },
		{ INSN_PUSH, F_ESRC, R_STACK }, UNDEFINED,
	},
	[GROUP8] = {
		UNDEFINED, UNDEFINED, UNDEFINED, UNDEFINED,
		{ INSN_BT, F_EI8, 0 }, { INSN_BTS, F_EI8, R_LOCK },
		{ INSN_BTR, F_EI8, R_LOCK }, { INSN_BTC, F_EI8, R_LOCK },
	},
	/* /7 in the register form is XABORT and XBEGIN. */
	[GROUP11] = {
		{ INSN_MOV, F_EI, 0 }, UNDEFINED, UNDEFINED, UNDEFINED,
		UNDEFINED, UNDEFINED, UNDEFINED, { 0, F_NONE, 0 },
	},
	/* /6 with 66H is CLWB; /7 is CLFLUSH, with 66H CLFLUSHOPT. */
	[GROUP15] = {
		[6] = { INSN_NOP, F_ESRC, R_MEMSUP },
		[7] = { INSN_NOP, F_ESRC, R_MEMSUP },
	},
};

/* XMM moves with a memory operand, by opcode and mandatory prefix. */
#define PFX_NONE	0
#define PFX_66		0x66
#define PFX_F3		0xf3
#define PFX_F2		0xf2

static const struct vec_row {
	u8 map;			/* last escape byte: 0x0f or 0x38 */
	u8 opcode;
	u8 prefix;
	u8 size;		/* of the memory operand; 0: 4, or 8 with REX.W */
	bool store;
	bool aligned;
} vec_rows[] = {
	{ 0x0f, 0x10, PFX_NONE, 16, false, false },	/* MOVUPS */
	{ 0x0f, 0x10, PFX_66,   16, false, false },	/* MOVUPD */
	{ 0x0f, 0x10, PFX_F3,    4, false, false },	/* MOVSS */
	{ 0x0f, 0x10, PFX_F2,    8, false, false },	/* MOVSD */
	{ 0x0f, 0x11, PFX_NONE, 16, true,  false },
	{ 0x0f, 0x11, PFX_66,   16, true,  false },
	{ 0x0f, 0x11, PFX_F3,    4, true,  false },
	{ 0x0f, 0x11, PFX_F2,    8, true,  false },
	{ 0x0f, 0x28, PFX_NONE, 16, false, true },	/* MOVAPS */
	{ 0x0f, 0x28, PFX_66,   16, false, true },	/* MOVAPD */
	{ 0x0f, 0x29, PFX_NONE, 16, true,  true },
	{ 0x0f, 0x29, PFX_66,   16, true,  true },
	{ 0x0f, 0x2b, PFX_NONE, 16, true,  true },	/* MOVNTPS */
	{ 0x0f, 0x2b, PFX_66,   16, true,  true },	/* MOVNTPD */
	{ 0x0f, 0x6e, PFX_66,    0, false, false },	/* MOVD, MOVQ */
	{ 0x0f, 0x6f, PFX_66,   16, false, true },	/* MOVDQA */
	{ 0x0f, 0x6f, PFX_F3,   16, false, false },	/* MOVDQU */
	{ 0x0f, 0x7e, PFX_66,    0, true,  false },	/* MOVD, MOVQ */
	{ 0x0f, 0x7e, PFX_F3,    8, false, false },	/* MOVQ */
	{ 0x0f, 0x7f, PFX_66,   16, true,  true },	/* MOVDQA */
	{ 0x0f, 0x7f, PFX_F3,   16, true,  false },	/* MOVDQU */
	{ 0x0f, 0xd6, PFX_66,    8, true,  false },	/* MOVQ */
	{ 0x0f, 0xe7, PFX_66,   16, true,  true },	/* MOVNTDQ */
	{ 0x0f, 0xf0, PFX_F2,   16, false, false },	/* LDDQU */
	{ 0x38, 0x2a, PFX_66,   16, false, true },	/* MOVNTDQA */
};

#endif
