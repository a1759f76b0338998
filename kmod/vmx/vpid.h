/* SPDX-License-Identifier: GPL-2.0 */
/* What a CPU has cached of a vCPU's translations when it comes there. Private to vmx/. */
#ifndef NESTVM_VMX_VPID_H
#define NESTVM_VMX_VPID_H

struct nv_vcpu;

/* Nothing stale is used here, and its VPIDs are its own. Preemption off. */
void vmx_tlb_load(struct nv_vcpu *vcpu, int cpu);

#endif
