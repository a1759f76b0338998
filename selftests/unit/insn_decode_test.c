// SPDX-License-Identifier: GPL-2.0
#include <stdarg.h>

#include "harness.h"
#include "insn_decode.h"

/* A decoded instruction as text, so that a table of them can be read. */
static char text[200];
static size_t text_len;

static void put(const char *fmt, ...) __printf(1, 2);

static void put(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	text_len += vsnprintf(text + text_len, sizeof(text) - text_len, fmt, ap);
	va_end(ap);
}

static void put_reg(unsigned int reg, unsigned int size, bool high)
{
	static const char * const names[] = {
		"ax", "cx", "dx", "bx", "sp", "bp", "si", "di",
	};

	if (high)
		put("%ch", names[reg][0]);
	else if (reg >= 8)
		put("r%u.%u", reg, size);
	else
		put("%s.%u", names[reg], size);
}

static void put_mem(const struct nv_insn *i)
{
	static const char * const segs[] = { "es", "cs", "ss", "ds", "fs", "gs" };
	const struct insn_mem *m = &i->mem;

	put("%s:[", segs[m->seg]);
	if (m->base != INSN_REG_NONE)
		put_reg(m->base, i->adsize, false);
	if (m->rip)
		put("ip.%u", i->adsize);
	if (m->index != INSN_REG_NONE) {
		put("+");
		put_reg(m->index, i->adsize, false);
		put("*%u", m->scale);
	}
	if (m->disp < 0)
		put("-%#llx", -(u64)m->disp);
	else if (m->disp)
		put("+%#llx", m->disp);
	put("]");
}

static void put_opnd(const struct nv_insn *i, const struct insn_opnd *o, unsigned int size)
{
	switch (o->kind) {
	case INSN_OPND_REG:
		put_reg(o->reg, size, o->high);
		break;
	case INSN_OPND_MEM:
		put_mem(i);
		break;
	case INSN_OPND_IMM:
		put("%#llx", i->imm & (U64_MAX >> (64 - 8 * size)));
		break;
	case INSN_OPND_XMM:
		put("xmm%u", o->reg);
		break;
	}
}

static const char *to_text(const struct nv_insn *i)
{
	text_len = 0;
	put("%s%s%s%s%s%u", i->lock ? "lock " : "", i->rep ? "rep " : "",
	    i->repne ? "repne " : "", insn_op_name(i->op), i->aligned ? "a" : "", i->opsize);
	if (i->op == INSN_CMOV || i->op == INSN_SETCC)
		put("/%u", i->cond);
	if (insn_is_string(i)) {
		put(" %u:", i->adsize);
		put("%u", i->mem.seg);
		return text;
	}
	if (i->dst.kind) {
		put(" ");
		put_opnd(i, &i->dst, i->opsize);
	}
	if (i->src.kind) {
		put(i->dst.kind ? ", " : " ");
		put_opnd(i, &i->src, i->srcsize);
	}
	return text;
}

struct row {
	enum insn_code mode;
	const char *bytes;	/* hexadecimal */
	const char *text;	/* NULL: see status */
	enum insn_decode_status status;
};

static size_t parse_hex(const char *s, u8 *buf, size_t max)
{
	size_t n = 0;

	while (*s && n < max) {
		char *end;

		buf[n++] = strtoul(s, &end, 16);
		s = end;
		while (*s == ' ')
			s++;
	}
	return n;
}

/*
 * Each row that decodes is also cut short everywhere: it must ask for more and
 * never read on; and the bytes after it must not matter.
 */
static void check(const struct row *r)
{
	u8 buf[32];
	size_t n = parse_hex(r->bytes, buf, sizeof(buf)), cut;
	struct nv_insn insn;
	enum insn_decode_status st;
	u8 *exact;

	CASE("mode %d: %s", r->mode, r->bytes);
	st = nv_insn_decode(&insn, buf, n, r->mode);
	EXPECT_EQ(st, r->status);
	if (st != INSN_DECODED || r->status != INSN_DECODED)
		return;
	EXPECT_EQ(insn.len, n);
	EXPECT_STREQ(to_text(&insn), r->text);

	for (cut = 0; cut < n; cut++) {
		/* exactly as long as it says, for ASan to see a byte too far */
		exact = malloc(cut ? cut : 1);
		memcpy(exact, buf, cut);
		EXPECT_EQ(nv_insn_decode(&insn, exact, cut, r->mode), INSN_TRUNCATED);
		free(exact);
	}
	memset(buf + n, 0xf0, sizeof(buf) - n);
	EXPECT_EQ(nv_insn_decode(&insn, buf, sizeof(buf), r->mode), INSN_DECODED);
	EXPECT_EQ(insn.len, n);
}

#define M16	INSN_CODE_16
#define M32	INSN_CODE_32
#define M64	INSN_CODE_64
#define BAD(why)	NULL, INSN_##why

TEST(opcodes)
{
	static const struct row rows[] = {
		{ M64, "88 03", "mov1 ds:[bx.8], ax.1" },
		{ M64, "89 03", "mov4 ds:[bx.8], ax.4" },
		{ M64, "66 89 03", "mov2 ds:[bx.8], ax.2" },
		{ M64, "48 89 03", "mov8 ds:[bx.8], ax.8" },
		{ M64, "66 48 89 03", "mov8 ds:[bx.8], ax.8" },
		{ M64, "8a 23", "mov1 ah, ds:[bx.8]" },
		{ M64, "40 8a 23", "mov1 sp.1, ds:[bx.8]" },
		{ M64, "8b 80 f0 00 00 00", "mov4 ax.4, ds:[ax.8+0xf0]" },
		{ M64, "8b 00", "mov4 ax.4, ds:[ax.8]" },
		{ M64, "c6 00 7f", "mov1 ds:[ax.8], 0x7f" },
		{ M64, "c7 00 00 01 02 83", "mov4 ds:[ax.8], 0x83020100" },
		{ M64, "48 c7 00 00 01 02 83", "mov8 ds:[ax.8], 0xffffffff83020100" },
		{ M64, "66 c7 00 34 12", "mov2 ds:[ax.8], 0x1234" },
		{ M64, "a0 08 07 06 05 04 03 02 01", "mov1 ax.1, ds:[+0x102030405060708]" },
		{ M64, "48 a3 08 07 06 05 04 03 02 01",
		  "mov8 ds:[+0x102030405060708], ax.8" },
		{ M64, "67 a1 08 07 06 f5", "mov4 ax.4, ds:[+0xf5060708]" },
		{ M32, "a1 b0 00 e0 fe", "mov4 ax.4, ds:[+0xfee000b0]" },
		{ M16, "a3 34 12", "mov2 ds:[+0x1234], ax.2" },
		{ M64, "0f b6 07", "movzx4 ax.4, ds:[di.8]" },
		{ M64, "48 0f b7 07", "movzx8 ax.8, ds:[di.8]" },
		{ M64, "0f be 07", "movsx4 ax.4, ds:[di.8]" },
		{ M64, "66 0f be 07", "movsx2 ax.2, ds:[di.8]" },
		{ M64, "48 0f bf 07", "movsx8 ax.8, ds:[di.8]" },
		{ M64, "48 63 07", "movsx8 ax.8, ds:[di.8]" },
		{ M64, "63 07", "movsx4 ax.4, ds:[di.8]" },
		{ M32, "63 07", BAD(UNSUPPORTED) },
		{ M64, "0f 38 f0 07", "movbe4 ax.4, ds:[di.8]" },
		{ M64, "48 0f 38 f1 07", "movbe8 ds:[di.8], ax.8" },
		{ M64, "f2 0f 38 f1 07", BAD(UNSUPPORTED) },	/* CRC32 */
		{ M64, "0f 38 f0 c7", BAD(ILLEGAL) },
		{ M64, "0f c3 07", "mov4 ds:[di.8], ax.4" },	/* MOVNTI */
		{ M64, "0f c3 c7", BAD(ILLEGAL) },
		{ M64, "66 0f c3 07", BAD(ILLEGAL) },
		{ M64, "01 07", "add4 ds:[di.8], ax.4" },
		{ M64, "0a 07", "or1 ax.1, ds:[di.8]" },
		{ M64, "15 44 33 22 11", "adc4 ax.4, 0x11223344" },
		{ M64, "1c 80", "sbb1 ax.1, 0x80" },
		{ M64, "80 27 f0", "and1 ds:[di.8], 0xf0" },
		{ M64, "81 2f 44 33 22 11", "sub4 ds:[di.8], 0x11223344" },
		{ M64, "83 37 ff", "xor4 ds:[di.8], 0xffffffff" },
		{ M64, "48 83 3f 80", "cmp8 ds:[di.8], 0xffffffffffffff80" },
		{ M32, "82 07 01", "add1 ds:[di.4], 0x1" },
		{ M64, "82 07 01", BAD(ILLEGAL) },
		{ M64, "85 07", "test4 ds:[di.8], ax.4" },
		{ M64, "f6 07 01", "test1 ds:[di.8], 0x1" },
		{ M64, "f7 0f 44 33 22 11", "test4 ds:[di.8], 0x11223344" },
		{ M64, "f7 17", "not4 ds:[di.8]" },
		{ M64, "f6 1f", "neg1 ds:[di.8]" },
		{ M64, "f7 27", BAD(UNSUPPORTED) },		/* MUL */
		{ M64, "fe 07", "inc1 ds:[di.8]" },
		{ M64, "48 ff 0f", "dec8 ds:[di.8]" },
		{ M64, "fe 17", BAD(ILLEGAL) },
		{ M64, "ff 3f", BAD(ILLEGAL) },
		{ M64, "ff 1f", BAD(UNSUPPORTED) },		/* far CALL */
		{ M64, "ff 37", "push8 ds:[di.8]" },
		{ M64, "66 ff 37", "push2 ds:[di.8]" },
		{ M32, "ff 37", "push4 ds:[di.4]" },
		{ M64, "8f 07", "pop8 ds:[di.8]" },
		{ M64, "8f 0f", BAD(ILLEGAL) },
		{ M64, "ff 17", "call8 ds:[di.8]" },
		{ M64, "66 ff 27", "jmp8 ds:[di.8]" },
		{ M32, "66 ff 27", "jmp2 ds:[di.4]" },
		{ M64, "d0 27", "shl1 ds:[di.8], 0x1" },
		{ M64, "c1 2f 05", "shr4 ds:[di.8], 0x5" },
		{ M64, "48 d3 3f", "sar8 ds:[di.8], cx.1" },
		{ M64, "d3 07", "rol4 ds:[di.8], cx.1" },
		{ M64, "c0 37 03", "shl1 ds:[di.8], 0x3" },
		{ M64, "87 07", "xchg4 ds:[di.8], ax.4" },
		{ M64, "0f b1 0f", "cmpxchg4 ds:[di.8], cx.4" },
		{ M64, "0f c0 27", "xadd1 ds:[di.8], ah" },
		{ M64, "0f a3 07", "bt4 ds:[di.8], ax.4" },
		{ M64, "0f ba 2f 05", "bts4 ds:[di.8], 0x5" },
		{ M64, "0f ba 1f 05", BAD(ILLEGAL) },
		{ M64, "0f bb 07", "btc4 ds:[di.8], ax.4" },
		{ M64, "0f 44 07", "cmov4/4 ax.4, ds:[di.8]" },
		{ M64, "0f 95 07", "setcc1/5 ds:[di.8]" },
		{ M64, "0f ae 3f", "nop4 ds:[di.8]" },		/* CLFLUSH */
		{ M64, "66 0f ae 37", "nop2 ds:[di.8]" },	/* CLWB */
		{ M64, "0f ae 37", BAD(UNSUPPORTED) },		/* XSAVEOPT */
		{ M64, "0f ae 27", BAD(UNSUPPORTED) },		/* XSAVE */
		{ M64, "0f 18 0f", "nop4 ds:[di.8]" },
		{ M64, "0f 1f 44 00 00", "nop4 ds:[ax.8+ax.8*1]" },
		{ M64, "e4 60", "in1 ax.1, 0x60" },
		{ M64, "48 ed", "in4 ax.4, dx.4" },
		{ M64, "66 ef", "out2 dx.2, ax.2" },
		{ M64, "c4 e2 7d 18 07", BAD(UNSUPPORTED) },	/* VEX */
		{ M64, "0f 0b", BAD(UNSUPPORTED) },
		{ M64, "0f 38 00 07", BAD(UNSUPPORTED) },
		{ M64, "c7 f8 00 00 00 00", BAD(UNSUPPORTED) },	/* XBEGIN */
		{ M64, "c7 08 00 00 00 00", BAD(ILLEGAL) },
	};

	FOR_EACH_ROW(r, rows)
		check(r);
}

TEST(addressing)
{
	static const struct row rows[] = {
		{ M64, "8b 04 24", "mov4 ax.4, ss:[sp.8]" },
		{ M64, "8b 45 f8", "mov4 ax.4, ss:[bp.8-0x8]" },
		{ M64, "41 8b 45 f8", "mov4 ax.4, ds:[r13.8-0x8]" },
		{ M64, "41 8b 04 24", "mov4 ax.4, ds:[r12.8]" },
		{ M64, "44 8b 05 10 00 00 00", "mov4 r8.4, ds:[ip.8+0x10]" },
		{ M64, "67 8b 05 f0 ff ff ff", "mov4 ax.4, ds:[ip.4-0x10]" },
		{ M64, "41 8b 05 10 00 00 00", "mov4 ax.4, ds:[ip.8+0x10]" },
		{ M64, "8b 04 25 00 00 e0 fe", "mov4 ax.4, ds:[-0x1200000]" },
		{ M64, "8b 04 cd 20 00 00 00", "mov4 ax.4, ds:[+cx.8*8+0x20]" },
		{ M64, "42 8b 04 a3", "mov4 ax.4, ds:[bx.8+r12.8*4]" },
		{ M64, "8b 04 65 00 00 00 00", "mov4 ax.4, ds:[]" },
		{ M64, "43 8b 84 3e 78 56 34 12", "mov4 ax.4, ds:[r14.8+r15.8*1+0x12345678]" },
		{ M64, "67 8b 44 8b 04", "mov4 ax.4, ds:[bx.4+cx.4*4+0x4]" },
		{ M64, "8b 44 45 00", "mov4 ax.4, ss:[bp.8+ax.8*2]" },
		{ M32, "8b 05 b0 00 e0 fe", "mov4 ax.4, ds:[-0x11fff50]" },
		{ M32, "67 8b 00", "mov4 ax.4, ds:[bx.2+si.2*1]" },
		{ M32, "67 8b 02", "mov4 ax.4, ss:[bp.2+si.2*1]" },
		{ M32, "67 8b 06 34 12", "mov4 ax.4, ds:[+0x1234]" },
		{ M16, "8b 46 fe", "mov2 ax.2, ss:[bp.2-0x2]" },
		{ M16, "8b 87 00 80", "mov2 ax.2, ds:[bx.2-0x8000]" },
		{ M16, "8b 04", "mov2 ax.2, ds:[si.2]" },
		{ M16, "67 66 8b 00", "mov4 ax.4, ds:[ax.4]" },
		{ M16, "8b 05", "mov2 ax.2, ds:[di.2]" },
		{ M16, "8b 01", "mov2 ax.2, ds:[bx.2+di.2*1]" },
		{ M16, "8b 03", "mov2 ax.2, ss:[bp.2+di.2*1]" },
	};

	FOR_EACH_ROW(r, rows)
		check(r);
}

TEST(prefixes)
{
	static const struct row rows[] = {
		{ M64, "64 8b 00", "mov4 ax.4, fs:[ax.8]" },
		{ M64, "65 48 a1 00 00 00 00 00 00 00 00", "mov8 ax.8, gs:[]" },
		/* ignored in 64-bit mode, and do not undo one which is not */
		{ M64, "2e 8b 00", "mov4 ax.4, ds:[ax.8]" },
		{ M64, "64 3e 8b 00", "mov4 ax.4, fs:[ax.8]" },
		{ M32, "26 8b 00", "mov4 ax.4, es:[ax.4]" },
		{ M32, "2e 8b 00", "mov4 ax.4, cs:[ax.4]" },
		{ M32, "36 8b 00", "mov4 ax.4, ss:[ax.4]" },
		{ M32, "64 3e 8b 45 00", "mov4 ax.4, ds:[bp.4]" },
		/* REX counts only right before the opcode */
		{ M64, "48 66 89 03", "mov2 ds:[bx.8], ax.2" },
		{ M64, "48 40 89 03", "mov4 ds:[bx.8], ax.4" },
		{ M64, "f3 48 a5", "rep movs8 8:3" },
		/* outside 64-bit mode 40H to 4FH are INC and DEC */
		{ M32, "48 89 03", BAD(UNSUPPORTED) },
		{ M64, "f3 89 03", "mov4 ds:[bx.8], ax.4" },	/* XRELEASE, a hint */
		{ M64, "f0 01 07", "lock add4 ds:[di.8], ax.4" },
		{ M64, "f0 0f b1 0f", "lock cmpxchg4 ds:[di.8], cx.4" },
		{ M64, "f0 0f ba 2f 05", "lock bts4 ds:[di.8], 0x5" },
		{ M64, "f0 f7 1f", "lock neg4 ds:[di.8]" },
		{ M64, "f0 ff 07", "lock inc4 ds:[di.8]" },
		{ M64, "f0 83 0f 01", "lock or4 ds:[di.8], 0x1" },
		{ M64, "f0 87 07", "lock xchg4 ds:[di.8], ax.4" },
		{ M64, "f0 01 c7", BAD(ILLEGAL) },	/* no memory destination */
		{ M64, "f0 03 07", BAD(ILLEGAL) },
		{ M64, "f0 39 07", BAD(ILLEGAL) },	/* CMP */
		{ M64, "f0 83 3f 01", BAD(ILLEGAL) },
		{ M64, "f0 85 07", BAD(ILLEGAL) },	/* TEST */
		{ M64, "f0 0f a3 07", BAD(ILLEGAL) },	/* BT */
		{ M64, "f0 0f ba 27 05", BAD(ILLEGAL) },
		{ M64, "f0 89 07", BAD(ILLEGAL) },
		{ M64, "f0 d1 27", BAD(ILLEGAL) },	/* SHL */
		{ M64, "f0 a5", BAD(ILLEGAL) },
		{ M64, "f0 ff 37", BAD(ILLEGAL) },	/* PUSH */
		{ M64, "f0 66 0f 6f 07", BAD(ILLEGAL) },
		{ M64, "f0 0f 38 f1 07", BAD(ILLEGAL) },
		{ M64, "f0 0f 95 07", BAD(ILLEGAL) },
	};

	FOR_EACH_ROW(r, rows)
		check(r);
}

TEST(strings)
{
	/* address size : segment of rSI */
	static const struct row rows[] = {
		{ M64, "a4", "movs1 8:3" },
		{ M64, "f3 a5", "rep movs4 8:3" },
		{ M64, "67 f3 66 a5", "rep movs2 4:3" },
		{ M64, "65 f3 a4", "rep movs1 8:5" },
		{ M16, "26 a5", "movs2 2:0" },
		{ M64, "f3 48 ab", "rep stos8 8:3" },
		{ M64, "ac", "lods1 8:3" },
		{ M64, "f3 a6", "rep cmps1 8:3" },
		{ M64, "f2 ae", "repne scas1 8:3" },
		{ M64, "f3 6c", "rep ins1 8:3" },
		{ M64, "f3 48 6d", "rep ins4 8:3" },
		{ M64, "6f", "outs4 8:3" },
	};

	FOR_EACH_ROW(r, rows)
		check(r);
}

TEST(vector_moves)
{
	static const struct row rows[] = {
		{ M64, "0f 10 07", "movvec16 xmm0, ds:[di.8]" },
		{ M64, "f3 0f 10 07", "movvec4 xmm0, ds:[di.8]" },
		{ M64, "66 f2 44 0f 10 07", "movvec8 xmm8, ds:[di.8]" },
		{ M64, "0f 11 0f", "movvec16 ds:[di.8], xmm1" },
		{ M64, "0f 28 07", "movveca16 xmm0, ds:[di.8]" },
		{ M64, "66 0f 29 07", "movveca16 ds:[di.8], xmm0" },
		{ M64, "66 0f 6f 07", "movveca16 xmm0, ds:[di.8]" },
		{ M64, "f3 0f 6f 07", "movvec16 xmm0, ds:[di.8]" },
		{ M64, "f3 0f 7f 07", "movvec16 ds:[di.8], xmm0" },
		{ M64, "66 0f e7 07", "movveca16 ds:[di.8], xmm0" },
		{ M64, "66 0f 6e 07", "movvec4 xmm0, ds:[di.8]" },
		{ M64, "66 48 0f 7e 07", "movvec8 ds:[di.8], xmm0" },
		{ M64, "f3 0f 7e 07", "movvec8 xmm0, ds:[di.8]" },
		{ M64, "66 0f d6 07", "movvec8 ds:[di.8], xmm0" },
		{ M64, "66 0f 38 2a 07", "movveca16 xmm0, ds:[di.8]" },
		{ M64, "0f 6f 07", BAD(UNSUPPORTED) },	/* MMX */
		{ M64, "0f 28 c1", BAD(UNSUPPORTED) },	/* between registers */
	};

	FOR_EACH_ROW(r, rows)
		check(r);
}

TEST(length_limit)
{
	u8 buf[20];
	struct nv_insn insn;

	/* 13 prefixes and two bytes fit, 14 do not. */
	memset(buf, 0x66, sizeof(buf));
	buf[13] = 0x89;
	buf[14] = 0x03;
	EXPECT_EQ(nv_insn_decode(&insn, buf, sizeof(buf), M64), INSN_DECODED);
	EXPECT_EQ(insn.len, 15);
	EXPECT_EQ(nv_insn_decode(&insn, buf, 14, M64), INSN_TRUNCATED);
	buf[13] = 0x66;
	buf[14] = 0x89;
	buf[15] = 0x03;
	EXPECT_EQ(nv_insn_decode(&insn, buf, sizeof(buf), M64), INSN_TOO_LONG);
	memset(buf, 0x66, sizeof(buf));
	EXPECT_EQ(nv_insn_decode(&insn, buf, sizeof(buf), M64), INSN_TOO_LONG);
	memset(buf, 0x48, sizeof(buf));
	EXPECT_EQ(nv_insn_decode(&insn, buf, sizeof(buf), M64), INSN_TOO_LONG);
	EXPECT_EQ(nv_insn_decode(&insn, buf, 3, M64), INSN_TRUNCATED);
	EXPECT_EQ(nv_insn_decode(&insn, buf, 0, M64), INSN_TRUNCATED);
}

/* Whatever the bytes: it ends, stays inside, and is stable. */
TEST(random_bytes)
{
	static const u8 modes[] = { M16, M32, M64 };
	unsigned int n, decoded = 0;

	for (n = 0; n < 300000; n++) {
		struct nv_insn a, b;
		enum insn_decode_status st;
		u64 r[2] = { test_random(), test_random() };
		enum insn_code mode = modes[n % ARRAY_SIZE(modes)];

		st = nv_insn_decode(&a, (u8 *)r, sizeof(r), mode);
		if (st != INSN_DECODED)
			continue;
		decoded++;
		ASSERT_TRUE(a.len >= 1 && a.len <= INSN_MAX_LEN);
		ASSERT_TRUE(a.op != INSN_OP_NONE && a.op < INSN_NR_OPS);
		ASSERT_TRUE(strcmp(insn_op_name(a.op), "(none)"));
		ASSERT_EQ(nv_insn_decode(&b, (u8 *)r, a.len, mode), INSN_DECODED);
		ASSERT_TRUE(!memcmp(&a, &b, sizeof(a)));
		ASSERT_EQ(nv_insn_decode(&b, (u8 *)r, a.len - 1, mode), INSN_TRUNCATED);
	}
	EXPECT_TRUE(decoded > 10000);
}
