/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The speculation controls that a guest has, as MSRs (SDM 4 "Architectural MSRs"): rows
 * of the table in cpu_msr.c. IA32_SPEC_CTRL is one register for L1 and L2, as on a CPU:
 * a hypervisor switches it by its MSR lists or by WRMSR.
 */
#ifndef NESTVM_CPU_SPEC_H
#define NESTVM_CPU_SPEC_H

#include "pure.h"

struct nv_vcpu;

int cpu_spec_ctrl_read(struct nv_vcpu *vcpu, u32 msr, u64 *value, bool host);
int cpu_spec_ctrl_write(struct nv_vcpu *vcpu, u32 msr, u64 value, bool host);
int cpu_pred_cmd_write(struct nv_vcpu *vcpu, u32 msr, u64 value, bool host);
int cpu_flush_cmd_write(struct nv_vcpu *vcpu, u32 msr, u64 value, bool host);
int cpu_arch_caps_read(struct nv_vcpu *vcpu, u32 msr, u64 *value, bool host);
/* By user space, before the guest looks: no immunity that this host cannot give. */
int cpu_arch_caps_write(struct nv_vcpu *vcpu, u32 msr, u64 value, bool host);

#endif
