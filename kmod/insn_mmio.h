/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What one instruction says to devices in user space, so that it can be
 * executed again after each answer. insn_exec.h shows the use.
 */
#ifndef NV_INSN_MMIO_H
#define NV_INSN_MMIO_H

#include "pure.h"

/* How far an instruction, or one access of it, came. */
enum insn_result {
	INSN_DONE,
	INSN_AGAIN,		/* one iteration of a REP is done, others are left */
	INSN_RETRY,		/* nothing is done, for memory changed: enter the guest again */
	INSN_NEED_IO,		/* waits for insn_mmio_next() */
	INSN_FAULT,
	INSN_CANNOT,		/* not supported; nothing was changed */
};

/*
 * The conversation with user space about one instruction. Reads are asked for
 * one at a time and remembered, so that the re-execution finds the answers in
 * the same order; writes are collected and done after the instruction.
 */
#define INSN_MMIO_FRAGS		8
#define INSN_MMIO_FRAG_LEN	8

struct insn_mmio_frag {
	u64 gpa;
	u8 len;
	bool write;
	u8 data[INSN_MMIO_FRAG_LEN];
};

struct insn_mmio {
	struct insn_mmio_frag read[INSN_MMIO_FRAGS];
	struct insn_mmio_frag write[INSN_MMIO_FRAGS];
	u8 nr_reads;		/* answered */
	u8 pos;			/* of the replay */
	bool wanted;		/* read[nr_reads] is asked for */
	u8 nr_writes;
	u8 writes_done;
};

/* Before a new instruction, and before each further iteration of a REP. */
void insn_mmio_reset(struct insn_mmio *m);
/* Before each execution of the same instruction. */
void insn_mmio_rewind(struct insn_mmio *m);

/* Devices inside the kernel: true if one is at @gpa; it gave, or took, the @len bytes. */
struct insn_devices {
	bool (*read)(void *ctx, u64 gpa, void *buf, unsigned int len);
	bool (*write)(void *ctx, u64 gpa, const void *buf, unsigned int len);
	void *ctx;
};

/*
 * A read of @len (1 to 16) bytes, not crossing a page, in pieces of at most
 * INSN_MMIO_FRAG_LEN. INSN_DONE if all are there; INSN_NEED_IO: one is asked of
 * user space. No device is read twice by a replay, one of the kernel neither.
 * INSN_CANNOT if one instruction has more pieces than we keep (none does). @dev
 * may be NULL.
 */
enum insn_result insn_mmio_read(struct insn_mmio *m, const struct insn_devices *dev, u64 gpa,
				void *buf, unsigned int len);
/* Likewise; devices of the kernel take theirs at once, user space after the instruction. */
enum insn_result insn_mmio_write(struct insn_mmio *m, const struct insn_devices *dev, u64 gpa,
				 const void *buf, unsigned int len);

/* What user space has to do now: the read asked for, else the next write; or NULL. */
struct insn_mmio_frag *insn_mmio_next(struct insn_mmio *m);
/* It did; @data is its answer to a read. */
void insn_mmio_done(struct insn_mmio *m, const void *data);

#endif
