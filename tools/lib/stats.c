// SPDX-License-Identifier: GPL-2.0
/* KVM_GET_STATS_FD: header, id, descriptors with names, data. */
#include "internal.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
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

static int show_stats(int fd, const char *whose, void (*show)(void *ctx, const char *name,
		      uint64_t value), void *ctx, struct nvl_error *err)
{
	if (fd < 0)
		return nvl_fail(err, EOPNOTSUPP, "%s statistics cannot be had: the device has none.",
				whose);
	if (each(fd, show, ctx))
		return nvl_fail(err, EIO, "%s statistics are not in the format of the KVM API.",
				whose);
	return 0;
}

int nvl_vcpu_stats(struct nvl_vcpu *vcpu, void (*show)(void *ctx, const char *name, uint64_t value),
		   void *ctx, struct nvl_error *err)
{
	return show_stats(vcpu->stats_fd, "the vCPU's", show, ctx, err);
}

int nvl_vm_stats(struct nvl_vm *vm, void (*show)(void *ctx, const char *name, uint64_t value),
		 void *ctx, struct nvl_error *err)
{
	return show_stats(vm->stats_fd, "the VM's", show, ctx, err);
}
