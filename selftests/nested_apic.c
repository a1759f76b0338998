// SPDX-License-Identifier: GPL-2.0
/*
 * L2's virtual APIC: the APIC-access page, the TPR shadow and its threshold, with and
 * without memory of L1's, and the dirty log: guest/nested_apic.c.
 */
#include "lib/guest_run.h"

#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>

GUEST(nested_apic);

#define SLOT	0x10000000u
#define SIZE	0x4000u

static struct vm vm;

static u64 log_of_slot(void)
{
	u64 bits = 0;
	struct kvm_dirty_log arg = { .slot = 1, .dirty_bitmap = &bits };

	MUST(vm.fd, KVM_GET_DIRTY_LOG, &arg);
	return bits;
}

/* Hardware writes VTPR: each round of a migration has to hear of it. */
static void virtual_apic_page_is_logged(const void *arg)
{
	struct vcpu *vcpu;
	u8 *mem = mmap(NULL, SIZE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	int step;

	ASSERT(mem != MAP_FAILED, "no memory");
	vm_create(&vm, VM_EXPOSE | VM_IRQCHIP);
	vcpu = guest_load(&vm, &guest_nested_apic, "_virtual_apic_page_is_logged");
	vm_set_slot(&vm, 1, KVM_MEM_LOG_DIRTY_PAGES, SLOT, SIZE, mem);
	for (step = 1; step <= 3; step++) {
		ASSERT(guest_run(vcpu) == KVM_EXIT_IO, "no step %d", step);
		EXPECT_EQ(mem[0x1080], 0x10 * step, "VTPR");
		EXPECT_EQ(log_of_slot(), 2, "the log");
		EXPECT_EQ(log_of_slot(), 0, "the log, read again");
	}
	guest_run_to_end(vcpu);
}

int main(int argc, char **argv)
{
	static const struct ktap_case cases[] = {
		{ "virtual_apic_page_is_logged", virtual_apic_page_is_logged, NULL, 0 },
	};

	return guest_main(&guest_nested_apic, cases, ARRAY_LEN(cases), argc, argv);
}
