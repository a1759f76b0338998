// SPDX-License-Identifier: GPL-2.0
#include "state.h"

#include "../machine.h"

#include "features.h"
#include "machine_id.h"
#include "memory.h"
#include "parts.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* What a stream may make us hold; the largest machine needs a tenth. */
#define HELD_MAX (64u << 20)

struct state_section {
	struct state_section *next;
	char name[STREAM_NAME_MAX + 1];
	uint32_t version;
	size_t len;
	bool used;
	uint8_t data[];
};

void state_load_init(struct state_load *l, struct machine *m)
{
	memset(l, 0, sizeof(*l));
	l->m = m;
}

void state_load_free(struct state_load *l)
{
	struct state_section *s;

	while ((s = l->sections)) {
		l->sections = s->next;
		free(s);
	}
	memory_zstd_free(l->zstd);
	l->zstd = NULL;
}

static struct state_section *find(struct state_load *l, const char *name)
{
	struct state_section *s;

	for (s = l->sections; s; s = s->next)
		if (!strcmp(s->name, name))
			return s;
	return NULL;
}

static int hold(struct state_load *l, const struct stream_record *rec, struct nvl_error *err)
{
	struct state_section *s;

	if (find(l, rec->name))
		return nvl_fail(err, EBADMSG, "the state has section \"%s\" twice.", rec->name);
	if (rec->len > HELD_MAX - l->held)
		return nvl_fail(err, EBADMSG, "the state's sections are larger than any machine's.");
	s = malloc(sizeof(*s) + rec->len);
	if (!s)
		return nvl_fail(err, ENOMEM, "no memory left to read the state.");
	l->held += rec->len + sizeof(*s);
	if (l->held > HELD_MAX)
		l->held = HELD_MAX;
	*s = (struct state_section) {
		.next = l->sections, .version = rec->version, .len = rec->len,
	};
	snprintf(s->name, sizeof(s->name), "%s", rec->name);
	memcpy(s->data, rec->data, rec->len);
	l->sections = s;
	return 0;
}

int state_load_record(struct state_load *l, const struct stream_record *rec,
		      struct nvl_error *err)
{
	if (strcmp(rec->name, MEMORY_SECTION))
		return hold(l, rec, err);
	if (rec->version != MEMORY_VERSION)
		return nvl_fail(err, EPROTO,
				"the state's memory has version %u, this nestvm knows %u: use the nestvm that wrote it.",
				rec->version, MEMORY_VERSION);
	return memory_get(l->m->vm, &l->zstd, rec, &l->memory, err);
}

static int take(struct state_load *l, const char *name, uint32_t newest, struct unpack *u,
		struct nvl_error *err)
{
	struct state_section *s = find(l, name);

	if (!s)
		return nvl_fail(err, EBADMSG, "the state lacks section \"%s\".", name);
	if (!s->version || s->version > newest)
		return nvl_fail(err, EPROTO,
				"section \"%s\" of the state has version %u, this nestvm knows up to %u: use the nestvm that wrote it.",
				name, s->version, newest);
	s->used = true;
	unpack_init(u, s->data, s->len, s->version);
	return 0;
}

/* By name what this host lacks; states from before the section was there do without. */
static int check_features(struct state_load *l, struct nvl_error *err)
{
	struct unpack u;
	int ret;

	if (!find(l, FEATURES_SECTION))
		return 0;
	ret = take(l, FEATURES_SECTION, FEATURES_VERSION, &u, err);
	return ret < 0 ? ret : features_check(l->m, &u, err);
}

static int load_cpus(struct state_load *l, struct nvl_error *err)
{
	uint64_t host_tsc = cpu_host_tsc();
	char name[STREAM_NAME_MAX + 1];
	struct unpack u;
	unsigned int i;
	int ret;

	for (i = 0; i < l->m->ncpus; i++) {
		snprintf(name, sizeof(name), CPU_SECTION "%u", i);
		ret = take(l, name, CPU_VERSION, &u, err);
		if (ret == 0)
			ret = cpu_state_load(l->m, i, host_tsc, &u, err);
		if (ret < 0)
			return ret;
	}
	return 0;
}

static int load_devices(struct state_load *l, struct nvl_error *err)
{
	const struct state_ops *ops;
	char name[STREAM_NAME_MAX + 1];
	struct unpack u;
	unsigned int i;
	void *dev;
	int ret;

	for (i = 0; (ops = devices_state_at(l->m, i, &dev, name)); i++) {
		if (!dev)
			continue;
		ret = take(l, name, ops->version, &u, err);
		if (ret < 0)
			return ret;
		if (!ops->load(dev, &u))
			return nvl_fail(err, EBADMSG,
					"section \"%s\" of the state is not what nestvm writes.",
					name);
	}
	return 0;
}

/* Who has no control socket could never let it go on. */
static int load_paused(struct state_load *l, struct nvl_error *err)
{
	struct unpack u;
	bool paused;
	int ret;

	if (!find(l, PAUSED_SECTION))
		return 0;
	ret = take(l, PAUSED_SECTION, PAUSED_VERSION, &u, err);
	if (ret < 0)
		return ret;
	paused = unpack_bool(&u);
	if (!unpack_ok(&u))
		return nvl_fail(err, EBADMSG,
				"section \"" PAUSED_SECTION "\" of the state is not what nestvm writes.");
	l->m->operator_paused = paused && l->m->conf->control_path;
	return 0;
}

int state_load_apply(struct state_load *l, struct nvl_error *err)
{
	struct state_section *s;
	struct unpack u;
	int ret;

	ret = take(l, MACHINE_SECTION, MACHINE_VERSION, &u, err);
	if (ret == 0)
		ret = machine_id_check(l->m, &u, err);
	if (ret == 0)
		ret = check_features(l, err);
	if (ret == 0)
		ret = load_paused(l, err);
	if (ret == 0)
		ret = load_cpus(l, err);
	if (ret == 0)
		ret = take(l, IRQCHIP_SECTION, IRQCHIP_VERSION, &u, err);
	if (ret == 0)
		ret = irqchip_state_load(l->m, &u, err);
	if (ret == 0)
		ret = load_devices(l, err);
	for (s = l->sections; ret == 0 && s; s = s->next)
		if (!s->used)
			ret = nvl_fail(err, EINVAL,
				       "the state has section \"%s\" of a device that this VM does not have.",
				       s->name);
	return ret;
}

static int load_records(struct state_load *l, struct stream_in *in,
			const struct state_watch *watch, struct nvl_error *err)
{
	uint64_t total = l->m->ram_low + l->m->ram_high;
	struct stream_record rec;
	int ret;

	while ((ret = stream_next(in, &rec, err)) == 1) {
		ret = state_load_record(l, &rec, err);
		if (ret < 0)
			return ret;
		if (watch && in->records % 64 == 0 &&
		    !watch->progress(watch->ctx, l->memory, total))
			return nvl_fail(err, ECANCELED, "loading was given up.");
	}
	return ret < 0 ? ret : state_load_apply(l, err);
}

int state_load_file(struct machine *m, const char *path, const struct state_watch *watch,
		    struct nvl_error *err)
{
	struct state_load l;
	struct stream_in in;
	int ret;

	ret = stream_file_verify(path, NULL, err);
	if (ret < 0)
		return ret;
	ret = stream_file_open(&in, path, err);
	if (ret < 0)
		return ret;
	state_load_init(&l, m);
	ret = load_records(&l, &in, watch, err);
	state_load_free(&l);
	stream_file_close(&in);
	return ret;
}

int state_arrive_file(struct machine *m, const char *path, const struct state_watch *watch,
		      struct nvl_error *err)
{
	int ret;

	ret = machine_pause(m, err);
	if (ret < 0)
		return ret;
	ret = state_load_file(m, path, watch, err);
	/* Devices that were loaded by half must not go on with what they have. */
	if (ret == 0 && !m->operator_paused)
		machine_unpause(m);
	return ret;
}
