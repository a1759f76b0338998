// SPDX-License-Identifier: GPL-2.0
#include "internal.h"

#include <errno.h>
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
	vm->slots[vm->nslots++] = (struct nvl_slot) { gpa, size, host };
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
