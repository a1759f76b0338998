// SPDX-License-Identifier: GPL-2.0
/* Put one event into the current VMCS, take an unfinished one back, ask for windows. */
#include "cpu.h"
#include "irq.h"
#include "nested/nested.h"
#include "trace.h"
#include "vcpu.h"
#include "vlapic.h"

bool vmx_intr_allowed(struct nv_vcpu *vcpu)
{
	return (vmx_rflags() & RFLAGS_IF) &&
	       !(vmcs_read(VMCS_GUEST_INTERRUPTIBILITY) & (INTR_STATE_STI | INTR_STATE_MOV_SS));
}

bool vmx_nmi_allowed(struct nv_vcpu *vcpu)
{
	return !(vmcs_read(VMCS_GUEST_INTERRUPTIBILITY) &
		 (INTR_STATE_MOV_SS | INTR_STATE_STI | INTR_STATE_NMI));
}

bool vmx_nmi_masked(struct nv_vcpu *vcpu)
{
	return vmcs_read(VMCS_GUEST_INTERRUPTIBILITY) & INTR_STATE_NMI;
}

void vmx_set_nmi_masked(struct nv_vcpu *vcpu, bool masked)
{
	if (masked)
		vmcs_set_bits(VMCS_GUEST_INTERRUPTIBILITY, INTR_STATE_NMI);
	else
		vmcs_clear_bits(VMCS_GUEST_INTERRUPTIBILITY, INTR_STATE_NMI);
}

void vmx_add_nmis(struct nv_vcpu *vcpu, unsigned int count)
{
	const struct nv_event *e = &vcpu->ev.reinject;
	bool handled;

	/* The usual case, at every entry: no VMREAD. */
	if (!count)
		return;
	handled = vmx_nmi_masked(vcpu) && !nested_nmis_are_virtual(vcpu);
	if (nv_event_valid(e) && (e->info & INTR_INFO_TYPE) == INTR_TYPE_NMI)
		handled = true;
	vcpu->ev.nmi_pending = min(handled ? 1u : 2u, vcpu->ev.nmi_pending + count);
}

/*
 * SDM 3C "NMI unblocking due to IRET": an IRET that faulted had already ended the
 * blocking; it must be put back before the guest runs the IRET again.
 */
static void restore_nmi_blocking(struct nv_vcpu *vcpu)
{
	u32 info;

	switch (vcpu->vmx.exit_reason & VMEXIT_BASIC_MASK) {
	case VMEXIT_EXCEPTION_NMI:
		info = vmcs_read(VMCS_EXIT_INTR_INFO);
		if ((info & INTR_INFO_NMI_UNBLOCK) && (info & INTR_INFO_VECTOR) != VEC_DF)
			vmx_set_nmi_masked(vcpu, true);
		break;
	case VMEXIT_EPT_VIOLATION:
	case VMEXIT_PML_FULL:
		if (vmcs_read(VMCS_EXIT_QUALIFICATION) & INTR_INFO_NMI_UNBLOCK)
			vmx_set_nmi_masked(vcpu, true);
		break;
	}
}

void vmx_take_unfinished_event(struct nv_vcpu *vcpu)
{
	u32 info = vcpu->vmx.idt_vectoring;
	struct nv_event *e = &vcpu->ev.reinject;

	e->info = 0;
	if (!(info & INTR_INFO_VALID)) {
		restore_nmi_blocking(vcpu);
		return;
	}
	e->info = info & (INTR_INFO_VALID | INTR_INFO_TYPE | INTR_INFO_VECTOR |
			  INTR_INFO_ERROR_CODE);
	e->error = 0;
	if (info & INTR_INFO_ERROR_CODE)
		e->error = vmcs_read(VMCS_IDT_VECTORING_ERROR);
	e->insn_len = 0;
	switch (info & INTR_INFO_TYPE) {
	case INTR_TYPE_NMI:
		/* It will be injected again, which must not find NMIs blocked by itself. */
		vmx_set_nmi_masked(vcpu, false);
		break;
	case INTR_TYPE_SOFT_INTR:
	case INTR_TYPE_PRIV_EXC:
	case INTR_TYPE_SOFT_EXC:
		e->insn_len = vmcs_read(VMCS_EXIT_INSN_LEN);
		break;
	}
}

static void write_event(struct nv_vcpu *vcpu, const struct nv_event *e)
{
	if (e->info & INTR_INFO_ERROR_CODE)
		vmcs_write(VMCS_ENTRY_ERROR_CODE, e->error);
	switch (e->info & INTR_INFO_TYPE) {
	case INTR_TYPE_SOFT_INTR:
	case INTR_TYPE_PRIV_EXC:
	case INTR_TYPE_SOFT_EXC:
		vmcs_write(VMCS_ENTRY_INSN_LEN, e->insn_len);
		break;
	}
	vmcs_write(VMCS_ENTRY_INTR_INFO, e->info);
	nv_stat_inc(vcpu, injected);
	trace_nestvm_inject(vcpu->id, e->info, e->error, vcpu->l2);
}

/* What the exception's delivery does besides pushing a frame. */
static void deliver_payload(struct nv_vcpu *vcpu, const struct nv_event *e)
{
	/* INT3, INTO and INT1 have none; INT1 leaves DR6 and DR7 alone. */
	if ((e->info & INTR_INFO_TYPE) != INTR_TYPE_HARD_EXC)
		return;
	switch (nv_event_vector(e)) {
	case VEC_PF:
		vcpu->regs.cr2 = e->payload;
		break;
	case VEC_DB:
		/* SDM 3B "Debug Status Register (DR6)": RTM is active low. */
		vcpu->dr6 = (vcpu->dr6 & ~0xfull) | DR6_FIXED1 | DR6_RTM;
		vcpu->dr6 |= e->payload & ~DR6_RTM;
		vcpu->dr6 &= ~(e->payload & DR6_RTM);
		vmcs_write(VMCS_GUEST_DR7, vmcs_read(VMCS_GUEST_DR7) & ~DR7_GD);
		break;
	}
	/*
	 * Faults save RF = 1 (SDM 3B "Instruction-Breakpoint Exception Condition");
	 * the entry pushes RFLAGS as they stand in the VMCS. Traps do not.
	 */
	if (nv_event_vector(e) != VEC_DB && nv_event_vector(e) != VEC_DF)
		vmx_set_rflags(vmx_rflags() | RFLAGS_RF);
}

static void set_windows(bool intr, bool nmi)
{
	u32 old = vmcs_read(VMCS_PROC_CTLS);
	u32 new = old & ~(PROC_INTR_WINDOW | PROC_NMI_WINDOW);

	if (intr)
		new |= PROC_INTR_WINDOW;
	if (nmi)
		new |= PROC_NMI_WINDOW;
	if (new != old)
		vmcs_write(VMCS_PROC_CTLS, new);
}

void vmx_request_intr_window(struct nv_vcpu *vcpu)
{
	vmcs_set_bits(VMCS_PROC_CTLS, PROC_INTR_WINDOW);
}

void vmx_request_nmi_window(struct nv_vcpu *vcpu)
{
	vmcs_set_bits(VMCS_PROC_CTLS, PROC_NMI_WINDOW);
}

bool vmx_intr_pending(struct nv_vcpu *vcpu)
{
	return irq_extint_pending(vcpu) || vlapic_pending(vcpu) >= 0;
}

int vmx_intr_ack(struct nv_vcpu *vcpu)
{
	int vector;

	if (irq_extint_pending(vcpu))
		return irq_extint_ack(vcpu);
	vector = vlapic_pending(vcpu);
	if (vector >= 0)
		vlapic_ack(vcpu, vector);
	return vector;
}

void vmx_begin_exception(struct nv_vcpu *vcpu)
{
	struct nv_events *ev = &vcpu->ev;

	if (nv_event_valid(&ev->reinject) || !nv_event_valid(&ev->exception))
		return;
	deliver_payload(vcpu, &ev->exception);
	ev->reinject = ev->exception;
	ev->exception.info = 0;
}

/* One new event, if any may go now. The slot "reinject" then holds it until it is delivered. */
static bool choose_event(struct nv_vcpu *vcpu)
{
	struct nv_events *ev = &vcpu->ev;
	int vector;

	if (nv_event_valid(&ev->exception)) {
		vmx_begin_exception(vcpu);
		return true;
	}
	if (ev->nmi_pending && !(vcpu->l2 && nested_nmi_exits(vcpu)) && vmx_nmi_allowed(vcpu)) {
		ev->nmi_pending--;
		ev->reinject.info = INTR_INFO_VALID | INTR_TYPE_NMI | VEC_NMI;
		return true;
	}
	if (!(vcpu->l2 && nested_intr_exits(vcpu)) && vmx_intr_pending(vcpu) &&
	    vmx_intr_allowed(vcpu)) {
		vector = vmx_intr_ack(vcpu);
		if (vector < 0)
			return false;
		ev->reinject.info = INTR_INFO_VALID | INTR_TYPE_EXT | vector;
		return true;
	}
	return false;
}

void vmx_inject_events(struct nv_vcpu *vcpu)
{
	struct nv_events *ev = &vcpu->ev;
	bool want_intr, want_nmi;

	if (nv_event_valid(&ev->reinject) || choose_event(vcpu))
		write_event(vcpu, &ev->reinject);

	/* What must still wait: hear when the guest can take it. */
	want_nmi = ev->nmi_pending && !nested_nmis_are_virtual(vcpu);
	want_intr = !(vcpu->l2 && nested_intr_exits(vcpu)) &&
		    (vmx_intr_pending(vcpu) ||
		     (vcpu->run->request_interrupt_window && irq_user_may_interrupt(vcpu)));
	if (want_intr)
		nv_stat_inc(vcpu, irq_windows);
	set_windows(want_intr || (vcpu->l2 && nested_intr_window(vcpu)),
		    want_nmi || (vcpu->l2 && nested_nmi_window(vcpu)));
}

void vmx_cancel_injection(struct nv_vcpu *vcpu)
{
	/* ev.reinject still holds it. */
	vmcs_write(VMCS_ENTRY_INTR_INFO, 0);
}
