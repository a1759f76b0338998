/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Which mitigations of the CPU's bugs are in force, decided when the module loads
 * from what the CPU is and what the host's administrator wants. Pure: a table of
 * them, for the code that does them (vmx/speculation.c) and for who asks.
 */
#ifndef NESTVM_VMX_MITIGATIONS_H
#define NESTVM_VMX_MITIGATIONS_H

#include "pure.h"

/* kvm_intel's parameter vmentry_l1d_flush, and ours; @L1D_AUTO follows l1tf=. */
enum l1d_mode { L1D_AUTO, L1D_NEVER, L1D_COND, L1D_ALWAYS, L1D_MODES };

/* l1tf= of the kernel's command line, as far as an entry is concerned. */
enum l1tf_wish { L1TF_WISH_OFF, L1TF_WISH_FLUSH, L1TF_WISH_FULL, L1TF_WISH_FULL_FORCE };

struct mitigation_facts {
	/* Bugs that the kernel finds in this CPU. */
	bool l1tf, buffers, spectre_v2, bhi, vmscape, itlb_multihit;
	bool meltdown, ssb, mds, gds, rfds, its;
	/* What the kernel has turned on, after its command line. */
	bool verw;			/* before each entry */
	bool verw_mmio;			/* for guests that reach a device's registers */
	bool rsb_fill, rsb_one;		/* after an exit: all entries, or the one after a call */
	bool eibrs, retpoline, bhb_loop, bhi_dis_s, ibpb, ibpb_to_user;
	bool spec_ctrl;			/* the CPU has IA32_SPEC_CTRL */
	bool nx_large;			/* large pages are not executable */
	bool smt;			/* two threads of a core are on line */
	enum l1tf_wish l1tf_wish;
	enum l1d_mode l1d_param;
	u64 arch_caps;			/* IA32_ARCH_CAPABILITIES; 0: there is none */
};

enum mitigation_state { MITIGATION_NOT_NEEDED, MITIGATION_ON, MITIGATION_OFF };

struct mitigation {
	enum mitigation_state state;
	const char *reason;
};

enum mitigation_id {
	MITIGATION_L1TF, MITIGATION_BUFFERS, MITIGATION_RETURNS, MITIGATION_SPEC_CTRL,
	MITIGATION_BHI, MITIGATION_IBPB_VCPU, MITIGATION_IBPB_L2, MITIGATION_VMSCAPE,
	MITIGATION_ITLB, MITIGATION_SPECTRE_V1, MITIGATION_SMT, MITIGATION_GUEST,
	MITIGATION_COUNT
};

const char *mitigation_name(enum mitigation_id id);
struct mitigation mitigation_decide(enum mitigation_id id, const struct mitigation_facts *f);

/* IA32_ARCH_CAPABILITIES for guests: what they need not do, for the CPU or we do it. */
u64 mitigation_arch_caps(const struct mitigation_facts *f);

/* When to flush the L1D; never L1D_AUTO. */
enum l1d_mode mitigation_l1d(const struct mitigation_facts *f);

#endif
