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

#include "../conf/conf.h"
#include "ctl.h"

/* Copies the files of @dir to @to, which must not be there; it appears as a whole. */
int export_make(const char *dir, const char *to, struct ctl_progress *progress,
		struct refusal *r);

/*
 * Reads all of the export and compares it with its checksums; its state, if it has one,
 * is one that can be loaded. Then @conf is its configuration, conf_free() it.
 */
int export_check(const char *dir, struct vm_conf *conf, bool *has_state,
		 struct ctl_progress *progress, struct refusal *r);

/* DIR/FILE; -1 with @r when that is too long. */
int export_path(const char *dir, const char *file, char out[PATH_MAX], struct refusal *r);

#endif
