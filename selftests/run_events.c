// SPDX-License-Identifier: GPL-2.0
/* Events user space gives to a vCPU without in-kernel APIC: interrupts, NMIs, exceptions. */
#include "lib/guest_run.h"

#include <errno.h>
#include <sys/ioctl.h>

GUEST(run_events);

static struct vm vm;

static struct vcpu *start(const char *name)
{
	vm_create(&vm, 0);
	return guest_load(&vm, &guest_run_events, name);
}

static struct kvm_interrupt irq = { .irq = 0x55 };

static void interrupt_ends_hlt(const void *arg)
{
	struct vcpu *vcpu = start("_wait_for_interrupt");
	int i;

	for (i = 0; i < 2; i++) {
		vcpu_expect_exit(vcpu, KVM_EXIT_HLT);
		EXPECT_EQ(vcpu->run->if_flag, 1, "if_flag");
		EXPECT_EQ(vcpu->run->ready_for_interrupt_injection, 1,
			  "ready_for_interrupt_injection");
		MUST(vcpu->fd, KVM_INTERRUPT, &irq);
	}
	guest_run_to_end(vcpu);
}

static void interrupt_window(const void *arg)
{
	struct vcpu *vcpu = start("_window");

	vcpu_expect_exit(vcpu, KVM_EXIT_IO);
	EXPECT_EQ(vcpu->run->if_flag, 0, "if_flag");
	EXPECT_EQ(vcpu->run->ready_for_interrupt_injection, 0, "ready_for_interrupt_injection");
	vcpu->run->request_interrupt_window = 1;
	vcpu_expect_exit(vcpu, KVM_EXIT_IRQ_WINDOW_OPEN);
	EXPECT_EQ(vcpu->run->if_flag, 1, "if_flag");
	EXPECT_EQ(vcpu->run->ready_for_interrupt_injection, 1, "ready_for_interrupt_injection");
	vcpu->run->request_interrupt_window = 0;
	MUST(vcpu->fd, KVM_INTERRUPT, &irq);
	guest_run_to_end(vcpu);
}

static void nmi(const void *arg)
{
	struct vcpu *vcpu = start("_nmi");

	if (!device_cap(vm.dev, KVM_CAP_USER_NMI))
		ktap_skip("no KVM_CAP_USER_NMI");
	vcpu_expect_exit(vcpu, KVM_EXIT_IO);
	MUST(vcpu->fd, KVM_NMI, 0);
	vcpu_expect_exit(vcpu, KVM_EXIT_IO);
	MUST(vcpu->fd, KVM_NMI, 0);
	guest_run_to_end(vcpu);
}

static void exception_through_vcpu_events(const void *arg)
{
	struct vcpu *vcpu = start("_injected_exception");
	struct kvm_vcpu_events e;

	vcpu_expect_exit(vcpu, KVM_EXIT_IO);
	/* Complete the OUT first, as the API asks, so that the exception comes behind it. */
	vcpu->run->immediate_exit = 1;
	EXPECT_EQ(vcpu_run(vcpu), -EINTR, "KVM_RUN");
	vcpu->run->immediate_exit = 0;
	MUST(vcpu->fd, KVM_GET_VCPU_EVENTS, &e);
	e.exception.injected = 1;
	e.exception.nr = 13;
	e.exception.has_error_code = 1;
	e.exception.error_code = 0x1234;
	MUST(vcpu->fd, KVM_SET_VCPU_EVENTS, &e);
	guest_run_to_end(vcpu);
}

static void refused(const void *arg)
{
	struct kvm_interrupt bad = { .irq = 256 };
	struct kvm_vcpu_events e;
	struct vcpu *vcpu;

	vm_create(&vm, 0);
	vcpu = vm_add_vcpu(&vm);
	EXPECT(ioctl(vcpu->fd, KVM_INTERRUPT, &bad) < 0 && errno == EINVAL, "%d", errno);
	MUST(vcpu->fd, KVM_GET_VCPU_EVENTS, &e);
	e.exception.injected = 1;
	e.exception.nr = 2;
	EXPECT(ioctl(vcpu->fd, KVM_SET_VCPU_EVENTS, &e) < 0 && errno == EINVAL,
	       "an exception of vector 2");
	e.exception.nr = 32;
	EXPECT(ioctl(vcpu->fd, KVM_SET_VCPU_EVENTS, &e) < 0 && errno == EINVAL,
	       "an exception of vector 32");
	e.exception.injected = 0;
	e.flags = 1u << 31;
	EXPECT(ioctl(vcpu->fd, KVM_SET_VCPU_EVENTS, &e) < 0 && errno == EINVAL, "an unknown flag");
	vm_destroy(&vm);

	vm_create(&vm, VM_IRQCHIP);
	vcpu = vm_add_vcpu(&vm);
	EXPECT(ioctl(vcpu->fd, KVM_INTERRUPT, &irq) < 0 && errno == ENXIO, "with an APIC: %d",
	       errno);
}

int main(int argc, char **argv)
{
	static const struct ktap_case cases[] = {
		{ "interrupt_ends_hlt", interrupt_ends_hlt, NULL, 0 },
		{ "interrupt_window", interrupt_window, NULL, 0 },
		{ "nmi", nmi, NULL, 0 },
		{ "exception_through_vcpu_events", exception_through_vcpu_events, NULL, 0 },
		{ "refused", refused, NULL, 0 },
	};

	return guest_main(&guest_run_events, cases, ARRAY_LEN(cases), argc, argv);
}
