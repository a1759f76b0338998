/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Events on their way into the guest. Decisions only; vmx/inject.c writes the
 * chosen one into the VMCS. Pure.
 *
 * Two slots, as the manual distinguishes them:
 *  - reinject: its delivery had begun when an exit interrupted it (the
 *    IDT-vectoring information). It goes first, unchanged, and no intercept is
 *    asked again, because it is already being delivered.
 *  - exception: raised by an instruction that we emulated, or by user space; not
 *    yet begun. If L2 runs, L1 may intercept it.
 * External interrupts stay in the local APIC or PIC until the entry at which
 * they are injected; NMIs are counted.
 */
#ifndef NESTVM_CPU_EVENT_H
#define NESTVM_CPU_EVENT_H

#include "pure.h"
#include "vmx/vmx_defs.h"

struct nv_event {
	u32 info;	/* in the layout of the VM-entry interruption information; 0: none */
	u32 error;	/* if INTR_INFO_ERROR_CODE */
	u32 insn_len;	/* for software interrupts and exceptions */
	u64 payload;	/* of a pending exception: CR2 of #PF, DR6 bits of #DB */
};

struct nv_events {
	struct nv_event reinject;
	struct nv_event exception;
	u8 nmi_pending;		/* vmx_add_nmis() */
	bool nmi_soft_masked;	/* without virtual NMIs only */
	bool smi_pending;
	/* KVM_INTERRUPT, where the PIC is user space's: the vector that waits, or -1 */
	s16 user_intr;
	bool triple_fault;
};

enum nv_exc_class { EXC_BENIGN, EXC_CONTRIBUTORY, EXC_PAGE };

enum nv_exc_class nv_exception_class(u8 vector);

/*
 * An exception arises. If another is being delivered or waits, the manual's
 * table "Conditions for Generating a Double Fault" decides what comes of both;
 * ev->triple_fault is set if it is a shutdown.
 */
void nv_event_raise(struct nv_events *ev, u8 vector, bool has_error, u32 error, u64 payload);

/*
 * #BP and #OF by INT3 and INTO, #DB by INT1 (@type: INTR_TYPE_SOFT_EXC, INTR_TYPE_PRIV_EXC):
 * RIP is at the instruction, and the delivery pushes that of the next.
 */
void nv_event_raise_soft(struct nv_events *ev, u32 type, u8 vector, u32 insn_len);

void nv_events_clear(struct nv_events *ev);

static inline bool nv_event_valid(const struct nv_event *e)
{
	return e->info & INTR_INFO_VALID;
}

static inline u8 nv_event_vector(const struct nv_event *e)
{
	return e->info & INTR_INFO_VECTOR;
}

#endif
