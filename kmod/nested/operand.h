/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Operands of the VMX instructions, from the VM-exit instruction-information
 * field and the exit qualification (SDM 3C "VM-Exit Instruction Information"):
 * which register, or which linear address and whether the segment allows it.
 */
#ifndef NESTVM_NESTED_OPERAND_H
#define NESTVM_NESTED_OPERAND_H

#include "pure.h"
#include "x86.h"

struct operand_seg {
	u64 base;
	u32 limit;
	u32 ar;				/* VMCS layout */
};

/* The CPU that executed the instruction. */
struct operand_cpu {
	const u64 *gpr;			/* REG_COUNT values, RSP included */
	struct operand_seg seg[6];	/* SEG_ES to SEG_GS */
	bool mode_64;			/* EFER.LMA and CS.L */
	u8 linear_width;		/* 48, or 57 if CR4.LA57 */
};

/* Which layout the information field has. */
enum operand_form {
	OPERAND_MEM,			/* VMCLEAR, VMPTRLD, VMPTRST, VMXON */
	OPERAND_MEM_REG,		/* INVEPT, INVVPID, INVPCID: memory and register 2 */
	OPERAND_VMREAD_WRITE,		/* VMREAD, VMWRITE: register or memory, and register 2 */
};

enum operand_fault { OPERAND_OK, OPERAND_GP, OPERAND_SS };	/* both with error code 0 */

struct nested_operand {
	bool is_reg;			/* VMREAD/VMWRITE: operand 1 is register reg1 */
	u8 reg1;
	u8 reg2;			/* INVEPT...: the type; VMREAD/VMWRITE: the field */
	u64 linear;			/* otherwise: the memory operand */
};

/*
 * @len: bytes accessed; @write: by the instruction, to memory. On a fault
 * @out is not to be used.
 */
enum operand_fault nested_operand_decode(const struct operand_cpu *cpu, enum operand_form form,
					 u32 info, u64 qualification, u32 len, bool write,
					 struct nested_operand *out);

#endif
