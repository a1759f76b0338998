// SPDX-License-Identifier: GPL-2.0
/* Exits of MOV CR, CLTS, LMSW and MOV DR. */
#include <linux/kvm.h>
#include "cpu.h"
#include "cpu_valid.h"
#include "vcpu.h"
#include "vlapic.h"
#include "vmx/exit.h"

/* MOV CR8 exits only without an in-kernel local APIC: user space keeps the TPR. */
static enum nv_next mov_to_cr8(struct nv_vcpu *vcpu, u64 value)
{
	u64 old = vcpu->run->cr8;

	if (!cpu_cr8_valid(value)) {
		cpu_raise_gp(vcpu);
		return NEXT_SAME;
	}
	if (vcpu->lapic) {
		vlapic_set_cr8(vcpu, value);
		return NEXT_INSN;
	}
	vcpu->run->cr8 = value;
	if (old <= value)
		return NEXT_INSN;
	cpu_skip_insn(vcpu);
	vcpu->run->exit_reason = KVM_EXIT_SET_TPR;
	vcpu->ret = 0;
	return NEXT_USER;
}

static enum nv_next mov_to_cr(struct nv_vcpu *vcpu, unsigned int cr, u64 value)
{
	/* Outside 64-bit mode the operand is 32 bits wide. */
	if (!vmx_cs_64(vcpu))
		value = (u32)value;
	switch (cr) {
	case 0:
		return cpu_mov_to_cr0(vcpu, value) ? NEXT_INSN : NEXT_SAME;
	case 4:
		return cpu_mov_to_cr4(vcpu, value) ? NEXT_INSN : NEXT_SAME;
	case 8:
		return mov_to_cr8(vcpu, value);
	}
	return nv_vcpu_bug(vcpu, "exit for a control register we do not intercept");
}

static enum nv_next mov_from_cr(struct nv_vcpu *vcpu, unsigned int cr, unsigned int reg)
{
	if (cr != 8)
		return nv_vcpu_bug(vcpu, "exit for a control register we do not intercept");
	vmx_set_reg(vcpu, reg, vcpu->lapic ? vlapic_cr8(vcpu) : vcpu->run->cr8);
	return NEXT_INSN;
}

enum nv_next exit_cr_access(struct nv_vcpu *vcpu)
{
	u64 qual = vmcs_read(VMCS_EXIT_QUALIFICATION);
	unsigned int cr = qual & QUAL_CR_NUMBER;
	unsigned int reg = (qual >> QUAL_CR_REG_SHIFT) & 0xf;
	u64 cr0;

	switch ((qual & QUAL_CR_TYPE) >> QUAL_CR_TYPE_SHIFT) {
	case CR_TYPE_MOV_TO:
		return mov_to_cr(vcpu, cr, vmx_reg(vcpu, reg));
	case CR_TYPE_MOV_FROM:
		return mov_from_cr(vcpu, cr, reg);
	case CR_TYPE_CLTS:
		return cpu_mov_to_cr0(vcpu, vmx_cr0(vcpu) & ~CR0_TS) ? NEXT_INSN : NEXT_SAME;
	default: /* LMSW writes the low four bits, and can set PE but not clear it */
		cr0 = vmx_cr0(vcpu);
		cr0 = (cr0 & ~0xeull) | ((qual >> QUAL_CR_LMSW_SHIFT) & 0xf);
		return cpu_mov_to_cr0(vcpu, cr0) ? NEXT_INSN : NEXT_SAME;
	}
}

/*
 * Debug registers are emulated whole, and in the CPU only while a breakpoint is
 * on (enter.c). SDM 3B "Debug Registers".
 */
enum nv_next exit_mov_dr(struct nv_vcpu *vcpu)
{
	u64 qual = vmcs_read(VMCS_EXIT_QUALIFICATION);
	unsigned int dr = qual & QUAL_DR_NUMBER;
	unsigned int reg = (qual >> QUAL_DR_REG_SHIFT) & 0xf;
	u64 dr7 = vmcs_read(VMCS_GUEST_DR7);
	u64 value;

	/*
	 * The exit comes before the checks of the instruction (SDM 3C "Relative
	 * Priority of Faults and VM Exits" lists none for MOV DR but CPL and #UD of CR4.DE).
	 */
	if ((dr == 4 || dr == 5) && (cpu_cr4(vcpu) & CR4_DE)) {
		cpu_raise_ud(vcpu);
		return NEXT_SAME;
	}
	if (vmx_cpl(vcpu)) {
		cpu_raise_gp(vcpu);
		return NEXT_SAME;
	}
	if (dr7 & DR7_GD) {
		cpu_raise_db(vcpu, DR6_BD);
		return NEXT_SAME;
	}
	if (qual & QUAL_DR_FROM) {
		switch (dr) {
		case 0 ... 3:
			value = vcpu->dr[dr];
			break;
		case 4:
		case 6:
			value = vcpu->dr6;
			break;
		default:
			value = dr7;
			break;
		}
		vmx_set_reg(vcpu, reg, value);
		return NEXT_INSN;
	}

	value = vmx_reg(vcpu, reg);
	if (!vmx_cs_64(vcpu))
		value = (u32)value;
	if (dr > 3 && value >> 32) {
		cpu_raise_gp(vcpu);
		return NEXT_SAME;
	}
	switch (dr) {
	case 0 ... 3:
		vcpu->dr[dr] = value;
		break;
	case 4:
	case 6:
		vcpu->dr6 = (value & 0xe00full) | DR6_FIXED1 | DR6_RTM;
		break;
	default:
		vmcs_write(VMCS_GUEST_DR7, (value & 0xffff23ffull) | DR7_FIXED1);
		break;
	}
	return NEXT_INSN;
}
