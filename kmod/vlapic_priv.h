/* SPDX-License-Identifier: GPL-2.0 */
/* Private to vlapic*.c. */
#ifndef NESTVM_VLAPIC_PRIV_H
#define NESTVM_VLAPIC_PRIV_H

#include <linux/atomic.h>
#include <linux/hrtimer.h>
#include "vcpu.h"
#include "vlapic.h"
#include "vlapic_regs.h"

struct vlapic_timer {
	struct hrtimer hrtimer;
	/* Of periodic mode; written while the hrtimer is stopped. */
	u64 period_ns;
	/* IA32_TSC_DEADLINE; the expiring timer clears it. */
	u64 deadline;
};

struct nv_vlapic {
	struct nv_vcpu *vcpu;
	u8 *regs;		/* one page */
	atomic_t nmi;		/* any: NMIs that the vCPU has not taken */
	atomic_t errors;	/* any: ESR bits since it was last written */
	int user_eoi;		/* vector, or -1 */
	struct vlapic_timer timer;
};

static inline u32 lapic_get(const struct nv_vlapic *l, u32 reg)
{
	return READ_ONCE(*(const u32 *)(l->regs + reg));
}

static inline void lapic_set(struct nv_vlapic *l, u32 reg, u32 val)
{
	WRITE_ONCE(*(u32 *)(l->regs + reg), val);
}

static inline u64 lapic_base(const struct nv_vlapic *l)
{
	return READ_ONCE(l->vcpu->apic_base);
}

static inline bool lapic_x2apic(const struct nv_vlapic *l)
{
	return lapic_base(l) & APIC_BASE_X2APIC;
}

static inline bool lapic_sw_enabled(const struct nv_vlapic *l)
{
	return lapic_get(l, LAPIC_SVR) & SVR_ENABLE;
}

static inline u32 lapic_timer_mode(const struct nv_vlapic *l)
{
	return lapic_get(l, LAPIC_LVT_TIMER) & LVT_TIMER_MODE;
}

/* vlapic.c */
bool lapic_has_deadline(struct nv_vlapic *l);
/* An interrupt of the APIC's own, by the LVT entry at @lvt. Any context. */
void lapic_local_interrupt(struct nv_vlapic *l, u32 lvt);
/* @bit of ESR, and the error interrupt. Any context. */
void lapic_error(struct nv_vlapic *l, u32 bit);
void lapic_update_ppr(struct nv_vlapic *l);
void lapic_eoi(struct nv_vlapic *l);
/* The registers that hang on the mode: ID and LDR. */
void lapic_mode_changed(struct nv_vlapic *l);
void lapic_reset_regs(struct nv_vlapic *l);
/* The guest wrote ICR. */
void lapic_send(struct nv_vlapic *l, u32 low, u32 high);

/* vlapic_timer.c. vCPU's thread. */
void lapic_timer_init(struct nv_vlapic *l);
void lapic_timer_stop(struct nv_vlapic *l);
/* Start a count at @count with what the registers say. */
void lapic_timer_start(struct nv_vlapic *l, u32 count);
u32 lapic_timer_count(struct nv_vlapic *l);
void lapic_timer_set_deadline(struct nv_vlapic *l, u64 deadline);
u64 lapic_timer_deadline(struct nv_vlapic *l);
/* The guest writes LVT_TIMER or the divide register. */
void lapic_timer_set_lvt(struct nv_vlapic *l, u32 lvt);
void lapic_timer_set_divide(struct nv_vlapic *l, u32 dcr);

#endif
