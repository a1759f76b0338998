// SPDX-License-Identifier: GPL-2.0
/* Instructions that touch what is no memory: decoded, executed, and told to devices. */
#include "insn_io_priv.h"
#include <linux/kvm.h>
#include <linux/mm.h>
#include <linux/slab.h>
#include "cpu.h"
#include "cpu_valid.h"
#include "ept/ept.h"
#include "gmem.h"
#include "irq.h"
#include "vcpu.h"
#include "vlapic.h"
#include "vmx/fpu.h"

int insn_io_create(struct nv_vcpu *vcpu)
{
	vcpu->io = kzalloc(sizeof(*vcpu->io), GFP_KERNEL_ACCOUNT);
	return vcpu->io ? 0 : -ENOMEM;
}

void insn_io_destroy(struct nv_vcpu *vcpu)
{
	kfree(vcpu->io);
	vcpu->io = NULL;
}

static struct insn_place place(struct nv_vcpu *vcpu)
{
	return (struct insn_place) {
		.rip = vmx_rip(), .cs_base = vmcs_read(VMCS_GUEST_CS_BASE), .l2 = vcpu->l2,
	};
}

enum nv_next insn_io_wait(struct nv_vcpu *vcpu, enum nv_next (*complete)(struct nv_vcpu *vcpu))
{
	vcpu->io->place = place(vcpu);
	vcpu->complete = complete;
	vcpu->ret = 0;
	return NEXT_USER;
}

bool insn_io_still_there(struct nv_vcpu *vcpu)
{
	const struct insn_place *was = &vcpu->io->place, now = place(vcpu);

	return was->rip == now.rip && was->cs_base == now.cs_base && was->l2 == now.l2;
}

static u64 op_read_reg(void *ctx, unsigned int reg)
{
	return vmx_reg(ctx, reg);
}

static void op_write_reg(void *ctx, unsigned int reg, u64 val)
{
	vmx_set_reg(ctx, reg, val);
}

static u64 op_read_rflags(void *ctx)
{
	return vmx_rflags();
}

static void op_write_rflags(void *ctx, u64 val)
{
	vmx_set_rflags(val);
}

static void op_read_seg(void *ctx, unsigned int seg, struct insn_seg *out)
{
	struct nv_segment s;

	vmx_get_segment(seg, &s);
	*out = (struct insn_seg) {
		.selector = s.sel, .ar = s.ar, .limit = s.limit, .base = s.base,
	};
}

static enum insn_result fault_to_insn(int ret, const struct nv_fault *fault,
				      struct nv_fault *pending, struct insn_fault *f)
{
	if (ret == -EINTR) {
		*pending = *fault;
		f->vector = fault->vector;
		f->has_error = true;
		f->error = fault->error;
		f->addr = fault->cr2;
		return INSN_FAULT;
	}
	return ret == -EAGAIN ? INSN_RETRY : INSN_CANNOT;
}

/* One access, which may lie on two pages: where its pieces are. */
struct pieces {
	gpa1_t gpa[2];
	unsigned int len[2];
	unsigned int n;
};

static enum insn_result translate(struct nv_vcpu *vcpu, u64 la, unsigned int size,
				  unsigned int access, struct pieces *p, struct insn_fault *f)
{
	struct nv_fault fault = {};
	unsigned int i;
	int ret;

	p->len[0] = min_t(u64, size, PAGE_SIZE - (la & ~PAGE_MASK));
	p->len[1] = size - p->len[0];
	p->n = p->len[1] ? 2 : 1;
	for (i = 0; i < p->n; i++) {
		ret = gmem_translate(vcpu, i ? la + p->len[0] : la, access, &p->gpa[i], &fault);
		if (ret)
			return fault_to_insn(ret, &fault, &vcpu->insn_fault, f);
	}
	return INSN_DONE;
}

static bool device_read(void *ctx, u64 gpa, void *buf, unsigned int len)
{
	struct nv_vcpu *vcpu = ctx;

	if (vcpu->lapic && vlapic_claims(vcpu, gpa1(gpa))) {
		vlapic_mmio_read(vcpu, gpa & ~PAGE_MASK, buf, len);
		return true;
	}
	return irq_mmio_read(vcpu, gpa1(gpa), buf, len);
}

static bool device_write(void *ctx, u64 gpa, const void *buf, unsigned int len)
{
	struct nv_vcpu *vcpu = ctx;

	if (vcpu->lapic && vlapic_claims(vcpu, gpa1(gpa))) {
		vlapic_mmio_write(vcpu, gpa & ~PAGE_MASK, buf, len);
		return true;
	}
	return irq_mmio_write(vcpu, gpa1(gpa), buf, len);
}

static struct insn_devices devices(struct nv_vcpu *vcpu)
{
	return (struct insn_devices){ .read = device_read, .write = device_write, .ctx = vcpu };
}

static enum insn_result read_piece(struct nv_vcpu *vcpu, gpa1_t gpa, void *buf, unsigned int len)
{
	const struct insn_devices dev = devices(vcpu);

	if (!gmem_read(vcpu->vm, gpa, buf, len))
		return INSN_DONE;
	return insn_mmio_read(&vcpu->io->mmio, &dev, gpa.v, buf, len);
}

static enum insn_result write_piece(struct nv_vcpu *vcpu, gpa1_t gpa, const void *buf,
				    unsigned int len)
{
	const struct insn_devices dev = devices(vcpu);

	if (!gmem_write(vcpu->vm, gpa, buf, len))
		return INSN_DONE;
	return insn_mmio_write(&vcpu->io->mmio, &dev, gpa.v, buf, len);
}

static enum insn_result op_read_mem(void *ctx, u64 la, void *buf, unsigned int size,
				    unsigned int access, struct insn_fault *f)
{
	enum insn_result ret;
	struct pieces p;
	unsigned int i;

	ret = translate(ctx, la, size, access & INSN_ACC_WRITE ? GMEM_WRITE : GMEM_READ, &p, f);
	for (i = 0; ret == INSN_DONE && i < p.n; i++)
		ret = read_piece(ctx, p.gpa[i], buf + (i ? p.len[0] : 0), p.len[i]);
	return ret;
}

static enum insn_result op_write_mem(void *ctx, u64 la, const void *buf, unsigned int size,
				     struct insn_fault *f)
{
	enum insn_result ret;
	struct pieces p;
	unsigned int i;

	ret = translate(ctx, la, size, GMEM_WRITE, &p, f);
	for (i = 0; ret == INSN_DONE && i < p.n; i++)
		ret = write_piece(ctx, p.gpa[i], buf + (i ? p.len[0] : 0), p.len[i]);
	return ret;
}

/*
 * A locked access to memory is one within an aligned 8 bytes. A split lock, which the
 * CPU does by locking the bus, is refused: the host may not do one (split lock detection
 * ends it), and two halves would not be one access.
 */
static enum insn_result op_cmpxchg_mem(void *ctx, u64 la, const void *old, const void *new,
				       unsigned int size, struct insn_fault *f)
{
	struct nv_vcpu *vcpu = ctx;
	enum insn_result ret;
	struct pieces p;

	ret = translate(vcpu, la, size, GMEM_WRITE, &p, f);
	if (ret != INSN_DONE)
		return ret;
	if (p.n > 1)
		return INSN_CANNOT;
	switch (gmem_cmpxchg(vcpu->vm, p.gpa[0], old, new, size)) {
	case 0:
		return INSN_DONE;
	case 1:
		return INSN_RETRY;
	case -EINVAL:
		return INSN_CANNOT;
	}
	return write_piece(vcpu, p.gpa[0], new, size);
}

static enum insn_result check_xmm(struct nv_vcpu *vcpu, struct insn_fault *f)
{
	u64 cr0 = cpu_cr0(vcpu);

	f->has_error = false;
	if ((cr0 & CR0_EM) || !(cpu_cr4(vcpu) & CR4_OSFXSR)) {
		f->vector = VEC_UD;
		return INSN_FAULT;
	}
	if (cr0 & CR0_TS) {
		f->vector = VEC_NM;
		return INSN_FAULT;
	}
	return INSN_DONE;
}

static enum insn_result op_read_xmm(void *ctx, unsigned int reg, u8 *val, struct insn_fault *f)
{
	enum insn_result ret = check_xmm(ctx, f);

	if (ret == INSN_DONE)
		vmx_fpu_get_xmm(ctx, reg, val);
	return ret;
}

static enum insn_result op_write_xmm(void *ctx, unsigned int reg, const u8 *val,
				     struct insn_fault *f)
{
	enum insn_result ret = check_xmm(ctx, f);

	if (ret == INSN_DONE)
		vmx_fpu_set_xmm(ctx, reg, val);
	return ret;
}

static const struct insn_ops ops = {
	.read_reg = op_read_reg,
	.write_reg = op_write_reg,
	.read_rflags = op_read_rflags,
	.write_rflags = op_write_rflags,
	.read_seg = op_read_seg,
	.read_mem = op_read_mem,
	.write_mem = op_write_mem,
	.cmpxchg_mem = op_cmpxchg_mem,
	.read_xmm = op_read_xmm,
	.write_xmm = op_write_xmm,
};

/*
 * The instruction at RIP is none that we can execute. Who may not stop the whole VM,
 * L2 or a program outside ring 0, gets #UD, as for what its CPU does not have, and
 * L1's kernel or L1 learns of it: KVM's rule as well. From L1's kernel user space
 * gets the bytes.
 */
static enum nv_next emulation_failed(struct nv_vcpu *vcpu)
{
	struct kvm_run *run = vcpu->run;
	struct nv_io *io = vcpu->io;

	if (vcpu->l2 || vmx_cpl(vcpu)) {
		cpu_raise_ud(vcpu);
		return NEXT_SAME;
	}
	run->exit_reason = KVM_EXIT_INTERNAL_ERROR;
	memset(&run->emulation_failure, 0, sizeof(run->emulation_failure));
	run->emulation_failure.suberror = KVM_INTERNAL_ERROR_EMULATION;
	run->emulation_failure.ndata = 3;
	run->emulation_failure.flags = KVM_INTERNAL_ERROR_EMULATION_FLAG_INSTRUCTION_BYTES;
	run->emulation_failure.insn_size = io->nbytes;
	memcpy(run->emulation_failure.insn_bytes, io->bytes, io->nbytes);
	vcpu->ret = 0;
	return NEXT_USER;
}

/* A stack or table that an event needs lies in a device: L2's shutdown, for L1. */
static enum nv_next delivery_failed(struct nv_vcpu *vcpu)
{
	struct kvm_run *run = vcpu->run;

	if (vcpu->l2)
		return nv_vcpu_triple_fault(vcpu);
	run->exit_reason = KVM_EXIT_INTERNAL_ERROR;
	run->internal.suberror = KVM_INTERNAL_ERROR_DELIVERY_EV;
	run->internal.ndata = 1;
	run->internal.data[0] = vcpu->ev.reinject.info;
	vcpu->ret = 0;
	return NEXT_USER;
}

static void raise_insn_fault(struct nv_vcpu *vcpu, const struct insn_fault *f)
{
	if (vcpu->insn_fault.nested_exit)
		gmem_raise(vcpu, &vcpu->insn_fault);
	else if (f->vector == VEC_PF)
		cpu_raise_pf(vcpu, f->error, f->addr);
	else if (f->has_error)
		cpu_raise_error(vcpu, f->vector, f->error);
	else
		cpu_raise(vcpu, f->vector);
}

static enum nv_next mmio_user(struct nv_vcpu *vcpu);

static struct insn_env env_of(struct nv_vcpu *vcpu)
{
	return (struct insn_env) {
		.ops = &ops,
		.ctx = vcpu,
		.rip = vcpu->io->rip,
		.protected_mode = (cpu_cr0(vcpu) & CR0_PE) && !(vmx_rflags() & RFLAGS_VM),
		.la57 = cpu_cr4(vcpu) & CR4_LA57,
	};
}

static enum insn_code code_size(struct nv_vcpu *vcpu)
{
	if (vmx_cs_64(vcpu))
		return INSN_CODE_64;
	return vmcs_read(VMCS_GUEST_CS_AR) & SEG_AR_DB ? INSN_CODE_32 : INSN_CODE_16;
}

bool insn_io_linear(struct nv_vcpu *vcpu, const struct insn_access_at *at, unsigned int size,
		    u64 *la, struct insn_fault *fault)
{
	struct insn_env env = env_of(vcpu);

	if (!insn_linear(&env, code_size(vcpu), at->seg, at->ea, size, at->access, la))
		return true;
	if (fault)
		*fault = env.fault;
	return false;
}

static enum nv_next mmio_execute(struct nv_vcpu *vcpu)
{
	struct nv_io *io = vcpu->io;
	struct insn_env env = env_of(vcpu);

	insn_mmio_rewind(&io->mmio);
	vcpu->insn_fault.nested_exit = 0;
	switch (insn_exec(&io->insn, &env)) {
	case INSN_DONE:
		cpu_step_to(vcpu, env.next_rip);
		io->moved = true;
		break;
	case INSN_AGAIN:
		cpu_repeat_insn(vcpu);
		io->moved = true;
		break;
	case INSN_RETRY:
		return NEXT_SAME;
	case INSN_NEED_IO:
		break;
	case INSN_FAULT:
		raise_insn_fault(vcpu, &env.fault);
		return NEXT_SAME;
	default:
		return emulation_failed(vcpu);
	}
	return mmio_user(vcpu);
}

static enum nv_next mmio_answered(struct nv_vcpu *vcpu)
{
	struct nv_io *io = vcpu->io;
	u8 data[8];

	if (!insn_io_still_there(vcpu))
		return NEXT_SAME;
	memcpy(data, vcpu->run->mmio.data, sizeof(data));
	insn_mmio_done(&io->mmio, data);
	return io->moved ? mmio_user(vcpu) : mmio_execute(vcpu);
}

/* Ask user space for the next piece, or go on. */
static enum nv_next mmio_user(struct nv_vcpu *vcpu)
{
	struct insn_mmio_frag *frag = insn_mmio_next(&vcpu->io->mmio);
	struct kvm_run *run = vcpu->run;

	if (!frag)
		return NEXT_SAME;
	run->exit_reason = KVM_EXIT_MMIO;
	run->mmio.phys_addr = frag->gpa;
	run->mmio.len = frag->len;
	run->mmio.is_write = frag->write;
	memset(run->mmio.data, 0, sizeof(run->mmio.data));
	if (frag->write)
		memcpy(run->mmio.data, frag->data, frag->len);
	return insn_io_wait(vcpu, mmio_answered);
}

static int fetch_page(struct nv_vcpu *vcpu, enum insn_code mode, u64 la, u8 *to, size_t len,
		      struct nv_fault *fault)
{
	if (mode != INSN_CODE_64) {
		la = (u32)la;
	} else if (!cpu_canonical_cr4(la, cpu_cr4(vcpu))) {
		*fault = (struct nv_fault) { .vector = VEC_GP };
		return -EINTR;
	}
	return gmem_read_la(vcpu, la, to, len, GMEM_FETCH, fault);
}

/*
 * The bytes at RIP, 0 to 15: up to the first that cannot be read. What stands against
 * it is returned, with @fault if it is -EINTR, and matters only if more are wanted.
 */
static int fetch(struct nv_vcpu *vcpu, enum insn_code mode, struct nv_fault *fault)
{
	struct nv_io *io = vcpu->io;
	u64 la = io->rip;
	size_t first;
	int ret;

	if (mode != INSN_CODE_64)
		la += vmcs_read(VMCS_GUEST_CS_BASE);
	first = min_t(size_t, INSN_MAX_LEN, PAGE_SIZE - (la & ~PAGE_MASK));
	io->nbytes = 0;
	ret = fetch_page(vcpu, mode, la, io->bytes, first, fault);
	if (ret)
		return ret;
	io->nbytes = first;
	if (first == INSN_MAX_LEN)
		return 0;
	ret = fetch_page(vcpu, mode, la + first, io->bytes + first, INSN_MAX_LEN - first, fault);
	if (!ret)
		io->nbytes = INSN_MAX_LEN;
	return ret;
}

/* The instruction goes on where nothing can be fetched, for the reason that fetch() gave. */
static enum nv_next cannot_fetch(struct nv_vcpu *vcpu, int ret, const struct nv_fault *fault)
{
	switch (ret) {
	case -EINTR:
		gmem_raise(vcpu, fault);
		return NEXT_SAME;
	case -EAGAIN:
		return NEXT_SAME;
	}
	return emulation_failed(vcpu);
}

enum nv_next insn_io_mmio(struct nv_vcpu *vcpu)
{
	enum insn_code mode = code_size(vcpu);
	struct nv_io *io = vcpu->io;
	struct nv_fault fault = {};
	int ret;

	nv_stat_inc(vcpu, mmio);
	io->moved = false;
	io->rip = vmx_rip();
	/* Not the instruction but the delivery of an event met it: stack or IDT in a device. */
	if (nv_event_valid(&vcpu->ev.reinject))
		return delivery_failed(vcpu);
	ret = fetch(vcpu, mode, &fault);
	switch (nv_insn_decode(&io->insn, io->bytes, io->nbytes, mode)) {
	case INSN_DECODED:
		break;
	case INSN_TRUNCATED:
		return cannot_fetch(vcpu, ret, &fault);
	case INSN_TOO_LONG:
		cpu_raise_gp(vcpu);
		return NEXT_SAME;
	case INSN_ILLEGAL:
		cpu_raise_ud(vcpu);
		return NEXT_SAME;
	default:
		return emulation_failed(vcpu);
	}
	nv_stat_inc(vcpu, insn_emulated);
	insn_mmio_reset(&io->mmio);
	return mmio_execute(vcpu);
}

enum nv_next insn_io_refuse(struct nv_vcpu *vcpu)
{
	struct nv_io *io = vcpu->io;
	struct nv_fault fault = {};

	io->rip = vmx_rip();
	if (nv_event_valid(&vcpu->ev.reinject))
		return delivery_failed(vcpu);
	/* What can be read of it: it was executed, and only its name is wanted. */
	fetch(vcpu, code_size(vcpu), &fault);
	return emulation_failed(vcpu);
}
