// SPDX-License-Identifier: GPL-2.0
/* What is one access for a processor is one for L0 as well, which executes it for a guest. */
#define _GNU_SOURCE
#include "lib/guest_run.h"

#include <string.h>
#include <unistd.h>

GUEST(mem_atomic);

#define ROUNDS	3000

static struct vm vm;

static struct vcpu *start(const char *name)
{
	struct vcpu *vcpu;

	if (sysconf(_SC_NPROCESSORS_ONLN) < 2)
		ktap_skip("needs two CPUs");
	vm_create(&vm, VM_IRQCHIP);
	vcpu = guest_load(&vm, &guest_mem_atomic, name);
	guest_params(&vm)->args[0] = ROUNDS;
	guest_run_in_thread(vm_add_vcpu(&vm));
	return vcpu;
}

static void entry_changes(const void *arg)
{
	unsigned int seen[2] = { 0 }, other = 0;
	struct vcpu *vcpu = start("_entry_changes");
	int ret;

	while ((ret = guest_run(vcpu)) == KVM_EXIT_MMIO) {
		u64 gpa = vcpu->run->mmio.phys_addr;

		if (gpa == 0x55555000 || gpa == 0xaaaaa000)
			seen[gpa == 0xaaaaa000]++;
		else if (!other++)
			EXPECT(0, "an access to %#llx", gpa);
	}
	EXPECT_EQ(ret, GUEST_ENDED, "what KVM_RUN gives then");
	EXPECT_EQ(other, 0, "accesses to a place that nobody wrote");
	EXPECT(seen[0] && seen[1], "the entry did not change: %u and %u", seen[0], seen[1]);
}

int main(int argc, char **argv)
{
	static const struct ktap_case cases[] = {
		{ "entry_changes", entry_changes, NULL, 0 },
	};

	return guest_main(&guest_mem_atomic, cases, ARRAY_LEN(cases), argc, argv);
}
