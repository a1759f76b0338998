/* SPDX-License-Identifier: GPL-2.0 */
/* Files and directories that are there, whole, after a crash. All return -1 with @r. */
#ifndef CONF_FILES_H
#define CONF_FILES_H

#include "reasons.h"

#include <jansson.h>
#include <limits.h>

/*
 * A whole file, atomically: after a crash @path has the old contents or the new.
 * Mode 0600.
 */
int files_write(const char *path, const void *data, size_t len, struct refusal *r);
/* The same with @json, whose reference is taken over; NULL stands for "no memory". */
int files_write_json(const char *path, json_t *json, struct refusal *r);
/* Makes the entries of a directory last: after rename(), link(), unlink(). */
int files_sync(const char *dir, struct refusal *r);
/* mkdir() that takes an existing directory for done, and lasts. */
int files_make(const char *path, struct refusal *r);
/* The same with the directories above it. */
int files_make_all(const char *path, struct refusal *r);
/* Removes a file or a tree; what is not there is no error. */
int files_remove_tree(const char *path, struct refusal *r);

/* The directory that holds @path. */
void files_parent(const char *path, char out[PATH_MAX]);
/* "@path cannot be @what:" and errno in words; -1. */
int files_failed(struct refusal *r, const char *path, const char *what);

#endif
