// SPDX-License-Identifier: GPL-2.0
/*
 * L1 gives VT-x structures that lie in a read-only slot, as in ROM: nothing of what
 * hardware or the module would write there for it arrives, and L2 goes on.
 */
#include "lib/guest_run.h"

#include <string.h>
#include <sys/mman.h>

GUEST(nested_read_only);

#define SLOT	0x10000000u
#define SIZE	0x4000u

static struct vm vm;
static u8 *rom;

static struct vcpu *start(const char *name)
{
	vm_create(&vm, VM_EXPOSE | VM_IRQCHIP);
	if (!device_cap(vm.dev, KVM_CAP_READONLY_MEM))
		ktap_skip("no KVM_CAP_READONLY_MEM");
	rom = mmap(NULL, SIZE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	ASSERT(rom != MAP_FAILED, "no memory");
	return guest_load(&vm, &guest_nested_read_only, name);
}

static void run_to_step(struct vcpu *vcpu, u8 step)
{
	vcpu_expect_exit(vcpu, KVM_EXIT_IO);
	EXPECT_EQ(*((u8 *)vcpu->run + vcpu->run->io.data_offset), step, "the step");
}

/* @rom is what the guest's page at results[0] holds, and is to stay so. */
static void copy_page(void)
{
	memcpy(rom, vm.mem + guest_params(&vm)->results[0], 4096);
}

static void expect_unwritten(struct vcpu *vcpu)
{
	static u8 before[SIZE];

	memcpy(before, rom, SIZE);
	vm_set_slot(&vm, 1, KVM_MEM_READONLY, SLOT, SIZE, rom);
	guest_run_to_end(vcpu);
	EXPECT(!memcmp(before, rom, SIZE), "the read-only slot was written");
}

static void virtual_apic(const void *arg)
{
	struct vcpu *vcpu = start("_virtual_apic");

	expect_unwritten(vcpu);
}

/* It was writable when L2 ran last: what was mapped then is not used any more. */
static void virtual_apic_later(const void *arg)
{
	struct vcpu *vcpu = start("_virtual_apic_later");

	vm_set_slot(&vm, 1, 0, SLOT, SIZE, rom);
	run_to_step(vcpu, 1);
	EXPECT_EQ(rom[0x80], 0x60, "the TPR in the virtual-APIC page");
	rom[0x80] = 0x20;
	vm_set_slot(&vm, 1, 0, 0, 0, rom);
	expect_unwritten(vcpu);
}

static void vmcs(const void *arg)
{
	struct vcpu *vcpu = start("_vmcs");

	run_to_step(vcpu, 1);
	copy_page();
	expect_unwritten(vcpu);
}

static void ept_tables(const void *arg)
{
	struct vcpu *vcpu = start("_ept_tables");

	run_to_step(vcpu, 1);
	copy_page();
	expect_unwritten(vcpu);
}

/* L2's own writes go out as MMIO, like L1's. */
static void l2_writes(const void *arg)
{
	struct vcpu *vcpu = start("_l2_writes");

	*(u64 *)rom = 0x1111;
	vm_set_slot(&vm, 1, KVM_MEM_READONLY, SLOT, SIZE, rom);
	vcpu_expect_exit(vcpu, KVM_EXIT_MMIO);
	EXPECT(vcpu->run->mmio.is_write && vcpu->run->mmio.phys_addr == SLOT &&
	       vcpu->run->mmio.len == 8,
	       "%#llx len %u", vcpu->run->mmio.phys_addr, vcpu->run->mmio.len);
	guest_run_to_end(vcpu);
	EXPECT_EQ(*(u64 *)rom, 0x1111, "the memory");
}

#define TABLES	0x20000000u

/* Page tables in ROM that need no flag set: nothing is written, and nothing is executed by L0. */
static void page_tables(const void *arg)
{
	struct vcpu *vcpu = start(arg);
	static u8 before[VM_TABLES_SIZE];
	u64 *tables = vm_tables_in_rom(&vm, 2, TABLES);

	memcpy(before, tables, sizeof(before));
	guest_run_to_end(vcpu);
	EXPECT(!memcmp(before, tables, sizeof(before)), "the read-only slot was written");
}

int main(int argc, char **argv)
{
	static const struct ktap_case cases[] = {
		{ "page_tables_of_l1", page_tables, "_page_tables_of_l1", 0 },
		{ "page_tables_of_l2", page_tables, "_page_tables_of_l2", 0 },
		{ "page_tables_of_l2_ept", page_tables, "_page_tables_of_l2_ept", 0 },
		{ "virtual_apic_page", virtual_apic, NULL, 0 },
		{ "virtual_apic_page_made_read_only", virtual_apic_later, NULL, 0 },
		{ "vmcs", vmcs, NULL, 0 },
		{ "ept_tables_with_flags", ept_tables, NULL, 0 },
		{ "l2_writes", l2_writes, NULL, 0 },
	};

	return guest_main(&guest_nested_read_only, cases, ARRAY_LEN(cases), argc, argv);
}
