/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Keeping the guest's speculation from the host, and one guest's from the next: what
 * is done around an entry. What of it is needed here: vmx/mitigations.h. Private to vmx/.
 */
#ifndef NESTVM_VMX_SPECULATION_H
#define NESTVM_VMX_SPECULATION_H

#include <linux/types.h>

struct nv_vcpu;

int vmx_speculation_init(void);
void vmx_speculation_exit(void);

/* The last of C before vmx_switch(), and the first after it. IRQs off. */
void vmx_speculation_before_entry(struct nv_vcpu *vcpu);
void vmx_speculation_after_exit(struct nv_vcpu *vcpu);

#endif
