// SPDX-License-Identifier: GPL-2.0
/* Guest paging structures and registers from the input: it must end, and be sane. */
#include "gwalk.h"
#include "x86.h"

int LLVMFuzzerTestOneInput(const u8 *data, size_t size);

struct input {
	struct gwalk_regs regs;
	u64 la;
	u8 access;
	u8 pad[7];
	u64 entries[8];
};

static const struct input *in;
static unsigned int reads, xchgs;

static bool read_entry(void *ctx, u64 gpa, unsigned int size, u64 *entry)
{
	(void)ctx;
	BUG_ON((size != 4 && size != 8) || gpa % size || gpa >> 52);
	BUG_ON(++reads > 5 * 8);
	*entry = in->entries[reads % 8];
	if (size == 4)
		*entry = (u32)*entry;
	/* one in sixteen is a hole */
	return (*entry >> 9 & 15) != 15;
}

static enum gwalk_xchg cmpxchg_entry(void *ctx, u64 gpa, unsigned int size, u64 old, u64 new_)
{
	(void)ctx;
	BUG_ON((size != 4 && size != 8) || gpa % size);
	BUG_ON((old ^ new_) & ~0x60ULL || !(new_ & 0x20));
	BUG_ON(++xchgs > 5 * 8);
	return in->pad[xchgs % 7] % 3;
}

int LLVMFuzzerTestOneInput(const u8 *data, size_t size)
{
	static const struct gwalk_ops ops = { read_entry, cmpxchg_entry };
	struct input copy;
	struct gwalk w;
	u8 access;

	if (size < sizeof(copy))
		return 0;
	/* as bools hold only 0 and 1 */
	memcpy(&copy, data, offsetof(struct input, la));
	memset(&copy.regs.page1g, data[offsetof(struct gwalk_regs, page1g)] & 1, 1);
	memcpy(&copy.la, data + offsetof(struct input, la),
	       sizeof(copy) - offsetof(struct input, la));
	copy.regs.cpl &= 3;
	copy.regs.maxphyaddr = 32 + copy.regs.maxphyaddr % 21;
	in = &copy;
	reads = 0;
	xchgs = 0;

	access = copy.access & 15;
	if ((access & 3) == 3)
		access &= ~2;
	switch (gwalk(&w, &copy.regs, &ops, NULL, copy.la, access)) {
	case GWALK_OK:
		BUG_ON(w.gpa >> 52 || w.level > 3);
		BUG_ON(!(copy.regs.cr0 & CR0_PG) != !w.level);
		BUG_ON((copy.la ^ w.gpa) & (gwalk_leaf_size(&copy.regs, w.level) - 1));
		BUG_ON(access & GWALK_PEEK && xchgs);
		break;
	case GWALK_FAULT:
		BUG_ON(!(copy.regs.cr0 & CR0_PG));
		BUG_ON(w.error & ~0x1fU || (!(w.error & 1) && w.error & 8));
		break;
	default:
		break;
	}
	return 0;
}
