// SPDX-License-Identifier: GPL-2.0
/*
 * KVM_RUN: requests, events, enter, exit, next. Nothing else decides order.
 */
#include <linux/entry-kvm.h>
#include <linux/kvm.h>
#include <linux/sched.h>
#include <linux/sched/signal.h>
#include <linux/signal.h>
#include <linux/smp.h>
#include <linux/vtime.h>
#include <asm/msr.h>
#include "compat.h"
#include "cpu.h"
#include "host_work.h"
#include "irq.h"
#include "nested/nested.h"
#include "trace.h"
#include "vcpu.h"
#include "verify.h"
#include "vlapic.h"

static void init_received(struct nv_vcpu *vcpu)
{
	nv_vcpu_reset(vcpu, true);
	vcpu->mp_state = vcpu->id == vcpu->vm->bsp_id ? KVM_MP_STATE_RUNNABLE :
							KVM_MP_STATE_INIT_RECEIVED;
}

/* SDM 3A "MP Initialization Protocol Algorithm for MP Systems": start at vector * 4 KiB. */
static void sipi_received(struct nv_vcpu *vcpu)
{
	struct nv_segment cs;

	vmx_get_segment(SEG_CS, &cs);
	cs.sel = vcpu->sipi_vector << 8;
	cs.base = (u64)vcpu->sipi_vector << 12;
	vmx_set_segment(SEG_CS, &cs);
	vmx_set_rip(0);
	vcpu->mp_state = KVM_MP_STATE_RUNNABLE;
}

void nv_vcpu_take_init_sipi(struct nv_vcpu *vcpu)
{
	/* INIT is blocked in VMX root operation, and L2's is an exit (nested_check_events()). */
	if ((READ_ONCE(vcpu->init_sipi) & 1) && !nested_in_vmx_operation(vcpu)) {
		clear_bit(0, &vcpu->init_sipi);
		init_received(vcpu);
	}
	if (test_and_clear_bit(1, &vcpu->init_sipi) &&
	    vcpu->mp_state == KVM_MP_STATE_INIT_RECEIVED)
		sipi_received(vcpu);
}

/* Sleep until there is something to do. */
static void block(struct nv_vcpu *vcpu)
{
	struct nv_vm *vm = vcpu->vm;

	u64 start = rdtsc();

	nv_stat_inc(vcpu, halts);
	srcu_read_unlock(&vm->srcu, vcpu->srcu_idx);
	rcuwait_wait_event(&vcpu->wait, nv_vcpu_runnable(vcpu) || signal_pending(current) ||
			   nv_immediate_exit(vcpu->run), TASK_INTERRUPTIBLE);
	vcpu->srcu_idx = srcu_read_lock(&vm->srcu);
	nv_stat_add(vcpu, time_halted, rdtsc() - start);
}

/* What others asked of this vCPU. False: leave to user space. */
static bool serve_requests(struct nv_vcpu *vcpu, enum nv_next *next)
{
	if (!READ_ONCE(vcpu->requests))
		return true;
	if (test_bit(REQ_DEAD, &vcpu->requests)) {
		vcpu->ret = -EIO;
		*next = NEXT_USER;
		return false;
	}
	if (nv_vcpu_take_request(vcpu, REQ_TRIPLE_FAULT)) {
		*next = nv_vcpu_triple_fault(vcpu);
		if (*next == NEXT_USER)
			return false;
	}
	if (nv_vcpu_take_request(vcpu, REQ_EPT01_CHANGED)) {
		nv_verify_flush(vcpu);
		vmx_flush_tlb(vcpu);
		if (vcpu->nested)
			nested_ept01_changed(vcpu);
	}
	if (nv_vcpu_take_request(vcpu, REQ_EPT01_PROTECTED)) {
		vmx_flush_tlb(vcpu);
		if (vcpu->nested)
			nested_ept01_protected(vcpu);
	}
	if (nv_vcpu_take_request(vcpu, REQ_TLB_FLUSH)) {
		vmx_flush_tlb(vcpu);
		if (vcpu->l2)
			nested_flush_tlb(vcpu);
	}
	clear_bit(REQ_EVENT, &vcpu->requests);
	return true;
}

/* One entry. Returns false if something came up between: the loop turns again. */
static bool enter_once(struct nv_vcpu *vcpu)
{
	bool immediate;

	if (vcpu->lapic)
		vmx_add_nmis(vcpu, vlapic_take_nmi(vcpu));
	immediate = vcpu->nested && nested_check_events(vcpu);
	if (vcpu->lapic && !vcpu->l2)
		vmcs_write(VMCS_TPR_THRESHOLD, vlapic_tpr_threshold(vcpu));
	if (vcpu->mp_state != KVM_MP_STATE_RUNNABLE)
		return false;
	vmx_inject_events(vcpu);
	if (vcpu->nested)
		immediate = nested_before_entry(vcpu, immediate);

	srcu_read_unlock(&vcpu->vm->srcu, vcpu->srcu_idx);
	preempt_disable();
	local_irq_disable();
	WRITE_ONCE(vcpu->where, IN_GUEST);
	/* Pairs with nv_vcpu_kick(): either we see the request or it sees IN_GUEST. */
	smp_mb();
	if (READ_ONCE(vcpu->requests) || __xfer_to_guest_mode_work_pending()) {
		WRITE_ONCE(vcpu->where, OUTSIDE_GUEST);
		local_irq_enable();
		preempt_enable();
		vmx_cancel_injection(vcpu);
		vcpu->srcu_idx = srcu_read_lock(&vcpu->vm->srcu);
		return false;
	}
	if (immediate)
		smp_send_reschedule(smp_processor_id());

	nv_stat_inc(vcpu, entries);
	trace_nestvm_entry(vcpu->id, vmx_rip(), vcpu->l2);
	vtime_account_guest_enter();
	vmx_enter(vcpu);
	WRITE_ONCE(vcpu->where, OUTSIDE_GUEST);
	vmx_after_exit_irqoff(vcpu);
	/* The tick that ended the guest's run is served before its time ends. */
	local_irq_enable();
	asm volatile("nop");
	local_irq_disable();
	vtime_account_guest_exit();
	local_irq_enable();
	preempt_enable();
	vcpu->srcu_idx = srcu_read_lock(&vcpu->vm->srcu);

	if (likely(!vcpu->vmx.failed_entry) && !vmx_entry_met_mce(&vcpu->vmx))
		vmx_take_unfinished_event(vcpu);
	if (vcpu->nested)
		nested_after_exit(vcpu);
	return true;
}

static enum nv_next turn(struct nv_vcpu *vcpu)
{
	enum nv_next next = NEXT_SAME;

	if (vcpu->init_sipi)
		nv_vcpu_take_init_sipi(vcpu);
	if (!serve_requests(vcpu, &next))
		return next;
	if (vcpu->mp_state != KVM_MP_STATE_RUNNABLE) {
		if (!nv_vcpu_runnable(vcpu))
			block(vcpu);
		/* A wake-up from HLT, not from the wait for INIT and SIPI. */
		if (vcpu->mp_state == KVM_MP_STATE_HALTED && nv_vcpu_runnable(vcpu))
			nested_wake(vcpu);
		return NEXT_SAME;
	}
	if (!enter_once(vcpu))
		return NEXT_SAME;
	nv_verify_run(vcpu);
	return vmx_handle_exit(vcpu);
}

/*
 * With the split irqchip the IOAPIC is user space's, and learns of each EOI. Before
 * anything else: who leaves with immediate_exit to save the state has seen it.
 */
static bool tell_eoi(struct nv_vcpu *vcpu)
{
	int vector = vcpu->lapic ? vlapic_take_user_eoi(vcpu) : -1;

	if (vector < 0)
		return false;
	vcpu->run->exit_reason = KVM_EXIT_IOAPIC_EOI;
	vcpu->run->eoi.vector = vector;
	vcpu->ret = 0;
	return true;
}

/* What user space's PIC gives by KVM_INTERRUPT now is taken at once. */
static bool window_open(struct nv_vcpu *vcpu)
{
	if (vcpu->mp_state != KVM_MP_STATE_RUNNABLE && vcpu->mp_state != KVM_MP_STATE_HALTED)
		return false;
	return irq_user_may_interrupt(vcpu) && !nv_event_valid(&vcpu->ev.reinject) &&
	       ((vcpu->l2 && nested_intr_exits(vcpu)) || vmx_intr_allowed(vcpu));
}

/* Once the guest has run, that it gets on; in HLT it would not. */
static bool tell_window(struct nv_vcpu *vcpu)
{
	if (!vcpu->run->request_interrupt_window || !window_open(vcpu) ||
	    !(vcpu->entered || vcpu->mp_state == KVM_MP_STATE_HALTED))
		return false;
	vcpu->run->exit_reason = KVM_EXIT_IRQ_WINDOW_OPEN;
	vcpu->ret = 0;
	return true;
}

static int loop(struct nv_vcpu *vcpu)
{
	struct kvm_run *run = vcpu->run;
	enum nv_next next = NEXT_SAME;

	if (vcpu->complete) {
		enum nv_next (*complete)(struct nv_vcpu *vcpu) = vcpu->complete;

		vcpu->complete = NULL;
		next = complete(vcpu);
	}
	while (next == NEXT_SAME) {
		if (tell_eoi(vcpu))
			break;
		if (nv_immediate_exit(run) || host_work()) {
			run->exit_reason = KVM_EXIT_INTR;
			return -EINTR;
		}
		if (tell_window(vcpu))
			break;
		next = turn(vcpu);
		vcpu->entered = true;
	}
	return vcpu->ret;
}

static void show_state(struct nv_vcpu *vcpu)
{
	struct kvm_run *run = vcpu->run;

	run->if_flag = !!(vmx_rflags() & RFLAGS_IF);
	run->flags = 0;
	if (vcpu->lapic)
		run->cr8 = vlapic_cr8(vcpu);
	run->apic_base = vcpu->apic_base;
	run->ready_for_interrupt_injection = window_open(vcpu);
}

/* All the time that is not L0's own. */
static u64 time_away(const struct nv_vcpu *vcpu)
{
	const u64 *value = vcpu->stats.value;

	return value[STAT_time_l1] + value[STAT_time_l2] + value[STAT_time_halted];
}

int nv_run(struct nv_vcpu *vcpu)
{
	u64 start = rdtsc() - time_away(vcpu);
	sigset_t saved;
	int ret;

	if (vcpu->sigset_active)
		sigprocmask(SIG_SETMASK, &vcpu->sigset, &saved);
	vcpu->run->exit_reason = KVM_EXIT_UNKNOWN;
	vcpu->entered = false;
	vcpu->srcu_idx = srcu_read_lock(&vcpu->vm->srcu);
	ret = loop(vcpu);
	srcu_read_unlock(&vcpu->vm->srcu, vcpu->srcu_idx);
	show_state(vcpu);
	nv_stat_inc(vcpu, exits_user);
	nv_stat_add(vcpu, time_l0, rdtsc() - time_away(vcpu) - start);
	if (vcpu->sigset_active)
		sigprocmask(SIG_SETMASK, &saved, NULL);
	return ret;
}
