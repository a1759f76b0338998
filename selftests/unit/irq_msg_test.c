// SPDX-License-Identifier: GPL-2.0
#include "harness.h"
#include "irq_msg.h"

TEST(msi)
{
	static const struct {
		const char *name;
		u64 addr;
		u32 data;
		bool is_msg;
		struct nv_intr_msg m;
	} rows[] = {
		{ "edge", 0xfee03000, 0x0031, true,
		  { .dest = 3, .vector = 0x31, .assert = true } },
		{ "logical", 0xfee0f004, 0x0031, true,
		  { .dest = 0xf, .vector = 0x31, .logical = true, .assert = true } },
		{ "redirection hint", 0xfee0f00c, 0x0031, true,
		  { .dest = 0xf, .vector = 0x31, .mode = DELIVER_LOWEST, .logical = true,
		    .assert = true } },
		{ "level, asserted", 0xfee03000, 0xc031, true,
		  { .dest = 3, .vector = 0x31, .level = true, .assert = true } },
		{ "level, de-asserted", 0xfee03000, 0x8031, true,
		  { .dest = 3, .vector = 0x31, .level = true } },
		{ "NMI", 0xfee03008, 0x0400, true,
		  { .dest = 3, .mode = DELIVER_NMI, .assert = true } },
		{ "other address", 0xfec00000, 0x0031, false, { 0 } },
		{ "above 4G", 0x1fee00000, 0x0031, false, { 0 } },
		{ "not programmed", 0, 0, false, { 0 } },
	};

	FOR_EACH_ROW(r, rows) {
		struct nv_intr_msg m;

		CASE("%s", r->name);
		EXPECT_EQ(irq_msg_from_msi(r->addr, r->data, &m), r->is_msg);
		EXPECT_EQ(m.dest, r->m.dest);
		EXPECT_EQ(m.vector, r->m.vector);
		EXPECT_EQ(m.mode, r->m.mode);
		EXPECT_EQ(m.logical, r->m.logical);
		EXPECT_EQ(m.level, r->m.level);
		EXPECT_EQ(m.assert, r->m.assert);
		EXPECT_FALSE(m.x2apic_format);
	}
}

TEST(redirection)
{
	struct nv_intr_msg m;

	irq_msg_from_redir(0x0f00000000008931, &m);
	EXPECT_EQ(m.dest, 0xf);
	EXPECT_EQ(m.vector, 0x31);
	EXPECT_EQ(m.mode, DELIVER_LOWEST);
	EXPECT_TRUE(m.logical);
	EXPECT_TRUE(m.level);
	EXPECT_TRUE(m.assert);
}
