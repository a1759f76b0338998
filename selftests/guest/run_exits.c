// SPDX-License-Identifier: GPL-2.0
/* The guest's half of selftests/run_exits.c: instructions that leave for user space. */
#include "guest.h"

#define PORT	0x50
#define MMIO	0xd0000000ul		/* nothing is mapped there */

GUEST_CASE(_io_sizes, 0)
{
	u64 v;

	outb(PORT, 0x11);
	asm volatile("outw %w0, %w1" : : "a"(0x2233), "Nd"(PORT + 2));
	outl(PORT + 4, 0x44556677);
	asm volatile("mov %1, %%edx; outb %%al, %%dx" : : "a"(0x88), "i"(0xfff0) : "rdx");

	v = ~0ull;
	asm volatile("inb %w1, %b0" : "+a"(v) : "Nd"(PORT));
	EXPECT_EQ(v, 0xffffffffffffff99, "RAX after IN of a byte");
	v = ~0ull;
	asm volatile("inw %w1, %w0" : "+a"(v) : "Nd"(PORT + 2));
	EXPECT_EQ(v, 0xffffffffffffaabb, "RAX after IN of a word");
	v = ~0ull;
	asm volatile("inl %w1, %k0" : "+a"(v) : "Nd"(PORT + 4));
	EXPECT_EQ(v, 0xccddeeff, "RAX after IN of a double word");
}

GUEST_CASE(_io_strings, 0)
{
	static const char out[] = "nestvm";
	static u32 in[4] = { 1, 2, 3, 4 };
	const void *from = out;
	void *to = in;
	u64 count = 6;

	asm volatile("rep outsb" : "+S"(from), "+c"(count) : "d"(PORT) : "memory");
	EXPECT_EQ(count, 0, "RCX after REP OUTS");
	EXPECT_EQ(from - (const void *)out, 6, "how far RSI moved");

	count = 3;
	asm volatile("rep insl" : "+D"(to), "+c"(count) : "d"(PORT + 4) : "memory");
	EXPECT_EQ(count, 0, "RCX after REP INS");
	EXPECT_EQ(to - (void *)in, 12, "how far RDI moved");
	EXPECT(in[0] == 0x01010101 && in[1] == 0x02020202 && in[2] == 0x03030303 && in[3] == 4,
	       "%x %x %x %x", in[0], in[1], in[2], in[3]);

	/* downwards, a single one, none at all */
	from = out + 2;
	count = 3;
	asm volatile("std; rep outsb; cld" : "+S"(from), "+c"(count) : "d"(PORT) : "memory");
	EXPECT_EQ(from - (const void *)out, -1, "how far RSI moved");
	from = out;
	asm volatile("outsw" : "+S"(from) : "d"(PORT) : "memory");
	count = 0;
	asm volatile("rep outsb" : "+S"(from), "+c"(count) : "d"(PORT) : "memory");
	EXPECT_EQ(from - (const void *)out, 2, "how far RSI moved");
}

/* More than a page: has to be cut into several exits. */
GUEST_CASE(_io_long_string, 0)
{
	u8 *area = (u8 *)GUEST_FREE;
	const void *from = area;
	u64 count = 10000, i;

	for (i = 0; i < count; i++)
		area[i] = i * 7;
	asm volatile("rep outsb" : "+S"(from), "+c"(count) : "d"(PORT) : "memory");
	EXPECT_EQ(count, 0, "RCX");
}

/* A string that runs into a hole: what came before has been done. */
GUEST_CASE(_io_string_fault, 0)
{
	u8 *area = (u8 *)GUEST_FREE;
	const void *from = area + 4096 - 3;
	u64 count = 5;

	memset(area, 'x', 4096);
	*page_entry((u64)(unsigned long)area + 4096) = 0;
	invlpg(area + 4096);
	EXPECT_EQ(CATCH("rep outsb", ARGS("+S"(from), "+c"(count)), "d"(PORT)), VEC_PF,
		  "the vector");
	EXPECT_EQ(trap.cr2, (unsigned long)area + 4096, "CR2");
	EXPECT_EQ(count, 2, "RCX at the fault");
}

/* The page fault of INS comes before a device is read for nothing. */
GUEST_CASE(_io_string_in_fault, 0)
{
	u8 *area = (u8 *)GUEST_FREE;
	void *to = area + 4096 - 2;
	u64 count = 3;

	*page_entry((u64)(unsigned long)area + 4096) = 0;
	invlpg(area + 4096);
	EXPECT_EQ(CATCH("rep insb", ARGS("+D"(to), "+c"(count)), "d"(PORT)), VEC_PF, "the vector");
	EXPECT_EQ(trap.cr2, (unsigned long)area + 4096, "CR2");
	EXPECT_EQ(trap.error, PFERR_W, "the error code");
	EXPECT_EQ(count, 1, "RCX at the fault");
	EXPECT(area[4094] == 'a' && area[4095] == 'b', "%x %x", area[4094], area[4095]);
	*page_entry((u64)(unsigned long)area + 4096) = ((unsigned long)area + 4096) | PTE_P | PTE_W;
	asm volatile("rep insb" : "+D"(to), "+c"(count) : "d"(PORT) : "memory");
	EXPECT_EQ(area[4096], 'c', "the byte that waited");
}

/* Beyond the canonical addresses, and for a segment that cannot be read: #GP. */
GUEST_CASE(io_string_segments, 0)
{
	u64 bad = 1ull << 62, count = 1;

	EXPECT_EQ(CATCH("outsb", "+S"(bad), "d"(PORT)), VEC_GP, "the vector of OUTS");
	EXPECT_EQ(CATCH("rep insb", ARGS("+D"(bad), "+c"(count)), "d"(PORT)), VEC_GP,
		  "the vector of INS");
	EXPECT_EQ(count, 1, "RCX");
	EXPECT_EQ(trap.error, 0, "the error code");
}

static volatile u64 steps, rips[16], rcxs[16];

static void on_step(struct trap_frame *f)
{
	if (steps < 16) {
		rips[steps] = f->rip;
		rcxs[steps] = f->rcx;
	}
	steps++;
	write_dr6(DR6_FIXED1);
	EXPECT(f->rcx == 0 || f->rflags & RFLAGS_RF, "no RF with RCX %llx", f->rcx);
}

/* SDM 3B "Single-Step Exception Condition": REP gives one behind each iteration. */
#define STEPS_OVER(insn, ...)							\
	asm volatile("pushfq; orq $0x100, (%%rsp); popfq; " insn "; "		\
		     "pushfq; andq $~0x100, (%%rsp); popfq"			\
		     : "+S"(from), "+D"(to), "+c"(count) : "d"(PORT), "a"(0) : "memory", "cc")

static void expect_steps(const char *what)
{
	/* behind each element, and the three instructions that switch it off */
	EXPECT(steps == 6, "%llu traps over %s", steps, what);
	EXPECT(rcxs[0] == 2 && rcxs[1] == 1 && rcxs[2] == 0, "%s: RCX %llx %llx %llx", what,
	       rcxs[0], rcxs[1], rcxs[2]);
	EXPECT(rips[0] == rips[1] && rips[2] > rips[1], "%s: RIP %llx %llx %llx", what, rips[0],
	       rips[1], rips[2]);
}

static void step_over_strings(int which)
{
	u8 *area = (u8 *)GUEST_FREE;
	const void *from = which == 3 ? (void *)MMIO : area;
	void *to = which == 2 ? (void *)MMIO : area + 64;
	u64 count = 3;

	on_trap(VEC_DB, on_step);
	steps = 0;
	switch (which) {
	case 0:
		STEPS_OVER("rep outsb");
		expect_steps("REP OUTS");
		break;
	case 1:
		STEPS_OVER("rep insb");
		expect_steps("REP INS");
		break;
	case 2:
		STEPS_OVER("rep stosb");
		expect_steps("REP STOS to a device");
		break;
	case 3:
		STEPS_OVER("rep movsb");
		expect_steps("REP MOVS from a device");
		break;
	}
}

GUEST_CASE(_io_strings_step, 0)
{
	step_over_strings(0);
	step_over_strings(1);
}

GUEST_CASE(_mmio_strings_step, 0)
{
	step_over_strings(2);
	step_over_strings(3);
}

/* User space sets another RIP while each of these waits: at HLT, where RAX is as it was. */
GUEST_CASE(_left_for_good, 0)
{
	switch (PARAMS->args[0]) {
	case 0:
		asm volatile("outb %%al, %0" : : "i"(PORT), "a"(0x77));
		break;
	case 1:
		asm volatile("inb %0, %%al" : : "i"(PORT), "a"(0x77));
		break;
	case 2:
		asm volatile("rep outsb" : : "d"(PORT), "a"(0x77), "S"(GUEST_FREE), "c"(8));
		break;
	case 3:
		asm volatile("rep insb" : : "d"(PORT), "a"(0x77), "D"(GUEST_FREE), "c"(8));
		break;
	case 4:
		asm volatile("movb (%0), %%al" : : "r"(MMIO), "a"(0x77));
		break;
	case 5:
		asm volatile("movups %%xmm0, (%0)" : : "r"(MMIO), "a"(0x77));
		break;
	}
	failed("it goes on behind instruction %llu", PARAMS->args[0]);
}

/* The test program keeps 4 KiB of memory behind the MMIO window. */
#define W64	(*(volatile u64 *)MMIO)
#define W32	(*(volatile u32 *)MMIO)
#define W16	(*(volatile u16 *)MMIO)
#define W8	(*(volatile u8 *)MMIO)

GUEST_CASE(_mmio_moves, 0)
{
	u64 v;

	W64 = 0x8877665544332211;
	EXPECT_EQ(W64, 0x8877665544332211, "64 bits");
	W32 = 0xaabbccdd;
	EXPECT_EQ(W64, 0x88776655aabbccdd, "64 bits after a write of 32");
	W16 = 0x0102;
	W8 = 0x03;
	EXPECT_EQ(W64, 0x88776655aabb0103, "64 bits after writes of 16 and 8");

	v = ~0ull;
	asm volatile("movb (%1), %b0" : "+q"(v) : "r"(MMIO));
	EXPECT_EQ(v, 0xffffffffffffff03, "a byte moved into a register");
	asm volatile("movb (%1), %%ah" : "+a"(v) : "r"(MMIO + 1));
	EXPECT_EQ(v & 0xffff, 0x0103, "a byte moved into AH");
	v = ~0ull;
	asm volatile("movl (%1), %k0" : "+r"(v) : "r"(MMIO));
	EXPECT_EQ(v, 0xaabb0103, "a double word moved into a register");
	asm volatile("movzbl (%1), %k0" : "=r"(v) : "r"(MMIO + 3));
	EXPECT_EQ(v, 0xaa, "MOVZX of a byte");
	asm volatile("movzwq (%1), %0" : "=r"(v) : "r"(MMIO + 2));
	EXPECT_EQ(v, 0xaabb, "MOVZX of a word");
	asm volatile("movsbq (%1), %0" : "=r"(v) : "r"(MMIO + 3));
	EXPECT_EQ(v, 0xffffffffffffffaa, "MOVSX of a byte");
	asm volatile("movswl (%1), %k0" : "=r"(v) : "r"(MMIO + 2));
	EXPECT_EQ(v, 0xffffaabb, "MOVSX of a word");
	asm volatile("movslq (%1), %0" : "=r"(v) : "r"(MMIO));
	EXPECT_EQ(v, 0xffffffffaabb0103, "MOVSXD");
	asm volatile("movl $0x12345678, (%0)" : : "r"(MMIO) : "memory");
	asm volatile("movq $-2, 8(%0)" : : "r"(MMIO) : "memory");
	EXPECT_EQ(W32, 0x12345678, "an immediate");
	EXPECT_EQ(*(volatile u64 *)(MMIO + 8), 0xfffffffffffffffe, "an immediate, sign extended");
	asm volatile("movl %%eax, (%0,%1,4)" : : "r"(MMIO), "r"(5ull), "a"(0x77) : "memory");
	EXPECT_EQ(*(volatile u32 *)(MMIO + 20), 0x77, "base and index");
	asm volatile("movabsl 0xd0000014, %%eax" : "=a"(v) : : "memory");
	EXPECT_EQ((u32)v, 0x77, "an absolute address");
	asm volatile("mov %%r15, 24(%0)" : : "r"(MMIO) : "memory");
}

GUEST_CASE(_mmio_arithmetic, 0)
{
	u64 flags, v;

	W32 = 0xfffffff0;
	asm volatile("orl $0x0f, (%0)" : : "r"(MMIO) : "memory", "cc");
	EXPECT_EQ(W32, 0xffffffff, "OR");
	asm volatile("addl %2, (%1); pushfq; pop %0" : "=r"(flags) : "r"(MMIO), "r"(1) : "memory",
		     "cc");
	EXPECT_EQ(W32, 0, "ADD");
	EXPECT_EQ(flags & (RFLAGS_CF | RFLAGS_ZF), RFLAGS_CF | RFLAGS_ZF, "the flags of ADD");
	asm volatile("subb $1, (%0)" : : "r"(MMIO) : "memory", "cc");
	EXPECT_EQ(W32, 0xff, "SUB");
	asm volatile("andw $0xf0, (%0)" : : "r"(MMIO) : "memory", "cc");
	EXPECT_EQ(W32, 0xf0, "AND");
	asm volatile("xorl %1, (%0)" : : "r"(MMIO), "r"(0xff) : "memory", "cc");
	EXPECT_EQ(W32, 0x0f, "XOR");
	asm volatile("cmpl $0x0f, (%1); pushfq; pop %0" : "=r"(flags) : "r"(MMIO) : "memory", "cc");
	EXPECT(flags & RFLAGS_ZF, "CMP with memory");
	v = 0x0f;
	asm volatile("cmpl (%2), %k1; pushfq; pop %0" : "=r"(flags) : "r"(v), "r"(MMIO) : "memory",
		     "cc");
	EXPECT(flags & RFLAGS_ZF, "CMP with a register");
	asm volatile("testb $0x10, (%1); pushfq; pop %0" : "=r"(flags) : "r"(MMIO) : "memory",
		     "cc");
	EXPECT(flags & RFLAGS_ZF, "TEST");
	v = 0x1234;
	asm volatile("xchgl %k0, (%1)" : "+r"(v) : "r"(MMIO) : "memory");
	EXPECT_EQ(v, 0x0f, "the register after XCHG");
	EXPECT_EQ(W32, 0x1234, "memory after XCHG");
}

GUEST_CASE(_mmio_strings, 0)
{
	static const u32 words[4] = { 0x10, 0x20, 0x30, 0x40 };
	static u32 back[4];
	const void *from = words;
	void *to = (void *)MMIO;
	u64 count = 4;

	asm volatile("rep movsl" : "+S"(from), "+D"(to), "+c"(count) : : "memory");
	EXPECT_EQ(count, 0, "RCX after REP MOVS");
	from = (void *)MMIO;
	to = back;
	count = 4;
	asm volatile("rep movsl" : "+S"(from), "+D"(to), "+c"(count) : : "memory");
	EXPECT(!memcmp(words, back, 16), "%x %x %x %x", back[0], back[1], back[2], back[3]);
	to = (void *)MMIO;
	count = 3;
	asm volatile("rep stosw" : "+D"(to), "+c"(count) : "a"(0x5a5a) : "memory");
	EXPECT_EQ(W64, 0x00005a5a5a5a5a5a, "memory after REP STOS");
	EXPECT_EQ((unsigned long)to, MMIO + 6, "RDI");
}

GUEST_CASE(_mmio_then_fault, 0)
{
	u64 *hole = (u64 *)(GUEST_FREE + 0x1000);

	/* The destination faults: the exception is the guest's, not an exit. */
	*page_entry((unsigned long)hole) = 0;
	invlpg(hole);
	EXPECT_EQ(CATCH("movsl", , ARGS("S"(MMIO), "D"(hole))), VEC_PF, "the vector");
	EXPECT_EQ(trap.cr2, (unsigned long)hole, "CR2");
	EXPECT_EQ(trap.error, PFERR_W, "the error code");
}

GUEST_CASE(_hlt, 0)
{
	hlt();
	hlt();
}

GUEST_CASE(_triple_fault, 0)
{
	struct descriptor_ptr none = { 0, 0 };

	asm volatile("lidt %0; ud2" : : "m"(none));
}

GUEST_CASE(_cpuid, 0)
{
	struct cpuid_regs r = cpuid(0x40000000, 0);
	u64 rax = 0xffffffff00000000, rbx = ~0ull, rcx = 0xffffffff00000000, rdx = ~0ull;

	EXPECT(r.eax == 0x40000001 && r.ebx == 0x11111111 && r.ecx == 0x22222222 &&
	       r.edx == 0x33333333, "%x %x %x %x", r.eax, r.ebx, r.ecx, r.edx);
	r = cpuid(0x40000001, 5);
	EXPECT_EQ(r.eax, 0x55, "EAX of the leaf with index 5");
	r = cpuid(0x40000001, 6);
	EXPECT_EQ(r.eax, 0x66, "EAX of the leaf with index 6");
	asm volatile("cpuid" : "+a"(rax), "+b"(rbx), "+c"(rcx), "+d"(rdx));
	EXPECT(!(rax >> 32) && !(rbx >> 32) && !(rcx >> 32) && !(rdx >> 32),
	       "CPUID leaves high halves set: %llx %llx %llx %llx", rax, rbx, rcx, rdx);
}
