// SPDX-License-Identifier: GPL-2.0
/* The guest's half of selftests/run_fpu.c: registers that must survive exits and others. */
#include "guest.h"

/* 16 registers of 16 or 32 bytes, filled from args[0]. */
static u8 pattern[16][32], got[16][32];

static void fill(u64 seed)
{
	unsigned int i, j;

	for (i = 0; i < 16; i++)
		for (j = 0; j < 32; j++)
			pattern[i][j] = seed + i * 37 + j * 11;
}

#define EACH(op) op(0) op(1) op(2) op(3) op(4) op(5) op(6) op(7) op(8) op(9) op(10) op(11) op(12) \
		 op(13) op(14) op(15)
#define LOAD_X(n) "movdqu 32*" #n "(%0), %%xmm" #n ";"
#define SAVE_X(n) "movdqu %%xmm" #n ", 32*" #n "(%0);"
#define LOAD_Y(n) "vmovdqu 32*" #n "(%0), %%ymm" #n ";"
#define SAVE_Y(n) "vmovdqu %%ymm" #n ", 32*" #n "(%0);"

static void expect_same(unsigned int bytes, unsigned int round)
{
	unsigned int i;

	for (i = 0; i < 16; i++)
		EXPECT(!memcmp(pattern[i], got[i], bytes), "register %u differs in round %u", i,
		       round);
}

GUEST_CASE(_sse, 0)
{
	u32 mxcsr = 0x1f80 | (PARAMS->args[0] & 1 ? 0x8000 : 0), now;
	unsigned int round;

	fill(PARAMS->args[0]);
	asm volatile("ldmxcsr %0" : : "m"(mxcsr));
	asm volatile(EACH(LOAD_X) : : "r"(pattern));
	for (round = 0; round < 20; round++) {
		outb(0x50, round);
		asm volatile(EACH(SAVE_X) : : "r"(got) : "memory");
		expect_same(16, round);
		asm volatile("stmxcsr %0" : "=m"(now));
		EXPECT_EQ(now, mxcsr, "MXCSR");
	}
}

GUEST_CASE(_avx, 0)
{
	unsigned int round;

	if (!(cpuid(1, 0).ecx & BIT(28)))
		skip("CPUID shows no AVX");
	write_cr4(read_cr4() | CR4_OSXSAVE);
	asm volatile("xsetbv" : : "a"(7), "d"(0), "c"(0));
	fill(PARAMS->args[0]);
	asm volatile(EACH(LOAD_Y) : : "r"(pattern));
	for (round = 0; round < 20; round++) {
		outb(0x50, round);
		asm volatile(EACH(SAVE_Y) : : "r"(got) : "memory");
		expect_same(32, round);
	}
}

GUEST_CASE(_x87, 0)
{
	u64 value = PARAMS->args[0], now;
	u16 cw = 0x27f, cw_now;
	unsigned int round;

	asm volatile("fninit; fldcw %0; fildll %1; fldpi" : : "m"(cw), "m"(value));
	for (round = 0; round < 20; round++) {
		outb(0x50, round);
		asm volatile("fnstcw %0; fxch; fistpll %1; fildll %1; fxch" : "=m"(cw_now),
			     "=m"(now));
		EXPECT_EQ(now, value, "the value in the x87 stack");
		EXPECT_EQ(cw_now, cw, "the control word");
	}
}

/* XCR0 of the guest is not the host's: what is off here must not be written here. */
GUEST_CASE(_xcr0, 0)
{
	u32 lo;
	unsigned int round;

	if (!(cpuid(1, 0).ecx & BIT(26)))
		skip("CPUID shows no XSAVE");
	write_cr4(read_cr4() | CR4_OSXSAVE);
	lo = PARAMS->args[0] & 1 ? 1 : 3;
	asm volatile("xsetbv" : : "a"(lo), "d"(0), "c"(0));
	for (round = 0; round < 20; round++) {
		u32 now;

		outb(0x50, round);
		asm volatile("xgetbv" : "=a"(now) : "c"(0) : "rdx");
		EXPECT_EQ(now, lo, "XCR0");
	}
}

static u32 xgetbv_low(void)
{
	u32 lo;

	asm volatile("xgetbv" : "=a"(lo) : "c"(0) : "rdx");
	return lo;
}

/* No exit comes between CR4.OSXSAVE and XGETBV: already this must find the guest's XCR0. */
GUEST_CASE(xcr0_after_reset, 0)
{
	unsigned int i;

	if (!(cpuid(1, 0).ecx & BIT(26)))
		skip("CPUID shows no XSAVE");
	for (i = 0; i < 3; i++) {
		write_cr4(read_cr4() | CR4_OSXSAVE);
		EXPECT_EQ(xgetbv_low(), 1, "XCR0");
		write_cr4(read_cr4() & ~CR4_OSXSAVE);
	}
}

/* The host's XCR0 would let XRSTOR write what is not the guest's: PKRU of the thread. */
GUEST_CASE(xrstor_of_what_xcr0_lacks, 0)
{
	static u8 image[4096] __aligned(64);
	static const u8 components[] = { 1, 2, 9 };
	unsigned int i;

	if (!(cpuid(1, 0).ecx & BIT(26)))
		skip("CPUID shows no XSAVE");
	for (i = 0; i < ARRAY_SIZE(components); i++) {
		*(u64 *)(image + 512) = BIT_ULL(components[i]);
		write_cr4(read_cr4() | CR4_OSXSAVE);
		EXPECT_EQ(CATCH("xrstor64 (%0)", , ARGS("r"(image), "a"(~0u), "d"(~0u))), VEC_GP,
			  "the vector of XRSTOR");
		write_cr4(read_cr4() & ~CR4_OSXSAVE);
	}
}
