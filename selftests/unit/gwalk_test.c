// SPDX-License-Identifier: GPL-2.0
#include "harness.h"
#include "gwalk.h"
#include "x86.h"

#define PAGES	8

/* The tables: page n is at TABLES + n * 4096. Everything else is not memory. */
#define TABLES	0x100000ULL

static u8 mem[PAGES][4096];
static u64 hole;		/* a table address that fails */
static unsigned int races;	/* so many compare-and-exchanges find other contents */
static bool write_fails;
static unsigned int writes;
static unsigned int entry_size;

static u8 *at(u64 gpa, unsigned int size)
{
	if (gpa < TABLES || gpa + size > TABLES + sizeof(mem) || gpa == hole)
		return NULL;
	return &mem[0][0] + (gpa - TABLES);
}

static bool read_entry(void *ctx, u64 gpa, unsigned int size, u64 *entry)
{
	u8 *p = at(gpa, size);

	(void)ctx;
	EXPECT_EQ(size, entry_size);
	EXPECT_EQ(gpa % size, 0);
	if (!p)
		return false;
	memcpy(entry, p, size);
	return true;
}

static enum gwalk_xchg cmpxchg_entry(void *ctx, u64 gpa, unsigned int size, u64 old, u64 new_)
{
	u8 *p = at(gpa, size);

	(void)ctx;
	if (write_fails || !p)
		return GWALK_XCHG_NO_MEMORY;
	if (races) {
		races--;
		return GWALK_XCHG_CHANGED;
	}
	if (memcmp(p, &old, size))
		return GWALK_XCHG_CHANGED;
	memcpy(p, &new_, size);
	writes++;
	return GWALK_XCHG_DONE;
}

static const struct gwalk_ops with_flags = { read_entry, cmpxchg_entry };
static const struct gwalk_ops without_flags = { read_entry, NULL };

static struct gwalk_regs regs;
static struct gwalk w;

enum mode { OFF, BITS32, PAE, LEVEL4, LEVEL5 };

static const char * const mode_names[] = { "off", "32-bit", "PAE", "4-level", "5-level" };

#define P	BIT_ULL(0)
#define RW	BIT_ULL(1)
#define US	BIT_ULL(2)
#define A	BIT_ULL(5)
#define D	BIT_ULL(6)
#define PS	BIT_ULL(7)
#define XD	BIT_ULL(63)
#define ALL	(P | RW | US)

/* The linear address all tests translate: a different index at each level. */
#define LA	0x0012345678abcdefULL
#define LA32	0x78abcdefULL

static u64 la_of(enum mode m)
{
	return m <= PAE ? LA32 : m == LEVEL4 ? LA & GENMASK_ULL(46, 0) : LA;
}

static unsigned int top_level(enum mode m)
{
	return m <= PAE ? 2 : m == LEVEL4 ? 4 : 5;
}

static u64 entry_at(enum mode m, unsigned int level)
{
	unsigned int bits = m == BITS32 ? 10 : 9;
	u64 index = (la_of(m) >> (12 + bits * (level - 1))) & ((1 << bits) - 1);

	return TABLES + level * 4096 + index * entry_size;
}

static void set_entry(enum mode m, unsigned int level, u64 entry)
{
	memcpy(at(entry_at(m, level), entry_size), &entry, entry_size);
}

static u64 get_entry(enum mode m, unsigned int level)
{
	u64 e = 0;

	memcpy(&e, at(entry_at(m, level), entry_size), entry_size);
	return e;
}

/* A table entry points at the next level's page; a leaf at FRAME. */
#define FRAME	0x40000000ULL

static u64 table_entry(unsigned int level)
{
	return (TABLES + (level - 1) * 4096) | ALL;
}

/* Everything mapped and permitted by a leaf at @leaf, 46 bits of physical address. */
static void build(enum mode m, unsigned int leaf)
{
	unsigned int level;

	memset(mem, 0, sizeof(mem));
	memset(&regs, 0, sizeof(regs));
	hole = 0;
	races = 0;
	write_fails = false;
	writes = 0;
	entry_size = m == BITS32 ? 4 : 8;
	regs.maxphyaddr = 46;
	regs.page1g = true;
	regs.cr0 = CR0_PE | CR0_PG | CR0_WP;
	if (m == OFF)
		regs.cr0 = CR0_PE;
	regs.cr3 = TABLES + top_level(m) * 4096;
	if (m == BITS32)
		regs.cr4 = CR4_PSE;
	if (m >= PAE)
		regs.cr4 = CR4_PAE;
	if (m == PAE) {
		regs.pdpte[(LA32 >> 30) & 3] = regs.cr3 | P;
		regs.cr3 = 0xdead0020;		/* not looked at */
	}
	if (m >= LEVEL4)
		regs.efer = IA32_EFER_LME | IA32_EFER_LMA;
	if (m == LEVEL5)
		regs.cr4 |= CR4_LA57;
	if (m != BITS32)
		regs.efer |= IA32_EFER_NXE;
	for (level = top_level(m); level > leaf; level--)
		set_entry(m, level, table_entry(level));
	set_entry(m, leaf, FRAME | ALL | (leaf > 1 ? PS : 0));
}

static enum gwalk_status walk(enum mode m, unsigned int access)
{
	return gwalk(&w, &regs, &with_flags, NULL, la_of(m), access);
}

static const struct shape {
	u8 mode;
	u8 leaf;
	u64 size;
} shapes[] = {
	{ BITS32, 1, 1ULL << 12 },
	{ BITS32, 2, 1ULL << 22 },
	{ PAE, 1, 1ULL << 12 },
	{ PAE, 2, 1ULL << 21 },
	{ LEVEL4, 1, 1ULL << 12 },
	{ LEVEL4, 2, 1ULL << 21 },
	{ LEVEL4, 3, 1ULL << 30 },
	{ LEVEL5, 1, 1ULL << 12 },
	{ LEVEL5, 2, 1ULL << 21 },
	{ LEVEL5, 3, 1ULL << 30 },
};

static void case_of(const struct shape *s, const char *what, u64 n)
{
	CASE("%s, leaf at %u, %s %#llx", mode_names[s->mode], s->leaf, what, n);
}

TEST(translation)
{
	FOR_EACH_ROW(s, shapes) {
		case_of(s, "plain", 0);
		build(s->mode, s->leaf);
		EXPECT_EQ(walk(s->mode, GWALK_READ), GWALK_OK);
		EXPECT_EQ(w.gpa, FRAME | (la_of(s->mode) & (s->size - 1)));
		EXPECT_EQ(w.level, s->leaf);
		EXPECT_EQ(gwalk_leaf_size(&regs, w.level), s->size);
		EXPECT_EQ(w.entry_gpa, entry_at(s->mode, s->leaf));
		EXPECT_TRUE(w.writable && w.user && !w.nx);
	}
}

TEST(paging_off)
{
	build(OFF, 1);
	EXPECT_EQ(gwalk(&w, &regs, &with_flags, NULL, 0xffffffff12345678, GWALK_WRITE), GWALK_OK);
	EXPECT_EQ(w.gpa, 0x12345678);
	EXPECT_EQ(w.level, 0);
	EXPECT_EQ(gwalk_leaf_size(&regs, 0), 4096);
}

/* Outside long mode the upper half of a linear address does not exist. */
TEST(linear_address_width)
{
	build(PAE, 1);
	EXPECT_EQ(gwalk(&w, &regs, &with_flags, NULL, LA32 | 0x5500000000, 0), GWALK_OK);
	build(BITS32, 1);
	EXPECT_EQ(gwalk(&w, &regs, &with_flags, NULL, LA32 | 0x5500000000, 0), GWALK_OK);
}

/* 32-bit paging without CR4.PSE: PS is ignored, a PDE points at a table. */
TEST(pse_off)
{
	build(BITS32, 1);
	regs.cr4 = 0;
	set_entry(BITS32, 2, table_entry(2) | PS);
	EXPECT_EQ(walk(BITS32, 0), GWALK_OK);
	EXPECT_EQ(w.level, 1);
}

/* Bits 20:13 of a 4M leaf are address bits 39:32. */
TEST(pse36)
{
	build(BITS32, 2);
	set_entry(BITS32, 2, 0x40000000 | ALL | PS | 0xdaULL << 13);
	EXPECT_EQ(walk(BITS32, 0), GWALK_OK);
	EXPECT_EQ(w.gpa, 0xda40000000ULL | (LA32 & 0x3fffff));
}

/* What CR3's low bits and the PDPTE's flags hold is not an address. */
TEST(table_base_bits)
{
	build(LEVEL4, 1);
	regs.cr3 |= 0xfff;		/* PCID */
	EXPECT_EQ(walk(LEVEL4, 0), GWALK_OK);
	build(BITS32, 1);
	regs.cr3 |= 0xf00000018ULL;
	EXPECT_EQ(walk(BITS32, 0), GWALK_OK);
}

TEST(not_present)
{
	unsigned int level;

	FOR_EACH_ROW(s, shapes) {
		for (level = s->leaf; level <= top_level(s->mode); level++) {
			case_of(s, "level", level);
			build(s->mode, s->leaf);
			/* all other bits set: none of them may matter */
			set_entry(s->mode, level, ~P);
			EXPECT_EQ(walk(s->mode, GWALK_READ), GWALK_FAULT);
			EXPECT_EQ(w.error, 0);
			regs.cpl = 3;
			EXPECT_EQ(walk(s->mode, GWALK_WRITE), GWALK_FAULT);
			EXPECT_EQ(w.error, GWALK_PF_W | GWALK_PF_U);
			EXPECT_EQ(writes, 0);
		}
	}
	build(PAE, 1);
	regs.pdpte[1] &= ~P;
	EXPECT_EQ(walk(PAE, GWALK_FETCH), GWALK_FAULT);
	EXPECT_EQ(w.error, GWALK_PF_ID);
}

/* Is @bit reserved? Read off the manual's figures, written a second time. */
static bool is_reserved(const struct shape *s, unsigned int level, unsigned int bit, bool nxe,
			bool page1g)
{
	bool leaf = level == s->leaf;

	if (s->mode == BITS32)
		return leaf && level == 2 && bit == 21;	/* 46 bits: all of PSE-36 exists */
	if (bit == 63)
		return !nxe;
	if (bit >= 46 && bit <= (s->mode == PAE ? 62 : 51))
		return true;
	if (bit == 7)
		return level >= 4 || (level == 3 && !page1g);
	if (leaf && level == 2)
		return bit >= 13 && bit <= 20;
	if (leaf && level == 3)
		return bit >= 13 && bit <= 29;
	return false;
}

/*
 * Every bit of every entry: set alone, a reserved one must fault with RSVD, any
 * other must not. (Address bits lead a table entry astray, so only reserved
 * ones are tried there.)
 */
TEST(reserved_bits)
{
	unsigned int level, bit, nxe;

	FOR_EACH_ROW(s, shapes) {
		for (level = s->leaf; level <= top_level(s->mode); level++)
			for (bit = 3; bit < 8U * (s->mode == BITS32 ? 4 : 8); bit++)
				for (nxe = 0; nxe < 2; nxe++) {
					bool rsvd = is_reserved(s, level, bit, nxe, true);
					bool addr = bit >= 12 && bit < 46;

					CASE("%s leaf %u level %u bit %u nxe %u",
					     mode_names[s->mode], s->leaf, level, bit, nxe);
					if (!rsvd && (bit == 7 || (addr && level > s->leaf)))
						continue;
					build(s->mode, s->leaf);
					if (s->mode != BITS32 && !nxe)
						regs.efer &= ~IA32_EFER_NXE;
					set_entry(s->mode, level,
						  get_entry(s->mode, level) | BIT_ULL(bit));
					EXPECT_EQ(walk(s->mode, GWALK_READ),
						  rsvd ? GWALK_FAULT : GWALK_OK);
					if (rsvd)
						EXPECT_EQ(w.error, GWALK_PF_P | GWALK_PF_RSVD);
				}
	}
}

/* Without 1G pages the PS bit of a PDPTE is reserved. */
TEST(no_1g_pages)
{
	build(LEVEL4, 3);
	regs.page1g = false;
	EXPECT_EQ(walk(LEVEL4, GWALK_WRITE), GWALK_FAULT);
	EXPECT_EQ(w.error, GWALK_PF_P | GWALK_PF_RSVD | GWALK_PF_W);
}

/* PSE-36 with fewer physical-address bits: the rest of 21:13 is reserved. */
TEST(pse36_reserved)
{
	unsigned int width, bit;

	for (width = 32; width <= 52; width++)
		for (bit = 13; bit <= 21; bit++) {
			bool rsvd = bit == 21 || bit - 13 + 32 >= width;

			CASE("width %u bit %u", width, bit);
			build(BITS32, 2);
			regs.maxphyaddr = width;
			set_entry(BITS32, 2, FRAME | ALL | PS | BIT_ULL(bit));
			EXPECT_EQ(walk(BITS32, 0), rsvd ? GWALK_FAULT : GWALK_OK);
		}
}

TEST(physical_address_width)
{
	unsigned int width, bit;

	for (width = 36; width <= 52; width++)
		for (bit = 36; bit < 52; bit++) {
			CASE("width %u bit %u", width, bit);
			build(LEVEL4, 1);
			regs.maxphyaddr = width;
			set_entry(LEVEL4, 1, FRAME | ALL | BIT_ULL(bit));
			EXPECT_EQ(walk(LEVEL4, 0), bit >= width ? GWALK_FAULT : GWALK_OK);
		}
}

/*
 * "Determination of Access Rights", sentence by sentence, as a second opinion
 * on all combinations of mode bits, page rights, CPL and access.
 */
struct rights {
	bool user, writable, xd;	/* of the address */
	bool wp, smep, smap, nxe, ac;
	bool cpl3, implicit;
};

static bool manual_allows(const struct rights *r, unsigned int kind)
{
	bool supervisor_access = !r->cpl3 || r->implicit;
	bool user_address = r->user;

	if (supervisor_access) {
		switch (kind) {
		case GWALK_READ:
			if (!user_address)
				return true;
			if (!r->smap)
				return true;
			return r->ac && !r->implicit;
		case GWALK_WRITE:
			if (!user_address)
				return !r->wp || r->writable;
			if (!r->wp)
				return !r->smap || (r->ac && !r->implicit);
			return (!r->smap || (r->ac && !r->implicit)) && r->writable;
		default:
			if (!user_address)
				return !r->nxe || !r->xd;
			return !r->smep && (!r->nxe || !r->xd);
		}
	}
	switch (kind) {
	case GWALK_READ:
		return user_address;
	case GWALK_WRITE:
		return user_address && r->writable;
	default:
		return user_address && (!r->nxe || !r->xd);
	}
}

TEST(access_rights)
{
	static const u8 kinds[] = { GWALK_READ, GWALK_WRITE, GWALK_FETCH };
	unsigned int n, level;

	FOR_EACH_ROW(s, shapes)
		for (level = s->leaf; level <= top_level(s->mode); level++)
			for (n = 0; n < 1024; n++)
				FOR_EACH_ROW(k, kinds) {
					struct rights r = {
						n & 1, n & 2, n & 4, n & 8, n & 16, n & 32,
						n & 64, n & 128, n & 256, n & 512,
					};
					bool id = *k == GWALK_FETCH && (r.smep || r.nxe);
					bool user = r.cpl3 && !r.implicit;
					bool ok;
					u64 e;

					if (s->mode == BITS32 && (r.xd || r.nxe))
						continue;
					/* then it is a reserved bit */
					if (r.xd && !r.nxe)
						continue;
					CASE("%s leaf %u, level %u, rights %#x, access %u",
					     mode_names[s->mode], s->leaf, level, n, *k);
					build(s->mode, s->leaf);
					e = get_entry(s->mode, level) & ~(RW | US);
					e |= (r.user ? US : 0) | (r.writable ? RW : 0) |
					     (r.xd ? XD : 0);
					set_entry(s->mode, level, e);
					regs.cr0 = CR0_PE | CR0_PG | (r.wp ? CR0_WP : 0);
					regs.cr4 |= (r.smep ? CR4_SMEP : 0) |
						    (r.smap ? CR4_SMAP : 0);
					regs.efer &= ~IA32_EFER_NXE;
					regs.efer |= r.nxe ? IA32_EFER_NXE : 0;
					regs.rflags = r.ac ? RFLAGS_AC : 0;
					regs.cpl = r.cpl3 ? 3 : 0;

					ok = manual_allows(&r, *k);
					EXPECT_EQ(walk(s->mode, *k | (r.implicit ?
								      GWALK_IMPLICIT : 0)),
						  ok ? GWALK_OK : GWALK_FAULT);
					EXPECT_EQ(w.user, r.user);
					EXPECT_EQ(w.writable, r.writable);
					EXPECT_EQ(w.nx, r.xd);
					if (!ok)
						EXPECT_EQ(w.error, GWALK_PF_P |
							  (*k == GWALK_WRITE ? GWALK_PF_W : 0) |
							  (user ? GWALK_PF_U : 0) |
							  (id ? GWALK_PF_ID : 0));
				}
}

/* CPL 1 and 2 are supervisor mode. */
TEST(cpl)
{
	unsigned int cpl;

	for (cpl = 0; cpl <= 3; cpl++) {
		CASE("cpl %u", cpl);
		build(LEVEL4, 1);
		set_entry(LEVEL4, 1, FRAME | P | RW);
		regs.cpl = cpl;
		EXPECT_EQ(walk(LEVEL4, 0), cpl == 3 ? GWALK_FAULT : GWALK_OK);
	}
}

TEST(accessed_and_dirty)
{
	unsigned int level;

	FOR_EACH_ROW(s, shapes) {
		case_of(s, "read", 0);
		build(s->mode, s->leaf);
		EXPECT_EQ(walk(s->mode, GWALK_READ), GWALK_OK);
		for (level = s->leaf; level <= top_level(s->mode); level++)
			EXPECT_EQ(get_entry(s->mode, level) & (A | D), A);
		EXPECT_EQ(writes, top_level(s->mode) - s->leaf + 1);

		case_of(s, "then write", 0);
		EXPECT_EQ(walk(s->mode, GWALK_WRITE), GWALK_OK);
		for (level = s->leaf; level <= top_level(s->mode); level++)
			EXPECT_EQ(get_entry(s->mode, level) & (A | D),
				  level == s->leaf ? A | D : A);
		EXPECT_EQ(writes, top_level(s->mode) - s->leaf + 2);

		case_of(s, "then nothing new", 0);
		EXPECT_EQ(walk(s->mode, GWALK_WRITE), GWALK_OK);
		EXPECT_EQ(writes, top_level(s->mode) - s->leaf + 2);
	}
}

TEST(flags_are_left_alone)
{
	build(LEVEL4, 1);
	EXPECT_EQ(walk(LEVEL4, GWALK_WRITE | GWALK_PEEK), GWALK_OK);
	EXPECT_EQ(writes, 0);
	EXPECT_EQ(gwalk(&w, &regs, &without_flags, NULL, la_of(LEVEL4), GWALK_WRITE), GWALK_OK);
	EXPECT_EQ(writes, 0);
	/* a fault sets none */
	set_entry(LEVEL4, 1, FRAME | P);
	EXPECT_EQ(walk(LEVEL4, GWALK_WRITE), GWALK_FAULT);
	EXPECT_EQ(writes, 0);
}

TEST(races_with_another_cpu)
{
	build(LEVEL4, 1);
	races = 3;
	EXPECT_EQ(walk(LEVEL4, GWALK_WRITE), GWALK_OK);
	EXPECT_EQ(get_entry(LEVEL4, 1) & (A | D), A | D);
	build(LEVEL4, 1);
	races = 1000;
	EXPECT_EQ(walk(LEVEL4, GWALK_WRITE), GWALK_RETRY);
	EXPECT_TRUE(races > 900);
}

TEST(no_memory)
{
	unsigned int level;

	FOR_EACH_ROW(s, shapes)
		for (level = s->leaf; level <= top_level(s->mode); level++) {
			case_of(s, "level", level);
			build(s->mode, s->leaf);
			hole = entry_at(s->mode, level);
			EXPECT_EQ(walk(s->mode, GWALK_READ), GWALK_NO_MEMORY);
			EXPECT_EQ(w.entry_gpa, hole);
			EXPECT_FALSE(w.entry_write);
		}
	build(LEVEL4, 1);
	write_fails = true;
	EXPECT_EQ(walk(LEVEL4, GWALK_READ), GWALK_NO_MEMORY);
	EXPECT_TRUE(w.entry_write);
	EXPECT_EQ(w.entry_gpa, entry_at(LEVEL4, 4));
}
