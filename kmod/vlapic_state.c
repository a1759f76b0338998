// SPDX-License-Identifier: GPL-2.0
/*
 * KVM_GET_LAPIC and KVM_SET_LAPIC: the registers in xAPIC's layout, with the ID in
 * bits 31:24 in every mode (KVM_CAP_X2APIC_API is not offered).
 */
#include <linux/kvm.h>
#include "vlapic_ipi.h"
#include "vlapic_priv.h"

static_assert(sizeof_field(struct kvm_lapic_state, regs) == 0x400);

static u32 state_get(const struct kvm_lapic_state *s, u32 reg)
{
	u32 val;

	memcpy(&val, s->regs + reg, sizeof(val));
	return val;
}

static void state_set(struct kvm_lapic_state *s, u32 reg, u32 val)
{
	memcpy(s->regs + reg, &val, sizeof(val));
}

int vlapic_get_state(struct nv_vcpu *vcpu, struct kvm_lapic_state *s)
{
	struct nv_vlapic *l = vcpu->lapic;
	u32 count;

	if (!l)
		return -EINVAL;
	lapic_update_ppr(l);
	/* Before IRR: a timer that expires between is seen twice, which is better than never. */
	count = lapic_timer_count(l);
	memcpy(s->regs, l->regs, sizeof(s->regs));
	state_set(s, LAPIC_ID, vcpu->id << 24);
	state_set(s, LAPIC_TIMER_CURRENT, count);
	return 0;
}

/* Registers that are taken as they come, and the bits that exist. */
static const struct {
	u32 reg, bits;
} plain[] = {
	{ LAPIC_TPR, 0xff },
	{ LAPIC_SVR, SVR_VECTOR | SVR_ENABLE | SVR_FOCUS },
	{ LAPIC_ESR, 0xff },
	{ LAPIC_ICR, 0x000ccfff },
	{ LAPIC_LVT_TIMER, LVT_VECTOR | LVT_MASKED | LVT_TIMER_MODE },
	{ LAPIC_LVT_THERMAL, LVT_VECTOR | LVT_MODE | LVT_MASKED },
	{ LAPIC_LVT_PERF, LVT_VECTOR | LVT_MODE | LVT_MASKED },
	{ LAPIC_LVT_LINT0, LVT_VECTOR | LVT_MODE | LVT_POLARITY | LVT_LEVEL | LVT_MASKED },
	{ LAPIC_LVT_LINT1, LVT_VECTOR | LVT_MODE | LVT_POLARITY | LVT_LEVEL | LVT_MASKED },
	{ LAPIC_LVT_ERROR, LVT_VECTOR | LVT_MASKED },
	{ LAPIC_TIMER_INITIAL, U32_MAX },
	{ LAPIC_TIMER_DIVIDE, DIVIDE_BITS },
};

static void load_vectors(struct nv_vlapic *l, const struct kvm_lapic_state *s, u32 base)
{
	u32 i;

	for (i = 0; i < 8; i++) {
		u32 val = state_get(s, base + i * 0x10);

		/* Vectors 0 to 15 cannot be pending. */
		lapic_set(l, base + i * 0x10, i ? val : val & ~0xffffu);
	}
}

int vlapic_set_state(struct nv_vcpu *vcpu, const struct kvm_lapic_state *s)
{
	u32 timer = state_get(s, LAPIC_LVT_TIMER) & LVT_TIMER_MODE;
	struct nv_vlapic *l = vcpu->lapic;
	unsigned int i;

	if (!l)
		return -EINVAL;
	if (state_get(s, LAPIC_ID) != vcpu->id << 24 || timer == LVT_TIMER_MODE ||
	    (timer == LVT_TIMER_DEADLINE && !lapic_has_deadline(l)))
		return -EINVAL;

	lapic_timer_stop(l);
	for (i = 0; i < ARRAY_SIZE(plain); i++)
		lapic_set(l, plain[i].reg, state_get(s, plain[i].reg) & plain[i].bits);
	load_vectors(l, s, LAPIC_ISR);
	load_vectors(l, s, LAPIC_TMR);
	load_vectors(l, s, LAPIC_IRR);
	if (lapic_x2apic(l)) {
		lapic_set(l, LAPIC_ICR_HIGH, state_get(s, LAPIC_ICR_HIGH));
	} else {
		lapic_set(l, LAPIC_ICR_HIGH, state_get(s, LAPIC_ICR_HIGH) & 0xff000000);
		lapic_set(l, LAPIC_LDR, state_get(s, LAPIC_LDR) & 0xff000000);
		lapic_set(l, LAPIC_DFR, state_get(s, LAPIC_DFR) | 0x0fffffff);
	}
	lapic_update_ppr(l);
	/* A deadline comes later, with its MSR. */
	lapic_timer_start(l, state_get(s, LAPIC_TIMER_CURRENT));
	vcpu_request(vcpu, REQ_EVENT);
	return 0;
}
