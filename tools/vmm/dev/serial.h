/* SPDX-License-Identifier: GPL-2.0 */
/* 16550A on COM1. What the guest sends is gone at once, so it is never "busy". */
#ifndef VMM_SERIAL_H
#define VMM_SERIAL_H

#include "../bus.h"

#include <pthread.h>
#include <stddef.h>

struct machine;
struct console;

struct serial {
	struct machine *m;
	struct console *console;
	pthread_mutex_t lock;
	uint8_t ier, lcr, mcr, scr, fcr;
	uint8_t dll, dlm;
	bool thre_pending;		/* the "transmitter empty" interrupt is due */
	bool irq_level;
	uint8_t rx[64];
	unsigned int rx_head, rx_len;
};

extern const struct bus_ops serial_bus_ops;

void serial_init(struct serial *s, struct machine *m, struct console *console);
size_t serial_rx_room(void *dev);
void serial_rx_put(void *dev, const uint8_t *data, size_t len);

#endif
