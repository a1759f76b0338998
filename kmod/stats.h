/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Counters of a vCPU. One list: name, what it counts. The exits by reason and
 * level are an array beside them. Read through KVM_GET_STATS_FD and debugfs.
 */
#ifndef NESTVM_STATS_H
#define NESTVM_STATS_H

#include <linux/types.h>
#include "vmx/vmx_defs.h"

#define NV_STATS(S)							\
	S(entries, "VM entries, L1 and L2")				\
	S(exits_user, "returns to user space")				\
	S(halts, "times the vCPU slept in HLT")				\
	S(injected, "events injected at VM entry")			\
	S(irq_windows, "interrupt windows asked for")			\
	S(ept_faults, "EPT01 violations filled")			\
	S(mmio, "MMIO accesses emulated")				\
	S(insn_emulated, "instructions decoded and executed")		\
	S(tlb_flushes, "INVEPT and INVVPID executed for requests")	\
	S(nested_entries, "VMLAUNCH and VMRESUME of L1 that succeeded")	\
	S(nested_entry_failures, "VMLAUNCH and VMRESUME that failed")	\
	S(nested_exits, "VM exits given to L1")				\
	S(nested_vmx_insns, "VMX instructions of L1 emulated")		\
	S(ept02_faults, "EPT02 violations filled")			\
	S(ept02_drops, "EPT02 hierarchies thrown away")			\
	S(vmcs02_switches, "changes between vmcs01 and vmcs02")

enum nv_stat {
#define S(name, help) STAT_##name,
	NV_STATS(S)
#undef S
	STAT_COUNT
};

struct nv_stats {
	u64 value[STAT_COUNT];
	u64 exits[2][VMEXIT_COUNT];	/* [was it L2's][basic reason] */
};

#define nv_stat_inc(vcpu, name)	((vcpu)->stats.value[STAT_##name]++)

#endif
