// SPDX-License-Identifier: GPL-2.0
/*
 * VMLAUNCH and VMRESUME, in the order of SDM 3C "VM Entries": basic checks,
 * controls, host state (VMfail); guest state, MSRs (a VM exit that says so);
 * then L2. Nothing of vmcs02 is touched before the checks have passed.
 */
#include <linux/timex.h>
#include "nested/nested_vcpu.h"

void nested_record_failure(struct nv_vcpu *vcpu, const char *rule, u32 exit_reason,
			   u32 insn_error, u64 qual)
{
	struct nv_nested *n = vcpu->nested;

	n->failure.count++;
	n->failure.insn_error = insn_error;
	n->failure.exit_reason = exit_reason;
	n->failure.qual = qual;
	strscpy(n->failure.rule, rule, sizeof(n->failure.rule));
	nv_stat_inc(vcpu, nested_entry_failures);
	trace_nestvm_nested_entry_failure(vcpu->id, rule, exit_reason);
}

static void record_failure(struct nv_vcpu *vcpu, const struct entry_result *r)
{
	u32 reason = 0;

	if (r->way == ENTRY_EXIT_GUEST)
		reason = VMEXIT_INVALID_GUEST_STATE | VMEXIT_ENTRY_FAILURE;
	else if (r->way == ENTRY_EXIT_MSR)
		reason = VMEXIT_MSR_LOAD_FAILURE | VMEXIT_ENTRY_FAILURE;
	nested_record_failure(vcpu, r->name, reason, r->error, r->qual);
}

static enum nv_next fail_basic(struct nv_vcpu *vcpu, u32 error, const char *name)
{
	const struct entry_result r = { .way = ENTRY_VMFAIL, .error = error, .name = name };

	record_failure(vcpu, &r);
	return nested_fail(vcpu, error);
}

void nested_entry_ctx(struct nv_vcpu *vcpu, struct entry_ctx *c)
{
	struct nv_nested *n = vcpu->nested;

	*c = (struct entry_ctx){
		.v = n->v,
		.msrs = &n->msrs,
		.cpu = &vcpu->features,
		.vmcs = n->vmcs12_ptr,
		.l1_efer = vmx_efer(vcpu),
		.debugctl = vmcs_read(VMCS_GUEST_DEBUGCTL),
		.mem = &n->mem.mem,
	};
}

static void start_timer(struct nv_nested *n)
{
	n->timer_on = vmcs12_has_pin(n->v, PIN_PREEMPT_TIMER);
	if (n->timer_on)
		n->timer_deadline = rdtsc() + ((u64)n->v->guest_preempt_timer <<
					       (n->msrs.misc & VMX_MISC_PREEMPT_RATE));
}

/* From L1 to L2 with vmcs12 that was checked. False: no memory, nothing has changed. */
bool nested_enter_l2(struct nv_vcpu *vcpu, const struct entry_ctx *c)
{
	struct nv_nested *n = vcpu->nested;
	const struct l1_kept kept = {
		.dr7 = vmcs_read(VMCS_GUEST_DR7),
		.debugctl = vmcs_read(VMCS_GUEST_DEBUGCTL),
		.pat = vmcs_read(VMCS_GUEST_PAT),
		.efer = vmx_efer(vcpu),
		.exceptions = vmcs_read(VMCS_EXCEPTION_BITMAP),
	};
	struct vmcs02 *s = vmcs02_get(vcpu);

	if (!s || ept02_enter(vcpu))
		return false;
	vpid02_enter(vcpu);
	n->cur = s;
	vcpu->l2 = true;
	vmx_switch_vmcs(vcpu, s->vmcs);
	nv_stat_inc(vcpu, vmcs02_switches);
	vmcs02_load(vcpu, c, &kept);
	start_timer(n);
	return true;
}

void nested_leave_l2(struct nv_vcpu *vcpu)
{
	struct nv_nested *n = vcpu->nested;

	if (!vcpu->l2)
		return;
	hrtimer_cancel(&n->timer);
	/* What was not read back is not known. */
	n->cur->fresh = true;
	n->cur = NULL;
	n->entry_pending = false;
	n->mtf_pending = false;
	n->timer_on = false;
	vcpu->l2 = false;
	vmx_switch_vmcs(vcpu, vcpu->vmx.vmcs01);
	if (n->tsc01_stale) {
		vmcs_write(VMCS_TSC_OFFSET, vcpu->tsc_offset);
		n->tsc01_stale = false;
	}
}

/*
 * The event that L1 injects is one whose delivery has begun: no intercept is asked
 * any more, and if an exit of L0's own comes between, it is injected again.
 */
void nested_take_injection(struct nv_vcpu *vcpu)
{
	const struct vmcs12 *v = vcpu->nested->v;
	struct nv_event *e = &vcpu->ev.reinject;

	memset(e, 0, sizeof(*e));
	if (!(v->entry_intr_info & INTR_INFO_VALID))
		return;
	e->info = v->entry_intr_info;
	e->error = v->entry_error_code;
	e->insn_len = v->entry_insn_len;
}

/* HLT as activity state: nothing to enter. What wakes L2 at once finds it in HLT. */
static bool enters_halted(const struct vmcs12 *v)
{
	return v->guest_activity == ACTIVITY_HLT && !(v->entry_intr_info & INTR_INFO_VALID);
}

static void complete_entry(struct nv_vcpu *vcpu)
{
	struct nv_nested *n = vcpu->nested;
	bool injects = n->v->entry_intr_info & INTR_INFO_VALID;

	nested_take_injection(vcpu);
	n->launch_state = n->v->launch_state;
	n->v->launch_state = VMCS12_LAUNCHED;
	n->mtf_pending = false;
	if (enters_halted(n->v)) {
		vcpu->mp_state = KVM_MP_STATE_HALTED;
		nested_halt(vcpu);
	} else {
		/* With an exit due at once, hardware is needed for an injection only. */
		n->entry_pending = injects || !vmcs02_tpr_below(vcpu);
	}
	nv_stat_inc(vcpu, nested_entries);
	trace_nestvm_nested_entry(vcpu->id, n->vmcs12_ptr.v, n->v->guest_rip);
}

/* SDM 3C "Loading MSRs": into the state of L2, which is therefore current already. */
static bool load_msrs(struct nv_vcpu *vcpu)
{
	const struct vmcs12 *v = vcpu->nested->v;
	const struct msr_check *rule;
	struct entry_result r;
	u32 number;

	number = msr_list_load(vcpu, v->entry_msr_load, v->entry_msr_load_count,
			       MSR_AREA_ENTRY_LOAD, &rule);
	if (!number)
		return true;
	nested_msr_failure(&r, number, rule);
	record_failure(vcpu, &r);
	nested_leave_l2(vcpu);
	nested_entry_exit(vcpu, VMEXIT_MSR_LOAD_FAILURE, r.qual);
	return false;
}

static enum nv_next enter(struct nv_vcpu *vcpu)
{
	struct entry_result r;
	struct entry_ctx c;

	nested_entry_ctx(vcpu, &c);
	if (!nested_check_entry(&c, &r)) {
		record_failure(vcpu, &r);
		if (r.way == ENTRY_VMFAIL)
			return nested_fail(vcpu, r.error);
		nested_entry_exit(vcpu, VMEXIT_INVALID_GUEST_STATE, r.qual);
		return NEXT_SAME;
	}
	if (!nested_enter_l2(vcpu, &c)) {
		/* The instruction has had no effect and can be tried again. */
		vcpu->ret = -ENOMEM;
		return NEXT_USER;
	}
	if (load_msrs(vcpu))
		complete_entry(vcpu);
	return NEXT_SAME;
}

/* SDM 3C "Basic VM-Entry Checks". */
static enum nv_next vmentry(struct nv_vcpu *vcpu, bool launch)
{
	struct nv_nested *n = vcpu->nested;
	bool launched;

	if (!nested_insn_allowed(vcpu))
		return NEXT_SAME;
	if (!nested_has_current(n))
		return nested_fail_invalid(vcpu);
	if (vmcs_read(VMCS_GUEST_INTERRUPTIBILITY) & INTR_STATE_MOV_SS)
		return fail_basic(vcpu, VMERR_ENTRY_MOV_SS, "mov_ss");
	launched = n->v->launch_state == VMCS12_LAUNCHED;
	if (launch && launched)
		return fail_basic(vcpu, VMERR_VMLAUNCH_NOT_CLEAR, "launch_clear");
	if (!launch && !launched)
		return fail_basic(vcpu, VMERR_VMRESUME_NOT_LAUNCHED, "resume_launched");

	shadow_vmcs_to_vmcs12(vcpu);
	/* From here on vmcs12 is ours until L1 runs again. */
	n->shadow_stale = true;
	return enter(vcpu);
}

enum nv_next nested_vmlaunch(struct nv_vcpu *vcpu)
{
	return vmentry(vcpu, true);
}

enum nv_next nested_vmresume(struct nv_vcpu *vcpu)
{
	return vmentry(vcpu, false);
}
