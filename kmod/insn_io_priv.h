/* SPDX-License-Identifier: GPL-2.0 */
/* What insn_port.c and insn_io.c keep of an instruction that waits for user space. */
#ifndef NESTVM_INSN_IO_PRIV_H
#define NESTVM_INSN_IO_PRIV_H

#include "insn_io.h"
#include "insn_decode.h"
#include "insn_mmio.h"

struct nv_io {
	/* IN, OUT, INS, OUTS */
	u16 port;
	u8 size;		/* of one element, bytes */
	bool in, string, rep;
	u32 count;		/* elements of this turn */
	u64 la;			/* linear address of the first element */
	/* MMIO */
	struct nv_insn insn;
	struct insn_mmio mmio;
	u64 rip;
	u8 bytes[INSN_MAX_LEN];
	u8 nbytes;
	bool moved;		/* the instruction is done, writes to user space remain */
};

#endif
