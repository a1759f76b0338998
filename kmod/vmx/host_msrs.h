/* SPDX-License-Identifier: GPL-2.0 */
/* The host's MSRs that an entry or an exit would spoil. Private to vmx/. */
#ifndef NESTVM_VMX_HOST_MSRS_H
#define NESTVM_VMX_HOST_MSRS_H

#include "pure.h"

struct nv_vcpu;

/* An entry of the VM-entry and VM-exit MSR-load areas: SDM 3C "VM-Exit Controls for MSRs". */
struct vmx_msr_entry {
	u32 index, reserved;
	u64 value;
};

/* perf's: its global control and PEBS, or on old CPUs the counters' own. */
#define VMX_SWITCHED_MSRS	16

/* What entries and exits load, each its part; 16-byte aligned as the manual wants it. */
struct vmx_msr_areas {
	struct vmx_msr_entry guest[VMX_SWITCHED_MSRS], host[VMX_SWITCHED_MSRS];
} __aligned(16);

/* Where they are, into the current VMCS. */
void vmx_msr_areas_write(struct nv_vcpu *vcpu);

/* Right before the entry and right after the exit. IRQs off. */
void vmx_host_msrs_leave(struct nv_vcpu *vcpu);
void vmx_host_msrs_return(struct nv_vcpu *vcpu);

#endif
