// SPDX-License-Identifier: GPL-2.0
/*
 * The local APIC's timer on a hrtimer of the host. It expires in hard-interrupt
 * context on any CPU and sets the vector in IRR there; an expiry which the guest
 * has not taken when the next comes is one, as in hardware.
 */
#include <linux/ktime.h>
#include "cpu.h"
#include "vlapic_priv.h"

/*
 * The shortest period: a guest must not keep a CPU of the host in the timer
 * interrupt. One-shot and deadline need no such limit, for the guest has to run
 * before it can start them again.
 */
#define PERIOD_MIN_NS		200000ull
/*
 * A deadline farther away than this many ticks of the TSC is approached in steps,
 * so that no conversion overflows. Days, at any rate that a TSC has.
 */
#define TSC_STEP_MAX		BIT_ULL(50)

static_assert(VLAPIC_TIMER_HZ == NSEC_PER_SEC, "a tick of the timer's clock is a nanosecond");

/* Nanoseconds to @deadline, or on the way to a far one; 0: it is past. */
static u64 ns_until(struct nv_vlapic *l, u64 deadline)
{
	u64 now = cpu_tsc_l1(l->vcpu);

	if (deadline <= now)
		return 0;
	/* Never early: one more for what the conversion cuts off. */
	return cpu_tsc_ns_until(l->vcpu, now + min(deadline - now, TSC_STEP_MAX)) + 1;
}

static enum hrtimer_restart timer_expired(struct hrtimer *hrtimer)
{
	struct nv_vlapic *l = container_of(hrtimer, struct nv_vlapic, timer.hrtimer);
	u32 mode = lapic_timer_mode(l);
	u64 left, period;

	if (mode == LVT_TIMER_DEADLINE) {
		/* Not before the guest's own TSC agrees: the two clocks may drift apart. */
		left = ns_until(l, READ_ONCE(l->timer.deadline));
		if (left) {
			hrtimer_set_expires(hrtimer, ktime_add_ns(ktime_get(), left));
			return HRTIMER_RESTART;
		}
		WRITE_ONCE(l->timer.deadline, 0);
	}
	lapic_local_interrupt(l, LAPIC_LVT_TIMER);

	period = READ_ONCE(l->timer.period_ns);
	if (mode != LVT_TIMER_PERIODIC || !period)
		return HRTIMER_NORESTART;
	hrtimer_forward_now(hrtimer, ns_to_ktime(period));
	return HRTIMER_RESTART;
}

static void timer_arm(struct nv_vlapic *l, u64 delay_ns)
{
	ktime_t at = ktime_add_ns(ktime_get(), delay_ns);

	hrtimer_start(&l->timer.hrtimer, at, HRTIMER_MODE_ABS_HARD);
}

void lapic_timer_init(struct nv_vlapic *l)
{
	hrtimer_init(&l->timer.hrtimer, CLOCK_MONOTONIC, HRTIMER_MODE_ABS_HARD);
	l->timer.hrtimer.function = timer_expired;
}

void lapic_timer_stop(struct nv_vlapic *l)
{
	hrtimer_cancel(&l->timer.hrtimer);
	l->timer.period_ns = 0;
	l->timer.deadline = 0;
}

static unsigned int divisor(struct nv_vlapic *l)
{
	return lapic_divisor(lapic_get(l, LAPIC_TIMER_DIVIDE));
}

void lapic_timer_start(struct nv_vlapic *l, u32 count)
{
	u64 ticks = lapic_get(l, LAPIC_TIMER_INITIAL);

	lapic_timer_stop(l);
	if (lapic_timer_mode(l) == LVT_TIMER_DEADLINE || !ticks || !count)
		return;
	/* Kept in one-shot mode too: the guest may still turn it into a periodic one. */
	l->timer.period_ns = max(ticks * divisor(l), PERIOD_MIN_NS);
	timer_arm(l, (u64)count * divisor(l));
}

u32 lapic_timer_count(struct nv_vlapic *l)
{
	u64 ticks = lapic_get(l, LAPIC_TIMER_INITIAL);
	s64 left;

	if (lapic_timer_mode(l) == LVT_TIMER_DEADLINE || !hrtimer_active(&l->timer.hrtimer))
		return 0;
	left = ktime_to_ns(hrtimer_get_remaining(&l->timer.hrtimer));
	/* About to expire, and in periodic mode to go on: not one that has stopped. */
	if (left <= 0)
		return 1;
	return min_t(u64, DIV_ROUND_UP_ULL((u64)left, divisor(l)), ticks);
}

static void arm_deadline(struct nv_vlapic *l)
{
	u64 left = ns_until(l, l->timer.deadline);

	if (left) {
		timer_arm(l, left);
		return;
	}
	l->timer.deadline = 0;
	lapic_local_interrupt(l, LAPIC_LVT_TIMER);
}

void lapic_timer_set_deadline(struct nv_vlapic *l, u64 deadline)
{
	/* "Writes to the MSR are ignored" in the other modes. */
	if (lapic_timer_mode(l) != LVT_TIMER_DEADLINE)
		return;
	lapic_timer_stop(l);
	if (!deadline)
		return;
	l->timer.deadline = deadline;
	arm_deadline(l);
}

u64 lapic_timer_deadline(struct nv_vlapic *l)
{
	return lapic_timer_mode(l) == LVT_TIMER_DEADLINE ? READ_ONCE(l->timer.deadline) : 0;
}

void vlapic_tsc_changed(struct nv_vcpu *vcpu)
{
	struct nv_vlapic *l = vcpu->lapic;

	if (!l || lapic_timer_mode(l) != LVT_TIMER_DEADLINE)
		return;
	hrtimer_cancel(&l->timer.hrtimer);
	if (l->timer.deadline)
		arm_deadline(l);
}

void lapic_timer_set_lvt(struct nv_vlapic *l, u32 lvt)
{
	u32 old = lapic_timer_mode(l), new = lvt & LVT_TIMER_MODE;

	/* To or from deadline mode disarms; between the others the count goes on. */
	if (old != new && (old == LVT_TIMER_DEADLINE || new == LVT_TIMER_DEADLINE)) {
		lapic_timer_stop(l);
		lapic_set(l, LAPIC_TIMER_INITIAL, 0);
	}
	lapic_set(l, LAPIC_LVT_TIMER, lvt);
}

void lapic_timer_set_divide(struct nv_vlapic *l, u32 dcr)
{
	u32 left = lapic_timer_count(l);

	lapic_set(l, LAPIC_TIMER_DIVIDE, dcr);
	if (left)
		lapic_timer_start(l, left);
}
