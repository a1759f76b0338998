// SPDX-License-Identifier: GPL-2.0
/* KVM_GET_STATS_FD: header, id, descriptors with names, data. */
#include "internal.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#define MAX_STATS	4096
#define MAX_NAME	256

static int read_at(int fd, void *buf, size_t len, off_t at)
{
	return pread(fd, buf, len, at) == (ssize_t)len ? 0 : -1;
}

static int each(int fd, void (*show)(void *ctx, const char *name, uint64_t value), void *ctx)
{
	struct kvm_stats_header h;
	struct kvm_stats_desc *d;
	char buf[sizeof(*d) + MAX_NAME + 1];
	uint64_t value;
	unsigned int i;
	size_t size;

	if (read_at(fd, &h, sizeof(h), 0) || h.num_desc > MAX_STATS || h.name_size > MAX_NAME)
		return -1;
	size = sizeof(*d) + h.name_size;
	d = (void *)buf;
	for (i = 0; i < h.num_desc; i++) {
		if (read_at(fd, buf, size, h.desc_offset + i * size))
			return -1;
		buf[size] = '\0';
		if (d->size != 1)	/* a histogram */
			continue;
		if (read_at(fd, &value, sizeof(value), h.data_offset + d->offset))
			return -1;
		show(ctx, d->name, value);
	}
	return 0;
}

int nvl_vcpu_stats(struct nvl_vcpu *vcpu, void (*show)(void *ctx, const char *name, uint64_t value),
		   void *ctx, struct nvl_error *err)
{
	int fd = ioctl(vcpu->fd, KVM_GET_STATS_FD, NULL);
	int ret;

	if (fd < 0)
		return nvl_ioctl_fail(vcpu->vm->dev, vcpu->fd, err,
				      "the vCPU's statistics cannot be had");
	ret = each(fd, show, ctx);
	close(fd);
	return ret ? nvl_fail(err, EIO, "the vCPU's statistics are not in the format of the KVM API.") : 0;
}
