// SPDX-License-Identifier: GPL-2.0
/* Save and restore of events, MP state, debug registers, machine check and TSC. */
#include "vcpu_state.h"
#include <linux/kvm.h>
#include <linux/uaccess.h>
#include <asm/tsc.h>
#include <uapi/nestvm.h>
#include "cpu.h"
#include "ioctl.h"
#include "irq.h"
#include "nested/nested.h"
#include "vcpu.h"
#include "vlapic.h"

static bool is_interrupt(u32 info)
{
	u32 type = info & INTR_INFO_TYPE;

	return type == INTR_TYPE_EXT || type == INTR_TYPE_SOFT_INTR;
}

/*
 * The API knows no instruction length. L1's INT n, INT3 or INT1 which an exit
 * interrupted is executed again: RIP is still at it. For L2, to which L1 may inject
 * one where there is no such instruction, the nested state says the rest.
 */
static bool executed_again(const struct nv_vcpu *vcpu, const struct nv_event *e)
{
	if (vcpu->l2)
		return false;
	switch (e->info & INTR_INFO_TYPE) {
	case INTR_TYPE_SOFT_INTR:
		return e->insn_len != 2;
	case INTR_TYPE_SOFT_EXC:
		return e->insn_len != 1;
	case INTR_TYPE_PRIV_EXC:
		return true;
	}
	return false;
}

/*
 * What user space gave by KVM_INTERRUPT has no place among the events. Where the next
 * entry would deliver it, its delivery begins now; else KVM_GET_SREGS tells it.
 */
static void begin_user_interrupt(struct nv_vcpu *vcpu)
{
	struct nv_events *ev = &vcpu->ev;

	if (vcpu->l2 || ev->user_intr < 0 || nv_event_valid(&ev->reinject) ||
	    nv_event_valid(&ev->exception) || !irq_extint_pending(vcpu) ||
	    !vmx_intr_allowed(vcpu))
		return;
	ev->reinject = (struct nv_event) {
		.info = INTR_INFO_VALID | INTR_TYPE_EXT | irq_extint_ack(vcpu),
	};
}

static void begun_to_user(struct nv_vcpu *vcpu, struct kvm_vcpu_events *e)
{
	const struct nv_event *ev = &vcpu->ev.reinject;
	u32 type = ev->info & INTR_INFO_TYPE;

	if (!nv_event_valid(ev) || executed_again(vcpu, ev))
		return;
	if (is_interrupt(ev->info)) {
		e->interrupt.injected = 1;
		e->interrupt.soft = type == INTR_TYPE_SOFT_INTR;
		e->interrupt.nr = nv_event_vector(ev);
	} else if (type == INTR_TYPE_NMI) {
		e->nmi.injected = 1;
	} else {
		e->exception.injected = 1;
		e->exception.nr = nv_event_vector(ev);
		e->exception.has_error_code = !!(ev->info & INTR_INFO_ERROR_CODE);
		e->exception.error_code = ev->error;
	}
}

static void waiting_to_user(struct nv_vcpu *vcpu, struct kvm_vcpu_events *e)
{
	const struct nv_event *ev = &vcpu->ev.exception;

	if (!nv_event_valid(ev))
		return;
	/* Not begun, and RIP still at INT1: executed again, by L2 as well. */
	if ((ev->info & INTR_INFO_TYPE) == INTR_TYPE_PRIV_EXC)
		return;
	e->exception.pending = vcpu->vm->exception_payload;
	e->exception.injected = !vcpu->vm->exception_payload;
	e->exception.nr = nv_event_vector(ev);
	e->exception.has_error_code = !!(ev->info & INTR_INFO_ERROR_CODE);
	e->exception.error_code = ev->error;
	if (vcpu->vm->exception_payload) {
		e->exception_has_payload = 1;
		e->exception_payload = ev->payload;
	}
}

long vcpu_get_events(void *obj, struct nv_ioctl_arg *arg)
{
	struct kvm_vcpu_events *e = arg->buf;
	struct nv_vcpu *vcpu = obj;
	u32 blocking = vmcs_read(VMCS_GUEST_INTERRUPTIBILITY);

	/*
	 * User space that did not ask for payloads has no place for them: the delivery
	 * begins now, and CR2 and DR6 say the rest. L1 may still want that of L2.
	 */
	if (!vcpu->vm->exception_payload && !vcpu->l2)
		vmx_begin_exception(vcpu);
	begin_user_interrupt(vcpu);
	memset(e, 0, sizeof(*e));
	begun_to_user(vcpu, e);
	if (!e->exception.injected)
		waiting_to_user(vcpu, e);
	if (blocking & INTR_STATE_STI)
		e->interrupt.shadow |= KVM_X86_SHADOW_INT_STI;
	if (blocking & INTR_STATE_MOV_SS)
		e->interrupt.shadow |= KVM_X86_SHADOW_INT_MOV_SS;
	vmx_add_nmis(vcpu, vlapic_take_nmi(vcpu));
	e->nmi.pending = vcpu->ev.nmi_pending;
	e->nmi.masked = vmx_nmi_masked(vcpu);
	e->sipi_vector = vcpu->sipi_vector;
	/* One that VMX operation blocks. */
	e->smi.latched_init = READ_ONCE(vcpu->init_sipi) & 1;
	e->flags = KVM_VCPUEVENT_VALID_NMI_PENDING | KVM_VCPUEVENT_VALID_SHADOW |
		   KVM_VCPUEVENT_VALID_SIPI_VECTOR | KVM_VCPUEVENT_VALID_SMM;
	if (vcpu->vm->exception_payload)
		e->flags |= KVM_VCPUEVENT_VALID_PAYLOAD;
	if (vcpu->vm->triple_fault_event) {
		e->triple_fault.pending = test_bit(REQ_TRIPLE_FAULT, &vcpu->requests);
		e->flags |= KVM_VCPUEVENT_VALID_TRIPLE_FAULT;
	}
	return 0;
}

#define EVENT_FLAGS	(KVM_VCPUEVENT_VALID_NMI_PENDING | KVM_VCPUEVENT_VALID_SIPI_VECTOR | \
			 KVM_VCPUEVENT_VALID_SHADOW | KVM_VCPUEVENT_VALID_SMM)

static int check_events(struct nv_vcpu *vcpu, const struct kvm_vcpu_events *e)
{
	u32 allowed = EVENT_FLAGS;
	bool exception = e->exception.injected;

	if (vcpu->vm->exception_payload)
		allowed |= KVM_VCPUEVENT_VALID_PAYLOAD;
	if (vcpu->vm->triple_fault_event)
		allowed |= KVM_VCPUEVENT_VALID_TRIPLE_FAULT;
	if (e->flags & ~allowed)
		return -EINVAL;
	if (e->flags & KVM_VCPUEVENT_VALID_PAYLOAD)
		exception |= e->exception.pending;
	if (exception && (e->exception.nr > 31 || e->exception.nr == VEC_NMI))
		return -EINVAL;
	if (!!e->exception.injected + !!e->interrupt.injected + !!e->nmi.injected > 1)
		return -EINVAL;
	if ((e->flags & KVM_VCPUEVENT_VALID_SHADOW) &&
	    (e->interrupt.shadow & ~(KVM_X86_SHADOW_INT_STI | KVM_X86_SHADOW_INT_MOV_SS)))
		return -EINVAL;
	/* There is no system-management mode. */
	if ((e->flags & KVM_VCPUEVENT_VALID_SMM) &&
	    (e->smi.smm || e->smi.pending || e->smi.smm_inside_nmi ||
	     (e->smi.latched_init && !vcpu->lapic)))
		return -EINVAL;
	return 0;
}

static u32 exception_info(const struct kvm_vcpu_events *e, bool soft)
{
	return INTR_INFO_VALID | e->exception.nr |
	       (soft ? INTR_TYPE_SOFT_EXC : INTR_TYPE_HARD_EXC) |
	       (e->exception.has_error_code ? INTR_INFO_ERROR_CODE : 0);
}

static void begun_from_user(struct nv_vcpu *vcpu, const struct kvm_vcpu_events *e)
{
	const struct nv_event was = vcpu->ev.reinject;
	struct nv_event *ev = &vcpu->ev.reinject;

	*ev = (struct nv_event) {};
	if (e->exception.injected) {
		ev->info = exception_info(e, e->exception.nr == VEC_BP ||
					     e->exception.nr == VEC_OF);
		ev->error = e->exception.error_code;
		ev->insn_len = 1;
	} else if (e->interrupt.injected) {
		ev->info = INTR_INFO_VALID | e->interrupt.nr |
			   (e->interrupt.soft ? INTR_TYPE_SOFT_INTR : INTR_TYPE_EXT);
		ev->insn_len = 2;
		/* The special registers told of the same one. */
		if (e->interrupt.nr == vcpu->ev.user_intr)
			vcpu->ev.user_intr = -1;
	} else if (e->nmi.injected) {
		ev->info = INTR_INFO_VALID | INTR_TYPE_NMI | VEC_NMI;
	}
	/* The nested state told of the same event, and more. */
	if (vcpu->l2 && nv_event_valid(ev) && nv_event_valid(&was) &&
	    nv_event_vector(ev) == nv_event_vector(&was) &&
	    is_interrupt(ev->info) == is_interrupt(was.info))
		*ev = was;
}

static void set_shadow(struct nv_vcpu *vcpu, u8 shadow)
{
	u32 blocking = vmcs_read(VMCS_GUEST_INTERRUPTIBILITY) &
		       ~(INTR_STATE_STI | INTR_STATE_MOV_SS);

	/* Both at once is a state no processor has: MOV SS is the stronger. */
	if (shadow & KVM_X86_SHADOW_INT_MOV_SS)
		blocking |= INTR_STATE_MOV_SS;
	else if (shadow & KVM_X86_SHADOW_INT_STI)
		blocking |= INTR_STATE_STI;
	vmcs_write(VMCS_GUEST_INTERRUPTIBILITY, blocking);
}

long vcpu_set_events(void *obj, struct nv_ioctl_arg *arg)
{
	const struct kvm_vcpu_events *e = arg->buf;
	struct nv_vcpu *vcpu = obj;
	int ret = check_events(vcpu, e);

	if (ret)
		return ret;
	begun_from_user(vcpu, e);
	vcpu->ev.exception = (struct nv_event) {};
	if ((e->flags & KVM_VCPUEVENT_VALID_PAYLOAD) && e->exception.pending)
		vcpu->ev.exception = (struct nv_event) {
			.info = exception_info(e, false),
			.error = e->exception.error_code,
			.payload = e->exception_has_payload ? e->exception_payload : 0,
		};
	vmx_set_nmi_masked(vcpu, e->nmi.masked);
	if (e->flags & KVM_VCPUEVENT_VALID_NMI_PENDING) {
		vlapic_take_nmi(vcpu);
		vcpu->ev.nmi_pending = 0;
		vmx_add_nmis(vcpu, e->nmi.pending);
	}
	if (e->flags & KVM_VCPUEVENT_VALID_SIPI_VECTOR)
		vcpu->sipi_vector = e->sipi_vector;
	if (e->flags & KVM_VCPUEVENT_VALID_SHADOW)
		set_shadow(vcpu, e->interrupt.shadow);
	if (e->flags & KVM_VCPUEVENT_VALID_SMM)
		assign_bit(0, &vcpu->init_sipi, e->smi.latched_init);
	if (e->flags & KVM_VCPUEVENT_VALID_TRIPLE_FAULT)
		assign_bit(REQ_TRIPLE_FAULT, &vcpu->requests, e->triple_fault.pending);
	return 0;
}

long vcpu_get_mp_state(void *obj, struct nv_ioctl_arg *arg)
{
	struct kvm_mp_state *s = arg->buf;
	struct nv_vcpu *vcpu = obj;

	/* An INIT or SIPI that has come acts now: there is no other place to save it. */
	nv_vcpu_take_init_sipi(vcpu);
	s->mp_state = vcpu->mp_state;
	return 0;
}

long vcpu_set_mp_state(void *obj, struct nv_ioctl_arg *arg)
{
	const struct kvm_mp_state *s = arg->buf;
	struct nv_vcpu *vcpu = obj;

	/* Without a local APIC nothing could wake it. */
	if (s->mp_state > KVM_MP_STATE_SIPI_RECEIVED ||
	    (!vcpu->lapic && s->mp_state != KVM_MP_STATE_RUNNABLE))
		return -EINVAL;
	/* L2 cannot wait for INIT and SIPI: no such activity state is offered. */
	if (vcpu->l2 && s->mp_state != KVM_MP_STATE_RUNNABLE &&
	    s->mp_state != KVM_MP_STATE_HALTED)
		return -EINVAL;
	if (s->mp_state == KVM_MP_STATE_SIPI_RECEIVED) {
		vcpu->mp_state = KVM_MP_STATE_INIT_RECEIVED;
		set_bit(1, &vcpu->init_sipi);
	} else {
		vcpu->mp_state = s->mp_state;
	}
	if (vcpu->l2 && vcpu->mp_state == KVM_MP_STATE_HALTED)
		nested_halt(vcpu);
	return 0;
}

long vcpu_get_debugregs(void *obj, struct nv_ioctl_arg *arg)
{
	struct kvm_debugregs *d = arg->buf;
	struct nv_vcpu *vcpu = obj;

	memset(d, 0, sizeof(*d));
	memcpy(d->db, vcpu->dr, sizeof(d->db));
	d->dr6 = vcpu->dr6;
	d->dr7 = vmcs_read(VMCS_GUEST_DR7);
	return 0;
}

long vcpu_set_debugregs(void *obj, struct nv_ioctl_arg *arg)
{
	const struct kvm_debugregs *d = arg->buf;
	struct nv_vcpu *vcpu = obj;

	/* DR0 to DR3 are as MOV left them, which checks no address (SDM 3B "Debug Registers"). */
	if (d->flags || !cpu_dr6_valid(d->dr6) || !cpu_dr7_valid(d->dr7))
		return -EINVAL;
	memcpy(vcpu->dr, d->db, sizeof(vcpu->dr));
	vcpu->dr6 = (d->dr6 & 0xe00full) | DR6_FIXED1 | DR6_RTM;
	vmcs_write(VMCS_GUEST_DR7, (d->dr7 & 0xffff23ffull) | DR7_FIXED1);
	return 0;
}

long vcpu_setup_mce(void *obj, struct nv_ioctl_arg *arg)
{
	struct nv_vcpu *vcpu = obj;

	return mce_setup(&vcpu->mce, *(const u64 *)arg->buf);
}

/* User space has an error for the guest: of a page of its memory, as a rule. */
long vcpu_set_mce(void *obj, struct nv_ioctl_arg *arg)
{
	const struct kvm_x86_mce *e = arg->buf;
	const struct mce_report report = {
		.bank = e->bank, .status = e->status, .addr = e->addr, .misc = e->misc,
		.mcg_status = e->mcg_status,
	};
	struct nv_vcpu *vcpu = obj;
	u64 cr4 = cpu_cr4(vcpu);
	int ret = mce_report(&vcpu->mce, &report, cr4 & CR4_MCE);

	if (ret < 0)
		return ret;
	if (ret == MCE_RAISED)
		cpu_raise(vcpu, VEC_MC);
	else if (ret == MCE_SHUTDOWN)
		nv_vcpu_set_request(vcpu, REQ_TRIPLE_FAULT);
	return 0;
}

/*
 * Two measurements of one rate differ a little, and the kernel measures it anew at
 * every boot: one part in this many (250 ppm, what NTP corrects).
 */
#define TSC_TOLERANCE	4000

long vcpu_get_tsc_khz(void *obj, struct nv_ioctl_arg *arg)
{
	return tsc_khz;
}

long vcpu_set_tsc_khz(void *obj, struct nv_ioctl_arg *arg)
{
	struct nv_vcpu *vcpu = obj;

	/* KVM API: 0 is the host's rate. */
	if (!arg->value)
		return 0;
	if (abs((s64)arg->value - (s64)tsc_khz) > (s64)tsc_khz / TSC_TOLERANCE)
		return nv_refuse(&vcpu->refusal, NESTVM_REFUSED_CAPABILITY, -EOPNOTSUPP,
				 "a guest's TSC runs at this host's rate of %u kHz, not at %lu: TSC scaling is not supported; take a host of that rate",
				 tsc_khz, arg->value);
	return 0;
}

static long check_attr(const struct kvm_device_attr *a)
{
	if (a->flags)
		return -EINVAL;
	return a->group == KVM_VCPU_TSC_CTRL && a->attr == KVM_VCPU_TSC_OFFSET ? 0 : -ENXIO;
}

long vcpu_has_attr(void *obj, struct nv_ioctl_arg *arg)
{
	return check_attr(arg->buf);
}

long vcpu_get_attr(void *obj, struct nv_ioctl_arg *arg)
{
	const struct kvm_device_attr *a = arg->buf;
	struct nv_vcpu *vcpu = obj;
	long ret = check_attr(a);

	if (ret)
		return ret;
	return put_user(vcpu->tsc_offset, (u64 __user *)(uintptr_t)a->addr) ? -EFAULT : 0;
}

long vcpu_set_attr(void *obj, struct nv_ioctl_arg *arg)
{
	const struct kvm_device_attr *a = arg->buf;
	struct nv_vcpu *vcpu = obj;
	long ret = check_attr(a);
	u64 offset;

	if (ret)
		return ret;
	if (get_user(offset, (u64 __user *)(uintptr_t)a->addr))
		return -EFAULT;
	cpu_tsc_restore(vcpu, offset);
	return 0;
}
