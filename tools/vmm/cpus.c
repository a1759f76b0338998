// SPDX-License-Identifier: GPL-2.0
/* A thread for each vCPU, and what is done about each exit. */
#include "machine.h"

#include <errno.h>
#include <signal.h>
#include <stdarg.h>
#include <stdlib.h>
#include <stdio.h>
#include <string.h>

#define KICK_SIGNAL SIGUSR1

#define NEXITS (sizeof(((struct cpu *)0)->exits) / sizeof(uint64_t))

static void die(struct cpu *cpu, const char *meaning, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));

static void die(struct cpu *cpu, const char *meaning, const char *fmt, ...)
{
	char why[256];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(why, sizeof(why), fmt, ap);
	va_end(ap);
	machine_end(cpu->m, END_DIED, 0, report_guest(cpu, why, meaning), "guest died: %s", why);
}

static void exit_io(struct cpu *cpu, struct kvm_run *run)
{
	uint8_t *data = (uint8_t *)run + run->io.data_offset;
	bool write = run->io.direction == KVM_EXIT_IO_OUT;
	uint32_t i;

	for (i = 0; i < run->io.count; i++, data += run->io.size)
		if (!bus_access(&cpu->m->ports, run->io.port, data, run->io.size, write))
			cpu->unclaimed++;
}

static void exit_mmio(struct cpu *cpu, struct kvm_run *run)
{
	if (!bus_access(&cpu->m->mmio, run->mmio.phys_addr, run->mmio.data, run->mmio.len,
			run->mmio.is_write))
		cpu->unclaimed++;
}

static void exit_system_event(struct cpu *cpu, struct kvm_run *run)
{
	switch (run->system_event.type) {
	case KVM_SYSTEM_EVENT_SHUTDOWN:
		machine_end(cpu->m, END_POWEROFF, 0, NULL, "guest powered off");
		break;
	case KVM_SYSTEM_EVENT_RESET:
		machine_end(cpu->m, END_RESET, 0, NULL, "guest asked for a reset");
		break;
	default:
		die(cpu, "The guest told the hypervisor that it had crashed.",
		    "crash event %u", run->system_event.type);
	}
}

static void exit_internal_error(struct cpu *cpu, struct kvm_run *run)
{
	uint32_t sub = run->internal.suberror;

	if (sub == KVM_INTERNAL_ERROR_EMULATION)
		die(cpu, "The device had to carry out an instruction itself and does not know it. The bytes are below.",
		    "an instruction could not be emulated");
	else
		die(cpu, "A mistake in the device, not in the guest: please report it with these lines.",
		    "internal error %u of the device", sub);
}

static void handle_exit(struct cpu *cpu, struct kvm_run *run)
{
	switch (run->exit_reason) {
	case KVM_EXIT_IO:
		exit_io(cpu, run);
		break;
	case KVM_EXIT_MMIO:
		exit_mmio(cpu, run);
		break;
	case KVM_EXIT_IOAPIC_EOI:
		chips_ioapic_eoi(&cpu->m->chips, run->eoi.vector);
		break;
	case KVM_EXIT_INTR:
	case KVM_EXIT_IRQ_WINDOW_OPEN:
		break;
	case KVM_EXIT_SHUTDOWN:
		die(cpu, "An exception, then another while delivering it, then a third: usually a missing or broken IDT, stack or page table. A real PC would reset.",
		    "triple fault");
		break;
	case KVM_EXIT_SYSTEM_EVENT:
		exit_system_event(cpu, run);
		break;
	case KVM_EXIT_FAIL_ENTRY:
		die(cpu, "The CPU refused to enter the guest with this state. The number is the VM-entry failure's exit reason or VM-instruction error.",
		    "failed entry, hardware reason %llxH",
		    (unsigned long long)run->fail_entry.hardware_entry_failure_reason);
		break;
	case KVM_EXIT_INTERNAL_ERROR:
		exit_internal_error(cpu, run);
		break;
	case KVM_EXIT_HLT:
		die(cpu, "It executed HLT and no interrupt controller is there to wake it.",
		    "halted for ever");
		break;
	case KVM_EXIT_UNKNOWN:
		die(cpu, "The CPU left the guest for a reason the device does not handle.",
		    "unhandled exit, hardware reason %llxH",
		    (unsigned long long)run->hw.hardware_exit_reason);
		break;
	default:
		die(cpu, "The device gave the exit to the launcher, which has no use for it.",
		    "exit reason %u", run->exit_reason);
	}
}

/*
 * A kick says "stop" or "look at the PICs". Taking it back comes before looking,
 * so that one that comes after the look still ends the next KVM_RUN.
 */
static bool stopping(struct cpu *cpu)
{
	nvl_vcpu_unkick(cpu->vcpu);
	return __atomic_load_n(&cpu->m->stopping, __ATOMIC_SEQ_CST);
}

/* The split irqchip's PICs interrupt the first vCPU as soon as it lets them. */
static bool offer_pic_interrupt(struct cpu *cpu, struct kvm_run *run)
{
	struct kvm_interrupt intr;
	struct nvl_error err;

	run->request_interrupt_window = 0;
	if (nvl_vcpu_id(cpu->vcpu) || !chips_pic_pending(&cpu->m->chips))
		return true;
	if (!run->ready_for_interrupt_injection) {
		run->request_interrupt_window = 1;
		return true;
	}
	intr.irq = chips_pic_ack(&cpu->m->chips);
	/* Ready for one only; the device says when for the next. */
	run->ready_for_interrupt_injection = 0;
	run->request_interrupt_window = chips_pic_pending(&cpu->m->chips);
	if (nvl_vcpu_ioctl(cpu->vcpu, KVM_INTERRUPT, &intr, "an interrupt cannot be injected",
			   &err) < 0) {
		machine_end(cpu->m, END_HOST_ERROR, 0, NULL, "%s", err.text);
		return false;
	}
	return true;
}

/* One KVM_RUN and what it asks for; false when the device failed. */
static bool run_once(struct cpu *cpu, struct kvm_run *run)
{
	struct nvl_error err;
	int ret;

	ret = nvl_vcpu_run(cpu->vcpu, &err);
	cpu->exit_open = ret == 0;
	if (ret == -EINTR)
		return true;
	if (ret < 0) {
		machine_end(cpu->m, END_HOST_ERROR, 0, NULL, "%s", err.text);
		return false;
	}
	if (run->exit_reason < NEXITS)
		cpu->exits[run->exit_reason]++;
	handle_exit(cpu, run);
	return true;
}

/*
 * "For KVM_EXIT_IO, KVM_EXIT_MMIO, ... the corresponding operations are complete
 * (and guest state is consistent) only after userspace has re-entered the kernel
 * with KVM_RUN": with immediate_exit, which comes back without running the
 * guest. An instruction with several accesses asks for one after the other.
 */
static bool finish_exit(struct cpu *cpu, struct kvm_run *run)
{
	while (cpu->exit_open && !__atomic_load_n(&cpu->m->stopping, __ATOMIC_SEQ_CST)) {
		nvl_vcpu_kick(cpu->vcpu);
		if (!run_once(cpu, run))
			return false;
	}
	return true;
}

/* Until nobody wants the machine paused, or its run ends. */
static void park(struct cpu *cpu)
{
	struct machine *m = cpu->m;

	pthread_mutex_lock(&m->park_lock);
	m->nparked++;
	pthread_cond_broadcast(&m->park_cond);
	while (machine_is_paused(m) && !__atomic_load_n(&m->stopping, __ATOMIC_SEQ_CST))
		pthread_cond_wait(&m->park_cond, &m->park_lock);
	m->nparked--;
	pthread_mutex_unlock(&m->park_lock);
}

static void *cpu_thread(void *arg)
{
	struct cpu *cpu = arg;
	struct kvm_run *run = nvl_vcpu_run_page(cpu->vcpu);

	while (!stopping(cpu)) {
		if (machine_is_paused(cpu->m)) {
			if (!finish_exit(cpu, run))
				break;
			park(cpu);
			continue;
		}
		if (cpu->m->split && !offer_pic_interrupt(cpu, run))
			break;
		if (!run_once(cpu, run))
			break;
	}
	return NULL;
}

static void on_kick(int sig)
{
	(void)sig;	/* only there to interrupt KVM_RUN */
}

int cpus_create(struct machine *m, struct nvl_error *err)
{
	unsigned int i;
	int ret;

	for (i = 0; i < m->conf->vcpus; i++) {
		struct cpu *cpu = &m->cpus[i];

		cpu->m = m;
		ret = nvl_vcpu_create(m->vm, i, &cpu->vcpu, err);
		if (ret < 0)
			return ret;
		m->ncpus++;
		ret = cpuid_fix(m, cpu->vcpu, err);
		if (ret < 0)
			return ret;
	}
	return 0;
}

int cpus_start(struct machine *m, struct nvl_error *err)
{
	struct sigaction sa = { .sa_handler = on_kick };
	unsigned int i;
	int ret;

	sigaction(KICK_SIGNAL, &sa, NULL);
	for (i = 0; i < m->ncpus; i++) {
		ret = pthread_create(&m->cpus[i].thread, NULL, cpu_thread, &m->cpus[i]);
		if (ret)
			return nvl_fail(err, ret, "no thread for vCPU %u: %s.", i, strerror(ret));
		__atomic_store_n(&m->cpus[i].started, true, __ATOMIC_RELEASE);
	}
	return 0;
}

void cpus_interrupt(struct machine *m)
{
	struct cpu *cpu = &m->cpus[0];

	if (!__atomic_load_n(&cpu->started, __ATOMIC_ACQUIRE) ||
	    pthread_equal(pthread_self(), cpu->thread))
		return;
	nvl_vcpu_kick(cpu->vcpu);
	pthread_kill(cpu->thread, KICK_SIGNAL);
}

static void kick_all(struct machine *m)
{
	unsigned int i;

	for (i = 0; i < m->ncpus; i++) {
		if (!__atomic_load_n(&m->cpus[i].started, __ATOMIC_ACQUIRE))
			continue;
		/* Flag first: a signal before KVM_RUN would be forgotten, the flag is not. */
		nvl_vcpu_kick(m->cpus[i].vcpu);
		pthread_kill(m->cpus[i].thread, KICK_SIGNAL);
	}
}

static unsigned int nstarted(struct machine *m)
{
	unsigned int i, n = 0;

	for (i = 0; i < m->ncpus; i++)
		n += __atomic_load_n(&m->cpus[i].started, __ATOMIC_ACQUIRE);
	return n;
}

int cpus_park(struct machine *m, struct nvl_error *err)
{
	bool parked;

	kick_all(m);
	pthread_mutex_lock(&m->park_lock);
	while (!__atomic_load_n(&m->stopping, __ATOMIC_SEQ_CST) && m->nparked < nstarted(m))
		pthread_cond_wait(&m->park_cond, &m->park_lock);
	parked = !__atomic_load_n(&m->stopping, __ATOMIC_SEQ_CST);
	pthread_mutex_unlock(&m->park_lock);
	if (!parked)
		return nvl_fail(err, ESHUTDOWN, "the guest's run has ended: %s.", m->end_text);
	return 0;
}

void cpus_unpark(struct machine *m)
{
	pthread_mutex_lock(&m->park_lock);
	pthread_cond_broadcast(&m->park_cond);
	pthread_mutex_unlock(&m->park_lock);
}

void cpus_stop(struct machine *m)
{
	unsigned int i;

	__atomic_store_n(&m->stopping, true, __ATOMIC_SEQ_CST);
	cpus_unpark(m);
	kick_all(m);
	for (i = 0; i < m->ncpus; i++) {
		if (m->cpus[i].started)
			pthread_join(m->cpus[i].thread, NULL);
		m->cpus[i].started = false;
	}
}

void cpus_destroy(struct machine *m)
{
	unsigned int i;

	for (i = 0; i < m->ncpus; i++)
		nvl_vcpu_destroy(m->cpus[i].vcpu);
	m->ncpus = 0;
}
