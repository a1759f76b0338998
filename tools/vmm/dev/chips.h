/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The interrupt chips of the split irqchip: a pair of 8259, an IOAPIC and an
 * 8254 in the launcher, the local APICs in the kernel. With the full irqchip
 * all of this stays unused.
 *
 * One lock covers them: they call each other (timer to PIC and IOAPIC).
 */
#ifndef VMM_CHIPS_H
#define VMM_CHIPS_H

#include "ioapic.h"
#include "pic.h"
#include "pit.h"

#include "../../lib/libnestvm.h"

#include <pthread.h>

struct bus;
struct machine;

struct chips {
	struct machine *m;
	pthread_mutex_t lock;
	struct pic pic;
	struct ioapic ioapic;
	struct pit pit;
};

int chips_init(struct chips *c, struct machine *m, struct nvl_error *err);
void chips_destroy(struct chips *c);
void chips_add(struct chips *c, struct bus *ports, struct bus *mmio);
void chips_set_irq(struct chips *c, unsigned int gsi, bool level);
/* The vector the PICs want delivered; false when they want nothing. */
bool chips_pic_pending(struct chips *c);
uint8_t chips_pic_ack(struct chips *c);
void chips_ioapic_eoi(struct chips *c, uint8_t vector);
/* The timer's file became readable. */
void chips_timer(struct chips *c);
/* The counters stand still between the two. */
void chips_pause(struct chips *c);
void chips_unpause(struct chips *c);

#endif
