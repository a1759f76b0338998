// SPDX-License-Identifier: GPL-2.0
/*
 * The guest's half of selftests/run_mmio.c: instructions that meet what is no memory,
 * at its edge above all.
 */
#include "apic.h"

#define MMIO		0xd0000000ul		/* no slot; the test answers */
#define IOAPIC		0xfec00000ul
#define MEMORY_END	0x1000000ul		/* no slot from here on */

static u8 wide[2][16] __aligned(16);

static void load16(u64 at, void *to)
{
	asm volatile("movups (%0), %%xmm0; movups %%xmm0, (%1)" : : "r"(at), "r"(to) : "memory");
}

static void store16(const void *from, u64 at)
{
	asm volatile("movups (%0), %%xmm1; movups %%xmm1, (%1)" : : "r"(from), "r"(at) : "memory");
}

static void fill(u8 *p, u8 first)
{
	int i;

	for (i = 0; i < 16; i++)
		p[i] = first + i;
}

GUEST_CASE(_wide, 0)
{
	fill(wide[0], 0x30);
	store16(wide[0], MMIO + 0x20);
	load16(MMIO + 0x20, wide[1]);
	EXPECT(!memcmp(wide[0], wide[1], 16), "%x", wide[1][8]);
	/* unaligned, and the aligned form */
	fill(wide[0], 0x50);
	store16(wide[0], MMIO + 0x43);
	load16(MMIO + 0x43, wide[1]);
	EXPECT(!memcmp(wide[0], wide[1], 16), "%x", wide[1][8]);
	asm volatile("movdqa (%0), %%xmm0; movdqu %%xmm0, (%1)"
		     : : "r"(MMIO + 0x20), "r"(wide[1]) : "memory");
	EXPECT_EQ(wide[1][15], 0x3f, "the last byte");
}

/* Half of it is memory. */
GUEST_CASE(_wide_at_the_edge, 0)
{
	u8 *last = (u8 *)MEMORY_END - 8;

	fill(wide[0], 0x70);
	store16(wide[0], MEMORY_END - 8);
	EXPECT(!memcmp(wide[0], last, 8), "%x", last[0]);
	load16(MEMORY_END - 8, wide[1]);
	EXPECT(!memcmp(wide[0], wide[1], 16), "%x", wide[1][8]);
}

GUEST_CASE(wide_access_to_local_apic, NEED_IRQCHIP)
{
	u32 *v = (u32 *)wide[0];

	apic_write(APIC_TPR, 0x30);
	load16(APIC_BASE + APIC_TPR, wide[0]);
	EXPECT_EQ(v[0], 0x30, "the TPR");
	fill(wide[1], 0);
	store16(wide[1], APIC_BASE + APIC_TPR);
	asm volatile("movq (%0), %%xmm0" : : "r"(APIC_BASE + APIC_TPR) : "memory");
	EXPECT_EQ(apic_read(APIC_TPR), 0x30, "the TPR, which is written by 32 bits only");
	apic_write(APIC_TPR, 0);
}

GUEST_CASE(wide_access_to_ioapic, NEED_IRQCHIP)
{
	u32 *v = (u32 *)wide[0];

	*(volatile u32 *)IOAPIC = 1;		/* the version */
	load16(IOAPIC + 0x10, wide[0]);
	EXPECT_EQ(v[0] & 0xff, 0x11, "the version");
	EXPECT_EQ(v[1] | v[2] | v[3], 0, "what is behind it");
	store16(wide[0], IOAPIC + 0x10);
	EXPECT_EQ(*(volatile u32 *)(IOAPIC + 0x10) & 0xff, 0x11, "the version");
}

/* The first byte of MOV r32, r/m32, and nothing behind it. */
GUEST_CASE(_fetch_ends_with_memory, 0)
{
	*(volatile u8 *)(MEMORY_END - 1) = 0x8b;
	asm volatile("jmp *%0" : : "r"(MEMORY_END - 1) : "memory");
}

static void user(void)
{
	EXPECT_EQ(CATCH("jmp *%0", , "r"(MEMORY_END - 1)), VEC_UD, "the vector at the edge");
	EXPECT_EQ(trap.rip, MEMORY_END - 1, "RIP");
	EXPECT_EQ(CATCH("jmp *%0", , "r"(MMIO)), VEC_UD, "the vector in a device");
	EXPECT_EQ(CATCH("fldl (%0)", , "r"(MMIO)), VEC_UD, "the vector of FLD from a device");
}

/* A user program ends itself with it, not the machine. */
GUEST_CASE(what_we_cannot_execute_at_cpl_3, 0)
{
	*(volatile u8 *)(MEMORY_END - 1) = 0x8b;
	run_user(user);
}

GUEST_CASE(_far_jump, 0)
{
	asm volatile(".byte 0xff, 0x2b" : : "b"(MMIO));
}
