// SPDX-License-Identifier: GPL-2.0
/*
 * Each rule of the manual for a VM entry, broken alone (guest/nested_entry_checks.c).
 * On nestvm NESTVM_GET_ENTRY_FAILURE must name a rule and tell what L1 got.
 */
#include "lib/guest_run.h"

#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>

GUEST(nested_entry_checks);

#define PORT_CHECKED	0xf6
#define FAILS_AS_GUEST	0x100
#define EXIT_33		0x80000021u

static void look(struct vcpu *vcpu, u32 fails_as, u32 count)
{
	struct nestvm_entry_failure f = { .size = sizeof(f) };
	const char *name = (char *)vcpu->vm->mem + guest_params(vcpu->vm)->results[0];
	bool by_exit = fails_as == FAILS_AS_GUEST;

	MUST(vcpu->fd, NESTVM_GET_ENTRY_FAILURE, &f);
	EXPECT(f.count == count, "%s: count is %u, should be %u", name, f.count, count);
	EXPECT(f.rule[0] && memchr(f.rule, 0, sizeof(f.rule)), "%s: no rule", name);
	EXPECT(f.insn_error == (by_exit ? 0 : fails_as) && f.exit_reason == (by_exit ? EXIT_33 : 0),
	       "%s (%s): error %u, exit reason %#x", name, f.rule, f.insn_error, f.exit_reason);
}

static void each_rule(const void *arg)
{
	u32 fails_as, count = 0;
	struct vcpu *vcpu;
	struct vm vm;
	int ret;

	vm_create(&vm, VM_EXPOSE);
	vcpu = guest_load(&vm, &guest_nested_entry_checks, "_each_rule");
	guest_params(&vm)->args[0] = device_is_nestvm(vm.dev);
	while ((ret = guest_run(vcpu)) == KVM_EXIT_IO && vcpu->run->io.port == PORT_CHECKED) {
		memcpy(&fails_as, (u8 *)vcpu->run + vcpu->run->io.data_offset, 4);
		if (device_is_nestvm(vm.dev))
			look(vcpu, fails_as, ++count);
	}
	if (ret != GUEST_ENDED) {
		ktap_fail(__FILE__, __LINE__, "KVM_RUN gives %d", ret);
		vcpu_dump(vcpu);
	}
}

int main(int argc, char **argv)
{
	static const struct ktap_case cases[] = {
		{ "each_rule", each_rule, NULL, 0 },
	};

	return guest_main(&guest_nested_entry_checks, cases, ARRAY_LEN(cases), argc, argv);
}
