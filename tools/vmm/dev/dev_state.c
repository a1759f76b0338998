// SPDX-License-Identifier: GPL-2.0
/*
 * Fields in the order of the device's structure. A new one is appended under a
 * new version of the section; load() then asks which one it reads.
 */
#include "dev_state.h"

#include "../machine.h"

#include <string.h>

/* The 8259s, the IOAPIC and the 8254 of the split irqchip. c->lock held. */

static void save_pic_chip(const struct pic_chip *c, struct pack *p)
{
	pack_u8(p, c->irr);
	pack_u8(p, c->isr);
	pack_u8(p, c->imr);
	pack_u8(p, c->elcr);
	pack_u8(p, c->lines);
	pack_u8(p, c->base);
	pack_u8(p, c->lowest);
	pack_u8(p, c->icw);
	pack_bool(p, c->icw4);
	pack_bool(p, c->auto_eoi);
	pack_bool(p, c->rotate_auto_eoi);
	pack_bool(p, c->special_fully_nested);
	pack_bool(p, c->special_mask);
	pack_bool(p, c->read_isr);
	pack_bool(p, c->poll);
}

static void load_pic_chip(struct pic_chip *c, struct unpack *u)
{
	c->irr = unpack_u8(u);
	c->isr = unpack_u8(u);
	c->imr = unpack_u8(u);
	c->elcr = unpack_u8(u);
	c->lines = unpack_u8(u);
	c->base = unpack_u8(u);
	c->lowest = unpack_u8(u);
	c->icw = unpack_u8(u);
	c->icw4 = unpack_bool(u);
	c->auto_eoi = unpack_bool(u);
	c->rotate_auto_eoi = unpack_bool(u);
	c->special_fully_nested = unpack_bool(u);
	c->special_mask = unpack_bool(u);
	c->read_isr = unpack_bool(u);
	c->poll = unpack_bool(u);
	if (c->base & 7 || c->lowest > 7 || c->icw > 4 || c->icw == 1)
		u->failed = true;
}

static void save_ioapic(const struct ioapic *io, struct pack *p)
{
	unsigned int i;

	pack_u8(p, io->id);
	pack_u8(p, io->select);
	pack_u32(p, io->lines);
	pack_u32(p, io->irr);
	for (i = 0; i < IOAPIC_NR_PINS; i++)
		pack_u64(p, io->redir[i]);
}

static void load_ioapic(struct ioapic *io, struct unpack *u)
{
	unsigned int i;

	io->id = unpack_u8(u);
	io->select = unpack_u8(u);
	io->lines = unpack_u32(u);
	io->irr = unpack_u32(u);
	for (i = 0; i < IOAPIC_NR_PINS; i++)
		io->redir[i] = unpack_u64(u);
	if (io->id > 15 || (io->lines | io->irr) >> IOAPIC_NR_PINS)
		u->failed = true;
}

/* Times as what has passed: the host's clock is another one after loading. */
static void save_counter(const struct pit *pit, const struct pit_counter *c, struct pack *p)
{
	pack_u8(p, c->mode);
	pack_u8(p, c->access);
	pack_bool(p, c->gate);
	pack_u32(p, c->reload);
	pack_bool(p, c->loaded);
	pack_u64(p, c->loaded ? pit->paused_ns - c->start_ns : 0);
	pack_u8(p, c->write_low);
	pack_bool(p, c->write_high);
	pack_bool(p, c->read_high);
	pack_bool(p, c->latched);
	pack_bool(p, c->status_latched);
	pack_u16(p, c->latch);
	pack_u8(p, c->status);
}

static void load_counter(const struct pit *pit, struct pit_counter *c, struct unpack *u)
{
	c->mode = unpack_u8(u);
	c->access = unpack_u8(u);
	c->gate = unpack_bool(u);
	c->reload = unpack_u32(u);
	c->loaded = unpack_bool(u);
	c->start_ns = pit->paused_ns - unpack_u64(u);
	c->write_low = unpack_u8(u);
	c->write_high = unpack_bool(u);
	c->read_high = unpack_bool(u);
	c->latched = unpack_bool(u);
	c->status_latched = unpack_bool(u);
	c->latch = unpack_u16(u);
	c->status = unpack_u8(u);
	if (c->mode > 5 || !c->access || c->access > 3 || !c->reload || c->reload > 0x10000)
		u->failed = true;
}

static void chips_save(void *dev, struct pack *p)
{
	struct chips *c = dev;
	unsigned int i;

	pthread_mutex_lock(&c->lock);
	for (i = 0; i < 2; i++)
		save_pic_chip(&c->pic.chip[i], p);
	save_ioapic(&c->ioapic, p);
	pack_bool(p, c->pit.speaker_data);
	for (i = 0; i < 3; i++)
		save_counter(&c->pit, &c->pit.counter[i], p);
	pthread_mutex_unlock(&c->lock);
}

static bool chips_load(void *dev, struct unpack *u)
{
	struct chips *c = dev;
	struct chips new = *c;
	unsigned int i;

	for (i = 0; i < 2; i++)
		load_pic_chip(&new.pic.chip[i], u);
	load_ioapic(&new.ioapic, u);
	new.pit.speaker_data = unpack_bool(u);
	for (i = 0; i < 3; i++)
		load_counter(&new.pit, &new.pit.counter[i], u);
	if (!unpack_ok(u))
		return false;

	pthread_mutex_lock(&c->lock);
	c->pic = new.pic;
	c->pit = new.pit;
	ioapic_restore(&c->ioapic, &new.ioapic);
	pthread_mutex_unlock(&c->lock);
	return true;
}

const struct state_ops chips_state = { "chips", 1, chips_save, chips_load };

/* COM1 */

static void serial_save(void *dev, struct pack *p)
{
	struct serial *s = dev;
	unsigned int i;

	pthread_mutex_lock(&s->lock);
	pack_u8(p, s->ier);
	pack_u8(p, s->lcr);
	pack_u8(p, s->mcr);
	pack_u8(p, s->scr);
	pack_u8(p, s->fcr);
	pack_u8(p, s->dll);
	pack_u8(p, s->dlm);
	pack_bool(p, s->thre_pending);
	pack_bool(p, s->irq_level);
	pack_u32(p, s->rx_len);
	for (i = 0; i < s->rx_len; i++)
		pack_u8(p, s->rx[(s->rx_head + i) % sizeof(s->rx)]);
	pthread_mutex_unlock(&s->lock);
}

static bool serial_load(void *dev, struct unpack *u)
{
	struct serial *s = dev;
	uint8_t ier = unpack_u8(u), lcr = unpack_u8(u), mcr = unpack_u8(u), scr = unpack_u8(u);
	uint8_t fcr = unpack_u8(u), dll = unpack_u8(u), dlm = unpack_u8(u);
	bool thre = unpack_bool(u), level = unpack_bool(u);
	uint32_t len = unpack_max(u, sizeof(s->rx));
	uint8_t rx[sizeof(s->rx)];

	unpack_bytes(u, rx, len);
	if (!unpack_ok(u) || ier & 0xf0 || mcr & 0xe0)
		return false;
	pthread_mutex_lock(&s->lock);
	s->ier = ier;
	s->lcr = lcr;
	s->mcr = mcr;
	s->scr = scr;
	s->fcr = fcr;
	s->dll = dll;
	s->dlm = dlm;
	s->thre_pending = thre;
	memcpy(s->rx, rx, len);
	s->rx_head = 0;
	s->rx_len = len;
	s->irq_level = level;
	pthread_mutex_unlock(&s->lock);
	/* The chips have their state by now, and take no second edge from it. */
	if (level)
		machine_set_irq(s->m, COM1_GSI, true);
	return true;
}

const struct state_ops serial_state = { "com1", 1, serial_save, serial_load };

/* The clock's registers; the time itself is the host's, before and after. */

static void rtc_save(void *dev, struct pack *p)
{
	struct rtc *rtc = dev;

	pthread_mutex_lock(&rtc->lock);
	pack_u8(p, rtc->index);
	pack_u8(p, rtc->reg_b);
	pack_blob(p, rtc->cmos, sizeof(rtc->cmos));
	pthread_mutex_unlock(&rtc->lock);
}

static bool rtc_load(void *dev, struct unpack *u)
{
	struct rtc *rtc = dev;
	uint8_t index = unpack_u8(u), reg_b = unpack_u8(u);
	size_t len;
	const uint8_t *cmos = unpack_blob(u, sizeof(rtc->cmos), &len);

	if (!unpack_ok(u) || len != sizeof(rtc->cmos) || index >= sizeof(rtc->cmos))
		return false;
	pthread_mutex_lock(&rtc->lock);
	rtc->index = index;
	rtc->reg_b = reg_b;
	memcpy(rtc->cmos, cmos, len);
	pthread_mutex_unlock(&rtc->lock);
	return true;
}

const struct state_ops rtc_state = { "rtc", 1, rtc_save, rtc_load };

/* ACPI's fixed registers */

static void pm_save(void *dev, struct pack *p)
{
	struct pm *pm = dev;

	pthread_mutex_lock(&pm->lock);
	pack_u16(p, pm->status);
	pack_u16(p, pm->enable);
	pack_bool(p, pm->irq_level);
	pthread_mutex_unlock(&pm->lock);
}

static bool pm_load(void *dev, struct unpack *u)
{
	struct pm *pm = dev;
	uint16_t status = unpack_u16(u), enable = unpack_u16(u);
	bool level = unpack_bool(u);

	if (!unpack_ok(u))
		return false;
	pthread_mutex_lock(&pm->lock);
	pm->status = status;
	pm->enable = enable;
	pm->irq_level = level;
	pthread_mutex_unlock(&pm->lock);
	if (level)
		machine_set_irq(pm->m, SCI_GSI, true);
	return true;
}

const struct state_ops pm_state = { "pm", 1, pm_save, pm_load };
