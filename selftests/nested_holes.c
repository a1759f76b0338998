// SPDX-License-Identifier: GPL-2.0
/*
 * Holes that other hypervisors' nested VT-x had: none of them is here. The L1s are in
 * guest/nested_holes.c; which test holds which hole, in docs/known-holes.md.
 */
#define _GNU_SOURCE
#include "lib/guest_run.h"

#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>
#include <x86intrin.h>

GUEST(nested_holes);

#define SLOT	0x10000000u
#define SIZE	0x1000u
#define ROUNDS	400

static struct vm vm;

static void wait_ms(long ms)
{
	struct timespec ts = { ms / 1000, ms % 1000 * 1000000 };

	nanosleep(&ts, NULL);
}

static u8 *memory(int fill)
{
	u8 *p = mmap(NULL, SIZE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	ASSERT(p != MAP_FAILED, "no memory");
	memset(p, fill, SIZE);
	return p;
}

static void run_to_step(struct vcpu *vcpu, u8 step)
{
	int ret = guest_run(vcpu);

	ASSERT(ret == KVM_EXIT_IO, "before step %u: KVM_RUN gives %d", step, ret);
	EXPECT_EQ(*((u8 *)vcpu->run + vcpu->run->io.data_offset), step, "the step");
}

static void bitmap_comes_and_goes(const void *arg)
{
	struct vcpu *vcpu;
	u8 *zeros, *ones;

	vm_create(&vm, VM_EXPOSE);
	vcpu = guest_load(&vm, &guest_nested_holes, "_bitmap_comes_and_goes");
	zeros = memory(0);
	ones = memory(0xff);
	run_to_step(vcpu, 1);
	vm_set_slot(&vm, 1, 0, SLOT, SIZE, zeros);
	run_to_step(vcpu, 2);
	vm_set_slot(&vm, 1, 0, 0, 0, zeros);
	run_to_step(vcpu, 3);
	vm_set_slot(&vm, 1, 0, SLOT, SIZE, ones);
	run_to_step(vcpu, 4);
	vm_set_slot(&vm, 1, 0, 0, 0, ones);
	vm_set_slot(&vm, 1, 0, SLOT, SIZE, zeros);
	guest_run_to_end(vcpu);
}

/* Half a second, more or less: the process is dead long before. */
#define TIMER_TICKS	1000000000ull

static void halted_child(volatile u64 *halted_at)
{
	struct vcpu *vcpu;

	vm_create(&vm, VM_EXPOSE | VM_IRQCHIP);
	vcpu = guest_load(&vm, &guest_nested_holes, "_halted_with_a_timer");
	guest_params(&vm)->args[0] = TIMER_TICKS;
	*halted_at = __rdtsc();
	guest_run(vcpu);
}

static void killed_while_a_timer_runs(const void *arg)
{
	volatile u64 *halted_at = mmap(NULL, 4096, PROT_READ | PROT_WRITE,
				       MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	int status = 0;
	pid_t pid = fork();

	if (!pid) {
		halted_child(halted_at);
		_exit(0);
	}
	while (!*halted_at && waitpid(pid, &status, WNOHANG) != pid)
		wait_ms(5);
	wait_ms(100);
	ASSERT(waitpid(pid, &status, WNOHANG) != pid, "the VM has ended: status %#x", status);
	kill(pid, SIGKILL);
	waitpid(pid, &status, 0);
	EXPECT(__rdtsc() - *halted_at < TIMER_TICKS, "this machine is too slow for the test");
	while (__rdtsc() - *halted_at < TIMER_TICKS + TIMER_TICKS / 2)
		wait_ms(20);
}

static void *hop(void *arg)
{
	pthread_t *thread = arg;
	cpu_set_t set;
	int cpu;

	for (cpu = 0;; cpu = !cpu) {
		CPU_ZERO(&set);
		CPU_SET(cpu, &set);
		pthread_setaffinity_np(*thread, sizeof(set), &set);
		wait_ms(4);
	}
	return NULL;
}

static void thread_goes_from_cpu_to_cpu(const void *arg)
{
	pthread_t self = pthread_self(), other;
	struct vcpu *vcpu;

	if (sysconf(_SC_NPROCESSORS_ONLN) < 2)
		ktap_skip("needs two CPUs");
	vm_create(&vm, VM_EXPOSE);
	vcpu = guest_load(&vm, &guest_nested_holes, "_keeps_its_state");
	guest_params(&vm)->args[0] = ROUNDS;
	ASSERT(!pthread_create(&other, NULL, hop, &self), "no thread");
	guest_run_to_end(vcpu);
	EXPECT_EQ(guest_params(&vm)->results[0], ROUNDS - 1, "rounds");
}

#define PLACES	2000

static u64 tables_in_use(void)
{
	struct nestvm_device_info info = { .size = sizeof(info) };

	MUST(vm.dev, NESTVM_GET_DEVICE_INFO, &info);
	return info.table_pages;
}

/* What L0 needs for an L2 is bounded by the VM's memory, whatever L1's EPT says. */
static void one_page_at_many_places(const void *arg)
{
	u64 before;
	struct vcpu *vcpu;

	vm_create(&vm, VM_EXPOSE);
	if (!device_is_nestvm(vm.dev))
		ktap_skip("nestvm tells of its tables");
	vcpu = guest_load(&vm, &guest_nested_holes, "_one_page_at_many_places");
	guest_params(&vm)->args[0] = PLACES;
	before = tables_in_use();
	run_to_step(vcpu, 1);
	EXPECT(tables_in_use() - before < 256 + VM_MEMORY / 4096 / 128 + 32,
	       "%llu tables for a VM of %u pages", tables_in_use() - before, VM_MEMORY / 4096);
	guest_run_to_end(vcpu);
}

int main(int argc, char **argv)
{
	static const struct ktap_case cases[] = {
		{ "bitmap_comes_and_goes", bitmap_comes_and_goes, NULL, 0 },
		{ "killed_while_a_timer_runs", killed_while_a_timer_runs, NULL, 0 },
		{ "one_page_at_many_places", one_page_at_many_places, NULL, 10 * KTAP_TIMEOUT },
		{ "thread_goes_from_cpu_to_cpu", thread_goes_from_cpu_to_cpu, NULL, 0 },
	};

	return guest_main(&guest_nested_holes, cases, ARRAY_LEN(cases), argc, argv);
}
