// SPDX-License-Identifier: GPL-2.0
/* Multiboot specification 0.6.96: ELF programs, and others with an address header. */
#include "boot.h"

#include "../machine.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#define HEADER_MAGIC	0x1badb002u
#define LOADER_MAGIC	0x2badb002u

#define HEADER_ALIGN	0x00000001u	/* modules on page boundaries: they are */
#define HEADER_MEMINFO	0x00000002u
#define HEADER_ADDRESS	0x00010000u
#define HEADER_KNOWN	(HEADER_ALIGN | HEADER_MEMINFO | HEADER_ADDRESS)
#define HEADER_REQUIRED	0x0000ffffu	/* unknown ones of these must be refused */

#define INFO_MEMORY	0x001u
#define INFO_CMDLINE	0x004u
#define INFO_MODULES	0x008u
#define INFO_MEMMAP	0x040u
#define INFO_LOADER	0x200u

struct mb_header {
	uint32_t magic, flags, checksum;
	uint32_t header_addr, load_addr, load_end, bss_end, entry;
};

struct mb_info {
	uint32_t flags, mem_lower, mem_upper, boot_device, cmdline;
	uint32_t mods_count, mods_addr, syms[4];
	uint32_t mmap_length, mmap_addr, drives_length, drives_addr;
	uint32_t config_table, loader_name, apm_table;
};

struct mb_module {
	uint32_t start, end, cmdline, reserved;
};

struct mb_memmap {
	uint32_t size;
	uint64_t addr, len;
	uint32_t type;
} __attribute__((packed));

/* One page for the program to find. */
struct mb_page {
	struct mb_info info;
	struct mb_module module;
	struct mb_memmap memmap[E820_MAX];
	char loader[16];
};

/* Offset of the header: on a 4-byte boundary in the first 8192 bytes. */
static long find_header(const struct boot_image *img, struct mb_header *h)
{
	size_t off;

	for (off = 0; off + 12 <= img->head_len; off += 4) {
		memset(h, 0, sizeof(*h));
		memcpy(h, img->head + off, img->head_len - off < sizeof(*h) ?
					   img->head_len - off : sizeof(*h));
		if (h->magic == HEADER_MAGIC && !(h->magic + h->flags + h->checksum))
			return off;
	}
	return -1;
}

bool multiboot_probe(const struct boot_image *img)
{
	struct mb_header h;

	return find_header(img, &h) >= 0;
}

static int load_by_address(struct boot_image *img, const struct mb_header *h, uint64_t off,
			   struct nvl_error *err)
{
	uint64_t start, len, end;

	if (h->load_addr > h->header_addr || h->header_addr - h->load_addr > off ||
	    h->load_addr < BOOT_HIGH)
		return nvl_fail(err, ENOEXEC,
				"%s has a multiboot header whose addresses contradict each other or lie below 1 MB.",
				img->path);
	start = off - (h->header_addr - h->load_addr);
	len = h->load_end ? (uint64_t)h->load_end - h->load_addr : img->size - start;
	end = h->bss_end ? h->bss_end : h->load_addr + len;
	if (h->load_end && h->load_end < h->load_addr)
		return nvl_fail(err, ENOEXEC, "%s has a multiboot header that ends before it starts.",
				img->path);
	if (end > h->load_addr && !nvl_vm_ptr(img->m->vm, h->load_addr, end - h->load_addr))
		return nvl_fail(err, ENOMEM, "%s does not fit. Give the VM more with --memory.",
				img->path);
	img->top = end;
	return boot_read(img, start, h->load_addr, len, err);
}

static void fill_info(struct boot_image *img)
{
	struct mb_page *p = nvl_vm_ptr(img->m->vm, BOOT_MULTIBOOT, sizeof(*p));
	struct e820_map map;
	unsigned int i;

	e820_build(img->m, &map);
	memset(p, 0, sizeof(*p));
	for (i = 0; i < map.n; i++)
		p->memmap[i] = (struct mb_memmap) {
			sizeof(p->memmap[i]) - 4, map.e[i].addr, map.e[i].size, map.e[i].type,
		};
	snprintf(p->loader, sizeof(p->loader), "nestvm");
	p->info = (struct mb_info) {
		.flags = INFO_MEMORY | INFO_CMDLINE | INFO_MEMMAP | INFO_LOADER,
		.mem_lower = BOOT_LOW_END >> 10,
		.mem_upper = (img->m->ram_low - BOOT_HIGH) >> 10,
		.cmdline = BOOT_CMDLINE,
		.mmap_length = map.n * sizeof(p->memmap[0]),
		.mmap_addr = BOOT_MULTIBOOT + offsetof(struct mb_page, memmap),
		.loader_name = BOOT_MULTIBOOT + offsetof(struct mb_page, loader),
	};
	if (img->initrd_size) {
		p->info.flags |= INFO_MODULES;
		p->info.mods_count = 1;
		p->info.mods_addr = BOOT_MULTIBOOT + offsetof(struct mb_page, module);
		p->module.start = img->initrd;
		p->module.end = img->initrd + img->initrd_size;
	}
}

int multiboot_load(struct boot_image *img, struct boot_cpu *cpu, struct nvl_error *err)
{
	uint64_t entry, pvh;
	struct mb_header h;
	long off = find_header(img, &h);
	int ret;

	if (h.flags & HEADER_REQUIRED & ~HEADER_KNOWN)
		return nvl_fail(err, ENOEXEC,
				"%s asks in its multiboot header (flags %xH) for something this launcher does not have.",
				img->path, h.flags);
	if (h.flags & HEADER_ADDRESS) {
		entry = h.entry;
		ret = load_by_address(img, &h, off, err);
	} else if (elf_probe(img)) {
		ret = elf_load(img, &entry, &pvh, err);
	} else {
		ret = nvl_fail(err, ENOEXEC,
			       "%s has a multiboot header without addresses and is not an ELF file.",
			       img->path);
	}
	if (ret < 0)
		return ret;
	ret = boot_initrd(img, 0x80000000, err);
	if (ret < 0)
		return ret;
	fill_info(img);
	*cpu = (struct boot_cpu) {
		.mode = BOOT_PROT32, .entry = entry, .rax = LOADER_MAGIC,
		.rbx = BOOT_MULTIBOOT,
	};
	return 0;
}
