// SPDX-License-Identifier: GPL-2.0
#include "internal.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>

int nvl_vm_create(struct nvl_device *dev, struct nvl_vm **out, struct nvl_error *err)
{
	struct nvl_vm *vm;
	int ret;

	vm = calloc(1, sizeof(*vm));
	if (!vm)
		return nvl_fail(err, ENOMEM, "no memory left for a VM handle.");
	vm->dev = dev;
	vm->fd = ioctl(dev->fd, KVM_CREATE_VM, 0);
	if (vm->fd < 0) {
		ret = nvl_ioctl_fail(dev, dev->fd, err, "the VM cannot be created");
		free(vm);
		return ret;
	}
	vm->stats_fd = ioctl(vm->fd, KVM_GET_STATS_FD, NULL);
	*out = vm;
	return 0;
}

void nvl_vm_destroy(struct nvl_vm *vm)
{
	unsigned int i;

	if (!vm)
		return;
	/* The device lets go of the memory before it disappears under it. */
	if (vm->stats_fd >= 0)
		close(vm->stats_fd);
	close(vm->fd);
	for (i = 0; i < vm->nslots; i++) {
		munmap(vm->slots[i].host, vm->slots[i].size);
		free(vm->slots[i].written);
	}
	free(vm);
}

int nvl_vm_fd(const struct nvl_vm *vm)
{
	return vm->fd;
}

struct nvl_device *nvl_vm_device(const struct nvl_vm *vm)
{
	return vm->dev;
}

int nvl_vm_cap(const struct nvl_vm *vm, unsigned int cap)
{
	int ret = ioctl(vm->fd, KVM_CHECK_EXTENSION, (unsigned long)cap);

	return ret >= 0 ? ret : nvl_device_cap(vm->dev, cap);
}

int nvl_vm_enable_cap(struct nvl_vm *vm, unsigned int cap, uint64_t arg0,
		      struct nvl_error *err)
{
	struct kvm_enable_cap ec = { .cap = cap, .args = { arg0 } };

	if (ioctl(vm->fd, KVM_ENABLE_CAP, &ec) < 0)
		return nvl_ioctl_fail(vm->dev, vm->fd, err, "a capability cannot be enabled");
	return 0;
}

int nvl_vm_ioctl(struct nvl_vm *vm, unsigned long cmd, void *arg, const char *what,
		 struct nvl_error *err)
{
	int ret = ioctl(vm->fd, cmd, arg);

	return ret >= 0 ? ret : nvl_ioctl_fail(vm->dev, vm->fd, err, what);
}
