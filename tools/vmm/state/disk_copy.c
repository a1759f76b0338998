// SPDX-License-Identifier: GPL-2.0
#include "disk_copy.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/fs.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#define BLOCK (256u << 10)

const char *disk_copy_name(enum disk_copy how)
{
	return how == DISK_REFLINK ? "reflink" : "sparse copy";
}

static bool is_zero(const uint8_t *p, size_t len)
{
	return !len || (!p[0] && !memcmp(p, p + 1, len - 1));
}

static int write_at(int fd, const uint8_t *p, size_t len, off_t off)
{
	ssize_t n;

	while (len) {
		n = pwrite(fd, p, len, off);
		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return n < 0 ? -errno : -EIO;
		p += n;
		off += n;
		len -= n;
	}
	return 0;
}

/* One run of data; blocks of zeros in it become holes. */
static int copy_run(int from, int to, off_t off, off_t end, uint8_t *buf)
{
	size_t len;
	ssize_t n;
	int ret;

	while (off < end) {
		len = end - off < BLOCK ? end - off : BLOCK;
		n = pread(from, buf, len, off);
		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return n < 0 ? -errno : -EIO;
		ret = is_zero(buf, n) ? 0 : write_at(to, buf, n, off);
		if (ret < 0)
			return ret;
		off += n;
	}
	return 0;
}

static int copy_sparse(int from, int to, off_t size, const struct state_watch *watch)
{
	uint8_t *buf = malloc(BLOCK);
	off_t off = 0, end, data;
	int ret = 0;

	if (!buf)
		return -ENOMEM;
	if (ftruncate(to, size) < 0)
		ret = -errno;
	while (ret == 0 && off < size) {
		data = lseek(from, off, SEEK_DATA);
		if (data < 0 && errno == ENXIO)
			break;			/* a hole to the end */
		if (data >= 0)
			off = data;		/* else: cannot tell, all is data */
		end = data < 0 ? size : lseek(from, off, SEEK_HOLE);
		if (end <= off || end > size)
			end = size;
		/* In pieces, so that somebody can watch, and stop it. */
		if (end - off > 64 * BLOCK)
			end = off + 64 * BLOCK;
		ret = copy_run(from, to, off, end, buf);
		off = end;
		if (ret == 0 && watch && !watch->progress(watch->ctx, off, size))
			ret = -ECANCELED;
	}
	free(buf);
	return ret;
}

static int copy(int from, int to, enum disk_copy *how, const struct state_watch *watch)
{
	off_t size = lseek(from, 0, SEEK_END);
	int ret;

	if (size < 0)
		return -errno;
	*how = DISK_REFLINK;
	if (ioctl(to, FICLONE, from) < 0) {
		*how = DISK_SPARSE_COPY;
		ret = copy_sparse(from, to, size, watch);
		if (ret < 0)
			return ret;
	}
	return fsync(to) < 0 ? -errno : 0;
}

int disk_copy_open(int in, const char *from, const char *to, enum disk_copy *how,
		   const struct state_watch *watch, struct nvl_error *err)
{
	int out, ret;

	out = open(to, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (out < 0)
		return nvl_fail(err, errno, "%s cannot be made: %s.", to, strerror(errno));
	ret = copy(in, out, how, watch);
	if (ret < 0) {
		nvl_fail(err, -ret, "disk image %s cannot be copied to %s: %s.", from, to,
			 strerror(-ret));
		unlink(to);
	}
	close(out);
	return ret;
}

int disk_copy(const char *from, const char *to, enum disk_copy *how,
	      const struct state_watch *watch, struct nvl_error *err)
{
	int in, ret;

	in = open(from, O_RDONLY | O_CLOEXEC);
	if (in < 0)
		return nvl_fail(err, errno, "disk image %s cannot be opened: %s.", from,
				strerror(errno));
	ret = disk_copy_open(in, from, to, how, watch, err);
	close(in);
	return ret;
}
