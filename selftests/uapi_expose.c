// SPDX-License-Identifier: GPL-2.0
/* NESTVM_SET_EXPOSE: when it can be changed, and what refuses it otherwise. */
#include "lib/uapi.h"

#include <errno.h>

#define HLT_AT	0x1000

static struct nestvm_expose on = { .size = sizeof(on), .enable = 1 };
static struct nestvm_expose off = { .size = sizeof(off), .enable = 0 };

static void open_vm(struct vm *vm, unsigned int flags)
{
	struct nestvm_device_info info = device_info(nestvm_open());

	if (!info.nested_allowed)
		ktap_skip("nestvm is loaded with nested=0");
	vm_create(vm, flags);
}

static void on_and_off_before_it_runs(const void *arg)
{
	struct vm vm;

	open_vm(&vm, 0);
	MUST(vm.fd, NESTVM_SET_EXPOSE, &on);
	EXPECT_EQ(vm_info(vm.fd).exposed, 1, "the switch");
	MUST(vm.fd, NESTVM_SET_EXPOSE, &off);
	EXPECT_EQ(vm_info(vm.fd).exposed, 0, "the switch");
}

static void neither_on_nor_off(const void *arg)
{
	struct nestvm_expose two = { .size = sizeof(two), .enable = 2 };
	struct vm vm;

	open_vm(&vm, 0);
	EXPECT_REFUSED(vm.fd, NESTVM_SET_EXPOSE, &two, EINVAL, NESTVM_REFUSED_NOTHING);
	EXPECT_EQ(vm_info(vm.fd).exposed, 0, "the switch");
}

static void too_late_after_it_ran(const void *arg)
{
	struct vcpu *vcpu;
	struct vm vm;

	open_vm(&vm, 0);
	vcpu = vm_add_vcpu(&vm);
	vm.mem[HLT_AT] = 0xf4;
	vcpu_long_mode(vcpu, HLT_AT);
	vcpu_expect_exit(vcpu, KVM_EXIT_HLT);
	EXPECT_REFUSED(vm.fd, NESTVM_SET_EXPOSE, &on, EBUSY, NESTVM_REFUSED_HAS_RUN);
	EXPECT_EQ(vm_info(vm.fd).exposed, 0, "the switch");
}

static void not_with_dynamic_memory(const void *arg)
{
	struct nestvm_memory_mode mode = { .size = sizeof(mode), .mode = NESTVM_MEMORY_DYNAMIC };
	struct vm vm;

	open_vm(&vm, VM_NO_MEMORY);
	MUST(vm.fd, NESTVM_SET_MEMORY_MODE, &mode);
	EXPECT_REFUSED(vm.fd, NESTVM_SET_EXPOSE, &on, EOPNOTSUPP, NESTVM_REFUSED_DYNAMIC_MEMORY);
	EXPECT_EQ(vm_info(vm.fd).exposed, 0, "the switch");
	mode.mode = NESTVM_MEMORY_STATIC;
	MUST(vm.fd, NESTVM_SET_MEMORY_MODE, &mode);
	MUST(vm.fd, NESTVM_SET_EXPOSE, &on);
}

static void forbidden_by_the_administrator(const void *arg)
{
	struct vm vm;

	if (device_info(nestvm_open()).nested_allowed)
		ktap_skip("nestvm is loaded with nested=1");
	vm_create(&vm, 0);
	EXPECT_REFUSED(vm.fd, NESTVM_SET_EXPOSE, &on, EPERM, NESTVM_REFUSED_NESTED_OFF);
	MUST(vm.fd, NESTVM_SET_EXPOSE, &off);
}

int main(int argc, char **argv)
{
	static const struct ktap_case cases[] = {
		{ "on_and_off_before_it_runs", on_and_off_before_it_runs, NULL, 0 },
		{ "neither_on_nor_off", neither_on_nor_off, NULL, 0 },
		{ "too_late_after_it_ran", too_late_after_it_ran, NULL, 0 },
		{ "not_with_dynamic_memory", not_with_dynamic_memory, NULL, 0 },
		{ "forbidden_by_the_administrator", forbidden_by_the_administrator, NULL, 0 },
	};

	return ktap_main(cases, ARRAY_LEN(cases), argc, argv);
}
