/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Who answers at which port or address. The table is filled before the first
 * vCPU runs and read without a lock after that; each device locks itself.
 */
#ifndef VMM_BUS_H
#define VMM_BUS_H

#include <stdbool.h>
#include <stdint.h>

#define BUS_MAX_RANGES 32

struct bus_ops {
	/* @off is relative to the range, @len 1, 2, 4 or 8. */
	uint64_t (*read)(void *dev, uint64_t off, unsigned int len);
	void (*write)(void *dev, uint64_t off, unsigned int len, uint64_t value);
};

struct bus_range {
	uint64_t base;
	uint64_t len;
	const struct bus_ops *ops;
	void *dev;
	const char *name;
};

struct bus {
	unsigned int n;
	struct bus_range range[BUS_MAX_RANGES];
};

/* Overlaps are a mistake in machine.c and end the program. */
void bus_add(struct bus *bus, uint64_t base, uint64_t len, const struct bus_ops *ops,
	     void *dev, const char *name);
/* Nobody there: reads give all ones, writes vanish, as on a PC; returns false. */
bool bus_access(const struct bus *bus, uint64_t addr, void *data, unsigned int len,
		bool write);

#endif
