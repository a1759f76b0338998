/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Virtual machines for tests, made through the KVM API of the device under
 * test. What a test does not ask about is asserted here: a failed step ends
 * the case with the errno and, on nestvm, the reason the module gives.
 */
#ifndef SELFTESTS_VM_H
#define SELFTESTS_VM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <linux/kvm.h>

#include "nestvm.h"
#include "ktap.h"

typedef uint8_t u8;
typedef uint16_t u16;
typedef uint32_t u32;
typedef unsigned long long u64;

#define ARRAY_LEN(a)	(sizeof(a) / sizeof((a)[0]))

#define VM_MAX_VCPUS	4
#define VM_MEMORY	(16u << 20)

/* vm_create() */
#define VM_IRQCHIP	0x1u	/* PIC, IOAPIC and local APICs in the kernel */
#define VM_EXPOSE	0x2u	/* VT-x for the guest */
#define VM_NO_MEMORY	0x4u	/* the test makes the slots */
#define VM_SPLIT	0x10u	/* local APICs in the kernel; PIC and IOAPIC are the test's */
#define VM_DYNAMIC	0x8u	/* memory follows the owner's address space, as KVM's always does */

struct vcpu {
	struct vm *vm;
	int fd;
	struct kvm_run *run;
	size_t run_size;
};

struct vm {
	int dev, fd;
	u8 *mem;			/* slot 0, at guest-physical 0 */
	size_t mem_size;
	unsigned int flags;
	struct vcpu vcpus[VM_MAX_VCPUS];
	unsigned int nr_vcpus;
};

/* Open the device under test; skips the case if there is none. */
int device_open(void);

/* True if the device under test is nestvm, not another speaker of the KVM API. */
bool device_is_nestvm(int dev);

/* KVM_CHECK_EXTENSION on the device, 0 if absent. */
int device_cap(int dev, unsigned int cap);

/* Last refusal on this nestvm file as "text", or "" when there is none. */
const char *refusal_text(int fd);

void vm_create(struct vm *vm, unsigned int flags);
void vm_create_sized(struct vm *vm, unsigned int flags, size_t mem_size);
struct vcpu *vm_add_vcpu(struct vm *vm);
void vm_destroy(struct vm *vm);
void vm_set_slot(struct vm *vm, u32 slot, u32 flags, u64 gpa, u64 size, void *hva);

/* ioctl() that must succeed. */
int must_ioctl(int fd, unsigned long cmd, const char *name, void *arg);
#define MUST(fd, cmd, arg) must_ioctl(fd, cmd, #cmd, (void *)(uintptr_t)(arg))

/* CPUID as the device supports it, plus VMX if the VM has it exposed. */
struct kvm_cpuid2 *vm_cpuid(struct vm *vm);
struct kvm_cpuid_entry2 *cpuid_entry(struct kvm_cpuid2 *cpuid, u32 leaf, u32 index);

u64 vcpu_get_msr(struct vcpu *vcpu, u32 msr);
int vcpu_set_msr(struct vcpu *vcpu, u32 msr, u64 value);

/* Put the vCPU at @rip in a mode of the CPU. Long mode maps 4 GiB 1:1 (user, RWX, 2M pages). */
void vcpu_real_mode(struct vcpu *vcpu, u64 rip);
void vcpu_protected_mode(struct vcpu *vcpu, u64 rip);
void vcpu_long_mode(struct vcpu *vcpu, u64 rip);

/*
 * The page tables of vcpu_long_mode() once more, in a read-only slot at @gpa, which is
 * what CR3 may hold then; with all accessed and dirty flags set. What the slot shows.
 */
#define VM_TABLES_SIZE	0x6000u
u64 *vm_tables_in_rom(struct vm *vm, u32 slot, u64 gpa);

/* KVM_RUN once: the exit reason, or -errno. */
int vcpu_run(struct vcpu *vcpu);

/* KVM_RUN once and fail the case, with the vCPU's state, unless it exits for @reason. */
void vcpu_expect_exit(struct vcpu *vcpu, u32 reason);

const char *exit_name(u32 reason);
void vcpu_dump(struct vcpu *vcpu);

#endif
