// SPDX-License-Identifier: GPL-2.0
#include "export.h"

#include "../vmm/state/crc32c.h"
#include "../vmm/state/disk_copy.h"
#include "../vmm/state/stream.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define EXPORT_FORMAT	1
#define LIST_FILE	"export.json"
#define LIST_BYTES_MAX	(64 << 10)
#define SUM_BLOCK	(64u << 10)

int export_path(const char *dir, const char *file, char out[PATH_MAX], struct refusal *r)
{
	if (snprintf(out, PATH_MAX, "%s/%s", dir, file) >= PATH_MAX)
		return refuse_text(r, REASON_HOST_FAILED, "the path %s is too long.", dir);
	return 0;
}

static int unreadable(struct refusal *r, const char *path)
{
	return refuse_text(r, REASON_HOST_FAILED, "%s cannot be read: %s.", path, strerror(errno));
}

static int damaged(struct refusal *r, const char *path, const char *what)
{
	return refuse_text(r, REASON_STATE_DAMAGED,
			   "%s %s: copy the export again from where it was made, or export the checkpoint again.",
			   path, what);
}

/* -- checksums ------------------------------------------------------------------ */

static bool is_zero(const uint8_t *p, size_t len)
{
	return !len || (!p[0] && !memcmp(p, p + 1, len - 1));
}

static ssize_t read_block(int fd, uint8_t *buf, off_t off)
{
	size_t len = 0;
	ssize_t n;

	while (len < SUM_BLOCK) {
		n = pread(fd, buf + len, SUM_BLOCK - len, off + len);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -1;
		if (n == 0)
			break;
		len += n;
	}
	return len;
}

/*
 * Of the blocks that are not all zeros, and where they are: the same whether a file has
 * holes or zeros there, and as quick as what is in it.
 */
static int sum_open(int fd, off_t size, uint8_t *buf, uint32_t *sum, struct ctl_progress *progress)
{
	off_t off = 0, data;
	uint8_t at[8];
	unsigned int i;
	ssize_t n;

	*sum = 0;
	while (off < size) {
		data = lseek(fd, off, SEEK_DATA);
		if (data < 0 && errno == ENXIO)
			break;			/* a hole to the end */
		if (data > off)
			off = data - data % SUM_BLOCK;
		n = read_block(fd, buf, off);
		if (n < 0)
			return -1;
		if (n == 0)
			break;			/* shorter than it was: the sum tells */
		if (!is_zero(buf, n)) {
			for (i = 0; i < sizeof(at); i++)
				at[i] = (uint64_t)off >> 8 * i;
			*sum = crc32c(*sum, at, sizeof(at));
			*sum = crc32c(*sum, buf, n);
		}
		off += n;
		progress_draw(progress, off, size, "bytes");
	}
	return 0;
}

/* A plain file, nothing that leads elsewhere. */
static int sum_file(const char *path, uint64_t *bytes, uint32_t *sum,
		    struct ctl_progress *progress, struct refusal *r)
{
	uint8_t *buf = malloc(SUM_BLOCK);
	struct stat st;
	int fd, ret;

	if (!buf)
		return refuse_text(r, REASON_HOST_FAILED, "no memory left on the host.");
	fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
	if (fd < 0 && errno == ENOENT) {
		ret = damaged(r, path, "is missing");
	} else if (fd < 0 || fstat(fd, &st) < 0) {
		ret = unreadable(r, path);
	} else if (!S_ISREG(st.st_mode)) {
		ret = damaged(r, path, "is not a file");
	} else {
		*bytes = st.st_size;
		ret = sum_open(fd, st.st_size, buf, sum, progress);
		if (ret < 0)
			unreadable(r, path);
	}
	if (fd >= 0)
		close(fd);
	free(buf);
	return ret;
}

/* -- making one ------------------------------------------------------------------ */

static int add_file(const char *dir, const char *to, const char *name, json_t *files,
		    struct ctl_progress *progress, struct refusal *r)
{
	const struct state_watch watch = { progress_bytes, progress };
	char from[PATH_MAX], path[PATH_MAX];
	struct nvl_error err;
	enum disk_copy how;
	uint64_t bytes;
	uint32_t sum;

	if (export_path(dir, name, from, r) < 0 || export_path(to, name, path, r) < 0)
		return -1;
	if (disk_copy(from, path, &how, &watch, &err) < 0)
		return refuse_text(r, REASON_STATE_FAILED, "%s", err.text);
	if (sum_file(path, &bytes, &sum, progress, r) < 0)
		return -1;
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

	if (export_path(dir, LIST_FILE, path, r) == 0)
		return vmdir_write_json(path, json, r);
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
	if (vmdir_remove_tree(temp, r) < 0 || vmdir_make(temp, r) < 0)
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
		vmdir_remove_tree(temp, NULL);
	return ret;
}

/* -- looking through one --------------------------------------------------------- */

/* What export_make() writes, and nothing that would lead out of the folder. */
static bool known(const char *name)
{
	static const char * const names[] = { "config.json", "meta.json", "state" };
	unsigned int i, disk;
	char again[32];

	for (i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (!strcmp(name, names[i]))
			return true;
	if (sscanf(name, "disk-%u.img", &disk) != 1 || disk >= VM_DISKS_MAX)
		return false;
	snprintf(again, sizeof(again), "disk-%u.img", disk);
	return !strcmp(name, again);
}

static json_t *read_list(const char *dir, struct refusal *r)
{
	char path[PATH_MAX], *text = malloc(LIST_BYTES_MAX);
	json_error_t why;
	json_t *json = NULL;
	ssize_t n;
	int fd;

	if (!text || export_path(dir, LIST_FILE, path, r) < 0) {
		free(text);
		return NULL;
	}
	fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	n = fd < 0 ? -1 : read(fd, text, LIST_BYTES_MAX);
	if (n < 0 && (errno == ENOENT || errno == ENOTDIR))
		refuse_text(r, REASON_STATE_DAMAGED,
			    "%s is not an export: there is no " LIST_FILE ". \"nestvm checkpoint export NAME LABEL FOLDER\" makes one.",
			    dir);
	else if (n < 0)
		unreadable(r, path);
	else if (!(json = json_loadb(text, n, JSON_REJECT_DUPLICATES, &why)))
		damaged(r, path, "is not what nestvm writes");
	if (fd >= 0)
		close(fd);
	free(text);
	return json;
}

static int check_file(const char *dir, json_t *entry, struct ctl_progress *progress,
		      struct refusal *r)
{
	json_int_t bytes, sum;
	char path[PATH_MAX];
	const char *name;
	uint64_t real_bytes;
	uint32_t real_sum;

	if (json_unpack(entry, "{s:s,s:I,s:I}", "name", &name, "bytes", &bytes, "sum", &sum) < 0 ||
	    !known(name))
		return damaged(r, dir, "has a list of files that nestvm does not write");
	if (export_path(dir, name, path, r) < 0 ||
	    sum_file(path, &real_bytes, &real_sum, progress, r) < 0)
		return -1;
	if (real_bytes != (uint64_t)bytes)
		return damaged(r, path, "does not have the length that it was exported with");
	if (real_sum != (uint64_t)sum)
		return damaged(r, path, "does not fit its checksum");
	return 0;
}

static int check_files(const char *dir, json_t *list, struct ctl_progress *progress,
		       struct refusal *r)
{
	json_t *files = json_object_get(list, "files"), *entry;
	json_int_t format;
	size_t i;

	if (json_unpack(list, "{s:I}", "format", &format) < 0 || !json_is_array(files))
		return damaged(r, dir, "has a list of files that nestvm does not write");
	if (format != EXPORT_FORMAT)
		return refuse_text(r, REASON_STATE_FOREIGN,
				   "%s is an export of format %lld, and this nestvm knows format %d: use the nestvm that made it, or a newer one.",
				   dir, (long long)format, EXPORT_FORMAT);
	json_array_foreach(files, i, entry)
		if (check_file(dir, entry, progress, r) < 0)
			return -1;
	return 0;
}

/* Whether @name is on the list: what is only in the folder has no checksum. */
static bool listed(json_t *list, const char *name)
{
	json_t *entry;
	size_t i;

	json_array_foreach(json_object_get(list, "files"), i, entry)
		if (!strcmp(json_string_value(json_object_get(entry, "name")) ?: "", name))
			return true;
	return false;
}

/* What the configuration needs is there. */
static int check_parts(const char *dir, json_t *list, const struct vm_conf *conf, bool has_state,
		       struct refusal *r)
{
	char path[PATH_MAX], file[32];
	struct nvl_error err;
	unsigned int i;

	for (i = 0; i < conf->ndisks; i++) {
		snprintf(file, sizeof(file), "disk-%u.img", i);
		if (!conf->disks[i].read_only && !listed(list, file))
			return damaged(r, dir, "lacks the image of a disk");
	}
	if (!has_state)
		return 0;
	if (export_path(dir, "state", path, r) < 0)
		return -1;
	if (stream_file_verify(path, NULL, &err) < 0)
		return refuse_text(r, REASON_STATE_DAMAGED, "%s", err.text);
	return 0;
}

int export_check(const char *dir, struct vm_conf *conf, bool *has_state,
		 struct ctl_progress *progress, struct refusal *r)
{
	json_t *list = read_list(dir, r);
	char path[PATH_MAX];
	int ret;

	if (!list)
		return -1;
	ret = check_files(dir, list, progress, r);
	if (ret == 0 && !listed(list, "config.json"))
		ret = damaged(r, dir, "lacks the configuration");
	if (ret == 0)
		ret = export_path(dir, "config.json", path, r);
	if (ret == 0)
		ret = conf_load(conf, path, r);
	if (ret == 0) {
		*has_state = listed(list, "state");
		ret = check_parts(dir, list, conf, *has_state, r);
		if (ret < 0)
			conf_free(conf);
	}
	json_decref(list);
	return ret;
}
