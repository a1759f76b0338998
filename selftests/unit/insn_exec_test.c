// SPDX-License-Identifier: GPL-2.0
#include <sys/mman.h>

#include "harness.h"
#include "insn_exec.h"
#include "insn_alu.h"

/* A virtual CPU with one window of memory, and a device behind it. */
#define RAM_SIZE	4096

static struct cpu {
	u64 reg[16];
	u64 rflags;
	u64 rip;
	struct insn_seg seg[6];
	u8 xmm[16][16];
	u64 ram_base;		/* linear address of ram[] */
	u8 *ram;
	u64 dev_base;		/* linear (= physical) address of the device's page; 0: none */
	struct insn_mmio mmio;
	u64 readonly;		/* linear address of a page that faults on writes */
	bool xmm_off;		/* XMM registers raise #NM */
	bool torn;		/* cmpxchg_mem finds other contents */
	unsigned int changes;	/* register, flag and memory writes */
	unsigned int rmw_reads;
} cpu;

static u8 ram[RAM_SIZE];

static u64 read_reg(void *ctx, unsigned int reg)
{
	struct cpu *c = ctx;

	return c->reg[reg];
}

static void write_reg(void *ctx, unsigned int reg, u64 val)
{
	struct cpu *c = ctx;

	c->reg[reg] = val;
	c->changes++;
}

static u64 read_rflags(void *ctx)
{
	struct cpu *c = ctx;

	return c->rflags;
}

static void write_rflags(void *ctx, u64 val)
{
	struct cpu *c = ctx;

	c->rflags = val;
	c->changes++;
}

static void read_seg(void *ctx, unsigned int seg, struct insn_seg *out)
{
	struct cpu *c = ctx;

	*out = c->seg[seg];
}

static enum insn_result page_fault(struct insn_fault *f, u64 la, u32 error)
{
	*f = (struct insn_fault){ .vector = 14, .has_error = true, .error = error, .addr = la };
	return INSN_FAULT;
}

static bool in_ram(const struct cpu *c, u64 la, unsigned int size)
{
	return la - c->ram_base <= RAM_SIZE - size;
}

static bool in_dev(const struct cpu *c, u64 la)
{
	return c->dev_base && la - c->dev_base < 4096;
}

static enum insn_result read_mem(void *ctx, u64 la, void *buf, unsigned int size,
				 unsigned int access, struct insn_fault *f)
{
	struct cpu *c = ctx;

	if (access & INSN_ACC_WRITE) {
		c->rmw_reads++;
		if (c->readonly && (la & ~4095ULL) == c->readonly)
			return page_fault(f, la, 3);
	}
	if (in_dev(c, la))
		return insn_mmio_read(&c->mmio, NULL, la, buf, size);
	if (!in_ram(c, la, size))
		return page_fault(f, la, 0);
	memcpy(buf, c->ram + (la - c->ram_base), size);
	return INSN_DONE;
}

static enum insn_result write_mem(void *ctx, u64 la, const void *buf, unsigned int size,
				  struct insn_fault *f)
{
	struct cpu *c = ctx;

	if (c->readonly && (la & ~4095ULL) == c->readonly)
		return page_fault(f, la, 3);
	if (in_dev(c, la))
		return insn_mmio_write(&c->mmio, NULL, la, buf, size);
	if (!in_ram(c, la, size))
		return page_fault(f, la, 2);
	memcpy(c->ram + (la - c->ram_base), buf, size);
	c->changes++;
	return INSN_DONE;
}

static enum insn_result cmpxchg_mem(void *ctx, u64 la, const void *old, const void *new_,
				    unsigned int size, struct insn_fault *f)
{
	struct cpu *c = ctx;

	if (c->torn)
		return INSN_RETRY;
	if (in_ram(c, la, size) && memcmp(c->ram + (la - c->ram_base), old, size))
		return INSN_RETRY;
	return write_mem(ctx, la, new_, size, f);
}

static enum insn_result read_xmm(void *ctx, unsigned int reg, u8 *val, struct insn_fault *f)
{
	struct cpu *c = ctx;

	if (c->xmm_off) {
		*f = (struct insn_fault){ .vector = 7 };
		return INSN_FAULT;
	}
	memcpy(val, c->xmm[reg], 16);
	return INSN_DONE;
}

static enum insn_result write_xmm(void *ctx, unsigned int reg, const u8 *val,
				  struct insn_fault *f)
{
	struct cpu *c = ctx;

	(void)f;
	memcpy(c->xmm[reg], val, 16);
	c->changes++;
	return INSN_DONE;
}

static const struct insn_ops ops = {
	.read_reg = read_reg,
	.write_reg = write_reg,
	.read_rflags = read_rflags,
	.write_rflags = write_rflags,
	.read_seg = read_seg,
	.read_mem = read_mem,
	.write_mem = write_mem,
	.cmpxchg_mem = cmpxchg_mem,
	.read_xmm = read_xmm,
	.write_xmm = write_xmm,
};

static struct insn_env env;
static struct nv_insn insn;

#define RAM_LA	0x10000
#define DEV_LA	0xfee00000
#define BAD_LA	0x500000

/* Flat segments, ram at RAM_LA, a device at DEV_LA. */
static void reset_cpu(void)
{
	int i;

	memset(&cpu, 0, sizeof(cpu));
	memset(ram, 0, sizeof(ram));
	for (i = 0; i < 6; i++)
		cpu.seg[i] = (struct insn_seg){
			.selector = 8 * i + 8, .limit = U32_MAX,
			.ar = SEG_AR_P | SEG_AR_S | SEG_AR_DB | (i == INSN_CS ? 0xb : 0x3),
		};
	cpu.rflags = 2;
	cpu.ram = ram;
	cpu.ram_base = RAM_LA;
	cpu.dev_base = DEV_LA;
	env = (struct insn_env){ .ops = &ops, .ctx = &cpu, .protected_mode = true };
}

/* Decode @hex and execute it at cpu.rip; advances it. */
static enum insn_result run(enum insn_code mode, const char *hex)
{
	u8 buf[15];
	size_t n = 0;
	enum insn_result ret;

	CASE("mode %d: %s", mode, hex);
	while (*hex && n < sizeof(buf)) {
		char *end;

		buf[n++] = strtoul(hex, &end, 16);
		hex = end;
		while (*hex == ' ')
			hex++;
	}
	EXPECT_EQ(nv_insn_decode(&insn, buf, n, mode), INSN_DECODED);
	env.rip = cpu.rip;
	insn_mmio_reset(&cpu.mmio);
	insn_mmio_rewind(&cpu.mmio);
	cpu.changes = 0;
	ret = insn_exec(&insn, &env);
	if (ret == INSN_DONE || ret == INSN_AGAIN)
		cpu.rip = env.next_rip;
	else
		EXPECT_EQ(cpu.changes, 0);
	return ret;
}

/* The device answers @val; the instruction runs again. */
static enum insn_result answer(u64 gpa, unsigned int len, u64 val)
{
	struct insn_mmio_frag *f = insn_mmio_next(&cpu.mmio);
	enum insn_result ret;

	if (!f || f->write || f->gpa != gpa || f->len != len) {
		test_failed(__FILE__, __LINE__, "another read was asked for");
		return INSN_CANNOT;
	}
	insn_mmio_done(&cpu.mmio, &val);
	insn_mmio_rewind(&cpu.mmio);
	ret = insn_exec(&insn, &env);
	if (ret == INSN_DONE || ret == INSN_AGAIN)
		cpu.rip = env.next_rip;
	return ret;
}

static void expect_device_write(u64 gpa, unsigned int len, u64 val)
{
	struct insn_mmio_frag *f = insn_mmio_next(&cpu.mmio);

	ASSERT_TRUE(f && f->write);
	EXPECT_EQ(f->gpa, gpa);
	EXPECT_EQ(f->len, len);
	EXPECT_MEMEQ(f->data, &val, len);
	insn_mmio_done(&cpu.mmio, NULL);
}

static u64 ram64(u64 la)
{
	u64 v;

	memcpy(&v, ram + (la - RAM_LA), 8);
	return v;
}

static void set_ram64(u64 la, u64 v)
{
	memcpy(ram + (la - RAM_LA), &v, 8);
}

/*
 * The CPU under the tests as the oracle. It runs the very same bytes, with the
 * same registers and the same memory at the same addresses; then every
 * register, the flags and the memory are compared.
 */
struct native {
	u64 reg[16];
	u64 rflags;
	u64 host_sp;
	u64 code;
};

struct native native_state __attribute__((used));
void native_run(void);
void native_back(void);

__asm__(
	".text\n"
	".globl native_run, native_back\n"
	"native_run:\n"
	"	push %rbx; push %rbp; push %r12; push %r13; push %r14; push %r15\n"
	"	mov %rsp, native_state+136(%rip)\n"
	"	push native_state+128(%rip)\n"
	"	popf\n"
	"	mov native_state+0(%rip), %rax\n"
	"	mov native_state+8(%rip), %rcx\n"
	"	mov native_state+16(%rip), %rdx\n"
	"	mov native_state+24(%rip), %rbx\n"
	"	mov native_state+32(%rip), %rsp\n"
	"	mov native_state+40(%rip), %rbp\n"
	"	mov native_state+48(%rip), %rsi\n"
	"	mov native_state+56(%rip), %rdi\n"
	"	mov native_state+64(%rip), %r8\n"
	"	mov native_state+72(%rip), %r9\n"
	"	mov native_state+80(%rip), %r10\n"
	"	mov native_state+88(%rip), %r11\n"
	"	mov native_state+96(%rip), %r12\n"
	"	mov native_state+104(%rip), %r13\n"
	"	mov native_state+112(%rip), %r14\n"
	"	mov native_state+120(%rip), %r15\n"
	"	jmp *native_state+144(%rip)\n"
	"native_back:\n"
	"	mov %rax, native_state+0(%rip)\n"
	"	mov %rcx, native_state+8(%rip)\n"
	"	mov %rdx, native_state+16(%rip)\n"
	"	mov %rbx, native_state+24(%rip)\n"
	"	mov %rsp, native_state+32(%rip)\n"
	"	mov %rbp, native_state+40(%rip)\n"
	"	mov %rsi, native_state+48(%rip)\n"
	"	mov %rdi, native_state+56(%rip)\n"
	"	mov %r8, native_state+64(%rip)\n"
	"	mov %r9, native_state+72(%rip)\n"
	"	mov %r10, native_state+80(%rip)\n"
	"	mov %r11, native_state+88(%rip)\n"
	"	mov %r12, native_state+96(%rip)\n"
	"	mov %r13, native_state+104(%rip)\n"
	"	mov %r14, native_state+112(%rip)\n"
	"	mov %r15, native_state+120(%rip)\n"
	"	mov native_state+136(%rip), %rsp\n"
	"	pushf\n"
	"	pop native_state+128(%rip)\n"
	"	cld\n"
	"	pop %r15; pop %r14; pop %r13; pop %r12; pop %rbp; pop %rbx\n"
	"	ret\n"
);

static_assert(offsetof(struct native, rflags) == 128);
static_assert(offsetof(struct native, host_sp) == 136);
static_assert(offsetof(struct native, code) == 144);

static u8 *code_page, *low_ram;

/* Code anywhere; memory below 4G, so that 32-bit addresses reach it too. */
static bool native_setup(void)
{
	if (code_page)
		return true;
	code_page = mmap(NULL, 4096, PROT_READ | PROT_WRITE | PROT_EXEC,
			 MAP_PRIVATE | MAP_ANONYMOUS | MAP_32BIT, -1, 0);
	low_ram = mmap(NULL, 3 * RAM_SIZE, PROT_READ | PROT_WRITE,
		       MAP_PRIVATE | MAP_ANONYMOUS | MAP_32BIT, -1, 0);
	if (code_page == MAP_FAILED || low_ram == MAP_FAILED) {
		code_page = NULL;
		return false;
	}
	low_ram += RAM_SIZE;
	return true;
}

/* The instruction, then an absolute jump back. */
static void native_code(const u8 *bytes, unsigned int len)
{
	static const u8 jmp[6] = { 0xff, 0x25, 0, 0, 0, 0 };
	u64 target = (u64)(uintptr_t)native_back;

	memcpy(code_page, bytes, len);
	memcpy(code_page + len, jmp, sizeof(jmp));
	memcpy(code_page + len + sizeof(jmp), &target, 8);
}

/* What the manual leaves undefined after @i. */
static u64 undefined_flags(const struct nv_insn *i, u64 count)
{
	switch (i->op) {
	case INSN_OR:
	case INSN_AND:
	case INSN_XOR:
	case INSN_TEST:
		return RFLAGS_AF;
	case INSN_BT ... INSN_BTC:
		return RFLAGS_OF | RFLAGS_SF | RFLAGS_AF | RFLAGS_PF;
	case INSN_ROL ... INSN_SAR:
		count &= i->opsize == 8 ? 63 : 31;
		if (!count)
			return 0;
		return (i->op >= INSN_SHL ? RFLAGS_AF : 0) |
		       (count > 1 ? RFLAGS_OF : 0) |
		       (i->op >= INSN_SHL && count >= 8U * i->opsize ? RFLAGS_CF : 0);
	}
	return 0;
}

static const char *hex_of(const u8 *bytes, unsigned int len)
{
	static char s[64];
	unsigned int i;

	for (i = 0; i < len; i++)
		snprintf(s + 3 * i, sizeof(s) - 3 * i, "%02x ", bytes[i]);
	return s;
}

/*
 * Where the operand lies: the address registers are set so that it falls into
 * the middle of the memory. False: not to be arranged (no registers at all, or
 * the address register is also what the operation would need).
 */
static bool aim(const struct nv_insn *i, u64 *reg)
{
	u64 target = (u64)(uintptr_t)low_ram + 512 + test_random() % (RAM_SIZE - 1024);
	const struct insn_mem *m = &i->mem;
	bool mem = i->dst.kind == INSN_OPND_MEM || i->src.kind == INSN_OPND_MEM;

	if (insn_is_string(i)) {
		reg[INSN_RSI] = target;
		reg[INSN_RDI] = (u64)(uintptr_t)low_ram + 512 +
				test_random() % (RAM_SIZE - 1024);
		reg[INSN_RCX] = test_random() % 20;
		return true;
	}
	if (!mem)
		return true;
	if (m->base == INSN_REG_NONE || m->rip || m->base == m->index)
		return false;
	if (m->index != INSN_REG_NONE)
		reg[m->index] = test_random();
	reg[m->base] = target - m->disp -
		       (m->index == INSN_REG_NONE ? 0 : reg[m->index] * m->scale);
	/* With a 32-bit address size the upper half is noise. */
	if (i->adsize == 4)
		reg[m->base] ^= test_random() << 32;
	/* BT and its like reach beyond: stay near. */
	if (i->op >= INSN_BT && i->op <= INSN_BTC && i->src.kind == INSN_OPND_REG) {
		if (i->src.reg == m->base || i->src.reg == m->index)
			return false;
		reg[i->src.reg] = (u64)((s64)(test_random() % 4000) - 2000);
	}
	return true;
}

/* Registers, flags and memory after the CPU and after insn_exec(). */
static void compare_native(const struct nv_insn *i, const u8 *bytes)
{
	static u8 before[RAM_SIZE], after[RAM_SIZE];
	u64 la = (u64)(uintptr_t)low_ram, care, count;
	enum insn_result ret;
	u64 reg[16];
	int n, rounds = 0;

	for (n = 0; n < 16; n++)
		reg[n] = test_random();
	/* Now and then equal to memory, or CMPXCHG never succeeds. */
	if (!aim(i, reg))
		return;
	for (n = 0; n < RAM_SIZE; n += 8) {
		u64 v = test_random() & 3 ? test_random() : reg[INSN_RAX];

		memcpy(before + n, &v, 8);
	}
	CASE("%s", hex_of(bytes, i->len));

	reset_cpu();
	cpu.ram = ram;
	cpu.ram_base = la;
	cpu.dev_base = 0;
	memcpy(ram, before, RAM_SIZE);
	memcpy(cpu.reg, reg, sizeof(reg));
	cpu.rflags = 0x202 | (test_random() & (INSN_STATUS_FLAGS | RFLAGS_DF));
	env.rip = (u64)(uintptr_t)code_page;
	count = i->src.kind == INSN_OPND_IMM ? i->imm : reg[INSN_RCX];

	memcpy(low_ram, before, RAM_SIZE);
	memcpy(native_state.reg, reg, sizeof(reg));
	native_state.rflags = cpu.rflags;
	native_state.code = env.rip;
	native_code(bytes, i->len);

	do {
		ret = insn_exec(i, &env);
	} while (ret == INSN_AGAIN && ++rounds < 100);
	/* It would fault on the CPU as well: do not try. */
	if (ret == INSN_FAULT)
		return;
	ASSERT_EQ(ret, INSN_DONE);
	EXPECT_EQ(env.next_rip, env.rip + i->len);

	native_run();
	memcpy(after, low_ram, RAM_SIZE);
	for (n = 0; n < 16; n++)
		EXPECT_BASE(cpu.reg[n] == native_state.reg[n], , "register %d: %#llx, CPU %#llx",
			    n, cpu.reg[n], native_state.reg[n]);
	care = INSN_STATUS_FLAGS & ~undefined_flags(i, count);
	EXPECT_EQ(cpu.rflags & care, native_state.rflags & care);
	EXPECT_EQ(cpu.rflags & ~INSN_STATUS_FLAGS, native_state.rflags & ~INSN_STATUS_FLAGS);
	EXPECT_MEMEQ(ram, after, RAM_SIZE);
}

/* Instructions that user space may run, as the decoder understood them. */
static bool native_ok(const struct nv_insn *i)
{
	switch (i->op) {
	case INSN_CALL:
	case INSN_JMP:
	case INSN_IN:
	case INSN_OUT:
	case INSN_INS:
	case INSN_OUTS:
	case INSN_MOVVEC:
	case INSN_NOP:
	case INSN_MOVBE:	/* not on every CPU; see its own test */
		return false;
	case INSN_CMPXCHG:
		/* CPUs differ in what a failed one does to a register's upper half. */
		if (i->dst.kind == INSN_OPND_REG && i->opsize == 4)
			return false;
	}
	/* FS and GS have bases here that are not the test's. */
	return i->mem.seg != INSN_FS && i->mem.seg != INSN_GS;
}

TEST(same_as_the_cpu)
{
	static const u8 prefixes[] = { 0x66, 0x67, 0xf2, 0xf3, 0x48, 0x49, 0x4d, 0x44, 0x41 };
	unsigned int n = 0, tries = 0, seen[INSN_NR_OPS] = { 0 }, op;

	if (!native_setup())
		SKIP("no executable memory to be had below 4G");
	while (n < 120000 && tries++ < 10000000) {
		u64 r[2] = { test_random(), test_random() };
		u8 *bytes = (u8 *)r;
		struct nv_insn i;
		unsigned int p = test_random() % 3, k;

		for (k = 0; k < p; k++)
			bytes[k] = prefixes[test_random() % ARRAY_SIZE(prefixes)];
		if (test_random() % 3 == 0)
			bytes[p] = 0x0f;
		if (nv_insn_decode(&i, bytes, sizeof(r), INSN_CODE_64) != INSN_DECODED ||
		    !native_ok(&i))
			continue;
		/* Hints on whose meaning prefixes before other opcodes border. */
		if (!insn_is_string(&i) && (memchr(bytes, 0xf2, p) || memchr(bytes, 0xf3, p)))
			continue;
		n++;
		seen[i.op]++;
		compare_native(&i, bytes);
	}
	for (op = INSN_ADD; op <= INSN_SCAS; op++) {
		CASE("%s", insn_op_name(op));
		if (op != INSN_MOVBE && op != INSN_CALL && op != INSN_JMP)
			EXPECT_TRUE(seen[op] > 10);
	}
}

TEST(device_read)
{
	reset_cpu();
	cpu.reg[INSN_RBX] = DEV_LA;
	cpu.reg[INSN_RAX] = U64_MAX;
	cpu.rip = 0x1000;
	EXPECT_EQ(run(INSN_CODE_64, "8b 43 20"), INSN_NEED_IO);
	EXPECT_EQ(cpu.rip, 0x1000);
	EXPECT_EQ(cpu.reg[INSN_RAX], U64_MAX);
	EXPECT_EQ(answer(DEV_LA + 0x20, 4, 0x8badf00d), INSN_DONE);
	EXPECT_EQ(cpu.reg[INSN_RAX], 0x8badf00d);
	EXPECT_EQ(cpu.rip, 0x1003);
}

TEST(device_write)
{
	reset_cpu();
	cpu.reg[INSN_RBX] = DEV_LA;
	EXPECT_EQ(run(INSN_CODE_64, "c7 83 b0 00 00 00 78 56 34 12"), INSN_DONE);
	expect_device_write(DEV_LA + 0xb0, 4, 0x12345678);
	EXPECT_TRUE(!insn_mmio_next(&cpu.mmio));
}

/* A read, then a write of what came of it; flags with it. */
TEST(device_read_modify_write)
{
	reset_cpu();
	cpu.reg[INSN_RBX] = DEV_LA;
	EXPECT_EQ(run(INSN_CODE_64, "83 0b 80"), INSN_NEED_IO);	/* or dword, -128 */
	EXPECT_EQ(cpu.rmw_reads, 1);
	EXPECT_EQ(answer(DEV_LA, 4, 1), INSN_DONE);
	expect_device_write(DEV_LA, 4, 0xffffff81);
	EXPECT_TRUE(cpu.rflags & RFLAGS_SF);

	reset_cpu();
	cpu.reg[INSN_RBX] = DEV_LA;
	cpu.reg[INSN_RAX] = 5;
	EXPECT_EQ(run(INSN_CODE_64, "87 03"), INSN_NEED_IO);	/* xchg */
	EXPECT_EQ(answer(DEV_LA, 4, 9), INSN_DONE);
	expect_device_write(DEV_LA, 4, 5);
	EXPECT_EQ(cpu.reg[INSN_RAX], 9);
}

/* Both operands in the device: two questions, one answer at a time. */
TEST(device_string_compare)
{
	reset_cpu();
	cpu.reg[INSN_RSI] = DEV_LA;
	cpu.reg[INSN_RDI] = DEV_LA + 0x100;
	cpu.reg[INSN_RCX] = 2;
	cpu.rip = 0x1000;
	EXPECT_EQ(run(INSN_CODE_64, "f3 a7"), INSN_NEED_IO);
	EXPECT_EQ(answer(DEV_LA, 4, 7), INSN_NEED_IO);
	EXPECT_EQ(cpu.reg[INSN_RCX], 2);
	EXPECT_EQ(answer(DEV_LA + 0x100, 4, 7), INSN_AGAIN);
	EXPECT_EQ(cpu.reg[INSN_RCX], 1);
	EXPECT_EQ(cpu.reg[INSN_RSI], DEV_LA + 4);
	EXPECT_EQ(cpu.rip, 0x1000);
	EXPECT_EQ(run(INSN_CODE_64, "f3 a7"), INSN_NEED_IO);
	EXPECT_EQ(answer(DEV_LA + 4, 4, 7), INSN_NEED_IO);
	EXPECT_EQ(answer(DEV_LA + 0x104, 4, 8), INSN_DONE);
	EXPECT_EQ(cpu.reg[INSN_RCX], 0);
	EXPECT_FALSE(cpu.rflags & RFLAGS_ZF);
	EXPECT_TRUE(cpu.rflags & RFLAGS_CF);
	EXPECT_EQ(cpu.rip, 0x1002);
}

TEST(rep_movs_to_device)
{
	int n;

	reset_cpu();
	set_ram64(RAM_LA, 0x0807060504030201);
	cpu.reg[INSN_RSI] = RAM_LA;
	cpu.reg[INSN_RDI] = DEV_LA;
	cpu.reg[INSN_RCX] = 4;
	for (n = 0; n < 4; n++) {
		EXPECT_EQ(run(INSN_CODE_64, "f3 66 a5"), n < 3 ? INSN_AGAIN : INSN_DONE);
		expect_device_write(DEV_LA + 2 * n, 2, 0x0201 + 0x0202 * n);
	}
	EXPECT_EQ(cpu.reg[INSN_RCX], 0);
	EXPECT_EQ(cpu.reg[INSN_RDI], DEV_LA + 8);
	/* and a count of zero does nothing at all */
	EXPECT_EQ(run(INSN_CODE_64, "f3 66 a5"), INSN_DONE);
	EXPECT_TRUE(!insn_mmio_next(&cpu.mmio));
	EXPECT_EQ(cpu.reg[INSN_RDI], DEV_LA + 8);
}

/* 16-bit registers wrap inside 64K and keep what is above. */
TEST(string_in_16_bit_code)
{
	reset_cpu();
	env.protected_mode = false;
	cpu.seg[INSN_DS].base = RAM_LA;
	cpu.seg[INSN_ES].base = RAM_LA;
	cpu.seg[INSN_DS].limit = 0xffff;
	cpu.seg[INSN_ES].limit = 0xffff;
	cpu.ram_base = RAM_LA;
	ram[0] = 0x5a;
	cpu.reg[INSN_RSI] = 0xabcd0000;
	cpu.reg[INSN_RDI] = 0xabcd0010;
	cpu.reg[INSN_RCX] = 0xabcd0001;
	cpu.rflags |= RFLAGS_DF;
	EXPECT_EQ(run(INSN_CODE_16, "f3 a4"), INSN_DONE);
	EXPECT_EQ(ram[0x10], 0x5a);
	EXPECT_EQ(cpu.reg[INSN_RSI], 0xabcdffff);
	EXPECT_EQ(cpu.reg[INSN_RDI], 0xabcd000f);
	EXPECT_EQ(cpu.reg[INSN_RCX], 0xabcd0000);
	/* "rep" with address size 16 looks at CX, not ECX */
	EXPECT_EQ(run(INSN_CODE_16, "f3 a4"), INSN_DONE);
	EXPECT_EQ(cpu.changes, 0);
}

/* In 64-bit code with a 67H prefix the registers become 32 bits wide. */
TEST(string_with_32_bit_addresses)
{
	reset_cpu();
	cpu.reg[INSN_RDI] = 0xffffffff00000000ULL | RAM_LA;
	cpu.reg[INSN_RCX] = 0xffffffff00000002ULL;
	cpu.reg[INSN_RAX] = 0x1122;
	EXPECT_EQ(run(INSN_CODE_64, "67 f3 66 ab"), INSN_AGAIN);
	EXPECT_EQ(cpu.reg[INSN_RDI], RAM_LA + 2);
	EXPECT_EQ(cpu.reg[INSN_RCX], 1);
	EXPECT_EQ(ram[0] | ram[1] << 8, 0x1122);
}

TEST(faults_change_nothing)
{
	static const char * const hex[] = {
		"8b 03", "89 03", "01 03", "87 03", "0f b1 0b", "0f c1 0b", "f3 a5", "ab", "ad",
		"a7", "af", "0f ab 0b", "ff 33", "8f 03", "ff 13", "ff 23", "0f 95 03",
		"0f 44 03", "0f b6 03", "d3 23", "0f 10 03", "0f 11 03", "f0 ff 03", "f6 1b",
	};

	FOR_EACH_ROW(h, hex) {
		reset_cpu();
		cpu.reg[INSN_RBX] = BAD_LA;
		cpu.reg[INSN_RSI] = BAD_LA;
		cpu.reg[INSN_RDI] = BAD_LA;
		cpu.reg[INSN_RSP] = RAM_LA + 0x100;
		cpu.reg[INSN_RCX] = 3;
		EXPECT_EQ(run(INSN_CODE_64, *h), INSN_FAULT);
		EXPECT_EQ(env.fault.vector, 14);
		EXPECT_EQ(env.fault.addr, BAD_LA);
	}
}

/* The page of a read-modify-write faults as a write, before the read is made. */
TEST(rmw_of_readonly_device_page)
{
	reset_cpu();
	cpu.readonly = DEV_LA;
	cpu.reg[INSN_RBX] = DEV_LA;
	EXPECT_EQ(run(INSN_CODE_64, "ff 03"), INSN_FAULT);
	EXPECT_EQ(env.fault.error, 3);
	EXPECT_TRUE(!insn_mmio_next(&cpu.mmio));
	/* which compares only read */
	EXPECT_EQ(run(INSN_CODE_64, "83 3b 00"), INSN_NEED_IO);
	EXPECT_EQ(run(INSN_CODE_64, "0f ba 23 00"), INSN_NEED_IO);
	EXPECT_EQ(run(INSN_CODE_64, "f6 03 01"), INSN_NEED_IO);
}

TEST(locked_retry)
{
	reset_cpu();
	cpu.reg[INSN_RBX] = RAM_LA;
	cpu.rip = 0x1000;
	cpu.torn = true;
	insn_mmio_reset(&cpu.mmio);
	EXPECT_EQ(run(INSN_CODE_64, "f0 ff 03"), INSN_RETRY);
	EXPECT_EQ(cpu.changes, 0);
	cpu.torn = false;
	cpu.rip = 0x1000;
	EXPECT_EQ(run(INSN_CODE_64, "f0 ff 03"), INSN_DONE);
	EXPECT_EQ(ram64(RAM_LA), 1);
	/* unlocked ones do not ask */
	cpu.torn = true;
	EXPECT_EQ(run(INSN_CODE_64, "ff 03"), INSN_DONE);
	EXPECT_EQ(ram64(RAM_LA), 2);
}

TEST(segments)
{
	static const struct {
		const char *what, *hex;
		u8 vector;		/* 0: works */
		u32 ar, limit;
		u64 ea;
		bool real;
		u8 seg;
	} rows[] = {
		{ "inside", "8b 03", 0, 0xc093, 0x13, 0x10 },
		{ "one past", "8b 03", 13, 0xc093, 0x12, 0x10 },
		{ "stack", "36 8b 03", 12, 0xc093, 0x12, 0x10, false, INSN_SS },
		{ "read-only data, read", "8b 03", 0, 0xc091, 0xfff, 0x10 },
		{ "read-only data, write", "89 03", 13, 0xc091, 0xfff, 0x10 },
		{ "read-only data, write, real mode", "89 03", 0, 0xc091, 0xfff, 0x10, true },
		{ "readable code, read", "8b 03", 0, 0xc09b, 0xfff, 0x10 },
		{ "readable code, write", "89 03", 13, 0xc09b, 0xfff, 0x10 },
		{ "execute-only code, read", "8b 03", 13, 0xc099, 0xfff, 0x10 },
		{ "unusable", "8b 03", 13, 0x1c093, 0xfff, 0x10 },
		{ "expand-down, inside", "8b 03", 0, 0xc097, 0x0f, 0x10 },
		{ "expand-down, at the limit", "8b 03", 13, 0xc097, 0x10, 0x10 },
		{ "expand-down, 32 bits", "8b 03", 0, 0xc097, 0x10, 0xfffffff0 },
		{ "expand-down, 32 bits, past", "8b 03", 13, 0xc097, 0x10, 0xfffffffd },
		{ "expand-down, 16 bits", "8b 03", 13, 0x8097, 0x10, 0xfffd },
		{ "conforming code with bit 2", "8b 03", 0, 0xc09f, 0xfff, 0x10 },
		{ "wraps", "8b 03", 13, 0xc093, U32_MAX, 0xfffffffd },
	};

	FOR_EACH_ROW(r, rows) {
		struct insn_seg *s;
		enum insn_result ret;

		reset_cpu();
		s = &cpu.seg[r->seg ?: INSN_DS];
		env.protected_mode = !r->real;
		s->ar = r->ar;
		s->limit = r->limit;
		/* linear addresses wrap at 4G: aim back at the ram */
		s->base = (u32)(RAM_LA + 0x200 - r->ea);
		cpu.reg[INSN_RBX] = r->ea;
		ret = run(INSN_CODE_32, r->hex);
		CASE("%s", r->what);
		EXPECT_EQ(ret, r->vector ? INSN_FAULT : INSN_DONE);
		if (r->vector) {
			EXPECT_EQ(env.fault.vector, r->vector);
			EXPECT_TRUE(env.fault.has_error && !env.fault.error);
		}
	}
}

TEST(canonical_addresses)
{
	static const struct {
		const char *hex;
		u64 rbx, fs;
		bool la57;
		u8 vector;
	} rows[] = {
		{ "8b 03", 0x0000800000000000, 0, false, 13 },
		{ "8b 03", 0x00007ffffffffffd, 0, false, 13 },
		{ "8b 03", 0xffff7fffffffffff, 0, false, 13 },
		{ "8b 03", 0xffff800000000000, 0, false, 14 },
		{ "8b 03", 0x0000800000000000, 0, true, 14 },
		{ "8b 03", 0x0100000000000000, 0, true, 13 },
		{ "8b 45 00", 0x0000800000000000, 0, false, 12 },	/* rbp */
		{ "64 8b 03", 0x10, RAM_LA, false, 0 },
		{ "64 8b 03", 0xfffffffffffffff0, RAM_LA + 0x20, false, 0 },
		{ "64 8b 03", 0x00007fffffffffff, 1, false, 13 },
		{ "67 64 8b 03", 0xffffffff00000010, RAM_LA, false, 0 },
		{ "ff 23", RAM_LA, 0, false, 13 },	/* jmp to a bad address */
		{ "ff 13", RAM_LA, 0, false, 13 },
	};

	FOR_EACH_ROW(r, rows) {
		reset_cpu();
		env.la57 = r->la57;
		cpu.reg[INSN_RBX] = r->rbx;
		cpu.reg[INSN_RBP] = r->rbx;
		cpu.reg[INSN_RSP] = RAM_LA + 0x200;
		cpu.seg[INSN_FS].base = r->fs;
		set_ram64(RAM_LA, 0x0123456789abcdef);
		EXPECT_EQ(run(INSN_CODE_64, r->hex), r->vector ? INSN_FAULT : INSN_DONE);
		if (r->vector)
			EXPECT_EQ(env.fault.vector, r->vector);
	}
}

TEST(stack)
{
	reset_cpu();
	cpu.reg[INSN_RBX] = RAM_LA;
	cpu.reg[INSN_RSP] = RAM_LA + 0x100;
	cpu.rip = 0x4000;
	set_ram64(RAM_LA, 0x1234567);
	EXPECT_EQ(run(INSN_CODE_64, "ff 13"), INSN_DONE);
	EXPECT_EQ(cpu.rip, 0x1234567);
	EXPECT_EQ(cpu.reg[INSN_RSP], RAM_LA + 0xf8);
	EXPECT_EQ(ram64(RAM_LA + 0xf8), 0x4002);
	EXPECT_EQ(run(INSN_CODE_64, "ff 23"), INSN_DONE);
	EXPECT_EQ(cpu.rip, 0x1234567);

	/* 16-bit stack in 32-bit code: SP wraps, the rest of ESP stays */
	reset_cpu();
	cpu.seg[INSN_SS].ar &= ~SEG_AR_DB;
	cpu.seg[INSN_SS].base = RAM_LA - 0xf000;
	cpu.reg[INSN_RSP] = 0x77770000;
	cpu.reg[INSN_RBX] = RAM_LA;
	set_ram64(RAM_LA, 0xcafe1234);
	cpu.ram_base = RAM_LA;
	EXPECT_EQ(run(INSN_CODE_32, "ff 33"), INSN_DONE);
	EXPECT_EQ(cpu.reg[INSN_RSP], 0x7777fffc);
	EXPECT_EQ(ram[0xffc], 0x34);
	cpu.reg[INSN_RSP] = 0x7777f010;
	EXPECT_EQ(run(INSN_CODE_32, "ff 33"), INSN_DONE);
	EXPECT_EQ(cpu.reg[INSN_RSP], 0x7777f00c);
	EXPECT_EQ((u32)ram64(RAM_LA + 0xc), 0xcafe1234);
	EXPECT_EQ(run(INSN_CODE_32, "8f 43 20"), INSN_DONE);
	EXPECT_EQ(cpu.reg[INSN_RSP], 0x7777f010);
	EXPECT_EQ((u32)ram64(RAM_LA + 0x20), 0xcafe1234);

	/* a near branch beyond CS's limit */
	reset_cpu();
	cpu.seg[INSN_CS].limit = 0xffff;
	cpu.reg[INSN_RBX] = RAM_LA;
	set_ram64(RAM_LA, 0x10000);
	EXPECT_EQ(run(INSN_CODE_32, "ff 23"), INSN_FAULT);
	EXPECT_EQ(env.fault.vector, 13);
	EXPECT_EQ(run(INSN_CODE_32, "66 ff 23"), INSN_DONE);
	EXPECT_EQ(cpu.rip, 0);
}

TEST(movbe)
{
	reset_cpu();
	cpu.reg[INSN_RBX] = RAM_LA;
	set_ram64(RAM_LA, 0x0807060504030201);
	EXPECT_EQ(run(INSN_CODE_64, "48 0f 38 f0 03"), INSN_DONE);
	EXPECT_EQ(cpu.reg[INSN_RAX], 0x0102030405060708);
	EXPECT_EQ(run(INSN_CODE_64, "66 0f 38 f1 43 10"), INSN_DONE);
	EXPECT_EQ(ram64(RAM_LA + 0x10), 0x0807);
	EXPECT_EQ(run(INSN_CODE_64, "0f 38 f0 03"), INSN_DONE);
	EXPECT_EQ(cpu.reg[INSN_RAX], 0x01020304);
}

TEST(rip_relative)
{
	reset_cpu();
	cpu.rip = RAM_LA + 0x100;
	set_ram64(RAM_LA + 0x120, 0x55667788);
	/* the displacement counts from the end, behind the immediate too */
	EXPECT_EQ(run(INSN_CODE_64, "8b 05 1a 00 00 00"), INSN_DONE);
	EXPECT_EQ(cpu.reg[INSN_RAX], 0x55667788);
	cpu.rip = RAM_LA + 0x100;
	EXPECT_EQ(run(INSN_CODE_64, "c7 05 16 00 00 00 01 00 00 00"), INSN_DONE);
	EXPECT_EQ(ram64(RAM_LA + 0x120), 1);
	cpu.rip = 0xffffffff00000000ULL | (RAM_LA + 0x100);
	EXPECT_EQ(run(INSN_CODE_64, "67 8b 05 19 00 00 00"), INSN_DONE);
	EXPECT_EQ(cpu.reg[INSN_RAX], 1);
}

TEST(xmm_moves)
{
	u8 val[16];
	int n;

	reset_cpu();
	for (n = 0; n < 16; n++)
		cpu.xmm[9][n] = 0x10 + n;
	cpu.reg[INSN_RBX] = DEV_LA;
	EXPECT_EQ(run(INSN_CODE_64, "44 0f 11 0b"), INSN_DONE);	/* movups [rbx], xmm9 */
	expect_device_write(DEV_LA, 8, 0x1716151413121110);
	expect_device_write(DEV_LA + 8, 8, 0x1f1e1d1c1b1a1918);

	EXPECT_EQ(run(INSN_CODE_64, "f3 0f 6f 03"), INSN_NEED_IO);
	EXPECT_EQ(answer(DEV_LA, 8, 0x1122334455667788), INSN_NEED_IO);
	EXPECT_EQ(answer(DEV_LA + 8, 8, 0x99aabbccddeeff00), INSN_DONE);
	EXPECT_EQ(cpu.xmm[0][0], 0x88);
	EXPECT_EQ(cpu.xmm[0][15], 0x99);

	/* a short load clears the rest */
	EXPECT_EQ(run(INSN_CODE_64, "66 0f 6e 03"), INSN_NEED_IO);
	EXPECT_EQ(answer(DEV_LA, 4, 0x01020304), INSN_DONE);
	memset(val, 0, sizeof(val));
	memcpy(val, "\4\3\2\1", 4);
	EXPECT_MEMEQ(cpu.xmm[0], val, 16);

	cpu.reg[INSN_RBX] = DEV_LA + 4;
	EXPECT_EQ(run(INSN_CODE_64, "66 0f 7f 03"), INSN_FAULT);	/* movdqa */
	EXPECT_EQ(env.fault.vector, 13);
	EXPECT_EQ(run(INSN_CODE_64, "f3 0f 7f 03"), INSN_DONE);		/* movdqu */
	cpu.xmm_off = true;
	cpu.reg[INSN_RBX] = BAD_LA;
	EXPECT_EQ(run(INSN_CODE_64, "0f 10 03"), INSN_FAULT);
	EXPECT_EQ(env.fault.vector, 7);
}

TEST(io_instructions_are_not_ours)
{
	static const char * const hex[] = { "e4 60", "ee", "f3 6d", "6e" };

	FOR_EACH_ROW(h, hex) {
		reset_cpu();
		EXPECT_EQ(run(INSN_CODE_64, *h), INSN_CANNOT);
	}
}

TEST(conditions)
{
	static const struct {
		u64 rflags;
		u16 taken;		/* bit n: condition n holds */
	} rows[] = {
		{ 0, 0xaaaa },		/* all the "not" ones */
		{ RFLAGS_OF, 0x5aa9 },
		{ RFLAGS_CF, 0xaa66 },
		{ RFLAGS_ZF, 0x6a5a },
		{ RFLAGS_SF, 0x59aa },
		{ RFLAGS_PF, 0xa6aa },
		{ RFLAGS_SF | RFLAGS_OF, 0xa9a9 },
	};

	FOR_EACH_ROW(r, rows) {
		u16 taken = 0;
		unsigned int n;

		for (n = 0; n < 16; n++)
			taken |= insn_cond(r->rflags, n) << n;
		CASE("rflags %#llx", r->rflags);
		EXPECT_EQ(taken, r->taken);
	}
}

/* 32-bit code: RIP and addresses stay below 4G. */
TEST(wraps_at_4g)
{
	reset_cpu();
	cpu.rip = 0xffffffff;
	cpu.reg[INSN_RBX] = 0xfffffff0;
	EXPECT_EQ(run(INSN_CODE_32, "8b 83 10 00 01 00"), INSN_DONE);
	EXPECT_EQ(cpu.rip, 5);
}
