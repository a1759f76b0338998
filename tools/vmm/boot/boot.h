/* SPDX-License-Identifier: GPL-2.0 */
/*
 * From a file to a CPU about to execute its first instruction.
 *
 * Guest-physical memory below 1 MB at that moment:
 *
 *   00500  GDT
 *   06000  PVH start info, module list, memory map
 *   07000  boot_params ("zero page") of the Linux boot protocol
 *   08000  multiboot information and its lists
 *   09000  page tables: identity map of the first 4 GB, 2 MB pages
 *   20000  command line
 *   9FC00  end of usable low memory
 *   E0000  ACPI tables
 */
#ifndef VMM_BOOT_H
#define VMM_BOOT_H

#include "../../lib/libnestvm.h"

struct machine;

#define BOOT_GDT	0x500ull
#define BOOT_PVH	0x6000ull
#define BOOT_ZERO_PAGE	0x7000ull
#define BOOT_MULTIBOOT	0x8000ull
#define BOOT_PAGING	0x9000ull
#define BOOT_CMDLINE	0x20000ull
#define BOOT_CMDLINE_MAX 0x10000u
#define BOOT_LOW_END	0x9fc00ull
#define BOOT_HIGH	0x100000ull
#define BOOT_SECTOR	0x7c00ull

enum boot_mode {
	BOOT_REAL,	/* 16 bits, cs:ip = 0:entry */
	BOOT_PROT32,	/* 32 bits, flat segments, no paging */
	BOOT_LONG,	/* 64 bits, flat segments, identity map */
};

/* What the first vCPU starts with. */
struct boot_cpu {
	enum boot_mode mode;
	uint64_t entry;
	uint64_t rax, rbx, rsi;
};

/* The kernel file while it is being loaded. */
struct boot_image {
	struct machine *m;
	const char *path;
	const char *cmdline;
	int fd;
	uint64_t size;
	uint8_t head[8192];		/* the file's first bytes, zero-padded */
	size_t head_len;

	uint64_t top;			/* end of what the kernel occupies */
	uint64_t initrd, initrd_size;
};

#define E820_MAX 8
struct e820_map {
	unsigned int n;
	struct {
		uint64_t addr, size;
		uint32_t type;		/* 1: RAM, 2: reserved */
	} e[E820_MAX];
};

/* boot.c: finds out what kind of file it is and loads it. */
int boot_load(struct machine *m, struct boot_cpu *cpu, struct nvl_error *err);
/* Reads a part of an open file into guest memory. */
int boot_read(struct boot_image *img, uint64_t off, uint64_t gpa, uint64_t len,
	      struct nvl_error *err);
/* Puts the initrd below @limit, as high as there is RAM; sets img->initrd*. */
int boot_initrd(struct boot_image *img, uint64_t limit, struct nvl_error *err);

/* e820.c */
void e820_build(const struct machine *m, struct e820_map *map);

/* One file per way of starting. The _probe functions look at img->head only. */
bool bzimage_probe(const struct boot_image *img);
int bzimage_load(struct boot_image *img, struct boot_cpu *cpu, struct nvl_error *err);
/* Fills the zero page, for bzImages and for vmlinux without a PVH entry. */
int bzimage_zero_page(struct boot_image *img, struct nvl_error *err);
bool multiboot_probe(const struct boot_image *img);
int multiboot_load(struct boot_image *img, struct boot_cpu *cpu, struct nvl_error *err);
bool elf_probe(const struct boot_image *img);
/* @pvh: physical address of the PVH entry, 0 without one. */
int elf_load(struct boot_image *img, uint64_t *entry, uint64_t *pvh, struct nvl_error *err);
bool elf_is_64bit(const struct boot_image *img);
int pvh_start(struct boot_image *img, uint64_t entry, struct boot_cpu *cpu,
	      struct nvl_error *err);

/* cpu_init.c */
int cpu_init_first(struct machine *m, struct nvl_vcpu *vcpu, const struct boot_cpu *cpu,
		   struct nvl_error *err);
/* MSRs that the firmware of a PC sets on every CPU. */
int cpu_init_msrs(struct nvl_vcpu *vcpu, struct nvl_error *err);

#endif
