// SPDX-License-Identifier: GPL-2.0
/* The "x86/HVM direct boot ABI" (PVH) of Xen. */
#include "boot.h"

#include "../machine.h"

#include <string.h>

#define PVH_MAGIC 0x336ec578

struct pvh_start_info {
	uint32_t magic, version, flags, nr_modules;
	uint64_t modlist, cmdline, rsdp, memmap;
	uint32_t memmap_entries, reserved;
};

struct pvh_module {
	uint64_t addr, size, cmdline, reserved;
};

struct pvh_memmap {
	uint64_t addr, size;
	uint32_t type, reserved;
};

/* One page: start info, the one module, the memory map. */
struct pvh_page {
	struct pvh_start_info info;
	struct pvh_module module;
	struct pvh_memmap memmap[E820_MAX];
};

int pvh_start(struct boot_image *img, uint64_t entry, struct boot_cpu *cpu,
	      struct nvl_error *err)
{
	struct pvh_page *p = nvl_vm_ptr(img->m->vm, BOOT_PVH, sizeof(*p));
	struct e820_map map;
	unsigned int i;

	(void)err;
	e820_build(img->m, &map);
	memset(p, 0, sizeof(*p));
	for (i = 0; i < map.n; i++)
		p->memmap[i] = (struct pvh_memmap) {
			map.e[i].addr, map.e[i].size, map.e[i].type, 0,
		};
	p->info = (struct pvh_start_info) {
		.magic = PVH_MAGIC,
		.version = 1,
		.cmdline = BOOT_CMDLINE,
		.rsdp = ACPI_BASE,
		.memmap = BOOT_PVH + offsetof(struct pvh_page, memmap),
		.memmap_entries = map.n,
	};
	if (img->initrd_size) {
		p->info.nr_modules = 1;
		p->info.modlist = BOOT_PVH + offsetof(struct pvh_page, module);
		p->module.addr = img->initrd;
		p->module.size = img->initrd_size;
	}
	*cpu = (struct boot_cpu) { .mode = BOOT_PROT32, .entry = entry, .rbx = BOOT_PVH };
	return 0;
}
