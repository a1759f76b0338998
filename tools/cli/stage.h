/* SPDX-License-Identifier: GPL-2.0 */
/* New files beside those whose places they take, for a journal (conf/journal.h). */
#ifndef CLI_STAGE_H
#define CLI_STAGE_H

#include "../conf/journal.h"
#include "ctl.h"

/* A copy of @from, on the disk when this returns 0. */
int stage_copy(const char *from, const char *staged, struct ctl_progress *progress,
	       struct refusal *r);
/* A copy of @from is to become @to; it is on the disk when this returns 0. */
int stage(struct journal *j, const char *from, const char *to, struct ctl_progress *progress,
	  struct refusal *r);
/* Removes what was staged, when the journal is not to be. */
void unstage(struct journal *j);

#endif
