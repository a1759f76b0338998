// SPDX-License-Identifier: GPL-2.0
#include "incoming.h"

#include "state.h"

#include "../machine.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

/*
 * A guest that runs changes its disks, and then its old state must never be loaded
 * again: so the file leaves its name just before the guest runs, and goes once
 * it does. After a crash between the two it lies there for a look, and no more.
 */
#define USED_SUFFIX ".used"

static int file_load(void *ctx, struct machine *m, struct nvl_error *err)
{
	struct incoming_file *f = ctx;

	return state_load_file(m, f->path, NULL, err);
}

static int used_name(const struct incoming_file *f, char out[PATH_MAX], struct nvl_error *err)
{
	if (snprintf(out, PATH_MAX, "%s" USED_SUFFIX, f->path) >= PATH_MAX)
		return nvl_fail(err, ENAMETOOLONG, "the path %s is too long.", f->path);
	return 0;
}

static int file_commit(void *ctx, struct machine *m, struct nvl_error *err)
{
	struct incoming_file *f = ctx;
	char used[PATH_MAX];
	int ret;

	(void)m;
	if (!f->remove)
		return 0;
	ret = used_name(f, used, err);
	if (ret < 0)
		return ret;
	if (rename(f->path, used) < 0)
		return nvl_fail(err, errno, "the state %s cannot be taken out of its place: %s.",
				f->path, strerror(errno));
	return 0;
}

static void file_running(void *ctx, struct machine *m)
{
	struct incoming_file *f = ctx;
	char used[PATH_MAX];

	(void)m;
	if (f->remove && used_name(f, used, NULL) == 0)
		unlink(used);
}

struct machine_incoming incoming_from_file(struct incoming_file *f)
{
	return (struct machine_incoming) { file_load, file_commit, file_running, f };
}
