/* SPDX-License-Identifier: GPL-2.0 */
/* Private to vmx/: what setup.c, enter.c and enter.S share. */
#ifndef NESTVM_VMX_SETUP_H
#define NESTVM_VMX_SETUP_H

#include <linux/types.h>

struct nv_regs;
struct nv_vcpu;

/*
 * enter_asm.S: 0 after an exit, 1 if VMLAUNCH or VMRESUME itself failed. @host_rsp:
 * what the current VMCS holds as host RSP; kept up to date.
 */
int vmx_switch(struct nv_regs *regs, bool launched, unsigned long *host_rsp);
/* Where VM exits arrive: never called. */
void vmx_exit_point(void);

/* The syscall MSRs of the guest into the CPU. */
void vmx_load_guest_msrs(struct nv_vcpu *vcpu);

#endif
