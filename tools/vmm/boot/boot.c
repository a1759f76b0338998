// SPDX-License-Identifier: GPL-2.0
#include "boot.h"

#include "../machine.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static int read_all(int fd, void *buf, uint64_t len, uint64_t off)
{
	uint8_t *p = buf;
	ssize_t n;

	while (len) {
		n = pread(fd, p, len, off);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -errno;
		if (!n)
			return -ENODATA;
		p += n;
		off += n;
		len -= n;
	}
	return 0;
}

int boot_read(struct boot_image *img, uint64_t off, uint64_t gpa, uint64_t len,
	      struct nvl_error *err)
{
	void *p = nvl_vm_ptr(img->m->vm, gpa, len);
	int ret;

	if (!len)
		return 0;
	if (!p)
		return nvl_fail(err, ENOMEM,
				"%s does not fit: it wants %llu bytes at %llxH, outside the VM's memory. Give it more with --memory.",
				img->path, (unsigned long long)len, (unsigned long long)gpa);
	ret = read_all(img->fd, p, len, off);
	if (ret == -ENODATA)
		return nvl_fail(err, ENOEXEC, "%s is cut short: %llu bytes at offset %llu are missing.",
				img->path, (unsigned long long)len, (unsigned long long)off);
	if (ret < 0)
		return nvl_fail(err, -ret, "%s cannot be read: %s.", img->path, strerror(-ret));
	return 0;
}

static int open_file(const char *what, const char *path, int *fd, uint64_t *size,
		     struct nvl_error *err)
{
	struct stat st;

	*fd = open(path, O_RDONLY | O_CLOEXEC);
	if (*fd < 0)
		return nvl_fail(err, errno, "%s %s cannot be opened: %s.", what, path,
				strerror(errno));
	if (fstat(*fd, &st) < 0 || !S_ISREG(st.st_mode) || !st.st_size) {
		close(*fd);
		return nvl_fail(err, EINVAL, "%s %s is empty or not a file.", what, path);
	}
	*size = st.st_size;
	return 0;
}

int boot_initrd(struct boot_image *img, uint64_t limit, struct nvl_error *err)
{
	struct boot_image file = { .m = img->m, .path = img->m->conf->initrd };
	uint64_t top = img->m->ram_low < limit ? img->m->ram_low : limit;
	int ret;

	if (!file.path)
		return 0;
	ret = open_file("initrd", file.path, &file.fd, &file.size, err);
	if (ret < 0)
		return ret;
	if (file.size > top || ((top - file.size) & ~4095ull) < img->top) {
		ret = nvl_fail(err, ENOMEM,
			       "the initrd of %llu MB does not fit above the kernel: give the VM more than %llu MB with --memory.",
			       (unsigned long long)file.size >> 20,
			       (unsigned long long)img->m->conf->memory >> 20);
	} else {
		img->initrd = (top - file.size) & ~4095ull;
		img->initrd_size = file.size;
		ret = boot_read(&file, 0, img->initrd, file.size, err);
	}
	close(file.fd);
	return ret;
}

static int put_cmdline(struct boot_image *img, struct nvl_error *err)
{
	size_t len = strlen(img->cmdline) + 1;

	if (len > BOOT_CMDLINE_MAX)
		return nvl_fail(err, E2BIG, "the kernel command line is longer than %u bytes.",
				BOOT_CMDLINE_MAX - 1);
	memcpy(nvl_vm_ptr(img->m->vm, BOOT_CMDLINE, len), img->cmdline, len);
	return 0;
}

/* A program for the bare CPU, started as a boot sector is, without a BIOS. */
static int flat_load(struct boot_image *img, struct boot_cpu *cpu, struct nvl_error *err)
{
	if (img->size > BOOT_LOW_END - BOOT_SECTOR)
		return nvl_fail(err, ENOEXEC,
				"%s is too large for a flat program: at most %llu bytes fit between 7C00H and the end of low memory.",
				img->path, (unsigned long long)(BOOT_LOW_END - BOOT_SECTOR));
	*cpu = (struct boot_cpu) { .mode = BOOT_REAL, .entry = BOOT_SECTOR };
	return boot_read(img, 0, BOOT_SECTOR, img->size, err);
}

/* vmlinux: PVH where the kernel has that entry, else the 64-bit boot protocol. */
static int elf_start(struct boot_image *img, struct boot_cpu *cpu, struct nvl_error *err)
{
	uint64_t entry, pvh;
	int ret;

	ret = elf_load(img, &entry, &pvh, err);
	if (ret < 0)
		return ret;
	ret = boot_initrd(img, 0x80000000, err);
	if (ret < 0)
		return ret;
	if (pvh)
		return pvh_start(img, pvh, cpu, err);
	if (!elf_is_64bit(img))
		return nvl_fail(err, ENOEXEC,
				"%s is a 32-bit ELF file with neither a multiboot header nor a PVH entry, so nobody says how to start it.",
				img->path);
	*cpu = (struct boot_cpu) {
		.mode = BOOT_LONG, .entry = entry, .rsi = BOOT_ZERO_PAGE,
	};
	return bzimage_zero_page(img, err);
}

static int load_image(struct boot_image *img, struct boot_cpu *cpu, struct nvl_error *err)
{
	int ret;

	img->head_len = img->size < sizeof(img->head) ? img->size : sizeof(img->head);
	ret = read_all(img->fd, img->head, img->head_len, 0);
	if (ret < 0)
		return nvl_fail(err, -ret, "%s cannot be read: %s.", img->path, strerror(-ret));
	if (img->m->conf->flat)
		return flat_load(img, cpu, err);
	ret = put_cmdline(img, err);
	if (ret < 0)
		return ret;
	if (multiboot_probe(img))
		return multiboot_load(img, cpu, err);
	if (elf_probe(img))
		return elf_start(img, cpu, err);
	if (bzimage_probe(img))
		return bzimage_load(img, cpu, err);
	return nvl_fail(err, ENOEXEC,
			"%s is no kernel this launcher knows: it takes vmlinux (ELF), bzImage, multiboot programs and, with --flat, boot sectors.",
			img->path);
}

int boot_load(struct machine *m, struct boot_cpu *cpu, struct nvl_error *err)
{
	struct boot_image img = { .m = m, .path = m->conf->kernel, .cmdline = m->conf->append };
	int ret;

	ret = open_file("kernel", img.path, &img.fd, &img.size, err);
	if (ret < 0)
		return ret;
	ret = load_image(&img, cpu, err);
	close(img.fd);
	return ret;
}
