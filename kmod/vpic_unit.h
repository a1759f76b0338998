/* SPDX-License-Identifier: GPL-2.0 */
/*
 * One 8259A as its data sheet has it, and the pair of them in a PC. The caller
 * serialises. Pure.
 */
#ifndef NESTVM_VPIC_UNIT_H
#define NESTVM_VPIC_UNIT_H

#include "pure.h"

#define PIC_CASCADE_PIN		2
#define PIC_SPURIOUS_PIN	7

enum pic_init { PIC_READY, PIC_WAIT_ICW2, PIC_WAIT_ICW3, PIC_WAIT_ICW4 };

struct pic_unit {
	u8 lines;		/* input levels */
	u8 irr, imr, isr;
	u8 first;		/* the pin of highest priority */
	u8 base;		/* vector of pin 0 */
	u8 elcr;		/* pins that are level triggered */
	u8 elcr_mask;		/* pins that may be */
	u8 init;		/* enum pic_init: the word it waits for */
	bool read_isr;
	bool poll;
	bool special_mask;
	bool auto_eoi;
	bool rotate_on_auto_eoi;
	bool fully_nested;	/* "special fully nested mode" */
	bool icw4;
	bool master;
};

/* unit[0] is the master. Pin numbers of the pair are 0 to 15. */
struct pic_pair {
	struct pic_unit unit[2];
	bool output;		/* INT to the CPU */
};

/* In both: bits of @ended are pins whose service ended (EOI of any kind). */
void pic_pair_init(struct pic_pair *p);
/* 1: accepted, 0: it was there already, -1: the pin is masked. */
int pic_pair_set_line(struct pic_pair *p, unsigned int pin, bool level);
/* INTA: the vector. */
u8 pic_pair_ack(struct pic_pair *p, u16 *ended);
void pic_pair_write(struct pic_pair *p, unsigned int unit, bool a0, u8 val, u16 *ended);
u8 pic_pair_read(struct pic_pair *p, unsigned int unit, bool a0, u16 *ended);
void pic_pair_write_elcr(struct pic_pair *p, unsigned int unit, u8 val);
/* After state was loaded: the cascade and the output follow it. */
void pic_pair_update(struct pic_pair *p);

#endif
