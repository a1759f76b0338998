/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Private to nested/: what a vCPU of an exposed VM has beside struct nv_vcpu,
 * and what the files of this folder ask of each other.
 *
 * All of it belongs to the thread that holds vcpu->lock, except what
 * nested_has_events() reads.
 */
#ifndef NESTVM_NESTED_VCPU_H
#define NESTVM_NESTED_VCPU_H

#include <linux/hrtimer.h>
#include "addr.h"
#include "cpu.h"
#include "cpu_valid.h"
#include "gmem.h"
#include "nested/check.h"
#include "nested/l1_mem.h"
#include "nested/nested.h"
#include "nested/vmcs12.h"
#include "nested/vmx_msrs.h"
#include "trace.h"
#include "vcpu.h"
#include "vmx/bitmap.h"
#include "vmx/vmx.h"

/* How many vmcs02 are kept: one for each vmcs12 that ran lately. */
#define NESTED_VMCS02S		4
/* Likewise EPT02 hierarchies, one for each EPTP12. */
#define NESTED_EPT02_ROOTS	4
/*
 * How many tables all of them may have in a VM of so many pages: four times those that map
 * each page once, or 256 where that is more. At most 1 MiB and 1/128 of the VM's memory for
 * each vCPU, of its owner's memory control group.
 */
#define NESTED_EPT02_TABLES(pages)	(256 + (pages) / 128)

/*
 * A vmcs02 and what its fields hold. Writes go through vmcs02_put(), which
 * compares with @hw, so that what L1 did not change since is not written again,
 * whichever way it came into vmcs12.
 */
struct vmcs02 {
	struct nv_vmcs *vmcs;		/* NULL: never used */
	gpa1_t owner;			/* vmcs12's address */
	u64 used;			/* nv_nested.clock at its last entry */
	bool fresh;			/* @hw is not known: write everything */
	u32 l0_exceptions;		/* L0's own intercepts, as of its last entry */
	struct vmcs12 *hw;		/* values as last written or read, own page */
	void *msr_bitmap;		/* L0's merged with L1's */
	/* L1's pages that vmcs12 names, mapped while their addresses stay. */
	struct nv_gpage l1_msr_bitmap, vapic, apic_access;
};

/* EPT02 for one EPTP12. Its tables have one owner, this root, and no other role. */
struct ept02 {
	u64 eptp12;
	u64 eptp02;
	u64 *table;			/* NULL: unused */
	u32 tables;			/* with those below it */
	unsigned long gen;		/* vm->ept.gen when it was emptied last */
	u64 used;
	bool flush;			/* INVEPT before its next use */
	bool no_flags;			/* a walk of L2's tables met ROM: without EPTP_AD */
};

struct nested_mem {
	struct l1_mem mem;
	struct nv_vm *vm;
};

struct nv_nested {
	struct nv_vcpu *vcpu;
	struct nested_vmx_msrs msrs, max;
	struct nested_mem mem;

	bool vmxon;
	gpa1_t vmxon_ptr;
	gpa1_t vmcs12_ptr;		/* current VMCS, or GPA1_INVALID */
	struct vmcs12 *v;		/* its contents while it is current; own page */

	u64 clock;
	struct vmcs02 vmcs02s[NESTED_VMCS02S];
	struct vmcs02 *cur;		/* of the L2 that runs */
	void *scratch;			/* page: for a virtual-APIC page that is no memory */

	/* Words of L0's MSR bitmap that let something pass: only these can merge to it. */
	u16 open_words[VMX_BITMAP_SIZE / sizeof(u64)];
	unsigned int open_count;

	/* VMLAUNCH succeeded and hardware has not entered L2 yet; vmcs12 was in this state. */
	bool entry_pending;
	u32 launch_state;
	bool mtf_pending;
	bool pages_stale;		/* L1's pages must be mapped again */
	bool tsc01_stale;		/* L1's TSC offset changed while L2 ran */

	/* VMX-preemption timer of L2, or of L0 for one entry that is to exit at once */
	bool timer_on;
	bool exit_at_once;
	u64 timer_deadline;		/* host TSC */
	struct hrtimer timer;		/* wakes an L2 that is in HLT */

	/* Hardware VMCS shadowing for L1 */
	struct nv_vmcs *shadow;		/* NULL: the CPU has none */
	bool shadow_allowed;		/* every field in it is one that L1 is offered */
	bool shadow_on;			/* vmcs01 is linked to it */
	bool shadow_stale;		/* vmcs12 is newer */

	struct ept02 ept02s[NESTED_EPT02_ROOTS];
	struct ept02 *ept02;		/* of the L2 that runs, or NULL: EPT01 */

	u16 last_vpid12;		/* whose translations VPID02 tags; 0: nobody's */
	bool vpid02_flush;
	int tlb_cpu;			/* where L2 ran last */

	struct {
		u32 count, insn_error, exit_reason;
		u64 qual;
		char rule[40];
	} failure;
};

static inline bool nested_has_current(const struct nv_nested *n)
{
	return gpa1_valid(n->vmcs12_ptr);
}

/*
 * Results of VMX instructions (SDM 3C "Conventions"). Each returns what the
 * exit handler is to return. insn.c
 */
enum nv_next nested_succeed(struct nv_vcpu *vcpu);
enum nv_next nested_fail_invalid(struct nv_vcpu *vcpu);
/* VMfailValid with @error if there is a current VMCS, else VMfailInvalid. */
enum nv_next nested_fail(struct nv_vcpu *vcpu, u32 error);

/*
 * May L1 execute a VMX instruction (other than VMXON) now? If not, #UD or #GP was
 * raised; nothing of the instruction has been looked at.
 */
bool nested_insn_allowed(struct nv_vcpu *vcpu);

struct nested_operand;
enum operand_form;

/* Decode the operand; false: the fault was raised. */
bool nested_operand_get(struct nv_vcpu *vcpu, enum operand_form form, u32 len, bool write,
			struct nested_operand *op);
/* Read or write memory at the operand; false: the fault was raised. */
bool nested_operand_read(struct nv_vcpu *vcpu, u64 la, void *buf, u32 len);
bool nested_operand_write(struct nv_vcpu *vcpu, u64 la, const void *buf, u32 len);
/* The 64-bit physical address that VMXON, VMCLEAR and VMPTRLD take. */
bool nested_operand_pointer(struct nv_vcpu *vcpu, u64 *ptr);
/* A page-aligned address within L1's physical-address width. */
bool nested_pointer_ok(const struct nv_vcpu *vcpu, u64 ptr);

/* nested.c: what depends on L1's CPUID. */
void nested_refresh_cpu(struct nv_vcpu *vcpu);
/* Begin and end of VMX operation; L1 runs. */
void nested_enter_vmx(struct nv_vcpu *vcpu, gpa1_t vmxon_ptr);
void nested_leave_vmx(struct nv_vcpu *vcpu);

/* vmcs12_store.c: the current VMCS, between L1's memory and our cache. */
void vmcs12_store(struct nv_vcpu *vcpu);
bool vmcs12_load(struct nv_vcpu *vcpu, gpa1_t ptr);
/* No current VMCS any more; the cache is not written back. */
void vmcs12_forget(struct nv_vcpu *vcpu);

/* shadow_vmcs.c; vmcs01 current in all of them but the first two. */
int shadow_vmcs_create(struct nv_vcpu *vcpu);
void shadow_vmcs_destroy(struct nv_vcpu *vcpu);	/* vmcs01 was cleared */
bool shadow_vmcs_fits(const struct nested_vmx_msrs *msrs);
void shadow_vmcs_on(struct nv_vcpu *vcpu);
void shadow_vmcs_off(struct nv_vcpu *vcpu);
void shadow_vmcs_to_vmcs12(struct nv_vcpu *vcpu);
void shadow_vmcs_from_vmcs12(struct nv_vcpu *vcpu);
void shadow_vmcs_write(struct nv_vcpu *vcpu, u32 encoding, u64 value);
int shadow_vmcs_init(void);
void shadow_vmcs_exit(void);

/* What of L1's state entry keeps where vmcs12 does not load it. vmcs01 current. */
struct l1_kept {
	u64 dr7, debugctl, pat, efer;
	u32 exceptions;			/* L0's own intercepts */
};

/* vmcs02.c */
struct vmcs02 *vmcs02_get(struct nv_vcpu *vcpu);	/* NULL: no memory */
void vmcs02_destroy(struct nv_vcpu *vcpu);
void vmcs02_unmap_pages(struct nv_vcpu *vcpu);
void vmcs02_load(struct nv_vcpu *vcpu, const struct entry_ctx *c, const struct l1_kept *kept);
void vmcs02_save(struct nv_vcpu *vcpu);			/* guest state to vmcs12 */
void vmcs02_refresh_pages(struct nv_vcpu *vcpu);	/* vmcs02 current */
/* Is L1's exit due because VTPR is below the threshold? */
bool vmcs02_tpr_below(struct nv_vcpu *vcpu);
void vmcs02_find_open_words(struct nv_vcpu *vcpu);
void vmcs02_write_timer(struct nv_vcpu *vcpu);
u32 vmcs02_timer_left(struct nv_vcpu *vcpu);

/* ept02.c */
int ept02_enter(struct nv_vcpu *vcpu);			/* choose the root for vmcs12 */
void ept02_drop(struct nv_vcpu *vcpu, struct ept02 *root);
void ept02_drop_all(struct nv_vcpu *vcpu);
/* Take write access from every leaf, of roots that are not in use as well. */
void ept02_protect_all(struct nv_vcpu *vcpu);
void ept02_drop_eptp(struct nv_vcpu *vcpu, u64 eptp12);
void ept02_destroy(struct nv_vcpu *vcpu);

/* vpid02.c */
void vpid02_enter(struct nv_vcpu *vcpu);
void vpid02_exit(struct nv_vcpu *vcpu);
void vpid02_invalidate(struct nv_vcpu *vcpu, unsigned int type, u16 vpid12, u64 linear);
/* Execute what is due on this CPU. vmcs02 current. */
void nested_flush_due(struct nv_vcpu *vcpu);

/* msr_list.c */
/* 0, or the number (from 1) of the entry that failed, and the rule. */
u32 msr_list_load(struct nv_vcpu *vcpu, u64 gpa, u32 count, enum msr_area area,
		  const struct msr_check **rule);
u32 msr_list_store(struct nv_vcpu *vcpu, u64 gpa, u32 count);

/* host_load.c: L1 goes on at its host state. vmcs01 current. */
struct l2_left {
	u64 pat, efer;			/* as L2 (or the failed entry) left them */
	bool nmi_blocked;
};

void host_load(struct nv_vcpu *vcpu, const struct l2_left *left);
/* VMX abort: indicator into L1's memory, shutdown. */
void nested_abort(struct nv_vcpu *vcpu, u32 indicator);

/* exit.c */
struct nested_exit {
	u32 reason;
	u32 intr_info, intr_error;
	u32 insn_len, insn_info;
	u64 qual;
	u64 linear, physical;
};

void nested_exit(struct nv_vcpu *vcpu, const struct nested_exit *e);
/* An exit that says no more than its reason and qualification. */
void nested_exit_simple(struct nv_vcpu *vcpu, u32 reason, u64 qual);
/*
 * A VM entry that fails after its controls were found good: L1 goes on at its host
 * state, and nothing of vmcs12 but the exit reason and qualification changes.
 * vmcs01 current.
 */
void nested_entry_exit(struct nv_vcpu *vcpu, u32 reason, u64 qual);

/* enter.c: also for state.c, whose entry was made (and checked) elsewhere. */
bool nested_enter_l2(struct nv_vcpu *vcpu, const struct entry_ctx *c);
/* Leave L2 without an exit: reset, end, new state. vmcs01 current afterwards. */
void nested_leave_l2(struct nv_vcpu *vcpu);
void nested_entry_ctx(struct nv_vcpu *vcpu, struct entry_ctx *c);
/* For NESTVM_GET_ENTRY_FAILURE, the statistics and the tracepoint. */
void nested_record_failure(struct nv_vcpu *vcpu, const char *rule, u32 exit_reason,
			   u32 insn_error, u64 qual);
/* vmcs12's VM-entry interruption information becomes the event to inject. */
void nested_take_injection(struct nv_vcpu *vcpu);

/* event.c */
enum hrtimer_restart nested_timer_fn(struct hrtimer *timer);

#endif
