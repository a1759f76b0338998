/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Counters of a vCPU. One list: name, unit, what it counts. The exits by reason and
 * level are an array beside them. Read through KVM_GET_STATS_FD: of a vCPU, or of a VM
 * the sums over its vCPUs and what the VM holds.
 */
#ifndef NESTVM_STATS_H
#define NESTVM_STATS_H

#include <linux/types.h>
#include "vmx/vmx_defs.h"

#define NV_STATS(S)							\
	S(entries, NONE, "VM entries, L1 and L2")				\
	S(exits_user, NONE, "returns to user space")				\
	S(halts, NONE, "times the vCPU slept in HLT")				\
	S(injected, NONE, "events injected at VM entry")			\
	S(irq_windows, NONE, "interrupt windows asked for")			\
	S(ept_faults, NONE, "EPT01 violations filled")			\
	S(mmio, NONE, "MMIO accesses emulated")				\
	S(insn_emulated, NONE, "instructions decoded and executed")		\
	S(tlb_flushes, NONE, "INVEPT and INVVPID executed for requests")	\
	S(nested_entries, NONE, "VMLAUNCH and VMRESUME of L1 that succeeded")	\
	S(nested_entry_failures, NONE, "VMLAUNCH and VMRESUME that failed")	\
	S(vmcs02_refused, NONE, "entries and tables of L2 that the CPU refused") \
	S(nested_exits, NONE, "VM exits given to L1")				\
	S(nested_vmx_insns, NONE, "VMX instructions of L1 emulated")		\
	S(ept02_faults, NONE, "EPT02 violations filled")			\
	S(ept02_drops, NONE, "EPT02 hierarchies thrown away")			\
	S(vmcs02_switches, NONE, "changes between vmcs01 and vmcs02")	\
	S(time_l0, CYCLES, "ticks of the TSC in KVM_RUN outside the guest")	\
	S(time_l1, CYCLES, "ticks of the TSC in L1")			\
	S(time_l2, CYCLES, "ticks of the TSC in L2")			\
	S(time_halted, CYCLES, "ticks of the TSC asleep in HLT")

enum nv_stat {
#define S(name, unit, help) STAT_##name,
	NV_STATS(S)
#undef S
	STAT_COUNT
};

struct nv_stats {
	u64 value[STAT_COUNT];
	u64 exits[2][VMEXIT_COUNT];	/* [was it L2's][basic reason] */
};

#define nv_stat_inc(vcpu, name)		((vcpu)->stats.value[STAT_##name]++)
#define nv_stat_add(vcpu, name, n)	((vcpu)->stats.value[STAT_##name] += (n))

#endif
