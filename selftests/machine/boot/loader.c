// SPDX-License-Identifier: GPL-2.0
/*
 * Loader of the test machine: read the kernel and the initramfs from the first
 * ATA disk by programmed I/O and enter the kernel at its PVH entry.
 *
 * The bzImage way costs 45 s of unpacking in the emulator and a boot loader
 * from the distribution 10 s of BIOS calls; this takes less than a second.
 */
#include "boot.h"

#define COM1		0x3f8
#define ATA		0x1f0
#define ATA_COUNT	(ATA + 2)
#define ATA_LBA		(ATA + 3)
#define ATA_DEVICE	(ATA + 6)
#define ATA_STATUS	(ATA + 7)
#define ATA_CONTROL	0x3f6
#define ATA_BUSY	0x80
#define ATA_FAULT	0x21
#define ATA_DATA	0x08
#define ATA_READ	0x20
#define ATA_MAX_SECTORS	128

#define HVM_START_MAGIC	0x336ec578

struct hvm_start_info {
	uint32_t magic;
	uint32_t version;
	uint32_t flags;
	uint32_t nr_modules;
	uint64_t modlist;
	uint64_t cmdline;
	uint64_t rsdp;
	uint64_t memmap;
	uint32_t memmap_entries;
	uint32_t reserved;
};

struct hvm_module {
	uint64_t addr;
	uint64_t size;
	uint64_t cmdline;
	uint64_t reserved;
};

struct hvm_memmap {
	uint64_t addr;
	uint64_t size;
	uint32_t type;
	uint32_t reserved;
};

struct handover {
	struct hvm_start_info info;
	struct hvm_module initrd;
	struct hvm_memmap map[BOOT_E820_MAX];
};

static inline void outb(uint16_t port, uint8_t value)
{
	asm volatile("outb %0, %1" : : "a"(value), "Nd"(port));
}

static inline uint8_t inb(uint16_t port)
{
	uint8_t value;

	asm volatile("inb %1, %0" : "=a"(value) : "Nd"(port));
	return value;
}

static void put_string(const char *s)
{
	for (; *s; s++) {
		while (!(inb(COM1 + 5) & 0x20))
			;
		outb(COM1, *s);
	}
}

static void serial_init(void)
{
	outb(COM1 + 3, 0x80);
	outb(COM1, 1);		/* 115200 baud: an emulated character takes its time */
	outb(COM1 + 1, 0);
	outb(COM1 + 3, 0x03);
	outb(COM1 + 2, 0x01);
}

static __attribute__((noreturn)) void die(const char *why)
{
	put_string("machine: loader: ");
	put_string(why);
	put_string("\n");
	for (;;)
		asm volatile("cli; hlt");
}

static void read_run(uint32_t lba, uint32_t sectors, uint8_t *dest)
{
	uint32_t words = 256;

	while (inb(ATA_STATUS) & ATA_BUSY)
		;
	outb(ATA_DEVICE, 0xe0 | (lba >> 24 & 0xf));
	outb(ATA_COUNT, sectors);
	outb(ATA_LBA, lba);
	outb(ATA_LBA + 1, lba >> 8);
	outb(ATA_LBA + 2, lba >> 16);
	outb(ATA_STATUS, ATA_READ);

	while (sectors--) {
		uint8_t status;

		do {
			status = inb(ATA_STATUS);
		} while (status & ATA_BUSY);
		if (status & ATA_FAULT || !(status & ATA_DATA))
			die("the disk cannot be read");
		words = 256;
		asm volatile("rep insw" : "+D"(dest), "+c"(words)
			     : "d"((uint16_t)ATA) : "memory");
	}
}

static void read_disk(uint32_t lba, uint32_t sectors, uint8_t *dest)
{
	while (sectors) {
		uint32_t run = sectors < ATA_MAX_SECTORS ? sectors : ATA_MAX_SECTORS;

		read_run(lba, run, dest);
		lba += run;
		dest += run * 512;
		sectors -= run;
	}
}

/* Entered at the PVH entry a kernel looks for no RSDP of its own. */
static uint32_t find_rsdp(void)
{
	const uint32_t *p;

	for (p = (void *)0xe0000; p < (const uint32_t *)0x100000; p += 4)
		if (p[0] == 0x20445352 && p[1] == 0x20525450)	/* "RSD PTR " */
			return (uintptr_t)p;
	return 0;
}

static void fill_handover(struct handover *h, const struct boot_plan *plan)
{
	const struct e820_entry *e820 = (void *)BOOT_E820_MAP;
	uint32_t entries = *(volatile uint32_t *)BOOT_E820_COUNT;
	uint32_t i;

	h->info.magic = HVM_START_MAGIC;
	h->info.version = 1;
	h->info.cmdline = (uintptr_t)plan->cmdline;
	h->info.rsdp = find_rsdp();
	h->info.memmap = (uintptr_t)h->map;
	h->info.memmap_entries = entries;
	h->info.nr_modules = 1;
	h->info.modlist = (uintptr_t)&h->initrd;
	h->initrd.addr = plan->initrd;
	h->initrd.size = plan->initrd_size;
	for (i = 0; i < entries; i++) {
		h->map[i].addr = e820[i].addr;
		h->map[i].size = e820[i].size;
		h->map[i].type = e820[i].type;
	}
}

__attribute__((noreturn, section(".text.start"))) void loader(void)
{
	const struct boot_plan *plan = (void *)BOOT_PLAN;
	struct handover *h = (void *)BOOT_START_INFO;
	uint32_t i;

	serial_init();
	/* The runner takes a second one of these as an unwanted reboot. */
	put_string("machine: loader\n");

	outb(ATA_CONTROL, 2);	/* polling; no interrupt is to be left pending */
	read_disk(BOOT_PLAN_LBA, BOOT_PLAN_SECTORS, (void *)BOOT_PLAN);
	if (plan->magic != BOOT_PLAN_MAGIC)
		die("the image has no boot plan");
	for (i = 0; i < plan->extents; i++)
		read_disk(plan->extent[i].lba, plan->extent[i].sectors,
			  (void *)(uintptr_t)plan->extent[i].dest);
	outb(ATA_CONTROL, 0);

	fill_handover(h, plan);
	asm volatile("jmp *%0" : : "r"(plan->entry), "b"(&h->info) : "memory");
	__builtin_unreachable();
}
