// SPDX-License-Identifier: GPL-2.0
#include "vpic_unit.h"

#define ICW1			BIT(4)
#define ICW1_ICW4		BIT(0)
#define ICW4_AUTO_EOI		BIT(1)
#define ICW4_FULLY_NESTED	BIT(4)
#define OCW3			BIT(3)
#define OCW3_READ_ISR		BIT(0)
#define OCW3_READ		BIT(1)
#define OCW3_POLL		BIT(2)
#define OCW3_SPECIAL		BIT(5)
#define OCW3_SET_SPECIAL	BIT(6)

/* Commands of OCW2, bits 7:5. */
enum {
	OCW2_NO_ROTATE_ON_AUTO = 0,
	OCW2_EOI = 1,
	OCW2_NOTHING = 2,
	OCW2_EOI_PIN = 3,
	OCW2_ROTATE_ON_AUTO = 4,
	OCW2_EOI_ROTATE = 5,
	OCW2_SET_PRIORITY = 6,
	OCW2_EOI_PIN_ROTATE = 7,
};

/* The pin of highest priority in @pins, or -1. */
static int first_pin(const struct pic_unit *u, u8 pins)
{
	unsigned int i;

	for (i = 0; i < 8; i++) {
		unsigned int pin = (u->first + i) & 7;

		if (pins & BIT(pin))
			return pin;
	}
	return -1;
}

static unsigned int rank(const struct pic_unit *u, unsigned int pin)
{
	return (pin - u->first) & 7;
}

/* The pin this unit asks INT for, or -1. */
static int unit_pending(const struct pic_unit *u)
{
	u8 serving = u->isr;
	int pin, now;

	pin = first_pin(u, u->irr & ~u->imr);
	if (pin < 0)
		return -1;
	/* Special mask mode: what is masked does not hold others back. */
	if (u->special_mask)
		serving &= ~u->imr;
	/* Special fully nested mode: the slave may interrupt its own service. */
	if (u->fully_nested && u->master)
		serving &= ~BIT(PIC_CASCADE_PIN);
	now = first_pin(u, serving);
	if (now >= 0 && rank(u, pin) >= rank(u, now))
		return -1;
	return pin;
}

static void unit_end(struct pic_unit *u, unsigned int pin, u8 *ended)
{
	if (u->isr & BIT(pin))
		*ended |= BIT(pin);
	u->isr &= ~BIT(pin);
}

static void unit_ack(struct pic_unit *u, unsigned int pin, u8 *ended)
{
	/* A level stays requested as long as the line is up. */
	if (!(u->elcr & BIT(pin)))
		u->irr &= ~BIT(pin);
	u->isr |= BIT(pin);
	if (!u->auto_eoi)
		return;
	unit_end(u, pin, ended);
	if (u->rotate_on_auto_eoi)
		u->first = (pin + 1) & 7;
}

static void unit_set_line(struct pic_unit *u, unsigned int pin, bool level)
{
	u8 bit = BIT(pin);

	if (u->elcr & bit) {
		if (level)
			u->irr |= bit;
		else
			u->irr &= ~bit;
	} else if (level && !(u->lines & bit)) {
		u->irr |= bit;
	}
	if (level)
		u->lines |= bit;
	else
		u->lines &= ~bit;
}

static void write_icw1(struct pic_unit *u, u8 val, u8 *ended)
{
	*ended |= u->isr;
	/* The edge-sense circuit is reset: a line must rise again to count. */
	u->irr = u->lines & u->elcr;
	u->imr = 0;
	u->isr = 0;
	u->first = 0;
	u->read_isr = false;
	u->poll = false;
	u->special_mask = false;
	u->auto_eoi = false;
	u->rotate_on_auto_eoi = false;
	u->fully_nested = false;
	u->icw4 = val & ICW1_ICW4;
	u->init = PIC_WAIT_ICW2;
}

static void write_ocw3(struct pic_unit *u, u8 val)
{
	if (val & OCW3_POLL)
		u->poll = true;
	if (val & OCW3_READ)
		u->read_isr = val & OCW3_READ_ISR;
	if (val & OCW3_SET_SPECIAL)
		u->special_mask = val & OCW3_SPECIAL;
}

static void write_ocw2(struct pic_unit *u, u8 val, u8 *ended)
{
	unsigned int cmd = val >> 5;
	int pin = val & 7;

	switch (cmd) {
	case OCW2_NO_ROTATE_ON_AUTO:
	case OCW2_ROTATE_ON_AUTO:
		u->rotate_on_auto_eoi = cmd == OCW2_ROTATE_ON_AUTO;
		return;
	case OCW2_EOI:
	case OCW2_EOI_ROTATE:
		pin = first_pin(u, u->special_mask ? u->isr & ~u->imr : u->isr);
		if (pin < 0)
			return;
		unit_end(u, pin, ended);
		break;
	case OCW2_EOI_PIN:
	case OCW2_EOI_PIN_ROTATE:
		unit_end(u, pin, ended);
		break;
	case OCW2_SET_PRIORITY:
		break;
	default:
		return;
	}
	/* The rotating commands make this pin the lowest. */
	if (cmd == OCW2_EOI_ROTATE || cmd == OCW2_EOI_PIN_ROTATE || cmd == OCW2_SET_PRIORITY)
		u->first = (pin + 1) & 7;
}

static void unit_write(struct pic_unit *u, bool a0, u8 val, u8 *ended)
{
	if (!a0) {
		if (val & ICW1)
			write_icw1(u, val, ended);
		else if (val & OCW3)
			write_ocw3(u, val);
		else
			write_ocw2(u, val, ended);
		return;
	}

	switch (u->init) {
	case PIC_WAIT_ICW2:
		u->base = val & 0xf8;
		u->init = PIC_WAIT_ICW3;
		break;
	case PIC_WAIT_ICW3:
		/* Which pin cascades is wired. */
		u->init = u->icw4 ? PIC_WAIT_ICW4 : PIC_READY;
		break;
	case PIC_WAIT_ICW4:
		u->fully_nested = val & ICW4_FULLY_NESTED;
		u->auto_eoi = val & ICW4_AUTO_EOI;
		u->init = PIC_READY;
		break;
	default:
		u->imr = val;
		break;
	}
}

static u8 unit_read(struct pic_unit *u, bool a0, u8 *ended)
{
	int pin;

	/* The read after a poll command is its own acknowledge. */
	if (u->poll) {
		u->poll = false;
		pin = unit_pending(u);
		if (pin < 0)
			return 0;
		unit_ack(u, pin, ended);
		return 0x80 | pin;
	}
	if (a0)
		return u->imr;
	return u->read_isr ? u->isr : u->irr;
}

void pic_pair_update(struct pic_pair *p)
{
	struct pic_unit *master = &p->unit[0];

	/* INT of the slave is a level; no edge of it can get lost. */
	master->irr &= ~BIT(PIC_CASCADE_PIN);
	if (unit_pending(&p->unit[1]) >= 0)
		master->irr |= BIT(PIC_CASCADE_PIN);
	p->output = unit_pending(master) >= 0;
}

void pic_pair_init(struct pic_pair *p)
{
	memset(p, 0, sizeof(*p));
	p->unit[0].master = true;
	/* As in the PIIX: IRQ 0, 1, 2, 8 and 13 are always edge triggered. */
	p->unit[0].elcr_mask = 0xf8;
	p->unit[1].elcr_mask = 0xde;
}

int pic_pair_set_line(struct pic_pair *p, unsigned int pin, bool level)
{
	struct pic_unit *u = &p->unit[pin >> 3];
	u8 bit = BIT(pin & 7);
	u8 before = u->irr;

	if (pin == PIC_CASCADE_PIN)
		return -1;
	unit_set_line(u, pin & 7, level);
	pic_pair_update(p);
	if (level && (u->imr & bit))
		return -1;
	return !level || (u->irr & ~before & bit);
}

u8 pic_pair_ack(struct pic_pair *p, u16 *ended)
{
	struct pic_unit *master = &p->unit[0], *slave = &p->unit[1];
	u8 ended_master = 0, ended_slave = 0;
	int pin, slave_pin;
	u8 vector;

	pin = unit_pending(master);
	if (pin < 0) {
		/* The request went away before INTA. */
		vector = master->base + PIC_SPURIOUS_PIN;
	} else if (pin == PIC_CASCADE_PIN) {
		unit_ack(master, pin, &ended_master);
		slave_pin = unit_pending(slave);
		if (slave_pin < 0)
			slave_pin = PIC_SPURIOUS_PIN;
		else
			unit_ack(slave, slave_pin, &ended_slave);
		vector = slave->base + slave_pin;
	} else {
		unit_ack(master, pin, &ended_master);
		vector = master->base + pin;
	}
	pic_pair_update(p);
	*ended |= (ended_slave << 8 | ended_master) & ~BIT(PIC_CASCADE_PIN);
	return vector;
}

void pic_pair_write(struct pic_pair *p, unsigned int unit, bool a0, u8 val, u16 *ended)
{
	u8 e = 0;

	unit_write(&p->unit[unit], a0, val, &e);
	pic_pair_update(p);
	*ended |= (unit ? e << 8 : e) & ~BIT(PIC_CASCADE_PIN);
}

u8 pic_pair_read(struct pic_pair *p, unsigned int unit, bool a0, u16 *ended)
{
	u8 e = 0, val;

	val = unit_read(&p->unit[unit], a0, &e);
	pic_pair_update(p);
	*ended |= (unit ? e << 8 : e) & ~BIT(PIC_CASCADE_PIN);
	return val;
}

void pic_pair_write_elcr(struct pic_pair *p, unsigned int unit, u8 val)
{
	struct pic_unit *u = &p->unit[unit];

	u->elcr = val & u->elcr_mask;
	/* Level pins show their line from now on. */
	u->irr = (u->irr & ~u->elcr) | (u->lines & u->elcr);
	pic_pair_update(p);
}
