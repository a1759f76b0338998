// SPDX-License-Identifier: GPL-2.0
#include "pit.h"

#include <errno.h>
#include <string.h>
#include <sys/timerfd.h>
#include <time.h>
#include <unistd.h>

#define PIT_HZ		1193182ull
#define NS		1000000000ull

enum { ACCESS_LATCH, ACCESS_LOW, ACCESS_HIGH, ACCESS_BOTH };

#define STATUS_OUTPUT	0x80
#define STATUS_NULL	0x40	/* a count was written and not loaded */
#define SPEAKER_GATE	0x01
#define SPEAKER_DATA	0x02
#define SPEAKER_REFRESH	0x10
#define SPEAKER_OUTPUT	0x20

static uint64_t now_ns(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec * NS + ts.tv_nsec;
}

static uint64_t ticks_to_ns(uint64_t ticks)
{
	return (unsigned __int128)ticks * NS / PIT_HZ;
}

static uint64_t elapsed(const struct pit_counter *c)
{
	return (unsigned __int128)(now_ns() - c->start_ns) * PIT_HZ / NS;
}

static bool periodic(const struct pit_counter *c)
{
	return c->mode == 2 || c->mode == 3;
}

static uint16_t count_now(const struct pit_counter *c)
{
	uint64_t t;

	if (!c->loaded)
		return c->reload;
	t = elapsed(c);
	if (c->mode == 3)
		return c->reload - (2 * t) % c->reload;	/* counts by two */
	if (c->mode == 2)
		return c->reload - t % c->reload;
	return c->reload - t;			/* goes on below zero */
}

static bool output_now(const struct pit_counter *c)
{
	uint64_t t;

	if (!c->loaded)
		return c->mode != 0;
	t = elapsed(c);
	switch (c->mode) {
	case 0:
		return t >= c->reload;
	case 2:
		return t % c->reload != c->reload - 1;
	case 3:
		return t % c->reload < (c->reload + 1) / 2;
	default:
		return t != c->reload;
	}
}

static struct timespec timer_value(uint64_t ns)
{
	/* A period can be no shorter than the host copes with. */
	if (ns < 100000)
		ns = 100000;
	return (struct timespec) { ns / NS, ns % NS };
}

/* Counter 0 runs the timer interrupt: at its next end, from wherever it is. */
static void arm(struct pit *pit)
{
	struct pit_counter *c = &pit->counter[0];
	struct itimerspec when = { 0 };
	uint64_t t;

	if (c->loaded) {
		t = elapsed(c);
		if (periodic(c)) {
			when.it_interval = timer_value(ticks_to_ns(c->reload));
			t %= c->reload;
		}
		if (t < c->reload)
			when.it_value = timer_value(ticks_to_ns(c->reload - t));
	}
	timerfd_settime(pit->timer_fd, 0, &when, NULL);
}

void pit_pause(struct pit *pit)
{
	struct itimerspec never = { 0 };

	pit->paused_ns = now_ns();
	timerfd_settime(pit->timer_fd, 0, &never, NULL);
}

void pit_unpause(struct pit *pit)
{
	uint64_t paused = now_ns() - pit->paused_ns;
	unsigned int i;

	for (i = 0; i < 3; i++)
		pit->counter[i].start_ns += paused;
	pit->paused_ns = 0;
	arm(pit);
}

bool pit_expired(struct pit *pit)
{
	uint64_t n;

	/* Reprogrammed meanwhile: then there is nothing to read. */
	return read(pit->timer_fd, &n, sizeof(n)) == sizeof(n);
}

static void load(struct pit *pit, struct pit_counter *c, uint16_t count)
{
	c->reload = count ? count : 0x10000;
	c->start_ns = now_ns();
	c->loaded = true;
	if (c == &pit->counter[0])
		arm(pit);
}

static void latch_count(struct pit_counter *c)
{
	if (c->latched)
		return;
	c->latch = count_now(c);
	c->latched = true;
}

static void latch_status(struct pit_counter *c)
{
	if (c->status_latched)
		return;
	c->status = (output_now(c) ? STATUS_OUTPUT : 0) | (c->loaded ? 0 : STATUS_NULL) |
		    c->access << 4 | c->mode << 1;
	c->status_latched = true;
}

static void read_back(struct pit *pit, uint8_t v)
{
	unsigned int i;

	for (i = 0; i < 3; i++) {
		if (!(v & 2 << i))
			continue;
		if (!(v & 0x20))
			latch_count(&pit->counter[i]);
		if (!(v & 0x10))
			latch_status(&pit->counter[i]);
	}
}

static void control_write(struct pit *pit, uint8_t v)
{
	struct pit_counter *c;

	if (v >> 6 == 3) {
		read_back(pit, v);
		return;
	}
	c = &pit->counter[v >> 6];
	if ((v >> 4 & 3) == ACCESS_LATCH) {
		latch_count(c);
		return;
	}
	c->access = v >> 4 & 3;
	c->mode = v >> 1 & 7;
	if (c->mode > 5)
		c->mode -= 4;		/* 6 and 7 are 2 and 3 */
	c->loaded = false;
	c->write_high = false;
	c->read_high = false;
	c->latched = false;
	c->status_latched = false;
	if (c == &pit->counter[0])
		arm(pit);
}

void pit_write(struct pit *pit, uint64_t off, uint8_t v)
{
	struct pit_counter *c;

	if (off == 3) {
		control_write(pit, v);
		return;
	}
	c = &pit->counter[off];
	switch (c->access) {
	case ACCESS_LOW:
		load(pit, c, v);
		break;
	case ACCESS_HIGH:
		load(pit, c, v << 8);
		break;
	case ACCESS_BOTH:
		if (c->write_high)
			load(pit, c, c->write_low | v << 8);
		c->write_low = v;
		c->write_high = !c->write_high;
		break;
	}
}

uint8_t pit_read(struct pit *pit, uint64_t off)
{
	struct pit_counter *c;
	uint16_t count;
	bool high;

	if (off == 3)
		return 0xff;
	c = &pit->counter[off];
	if (c->status_latched) {
		c->status_latched = false;
		return c->status;
	}
	count = c->latched ? c->latch : count_now(c);
	high = c->access == ACCESS_HIGH || (c->access == ACCESS_BOTH && c->read_high);
	if (c->access == ACCESS_BOTH)
		c->read_high = !c->read_high;
	/* A latched pair lasts for both its bytes. */
	if (c->access != ACCESS_BOTH || !c->read_high)
		c->latched = false;
	return high ? count >> 8 : count;
}

uint8_t pit_speaker_read(struct pit *pit)
{
	struct pit_counter *c = &pit->counter[2];

	return (c->gate ? SPEAKER_GATE : 0) | (pit->speaker_data ? SPEAKER_DATA : 0) |
	       (now_ns() / 15000 & 1 ? SPEAKER_REFRESH : 0) |
	       (output_now(c) ? SPEAKER_OUTPUT : 0);
}

void pit_speaker_write(struct pit *pit, uint8_t v)
{
	struct pit_counter *c = &pit->counter[2];
	bool gate = v & SPEAKER_GATE;

	pit->speaker_data = v & SPEAKER_DATA;
	/* Opening the gate starts the count afresh. */
	if (gate && !c->gate && c->loaded)
		c->start_ns = now_ns();
	c->gate = gate;
}

int pit_init(struct pit *pit, struct nvl_error *err)
{
	unsigned int i;

	memset(pit, 0, sizeof(*pit));
	for (i = 0; i < 3; i++) {
		pit->counter[i].access = ACCESS_BOTH;
		pit->counter[i].mode = 3;
		pit->counter[i].reload = 0x10000;
		pit->counter[i].gate = i != 2;
	}
	pit->timer_fd = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK);
	if (pit->timer_fd < 0)
		return nvl_fail(err, errno, "no timer for the 8254: %s.", strerror(errno));
	return 0;
}

void pit_destroy(struct pit *pit)
{
	close(pit->timer_fd);
}
