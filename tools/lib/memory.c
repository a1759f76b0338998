// SPDX-License-Identifier: GPL-2.0
#include "internal.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/mman.h>

#define LARGE_PAGE (2ull << 20)

/*
 * Memory that starts on a 2M boundary, so that guest and host agree on where
 * large pages lie: what map_aligned() gets too much it gives back.
 */
static uint8_t *map_aligned(uint64_t size)
{
	uint64_t span = size + LARGE_PAGE;
	uint8_t *p, *start;

	if (span < size)
		return MAP_FAILED;
	p = mmap(NULL, span, PROT_READ | PROT_WRITE,
		 MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	if (p == MAP_FAILED)
		return p;
	start = (uint8_t *)(((uintptr_t)p + LARGE_PAGE - 1) & ~(LARGE_PAGE - 1));
	if (start > p)
		munmap(p, start - p);
	munmap(start + size, p + span - (start + size));
	/* Advice only: a host without large pages runs the guest all the same. */
	madvise(start, size, MADV_HUGEPAGE);
	return start;
}

int nvl_vm_add_memory(struct nvl_vm *vm, uint64_t gpa, uint64_t size, unsigned int flags,
		      struct nvl_error *err)
{
	struct kvm_userspace_memory_region region;
	uint8_t *host;
	int ret;

	if (vm->nslots == NVL_MAX_SLOTS)
		return nvl_fail(err, ENOSPC, "all %d memory slots of the VM are taken.",
				NVL_MAX_SLOTS);
	if (!size || (gpa | size) & 4095 || gpa + size < gpa || flags & ~NVL_MEM_READONLY)
		return nvl_fail(err, EINVAL,
				"guest memory must start and end on a 4096-byte boundary.");

	host = map_aligned(size);
	if (host == MAP_FAILED)
		return nvl_fail(err, ENOMEM,
				"the host has no room for %llu MB of guest memory: give the VM less with --memory.",
				(unsigned long long)size >> 20);
	region = (struct kvm_userspace_memory_region) {
		.slot = vm->nslots,
		.flags = flags & NVL_MEM_READONLY ? KVM_MEM_READONLY : 0,
		.guest_phys_addr = gpa,
		.memory_size = size,
		.userspace_addr = (uintptr_t)host,
	};
	if (ioctl(vm->fd, KVM_SET_USER_MEMORY_REGION, &region) < 0) {
		ret = nvl_ioctl_fail(vm->dev, vm->fd, err,
				     "guest memory cannot be given to the VM");
		munmap(host, size);
		return ret;
	}
	vm->slots[vm->nslots++] = (struct nvl_slot) {
		.gpa = gpa, .size = size, .host = host, .flags = region.flags,
	};
	return 0;
}

void *nvl_vm_ptr(const struct nvl_vm *vm, uint64_t gpa, uint64_t len)
{
	unsigned int i;

	for (i = 0; i < vm->nslots; i++) {
		const struct nvl_slot *s = &vm->slots[i];

		if (gpa >= s->gpa && gpa - s->gpa < s->size && len <= s->size - (gpa - s->gpa))
			return s->host + (gpa - s->gpa);
	}
	return NULL;
}

unsigned int nvl_vm_pieces(const struct nvl_vm *vm)
{
	return vm->nslots;
}

struct nvl_memory nvl_vm_piece(const struct nvl_vm *vm, unsigned int i)
{
	const struct nvl_slot *s = &vm->slots[i];

	return (struct nvl_memory) { s->gpa, s->size, s->host };
}

static uint64_t words(const struct nvl_slot *s)
{
	return (s->size / 4096 + 63) / 64;
}

static int set_slot_flags(struct nvl_vm *vm, unsigned int i, uint32_t flags,
			  struct nvl_error *err)
{
	struct nvl_slot *s = &vm->slots[i];
	struct kvm_userspace_memory_region region = {
		.slot = i,
		.flags = flags,
		.guest_phys_addr = s->gpa,
		.memory_size = s->size,
		.userspace_addr = (uintptr_t)s->host,
	};

	if (ioctl(vm->fd, KVM_SET_USER_MEMORY_REGION, &region) < 0)
		return nvl_ioctl_fail(vm->dev, vm->fd, err,
				      "the writes to guest memory cannot be logged");
	s->flags = flags;
	return 0;
}

static int log_slots(struct nvl_vm *vm, bool on, struct nvl_error *err)
{
	unsigned int i;
	int ret;

	for (i = 0; i < vm->nslots; i++) {
		struct nvl_slot *s = &vm->slots[i];

		if (on && !s->written)
			s->written = calloc(words(s), sizeof(uint64_t));
		if (on && !s->written)
			return nvl_fail(err, ENOMEM, "no memory left for a log of written pages.");
		ret = set_slot_flags(vm, i, on ? s->flags | KVM_MEM_LOG_DIRTY_PAGES :
				     s->flags & ~KVM_MEM_LOG_DIRTY_PAGES, err);
		if (ret < 0)
			return ret;
	}
	return 0;
}

int nvl_vm_log_dirty(struct nvl_vm *vm, bool on, struct nvl_error *err)
{
	int ret;

	__atomic_store_n(&vm->logging, false, __ATOMIC_SEQ_CST);
	ret = log_slots(vm, on, err);
	if (ret < 0 && on)
		log_slots(vm, false, NULL);
	else
		__atomic_store_n(&vm->logging, on, __ATOMIC_SEQ_CST);
	return ret;
}

int nvl_vm_dirty(struct nvl_vm *vm, unsigned int i, uint64_t *bitmap, struct nvl_error *err)
{
	struct kvm_dirty_log log = { .slot = i, .dirty_bitmap = bitmap };
	struct nvl_slot *s = &vm->slots[i];
	uint64_t w;

	if (ioctl(vm->fd, KVM_GET_DIRTY_LOG, &log) < 0)
		return nvl_ioctl_fail(vm->dev, vm->fd, err,
				      "the log of written pages cannot be read");
	for (w = 0; s->written && w < words(s); w++)
		if (__atomic_load_n(&s->written[w], __ATOMIC_RELAXED))
			bitmap[w] |= __atomic_exchange_n(&s->written[w], 0, __ATOMIC_SEQ_CST);
	return 0;
}

static void mark(struct nvl_slot *s, uint64_t off, uint64_t len)
{
	uint64_t page;

	for (page = off / 4096; page <= (off + len - 1) / 4096; page++)
		__atomic_fetch_or(&s->written[page / 64], 1ull << page % 64, __ATOMIC_SEQ_CST);
}

void nvl_vm_mark_dirty(struct nvl_vm *vm, uint64_t gpa, uint64_t len)
{
	unsigned int i;

	if (!len || !__atomic_load_n(&vm->logging, __ATOMIC_SEQ_CST))
		return;
	for (i = 0; i < vm->nslots; i++) {
		struct nvl_slot *s = &vm->slots[i];

		if (gpa >= s->gpa && gpa - s->gpa < s->size && len <= s->size - (gpa - s->gpa))
			mark(s, gpa - s->gpa, len);
	}
}

void nvl_vm_mark_dirty_ptr(struct nvl_vm *vm, const void *p, uint64_t len)
{
	const uint8_t *host = p;
	unsigned int i;

	if (!len || !__atomic_load_n(&vm->logging, __ATOMIC_SEQ_CST))
		return;
	for (i = 0; i < vm->nslots; i++) {
		struct nvl_slot *s = &vm->slots[i];

		if (host >= s->host && host < s->host + s->size &&
		    len <= s->size - (uint64_t)(host - s->host))
			mark(s, host - s->host, len);
	}
}

uint64_t nvl_vm_resident(const struct nvl_vm *vm)
{
	unsigned char in[4096];
	uint64_t at, len, pages = 0;
	unsigned int i;
	size_t j;

	for (i = 0; i < vm->nslots; i++) {
		const struct nvl_slot *s = &vm->slots[i];

		for (at = 0; at < s->size; at += len) {
			len = s->size - at < sizeof(in) * 4096 ? s->size - at : sizeof(in) * 4096;
			if (mincore(s->host + at, len, in) < 0)
				break;
			for (j = 0; j < len / 4096; j++)
				pages += in[j] & 1;
		}
	}
	return pages * 4096;
}
