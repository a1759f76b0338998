// SPDX-License-Identifier: GPL-2.0
#include "harness.h"
#include "vlapic_ipi.h"
#include "vlapic_regs.h"

TEST(icr)
{
	static const struct {
		const char *name;
		u32 low, high;
		bool x2apic;
		enum ipi_verdict verdict;
		u8 mode;
		enum ipi_to to;
		u32 dest;
		bool logical;
	} rows[] = {
		{ "fixed, physical", 0x00004030, 0x05000000, false,
		  IPI_SEND, DELIVER_FIXED, IPI_TO_DEST, 5, false },
		{ "fixed, logical", 0x00004830, 0x0f000000, false,
		  IPI_SEND, DELIVER_FIXED, IPI_TO_DEST, 0x0f, true },
		{ "x2APIC destination", 0x00000030, 0x12345678, true,
		  IPI_SEND, DELIVER_FIXED, IPI_TO_DEST, 0x12345678, false },
		{ "vector 15", 0x0000000f, 0, false, IPI_ILLEGAL_VECTOR },
		{ "lowest, vector 15", 0x0000010f, 0, false, IPI_ILLEGAL_VECTOR },
		{ "lowest", 0x00000130, 0x01000000, false,
		  IPI_SEND, DELIVER_LOWEST, IPI_TO_DEST, 1, false },
		{ "NMI, vector 0", 0x00000400, 0x01000000, false,
		  IPI_SEND, DELIVER_NMI, IPI_TO_DEST, 1, false },
		{ "NMI to self", 0x00040400, 0, false, IPI_DROP },
		{ "NMI to all", 0x00080400, 0, false, IPI_DROP },
		{ "NMI to others", 0x000c0400, 0, false,
		  IPI_SEND, DELIVER_NMI, IPI_TO_OTHERS, 0, false },
		{ "INIT assert", 0x0000c500, 0x01000000, false,
		  IPI_SEND, DELIVER_INIT, IPI_TO_DEST, 1, false },
		{ "INIT de-assert", 0x00008500, 0x01000000, false, IPI_DROP },
		{ "INIT, edge", 0x00000500, 0x01000000, false,
		  IPI_SEND, DELIVER_INIT, IPI_TO_DEST, 1, false },
		{ "SIPI to others", 0x000c4608, 0, false,
		  IPI_SEND, DELIVER_SIPI, IPI_TO_OTHERS, 0, false },
		{ "remote read", 0x00000330, 0, false, IPI_DROP },
		{ "ExtINT", 0x00000730, 0, false, IPI_DROP },
		{ "self", 0x00040031, 0, false, IPI_SEND, DELIVER_FIXED, IPI_TO_SELF, 0, false },
		{ "all", 0x00080031, 0, true, IPI_SEND, DELIVER_FIXED, IPI_TO_ALL, 0, false },
	};

	FOR_EACH_ROW(r, rows) {
		struct ipi ipi;

		CASE("%s", r->name);
		EXPECT_EQ(ipi_decode(r->low, r->high, r->x2apic, &ipi), r->verdict);
		if (r->verdict != IPI_SEND)
			continue;
		EXPECT_EQ(ipi.msg.vector, r->low & 0xff);
		EXPECT_EQ(ipi.msg.mode, r->mode);
		EXPECT_EQ(ipi.to, r->to);
		EXPECT_EQ(ipi.msg.dest, r->dest);
		EXPECT_EQ(ipi.msg.logical, r->logical);
		EXPECT_EQ(ipi.msg.x2apic_format, r->x2apic);
		EXPECT_FALSE(ipi.msg.level);
		EXPECT_TRUE(ipi.msg.assert);
	}
}

#define XAPIC(id_, lid, dfr_)	{ .id = (id_), .ldr = (u32)(lid) << 24, .dfr = (dfr_) }
#define X2APIC(id_)	{ .id = (id_), .x2apic = true, \
			  .ldr = ((id_) >> 4) << 16 | 1u << ((id_) & 15) }
#define FLAT		0xffffffffu
#define CLUSTER		0x0fffffffu

TEST(destinations)
{
	static const struct {
		const char *name;
		struct ipi_target t;
		u32 dest;
		bool logical, wide, hit;
	} rows[] = {
		{ "own ID", XAPIC(3, 0, FLAT), 3, false, false, true },
		{ "other ID", XAPIC(3, 0, FLAT), 2, false, false, false },
		{ "broadcast", XAPIC(3, 0, FLAT), 0xff, false, false, true },
		{ "broadcast of xAPIC to x2APIC", X2APIC(3), 0xff, false, false, true },
		{ "255 is an ID in x2APIC", X2APIC(3), 0xff, false, true, false },
		{ "broadcast of x2APIC", X2APIC(3), U32_MAX, false, true, true },
		{ "broadcast of x2APIC, logical", X2APIC(3), U32_MAX, true, true, true },
		{ "flat", XAPIC(3, 8, FLAT), 0x0c, true, false, true },
		{ "flat, not in it", XAPIC(3, 8, FLAT), 0x07, true, false, false },
		{ "flat, no logical ID", XAPIC(3, 0, FLAT), 0x0f, true, false, false },
		{ "flat, all", XAPIC(3, 0, FLAT), 0xff, true, false, true },
		{ "cluster", XAPIC(3, 0x24, CLUSTER), 0x26, true, false, true },
		{ "cluster, other", XAPIC(3, 0x24, CLUSTER), 0x36, true, false, false },
		{ "cluster, not in it", XAPIC(3, 0x24, CLUSTER), 0x2b, true, false, false },
		{ "no such model", XAPIC(3, 0x24, 0x5fffffff), 0x24, true, false, false },
		{ "x2APIC cluster", X2APIC(0x25), 0x00020020, true, true, true },
		{ "x2APIC, several", X2APIC(0x25), 0x0002ffff, true, true, true },
		{ "x2APIC, other cluster", X2APIC(0x25), 0x00010020, true, true, false },
		{ "x2APIC, other member", X2APIC(0x25), 0x00020010, true, true, false },
		{ "x2APIC from 8 bits", X2APIC(5), 0x20, true, false, true },
		{ "xAPIC from 32 bits", XAPIC(3, 8, FLAT), 0x108, true, true, false },
	};

	FOR_EACH_ROW(r, rows) {
		struct nv_intr_msg m = {
			.dest = r->dest, .logical = r->logical, .x2apic_format = r->wide,
		};

		CASE("%s", r->name);
		EXPECT_EQ(ipi_matches(&r->t, &m), r->hit);
	}
}

TEST(x2apic_ldr)
{
	EXPECT_EQ(ipi_x2apic_ldr(0), 0x00000001);
	EXPECT_EQ(ipi_x2apic_ldr(0x3f), 0x00038000);
}

TEST(vectors)
{
	static u32 page[1024];
	u8 *bytes = (u8 *)page;

	EXPECT_EQ(lapic_vec_highest(bytes, LAPIC_IRR), (u64)-1);
	page[(LAPIC_IRR + 0x10) / 4] = BIT(1);
	EXPECT_EQ(lapic_vec_highest(bytes, LAPIC_IRR), 33);
	page[(LAPIC_IRR + 0x70) / 4] = BIT(31) | BIT(0);
	EXPECT_EQ(lapic_vec_highest(bytes, LAPIC_IRR), 255);
	EXPECT_EQ(lapic_vec_highest(bytes, LAPIC_ISR), (u64)-1);
	EXPECT_EQ(lapic_vec_reg(LAPIC_TMR, 0x41), LAPIC_TMR + 0x20);
}

TEST(priority)
{
	EXPECT_EQ(lapic_ppr(0x00, -1), 0x00);
	EXPECT_EQ(lapic_ppr(0x35, -1), 0x35);
	EXPECT_EQ(lapic_ppr(0x35, 0x3f), 0x35);
	EXPECT_EQ(lapic_ppr(0x35, 0x4f), 0x40);
	EXPECT_EQ(lapic_ppr(0x55, 0x4f), 0x55);
}

TEST(divide)
{
	static const u8 dcr[] = { 0xb, 0x0, 0x1, 0x2, 0x3, 0x8, 0x9, 0xa };
	unsigned int i;

	for (i = 0; i < 8; i++)
		EXPECT_EQ(lapic_divisor(dcr[i]), 1u << i);
}
