// SPDX-License-Identifier: GPL-2.0
/* KVM_RUN ends at once for a signal or immediate_exit, and goes on where it was. */
#include "lib/guest_run.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

GUEST(run_stop);

#define PROMPT_MS	500	/* generous: the machine is emulated */

static struct vm vm;

static long now_ms(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec * 1000 + ts.tv_nsec / 1000000;
}

static volatile long signalled_at;

static void on_signal(int sig)
{
	signalled_at = now_ms();
}

static void signal_in(unsigned int ms)
{
	struct sigaction sa = { .sa_handler = on_signal };
	struct itimerval timer = { .it_value = { 0, ms * 1000 } };

	sigaction(SIGVTALRM, &sa, NULL);
	sigaction(SIGUSR1, &sa, NULL);
	sigaction(SIGPROF, &sa, NULL);
	setitimer(ITIMER_PROF, &timer, NULL);
}

/* A signal from another thread; @arg names the guest: spinning or halted. */
static void *kill_main(void *thread)
{
	struct timespec pause = { 0, 100000000 };

	nanosleep(&pause, NULL);
	pthread_kill(*(pthread_t *)thread, SIGUSR1);
	return NULL;
}

static void signal_stops(const void *arg)
{
	struct sigaction sa = { .sa_handler = on_signal };
	pthread_t self = pthread_self(), other;
	struct vcpu *vcpu;
	long ended;
	int ret;

	vm_create(&vm, !strcmp(arg, "_halt") ? VM_IRQCHIP : 0);
	vcpu = guest_load(&vm, &guest_run_stop, arg);
	sigaction(SIGUSR1, &sa, NULL);
	ASSERT(!pthread_create(&other, NULL, kill_main, &self), "no thread");
	ret = vcpu_run(vcpu);
	ended = now_ms();
	EXPECT_EQ(ret, -EINTR, "KVM_RUN");
	EXPECT_EQ(vcpu->run->exit_reason, KVM_EXIT_INTR, "the exit reason");
	EXPECT(signalled_at && ended - signalled_at < PROMPT_MS, "%ld ms after the signal",
	       ended - signalled_at);
	pthread_join(other, NULL);
}

/* Time of the guest is time of the process: a profiling timer runs while it spins. */
static void own_timer_stops(const void *arg)
{
	struct vcpu *vcpu;
	u64 before, i;

	vm_create(&vm, 0);
	vcpu = guest_load(&vm, &guest_run_stop, "_spin");
	for (i = 0; i < 3; i++) {
		before = guest_params(&vm)->results[0];
		signal_in(50);
		EXPECT_EQ(vcpu_run(vcpu), -EINTR, "KVM_RUN");
		EXPECT(guest_params(&vm)->results[0] > before,
		       "the guest did not go on in round %llu", i);
	}
}

static void immediate_exit(const void *arg)
{
	struct kvm_regs before, after;
	struct vcpu *vcpu;

	vm_create(&vm, 0);
	if (!device_cap(vm.dev, KVM_CAP_IMMEDIATE_EXIT))
		ktap_skip("no KVM_CAP_IMMEDIATE_EXIT");
	vcpu = guest_load(&vm, &guest_run_stop, "_spin");
	MUST(vcpu->fd, KVM_GET_REGS, &before);
	vcpu->run->immediate_exit = 1;
	EXPECT_EQ(vcpu_run(vcpu), -EINTR, "KVM_RUN");
	MUST(vcpu->fd, KVM_GET_REGS, &after);
	EXPECT(!memcmp(&before, &after, sizeof(after)), "the guest ran, RIP %llx to %llx",
	       before.rip,
	       after.rip);
}

/* What user space answers to IN and MMIO is taken in even by a KVM_RUN that ends at once. */
static void immediate_exit_completes(const void *arg)
{
	struct vcpu *vcpu;
	struct kvm_regs regs;
	u64 rip;

	vm_create(&vm, 0);
	if (!device_cap(vm.dev, KVM_CAP_IMMEDIATE_EXIT))
		ktap_skip("no KVM_CAP_IMMEDIATE_EXIT");
	vcpu = guest_load(&vm, &guest_run_stop, "_ask");
	vcpu_expect_exit(vcpu, KVM_EXIT_IO);
	MUST(vcpu->fd, KVM_GET_REGS, &regs);
	rip = regs.rip;
	*((u8 *)vcpu->run + vcpu->run->io.data_offset) = 0x42;
	vcpu->run->immediate_exit = 1;
	EXPECT_EQ(vcpu_run(vcpu), -EINTR, "KVM_RUN");
	MUST(vcpu->fd, KVM_GET_REGS, &regs);
	EXPECT(regs.rip > rip && (regs.rax & 0xff) == 0x42, "RIP %llx to %llx, RAX %llx", rip,
	       regs.rip,
	       regs.rax);
	vcpu->run->immediate_exit = 0;
	vcpu_expect_exit(vcpu, KVM_EXIT_MMIO);
	memcpy(vcpu->run->mmio.data, "\x78\x56\x34\x12", 4);
	guest_run_to_end(vcpu);
}

/* A signal blocked for the thread and let through by KVM_SET_SIGNAL_MASK. */
static void signal_mask(const void *arg)
{
	struct {
		struct kvm_signal_mask head;
		u8 set[8];
	} mask = { .head.len = 8 };
	sigset_t blocked;
	struct vcpu *vcpu;

	vm_create(&vm, 0);
	vcpu = guest_load(&vm, &guest_run_stop, "_spin");
	sigemptyset(&blocked);
	sigaddset(&blocked, SIGUSR1);
	sigprocmask(SIG_BLOCK, &blocked, NULL);
	if (ioctl(vcpu->fd, KVM_SET_SIGNAL_MASK, &mask))
		ktap_skip("KVM_SET_SIGNAL_MASK: %s", strerror(errno));
	kill(getpid(), SIGUSR1);
	EXPECT_EQ(vcpu_run(vcpu), -EINTR, "KVM_RUN");
	EXPECT_EQ(guest_params(&vm)->results[0], 0, "how far the guest got");
}

int main(int argc, char **argv)
{
	static const struct ktap_case cases[] = {
		{ "signal_stops_a_spinning_guest", signal_stops, "_spin", 0 },
		{ "signal_stops_a_halted_guest", signal_stops, "_halt", 0 },
		{ "own_timer_stops", own_timer_stops, NULL, 0 },
		{ "immediate_exit", immediate_exit, NULL, 0 },
		{ "immediate_exit_completes", immediate_exit_completes, NULL, 0 },
		{ "signal_mask", signal_mask, NULL, 0 },
	};

	return guest_main(&guest_run_stop, cases, ARRAY_LEN(cases), argc, argv);
}
