// SPDX-License-Identifier: GPL-2.0
/* Instructions that meet what is no memory, in pieces and at its edge: guest/run_mmio.c. */
#include "lib/guest_run.h"

#include <string.h>

GUEST(run_mmio);

#define MMIO		0xd0000000u
#define MMIO_SIZE	4096

static struct vm vm;

static struct vcpu *start(const char *name)
{
	vm_create(&vm, 0);
	return guest_load(&vm, &guest_run_mmio, name);
}

/* Memory behind @base. Every access is of 8 bytes; @accesses of them end the case. */
static void run_wide(struct vcpu *vcpu, u64 base, unsigned int accesses)
{
	static u8 behind[MMIO_SIZE];
	struct kvm_run *run = vcpu->run;
	unsigned int n;
	int ret;

	for (n = 0; (ret = guest_run(vcpu)) == KVM_EXIT_MMIO && n < accesses; n++) {
		u64 at = run->mmio.phys_addr - base;

		ASSERT(run->mmio.len == 8 && at + 8 <= MMIO_SIZE, "%u bytes at %#llx",
		       run->mmio.len, run->mmio.phys_addr);
		if (run->mmio.is_write)
			memcpy(behind + at, run->mmio.data, 8);
		else
			memcpy(run->mmio.data, behind + at, 8);
	}
	EXPECT_EQ(n, accesses, "accesses of 8 bytes");
	EXPECT_EQ(ret, GUEST_ENDED, "what KVM_RUN gives then");
	vm_destroy(&vm);
}

static void wide(const void *arg)
{
	run_wide(start("_wide"), MMIO, 10);
}

static void wide_at_the_edge(const void *arg)
{
	run_wide(start("_wide_at_the_edge"), VM_MEMORY, 2);
}

static void expect_emulation_failure(struct vcpu *vcpu, u32 size, const char *bytes)
{
	const struct kvm_run *run = vcpu->run;

	vcpu_expect_exit(vcpu, KVM_EXIT_INTERNAL_ERROR);
	EXPECT_EQ(run->internal.suberror, KVM_INTERNAL_ERROR_EMULATION, "the suberror");
	EXPECT(run->emulation_failure.flags & KVM_INTERNAL_ERROR_EMULATION_FLAG_INSTRUCTION_BYTES,
	       "no bytes are shown");
	EXPECT_EQ(run->emulation_failure.insn_size, size, "how many bytes are shown");
	EXPECT(!memcmp(run->emulation_failure.insn_bytes, bytes, strlen(bytes)), "the first is %#x",
	       run->emulation_failure.insn_bytes[0]);
}

static void fetch_ends_with_memory(const void *arg)
{
	expect_emulation_failure(start("_fetch_ends_with_memory"), 1, "\x8b");
	vm_destroy(&vm);
}

/* A jump to a task: 32-bit code, and a table with an available task state. */
static void task_switch_is_named(const void *arg)
{
	static const u8 code[] = { 0xea, 0, 0, 0, 0, 0x18, 0 };	/* ljmp $0x18, $0 */
	static const u64 gdt[] = { 0, 0x00cf9b000000ffff, 0x00cf93000000ffff, 0x0000890030000067 };
	struct kvm_sregs sregs;
	struct vcpu *vcpu;

	vm_create(&vm, 0);
	memcpy(vm.mem + 0x1000, code, sizeof(code));
	memcpy(vm.mem + 0x2000, gdt, sizeof(gdt));
	vcpu = vm_add_vcpu(&vm);
	vcpu_protected_mode(vcpu, 0x1000);
	MUST(vcpu->fd, KVM_GET_SREGS, &sregs);
	sregs.gdt.base = 0x2000;
	sregs.gdt.limit = sizeof(gdt) - 1;
	MUST(vcpu->fd, KVM_SET_SREGS, &sregs);
	expect_emulation_failure(vcpu, 15, "\xea");
	vm_destroy(&vm);
}

/* ljmp *(%rbx) from a device */
static void far_jump_is_named(const void *arg)
{
	expect_emulation_failure(start("_far_jump"), 15, "\xff\x2b");
	vm_destroy(&vm);
}

int main(int argc, char **argv)
{
	static const struct ktap_case cases[] = {
		{ "wide", wide, NULL, 0 },
		{ "wide_at_the_edge", wide_at_the_edge, NULL, 0 },
		{ "fetch_ends_with_memory", fetch_ends_with_memory, NULL, 0 },
		{ "task_switch_is_named", task_switch_is_named, NULL, 0 },
		{ "far_jump_is_named", far_jump_is_named, NULL, 0 },
	};

	return guest_main(&guest_run_mmio, cases, ARRAY_LEN(cases), argc, argv);
}
