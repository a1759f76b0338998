/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Checkpoints of a VM, a tree:
 *
 *   checkpoints/ID/meta.json	label, parent, time, what is in it
 *   checkpoints/ID/config.json	the configuration of that moment
 *   checkpoints/ID/state	of a VM that was running or saved
 *   checkpoints/ID/disk-N.img	its writable disks
 *   checkpoints/.current	the ID that the VM goes on from
 *
 * One appears under its ID when it is whole, and disappears as a whole; names with
 * a dot in front are being made or removed, and go when the next one is made.
 */
#ifndef CLI_CHECKPOINT_H
#define CLI_CHECKPOINT_H

#include "../conf/vmdir.h"
#include "ctl.h"

#define CHECKPOINT_ID_LEN	8
#define CHECKPOINT_LABEL_MAX	100

struct checkpoint {
	char id[CHECKPOINT_ID_LEN + 1];
	char parent[CHECKPOINT_ID_LEN + 1];	/* "": none */
	char label[CHECKPOINT_LABEL_MAX + 1];
	int64_t created;
	bool has_state;
	bool current;			/* the VM goes on from it */
	char disks[16];			/* how they were copied; "": there are none */
	uint64_t bytes;			/* that it takes on disk */
};

/* Sorted by time; free() the list. -1 with @r. */
int checkpoint_list(const struct vmdir *d, struct checkpoint **list, struct refusal *r);
/* By ID or label. */
int checkpoint_find(const struct vmdir *d, const char *name, struct checkpoint *cp,
		    struct refusal *r);
/* The VM is open for changing in all of these. */
int checkpoint_create(struct vmdir *d, const char *label, bool compress,
		      struct ctl_progress *progress, struct checkpoint *cp, struct refusal *r);
int checkpoint_apply(struct vmdir *d, const struct checkpoint *cp, struct ctl_progress *progress,
		     struct refusal *r);
/* Its children become its parent's. */
int checkpoint_remove(struct vmdir *d, const struct checkpoint *cp, struct refusal *r);
/* A copy of all of it in the new folder @to. */
int checkpoint_export(const struct vmdir *d, const struct checkpoint *cp, const char *to,
		      struct ctl_progress *progress, struct refusal *r);

#endif
