// SPDX-License-Identifier: GPL-2.0
/* NESTVM_SET_MEMORY_MODE, the pins of static memory, and the locked-memory limit. */
#include "lib/uapi.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <unistd.h>

#define SIZE	(1u << 20)
#define NOBODY	65534

static struct nestvm_memory_mode dynamic = { sizeof(dynamic), NESTVM_MEMORY_DYNAMIC };

static void *memory(void)
{
	void *p = mmap(NULL, SIZE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	ASSERT(p != MAP_FAILED, "%s", strerror(errno));
	return p;
}

static struct kvm_userspace_memory_region region(void *at)
{
	return (struct kvm_userspace_memory_region) {
		.memory_size = SIZE, .userspace_addr = (uintptr_t)at,
	};
}

static void modes(const void *arg)
{
	struct nestvm_memory_mode m = { .size = sizeof(m), .mode = 3 };
	struct vm vm;

	nestvm_open();
	vm_create(&vm, VM_NO_MEMORY);
	EXPECT_EQ(vm_info(vm.fd).memory_mode, NESTVM_MEMORY_STATIC, "the default");
	EXPECT_REFUSED(vm.fd, NESTVM_SET_MEMORY_MODE, &m, EINVAL, NESTVM_REFUSED_NOTHING);
	m.mode = 0;
	EXPECT_REFUSED(vm.fd, NESTVM_SET_MEMORY_MODE, &m, EINVAL, NESTVM_REFUSED_NOTHING);
	MUST(vm.fd, NESTVM_SET_MEMORY_MODE, &dynamic);
	EXPECT_EQ(vm_info(vm.fd).memory_mode, NESTVM_MEMORY_DYNAMIC, "the mode");
	m.mode = NESTVM_MEMORY_STATIC;
	MUST(vm.fd, NESTVM_SET_MEMORY_MODE, &m);
	EXPECT_EQ(vm_info(vm.fd).memory_mode, NESTVM_MEMORY_STATIC, "the mode");
	MUST(vm.fd, NESTVM_SET_MEMORY_MODE, &dynamic);
	EXPECT_EQ(vm_info(vm.fd).memory_mode, NESTVM_MEMORY_DYNAMIC, "the mode");
}

static void not_with_slots(const void *arg)
{
	struct vm vm;

	nestvm_open();
	vm_create(&vm, 0);
	EXPECT_REFUSED(vm.fd, NESTVM_SET_MEMORY_MODE, &dynamic, EBUSY, NESTVM_REFUSED_HAS_MEMORY);
	EXPECT_EQ(vm_info(vm.fd).memory_mode, NESTVM_MEMORY_STATIC, "the mode");
}

static void dynamic_not_for_an_exposed_vm(const void *arg)
{
	struct vm vm;

	nestvm_open();
	vm_create(&vm, VM_NO_MEMORY | VM_EXPOSE);
	EXPECT_REFUSED(vm.fd, NESTVM_SET_MEMORY_MODE, &dynamic, EOPNOTSUPP,
		       NESTVM_REFUSED_DYNAMIC_MEMORY);
	EXPECT_EQ(vm_info(vm.fd).memory_mode, NESTVM_MEMORY_STATIC, "the mode");
}

static long locked_kib(void)
{
	FILE *f = fopen("/proc/self/status", "r");
	char line[200];
	long kib = -1;

	while (f && fgets(line, sizeof(line), f))
		if (sscanf(line, "VmLck: %ld", &kib) == 1 || sscanf(line, "VmPin: %ld", &kib) == 1)
			if (kib)
				break;
	if (f)
		fclose(f);
	return kib;
}

static void static_memory_is_pinned_and_released(const void *arg)
{
	struct kvm_userspace_memory_region r;
	struct vm vm;

	nestvm_open();
	vm_create(&vm, VM_NO_MEMORY);
	r = region(memory());
	MUST(vm.fd, KVM_SET_USER_MEMORY_REGION, &r);
	EXPECT_EQ(vm_info(vm.fd).pinned_pages, SIZE / 4096, "pinned pages");
	EXPECT_EQ(vm_info(vm.fd).resident_pages, SIZE / 4096, "resident pages");
	EXPECT(locked_kib() >= SIZE / 1024, "only %ld KiB are charged", locked_kib());
	r.memory_size = 0;
	MUST(vm.fd, KVM_SET_USER_MEMORY_REGION, &r);
	EXPECT_EQ(vm_info(vm.fd).pinned_pages, 0, "pinned pages after the slot is gone");
	EXPECT(locked_kib() <= 0, "%ld KiB are still charged", locked_kib());
}

static void dynamic_memory_is_not_pinned(const void *arg)
{
	struct kvm_userspace_memory_region r;
	struct vm vm;

	nestvm_open();
	vm_create(&vm, VM_NO_MEMORY);
	MUST(vm.fd, NESTVM_SET_MEMORY_MODE, &dynamic);
	r = region(memory());
	MUST(vm.fd, KVM_SET_USER_MEMORY_REGION, &r);
	EXPECT_EQ(vm_info(vm.fd).pinned_pages, 0, "pinned pages");
	EXPECT_EQ(vm_info(vm.fd).resident_pages, 0, "pages that no guest has touched");
	EXPECT(locked_kib() <= 0, "%ld KiB are charged", locked_kib());
}

/* The device is opened before the privileges go; the limit is the user's then. */
static void limit_too_low(const void *arg)
{
	struct rlimit limit = { SIZE / 2, SIZE / 2 };
	struct kvm_userspace_memory_region r;
	struct vm vm;

	nestvm_open();
	vm_create(&vm, VM_NO_MEMORY);
	ASSERT(!setrlimit(RLIMIT_MEMLOCK, &limit), "%s", strerror(errno));
	if (setuid(NOBODY))
		ktap_skip("cannot become another user: %s", strerror(errno));
	r = region(memory());
	EXPECT_REFUSED(vm.fd, KVM_SET_USER_MEMORY_REGION, &r, ENOMEM, NESTVM_REFUSED_LOCKED_LIMIT);
	EXPECT_EQ(vm_info(vm.fd).pinned_pages, 0, "pinned pages");
	r.memory_size = SIZE / 4;
	MUST(vm.fd, KVM_SET_USER_MEMORY_REGION, &r);
}

static void memory_that_is_not_there(const void *arg)
{
	struct kvm_userspace_memory_region r;
	void *p = memory();
	struct vm vm;

	nestvm_open();
	vm_create(&vm, VM_NO_MEMORY);
	munmap(p + SIZE / 2, SIZE / 2);
	r = region(p);
	EXPECT_REFUSED(vm.fd, KVM_SET_USER_MEMORY_REGION, &r, EFAULT, NESTVM_REFUSED_SLOT_PIN);
	EXPECT_EQ(vm_info(vm.fd).pinned_pages, 0, "pinned pages");
}

int main(int argc, char **argv)
{
	static const struct ktap_case cases[] = {
		{ "modes", modes, NULL, 0 },
		{ "not_with_slots", not_with_slots, NULL, 0 },
		{ "dynamic_not_for_an_exposed_vm", dynamic_not_for_an_exposed_vm, NULL, 0 },
		{ "static_memory_is_pinned_and_released", static_memory_is_pinned_and_released,
		  NULL, 0 },
		{ "dynamic_memory_is_not_pinned", dynamic_memory_is_not_pinned, NULL, 0 },
		{ "limit_too_low", limit_too_low, NULL, 0 },
		{ "memory_that_is_not_there", memory_that_is_not_there, NULL, 0 },
	};

	return ktap_main(cases, ARRAY_LEN(cases), argc, argv);
}
