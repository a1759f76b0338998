// SPDX-License-Identifier: GPL-2.0
#include "boot.h"

#include "../machine.h"

#define RAM		1
#define RESERVED	2

static void add(struct e820_map *map, uint64_t addr, uint64_t end, uint32_t type)
{
	if (end <= addr)
		return;
	map->e[map->n].addr = addr;
	map->e[map->n].size = end - addr;
	map->e[map->n].type = type;
	map->n++;
}

void e820_build(const struct machine *m, struct e820_map *map)
{
	map->n = 0;
	add(map, 0, BOOT_LOW_END, RAM);
	add(map, BOOT_LOW_END, 0xa0000, RESERVED);
	add(map, ACPI_BASE, BOOT_HIGH, RESERVED);
	add(map, BOOT_HIGH, m->ram_low, RAM);
	add(map, IDENTITY_MAP, RAM_HIGH_BASE, RESERVED);
	add(map, RAM_HIGH_BASE, RAM_HIGH_BASE + m->ram_high, RAM);
}
