/* SPDX-License-Identifier: GPL-2.0 */
/*
 * libnestvm - virtual machines through /dev/nestvm, or any device that speaks
 * the KVM API.
 *
 * Three opaque handles follow the three kinds of file the API has: a device, a
 * VM, a vCPU. A handle must outlive those made from it. Every function that can
 * fail returns 0 or a negative errno and, where the caller passes a struct
 * nvl_error, leaves there a sentence for the user which names the cause. When
 * the device is nestvm and it refused, its own reason is part of the sentence.
 *
 * Thread safety: a vCPU handle belongs to the thread that runs it; only
 * nvl_vcpu_kick() may be called by others. Device and VM handles may be shared
 * once memory has been added.
 */
#ifndef LIBNESTVM_H
#define LIBNESTVM_H

#include "../../uapi/nestvm.h"

#include <linux/kvm.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct nvl_device;
struct nvl_vm;
struct nvl_vcpu;

struct nvl_error {
	uint32_t refused;		/* NESTVM_REFUSED_*, if it was nestvm that refused */
	char text[1024];
};

/* Writes the sentence (@err may be NULL) and returns -@errnum. */
int nvl_fail(struct nvl_error *err, int errnum, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));

/* device.c */
#define NVL_DEFAULT_DEVICE "/dev/nestvm"

int nvl_device_open(const char *path, struct nvl_device **out, struct nvl_error *err);
void nvl_device_close(struct nvl_device *dev);
int nvl_device_fd(const struct nvl_device *dev);
const char *nvl_device_path(const struct nvl_device *dev);
/* True when the device has nestvm's own commands besides those of the KVM API. */
bool nvl_device_is_nestvm(const struct nvl_device *dev);
/* KVM_CHECK_EXTENSION; 0 means "not there". */
int nvl_device_cap(const struct nvl_device *dev, unsigned int cap);
/* KVM_GET_SUPPORTED_CPUID; release with free(). */
int nvl_device_cpuid(const struct nvl_device *dev, struct kvm_cpuid2 **out,
		     struct nvl_error *err);

/* vm.c */
int nvl_vm_create(struct nvl_device *dev, struct nvl_vm **out, struct nvl_error *err);
/* Frees the guest's memory as well. Destroy its vCPUs first. */
void nvl_vm_destroy(struct nvl_vm *vm);
int nvl_vm_fd(const struct nvl_vm *vm);
struct nvl_device *nvl_vm_device(const struct nvl_vm *vm);
/* KVM_CHECK_EXTENSION of the VM, of the device where VMs cannot be asked. */
int nvl_vm_cap(const struct nvl_vm *vm, unsigned int cap);
int nvl_vm_enable_cap(struct nvl_vm *vm, unsigned int cap, uint64_t arg0,
		      struct nvl_error *err);
/* Any other command of the VM file; @what names the attempt in the sentence. */
int nvl_vm_ioctl(struct nvl_vm *vm, unsigned long cmd, void *arg, const char *what,
		 struct nvl_error *err);

/* memory.c */
#define NVL_MEM_READONLY 1u

/* Adds @size bytes of zeroed memory at @gpa; both multiples of 4096. */
int nvl_vm_add_memory(struct nvl_vm *vm, uint64_t gpa, uint64_t size, unsigned int flags,
		      struct nvl_error *err);
/* Host address of guest memory, NULL unless all of [gpa, gpa + len) is in one piece. */
void *nvl_vm_ptr(const struct nvl_vm *vm, uint64_t gpa, uint64_t len);
/* Bytes of guest memory that are in the host's memory now. */
uint64_t nvl_vm_resident(const struct nvl_vm *vm);

struct nvl_memory {
	uint64_t gpa;
	uint64_t size;
	uint8_t *host;
};

/* The pieces of memory, in the order in which they were added. */
unsigned int nvl_vm_pieces(const struct nvl_vm *vm);
struct nvl_memory nvl_vm_piece(const struct nvl_vm *vm, unsigned int i);
/* From now on note which pages are written: by vCPUs, and what nvl_vm_mark_dirty() says. */
int nvl_vm_log_dirty(struct nvl_vm *vm, bool on, struct nvl_error *err);
/*
 * One bit for each page of piece @i that was written since the last call (or since
 * logging began): @bitmap has a 64-bit word for each 256K, begun ones too.
 */
int nvl_vm_dirty(struct nvl_vm *vm, unsigned int i, uint64_t *bitmap, struct nvl_error *err);
/* The caller wrote to guest memory itself. Any thread; costs nothing while not logging. */
void nvl_vm_mark_dirty(struct nvl_vm *vm, uint64_t gpa, uint64_t len);
/* The same by host address; an address that is no guest memory is nobody's. */
void nvl_vm_mark_dirty_ptr(struct nvl_vm *vm, const void *p, uint64_t len);

/* irq.c */
int nvl_vm_create_irqchip(struct nvl_vm *vm, struct nvl_error *err);
int nvl_vm_create_pit(struct nvl_vm *vm, struct nvl_error *err);
int nvl_vm_split_irqchip(struct nvl_vm *vm, unsigned int pins, struct nvl_error *err);
int nvl_vm_irq_line(struct nvl_vm *vm, unsigned int gsi, bool level, struct nvl_error *err);
int nvl_vm_signal_msi(struct nvl_vm *vm, uint64_t addr, uint32_t data, struct nvl_error *err);
int nvl_vm_irqfd(struct nvl_vm *vm, int fd, unsigned int gsi, struct nvl_error *err);
int nvl_vm_ioeventfd(struct nvl_vm *vm, int fd, uint64_t mmio, unsigned int len,
		     uint64_t match, struct nvl_error *err);

/* vcpu.c */
int nvl_vcpu_create(struct nvl_vm *vm, unsigned int id, struct nvl_vcpu **out,
		    struct nvl_error *err);
void nvl_vcpu_destroy(struct nvl_vcpu *vcpu);
int nvl_vcpu_fd(const struct nvl_vcpu *vcpu);
unsigned int nvl_vcpu_id(const struct nvl_vcpu *vcpu);
struct kvm_run *nvl_vcpu_run_page(struct nvl_vcpu *vcpu);
/* One KVM_RUN. 0: look at the run page; -EINTR: a signal or nvl_vcpu_kick(). */
int nvl_vcpu_run(struct nvl_vcpu *vcpu, struct nvl_error *err);
/* Makes the current or next nvl_vcpu_run() return -EINTR, once a signal arrives too. */
void nvl_vcpu_kick(struct nvl_vcpu *vcpu);
void nvl_vcpu_unkick(struct nvl_vcpu *vcpu);
int nvl_vcpu_get_regs(struct nvl_vcpu *vcpu, struct kvm_regs *regs, struct nvl_error *err);
int nvl_vcpu_set_regs(struct nvl_vcpu *vcpu, const struct kvm_regs *regs,
		      struct nvl_error *err);
int nvl_vcpu_get_sregs(struct nvl_vcpu *vcpu, struct kvm_sregs *sregs, struct nvl_error *err);
int nvl_vcpu_set_sregs(struct nvl_vcpu *vcpu, const struct kvm_sregs *sregs,
		       struct nvl_error *err);
int nvl_vcpu_set_cpuid(struct nvl_vcpu *vcpu, const struct kvm_cpuid2 *cpuid,
		       struct nvl_error *err);
/* One MSR; -EINVAL where the device does not know it or refuses the value. */
int nvl_vcpu_get_msr(struct nvl_vcpu *vcpu, uint32_t index, uint64_t *value,
		     struct nvl_error *err);
int nvl_vcpu_set_msr(struct nvl_vcpu *vcpu, uint32_t index, uint64_t value,
		     struct nvl_error *err);
/* Guest TSC rate in kHz, 0 where the device cannot tell. */
uint32_t nvl_vcpu_tsc_khz(struct nvl_vcpu *vcpu);
int nvl_vcpu_ioctl(struct nvl_vcpu *vcpu, unsigned long cmd, void *arg, const char *what,
		   struct nvl_error *err);

/*
 * stats.c: every counter of KVM_GET_STATS_FD, one call each, in the device's
 * order. Any thread, also while the vCPU runs.
 */
int nvl_vcpu_stats(struct nvl_vcpu *vcpu, void (*show)(void *ctx, const char *name, uint64_t value),
		   void *ctx, struct nvl_error *err);
int nvl_vm_stats(struct nvl_vm *vm, void (*show)(void *ctx, const char *name, uint64_t value),
		 void *ctx, struct nvl_error *err);

/* nested.c: what nestvm adds; -EOPNOTSUPP on any other device */
int nvl_device_info(const struct nvl_device *dev, struct nestvm_device_info *info,
		    struct nvl_error *err);
int nvl_vm_expose(struct nvl_vm *vm, bool enable, struct nvl_error *err);
/* NESTVM_MEMORY_STATIC or NESTVM_MEMORY_DYNAMIC, before memory is added. */
int nvl_vm_memory_mode(struct nvl_vm *vm, unsigned int mode, struct nvl_error *err);
int nvl_vm_info(struct nvl_vm *vm, struct nestvm_vm_info *info, struct nvl_error *err);
int nvl_vcpu_entry_failure(struct nvl_vcpu *vcpu, struct nestvm_entry_failure *f,
			   struct nvl_error *err);

#endif
