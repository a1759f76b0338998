/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Execute a decoded instruction over callbacks. The caller's state changes
 * only after everything that can fail has succeeded, so an instruction which
 * has to wait for a device in user space is simply executed again later:
 *
 *	nv_insn_decode(&vcpu->insn, ...);
 *	insn_mmio_reset(&vcpu->mmio);
 * again:
 *	env.rip = rip;
 *	insn_mmio_rewind(&vcpu->mmio);
 *	switch (insn_exec(&vcpu->insn, &env)) {
 *	case INSN_DONE:		RIP = env.next_rip; clear RFLAGS.RF, drop the
 *				interrupt shadow, raise the single-step trap if TF
 *	case INSN_AGAIN:	RIP stays; one iteration of a REP is done, RFLAGS.RF is set,
 *				and the single-step trap comes after each
 *	case INSN_RETRY:	RIP stays, nothing is done; enter the guest
 *	case INSN_NEED_IO:	exit to user space for insn_mmio_next(); later
 *				insn_mmio_done(), then "again"
 *	case INSN_FAULT:	inject env.fault
 *	case INSN_CANNOT:	stop, and show the instruction to the user
 *	}
 *	and after DONE or AGAIN: while insn_mmio_next() names a write, exit to
 *	user space with it, insn_mmio_done(). Then enter the guest (after AGAIN
 *	it comes back at once; or execute the next iteration, with a fresh log).
 *
 * The read_mem and write_mem callbacks translate the linear address, serve
 * RAM and in-kernel devices themselves, and hand the rest to insn_mmio_read()
 * and insn_mmio_write(), see insn_mmio.h.
 */
#ifndef NV_INSN_EXEC_H
#define NV_INSN_EXEC_H

#include "pure.h"
#include "insn_decode.h"
#include "insn_mmio.h"

struct insn_fault {
	u8 vector;
	bool has_error;
	u32 error;
	u64 addr;		/* for CR2, with vector 14 */
};

/* A segment register as the VMCS holds it. */
struct insn_seg {
	u16 selector;
	u32 ar;			/* SEG_AR_*, also "unusable" */
	u32 limit;		/* in bytes, granularity applied */
	u64 base;
};

enum insn_access {
	INSN_ACC_READ = BIT(0),
	INSN_ACC_WRITE = BIT(1),
	/* READ | WRITE: a read whose page must be writable, for it will be written. */
};

/*
 * The virtual CPU, as the caller keeps it. Memory callbacks return INSN_DONE,
 * or INSN_FAULT having filled @f, or INSN_NEED_IO (reads only), or INSN_RETRY
 * before anything was written, or INSN_CANNOT.
 * @size is 1 to 16 bytes and may cross a page: a callback translates all of it
 * before it reads or writes any of it.
 */
struct insn_ops {
	u64 (*read_reg)(void *ctx, unsigned int reg);
	void (*write_reg)(void *ctx, unsigned int reg, u64 val);
	u64 (*read_rflags)(void *ctx);
	void (*write_rflags)(void *ctx, u64 val);
	void (*read_seg)(void *ctx, unsigned int seg, struct insn_seg *out);
	enum insn_result (*read_mem)(void *ctx, u64 la, void *buf, unsigned int size,
				     unsigned int access, struct insn_fault *f);
	enum insn_result (*write_mem)(void *ctx, u64 la, const void *buf, unsigned int size,
				      struct insn_fault *f);
	/*
	 * Optional: for a locked instruction replace @old by @new atomically;
	 * INSN_RETRY if memory no longer holds @old. For a
	 * device it is a write. Without it write_mem is used.
	 */
	enum insn_result (*cmpxchg_mem)(void *ctx, u64 la, const void *old, const void *new_,
					unsigned int size, struct insn_fault *f);
	/*
	 * Optional: XMM registers, 16 bytes. The place for #NM (CR0.TS) and
	 * #UD (CR0.EM, CR4.OSFXSR). Without them XMM moves are INSN_CANNOT.
	 */
	enum insn_result (*read_xmm)(void *ctx, unsigned int reg, u8 *val, struct insn_fault *f);
	enum insn_result (*write_xmm)(void *ctx, unsigned int reg, const u8 *val,
				      struct insn_fault *f);
};

struct insn_env {
	const struct insn_ops *ops;
	void *ctx;
	u64 rip;		/* in: of the instruction */
	bool protected_mode;	/* in: CR0.PE = 1 and RFLAGS.VM = 0 */
	bool la57;		/* in: CR4.LA57 */
	u64 next_rip;		/* out: after INSN_DONE and INSN_AGAIN */
	struct insn_fault fault;	/* out: after INSN_FAULT */
};

/**
 * insn_exec - execute one instruction, or one iteration of a REP
 *
 * IN, OUT, INS and OUTS are INSN_CANNOT: an I/O exit describes them itself.
 */
enum insn_result insn_exec(const struct nv_insn *insn, struct insn_env *env);

/**
 * insn_linear - segmentation: from seg:ea to a linear address
 * @mode:	of the code segment
 * @seg:	enum insn_seg_nr
 * @ea:		effective address, already cut to the address size
 * @size:	of the access in bytes, at least 1
 * @access:	enum insn_access
 * @la:		result
 *
 * Limit and type checks outside 64-bit mode, canonical check in it; the fault
 * is #SS(0) for the stack segment, else #GP(0). Also for the memory operands of
 * VMX instructions.
 */
enum insn_result insn_linear(struct insn_env *env, enum insn_code mode, unsigned int seg,
			     u64 ea, unsigned int size, unsigned int access, u64 *la);

/* Would a jump on @cond (0 to 15, as CMOVcc encodes it) be taken? */
bool insn_cond(u64 rflags, unsigned int cond);

#endif
