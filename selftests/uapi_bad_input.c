// SPDX-License-Identifier: GPL-2.0
/* KVM commands with arguments that cannot be: errno, reason, and nothing changed. */
#include "lib/uapi.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>

#define SIZE	0x10000u
#define NOBODY	65534

static struct vm vm;
static u8 *memory;

static struct kvm_userspace_memory_region good(void)
{
	return (struct kvm_userspace_memory_region) {
		.slot = 1, .guest_phys_addr = 0x100000, .memory_size = SIZE,
		.userspace_addr = (uintptr_t)memory,
	};
}

static void start(void)
{
	vm_create(&vm, VM_NO_MEMORY);
	memory = mmap(NULL, 4 * SIZE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
}

static void refuse_slot(struct kvm_userspace_memory_region r, int error, u32 reason, int line)
{
	expect_refused(line, vm.fd, KVM_SET_USER_MEMORY_REGION, &r, error, reason);
}
#define REFUSE_SLOT(error, reason, ...) do {					\
	struct kvm_userspace_memory_region r = good();				\
	__VA_ARGS__;								\
	refuse_slot(r, error, reason, __LINE__);				\
} while (0)

static void slots(const void *arg)
{
	struct kvm_userspace_memory_region first;

	start();
	first = good();
	REFUSE_SLOT(EINVAL, NESTVM_REFUSED_SLOT_UNALIGNED, r.guest_phys_addr += 0x800);
	REFUSE_SLOT(EINVAL, NESTVM_REFUSED_SLOT_UNALIGNED, r.memory_size += 1);
	REFUSE_SLOT(EINVAL, NESTVM_REFUSED_SLOT_UNALIGNED, r.userspace_addr += 0x10);
	REFUSE_SLOT(EINVAL, NESTVM_REFUSED_CAPABILITY, r.flags = 1u << 31);
	REFUSE_SLOT(EINVAL, NESTVM_REFUSED_SLOT_RANGE, r.slot = 0xffff);
	REFUSE_SLOT(EINVAL, NESTVM_REFUSED_SLOT_RANGE, r.guest_phys_addr = -(u64)0x1000);
	REFUSE_SLOT(EINVAL, NESTVM_REFUSED_SLOT_RANGE, r.userspace_addr = 0xffff800000000000);
	REFUSE_SLOT(EINVAL, NESTVM_REFUSED_NOTHING, r.memory_size = 0);	/* no such slot */

	MUST(vm.fd, KVM_SET_USER_MEMORY_REGION, &first);
	REFUSE_SLOT(EEXIST, NESTVM_REFUSED_SLOT_OVERLAP, r.slot = 2);
	REFUSE_SLOT(EEXIST, NESTVM_REFUSED_SLOT_OVERLAP,
		    r.slot = 2; r.guest_phys_addr -= SIZE - 0x1000);
	REFUSE_SLOT(EEXIST, NESTVM_REFUSED_SLOT_OVERLAP,
		    r.slot = 2; r.guest_phys_addr += SIZE - 0x1000);
	/* slots keep their size */
	REFUSE_SLOT(EINVAL, NESTVM_REFUSED_NOTHING, r.memory_size *= 2);
	REFUSE_SLOT(EINVAL, NESTVM_REFUSED_NOTHING, r.flags = KVM_MEM_READONLY);
	first.slot = 2;
	first.guest_phys_addr += SIZE;
	MUST(vm.fd, KVM_SET_USER_MEMORY_REGION, &first);
}

/* A guest-physical address the CPU cannot have. KVM takes it, we do not. */
static void slot_beyond_the_address_width(const void *arg)
{
	nestvm_open();
	start();
	REFUSE_SLOT(EINVAL, NESTVM_REFUSED_SLOT_RANGE, r.guest_phys_addr = 1ull << 53);
}

/* More than the kernel gives a list of pages for; it would say so in its log. */
static void slot_too_large(const void *arg)
{
	struct nestvm_memory_mode dynamic = { sizeof(dynamic), NESTVM_MEMORY_DYNAMIC };

	nestvm_open();
	start();
	REFUSE_SLOT(EINVAL, NESTVM_REFUSED_SLOT_RANGE,
		    r.guest_phys_addr = 0; r.memory_size = 1ull << 40);
	MUST(vm.fd, NESTVM_SET_MEMORY_MODE, &dynamic);
	REFUSE_SLOT(EINVAL, NESTVM_REFUSED_SLOT_RANGE,
		    r.guest_phys_addr = 0; r.memory_size = 1ull << 40;
		    r.flags = KVM_MEM_LOG_DIRTY_PAGES);
}

static void too_many_slots(const void *arg)
{
	struct kvm_userspace_memory_region r;
	int max, i;

	start();
	r = good();
	max = device_cap(vm.dev, KVM_CAP_NR_MEMSLOTS);
	ASSERT(max > 0, "KVM_CAP_NR_MEMSLOTS is %d", max);
	r.slot = max;
	EXPECT_REFUSED(vm.fd, KVM_SET_USER_MEMORY_REGION, &r, EINVAL, NESTVM_REFUSED_SLOT_RANGE);
	if (max > 1024)
		max = 1024;
	for (i = 0; i < max; i++) {
		r.slot = i;
		r.guest_phys_addr = 0x100000 + (u64)i * 0x1000;
		r.memory_size = 0x1000;
		MUST(vm.fd, KVM_SET_USER_MEMORY_REGION, &r);
	}
}

static void vcpu_ids(const void *arg)
{
	int max;

	vm_create(&vm, 0);
	max = device_cap(vm.dev, KVM_CAP_MAX_VCPU_ID);
	vm_add_vcpu(&vm);
	EXPECT_REFUSED(vm.fd, KVM_CREATE_VCPU, 0, EEXIST, NESTVM_REFUSED_VCPU_LIMIT);
	EXPECT_REFUSED(vm.fd, KVM_CREATE_VCPU, max, EINVAL, NESTVM_REFUSED_VCPU_LIMIT);
	EXPECT_REFUSED(vm.fd, KVM_CREATE_VCPU, 0xffffffffu, EINVAL, NESTVM_REFUSED_VCPU_LIMIT);
	MUST(vm.fd, KVM_CREATE_VCPU, max - 1);
}

static void vm_types(const void *arg)
{
	int dev = device_open();

	EXPECT_REFUSED(dev, KVM_CREATE_VM, 0x1234, EINVAL, NESTVM_REFUSED_CAPABILITY);
	EXPECT_EQ(device_cap(dev, 0x7fffffff), 0, "a capability that does not exist");
}

static void cpuid_counts(const void *arg)
{
	struct kvm_cpuid2 *cpuid = calloc(1, sizeof(*cpuid) + 300 * sizeof(cpuid->entries[0]));
	struct vcpu *vcpu;

	vm_create(&vm, 0);
	vcpu = vm_add_vcpu(&vm);
	cpuid->nent = 0x10000000;
	EXPECT_REFUSED(vcpu->fd, KVM_SET_CPUID2, cpuid, E2BIG, NESTVM_REFUSED_CPUID);
	EXPECT_REFUSED(vcpu->fd, KVM_SET_CPUID2, NULL, EFAULT, NESTVM_REFUSED_NOTHING);
	cpuid->nent = 1;
	EXPECT_REFUSED(vm.dev, KVM_GET_SUPPORTED_CPUID, cpuid, E2BIG, NESTVM_REFUSED_NOTHING);
}

static void msr_lists(const void *arg)
{
	struct kvm_msrs *msrs = calloc(1, sizeof(*msrs) + 4 * sizeof(msrs->entries[0]));
	struct kvm_msr_list list = { .nmsrs = 0 };
	struct vcpu *vcpu;

	vm_create(&vm, 0);
	vcpu = vm_add_vcpu(&vm);
	msrs->nmsrs = 0xffffffff;
	EXPECT_REFUSED(vcpu->fd, KVM_GET_MSRS, msrs, E2BIG, NESTVM_REFUSED_NOTHING);
	EXPECT_REFUSED(vcpu->fd, KVM_SET_MSRS, msrs, E2BIG, NESTVM_REFUSED_NOTHING);
	EXPECT_REFUSED(vm.dev, KVM_GET_MSR_INDEX_LIST, &list, E2BIG, NESTVM_REFUSED_NOTHING);
	EXPECT(list.nmsrs > 5, "%u MSRs", list.nmsrs);
	/* An unknown MSR ends the list: how many went well is the result. */
	msrs->nmsrs = 2;
	msrs->entries[0].index = 0x277;		/* IA32_PAT */
	msrs->entries[1].index = 0x12345;
	EXPECT_EQ(ioctl(vcpu->fd, KVM_GET_MSRS, msrs), 1, "how many were read");
}

static void special_registers(const void *arg)
{
	struct kvm_sregs s, before, after;
	struct vcpu *vcpu;

	vm_create(&vm, 0);
	vcpu = vm_add_vcpu(&vm);
	vcpu_long_mode(vcpu, 0);
	MUST(vcpu->fd, KVM_GET_SREGS, &before);
	s = before;
	s.cr0 &= ~1ull;				/* PG without PE */
	EXPECT_REFUSED(vcpu->fd, KVM_SET_SREGS, &s, EINVAL, NESTVM_REFUSED_STATE);
	s = before;
	s.cr4 |= 1ull << 31;
	EXPECT_REFUSED(vcpu->fd, KVM_SET_SREGS, &s, EINVAL, NESTVM_REFUSED_STATE);
	s = before;
	s.cr4 &= ~(1ull << 5);			/* long mode without PAE */
	EXPECT_REFUSED(vcpu->fd, KVM_SET_SREGS, &s, EINVAL, NESTVM_REFUSED_STATE);
	s = before;
	s.efer |= 1 << 1;
	EXPECT_REFUSED(vcpu->fd, KVM_SET_SREGS, &s, EINVAL, NESTVM_REFUSED_STATE);
	MUST(vcpu->fd, KVM_GET_SREGS, &after);
	if (device_is_nestvm(vm.dev))	/* KVM takes the tables before it looks at the rest */
		EXPECT(!memcmp(&before, &after, sizeof(after)),
		       "a refused command changed something");
}

static void run_page(const void *arg)
{
	struct vcpu *vcpu;

	vm_create(&vm, 0);
	vcpu = vm_add_vcpu(&vm);
	EXPECT_REFUSED(vcpu->fd, KVM_RUN, 5, EINVAL, NESTVM_REFUSED_NOTHING);
	/* Garbage in what the kernel writes, or reads, changes nothing for it. */
	memset(vcpu->run, 0xa5, 256);
	vcpu->run->immediate_exit = 1;
	vcpu->run->cr8 = 0;
	vcpu->run->kvm_valid_regs = 0;
	vcpu->run->kvm_dirty_regs = 0;
	EXPECT_EQ(vcpu_run(vcpu), -EINTR, "KVM_RUN");
}

static void without_permission(const void *arg)
{
	int fd;

	nestvm_open();
	if (setgid(NOBODY) || setuid(NOBODY))
		ktap_skip("cannot become another user: %s", strerror(errno));
	fd = open(ktap_device, O_RDWR);
	EXPECT(fd < 0 && errno == EACCES, "open() gives %d, %s", fd, strerror(errno));
}

int main(int argc, char **argv)
{
	static const struct ktap_case cases[] = {
		{ "slots", slots, NULL, 0 },
		{ "slot_beyond_the_address_width", slot_beyond_the_address_width, NULL, 0 },
		{ "slot_too_large", slot_too_large, NULL, 0 },
		{ "too_many_slots", too_many_slots, NULL, 0 },
		{ "vcpu_ids", vcpu_ids, NULL, 0 },
		{ "vm_types", vm_types, NULL, 0 },
		{ "cpuid_counts", cpuid_counts, NULL, 0 },
		{ "msr_lists", msr_lists, NULL, 0 },
		{ "special_registers", special_registers, NULL, 0 },
		{ "run_page", run_page, NULL, 0 },
		{ "without_permission", without_permission, NULL, 0 },
	};

	return ktap_main(cases, ARRAY_LEN(cases), argc, argv);
}
