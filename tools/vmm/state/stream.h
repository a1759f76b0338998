/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A state stream: what a saved VM, a checkpoint and a migration are made of.
 * All numbers are little endian.
 *
 *   header	64 bytes: "NESTVM\032\n", format, kind, digest of the configuration,
 *		time, checksum
 *   record	40 bytes: mark, number, name, version, length and checksum of what
 *		follows, checksum of the record's own head; then its bytes
 *   ...
 *   record	"end": bytes and records before it, and a checksum over the heads
 *		of them all, each of which holds the checksum of its contents
 *
 * So a flipped bit is found in the record where it is, and a record that is
 * missing, doubled or moved at its head or at the end. Nothing after the end
 * belongs to a stream. A file appears under its name only when it is complete
 * and on the disk (stream_file_*).
 */
#ifndef VMM_STATE_STREAM_H
#define VMM_STATE_STREAM_H

#include "pack.h"

#include "../../lib/libnestvm.h"

#define STREAM_FORMAT	1
#define STREAM_NAME_MAX	16
/* No record is longer; a reader's memory is bounded by it. */
#define STREAM_RECORD_MAX (16u << 20)

enum stream_kind { STREAM_SAVED = 1, STREAM_CHECKPOINT = 2, STREAM_MIGRATION = 3 };

struct stream_head {
	enum stream_kind kind;
	uint64_t digest;		/* of the configuration the state belongs to */
	uint64_t created;		/* seconds since 1970 */
};

/* Of a configuration's text, for stream_head. Not a secret, not a signature. */
uint64_t stream_digest(const void *data, size_t len);

struct stream_out {
	int fd;
	uint64_t bytes;			/* written, or waiting in buf */
	uint32_t records;
	uint32_t sum;
	int failed;			/* errno of the first failure */
	size_t fill;
	uint8_t *buf;
};

/* All of them: 0 or a negative errno, with the sentence in @err. */
int stream_out_init(struct stream_out *o, int fd, const struct stream_head *head,
		    struct nvl_error *err);
int stream_put(struct stream_out *o, const char *name, uint32_t version, const void *data,
	       size_t len, struct nvl_error *err);
/* The same from two pieces. */
int stream_put2(struct stream_out *o, const char *name, uint32_t version, const void *head,
		size_t head_len, const void *data, size_t len, struct nvl_error *err);
/* Fails too when @p has failed. */
int stream_put_pack(struct stream_out *o, const char *name, uint32_t version,
		    const struct pack *p, struct nvl_error *err);
int stream_flush(struct stream_out *o, struct nvl_error *err);
/* The end record, and everything out of the buffer. */
int stream_put_end(struct stream_out *o, struct nvl_error *err);
void stream_out_free(struct stream_out *o);

struct stream_record {
	char name[STREAM_NAME_MAX + 1];
	uint32_t version;
	uint32_t len;
	const uint8_t *data;		/* until the next call */
};

struct stream_in {
	int fd;
	struct stream_head head;
	uint64_t bytes;
	uint32_t records;
	uint32_t sum;
	uint8_t *data;
	size_t room;
};

int stream_in_init(struct stream_in *in, int fd, struct nvl_error *err);
/* 1: a record, its checksums are right; 0: the end was there and fits all before it. */
int stream_next(struct stream_in *in, struct stream_record *rec, struct nvl_error *err);
void stream_in_free(struct stream_in *in);

/* A stream that becomes the file @path by stream_file_commit(), or leaves no trace. */
struct stream_file {
	struct stream_out out;
	int fd, dir_fd;
	char *path;
	char *temp;
};

int stream_file_create(struct stream_file *f, const char *path, const struct stream_head *head,
		       struct nvl_error *err);
/* End record, fsync, rename over @path, fsync of the directory. Frees @f either way. */
int stream_file_commit(struct stream_file *f, struct nvl_error *err);
void stream_file_abort(struct stream_file *f);
/* Opens @path and leaves the reader after the header. */
int stream_file_open(struct stream_in *in, const char *path, struct nvl_error *err);
void stream_file_close(struct stream_in *in);
/* Reads all of @path to its end record, and that nothing follows. */
int stream_file_verify(const char *path, struct stream_head *head, struct nvl_error *err);

#endif
