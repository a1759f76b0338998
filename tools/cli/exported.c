// SPDX-License-Identifier: GPL-2.0
#include "exported.h"

#include "../vmm/state/disk_copy.h"
#include "../vmm/state/stream.h"
#include "export.h"
#include "file_sum.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define LIST_BYTES_MAX	(64 << 10)

static int unreadable(const struct exported *e, const char *file, struct refusal *r)
{
	return refuse_text(r, REASON_HOST_FAILED, "%s/%s cannot be read: %s.", e->path, file,
			   strerror(errno));
}

static int damaged(const struct exported *e, const char *file, const char *what,
		   struct refusal *r)
{
	return refuse_text(r, REASON_STATE_DAMAGED,
			   "%s/%s %s: copy the export again from where it was made, or export the checkpoint again.",
			   e->path, file, what);
}

static int foreign_list(const struct exported *e, struct refusal *r)
{
	return damaged(e, EXPORT_LIST, "is not what nestvm writes", r);
}

/* -- its list -------------------------------------------------------------------- */

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

/* False: not on the list. What is only in the folder has no checksum. */
static bool find(const struct exported *e, const char *file, json_int_t *bytes, json_int_t *sum)
{
	const char *name;
	json_t *entry;
	size_t i;

	json_array_foreach(json_object_get(e->list, "files"), i, entry)
		if (json_unpack(entry, "{s:s,s:I,s:I}", "name", &name, "bytes", bytes, "sum",
				sum) == 0 && !strcmp(name, file))
			return true;
	return false;
}

bool exported_has(const struct exported *e, const char *file)
{
	json_int_t bytes, sum;

	return find(e, file, &bytes, &sum);
}

/* A plain file of @bytes, nothing that leads elsewhere. -1 with @r. */
static int open_file(const struct exported *e, const char *file, json_int_t bytes,
		     struct refusal *r)
{
	int fd = openat(e->dir, file, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
	struct stat st;

	if (fd < 0 && errno == ENOENT)
		return damaged(e, file, "is missing", r);
	if (fd < 0 && errno == ELOOP)
		return damaged(e, file, "is not a file", r);
	if (fd < 0)
		return unreadable(e, file, r);
	if (fstat(fd, &st) < 0)
		unreadable(e, file, r);
	else if (!S_ISREG(st.st_mode))
		damaged(e, file, "is not a file", r);
	else if (st.st_size != bytes)
		damaged(e, file, "does not have the length that it was exported with", r);
	else
		return fd;
	close(fd);
	return -1;
}

static int check_entry(const struct exported *e, json_t *entry, struct refusal *r)
{
	json_int_t bytes, sum;
	const char *name;
	int fd;

	if (json_unpack(entry, "{s:s,s:I,s:I}", "name", &name, "bytes", &bytes, "sum", &sum) < 0 ||
	    !known(name))
		return foreign_list(e, r);
	fd = open_file(e, name, bytes, r);
	if (fd < 0)
		return -1;
	close(fd);
	return 0;
}

static int check_list(const struct exported *e, struct refusal *r)
{
	json_t *files = json_object_get(e->list, "files"), *entry;
	json_int_t format;
	size_t i;

	if (json_unpack(e->list, "{s:I}", "format", &format) < 0 || !json_is_array(files))
		return foreign_list(e, r);
	if (format != EXPORT_FORMAT)
		return refuse_text(r, REASON_STATE_FOREIGN,
				   "%s is an export of format %lld, and this nestvm knows format %d: use the nestvm that made it, or a newer one.",
				   e->path, (long long)format, EXPORT_FORMAT);
	json_array_foreach(files, i, entry)
		if (check_entry(e, entry, r) < 0)
			return -1;
	return 0;
}

static int read_list(struct exported *e, struct refusal *r)
{
	char *text = malloc(LIST_BYTES_MAX);
	json_error_t why;
	ssize_t n = -1;
	int fd;

	fd = openat(e->dir, EXPORT_LIST, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
	if (fd >= 0 && text)
		n = read(fd, text, LIST_BYTES_MAX);
	if (n >= 0)
		e->list = json_loadb(text, n, JSON_REJECT_DUPLICATES, &why);
	if (n < 0 && errno == ENOENT)
		refuse_text(r, REASON_STATE_DAMAGED,
			    "%s is not an export: there is no " EXPORT_LIST ". \"nestvm checkpoint export NAME LABEL FOLDER\" makes one.",
			    e->path);
	else if (n < 0)
		unreadable(e, EXPORT_LIST, r);
	else if (!e->list)
		foreign_list(e, r);
	if (fd >= 0)
		close(fd);
	free(text);
	return e->list ? 0 : -1;
}

/* -- its configuration ----------------------------------------------------------- */

static int parse_conf(const struct exported *e, const char *text, size_t len, json_int_t sum,
		      struct vm_conf *conf, struct refusal *r)
{
	size_t off, block = FILE_SUM_BLOCK;
	char path[PATH_MAX];
	uint32_t real = 0;

	for (off = 0; off < len; off += block)
		real = file_sum_block(real, off, (const uint8_t *)text + off,
				      len - off < block ? len - off : block);
	if (real != sum)
		return damaged(e, "config.json", "does not fit its checksum", r);
	snprintf(path, sizeof(path), "%s/config.json", e->path);
	return conf_parse(conf, text, len, path, r);
}

static int read_conf(const struct exported *e, struct vm_conf *conf, struct refusal *r)
{
	json_int_t bytes, sum;
	ssize_t n = -1;
	char *text;
	int fd, ret;

	if (!find(e, "config.json", &bytes, &sum) || bytes > CONF_BYTES_MAX)
		return foreign_list(e, r);
	fd = open_file(e, "config.json", bytes, r);
	if (fd < 0)
		return -1;
	text = malloc(CONF_BYTES_MAX);
	if (text)
		n = read(fd, text, CONF_BYTES_MAX);
	ret = n < 0 ? unreadable(e, "config.json", r) : parse_conf(e, text, n, sum, conf, r);
	free(text);
	close(fd);
	return ret;
}

static int check_parts(const struct exported *e, const struct vm_conf *conf, struct refusal *r)
{
	char file[32];
	unsigned int i;

	for (i = 0; i < conf->ndisks; i++) {
		snprintf(file, sizeof(file), "disk-%u.img", i);
		if (!conf->disks[i].read_only && !exported_has(e, file))
			return damaged(e, EXPORT_LIST, "lacks the image of a disk", r);
	}
	return 0;
}

int exported_open(struct exported *e, const char *path, struct vm_conf *conf, struct refusal *r)
{
	e->path = path;
	e->list = NULL;
	e->dir = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (e->dir < 0)
		return refuse_text(r, REASON_STATE_DAMAGED,
				   "%s is not an export: it cannot be opened as a folder: %s. \"nestvm checkpoint export NAME LABEL FOLDER\" makes one.",
				   path, strerror(errno));
	if (read_list(e, r) == 0 && check_list(e, r) == 0 && read_conf(e, conf, r) == 0) {
		if (check_parts(e, conf, r) == 0)
			return 0;
		conf_free(conf);
	}
	exported_close(e);
	return -1;
}

void exported_close(struct exported *e)
{
	json_decref(e->list);
	close(e->dir);
}

/* -- its files -------------------------------------------------------------------- */

/* The copy is what counts: nobody else writes to it. */
static int check_copy(const struct exported *e, const char *file, const char *to, json_int_t bytes,
		      json_int_t sum, struct ctl_progress *progress, struct refusal *r)
{
	uint32_t real_sum;
	off_t real_bytes;

	if (file_sum(to, &real_bytes, &real_sum, progress) < 0)
		return refuse_text(r, REASON_HOST_FAILED, "%s cannot be read: %s.", to,
				   strerror(errno));
	if (real_bytes != bytes || real_sum != sum)
		return damaged(e, file, "does not fit its checksum", r);
	return 0;
}

int exported_copy(const struct exported *e, const char *file, const char *to,
		  struct ctl_progress *progress, struct refusal *r)
{
	const struct state_watch watch = { progress_bytes, progress };
	struct nvl_error err;
	json_int_t bytes, sum;
	enum disk_copy how;
	int fd, ret = 0;

	if (!find(e, file, &bytes, &sum))
		return damaged(e, file, "is not on the list", r);
	fd = open_file(e, file, bytes, r);
	if (fd < 0)
		return -1;
	progress->what = "copying";
	if (disk_copy_open(fd, file, to, &how, &watch, &err) < 0)
		ret = refuse_text(r, REASON_STATE_FAILED, "%s", err.text);
	close(fd);
	if (ret < 0)
		return ret;
	progress->what = "verifying";
	ret = check_copy(e, file, to, bytes, sum, progress, r);
	if (ret < 0)
		unlink(to);
	return ret;
}

int exported_copy_state(const struct exported *e, const char *to, struct ctl_progress *progress,
			struct refusal *r)
{
	struct nvl_error err;

	if (exported_copy(e, "state", to, progress, r) < 0)
		return -1;
	if (stream_file_verify(to, NULL, &err) == 0)
		return 0;
	unlink(to);
	return refuse_text(r, REASON_STATE_DAMAGED, "%s", err.text);
}
