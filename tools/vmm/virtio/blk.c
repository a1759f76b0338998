// SPDX-License-Identifier: GPL-2.0
#include "blk.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/virtio_ids.h>
#include <linux/virtio_ring.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

#define SECTOR 512

/* preadv()/pwritev() until all is done; a short image reads as an error. */
static bool transfer(struct virtio_blk *b, struct iovec *iov, unsigned int n, uint64_t off,
		     bool write)
{
	ssize_t done;

	while (n) {
		done = write ? pwritev(b->fd, iov, n, off) : preadv(b->fd, iov, n, off);
		if (done < 0 && errno == EINTR)
			continue;
		if (done <= 0)
			return false;
		off += done;
		while (n && (size_t)done >= iov->iov_len) {
			done -= iov->iov_len;
			iov++;
			n--;
		}
		if (n) {
			iov->iov_base = (uint8_t *)iov->iov_base + done;
			iov->iov_len -= done;
		}
	}
	return true;
}

static bool in_range(const struct virtio_blk *b, uint64_t sector, size_t len)
{
	return !(len % SECTOR) && sector <= b->sectors && len / SECTOR <= b->sectors - sector;
}

/* Returns the status byte; *@written counts the bytes put into the guest's buffers. */
static uint8_t do_request(struct virtio_blk *b, const struct virtq_chain *c, uint32_t *written)
{
	struct virtio_blk_outhdr hdr;
	struct iovec part[VIRTQ_MAX];
	size_t out = iov_len(c->out, c->nout) - sizeof(hdr);
	size_t in = iov_len(c->in, c->nin) - 1;
	unsigned int n;

	iov_read(c->out, c->nout, 0, &hdr, sizeof(hdr));
	switch (hdr.type) {
	case VIRTIO_BLK_T_IN:
		if (!in_range(b, hdr.sector, in))
			return VIRTIO_BLK_S_IOERR;
		n = iov_slice(c->in, c->nin, 0, in, part);
		if (!transfer(b, part, n, hdr.sector * SECTOR, false))
			return VIRTIO_BLK_S_IOERR;
		*written = in;
		return VIRTIO_BLK_S_OK;
	case VIRTIO_BLK_T_OUT:
		if (b->readonly || !in_range(b, hdr.sector, out))
			return VIRTIO_BLK_S_IOERR;
		n = iov_slice(c->out, c->nout, sizeof(hdr), out, part);
		return transfer(b, part, n, hdr.sector * SECTOR, true) ? VIRTIO_BLK_S_OK :
									 VIRTIO_BLK_S_IOERR;
	case VIRTIO_BLK_T_FLUSH:
		return fdatasync(b->fd) == 0 ? VIRTIO_BLK_S_OK : VIRTIO_BLK_S_IOERR;
	case VIRTIO_BLK_T_GET_ID:
		*written = iov_write(c->in, c->nin, 0, b->serial,
				     in < sizeof(b->serial) ? in : sizeof(b->serial));
		return VIRTIO_BLK_S_OK;
	default:
		return VIRTIO_BLK_S_UNSUPP;
	}
}

static bool blk_serve(void *dev, struct virtq *q, unsigned int index)
{
	struct virtio_blk *b = dev;
	struct virtq_chain c;
	bool used = false;
	uint32_t written;
	uint8_t status;
	size_t in;

	(void)index;
	while (virtq_pop(q, &c)) {
		in = iov_len(c.in, c.nin);
		/* No room for a header or a status byte: not a request at all. */
		if (iov_len(c.out, c.nout) < sizeof(struct virtio_blk_outhdr) || !in) {
			q->broken = true;
			break;
		}
		written = 0;
		status = do_request(b, &c, &written);
		iov_write(c.in, c.nin, in - 1, &status, 1);
		virtq_push(q, &c, written + 1);
		used = true;
	}
	return used;
}

const struct virtio_dev_ops virtio_blk_ops = {
	.id = VIRTIO_ID_BLOCK,
	.nqueues = 1,
	.serve = blk_serve,
};

int virtio_blk_open(struct virtio_blk *b, const char *path, bool readonly, unsigned int index,
		    struct nvl_error *err)
{
	off_t size;
	int ret;

	memset(b, 0, sizeof(*b));
	b->readonly = readonly;
	b->fd = open(path, (readonly ? O_RDONLY : O_RDWR) | O_CLOEXEC);
	if (b->fd < 0)
		return nvl_fail(err, errno, "disk image %s cannot be opened: %s.%s", path,
				strerror(errno),
				readonly ? "" : " Add \",ro\" to use it read-only.");
	size = lseek(b->fd, 0, SEEK_END);
	if (size < SECTOR || size % SECTOR) {
		ret = nvl_fail(err, EINVAL,
			       "disk image %s is not a raw image: its size is not a multiple of 512 bytes.",
			       path);
		goto close_fd;
	}
	b->sectors = size / SECTOR;
	snprintf(b->serial, sizeof(b->serial), "nestvm-disk%u", index);
	b->config.capacity = b->sectors;
	b->config.seg_max = VIRTQ_MAX - 2;
	b->config.blk_size = SECTOR;
	return 0;

close_fd:
	close(b->fd);
	b->fd = -1;
	return ret;
}

int virtio_blk_lock(struct virtio_blk *b, const char *path, struct nvl_error *err)
{
	if (flock(b->fd, (b->readonly ? LOCK_SH : LOCK_EX) | LOCK_NB) < 0)
		return nvl_fail(err, errno,
				"disk image %s is in use by another VM: stop that one, or give each a copy.",
				path);
	return 0;
}

void virtio_blk_unlock(struct virtio_blk *b)
{
	flock(b->fd, LOCK_UN);
}

void virtio_blk_close(struct virtio_blk *b)
{
	close(b->fd);
}

uint64_t virtio_blk_features(const struct virtio_blk *b)
{
	return 1ull << VIRTIO_BLK_F_SEG_MAX | 1ull << VIRTIO_BLK_F_BLK_SIZE |
	       1ull << VIRTIO_BLK_F_FLUSH | 1ull << VIRTIO_RING_F_INDIRECT_DESC |
	       (b->readonly ? 1ull << VIRTIO_BLK_F_RO : 0);
}
