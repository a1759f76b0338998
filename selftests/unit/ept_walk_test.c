// SPDX-License-Identifier: GPL-2.0
#include "harness.h"
#include "ept/ept_walk.h"

/* The tables: level n's is at TABLES + n * 4096. */
#define TABLES	0x200000ULL
#define FRAME	0x40000000ULL
#define ADDR	0x0012345678abcdefULL

static u64 mem[6][512];
static u64 hole;
static unsigned int races, writes;
static bool rom;

static u64 *at(u64 pa)
{
	if (pa < TABLES || pa >= TABLES + sizeof(mem) || pa == hole || pa % 8)
		return NULL;
	return &mem[0][0] + (pa - TABLES) / 8;
}

static bool read_entry(void *ctx, u64 pa, u64 *entry)
{
	u64 *p = at(pa);

	(void)ctx;
	if (!p)
		return false;
	*entry = *p;
	return true;
}

static bool cmpxchg_entry(void *ctx, u64 pa, u64 old, u64 new_)
{
	u64 *p = at(pa);

	(void)ctx;
	if (!p || rom)
		return true;
	if (races) {
		races--;
		return false;
	}
	if (*p != old)
		return false;
	*p = new_;
	writes++;
	return true;
}

static const struct ept_walk_ops ops = { read_entry, cmpxchg_entry };
static const struct ept_walk_ops read_only_ops = { read_entry, NULL };

static struct ept_walk_in in;
static struct ept_walk w;

#define ALL_CAPS	(EPTCAP_EXEC_ONLY | EPTCAP_WALK_4 | EPTCAP_WALK_5 | EPTCAP_MT_UC |	\
			 EPTCAP_MT_WB | EPTCAP_2M | EPTCAP_1G | EPTCAP_AD)
#define LEAF_WB		(EPT_MT_WB << EPT_MT_SHIFT)

static const struct shape {
	u8 top;
	u8 leaf;
} shapes[] = {
	{ 4, 1 }, { 4, 2 }, { 4, 3 }, { 5, 1 }, { 5, 2 }, { 5, 3 },
};

static u64 *entry_of(unsigned int level)
{
	return &mem[level][EPT_INDEX(in.addr, level)];
}

/* All permitted, write-back, all capabilities, 46 bits of physical address. */
static void build(const struct shape *s)
{
	unsigned int level;

	memset(mem, 0, sizeof(mem));
	hole = 0;
	races = 0;
	writes = 0;
	rom = false;
	in = (struct ept_walk_in){
		.eptp = (TABLES + s->top * 4096) | EPT_MT_WB |
			(s->top == 5 ? EPTP_WALK_5 : EPTP_WALK_4),
		.addr = s->top == 5 ? ADDR : ADDR & GENMASK_ULL(47, 0),
		.caps = ALL_CAPS,
		.maxphyaddr = 46,
	};
	for (level = s->top; level > s->leaf; level--)
		*entry_of(level) = (TABLES + (level - 1) * 4096) | EPT_RWX;
	*entry_of(s->leaf) = FRAME | EPT_RWX | LEAF_WB | (s->leaf > 1 ? EPT_LARGE : 0);
}

static enum ept_walk_status walk(u64 access)
{
	in.access = access;
	return ept_walk(&w, &in, &ops, NULL);
}

TEST(translation)
{
	unsigned int level;

	FOR_EACH_ROW(s, shapes) {
		CASE("top %u leaf %u", s->top, s->leaf);
		build(s);
		EXPECT_EQ(walk(EPTV_READ), EPT_WALK_OK);
		EXPECT_EQ(w.addr, FRAME | (in.addr & (EPT_LEVEL_SIZE(s->leaf) - 1)));
		EXPECT_EQ(w.level, s->leaf);
		EXPECT_EQ(w.last, s->leaf);
		EXPECT_EQ(w.memtype, EPT_MT_WB);
		EXPECT_EQ(w.perms, EPT_RWX);
		EXPECT_FALSE(w.ipat);
		EXPECT_TRUE(w.dirty);		/* flags are off: nothing to wait for */
		for (level = s->leaf; level <= s->top; level++)
			EXPECT_TRUE(at(w.step[level].pa) == entry_of(level));
		*entry_of(s->leaf) |= EPT_IPAT;
		EXPECT_EQ(walk(EPTV_READ), EPT_WALK_OK);
		EXPECT_TRUE(w.ipat);
	}
}

/* With four levels an address of more than 48 bits has no translation. */
TEST(address_width)
{
	unsigned int bit;

	for (bit = 46; bit < 52; bit++) {
		CASE("bit %u", bit);
		build(&shapes[0]);
		*entry_of(4) = 0;
		in.addr |= BIT_ULL(bit);
		*entry_of(4) = (TABLES + 3 * 4096) | EPT_RWX;
		EXPECT_EQ(walk(EPTV_READ), bit < 48 ? EPT_WALK_OK : EPT_WALK_VIOLATION);
		if (bit >= 48) {
			EXPECT_EQ(w.qual, EPTV_READ);
			EXPECT_EQ(w.last, 0);
		}
	}
}

/* Every pair of rights: of one entry, and of the access; on each level. */
TEST(permissions)
{
	unsigned int level, perms, access;

	FOR_EACH_ROW(s, shapes)
		for (level = s->leaf; level <= s->top; level++)
			for (perms = 0; perms < 8; perms++)
				for (access = 1; access < 8; access++) {
					bool bad = (perms & 3) == 2;

					CASE("top %u leaf %u level %u perms %u access %u",
					     s->top, s->leaf, level, perms, access);
					build(s);
					*entry_of(level) &= ~EPT_RWX;
					*entry_of(level) |= perms;
					if (bad) {
						EXPECT_EQ(walk(access), EPT_WALK_MISCONFIG);
						continue;
					}
					EXPECT_EQ(walk(access),
						  (perms & access) == access ?
						  EPT_WALK_OK : EPT_WALK_VIOLATION);
					EXPECT_EQ(w.perms, perms);
					if ((perms & access) != access)
						EXPECT_EQ(w.qual, access | perms << 3);
				}
}

/* Rights are the AND over the levels; a missing entry makes them zero. */
TEST(qualification)
{
	build(&shapes[0]);
	*entry_of(4) &= ~EPT_W;
	*entry_of(2) &= ~EPT_X;
	EXPECT_EQ(walk(EPTV_WRITE | EPTV_READ), EPT_WALK_VIOLATION);
	EXPECT_EQ(w.qual, EPTV_WRITE | EPTV_READ | EPTV_PERM_R);
	*entry_of(1) = ~EPT_RWX & ~EPT_XU;
	EXPECT_EQ(walk(EPTV_READ), EPT_WALK_VIOLATION);
	EXPECT_EQ(w.qual, EPTV_READ);
	EXPECT_EQ(w.last, 1);
	EXPECT_EQ(walk(0), EPT_WALK_VIOLATION);
	EXPECT_EQ(w.qual, 0);
}

TEST(execute_only)
{
	unsigned int level;

	for (level = 1; level <= 4; level++) {
		CASE("level %u", level);
		build(&shapes[0]);
		*entry_of(level) &= ~(EPT_R | EPT_W);
		EXPECT_EQ(walk(EPTV_FETCH), EPT_WALK_OK);
		EXPECT_EQ(walk(EPTV_READ), EPT_WALK_VIOLATION);
		EXPECT_EQ(w.qual, EPTV_READ | EPTV_PERM_X);
		in.caps &= ~EPTCAP_EXEC_ONLY;
		EXPECT_EQ(walk(EPTV_FETCH), EPT_WALK_MISCONFIG);
	}
}

TEST(mode_based_execute)
{
	static const struct {
		u64 perms;
		bool user;
		enum ept_walk_status st;
		u64 qual;
	} rows[] = {
		{ EPT_R | EPT_X, false, EPT_WALK_OK, 0 },
		{ EPT_R | EPT_X, true, EPT_WALK_VIOLATION, EPTV_PERM_R | EPTV_PERM_X },
		{ EPT_R | EPT_XU, true, EPT_WALK_OK, 0 },
		{ EPT_R | EPT_XU, false, EPT_WALK_VIOLATION, EPTV_PERM_R | EPTV_PERM_XU },
		{ EPT_XU, true, EPT_WALK_OK, 0 },	/* present by bit 10 alone */
	};

	FOR_EACH_ROW(r, rows) {
		unsigned int level;

		CASE("perms %#llx user %d", r->perms, r->user);
		build(&shapes[0]);
		in.mbec = true;
		in.user_fetch = r->user;
		for (level = 2; level <= 4; level++)
			*entry_of(level) |= EPT_XU;
		*entry_of(1) = FRAME | LEAF_WB | r->perms;
		EXPECT_EQ(walk(EPTV_FETCH), r->st);
		EXPECT_EQ(w.perms, r->perms);
		if (r->st == EPT_WALK_VIOLATION)
			EXPECT_EQ(w.qual, EPTV_FETCH | r->qual);
	}

	/* user-execute only is execute-only, too */
	build(&shapes[0]);
	in.mbec = true;
	in.caps &= ~EPTCAP_EXEC_ONLY;
	*entry_of(1) = FRAME | LEAF_WB | EPT_XU;
	EXPECT_EQ(walk(EPTV_READ), EPT_WALK_MISCONFIG);
	/* without the control bit 10 is ignored: not present */
	in.mbec = false;
	EXPECT_EQ(walk(EPTV_READ), EPT_WALK_VIOLATION);
	EXPECT_EQ(w.qual, EPTV_READ);
}

/* The tables "Format of an EPT ... Entry", written a second time. */
static bool is_reserved(const struct shape *s, unsigned int level, unsigned int bit)
{
	if (bit >= 46 && bit <= 51)
		return true;
	if (level != s->leaf)
		return bit >= 3 && bit <= 7;
	if (level == 3)
		return bit >= 12 && bit <= 29;
	if (level == 2)
		return bit >= 12 && bit <= 20;
	return false;
}

TEST(reserved_bits)
{
	unsigned int level, bit;

	FOR_EACH_ROW(s, shapes)
		for (level = s->leaf; level <= s->top; level++)
			for (bit = 3; bit < 64; bit++) {
				bool rsvd = is_reserved(s, level, bit);
				bool addr = bit >= 12 && bit < 46;

				/* memory types have their own test; some bits mean something */
				if (level == s->leaf && bit >= 3 && bit <= 5)
					continue;
				if (level > s->leaf &&
				    ((addr && !rsvd) || (bit == 7 && level <= 3)))
					continue;
				CASE("top %u leaf %u level %u bit %u", s->top, s->leaf, level, bit);
				build(s);
				*entry_of(level) |= BIT_ULL(bit);
				EXPECT_EQ(walk(EPTV_READ),
					  rsvd ? EPT_WALK_MISCONFIG : EPT_WALK_OK);
				EXPECT_EQ(w.last, rsvd ? level : s->leaf);
			}
}

TEST(memory_types)
{
	u64 type;

	FOR_EACH_ROW(s, shapes)
		for (type = 0; type < 8; type++) {
			bool bad = type == 2 || type == 3 || type == 7;

			CASE("leaf %u type %llu", s->leaf, type);
			build(s);
			*entry_of(s->leaf) &= ~EPT_MT_MASK;
			*entry_of(s->leaf) |= type << EPT_MT_SHIFT;
			EXPECT_EQ(walk(EPTV_READ), bad ? EPT_WALK_MISCONFIG : EPT_WALK_OK);
			if (!bad)
				EXPECT_EQ(w.memtype, type);
		}
}

/* Without the capability a large page's bit 7 is a reserved bit. */
TEST(large_page_capabilities)
{
	build(&shapes[1]);
	in.caps &= ~EPTCAP_2M;
	EXPECT_EQ(walk(EPTV_READ), EPT_WALK_MISCONFIG);
	build(&shapes[2]);
	in.caps &= ~EPTCAP_1G;
	EXPECT_EQ(walk(EPTV_READ), EPT_WALK_MISCONFIG);
	/* and on the upper levels it always is: reserved_bits covers it */
}

/* Not present: no bit is looked at, and no misconfiguration seen. */
TEST(not_present_ignores_the_rest)
{
	unsigned int level;

	FOR_EACH_ROW(s, shapes)
		for (level = s->leaf; level <= s->top; level++) {
			CASE("top %u leaf %u level %u", s->top, s->leaf, level);
			build(s);
			*entry_of(level) = ~EPT_RWX;
			EXPECT_EQ(walk(EPTV_READ), EPT_WALK_VIOLATION);
			EXPECT_EQ(w.last, level);
		}
}

/* A violation above does not stop the walk: the misconfiguration below wins. */
TEST(misconfiguration_before_violation)
{
	build(&shapes[0]);
	*entry_of(4) &= ~EPT_W;
	*entry_of(1) |= 7 << EPT_MT_SHIFT;
	EXPECT_EQ(walk(EPTV_WRITE), EPT_WALK_MISCONFIG);
}

TEST(accessed_and_dirty)
{
	unsigned int level;

	FOR_EACH_ROW(s, shapes) {
		CASE("top %u leaf %u", s->top, s->leaf);
		build(s);
		EXPECT_EQ(walk(EPTV_WRITE), EPT_WALK_OK);
		EXPECT_EQ(writes, 0);			/* off */

		in.eptp |= EPTP_AD;
		EXPECT_EQ(walk(0), EPT_WALK_OK);	/* only looking */
		EXPECT_EQ(writes, 0);
		EXPECT_FALSE(w.dirty);
		EXPECT_EQ(walk(EPTV_READ), EPT_WALK_OK);
		for (level = s->leaf; level <= s->top; level++) {
			EXPECT_EQ(*entry_of(level) & (EPT_A | EPT_D), EPT_A);
			EXPECT_EQ(w.step[level].entry, *entry_of(level));
		}
		EXPECT_FALSE(w.dirty);
		EXPECT_EQ(walk(EPTV_WRITE), EPT_WALK_OK);
		EXPECT_TRUE(w.dirty);
		EXPECT_EQ(*entry_of(s->leaf) & (EPT_A | EPT_D), EPT_A | EPT_D);
		EXPECT_EQ(*entry_of(s->top) & EPT_D, 0);
		writes = 0;
		EXPECT_EQ(walk(EPTV_WRITE), EPT_WALK_OK);
		EXPECT_EQ(writes, 0);
	}

	/* a violation sets none */
	build(&shapes[0]);
	in.eptp |= EPTP_AD;
	*entry_of(1) &= ~EPT_W;
	EXPECT_EQ(walk(EPTV_WRITE), EPT_WALK_VIOLATION);
	EXPECT_EQ(writes, 0);
	in.access = EPTV_READ;
	EXPECT_EQ(ept_walk(&w, &in, &read_only_ops, NULL), EPT_WALK_OK);
	EXPECT_FALSE(w.dirty);
}

TEST(races_with_another_cpu)
{
	build(&shapes[0]);
	in.eptp |= EPTP_AD;
	races = 3;
	EXPECT_EQ(walk(EPTV_WRITE), EPT_WALK_OK);
	build(&shapes[0]);
	in.eptp |= EPTP_AD;
	races = 1000;
	EXPECT_EQ(walk(EPTV_WRITE), EPT_WALK_RETRY);
	EXPECT_TRUE(races > 900);
}

TEST(no_memory)
{
	unsigned int level;

	FOR_EACH_ROW(s, shapes)
		for (level = s->leaf; level <= s->top; level++) {
			CASE("top %u leaf %u level %u", s->top, s->leaf, level);
			build(s);
			hole = TABLES + level * 4096 + EPT_INDEX(in.addr, level) * 8;
			EXPECT_EQ(walk(EPTV_READ), EPT_WALK_NO_MEMORY);
			EXPECT_EQ(w.last, level);
			EXPECT_EQ(w.step[level].pa, hole);
		}
	build(&shapes[0]);
	in.eptp |= EPTP_AD;
	rom = true;
	EXPECT_EQ(walk(EPTV_READ), EPT_WALK_OK);
	EXPECT_EQ(writes, 0);
}

TEST(eptp)
{
	static const struct {
		const char *what;
		u64 eptp, caps;
		bool ok;
	} rows[] = {
		{ "write-back, 4 levels", 0x1000 | 6 | 3 << 3, ALL_CAPS, true },
		{ "uncacheable", 0x1000 | 0 | 3 << 3, ALL_CAPS, true },
		{ "write-back not offered", 0x1000 | 6 | 3 << 3, ALL_CAPS & ~EPTCAP_MT_WB, false },
		{ "uncacheable not offered", 0x1000 | 3 << 3, ALL_CAPS & ~EPTCAP_MT_UC, false },
		{ "write-combining", 0x1000 | 1 | 3 << 3, ALL_CAPS, false },
		{ "type 7", 0x1000 | 7 | 3 << 3, ALL_CAPS, false },
		{ "5 levels", 0x1000 | 6 | 4 << 3, ALL_CAPS, true },
		{ "5 levels not offered", 0x1000 | 6 | 4 << 3, ALL_CAPS & ~EPTCAP_WALK_5, false },
		{ "4 levels not offered", 0x1000 | 6 | 3 << 3, ALL_CAPS & ~EPTCAP_WALK_4, false },
		{ "3 levels", 0x1000 | 6 | 2 << 3, ALL_CAPS, false },
		{ "8 levels", 0x1000 | 6 | 7 << 3, ALL_CAPS, false },
		{ "flags", 0x1000 | 6 | 3 << 3 | EPTP_AD, ALL_CAPS, true },
		{ "flags not offered", 0x1000 | 6 | 3 << 3 | EPTP_AD, ALL_CAPS & ~EPTCAP_AD, false },
		{ "shadow stacks not offered", 0x1000 | 6 | 3 << 3 | EPTP_SSS, ALL_CAPS, false },
		{ "shadow stacks", 0x1000 | 6 | 3 << 3 | EPTP_SSS, ALL_CAPS | EPTCAP_SSS, true },
		{ "bit 8", 0x1100 | 6 | 3 << 3, ALL_CAPS, false },
		{ "bit 11", 0x1800 | 6 | 3 << 3, ALL_CAPS, false },
		{ "bit 45", BIT_ULL(45) | 6 | 3 << 3, ALL_CAPS, true },
		{ "bit 46", BIT_ULL(46) | 6 | 3 << 3, ALL_CAPS, false },
		{ "bit 63", BIT_ULL(63) | 6 | 3 << 3, ALL_CAPS, false },
	};

	FOR_EACH_ROW(r, rows) {
		CASE("%s", r->what);
		EXPECT_EQ(ept_eptp_valid(r->eptp, r->caps, 46), r->ok);
	}
}
