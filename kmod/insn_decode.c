// SPDX-License-Identifier: GPL-2.0
/*
 * Prefixes, opcode, ModRM/SIB, displacement, immediate: SDM volume 2A,
 * "Instruction Format". Which opcodes, with which operands: insn_table.h.
 */
#include "insn_decode.h"
#include "insn_table.h"

/* The state of one decoding. */
struct dec {
	struct nv_insn *insn;
	const u8 *buf;
	size_t n;		/* at most INSN_MAX_LEN */
	size_t pos;
	enum insn_decode_status bad;	/* first failure; reads give 0 after it */
	u8 rex;			/* 0: none */
	bool opsize_pfx;
	bool adsize_pfx;
	bool lock;
	u8 rep;			/* 0, PFX_F2 or PFX_F3 */
	u8 seg;			/* override, or INSN_SEG_NONE */
	u8 modrm;
	u8 opcode;
};

#define REX_W(d)	(((d)->rex >> 3) & 1)
#define REX_R(d)	(((d)->rex >> 2) & 1)
#define REX_X(d)	(((d)->rex >> 1) & 1)
#define REX_B(d)	((d)->rex & 1)

/* The first failure stands: what follows a missing byte was decoded from zeros. */
static void fail(struct dec *d, enum insn_decode_status why)
{
	if (!d->bad)
		d->bad = why;
}

static u8 get_u8(struct dec *d)
{
	if (d->pos < d->n)
		return d->buf[d->pos++];
	/* 15 bytes were there and it wants a 16th: too long, whatever follows. */
	fail(d, d->n == INSN_MAX_LEN ? INSN_TOO_LONG : INSN_TRUNCATED);
	return 0;
}

/* Little endian, zero-extended. */
static u64 get_uint(struct dec *d, unsigned int bytes)
{
	u64 v = 0;
	unsigned int i;

	for (i = 0; i < bytes; i++)
		v |= (u64)get_u8(d) << (8 * i);
	return v;
}

static s64 get_sint(struct dec *d, unsigned int bytes)
{
	u64 v = get_uint(d, bytes);

	switch (bytes) {
	case 1:
		return (s8)v;
	case 2:
		return (s16)v;
	case 4:
		return (s32)v;
	default:
		return (s64)v;
	}
}

static void decode_prefixes(struct dec *d)
{
	for (;;) {
		u8 b = get_u8(d);

		switch (b) {
		case 0x26:
		case 0x2e:
		case 0x36:
		case 0x3e:
			/* 64-bit mode ignores these four, also after FS or GS. */
			if (d->insn->mode != INSN_CODE_64)
				d->seg = INSN_ES + ((b >> 3) & 3);
			break;
		case 0x64:
			d->seg = INSN_FS;
			break;
		case 0x65:
			d->seg = INSN_GS;
			break;
		case 0x66:
			d->opsize_pfx = true;
			break;
		case 0x67:
			d->adsize_pfx = true;
			break;
		case 0xf0:
			d->lock = true;
			break;
		case 0xf2:
		case 0xf3:
			d->rep = b;
			break;
		default:
			if (d->insn->mode == INSN_CODE_64 && (b & 0xf0) == 0x40) {
				d->rex = b;
				/* Only right before the opcode does REX count. */
				if (d->bad)
					return;
				continue;
			}
			d->opcode = b;
			return;
		}
		d->rex = 0;
		if (d->bad)
			return;
	}
}

static void set_sizes(struct dec *d)
{
	struct nv_insn *i = d->insn;

	switch (i->mode) {
	case INSN_CODE_16:
		i->opsize = d->opsize_pfx ? 4 : 2;
		i->adsize = d->adsize_pfx ? 4 : 2;
		break;
	case INSN_CODE_32:
		i->opsize = d->opsize_pfx ? 2 : 4;
		i->adsize = d->adsize_pfx ? 2 : 4;
		break;
	default:
		i->opsize = REX_W(d) ? 8 : d->opsize_pfx ? 2 : 4;
		i->adsize = d->adsize_pfx ? 4 : 8;
	}
}

static void set_reg(const struct dec *d, struct insn_opnd *o, unsigned int reg,
		    unsigned int size)
{
	o->kind = INSN_OPND_REG;
	o->reg = reg;
	/* Without REX the byte registers 4 to 7 are AH, CH, DH, BH. */
	if (size == 1 && !d->rex && reg >= 4) {
		o->reg = reg - 4;
		o->high = true;
	}
}

/* SDM 2A, "16-Bit Addressing Forms with the ModR/M Byte". */
static void decode_mem16(struct dec *d, unsigned int mod, unsigned int rm)
{
	static const u8 base[8] = {
		INSN_RBX, INSN_RBX, INSN_RBP, INSN_RBP,
		INSN_RSI, INSN_RDI, INSN_RBP, INSN_RBX,
	};
	static const u8 index[8] = {
		INSN_RSI, INSN_RDI, INSN_RSI, INSN_RDI,
		INSN_REG_NONE, INSN_REG_NONE, INSN_REG_NONE, INSN_REG_NONE,
	};
	struct insn_mem *m = &d->insn->mem;

	if (mod == 0 && rm == 6) {
		m->disp = get_sint(d, 2);
		return;
	}
	m->base = base[rm];
	m->index = index[rm];
	if (mod)
		m->disp = get_sint(d, mod);	/* 1 or 2 bytes */
	if (m->base == INSN_RBP)
		m->seg = INSN_SS;
}

/* SDM 2A, "32-Bit Addressing Forms with the ModR/M Byte" and "with the SIB Byte". */
static void decode_mem32(struct dec *d, unsigned int mod, unsigned int rm)
{
	struct insn_mem *m = &d->insn->mem;
	unsigned int base = rm;

	if (rm == 4) {
		u8 sib = get_u8(d);
		unsigned int index = ((sib >> 3) & 7) | REX_X(d) << 3;

		base = sib & 7;
		/* RSP cannot be an index, R12 can. */
		if (index != INSN_RSP) {
			m->index = index;
			m->scale = 1 << (sib >> 6);
		}
	}
	if (mod == 0 && base == 5) {
		m->rip = rm == 5 && d->insn->mode == INSN_CODE_64;
		m->disp = get_sint(d, 4);
		return;
	}
	m->base = base | REX_B(d) << 3;
	if (mod)
		m->disp = get_sint(d, mod == 1 ? 1 : 4);
	if (m->base == INSN_RSP || m->base == INSN_RBP)
		m->seg = INSN_SS;
}

/* The E operand: register or memory. */
static void decode_e(struct dec *d, struct insn_opnd *o, unsigned int size)
{
	unsigned int mod = d->modrm >> 6, rm = d->modrm & 7;

	if (mod == 3) {
		set_reg(d, o, rm | REX_B(d) << 3, size);
		return;
	}
	o->kind = INSN_OPND_MEM;
	d->insn->mem.seg = INSN_DS;
	if (d->insn->adsize == 2)
		decode_mem16(d, mod, rm);
	else
		decode_mem32(d, mod, rm);
	if (d->seg != INSN_SEG_NONE)
		d->insn->mem.seg = d->seg;
}

static void decode_g(struct dec *d, struct insn_opnd *o, unsigned int size)
{
	set_reg(d, o, ((d->modrm >> 3) & 7) | REX_R(d) << 3, size);
}

static void decode_moffs(struct dec *d, struct insn_opnd *o)
{
	o->kind = INSN_OPND_MEM;
	d->insn->mem.seg = d->seg == INSN_SEG_NONE ? INSN_DS : d->seg;
	d->insn->mem.disp = (s64)get_uint(d, d->insn->adsize);
}

static void decode_imm(struct dec *d, struct insn_opnd *o, unsigned int size)
{
	o->kind = INSN_OPND_IMM;
	d->insn->imm = get_sint(d, min(size, 4U));
}

static void set_acc(struct insn_opnd *o)
{
	o->kind = INSN_OPND_REG;
	o->reg = INSN_RAX;
}

/*
 * The operands of a string instruction are implied. Recorded are the memory
 * side's roles, for callers which ask what an instruction does to memory.
 */
static void decode_string(struct dec *d)
{
	struct nv_insn *i = d->insn;

	i->mem.seg = d->seg == INSN_SEG_NONE ? INSN_DS : d->seg;
	i->rep = d->rep == PFX_F3;
	i->repne = d->rep == PFX_F2;
	switch (i->op) {
	case INSN_MOVS:
	case INSN_CMPS:
		i->dst.kind = INSN_OPND_MEM;
		i->src.kind = INSN_OPND_MEM;
		break;
	case INSN_STOS:
		i->dst.kind = INSN_OPND_MEM;
		set_acc(&i->src);
		break;
	case INSN_LODS:
		set_acc(&i->dst);
		i->src.kind = INSN_OPND_MEM;
		break;
	case INSN_SCAS:
		set_acc(&i->dst);
		i->src.kind = INSN_OPND_MEM;
		break;
	case INSN_INS:
		i->dst.kind = INSN_OPND_MEM;
		break;
	case INSN_OUTS:
		i->src.kind = INSN_OPND_MEM;
		break;
	}
}

static u8 mandatory_prefix(const struct dec *d)
{
	if (d->rep)
		return d->rep;
	return d->opsize_pfx ? PFX_66 : PFX_NONE;
}

static void decode_vec(struct dec *d, u8 map)
{
	struct nv_insn *i = d->insn;
	struct insn_opnd *xmm, *mem;
	const struct vec_row *v;
	u8 prefix = mandatory_prefix(d);

	for (v = vec_rows; v < vec_rows + ARRAY_SIZE(vec_rows); v++)
		if (v->map == map && v->opcode == d->opcode && v->prefix == prefix)
			break;
	/* Between registers there is no memory access, so no exit to handle. */
	if (v == vec_rows + ARRAY_SIZE(vec_rows) || d->modrm >> 6 == 3) {
		fail(d, INSN_UNSUPPORTED);
		return;
	}
	i->op = INSN_MOVVEC;
	i->opsize = v->size ?: REX_W(d) ? 8 : 4;
	i->aligned = v->aligned;
	xmm = v->store ? &i->src : &i->dst;
	mem = v->store ? &i->dst : &i->src;
	xmm->kind = INSN_OPND_XMM;
	xmm->reg = ((d->modrm >> 3) & 7) | REX_R(d) << 3;
	decode_e(d, mem, i->opsize);
}

/* ModRM.reg chooses the row; some flags stay the opcode's. */
static struct row decode_group(struct dec *d, const struct row *opc)
{
	struct row row = groups[opc->op][(d->modrm >> 3) & 7];

	row.flags |= opc->flags;
	switch (opc->op) {
	case GROUP1:
		if (opc->flags & R_SRC8)
			row.form = F_EI8;
		break;
	case GROUP2:
		row.form = opc->flags & R_SRC8 ? F_EI8 :
			   d->opcode & 2 ? F_ECL : F_E1;
		break;
	case GROUP15:
		/* Without 66H, /6 is XSAVEOPT; with F3H or F2H all are others. */
		if (d->rep || (((d->modrm >> 3) & 7) == 6 && !d->opsize_pfx))
			row.form = F_NONE;
		break;
	}
	return row;
}

static void decode_operands(struct dec *d, const struct row *row)
{
	struct nv_insn *i = d->insn;

	switch (row->form) {
	case F_EG:
		decode_e(d, &i->dst, i->opsize);
		decode_g(d, &i->src, i->srcsize);
		break;
	case F_GE:
		decode_g(d, &i->dst, i->opsize);
		decode_e(d, &i->src, i->srcsize);
		break;
	case F_EI:
		decode_e(d, &i->dst, i->opsize);
		decode_imm(d, &i->src, i->opsize);
		break;
	case F_EI8:
		decode_e(d, &i->dst, i->opsize);
		decode_imm(d, &i->src, 1);
		i->srcsize = i->opsize;
		break;
	case F_E1:
		decode_e(d, &i->dst, i->opsize);
		i->src.kind = INSN_OPND_IMM;
		i->imm = 1;
		break;
	case F_ECL:
		decode_e(d, &i->dst, i->opsize);
		i->src.kind = INSN_OPND_REG;
		i->src.reg = INSN_RCX;
		i->srcsize = 1;
		break;
	case F_E:
		decode_e(d, &i->dst, i->opsize);
		break;
	case F_ESRC:
		decode_e(d, &i->src, i->opsize);
		break;
	case F_AI:
		set_acc(&i->dst);
		decode_imm(d, &i->src, i->opsize);
		break;
	case F_AO:
		set_acc(&i->dst);
		decode_moffs(d, &i->src);
		break;
	case F_OA:
		decode_moffs(d, &i->dst);
		set_acc(&i->src);
		break;
	case F_STR:
		decode_string(d);
		break;
	case F_INI:
		set_acc(&i->dst);
		i->src.kind = INSN_OPND_IMM;
		i->imm = get_u8(d);
		break;
	case F_OUTI:
		i->dst.kind = INSN_OPND_IMM;
		i->imm = get_u8(d);
		set_acc(&i->src);
		break;
	case F_INDX:
		set_acc(&i->dst);
		i->src.kind = INSN_OPND_REG;
		i->src.reg = INSN_RDX;
		break;
	case F_OUTDX:
		i->dst.kind = INSN_OPND_REG;
		i->dst.reg = INSN_RDX;
		set_acc(&i->src);
		break;
	}
}

/* What the row's flags make of the sizes that the prefixes gave. */
static void apply_row_sizes(struct dec *d, const struct row *row)
{
	struct nv_insn *i = d->insn;

	if (row->flags & R_BYTE)
		i->opsize = 1;
	if (i->mode == INSN_CODE_64 && row->flags & R_STACK)
		i->opsize = d->opsize_pfx && !REX_W(d) ? 2 : 8;
	if (i->mode == INSN_CODE_64 && row->flags & R_NEAR)
		i->opsize = 8;
	if (row->flags & R_MAX32)
		i->opsize = min_t(u8, i->opsize, 4);

	i->srcsize = i->opsize;
	if (row->form != F_GE)
		return;
	if (row->flags & R_SRC8)
		i->srcsize = 1;
	if (row->flags & R_SRC16)
		i->srcsize = 2;
	if (row->flags & R_SRC32)
		i->srcsize = min_t(u8, i->opsize, 4);
}

static bool form_has_modrm(u8 form)
{
	return (form >= F_EG && form <= F_ESRC) || form == F_GROUP || form == F_VEC;
}

/* MOVBE and MOVNTDQA are all that we take from this map. */
static void decode_0f38(struct dec *d)
{
	static const struct row movbe_load = { INSN_MOVBE, F_GE, R_MEM };
	static const struct row movbe_store = { INSN_MOVBE, F_EG, R_MEM };
	const struct row *row;

	d->opcode = get_u8(d);
	d->modrm = get_u8(d);
	if (d->opcode == 0x2a) {
		decode_vec(d, 0x38);
		return;
	}
	/* With F2H they are CRC32. */
	if ((d->opcode != 0xf0 && d->opcode != 0xf1) || d->rep) {
		fail(d, INSN_UNSUPPORTED);
		return;
	}
	row = d->opcode == 0xf0 ? &movbe_load : &movbe_store;
	if (d->modrm >> 6 == 3) {
		fail(d, INSN_ILLEGAL);
		return;
	}
	d->insn->op = row->op;
	apply_row_sizes(d, row);
	decode_operands(d, row);
}

static void decode_row(struct dec *d, const struct row *opc)
{
	struct nv_insn *i = d->insn;
	struct row row = *opc;

	if (row.form == F_NONE ||
	    (row.flags & R_ONLY64 && i->mode != INSN_CODE_64)) {
		fail(d, INSN_UNSUPPORTED);
		return;
	}
	if (row.flags & R_NOT64 && i->mode == INSN_CODE_64) {
		fail(d, INSN_ILLEGAL);
		return;
	}
	if (form_has_modrm(row.form))
		d->modrm = get_u8(d);
	if (row.form == F_VEC) {
		decode_vec(d, 0x0f);
		return;
	}
	if (row.form == F_GROUP)
		row = decode_group(d, opc);
	/* Choosing a row by a byte that is not there would blame the guest. */
	if (d->bad)
		return;
	if (row.form == F_NONE) {
		fail(d, INSN_UNSUPPORTED);
		return;
	}
	if (row.op == INSN_OP_NONE || (row.flags & R_NP && mandatory_prefix(d))) {
		fail(d, INSN_ILLEGAL);
		return;
	}
	if (form_has_modrm(row.form) && d->modrm >> 6 == 3 &&
	    row.flags & (R_MEM | R_MEMSUP)) {
		fail(d, row.flags & R_MEM ? INSN_ILLEGAL : INSN_UNSUPPORTED);
		return;
	}
	i->op = row.op;
	if (i->op == INSN_CMOV || i->op == INSN_SETCC)
		i->cond = d->opcode & 0xf;
	apply_row_sizes(d, &row);
	decode_operands(d, &row);

	if (d->lock && !(row.flags & R_LOCK && i->dst.kind == INSN_OPND_MEM))
		fail(d, INSN_ILLEGAL);
	i->lock = d->lock;
}

enum insn_decode_status nv_insn_decode(struct nv_insn *insn, const u8 *buf, size_t n,
				       enum insn_code mode)
{
	struct dec d = {
		.insn = insn,
		.buf = buf,
		.n = min_t(size_t, n, INSN_MAX_LEN),
		.bad = INSN_DECODED,
		.seg = INSN_SEG_NONE,
	};

	*insn = (struct nv_insn) {
		.mode = mode,
		.mem = { .base = INSN_REG_NONE, .index = INSN_REG_NONE, .scale = 1,
			 .seg = INSN_DS },
	};

	decode_prefixes(&d);
	if (d.bad)
		return d.bad;
	set_sizes(&d);

	if (d.opcode != 0x0f) {
		decode_row(&d, &one_byte[d.opcode]);
	} else {
		d.opcode = get_u8(&d);
		if (d.bad)
			return d.bad;
		if (d.opcode == 0x38)
			decode_0f38(&d);
		else
			decode_row(&d, &two_byte[d.opcode]);
		/* LOCK before one of the vector moves and MOVBE */
		if (d.lock && !insn->lock)
			fail(&d, INSN_ILLEGAL);
	}
	insn->len = d.pos;
	return d.bad;
}

const char *insn_op_name(unsigned int op)
{
	static const char * const names[INSN_NR_OPS] = {
		[INSN_ADD] = "add", [INSN_OR] = "or", [INSN_ADC] = "adc", [INSN_SBB] = "sbb",
		[INSN_AND] = "and", [INSN_SUB] = "sub", [INSN_XOR] = "xor", [INSN_CMP] = "cmp",
		[INSN_TEST] = "test", [INSN_INC] = "inc", [INSN_DEC] = "dec",
		[INSN_NOT] = "not", [INSN_NEG] = "neg",
		[INSN_ROL] = "rol", [INSN_ROR] = "ror", [INSN_RCL] = "rcl", [INSN_RCR] = "rcr",
		[INSN_SHL] = "shl", [INSN_SHR] = "shr", [INSN_SAR] = "sar",
		[INSN_MOV] = "mov", [INSN_MOVZX] = "movzx", [INSN_MOVSX] = "movsx",
		[INSN_MOVBE] = "movbe", [INSN_CMOV] = "cmov", [INSN_SETCC] = "setcc",
		[INSN_XCHG] = "xchg", [INSN_CMPXCHG] = "cmpxchg", [INSN_XADD] = "xadd",
		[INSN_BT] = "bt", [INSN_BTS] = "bts", [INSN_BTR] = "btr", [INSN_BTC] = "btc",
		[INSN_PUSH] = "push", [INSN_POP] = "pop", [INSN_CALL] = "call",
		[INSN_JMP] = "jmp", [INSN_MOVS] = "movs", [INSN_CMPS] = "cmps",
		[INSN_STOS] = "stos", [INSN_LODS] = "lods", [INSN_SCAS] = "scas",
		[INSN_INS] = "ins", [INSN_OUTS] = "outs", [INSN_IN] = "in", [INSN_OUT] = "out",
		[INSN_MOVVEC] = "movvec", [INSN_NOP] = "nop",
	};

	return op < INSN_NR_OPS && names[op] ? names[op] : "(none)";
}
