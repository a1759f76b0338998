/* SPDX-License-Identifier: GPL-2.0 */
/*
 * An export that is there, which somebody else may be writing to: its list is read once,
 * and what is taken of it is compared with the list as it was copied.
 */
#ifndef CLI_EXPORTED_H
#define CLI_EXPORTED_H

#include "../conf/conf.h"
#include "ctl.h"

struct exported {
	const char *path;		/* as the user calls the folder */
	int dir;
	json_t *list;
};

/*
 * Its list and its configuration (conf_free() it) are whole, what the configuration needs
 * is listed, and what is listed is there in its length.
 */
int exported_open(struct exported *e, const char *path, struct vm_conf *conf, struct refusal *r);
void exported_close(struct exported *e);

bool exported_has(const struct exported *e, const char *file);

/*
 * Makes @to, which must not exist, of @file; it is on the disk and as it was exported when
 * this returns 0. On failure there is no @to.
 */
int exported_copy(const struct exported *e, const char *file, const char *to,
		  struct ctl_progress *progress, struct refusal *r);
/* The same of "state", and it is one that can be loaded. */
int exported_copy_state(const struct exported *e, const char *to, struct ctl_progress *progress,
			struct refusal *r);

#endif
