/* SPDX-License-Identifier: GPL-2.0 */
/* A pair of 8259A interrupt controllers, the second on line 2 of the first. */
#ifndef VMM_PIC_H
#define VMM_PIC_H

#include <stdbool.h>
#include <stdint.h>

struct chips;
struct pic;

struct pic_chip {
	struct pic *pic;
	uint8_t irr, isr, imr, elcr;
	uint8_t lines;		/* levels, to see edges */
	uint8_t base;		/* first vector, ICW2 */
	uint8_t lowest;		/* line with the lowest priority */
	uint8_t icw;		/* initialisation word expected next; 0: none */
	bool icw4;
	bool auto_eoi, rotate_auto_eoi;
	bool special_fully_nested, special_mask;
	bool read_isr, poll;
};

struct pic {
	struct chips *chips;
	struct pic_chip chip[2];
};

void pic_init(struct pic *pic, struct chips *chips);
void pic_set_irq(struct pic *pic, unsigned int irq, bool level);
bool pic_output(struct pic *pic);
uint8_t pic_ack(struct pic *pic);
uint8_t pic_read(struct pic_chip *chip, uint64_t off);
void pic_write(struct pic_chip *chip, uint64_t off, uint8_t v);

#endif
