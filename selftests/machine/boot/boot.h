/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What the image builder (py/image.py) tells the loader, and where things lie
 * in low memory. The builder knows the same numbers; a change here is a change
 * there.
 *
 *   0x06000  e820 map, collected in real mode
 *   0x07c00  master boot record; the stack grows down from here
 *   0x08000  the loader, BOOT_LOADER_SECTORS
 *   0x10000  struct boot_plan, BOOT_PLAN_SECTORS
 *   0x20000  what the kernel is handed: start info, memory map, module list
 */
#ifndef NV_MACHINE_BOOT_H
#define NV_MACHINE_BOOT_H

#define BOOT_E820_COUNT		0x6000
#define BOOT_E820_MAP		0x6008
#define BOOT_E820_MAX		64
#define BOOT_STACK		0x7c00
#define BOOT_LOADER		0x8000
#define BOOT_LOADER_SECTORS	31
#define BOOT_PLAN		0x10000
#define BOOT_PLAN_LBA		32
#define BOOT_PLAN_SECTORS	96
#define BOOT_START_INFO		0x20000
#define BOOT_PLAN_MAGIC		0x6e76626f	/* "nvbo" */

#ifndef __ASSEMBLER__
#include <stdint.h>

struct e820_entry {
	uint64_t addr;
	uint64_t size;
	uint32_t type;
} __attribute__((packed));

/* Zero runs have no extent: memory is zero at power-on. */
struct boot_extent {
	uint32_t lba;
	uint32_t sectors;
	uint32_t dest;
};

struct boot_plan {
	uint32_t magic;
	uint32_t entry;
	uint32_t initrd;
	uint32_t initrd_size;
	uint32_t extents;
	uint32_t reserved[3];
	char cmdline[2048];
	struct boot_extent extent[];
};
#endif

#endif
