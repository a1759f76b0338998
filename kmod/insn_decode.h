/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The instruction decoder: bytes in, one description of an instruction out.
 * It knows the instructions that a guest aims at memory-mapped devices, in 16,
 * 32 and 64-bit code, and says INSN_UNSUPPORTED to all others. (A real-mode
 * emulator is not its job: unrestricted guest is required.) The kernel has a
 * struct insn and an insn_decode() of its own, hence the nv_.
 *
 * Use, on an EPT violation that no memory slot can satisfy:
 *
 *	fetch up to 15 bytes at CS:RIP through gwalk (fewer if the next page
 *	cannot be read);
 *	switch (nv_insn_decode(&insn, bytes, n, mode)) {
 *	case INSN_DECODED:	insn_exec(), see insn_exec.h
 *	case INSN_TRUNCATED:	inject the #PF that stopped the fetch
 *	case INSN_TOO_LONG:	inject #GP(0)
 *	case INSN_ILLEGAL:	inject #UD
 *	case INSN_UNSUPPORTED:	stop, and show the bytes to the user
 *	}
 */
#ifndef NV_INSN_DECODE_H
#define NV_INSN_DECODE_H

#include "pure.h"

#define INSN_MAX_LEN	15

/* Register numbers as instructions encode them. */
enum insn_reg {
	INSN_RAX, INSN_RCX, INSN_RDX, INSN_RBX,
	INSN_RSP, INSN_RBP, INSN_RSI, INSN_RDI,
	INSN_R8, INSN_R9, INSN_R10, INSN_R11,
	INSN_R12, INSN_R13, INSN_R14, INSN_R15,
	INSN_REG_NONE = 0xff,
};

/* Segment numbers as instructions, and the VMCS fields, order them. */
enum insn_seg_nr {
	INSN_ES, INSN_CS, INSN_SS, INSN_DS, INSN_FS, INSN_GS,
	INSN_SEG_NONE = 0xff,
};

/* The code segment's default size, in bytes: CS.L = 1, else CS.D/B. */
enum insn_code {
	INSN_CODE_16 = 2,	/* also real mode and virtual-8086 mode */
	INSN_CODE_32 = 4,
	INSN_CODE_64 = 8,
};

enum insn_op {
	INSN_OP_NONE,
	/* in the order of opcode bits 5:3 and of the group 1 extension */
	INSN_ADD, INSN_OR, INSN_ADC, INSN_SBB, INSN_AND, INSN_SUB, INSN_XOR, INSN_CMP,
	INSN_TEST, INSN_INC, INSN_DEC, INSN_NOT, INSN_NEG,
	INSN_ROL, INSN_ROR, INSN_RCL, INSN_RCR, INSN_SHL, INSN_SHR, INSN_SAR,
	INSN_MOV, INSN_MOVZX, INSN_MOVSX, INSN_MOVBE, INSN_CMOV, INSN_SETCC,
	INSN_XCHG, INSN_CMPXCHG, INSN_XADD,
	/* in the order of the group 8 extension, /4 to /7 */
	INSN_BT, INSN_BTS, INSN_BTR, INSN_BTC,
	INSN_PUSH, INSN_POP, INSN_CALL, INSN_JMP,
	INSN_MOVS, INSN_CMPS, INSN_STOS, INSN_LODS, INSN_SCAS,
	INSN_INS, INSN_OUTS, INSN_IN, INSN_OUT,
	INSN_MOVVEC,		/* 4, 8 or 16 bytes between an XMM register and memory */
	INSN_NOP,		/* prefetches, hints and cache-line flushes of a memory operand */
	INSN_NR_OPS,
};

enum insn_opnd_kind {
	INSN_OPND_NONE,
	INSN_OPND_REG,
	INSN_OPND_MEM,		/* insn->mem */
	INSN_OPND_IMM,		/* insn->imm */
	INSN_OPND_XMM,
};

struct insn_opnd {
	u8 kind;		/* enum insn_opnd_kind */
	u8 reg;			/* REG, XMM: number */
	bool high;		/* REG: bits 15:8 of it (AH, CH, DH, BH) */
};

/* The memory operand: seg:[base + index * scale + disp] (+ next RIP if rip). */
struct insn_mem {
	u8 base;		/* enum insn_reg, INSN_REG_NONE: none */
	u8 index;
	u8 scale;		/* 1, 2, 4, 8 */
	u8 seg;			/* enum insn_seg_nr, override or default applied */
	bool rip;		/* relative to the following instruction */
	s64 disp;
};

struct nv_insn {
	u8 op;			/* enum insn_op */
	u8 mode;		/* enum insn_code */
	u8 len;			/* of the whole instruction, bytes */
	u8 opsize;		/* operation: 1, 2, 4, 8, 16 bytes */
	u8 srcsize;		/* of src, differs for MOVZX and MOVSX */
	u8 adsize;		/* address: 2, 4, 8 bytes */
	u8 cond;		/* CMOV, SETCC: low four bits of the opcode */
	bool lock;		/* LOCK prefix, in a legal place */
	bool rep;		/* F3 before a string instruction: REP, REPE */
	bool repne;		/* F2 likewise */
	bool aligned;		/* MOVVEC: #GP(0) unless 16-byte aligned */
	struct insn_opnd dst;
	struct insn_opnd src;
	/*
	 * MEM: the operand of ModRM or the absolute address; for a string
	 * instruction only seg (of rSI) has a meaning.
	 */
	struct insn_mem mem;
	u64 imm;		/* sign-extended from its encoded size */
};

enum insn_decode_status {
	INSN_DECODED,
	INSN_TRUNCATED,		/* the buffer ends inside the instruction */
	INSN_TOO_LONG,		/* more than 15 bytes: #GP(0) */
	INSN_ILLEGAL,		/* #UD: undefined form, or LOCK where it must not be */
	INSN_UNSUPPORTED,	/* legal or not: not in the subset */
};

/**
 * nv_insn_decode - decode one instruction
 * @insn:	result; valid if INSN_DECODED is returned
 * @buf:	instruction bytes
 * @n:		how many are there; more than 15 are not looked at
 * @mode:	of the code segment
 */
enum insn_decode_status nv_insn_decode(struct nv_insn *insn, const u8 *buf, size_t n,
				       enum insn_code mode);

/* For messages: "mov", "cmpxchg"; never NULL. */
const char *insn_op_name(unsigned int op);

static inline bool insn_is_string(const struct nv_insn *insn)
{
	return insn->op >= INSN_MOVS && insn->op <= INSN_OUTS;
}

#endif
