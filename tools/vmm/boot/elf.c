// SPDX-License-Identifier: GPL-2.0
#include "boot.h"

#include "../machine.h"

#include <elf.h>
#include <errno.h>
#include <string.h>
#include <unistd.h>

#define MAX_PHDRS	64
#define MAX_NOTES	65536
#define XEN_ELFNOTE_PHYS32_ENTRY 18

/* Both ELF classes, widened. */
struct segment {
	uint32_t type;
	uint64_t offset, paddr, vaddr, filesz, memsz;
};

bool elf_probe(const struct boot_image *img)
{
	return img->head_len >= sizeof(Elf32_Ehdr) && !memcmp(img->head, ELFMAG, SELFMAG) &&
	       img->head[EI_DATA] == ELFDATA2LSB;
}

bool elf_is_64bit(const struct boot_image *img)
{
	return img->head[EI_CLASS] == ELFCLASS64;
}

static int bad(const struct boot_image *img, struct nvl_error *err, const char *why)
{
	return nvl_fail(err, ENOEXEC, "%s is not a usable ELF file: %s.", img->path, why);
}

static int read_segments(struct boot_image *img, struct segment *seg, unsigned int *n,
			 uint64_t *entry, struct nvl_error *err)
{
	uint8_t raw[MAX_PHDRS * sizeof(Elf64_Phdr)];
	const Elf64_Ehdr *e64 = (const void *)img->head;
	const Elf32_Ehdr *e32 = (const void *)img->head;
	bool wide = elf_is_64bit(img);
	uint64_t off = wide ? e64->e_phoff : e32->e_phoff;
	unsigned int i, size = wide ? sizeof(Elf64_Phdr) : sizeof(Elf32_Phdr);

	*n = wide ? e64->e_phnum : e32->e_phnum;
	*entry = wide ? e64->e_entry : e32->e_entry;
	if (!*n || *n > MAX_PHDRS)
		return bad(img, err, "it has no program headers, or too many");
	if ((wide ? e64->e_phentsize : e32->e_phentsize) != size)
		return bad(img, err, "its program headers have an unknown size");
	if (pread(img->fd, raw, *n * size, off) != (ssize_t)(*n * size))
		return bad(img, err, "its program headers are missing");
	for (i = 0; i < *n; i++) {
		const Elf64_Phdr *p64 = (const void *)(raw + i * size);
		const Elf32_Phdr *p32 = (const void *)(raw + i * size);

		if (wide)
			seg[i] = (struct segment) {
				p64->p_type, p64->p_offset, p64->p_paddr, p64->p_vaddr,
				p64->p_filesz, p64->p_memsz,
			};
		else
			seg[i] = (struct segment) {
				p32->p_type, p32->p_offset, p32->p_paddr, p32->p_vaddr,
				p32->p_filesz, p32->p_memsz,
			};
	}
	return 0;
}

static bool overlaps(const struct segment *s, uint64_t start, uint64_t end)
{
	return s->paddr < end && start < s->paddr + s->memsz;
}

static int load_segment(struct boot_image *img, const struct segment *s, struct nvl_error *err)
{
	if (!s->memsz)
		return 0;
	if (s->filesz > s->memsz)
		return bad(img, err, "a segment is larger in the file than in memory");
	if (overlaps(s, 0, BOOT_CMDLINE + BOOT_CMDLINE_MAX) ||
	    overlaps(s, ACPI_BASE, ACPI_BASE + ACPI_BYTES))
		return bad(img, err, "a segment lies on the boot data, below 30000H or from E0000H to E4000H");
	/* The memory is new and zero, so the rest of a segment needs nothing done. */
	if (s->paddr + s->memsz < s->paddr || !nvl_vm_ptr(img->m->vm, s->paddr, s->memsz))
		return nvl_fail(err, ENOMEM,
				"%s does not fit: a segment ends at %lluM. Give the VM more with --memory.",
				img->path, (unsigned long long)(s->paddr + s->memsz) >> 20);
	if (s->paddr + s->memsz > img->top)
		img->top = s->paddr + s->memsz;
	return boot_read(img, s->offset, s->paddr, s->filesz, err);
}

/* Looks through one PT_NOTE segment for the PVH entry. */
static uint64_t pvh_note(struct boot_image *img, const struct segment *s)
{
	uint8_t buf[4096];
	uint64_t pos = 0, len = s->filesz < MAX_NOTES ? s->filesz : MAX_NOTES;
	uint64_t value = 0;
	Elf64_Nhdr note;
	ssize_t n;

	while (pos + sizeof(note) <= len) {
		n = pread(img->fd, buf, sizeof(buf), s->offset + pos);
		if (n < (ssize_t)sizeof(note))
			return 0;
		memcpy(&note, buf, sizeof(note));	/* the same in both classes */
		if (note.n_namesz > MAX_NOTES || note.n_descsz > MAX_NOTES)
			return 0;
		if (note.n_type == XEN_ELFNOTE_PHYS32_ENTRY && note.n_namesz == 4 &&
		    (note.n_descsz == 4 || note.n_descsz == 8) &&
		    n >= (ssize_t)(sizeof(note) + 4 + note.n_descsz) &&
		    !memcmp(buf + sizeof(note), "Xen", 4)) {
			memcpy(&value, buf + sizeof(note) + 4, note.n_descsz);
			return value;
		}
		pos += sizeof(note) + ((note.n_namesz + 3) & ~3u) + ((note.n_descsz + 3) & ~3u);
	}
	return 0;
}

/* The entry is a virtual address in some ELF files, a physical one in vmlinux. */
static uint64_t physical_entry(const struct segment *seg, unsigned int n, uint64_t entry)
{
	unsigned int i;

	for (i = 0; i < n; i++)
		if (seg[i].type == PT_LOAD && entry - seg[i].paddr < seg[i].memsz)
			return entry;
	for (i = 0; i < n; i++)
		if (seg[i].type == PT_LOAD && entry - seg[i].vaddr < seg[i].memsz)
			return entry - seg[i].vaddr + seg[i].paddr;
	return entry;
}

int elf_load(struct boot_image *img, uint64_t *entry, uint64_t *pvh, struct nvl_error *err)
{
	struct segment seg[MAX_PHDRS];
	unsigned int i, n;
	int ret;

	ret = read_segments(img, seg, &n, entry, err);
	if (ret < 0)
		return ret;
	*pvh = 0;
	for (i = 0; i < n; i++) {
		if (seg[i].type == PT_LOAD) {
			ret = load_segment(img, &seg[i], err);
			if (ret < 0)
				return ret;
		} else if (seg[i].type == PT_NOTE && !*pvh) {
			*pvh = pvh_note(img, &seg[i]);
		}
	}
	*entry = physical_entry(seg, n, *entry);
	return 0;
}
