// SPDX-License-Identifier: GPL-2.0
#include "gwalk.h"
#include "x86.h"

#define PTE_P		BIT_ULL(0)
#define PTE_W		BIT_ULL(1)
#define PTE_U		BIT_ULL(2)
#define PTE_A		BIT_ULL(5)
#define PTE_D		BIT_ULL(6)
#define PTE_PS		BIT_ULL(7)
#define PTE_XD		BIT_ULL(63)
#define PTE_ADDR	GENMASK_ULL(51, 12)

#define MAX_LEVELS	5

/* The flags are set with compare-and-exchange; this often a race is followed. */
#define MAX_RETRIES	8

enum paging_mode {
	PAGING_OFF,
	PAGING_32,
	PAGING_PAE,
	PAGING_4,
	PAGING_5,
};

static const struct paging {
	u8 levels;		/* that are read from memory */
	u8 index_bits;
	u8 entry_size;
} pagings[] = {
	[PAGING_32]	= { 2, 10, 4 },
	[PAGING_PAE]	= { 2, 9, 8 },	/* the third is in the PDPTE registers */
	[PAGING_4]	= { 4, 9, 8 },
	[PAGING_5]	= { 5, 9, 8 },
};

/* One walk under way. */
struct walk {
	const struct gwalk_regs *regs;
	const struct gwalk_ops *ops;
	void *ctx;
	u64 la;
	unsigned int access;
	enum paging_mode mode;
	bool user_access;
	struct {
		u64 gpa;
		u64 entry;
	} step[MAX_LEVELS + 1];	/* by level */
};

static enum paging_mode paging_mode(const struct gwalk_regs *r)
{
	if (!(r->cr0 & CR0_PG))
		return PAGING_OFF;
	if (!(r->cr4 & CR4_PAE))
		return PAGING_32;
	if (!(r->efer & IA32_EFER_LMA))
		return PAGING_PAE;
	return r->cr4 & CR4_LA57 ? PAGING_5 : PAGING_4;
}

static bool nx_enabled(const struct walk *k)
{
	return k->mode != PAGING_32 && k->regs->efer & IA32_EFER_NXE;
}

static u64 level_size(enum paging_mode mode, unsigned int level)
{
	return 1ULL << (12 + pagings[mode].index_bits * (level - 1));
}

u64 gwalk_leaf_size(const struct gwalk_regs *regs, unsigned int level)
{
	enum paging_mode mode = paging_mode(regs);

	return mode == PAGING_OFF || !level ? 1ULL << 12 : level_size(mode, level);
}

/* SDM 3A, "Page-Fault Exceptions", figure of the error code. */
static enum gwalk_status page_fault(struct gwalk *w, const struct walk *k, u32 why)
{
	w->error = why;
	if (k->access & GWALK_WRITE)
		w->error |= GWALK_PF_W;
	if (k->user_access)
		w->error |= GWALK_PF_U;
	if (k->access & GWALK_FETCH && (k->regs->cr4 & CR4_SMEP || nx_enabled(k)))
		w->error |= GWALK_PF_ID;
	return GWALK_FAULT;
}

static bool is_leaf(const struct walk *k, unsigned int level, u64 entry)
{
	if (level == 1)
		return true;
	if (!(entry & PTE_PS))
		return false;
	if (level == 2)
		return k->mode != PAGING_32 || k->regs->cr4 & CR4_PSE;
	return level == 3 && k->regs->page1g;
}

/* Bits from the physical-address width up to @top. */
static u64 above_maxphyaddr(const struct walk *k, unsigned int top)
{
	unsigned int width = k->regs->maxphyaddr;

	return width > top ? 0 : GENMASK_ULL(top, width);
}

/*
 * Reserved bits of a present entry: SDM 3A, the formats in "32-Bit Paging", "PAE
 * Paging" and "4-Level Paging and 5-Level Paging", and "Reserved Bits".
 */
static u64 reserved_bits(const struct walk *k, unsigned int level, bool leaf)
{
	u64 rsvd;

	if (k->mode == PAGING_32) {
		unsigned int width = k->regs->maxphyaddr;

		if (level == 1 || !leaf)
			return 0;
		/* PSE-36: bits 20:13 are physical-address bits 39:32, as far as they exist. */
		return width >= 40 ? BIT_ULL(21) : GENMASK_ULL(21, max(width, 32U) - 19);
	}

	rsvd = above_maxphyaddr(k, k->mode == PAGING_PAE ? 62 : 51);
	if (!nx_enabled(k))
		rsvd |= PTE_XD;
	if (level > 1 && leaf)
		rsvd |= GENMASK_ULL(12 + 9 * (level - 1) - 1, 13);
	/* Where no large page can be, the bit that would ask for one is reserved. */
	if (level >= 3 && !leaf)
		rsvd |= PTE_PS;
	return rsvd;
}

static u64 leaf_base(const struct walk *k, unsigned int level, u64 entry)
{
	if (k->mode == PAGING_32 && level == 2)
		return (entry & GENMASK_ULL(31, 22)) | ((entry >> 13) & 0xff) << 32;
	return entry & PTE_ADDR & ~(level_size(k->mode, level) - 1);
}

/* SDM 3A, "Determination of Access Rights". */
static bool access_allowed(const struct gwalk *w, const struct walk *k)
{
	const struct gwalk_regs *r = k->regs;

	if (k->access & GWALK_FETCH) {
		if (w->nx)
			return false;
		if (k->user_access)
			return w->user;
		return !(w->user && r->cr4 & CR4_SMEP);
	}
	if (k->user_access)
		return w->user && (!(k->access & GWALK_WRITE) || w->writable);

	/* An explicit supervisor access may use EFLAGS.AC to reach user pages. */
	if (w->user && r->cr4 & CR4_SMAP &&
	    (k->access & GWALK_IMPLICIT || !(r->rflags & RFLAGS_AC)))
		return false;
	return !(k->access & GWALK_WRITE) || w->writable || !(r->cr0 & CR0_WP);
}

/* Down the tables to a leaf; permissions are gathered, not judged. */
static enum gwalk_status descend(struct gwalk *w, struct walk *k)
{
	const struct paging *p = &pagings[k->mode];
	unsigned int level = p->levels;
	u64 table = k->regs->cr3 & (k->mode == PAGING_32 ? GENMASK_ULL(31, 12) : PTE_ADDR);

	if (k->mode == PAGING_PAE) {
		u64 pdpte = k->regs->pdpte[(k->la >> 30) & 3];

		if (!(pdpte & PTE_P))
			return page_fault(w, k, 0);
		table = pdpte & PTE_ADDR;
	}

	w->writable = true;
	w->user = true;
	w->nx = false;
	for (;; level--) {
		u64 index = (k->la >> (12 + p->index_bits * (level - 1))) &
			    (BIT_ULL(p->index_bits) - 1);
		u64 entry = 0;
		bool leaf;

		w->entry_gpa = table + index * p->entry_size;
		if (!k->ops->read(k->ctx, w->entry_gpa, p->entry_size, &entry)) {
			w->entry_write = false;
			return GWALK_NO_MEMORY;
		}
		k->step[level].gpa = w->entry_gpa;
		k->step[level].entry = entry;

		if (!(entry & PTE_P))
			return page_fault(w, k, 0);
		leaf = is_leaf(k, level, entry);
		if (entry & reserved_bits(k, level, leaf))
			return page_fault(w, k, GWALK_PF_P | GWALK_PF_RSVD);

		w->writable &= !!(entry & PTE_W);
		w->user &= !!(entry & PTE_U);
		w->nx |= nx_enabled(k) && entry & PTE_XD;
		if (leaf) {
			w->level = level;
			w->gpa = leaf_base(k, level, entry) |
				 (k->la & (level_size(k->mode, level) - 1));
			return GWALK_OK;
		}
		table = entry & (k->mode == PAGING_32 ? GENMASK_ULL(31, 12) : PTE_ADDR);
	}
}

/* SDM 3A, "Accessed and Dirty Flags". Top down, as the CPU does. */
static enum gwalk_status set_flags(struct gwalk *w, const struct walk *k)
{
	const struct paging *p = &pagings[k->mode];
	unsigned int level;

	for (level = p->levels; level >= w->level; level--) {
		u64 old = k->step[level].entry, want = old | PTE_A;

		if (level == w->level && k->access & GWALK_WRITE)
			want |= PTE_D;
		if (want == old)
			continue;
		w->entry_gpa = k->step[level].gpa;
		switch (k->ops->exchange(k->ctx, w->entry_gpa, p->entry_size, old, want)) {
		case GWALK_XCHG_DONE:
			break;
		case GWALK_XCHG_CHANGED:
			return GWALK_RETRY;
		default:
			w->entry_write = true;
			return GWALK_NO_MEMORY;
		}
	}
	return GWALK_OK;
}

static enum gwalk_status walk_once(struct gwalk *w, struct walk *k)
{
	enum gwalk_status ret = descend(w, k);

	if (ret != GWALK_OK)
		return ret;
	if (!access_allowed(w, k))
		return page_fault(w, k, GWALK_PF_P);
	if (!k->ops->exchange || k->access & GWALK_PEEK)
		return GWALK_OK;
	return set_flags(w, k);
}

enum gwalk_status gwalk(struct gwalk *w, const struct gwalk_regs *regs,
			const struct gwalk_ops *ops, void *ctx, u64 la, unsigned int access)
{
	struct walk k = {
		.regs = regs,
		.ops = ops,
		.ctx = ctx,
		.la = la,
		.access = access,
		.mode = paging_mode(regs),
		.user_access = regs->cpl == 3 && !(access & GWALK_IMPLICIT),
	};
	enum gwalk_status ret;
	int tries;

	memset(w, 0, sizeof(*w));
	if (k.mode == PAGING_OFF) {
		w->gpa = (u32)la;
		w->writable = true;
		w->user = true;
		return GWALK_OK;
	}
	if (k.mode == PAGING_32 || k.mode == PAGING_PAE)
		k.la = (u32)la;

	for (tries = 0; tries < MAX_RETRIES; tries++) {
		ret = walk_once(w, &k);
		if (ret != GWALK_RETRY)
			return ret;
	}
	return GWALK_RETRY;
}
