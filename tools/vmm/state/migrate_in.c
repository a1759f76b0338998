// SPDX-License-Identifier: GPL-2.0
#include "migrate.h"

#include "../machine.h"

#include "features.h"
#include "machine_id.h"
#include "peer.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define CONFIG_SECTION	"config"
#define CONFIG_MAX	(256u << 10)

struct migration {
	int fd;
	struct stream_in in;
	char *config;
};

static int read_config(struct migration *mi, struct nvl_error *err)
{
	struct stream_record rec;
	struct unpack u;
	int ret;

	ret = stream_in_init(&mi->in, mi->fd, err);
	if (ret < 0)
		return ret;
	if (mi->in.head.kind != STREAM_MIGRATION)
		return nvl_fail(err, EPROTO, "what came is no migration.");
	ret = stream_next(&mi->in, &rec, err);
	if (ret < 0)
		return ret;
	if (ret == 0 || strcmp(rec.name, CONFIG_SECTION) || rec.version != 1)
		return nvl_fail(err, EPROTO, "what came is no migration of this nestvm's.");
	unpack_init(&u, rec.data, rec.len, rec.version);
	mi->config = unpack_string(&u, CONFIG_MAX);
	if (!mi->config || !unpack_ok(&u))
		return nvl_fail(err, EBADMSG, "the VM's configuration did not come whole.");
	return 0;
}

int migration_from(int fd, struct migration **out, struct nvl_error *err)
{
	struct migration *mi;
	int ret;

	mi = calloc(1, sizeof(*mi));
	if (!mi) {
		close(fd);
		return nvl_fail(err, ENOMEM, "no memory left to receive a VM.");
	}
	mi->fd = fd;
	ret = read_config(mi, err);
	if (ret < 0) {
		migration_refuse(mi, "MIGRATE_REFUSED", err->text);
		migration_free(mi);
		return ret;
	}
	*out = mi;
	return 0;
}

int migration_accept(const char *where, struct migration **out, struct nvl_error *err)
{
	int listen_fd, fd;

	listen_fd = peer_listen(where, err);
	if (listen_fd < 0)
		return listen_fd;
	fd = peer_accept(listen_fd, err);
	close(listen_fd);
	return fd < 0 ? fd : migration_from(fd, out, err);
}

const char *migration_config(const struct migration *mi)
{
	return mi->config;
}

void migration_refuse(struct migration *mi, const char *id, const char *text)
{
	peer_say_no(mi->fd, id, text);
}

void migration_free(struct migration *mi)
{
	if (!mi)
		return;
	stream_in_free(&mi->in);
	if (mi->fd >= 0)
		close(mi->fd);
	free(mi->config);
	free(mi);
}

/* The first two records: whether this machine and this host fit. */
static int check_host(struct migration *mi, struct machine *m, struct nvl_error *err)
{
	struct stream_record rec;
	struct unpack u;
	int ret;

	ret = stream_next(&mi->in, &rec, err);
	if (ret == 1 && !strcmp(rec.name, MACHINE_SECTION) && rec.version == MACHINE_VERSION) {
		unpack_init(&u, rec.data, rec.len, rec.version);
		ret = machine_id_check(m, &u, err);
		if (ret == 0)
			ret = stream_next(&mi->in, &rec, err);
	}
	if (ret < 0)
		return ret;
	if (ret != 1 || strcmp(rec.name, FEATURES_SECTION) || rec.version != FEATURES_VERSION)
		return nvl_fail(err, EPROTO,
				"the source's nestvm has another version: both hosts need the same.");
	unpack_init(&u, rec.data, rec.len, rec.version);
	return features_check(m, &u, err);
}

static int load_all(struct migration *mi, struct machine *m, const struct state_watch *watch,
		    struct nvl_error *err)
{
	struct stream_record rec;
	struct state_load l;
	int ret;

	state_load_init(&l, m);
	while ((ret = stream_next(&mi->in, &rec, err)) == 1) {
		ret = state_load_record(&l, &rec, err);
		if (ret < 0)
			break;
		if (watch && mi->in.records % 64 == 0)
			watch->progress(watch->ctx, mi->in.bytes, 0);
	}
	if (ret == 0)
		ret = state_load_apply(&l, err);
	state_load_free(&l);
	return ret;
}

static int lock_disks(struct machine *m, struct nvl_error *err)
{
	unsigned int i;
	int ret = 0;

	for (i = 0; i < m->ndisks; i++) {
		ret = virtio_blk_lock(&m->disks[i], m->conf->disks[i].path, err);
		if (ret < 0)
			break;
	}
	/* The source, which is told so, takes them all back. */
	while (ret < 0 && i--)
		virtio_blk_unlock(&m->disks[i]);
	return ret;
}

static int receive(struct migration *mi, struct machine *m, const struct state_watch *watch,
		   struct nvl_error *err)
{
	char id[40];
	int ret;

	ret = check_host(mi, m, err);
	if (ret == 0)
		ret = peer_say(mi->fd, "ok", err);
	if (ret == 0)
		ret = load_all(mi, m, watch, err);
	if (ret == 0)
		ret = peer_say(mi->fd, "ready", err);
	if (ret == 0)
		ret = peer_expect(mi->fd, "go", id, err);
	if (ret == 0)
		ret = lock_disks(m, err);
	return ret;
}

int migration_load(struct migration *mi, struct machine *m, const struct state_watch *watch,
		   struct nvl_error *err)
{
	int ret;

	ret = machine_pause(m, err);
	if (ret < 0)
		return ret;
	ret = receive(mi, m, watch, err);
	if (ret < 0)
		migration_refuse(mi, ret == -EOPNOTSUPP ? "MIGRATE_FEATURES" : "MIGRATE_REFUSED",
				 err->text);
	else if (!m->operator_paused)
		machine_unpause(m);
	return ret;
}

void migration_started(void *ctx)
{
	struct migration *mi = ctx;

	/* A source that does not hear it finds its disks locked, or asks its operator. */
	peer_say(mi->fd, "running", NULL);
	close(mi->fd);
	mi->fd = -1;
}
