// SPDX-License-Identifier: GPL-2.0
/*
 * The 8254 of KVM_CREATE_PIT2, ports 40H to 43H, and with %KVM_PIT_SPEAKER_DUMMY the
 * system control port 61H, whose bit 0 is the gate of counter 2. Counter 0 drives
 * GSI 0. A tick that comes while the last waits in PIC or IOAPIC is one with it.
 */
#include <linux/hrtimer.h>
#include <linux/kvm.h>
#include <linux/math64.h>
#include <linux/mutex.h>
#include <linux/nospec.h>
#include <linux/slab.h>
#include "irqchip.h"
#include "vpit_counter.h"

#define PIT_PORT	0x40
#define PIT_CONTROL	3	/* as offset */
#define SPEAKER_PORT	0x61

#define SPEAKER_GATE	BIT(0)
#define SPEAKER_DATA	BIT(1)
#define SPEAKER_REFRESH	BIT(4)
#define SPEAKER_OUT	BIT(5)

#define CONTROL_LATCH	0	/* access bits of the control word */
#define READBACK	3	/* counter bits of it */
#define READBACK_NO_COUNT	BIT(5)
#define READBACK_NO_STATUS	BIT(4)

/* As in struct kvm_pit_channel_state. */
enum { BYTE_NONE, BYTE_LOW, BYTE_HIGH, BYTE_FIRST, BYTE_SECOND };

/* As for the local APIC: a guest must not keep the host in its timer interrupt. */
#define PERIOD_MIN_NS	200000ull

#define PIT_KNOWN_FLAGS	(KVM_PIT_FLAGS_HPET_LEGACY | KVM_PIT_FLAGS_SPEAKER_DATA_ON)

struct pit_counter {
	u32 count;		/* 1 to 65536 */
	u64 loaded_at;		/* ktime, ns; meaningless while paused */
	u64 paused_ticks;	/* with the gate low, modes 0 and 4 */
	u16 latched_count;
	u8 count_latched;	/* which byte of it comes next */
	u8 latched_status;
	bool status_latched;
	u8 next_read, next_write;
	u8 low;			/* first byte of a write of two */
	u8 access;		/* BYTE_LOW, BYTE_HIGH or BYTE_FIRST */
	u8 mode;
	bool bcd;
	bool gate;
};

struct vpit {
	struct nv_vm *vm;
	struct mutex lock;
	struct pit_counter counter[3];
	bool speaker;		/* port 61H is ours */
	bool speaker_data;
	bool hpet_legacy;	/* an HPET has taken GSI 0 over */
	struct hrtimer timer;	/* of counter 0 */
	u64 period_ns;		/* 0: once; written while the timer is stopped */
};

static u64 ns_of_ticks(u64 ticks)
{
	return DIV_ROUND_UP_ULL(ticks * NSEC_PER_SEC, PIT_HZ);
}

static bool is_paused(const struct pit_counter *c)
{
	return !c->gate && !pit_gate_restarts(c->mode);
}

static u64 ticks_since_load(const struct pit_counter *c)
{
	u64 now = ktime_get_ns();

	if (is_paused(c))
		return c->paused_ticks;
	return now > c->loaded_at ? mul_u64_u32_div(now - c->loaded_at, PIT_HZ, NSEC_PER_SEC) : 0;
}

static bool out_pin(const struct pit_counter *c)
{
	return pit_counter_out(c->mode, c->count, ticks_since_load(c));
}

static enum hrtimer_restart pit_expired(struct hrtimer *timer)
{
	struct vpit *pit = container_of(timer, struct vpit, timer);

	irq_pulse(pit->vm, IRQ_SOURCE_PIT, 0);
	if (!pit->period_ns)
		return HRTIMER_NORESTART;
	hrtimer_forward_now(timer, ns_to_ktime(pit->period_ns));
	return HRTIMER_RESTART;
}

/* Locked. The hard strobes never start: counter 0's gate is always high. */
static void start_timer(struct vpit *pit)
{
	const struct pit_counter *c = &pit->counter[0];
	u64 ns = ns_of_ticks(c->count);
	ktime_t at;

	hrtimer_cancel(&pit->timer);
	if (pit->hpet_legacy || c->mode == PIT_ONE_SHOT || c->mode == PIT_HARD_STROBE)
		return;
	pit->period_ns = pit_mode_repeats(c->mode) ? max(ns, PERIOD_MIN_NS) : 0;
	at = ns_to_ktime(c->loaded_at + ns);
	hrtimer_start(&pit->timer, at, HRTIMER_MODE_ABS_HARD);
}

static void load_count(struct vpit *pit, struct pit_counter *c, u16 reg)
{
	c->count = pit_count_from_reg(reg, c->bcd);
	c->loaded_at = ktime_get_ns();
	c->paused_ticks = 0;
	if (c == &pit->counter[0])
		start_timer(pit);
}

static void latch_count(struct pit_counter *c)
{
	if (c->count_latched)
		return;
	c->latched_count = pit_counter_value(c->mode, c->count, c->bcd, ticks_since_load(c));
	c->count_latched = c->access;
}

static void latch_status(struct pit_counter *c)
{
	if (c->status_latched)
		return;
	c->latched_status = out_pin(c) << 7 | c->access << 4 | c->mode << 1 | c->bcd;
	c->status_latched = true;
}

/* 0 to 2; what else the guest names is no counter. */
static struct pit_counter *counter_of(struct vpit *pit, unsigned int nr)
{
	return &pit->counter[array_index_nospec(nr, ARRAY_SIZE(pit->counter))];
}

static void write_control(struct vpit *pit, u8 val)
{
	unsigned int nr = val >> 6, access = (val >> 4) & 3, mode = (val >> 1) & 7;
	struct pit_counter *c;

	if (nr == READBACK) {
		for (nr = 0; nr < ARRAY_SIZE(pit->counter); nr++) {
			if (!(val & BIT(nr + 1)))
				continue;
			if (!(val & READBACK_NO_COUNT))
				latch_count(&pit->counter[nr]);
			if (!(val & READBACK_NO_STATUS))
				latch_status(&pit->counter[nr]);
		}
		return;
	}
	c = counter_of(pit, nr);
	if (access == CONTROL_LATCH) {
		latch_count(c);
		return;
	}
	c->access = access;
	c->next_read = access;
	c->next_write = access;
	c->count_latched = BYTE_NONE;
	c->status_latched = false;
	/* Modes 2 and 3 have two names each. */
	c->mode = mode > PIT_HARD_STROBE ? mode - 4 : mode;
	c->bcd = val & 1;
	/* A new mode waits for its count. */
	if (!nr)
		hrtimer_cancel(&pit->timer);
}

static void write_counter(struct vpit *pit, struct pit_counter *c, u8 val)
{
	switch (c->next_write) {
	case BYTE_LOW:
		load_count(pit, c, val);
		break;
	case BYTE_HIGH:
		load_count(pit, c, val << 8);
		break;
	case BYTE_FIRST:
		c->low = val;
		c->next_write = BYTE_SECOND;
		break;
	case BYTE_SECOND:
		c->next_write = BYTE_FIRST;
		load_count(pit, c, val << 8 | c->low);
		break;
	default:	/* no control word yet */
		break;
	}
}

static u8 read_counter(struct pit_counter *c)
{
	u16 value;

	if (c->status_latched) {
		c->status_latched = false;
		return c->latched_status;
	}
	switch (c->count_latched) {
	case BYTE_LOW:
		c->count_latched = BYTE_NONE;
		return c->latched_count;
	case BYTE_HIGH:
		c->count_latched = BYTE_NONE;
		return c->latched_count >> 8;
	case BYTE_FIRST:
		c->count_latched = BYTE_HIGH;
		return c->latched_count;
	default:
		break;
	}
	value = pit_counter_value(c->mode, c->count, c->bcd, ticks_since_load(c));
	switch (c->next_read) {
	case BYTE_HIGH:
		return value >> 8;
	case BYTE_FIRST:
		c->next_read = BYTE_SECOND;
		return value;
	case BYTE_SECOND:
		c->next_read = BYTE_FIRST;
		return value >> 8;
	default:
		return value;
	}
}

static void set_gate(struct pit_counter *c, bool gate)
{
	u64 now = ktime_get_ns();

	if (gate == c->gate)
		return;
	if (pit_gate_restarts(c->mode)) {
		if (gate)
			c->loaded_at = now;
	} else if (gate) {
		c->loaded_at = now - min(now, ns_of_ticks(c->paused_ticks));
	} else {
		c->paused_ticks = min_t(u64, ticks_since_load(c), U32_MAX);
	}
	c->gate = gate;
}

static void write_speaker(struct vpit *pit, u8 val)
{
	pit->speaker_data = val & SPEAKER_DATA;
	set_gate(&pit->counter[2], val & SPEAKER_GATE);
}

static u8 read_speaker(struct vpit *pit)
{
	const struct pit_counter *c = &pit->counter[2];
	u8 val = 0;

	if (c->gate)
		val |= SPEAKER_GATE;
	if (pit->speaker_data)
		val |= SPEAKER_DATA;
	/* Toggles with each refresh of the memory there once was, every 15 us or so. */
	if (ktime_get_ns() & BIT(14))
		val |= SPEAKER_REFRESH;
	if (out_pin(c))
		val |= SPEAKER_OUT;
	return val;
}

static struct vpit *pit_of(struct nv_vm *vm)
{
	return smp_load_acquire(&vm->irqchip->pit);
}

bool vpit_claims(struct nv_vm *vm, u16 port)
{
	const struct vpit *pit = pit_of(vm);

	return pit && ((port & ~3) == PIT_PORT || (pit->speaker && port == SPEAKER_PORT));
}

void vpit_write(struct nv_vm *vm, u16 port, u8 val)
{
	struct vpit *pit = pit_of(vm);

	mutex_lock(&pit->lock);
	if (port == SPEAKER_PORT)
		write_speaker(pit, val);
	else if ((port & 3) == PIT_CONTROL)
		write_control(pit, val);
	else
		write_counter(pit, counter_of(pit, port & 3), val);
	mutex_unlock(&pit->lock);
}

u8 vpit_read(struct nv_vm *vm, u16 port)
{
	struct vpit *pit = pit_of(vm);
	u8 val = 0xff;

	mutex_lock(&pit->lock);
	if (port == SPEAKER_PORT)
		val = read_speaker(pit);
	else if ((port & 3) != PIT_CONTROL)	/* which is write-only */
		val = read_counter(counter_of(pit, port & 3));
	mutex_unlock(&pit->lock);
	return val;
}

int vpit_create(struct nv_vm *vm, bool speaker)
{
	struct vpit *pit = kzalloc(sizeof(*pit), GFP_KERNEL_ACCOUNT);
	unsigned int i;

	if (!pit)
		return -ENOMEM;
	pit->vm = vm;
	pit->speaker = speaker;
	mutex_init(&pit->lock);
	hrtimer_init(&pit->timer, CLOCK_MONOTONIC, HRTIMER_MODE_ABS_HARD);
	pit->timer.function = pit_expired;
	for (i = 0; i < ARRAY_SIZE(pit->counter); i++) {
		struct pit_counter *c = &pit->counter[i];

		/* Until software programs them they run silently, from the top. */
		c->mode = PIT_SQUARE;
		c->count = pit_count_from_reg(0, false);
		c->access = BYTE_FIRST;
		c->loaded_at = ktime_get_ns();
		c->gate = i != 2;
	}
	smp_store_release(&vm->irqchip->pit, pit);
	return 0;
}

void vpit_destroy(struct nv_vm *vm)
{
	struct vpit *pit = vm->irqchip->pit;

	if (!pit)
		return;
	hrtimer_cancel(&pit->timer);
	vm->irqchip->pit = NULL;
	kfree(pit);
}

int irq_get_pit(struct nv_vm *vm, struct kvm_pit_state2 *s)
{
	struct vpit *pit = pit_of(vm);
	unsigned int i;

	if (!pit)
		return -ENXIO;
	memset(s, 0, sizeof(*s));
	mutex_lock(&pit->lock);
	for (i = 0; i < ARRAY_SIZE(pit->counter); i++) {
		const struct pit_counter *c = &pit->counter[i];
		u64 loaded_at = c->loaded_at;

		/* A paused counter is one that was loaded so much before. */
		if (is_paused(c))
			loaded_at = ktime_get_ns() - ns_of_ticks(c->paused_ticks);
		s->channels[i] = (struct kvm_pit_channel_state) {
			.count = c->count,
			.latched_count = c->latched_count,
			.count_latched = c->count_latched,
			.status_latched = c->status_latched,
			.status = c->latched_status,
			.read_state = c->next_read,
			.write_state = c->next_write,
			.write_latch = c->low,
			.rw_mode = c->access,
			.mode = c->mode,
			.bcd = c->bcd,
			.gate = c->gate,
			.count_load_time = loaded_at,
		};
	}
	if (pit->hpet_legacy)
		s->flags |= KVM_PIT_FLAGS_HPET_LEGACY;
	if (pit->speaker_data)
		s->flags |= KVM_PIT_FLAGS_SPEAKER_DATA_ON;
	mutex_unlock(&pit->lock);
	return 0;
}

static bool channel_legal(const struct kvm_pit_channel_state *s)
{
	return s->count <= 0x10000 && s->count_latched <= BYTE_FIRST &&
	       s->read_state <= BYTE_SECOND && s->write_state <= BYTE_SECOND &&
	       s->rw_mode <= BYTE_FIRST && s->mode <= 7;
}

static void set_channel(struct pit_counter *c, const struct kvm_pit_channel_state *s)
{
	u64 now = ktime_get_ns();

	c->count = s->count ? s->count : pit_count_from_reg(0, s->bcd);
	c->latched_count = s->latched_count;
	c->count_latched = s->count_latched;
	c->status_latched = s->status_latched;
	c->latched_status = s->status;
	c->next_read = s->read_state;
	c->next_write = s->write_state;
	c->low = s->write_latch;
	c->access = s->rw_mode;
	c->mode = s->mode > PIT_HARD_STROBE ? s->mode - 4 : s->mode;
	c->bcd = s->bcd;
	c->gate = s->gate;
	/* The clock of another boot or host may be ahead of ours. */
	c->loaded_at = s->count_load_time < 0 ? 0 : min_t(u64, s->count_load_time, now);
	c->paused_ticks = min_t(u64, mul_u64_u32_div(now - c->loaded_at, PIT_HZ, NSEC_PER_SEC),
				U32_MAX);
}

/*
 * Counter 0 goes on from when it was loaded. A tick whose time is past was given
 * before the state was read; it does not come twice.
 */
static void resume_timer(struct vpit *pit)
{
	struct pit_counter *c = &pit->counter[0];
	u64 now = ktime_get_ns(), ns = ns_of_ticks(c->count), past = now - c->loaded_at;

	if (pit_mode_repeats(c->mode))
		c->loaded_at += past - past % ns;
	else if (past >= ns) {
		hrtimer_cancel(&pit->timer);
		return;
	}
	start_timer(pit);
}

int irq_set_pit(struct nv_vm *vm, const struct kvm_pit_state2 *s)
{
	struct vpit *pit = pit_of(vm);
	unsigned int i;

	if (!pit)
		return -ENXIO;
	if (s->flags & ~PIT_KNOWN_FLAGS)
		return -EINVAL;
	for (i = 0; i < ARRAY_SIZE(s->channels); i++)
		if (!channel_legal(&s->channels[i]))
			return -EINVAL;

	mutex_lock(&pit->lock);
	for (i = 0; i < ARRAY_SIZE(pit->counter); i++)
		set_channel(&pit->counter[i], &s->channels[i]);
	pit->hpet_legacy = s->flags & KVM_PIT_FLAGS_HPET_LEGACY;
	pit->speaker_data = s->flags & KVM_PIT_FLAGS_SPEAKER_DATA_ON;
	resume_timer(pit);
	mutex_unlock(&pit->lock);
	return 0;
}
