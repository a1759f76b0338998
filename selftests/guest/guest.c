// SPDX-License-Identifier: GPL-2.0
#include "guest.h"
#include "apic.h"

#include <stdarg.h>

extern const struct guest_case guest_cases[], guest_cases_end[];
extern u8 trap_entries[], user_return[], ap_start[], ap_start_end[], ap_cr3[], ap_entry[];

volatile struct trap trap;
volatile u64 trap_resume;
static trap_fn handlers[256];
static bool any_failed;

/* Null, code, data, 32-bit code, user data, user code, two TSS of 16 bytes. */
u64 gdt[10] = {
	0, 0x00af9b000000ffff, 0x00cf93000000ffff, 0x00cf9b000000ffff,
	0x00cff3000000ffff, 0x00affb000000ffff,
};
struct idt_gate idt[256] __aligned(16);
struct tss tss[2] __aligned(64);

/* run_user() writes it by name */
asm(".globl tss_rsp0\n tss_rsp0 = tss + 4");

/* ---- text ---------------------------------------------------------------- */

struct text {
	char *at, *end;
};

static void put(struct text *t, char c)
{
	if (t->at < t->end)
		*t->at++ = c;
}

static void put_number(struct text *t, u64 v, unsigned int base, int width, char pad)
{
	char digits[24];
	int n = 0;

	do {
		digits[n++] = "0123456789abcdef"[v % base];
		v /= base;
	} while (v);
	while (width-- > n)
		put(t, pad);
	while (n)
		put(t, digits[--n]);
}

static void put_string(struct text *t, const char *s)
{
	while (*s)
		put(t, *s++);
}

/* %s %c %d %u %x with l, ll, a width and 0; # is taken as written. */
static void format(struct text *t, const char *fmt, va_list ap)
{
	for (; *fmt; fmt++) {
		int width = 0, longs = 0;
		char pad = ' ';
		s64 v;

		if (*fmt != '%') {
			put(t, *fmt);
			continue;
		}
		fmt++;
		if (*fmt == '#') {
			put_string(t, "0x");
			fmt++;
		}
		if (*fmt == '0')
			pad = '0';
		while (*fmt >= '0' && *fmt <= '9')
			width = width * 10 + *fmt++ - '0';
		while (*fmt == 'l' || *fmt == 'z')
			longs++, fmt++;
		switch (*fmt) {
		case 's':
			put_string(t, va_arg(ap, const char *));
			break;
		case 'c':
			put(t, va_arg(ap, int));
			break;
		case 'd':
			v = longs ? va_arg(ap, s64) : va_arg(ap, int);
			if (v < 0)
				put(t, '-');
			put_number(t, v < 0 ? -v : v, 10, width, pad);
			break;
		case 'u':
			put_number(t, longs ? va_arg(ap, u64) : va_arg(ap, u32), 10, width, pad);
			break;
		case 'x':
			put_number(t, longs ? va_arg(ap, u64) : va_arg(ap, u32), 16, width, pad);
			break;
		default:
			put(t, *fmt);
			break;
		}
	}
	*t->at = '\0';
}

static void vsay(const char *fmt, va_list ap)
{
	static char line[240];
	struct text t = { line, line + sizeof(line) - 1 };

	format(&t, fmt, ap);
	outl(GUEST_PORT_SAY, (u32)(unsigned long)line);
}

void say(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vsay(fmt, ap);
	va_end(ap);
}

void failed(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vsay(fmt, ap);
	va_end(ap);
	any_failed = true;
}

static void end_as(u32 verdict) __attribute__((noreturn));
static void end_as(u32 verdict)
{
	for (;;)
		outl(GUEST_PORT_END, verdict);
}

void end(void)
{
	end_as(any_failed ? GUEST_FAILED : GUEST_PASSED);
}

void skip(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vsay(fmt, ap);
	va_end(ap);
	end_as(GUEST_SKIPPED);
}

/* ---- what the compiler may call ------------------------------------------ */

void *memset(void *p, int c, size_t n)
{
	void *at = p;

	asm volatile("rep stosb" : "+D"(at), "+c"(n) : "a"(c) : "memory");
	return p;
}

void *memcpy(void *to, const void *from, size_t n)
{
	void *at = to;

	asm volatile("rep movsb" : "+D"(at), "+S"(from), "+c"(n) : : "memory");
	return to;
}

int memcmp(const void *a, const void *b, size_t n)
{
	const u8 *p = a, *q = b;

	for (; n; n--, p++, q++)
		if (*p != *q)
			return *p - *q;
	return 0;
}

/* ---- traps --------------------------------------------------------------- */

void on_trap(u8 vector, trap_fn fn)
{
	handlers[vector] = fn;
}

static void to_supervisor(struct trap_frame *f)
{
	f->rip = (unsigned long)user_return;
	f->cs = SEL_CODE;
	f->ss = SEL_DATA;
	f->rflags = RFLAGS_FIXED1;
}

void trap_handler(struct trap_frame *f);
void trap_handler(struct trap_frame *f)
{
	if (handlers[f->vector]) {
		handlers[f->vector](f);
	} else if (f->vector == 0x40) {
		to_supervisor(f);
	} else if (trap_resume && f->vector < 32) {
		trap.vector = f->vector;
		trap.error = f->error;
		trap.rip = f->rip;
		trap.rflags = f->rflags;
		trap.cr2 = read_cr2();
		f->rip = trap_resume;
		trap_resume = 0;
	} else {
		failed("unexpected vector %d error %llx rip %llx cs %llx rflags %llx rsp %llx cr2 %llx",
		       (int)f->vector, f->error, f->rip, f->cs, f->rflags, f->rsp, read_cr2());
		end();
	}
}

static void idt_fill(void)
{
	int i;

	for (i = 0; i < 256; i++) {
		u64 at = (u64)(unsigned long)trap_entries + i * 16;
		u64 dpl = i == 0x40 || i == VEC_BP ? 3 : 0;

		idt[i].lo = (at & 0xffff) | SEL_CODE << 16 | (0x8e00ull | dpl << 13) << 32 |
			    (at >> 16 & 0xffff) << 48;
		idt[i].hi = at >> 32;
	}
}

void cpu_init(unsigned int cpu)
{
	struct descriptor_ptr gdtr = { sizeof(gdt) - 1, (unsigned long)gdt };
	struct descriptor_ptr idtr = { sizeof(idt) - 1, (unsigned long)idt };
	u64 base = (unsigned long)&tss[cpu];
	u64 *d = &gdt[SEL_TSS / 8 + 2 * cpu];

	tss[cpu].iomap = sizeof(struct tss);
	d[0] = (sizeof(struct tss) - 1) | (base & 0xffffff) << 16 | 0x89ull << 40 |
	       (base >> 24 & 0xff) << 56;
	d[1] = base >> 32;
	asm volatile("lgdt %0; lidt %1" : : "m"(gdtr), "m"(idtr) : "memory");
	asm volatile("ltr %w0" : : "r"(SEL_TSS + 16 * cpu) : "memory");
}

/* ---- page tables --------------------------------------------------------- */

#define SPLITS	8

u64 *page_entry(u64 va)
{
	static u64 tables[SPLITS][512] __aligned(4096);
	static unsigned int used;
	u64 *pde = (u64 *)GUEST_PD + (va >> 21);
	u64 *table, i;

	if (!(*pde & PTE_PS))
		return (u64 *)(unsigned long)(*pde & ~0xfffull) + (va >> 12 & 511);
	ASSERT(used < SPLITS, "too many split pages");
	table = tables[used++];
	for (i = 0; i < 512; i++)
		table[i] = (va & ~0x1fffffull) + (i << 12) + (PTE_P | PTE_W | PTE_U);
	*pde = (unsigned long)table | PTE_P | PTE_W | PTE_U;
	write_cr3(read_cr3());
	return &table[va >> 12 & 511];
}

/* ---- small things -------------------------------------------------------- */

/* splitmix64: any seed is fine, and the whole state is one number. */
u64 random64(void)
{
	static u64 state;
	u64 z;

	if (!state)
		state = PARAMS->seed;
	state += 0x9e3779b97f4a7c15ull;
	z = (state ^ state >> 30) * 0xbf58476d1ce4e5b9ull;
	z = (z ^ z >> 27) * 0x94d049bb133111ebull;
	return z ^ z >> 31;
}

void wait_ticks(u64 ticks)
{
	u64 until = rdtsc() + ticks, spins = 0;

	while (rdtsc() < until) {
		cpu_relax();
		if (!(++spins % 1024))
			let_l0_in();
	}
}

static void (*ap_fn)(void);

static void ap_main(void)
{
	cpu_init(1);
	ap_fn();
	for (;;)
		hlt();
}

void smp_start(void (*fn)(void))
{
	u8 *at = (u8 *)GUEST_AP_START;

	ap_fn = fn;
	memcpy(at, ap_start, ap_start_end - ap_start);
	*(u32 *)(at + (ap_cr3 - ap_start)) = read_cr3();
	*(u64 *)(at + (ap_entry - ap_start)) = (unsigned long)ap_main;
	apic_enable();
	apic_ipi(1, APIC_ICR_INIT | APIC_ICR_ASSERT);
	wait_ticks(100000);
	apic_ipi(1, APIC_ICR_STARTUP | GUEST_AP_START >> 12);
}

void guest_start(void);
void guest_start(void)
{
	ASSERT(PARAMS->case_nr < guest_cases_end - guest_cases, "no such case");
	idt_fill();
	cpu_init(0);
	guest_cases[PARAMS->case_nr].fn();
	end();
}
