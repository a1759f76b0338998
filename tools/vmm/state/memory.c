// SPDX-License-Identifier: GPL-2.0
/*
 * Guest memory in records of up to 1 MB: an address, a number of pages, and the
 * pages as they are, packed by zstd, or not at all when they are zero.
 */
#include "memory.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <zstd.h>

#define CHUNK_PAGES	256u
#define CHUNK_BYTES	(CHUNK_PAGES * PAGE_BYTES)
#define HEAD_BYTES	16u
/* Fast rather than small: the VM stands still meanwhile. */
#define ZSTD_LEVEL	1

enum { AS_IS = 0, ZSTD = 1, ZEROS = 2 };

struct state_memory {
	bool compress;
	ZSTD_CCtx *zstd;
	size_t room;
	uint8_t *buf;
	uint8_t *still;			/* a copy: the guest may write meanwhile */
};

struct state_memory *state_memory_new(bool compress, struct nvl_error *err)
{
	struct state_memory *sm = calloc(1, sizeof(*sm));

	if (!sm) {
		nvl_fail(err, ENOMEM, "no memory left to write guest memory.");
		return NULL;
	}
	sm->compress = compress;
	sm->still = malloc(CHUNK_BYTES);
	if (!sm->still) {
		state_memory_free(sm);
		nvl_fail(err, ENOMEM, "no memory left to write guest memory.");
		return NULL;
	}
	if (!compress)
		return sm;
	sm->room = ZSTD_compressBound(CHUNK_BYTES);
	sm->zstd = ZSTD_createCCtx();
	sm->buf = malloc(sm->room);
	if (!sm->zstd || !sm->buf) {
		state_memory_free(sm);
		nvl_fail(err, ENOMEM, "no memory left to compress guest memory.");
		return NULL;
	}
	return sm;
}

void state_memory_free(struct state_memory *sm)
{
	if (!sm)
		return;
	ZSTD_freeCCtx(sm->zstd);
	free(sm->buf);
	free(sm->still);
	free(sm);
}

static bool is_zero(const uint8_t *page)
{
	static const uint8_t zeros[PAGE_BYTES];

	return !memcmp(page, zeros, PAGE_BYTES);
}

static int put_chunk(struct state_memory *sm, struct stream_out *o, uint64_t gpa,
		     const uint8_t *p, uint32_t pages, bool zeros, struct nvl_error *err)
{
	size_t len = zeros ? 0 : (size_t)pages * PAGE_BYTES, n;
	uint8_t kind = zeros ? ZEROS : AS_IS;
	struct pack head;
	int ret;

	/* One copy for the checksum and for what is written. */
	if (!zeros)
		p = memcpy(sm->still, p, len);
	if (sm->compress && !zeros) {
		n = ZSTD_compressCCtx(sm->zstd, sm->buf, sm->room, p, len, ZSTD_LEVEL);
		if (!ZSTD_isError(n) && n < len) {
			kind = ZSTD;
			p = sm->buf;
			len = n;
		}
	}
	pack_init(&head);
	pack_u64(&head, gpa);
	pack_u32(&head, pages);
	pack_u32(&head, kind);
	ret = head.failed ? nvl_fail(err, ENOMEM, "no memory left to write guest memory.") :
	      stream_put2(o, MEMORY_SECTION, MEMORY_VERSION, head.data, head.len, p, len, err);
	pack_free(&head);
	return ret;
}

int state_memory_put(struct state_memory *sm, struct stream_out *o, const struct nvl_memory *mem,
		     uint64_t first, uint64_t n, bool tell_zeros, struct nvl_error *err)
{
	uint64_t end = first + n, i = first, run;
	bool zeros;
	int ret;

	while (i < end) {
		zeros = is_zero(mem->host + i * PAGE_BYTES);
		for (run = 1; i + run < end && run < CHUNK_PAGES; run++)
			if (is_zero(mem->host + (i + run) * PAGE_BYTES) != zeros)
				break;
		if (!zeros || tell_zeros) {
			ret = put_chunk(sm, o, mem->gpa + i * PAGE_BYTES,
					mem->host + i * PAGE_BYTES, run, zeros, err);
			if (ret < 0)
				return ret;
		}
		i += run;
	}
	return 0;
}

static int bad(struct nvl_error *err, const char *what)
{
	return nvl_fail(err, EBADMSG, "the state's memory is not what nestvm writes: %s.", what);
}

int memory_get(struct nvl_vm *vm, void **zstd, const struct stream_record *rec, uint64_t *bytes,
	       struct nvl_error *err)
{
	struct unpack u;
	uint32_t pages, kind;
	size_t len, want;
	uint64_t gpa;
	void *to;

	unpack_init(&u, rec->data, rec->len, rec->version);
	gpa = unpack_u64(&u);
	pages = unpack_u32(&u);
	kind = unpack_u32(&u);
	if (u.failed || !pages || pages > CHUNK_PAGES || gpa % PAGE_BYTES)
		return bad(err, "a record's head");
	want = (size_t)pages * PAGE_BYTES;
	len = rec->len - HEAD_BYTES;
	to = nvl_vm_ptr(vm, gpa, want);
	if (!to)
		return bad(err, "an address where this VM has no memory");
	switch (kind) {
	case AS_IS:
		if (len != want)
			return bad(err, "a record's length");
		memcpy(to, rec->data + HEAD_BYTES, want);
		break;
	case ZSTD:
		if (!*zstd)
			*zstd = ZSTD_createDCtx();
		if (!*zstd)
			return nvl_fail(err, ENOMEM, "no memory left to read guest memory.");
		if (ZSTD_decompressDCtx(*zstd, to, want, rec->data + HEAD_BYTES, len) != want)
			return bad(err, "compressed pages");
		break;
	case ZEROS:
		if (len)
			return bad(err, "a record's length");
		memset(to, 0, want);
		break;
	default:
		return bad(err, "a record's kind");
	}
	*bytes += want;
	return 0;
}

void memory_zstd_free(void *zstd)
{
	ZSTD_freeDCtx(zstd);
}
