/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A machine whose guest does not boot but goes on: from a file, or from another
 * host. machine_run() calls the three in this order; the devices are paused and
 * no vCPU has run until commit() has returned.
 */
#ifndef VMM_STATE_INCOMING_H
#define VMM_STATE_INCOMING_H

#include "../../lib/libnestvm.h"

#include <stdbool.h>

struct machine;

struct machine_incoming {
	int (*load)(void *ctx, struct machine *m, struct nvl_error *err);
	/* All is loaded. The last word before the guest runs; may still fail. */
	int (*commit)(void *ctx, struct machine *m, struct nvl_error *err);
	/* The vCPUs run. */
	void (*running)(void *ctx, struct machine *m);
	void *ctx;
};

/* A state file. With @remove it is gone once the guest runs, and never before. */
struct incoming_file {
	const char *path;
	bool remove;
};

struct machine_incoming incoming_from_file(struct incoming_file *f);

#endif
