// SPDX-License-Identifier: GPL-2.0
#include "i8042.h"

#include "../machine.h"

/* Commands F0H-FFH pulse output lines; line 0 (bit 0 clear) is reset. */
#define CMD_PULSE	0xf0
#define PULSE_RESET	0x01

static uint64_t i8042_read(void *dev, uint64_t off, unsigned int len)
{
	(void)dev;
	(void)off;
	(void)len;
	/* Status: both buffers empty, so whoever waits to send a command may. */
	return 0;
}

static void i8042_write(void *dev, uint64_t off, unsigned int len, uint64_t value)
{
	struct i8042 *k = dev;

	(void)off;
	(void)len;
	if ((value & 0xf0) == CMD_PULSE && !(value & PULSE_RESET))
		machine_end(k->m, END_RESET, 0, NULL,
			    "guest asked for a reset (keyboard controller)");
}

const struct bus_ops i8042_bus_ops = { i8042_read, i8042_write };
