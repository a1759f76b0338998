// SPDX-License-Identifier: GPL-2.0
#include "ept/ept_walk.h"

/* The flags are set with compare-and-exchange; this often a race is followed. */
#define MAX_RETRIES	8

bool ept_eptp_valid(u64 eptp, u64 caps, unsigned int maxphyaddr)
{
	switch (eptp & EPTP_MT_MASK) {
	case EPT_MT_UC:
		if (!(caps & EPTCAP_MT_UC))
			return false;
		break;
	case EPT_MT_WB:
		if (!(caps & EPTCAP_MT_WB))
			return false;
		break;
	default:
		return false;
	}
	switch (eptp & EPTP_WALK_MASK) {
	case EPTP_WALK_4:
		if (!(caps & EPTCAP_WALK_4))
			return false;
		break;
	case EPTP_WALK_5:
		if (!(caps & EPTCAP_WALK_5))
			return false;
		break;
	default:
		return false;
	}
	if (eptp & EPTP_AD && !(caps & EPTCAP_AD))
		return false;
	if (eptp & EPTP_SSS && !(caps & EPTCAP_SSS))
		return false;
	return !(eptp & EPTP_RESERVED_LOW) && !(eptp >> maxphyaddr);
}

/* May an entry of @level with bit 7 set be a leaf? */
static bool large_supported(unsigned int level, u64 caps)
{
	return (level == EPT_LEVEL_2M && caps & EPTCAP_2M) ||
	       (level == EPT_LEVEL_1G && caps & EPTCAP_1G);
}

static bool is_leaf(u64 entry, unsigned int level, u64 caps)
{
	return level == EPT_LEVEL_4K || (entry & EPT_LARGE && large_supported(level, caps));
}

/* SDM 3C, the tables "Format of an EPT ... Entry". */
static u64 reserved_bits(unsigned int level, bool leaf, unsigned int maxphyaddr)
{
	u64 rsvd = maxphyaddr > 51 ? 0 : GENMASK_ULL(51, maxphyaddr);

	if (!leaf)
		return rsvd | EPT_LARGE | EPT_IPAT | EPT_MT_MASK;
	if (level > EPT_LEVEL_4K)
		rsvd |= GENMASK_ULL(EPT_LEVEL_SHIFT(level) - 1, 12);
	return rsvd;
}

/* SDM 3C, "EPT Misconfigurations", in its order. */
bool ept_entry_misconfigured(u64 entry, unsigned int level, u64 caps, unsigned int maxphyaddr,
			     bool mbec)
{
	bool leaf = is_leaf(entry, level, caps);

	if (!(entry & EPT_R)) {
		if (entry & EPT_W)
			return true;
		if (!(caps & EPTCAP_EXEC_ONLY) && entry & (EPT_X | (mbec ? EPT_XU : 0)))
			return true;
	}
	if (entry & reserved_bits(level, leaf, maxphyaddr))
		return true;
	if (!leaf)
		return false;
	switch (EPT_MT_OF(entry)) {
	case EPT_MT_UC:
	case EPT_MT_WC:
	case EPT_MT_WT:
	case EPT_MT_WP:
	case EPT_MT_WB:
		return false;
	default:
		return true;
	}
}

/*
 * Bits 5:3 are the AND of what all entries used allow, so zero if one was not
 * present; bit 6 is defined with mode-based execute control only.
 */
static enum ept_walk_status violation(struct ept_walk *w, const struct ept_walk_in *in)
{
	w->qual = (in->access & EPTV_ACCESS) | (w->perms & EPT_RWX) << EPTV_PERM_SHIFT;
	if (w->perms & EPT_XU)
		w->qual |= EPTV_PERM_XU;
	return EPT_WALK_VIOLATION;
}

static bool access_allowed(const struct ept_walk *w, const struct ept_walk_in *in)
{
	u64 need = 0;

	if (in->access & EPTV_READ)
		need |= EPT_R;
	if (in->access & EPTV_WRITE)
		need |= EPT_W;
	if (in->access & EPTV_FETCH)
		need |= in->mbec && in->user_fetch ? EPT_XU : EPT_X;
	return (w->perms & need) == need;
}

static enum ept_walk_status descend(struct ept_walk *w, const struct ept_walk_in *in,
				    const struct ept_walk_ops *ops, void *ctx)
{
	unsigned int level = EPTP_LEVELS(in->eptp);
	u64 table = in->eptp & EPT_ADDR_MASK;

	w->perms = EPT_RWX | (in->mbec ? EPT_XU : 0);
	w->last = 0;
	/* Four levels translate 48 bits: an address beyond has no entries. */
	if (in->addr >> (EPT_LEVEL_SHIFT(level) + 9)) {
		w->perms = 0;
		return violation(w, in);
	}

	for (;; level--) {
		u64 entry = 0;

		w->last = level;
		w->step[level].pa = table + EPT_INDEX(in->addr, level) * sizeof(entry);
		if (!ops->read(ctx, w->step[level].pa, &entry))
			return EPT_WALK_NO_MEMORY;
		w->step[level].entry = entry;

		/* An entry that is not present allows nothing: it leaves no right over. */
		w->perms &= entry;
		if (!ept_entry_present(entry, in->mbec))
			return violation(w, in);
		if (ept_entry_misconfigured(entry, level, in->caps, in->maxphyaddr, in->mbec))
			return EPT_WALK_MISCONFIG;
		if (is_leaf(entry, level, in->caps)) {
			u64 offset = EPT_LEVEL_SIZE(level) - 1;

			w->level = level;
			w->addr = (entry & EPT_ADDR_MASK & ~offset) | (in->addr & offset);
			w->memtype = EPT_MT_OF(entry);
			w->ipat = entry & EPT_IPAT;
			return EPT_WALK_OK;
		}
		table = entry & EPT_ADDR_MASK;
	}
}

/* SDM 3C, "Accessed and Dirty Flags for EPT". Looking only sets none. */
static enum ept_walk_status set_flags(struct ept_walk *w, const struct ept_walk_in *in,
				      const struct ept_walk_ops *ops, void *ctx)
{
	unsigned int level;

	for (level = EPTP_LEVELS(in->eptp); level >= w->level; level--) {
		u64 old = w->step[level].entry, want = old | EPT_A;

		if (level == w->level && in->access & EPTV_WRITE)
			want |= EPT_D;
		if (want == old)
			continue;
		if (!ops->exchange(ctx, w->step[level].pa, old, want))
			return EPT_WALK_RETRY;
		w->step[level].entry = want;
	}
	return EPT_WALK_OK;
}

static enum ept_walk_status walk_once(struct ept_walk *w, const struct ept_walk_in *in,
				      const struct ept_walk_ops *ops, void *ctx)
{
	bool flags = in->eptp & EPTP_AD;
	enum ept_walk_status ret = descend(w, in, ops, ctx);

	if (ret != EPT_WALK_OK)
		return ret;
	if (!access_allowed(w, in))
		return violation(w, in);
	if (flags && in->access && ops->exchange)
		ret = set_flags(w, in, ops, ctx);
	w->dirty = !flags || w->step[w->level].entry & EPT_D;
	return ret;
}

enum ept_walk_status ept_walk(struct ept_walk *w, const struct ept_walk_in *in,
			      const struct ept_walk_ops *ops, void *ctx)
{
	enum ept_walk_status ret;
	int tries;

	memset(w, 0, sizeof(*w));
	/* The VM entry's checks of the EPTP came first, also for state that user space brings. */
	if (WARN_ON_ONCE(EPTP_LEVELS(in->eptp) != EPT_LEVEL_PML4 &&
			 EPTP_LEVELS(in->eptp) != EPT_LEVEL_PML5))
		return EPT_WALK_MISCONFIG;
	for (tries = 0; tries < MAX_RETRIES; tries++) {
		ret = walk_once(w, in, ops, ctx);
		if (ret != EPT_WALK_RETRY)
			return ret;
	}
	return EPT_WALK_RETRY;
}
