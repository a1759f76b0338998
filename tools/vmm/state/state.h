/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The state of a whole machine, to a stream and back.
 *
 *	machine		what the machine is made of; must fit the one that loads
 *	memory		a piece without gaps, zero pages left out; many of them
 *	cpuN		a vCPU
 *	irqchip		what the kernel has of chips, timers and clocks
 *	NAME[.N]	each device of the launcher
 *
 * A machine that fails to load has not run and is of no use any more; what it was
 * loaded from is as it was.
 */
#ifndef VMM_STATE_STATE_H
#define VMM_STATE_STATE_H

#include "stream.h"

struct machine;

/* How far it is, in bytes of guest memory; false: give up. NULL: nobody asks. */
struct state_watch {
	bool (*progress)(void *ctx, uint64_t done, uint64_t total);
	void *ctx;
};

/* Whether this machine's state can be told at all; a sentence why not. */
int state_possible(struct machine *m, struct nvl_error *err);
/* What a loading machine's digest has to be. */
uint64_t state_digest(struct machine *m);

/* The machine is paused. The file appears under its name when all is on the disk. */
int state_save_file(struct machine *m, const char *path, enum stream_kind kind, bool compress,
		    const struct state_watch *watch, struct nvl_error *err);
/* The same on a machine that was made with @arrives; afterwards it can run. */
int state_arrive_file(struct machine *m, const char *path, const struct state_watch *watch,
		      struct nvl_error *err);
/* The machine is paused and has not run. Verifies all of the file before anything else. */
int state_load_file(struct machine *m, const char *path, const struct state_watch *watch,
		    struct nvl_error *err);

/* The pieces, for migration. */
struct state_memory;			/* what writing memory needs: buffers, compressor */

struct state_memory *state_memory_new(bool compress, struct nvl_error *err);
void state_memory_free(struct state_memory *sm);
/*
 * Pages [@first, @first + @n) of a piece of memory. Zero pages are skipped, or said
 * to be zero where an earlier record may have said otherwise.
 */
int state_memory_put(struct state_memory *sm, struct stream_out *o, const struct nvl_memory *mem,
		     uint64_t first, uint64_t n, bool tell_zeros, struct nvl_error *err);
/* Everything but memory; the machine is paused. */
int state_put_machine(struct machine *m, struct stream_out *o, struct nvl_error *err);

struct state_load {
	struct machine *m;
	struct state_section *sections;	/* what waits for state_load_apply() */
	size_t held;			/* bytes in them */
	uint64_t memory;		/* bytes of guest memory loaded */
	void *zstd;
};

void state_load_init(struct state_load *l, struct machine *m);
/* A record of the stream: memory goes in at once, the rest is kept. */
int state_load_record(struct state_load *l, const struct stream_record *rec,
		      struct nvl_error *err);
/* After the stream's end: the machine's parts, in their order. */
int state_load_apply(struct state_load *l, struct nvl_error *err);
void state_load_free(struct state_load *l);

#endif
