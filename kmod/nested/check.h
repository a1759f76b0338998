/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The checks of VM entry (SDM 3C "VM Entries"), all of them, in software, on
 * vmcs12. One predicate per rule, true when legal; one row per predicate, in
 * the manual's order. Nothing of vmcs02 is touched before they have passed.
 *
 * Order of use (enter.c): nested_check_controls, nested_check_host (both
 * VMfail), then nested_check_guest and each entry of the MSR-load area by
 * nested_check_msr (both a VM exit that says "entry failure").
 */
#ifndef NESTVM_NESTED_CHECK_H
#define NESTVM_NESTED_CHECK_H

#include "addr.h"
#include "pure.h"
#include "cpu_valid.h"
#include "nested/l1_mem.h"
#include "nested/vmcs12.h"
#include "nested/vmx_msrs.h"

#define VAPIC_TPR	0x80	/* VTPR in the virtual-APIC page */

/* What the rules look at. The caller fills the first part. */
struct entry_ctx {
	const struct vmcs12 *v;
	const struct nested_vmx_msrs *msrs;
	const struct cpu_features *cpu;	/* L1's CPUID: address widths, CR4 and EFER bits */
	gpa1_t vmcs;			/* L1's current-VMCS pointer */
	u64 l1_efer;			/* at the time of VMLAUNCH/VMRESUME */
	u64 debugctl;			/* L2's IA32_DEBUGCTL if the entry does not load it */
	struct l1_mem *mem;
	/*
	 * No entry but saved state: what entry reads from L1's memory was checked then
	 * and may be another by now; the caller fills pdpte[]. Nor is DEBUGCTL loaded.
	 */
	bool resumed;

	/* Read from L1's memory by the runner, once; then checked. */
	u8 vtpr;			/* VTPR in the virtual-APIC page */
	u32 link_revision;		/* of the VMCS that the link pointer names */
	/*
	 * PDPTEs that entry loads if L2 uses PAE paging: from vmcs12 with EPT,
	 * else from memory at CR3. What was checked is what must be loaded.
	 */
	u64 pdpte[4];
};

/* Exit qualification of a failed guest-state check. */
#define ENTRY_QUAL_NONE		0
#define ENTRY_QUAL_PDPTE	2
#define ENTRY_QUAL_NMI		3
#define ENTRY_QUAL_LINK		4

struct entry_check {
	const char *name;		/* stable: tests, tracepoints, statistics, users */
	const char *section;		/* of the manual, by title */
	bool (*ok)(const struct entry_ctx *c);
	u8 qual;			/* guest state: ENTRY_QUAL_* */
};

/* How the entry fails. */
enum entry_way {
	ENTRY_PASS,
	ENTRY_VMFAIL,			/* VMfailValid(error) */
	ENTRY_EXIT_GUEST,		/* exit reason 33 + bit 31, qualification */
	ENTRY_EXIT_MSR,			/* exit reason 34 + bit 31, qualification = entry number */
};

struct entry_result {
	enum entry_way way;
	u32 error;			/* VMERR_ENTRY_CONTROLS or VMERR_ENTRY_HOST_STATE */
	u64 qual;
	const char *name;		/* the row that failed; NULL if none */
	const char *section;
};

/* Each returns true if all rules hold, and fills @r in either case. */
bool nested_check_controls(struct entry_ctx *c, struct entry_result *r);
bool nested_check_host(struct entry_ctx *c, struct entry_result *r);
bool nested_check_guest(struct entry_ctx *c, struct entry_result *r);
/* The three above, in order. */
bool nested_check_entry(struct entry_ctx *c, struct entry_result *r);

/* True if L2 will use PAE paging, so that entry loads c->pdpte[]. */
bool nested_entry_uses_pdptes(const struct vmcs12 *v);

/* An entry of an MSR-load or MSR-store area (SDM 3C "VM-Exit MSR-Store"). */
struct vmx_msr_entry {
	u32 index;
	u32 reserved;
	u64 value;
};

static_assert(sizeof(struct vmx_msr_entry) == 16);

enum msr_area { MSR_AREA_ENTRY_LOAD, MSR_AREA_EXIT_STORE, MSR_AREA_EXIT_LOAD, MSR_AREA_COUNT };

/*
 * May this entry be processed at all? Returns NULL, or the rule it breaks.
 * That the value is one WRMSR would take (RDMSR would give) is the caller's to
 * find out. @x2apic: the APIC of the vCPU is in x2APIC mode.
 */
struct msr_check_ctx {
	const struct vmx_msr_entry *e;
	enum msr_area area;
	bool x2apic;
};

struct msr_check {
	const char *name;
	const char *section;
	bool (*ok)(const struct msr_check_ctx *c);
};

const struct msr_check *nested_check_msr(const struct vmx_msr_entry *e, enum msr_area area,
					 bool x2apic);

/* Fill @r for a failure in the MSR-load area: @number counts from 1. */
void nested_msr_failure(struct entry_result *r, u32 number, const struct msr_check *rule);

/* The tables themselves, for tests and for listing every name. */
extern const struct entry_check nested_ctl_checks[];
extern const unsigned int nested_ctl_check_count;
extern const struct entry_check nested_host_checks[];
extern const unsigned int nested_host_check_count;
extern const struct entry_check nested_guest_checks[];
extern const unsigned int nested_guest_check_count;
extern const struct msr_check nested_msr_checks[];
extern const unsigned int nested_msr_check_count;

#endif
