// SPDX-License-Identifier: GPL-2.0
/*
 * Events while L2 runs: which of them are exits to L1, in the order of SDM 3C
 * "Priority Among VM Exits" and SDM 3A "Prioritization of Concurrent Events".
 */
#include <linux/timex.h>
#include <asm/tsc.h>
#include "nested/nested_vcpu.h"
#include "nested/reflect.h"

bool nested_intr_exits(struct nv_vcpu *vcpu)
{
	return vcpu->l2 && vmcs12_has_pin(vcpu->nested->v, PIN_EXT_INTR);
}

bool nested_nmi_exits(struct nv_vcpu *vcpu)
{
	return vcpu->l2 && vmcs12_has_pin(vcpu->nested->v, PIN_NMI_EXIT);
}

bool nested_nmis_are_virtual(struct nv_vcpu *vcpu)
{
	return nested_nmi_exits(vcpu) && vmcs12_has_pin(vcpu->nested->v, PIN_VIRTUAL_NMIS);
}

bool nested_intr_window(struct nv_vcpu *vcpu)
{
	return vcpu->l2 && vmcs12_has_proc(vcpu->nested->v, PROC_INTR_WINDOW);
}

bool nested_nmi_window(struct nv_vcpu *vcpu)
{
	return vcpu->l2 && vmcs12_has_proc(vcpu->nested->v, PROC_NMI_WINDOW);
}

static bool timer_expired(const struct nv_nested *n)
{
	return n->timer_on && rdtsc() >= n->timer_deadline;
}

/* The windows of an L2 in HLT, which they wake; else hardware sees to them. */
static bool intr_window_in_hlt(struct nv_vcpu *vcpu)
{
	return vcpu->mp_state == KVM_MP_STATE_HALTED && nested_intr_window(vcpu) &&
	       vmx_intr_allowed(vcpu);
}

static bool nmi_window_in_hlt(struct nv_vcpu *vcpu)
{
	return vcpu->mp_state == KVM_MP_STATE_HALTED && nested_nmi_window(vcpu) &&
	       vmx_nmi_allowed(vcpu);
}

bool nested_has_events(struct nv_vcpu *vcpu)
{
	const struct nv_nested *n = vcpu->nested;

	return n && vcpu->l2 && (n->mtf_pending || timer_expired(n) || vmcs02_tpr_below(vcpu) ||
				 intr_window_in_hlt(vcpu) || nmi_window_in_hlt(vcpu));
}

/* An L2 in HLT is woken by its preemption timer, which hardware does not run then. */
enum hrtimer_restart nested_timer_fn(struct hrtimer *timer)
{
	struct nv_nested *n = container_of(timer, struct nv_nested, timer);

	nv_vcpu_kick(n->vcpu);
	return HRTIMER_NORESTART;
}

void nested_halt(struct nv_vcpu *vcpu)
{
	struct nv_nested *n = vcpu->nested;
	u64 now = rdtsc(), ns;

	if (!vcpu->l2 || !n->timer_on)
		return;
	/* Days are as good as for ever, and no conversion overflows. */
	ns = now < n->timer_deadline ?
	     mul_u64_u64_div_u64(min(n->timer_deadline - now, BIT_ULL(50)), NSEC_PER_MSEC,
				 tsc_khz) : 0;
	hrtimer_start(&n->timer, ktime_add_ns(ktime_get(), ns + 1), HRTIMER_MODE_ABS);
}

void nested_wake(struct nv_vcpu *vcpu)
{
	/* What is L1's finds L2 still in HLT, as vmcs12 shall say. */
	if (vcpu->l2)
		nested_check_events(vcpu);
	if (vcpu->mp_state == KVM_MP_STATE_HALTED)
		vcpu->mp_state = KVM_MP_STATE_RUNNABLE;
}

/* A pending exception that L1 intercepts; traps of #DB come after MTF. */
static bool exception_exits(struct nv_vcpu *vcpu)
{
	const struct nv_event *e = &vcpu->ev.exception;

	return nv_event_valid(e) &&
	       nested_wants_exception(vcpu->nested->v, nv_event_vector(e), e->error);
}

static void exit_exception(struct nv_vcpu *vcpu)
{
	const struct nv_event *e = &vcpu->ev.exception;
	struct nested_exit x = {
		.reason = VMEXIT_EXCEPTION_NMI,
		.intr_info = e->info,
		.insn_len = e->insn_len,
	};

	if (e->info & INTR_INFO_ERROR_CODE)
		x.intr_error = e->error;
	/* The exception is not delivered: CR2 and DR6 stay, the qualification tells. */
	if (nv_event_vector(e) == VEC_PF || nv_event_vector(e) == VEC_DB)
		x.qual = e->payload;
	nested_exit(vcpu, &x);
}

static void exit_nmi(struct nv_vcpu *vcpu)
{
	const struct nested_exit e = {
		.reason = VMEXIT_EXCEPTION_NMI,
		.intr_info = INTR_INFO_VALID | INTR_TYPE_NMI | VEC_NMI,
	};

	vcpu->ev.nmi_pending--;
	nested_exit(vcpu, &e);
}

/* Without virtual NMIs the blocking that L2 shows is that of real NMIs. */
static bool nmi_exit_allowed(struct nv_vcpu *vcpu)
{
	return nested_nmis_are_virtual(vcpu) || !vmx_nmi_masked(vcpu);
}

/*
 * SDM 3C "Saving Non-Register State": a trap that a higher event goes before stays among
 * the pending debug exceptions. BD is a fault, which comes again.
 */
static void keep_pending_trap(struct nv_vcpu *vcpu)
{
	const struct nv_event *e = &vcpu->ev.exception;
	u64 pending;

	if (!nv_event_valid(e) || (e->info & INTR_INFO_TYPE) != INTR_TYPE_HARD_EXC ||
	    nv_event_vector(e) != VEC_DB || (e->payload & DR6_BD))
		return;
	pending = e->payload & (PENDING_DBG_B | PENDING_DBG_BS);
	if (pending & PENDING_DBG_B)
		pending |= PENDING_DBG_ENABLED_BP;
	vmcs_set_bits(VMCS_GUEST_PENDING_DBG, pending);
}

/* SDM 3C "acknowledge interrupt on exit": the vector, or the interrupt stays where it is. */
static void exit_intr(struct nv_vcpu *vcpu)
{
	struct nested_exit e = { .reason = VMEXIT_EXTERNAL_INTERRUPT };
	int vector;

	if (vmcs12_has_exit(vcpu->nested->v, EXIT_ACK_INTR)) {
		vector = vmx_intr_ack(vcpu);
		/* Withdrawn at the last moment. */
		if (vector < 0)
			return;
		e.intr_info = INTR_INFO_VALID | INTR_TYPE_EXT | vector;
	}
	nested_exit(vcpu, &e);
}

bool nested_check_events(struct nv_vcpu *vcpu)
{
	struct nv_nested *n = vcpu->nested;
	/* Hardware must first complete the entry; it may deliver an event with it. */
	bool entering = n && n->entry_pending, delivering;

	if (!n || !vcpu->l2)
		return false;
	delivering = entering || nv_event_valid(&vcpu->ev.reinject);

	/* Before all others, behind what the entry injects. */
	if (vmcs02_tpr_below(vcpu)) {
		if (delivering)
			return true;
		nested_exit_simple(vcpu, VMEXIT_TPR_BELOW_THRESHOLD, 0);
		return false;
	}
	if (READ_ONCE(vcpu->init_sipi) & BIT(0)) {
		if (delivering)
			return true;
		clear_bit(0, &vcpu->init_sipi);
		keep_pending_trap(vcpu);
		nested_exit_simple(vcpu, VMEXIT_INIT, 0);
		return false;
	}
	if (exception_exits(vcpu) && nv_event_vector(&vcpu->ev.exception) != VEC_DB) {
		if (entering)
			return true;
		exit_exception(vcpu);
		return false;
	}
	if (n->mtf_pending) {
		if (delivering)
			return true;
		n->mtf_pending = false;
		keep_pending_trap(vcpu);
		nested_exit_simple(vcpu, VMEXIT_MTF, 0);
		return false;
	}
	if (exception_exits(vcpu)) {
		if (entering)
			return true;
		exit_exception(vcpu);
		return false;
	}
	/* An exception for L2 itself goes before what follows. */
	if (nv_event_valid(&vcpu->ev.exception))
		delivering = true;
	/* Hardware's timer is then set to 0 and does it. */
	if (!delivering && timer_expired(n)) {
		nested_exit_simple(vcpu, VMEXIT_PREEMPT_TIMER, 0);
		return false;
	}
	if (!delivering && nmi_window_in_hlt(vcpu)) {
		nested_exit_simple(vcpu, VMEXIT_NMI_WINDOW, 0);
		return false;
	}
	if (vcpu->ev.nmi_pending && nested_nmi_exits(vcpu) && nmi_exit_allowed(vcpu)) {
		if (delivering)
			return true;
		exit_nmi(vcpu);
		return false;
	}
	if (!delivering && intr_window_in_hlt(vcpu)) {
		nested_exit_simple(vcpu, VMEXIT_INTR_WINDOW, 0);
		return false;
	}
	if (nested_intr_exits(vcpu) && vmx_intr_pending(vcpu)) {
		if (delivering)
			return true;
		exit_intr(vcpu);
	}
	return false;
}
