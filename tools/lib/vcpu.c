// SPDX-License-Identifier: GPL-2.0
#include "internal.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>

int nvl_vcpu_create(struct nvl_vm *vm, unsigned int id, struct nvl_vcpu **out,
		    struct nvl_error *err)
{
	struct nvl_vcpu *vcpu;
	int ret;

	vcpu = calloc(1, sizeof(*vcpu));
	if (!vcpu)
		return nvl_fail(err, ENOMEM, "no memory left for a vCPU handle.");
	vcpu->vm = vm;
	vcpu->id = id;
	vcpu->fd = ioctl(vm->fd, KVM_CREATE_VCPU, (unsigned long)id);
	if (vcpu->fd < 0) {
		ret = nvl_ioctl_fail(vm->dev, vm->fd, err, "a vCPU cannot be created");
		goto free_vcpu;
	}
	vcpu->run = mmap(NULL, vm->dev->run_size, PROT_READ | PROT_WRITE, MAP_SHARED,
			 vcpu->fd, 0);
	if (vcpu->run == MAP_FAILED) {
		ret = nvl_fail(err, errno, "the run page of vCPU %u cannot be mapped: %s.", id,
			       strerror(errno));
		goto close_fd;
	}
	vcpu->stats_fd = ioctl(vcpu->fd, KVM_GET_STATS_FD, NULL);
	*out = vcpu;
	return 0;

close_fd:
	close(vcpu->fd);
free_vcpu:
	free(vcpu);
	return ret;
}

void nvl_vcpu_destroy(struct nvl_vcpu *vcpu)
{
	if (!vcpu)
		return;
	munmap(vcpu->run, vcpu->vm->dev->run_size);
	if (vcpu->stats_fd >= 0)
		close(vcpu->stats_fd);
	close(vcpu->fd);
	free(vcpu);
}

int nvl_vcpu_fd(const struct nvl_vcpu *vcpu)
{
	return vcpu->fd;
}

unsigned int nvl_vcpu_id(const struct nvl_vcpu *vcpu)
{
	return vcpu->id;
}

struct kvm_run *nvl_vcpu_run_page(struct nvl_vcpu *vcpu)
{
	return vcpu->run;
}

int nvl_vcpu_run(struct nvl_vcpu *vcpu, struct nvl_error *err)
{
	if (ioctl(vcpu->fd, KVM_RUN, 0) == 0)
		return 0;
	/* EAGAIN: an application processor waiting for its start-up IPI. */
	if (errno == EINTR || errno == EAGAIN)
		return -EINTR;
	return nvl_ioctl_fail(vcpu->vm->dev, vcpu->fd, err, "the vCPU cannot be run");
}

void nvl_vcpu_kick(struct nvl_vcpu *vcpu)
{
	__atomic_store_n(&vcpu->run->immediate_exit, 1, __ATOMIC_SEQ_CST);
}

void nvl_vcpu_unkick(struct nvl_vcpu *vcpu)
{
	__atomic_store_n(&vcpu->run->immediate_exit, 0, __ATOMIC_SEQ_CST);
}

int nvl_vcpu_ioctl(struct nvl_vcpu *vcpu, unsigned long cmd, void *arg, const char *what,
		   struct nvl_error *err)
{
	int ret = ioctl(vcpu->fd, cmd, arg);

	return ret >= 0 ? ret : nvl_ioctl_fail(vcpu->vm->dev, vcpu->fd, err, what);
}

int nvl_vcpu_get_regs(struct nvl_vcpu *vcpu, struct kvm_regs *regs, struct nvl_error *err)
{
	return nvl_vcpu_ioctl(vcpu, KVM_GET_REGS, regs, "the registers cannot be read", err);
}

int nvl_vcpu_set_regs(struct nvl_vcpu *vcpu, const struct kvm_regs *regs,
		      struct nvl_error *err)
{
	return nvl_vcpu_ioctl(vcpu, KVM_SET_REGS, (void *)regs, "the registers cannot be set",
			      err);
}

int nvl_vcpu_get_sregs(struct nvl_vcpu *vcpu, struct kvm_sregs *sregs, struct nvl_error *err)
{
	return nvl_vcpu_ioctl(vcpu, KVM_GET_SREGS, sregs,
			      "the segment and control registers cannot be read", err);
}

int nvl_vcpu_set_sregs(struct nvl_vcpu *vcpu, const struct kvm_sregs *sregs,
		       struct nvl_error *err)
{
	return nvl_vcpu_ioctl(vcpu, KVM_SET_SREGS, (void *)sregs,
			      "the segment and control registers cannot be set", err);
}

int nvl_vcpu_set_cpuid(struct nvl_vcpu *vcpu, const struct kvm_cpuid2 *cpuid,
		       struct nvl_error *err)
{
	return nvl_vcpu_ioctl(vcpu, KVM_SET_CPUID2, (void *)cpuid, "CPUID cannot be set", err);
}

struct one_msr {
	struct kvm_msrs head;
	struct kvm_msr_entry entry;
};

int nvl_vcpu_get_msr(struct nvl_vcpu *vcpu, uint32_t index, uint64_t *value,
		     struct nvl_error *err)
{
	struct one_msr msr = { .head.nmsrs = 1, .entry.index = index };
	int ret;

	ret = nvl_vcpu_ioctl(vcpu, KVM_GET_MSRS, &msr, "an MSR cannot be read", err);
	if (ret < 0)
		return ret;
	if (ret != 1)
		return nvl_fail(err, EINVAL, "the device does not know MSR %xH.", index);
	*value = msr.entry.data;
	return 0;
}

int nvl_vcpu_set_msr(struct nvl_vcpu *vcpu, uint32_t index, uint64_t value,
		     struct nvl_error *err)
{
	struct one_msr msr = {
		.head.nmsrs = 1, .entry.index = index, .entry.data = value,
	};
	int ret;

	ret = nvl_vcpu_ioctl(vcpu, KVM_SET_MSRS, &msr, "an MSR cannot be set", err);
	if (ret < 0)
		return ret;
	if (ret != 1)
		return nvl_fail(err, EINVAL, "the device refuses %llxH for MSR %xH.",
				(unsigned long long)value, index);
	return 0;
}

uint32_t nvl_vcpu_tsc_khz(struct nvl_vcpu *vcpu)
{
	int ret = ioctl(vcpu->fd, KVM_GET_TSC_KHZ, 0);

	return ret > 0 ? (uint32_t)ret : 0;
}
