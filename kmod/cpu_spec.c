// SPDX-License-Identifier: GPL-2.0
#include "cpu_spec.h"
#include <linux/errno.h>
#include <linux/preempt.h>
#include <asm/msr.h>
#include "cpuid_bits.h"
#include "nested/nested.h"
#include "vcpu.h"

/* Bits that say what a guest has to do: user space may set them on any host. */
#define ARCH_CAPS_DUTIES	(IA32_ARCH_CAP_RSBA | IA32_ARCH_CAP_RRSBA)

/* User space may save what its list names on any VM. */
int cpu_spec_ctrl_read(struct nv_vcpu *vcpu, u32 msr, u64 *value, bool host)
{
	if (!host && !cpu_spec_ctrl_allowed(&vcpu->features))
		return -EPERM;
	*value = vcpu->regs.spec_ctrl;
	return 0;
}

int cpu_spec_ctrl_write(struct nv_vcpu *vcpu, u32 msr, u64 value, bool host)
{
	u64 allowed = cpu_spec_ctrl_allowed(&vcpu->features);

	if ((value & ~allowed) || (!host && !allowed))
		return -EPERM;
	vcpu->regs.spec_ctrl = value;
	/*
	 * Most guests never write more than 0, and then no exit has to read it. Who once does
	 * may do so at every change of privilege.
	 */
	if (value && !vcpu->regs.spec_ctrl_passed) {
		vmx_pass_spec_ctrl(vcpu);
		nested_msr_bitmap_changed(vcpu);
	}
	return 0;
}

/* A guest's command that came as an exit, from L2 or by an MSR list. */
static int command(u32 msr, u64 value)
{
	preempt_disable();
	wrmsrl(msr, value);
	preempt_enable();
	return 0;
}

int cpu_pred_cmd_write(struct nv_vcpu *vcpu, u32 msr, u64 value, bool host)
{
	if (!(vcpu->features.f7_edx & CPUID_7_EDX_SPEC_CTRL) || (value & ~IA32_PRED_CMD_IBPB))
		return -EPERM;
	if (!value)
		return 0;
	/* Should it go on elsewhere: there as well. */
	vmx_forget_history(vcpu);
	return command(msr, value);
}

int cpu_flush_cmd_write(struct nv_vcpu *vcpu, u32 msr, u64 value, bool host)
{
	if (!(vcpu->features.f7_edx & CPUID_7_EDX_FLUSH_L1D) || (value & ~IA32_FLUSH_CMD_L1D))
		return -EPERM;
	return value ? command(msr, value) : 0;
}

int cpu_arch_caps_read(struct nv_vcpu *vcpu, u32 msr, u64 *value, bool host)
{
	if (!host && !(vcpu->features.f7_edx & CPUID_7_EDX_ARCH_CAPABILITIES))
		return -EPERM;
	*value = vcpu->arch_capabilities;
	return 0;
}

int cpu_arch_caps_write(struct nv_vcpu *vcpu, u32 msr, u64 value, bool host)
{
	if (!host || (value & ~(vmx_arch_capabilities() | ARCH_CAPS_DUTIES)))
		return -EPERM;
	vcpu->arch_capabilities = value;
	return 0;
}
