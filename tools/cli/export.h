/* SPDX-License-Identifier: GPL-2.0 */
/*
 * An export: a checkpoint in a folder of its own, from which a VM can be made, here or
 * on another host.
 *
 *   FOLDER/export.json	the files and a checksum of each, written last
 *   FOLDER/config.json, meta.json, state, disk-N.img	as in the checkpoint
 */
#ifndef CLI_EXPORT_H
#define CLI_EXPORT_H

#include "ctl.h"

#define EXPORT_FORMAT	1
#define EXPORT_LIST	"export.json"

/* Copies the files of @dir to @to, which must not be there; it appears as a whole. */
int export_make(const char *dir, const char *to, struct ctl_progress *progress,
		struct refusal *r);

#endif
