/* SPDX-License-Identifier: GPL-2.0 */
/* A copy of a disk image as it is now: shared blocks where the file system can. */
#ifndef VMM_STATE_DISK_COPY_H
#define VMM_STATE_DISK_COPY_H

#include "state.h"

enum disk_copy { DISK_REFLINK, DISK_SPARSE_COPY };

/* "reflink" or "sparse copy" */
const char *disk_copy_name(enum disk_copy how);

/*
 * Makes @to, which must not exist, from what @from (a path) holds; it is on the disk
 * when this returns 0. On failure there is no @to.
 */
int disk_copy(const char *from, const char *to, enum disk_copy *how,
	      const struct state_watch *watch, struct nvl_error *err);
/* The same of an open file, which messages call @from. */
int disk_copy_open(int in, const char *from, const char *to, enum disk_copy *how,
		   const struct state_watch *watch, struct nvl_error *err);

#endif
