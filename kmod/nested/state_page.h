/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The page of saved nested state: vmcs12 and what L0 keeps beside it, as pairs of
 * encoding and value, so that neither the order nor the offsets of struct vmcs12
 * are part of it.
 *
 *   0   revision identifier of the VMCS regions in L1's memory (IA32_VMX_BASIC)
 *   4   STATE_PAGE_FORMAT
 *   8   number of pairs
 *   12  launch state of the current VMCS
 *   16  pairs: encoding (4 bytes), 0 (4 bytes), value (8 bytes)
 *
 * A field that is 0 may be left out. Reading takes nothing on trust.
 */
#ifndef NESTVM_NESTED_STATE_PAGE_H
#define NESTVM_NESTED_STATE_PAGE_H

#include "pure.h"
#include "nested/vmcs12.h"

#define STATE_PAGE_SIZE		4096u
#define STATE_PAGE_FORMAT	1u

/*
 * State of a running L2 that vmcs12 does not hold, and of the L1 below it that no
 * exit loads. L(NAME, member, number): the encoding is STATE_PAGE_LIVE + number.
 */
#define STATE_PAGE_LIVE		0x10000u
#define STATE_PAGE_LIVES(L)							\
	L(L2_PAT, l2_pat, 0)							\
	L(L2_EFER, l2_efer, 1)							\
	L(L2_DR7, l2_dr7, 2)							\
	L(L2_DEBUGCTL, l2_debugctl, 3)						\
	L(L2_PDPTE0, l2_pdpte[0], 4)						\
	L(L2_PDPTE1, l2_pdpte[1], 5)						\
	L(L2_PDPTE2, l2_pdpte[2], 6)						\
	L(L2_PDPTE3, l2_pdpte[3], 7)						\
	/* The event whose delivery has begun, as VM-entry interruption information. */ \
	L(EVENT_INFO, event_info, 8)						\
	L(EVENT_ERROR, event_error, 9)						\
	L(EVENT_LEN, event_len, 10)						\
	L(L1_CR0, l1_cr0, 11)		/* of which CD and NW outlive an exit */	\
	L(L1_NMI_BLOCKED, l1_nmi_blocked, 12)

struct state_live {
	u64 l2_pat, l2_efer, l2_dr7, l2_debugctl, l2_pdpte[4];
	u64 event_info, event_error, event_len;
	u64 l1_cr0, l1_nmi_blocked;
};

struct state_pair {
	u32 encoding;
	u32 reserved;
	u64 value;
};

struct state_page {
	u32 revision;
	u32 format;
	u32 count;
	u32 launch_state;
	struct state_pair pair[(STATE_PAGE_SIZE - 16) / sizeof(struct state_pair)];
};

static_assert(sizeof(struct state_page) == STATE_PAGE_SIZE);

/* What is wrong with a page. */
enum state_page_error {
	STATE_PAGE_OK,
	STATE_PAGE_REVISION,		/* VMCS regions of another layout */
	STATE_PAGE_BAD_FORMAT,		/* pages of another format */
	STATE_PAGE_COUNT,		/* more pairs than fit */
	STATE_PAGE_LAUNCH_STATE,	/* neither clear nor launched */
	STATE_PAGE_RESERVED,		/* a reserved word is not 0 */
	STATE_PAGE_UNKNOWN,		/* no such field, and its value is not 0 */
	STATE_PAGE_TWICE,		/* a field comes twice */
	STATE_PAGE_WIDTH,		/* the value is wider than its field */
};

/* Fill @page, all of it. */
void state_page_write(struct state_page *page, const struct vmcs12 *v,
		      const struct state_live *live);

/*
 * Read @page, which nobody else can write now, into @v and @live, all of both. On
 * an error @at is the encoding, or the number, that is wrong.
 */
enum state_page_error state_page_read(const struct state_page *page, struct vmcs12 *v,
				      struct state_live *live, u32 *at);

#endif
