// SPDX-License-Identifier: GPL-2.0
/* Events user space gives to a vCPU: interrupts of its PIC, NMIs, exceptions, machine checks. */
#include "lib/guest_run.h"

#include <errno.h>
#include <sys/ioctl.h>

GUEST(run_events);

static struct vm vm;

static struct vcpu *start_with(unsigned int flags, const char *name)
{
	vm_create(&vm, flags);
	return guest_load(&vm, &guest_run_events, name);
}

static struct vcpu *start(const char *name)
{
	return start_with(0, name);
}

/* Run to the guest's STEP(@step). */
static void run_to_step(struct vcpu *vcpu, u8 step)
{
	EXPECT_EQ(guest_run(vcpu), KVM_EXIT_IO, "how the guest comes to its next step");
	EXPECT_EQ(*((u8 *)vcpu->run + vcpu->run->io.data_offset), step, "the step");
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

/* With the split irqchip the PIC is ours; LINT0 of the local APIC takes what it gives. */
static void split_interrupt(const void *arg)
{
	struct vcpu *vcpu = start_with(VM_SPLIT, "_split");

	run_to_step(vcpu, 1);
	EXPECT_EQ(vcpu->run->if_flag, 0, "if_flag");
	EXPECT_EQ(vcpu->run->ready_for_interrupt_injection, 0, "ready_for_interrupt_injection");
	vcpu->run->request_interrupt_window = 1;
	vcpu_expect_exit(vcpu, KVM_EXIT_IRQ_WINDOW_OPEN);
	EXPECT_EQ(vcpu->run->if_flag, 1, "if_flag");
	EXPECT_EQ(vcpu->run->ready_for_interrupt_injection, 1, "ready_for_interrupt_injection");
	vcpu->run->request_interrupt_window = 0;
	MUST(vcpu->fd, KVM_INTERRUPT, &irq);
	run_to_step(vcpu, 2);			/* LINT0 is masked: no window, and none comes */
	vcpu->run->request_interrupt_window = 1;
	run_to_step(vcpu, 3);
	EXPECT_EQ(vcpu->run->if_flag, 1, "if_flag");
	EXPECT_EQ(vcpu->run->ready_for_interrupt_injection, 0,
		  "ready_for_interrupt_injection with LINT0 masked");
	vcpu->run->request_interrupt_window = 0;
	MUST(vcpu->fd, KVM_INTERRUPT, &irq);
	EXPECT(ioctl(vcpu->fd, KVM_INTERRUPT, &irq) < 0 && errno == EEXIST,
	       "a second one while the first waits: %d", errno);
	guest_run_to_end(vcpu);
}

/* A CPU that halts with interrupts on waits for just that. */
static void split_window_in_hlt(const void *arg)
{
	struct vcpu *vcpu = start_with(VM_SPLIT, "_split_wait");

	run_to_step(vcpu, 1);
	vcpu->run->request_interrupt_window = 1;
	vcpu_expect_exit(vcpu, KVM_EXIT_IRQ_WINDOW_OPEN);
	MUST(vcpu->fd, KVM_INTERRUPT, &irq);
	vcpu->run->request_interrupt_window = 0;
	run_to_step(vcpu, 2);
	vcpu->run->request_interrupt_window = 1;
	vcpu_expect_exit(vcpu, KVM_EXIT_IRQ_WINDOW_OPEN);
	vcpu_expect_exit(vcpu, KVM_EXIT_IRQ_WINDOW_OPEN);	/* again, as nothing was given */
	MUST(vcpu->fd, KVM_INTERRUPT, &irq);
	vcpu->run->request_interrupt_window = 0;
	guest_run_to_end(vcpu);
}

/* What was given and waits is in the state that is saved, and put back comes once. */
static void split_interrupt_kept(const void *arg)
{
	struct vcpu *vcpu = start_with(VM_SPLIT, "_split_late");
	struct kvm_vcpu_events e;
	struct kvm_sregs s;

	run_to_step(vcpu, 1);
	MUST(vcpu->fd, KVM_INTERRUPT, &irq);
	MUST(vcpu->fd, KVM_GET_SREGS, &s);
	MUST(vcpu->fd, KVM_GET_VCPU_EVENTS, &e);
	if (device_is_nestvm(vm.dev)) {		/* KVM forgets it */
		EXPECT_EQ(s.interrupt_bitmap[1], 1ull << (0x55 - 64), "the bitmap");
		EXPECT_EQ(e.interrupt.injected, 0, "interrupt.injected with IF = 0");
	}
	MUST(vcpu->fd, KVM_SET_SREGS, &s);
	MUST(vcpu->fd, KVM_SET_VCPU_EVENTS, &e);
	run_to_step(vcpu, 2);
	run_to_step(vcpu, 3);			/* IF = 1 */
	MUST(vcpu->fd, KVM_INTERRUPT, &irq);
	MUST(vcpu->fd, KVM_GET_VCPU_EVENTS, &e);
	if (device_is_nestvm(vm.dev))
		EXPECT(e.interrupt.injected && e.interrupt.nr == 0x55, "injected %u, vector %#x",
		       e.interrupt.injected, e.interrupt.nr);
	MUST(vcpu->fd, KVM_SET_VCPU_EVENTS, &e);
	guest_run_to_end(vcpu);
}

/* The events and the special registers tell of one interrupt; it comes once. */
static void interrupt_told_twice(const void *arg)
{
	struct vcpu *vcpu = start("_wait_for_interrupt");
	struct kvm_vcpu_events e;
	struct kvm_sregs s;

	vcpu_expect_exit(vcpu, KVM_EXIT_HLT);
	MUST(vcpu->fd, KVM_GET_VCPU_EVENTS, &e);
	e.interrupt.injected = 1;
	e.interrupt.nr = 0x55;
	MUST(vcpu->fd, KVM_SET_VCPU_EVENTS, &e);
	MUST(vcpu->fd, KVM_GET_SREGS, &s);
	EXPECT_EQ(s.interrupt_bitmap[1], 1ull << (0x55 - 64), "the bitmap");
	MUST(vcpu->fd, KVM_SET_SREGS, &s);
	vcpu_expect_exit(vcpu, KVM_EXIT_HLT);
	MUST(vcpu->fd, KVM_SET_SREGS, &s);
	MUST(vcpu->fd, KVM_SET_VCPU_EVENTS, &e);
	guest_run_to_end(vcpu);
}

#define MCE_UC	0xbf00000000000136ull	/* VAL UC EN MISCV ADDRV PCC S AR */
#define MCE_CE	0x8c00000000000136ull	/* VAL MISCV ADDRV */

static void report_error(struct vcpu *vcpu, u8 bank, u64 status)
{
	struct kvm_x86_mce e = {
		.bank = bank, .status = status, .addr = 0x1234000, .misc = 0x8c, .mcg_status = 5,
	};

	MUST(vcpu->fd, KVM_X86_SET_MCE, &e);
}

/* An error of the host's memory, told by user space. */
static void machine_check(const void *arg)
{
	struct vcpu *vcpu = start("_machine_check");
	u64 cap = 10 | 1 << 8;

	MUST(vcpu->fd, KVM_X86_SETUP_MCE, &cap);
	run_to_step(vcpu, 1);
	report_error(vcpu, 3, MCE_UC);
	run_to_step(vcpu, 2);
	EXPECT_EQ(vcpu_get_msr(vcpu, 0x17a), 0, "IA32_MCG_STATUS after the guest cleared it");
	report_error(vcpu, 4, MCE_CE);
	run_to_step(vcpu, 3);			/* CR4.MCE is off */
	report_error(vcpu, 5, MCE_UC);
	vcpu_expect_exit(vcpu, KVM_EXIT_SHUTDOWN);
}

static void machine_check_banks(const void *arg)
{
	static const u64 bad[] = { 0, 33, 255, 10 | 1ull << 63, 10 | 1 << 11 };
	struct kvm_x86_mce e = { .bank = 32, .status = MCE_UC };
	u64 cap = 0, all = 32 | 1 << 8;
	struct vcpu *vcpu;
	unsigned int i;

	vm_create(&vm, 0);
	vcpu = vm_add_vcpu(&vm);
	EXPECT_EQ(device_cap(vm.dev, KVM_CAP_MCE), 32, "KVM_CAP_MCE");
	MUST(vm.dev, KVM_X86_GET_MCE_CAP_SUPPORTED, &cap);
	EXPECT(cap & 1 << 8, "no IA32_MCG_CTL: %#llx", cap);
	for (i = 0; i < ARRAY_LEN(bad); i++) {
		u64 value = bad[i];

		EXPECT(ioctl(vcpu->fd, KVM_X86_SETUP_MCE, &value) < 0 && errno == EINVAL,
		       "IA32_MCG_CAP of %#llx: %d", value, errno);
	}
	MUST(vcpu->fd, KVM_X86_SETUP_MCE, &all);
	EXPECT_EQ(vcpu_get_msr(vcpu, 0x179), all, "IA32_MCG_CAP");
	EXPECT_EQ(vcpu_get_msr(vcpu, 0x17b), ~0ull, "IA32_MCG_CTL");
	EXPECT_EQ(vcpu_get_msr(vcpu, 0x400 + 31 * 4), ~0ull, "IA32_MC31_CTL");
	EXPECT_EQ(vcpu_set_msr(vcpu, 0x400 + 31 * 4 + 2, 0x5000), 1, "setting IA32_MC31_ADDR");
	EXPECT_EQ(vcpu_get_msr(vcpu, 0x400 + 31 * 4 + 2), 0x5000, "IA32_MC31_ADDR");
	EXPECT_EQ(vcpu_set_msr(vcpu, 0x400 + 32 * 4, 5), 0, "setting IA32_MC32_CTL");
	EXPECT(ioctl(vcpu->fd, KVM_X86_SET_MCE, &e) < 0 && errno == EINVAL, "bank 32: %d", errno);
	e = (struct kvm_x86_mce){ .bank = 0, .status = 1 };
	EXPECT(ioctl(vcpu->fd, KVM_X86_SET_MCE, &e) < 0 && errno == EINVAL,
	       "a report that is not valid: %d", errno);
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

/* SDM 3A "Handling Multiple NMIs": one is handled, one latched, and a third is lost. */
static void nmis_while_one_is_handled(const void *arg)
{
	struct vcpu *vcpu = start("_nmis_while_one_is_handled");
	struct kvm_vcpu_events e;
	int i;

	if (!device_cap(vm.dev, KVM_CAP_USER_NMI))
		ktap_skip("no KVM_CAP_USER_NMI");
	vcpu_expect_exit(vcpu, KVM_EXIT_IO);
	MUST(vcpu->fd, KVM_NMI, 0);
	vcpu_expect_exit(vcpu, KVM_EXIT_IO);
	for (i = 0; i < 3; i++)
		MUST(vcpu->fd, KVM_NMI, 0);
	MUST(vcpu->fd, KVM_GET_VCPU_EVENTS, &e);
	EXPECT_EQ(e.nmi.masked, 1, "NMIs masked");
	EXPECT_EQ(e.nmi.pending, 1, "NMIs latched");
	if (arg) {
		e.flags |= KVM_VCPUEVENT_VALID_NMI_PENDING;
		e.nmi.pending = 2;
		MUST(vcpu->fd, KVM_SET_VCPU_EVENTS, &e);
	}
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
		{ "split_interrupt", split_interrupt, NULL, 0 },
		{ "split_window_in_hlt", split_window_in_hlt, NULL, 0 },
		{ "split_interrupt_kept", split_interrupt_kept, NULL, 0 },
		{ "interrupt_told_twice", interrupt_told_twice, NULL, 0 },
		{ "machine_check", machine_check, NULL, 0 },
		{ "machine_check_banks", machine_check_banks, NULL, 0 },
		{ "nmi", nmi, NULL, 0 },
		{ "nmis_while_one_is_handled", nmis_while_one_is_handled, NULL, 0 },
		{ "nmis_restored_while_one_is_handled", nmis_while_one_is_handled, "", 0 },
		{ "exception_through_vcpu_events", exception_through_vcpu_events, NULL, 0 },
		{ "refused", refused, NULL, 0 },
	};

	return guest_main(&guest_run_events, cases, ARRAY_LEN(cases), argc, argv);
}
