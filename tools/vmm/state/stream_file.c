// SPDX-License-Identifier: GPL-2.0
/* A stream in a file: under its name only when it is complete and on the disk. */
#include "stream.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static int open_dir_of(const char *path)
{
	const char *slash = strrchr(path, '/');
	char *dir;
	int fd;

	if (!slash)
		return open(".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	dir = strndup(path, slash == path ? 1 : slash - path);
	if (!dir)
		return -1;
	fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	free(dir);
	return fd;
}

static void file_free(struct stream_file *f)
{
	stream_out_free(&f->out);
	if (f->fd >= 0)
		close(f->fd);
	if (f->dir_fd >= 0)
		close(f->dir_fd);
	free(f->path);
	free(f->temp);
	f->path = NULL;
	f->temp = NULL;
}

int stream_file_create(struct stream_file *f, const char *path, const struct stream_head *head,
		       struct nvl_error *err)
{
	int ret;

	memset(f, 0, sizeof(*f));
	f->fd = -1;
	f->dir_fd = open_dir_of(path);
	if (f->dir_fd < 0) {
		ret = nvl_fail(err, errno, "the folder of %s cannot be opened: %s.", path,
			       strerror(errno));
		goto fail;
	}
	f->path = strdup(path);
	if (!f->path || asprintf(&f->temp, "%s.new", path) < 0) {
		f->temp = NULL;
		ret = nvl_fail(err, ENOMEM, "no memory left to write the state.");
		goto fail;
	}
	/* A leftover of a save that was interrupted: nobody refers to it. */
	f->fd = open(f->temp, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (f->fd < 0) {
		ret = nvl_fail(err, errno, "%s cannot be made: %s.", f->temp, strerror(errno));
		goto fail;
	}
	ret = stream_out_init(&f->out, f->fd, head, err);
	if (ret == 0)
		return 0;
	unlink(f->temp);
fail:
	file_free(f);
	return ret;
}

int stream_file_commit(struct stream_file *f, struct nvl_error *err)
{
	int ret;

	ret = stream_put_end(&f->out, err);
	if (ret < 0)
		goto undo;
	if (fsync(f->fd) < 0 || rename(f->temp, f->path) < 0) {
		ret = nvl_fail(err, errno, "%s cannot be put in place: %s.", f->path,
			       strerror(errno));
		goto undo;
	}
	/* The name is on the disk too; where a folder knows no fsync, it is as safe as it gets. */
	fsync(f->dir_fd);
	file_free(f);
	return 0;

undo:
	unlink(f->temp);
	file_free(f);
	return ret;
}

void stream_file_abort(struct stream_file *f)
{
	unlink(f->temp);
	file_free(f);
}

int stream_file_open(struct stream_in *in, const char *path, struct nvl_error *err)
{
	int fd, ret;

	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return nvl_fail(err, errno, "the state %s cannot be opened: %s.", path,
				strerror(errno));
	ret = stream_in_init(in, fd, err);
	if (ret < 0)
		close(fd);
	return ret;
}

void stream_file_close(struct stream_in *in)
{
	close(in->fd);
	stream_in_free(in);
}

int stream_file_verify(const char *path, struct stream_head *head, struct nvl_error *err)
{
	struct stream_record rec;
	struct stream_in in;
	char extra;
	int ret;

	ret = stream_file_open(&in, path, err);
	if (ret < 0)
		return ret;
	do
		ret = stream_next(&in, &rec, err);
	while (ret == 1);
	if (ret == 0 && read(in.fd, &extra, 1) != 0)
		ret = nvl_fail(err, EBADMSG, "the state %s has bytes after its end.", path);
	if (ret == 0 && head)
		*head = in.head;
	stream_file_close(&in);
	return ret;
}
