/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Walk EPT paging structures over a read callback: EPT12 on behalf of L1, and
 * our own tables in self-checks. SDM volume 3C, "The Extended Page Table
 * Mechanism (EPT)".
 *
 *	struct ept_walk_in in = {
 *		.eptp = eptp12, .caps = caps_shown_to_l1, .maxphyaddr = l1_maxphyaddr,
 *		.addr = gpa2.v, .access = EPTV_WRITE,
 *	};
 *	struct ept_walk w;
 *
 *	switch (ept_walk(&w, &in, &ops, vm)) {
 *	case EPT_WALK_OK:		w.addr, w.perms, w.level, w.memtype, w.dirty
 *	case EPT_WALK_VIOLATION:	exit to L1; qualification bits 6:0 = w.qual
 *	case EPT_WALK_MISCONFIG:	exit to L1
 *	case EPT_WALK_NO_MEMORY:	no memory behind w.step[w.last].gpa
 *	case EPT_WALK_RETRY:		the tables keep changing; enter again
 *	}
 *
 * Addresses are plain u64: what @addr and the entries are depends on whose
 * tables are walked. w.step[] names the tables, top level down to w.last.
 * Not modelled, so not to be offered to L1: sub-page write permissions,
 * supervisor shadow-stack control, guest-paging verification.
 */
#ifndef NV_EPT_WALK_H
#define NV_EPT_WALK_H

#include "pure.h"
#include "ept/ept_defs.h"

#define EPT_MAX_LEVEL	EPT_LEVEL_PML5

enum ept_walk_status {
	EPT_WALK_OK,
	EPT_WALK_VIOLATION,
	EPT_WALK_MISCONFIG,
	EPT_WALK_NO_MEMORY,
	EPT_WALK_RETRY,
};

struct ept_walk_ops {
	/* Read one entry in one access. False: no memory there. */
	bool (*read)(void *ctx, u64 pa, u64 *entry);
	/*
	 * Needed if the EPTP turns accessed and dirty flags on; NULL: leave them alone.
	 * False: memory did not hold @old. A write that ROM ignores is a success.
	 */
	bool (*exchange)(void *ctx, u64 pa, u64 old, u64 new_);
};

struct ept_walk_in {
	u64 eptp;		/* legal, see ept_eptp_valid() */
	u64 addr;		/* guest-physical, to be translated */
	u64 access;		/* EPTV_READ | EPTV_WRITE | EPTV_FETCH; 0: look only */
	u64 caps;		/* EPTCAP_* of the processor that these tables believe in */
	u8 maxphyaddr;		/* likewise */
	bool mbec;		/* "mode-based execute control for EPT" is 1 */
	bool user_fetch;	/* mbec: a fetch from a user-mode linear address */
};

struct ept_walk {
	u64 addr;		/* OK: translation of in->addr */
	u8 level;		/* OK: of the leaf, EPT_LEVEL_4K, _2M, _1G */
	u8 last;		/* level of the last entry read; 0: none was */
	u8 memtype;		/* OK: EPT_MT_* of the leaf */
	bool ipat;		/* OK: the leaf ignores the guest's PAT */
	bool dirty;		/* OK: the leaf's dirty flag is set, or they are off */
	/*
	 * AND over the entries used: EPT_R | EPT_W | EPT_X, and with mbec EPT_XU.
	 * 0 if one was not present.
	 */
	u64 perms;
	u64 qual;		/* VIOLATION: exit qualification bits 6:0 */
	struct {
		u64 pa;		/* of the entry */
		u64 entry;	/* as now in memory, flags set */
	} step[EPT_MAX_LEVEL + 1];	/* by level */
};

enum ept_walk_status ept_walk(struct ept_walk *w, const struct ept_walk_in *in,
			      const struct ept_walk_ops *ops, void *ctx);

/*
 * SDM 3C, "Checks on VM-Execution Control Fields", the EPTP; also decides
 * INVEPT's operand and EPTP switching.
 */
bool ept_eptp_valid(u64 eptp, u64 caps, unsigned int maxphyaddr);

/* Is this entry present at all? */
static inline bool ept_entry_present(u64 entry, bool mbec)
{
	return entry & (EPT_RWX | (mbec ? EPT_XU : 0));
}

/* Would the processor call this present entry of @level misconfigured? */
bool ept_entry_misconfigured(u64 entry, unsigned int level, u64 caps, unsigned int maxphyaddr,
			     bool mbec);

#endif
