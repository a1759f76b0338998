// SPDX-License-Identifier: GPL-2.0
/* Priorities, acceptance and life of the local APIC. Registers: vlapic_access.c. */
#include "vlapic.h"

#include <linux/bitops.h>
#include <linux/gfp.h>
#include <linux/slab.h>
#include <asm/page.h>
#include "cpuid_bits.h"
#include "irq.h"
#include "vlapic_ipi.h"
#include "vlapic_priv.h"

#define NMI_LIMIT	2	/* one being handled, one latched */

static unsigned long *vec_word(struct nv_vlapic *l, u32 base, u8 vector)
{
	return (unsigned long *)(l->regs + lapic_vec_reg(base, vector));
}

static bool vec_test(struct nv_vlapic *l, u32 base, u8 vector)
{
	return test_bit(vector & 31, vec_word(l, base, vector));
}

static void vec_set(struct nv_vlapic *l, u32 base, u8 vector)
{
	set_bit(vector & 31, vec_word(l, base, vector));
}

static void vec_clear(struct nv_vlapic *l, u32 base, u8 vector)
{
	clear_bit(vector & 31, vec_word(l, base, vector));
}

bool lapic_has_deadline(struct nv_vlapic *l)
{
	return l->vcpu->features.f1_ecx & CPUID_1_ECX_TSC_DEADLINE;
}

void vlapic_set_irr(struct nv_vcpu *vcpu, u8 vector, bool level)
{
	struct nv_vlapic *l = vcpu->lapic;

	if (!l)
		return;
	/* The EOI of this vector looks at TMR, so it is right before IRR is. */
	if (level)
		vec_set(l, LAPIC_TMR, vector);
	else
		vec_clear(l, LAPIC_TMR, vector);
	/* Whoever set the bit first has woken the vCPU. */
	if (!test_and_set_bit(vector & 31, vec_word(l, LAPIC_IRR, vector)))
		vcpu_request(vcpu, REQ_EVENT);
}

void lapic_error(struct nv_vlapic *l, u32 bit)
{
	u32 lvt = lapic_get(l, LAPIC_LVT_ERROR);

	atomic_or(bit, &l->errors);
	/* An illegal vector here would be an error again, for ever. */
	if ((lvt & LVT_VECTOR) >= 16)
		lapic_local_interrupt(l, LAPIC_LVT_ERROR);
}

static void lapic_nmi(struct nv_vlapic *l)
{
	int old = atomic_read(&l->nmi);

	while (old < NMI_LIMIT && !atomic_try_cmpxchg(&l->nmi, &old, old + 1))
		;
	vcpu_request(l->vcpu, REQ_EVENT);
}

void lapic_local_interrupt(struct nv_vlapic *l, u32 lvt)
{
	u32 val = lapic_get(l, lvt);
	u32 mode = DELIVER_FIXED;
	bool level = false;

	if (val & LVT_MASKED)
		return;
	if (lvt != LAPIC_LVT_TIMER && lvt != LAPIC_LVT_ERROR)
		mode = (val & LVT_MODE) >> LVT_MODE_SHIFT;
	if (lvt == LAPIC_LVT_LINT0 || lvt == LAPIC_LVT_LINT1)
		level = val & LVT_LEVEL;

	switch (mode) {
	case DELIVER_FIXED:
		if ((val & LVT_VECTOR) < 16)
			lapic_error(l, ESR_RECEIVE_ILLEGAL);
		else
			vlapic_set_irr(l->vcpu, val & LVT_VECTOR, level);
		break;
	case DELIVER_NMI:
		lapic_nmi(l);
		break;
	default:
		break;
	}
}

/* @m has reached this APIC. Any context. */
static bool lapic_accept(struct nv_vlapic *l, const struct nv_intr_msg *m)
{
	struct nv_vcpu *vcpu = l->vcpu;

	switch (m->mode) {
	case DELIVER_FIXED:
	case DELIVER_LOWEST:
		/* Software-disabled: it hears INIT, NMI and SIPI only. */
		if (!lapic_sw_enabled(l))
			return false;
		if (m->vector < 16) {
			lapic_error(l, ESR_RECEIVE_ILLEGAL);
			return false;
		}
		vlapic_set_irr(vcpu, m->vector, m->level);
		return true;
	case DELIVER_NMI:
		lapic_nmi(l);
		return true;
	case DELIVER_INIT:
		if (!m->assert)
			return false;
		/* It overtakes a SIPI that was on its way. */
		clear_bit(1, &vcpu->init_sipi);
		set_bit(0, &vcpu->init_sipi);
		vcpu_request(vcpu, REQ_EVENT);
		return true;
	case DELIVER_SIPI:
		WRITE_ONCE(vcpu->sipi_vector, m->vector);
		smp_mb__before_atomic();
		set_bit(1, &vcpu->init_sipi);
		vcpu_request(vcpu, REQ_EVENT);
		return true;
	default:
		return false;
	}
}

static bool lapic_present(struct nv_vcpu *vcpu)
{
	return vcpu->lapic && (READ_ONCE(vcpu->apic_base) & APIC_BASE_ENABLE);
}

static bool addressed(struct nv_vcpu *vcpu, struct nv_vcpu *source, const struct ipi *ipi)
{
	struct ipi_target t;

	if (!lapic_present(vcpu))
		return false;
	switch (ipi->to) {
	case IPI_TO_ALL:
		return true;
	case IPI_TO_OTHERS:
		return vcpu != source;
	case IPI_TO_SELF:
		return vcpu == source;
	default:
		break;
	}
	t.id = vcpu->id;
	t.x2apic = lapic_x2apic(vcpu->lapic);
	t.ldr = lapic_get(vcpu->lapic, LAPIC_LDR);
	t.dfr = lapic_get(vcpu->lapic, LAPIC_DFR);
	return ipi_matches(&t, &ipi->msg);
}

/*
 * Lowest priority: any one may be chosen. The vector decides, so that devices
 * spread over the CPUs and each stays where its caches are warm.
 */
static int deliver_to_one(struct nv_vm *vm, struct nv_vcpu *source, const struct ipi *ipi)
{
	unsigned int count = 0, nth, i;
	struct nv_vcpu *vcpu;

	nv_for_each_vcpu(i, vcpu, vm)
		count += addressed(vcpu, source, ipi) && lapic_sw_enabled(vcpu->lapic);
	if (!count)
		return 0;
	nth = ipi->msg.vector % count;
	nv_for_each_vcpu(i, vcpu, vm) {
		if (!addressed(vcpu, source, ipi) || !lapic_sw_enabled(vcpu->lapic))
			continue;
		if (!nth--)
			return lapic_accept(vcpu->lapic, &ipi->msg);
	}
	return 0;
}

static int deliver(struct nv_vm *vm, struct nv_vcpu *source, const struct ipi *ipi)
{
	const struct nv_intr_msg *m = &ipi->msg;
	struct nv_vcpu *vcpu;
	unsigned int i;
	int taken = 0;

	if (ipi->to == IPI_TO_DEST && !m->logical && !ipi_is_broadcast(m)) {
		if (m->dest >= NV_MAX_VCPUS)
			return 0;
		vcpu = READ_ONCE(vm->vcpus[array_index_nospec(m->dest, NV_MAX_VCPUS)]);
		return vcpu && lapic_present(vcpu) && lapic_accept(vcpu->lapic, m);
	}
	if (m->mode == DELIVER_LOWEST)
		return deliver_to_one(vm, source, ipi);
	nv_for_each_vcpu(i, vcpu, vm)
		if (addressed(vcpu, source, ipi))
			taken += lapic_accept(vcpu->lapic, m);
	return taken;
}

int vlapic_deliver(struct nv_vm *vm, struct nv_vcpu *source, const struct nv_intr_msg *msg)
{
	struct ipi ipi = { .msg = *msg, .to = IPI_TO_DEST };

	return deliver(vm, source, &ipi);
}

void lapic_send(struct nv_vlapic *l, u32 low, u32 high)
{
	struct ipi ipi;

	switch (ipi_decode(low, high, lapic_x2apic(l), &ipi)) {
	case IPI_SEND:
		deliver(l->vcpu->vm, l->vcpu, &ipi);
		break;
	case IPI_ILLEGAL_VECTOR:
		lapic_error(l, ESR_SEND_ILLEGAL);
		break;
	case IPI_DROP:
		break;
	}
}

static u8 current_ppr(struct nv_vlapic *l)
{
	return lapic_ppr(lapic_get(l, LAPIC_TPR), lapic_vec_highest(l->regs, LAPIC_ISR));
}

void lapic_update_ppr(struct nv_vlapic *l)
{
	lapic_set(l, LAPIC_PPR, current_ppr(l));
}

/* What may be delivered, with @ppr at hand. */
static int deliverable(struct nv_vcpu *vcpu, u8 ppr)
{
	int vector = lapic_vec_highest(vcpu->lapic->regs, LAPIC_IRR);

	return vector >= 0 && (vector & 0xf0) > (ppr & 0xf0) ? vector : -1;
}

int vlapic_pending(struct nv_vcpu *vcpu)
{
	if (!lapic_present(vcpu))
		return -1;
	lapic_update_ppr(vcpu->lapic);
	return deliverable(vcpu, lapic_get(vcpu->lapic, LAPIC_PPR));
}

bool vlapic_has_pending(struct nv_vcpu *vcpu)
{
	return lapic_present(vcpu) && deliverable(vcpu, current_ppr(vcpu->lapic)) >= 0;
}

void vlapic_ack(struct nv_vcpu *vcpu, u8 vector)
{
	struct nv_vlapic *l = vcpu->lapic;

	if (!l)
		return;
	vec_clear(l, LAPIC_IRR, vector);
	vec_set(l, LAPIC_ISR, vector);
	lapic_update_ppr(l);
}

void lapic_eoi(struct nv_vlapic *l)
{
	int vector = lapic_vec_highest(l->regs, LAPIC_ISR);

	if (vector < 0)
		return;
	vec_clear(l, LAPIC_ISR, vector);
	lapic_update_ppr(l);
	if (vec_test(l, LAPIC_TMR, vector) && irq_eoi(l->vcpu, vector))
		l->user_eoi = vector;
	/* Something of lower priority may go now. */
	nv_vcpu_set_request(l->vcpu, REQ_EVENT);
}

int vlapic_take_nmi(struct nv_vcpu *vcpu)
{
	if (!vcpu->lapic || !atomic_read(&vcpu->lapic->nmi))
		return 0;
	return atomic_xchg(&vcpu->lapic->nmi, 0);
}

bool vlapic_has_nmi(struct nv_vcpu *vcpu)
{
	return vcpu->lapic && atomic_read(&vcpu->lapic->nmi);
}

int vlapic_take_user_eoi(struct nv_vcpu *vcpu)
{
	int vector = -1;

	if (vcpu->lapic)
		swap(vector, vcpu->lapic->user_eoi);
	return vector;
}

bool vlapic_accepts_extint(struct nv_vcpu *vcpu)
{
	u32 lvt;

	if (!lapic_present(vcpu))
		return true;
	lvt = lapic_get(vcpu->lapic, LAPIC_LVT_LINT0);
	return !(lvt & LVT_MASKED) &&
	       (lvt & LVT_MODE) >> LVT_MODE_SHIFT == DELIVER_EXTINT;
}

u64 vlapic_cr8(struct nv_vcpu *vcpu)
{
	return vcpu->lapic ? (lapic_get(vcpu->lapic, LAPIC_TPR) & 0xff) >> 4 : 0;
}

void vlapic_set_cr8(struct nv_vcpu *vcpu, u64 cr8)
{
	if (!vcpu->lapic)
		return;
	lapic_set(vcpu->lapic, LAPIC_TPR, (cr8 & 0xf) << 4);
	vlapic_tpr_lowered(vcpu);
}

void vlapic_tpr_lowered(struct nv_vcpu *vcpu)
{
	if (!vcpu->lapic)
		return;
	lapic_update_ppr(vcpu->lapic);
	nv_vcpu_set_request(vcpu, REQ_EVENT);
}

u32 vlapic_tpr_threshold(struct nv_vcpu *vcpu)
{
	u32 tpr, wanted;
	int vector;

	if (!lapic_present(vcpu))
		return 0;
	vector = lapic_vec_highest(vcpu->lapic->regs, LAPIC_IRR);
	if (vector < 0)
		return 0;
	tpr = vlapic_cr8(vcpu);
	wanted = vector >> 4;
	/* VM entry demands a threshold that TPR is not below already. */
	return wanted <= tpr ? wanted : 0;
}

hpa0_t vlapic_page(struct nv_vcpu *vcpu)
{
	return vcpu->lapic ? hpa(__pa(vcpu->lapic->regs)) : HPA_INVALID;
}

void lapic_mode_changed(struct nv_vlapic *l)
{
	u32 id = l->vcpu->id;

	if (lapic_x2apic(l)) {
		lapic_set(l, LAPIC_ID, id);
		lapic_set(l, LAPIC_LDR, ipi_x2apic_ldr(id));
	} else {
		lapic_set(l, LAPIC_ID, id << 24);
	}
}

/* SDM 3A "Local APIC State After Power-Up or Reset" */
void lapic_reset_regs(struct nv_vlapic *l)
{
	u32 lvt;

	lapic_timer_stop(l);
	memset(l->regs, 0, PAGE_SIZE);
	lapic_set(l, LAPIC_VERSION, LAPIC_VERSION_VALUE);
	lapic_set(l, LAPIC_DFR, U32_MAX);
	lapic_set(l, LAPIC_SVR, 0xff);
	for (lvt = LAPIC_LVT_TIMER; lvt <= LAPIC_LVT_ERROR; lvt += 0x10)
		lapic_set(l, lvt, LVT_MASKED);
	atomic_set(&l->errors, 0);
	l->user_eoi = -1;
	lapic_mode_changed(l);
}

void vlapic_reset(struct nv_vcpu *vcpu, bool init)
{
	struct nv_vlapic *l = vcpu->lapic;
	bool boot = vcpu->id == vcpu->vm->bsp_id;

	/* INIT leaves the APIC's mode as it is. */
	if (!init)
		WRITE_ONCE(vcpu->apic_base, APIC_BASE_DEFAULT | APIC_BASE_ENABLE |
			   (boot ? APIC_BASE_BSP : 0));
	if (!l)
		return;
	lapic_reset_regs(l);
	atomic_set(&l->nmi, 0);
	/*
	 * The KVM API's reset value (KVM_X86_QUIRK_LINT0_REENABLED): firmware would
	 * have opened the boot processor's virtual wire; many guests have none.
	 */
	if (boot)
		lapic_set(l, LAPIC_LVT_LINT0, DELIVER_EXTINT << LVT_MODE_SHIFT);
}

int vlapic_create(struct nv_vcpu *vcpu)
{
	struct nv_vlapic *l;

	if (!irq_has_lapic(vcpu->vm))
		return 0;
	l = kzalloc(sizeof(*l), GFP_KERNEL_ACCOUNT);
	if (!l)
		return -ENOMEM;
	l->regs = (u8 *)get_zeroed_page(GFP_KERNEL_ACCOUNT);
	if (!l->regs) {
		kfree(l);
		return -ENOMEM;
	}
	l->vcpu = vcpu;
	l->user_eoi = -1;
	lapic_timer_init(l);
	vcpu->lapic = l;
	vlapic_reset(vcpu, false);
	return 0;
}

void vlapic_destroy(struct nv_vcpu *vcpu)
{
	struct nv_vlapic *l = vcpu->lapic;

	if (!l)
		return;
	lapic_timer_stop(l);
	vcpu->lapic = NULL;
	free_page((unsigned long)l->regs);
	kfree(l);
}
