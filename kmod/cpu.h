/* SPDX-License-Identifier: GPL-2.0 */
/* How the virtual CPU behaves: the door of the cpu_*.c files. vCPU loaded. */
#ifndef NESTVM_CPU_H
#define NESTVM_CPU_H

#include "pure.h"

struct nv_vcpu;
struct kvm_cpuid2;
struct kvm_cpuid_entry2;
enum nv_next;

/* Exceptions for the running guest (L1, or L2 where L1 may intercept). cpu_regs.c */
void cpu_raise(struct nv_vcpu *vcpu, u8 vector);
void cpu_raise_error(struct nv_vcpu *vcpu, u8 vector, u32 error);
void cpu_raise_pf(struct nv_vcpu *vcpu, u32 error, u64 cr2);
void cpu_raise_db(struct nv_vcpu *vcpu, u64 dr6_bits);
#define cpu_raise_ud(vcpu)	cpu_raise(vcpu, VEC_UD)
#define cpu_raise_gp(vcpu)	cpu_raise_error(vcpu, VEC_GP, 0)

/*
 * Step over the instruction that exited: RIP, blocking by STI and MOV SS, the
 * single-step trap. Only the dispatcher calls it, and nested/ for VMX
 * instructions that complete. cpu_regs.c
 */
void cpu_skip_insn(struct nv_vcpu *vcpu);
/* The same for an instruction that we executed ourselves and that ends at @rip. */
void cpu_step_to(struct nv_vcpu *vcpu, u64 rip);
/*
 * One iteration of a REP is through, with others to come: RIP stays, the trap and L1's
 * MTF come all the same, and RF is set, so that a breakpoint at the instruction is not
 * met at each (SDM 3B "Instruction-Breakpoint Exception Condition").
 */
void cpu_repeat_insn(struct nv_vcpu *vcpu);

/*
 * MSRs of the running vCPU's L1. @host: user space asks, so read-only values may
 * be set and guest-only conditions do not count. 0, or -EPERM: #GP (or, for
 * @host, the errno of KVM_SET_MSRS). cpu_msr.c
 */
int cpu_msr_read(struct nv_vcpu *vcpu, u32 msr, u64 *value, bool host);
int cpu_msr_write(struct nv_vcpu *vcpu, u32 msr, u64 value, bool host);

/*
 * CPUID. cpu_cpuid.c. Entries in the ABI's form; -EINVAL with a reason in
 * vcpu->refusal. What the VM may not have is cut from what user space sets.
 */
int cpu_cpuid_supported(struct kvm_cpuid_entry2 *entries, u32 max, bool expose);
int cpu_cpuid_set(struct nv_vcpu *vcpu, const struct kvm_cpuid_entry2 *entries, u32 count);
int cpu_cpuid_get(struct nv_vcpu *vcpu, struct kvm_cpuid_entry2 *entries, u32 max);
void cpu_cpuid_free(struct nv_vcpu *vcpu);
/*
 * Until user space sets CPUID the instruction tells nothing, and registers may hold what
 * this host can give to a guest: VMMs set them in either order. -ENOMEM.
 */
int cpu_cpuid_default(struct nv_vcpu *vcpu);
/* The expose switch changed after CPUID was set: cut again. */
void cpu_cpuid_refresh(struct nv_vcpu *vcpu);
void cpu_cpuid(struct nv_vcpu *vcpu, u32 leaf, u32 subleaf, u32 regs[4]);

/* CR0 and CR4 of the running guest as they act. Those of L2 are not what it reads. cpu_cr.c */
u64 cpu_cr0(struct nv_vcpu *vcpu);
u64 cpu_cr4(struct nv_vcpu *vcpu);

/* Control registers by instruction or by user space's SREGS. cpu_cr.c */
bool cpu_mov_to_cr0(struct nv_vcpu *vcpu, u64 value);	/* false: #GP was raised */
bool cpu_mov_to_cr4(struct nv_vcpu *vcpu, u64 value);
u64 cpu_cr4_reserved(struct nv_vcpu *vcpu);
struct kvm_sregs;
void cpu_get_sregs(struct nv_vcpu *vcpu, struct kvm_sregs *s);
int cpu_set_sregs(struct nv_vcpu *vcpu, const struct kvm_sregs *s);
/* With the PDPTEs, which memory may say differently by now. */
struct kvm_sregs2;
void cpu_get_sregs2(struct nv_vcpu *vcpu, struct kvm_sregs2 *s);
int cpu_set_sregs2(struct nv_vcpu *vcpu, const struct kvm_sregs2 *s);

/* TSC as L1 and as the running guest read it, now. cpu_tsc.c */
u64 cpu_tsc_l1(struct nv_vcpu *vcpu);
void cpu_tsc_set_offset(struct nv_vcpu *vcpu, u64 offset);
/* The same by user space, for which all deadlines stay at their value of L1's TSC. */
void cpu_tsc_restore(struct nv_vcpu *vcpu, u64 offset);
/* Host TSC ticks per nanosecond conversions: ns from now until L1's TSC is @deadline (0: past). */
u64 cpu_tsc_ns_until(struct nv_vcpu *vcpu, u64 deadline);

#endif
