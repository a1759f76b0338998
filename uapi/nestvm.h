/* SPDX-License-Identifier: GPL-2.0 WITH Linux-syscall-note */
/*
 * What /dev/nestvm says beyond the KVM API.
 *
 * The device, its VM files and its vCPU files speak the KVM API of the
 * kernel's Documentation/virt/kvm/api.rst with the numbers and structures of
 * <linux/kvm.h>; KVM_CHECK_EXTENSION tells which capabilities are there. This
 * header adds only what that API lacks: device information, the switch
 * ExposeVirtualizationExtensions, the memory mode, and reasons for refusals.
 *
 * Conventions of every command here
 * - An argument begins with @size, the caller's sizeof of the struct. A struct
 *   shorter than the first version is %EINVAL; a longer one than this kernel
 *   knows is fine when the unknown tail is zero and %E2BIG when it is not.
 *   Output beyond the caller's @size is cut off.
 * - %ENOTTY  the file has no such command.
 * - %EFAULT  the argument cannot be read or written.
 * - %EINVAL  a field has a value that is never valid; reserved bits not zero.
 * - %EOPNOTSUPP  understood, but this host, CPU or VM cannot.
 * - %EPERM  the administrator forbade it.
 * - %EBUSY  too late or too early: the state of the VM does not allow it now.
 * A command that fails changes nothing. After any failure on a file,
 * NESTVM_GET_REFUSAL on that same file says which rule refused it, as a number
 * for programs and as a sentence for people.
 *
 * State
 * - All that a VM holds can be read and set by the KVM API's commands, with L2 running
 *   or not, once what the last KVM_RUN began is finished: KVM_RUN with immediate_exit
 *   until it fails with %EINTR. The order of the commands: selftests/lib/vm_state.c.
 * - KVM_CHECK_EXTENSION(KVM_CAP_NESTED_STATE) is the most that KVM_GET_NESTED_STATE
 *   gives. The page behind its header is nestvm's own form, kmod/nested/state_page.h.
 * - A guest's TSC runs at the host's rate: KVM_SET_TSC_KHZ of one that differs by more
 *   than 250 ppm is %EOPNOTSUPP; 0 is the host's.
 * - Registers that are set before KVM_SET_CPUID2 may hold what this host can give to a
 *   guest. After the first KVM_RUN another CPUID is %EBUSY, the same is fine.
 * - CPUID shows no feature that the host's kernel does not use, as stock KVM's.
 * - A memory slot that is set again, or moved, keeps its dirty log.
 * - A vCPU has 10 machine-check banks, which KVM_X86_SETUP_MCE changes (1 to 32).
 * - VMX capability MSRs (480H to 491H) may be set, before the vCPU first runs, to what
 *   offers less than KVM_GET_MSRS on the device file says; more is refused.
 *
 * Statistics
 * - KVM_GET_STATS_FD on a vCPU file: counters, exits by reason and level, and ticks of
 *   the TSC in L0, L1, L2 and HLT. On a VM file: their sums, and the pages it holds now.
 *   Any process that has the file can read it.
 *
 * Mitigations
 * - /sys/class/misc/nestvm/mitigations/ has a file for each kind of bug that speculation
 *   makes of a guest: l1tf, cpu-buffers, return-targets, spec-ctrl, branch-history,
 *   vcpu-to-vcpu, l2-to-l1, vmscape, itlb-multihit, spectre-v1, smt, guest-controls. It
 *   reads "Not affected: ", "Mitigation: " or "Vulnerable: " and the reason, a line, as
 *   those of /sys/devices/system/cpu/vulnerabilities do. Decided when the module loads.
 *   Test: selftests/mitigations.c.
 */
#ifndef _UAPI_NESTVM_H
#define _UAPI_NESTVM_H

#include <linux/ioctl.h>
#include <linux/types.h>
#include <linux/kvm.h>

#define NESTVM_API_VERSION	1
#define NESTVM_DEVICE_PATH	"/dev/nestvm"
#define NESTVM_IOC		0xaf

#define NESTVM_GET_DEVICE_INFO	_IO(NESTVM_IOC, 0x00)
#define NESTVM_GET_REFUSAL	_IO(NESTVM_IOC, 0x01)
#define NESTVM_SET_EXPOSE	_IO(NESTVM_IOC, 0x10)
#define NESTVM_SET_MEMORY_MODE	_IO(NESTVM_IOC, 0x11)
#define NESTVM_GET_VM_INFO	_IO(NESTVM_IOC, 0x12)
#define NESTVM_GET_ENTRY_FAILURE _IO(NESTVM_IOC, 0x20)

/* What the CPU and nestvm together have: &nestvm_device_info.features. */
#define NESTVM_FEATURE_EPT_2M		(1ull << 0)
#define NESTVM_FEATURE_EPT_1G		(1ull << 1)
#define NESTVM_FEATURE_EPT_AD		(1ull << 2)
#define NESTVM_FEATURE_VPID		(1ull << 3)
#define NESTVM_FEATURE_SHADOW_VMCS	(1ull << 4)
#define NESTVM_FEATURE_PREEMPT_TIMER	(1ull << 5)
#define NESTVM_FEATURE_TSC_SCALING	(1ull << 6)
#define NESTVM_FEATURE_NESTED		(1ull << 7)	/* exposing is allowed here */

/**
 * struct nestvm_device_info - %NESTVM_GET_DEVICE_INFO (device file)
 * @size:		in: sizeof(struct nestvm_device_info), bytes
 * @api_version:	out: %NESTVM_API_VERSION
 * @features:		out: %NESTVM_FEATURE_* bits
 * @vms:		out: VMs that exist now, all users
 * @vcpus:		out: vCPUs that exist now
 * @vmcs_regions:	out: VMCS regions allocated now, VMXON regions not counted
 * @pinned_pages:	out: 4-KiB pages of static memory pinned now
 * @table_pages:	out: pages of EPT paging structures allocated now
 * @expose_default:	out: 1 if a new VM has its expose switch on (module parameter)
 * @nested_allowed:	out: 1 unless the module was loaded with nested=0
 * @max_vcpus:		out: most vCPUs a VM can have
 * @reserved:		out: 0
 * @version:		out: version of the module, a string
 *
 * Errors: none beyond the conventions. Since: API 1. Code: kmod/dev.c.
 * Test: selftests/uapi_info.c.
 */
struct nestvm_device_info {
	__u32 size;
	__u32 api_version;
	__u64 features;
	__u64 vms;
	__u64 vcpus;
	__u64 vmcs_regions;
	__u64 pinned_pages;
	__u64 table_pages;
	__u32 expose_default;
	__u32 nested_allowed;
	__u32 max_vcpus;
	__u32 reserved;
	char version[32];
};

/**
 * struct nestvm_expose - %NESTVM_SET_EXPOSE (VM file)
 * @size:	in: sizeof(struct nestvm_expose), bytes
 * @enable:	in: 1 gives the VM VT-x of its own, 0 takes it away
 *
 * While off, no vCPU of the VM sees or can use VT-x, whatever CPUID user space
 * sets: the CPUID bit reads 0, the capability MSRs and VMXON fault, CR4.VMXE is
 * reserved. %KVM_GET_SUPPORTED_CPUID lists the bit only if new VMs have the switch
 * on: who turns it on sets the bit as well. Default: the module parameter
 * expose_default (0). Takes effect at the next KVM_RUN; can be changed until the
 * first vCPU has run.
 *
 * Errors: %EINVAL @enable is neither 0 nor 1; %EBUSY a vCPU of the VM has run
 * (%NESTVM_REFUSED_HAS_RUN); %EPERM the module was loaded with nested=0
 * (%NESTVM_REFUSED_NESTED_OFF); %EOPNOTSUPP the VM's memory is dynamic
 * (%NESTVM_REFUSED_DYNAMIC_MEMORY).
 *
 * Since: API 1. Code: kmod/dev_vm.c. Test: selftests/uapi_expose.c.
 */
struct nestvm_expose {
	__u32 size;
	__u32 enable;
};

#define NESTVM_MEMORY_STATIC	1
#define NESTVM_MEMORY_DYNAMIC	2

/**
 * struct nestvm_memory_mode - %NESTVM_SET_MEMORY_MODE (VM file)
 * @size:	in: sizeof(struct nestvm_memory_mode), bytes
 * @mode:	in: %NESTVM_MEMORY_STATIC: every page of a slot is pinned when the
 *		slot is made and charged to the caller's user until it is unpinned,
 *		all VMs together, against the caller's locked-memory limit
 *		(RLIMIT_MEMLOCK; not with CAP_IPC_LOCK);
 *		%NESTVM_MEMORY_DYNAMIC: pages are filled on demand and follow the
 *		owner's address space.
 *
 * Default: static. Can be changed while the VM has no memory slot.
 *
 * Errors: %EINVAL @mode is neither; %EBUSY the VM has a memory slot
 * (%NESTVM_REFUSED_HAS_MEMORY); %EOPNOTSUPP dynamic while the expose switch is on
 * (%NESTVM_REFUSED_DYNAMIC_MEMORY); %ENOMEM, %EINTR the kernel could not make
 * memory dynamic now.
 *
 * A page of dynamic memory is what the owner's address space has there: what the
 * owner unmaps, discards (%MADV_DONTNEED), moves, shares or swaps out, the guest no
 * longer uses when that call returns, and looks up anew when it next touches it. Where
 * the owner has no memory, or none that it may write, KVM_RUN fails with %EFAULT and
 * leaves the guest before the access.
 *
 * Since: API 1. Code: kmod/ept/notifier.c. Test: selftests/mem_dynamic.c.
 */
struct nestvm_memory_mode {
	__u32 size;
	__u32 mode;
};

/**
 * struct nestvm_vm_info - %NESTVM_GET_VM_INFO (VM file)
 * @size:	in: sizeof(struct nestvm_vm_info), bytes
 * @exposed:	out: the expose switch, 0 or 1
 * @memory_mode: out: %NESTVM_MEMORY_STATIC or %NESTVM_MEMORY_DYNAMIC
 * @has_run:	out: 1 once a vCPU of the VM has run
 * @pinned_pages: out: 4-KiB pages pinned for this VM
 * @table_pages: out: pages of EPT paging structures of this VM
 * @resident_pages: out: 4-KiB pages that the guest holds: of dynamic memory those
 *		mapped for it now, which it touched and the owner has not changed since;
 *		of static memory all, @pinned_pages
 *
 * Errors: none beyond the conventions. Since: API 1; @resident_pages was added later.
 * Code: kmod/dev_vm.c. Test: selftests/mem_dynamic.c.
 */
struct nestvm_vm_info {
	__u32 size;
	__u32 exposed;
	__u32 memory_mode;
	__u32 has_run;
	__u64 pinned_pages;
	__u64 table_pages;
	__u64 resident_pages;
};

/**
 * enum nestvm_refusal_id - which rule refused the last command
 *
 * Numbers are forever; new ones are added before %NESTVM_REFUSED_COUNT.
 */
enum nestvm_refusal_id {
	NESTVM_REFUSED_NOTHING		= 0,
	NESTVM_REFUSED_HAS_RUN		= 1,	/* a vCPU of the VM has run */
	NESTVM_REFUSED_NESTED_OFF	= 2,	/* module parameter nested=0 */
	NESTVM_REFUSED_DYNAMIC_MEMORY	= 3,	/* exposed VMs have static memory */
	NESTVM_REFUSED_HAS_MEMORY	= 4,	/* the VM has memory slots */
	NESTVM_REFUSED_LOCKED_LIMIT	= 5,	/* RLIMIT_MEMLOCK would be passed */
	NESTVM_REFUSED_SLOT_UNALIGNED	= 6,	/* address or size not of pages */
	NESTVM_REFUSED_SLOT_OVERLAP	= 7,	/* two slots share a page */
	NESTVM_REFUSED_SLOT_RANGE	= 8,	/* beyond physical-address width, or too many */
	NESTVM_REFUSED_SLOT_PIN		= 9,	/* pages cannot be pinned */
	NESTVM_REFUSED_VCPU_LIMIT	= 10,	/* id too large or taken */
	NESTVM_REFUSED_MODE		= 11,	/* not with this irqchip, or no such mode */
	NESTVM_REFUSED_STATE		= 12,	/* register or MSR value that no CPU holds */
	NESTVM_REFUSED_CPUID		= 13,	/* CPUID entries that cannot be */
	NESTVM_REFUSED_CAPABILITY	= 14,	/* capability or flag not supported */
	NESTVM_REFUSED_NESTED_STATE	= 15,	/* nested state that no L1 comes to */
	NESTVM_REFUSED_COUNT
};

/**
 * struct nestvm_refusal - %NESTVM_GET_REFUSAL (device, VM and vCPU files)
 * @size:	in: sizeof(struct nestvm_refusal), bytes
 * @id:		out: enum nestvm_refusal_id; %NESTVM_REFUSED_NOTHING if no command on
 *		this file was refused with a reason yet
 * @error:	out: the errno of that refusal, positive
 * @reserved:	out: 0
 * @text:	out: a sentence: what was refused, why, and what to do. Ends with 0.
 *
 * Errors: none beyond the conventions. Since: API 1. Code: kmod/refusal.c.
 * Test: selftests/uapi_refusal.c.
 */
struct nestvm_refusal {
	__u32 size;
	__u32 id;
	__u32 error;
	__u32 reserved;
	char text[240];
};

/**
 * struct nestvm_entry_failure - %NESTVM_GET_ENTRY_FAILURE (vCPU file)
 * @size:	in: sizeof(struct nestvm_entry_failure), bytes
 * @count:	out: nested VM entries of this vCPU that failed so far
 * @insn_error:	out: VM-instruction error of the last one, 0 if it failed with an exit
 * @exit_reason: out: exit reason L1 got, with bit 31, 0 if it failed with VMfail
 * @qualification: out: exit qualification L1 got
 * @rule:	out: stable name of the failed check of the manual, empty if none failed yet;
 *		"hardware" if the CPU refused what had passed them all
 *
 * Errors: none beyond the conventions. Since: API 1. Code: kmod/nested/enter.c.
 * Test: selftests/nested_entry_checks.c.
 */
struct nestvm_entry_failure {
	__u32 size;
	__u32 count;
	__u32 insn_error;
	__u32 exit_reason;
	__u64 qualification;
	char rule[40];
};

#endif
