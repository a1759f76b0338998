// SPDX-License-Identifier: GPL-2.0
#include "export.h"

#include "../conf/files.h"
#include "../vmm/state/disk_copy.h"
#include "file_sum.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static int path_in(const char *dir, const char *file, char out[PATH_MAX], struct refusal *r)
{
	if (snprintf(out, PATH_MAX, "%s/%s", dir, file) >= PATH_MAX)
		return refuse_text(r, REASON_HOST_FAILED, "the path %s is too long.", dir);
	return 0;
}

static int unreadable(struct refusal *r, const char *path)
{
	return refuse_text(r, REASON_HOST_FAILED, "%s cannot be read: %s.", path, strerror(errno));
}

static int add_file(const char *dir, const char *to, const char *name, json_t *files,
		    struct ctl_progress *progress, struct refusal *r)
{
	const struct state_watch watch = { progress_bytes, progress };
	char from[PATH_MAX], path[PATH_MAX];
	struct nvl_error err;
	enum disk_copy how;
	uint32_t sum;
	off_t bytes;

	if (path_in(dir, name, from, r) < 0 || path_in(to, name, path, r) < 0)
		return -1;
	if (disk_copy(from, path, &how, &watch, &err) < 0)
		return refuse_text(r, REASON_STATE_FAILED, "%s", err.text);
	if (file_sum(path, &bytes, &sum, progress) < 0)
		return unreadable(r, path);
	if (json_array_append_new(files, json_pack("{s:s,s:I,s:I}", "name", name, "bytes",
						   (json_int_t)bytes, "sum", (json_int_t)sum)) < 0)
		return refuse_text(r, REASON_HOST_FAILED, "no memory left on the host.");
	return 0;
}

static int add_files(const char *dir, const char *to, json_t *files,
		     struct ctl_progress *progress, struct refusal *r)
{
	struct dirent *e;
	int ret = 0;
	DIR *all;

	all = opendir(dir);
	if (!all)
		return unreadable(r, dir);
	while (ret == 0 && (e = readdir(all)))
		if (e->d_name[0] != '.')
			ret = add_file(dir, to, e->d_name, files, progress, r);
	closedir(all);
	return ret;
}

static int write_list(const char *dir, json_t *files, struct refusal *r)
{
	json_t *json = json_pack("{s:i,s:O}", "format", EXPORT_FORMAT, "files", files);
	char path[PATH_MAX];

	if (path_in(dir, EXPORT_LIST, path, r) == 0)
		return files_write_json(path, json, r);
	json_decref(json);
	return -1;
}

int export_make(const char *dir, const char *to, struct ctl_progress *progress, struct refusal *r)
{
	char temp[PATH_MAX];
	json_t *files;
	int ret;

	if (access(to, F_OK) == 0)
		return refuse_text(r, REASON_USAGE, "%s is there already: name a new folder.", to);
	if (snprintf(temp, sizeof(temp), "%s.nestvm-new", to) >= PATH_MAX)
		return refuse_text(r, REASON_HOST_FAILED, "the path %s is too long.", to);
	/* A leftover of one that was cut off. */
	if (files_remove_tree(temp, r) < 0 || files_make(temp, r) < 0)
		return -1;
	files = json_array();
	ret = add_files(dir, temp, files, progress, r);
	if (ret == 0)
		ret = write_list(temp, files, r);
	json_decref(files);
	if (ret == 0 && rename(temp, to) < 0)
		ret = refuse_text(r, REASON_HOST_FAILED, "%s cannot be made: %s.", to,
				  strerror(errno));
	if (ret < 0)
		files_remove_tree(temp, NULL);
	return ret;
}
