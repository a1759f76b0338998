// SPDX-License-Identifier: GPL-2.0
/*
 * Order within an instruction: read all sources, compute, write memory, and
 * only then registers and flags. Everything before the last step may fail or
 * ask to be repeated. Not modelled: alignment-check exceptions (#AC).
 */
#include "insn_exec.h"
#include "insn_alu.h"
#include "x86.h"

/* SEG_AR_TYPE: bit 3 tells code from data, bits 2 and 1 depend on it. */
#define TYPE_RW		BIT(1)	/* data: writable; code: readable */
#define TYPE_DOWN	BIT(2)	/* data: expands down */
#define TYPE_CODE	BIT(3)

/* One execution. */
struct exec {
	const struct nv_insn *insn;
	struct insn_env *env;
	u64 flags;		/* RFLAGS before, then after */
	u64 ea;			/* of the ModRM memory operand */
	u64 la;			/* likewise, after the first access */
	u64 old;		/* what read_dst() found */
};

static enum insn_result fault0(struct insn_env *env, u8 vector)
{
	env->fault = (struct insn_fault){ .vector = vector, .has_error = true };
	return INSN_FAULT;
}

static bool canonical(u64 la, bool la57)
{
	unsigned int shift = la57 ? 64 - 57 : 64 - 48;

	return (u64)((s64)(la << shift) >> shift) == la;
}

/* SDM 3A, "Limit Checking" and "Type Checking"; @ar of a valid segment. */
static bool seg_allows(const struct insn_env *env, const struct insn_seg *s, u64 ea,
		       unsigned int size, unsigned int access)
{
	u64 last = ea + size - 1;

	if (env->protected_mode) {
		if (s->ar & SEG_AR_UNUSABLE)
			return false;
		if (access & INSN_ACC_WRITE &&
		    (s->ar & TYPE_CODE || !(s->ar & TYPE_RW)))
			return false;
		if (access & INSN_ACC_READ && s->ar & TYPE_CODE &&
		    !(s->ar & TYPE_RW))
			return false;
	}
	if (!(s->ar & TYPE_CODE) && s->ar & TYPE_DOWN)
		return ea > s->limit && last <= (s->ar & SEG_AR_DB ? U32_MAX : U16_MAX);
	return last <= s->limit;
}

enum insn_result insn_linear(struct insn_env *env, enum insn_code mode, unsigned int seg,
			     u64 ea, unsigned int size, unsigned int access, u64 *la)
{
	u8 vector = seg == INSN_SS ? VEC_SS : VEC_GP;
	struct insn_seg s;

	if (mode == INSN_CODE_64) {
		if (seg == INSN_FS || seg == INSN_GS) {
			env->ops->read_seg(env->ctx, seg, &s);
			ea += s.base;
		}
		if (!canonical(ea, env->la57) || !canonical(ea + size - 1, env->la57))
			return fault0(env, vector);
		*la = ea;
		return INSN_DONE;
	}

	env->ops->read_seg(env->ctx, seg, &s);
	if (!seg_allows(env, &s, ea, size, access))
		return fault0(env, vector);
	*la = (u32)(s.base + ea);
	return INSN_DONE;
}

static u64 reg_read(const struct exec *x, unsigned int reg)
{
	return x->env->ops->read_reg(x->env->ctx, reg);
}

/* 8 and 16-bit writes keep the rest of the register, 32-bit ones clear it. */
static void reg_write(const struct exec *x, unsigned int reg, unsigned int size, u64 val)
{
	if (size < 4)
		val = (reg_read(x, reg) & ~insn_mask(size)) | (val & insn_mask(size));
	else
		val &= insn_mask(size);
	x->env->ops->write_reg(x->env->ctx, reg, val);
}

static u64 opnd_reg_read(const struct exec *x, const struct insn_opnd *o, unsigned int size)
{
	return (reg_read(x, o->reg) >> (o->high ? 8 : 0)) & insn_mask(size);
}

static void opnd_reg_write(const struct exec *x, const struct insn_opnd *o, unsigned int size,
			   u64 val)
{
	if (o->high)
		x->env->ops->write_reg(x->env->ctx, o->reg,
				       (reg_read(x, o->reg) & ~0xff00ULL) | (val & 0xff) << 8);
	else
		reg_write(x, o->reg, size, val);
}

static void flags_write(const struct exec *x)
{
	x->env->ops->write_rflags(x->env->ctx, x->flags);
}

/* Little endian both here and in the guest. */
static enum insn_result mem_read(const struct exec *x, u64 la, u64 *val, unsigned int size,
				 unsigned int access)
{
	struct insn_env *env = x->env;

	*val = 0;
	return env->ops->read_mem(env->ctx, la, val, size, access, &env->fault);
}

static enum insn_result mem_write(const struct exec *x, u64 la, u64 val, unsigned int size)
{
	struct insn_env *env = x->env;

	return env->ops->write_mem(env->ctx, la, &val, size, &env->fault);
}

static u64 effective_address(const struct exec *x)
{
	const struct insn_mem *m = &x->insn->mem;
	u64 ea = m->disp;

	if (m->rip)
		ea += x->env->rip + x->insn->len;
	if (m->base != INSN_REG_NONE)
		ea += reg_read(x, m->base);
	if (m->index != INSN_REG_NONE)
		ea += reg_read(x, m->index) * m->scale;
	return ea & insn_mask(x->insn->adsize);
}

static enum insn_result seg_read(const struct exec *x, unsigned int seg, u64 ea, u64 *val,
				 unsigned int size, unsigned int access)
{
	enum insn_result ret;
	u64 la;

	ret = insn_linear(x->env, x->insn->mode, seg, ea, size, access, &la);
	return ret ?: mem_read(x, la, val, size, access);
}

static enum insn_result seg_write(const struct exec *x, unsigned int seg, u64 ea, u64 val,
				  unsigned int size)
{
	enum insn_result ret;
	u64 la;

	ret = insn_linear(x->env, x->insn->mode, seg, ea, size, INSN_ACC_WRITE, &la);
	return ret ?: mem_write(x, la, val, size);
}

static enum insn_result read_src(const struct exec *x, u64 *val)
{
	const struct nv_insn *i = x->insn;

	switch (i->src.kind) {
	case INSN_OPND_REG:
		*val = opnd_reg_read(x, &i->src, i->srcsize);
		return INSN_DONE;
	case INSN_OPND_IMM:
		*val = i->imm & insn_mask(i->srcsize);
		return INSN_DONE;
	default:
		return seg_read(x, i->mem.seg, x->ea, val, i->srcsize, INSN_ACC_READ);
	}
}

/* @access says whether write_dst() follows: an RMW faults before it reads. */
static enum insn_result read_dst(struct exec *x, u64 *val, unsigned int access)
{
	const struct nv_insn *i = x->insn;
	enum insn_result ret;

	if (i->dst.kind == INSN_OPND_REG) {
		*val = opnd_reg_read(x, &i->dst, i->opsize);
		return INSN_DONE;
	}
	ret = insn_linear(x->env, i->mode, i->mem.seg, x->ea, i->opsize, access, &x->la);
	if (ret)
		return ret;
	ret = mem_read(x, x->la, val, i->opsize, access);
	x->old = *val;
	return ret;
}

/* The second half of a read-modify-write. */
static enum insn_result write_dst(const struct exec *x, u64 val)
{
	const struct nv_insn *i = x->insn;
	struct insn_env *env = x->env;

	if (i->dst.kind == INSN_OPND_REG) {
		opnd_reg_write(x, &i->dst, i->opsize, val);
		return INSN_DONE;
	}
	if ((i->lock || i->op == INSN_XCHG) && env->ops->cmpxchg_mem)
		return env->ops->cmpxchg_mem(env->ctx, x->la, &x->old, &val, i->opsize,
					     &env->fault);
	return mem_write(x, x->la, val, i->opsize);
}

/* A destination that is only written. */
static enum insn_result store_dst(const struct exec *x, u64 val)
{
	const struct nv_insn *i = x->insn;

	if (i->dst.kind == INSN_OPND_REG) {
		opnd_reg_write(x, &i->dst, i->opsize, val);
		return INSN_DONE;
	}
	return seg_write(x, i->mem.seg, x->ea, val, i->opsize);
}

static enum insn_result exec_alu(struct exec *x)
{
	const struct nv_insn *i = x->insn;
	bool writes = insn_alu_writes(i->op);
	enum insn_result ret;
	u64 a, b = 0, r;

	if (i->src.kind != INSN_OPND_NONE) {
		ret = read_src(x, &b);
		if (ret)
			return ret;
	}
	ret = read_dst(x, &a, INSN_ACC_READ | (writes ? INSN_ACC_WRITE : 0));
	if (ret)
		return ret;
	r = insn_alu(i->op, i->opsize, a, b, &x->flags);
	if (writes) {
		ret = write_dst(x, r);
		if (ret)
			return ret;
	}
	flags_write(x);
	return INSN_DONE;
}

static u64 swap_bytes(u64 v, unsigned int size)
{
	u64 r = 0;

	for (; size; size--, v >>= 8)
		r = r << 8 | (v & 0xff);
	return r;
}

bool insn_cond(u64 rflags, unsigned int cond)
{
	bool cf = rflags & RFLAGS_CF, zf = rflags & RFLAGS_ZF, sf = rflags & RFLAGS_SF;
	bool of = rflags & RFLAGS_OF, pf = rflags & RFLAGS_PF;
	const bool holds[8] = { of, cf, zf, cf || zf, sf, pf, sf != of, zf || sf != of };

	return holds[(cond >> 1) & 7] ^ (cond & 1);
}

/* MOV and its relatives: nothing but a transformed source. */
static enum insn_result exec_move(struct exec *x)
{
	const struct nv_insn *i = x->insn;
	enum insn_result ret;
	u64 val;

	ret = read_src(x, &val);
	if (ret)
		return ret;
	switch (i->op) {
	case INSN_MOVSX:
		val = insn_sign_extend(val, i->srcsize);
		break;
	case INSN_MOVBE:
		val = swap_bytes(val, i->opsize);
		break;
	case INSN_CMOV:
		/* The destination is written in any case: a 32-bit one is extended. */
		if (!insn_cond(x->flags, i->cond))
			val = opnd_reg_read(x, &i->dst, i->opsize);
		break;
	}
	return store_dst(x, val);
}

static enum insn_result exec_xchg(struct exec *x)
{
	const struct nv_insn *i = x->insn;
	enum insn_result ret;
	u64 a, b;

	ret = read_dst(x, &a, INSN_ACC_READ | INSN_ACC_WRITE) ?: read_src(x, &b);
	if (ret)
		return ret;
	ret = write_dst(x, b);
	if (ret)
		return ret;
	opnd_reg_write(x, &i->src, i->opsize, a);
	return INSN_DONE;
}

static enum insn_result exec_xadd(struct exec *x)
{
	const struct nv_insn *i = x->insn;
	enum insn_result ret;
	u64 a, b, r;

	ret = read_dst(x, &a, INSN_ACC_READ | INSN_ACC_WRITE) ?: read_src(x, &b);
	if (ret)
		return ret;
	r = insn_alu(INSN_ADD, i->opsize, a, b, &x->flags);
	if (i->dst.kind == INSN_OPND_REG) {
		/* If both are the same register, it ends with the sum. */
		opnd_reg_write(x, &i->src, i->opsize, a);
		opnd_reg_write(x, &i->dst, i->opsize, r);
	} else {
		ret = write_dst(x, r);
		if (ret)
			return ret;
		opnd_reg_write(x, &i->src, i->opsize, a);
	}
	flags_write(x);
	return INSN_DONE;
}

/* Memory gets a write in either case: its old value if they differ. */
static enum insn_result exec_cmpxchg(struct exec *x)
{
	const struct nv_insn *i = x->insn;
	enum insn_result ret;
	u64 dst, src, acc;

	ret = read_dst(x, &dst, INSN_ACC_READ | INSN_ACC_WRITE) ?: read_src(x, &src);
	if (ret)
		return ret;
	acc = reg_read(x, INSN_RAX) & insn_mask(i->opsize);
	insn_alu(INSN_CMP, i->opsize, acc, dst, &x->flags);
	if (acc == dst || i->dst.kind == INSN_OPND_MEM) {
		ret = write_dst(x, acc == dst ? src : dst);
		if (ret)
			return ret;
	}
	if (acc != dst)
		reg_write(x, INSN_RAX, i->opsize, dst);
	flags_write(x);
	return INSN_DONE;
}

/*
 * A bit number from a register reaches beyond the operand: SDM 2A, BT, "the
 * bit offset ... selects the bit string's byte".
 */
static enum insn_result exec_bit(struct exec *x)
{
	const struct nv_insn *i = x->insn;
	unsigned int bits = 8 * i->opsize;
	u64 src, val, bit;
	enum insn_result ret;

	ret = read_src(x, &src);
	if (ret)
		return ret;
	if (i->dst.kind == INSN_OPND_MEM && i->src.kind == INSN_OPND_REG) {
		s64 n = insn_sign_extend(src, i->opsize);

		/* Rounds down: bit -1 is the top bit of the operand before. */
		x->ea += (u64)(n >> __builtin_ctz(bits)) * i->opsize;
		x->ea &= insn_mask(i->adsize);
	}
	ret = read_dst(x, &val, INSN_ACC_READ | (i->op == INSN_BT ? 0 : INSN_ACC_WRITE));
	if (ret)
		return ret;

	bit = 1ULL << (src & (bits - 1));
	x->flags = val & bit ? x->flags | RFLAGS_CF : x->flags & ~RFLAGS_CF;
	switch (i->op) {
	case INSN_BTS:
		val |= bit;
		break;
	case INSN_BTR:
		val &= ~bit;
		break;
	case INSN_BTC:
		val ^= bit;
		break;
	}
	if (i->op != INSN_BT) {
		ret = write_dst(x, val);
		if (ret)
			return ret;
	}
	flags_write(x);
	return INSN_DONE;
}

static unsigned int stack_size(const struct exec *x)
{
	struct insn_seg ss;

	if (x->insn->mode == INSN_CODE_64)
		return 8;
	x->env->ops->read_seg(x->env->ctx, INSN_SS, &ss);
	return ss.ar & SEG_AR_DB ? 4 : 2;
}

static enum insn_result push(const struct exec *x, u64 val)
{
	unsigned int size = stack_size(x);
	u64 sp = (reg_read(x, INSN_RSP) - x->insn->opsize) & insn_mask(size);
	enum insn_result ret;

	ret = seg_write(x, INSN_SS, sp, val, x->insn->opsize);
	if (!ret)
		reg_write(x, INSN_RSP, size, sp);
	return ret;
}

static enum insn_result exec_push(struct exec *x)
{
	enum insn_result ret;
	u64 val;

	ret = read_src(x, &val);
	return ret ?: push(x, val);
}

static enum insn_result exec_pop(struct exec *x)
{
	const struct nv_insn *i = x->insn;
	unsigned int size = stack_size(x);
	u64 old = reg_read(x, INSN_RSP), sp = old & insn_mask(size), val;
	enum insn_result ret;

	ret = seg_read(x, INSN_SS, sp, &val, i->opsize, INSN_ACC_READ);
	if (ret)
		return ret;
	/* An address relative to RSP uses its value after the increment. */
	if (i->dst.kind == INSN_OPND_MEM && i->mem.base == INSN_RSP) {
		u64 popped = size == 8 ? old + i->opsize :
			     (old & ~insn_mask(size)) | ((old + i->opsize) & insn_mask(size));

		x->ea = (x->ea - old + popped) & insn_mask(i->adsize);
	}
	if (i->dst.kind == INSN_OPND_REG) {
		reg_write(x, INSN_RSP, size, sp + i->opsize);
		return store_dst(x, val);
	}
	ret = store_dst(x, val);
	if (!ret)
		reg_write(x, INSN_RSP, size, sp + i->opsize);
	return ret;
}

/* JMP and CALL through memory. */
static enum insn_result exec_branch(struct exec *x)
{
	const struct nv_insn *i = x->insn;
	struct insn_env *env = x->env;
	enum insn_result ret;
	u64 target;

	ret = read_src(x, &target);
	if (ret)
		return ret;
	if (i->mode == INSN_CODE_64) {
		if (!canonical(target, env->la57))
			return fault0(env, VEC_GP);
	} else {
		struct insn_seg cs;

		env->ops->read_seg(env->ctx, INSN_CS, &cs);
		if (target > cs.limit)
			return fault0(env, VEC_GP);
	}
	if (i->op == INSN_CALL) {
		ret = push(x, env->next_rip);
		if (ret)
			return ret;
	}
	env->next_rip = target;
	return INSN_DONE;
}

static enum insn_result exec_vec(struct exec *x)
{
	const struct nv_insn *i = x->insn;
	struct insn_env *env = x->env;
	bool store = i->dst.kind == INSN_OPND_MEM;
	u8 reg = store ? i->src.reg : i->dst.reg;
	u8 val[16];
	enum insn_result ret;
	u64 la;

	if (!env->ops->read_xmm || !env->ops->write_xmm)
		return INSN_CANNOT;
	/* Also before a load: whether XMM may be used at all comes first. */
	ret = env->ops->read_xmm(env->ctx, reg, val, &env->fault);
	if (ret)
		return ret;
	ret = insn_linear(env, i->mode, i->mem.seg, x->ea, i->opsize,
			  store ? INSN_ACC_WRITE : INSN_ACC_READ, &la);
	if (ret)
		return ret;
	if (i->aligned && la & 15)
		return fault0(env, VEC_GP);
	if (store)
		return env->ops->write_mem(env->ctx, la, val, i->opsize, &env->fault);

	/* A load of less than 16 bytes clears the rest. */
	memset(val, 0, sizeof(val));
	ret = env->ops->read_mem(env->ctx, la, val, i->opsize, INSN_ACC_READ, &env->fault);
	return ret ?: env->ops->write_xmm(env->ctx, reg, val, &env->fault);
}

/* The memory part of one iteration; flags and the loaded value into @x, @acc. */
static enum insn_result string_access(struct exec *x, u64 si, u64 di, u64 *acc)
{
	const struct nv_insn *i = x->insn;
	enum insn_result ret;
	u64 a, b;

	switch (i->op) {
	case INSN_MOVS:
		ret = seg_read(x, i->mem.seg, si, &a, i->opsize, INSN_ACC_READ);
		return ret ?: seg_write(x, INSN_ES, di, a, i->opsize);
	case INSN_STOS:
		return seg_write(x, INSN_ES, di, reg_read(x, INSN_RAX), i->opsize);
	case INSN_LODS:
		return seg_read(x, i->mem.seg, si, acc, i->opsize, INSN_ACC_READ);
	case INSN_CMPS:
		ret = seg_read(x, i->mem.seg, si, &a, i->opsize, INSN_ACC_READ) ?:
		      seg_read(x, INSN_ES, di, &b, i->opsize, INSN_ACC_READ);
		break;
	default: /* INSN_SCAS */
		a = reg_read(x, INSN_RAX);
		ret = seg_read(x, INSN_ES, di, &b, i->opsize, INSN_ACC_READ);
	}
	if (!ret)
		insn_alu(INSN_CMP, i->opsize, a, b, &x->flags);
	return ret;
}

/* SDM 2B, REP: is there another iteration after this one? */
static bool string_continues(const struct exec *x, u64 count)
{
	const struct nv_insn *i = x->insn;
	bool zf = x->flags & RFLAGS_ZF;

	if (!count)
		return false;
	if (i->op != INSN_CMPS && i->op != INSN_SCAS)
		return true;
	return i->repne ? !zf : zf;
}

static enum insn_result exec_string(struct exec *x)
{
	const struct nv_insn *i = x->insn;
	u64 mask = insn_mask(i->adsize), acc = 0, count = 1;
	u64 si = reg_read(x, INSN_RSI) & mask, di = reg_read(x, INSN_RDI) & mask;
	u64 step = x->flags & RFLAGS_DF ? -(u64)i->opsize : i->opsize;
	bool rep = i->rep || i->repne;
	enum insn_result ret;

	if (rep) {
		count = reg_read(x, INSN_RCX) & mask;
		if (!count)
			return INSN_DONE;
	}
	ret = string_access(x, si, di, &acc);
	if (ret)
		return ret;

	if (i->op == INSN_LODS)
		reg_write(x, INSN_RAX, i->opsize, acc);
	if (i->op == INSN_MOVS || i->op == INSN_LODS || i->op == INSN_CMPS)
		reg_write(x, INSN_RSI, i->adsize, si + step);
	if (i->op != INSN_LODS)
		reg_write(x, INSN_RDI, i->adsize, di + step);
	if (i->op == INSN_CMPS || i->op == INSN_SCAS)
		flags_write(x);
	if (!rep)
		return INSN_DONE;

	reg_write(x, INSN_RCX, i->adsize, count - 1);
	if (!string_continues(x, count - 1))
		return INSN_DONE;
	x->env->next_rip = x->env->rip;
	return INSN_AGAIN;
}

enum insn_result insn_exec(const struct nv_insn *insn, struct insn_env *env)
{
	struct exec x = { .insn = insn, .env = env };

	x.flags = env->ops->read_rflags(env->ctx);
	x.ea = effective_address(&x);
	env->next_rip = env->rip + insn->len;
	if (insn->mode != INSN_CODE_64)
		env->next_rip = (u32)env->next_rip;

	switch (insn->op) {
	case INSN_ADD ... INSN_SAR:
		return exec_alu(&x);
	case INSN_MOV:
	case INSN_MOVZX:
	case INSN_MOVSX:
	case INSN_MOVBE:
	case INSN_CMOV:
		return exec_move(&x);
	case INSN_SETCC:
		return store_dst(&x, insn_cond(x.flags, insn->cond));
	case INSN_XCHG:
		return exec_xchg(&x);
	case INSN_CMPXCHG:
		return exec_cmpxchg(&x);
	case INSN_XADD:
		return exec_xadd(&x);
	case INSN_BT ... INSN_BTC:
		return exec_bit(&x);
	case INSN_PUSH:
		return exec_push(&x);
	case INSN_POP:
		return exec_pop(&x);
	case INSN_CALL:
	case INSN_JMP:
		return exec_branch(&x);
	case INSN_MOVS ... INSN_SCAS:
		return exec_string(&x);
	case INSN_MOVVEC:
		return exec_vec(&x);
	case INSN_NOP:
		return INSN_DONE;
	default:
		return INSN_CANNOT;
	}
}
