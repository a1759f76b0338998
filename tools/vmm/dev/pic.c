// SPDX-License-Identifier: GPL-2.0
#include "pic.h"

#include <string.h>

#define CASCADE_LINE 2
#define SPURIOUS_LINE 7

#define ICW1_INIT	0x10
#define ICW1_ICW4	0x01
#define ICW4_AUTO_EOI	0x02
#define ICW4_FULLY_NESTED 0x10
#define OCW3		0x08
#define OCW3_POLL	0x04
#define OCW3_READ	0x02
#define OCW3_READ_ISR	0x01
#define OCW3_MASK_CMD	0x40
#define OCW3_MASK_ON	0x20

/* OCW2 commands, bits 7-5 */
enum {
	EOI_ROTATE_AUTO_CLEAR = 0, EOI_NONSPECIFIC = 1, EOI_SPECIFIC = 3,
	EOI_ROTATE_AUTO_SET = 4, EOI_ROTATE_NONSPECIFIC = 5, EOI_SET_PRIORITY = 6,
	EOI_ROTATE_SPECIFIC = 7,
};

static void chip_reset(struct pic_chip *c)
{
	c->irr = 0;
	c->isr = 0;
	c->imr = 0;
	c->lowest = 7;
	c->auto_eoi = false;
	c->rotate_auto_eoi = false;
	c->special_fully_nested = false;
	c->special_mask = false;
	c->read_isr = false;
	c->poll = false;
}

void pic_init(struct pic *pic, struct chips *chips)
{
	unsigned int i;

	memset(pic, 0, sizeof(*pic));
	pic->chips = chips;
	for (i = 0; i < 2; i++) {
		pic->chip[i].pic = pic;
		chip_reset(&pic->chip[i]);
		pic->chip[i].imr = 0xff;
	}
}

/* Rank of the most important line of @lines, 0 the highest; 8 for none. */
static unsigned int rank(const struct pic_chip *c, uint8_t lines)
{
	unsigned int i;

	for (i = 0; i < 8; i++)
		if (lines & 1 << ((c->lowest + 1 + i) & 7))
			return i;
	return 8;
}

static unsigned int line_of(const struct pic_chip *c, unsigned int r)
{
	return (c->lowest + 1 + r) & 7;
}

/* The line to deliver now, or -1: what is in service holds back its equals and lessers. */
static int chip_pending(const struct pic_chip *c)
{
	unsigned int want = rank(c, c->irr & ~c->imr);
	uint8_t in_service = c->isr;
	unsigned int now;

	if (want == 8)
		return -1;
	if (c->special_mask)
		in_service &= ~c->imr;
	/* The first chip lets the second interrupt the second, if told to. */
	if (c->special_fully_nested && c == &c->pic->chip[0])
		in_service &= ~(1 << CASCADE_LINE);
	now = rank(c, in_service);
	return want < now ? (int)line_of(c, want) : -1;
}

static void chip_set_line(struct pic_chip *c, unsigned int line, bool level)
{
	uint8_t bit = 1 << line;

	/* An edge stays requested when its line drops again, a level does not. */
	if (c->elcr & bit)
		c->irr = level ? c->irr | bit : c->irr & ~bit;
	else if (level && !(c->lines & bit))
		c->irr |= bit;
	c->lines = level ? c->lines | bit : c->lines & ~bit;
}

/* The second chip's output is a line of the first. */
static void update_cascade(struct pic *pic)
{
	struct pic_chip *first = &pic->chip[0];

	if (chip_pending(&pic->chip[1]) >= 0)
		first->irr |= 1 << CASCADE_LINE;
	else
		first->irr &= ~(1 << CASCADE_LINE);
}

void pic_set_irq(struct pic *pic, unsigned int irq, bool level)
{
	chip_set_line(&pic->chip[irq >> 3], irq & 7, level);
	update_cascade(pic);
}

bool pic_output(struct pic *pic)
{
	return chip_pending(&pic->chip[0]) >= 0;
}

static void take(struct pic_chip *c, unsigned int line)
{
	if (c->auto_eoi) {
		if (c->rotate_auto_eoi)
			c->lowest = line;
	} else {
		c->isr |= 1 << line;
	}
	if (!(c->elcr & 1 << line))
		c->irr &= ~(1 << line);
}

static uint8_t chip_ack(struct pic_chip *c)
{
	int line = chip_pending(c);

	if (line < 0)
		return c->base + SPURIOUS_LINE;
	take(c, line);
	return c->base + line;
}

uint8_t pic_ack(struct pic *pic)
{
	int line = chip_pending(&pic->chip[0]);
	uint8_t vector = chip_ack(&pic->chip[0]);

	if (line == CASCADE_LINE) {
		vector = chip_ack(&pic->chip[1]);
		update_cascade(pic);
	}
	return vector;
}

uint8_t pic_read(struct pic_chip *c, uint64_t off)
{
	int line;

	if (c->poll) {
		c->poll = false;
		line = chip_pending(c);
		if (line < 0)
			return 0;
		take(c, line);
		update_cascade(c->pic);
		return 0x80 | line;
	}
	if (off)
		return c->imr;
	return c->read_isr ? c->isr : c->irr;
}

static void end_of_interrupt(struct pic_chip *c, uint8_t v)
{
	unsigned int cmd = v >> 5, line = v & 7, r;

	switch (cmd) {
	case EOI_ROTATE_AUTO_CLEAR:
	case EOI_ROTATE_AUTO_SET:
		c->rotate_auto_eoi = cmd == EOI_ROTATE_AUTO_SET;
		break;
	case EOI_NONSPECIFIC:
	case EOI_ROTATE_NONSPECIFIC:
		r = rank(c, c->isr);
		if (r == 8)
			break;
		line = line_of(c, r);
		c->isr &= ~(1 << line);
		if (cmd == EOI_ROTATE_NONSPECIFIC)
			c->lowest = line;
		break;
	case EOI_SPECIFIC:
	case EOI_ROTATE_SPECIFIC:
		c->isr &= ~(1 << line);
		if (cmd == EOI_ROTATE_SPECIFIC)
			c->lowest = line;
		break;
	case EOI_SET_PRIORITY:
		c->lowest = line;
		break;
	}
}

static void command_write(struct pic_chip *c, uint8_t v)
{
	if (v & ICW1_INIT) {
		chip_reset(c);
		c->icw4 = v & ICW1_ICW4;
		c->icw = 2;
	} else if (v & OCW3) {
		if (v & OCW3_POLL)
			c->poll = true;
		if (v & OCW3_READ)
			c->read_isr = v & OCW3_READ_ISR;
		if (v & OCW3_MASK_CMD)
			c->special_mask = v & OCW3_MASK_ON;
	} else {
		end_of_interrupt(c, v);
	}
}

static void data_write(struct pic_chip *c, uint8_t v)
{
	switch (c->icw) {
	case 2:
		c->base = v & 0xf8;
		c->icw = 3;
		break;
	case 3:
		/* Who is connected where is fixed by the wiring. */
		c->icw = c->icw4 ? 4 : 0;
		break;
	case 4:
		c->auto_eoi = v & ICW4_AUTO_EOI;
		c->special_fully_nested = v & ICW4_FULLY_NESTED;
		c->icw = 0;
		break;
	default:
		c->imr = v;
		break;
	}
}

void pic_write(struct pic_chip *c, uint64_t off, uint8_t v)
{
	if (off)
		data_write(c, v);
	else
		command_write(c, v);
	update_cascade(c->pic);
}
