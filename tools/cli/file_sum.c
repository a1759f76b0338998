// SPDX-License-Identifier: GPL-2.0
#include "file_sum.h"

#include "../vmm/state/crc32c.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static bool is_zero(const uint8_t *p, size_t len)
{
	return !len || (!p[0] && !memcmp(p, p + 1, len - 1));
}

static ssize_t read_block(int fd, uint8_t *buf, off_t off)
{
	size_t len = 0;
	ssize_t n;

	while (len < FILE_SUM_BLOCK) {
		n = pread(fd, buf + len, FILE_SUM_BLOCK - len, off + len);
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

/* Zeros are left out, and where a block is belongs to it. */
uint32_t file_sum_block(uint32_t sum, off_t off, const uint8_t *buf, size_t n)
{
	uint8_t at[8];
	unsigned int i;

	if (is_zero(buf, n))
		return sum;
	for (i = 0; i < sizeof(at); i++)
		at[i] = (uint64_t)off >> 8 * i;
	return crc32c(crc32c(sum, at, sizeof(at)), buf, n);
}

static int sum_open(int fd, off_t size, uint32_t *sum, struct ctl_progress *progress)
{
	uint8_t *buf = malloc(FILE_SUM_BLOCK);
	off_t off = 0, data;
	ssize_t n = 0;

	*sum = 0;
	while (buf && off < size) {
		/* As quick as what is in it. */
		data = lseek(fd, off, SEEK_DATA);
		if (data < 0 && errno == ENXIO)
			break;			/* a hole to the end */
		if (data > off)
			off = data - data % FILE_SUM_BLOCK;
		n = read_block(fd, buf, off);
		if (n <= 0)
			break;			/* it became shorter */
		*sum = file_sum_block(*sum, off, buf, n);
		off += n;
		progress_draw(progress, off, size, "bytes");
	}
	free(buf);
	return buf && n >= 0 ? 0 : -1;
}

int file_sum(const char *path, off_t *bytes, uint32_t *sum, struct ctl_progress *progress)
{
	int ret = -1, fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	struct stat st;

	if (fd < 0)
		return -1;
	if (fstat(fd, &st) == 0) {
		*bytes = st.st_size;
		ret = sum_open(fd, st.st_size, sum, progress);
	}
	close(fd);
	return ret;
}
