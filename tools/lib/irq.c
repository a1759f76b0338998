// SPDX-License-Identifier: GPL-2.0
#include "internal.h"

#include <sys/ioctl.h>

int nvl_vm_create_irqchip(struct nvl_vm *vm, struct nvl_error *err)
{
	return nvl_vm_ioctl(vm, KVM_CREATE_IRQCHIP, NULL,
			    "the interrupt controllers cannot be created", err);
}

int nvl_vm_create_pit(struct nvl_vm *vm, struct nvl_error *err)
{
	/* The dummy speaker answers port 61H, which calibration loops read. */
	struct kvm_pit_config pit = { .flags = KVM_PIT_SPEAKER_DUMMY };

	return nvl_vm_ioctl(vm, KVM_CREATE_PIT2, &pit, "the interval timer cannot be created",
			    err);
}

int nvl_vm_split_irqchip(struct nvl_vm *vm, unsigned int pins, struct nvl_error *err)
{
	return nvl_vm_enable_cap(vm, KVM_CAP_SPLIT_IRQCHIP, pins, err);
}

int nvl_vm_irq_line(struct nvl_vm *vm, unsigned int gsi, bool level, struct nvl_error *err)
{
	struct kvm_irq_level line = { .irq = gsi, .level = level };

	return nvl_vm_ioctl(vm, KVM_IRQ_LINE, &line, "an interrupt line cannot be set", err);
}

int nvl_vm_signal_msi(struct nvl_vm *vm, uint64_t addr, uint32_t data, struct nvl_error *err)
{
	struct kvm_msi msi = {
		.address_lo = (uint32_t)addr,
		.address_hi = (uint32_t)(addr >> 32),
		.data = data,
	};

	return nvl_vm_ioctl(vm, KVM_SIGNAL_MSI, &msi, "an MSI cannot be sent", err);
}

int nvl_vm_irqfd(struct nvl_vm *vm, int fd, unsigned int gsi, struct nvl_error *err)
{
	struct kvm_irqfd irqfd = { .fd = (uint32_t)fd, .gsi = gsi };

	return nvl_vm_ioctl(vm, KVM_IRQFD, &irqfd, "an interrupt eventfd cannot be attached", err);
}

int nvl_vm_ioeventfd(struct nvl_vm *vm, int fd, uint64_t mmio, unsigned int len,
		     uint64_t match, struct nvl_error *err)
{
	struct kvm_ioeventfd ioev = {
		.addr = mmio,
		.len = len,
		.fd = fd,
		.datamatch = match,
		.flags = KVM_IOEVENTFD_FLAG_DATAMATCH,
	};

	return nvl_vm_ioctl(vm, KVM_IOEVENTFD, &ioev, "a write eventfd cannot be attached", err);
}
