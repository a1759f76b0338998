// SPDX-License-Identifier: GPL-2.0
/*
 * The smallest guest there is: three instructions, in each mode of the CPU,
 * without an interrupt controller. The first thing that works on a new engine.
 */
#include "lib/vm.h"

#include <string.h>

#define CODE_AT		0x1000
#define PORT		0x10
#define BYTE		0x2a

/* The same bytes mean the same in 16-, 32- and 64-bit code. */
static const u8 code[] = {
	0xb0, BYTE,		/* mov $BYTE, %al */
	0xe6, PORT,		/* out %al, $PORT */
	0xf4,			/* hlt */
};

static void run_in_mode(const void *arg)
{
	void (*const *enter_mode)(struct vcpu *vcpu, u64 rip) = arg;
	struct kvm_regs regs;
	struct vcpu *vcpu;
	struct vm vm;

	vm_create(&vm, 0);
	memcpy(vm.mem + CODE_AT, code, sizeof(code));
	vcpu = vm_add_vcpu(&vm);
	(*enter_mode)(vcpu, CODE_AT);

	vcpu_expect_exit(vcpu, KVM_EXIT_IO);
	EXPECT_EQ(vcpu->run->io.direction, KVM_EXIT_IO_OUT, "the direction");
	EXPECT_EQ(vcpu->run->io.port, PORT, "the port");
	EXPECT_EQ(vcpu->run->io.size, 1, "the size");
	EXPECT_EQ(vcpu->run->io.count, 1, "the count");
	EXPECT_EQ(*((u8 *)vcpu->run + vcpu->run->io.data_offset), BYTE, "the byte");

	vcpu_expect_exit(vcpu, KVM_EXIT_HLT);
	MUST(vcpu->fd, KVM_GET_REGS, &regs);
	EXPECT_EQ(regs.rip, CODE_AT + sizeof(code), "RIP after HLT");
	EXPECT_EQ(regs.rax & 0xff, BYTE, "AL");
	vm_destroy(&vm);
}

int main(int argc, char **argv)
{
	static void (*const modes[])(struct vcpu *vcpu, u64 rip) = {
		vcpu_long_mode, vcpu_protected_mode, vcpu_real_mode,
	};
	static const struct ktap_case cases[] = {
		{ "long_mode", run_in_mode, &modes[0], 0 },
		{ "protected_mode", run_in_mode, &modes[1], 0 },
		{ "real_mode", run_in_mode, &modes[2], 0 },
	};

	return ktap_main(cases, ARRAY_LEN(cases), argc, argv);
}
