// SPDX-License-Identifier: GPL-2.0
/* EPT12 as a hostile L1 may write it: the walk must end, and be sane. */
#include "ept/ept_walk.h"

int LLVMFuzzerTestOneInput(const u8 *data, size_t size);

struct input {
	u64 eptp, addr, caps;
	u8 access, maxphyaddr, flags, xchg[5];
	u64 entries[8];
};

static struct input in;
static unsigned int reads, xchgs;

static bool read_entry(void *ctx, u64 pa, u64 *entry)
{
	(void)ctx;
	BUG_ON(pa % 8 || pa >> 52);
	BUG_ON(++reads > 5 * 8);
	*entry = in.entries[reads % 8];
	return (*entry >> 52 & 15) != 15;
}

static bool cmpxchg_entry(void *ctx, u64 pa, u64 old, u64 new_)
{
	(void)ctx;
	BUG_ON(pa % 8 || (old ^ new_) & ~(EPT_A | EPT_D) || !(new_ & EPT_A));
	BUG_ON(++xchgs > 5 * 8);
	return in.xchg[xchgs % 5] % 3 == 0;
}

int LLVMFuzzerTestOneInput(const u8 *data, size_t size)
{
	static const struct ept_walk_ops ops = { read_entry, cmpxchg_entry };
	struct ept_walk_in wi;
	struct ept_walk w;
	u64 need;

	if (size < sizeof(in))
		return 0;
	memcpy(&in, data, sizeof(in));
	reads = 0;
	xchgs = 0;
	wi = (struct ept_walk_in){
		.eptp = in.eptp, .addr = in.addr, .caps = in.caps, .access = in.access & 7,
		.maxphyaddr = 32 + in.maxphyaddr % 21,
		.mbec = in.flags & 1, .user_fetch = in.flags & 2,
	};
	if (!ept_eptp_valid(wi.eptp, wi.caps, wi.maxphyaddr)) {
		wi.eptp = (wi.eptp & GENMASK_ULL(31, 12)) | EPT_MT_WB |
			  (in.flags & 4 ? EPTP_WALK_5 : EPTP_WALK_4) |
			  (in.flags & 8 ? EPTP_AD : 0);
		wi.caps |= EPTCAP_MT_WB | EPTCAP_WALK_4 | EPTCAP_WALK_5 | EPTCAP_AD;
		BUG_ON(!ept_eptp_valid(wi.eptp, wi.caps, wi.maxphyaddr));
	}

	switch (ept_walk(&w, &wi, &ops, NULL)) {
	case EPT_WALK_OK:
		need = (wi.access & 3) | (!(wi.access & EPTV_FETCH) ? 0 :
					  wi.mbec && wi.user_fetch ? EPT_XU : EPT_X);
		BUG_ON((w.perms & need) != need);
		BUG_ON(w.addr >> wi.maxphyaddr || w.level < 1 || w.level > 3);
		BUG_ON((w.addr ^ wi.addr) & (EPT_LEVEL_SIZE(w.level) - 1));
		BUG_ON(w.memtype == 2 || w.memtype == 3 || w.memtype == 7);
		BUG_ON(wi.eptp & EPTP_AD && wi.access & EPTV_WRITE && !w.dirty &&
		       !in.xchg[0]);
		break;
	case EPT_WALK_VIOLATION:
		BUG_ON((w.qual & EPTV_ACCESS) != wi.access || w.qual & ~0x7fULL);
		BUG_ON(!wi.mbec && w.qual & EPTV_PERM_XU);
		break;
	case EPT_WALK_MISCONFIG:
		BUG_ON(!w.last || !ept_entry_present(w.step[w.last].entry, wi.mbec));
		break;
	default:
		break;
	}
	return 0;
}
