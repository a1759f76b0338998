// SPDX-License-Identifier: GPL-2.0
#include "chips.h"

#include "../machine.h"

#include <string.h>

/* c->lock held */
static void set_irq(struct chips *c, unsigned int gsi, bool level)
{
	bool before = pic_output(&c->pic);

	if (gsi < 16)
		pic_set_irq(&c->pic, gsi, level);
	ioapic_set_irq(&c->ioapic, gsi, level);
	if (!before && pic_output(&c->pic))
		cpus_interrupt(c->m);
}

void chips_set_irq(struct chips *c, unsigned int gsi, bool level)
{
	pthread_mutex_lock(&c->lock);
	set_irq(c, gsi, level);
	pthread_mutex_unlock(&c->lock);
}

bool chips_pic_pending(struct chips *c)
{
	bool pending;

	pthread_mutex_lock(&c->lock);
	pending = pic_output(&c->pic);
	pthread_mutex_unlock(&c->lock);
	return pending;
}

uint8_t chips_pic_ack(struct chips *c)
{
	uint8_t vector;

	pthread_mutex_lock(&c->lock);
	vector = pic_ack(&c->pic);
	pthread_mutex_unlock(&c->lock);
	return vector;
}

void chips_ioapic_eoi(struct chips *c, uint8_t vector)
{
	pthread_mutex_lock(&c->lock);
	ioapic_eoi(&c->ioapic, vector);
	pthread_mutex_unlock(&c->lock);
}

void chips_timer(struct chips *c)
{
	pthread_mutex_lock(&c->lock);
	if (pit_expired(&c->pit)) {
		set_irq(c, PIT_GSI, true);
		set_irq(c, PIT_GSI, false);
	}
	pthread_mutex_unlock(&c->lock);
}

void chips_pause(struct chips *c)
{
	/* A tick that is due already belongs before the pause. */
	chips_timer(c);
	pthread_mutex_lock(&c->lock);
	pit_pause(&c->pit);
	pthread_mutex_unlock(&c->lock);
}

void chips_unpause(struct chips *c)
{
	pthread_mutex_lock(&c->lock);
	pit_unpause(&c->pit);
	pthread_mutex_unlock(&c->lock);
}

static uint64_t pic_bus_read(void *dev, uint64_t off, unsigned int len)
{
	struct pic_chip *chip = dev;
	uint8_t v;

	(void)len;
	pthread_mutex_lock(&chip->pic->chips->lock);
	v = pic_read(chip, off);
	pthread_mutex_unlock(&chip->pic->chips->lock);
	return v;
}

static void pic_bus_write(void *dev, uint64_t off, unsigned int len, uint64_t value)
{
	struct pic_chip *chip = dev;
	struct chips *c = chip->pic->chips;
	bool before;

	(void)len;
	pthread_mutex_lock(&c->lock);
	before = pic_output(&c->pic);
	pic_write(chip, off, value);
	if (!before && pic_output(&c->pic))
		cpus_interrupt(c->m);
	pthread_mutex_unlock(&c->lock);
}

static const struct bus_ops pic_bus_ops = { pic_bus_read, pic_bus_write };

static uint64_t elcr_bus_read(void *dev, uint64_t off, unsigned int len)
{
	struct chips *c = dev;

	(void)len;
	return c->pic.chip[off & 1].elcr;
}

static void elcr_bus_write(void *dev, uint64_t off, unsigned int len, uint64_t value)
{
	struct chips *c = dev;

	(void)len;
	pthread_mutex_lock(&c->lock);
	/* Lines 0, 1, 2, 8 and 13 are edge-triggered for ever. */
	c->pic.chip[off & 1].elcr = value & (off ? 0xde : 0xf8);
	pthread_mutex_unlock(&c->lock);
}

static const struct bus_ops elcr_bus_ops = { elcr_bus_read, elcr_bus_write };

static uint64_t ioapic_bus_read(void *dev, uint64_t off, unsigned int len)
{
	struct chips *c = dev;
	uint32_t v;

	(void)len;
	pthread_mutex_lock(&c->lock);
	v = ioapic_read(&c->ioapic, off);
	pthread_mutex_unlock(&c->lock);
	return v;
}

static void ioapic_bus_write(void *dev, uint64_t off, unsigned int len, uint64_t value)
{
	struct chips *c = dev;

	(void)len;
	pthread_mutex_lock(&c->lock);
	ioapic_write(&c->ioapic, off, value);
	pthread_mutex_unlock(&c->lock);
}

static const struct bus_ops ioapic_bus_ops = { ioapic_bus_read, ioapic_bus_write };

static uint64_t pit_bus_read(void *dev, uint64_t off, unsigned int len)
{
	struct chips *c = dev;
	uint8_t v;

	(void)len;
	pthread_mutex_lock(&c->lock);
	v = pit_read(&c->pit, off);
	pthread_mutex_unlock(&c->lock);
	return v;
}

static void pit_bus_write(void *dev, uint64_t off, unsigned int len, uint64_t value)
{
	struct chips *c = dev;

	(void)len;
	pthread_mutex_lock(&c->lock);
	pit_write(&c->pit, off, value);
	pthread_mutex_unlock(&c->lock);
}

static const struct bus_ops pit_bus_ops = { pit_bus_read, pit_bus_write };

static uint64_t speaker_bus_read(void *dev, uint64_t off, unsigned int len)
{
	struct chips *c = dev;
	uint8_t v;

	(void)off;
	(void)len;
	pthread_mutex_lock(&c->lock);
	v = pit_speaker_read(&c->pit);
	pthread_mutex_unlock(&c->lock);
	return v;
}

static void speaker_bus_write(void *dev, uint64_t off, unsigned int len, uint64_t value)
{
	struct chips *c = dev;

	(void)off;
	(void)len;
	pthread_mutex_lock(&c->lock);
	pit_speaker_write(&c->pit, value);
	pthread_mutex_unlock(&c->lock);
}

static const struct bus_ops speaker_bus_ops = { speaker_bus_read, speaker_bus_write };

int chips_init(struct chips *c, struct machine *m, struct nvl_error *err)
{
	memset(c, 0, sizeof(*c));
	pthread_mutex_init(&c->lock, NULL);
	c->m = m;
	pic_init(&c->pic, c);
	ioapic_init(&c->ioapic, m);
	return pit_init(&c->pit, err);
}

void chips_destroy(struct chips *c)
{
	pit_destroy(&c->pit);
}

void chips_add(struct chips *c, struct bus *ports, struct bus *mmio)
{
	bus_add(ports, 0x20, 2, &pic_bus_ops, &c->pic.chip[0], "pic 1");
	bus_add(ports, 0xa0, 2, &pic_bus_ops, &c->pic.chip[1], "pic 2");
	bus_add(ports, 0x4d0, 2, &elcr_bus_ops, c, "elcr");
	bus_add(ports, 0x40, 4, &pit_bus_ops, c, "pit");
	bus_add(ports, 0x61, 1, &speaker_bus_ops, c, "speaker");
	bus_add(mmio, IOAPIC_BASE, 0x1000, &ioapic_bus_ops, c, "ioapic");
}
