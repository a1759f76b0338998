// SPDX-License-Identifier: GPL-2.0
/* NESTVM_GET_DEVICE_INFO and NESTVM_GET_VM_INFO: what they count, and that it goes away. */
#include "lib/uapi.h"

#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#define HLT_AT	0x1000

static void device_facts(const void *arg)
{
	struct nestvm_device_info info = device_info(nestvm_open());

	EXPECT_EQ(info.api_version, NESTVM_API_VERSION, "the API version");
	EXPECT(info.max_vcpus >= 1, "%u", info.max_vcpus);
	EXPECT(info.expose_default <= 1 && info.nested_allowed <= 1, "%u %u", info.expose_default,
	       info.nested_allowed);
	EXPECT_EQ(info.reserved, 0, "the reserved field");
	EXPECT(info.version[0] && memchr(info.version, 0, sizeof(info.version)), "no version");
	EXPECT_EQ(!!(info.features & NESTVM_FEATURE_NESTED), info.nested_allowed,
		  "the feature NESTED");
}

static void counters_go_up_and_down(const void *arg)
{
	int dev = nestvm_open();
	struct nestvm_device_info before = device_info(dev), now;
	struct vcpu *vcpu;
	struct vm vm;

	vm_create(&vm, 0);
	now = device_info(dev);
	EXPECT_EQ(now.vms, before.vms + 1, "VMs");
	EXPECT_EQ(now.pinned_pages, before.pinned_pages + VM_MEMORY / 4096, "pinned pages");
	vcpu = vm_add_vcpu(&vm);
	vm.mem[HLT_AT] = 0xf4;
	vcpu_long_mode(vcpu, HLT_AT);
	vcpu_expect_exit(vcpu, KVM_EXIT_HLT);
	now = device_info(dev);
	EXPECT_EQ(now.vcpus, before.vcpus + 1, "vCPUs");
	EXPECT(now.vmcs_regions > before.vmcs_regions, "no VMCS for a vCPU");
	EXPECT(now.table_pages > before.table_pages, "no EPT pages after it ran");
	vm_destroy(&vm);

	now = device_info(dev);
	EXPECT_EQ(now.vms, before.vms, "VMs at the end");
	EXPECT_EQ(now.vcpus, before.vcpus, "vCPUs at the end");
	EXPECT_EQ(now.vmcs_regions, before.vmcs_regions, "VMCS regions at the end");
	EXPECT_EQ(now.pinned_pages, before.pinned_pages, "pinned pages at the end");
	EXPECT_EQ(now.table_pages, before.table_pages, "EPT pages at the end");
}

static void vm_facts(const void *arg)
{
	int dev = nestvm_open();
	struct nestvm_vm_info info;
	struct vcpu *vcpu;
	struct vm vm;

	vm_create(&vm, 0);
	info = vm_info(vm.fd);
	EXPECT_EQ(info.exposed, device_info(dev).expose_default, "the expose switch");
	EXPECT_EQ(info.memory_mode, NESTVM_MEMORY_STATIC, "the memory mode");
	EXPECT_EQ(info.has_run, 0, "has_run");
	EXPECT_EQ(info.pinned_pages, VM_MEMORY / 4096, "pinned pages");
	vcpu = vm_add_vcpu(&vm);
	vm.mem[HLT_AT] = 0xf4;
	vcpu_long_mode(vcpu, HLT_AT);
	vcpu_expect_exit(vcpu, KVM_EXIT_HLT);
	info = vm_info(vm.fd);
	EXPECT_EQ(info.has_run, 1, "has_run");
	EXPECT(info.table_pages > 0, "no EPT pages");
}

/* The run page keeps nothing alive beyond its mapping, and a vCPU's file keeps its VM. */
static void closing_in_any_order(const void *arg)
{
	int dev = nestvm_open();
	struct nestvm_device_info before = device_info(dev);
	struct vcpu *vcpu;
	struct vm vm;

	vm_create(&vm, 0);
	vcpu = vm_add_vcpu(&vm);
	vm.mem[HLT_AT] = 0xf4;
	vcpu_long_mode(vcpu, HLT_AT);
	close(vm.fd);
	vcpu_expect_exit(vcpu, KVM_EXIT_HLT);
	EXPECT_EQ(device_info(dev).vms, before.vms + 1, "VMs while a vCPU is open");
	close(vcpu->fd);
	EXPECT(vcpu->run->exit_reason == KVM_EXIT_HLT, "the run page changed");
	munmap(vcpu->run, vcpu->run_size);
	EXPECT_EQ(device_info(dev).vms, before.vms, "VMs at the end");
	EXPECT_EQ(device_info(dev).pinned_pages, before.pinned_pages, "pinned pages at the end");
}

static bool kernel_uses(const char *flag)
{
	static char line[8192];
	FILE *f = fopen("/proc/cpuinfo", "r");
	char *word;

	ASSERT(f, "no /proc/cpuinfo");
	while (fgets(line, sizeof(line), f))
		if (!strncmp(line, "flags", 5))
			break;
	fclose(f);
	for (word = strtok(line, " \n"); word; word = strtok(NULL, " \n"))
		if (!strcmp(word, flag))
			return true;
	return false;
}

/* The kernel knows of errata, of what firmware switched off, and of "clearcpuid=". */
static void cpuid_follows_the_kernel(const void *arg)
{
	static const struct {
		const char *flag;
		u32 leaf;
		unsigned int reg, bit;
	} rows[] = {
		{ "pcid", 1, 2, 17 }, { "xsave", 1, 2, 26 }, { "rdrand", 1, 2, 30 },
		{ "pge", 1, 3, 13 }, { "sse2", 1, 3, 26 }, { "fsgsbase", 7, 1, 0 },
		{ "smep", 7, 1, 7 }, { "bmi2", 7, 1, 8 }, { "erms", 7, 1, 9 },
		{ "invpcid", 7, 1, 10 }, { "smap", 7, 1, 20 }, { "umip", 7, 2, 2 },
		{ "fsrm", 7, 3, 4 }, { "nx", 0x80000001, 3, 20 }, { "rdtscp", 0x80000001, 3, 27 },
	};
	struct vm vm;
	struct kvm_cpuid2 *cpuid;
	unsigned int i;

	vm_create(&vm, VM_NO_MEMORY);
	cpuid = vm_cpuid(&vm);
	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct kvm_cpuid_entry2 *e = cpuid_entry(cpuid, rows[i].leaf, 0);

		EXPECT(!e || !((&e->eax)[rows[i].reg] >> rows[i].bit & 1) ||
		       kernel_uses(rows[i].flag),
		       "CPUID shows %s, which the kernel does not use", rows[i].flag);
	}
	vm_destroy(&vm);
}

int main(int argc, char **argv)
{
	static const struct ktap_case cases[] = {
		{ "device_facts", device_facts, NULL, 0 },
		{ "counters_go_up_and_down", counters_go_up_and_down, NULL, 0 },
		{ "vm_facts", vm_facts, NULL, 0 },
		{ "closing_in_any_order", closing_in_any_order, NULL, 0 },
		{ "cpuid_follows_the_kernel", cpuid_follows_the_kernel, NULL, 0 },
	};

	return ktap_main(cases, ARRAY_LEN(cases), argc, argv);
}
