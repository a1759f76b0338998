// SPDX-License-Identifier: GPL-2.0
/* Many VMs and vCPUs of one user take nothing from others that these cannot do without. */
#include "lib/vm.h"
#include <errno.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

static void halts(void)
{
	struct vcpu *vcpu;
	struct vm vm;

	vm_create(&vm, 0);
	vm.mem[0x1000] = 0xf4;			/* hlt */
	vcpu = vm_add_vcpu(&vm);
	vcpu_real_mode(vcpu, 0x1000);
	vcpu_expect_exit(vcpu, KVM_EXIT_HLT);
	vm_destroy(&vm);
}

/* A vCPU lives as long as its VM, its file or not. */
static void more_vcpus_than_vpids(const void *arg)
{
	int dev = device_open(), vms[64];
	unsigned int i, id, made = 0;

	for (i = 0; i < ARRAY_LEN(vms); i++) {
		vms[i] = ioctl(dev, KVM_CREATE_VM, 0);
		ASSERT(vms[i] >= 0, "VM %u: %s", i, strerror(errno));
		for (id = 0; id < 64; id++) {
			int fd = ioctl(vms[i], KVM_CREATE_VCPU, id);

			ASSERT(fd >= 0, "vCPU %u of VM %u: %s", id, i, strerror(errno));
			close(fd);
			made++;
		}
	}
	ktap_say("%u vCPUs are there", made);
	halts();
	for (i = 0; i < ARRAY_LEN(vms); i++)
		close(vms[i]);
	halts();
}

static const struct ktap_case cases[] = {
	{ "more_vcpus_than_vpids", more_vcpus_than_vpids, NULL, 60 },
};

int main(int argc, char **argv)
{
	return ktap_main(cases, ARRAY_LEN(cases), argc, argv);
}
