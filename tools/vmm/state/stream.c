// SPDX-License-Identifier: GPL-2.0
#include "stream.h"

#include "crc32c.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define HEAD_BYTES	64
#define RECORD_BYTES	40
#define RECORD_MARK	0x4352564e	/* "NVRC" */
#define BUFFER_BYTES	(64u << 10)
#define END_NAME	"end"
#define END_VERSION	1
#define END_BYTES	16

static const uint8_t magic[8] = "NESTVM\032\n";

uint64_t stream_digest(const void *data, size_t len)
{
	const uint8_t *p = data;
	uint64_t h = 0xcbf29ce484222325ull;	/* FNV-1a, 64 bits */

	while (len--)
		h = (h ^ *p++) * 0x100000001b3ull;
	return h;
}

static void put32(uint8_t *p, uint32_t v)
{
	unsigned int i;

	for (i = 0; i < 4; i++)
		p[i] = v >> (8 * i);
}

static void put64(uint8_t *p, uint64_t v)
{
	put32(p, v);
	put32(p + 4, v >> 32);
}

static uint32_t get32(const uint8_t *p)
{
	return p[0] | p[1] << 8 | p[2] << 16 | (uint32_t)p[3] << 24;
}

static uint64_t get64(const uint8_t *p)
{
	return get32(p) | (uint64_t)get32(p + 4) << 32;
}

/* Writing */

static int out_fail(struct stream_out *o, int errnum, struct nvl_error *err)
{
	if (!o->failed)
		o->failed = errnum;
	switch (o->failed) {
	case ENOSPC:
	case EDQUOT:
	case EFBIG:
		return nvl_fail(err, o->failed,
				"the state cannot be written: %s. Make room where it goes, or name another place.",
				strerror(o->failed));
	case EPIPE:
	case ECONNRESET:
		return nvl_fail(err, o->failed,
				"the state cannot be sent: the other side closed the connection.");
	case EAGAIN:
		return nvl_fail(err, ETIMEDOUT,
				"the state cannot be sent: the other side took nothing for too long.");
	default:
		return nvl_fail(err, o->failed, "the state cannot be written: %s.",
				strerror(o->failed));
	}
}

static int write_all(struct stream_out *o, const uint8_t *p, size_t len, struct nvl_error *err)
{
	ssize_t n;

	if (o->failed)
		return out_fail(o, o->failed, err);
	while (len) {
		n = write(o->fd, p, len);
		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return out_fail(o, n < 0 ? errno : EIO, err);
		p += n;
		len -= n;
	}
	return 0;
}

int stream_flush(struct stream_out *o, struct nvl_error *err)
{
	size_t n = o->fill;

	o->fill = 0;
	return write_all(o, o->buf, n, err);
}

static int put(struct stream_out *o, const void *data, size_t len, struct nvl_error *err)
{
	int ret;

	if (o->failed)
		return out_fail(o, o->failed, err);
	o->bytes += len;
	if (len > BUFFER_BYTES - o->fill) {
		ret = stream_flush(o, err);
		if (ret < 0)
			return ret;
	}
	if (len > BUFFER_BYTES)
		return write_all(o, data, len, err);
	if (len)
		memcpy(o->buf + o->fill, data, len);
	o->fill += len;
	return 0;
}

int stream_out_init(struct stream_out *o, int fd, const struct stream_head *head,
		    struct nvl_error *err)
{
	uint8_t h[HEAD_BYTES] = { 0 };

	memset(o, 0, sizeof(*o));
	o->fd = fd;
	o->buf = malloc(BUFFER_BYTES);
	if (!o->buf)
		return nvl_fail(err, ENOMEM, "no memory left to write the state.");
	memcpy(h, magic, sizeof(magic));
	put32(h + 8, STREAM_FORMAT);
	put32(h + 12, head->kind);
	put64(h + 16, head->digest);
	put64(h + 24, head->created ? head->created : (uint64_t)time(NULL));
	put32(h + 60, crc32c(0, h, 60));
	o->sum = crc32c(0, h, sizeof(h));
	return put(o, h, sizeof(h), err);
}

int stream_put2(struct stream_out *o, const char *name, uint32_t version, const void *head,
		size_t head_len, const void *data, size_t len, struct nvl_error *err)
{
	uint8_t r[RECORD_BYTES] = { 0 };
	size_t name_len = strlen(name);
	int ret;

	if (!name_len || name_len > STREAM_NAME_MAX || head_len > STREAM_RECORD_MAX ||
	    len > STREAM_RECORD_MAX - head_len)
		return nvl_fail(err, EINVAL,
				"section \"%s\" of the state, %zu bytes, is too long for a stream.",
				name, head_len + len);
	put32(r, RECORD_MARK);
	put32(r + 4, o->records);
	memcpy(r + 8, name, name_len);
	put32(r + 24, version);
	put32(r + 28, head_len + len);
	put32(r + 32, crc32c(crc32c(0, head, head_len), data, len));
	put32(r + 36, crc32c(0, r, 36));
	o->sum = crc32c(o->sum, r, sizeof(r));
	o->records++;

	ret = put(o, r, sizeof(r), err);
	if (ret == 0)
		ret = put(o, head, head_len, err);
	return ret < 0 ? ret : put(o, data, len, err);
}

int stream_put(struct stream_out *o, const char *name, uint32_t version, const void *data,
	       size_t len, struct nvl_error *err)
{
	return stream_put2(o, name, version, NULL, 0, data, len, err);
}

int stream_put_pack(struct stream_out *o, const char *name, uint32_t version,
		    const struct pack *p, struct nvl_error *err)
{
	if (p->failed)
		return nvl_fail(err, ENOMEM, "no memory left for section \"%s\" of the state.",
				name);
	return stream_put(o, name, version, p->data, p->len, err);
}

int stream_put_end(struct stream_out *o, struct nvl_error *err)
{
	uint8_t e[END_BYTES];
	int ret;

	put64(e, o->bytes);
	put32(e + 8, o->records);
	put32(e + 12, o->sum);
	ret = stream_put(o, END_NAME, END_VERSION, e, sizeof(e), err);
	return ret < 0 ? ret : stream_flush(o, err);
}

void stream_out_free(struct stream_out *o)
{
	free(o->buf);
	o->buf = NULL;
}

/* Reading */

static int damaged(struct nvl_error *err, const struct stream_in *in, const char *what)
{
	return nvl_fail(err, EBADMSG,
			"the state is damaged: %s (record %u, at byte %llu). Nothing was changed.",
			what, in->records, (unsigned long long)in->bytes);
}

static int read_all(struct stream_in *in, uint8_t *p, size_t len, struct nvl_error *err)
{
	ssize_t n;

	while (len) {
		n = read(in->fd, p, len);
		if (n < 0 && errno == EINTR)
			continue;
		/* A connection has a limit, which is told as what it is. */
		if (n < 0 && (errno == EAGAIN || errno == EWOULDBLOCK))
			return nvl_fail(err, ETIMEDOUT,
					"the other side sent nothing for too long.");
		if (n < 0)
			return nvl_fail(err, errno, "the state cannot be read: %s.",
					strerror(errno));
		if (!n)
			return damaged(err, in, "it ends too early");
		p += n;
		len -= n;
		in->bytes += n;
	}
	return 0;
}

int stream_in_init(struct stream_in *in, int fd, struct nvl_error *err)
{
	uint8_t h[HEAD_BYTES];
	uint32_t format, i;
	int ret;

	memset(in, 0, sizeof(*in));
	in->fd = fd;
	ret = read_all(in, h, sizeof(h), err);
	if (ret < 0)
		return ret;
	if (memcmp(h, magic, sizeof(magic)))
		return nvl_fail(err, EINVAL, "this is not a state that nestvm has written.");
	if (get32(h + 60) != crc32c(0, h, 60))
		return damaged(err, in, "its header's checksum is wrong");
	format = get32(h + 8);
	if (format != STREAM_FORMAT)
		return nvl_fail(err, EPROTO,
				"the state has format %u, this nestvm knows format %u: use the nestvm that wrote it.",
				format, STREAM_FORMAT);
	in->head.kind = get32(h + 12);
	in->head.digest = get64(h + 16);
	in->head.created = get64(h + 24);
	if (in->head.kind < STREAM_SAVED || in->head.kind > STREAM_MIGRATION)
		return damaged(err, in, "its kind is unknown");
	for (i = 32; i < 60; i++)
		if (h[i])
			return damaged(err, in, "its header has bits this format has no use for");
	in->sum = crc32c(0, h, sizeof(h));
	return 0;
}

static int record_head(struct stream_in *in, struct stream_record *rec, const uint8_t *r,
		       struct nvl_error *err)
{
	size_t n;

	if (get32(r) != RECORD_MARK || get32(r + 36) != crc32c(0, r, 36))
		return damaged(err, in, "the head of a record is not whole");
	if (get32(r + 4) != in->records)
		return damaged(err, in, "a record is missing, doubled or in the wrong place");
	memcpy(rec->name, r + 8, STREAM_NAME_MAX);
	rec->name[STREAM_NAME_MAX] = '\0';
	n = strlen(rec->name);
	for (; n < STREAM_NAME_MAX; n++)
		if (rec->name[n])
			return damaged(err, in, "a record's name is not a name");
	rec->version = get32(r + 24);
	rec->len = get32(r + 28);
	if (rec->len > STREAM_RECORD_MAX)
		return damaged(err, in, "a record is longer than any may be");
	return 0;
}

static int make_room(struct stream_in *in, size_t len, struct nvl_error *err)
{
	uint8_t *more;

	if (len <= in->room)
		return 0;
	more = realloc(in->data, len);
	if (!more)
		return nvl_fail(err, ENOMEM, "no memory left to read the state.");
	in->data = more;
	in->room = len;
	return 0;
}

static int check_end(struct stream_in *in, const struct stream_record *rec, uint64_t bytes,
		     struct nvl_error *err)
{
	if (rec->version != END_VERSION || rec->len != END_BYTES || get64(rec->data) != bytes ||
	    get32(rec->data + 8) != in->records || get32(rec->data + 12) != in->sum)
		return damaged(err, in, "its end does not fit what came before");
	return 0;
}

int stream_next(struct stream_in *in, struct stream_record *rec, struct nvl_error *err)
{
	uint8_t r[RECORD_BYTES];
	uint64_t bytes = in->bytes;
	int ret;

	ret = read_all(in, r, sizeof(r), err);
	if (ret == 0)
		ret = record_head(in, rec, r, err);
	if (ret == 0)
		ret = make_room(in, rec->len, err);
	if (ret == 0)
		ret = read_all(in, in->data, rec->len, err);
	if (ret < 0)
		return ret;
	rec->data = in->data;
	if (crc32c(0, in->data, rec->len) != get32(r + 32))
		return damaged(err, in, "a record's checksum is wrong");
	if (!strcmp(rec->name, END_NAME))
		return check_end(in, rec, bytes, err);
	in->sum = crc32c(in->sum, r, sizeof(r));
	in->records++;
	return 1;
}

void stream_in_free(struct stream_in *in)
{
	free(in->data);
	in->data = NULL;
	in->room = 0;
}
