// SPDX-License-Identifier: GPL-2.0
/*
 * Each thing that can fail on the way through a call fails in turn (the kernel's
 * fault injection: /proc/self/fail-nth): allocations, and copies from and to the
 * caller. The call says so with the right errno or does without, and when the VM is
 * closed nothing of it is left. For the debug kernel; skipped where nothing fails.
 */
#include "lib/guest_run.h"
#include "lib/uapi.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/time.h>
#include <unistd.h>

GUEST(failures);

#define FAIL_NTH	"/proc/thread-self/fail-nth"
#define MOST		3000		/* a way with more places than this has no end */
#define SWEEP_TIME	100		/* seconds */
#define GUEST_TIME	4		/* of the CPU's seconds, more than a guest's way is long */

/* A way: what is there before, and the call or calls in which something fails. */
struct way {
	unsigned int flags;		/* of vm_create() */
	void (*prepare)(struct vm *vm);
	long (*walk)(struct vm *vm);	/* 0 or more, or -errno */
	const char *guest;
};

static long call(int fd, unsigned long cmd, void *arg)
{
	long ret = ioctl(fd, cmd, arg);

	return ret < 0 ? -errno : ret;
}

static bool set(const char *file, const char *value)
{
	int fd = open(file, O_WRONLY);
	bool done = fd >= 0 && write(fd, value, strlen(value)) > 0;

	if (fd >= 0)
		close(fd);
	return done;
}

/* All allocations may fail, and none of it is talked about. */
static void need_failures(void)
{
	static const char * const settings[][2] = {
		{ "failslab/ignore-gfp-wait", "N" },
		{ "failslab/verbose", "0" },
		{ "fail_page_alloc/ignore-gfp-wait", "N" },
		{ "fail_page_alloc/ignore-gfp-highmem", "N" },
		{ "fail_page_alloc/min-order", "0" },
		{ "fail_page_alloc/verbose", "0" },
		{ "fail_usercopy/verbose", "0" },
	};
	char path[96];
	size_t i;

	for (i = 0; i < ARRAY_LEN(settings); i++) {
		snprintf(path, sizeof(path), "/sys/kernel/debug/%s", settings[i][0]);
		if (!set(path, settings[i][1]))
			ktap_skip("this kernel cannot inject failures (%s)", path);
	}
}

static int fail_nth = -1;
static bool armed, fired;	/* the failure is to be, has been */

/* The copy of the number itself may be what fails: again, then. */
static void arm(unsigned int nth)
{
	char text[16];
	int n = snprintf(text, sizeof(text), "%u", nth);

	if (pwrite(fail_nth, text, n, 0) != n && pwrite(fail_nth, text, n, 0) != n)
		ASSERT(false, "%s: %s", FAIL_NTH, strerror(errno));
	armed = nth;
}

/* Read as 0, it has failed; if reading fails, it was this that did. */
static void disarm(void)
{
	char text[16] = "";

	if (!armed)
		return;
	if (pread(fail_nth, text, sizeof(text) - 1, 0) > 0 && text[0] == '0')
		fired = true;
	arm(0);
}

static void expect_nothing_left(int dev, unsigned int nth)
{
	struct nestvm_device_info i = device_info(dev);

	EXPECT(!i.vms && !i.vcpus && !i.vmcs_regions && !i.pinned_pages && !i.table_pages,
	       "failure %u leaves %llu VMs, %llu vCPUs, %llu VMCSs, %llu pinned, %llu EPT pages", nth,
	       (u64)i.vms, (u64)i.vcpus, (u64)i.vmcs_regions, (u64)i.pinned_pages,
	       (u64)i.table_pages);
}

/* What a call may say of a failure; -EINTR is ours, see run(). */
static bool names_failure(long ret)
{
	return ret == -ENOMEM || ret == -EFAULT || ret == -EINTR;
}

/* The failure of the @nth place; false when there are not so many. */
static bool fail_once(const struct way *way, unsigned int nth)
{
	struct vm vm;
	long ret;

	vm_create(&vm, way->flags);
	if (way->guest)
		guest_load(&vm, &guest_failures, way->guest);
	if (way->prepare)
		way->prepare(&vm);
	fired = false;
	arm(nth);
	ret = way->walk(&vm);
	disarm();
	EXPECT(ret >= 0 || (fired && names_failure(ret)), "failure %u: %s", nth, strerror(-ret));
	vm_destroy(&vm);
	return fired;
}

static void sweep(const void *arg)
{
	const struct way *way = arg;
	int dev = nestvm_open();
	unsigned int nth;

	need_failures();
	fail_nth = open(FAIL_NTH, O_RDWR);
	ASSERT(fail_nth >= 0, "%s: %s", FAIL_NTH, strerror(errno));
	for (nth = 1; nth < MOST && !ktap_failed() && fail_once(way, nth); nth++)
		expect_nothing_left(dev, nth);
	EXPECT(nth < MOST, "there is always one more place");
	ktap_say("%u places", nth - 1);
}

/* ---- ways ---------------------------------------------------------------- */

static long create_vm(struct vm *vm)
{
	long fd = call(vm->dev, KVM_CREATE_VM, NULL);

	if (fd >= 0)
		close(fd);
	return fd;
}

static long create_vcpu(struct vm *vm)
{
	long fd = call(vm->fd, KVM_CREATE_VCPU, NULL);

	if (fd >= 0)
		close(fd);
	return fd;
}

static long create_irqchip(struct vm *vm)
{
	return call(vm->fd, KVM_CREATE_IRQCHIP, NULL);
}

static long create_pit(struct vm *vm)
{
	struct kvm_pit_config config = { 0 };

	return call(vm->fd, KVM_CREATE_PIT2, &config);
}

#define SECOND		0x40000000u
#define SECOND_SIZE	(4ul << 20)

static u8 *second;

static void map_second(struct vm *vm)
{
	if (!second)
		second = mmap(NULL, SECOND_SIZE, PROT_READ | PROT_WRITE,
			      MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	ASSERT(second != MAP_FAILED, "%s", strerror(errno));
}

static long set_slot(struct vm *vm, unsigned int flags, size_t size)
{
	struct kvm_userspace_memory_region region = {
		.slot = 1, .flags = flags, .guest_phys_addr = SECOND,
		.memory_size = size, .userspace_addr = (unsigned long)second,
	};

	return call(vm->fd, KVM_SET_USER_MEMORY_REGION, &region);
}

static long add_slot(struct vm *vm)
{
	return set_slot(vm, 0, SECOND_SIZE);
}

static void add_second(struct vm *vm)
{
	map_second(vm);
	ASSERT(!add_slot(vm), "the second slot: %s", strerror(errno));
}

static long log_slot(struct vm *vm)
{
	return set_slot(vm, KVM_MEM_LOG_DIRTY_PAGES, SECOND_SIZE);
}

static long remove_slot(struct vm *vm)
{
	return set_slot(vm, 0, 0);
}

static long get_dirty_log(struct vm *vm)
{
	static u8 bits[SECOND_SIZE / 4096 / 8];
	struct kvm_dirty_log log = { .slot = 1, .dirty_bitmap = bits };

	return call(vm->fd, KVM_GET_DIRTY_LOG, &log);
}

static void log_second(struct vm *vm)
{
	add_second(vm);
	ASSERT(!log_slot(vm), "the dirty log: %s", strerror(errno));
}

static long assign_irqfd(struct vm *vm)
{
	struct kvm_irqfd irqfd = { .fd = eventfd(0, EFD_CLOEXEC), .gsi = 5 };
	long ret = (int)irqfd.fd < 0 ? -errno : call(vm->fd, KVM_IRQFD, &irqfd);

	if ((int)irqfd.fd >= 0)
		close(irqfd.fd);
	return ret;
}

static long assign_ioeventfd(struct vm *vm)
{
	struct kvm_ioeventfd io = { .addr = 0x500, .len = 2, .fd = eventfd(0, EFD_CLOEXEC),
				    .flags = KVM_IOEVENTFD_FLAG_PIO };
	long ret = io.fd < 0 ? -errno : call(vm->fd, KVM_IOEVENTFD, &io);

	if (io.fd >= 0)
		close(io.fd);
	return ret;
}

static long set_routes(struct vm *vm)
{
	struct {
		struct kvm_irq_routing head;
		struct kvm_irq_routing_entry entry[2];
	} routes = { .head.nr = 2 };
	unsigned int i;

	for (i = 0; i < 2; i++) {
		routes.entry[i].gsi = i + 5;
		routes.entry[i].type = KVM_IRQ_ROUTING_IRQCHIP;
		routes.entry[i].u.irqchip.irqchip = KVM_IRQCHIP_IOAPIC;
		routes.entry[i].u.irqchip.pin = i + 5;
	}
	return call(vm->fd, KVM_SET_GSI_ROUTING, &routes);
}

/* Everything of a vCPU, out and in again. */
static long vcpu_state(struct vm *vm)
{
	static union {
		struct kvm_nested_state nested;
		struct kvm_xsave xsave;
		struct kvm_lapic_state lapic;
		struct kvm_sregs sregs;
		struct kvm_vcpu_events events;
		u8 size[16384];
	} u;
	static const unsigned long cmds[][2] = {
		{ KVM_GET_SREGS, KVM_SET_SREGS }, { KVM_GET_XSAVE, KVM_SET_XSAVE },
		{ KVM_GET_LAPIC, KVM_SET_LAPIC },
		{ KVM_GET_VCPU_EVENTS, KVM_SET_VCPU_EVENTS },
		{ KVM_GET_NESTED_STATE, KVM_SET_NESTED_STATE },
	};
	int fd = vm->vcpus[0].fd;
	size_t i, way;
	long ret;

	for (i = 0; i < ARRAY_LEN(cmds); i++) {
		memset(&u, 0, sizeof(u));
		if (cmds[i][0] == KVM_GET_NESTED_STATE)
			u.nested.size = sizeof(u);
		for (way = 0; way < 2; way++) {
			ret = call(fd, cmds[i][way], &u);
			if (ret < 0)
				return ret;
		}
	}
	return 0;
}

static long set_cpuid(struct vm *vm)
{
	static struct {
		struct kvm_cpuid2 head;
		struct kvm_cpuid_entry2 entry[256];
	} cpuid;
	long ret;

	cpuid.head.nent = ARRAY_LEN(cpuid.entry);
	ret = call(vm->dev, KVM_GET_SUPPORTED_CPUID, &cpuid);
	return ret < 0 ? ret : call(vm->vcpus[0].fd, KVM_SET_CPUID2, &cpuid);
}

static void interrupt(int sig)
{
}

/*
 * To the guest's end or the first stop that is none of its own. What fails within an
 * instruction may be the guest's error or an internal one, and a guest that has gone
 * astray is stopped after some seconds: the host is what counts.
 */
static long run(struct vm *vm)
{
	struct itimerval time = { .it_value.tv_sec = GUEST_TIME };
	struct sigaction sa = { .sa_handler = interrupt };	/* no SA_RESTART */
	struct vcpu *vcpu = &vm->vcpus[0];
	int ret;

	sigaction(SIGPROF, &sa, NULL);
	setitimer(ITIMER_PROF, &time, NULL);
	do {
		ret = vcpu_run(vcpu);
	} while (ret == KVM_EXIT_IO && vcpu->run->io.port != GUEST_PORT_END);
	return ret;
}

/* Another turn on the same vCPU: what a failure left half-done is taken up or refused. */
static long run_again(struct vm *vm)
{
	long ret = run(vm);

	disarm();
	run(vm);
	return ret;
}

#define WAY(...) &(const struct way){ __VA_ARGS__ }, SWEEP_TIME

static const struct ktap_case cases[] = {
	{ "create_vm", sweep, WAY(.walk = create_vm) },
	{ "create_vcpu", sweep, WAY(.walk = create_vcpu) },
	{ "create_vcpu_irqchip", sweep, WAY(.flags = VM_IRQCHIP, .walk = create_vcpu) },
	{ "create_vcpu_exposed", sweep, WAY(.flags = VM_EXPOSE, .walk = create_vcpu) },
	{ "create_irqchip", sweep, WAY(.walk = create_irqchip) },
	{ "create_pit", sweep, WAY(.flags = VM_IRQCHIP, .walk = create_pit) },
	{ "add_slot", sweep, WAY(.prepare = map_second, .walk = add_slot) },
	{ "add_slot_dynamic", sweep, WAY(.flags = VM_DYNAMIC, .prepare = map_second, .walk = add_slot) },
	{ "log_slot", sweep, WAY(.prepare = add_second, .walk = log_slot) },
	{ "log_slot_dynamic", sweep, WAY(.flags = VM_DYNAMIC, .prepare = add_second, .walk = log_slot) },
	{ "remove_slot", sweep, WAY(.prepare = add_second, .walk = remove_slot) },
	{ "get_dirty_log", sweep, WAY(.prepare = log_second, .walk = get_dirty_log) },
	{ "assign_irqfd", sweep, WAY(.flags = VM_IRQCHIP, .walk = assign_irqfd) },
	{ "assign_ioeventfd", sweep, WAY(.walk = assign_ioeventfd) },
	{ "set_routes", sweep, WAY(.flags = VM_IRQCHIP, .walk = set_routes) },
	{ "set_cpuid", sweep, WAY(.guest = "_memory", .walk = set_cpuid) },
	{ "vcpu_state", sweep, WAY(.flags = VM_IRQCHIP | VM_EXPOSE, .guest = "_l2", .walk = vcpu_state) },
	{ "run_static", sweep, WAY(.guest = "_memory", .walk = run) },
	{ "run_dynamic", sweep, WAY(.flags = VM_DYNAMIC, .guest = "_memory", .walk = run) },
	{ "run_l2", sweep, WAY(.flags = VM_EXPOSE, .guest = "_l2", .walk = run) },
	{ "run_l2_with_ept", sweep, WAY(.flags = VM_EXPOSE, .guest = "_l2_with_ept", .walk = run_again) },
};

int main(int argc, char **argv)
{
	return ktap_main(cases, ARRAY_LEN(cases), argc, argv);
}
