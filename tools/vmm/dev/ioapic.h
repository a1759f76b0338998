/* SPDX-License-Identifier: GPL-2.0 */
/*
 * IOAPIC (82093AA with 24 pins). Interrupts leave as messages; the pins' routes
 * are also told to the kernel, for irqfds and so that it reports EOIs of
 * level-triggered vectors.
 */
#ifndef VMM_IOAPIC_H
#define VMM_IOAPIC_H

#include <stdbool.h>
#include <stdint.h>

#define IOAPIC_NR_PINS 24

struct machine;

struct ioapic {
	struct machine *m;
	uint8_t id;
	uint8_t select;
	uint32_t lines;			/* levels */
	uint32_t irr;			/* edges seen while masked */
	uint64_t redir[IOAPIC_NR_PINS];
};

void ioapic_init(struct ioapic *io, struct machine *m);
/* Becomes @from, and the kernel knows the routes. */
void ioapic_restore(struct ioapic *io, const struct ioapic *from);
void ioapic_set_irq(struct ioapic *io, unsigned int pin, bool level);
void ioapic_eoi(struct ioapic *io, uint8_t vector);
uint32_t ioapic_read(struct ioapic *io, uint64_t off);
void ioapic_write(struct ioapic *io, uint64_t off, uint32_t v);

#endif
