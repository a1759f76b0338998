/* SPDX-License-Identifier: GPL-2.0 */
/* The exit handlers, for the table in exit.c. Private to vmx/. */
#ifndef NESTVM_VMX_EXIT_H
#define NESTVM_VMX_EXIT_H

#include "pure.h"

struct nv_vcpu;
enum nv_next;

const char *vmx_exit_name(u32 reason);

/* exit_insn.c */
enum nv_next exit_cpuid(struct nv_vcpu *vcpu);
enum nv_next exit_hlt(struct nv_vcpu *vcpu);
enum nv_next exit_nop(struct nv_vcpu *vcpu);
enum nv_next exit_pause(struct nv_vcpu *vcpu);
enum nv_next exit_undefined(struct nv_vcpu *vcpu);
enum nv_next exit_rdpmc(struct nv_vcpu *vcpu);
enum nv_next exit_rdmsr(struct nv_vcpu *vcpu);
enum nv_next exit_wrmsr(struct nv_vcpu *vcpu);
enum nv_next exit_xsetbv(struct nv_vcpu *vcpu);
/* exit_cr.c */
enum nv_next exit_cr_access(struct nv_vcpu *vcpu);
enum nv_next exit_mov_dr(struct nv_vcpu *vcpu);
/* exit_mem.c */
enum nv_next exit_io(struct nv_vcpu *vcpu);
enum nv_next exit_ept_violation(struct nv_vcpu *vcpu);
enum nv_next exit_ept_misconfig(struct nv_vcpu *vcpu);
/* exit_event.c */
enum nv_next exit_exception(struct nv_vcpu *vcpu);
enum nv_next exit_external_interrupt(struct nv_vcpu *vcpu);
enum nv_next exit_triple_fault(struct nv_vcpu *vcpu);
enum nv_next exit_intr_window(struct nv_vcpu *vcpu);
enum nv_next exit_nmi_window(struct nv_vcpu *vcpu);
enum nv_next exit_task_switch(struct nv_vcpu *vcpu);
enum nv_next exit_tpr_below_threshold(struct nv_vcpu *vcpu);
enum nv_next exit_preempt_timer(struct nv_vcpu *vcpu);

#endif
