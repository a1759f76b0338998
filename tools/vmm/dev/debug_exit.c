// SPDX-License-Identifier: GPL-2.0
#include "debug_exit.h"

#include "../machine.h"

static uint64_t debug_exit_read(void *dev, uint64_t off, unsigned int len)
{
	(void)dev;
	(void)off;
	(void)len;
	return 0;
}

static void debug_exit_write(void *dev, uint64_t off, unsigned int len, uint64_t value)
{
	struct debug_exit *d = dev;

	(void)off;
	(void)len;
	machine_end(d->m, END_DEBUG_EXIT, value, NULL,
		    "guest wrote %u to the debug-exit port", (unsigned int)value);
}

const struct bus_ops debug_exit_bus_ops = { debug_exit_read, debug_exit_write };
