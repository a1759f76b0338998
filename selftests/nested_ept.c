// SPDX-License-Identifier: GPL-2.0
/* L1's EPT, as L2 meets it and as L1's exits tell: guest/nested_ept.c. */
#include "lib/guest_run.h"

#include <sys/ioctl.h>
#include <sys/mman.h>

GUEST(nested_ept);

#define SLOT	0x10000000u
#define SIZE	0x4000u

/* EPT02 loses write access with EPT01, and no CPU remembers it. */
static void writes_are_logged(const void *arg)
{
	u8 *mem = mmap(NULL, SIZE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	u64 bits = 0, step;
	struct kvm_dirty_log log = { .slot = 1, .dirty_bitmap = &bits };
	struct vcpu *vcpu;
	struct vm vm;

	ASSERT(mem != MAP_FAILED, "no memory");
	vm_create(&vm, VM_EXPOSE);
	vcpu = guest_load(&vm, &guest_nested_ept, "_writes_are_logged");
	vm_set_slot(&vm, 1, KVM_MEM_LOG_DIRTY_PAGES, SLOT, SIZE, mem);
	for (step = 1; step <= 3; step++) {
		ASSERT(guest_run(vcpu) == KVM_EXIT_IO, "no step %llu", step);
		MUST(vm.fd, KVM_GET_DIRTY_LOG, &log);
		EXPECT_EQ(bits, 2, "the log");
	}
	guest_run_to_end(vcpu);
	vm_destroy(&vm);
}

int main(int argc, char **argv)
{
	static const struct ktap_case cases[] = {
		{ "writes_are_logged", writes_are_logged, NULL, 0 },
	};

	return guest_main(&guest_nested_ept, cases, ARRAY_LEN(cases), argc, argv);
}
