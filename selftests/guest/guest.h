/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The floor a bare-metal guest program stands on: 64-bit mode, 4 GiB mapped
 * 1:1, traps caught, a report to the test program. A program is a list of
 * GUEST_CASE()s; each runs from power-on in a machine of its own.
 */
#ifndef SELFTESTS_GUEST_H
#define SELFTESTS_GUEST_H

#include "pure.h"
#include "x86.h"
#include "params.h"

#define GUEST_CASE(name_, need_)						\
	static void name_(void);						\
	static const struct guest_case case_##name_				\
	__attribute__((section(".cases"), used, aligned(8))) = { #name_, name_, need_ };	\
	static void name_(void)

#define PARAMS ((volatile struct guest_params *)GUEST_PARAMS)

/* Reports. EXPECT goes on, ASSERT ends. */
void say(const char *fmt, ...) __printf(1, 2);
void failed(const char *fmt, ...) __printf(1, 2);
void end(void) __attribute__((noreturn));
void skip(const char *fmt, ...) __attribute__((noreturn)) __printf(1, 2);

#define EXPECT(cond, fmt, ...) do {						\
	if (!(cond))								\
		failed("line %d: %s: " fmt, __LINE__, #cond, ##__VA_ARGS__);	\
} while (0)
#define ASSERT(cond, fmt, ...) do {						\
	if (!(cond)) {								\
		failed("line %d: %s: " fmt, __LINE__, #cond, ##__VA_ARGS__);	\
		end();								\
	}									\
} while (0)
#define EXPECT_EQ(got, want, what) do {						\
	u64 got_ = (u64)(got), want_ = (u64)(want);				\
	if (got_ != want_)							\
		failed("line %d: %s is %llx, should be %llx", __LINE__, what, got_, want_);	\
} while (0)

/* ---- instructions -------------------------------------------------------- */

static inline void outb(u16 port, u8 v)
{
	asm volatile("outb %0, %1" : : "a"(v), "Nd"(port) : "memory");
}

static inline void outl(u16 port, u32 v)
{
	asm volatile("outl %0, %1" : : "a"(v), "Nd"(port) : "memory");
}

static inline u8 inb(u16 port)
{
	u8 v;

	asm volatile("inb %1, %0" : "=a"(v) : "Nd"(port) : "memory");
	return v;
}

static inline u32 inl(u16 port)
{
	u32 v;

	asm volatile("inl %1, %0" : "=a"(v) : "Nd"(port) : "memory");
	return v;
}

static inline u64 rdmsr(u32 msr)
{
	u32 lo, hi;

	asm volatile("rdmsr" : "=a"(lo), "=d"(hi) : "c"(msr) : "memory");
	return (u64)hi << 32 | lo;
}

static inline void wrmsr(u32 msr, u64 v)
{
	asm volatile("wrmsr" : : "c"(msr), "a"((u32)v), "d"((u32)(v >> 32)) : "memory");
}

static inline u64 rdtsc(void)
{
	u32 lo, hi;

	asm volatile("rdtsc" : "=a"(lo), "=d"(hi) : : "memory");
	return (u64)hi << 32 | lo;
}

struct cpuid_regs {
	u32 eax, ebx, ecx, edx;
};

static inline struct cpuid_regs cpuid(u32 leaf, u32 index)
{
	struct cpuid_regs r;

	asm volatile("cpuid" : "=a"(r.eax), "=b"(r.ebx), "=c"(r.ecx), "=d"(r.edx)
		     : "a"(leaf), "c"(index) : "memory");
	return r;
}

#define READ_REG(name, reg)							\
static inline u64 read_##name(void)						\
{										\
	u64 v;									\
										\
	asm volatile("mov %%" reg ", %0" : "=r"(v) : : "memory");		\
	return v;								\
}
#define WRITE_REG(name, reg)							\
static inline void write_##name(u64 v)						\
{										\
	asm volatile("mov %0, %%" reg : : "r"(v) : "memory");			\
}
READ_REG(cr0, "cr0") READ_REG(cr2, "cr2") READ_REG(cr3, "cr3") READ_REG(cr4, "cr4")
READ_REG(cr8, "cr8") READ_REG(dr6, "dr6") READ_REG(dr7, "dr7") READ_REG(dr0, "dr0")
WRITE_REG(cr0, "cr0") WRITE_REG(cr2, "cr2") WRITE_REG(cr3, "cr3") WRITE_REG(cr4, "cr4")
WRITE_REG(cr8, "cr8") WRITE_REG(dr6, "dr6") WRITE_REG(dr7, "dr7") WRITE_REG(dr0, "dr0")

static inline u64 read_rflags(void)
{
	u64 v;

	asm volatile("pushfq; pop %0" : "=r"(v) : : "memory");
	return v;
}

static inline void invlpg(const void *p)
{
	asm volatile("invlpg (%0)" : : "r"(p) : "memory");
}

#define sti()	asm volatile("sti" : : : "memory")
#define cli()	asm volatile("cli" : : : "memory")
#define hlt()	asm volatile("hlt" : : : "memory")
#define cpu_relax() asm volatile("pause" : : : "memory")

/* STI and HLT with nothing between them: an interrupt waits for the HLT. */
#define sti_hlt() asm volatile("sti; hlt" : : : "memory")

/* ---- traps --------------------------------------------------------------- */

struct trap_frame {
	u64 rax, rcx, rdx, rbx, rbp, rsi, rdi, r8, r9, r10, r11, r12, r13, r14, r15;
	u64 vector, error;
	u64 rip, cs, rflags, rsp, ss;
};

#define NO_TRAP		(-1)

/* What the last caught exception was. */
extern volatile struct trap {
	int vector;
	u64 error, rip, cr2, rflags;
} trap;
extern volatile u64 trap_resume;	/* where to go on after an exception; 0: it ends the case */

/*
 * Run @insn (text) and give the vector of the exception it raised, or NO_TRAP.
 * Execution goes on behind it. @outs, @ins: operands, wrapped in ARGS().
 */
#define ARGS(...)	__VA_ARGS__
#define CATCH(insn, outs, ins, ...) ({						\
	trap.vector = NO_TRAP;							\
	asm volatile("leaq 771f(%%rip), %%r11\n\t"				\
		     "movq %%r11, trap_resume\n\t"				\
		     insn "\n"							\
		     "771:\tmovq $0, trap_resume"				\
		     : outs : ins : "r11", "memory", "cc", ##__VA_ARGS__);	\
	trap.vector; })

/* A handler for a vector instead of "that ends the case". NULL: back to that. */
typedef void (*trap_fn)(struct trap_frame *f);
void on_trap(u8 vector, trap_fn fn);

/* Call @fn at CPL 3 (see start.S). */
void run_user(void (*fn)(void));

/* Traps and a task state for the CPU this runs on; the first CPU has them at start. */
void cpu_init(unsigned int cpu);

#define SEL_CODE	0x08
#define SEL_DATA	0x10
#define SEL_CODE32	0x18
#define SEL_USER_DATA	0x20
#define SEL_USER_CODE	0x28
#define SEL_TSS		0x30

struct __packed descriptor_ptr {
	u16 limit;
	u64 base;
};

extern u64 gdt[];
extern struct idt_gate { u64 lo, hi; } idt[256];
struct __packed tss {
	u32 reserved;
	u64 rsp[3];
	u64 reserved2, ist[7], reserved3;
	u16 reserved4, iomap;
};
extern struct tss tss[2];

/* ---- page tables --------------------------------------------------------- */

#define PTE_P		BIT_ULL(0)
#define PTE_W		BIT_ULL(1)
#define PTE_U		BIT_ULL(2)
#define PTE_PCD		BIT_ULL(4)
#define PTE_A		BIT_ULL(5)
#define PTE_D		BIT_ULL(6)
#define PTE_PS		BIT_ULL(7)
#define PTE_NX		BIT_ULL(63)

/* The 4-KiB entry of @va, splitting the 2-MiB page it lies in. Up to 8 splits. */
u64 *page_entry(u64 va);

/* ---- small things -------------------------------------------------------- */

u64 random64(void);		/* from PARAMS->seed */
void wait_ticks(u64 ticks);

/*
 * An exit to L0. The emulated CPU does not look for interrupts of L0 while a
 * guest has its own off: who waits like that must leave now and then.
 */
static inline void let_l0_in(void)
{
	outb(GUEST_PORT_NOTHING, 0);
}

/* Wait, at most about a second of a fast CPU, for @cond. */
#define WAIT_FOR(cond) ({							\
	u64 until_ = rdtsc() + 1000000000ull, spins_ = 0;			\
	while (!(cond) && rdtsc() < until_) {					\
		cpu_relax();							\
		if (!(++spins_ % 1024))						\
			let_l0_in();						\
	}									\
	(cond); })

static inline bool cpu_has_x2apic(void) { return cpuid(1, 0).ecx & BIT(21); }
static inline bool cpu_has_vmx(void) { return cpuid(1, 0).ecx & BIT(5); }

/* Start the second CPU in @fn, with a stack, traps and 64-bit mode. Needs NEED_2_CPUS. */
void smp_start(void (*fn)(void));

#endif
