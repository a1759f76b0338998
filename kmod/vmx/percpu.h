/* SPDX-License-Identifier: GPL-2.0 */
/* VMX operation of the physical CPUs. Private to vmx/. */
#ifndef NESTVM_VMX_PERCPU_H
#define NESTVM_VMX_PERCPU_H

#include <linux/list.h>
#include <linux/percpu.h>

struct nv_vcpu;
struct nv_vmcs;

struct vmx_cpu {
	bool on;			/* in VMX operation */
	void *vmxon;			/* VMXON region, one page, kept while the module is */
	struct nv_vmcs *current_vmcs;	/* what VMPTRLD last named, or NULL */
	struct list_head active;	/* VMCSs active here; IRQs off, read in NMIs */
	u64 vpid_round;			/* how often the VPIDs were all taken; preemption off */
	u16 vpid_next;			/* the next one nobody has */
	u64 history;			/* whose branch history this CPU holds, or 0; IRQs off */
};

DECLARE_PER_CPU(struct vmx_cpu, vmx_cpus);

/* The host reboots: VMX is off for good. */
bool vmx_leaving(void);
/* VMXON here if it is not on (a CPU that comes and goes). IRQs or preemption off. */
int vmx_cpu_on(void);
/* Clear all active VMCSs of this CPU, then VMXOFF. IRQs off. */
void vmx_cpu_off(void);
/* The same for a host that crashes: in any context, also an NMI's. Nothing of ours follows. */
void vmx_cpu_emergency_off(void);

/* vmx/crash.c: see to it that a crash of the host calls the above on each CPU. */
int vmx_crash_init(void);		/* refuses, with the reason in the log */
void vmx_crash_exit(void);

#endif
