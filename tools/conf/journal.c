// SPDX-License-Identifier: GPL-2.0
#include "journal.h"

#include "files.h"
#include "vmdir.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

int journal_begin(struct journal *j, struct refusal *r)
{
	j->steps = json_array();
	return j->steps ? 0 : refuse_text(r, REASON_HOST_FAILED, "no memory left on the host.");
}

int journal_add(struct journal *j, const char *from, const char *to, struct refusal *r)
{
	if (json_array_append_new(j->steps, json_pack("[s,s]", from, to)) < 0)
		return refuse_text(r, REASON_HOST_FAILED, "no memory left on the host.");
	return 0;
}

void journal_drop(struct journal *j)
{
	json_decref(j->steps);
	j->steps = NULL;
}

static int sync_dir_of(const char *path, struct refusal *r)
{
	char dir[PATH_MAX];
	char *slash;

	snprintf(dir, sizeof(dir), "%s", path);
	slash = strrchr(dir, '/');
	if (!slash)
		return 0;
	*slash = '\0';
	return files_sync(slash == dir ? "/" : dir, r);
}

/* Done already, in a life before a crash, is done. */
static int step(const char *from, const char *to, struct refusal *r)
{
	if (*from ? rename(from, to) < 0 : unlink(to) < 0) {
		if (errno != ENOENT)
			return refuse_text(r, REASON_HOST_FAILED,
					   "%s cannot be put in place: %s.", to, strerror(errno));
		return 0;
	}
	return sync_dir_of(to, r);
}

static int run(const char *path, json_t *steps, struct refusal *r)
{
	const char *from, *to;
	json_t *entry;
	size_t i;

	json_array_foreach(steps, i, entry) {
		if (json_unpack(entry, "[s,s]", &from, &to) < 0)
			return refuse_text(r, REASON_STATE_DAMAGED,
					   "%s is not a journal of nestvm's: look into it, and remove it.",
					   path);
		if (step(from, to, r) < 0)
			return -1;
	}
	if (unlink(path) < 0 && errno != ENOENT)
		return refuse_text(r, REASON_HOST_FAILED, "%s cannot be removed: %s.", path,
				   strerror(errno));
	return sync_dir_of(path, r);
}

static int write_to(const char *file, const struct journal *j, const struct vmdir *d,
		    struct refusal *r)
{
	char path[PATH_MAX];

	return files_write_json(vmdir_file(d, file, path), json_incref(j->steps), r);
}

int journal_write(const struct journal *j, const struct vmdir *d, struct refusal *r)
{
	return write_to(JOURNAL_FILE, j, d, r);
}

int journal_plan(const struct journal *j, const struct vmdir *d, struct refusal *r)
{
	return write_to(JOURNAL_PLAN, j, d, r);
}

/* The plan goes last: until then somebody knows what there may be to remove. */
static void clear(const char *path, json_t *steps)
{
	const char *from, *to;
	json_t *entry;
	size_t i;

	json_array_foreach(steps, i, entry)
		if (json_unpack(entry, "[s,s]", &from, &to) == 0 && *from)
			unlink(from);
	unlink(path);
}

void journal_give_up(struct journal *j, const struct vmdir *d)
{
	char path[PATH_MAX];

	clear(vmdir_file(d, JOURNAL_PLAN, path), j->steps);
	journal_drop(j);
}

int journal_commit(struct journal *j, const struct vmdir *d, struct refusal *r)
{
	char plan[PATH_MAX], path[PATH_MAX];
	int ret;

	vmdir_file(d, JOURNAL_FILE, path);
	if (rename(vmdir_file(d, JOURNAL_PLAN, plan), path) < 0) {
		refuse_text(r, REASON_HOST_FAILED, "%s cannot be put in place: %s.", path,
			    strerror(errno));
		journal_give_up(j, d);
		return -1;
	}
	ret = sync_dir_of(path, r);
	if (ret == 0)
		ret = run(path, j->steps, r);
	journal_drop(j);
	return ret;
}

int journal_finish(const struct vmdir *d, struct refusal *r)
{
	char path[PATH_MAX];
	json_error_t why;
	json_t *steps;
	int ret;

	if (access(vmdir_file(d, JOURNAL_PLAN, path), F_OK) == 0) {
		steps = json_load_file(path, 0, &why);
		clear(path, steps);
		json_decref(steps);
	}
	if (access(vmdir_file(d, JOURNAL_FILE, path), F_OK) < 0)
		return 0;
	steps = json_load_file(path, 0, &why);
	if (!json_is_array(steps)) {
		json_decref(steps);
		return refuse_text(r, REASON_STATE_DAMAGED,
				   "%s is not a journal of nestvm's: look into it, and remove it.",
				   path);
	}
	ret = run(path, steps, r);
	json_decref(steps);
	return ret;
}
