// SPDX-License-Identifier: GPL-2.0
/*
 * The expose switch is off: the guest has no VT-x, although user space sets the
 * CPUID bit. On another KVM API the CPUID bit is the switch.
 */
#include "lib/guest_run.h"
#include "lib/uapi.h"

#include <errno.h>
#include <sys/ioctl.h>

GUEST(nested_expose_off);

#define CPUID1_ECX_VMX	(1u << 5)
#define CR4_VMXE	(1u << 13)
#define IA32_VMX_BASIC	0x480

static struct vm vm;

static void run_with_cpuid_bit(bool bit)
{
	struct vcpu *vcpu;
	struct kvm_cpuid2 *cpuid;

	vm_create(&vm, 0);
	if (device_is_nestvm(vm.dev) && device_info(vm.dev).expose_default)
		ktap_skip("nestvm is loaded with expose_default=1");
	vcpu = guest_load(&vm, &guest_nested_expose_off, "_nothing_to_see");
	cpuid = vm_cpuid(&vm);
	cpuid_entry(cpuid, 1, 0)->ecx &= ~CPUID1_ECX_VMX;
	if (bit)
		cpuid_entry(cpuid, 1, 0)->ecx |= CPUID1_ECX_VMX;
	MUST(vcpu->fd, KVM_SET_CPUID2, cpuid);
	guest_run_to_end(vcpu);
}

static void without_cpuid_bit(const void *arg)
{
	run_with_cpuid_bit(false);
}

static void with_cpuid_bit(const void *arg)
{
	nestvm_open();
	run_with_cpuid_bit(true);
}

/* Switched on and off again before the first run: off. */
static void switched_off_again(const void *arg)
{
	struct nestvm_expose e = { .size = sizeof(e), .enable = 1 };
	struct vcpu *vcpu;

	nestvm_open();
	vm_create(&vm, VM_EXPOSE);
	vcpu = guest_load(&vm, &guest_nested_expose_off, "_nothing_to_see");
	e.enable = 0;
	MUST(vm.fd, NESTVM_SET_EXPOSE, &e);
	guest_run_to_end(vcpu);
}

/* Nor can user space put the vCPU into such a state. */
static void state_is_refused(const void *arg)
{
	struct vcpu *vcpu;
	struct kvm_sregs s;

	nestvm_open();
	vm_create(&vm, 0);
	vcpu = vm_add_vcpu(&vm);
	vcpu_long_mode(vcpu, 0);
	MUST(vcpu->fd, KVM_GET_SREGS, &s);
	s.cr4 |= CR4_VMXE;
	EXPECT_REFUSED(vcpu->fd, KVM_SET_SREGS, &s, EINVAL, NESTVM_REFUSED_STATE);
}

int main(int argc, char **argv)
{
	static const struct ktap_case cases[] = {
		{ "without_cpuid_bit", without_cpuid_bit, NULL, 0 },
		{ "with_cpuid_bit", with_cpuid_bit, NULL, 0 },
		{ "switched_off_again", switched_off_again, NULL, 0 },
		{ "state_is_refused", state_is_refused, NULL, 0 },
	};

	return guest_main(&guest_nested_expose_off, cases, ARRAY_LEN(cases), argc, argv);
}
