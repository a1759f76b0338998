// SPDX-License-Identifier: GPL-2.0
/*
 * Random ioctls with random arguments on the device, VM and vCPU files. Nothing
 * is expected of the answers; the kernel survives, its log stays clean, and all
 * that was made goes away.
 *
 *	fuzz_ioctl [--device PATH]	seed and number of calls: $FUZZ_SEED, $FUZZ_COUNT
 */
#include "lib/uapi.h"
#include "lib/canary.h"
#include "lib/random.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#define COUNT	10000
#define PER_VM	250
#define ARENA	(1u << 20)
#define CANARY_MIB	64

/* KVM_SET_SIGNAL_MASK is left out: it could shut out what ends KVM_RUN here. */
static const unsigned long commands[] = {
	KVM_GET_API_VERSION, KVM_CREATE_VM, KVM_CHECK_EXTENSION, KVM_GET_VCPU_MMAP_SIZE,
	KVM_GET_SUPPORTED_CPUID, KVM_GET_MSR_INDEX_LIST, KVM_GET_EMULATED_CPUID,
	KVM_GET_MSR_FEATURE_INDEX_LIST, NESTVM_GET_DEVICE_INFO, NESTVM_GET_REFUSAL,
	KVM_CREATE_VCPU, KVM_SET_USER_MEMORY_REGION, KVM_GET_DIRTY_LOG, KVM_CLEAR_DIRTY_LOG,
	KVM_SET_TSS_ADDR,
	KVM_SET_IDENTITY_MAP_ADDR, KVM_SET_BOOT_CPU_ID, KVM_CREATE_IRQCHIP, KVM_CREATE_PIT2,
	KVM_GET_IRQCHIP, KVM_SET_IRQCHIP, KVM_GET_PIT2, KVM_SET_PIT2, KVM_SET_GSI_ROUTING,
	KVM_IRQFD, KVM_IOEVENTFD, KVM_ENABLE_CAP, KVM_IRQ_LINE, KVM_IRQ_LINE_STATUS,
	KVM_SIGNAL_MSI, KVM_REINJECT_CONTROL, KVM_CREATE_DEVICE, KVM_GET_CLOCK, KVM_SET_CLOCK,
	NESTVM_SET_EXPOSE, NESTVM_SET_MEMORY_MODE, NESTVM_GET_VM_INFO,
	KVM_RUN, KVM_GET_REGS, KVM_SET_REGS, KVM_GET_SREGS, KVM_SET_SREGS, KVM_GET_FPU,
	KVM_SET_FPU, KVM_GET_XSAVE, KVM_SET_XSAVE, KVM_GET_XCRS, KVM_SET_XCRS, KVM_GET_MSRS,
	KVM_SET_MSRS, KVM_SET_CPUID2, KVM_GET_CPUID2, KVM_GET_LAPIC, KVM_SET_LAPIC,
	KVM_GET_MP_STATE, KVM_SET_MP_STATE, KVM_GET_VCPU_EVENTS, KVM_SET_VCPU_EVENTS,
	KVM_GET_DEBUGREGS, KVM_SET_DEBUGREGS, KVM_INTERRUPT, KVM_NMI, KVM_GET_TSC_KHZ,
	KVM_SET_TSC_KHZ, KVM_TRANSLATE, KVM_SET_GUEST_DEBUG, KVM_GET_NESTED_STATE,
	KVM_SET_NESTED_STATE, KVM_GET_SREGS2, KVM_SET_SREGS2, KVM_HAS_DEVICE_ATTR,
	KVM_GET_DEVICE_ATTR, KVM_SET_DEVICE_ATTR, KVM_GET_STATS_FD, KVM_KVMCLOCK_CTRL,
	NESTVM_GET_ENTRY_FAILURE, KVM_X86_GET_MCE_CAP_SUPPORTED, KVM_X86_SETUP_MCE, KVM_X86_SET_MCE,
};

static u8 *arena;
static int some_fds[3];

/* A word as it might stand in an argument: more often one that means something. */
static u64 word(void)
{
	switch (below(10)) {
	case 0:
	case 1:
	case 2:
		return below(8);
	case 3:
		return below(0x100);
	case 4:
		return below(64) << 12;
	case 5:
		return (uintptr_t)arena + (below(ARENA >> 12) << 12);
	case 6:
		return 1ull << below(64);
	case 7:
		return -below(0x1000);
	case 8:
		return some_fds[below(3)];
	default:
		return random64();
	}
}

/* In 32-bit units, as most structures are made of, so that a field is a whole word. */
static void fill(u8 *at, size_t bytes)
{
	size_t i;

	for (i = 0; i + 8 <= bytes; i += 8) {
		u64 w = below(2) ? word() : (word() & 0xffffffff) | word() << 32;

		memcpy(at + i, &w, 8);
	}
}

static u64 argument(unsigned long cmd)
{
	u32 size = _IOC_SIZE(cmd);

	switch (below(12)) {
	case 0:
		return below(16);
	case 1:
		return word();
	case 2:
		return (uintptr_t)arena + ARENA - below(64);	/* memory ends inside */
	default:
		fill(arena, below(4) ? (size + 63) & ~7u : 4096);
		if (below(2)) {			/* a good size in front, as NESTVM_ asks for */
			u32 sizes[] = { 8, 16, 32, 40, 64, 104, 256, size };

			memcpy(arena, &sizes[below(8)], 4);
		}
		return (uintptr_t)arena;
	}
}

static bool gives_fd(unsigned long cmd)
{
	return cmd == KVM_CREATE_VM || cmd == KVM_CREATE_VCPU || cmd == KVM_GET_STATS_FD;
}

static void one_call(const int *fds)
{
	unsigned long cmd = commands[below(ARRAY_LEN(commands))];
	int fd = fds[below(3)], ret;

	if (!below(20))
		cmd = below(2) ? random64() & 0xffffffff :
		      _IOC(below(4), 0xae + below(2), below(256), below(0x200));
	ret = ioctl(fd, cmd, argument(cmd));
	if (ret > 2 && gives_fd(cmd))
		close(ret);
}

static void on_signal(int sig)
{
}

/* Ends KVM_RUN now and then, whatever the guest has become. */
static void *interrupt_runs(void *thread)
{
	struct timespec wait = { 0, 5000000 };

	for (;;) {
		nanosleep(&wait, NULL);
		pthread_kill(*(pthread_t *)thread, SIGUSR1);
	}
	return NULL;
}

static void one_vm(int dev, unsigned int calls)
{
	struct nestvm_expose expose = { sizeof(expose), 1 };
	struct kvm_userspace_memory_region region = {
		.memory_size = 0x10000, .userspace_addr = (uintptr_t)arena,
	};
	struct kvm_run *run;
	sigset_t usr1;
	int fds[3];

	sigemptyset(&usr1);
	sigaddset(&usr1, SIGUSR1);
	pthread_sigmask(SIG_BLOCK, &usr1, NULL);	/* making a VM can be interrupted, too */
	fds[0] = dev;
	fds[1] = MUST(dev, KVM_CREATE_VM, 0);
	if (below(2))
		ioctl(fds[1], NESTVM_SET_EXPOSE, &expose);
	if (below(2))
		ioctl(fds[1], KVM_CREATE_IRQCHIP, 0);
	if (below(2))
		ioctl(fds[1], KVM_SET_USER_MEMORY_REGION, &region);
	fds[2] = MUST(fds[1], KVM_CREATE_VCPU, 0);
	pthread_sigmask(SIG_UNBLOCK, &usr1, NULL);
	run = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, fds[2], 0);
	while (calls--) {
		if (run != MAP_FAILED && !below(8))
			fill((u8 *)run, 4096);
		one_call(fds);
	}
	if (run != MAP_FAILED)
		munmap(run, 4096);
	close(fds[2]);
	close(fds[1]);
}

static void random_ioctls(const void *arg)
{
	struct sigaction sa = { .sa_handler = on_signal };
	u64 seed = from_env("FUZZ_SEED", 1), count = from_env("FUZZ_COUNT", COUNT), done;
	struct nestvm_device_info before, after;
	pthread_t self = pthread_self(), thread;
	int dev = device_open();
	bool nestvm = device_is_nestvm(dev);

	ktap_say("FUZZ_SEED=%llu FUZZ_COUNT=%llu", seed, count);
	random_seed(seed);
	canary_start(CANARY_MIB);
	memset(&before, 0, sizeof(before));
	if (nestvm)
		before = device_info(dev);
	arena = mmap(NULL, ARENA + 4096, PROT_READ | PROT_WRITE | PROT_EXEC,
		     MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	mprotect(arena + ARENA, 4096, PROT_NONE);
	some_fds[0] = eventfd(0, EFD_NONBLOCK);
	some_fds[1] = eventfd(0, EFD_NONBLOCK);
	some_fds[2] = dev;
	sigaction(SIGUSR1, &sa, NULL);
	ASSERT(!pthread_create(&thread, NULL, interrupt_runs, &self), "no thread");
	for (done = 0; done < count; done += PER_VM) {
		one_vm(dev, PER_VM);
		canary_stir();
	}
	canary_check();
	if (!nestvm)
		return;
	after = device_info(dev);
	EXPECT_EQ(after.vms, before.vms, "VMs");
	EXPECT_EQ(after.vcpus, before.vcpus, "vCPUs");
	EXPECT_EQ(after.vmcs_regions, before.vmcs_regions, "VMCS regions");
	EXPECT_EQ(after.pinned_pages, before.pinned_pages, "pinned pages");
	EXPECT_EQ(after.table_pages, before.table_pages, "EPT pages");
}

int main(int argc, char **argv)
{
	static const struct ktap_case cases[] = {
		{ "random_ioctls", random_ioctls, NULL, 300 },
	};

	return ktap_main(cases, ARRAY_LEN(cases), argc, argv);
}
