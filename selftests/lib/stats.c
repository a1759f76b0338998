// SPDX-License-Identifier: GPL-2.0
#include "stats.h"

#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

u64 stat_in(int fd, const char *name)
{
	struct kvm_stats_header h;
	u32 i;

	if (pread(fd, &h, sizeof(h), 0) != sizeof(h))
		return ~0ull;
	for (i = 0; i < h.num_desc; i++) {
		struct {
			struct kvm_stats_desc d;
			char name[128];
		} row;
		size_t size = sizeof(row.d) + h.name_size;
		u64 value;

		if (h.name_size > sizeof(row.name) ||
		    pread(fd, &row, size, h.desc_offset + i * size) != (ssize_t)size)
			return ~0ull;
		if (strncmp((char *)&row + sizeof(row.d), name, h.name_size))
			continue;
		if (pread(fd, &value, 8, h.data_offset + row.d.offset) != 8)
			return ~0ull;
		return value;
	}
	return ~0ull;
}

static u64 stat_of(int file, const char *name)
{
	int fd = ioctl(file, KVM_GET_STATS_FD, NULL);
	u64 value;

	if (fd < 0)
		return ~0ull;
	value = stat_in(fd, name);
	close(fd);
	return value;
}

u64 vcpu_stat(struct vcpu *vcpu, const char *name)
{
	return stat_of(vcpu->fd, name);
}

u64 vm_stat(struct vm *vm, const char *name)
{
	return stat_of(vm->fd, name);
}

u64 vcpu_exits(struct vcpu *vcpu)
{
	u64 exits = vcpu_stat(vcpu, "exits");

	return exits != ~0ull ? exits : vcpu_stat(vcpu, "entries");
}
