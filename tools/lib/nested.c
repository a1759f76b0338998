// SPDX-License-Identifier: GPL-2.0
/* What nestvm adds to the KVM API. On other devices these say EOPNOTSUPP. */
#include "internal.h"

#include <errno.h>
#include <string.h>
#include <sys/ioctl.h>

static bool get_refusal(int fd, struct nestvm_refusal *r)
{
	memset(r, 0, sizeof(*r));
	r->size = sizeof(*r);
	if (ioctl(fd, NESTVM_GET_REFUSAL, r) < 0)
		return false;
	r->text[sizeof(r->text) - 1] = '\0';
	return r->id != NESTVM_REFUSED_NOTHING;
}

int nvl_ioctl_fail(const struct nvl_device *dev, int fd, struct nvl_error *err,
		   const char *what)
{
	struct nestvm_refusal r;
	int errnum = errno;

	/* A reason left by an earlier command is not this one's. */
	if (dev->nestvm && get_refusal(fd, &r) && r.error == (__u32)errnum) {
		nvl_fail(err, errnum, "%s: %s (%s, reason %u)", what, r.text, dev->path, r.id);
		if (err)
			err->refused = r.id;
		return -errnum;
	}
	return nvl_fail(err, errnum, "%s: %s (%s).", what, strerror(errnum), dev->path);
}

static int not_nestvm(const struct nvl_device *dev, struct nvl_error *err)
{
	return nvl_fail(err, EOPNOTSUPP,
			"%s only speaks the KVM API; this needs /dev/nestvm.", dev->path);
}

int nvl_device_info(const struct nvl_device *dev, struct nestvm_device_info *info,
		    struct nvl_error *err)
{
	if (!dev->nestvm)
		return not_nestvm(dev, err);
	memset(info, 0, sizeof(*info));
	info->size = sizeof(*info);
	if (ioctl(dev->fd, NESTVM_GET_DEVICE_INFO, info) < 0)
		return nvl_ioctl_fail(dev, dev->fd, err, "the device information cannot be read");
	return 0;
}

int nvl_vm_expose(struct nvl_vm *vm, bool enable, struct nvl_error *err)
{
	struct nestvm_expose arg = { .size = sizeof(arg), .enable = enable };

	if (!vm->dev->nestvm)
		return not_nestvm(vm->dev, err);
	return nvl_vm_ioctl(vm, NESTVM_SET_EXPOSE, &arg,
			    "ExposeVirtualizationExtensions cannot be set", err);
}

int nvl_vm_memory_mode(struct nvl_vm *vm, unsigned int mode, struct nvl_error *err)
{
	struct nestvm_memory_mode arg = { .size = sizeof(arg), .mode = mode };

	if (!vm->dev->nestvm)
		return not_nestvm(vm->dev, err);
	return nvl_vm_ioctl(vm, NESTVM_SET_MEMORY_MODE, &arg, "the memory mode cannot be set",
			    err);
}

int nvl_vm_info(struct nvl_vm *vm, struct nestvm_vm_info *info, struct nvl_error *err)
{
	if (!vm->dev->nestvm)
		return not_nestvm(vm->dev, err);
	memset(info, 0, sizeof(*info));
	info->size = sizeof(*info);
	return nvl_vm_ioctl(vm, NESTVM_GET_VM_INFO, info, "the VM's information cannot be read",
			    err);
}

int nvl_vcpu_entry_failure(struct nvl_vcpu *vcpu, struct nestvm_entry_failure *f,
			   struct nvl_error *err)
{
	if (!vcpu->vm->dev->nestvm)
		return not_nestvm(vcpu->vm->dev, err);
	memset(f, 0, sizeof(*f));
	f->size = sizeof(*f);
	return nvl_vcpu_ioctl(vcpu, NESTVM_GET_ENTRY_FAILURE, f,
			      "the last failed nested entry cannot be read", err);
}
