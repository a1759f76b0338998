// SPDX-License-Identifier: GPL-2.0
/* The Linux/x86 boot protocol, entered in 64-bit mode (2.12 and later). */
#include "boot.h"

#include "../machine.h"

#include <asm/bootparam.h>
#include <errno.h>
#include <string.h>

#define HDR_MAGIC	0x53726448	/* "HdrS" */
#define PROTOCOL_MIN	0x020c
#define LOADER_UNDEFINED 0xff
#define ENTRY_64	0x200
#define SECTOR		512

_Static_assert(sizeof(struct boot_params) == 4096, "the zero page is one page");

static const struct setup_header *file_header(const struct boot_image *img)
{
	return (const void *)(img->head + offsetof(struct boot_params, hdr));
}

bool bzimage_probe(const struct boot_image *img)
{
	return img->head_len >= 2 * SECTOR && file_header(img)->header == HDR_MAGIC &&
	       file_header(img)->boot_flag == 0xaa55;
}

/* Everything but the setup header, which only a bzImage brings along. */
static struct boot_params *fill_zero_page(struct boot_image *img)
{
	struct boot_params *bp = nvl_vm_ptr(img->m->vm, BOOT_ZERO_PAGE, sizeof(*bp));
	struct e820_map map;
	unsigned int i;

	memset(bp, 0, sizeof(*bp));
	e820_build(img->m, &map);
	for (i = 0; i < map.n; i++) {
		bp->e820_table[i].addr = map.e[i].addr;
		bp->e820_table[i].size = map.e[i].size;
		bp->e820_table[i].type = map.e[i].type;
	}
	bp->e820_entries = map.n;
	bp->acpi_rsdp_addr = ACPI_BASE;
	return bp;
}

static void fill_header(struct boot_image *img, struct setup_header *hdr)
{
	hdr->type_of_loader = LOADER_UNDEFINED;
	hdr->cmd_line_ptr = BOOT_CMDLINE;
	hdr->ramdisk_image = img->initrd;
	hdr->ramdisk_size = img->initrd_size;
}

int bzimage_zero_page(struct boot_image *img, struct nvl_error *err)
{
	struct boot_params *bp = fill_zero_page(img);

	(void)err;
	bp->hdr.boot_flag = 0xaa55;
	bp->hdr.header = HDR_MAGIC;
	bp->hdr.kernel_alignment = 0x1000000;
	bp->hdr.cmdline_size = BOOT_CMDLINE_MAX - 1;
	fill_header(img, &bp->hdr);
	return 0;
}

int bzimage_load(struct boot_image *img, struct boot_cpu *cpu, struct nvl_error *err)
{
	struct setup_header hdr = { 0 };
	struct boot_params *bp;
	uint64_t setup, load, limit;
	size_t hdr_len;
	int ret;

	/* The byte after the jump at 200H says how long the header is. */
	hdr_len = 0x202 + img->head[0x201] - offsetof(struct boot_params, hdr);
	memcpy(&hdr, file_header(img), hdr_len < sizeof(hdr) ? hdr_len : sizeof(hdr));
	if (hdr.version < PROTOCOL_MIN || !(hdr.xloadflags & XLF_KERNEL_64))
		return nvl_fail(err, ENOEXEC,
				"%s has no 64-bit entry: it takes a 64-bit kernel of version 3.8 or newer.",
				img->path);
	setup = ((hdr.setup_sects ? hdr.setup_sects : 4) + 1) * SECTOR;
	if (setup >= img->size)
		return nvl_fail(err, ENOEXEC, "%s is cut short.", img->path);

	load = hdr.pref_address >= BOOT_HIGH ? hdr.pref_address : BOOT_HIGH;
	if (!nvl_vm_ptr(img->m->vm, load, hdr.init_size))
		return nvl_fail(err, ENOMEM,
				"%s needs %lluM to unpack itself. Give the VM more with --memory.",
				img->path, (unsigned long long)(load + hdr.init_size) >> 20);
	ret = boot_read(img, setup, load, img->size - setup, err);
	if (ret < 0)
		return ret;
	img->top = load + hdr.init_size;
	limit = (uint64_t)hdr.initrd_addr_max + 1;
	ret = boot_initrd(img, limit < 0x80000000 ? limit : 0x80000000, err);
	if (ret < 0)
		return ret;

	bp = fill_zero_page(img);
	bp->hdr = hdr;
	fill_header(img, &bp->hdr);
	bp->hdr.code32_start = load;
	*cpu = (struct boot_cpu) {
		.mode = BOOT_LONG, .entry = load + ENTRY_64, .rsi = BOOT_ZERO_PAGE,
	};
	return 0;
}
