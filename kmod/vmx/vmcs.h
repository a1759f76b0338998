/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A VMCS region, and access to the fields of the current one.
 *
 * vmcs_read()/vmcs_write() are about whatever VMCS is current on this CPU:
 * vmcs01 while L1 runs, vmcs02 while L2 runs. They are legal between
 * nv_vcpu_load() and nv_vcpu_put(): preemption in between is repaired by the
 * preempt notifier.
 */
#ifndef NESTVM_VMX_VMCS_H
#define NESTVM_VMX_VMCS_H

#include <linux/list.h>
#include "addr.h"
#include "vmx/insn.h"
#include "vmx/vmcs_fields.h"

struct nv_vmcs {
	u32 *region;		/* one page: revision, abort indicator, data */
	hpa0_t hpa;
	int cpu;		/* it is active on this CPU, or -1 */
	bool launched;
	struct list_head node;	/* in that CPU's list of active VMCSs */
	/* Host fields as last written, to skip equal writes. */
	unsigned long host_cr3, host_cr4, host_rsp;
	u16 vpid;		/* likewise; 0: none was written */
	u32 switched_msrs;	/* likewise: counts of the MSR-load areas */
	int host_cpu;		/* whose per-CPU host fields it holds, or -1 */
	/* Its linked shadow VMCS may be active with it; cleared together. */
	struct nv_vmcs *shadow;
};

/* @shadow: a shadow VMCS, which is only ever accessed, never entered. */
struct nv_vmcs *vmcs_alloc(bool shadow);

/* Clears it where it is active, then frees. May sleep. NULL is fine. */
void vmcs_free(struct nv_vmcs *vmcs);

/* VMCLEAR on the CPU where it is active (by IPI if elsewhere). May sleep. */
void vmcs_clear(struct nv_vmcs *vmcs);

/* Make it current on this CPU. Preemption off. */
void vmcs_load(struct nv_vmcs *vmcs);

/* Print every field of the current VMCS to the kernel log. */
void vmcs_dump(const char *title);

u64 vmcs_regions(void);

static inline u64 vmcs_read(enum vmcs_field field)
{
	return insn_vmread(field);
}

static inline void vmcs_write(enum vmcs_field field, u64 value)
{
	insn_vmwrite(field, value);
}

static inline void vmcs_set_bits(enum vmcs_field field, u64 bits)
{
	vmcs_write(field, vmcs_read(field) | bits);
}

static inline void vmcs_clear_bits(enum vmcs_field field, u64 bits)
{
	vmcs_write(field, vmcs_read(field) & ~bits);
}

#endif
