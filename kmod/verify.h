/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Invariants, walked while tests run, in a module made with VERIFY=1 (`make
 * modules-verify`) and in no other:
 *
 *  - EPT01 and every EPT02 map nothing but frames that a slot holds, each at its place,
 *    and allow no more than the slot and its dirty log do; of dynamic memory, what the
 *    owner's page tables map now;
 *  - what a zap took from EPT01 and is said to be flushed, every vCPU has flushed or will
 *    before it enters;
 *  - what is counted of them is what there is: tables, mapped pages, pins;
 *  - vmcs02 names no page but L0's own and the slots', has every control that L0 needs,
 *    lets no MSR pass that L0 does not, and holds what its cache says.
 *
 * The first difference is a warning in the kernel's log, which fails the test.
 */
#ifndef NESTVM_VERIFY_H
#define NESTVM_VERIFY_H

struct nv_vcpu;
struct nv_vm;

#ifdef NV_VERIFY
/* It is about to flush all that was taken from EPT01 so far. */
void nv_verify_flush(struct nv_vcpu *vcpu);
/* In KVM_RUN, after an exit, which has not been handled yet. */
void nv_verify_run(struct nv_vcpu *vcpu);
/* Between a look-up and the use of what was found: others get time to change it. May sleep. */
void nv_verify_pause(void);
/* Nobody uses the VM any more, and all of it is still there. */
void nv_verify_end(struct nv_vm *vm);

/* ept/verify.c, nested/verify.c. vm->lock held: slots stay as they are. */
void ept_verify(struct nv_vm *vm);
void nested_verify_ept02(struct nv_vcpu *vcpu);
/* vmcs02 is current. */
void nested_verify_vmcs02(struct nv_vcpu *vcpu);
#else
static inline void nv_verify_flush(struct nv_vcpu *vcpu)
{
}

static inline void nv_verify_run(struct nv_vcpu *vcpu)
{
}

static inline void nv_verify_pause(void)
{
}

static inline void nv_verify_end(struct nv_vm *vm)
{
}
#endif

#endif
