// SPDX-License-Identifier: GPL-2.0
/* From L2 to L1: whose exit it is, and everything that a VM exit does. */
#define pr_fmt(fmt) "nestvm: " fmt

#include "cpuid_bits.h"
#include "nested/nested_vcpu.h"
#include "nested/reflect.h"

/* SDM 3C "Information for VM Exits During Event Delivery". */
static void fill_idt_vectoring(struct nv_vcpu *vcpu, struct vmcs12 *v)
{
	const struct nv_event *e = &vcpu->ev.reinject;

	v->idt_vectoring_info = 0;
	if (!nv_event_valid(e))
		return;
	v->idt_vectoring_info = e->info;
	if (e->info & INTR_INFO_ERROR_CODE)
		v->idt_vectoring_error = e->error;
	switch (e->info & INTR_INFO_TYPE) {
	case INTR_TYPE_SOFT_INTR:
	case INTR_TYPE_PRIV_EXC:
	case INTR_TYPE_SOFT_EXC:
		v->exit_insn_len = e->insn_len;
		break;
	}
}

static void fill_exit_info(struct nv_vcpu *vcpu, const struct nested_exit *e)
{
	struct vmcs12 *v = vcpu->nested->v;

	v->exit_reason = e->reason;
	v->exit_qualification = e->qual;
	v->exit_intr_info = e->intr_info;
	v->exit_intr_error = e->intr_error;
	v->exit_insn_len = e->insn_len;
	v->exit_insn_info = e->insn_info;
	v->guest_linear = e->linear;
	v->guest_physical = e->physical;
	fill_idt_vectoring(vcpu, v);
	/* "The valid bit in the VM-entry interruption-information field is cleared." */
	v->entry_intr_info &= ~INTR_INFO_VALID;
}

/*
 * SDM 3C "Updating Non-Register State": an NMI that exits blocks NMIs in L1.
 * Otherwise L1 has the blocking it had; where L2's bit is virtual, that is the
 * one of vmcs01, which has not changed since the entry.
 */
static bool nmi_blocked_after(const struct vmcs12 *v, const struct nested_exit *e, bool vmcs01)
{
	if ((e->reason & VMEXIT_BASIC_MASK) == VMEXIT_EXCEPTION_NMI &&
	    (e->intr_info & INTR_INFO_TYPE) == INTR_TYPE_NMI)
		return true;
	if (vmcs12_has_pin(v, PIN_VIRTUAL_NMIS))
		return vmcs01;
	return v->guest_interruptibility & INTR_STATE_NMI;
}

void nested_exit(struct nv_vcpu *vcpu, const struct nested_exit *e)
{
	struct nv_nested *n = vcpu->nested;
	struct vmcs02 *s = n->cur;
	struct vmcs12 *v = n->v;
	struct l2_left left;

	/* Each caller has seen vcpu->l2, and a second exit of one event is none's to make. */
	if (WARN_ON_ONCE(!vcpu->l2))
		return;
	trace_nestvm_nested_exit(vcpu->id, e->reason, e->qual);
	nv_stat_inc(vcpu, nested_exits);

	fill_exit_info(vcpu, e);
	vmcs02_save(vcpu);
	left.pat = vmcs_read(VMCS_GUEST_PAT);
	left.efer = vmx_efer(vcpu);
	if (msr_list_store(vcpu, v->exit_msr_store, v->exit_msr_store_count)) {
		nested_leave_l2(vcpu);
		nested_abort(vcpu, VMX_ABORT_SAVE_MSR);
		return;
	}

	nested_leave_l2(vcpu);
	/* What it holds was just read back. */
	s->fresh = false;
	nv_stat_inc(vcpu, vmcs02_switches);
	vcpu->ev.reinject.info = 0;
	vcpu->ev.exception.info = 0;
	vcpu->ev.triple_fault = false;
	vcpu->mp_state = KVM_MP_STATE_RUNNABLE;
	/*
	 * CVE-2022-2196: to an L1 with IBRS, L2's branch history is a guest's to a host. One
	 * without uses retpolines. What L1 gives L2 is L1's affair, by IBPB of its own.
	 */
	if (vcpu->features.f7_edx & CPUID_7_EDX_SPEC_CTRL)
		vmx_forget_history(vcpu);
	left.nmi_blocked = nmi_blocked_after(v, e, vmx_nmi_masked(vcpu));
	host_load(vcpu, &left);
}

void nested_exit_simple(struct nv_vcpu *vcpu, u32 reason, u64 qual)
{
	const struct nested_exit e = { .reason = reason, .qual = qual };

	nested_exit(vcpu, &e);
}

void nested_entry_exit(struct nv_vcpu *vcpu, u32 reason, u64 qual)
{
	struct nv_nested *n = vcpu->nested;
	const struct l2_left left = {
		.pat = vmcs_read(VMCS_GUEST_PAT),
		.efer = vmx_efer(vcpu),
		.nmi_blocked = vmx_nmi_masked(vcpu),
	};

	n->v->exit_reason = reason | VMEXIT_ENTRY_FAILURE;
	n->v->exit_qualification = qual;
	trace_nestvm_nested_exit(vcpu->id, n->v->exit_reason, qual);
	host_load(vcpu, &left);
}

/* The exit that hardware made, as it is. vmcs02 current. */
static void exit_as_is(struct nv_vcpu *vcpu)
{
	struct vmcs12 *v = vcpu->nested->v;
	const struct nested_exit e = {
		.reason = vcpu->vmx.exit_reason,
		.qual = vmcs_read(VMCS_EXIT_QUALIFICATION),
		.intr_info = vmcs_read(VMCS_EXIT_INTR_INFO),
		.intr_error = vmcs_read(VMCS_EXIT_INTR_ERROR),
		.insn_len = vmcs_read(VMCS_EXIT_INSN_LEN),
		.insn_info = vmcs_read(VMCS_EXIT_INSN_INFO),
		.linear = vmcs_read(VMCS_GUEST_LINEAR),
	};

	if ((e.reason & VMEXIT_BASIC_MASK) == VMEXIT_IO_INSTRUCTION) {
		v->io_rcx = vmcs_read(VMCS_IO_RCX);
		v->io_rsi = vmcs_read(VMCS_IO_RSI);
		v->io_rdi = vmcs_read(VMCS_IO_RDI);
		v->io_rip = vmcs_read(VMCS_IO_RIP);
	}
	nested_exit(vcpu, &e);
}

bool nested_owns_exit(struct nv_vcpu *vcpu)
{
	struct nv_nested *n = vcpu->nested;
	struct reflect_ctx c;

	if (!vcpu->l2 || (vcpu->vmx.exit_reason & VMEXIT_ENTRY_FAILURE))
		return false;
	/* L0's own; if L1's has expired too, nested_check_events() sees that. */
	if (n->exit_at_once && vcpu->vmx.exit_reason == VMEXIT_PREEMPT_TIMER)
		return false;
	if (vcpu->vmx.exit_reason == VMEXIT_EXCEPTION_NMI &&
	    vmx_is_split_lock(vcpu, vmcs_read(VMCS_EXIT_INTR_INFO)))
		return false;
	vcpu->regs.gpr[REG_RSP] = vmcs_read(VMCS_GUEST_RSP);
	c = (struct reflect_ctx){
		.v = n->v,
		.mem = &n->mem.mem,
		.reason = vcpu->vmx.exit_reason,
		.qual = vmcs_read(VMCS_EXIT_QUALIFICATION),
		.intr_info = vmcs_read(VMCS_EXIT_INTR_INFO),
		.intr_error = vmcs_read(VMCS_EXIT_INTR_ERROR),
		.gpr = vcpu->regs.gpr,
		.l2_64bit = vmx_cs_64(vcpu),
		.insn_info = vmcs_read(VMCS_EXIT_INSN_INFO),
	};
	/* MTF: also one that L1 injected; L0 has no use for it. */
	if (nested_exit_owner(&c) != OWNER_L1 &&
	    (c.reason & VMEXIT_BASIC_MASK) != VMEXIT_MTF)
		return false;
	exit_as_is(vcpu);
	return true;
}

/*
 * With a TPR shadow and neither APIC accesses nor interrupts virtualized in vmcs02, the CPU
 * compares VTPR with the threshold at every entry (SDM 3C "VM-Execution Control
 * Fields"). L1's other CPUs may lower VTPR after our check: what L1 then gets is the
 * exit that L2's own MOV to CR8 would have been, and not a stop of the VM.
 */
static bool vtpr_race(struct nv_vcpu *vcpu)
{
	const struct vmcs12 *v = vcpu->nested->v;

	if (!vcpu->vmx.failed_entry || vmcs_read(VMCS_INSN_ERROR) != VMERR_ENTRY_CONTROLS ||
	    !vmcs12_has_proc(v, PROC_TPR_SHADOW) || vmcs12_has_proc2(v, PROC2_VIRT_INTR) ||
	    (vcpu->nested->cur->hw->proc2_ctls & PROC2_APIC_ACCESS))
		return false;
	nested_exit_simple(vcpu, VMEXIT_TPR_BELOW_THRESHOLD, 0);
	return true;
}

static void report_refusal(struct nv_vcpu *vcpu, u32 reason)
{
	struct nv_nested *n = vcpu->nested;
	u32 found = vcpu->vmx.failed_entry ? vmcs_read(VMCS_INSN_ERROR) : vcpu->vmx.exit_reason;

	pr_warn_ratelimited("vCPU %u: the CPU refuses an entry of L2 that passed the checks: %s %#x, RIP %llx\n",
			    vcpu->id, vcpu->vmx.failed_entry ? "error" : "reason", found, vmx_rip());
	nv_stat_inc(vcpu, vmcs02_refused);
	nested_record_failure(vcpu, "hardware", reason, 0, ENTRY_QUAL_NONE);
	n->cur->fresh = true;
}

/*
 * The checks of vmcs12 are to leave nothing for hardware to find in vmcs02. Where it does,
 * the mistake is ours, but an L1 that knows of one must not get more by it than a failed
 * entry: neither a warning in the host nor the end of its VM.
 */
void nested_entry_refused(struct nv_vcpu *vcpu)
{
	const u32 reason = VMEXIT_INVALID_GUEST_STATE | VMEXIT_ENTRY_FAILURE;
	struct nv_nested *n = vcpu->nested;

	if (vtpr_race(vcpu))
		return;
	report_refusal(vcpu, reason);
	if (!n->entry_pending) {
		/* L2 has run: what it did is not lost. */
		nested_exit_simple(vcpu, reason, ENTRY_QUAL_NONE);
		return;
	}
	n->v->launch_state = n->launch_state;
	vcpu->ev.reinject.info = 0;
	nested_leave_l2(vcpu);
	nested_entry_exit(vcpu, VMEXIT_INVALID_GUEST_STATE, ENTRY_QUAL_NONE);
}

bool nested_triple_fault(struct nv_vcpu *vcpu)
{
	if (!vcpu->l2)
		return false;
	nested_exit_simple(vcpu, VMEXIT_TRIPLE_FAULT, 0);
	return true;
}

void nested_ept12_fault(struct nv_vcpu *vcpu, const struct nv_fault *fault)
{
	const struct nested_exit e = {
		.reason = fault->nested_exit,
		.qual = fault->nested_qual,
		.linear = fault->cr2,
		.physical = fault->nested_gpa2,
	};

	nested_exit(vcpu, &e);
}
