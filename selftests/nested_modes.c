// SPDX-License-Identifier: GPL-2.0
/*
 * L2 in every mode of the CPU, and the registers that make it, where L0 keeps a bit and
 * L1 another: guest/nested_modes.c.
 */
#include "lib/guest_run.h"

#include <string.h>

GUEST(nested_modes);

static u32 abort_of(struct vm *vm)
{
	u32 indicator;

	memcpy(&indicator, vm->mem + guest_params(vm)->results[0] + 4, sizeof(indicator));
	return indicator;
}

/* SDM 3C "VMX Aborts": the indicator in L1's VMCS, then shutdown. */
static void vmx_abort(const void *arg)
{
	struct vcpu *vcpu;
	struct vm vm;

	vm_create(&vm, VM_EXPOSE);
	vcpu = guest_load(&vm, &guest_nested_modes, arg);
	EXPECT_EQ(guest_run(vcpu), KVM_EXIT_SHUTDOWN, "how it ends");
	EXPECT_EQ(abort_of(&vm), guest_params(&vm)->results[1], "the indicator");
	vm_destroy(&vm);
}

int main(int argc, char **argv)
{
	static const struct ktap_case cases[] = {
		{ "abort_by_msr_store", vmx_abort, "_abort_by_msr_store", 0 },
		{ "abort_by_msr_load", vmx_abort, "_abort_by_msr_load", 0 },
	};

	return guest_main(&guest_nested_modes, cases, ARRAY_LEN(cases), argc, argv);
}
