// SPDX-License-Identifier: GPL-2.0
/* What is one access for a processor is one for L0 as well, which executes it for a guest. */
#define _GNU_SOURCE
#include "lib/guest_run.h"

#include <pthread.h>
#include <string.h>
#include <unistd.h>

GUEST(mem_atomic);

#define ROUNDS	3000

#define CODE	0x9000u
#define WORD	0xa000u
#define AGAIN	0xa800u		/* holds CODE */
#define MMIO	0xd0000000u
#define ROM	0x10000000u
#define LOCKS	8

static struct vm vm;

static void need_two_cpus(void)
{
	if (sysconf(_SC_NPROCESSORS_ONLN) < 2)
		ktap_skip("needs two CPUs");
}

static struct vcpu *start(const char *name)
{
	struct vcpu *vcpu;

	need_two_cpus();
	vm_create(&vm, VM_IRQCHIP);
	vcpu = guest_load(&vm, &guest_mem_atomic, name);
	guest_params(&vm)->args[0] = ROUNDS;
	guest_run_in_thread(vm_add_vcpu(&vm));
	return vcpu;
}

static void entry_changes(const void *arg)
{
	unsigned int seen[2] = { 0 }, other = 0;
	struct vcpu *vcpu = start("_entry_changes");
	int ret;

	while ((ret = guest_run(vcpu)) == KVM_EXIT_MMIO) {
		u64 gpa = vcpu->run->mmio.phys_addr;

		if (gpa == 0x55555000 || gpa == 0xaaaaa000)
			seen[gpa == 0xaaaaa000]++;
		else if (!other++)
			EXPECT(0, "an access to %#llx", gpa);
	}
	EXPECT_EQ(ret, GUEST_ENDED, "what KVM_RUN gives then");
	EXPECT_EQ(other, 0, "accesses to a place that nobody wrote");
	EXPECT(seen[0] && seen[1], "the entry did not change: %u and %u", seen[0], seen[1]);
}

static void set_vcpu(struct vcpu *vcpu, u64 word)
{
	struct kvm_sregs sregs;
	struct kvm_regs regs;

	vcpu_long_mode(vcpu, CODE);
	MUST(vcpu->fd, KVM_GET_REGS, &regs);
	regs.rbx = word;
	regs.rdi = MMIO;
	regs.rsi = AGAIN;
	MUST(vcpu->fd, KVM_SET_REGS, &regs);
	if (vm.nr_vcpus == 1)
		return;
	MUST(vcpu->fd, KVM_GET_SREGS, &sregs);
	sregs.cr3 = ROM;
	MUST(vcpu->fd, KVM_SET_SREGS, &sregs);
}

static void *count(void *arg)
{
	unsigned int i;

	for (i = 0; i < ROUNDS; i++)
		vcpu_expect_exit(arg, KVM_EXIT_MMIO);
	return NULL;
}

/* With their page tables in ROM, which is when L0 was found executing all of it. */
static void locked(const void *arg)
{
	static const u8 lock_inc[] = { 0xf0, 0x48, 0xff, 0x03 };	/* lock incq (%rbx) */
	static const u8 rest[] = { 0x88, 0x07, 0xff, 0x26 };	/* mov %al, (%rdi); jmp *(%rsi) */
	pthread_t thread;
	u64 total, again = CODE;
	unsigned int i;

	need_two_cpus();
	vm_create(&vm, 0);
	for (i = 0; i < LOCKS; i++)
		memcpy(vm.mem + CODE + i * sizeof(lock_inc), lock_inc, sizeof(lock_inc));
	memcpy(vm.mem + CODE + LOCKS * sizeof(lock_inc), rest, sizeof(rest));
	memcpy(vm.mem + AGAIN, &again, sizeof(again));
	vm_add_vcpu(&vm);
	vm_add_vcpu(&vm);
	set_vcpu(&vm.vcpus[0], WORD);
	set_vcpu(&vm.vcpus[1], WORD);
	vm_tables_in_rom(&vm, 1, ROM);
	ASSERT(!pthread_create(&thread, NULL, count, &vm.vcpus[1]), "no thread");
	count(&vm.vcpus[0]);
	pthread_join(thread, NULL);
	memcpy(&total, vm.mem + WORD, sizeof(total));
	EXPECT_EQ(total, 2 * ROUNDS * LOCKS, "what two CPUs counted");
	vm_destroy(&vm);
}

/* Half of it is memory: two accesses are not one, so none is made. */
static void split_lock(const void *arg)
{
	static const u8 code[] = { 0xf0, 0x48, 0xff, 0x03 };
	const u64 word = VM_MEMORY - 4;
	const struct kvm_run *run;
	struct vcpu *vcpu;

	vm_create(&vm, 0);
	memcpy(vm.mem + CODE, code, sizeof(code));
	vcpu = vm_add_vcpu(&vm);
	set_vcpu(vcpu, word);
	run = vcpu->run;
	while (vcpu_run(vcpu) == KVM_EXIT_MMIO)
		ASSERT(!run->mmio.is_write, "a half is written");
	EXPECT_EQ(run->exit_reason, KVM_EXIT_INTERNAL_ERROR, "the exit");
	EXPECT_EQ(run->internal.suberror, KVM_INTERNAL_ERROR_EMULATION, "the suberror");
	EXPECT(!memcmp(run->emulation_failure.insn_bytes, code, sizeof(code)),
	       "the instruction is not shown");
	EXPECT_EQ(*(u32 *)(vm.mem + word), 0, "the half in memory");
	vm_destroy(&vm);
}

int main(int argc, char **argv)
{
	static const struct ktap_case cases[] = {
		{ "entry_changes", entry_changes, NULL, 0 },
		{ "locked", locked, NULL, 0 },
		{ "split_lock", split_lock, NULL, 0 },
	};

	return guest_main(&guest_mem_atomic, cases, ARRAY_LEN(cases), argc, argv);
}
