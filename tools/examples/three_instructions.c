// SPDX-License-Identifier: GPL-2.0
/*
 * A VMM in one screen: a guest of three instructions that adds two numbers and
 * says the sum on a port.
 *
 *	three_instructions [DEVICE]
 */
#include "../lib/libnestvm.h"

#include <stdio.h>
#include <string.h>

#define CODE_AT 0x1000

static const uint8_t code[] = {
	0x00, 0xd8,	/* add %bl, %al */
	0xe6, 0x10,	/* out %al, $0x10 */
	0xf4,		/* hlt */
};

struct guest {
	struct nvl_device *dev;
	struct nvl_vm *vm;
	struct nvl_vcpu *vcpu;
};

static int make_guest(struct guest *g, const char *path, struct nvl_error *err)
{
	struct kvm_regs regs = { .rip = CODE_AT, .rax = 2, .rbx = 3, .rflags = 2 };
	struct kvm_sregs sregs;

	if (nvl_device_open(path, &g->dev, err) < 0 ||
	    nvl_vm_create(g->dev, &g->vm, err) < 0 ||
	    nvl_vm_add_memory(g->vm, 0, 64 << 10, 0, err) < 0 ||
	    nvl_vcpu_create(g->vm, 0, &g->vcpu, err) < 0 ||
	    nvl_vcpu_get_sregs(g->vcpu, &sregs, err) < 0)
		return -1;

	/* Real mode, but from address 0 instead of the reset vector. */
	sregs.cs.base = 0;
	sregs.cs.selector = 0;
	memcpy(nvl_vm_ptr(g->vm, CODE_AT, sizeof(code)), code, sizeof(code));
	if (nvl_vcpu_set_sregs(g->vcpu, &sregs, err) < 0 ||
	    nvl_vcpu_set_regs(g->vcpu, &regs, err) < 0)
		return -1;
	return 0;
}

static int run_guest(struct guest *g, struct nvl_error *err)
{
	struct kvm_run *run = nvl_vcpu_run_page(g->vcpu);

	for (;;) {
		if (nvl_vcpu_run(g->vcpu, err) < 0)
			return -1;
		switch (run->exit_reason) {
		case KVM_EXIT_IO:
			printf("the guest says %u on port %xH\n",
			       *((uint8_t *)run + run->io.data_offset), run->io.port);
			break;
		case KVM_EXIT_HLT:
			printf("the guest has halted\n");
			return 0;
		default:
			nvl_fail(err, 0, "unexpected exit %u", run->exit_reason);
			return -1;
		}
	}
}

int main(int argc, char **argv)
{
	struct guest g = { 0 };
	struct nvl_error err;
	int ret;

	ret = make_guest(&g, argc > 1 ? argv[1] : NVL_DEFAULT_DEVICE, &err);
	if (ret == 0)
		ret = run_guest(&g, &err);
	if (ret < 0)
		fprintf(stderr, "three_instructions: %s\n", err.text);
	nvl_vcpu_destroy(g.vcpu);
	nvl_vm_destroy(g.vm);
	nvl_device_close(g.dev);
	return ret < 0;
}
