// SPDX-License-Identifier: GPL-2.0
#include "migrate.h"

#include "../clock.h"
#include "../machine.h"

#include "features.h"
#include "machine_id.h"
#include "memory.h"
#include "peer.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* Pages between two looks at who watches: 16 MB. */
#define WATCH_PAGES 4096u
/* Less than this is sent faster than a round is worth. */
#define REST_MIN (1u << 20)

struct sending {
	struct machine *m;
	int fd;
	struct stream_out out;
	struct state_memory *sm;
	uint64_t *bitmap[16];		/* by piece: written and not sent */
	unsigned int npieces;
	const struct state_watch *watch;
	struct migrate_result *result;
};

static uint64_t pages_of(struct sending *s, unsigned int i)
{
	return nvl_vm_piece(s->m->vm, i).size / PAGE_BYTES;
}

/* A vCPU cannot be asked while it runs, and one that sleeps may do so for hours. */
static int pack_features(struct machine *m, struct pack *p, struct nvl_error *err)
{
	int ret;

	ret = machine_pause(m, err);
	if (ret < 0)
		return ret;
	ret = features_save(m, p, err);
	machine_unpause(m);
	return ret;
}

static int hello(struct sending *s, const char *config, struct nvl_error *err)
{
	struct pack p;
	int ret;

	pack_init(&p);
	pack_string(&p, config ? config : "");
	ret = stream_put_pack(&s->out, "config", 1, &p, err);
	pack_free(&p);
	if (ret < 0)
		return ret;
	machine_id_pack(s->m, &p);
	ret = stream_put_pack(&s->out, MACHINE_SECTION, MACHINE_VERSION, &p, err);
	pack_free(&p);
	if (ret < 0)
		return ret;
	ret = pack_features(s->m, &p, err);
	if (ret == 0)
		ret = stream_put_pack(&s->out, FEATURES_SECTION, FEATURES_VERSION, &p, err);
	pack_free(&p);
	if (ret == 0)
		ret = stream_flush(&s->out, err);
	/* A target that refuses may do so before it has read all of this. */
	if (ret < 0 && ret != -EPIPE && ret != -ECONNRESET)
		return ret;
	return peer_expect(s->fd, "ok", s->result->id, err);
}

static bool wanted(const uint64_t *bitmap, uint64_t page)
{
	return bitmap[page / 64] >> page % 64 & 1;
}

/* All pages of a round's bitmap; @total is what the watcher is told of. */
static int send_marked(struct sending *s, unsigned int i, bool tell_zeros, uint64_t *done,
		       uint64_t total, struct nvl_error *err)
{
	struct nvl_memory mem = nvl_vm_piece(s->m->vm, i);
	uint64_t n = pages_of(s, i), page = 0, run;
	int ret;

	while (page < n) {
		if (page % 64 == 0 && !s->bitmap[i][page / 64]) {
			page += 64;
			continue;
		}
		for (run = 0; page + run < n && run < WATCH_PAGES &&
		     wanted(s->bitmap[i], page + run); run++)
			;
		if (!run) {
			page++;
			continue;
		}
		ret = state_memory_put(s->sm, &s->out, &mem, page, run, tell_zeros, err);
		if (ret < 0)
			return ret;
		page += run;
		*done += run * PAGE_BYTES;
		if (s->watch && !s->watch->progress(s->watch->ctx, *done, total))
			return nvl_fail(err, ECANCELED, "migrating was given up; the VM goes on.");
	}
	return 0;
}

static uint64_t count_marked(struct sending *s)
{
	uint64_t n = 0, w;
	unsigned int i;

	for (i = 0; i < s->npieces; i++)
		for (w = 0; w < (pages_of(s, i) + 63) / 64; w++)
			n += __builtin_popcountll(s->bitmap[i][w]);
	return n * PAGE_BYTES;
}

static int read_marks(struct sending *s, struct nvl_error *err)
{
	unsigned int i;
	int ret;

	for (i = 0; i < s->npieces; i++) {
		memset(s->bitmap[i], 0, (pages_of(s, i) + 63) / 64 * 8);
		ret = nvl_vm_dirty(s->m->vm, i, s->bitmap[i], err);
		if (ret < 0)
			return ret;
	}
	return 0;
}

static int send_round(struct sending *s, bool tell_zeros, struct nvl_error *err)
{
	uint64_t done = 0, total = count_marked(s);
	unsigned int i;
	int ret;

	for (i = 0; i < s->npieces; i++) {
		ret = send_marked(s, i, tell_zeros, &done, total, err);
		if (ret < 0)
			return ret;
	}
	s->result->rounds++;
	return stream_flush(&s->out, err);
}

/* While the guest runs, until what is left goes in @downtime_ms. */
static int precopy(struct sending *s, unsigned int downtime_ms, struct nvl_error *err)
{
	uint64_t began, sent, ms, rest;
	unsigned int i;
	int ret;

	for (i = 0; i < s->npieces; i++)
		memset(s->bitmap[i], 0xff, (pages_of(s, i) + 63) / 64 * 8);
	for (;;) {
		began = clock_ms();
		sent = s->out.bytes;
		ret = send_round(s, s->result->rounds > 0, err);
		if (ret == 0)
			ret = read_marks(s, err);
		if (ret < 0)
			return ret;
		ms = clock_ms() - began + 1;
		sent = s->out.bytes - sent + 1;
		rest = count_marked(s);
		if (rest <= REST_MIN || rest / (sent / ms + 1) < downtime_ms ||
		    s->result->rounds >= MIGRATE_ROUNDS_MAX)
			return 0;
	}
}

/* The guest stands still: what it wrote last, and everything but memory. */
static int send_rest(struct sending *s, struct nvl_error *err)
{
	uint64_t *more;
	unsigned int i;
	uint64_t w;
	int ret;

	for (i = 0; i < s->npieces; i++) {
		/* The marks of the last look are not sent yet, and there are new ones. */
		more = calloc((pages_of(s, i) + 63) / 64, 8);
		if (!more)
			return nvl_fail(err, ENOMEM, "no memory left to migrate.");
		ret = nvl_vm_dirty(s->m->vm, i, more, err);
		for (w = 0; w < (pages_of(s, i) + 63) / 64; w++)
			s->bitmap[i][w] |= more[w];
		free(more);
		if (ret < 0)
			return ret;
	}
	ret = send_round(s, true, err);
	if (ret == 0)
		ret = state_put_machine(s->m, &s->out, err);
	if (ret == 0)
		ret = stream_put_end(&s->out, err);
	return ret;
}

static void unlock_disks(struct machine *m)
{
	unsigned int i;

	for (i = 0; i < m->ndisks; i++)
		virtio_blk_unlock(&m->disks[i]);
}

/* Whether there is a disk that only one side can have, and whether this side got it. */
static bool lock_disks_back(struct machine *m, bool *arbiter)
{
	unsigned int i;

	*arbiter = false;
	for (i = 0; i < m->ndisks; i++) {
		if (virtio_blk_lock(&m->disks[i], m->conf->disks[i].path, NULL) < 0) {
			while (i--)
				virtio_blk_unlock(&m->disks[i]);
			return false;
		}
		*arbiter |= !m->conf->disks[i].readonly;
	}
	return true;
}

/* A process that was killed holds its locks until the kernel has freed all that it had. */
static bool wait_for_disks(struct machine *m, bool *arbiter)
{
	const struct timespec nap = { .tv_nsec = 50 * 1000 * 1000 };
	int64_t until = clock_ms() + PEER_TIMEOUT_SECONDS * 1000;

	while (!lock_disks_back(m, arbiter)) {
		if (clock_ms() > until)
			return false;
		nanosleep(&nap, NULL);
	}
	return true;
}

/*
 * From "go" on the target may run the guest. If nobody tells, a disk does: who
 * has its lock has the VM. A target that says no does not have it, whatever the
 * locks say.
 */
static int hand_over(struct sending *s, struct nvl_error *err)
{
	bool arbiter, mine;
	int ret;

	unlock_disks(s->m);
	ret = peer_say(s->fd, "go", err);
	if (ret == 0)
		ret = peer_expect(s->fd, "running", s->result->id, err);
	if (ret == 0)
		return 0;
	/* The connection ends here, and with it what a target still waits for. */
	close(s->fd);
	s->fd = -1;
	mine = wait_for_disks(s->m, &arbiter);
	if (mine && (arbiter || ret == -EREMOTE))
		return ret;
	if (!mine && ret != -EREMOTE)
		return 0;
	s->result->uncertain = true;
	return nvl_fail(err, -ret,
			"%s (%s): it is paused here. Look there; if it does not run, \"nestvm unpause\" lets it go on here.",
			mine ? "the target did not tell whether the VM runs there, and the VM has no disk that would" :
			       "the target does not run the VM, and somebody else has its disks",
			strerror(-ret));
}

static int send_all(struct sending *s, const char *config, unsigned int downtime_ms,
		    struct nvl_error *err)
{
	uint64_t paused;
	int ret;

	ret = hello(s, config, err);
	if (ret == 0)
		ret = precopy(s, downtime_ms, err);
	if (ret < 0)
		return ret;
	paused = clock_ms();
	ret = machine_pause(s->m, err);
	if (ret < 0)
		return ret;
	ret = send_rest(s, err);
	/* What it says tells more than that it does not listen any more. */
	if (ret == 0 || ret == -EPIPE || ret == -ECONNRESET)
		ret = peer_expect(s->fd, "ready", s->result->id, err);
	if (ret == 0)
		ret = hand_over(s, err);
	s->result->downtime_ms = clock_ms() - paused;
	if (ret < 0 && !s->result->uncertain)
		machine_unpause(s->m);
	return ret;
}

static int prepare(struct sending *s, const char *where, struct nvl_error *err)
{
	struct stream_head head = { .kind = STREAM_MIGRATION, .digest = state_digest(s->m) };
	unsigned int i;

	s->npieces = nvl_vm_pieces(s->m->vm);
	if (s->npieces > sizeof(s->bitmap) / sizeof(s->bitmap[0]))
		return nvl_fail(err, EINVAL, "the VM has more pieces of memory than expected.");
	for (i = 0; i < s->npieces; i++) {
		s->bitmap[i] = calloc((pages_of(s, i) + 63) / 64, 8);
		if (!s->bitmap[i])
			return nvl_fail(err, ENOMEM, "no memory left to migrate.");
	}
	s->sm = state_memory_new(false, err);
	if (!s->sm)
		return -ENOMEM;
	s->fd = peer_connect(where, err);
	if (s->fd < 0)
		return s->fd;
	return stream_out_init(&s->out, s->fd, &head, err);
}

int migrate_out(struct machine *m, const char *where, const char *config,
		unsigned int downtime_ms, const struct state_watch *watch,
		struct migrate_result *result, struct nvl_error *err)
{
	struct sending s = { .m = m, .fd = -1, .watch = watch, .result = result };
	uint64_t began = clock_ms();
	unsigned int i;
	int ret;

	memset(result, 0, sizeof(*result));
	ret = state_possible(m, err);
	if (ret == 0)
		ret = prepare(&s, where, err);
	if (ret == 0)
		ret = nvl_vm_log_dirty(m->vm, true, err);
	if (ret == 0) {
		ret = send_all(&s, config, downtime_ms, err);
		nvl_vm_log_dirty(m->vm, false, NULL);
	}
	result->bytes = s.out.bytes;
	result->total_ms = clock_ms() - began;
	stream_out_free(&s.out);
	state_memory_free(s.sm);
	for (i = 0; i < s.npieces && i < sizeof(s.bitmap) / sizeof(s.bitmap[0]); i++)
		free(s.bitmap[i]);
	if (s.fd >= 0)
		close(s.fd);
	return ret;
}
