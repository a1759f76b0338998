/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What a virtual CPU's CPUID may show: the host's words, limited to what we
 * virtualize, plus what the in-kernel devices add. And CPUID as the guest sees
 * it: look-up in the entries user space set, with the bits that follow state.
 *
 * struct cpuid_entry is internal: the ABI's entry type stops at the ioctl.
 */
#ifndef NESTVM_CPUID_POLICY_H
#define NESTVM_CPUID_POLICY_H

#include "pure.h"

struct cpu_features;

struct cpuid_words {
	u32 eax, ebx, ecx, edx;
};

struct cpuid_entry {
	u32 leaf, subleaf;
	bool by_subleaf;		/* ECX selects: the subleaf must match */
	struct cpuid_words r;
};

/* Enough for every leaf of cpuid_supported(). */
#define CPUID_MAX_ENTRIES	96

/* The host's CPUID. Called with leaves the host's own maximum covers. */
typedef void (*cpuid_host_fn)(void *arg, u32 leaf, u32 subleaf, struct cpuid_words *r);

struct cpuid_policy {
	cpuid_host_fn host;
	void *arg;
	bool expose;			/* ExposeVirtualizationExtensions is on */
	bool lapic;			/* the local APIC is in the kernel */
	u32 tsc_khz;			/* the virtual TSC's rate; 0: not told */
	u32 apic_hz;			/* the virtual APIC timer's clock */
};

/*
 * All entries a VM may be shown (KVM_GET_SUPPORTED_CPUID). Returns how many
 * were written, or -E2BIG if @max is too small.
 */
int cpuid_supported(const struct cpuid_policy *p, struct cpuid_entry *out, u32 max);

/*
 * Entries from user space (KVM_SET_CPUID2): -EINVAL for more than
 * CPUID_MAX_ENTRIES, the same leaf twice, or address widths the host does not
 * have. @why, if not NULL, receives a sentence.
 */
int cpuid_check(const struct cpuid_policy *p, const struct cpuid_entry *e, u32 n,
		const char **why);

/*
 * Clear, in every feature word, the bits cpuid_supported() would not show. A
 * VMM may offer less than we can, never more: with the expose switch off there
 * is no VMX bit whatever it set.
 */
void cpuid_restrict(const struct cpuid_policy *p, struct cpuid_entry *e, u32 n);

/* The entry CPUID uses for (leaf, subleaf), with Intel's rule for leaves out of range; or NULL. */
const struct cpuid_entry *cpuid_find(const struct cpuid_entry *e, u32 n, u32 leaf, u32 subleaf);

/* The state that some bits of CPUID follow. */
struct cpuid_state {
	u64 cr4;
	u64 xcr0;
	u64 apic_base;
	u32 apic_id;			/* x2APIC ID */
};

/* What the instruction returns: look up, then apply what depends on state. */
void cpuid_execute(const struct cpuid_entry *e, u32 n, const struct cpuid_state *s,
		   u32 leaf, u32 subleaf, struct cpuid_words *out);

/* The dynamic part alone, applied to an entry already found. */
void cpuid_dynamic(const struct cpuid_entry *e, u32 n, const struct cpuid_state *s,
		   u32 leaf, u32 subleaf, struct cpuid_words *r);

/* Bytes of XSAVE's standard format (compacted: of XSAVEC) for these components. */
u32 cpuid_xsave_size(const struct cpuid_entry *e, u32 n, u64 components, bool compacted);

/* What register checks need to know of this CPUID. */
void cpu_features_from_cpuid(struct cpu_features *f, const struct cpuid_entry *e, u32 n);

#endif
