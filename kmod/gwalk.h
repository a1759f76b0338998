/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Walk a guest's own page tables: from a linear address to the
 * guest-physical address behind it, or to the #PF that the CPU would raise.
 * SDM volume 3A, chapter "Paging": 32-bit, PAE, 4-level and 5-level paging.
 *
 *	struct gwalk_regs regs = { .cr0 = ..., .cpl = ..., .maxphyaddr = ... };
 *	struct gwalk w;
 *
 *	switch (gwalk(&w, &regs, &ops, vcpu, la, GWALK_WRITE)) {
 *	case GWALK_OK:		w.gpa
 *	case GWALK_FAULT:	inject #PF(w.error), CR2 = la
 *	case GWALK_NO_MEMORY:	no memory behind the table entry at w.entry_gpa
 *	case GWALK_RETRY:	another CPU keeps changing the tables; enter again
 *	}
 *
 * The addresses are plain u64: gpa1 for L1's tables, gpa2 for L2's. Canonical
 * and segment checks come before (insn_exec.h, insn_linear()). Protection keys
 * and shadow stacks are not modelled: the guest is not offered them.
 */
#ifndef NV_GWALK_H
#define NV_GWALK_H

#include "pure.h"

enum gwalk_access {
	GWALK_READ = 0,
	GWALK_WRITE = BIT(0),
	GWALK_FETCH = BIT(1),
	/* The CPU's own access to a descriptor table, TSS...: supervisor at any CPL. */
	GWALK_IMPLICIT = BIT(2),
	/* Do not set accessed and dirty flags (debuggers, KVM_TRANSLATE). */
	GWALK_PEEK = BIT(3),
};

enum gwalk_status {
	GWALK_OK,
	GWALK_FAULT,
	GWALK_NO_MEMORY,
	GWALK_RETRY,
};

/* #PF error code: SDM 3A, "Page-Fault Exceptions". */
#define GWALK_PF_P	BIT(0)
#define GWALK_PF_W	BIT(1)
#define GWALK_PF_U	BIT(2)
#define GWALK_PF_RSVD	BIT(3)
#define GWALK_PF_ID	BIT(4)

/* What the translation depends on, as the guest's registers hold it. */
struct gwalk_regs {
	u64 cr0;		/* PG, WP */
	u64 cr3;
	u64 cr4;		/* PSE, PAE, SMEP, SMAP, LA57 */
	u64 efer;		/* LMA, NXE */
	u64 rflags;		/* AC */
	u64 pdpte[4];		/* PAE paging: loaded with CR3, not read from memory */
	u8 cpl;
	u8 maxphyaddr;		/* the guest's, CPUID 80000008H */
	bool page1g;		/* the guest's, CPUID 80000001H EDX.26 */
};

enum gwalk_xchg {
	GWALK_XCHG_DONE,	/* also where a write is ignored, as in ROM */
	GWALK_XCHG_CHANGED,	/* memory did not hold @old */
	GWALK_XCHG_NO_MEMORY,
};

struct gwalk_ops {
	/* Read a table entry of @size 4 or 8 bytes, in one access. False: no memory. */
	bool (*read)(void *ctx, u64 gpa, unsigned int size, u64 *entry);
	/* Optional, to set accessed and dirty flags. */
	enum gwalk_xchg (*exchange)(void *ctx, u64 gpa, unsigned int size, u64 old, u64 new_);
};

struct gwalk {
	u64 gpa;		/* GWALK_OK */
	u8 level;		/* of the leaf: 1 = 4K, 2 = 2M (4M), 3 = 1G; 0 = paging is off */
	bool writable;		/* AND of R/W over the walk */
	bool user;		/* AND of U/S */
	bool nx;		/* OR of XD */
	bool entry_write;	/* GWALK_NO_MEMORY: was setting flags, not reading */
	u32 error;		/* GWALK_FAULT: #PF error code */
	u64 entry_gpa;		/* the last entry used */
};

enum gwalk_status gwalk(struct gwalk *w, const struct gwalk_regs *regs,
			const struct gwalk_ops *ops, void *ctx, u64 la, unsigned int access);

/* Bytes that a leaf of @level maps for @regs; 4K if paging is off. */
u64 gwalk_leaf_size(const struct gwalk_regs *regs, unsigned int level);

#endif
