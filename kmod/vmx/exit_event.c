// SPDX-License-Identifier: GPL-2.0
/* Exits that are events: exceptions, windows, TPR, timer, shutdown. */
#include <linux/kvm.h>
#include <asm/cpu.h>
#include <asm/cpufeature.h>
#include "cpu.h"
#include "insn_io.h"
#include "nested/nested.h"
#include "vcpu.h"
#include "vlapic.h"
#include "vmx/exit.h"

/* SDM 3C "Information for VM Exits Due to Vectored Events": only the type tells INT1. */
static enum nv_next exit_db(struct nv_vcpu *vcpu, u32 info)
{
	if ((info & INTR_INFO_TYPE) == INTR_TYPE_PRIV_EXC)
		nv_event_raise_soft(&vcpu->ev, INTR_TYPE_PRIV_EXC, VEC_DB,
				    vmcs_read(VMCS_EXIT_INSN_LEN));
	else
		cpu_raise_db(vcpu, vmcs_read(VMCS_EXIT_QUALIFICATION));
	return NEXT_SAME;
}

/* An #AC that the guest's own alignment check does not explain: "split-lock disable". */
bool vmx_is_split_lock(struct nv_vcpu *vcpu, u32 info)
{
	if (!boot_cpu_has(X86_FEATURE_SPLIT_LOCK_DETECT) ||
	    (info & INTR_INFO_VECTOR) != VEC_AC || (info & INTR_INFO_TYPE) != INTR_TYPE_HARD_EXC)
		return false;
	return vmx_cpl(vcpu) != 3 || !(vmcs_read(VMCS_GUEST_CR0) & CR0_AM) ||
	       !(vmx_rflags() & RFLAGS_AC);
}

enum nv_next exit_exception(struct nv_vcpu *vcpu)
{
	u32 info = vmcs_read(VMCS_EXIT_INTR_INFO);

	/* The host's own were served by vmx_after_exit_irqoff(). */
	if ((info & INTR_INFO_TYPE) == INTR_TYPE_NMI)
		return NEXT_SAME;
	switch (info & INTR_INFO_VECTOR) {
	case VEC_MC:
		return NEXT_SAME;
	case VEC_DB:
		return exit_db(vcpu, info);
	case VEC_AC:
		/* Tolerated, slowed down, or the end of the thread by SIGBUS: the host's policy. */
		if (vmx_is_split_lock(vcpu, info))
			handle_guest_split_lock(vmx_rip());
		else
			cpu_raise_error(vcpu, VEC_AC, 0);
		return NEXT_SAME;
	}
	return nv_vcpu_bug(vcpu, "exit for an exception we do not intercept");
}

/* Taken when interrupts were enabled after the exit. */
enum nv_next exit_external_interrupt(struct nv_vcpu *vcpu)
{
	return NEXT_SAME;
}

enum nv_next exit_triple_fault(struct nv_vcpu *vcpu)
{
	return nv_vcpu_triple_fault(vcpu);
}

/* The next turn of the loop tells user space, or injects and closes the window. */
enum nv_next exit_intr_window(struct nv_vcpu *vcpu)
{
	return NEXT_SAME;
}

enum nv_next exit_nmi_window(struct nv_vcpu *vcpu)
{
	return NEXT_SAME;
}

/* A hardware task switch: no 64-bit system does one, and we do not emulate it. L2's is L1's. */
enum nv_next exit_task_switch(struct nv_vcpu *vcpu)
{
	return insn_io_refuse(vcpu);
}

enum nv_next exit_tpr_below_threshold(struct nv_vcpu *vcpu)
{
	if (vcpu->lapic)
		vlapic_tpr_lowered(vcpu);
	return NEXT_SAME;
}

/* Only L2 runs with the timer on: L1 has had its own expiry, this is an exit at once. */
enum nv_next exit_preempt_timer(struct nv_vcpu *vcpu)
{
	return NEXT_SAME;
}
