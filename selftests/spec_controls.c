// SPDX-License-Identifier: GPL-2.0
/*
 * The speculation controls of guests (guest/spec_controls.c), and what the KVM API says of
 * them: CPUID, lists of MSRs, their values.
 */
#include "lib/guest_run.h"

#include <errno.h>
#include <string.h>
#include <sys/ioctl.h>

GUEST(spec_controls);

#define SPEC_CTRL		0x48
#define ARCH_CAPABILITIES	0x10a
/* Of CPUID leaf 7, EDX. */
#define IBRS_IBPB		(1u << 26)
#define ARCH_CAPABILITIES_BIT	(1u << 29)
#define ALL_CONTROLS		(0xbcu << 24)

static void set_controls(struct vm *vm, struct vcpu *vcpu, u32 keep)
{
	struct kvm_cpuid2 *cpuid = vm_cpuid(vm);
	u32 i;

	for (i = 0; i < cpuid->nent; i++) {
		if (cpuid->entries[i].function != 7)
			continue;
		if (cpuid->entries[i].index == 0)
			cpuid->entries[i].edx &= ~ALL_CONTROLS | keep;
		else if (cpuid->entries[i].index == 2)
			cpuid->entries[i].edx = 0;
	}
	MUST(vcpu->fd, KVM_SET_CPUID2, cpuid);
}

static void without_cpuid(const void *arg)
{
	struct vcpu *vcpu;
	struct vm vm;

	vm_create(&vm, 0);
	vcpu = guest_load(&vm, &guest_spec_controls, "_none");
	set_controls(&vm, vcpu, 0);
	guest_run_to_end(vcpu);
	EXPECT_EQ(vcpu_get_msr(vcpu, SPEC_CTRL), 0, "IA32_SPEC_CTRL for user space");
	EXPECT(vcpu_set_msr(vcpu, SPEC_CTRL, 0) == 1, "0 cannot be restored");
	EXPECT(vcpu_set_msr(vcpu, SPEC_CTRL, 1) != 1, "IBRS can be set without CPUID's bit");
}

static void saved_and_restored(const void *arg)
{
	struct vcpu *vcpu;
	struct vm vm;
	int ret;

	vm_create(&vm, 0);
	if (!(cpuid_entry(vm_cpuid(&vm), 7, 0)->edx & IBRS_IBPB))
		ktap_skip("this CPU has no IA32_SPEC_CTRL");
	vcpu = guest_load(&vm, &guest_spec_controls, "_state");
	ret = guest_run(vcpu);
	ASSERT(ret == KVM_EXIT_IO, "KVM_RUN gives %d", ret);
	EXPECT_EQ(vcpu_get_msr(vcpu, SPEC_CTRL), 4, "what the guest wrote");
	EXPECT(vcpu_set_msr(vcpu, SPEC_CTRL, 1ull << 9) != 1, "a reserved bit can be set");
	EXPECT(vcpu_set_msr(vcpu, SPEC_CTRL, 1) == 1, "IBRS cannot be set");
	guest_run_to_end(vcpu);
}

/* No VM is told that it is immune to what this host is not. */
static void immunities(const void *arg)
{
	struct { struct kvm_msrs head; struct kvm_msr_entry entry; } msr = {
		.head.nmsrs = 1, .entry.index = ARCH_CAPABILITIES,
	};
	struct vcpu *vcpu;
	struct vm vm;
	u64 value;

	vm_create(&vm, 0);
	EXPECT(cpuid_entry(vm_cpuid(&vm), 7, 0)->edx & ARCH_CAPABILITIES_BIT, "CPUID lacks the bit");
	ASSERT(ioctl(vm.dev, KVM_GET_MSRS, &msr) == 1, "no feature MSR: %s", strerror(errno));
	vcpu = vm_add_vcpu(&vm);
	value = vcpu_get_msr(vcpu, ARCH_CAPABILITIES);
	EXPECT_EQ(value, msr.entry.data, "a vCPU's to begin with");
	EXPECT(vcpu_set_msr(vcpu, ARCH_CAPABILITIES, 0) == 1, "less is refused");
	EXPECT_EQ(vcpu_get_msr(vcpu, ARCH_CAPABILITIES), 0, "less");
	EXPECT(vcpu_set_msr(vcpu, ARCH_CAPABILITIES, value | 4) == 1, "RSBA is refused");
	EXPECT(vcpu_set_msr(vcpu, ARCH_CAPABILITIES, value | 1ull << 7) != 1, "TSX_CTRL is allowed");
	EXPECT(value == ~0ull || vcpu_set_msr(vcpu, ARCH_CAPABILITIES, ~0ull) != 1,
	       "all immunities are allowed");
}

static bool listed(int dev, unsigned long cmd, u32 msr)
{
	struct { struct kvm_msr_list head; u32 index[256]; } list = { .head.nmsrs = 256 };
	u32 i;

	MUST(dev, cmd, &list);
	for (i = 0; i < list.head.nmsrs; i++)
		if (list.head.indices[i] == msr)
			return true;
	return false;
}

static void lists(const void *arg)
{
	int dev = device_open();

	EXPECT(listed(dev, KVM_GET_MSR_INDEX_LIST, SPEC_CTRL), "IA32_SPEC_CTRL is not saved");
	EXPECT(listed(dev, KVM_GET_MSR_INDEX_LIST, ARCH_CAPABILITIES),
	       "IA32_ARCH_CAPABILITIES is not saved");
	EXPECT(!listed(dev, KVM_GET_MSR_INDEX_LIST, 0x49), "a command is saved");
	EXPECT(listed(dev, KVM_GET_MSR_FEATURE_INDEX_LIST, ARCH_CAPABILITIES),
	       "IA32_ARCH_CAPABILITIES is no feature");
}

int main(int argc, char **argv)
{
	static const struct ktap_case own[] = {
		{ "without_cpuid", without_cpuid, NULL, 0 },
		{ "saved_and_restored", saved_and_restored, NULL, 0 },
		{ "immunities", immunities, NULL, 0 },
		{ "lists", lists, NULL, 0 },
	};

	return guest_main(&guest_spec_controls, own, ARRAY_LEN(own), argc, argv);
}
