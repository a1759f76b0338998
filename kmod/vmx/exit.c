// SPDX-License-Identifier: GPL-2.0
/* What happens on a VM exit: the table of reasons, and what is common to all. */
#define pr_fmt(fmt) "nestvm: " fmt

#include "vmx/exit.h"
#include <linux/nospec.h>
#include "cpu.h"
#include "nested/nested.h"
#include "trace.h"
#include "vcpu.h"
#include "vmx/percpu.h"

/*
 * One row per basic exit reason that a control of ours, or the architecture,
 * makes possible. A reason without a row is one setup.c never enables: reaching
 * us it is our bug, and goes to user space with the VMCS, never ignored.
 */
static enum nv_next (*const exit_ops[VMEXIT_COUNT])(struct nv_vcpu *vcpu) = {
	[VMEXIT_EXCEPTION_NMI]		= exit_exception,
	[VMEXIT_EXTERNAL_INTERRUPT]	= exit_external_interrupt,
	[VMEXIT_TRIPLE_FAULT]		= exit_triple_fault,
	[VMEXIT_INTR_WINDOW]		= exit_intr_window,
	[VMEXIT_NMI_WINDOW]		= exit_nmi_window,
	[VMEXIT_TASK_SWITCH]		= exit_task_switch,
	[VMEXIT_CPUID]			= exit_cpuid,
	[VMEXIT_GETSEC]			= exit_undefined,
	[VMEXIT_HLT]			= exit_hlt,
	[VMEXIT_INVD]			= exit_nop,
	[VMEXIT_RDPMC]			= exit_rdpmc,
	[VMEXIT_VMCALL]			= nested_vmcall,
	[VMEXIT_VMCLEAR]		= nested_vmclear,
	[VMEXIT_VMLAUNCH]		= nested_vmlaunch,
	[VMEXIT_VMPTRLD]		= nested_vmptrld,
	[VMEXIT_VMPTRST]		= nested_vmptrst,
	[VMEXIT_VMREAD]			= nested_vmread,
	[VMEXIT_VMRESUME]		= nested_vmresume,
	[VMEXIT_VMWRITE]		= nested_vmwrite,
	[VMEXIT_VMXOFF]			= nested_vmxoff,
	[VMEXIT_VMXON]			= nested_vmxon,
	[VMEXIT_CR_ACCESS]		= exit_cr_access,
	[VMEXIT_MOV_DR]			= exit_mov_dr,
	[VMEXIT_IO_INSTRUCTION]		= exit_io,
	[VMEXIT_RDMSR]			= exit_rdmsr,
	[VMEXIT_WRMSR]			= exit_wrmsr,
	[VMEXIT_MWAIT]			= exit_undefined,
	[VMEXIT_MONITOR]		= exit_undefined,
	[VMEXIT_PAUSE]			= exit_pause,
	[VMEXIT_TPR_BELOW_THRESHOLD]	= exit_tpr_below_threshold,
	[VMEXIT_EPT_VIOLATION]		= exit_ept_violation,
	[VMEXIT_EPT_MISCONFIG]		= exit_ept_misconfig,
	[VMEXIT_INVEPT]			= nested_invept,
	[VMEXIT_PREEMPT_TIMER]		= exit_preempt_timer,
	[VMEXIT_INVVPID]		= nested_invvpid,
	[VMEXIT_WBINVD]			= exit_nop,
	[VMEXIT_XSETBV]			= exit_xsetbv,
	[VMEXIT_VMFUNC]			= exit_undefined,
};

#define R(name, number) [number] = #name,
static const char *const reason_names[VMEXIT_COUNT] = { VMX_EXIT_REASONS(R) };
#undef R

const char *vmx_exit_name(u32 reason)
{
	reason &= VMEXIT_BASIC_MASK;
	if (reason >= VMEXIT_COUNT)
		return "unknown";
	reason = array_index_nospec(reason, VMEXIT_COUNT);
	return reason_names[reason] ?: "unknown";
}

/*
 * Hardware refused a state that software was to have checked: it is what user space
 * set (invalid guest state), or, of vmcs02 without such a chance, L1's failed entry.
 */
static enum nv_next failed_entry(struct nv_vcpu *vcpu)
{
	struct kvm_run *run = vcpu->run;

	if (vmx_leaving()) {
		vcpu->ret = -ESHUTDOWN;
		return NEXT_USER;
	}
	if (vcpu->l2 && !vcpu->state_set) {
		nested_entry_refused(vcpu);
		return NEXT_SAME;
	}
	run->exit_reason = KVM_EXIT_FAIL_ENTRY;
	run->fail_entry.hardware_entry_failure_reason =
		vcpu->vmx.failed_entry ? vmcs_read(VMCS_INSN_ERROR) : vcpu->vmx.exit_reason;
	run->fail_entry.cpu = raw_smp_processor_id();
	vcpu->ret = 0;
	return NEXT_USER;
}

static enum nv_next unexpected_exit(struct nv_vcpu *vcpu, u32 reason)
{
	struct kvm_run *run = vcpu->run;

	pr_warn_ratelimited("unexpected VM exit %u (%s)\n", reason, vmx_exit_name(reason));
	run->exit_reason = KVM_EXIT_INTERNAL_ERROR;
	run->internal.suberror = KVM_INTERNAL_ERROR_UNEXPECTED_EXIT_REASON;
	run->internal.ndata = 2;
	run->internal.data[0] = reason;
	run->internal.data[1] = vmcs_read(VMCS_EXIT_QUALIFICATION);
	vcpu->ret = 0;
	return NEXT_USER;
}

static enum nv_next dispatch(struct nv_vcpu *vcpu)
{
	struct vmx_vcpu *vmx = &vcpu->vmx;
	u32 reason = vmx->exit_reason & VMEXIT_BASIC_MASK;

	/* The host has handled it; if it lives, so does the guest. */
	if (vmx_entry_met_mce(vmx))
		return NEXT_SAME;
	if (vmx->failed_entry || (vmx->exit_reason & VMEXIT_ENTRY_FAILURE))
		return failed_entry(vcpu);
	if (vcpu->l2 && nested_owns_exit(vcpu))
		return NEXT_SAME;
	if (reason >= VMEXIT_COUNT)
		return unexpected_exit(vcpu, reason);
	reason = array_index_nospec(reason, VMEXIT_COUNT);
	if (!exit_ops[reason])
		return unexpected_exit(vcpu, reason);
	return exit_ops[reason](vcpu);
}

/*
 * Exits that are served by little code, on the vCPU's own data: what the L1 data cache
 * holds of the host is no more than before (mitigations.h, L1D_COND). Handlers of
 * interrupts leave a mark of their own.
 */
static bool little_done(u32 reason)
{
	switch (reason) {
	case VMEXIT_EXTERNAL_INTERRUPT:
	case VMEXIT_INTR_WINDOW:
	case VMEXIT_NMI_WINDOW:
	case VMEXIT_CPUID:
	case VMEXIT_RDMSR:
	case VMEXIT_WRMSR:
	case VMEXIT_PAUSE:
	case VMEXIT_TPR_BELOW_THRESHOLD:
	case VMEXIT_PREEMPT_TIMER:
		return true;
	}
	return false;
}

enum nv_next vmx_handle_exit(struct nv_vcpu *vcpu)
{
	u32 reason = vcpu->vmx.exit_reason & VMEXIT_BASIC_MASK;
	enum nv_next next;

	if (!vcpu->vmx.failed_entry) {
		if (reason < VMEXIT_COUNT)
			vcpu->stats.exits[vcpu->l2][array_index_nospec(reason, VMEXIT_COUNT)]++;
		trace_nestvm_exit(vcpu->id, reason, vcpu->l2);
	}
	if (!little_done(reason))
		vcpu->vmx.l1d_due = true;
	next = dispatch(vcpu);
	if (next == NEXT_INSN) {
		cpu_skip_insn(vcpu);
		next = NEXT_SAME;
	}
	return next;
}
