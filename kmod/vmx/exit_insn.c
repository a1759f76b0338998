// SPDX-License-Identifier: GPL-2.0
/* Exits of instructions that are not about memory or control registers. */
#include <linux/kvm.h>
#include <linux/sched.h>
#include "cpu.h"
#include "cpu_valid.h"
#include "nested/nested.h"
#include "vcpu.h"
#include "vmx/exit.h"

enum nv_next exit_cpuid(struct nv_vcpu *vcpu)
{
	u64 *gpr = vcpu->regs.gpr;
	u32 regs[4];

	cpu_cpuid(vcpu, gpr[REG_RAX], gpr[REG_RCX], regs);
	gpr[REG_RAX] = regs[0];
	gpr[REG_RBX] = regs[1];
	gpr[REG_RCX] = regs[2];
	gpr[REG_RDX] = regs[3];
	return NEXT_INSN;
}

enum nv_next exit_hlt(struct nv_vcpu *vcpu)
{
	/* RIP moves now, for the guest sleeps behind its HLT. */
	cpu_skip_insn(vcpu);
	if (vcpu->lapic) {
		vcpu->mp_state = KVM_MP_STATE_HALTED;
		if (vcpu->l2)
			nested_halt(vcpu);
		return NEXT_SAME;
	}
	vcpu->run->exit_reason = KVM_EXIT_HLT;
	vcpu->ret = 0;
	return NEXT_USER;
}

/* INVD and WBINVD: the caches are the host's and coherent. */
enum nv_next exit_nop(struct nv_vcpu *vcpu)
{
	return NEXT_INSN;
}

/* Spinning for long: somebody else may be what it waits for. */
enum nv_next exit_pause(struct nv_vcpu *vcpu)
{
	yield();
	return NEXT_INSN;
}

/* An instruction whose feature the guest does not have. */
enum nv_next exit_undefined(struct nv_vcpu *vcpu)
{
	cpu_raise_ud(vcpu);
	return NEXT_SAME;
}

/* No counter exists (CPUID leaf 0AH is empty). */
enum nv_next exit_rdpmc(struct nv_vcpu *vcpu)
{
	cpu_raise_gp(vcpu);
	return NEXT_SAME;
}

enum nv_next exit_rdmsr(struct nv_vcpu *vcpu)
{
	u64 *gpr = vcpu->regs.gpr;
	u64 value;

	if (cpu_msr_read(vcpu, gpr[REG_RCX], &value, false)) {
		cpu_raise_gp(vcpu);
		return NEXT_SAME;
	}
	gpr[REG_RAX] = (u32)value;
	gpr[REG_RDX] = value >> 32;
	return NEXT_INSN;
}

enum nv_next exit_wrmsr(struct nv_vcpu *vcpu)
{
	u64 *gpr = vcpu->regs.gpr;
	u64 value = (u32)gpr[REG_RAX] | gpr[REG_RDX] << 32;

	if (cpu_msr_write(vcpu, gpr[REG_RCX], value, false)) {
		cpu_raise_gp(vcpu);
		return NEXT_SAME;
	}
	return NEXT_INSN;
}

enum nv_next exit_xsetbv(struct nv_vcpu *vcpu)
{
	u64 *gpr = vcpu->regs.gpr;
	u64 value = (u32)gpr[REG_RAX] | gpr[REG_RDX] << 32;

	/* #UD without CR4.OSXSAVE comes before the exit; the rest is ours (SDM 2 "XSETBV"). */
	if ((u32)gpr[REG_RCX] || vmx_cpl(vcpu) || !cpu_xcr0_valid(&vcpu->features, value)) {
		cpu_raise_gp(vcpu);
		return NEXT_SAME;
	}
	vcpu->xcr0 = value;
	return NEXT_INSN;
}
