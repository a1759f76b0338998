// SPDX-License-Identifier: GPL-2.0
/* IN, OUT, INS, OUTS: chips of the kernel first, then user space. */
#include "insn_io_priv.h"
#include <linux/kvm.h>
#include <linux/mm.h>
#include "cpu.h"
#include "irq.h"
#include "vcpu.h"

/* Where user space finds port data: the second page of the run area. */
#define PIO_OFFSET	PAGE_SIZE

static void *pio_data(struct nv_vcpu *vcpu)
{
	return page_address(vcpu->run_pages[1]);
}

/*
 * SDM 3C "Format of the VM-Exit Instruction-Information Field as Used for INS and OUTS":
 * the size of the address, and for OUTS the segment, which a prefix may have changed.
 */
static u64 address_mask(u32 info)
{
	switch ((info >> 7) & 7) {
	case 0:
		return 0xffff;
	case 1:
		return 0xffffffff;
	}
	return ~0ull;
}

static unsigned int outs_segment(u32 info)
{
	return (info >> 15) & 7;
}

static void add_masked(struct nv_vcpu *vcpu, unsigned int reg, s64 delta, u64 mask)
{
	u64 old = vcpu->regs.gpr[reg];
	u64 new = old + delta;

	/* A 32-bit result clears the upper half; a 16-bit one leaves the rest. */
	if (mask == 0xffff)
		new = (old & ~mask) | (new & mask);
	vcpu->regs.gpr[reg] = mask == 0xffffffff ? (u32)new : new;
}

/* @count elements of a string instruction are through. */
static enum nv_next string_done(struct nv_vcpu *vcpu, u32 count)
{
	struct nv_io *io = vcpu->io;
	s64 step = vmx_rflags() & RFLAGS_DF ? -(s64)io->size : io->size;

	add_masked(vcpu, io->in ? REG_RDI : REG_RSI, step * count, io->mask);
	if (!io->rep)
		return NEXT_INSN;
	add_masked(vcpu, REG_RCX, -(s64)count, io->mask);
	if (!(vcpu->regs.gpr[REG_RCX] & io->mask))
		return NEXT_INSN;
	cpu_repeat_insn(vcpu);
	return NEXT_SAME;
}

static void set_rax(struct nv_vcpu *vcpu, unsigned int size, u32 value)
{
	u64 *rax = &vcpu->regs.gpr[REG_RAX];

	switch (size) {
	case 1:
		*rax = (*rax & ~0xffull) | (u8)value;
		break;
	case 2:
		*rax = (*rax & ~0xffffull) | (u16)value;
		break;
	default:
		*rax = value;
	}
}

/* INS: the data that came goes to memory. What is no memory does not keep it. */
static enum nv_next store_string(struct nv_vcpu *vcpu)
{
	struct nv_io *io = vcpu->io;
	s64 step = vmx_rflags() & RFLAGS_DF ? -(s64)io->size : io->size;
	enum nv_next next = NEXT_SAME;
	struct nv_fault fault = {};
	int ret = 0;
	u32 i;

	for (i = 0; i < io->count; i++) {
		ret = gmem_write_la(vcpu, io->la + step * i, pio_data(vcpu) + i * io->size,
				    io->size, &fault);
		if (ret == -EINTR || ret == -EAGAIN)
			break;
	}
	/* First what was done: the fault may be an exit to L1, whose registers then are here. */
	if (i)
		next = string_done(vcpu, i);
	if (ret == -EINTR)
		gmem_raise(vcpu, &fault);
	return next;
}

static enum nv_next finish(struct nv_vcpu *vcpu, enum nv_next next)
{
	if (next == NEXT_INSN) {
		cpu_step_to(vcpu, vmx_rip() + vcpu->io->insn_len);
		next = NEXT_SAME;
	}
	return next;
}

static enum nv_next complete_in(struct nv_vcpu *vcpu)
{
	struct nv_io *io = vcpu->io;
	u32 value = 0;

	if (!insn_io_still_there(vcpu))
		return NEXT_SAME;
	if (io->string)
		return finish(vcpu, store_string(vcpu));
	memcpy(&value, pio_data(vcpu), io->size);
	set_rax(vcpu, io->size, value);
	return finish(vcpu, NEXT_INSN);
}

static enum nv_next complete_out(struct nv_vcpu *vcpu)
{
	struct nv_io *io = vcpu->io;

	if (!insn_io_still_there(vcpu))
		return NEXT_SAME;
	return finish(vcpu, io->string ? string_done(vcpu, io->count) : NEXT_INSN);
}

static enum nv_next to_user(struct nv_vcpu *vcpu)
{
	struct nv_io *io = vcpu->io;
	struct kvm_run *run = vcpu->run;

	run->exit_reason = KVM_EXIT_IO;
	run->io.direction = io->in ? KVM_EXIT_IO_IN : KVM_EXIT_IO_OUT;
	run->io.size = io->size;
	run->io.port = io->port;
	run->io.count = io->count;
	run->io.data_offset = PIO_OFFSET;
	return insn_io_wait(vcpu, io->in ? complete_in : complete_out);
}

static bool in_kernel(struct nv_vcpu *vcpu, void *data)
{
	struct nv_io *io = vcpu->io;

	return io->in ? irq_pio_read(vcpu, io->port, data, io->size) :
			irq_pio_write(vcpu, io->port, data, io->size);
}

/* A single-step trap, or an exit that L1 asked for, comes after each element. */
static bool stops_at_each(void)
{
	return (vmx_rflags() & RFLAGS_TF) || (vmcs_read(VMCS_PROC_CTLS) & PROC_MTF);
}

/*
 * How many elements of a REP go in one turn: those on this page, and in the data page,
 * and of the segment, whose end is within a page only outside 64-bit mode.
 */
static u32 turn_count(struct nv_vcpu *vcpu, const struct insn_access_at *at, u64 left)
{
	struct nv_io *io = vcpu->io;
	u64 room, count, la;

	if ((vmx_rflags() & RFLAGS_DF) || stops_at_each())
		return 1;
	room = (PAGE_SIZE - (io->la & ~PAGE_MASK)) / io->size;
	count = clamp_t(u64, left, 1, max_t(u64, room, 1));
	if (io->mask - at->ea < count * io->size - 1)
		return 1;
	if (!vmx_cs_64(vcpu) && !insn_io_linear(vcpu, at, count * io->size, &la, NULL))
		return 1;
	return count;
}

/*
 * An exit of INS comes before its faults (SDM 3C "Relative Priority of Faults and VM
 * Exits"), but a device must not be read for an element that then has no place.
 */
static int probe_destination(struct nv_vcpu *vcpu, struct nv_fault *fault)
{
	struct nv_io *io = vcpu->io;
	u64 last = io->la + io->size - 1;
	gpa1_t gpa;
	int ret;

	ret = gmem_translate(vcpu, io->la, GMEM_WRITE, &gpa, fault);
	if (!ret && ((io->la ^ last) & PAGE_MASK))
		ret = gmem_translate(vcpu, last, GMEM_WRITE, &gpa, fault);
	return ret;
}

/* The memory side before the port is touched. False: an exception, or another try. */
static bool string_memory(struct nv_vcpu *vcpu)
{
	struct nv_io *io = vcpu->io;
	struct nv_fault fault = {};
	int ret;

	if (io->in)
		ret = probe_destination(vcpu, &fault);
	else
		ret = gmem_read_la(vcpu, io->la, pio_data(vcpu), io->count * io->size, GMEM_READ,
				   &fault);
	if (ret == -EINTR)
		gmem_raise(vcpu, &fault);
	if (ret == -EFAULT && !io->in)
		memset(pio_data(vcpu), 0xff, io->count * io->size);
	return !ret || ret == -EFAULT;
}

static enum nv_next string_io(struct nv_vcpu *vcpu)
{
	u32 i, info = vmcs_read(VMCS_EXIT_INSN_INFO);
	struct nv_io *io = vcpu->io;
	struct insn_access_at at;
	struct insn_fault fault;
	u64 left = 1;

	io->mask = address_mask(info);
	if (io->rep) {
		left = vcpu->regs.gpr[REG_RCX] & io->mask;
		if (!left)
			return NEXT_INSN;
	}
	at = (struct insn_access_at) {
		.seg = io->in ? SEG_ES : outs_segment(info),
		.ea = vcpu->regs.gpr[io->in ? REG_RDI : REG_RSI] & io->mask,
		.access = io->in ? INSN_ACC_WRITE : INSN_ACC_READ,
	};
	if (!insn_io_linear(vcpu, &at, io->size, &io->la, &fault)) {
		cpu_raise_error(vcpu, fault.vector, fault.error);
		return NEXT_SAME;
	}
	io->count = turn_count(vcpu, &at, left);
	if (!string_memory(vcpu))
		return NEXT_SAME;
	/* The first element tells whether a device of the kernel is there. */
	if (!in_kernel(vcpu, pio_data(vcpu)))
		return to_user(vcpu);
	for (i = 1; i < io->count; i++)
		in_kernel(vcpu, pio_data(vcpu) + i * io->size);
	return io->in ? store_string(vcpu) : string_done(vcpu, io->count);
}

enum nv_next insn_io_port(struct nv_vcpu *vcpu, u64 qual)
{
	struct nv_io *io = vcpu->io;
	u32 value;

	io->size = (qual & QUAL_IO_SIZE) + 1;
	io->in = qual & QUAL_IO_IN;
	io->string = qual & QUAL_IO_STRING;
	io->rep = qual & QUAL_IO_REP;
	io->port = qual >> QUAL_IO_PORT_SHIFT;
	io->count = 1;
	io->insn_len = vmcs_read(VMCS_EXIT_INSN_LEN);
	if (io->string)
		return string_io(vcpu);

	value = vcpu->regs.gpr[REG_RAX];
	if (!in_kernel(vcpu, &value)) {
		memcpy(pio_data(vcpu), &value, io->size);
		return to_user(vcpu);
	}
	if (io->in)
		set_rax(vcpu, io->size, value);
	return NEXT_INSN;
}
