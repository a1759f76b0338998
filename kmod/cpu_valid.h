/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Is this register value legal on the virtual CPU? One answer for the ioctls
 * that set state, for MOV CR / WRMSR exits and for the VM-entry checks.
 *
 * "Legal" depends on what the CPU has, and that is what its CPUID says:
 * struct cpu_features, filled by cpu_features_from_cpuid() (cpuid_policy.h)
 * when user space sets CPUID.
 */
#ifndef NESTVM_CPU_VALID_H
#define NESTVM_CPU_VALID_H

#include "pure.h"

struct cpu_features {
	u32 f1_ecx, f1_edx;
	u32 f7_ebx, f7_ecx, f7_edx;
	u32 f7_2_edx;			/* leaf 7, subleaf 2 */
	u32 fd1_eax;			/* leaf 0xd, subleaf 1 */
	u32 f80000001_ecx, f80000001_edx;
	u64 xcr0_allowed;		/* leaf 0xd, subleaf 0: EDX:EAX */
	u8 maxphyaddr;			/* 36 (PAE without leaf 0x80000008) to 52 */
	u8 linear_width;		/* 48, or 57 with LA57 */
};

/* The part of a CPU's mode that decides what a control register may become. */
struct cpu_mode {
	u64 cr0, cr3, cr4, efer;
	bool cs_l;
};

u64 cpu_phys_reserved(const struct cpu_features *f);	/* bits 63:MAXPHYADDR */
bool cpu_gpa_valid(const struct cpu_features *f, u64 gpa);

/* Linear address checks: by CR4.LA57 of that context, or the CPU's widest. */
bool cpu_canonical_cr4(u64 va, u64 cr4);
bool cpu_canonical(const struct cpu_features *f, u64 va);

/* Values on their own: what KVM_SET_SREGS or a VMCS field may hold. */
bool cpu_cr0_valid(u64 cr0);
u64 cpu_cr4_allowed(const struct cpu_features *f);
bool cpu_cr4_valid(const struct cpu_features *f, u64 cr4);
bool cpu_cr3_valid(const struct cpu_features *f, u64 cr3);
u64 cpu_spec_ctrl_allowed(const struct cpu_features *f);	/* 0: no such MSR */
u64 cpu_efer_allowed(const struct cpu_features *f);
bool cpu_efer_valid(const struct cpu_features *f, u64 efer);
bool cpu_xcr0_valid(const struct cpu_features *f, u64 xcr0);
bool cpu_pat_valid(u64 pat);
bool cpu_dr6_valid(u64 dr6);		/* bits 63:32 are 0 */
bool cpu_dr7_valid(u64 dr7);
bool cpu_debugctl_valid(u64 debugctl);
bool cpu_apic_base_valid(const struct cpu_features *f, u64 base);
bool cpu_rflags_valid(u64 rflags);
bool cpu_cr8_valid(u64 cr8);

/* A whole state set at once: do the registers agree with each other? */
bool cpu_mode_valid(const struct cpu_features *f, const struct cpu_mode *m);

/* Transitions: may MOV to CR or WRMSR do this to a running CPU, or is it #GP? */
bool cpu_cr0_write_ok(const struct cpu_mode *old, u64 cr0);
bool cpu_cr3_write_ok(const struct cpu_features *f, const struct cpu_mode *old, u64 cr3);
bool cpu_cr4_write_ok(const struct cpu_features *f, const struct cpu_mode *old, u64 cr4);
bool cpu_efer_write_ok(const struct cpu_features *f, const struct cpu_mode *old, u64 efer);
bool cpu_apic_base_write_ok(const struct cpu_features *f, u64 old, u64 base);

/* VMX operation: every bit of fixed0 is 1 and no bit outside fixed1 is. */
bool cpu_fixed_ok(u64 value, u64 fixed0, u64 fixed1);

/* PDPTEs of PAE paging, present ones only: no reserved bit set. */
bool cpu_pdpte_valid(const struct cpu_features *f, u64 pdpte);

/* Limit and granularity of a descriptor agree (access rights in VMCS layout). */
bool cpu_seg_limit_valid(u32 limit, u32 ar);

#endif
