// SPDX-License-Identifier: GPL-2.0
/*
 * SDM 3C "Format of the VM-Exit Instruction-Information Field as Used for
 * INVEPT, INVPCID, and INVVPID", "... for VMCLEAR, VMPTRLD, VMPTRST, VMXON, ...",
 * "... for VMREAD and VMWRITE". Pure, see kmod/pure.mk.
 */
#include "nested/operand.h"

/*
 * The layouts agree where they overlap:
 *
 *   1:0    scaling of the index
 *   6:3    VMREAD/VMWRITE: register 1, if bit 10
 *   9:7    address size: 0 = 16, 1 = 32, 2 = 64 bits
 *   10     VMREAD/VMWRITE: operand 1 is a register
 *   17:15  segment register
 *   21:18  index register, if bit 22 is 0
 *   26:23  base register, if bit 27 is 0
 *   31:28  register 2
 */
#define INFO_SCALE(i)		((i) & 3)
#define INFO_REG1(i)		(((i) >> 3) & 15)
#define INFO_ADDR_SIZE(i)	(((i) >> 7) & 7)
#define INFO_IS_REG		BIT(10)
#define INFO_SEG(i)		(((i) >> 15) & 7)
#define INFO_INDEX(i)		(((i) >> 18) & 15)
#define INFO_NO_INDEX		BIT(22)
#define INFO_BASE(i)		(((i) >> 23) & 15)
#define INFO_NO_BASE		BIT(27)
#define INFO_REG2(i)		((i) >> 28)

static u64 effective_address(const struct operand_cpu *cpu, u32 info, u64 displacement)
{
	u64 ea = displacement;

	if (!(info & INFO_NO_BASE))
		ea += cpu->gpr[INFO_BASE(info)];
	if (!(info & INFO_NO_INDEX))
		ea += cpu->gpr[INFO_INDEX(info)] << INFO_SCALE(info);
	switch (INFO_ADDR_SIZE(info)) {
	case 0:
		return (u16)ea;
	case 1:
		return (u32)ea;
	}
	return ea;
}

static enum operand_fault fault_of(u32 seg)
{
	return seg == SEG_SS ? OPERAND_SS : OPERAND_GP;
}

/* 64-bit mode: only FS and GS have a base, nothing has a limit; canonical or fault. */
static enum operand_fault linear_64(const struct operand_cpu *cpu, u32 seg, u64 ea, u32 len,
				    u64 *linear)
{
	u64 base = seg == SEG_FS || seg == SEG_GS ? cpu->seg[seg].base : 0;
	u64 last;

	*linear = base + ea;
	last = *linear + len - 1;
	if (!x86_canonical(*linear, cpu->linear_width) || !x86_canonical(last, cpu->linear_width))
		return fault_of(seg);
	return OPERAND_OK;
}

/* The type of the segment allows the access (SDM 3A "Type Checking"). */
static bool seg_type_ok(u32 ar, bool write)
{
	bool code = ar & BIT(3), readable_or_writable = ar & BIT(1);

	if (write)
		return !code && readable_or_writable;
	return !code || readable_or_writable;
}

static bool seg_limit_ok(const struct operand_seg *s, u64 ea, u32 len)
{
	u64 last = ea + len - 1;
	bool expand_down = (s->ar & (BIT(3) | BIT(2))) == BIT(2);

	if (!expand_down)
		return last <= s->limit;
	return ea > s->limit && last <= (s->ar & SEG_AR_DB ? U32_MAX : U16_MAX);
}

static enum operand_fault linear_32(const struct operand_cpu *cpu, u32 seg, u64 ea, u32 len,
				    bool write, u64 *linear)
{
	const struct operand_seg *s = &cpu->seg[seg];

	/* A null selector was loaded. SS cannot be, and says #SS if it is. */
	if (s->ar & SEG_AR_UNUSABLE)
		return fault_of(seg);
	if (!seg_type_ok(s->ar, write))
		return OPERAND_GP;
	if (!seg_limit_ok(s, ea, len))
		return fault_of(seg);
	*linear = (u32)(s->base + ea);
	return OPERAND_OK;
}

enum operand_fault nested_operand_decode(const struct operand_cpu *cpu, enum operand_form form,
					 u32 info, u64 qualification, u32 len, bool write,
					 struct nested_operand *out)
{
	u32 seg = INFO_SEG(info);
	u64 ea;

	memset(out, 0, sizeof(*out));
	if (form != OPERAND_MEM)
		out->reg2 = INFO_REG2(info);
	if (form == OPERAND_VMREAD_WRITE && (info & INFO_IS_REG)) {
		out->is_reg = true;
		out->reg1 = INFO_REG1(info);
		return OPERAND_OK;
	}
	/* 6 and 7 name no segment. The CPU does not write them. */
	if (seg > SEG_GS)
		return OPERAND_GP;
	seg = array_index_nospec(seg, SEG_GS + 1);
	ea = effective_address(cpu, info, qualification);
	if (cpu->mode_64)
		return linear_64(cpu, seg, ea, len, &out->linear);
	return linear_32(cpu, seg, ea, len, write, &out->linear);
}
