// SPDX-License-Identifier: GPL-2.0
/*
 * The process that owns the VM is killed while L2 runs: on nestvm all counters
 * are then what they were before.
 */
#include "lib/guest_run.h"
#include "lib/uapi.h"

#include <pthread.h>
#include <signal.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

GUEST(nested_close_in_l2);

struct how {
	const char *guest;
	unsigned int flags;
};

static void wait_ms(long ms)
{
	struct timespec ts = { ms / 1000, ms % 1000 * 1000000 };

	nanosleep(&ts, NULL);
}

static struct vm vm;

/* Tell the parent once L2 has counted something. */
static void *watch(void *seen)
{
	while (!guest_params(&vm)->results[0])
		wait_ms(5);
	*(volatile u64 *)seen = 1;
	return NULL;
}

static void child(const struct how *how, volatile u64 *seen)
{
	pthread_t thread;
	struct vcpu *vcpu;

	vm_create(&vm, VM_EXPOSE | how->flags);
	vcpu = guest_load(&vm, &guest_nested_close_in_l2, how->guest);
	ASSERT(!pthread_create(&thread, NULL, watch, (void *)seen), "no thread");
	guest_run_to_end(vcpu);
}

static void killed(const void *arg)
{
	volatile u64 *seen = mmap(NULL, 4096, PROT_READ | PROT_WRITE,
				  MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	struct nestvm_device_info before = { 0 }, after = { 0 };
	int dev = device_open(), status, i;
	bool nestvm = device_is_nestvm(dev);
	pid_t pid;

	if (nestvm)
		before = device_info(dev);
	pid = fork();
	if (!pid) {
		child(arg, seen);
		_exit(0);
	}
	for (i = 0; i < 200 && !*seen; i++) {
		wait_ms(20);
		if (waitpid(pid, &status, WNOHANG) == pid)
			return;		/* skipped, or failed and said why */
	}
	ASSERT(*seen, "L2 does not run");
	wait_ms(50);
	if (nestvm)
		EXPECT(device_info(dev).vms == before.vms + 1, "%llu VMs", device_info(dev).vms);
	kill(pid, SIGKILL);
	waitpid(pid, &status, 0);
	EXPECT(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL, "status %#x", status);
	if (!nestvm)
		return;
	for (i = 0; i < 50; i++) {	/* the last reference may go a moment later */
		after = device_info(dev);
		if (after.vms == before.vms && after.pinned_pages == before.pinned_pages)
			break;
		wait_ms(20);
	}
	EXPECT_EQ(after.vms, before.vms, "VMs");
	EXPECT_EQ(after.vcpus, before.vcpus, "vCPUs");
	EXPECT_EQ(after.vmcs_regions, before.vmcs_regions, "VMCS regions");
	EXPECT_EQ(after.pinned_pages, before.pinned_pages, "pinned pages");
	EXPECT_EQ(after.table_pages, before.table_pages, "EPT pages");
}

int main(int argc, char **argv)
{
	static const struct how plain = { "_without_ept", 0 }, ept = { "_with_ept", 0 };
	static const struct how halted = { "_halted", VM_IRQCHIP };
	static const struct ktap_case cases[] = {
		{ "killed_without_ept", killed, &plain, 0 },
		{ "killed_with_ept", killed, &ept, 0 },
		{ "killed_while_l2_halts", killed, &halted, 0 },
	};

	return guest_main(&guest_nested_close_in_l2, cases, ARRAY_LEN(cases), argc, argv);
}
