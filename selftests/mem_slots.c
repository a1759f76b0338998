// SPDX-License-Identifier: GPL-2.0
/* Memory slots: added, moved, deleted, replaced while the VM runs; read-only; dirty log. */
#include "lib/guest_run.h"

#include <errno.h>
#include <pthread.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>

GUEST(mem_slots);

#define SLOT	0x10000000u
#define SIZE	0x10000u

static struct vm vm;
static unsigned int vm_flags;

static u8 *memory(size_t size)
{
	u8 *p = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	ASSERT(p != MAP_FAILED, "%s", strerror(errno));
	return p;
}

static struct vcpu *start(const char *name)
{
	vm_create(&vm, vm_flags);
	return guest_load(&vm, &guest_mem_slots, name);
}

/* Run to the guest's STEP(@step), answering MMIO reads with 5A. */
static void run_to_step(struct vcpu *vcpu, u8 step)
{
	int ret;

	while ((ret = guest_run(vcpu)) == KVM_EXIT_MMIO)
		memset(vcpu->run->mmio.data, 0x5a, 8);
	if (ret != KVM_EXIT_IO) {
		ktap_fail(__FILE__, __LINE__, "before step %u: KVM_RUN gives %d", step, ret);
		vcpu_dump(vcpu);
		ktap_stop();
	}
	EXPECT_EQ(*((u8 *)vcpu->run + vcpu->run->io.data_offset), step, "the step");
}

static void run_to_end(struct vcpu *vcpu)
{
	int ret;

	while ((ret = guest_run(vcpu)) == KVM_EXIT_MMIO)
		memset(vcpu->run->mmio.data, 0x5a, 8);
	EXPECT_EQ(ret, GUEST_ENDED, "how the guest ends");
}

static void add_move_delete(const void *arg)
{
	struct vcpu *vcpu = start("_add_move_delete");
	u64 *a = (u64 *)memory(SIZE), *b = (u64 *)memory(SIZE);

	a[0] = 0x1111;
	b[0] = 0x3333;
	run_to_step(vcpu, 1);
	vm_set_slot(&vm, 1, 0, SLOT, SIZE, a);
	run_to_step(vcpu, 2);
	EXPECT_EQ(a[1], 0x2222, "what the guest wrote");
	vm_set_slot(&vm, 1, 0, SLOT + 0x100000, SIZE, a);
	run_to_step(vcpu, 3);
	vm_set_slot(&vm, 1, 0, 0, 0, a);
	run_to_step(vcpu, 4);
	vm_set_slot(&vm, 1, 0, SLOT, SIZE, b);
	run_to_end(vcpu);
}

static void owner_writes(bool late)
{
	struct vcpu *vcpu = start("_read_only");
	u8 *a = memory(SIZE);
	int ret;

	if (!device_cap(vm.dev, KVM_CAP_READONLY_MEM))
		ktap_skip("no KVM_CAP_READONLY_MEM");
	if (late)
		vm_set_slot(&vm, 1, KVM_MEM_READONLY, SLOT, SIZE, a);
	*(u64 *)a = 0x1111;
	memcpy(a + 0x100, "\xb8\x42\x00\x00\x00\xc3", 6);	/* mov $0x42, %eax; ret */
	if (!late)
		vm_set_slot(&vm, 1, KVM_MEM_READONLY, SLOT, SIZE, a);
	vcpu_expect_exit(vcpu, KVM_EXIT_MMIO);
	EXPECT(vcpu->run->mmio.is_write && vcpu->run->mmio.phys_addr == SLOT &&
	       vcpu->run->mmio.len == 8,
	       "%#llx len %u", vcpu->run->mmio.phys_addr, vcpu->run->mmio.len);
	vcpu_expect_exit(vcpu, KVM_EXIT_MMIO);
	EXPECT(vcpu->run->mmio.is_write && vcpu->run->mmio.phys_addr == SLOT + 3 &&
	       vcpu->run->mmio.len == 1 && vcpu->run->mmio.data[0] == 9, "%#llx len %u",
	       vcpu->run->mmio.phys_addr, vcpu->run->mmio.len);
	ret = guest_run(vcpu);
	EXPECT_EQ(ret, GUEST_ENDED, "how the guest ends");
	EXPECT_EQ(*(u64 *)a, 0x1111, "the memory");
}

static void read_only(const void *arg)
{
	owner_writes(false);
}

/* As firmware is: the slot is there before what is in it. */
static void read_only_written_later(const void *arg)
{
	owner_writes(true);
}

static u64 dirty(u32 slot)
{
	u64 bitmap = ~0ull;
	struct kvm_dirty_log log = { .slot = slot, .dirty_bitmap = &bitmap };

	MUST(vm.fd, KVM_GET_DIRTY_LOG, &log);
	return bitmap;
}

static void dirty_log(const void *arg)
{
	struct vcpu *vcpu = start("_dirty_log");

	vm_set_slot(&vm, 1, KVM_MEM_LOG_DIRTY_PAGES, SLOT, SIZE, memory(SIZE));
	run_to_step(vcpu, 1);
	EXPECT_EQ(dirty(1) & 0xffff, 1 << 0 | 1 << 3, "the pages");
	run_to_step(vcpu, 2);
	EXPECT_EQ(dirty(1) & 0xffff, 0, "the pages when none was written");
	run_to_step(vcpu, 3);
	EXPECT_EQ(dirty(1) & 0xffff, 1 << 4, "the pages");
	run_to_step(vcpu, 4);
	EXPECT_EQ(dirty(1) & 0xffff, 1 << 4, "the page written again");
	run_to_end(vcpu);
}

/* Logging switched on for a slot that is in use, large pages and all. */
static void dirty_log_switched_on(const void *arg)
{
	struct vcpu *vcpu = start("_dirty_log");
	u8 *a = memory(SIZE);

	vm_set_slot(&vm, 1, 0, SLOT, SIZE, a);
	run_to_step(vcpu, 1);
	vm_set_slot(&vm, 1, KVM_MEM_LOG_DIRTY_PAGES, SLOT, SIZE, a);
	run_to_step(vcpu, 2);
	EXPECT_EQ(dirty(1) & 0xffff, 0, "the pages when none was written since");
	run_to_step(vcpu, 3);
	EXPECT_EQ(dirty(1) & 0xffff, 1 << 4, "the pages");
	vm_set_slot(&vm, 1, 0, SLOT, SIZE, a);
	run_to_step(vcpu, 4);
	run_to_end(vcpu);
}

static void *touch(void *arg)
{
	struct vcpu *vcpu = arg;
	int ret;

	while ((ret = guest_run(vcpu)) == KVM_EXIT_MMIO)
		;
	EXPECT_EQ(ret, GUEST_ENDED, "how the guest ends");
	return NULL;
}

/* The guest uses the slot all the while. What it finds missing is MMIO, never a crash. */
static void changes_under_a_running_vcpu(const void *arg)
{
	struct timespec wait = { 0, 2000000 };
	struct vcpu *vcpu = start("_touch_for_ever");
	u8 *a = memory(SIZE), *b = memory(SIZE);
	pthread_t thread;
	int i;

	vm_set_slot(&vm, 1, 0, SLOT, SIZE, a);
	ASSERT(!pthread_create(&thread, NULL, touch, vcpu), "no thread");
	for (i = 0; i < 50; i++) {
		nanosleep(&wait, NULL);
		switch (i % 3) {
		case 0:
			vm_set_slot(&vm, 1, 0, SLOT + 0x100000, SIZE, i & 1 ? b : a);
			break;
		case 1:
			vm_set_slot(&vm, 1, 0, 0, 0, a);
			break;
		case 2:
			vm_set_slot(&vm, 1, 0, SLOT, SIZE, (i + 1) & 1 ? b : a);
			break;
		}
	}
	guest_params(&vm)->args[0] = 1;
	pthread_join(thread, NULL);
	EXPECT(guest_params(&vm)->results[0] > 0, "the guest never ran");
}

/* Memory in large pages of the host, and at an address that is no multiple of one. */
static void large(const void *arg)
{
	const size_t size = 8u << 20;
	struct vcpu *vcpu = start("_whole_slot");
	u8 *a = memory(size + (4u << 20));
	size_t off = *(const size_t *)arg;

	a = (u8 *)(((uintptr_t)a + 0x1fffff) & ~0x1ffffful) + off;
	madvise(a - off, size, MADV_HUGEPAGE);
	guest_params(&vm)->args[0] = size;
	vm_set_slot(&vm, 1, 0, SLOT, size, a);
	guest_run_to_end(vcpu);
	EXPECT_EQ(*(u64 *)(a + 0x3000), 0x3000 ^ 0x55, "a word in the middle");
}

static void access_across_two_slots(const void *arg)
{
	struct vcpu *vcpu = start("_across_two_slots");
	u8 *a = memory(SIZE), *b = memory(SIZE);

	vm_set_slot(&vm, 1, 0, SLOT, 0x2000, a);
	vm_set_slot(&vm, 2, 0, SLOT + 0x2000, 0x2000, b);
	guest_run_to_end(vcpu);
	EXPECT(*(u32 *)(a + 0x1ffc) == 0x55667788 && *(u32 *)b == 0x11223344, "%x %x",
	       *(u32 *)(a + 0x1ffc), *(u32 *)b);
}

/* The same on memory that is filled on demand. */
static void dynamic(const void *arg)
{
	void (*fn)(const void *arg) = arg;

	vm_flags = VM_DYNAMIC;
	fn(NULL);
}

int main(int argc, char **argv)
{
	static const size_t aligned, shifted = 0x5000;
	static const struct ktap_case cases[] = {
		{ "add_move_delete", add_move_delete, NULL, 0 },
		{ "read_only", read_only, NULL, 0 },
		{ "read_only_written_later", read_only_written_later, NULL, 0 },
		{ "dirty_log", dirty_log, NULL, 0 },
		{ "dirty_log_switched_on", dirty_log_switched_on, NULL, 0 },
		{ "changes_under_a_running_vcpu", changes_under_a_running_vcpu, NULL, 0 },
		{ "large_pages", large, &aligned, 0 },
		{ "large_pages_not_aligned", large, &shifted, 0 },
		{ "access_across_two_slots", access_across_two_slots, NULL, 0 },
		{ "dynamic_add_move_delete", dynamic, add_move_delete, 0 },
		{ "dynamic_read_only", dynamic, read_only, 0 },
		{ "dynamic_read_only_written_later", dynamic, read_only_written_later, 0 },
		{ "dynamic_dirty_log", dynamic, dirty_log, 0 },
		{ "dynamic_dirty_log_switched_on", dynamic, dirty_log_switched_on, 0 },
		{ "dynamic_changes_under_a_running_vcpu", dynamic, changes_under_a_running_vcpu,
		  0 },
		{ "dynamic_access_across_two_slots", dynamic, access_across_two_slots, 0 },
	};

	return guest_main(&guest_mem_slots, cases, ARRAY_LEN(cases), argc, argv);
}
