// SPDX-License-Identifier: GPL-2.0
#include "files.h"

#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

int files_failed(struct refusal *r, const char *path, const char *what)
{
	return refuse_text(r, REASON_HOST_FAILED, "%s cannot be %s: %s.", path, what,
			   strerror(errno));
}

void files_parent(const char *path, char out[PATH_MAX])
{
	char *slash;

	snprintf(out, PATH_MAX, "%s", path);
	slash = strrchr(out, '/');
	if (slash && slash != out)
		*slash = '\0';
	else
		snprintf(out, PATH_MAX, "%s", slash ? "/" : ".");
}

int files_sync(const char *dir, struct refusal *r)
{
	int fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	if (fd < 0)
		return files_failed(r, dir, "opened");
	if (fsync(fd) < 0) {
		files_failed(r, dir, "written");
		close(fd);
		return -1;
	}
	close(fd);
	return 0;
}

int files_make(const char *path, struct refusal *r)
{
	char up[PATH_MAX];
	struct stat st;

	if (mkdir(path, 0700) == 0) {
		files_parent(path, up);
		return files_sync(up, r);
	}
	if (errno == EEXIST && stat(path, &st) == 0 && S_ISDIR(st.st_mode))
		return 0;
	return files_failed(r, path, "made");
}

int files_make_all(const char *path, struct refusal *r)
{
	char part[PATH_MAX];
	struct stat st;
	char *p;

	if (stat(path, &st) == 0 && S_ISDIR(st.st_mode))
		return 0;
	snprintf(part, sizeof(part), "%s", path);
	for (p = part + 1; *p; p++) {
		if (*p != '/')
			continue;
		*p = '\0';
		if (stat(part, &st) < 0 && files_make(part, r) < 0)
			return -1;
		*p = '/';
	}
	return files_make(path, r);
}

static int write_all(int fd, const char *data, size_t len)
{
	ssize_t n;

	while (len) {
		n = write(fd, data, len);
		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return -1;
		data += n;
		len -= n;
	}
	return 0;
}

int files_write(const char *path, const void *data, size_t len, struct refusal *r)
{
	char tmp[PATH_MAX + 16], up[PATH_MAX];
	int fd;

	snprintf(tmp, sizeof(tmp), "%s.%d.tmp", path, (int)getpid());
	fd = open(tmp, O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC, 0600);
	if (fd < 0)
		return files_failed(r, tmp, "made");
	if (write_all(fd, data, len) < 0 || fsync(fd) < 0) {
		files_failed(r, path, "written");
		close(fd);
		goto undo;
	}
	if (close(fd) < 0 || rename(tmp, path) < 0) {
		files_failed(r, path, "written");
		goto undo;
	}
	files_parent(path, up);
	return files_sync(up, r);
undo:
	unlink(tmp);
	return -1;
}

int files_write_json(const char *path, json_t *json, struct refusal *r)
{
	char *text = json ? json_dumps(json, JSON_INDENT(2)) : NULL;
	size_t len;
	int ret;

	json_decref(json);
	if (!text)
		return refuse_text(r, REASON_HOST_FAILED, "no memory left on the host.");
	/* The end of the string becomes the end of the line. */
	len = strlen(text);
	text[len] = '\n';
	ret = files_write(path, text, len + 1, r);
	free(text);
	return ret;
}

static int remove_one(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
	(void)st, (void)type, (void)ftw;
	return remove(path);
}

int files_remove_tree(const char *path, struct refusal *r)
{
	if (nftw(path, remove_one, 16, FTW_DEPTH | FTW_PHYS | FTW_MOUNT) < 0 && errno != ENOENT)
		return files_failed(r, path, "removed");
	return 0;
}
