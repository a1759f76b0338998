// SPDX-License-Identifier: GPL-2.0
/*
 * Bytes from a guest: the decoder must stay inside them, agree with itself, and
 * whatever it decodes must execute without harm, with memory that reads as the
 * input, faults or asks for a device as the input says.
 */
#include "insn_decode.h"
#include "insn_exec.h"

int LLVMFuzzerTestOneInput(const u8 *data, size_t size);

struct cpu {
	u64 reg[16];
	u64 rflags;
	const u8 *data;
	size_t size, pos;
	unsigned int written;		/* anything of the CPU's state */
	struct insn_mmio mmio;
};

static u8 next(struct cpu *c)
{
	return c->pos < c->size ? c->data[c->pos++] : 0;
}

static u64 read_reg(void *ctx, unsigned int reg)
{
	BUG_ON(reg > 15);
	return ((struct cpu *)ctx)->reg[reg];
}

static void write_reg(void *ctx, unsigned int reg, u64 val)
{
	struct cpu *c = ctx;

	BUG_ON(reg > 15);
	c->reg[reg] = val;
	c->written++;
}

static u64 read_rflags(void *ctx)
{
	return ((struct cpu *)ctx)->rflags;
}

static void write_rflags(void *ctx, u64 val)
{
	struct cpu *c = ctx;

	c->rflags = val;
	c->written++;
}

static void read_seg(void *ctx, unsigned int seg, struct insn_seg *out)
{
	struct cpu *c = ctx;

	BUG_ON(seg > 5);
	*out = (struct insn_seg){
		.ar = 0xc093 ^ next(c), .limit = U32_MAX >> (next(c) & 31), .base = next(c),
	};
}

static bool device_read(void *ctx, u64 gpa, void *buf, unsigned int len)
{
	(void)gpa;
	BUG_ON(!len || len > INSN_MMIO_FRAG_LEN);
	memset(buf, next(ctx), len);
	return next(ctx) & 1;
}

static bool device_write(void *ctx, u64 gpa, const void *buf, unsigned int len)
{
	struct cpu *c = ctx;

	(void)gpa;
	(void)buf;
	BUG_ON(!len || len > INSN_MMIO_FRAG_LEN);
	return next(c) & 1;
}

static enum insn_result access_mem(struct cpu *c, u64 la, void *buf, unsigned int size,
				   bool write)
{
	const struct insn_devices dev = { device_read, device_write, c };
	unsigned int i;

	BUG_ON(!size || size > 16);
	switch (next(c) & 3) {
	case 0:
		return INSN_FAULT;
	case 1:
		return write ? insn_mmio_write(&c->mmio, &dev, la, buf, size) :
			       insn_mmio_read(&c->mmio, &dev, la, buf, size);
	default:
		for (i = 0; i < size && !write; i++)
			((u8 *)buf)[i] = next(c);
		c->written += write;
		return INSN_DONE;
	}
}

static enum insn_result read_mem(void *ctx, u64 la, void *buf, unsigned int size,
				 unsigned int access, struct insn_fault *f)
{
	(void)f;
	BUG_ON(!(access & INSN_ACC_READ));
	return access_mem(ctx, la, buf, size, false);
}

static enum insn_result write_mem(void *ctx, u64 la, const void *buf, unsigned int size,
				  struct insn_fault *f)
{
	(void)f;
	return access_mem(ctx, la, (void *)buf, size, true);
}

static enum insn_result read_xmm(void *ctx, unsigned int reg, u8 *val, struct insn_fault *f)
{
	(void)ctx;
	(void)f;
	BUG_ON(reg > 15);
	memset(val, 0x55, 16);
	return INSN_DONE;
}

static enum insn_result write_xmm(void *ctx, unsigned int reg, const u8 *val,
				  struct insn_fault *f)
{
	(void)ctx;
	(void)val;
	(void)f;
	BUG_ON(reg > 15);
	return INSN_DONE;
}

static const struct insn_ops ops = {
	.read_reg = read_reg, .write_reg = write_reg,
	.read_rflags = read_rflags, .write_rflags = write_rflags,
	.read_seg = read_seg, .read_mem = read_mem, .write_mem = write_mem,
	.read_xmm = read_xmm, .write_xmm = write_xmm,
};

static void execute(const struct nv_insn *insn, const u8 *data, size_t size)
{
	struct cpu c = { .rflags = 2, .data = data, .size = size };
	struct insn_env env = {
		.ops = &ops, .ctx = &c, .rip = 0xffffffff,
		.protected_mode = size & 1, .la57 = size & 2,
	};
	enum insn_result ret;
	unsigned int tries, i;
	u64 answer = 0x1122334455667788;

	for (i = 0; i < 16; i++)
		c.reg[i] = (u64)next(&c) << (next(&c) & 63);
	for (tries = 0; tries < 2 * INSN_MMIO_FRAGS; tries++) {
		insn_mmio_rewind(&c.mmio);
		c.written = 0;
		ret = insn_exec(insn, &env);
		if (ret == INSN_DONE || ret == INSN_AGAIN)
			return;
		/* Only what succeeded may have changed anything. */
		BUG_ON(c.written);
		if (ret != INSN_NEED_IO)
			return;
		BUG_ON(!insn_mmio_next(&c.mmio) || insn_mmio_next(&c.mmio)->write);
		insn_mmio_done(&c.mmio, &answer);
	}
}

int LLVMFuzzerTestOneInput(const u8 *data, size_t size)
{
	static const u8 modes[] = { INSN_CODE_16, INSN_CODE_32, INSN_CODE_64, INSN_CODE_64 };
	struct nv_insn insn, again;
	u8 exact[INSN_MAX_LEN], mode;

	if (!size)
		return 0;
	mode = modes[*data++ & 3];
	size--;
	if (nv_insn_decode(&insn, data, size, mode) != INSN_DECODED)
		return 0;
	BUG_ON(!insn.len || insn.len > INSN_MAX_LEN || insn.len > size);
	BUG_ON(insn.op == INSN_OP_NONE || insn.op >= INSN_NR_OPS || insn.mem.seg > 5);
	memcpy(exact, data, insn.len);
	BUG_ON(nv_insn_decode(&again, exact, insn.len, mode) != INSN_DECODED);
	BUG_ON(memcmp(&insn, &again, sizeof(insn)));
	BUG_ON(nv_insn_decode(&again, exact, insn.len - 1, mode) != INSN_TRUNCATED);
	execute(&insn, data + insn.len, size - insn.len);
	return 0;
}
