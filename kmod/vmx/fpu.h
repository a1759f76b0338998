/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The guest's x87, SSE and AVX state: an XSAVE image in the standard format (or
 * FXSAVE on CPUs without XSAVE). Between vmx_fpu_load() and vmx_fpu_save(), IRQs off, the CPU's
 * registers are the guest's.
 *
 * Only kernel_fpu_begin()/end() are used of the host's FPU code, because newer
 * kernels keep the guest-FPU functions for KVM's own modules.
 */
#ifndef NESTVM_VMX_FPU_H
#define NESTVM_VMX_FPU_H

#include <linux/types.h>

struct nv_vcpu;
struct kvm_fpu;

int vmx_fpu_init(void);
/* XCR0 bits a guest may have here: the host's, of those whose state we carry. */
u64 vmx_fpu_xcr0_supported(void);

int vmx_fpu_create(struct nv_vcpu *vcpu);
void vmx_fpu_destroy(struct nv_vcpu *vcpu);
void vmx_fpu_reset(struct nv_vcpu *vcpu);

void vmx_fpu_load(struct nv_vcpu *vcpu);
void vmx_fpu_save(struct nv_vcpu *vcpu);

/* KVM_GET/SET_XSAVE and KVM_GET/SET_FPU: the image, @len bytes. -EINVAL: no CPU takes it. */
void vmx_fpu_get_image(struct nv_vcpu *vcpu, void *buf, size_t len);
int vmx_fpu_set_image(struct nv_vcpu *vcpu, const void *buf, size_t len);
void vmx_fpu_get(struct nv_vcpu *vcpu, struct kvm_fpu *fpu);
void vmx_fpu_set(struct nv_vcpu *vcpu, const struct kvm_fpu *fpu);

/* One XMM register of the image, for the instruction emulator. */
void vmx_fpu_get_xmm(struct nv_vcpu *vcpu, unsigned int n, void *buf);
void vmx_fpu_set_xmm(struct nv_vcpu *vcpu, unsigned int n, const void *buf);

#endif
