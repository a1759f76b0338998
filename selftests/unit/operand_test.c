// SPDX-License-Identifier: GPL-2.0
#include "harness.h"
#include "nested/operand.h"

static u64 gpr[REG_COUNT];

/* An instruction-information field, as the CPU writes it. */
#define NO_BASE		BIT(27)
#define NO_INDEX	BIT(22)
#define BASE(r)		((u32)(r) << 23)
#define INDEX(r, scale)	((u32)(r) << 18 | (scale))
#define SEG(s)		((u32)(s) << 15)
#define A16		(0u << 7)
#define A32		(1u << 7)
#define A64		(2u << 7)
#define REG2(r)		((u32)(r) << 28)

static struct operand_cpu flat(bool mode_64)
{
	struct operand_cpu c = { .gpr = gpr, .mode_64 = mode_64, .linear_width = 48 };
	int i;

	for (i = 0; i < 6; i++)
		c.seg[i] = (struct operand_seg){ 0, ~0u, i == SEG_CS ? 0xc09b : 0xc093 };
	for (i = 0; i < REG_COUNT; i++)
		gpr[i] = 0x1000ull * (i + 1);
	return c;
}

TEST(addresses_64)
{
	static const struct {
		const char *name;
		u32 info;
		u64 disp;
		u64 linear;
		enum operand_fault fault;
	} rows[] = {
		{ "base", A64 | SEG(SEG_DS) | BASE(REG_RBX) | NO_INDEX, 0, 0x4000 },
		{ "base, displacement", A64 | SEG(SEG_DS) | BASE(REG_RBX) | NO_INDEX, -8ull, 0x3ff8 },
		{ "base, index, scale", A64 | SEG(SEG_DS) | BASE(REG_R15) | INDEX(REG_RCX, 3), 4,
		  0x10000 + 0x2000 * 8 + 4 },
		{ "rip-relative", A64 | SEG(SEG_DS) | NO_BASE | NO_INDEX, 0xffffffff81000000ull,
		  0xffffffff81000000ull },
		{ "stack", A64 | SEG(SEG_SS) | BASE(REG_RSP) | NO_INDEX, 0x10, 0x5010 },
		{ "GS base", A64 | SEG(SEG_GS) | NO_BASE | NO_INDEX, 0x20, 0xffff888000000020ull },
		{ "DS base does not count", A64 | SEG(SEG_DS) | NO_BASE | NO_INDEX, 0x20, 0x20 },
		{ "32-bit address", A32 | SEG(SEG_DS) | BASE(REG_RBX) | NO_INDEX,
		  0xffffffff00000008ull, 0x4008 },
		{ "32-bit wraps", A32 | SEG(SEG_DS) | BASE(REG_RBX) | NO_INDEX, 0xfffff000, 0x3000 },
		{ "not canonical", A64 | SEG(SEG_DS) | NO_BASE | NO_INDEX, BIT_ULL(47), 0, OPERAND_GP },
		{ "not canonical, SS", A64 | SEG(SEG_SS) | NO_BASE | NO_INDEX, BIT_ULL(47), 0,
		  OPERAND_SS },
		{ "last byte not canonical", A64 | SEG(SEG_DS) | NO_BASE | NO_INDEX,
		  BIT_ULL(47) - 4, 0, OPERAND_GP },
		{ "up to the hole", A64 | SEG(SEG_DS) | NO_BASE | NO_INDEX, BIT_ULL(47) - 8,
		  BIT_ULL(47) - 8 },
	};
	struct operand_cpu cpu = flat(true);
	struct nested_operand o;

	cpu.seg[SEG_GS].base = 0xffff888000000000ull;
	cpu.seg[SEG_DS] = (struct operand_seg){ 0x123000, 0, SEG_AR_UNUSABLE };
	FOR_EACH_ROW(r, rows) {
		CASE("%s", r->name);
		EXPECT_EQ(nested_operand_decode(&cpu, OPERAND_MEM, r->info, r->disp, 8, false, &o),
			  r->fault);
		if (!r->fault)
			EXPECT_EQ(o.linear, r->linear);
	}
}

TEST(five_level_canonical)
{
	struct operand_cpu cpu = flat(true);
	struct nested_operand o;
	u32 info = A64 | SEG(SEG_DS) | NO_BASE | NO_INDEX;

	cpu.linear_width = 57;
	EXPECT_EQ(nested_operand_decode(&cpu, OPERAND_MEM, info, BIT_ULL(47), 8, false, &o),
		  OPERAND_OK);
	EXPECT_EQ(nested_operand_decode(&cpu, OPERAND_MEM, info, BIT_ULL(56), 8, false, &o),
		  OPERAND_GP);
}

TEST(segments_32)
{
	static const struct {
		const char *name;
		struct operand_seg seg;
		u32 s;			/* which */
		u64 disp;
		bool write;
		enum operand_fault fault;
		u64 linear;
	} rows[] = {
		{ "in limit", { 0x1000, 0xfff, 0x93 }, SEG_DS, 0xff8, true, OPERAND_OK, 0x1ff8 },
		{ "last byte out", { 0x1000, 0xfff, 0x93 }, SEG_DS, 0xff9, true, OPERAND_GP },
		{ "out, SS", { 0x1000, 0xfff, 0x93 }, SEG_SS, 0xff9, true, OPERAND_SS },
		{ "base wraps at 4 GiB", { 0xfffff000, ~0u, 0xc093 }, SEG_DS, 0x2000, true,
		  OPERAND_OK, 0x1000 },
		{ "offset wraps", { 0, ~0u, 0xc093 }, SEG_DS, 0xfffffffc, true, OPERAND_GP },
		{ "read-only, read", { 0, ~0u, 0xc091 }, SEG_DS, 0, false, OPERAND_OK, 0 },
		{ "read-only, write", { 0, ~0u, 0xc091 }, SEG_DS, 0, true, OPERAND_GP },
		{ "readable code, read", { 0, ~0u, 0xc09b }, SEG_CS, 0, false, OPERAND_OK, 0 },
		{ "readable code, write", { 0, ~0u, 0xc09b }, SEG_CS, 0, true, OPERAND_GP },
		{ "execute-only, read", { 0, ~0u, 0xc099 }, SEG_CS, 0, false, OPERAND_GP },
		{ "null selector", { 0, ~0u, SEG_AR_UNUSABLE }, SEG_ES, 0, false, OPERAND_GP },
		{ "null SS", { 0, ~0u, SEG_AR_UNUSABLE }, SEG_SS, 0, false, OPERAND_SS },
		{ "expand down, below", { 0, 0xfff, 0xc097 }, SEG_DS, 0xfff, true, OPERAND_GP },
		{ "expand down, above", { 0, 0xfff, 0xc097 }, SEG_DS, 0x1000, true, OPERAND_OK,
		  0x1000 },
		{ "expand down, 16-bit top", { 0, 0xfff, 0x97 }, SEG_DS, 0xfffc, true, OPERAND_GP },
	};
	struct operand_cpu cpu;
	struct nested_operand o;

	FOR_EACH_ROW(r, rows) {
		CASE("%s", r->name);
		cpu = flat(false);
		cpu.seg[r->s] = r->seg;
		EXPECT_EQ(nested_operand_decode(&cpu, OPERAND_MEM,
						A32 | SEG(r->s) | NO_BASE | NO_INDEX, r->disp, 8,
						r->write, &o), r->fault);
		if (!r->fault)
			EXPECT_EQ(o.linear, r->linear);
	}
}

TEST(address_size_16)
{
	struct operand_cpu cpu = flat(false);
	struct nested_operand o;

	gpr[REG_RBX] = 0xfffff;
	EXPECT_EQ(nested_operand_decode(&cpu, OPERAND_MEM,
					A16 | SEG(SEG_DS) | BASE(REG_RBX) | INDEX(REG_RSI, 0), 2,
					8, false, &o), OPERAND_OK);
	EXPECT_EQ(o.linear, 0x7001);
}

TEST(registers)
{
	struct operand_cpu cpu = flat(true);
	struct nested_operand o;
	u32 mem = A64 | SEG(SEG_DS) | BASE(REG_RBX) | NO_INDEX;

	/* VMREAD RCX, R9 */
	EXPECT_EQ(nested_operand_decode(&cpu, OPERAND_VMREAD_WRITE,
					BIT(10) | REG_RCX << 3 | REG2(REG_R9), 0, 8, true, &o),
		  OPERAND_OK);
	EXPECT_TRUE(o.is_reg);
	EXPECT_EQ(o.reg1, REG_RCX);
	EXPECT_EQ(o.reg2, REG_R9);

	EXPECT_EQ(nested_operand_decode(&cpu, OPERAND_VMREAD_WRITE, mem | REG2(REG_RDX), 0, 8, true,
					&o), OPERAND_OK);
	EXPECT_FALSE(o.is_reg);
	EXPECT_EQ(o.reg2, REG_RDX);
	EXPECT_EQ(o.linear, 0x4000);

	/* INVEPT: bit 10 is not defined there. */
	EXPECT_EQ(nested_operand_decode(&cpu, OPERAND_MEM_REG, mem | BIT(10) | REG2(REG_RAX), 0, 16,
					false, &o), OPERAND_OK);
	EXPECT_FALSE(o.is_reg);
	EXPECT_EQ(o.linear, 0x4000);
	/* VMCLEAR: nor is register 2. */
	EXPECT_EQ(nested_operand_decode(&cpu, OPERAND_MEM, mem | REG2(REG_R15), 0, 8, false, &o),
		  OPERAND_OK);
	EXPECT_EQ(o.reg2, 0);
}

/* Any information field: no access outside the arrays. */
TEST(random_fields)
{
	struct nested_operand o;
	int i;

	for (i = 0; i < 20000; i++) {
		struct operand_cpu cpu = flat(i & 1);

		nested_operand_decode(&cpu, i % 3, test_random(), test_random(), 8, i & 2, &o);
		EXPECT_TRUE(o.reg1 < REG_COUNT && o.reg2 < REG_COUNT);
	}
}
