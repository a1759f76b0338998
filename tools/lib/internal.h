/* SPDX-License-Identifier: GPL-2.0 */
#ifndef LIBNESTVM_INTERNAL_H
#define LIBNESTVM_INTERNAL_H

#include "libnestvm.h"

#define NVL_MAX_SLOTS 16

struct nvl_device {
	int fd;
	bool nestvm;
	int run_size;
	char path[128];
};

struct nvl_slot {
	uint64_t gpa;
	uint64_t size;
	uint8_t *host;
	uint32_t flags;			/* KVM_MEM_* */
	uint64_t *written;		/* pages the caller wrote, since logging was first on */
};

struct nvl_vm {
	int fd;
	int stats_fd;			/* -1: the device has none */
	struct nvl_device *dev;
	bool logging;			/* atomic: slots[].written are there and used */
	unsigned int nslots;
	struct nvl_slot slots[NVL_MAX_SLOTS];
};

struct nvl_vcpu {
	int fd;
	int stats_fd;			/* opened at once: a vCPU that runs answers no ioctl */
	unsigned int id;
	struct nvl_vm *vm;
	struct kvm_run *run;
};

/*
 * Sentence for a failed ioctl on @fd, whose errno is still set: @what, the
 * errno's text and, on nestvm, the reason the device gives.
 */
int nvl_ioctl_fail(const struct nvl_device *dev, int fd, struct nvl_error *err,
		   const char *what);

#endif
