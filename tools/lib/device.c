// SPDX-License-Identifier: GPL-2.0
#include "internal.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

int nvl_fail(struct nvl_error *err, int errnum, const char *fmt, ...)
{
	va_list ap;

	if (err) {
		err->refused = NESTVM_REFUSED_NOTHING;
		va_start(ap, fmt);
		vsnprintf(err->text, sizeof(err->text), fmt, ap);
		va_end(ap);
	}
	return -errnum;
}

static int open_fail(const char *path, int errnum, struct nvl_error *err)
{
	switch (errnum) {
	case ENOENT:
	case ENODEV:
	case ENXIO:
		return nvl_fail(err, errnum,
				"%s is not there: the module behind it is not loaded. Load it (modprobe %s) or name another device with --device.",
				path, strstr(path, "kvm") ? "kvm_intel" : "nestvm");
	case EACCES:
	case EPERM:
		return nvl_fail(err, errnum,
				"%s may not be opened by this user. Its group is allowed to: join it (ls -l %s shows which) and log in again.",
				path, path);
	default:
		return nvl_fail(err, errnum, "%s cannot be opened: %s.", path, strerror(errnum));
	}
}

static bool has_nestvm_commands(int fd)
{
	struct nestvm_device_info info = { .size = sizeof(info) };

	return ioctl(fd, NESTVM_GET_DEVICE_INFO, &info) == 0;
}

int nvl_device_open(const char *path, struct nvl_device **out, struct nvl_error *err)
{
	struct nvl_device *dev;
	int version, ret;

	dev = calloc(1, sizeof(*dev));
	if (!dev)
		return nvl_fail(err, ENOMEM, "no memory left for a device handle.");
	snprintf(dev->path, sizeof(dev->path), "%s", path);

	dev->fd = open(path, O_RDWR | O_CLOEXEC);
	if (dev->fd < 0) {
		ret = open_fail(path, errno, err);
		goto free_dev;
	}

	version = ioctl(dev->fd, KVM_GET_API_VERSION, 0);
	if (version != KVM_API_VERSION) {
		ret = nvl_fail(err, EPROTO,
			       "%s does not speak version %d of the KVM API: name a device that does with --device.",
			       path, KVM_API_VERSION);
		goto close_fd;
	}
	dev->run_size = ioctl(dev->fd, KVM_GET_VCPU_MMAP_SIZE, 0);
	if (dev->run_size < (int)sizeof(struct kvm_run)) {
		ret = nvl_fail(err, EPROTO, "%s reports a run page of %d bytes, which is too small.",
			       path, dev->run_size);
		goto close_fd;
	}
	if (!nvl_device_cap(dev, KVM_CAP_USER_MEMORY) ||
	    !nvl_device_cap(dev, KVM_CAP_IMMEDIATE_EXIT)) {
		ret = nvl_fail(err, EOPNOTSUPP,
			       "%s lacks user memory slots or immediate exit, without which no VM can be run.",
			       path);
		goto close_fd;
	}
	dev->nestvm = has_nestvm_commands(dev->fd);
	*out = dev;
	return 0;

close_fd:
	close(dev->fd);
free_dev:
	free(dev);
	return ret;
}

void nvl_device_close(struct nvl_device *dev)
{
	if (!dev)
		return;
	close(dev->fd);
	free(dev);
}

int nvl_device_fd(const struct nvl_device *dev)
{
	return dev->fd;
}

const char *nvl_device_path(const struct nvl_device *dev)
{
	return dev->path;
}

bool nvl_device_is_nestvm(const struct nvl_device *dev)
{
	return dev->nestvm;
}

int nvl_device_cap(const struct nvl_device *dev, unsigned int cap)
{
	int ret = ioctl(dev->fd, KVM_CHECK_EXTENSION, (unsigned long)cap);

	return ret > 0 ? ret : 0;
}

int nvl_device_cpuid(const struct nvl_device *dev, struct kvm_cpuid2 **out,
		     struct nvl_error *err)
{
	struct kvm_cpuid2 *cpuid;
	uint32_t nent;

	/* E2BIG says "more room", without saying how much. */
	for (nent = 128; nent <= 1024; nent *= 2) {
		cpuid = calloc(1, sizeof(*cpuid) + nent * sizeof(cpuid->entries[0]));
		if (!cpuid)
			return nvl_fail(err, ENOMEM, "no memory left for the CPUID table.");
		cpuid->nent = nent;
		if (ioctl(dev->fd, KVM_GET_SUPPORTED_CPUID, cpuid) == 0) {
			*out = cpuid;
			return 0;
		}
		free(cpuid);
		if (errno != E2BIG)
			break;
	}
	return nvl_ioctl_fail(dev, dev->fd, err, "the CPUID table cannot be read");
}
