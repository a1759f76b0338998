/* SPDX-License-Identifier: GPL-2.0 */
/* What insn_port.c and insn_io.c share: an instruction that waits for user space. */
#ifndef NESTVM_INSN_IO_PRIV_H
#define NESTVM_INSN_IO_PRIV_H

#include "insn_io.h"
#include "insn_decode.h"
#include "insn_exec.h"
#include "insn_mmio.h"

/* Where the vCPU was when it left for user space. */
struct insn_place {
	u64 rip, cs_base;
	bool l2;
};

struct nv_io {
	struct insn_place place;
	/* IN, OUT, INS, OUTS */
	u16 port;
	u8 size;		/* of one element, bytes */
	bool in, string, rep;
	u8 insn_len;
	u32 count;		/* elements of this turn */
	u64 mask;		/* of the address and of RCX */
	u64 la;			/* linear address of the first element */
	/* MMIO */
	struct nv_insn insn;
	struct insn_mmio mmio;
	u64 rip;
	u8 bytes[INSN_MAX_LEN];
	u8 nbytes;
	bool moved;		/* the instruction is done, writes to user space remain */
};

/*
 * To user space; the next KVM_RUN begins with @complete. If user space has set another
 * RIP by then, or L2 came or went, what waited has nothing to do with the state that it
 * set: insn_io_still_there() is false and the rest of the instruction is dropped.
 */
enum nv_next insn_io_wait(struct nv_vcpu *vcpu, enum nv_next (*complete)(struct nv_vcpu *vcpu));
bool insn_io_still_there(struct nv_vcpu *vcpu);

/* An operand of the running guest. */
struct insn_access_at {
	unsigned int seg;	/* SEG_* */
	u64 ea;			/* cut to the address size */
	unsigned int access;	/* enum insn_access */
};

/* To its linear address. False: @fault (may be NULL) says what #GP or #SS it is. */
bool insn_io_linear(struct nv_vcpu *vcpu, const struct insn_access_at *at, unsigned int size,
		    u64 *la, struct insn_fault *fault);

#endif
