// SPDX-License-Identifier: GPL-2.0
#include "state.h"

#include "../machine.h"

#include "features.h"
#include "machine_id.h"
#include "memory.h"
#include "parts.h"

#include <errno.h>
#include <stdio.h>

/* Pages between two looks at who watches: 64 MB. */
#define WATCH_PAGES 16384u

int state_possible(struct machine *m, struct nvl_error *err)
{
	return cpu_state_possible(m, err);
}

uint64_t state_digest(struct machine *m)
{
	struct pack p;
	uint64_t digest;

	pack_init(&p);
	machine_id_pack(m, &p);
	digest = stream_digest(p.data, p.len);
	pack_free(&p);
	return digest;
}

static int save_machine_id(struct machine *m, struct pack *p, struct nvl_error *err)
{
	(void)err;
	machine_id_pack(m, p);
	return 0;
}

static int save_paused(struct machine *m, struct pack *p, struct nvl_error *err)
{
	(void)err;
	pack_bool(p, m->operator_paused);
	return 0;
}

static int put(struct machine *m, struct stream_out *o, const char *section, uint32_t version,
	       int (*save)(struct machine *m, struct pack *p, struct nvl_error *err),
	       struct nvl_error *err)
{
	struct pack p;
	int ret;

	pack_init(&p);
	ret = save(m, &p, err);
	if (ret == 0)
		ret = stream_put_pack(o, section, version, &p, err);
	pack_free(&p);
	return ret;
}

static int put_cpus(struct machine *m, struct stream_out *o, struct nvl_error *err)
{
	uint64_t host_tsc = cpu_host_tsc();
	char name[STREAM_NAME_MAX + 1];
	struct pack p;
	unsigned int i;
	int ret = 0;

	for (i = 0; i < m->ncpus && ret == 0; i++) {
		snprintf(name, sizeof(name), CPU_SECTION "%u", i);
		pack_init(&p);
		ret = cpu_state_save(m, i, host_tsc, &p, err);
		if (ret == 0)
			ret = stream_put_pack(o, name, CPU_VERSION, &p, err);
		pack_free(&p);
	}
	return ret;
}

/* Where interrupts come from before where they go: one that comes meanwhile is kept. */
int state_put_machine(struct machine *m, struct stream_out *o, struct nvl_error *err)
{
	int ret;

	ret = put(m, o, MACHINE_SECTION, MACHINE_VERSION, save_machine_id, err);
	if (ret == 0)
		ret = put(m, o, FEATURES_SECTION, FEATURES_VERSION, features_save, err);
	if (ret == 0)
		ret = put(m, o, PAUSED_SECTION, PAUSED_VERSION, save_paused, err);
	if (ret == 0)
		ret = devices_state_save(m, o, err);
	if (ret == 0)
		ret = put(m, o, IRQCHIP_SECTION, IRQCHIP_VERSION, irqchip_state_save, err);
	if (ret == 0)
		ret = put_cpus(m, o, err);
	return ret;
}

static bool watched(const struct state_watch *watch, uint64_t done, uint64_t total)
{
	return !watch || watch->progress(watch->ctx, done, total);
}

static int put_memory(struct machine *m, struct stream_out *o, struct state_memory *sm,
		      const struct state_watch *watch, struct nvl_error *err)
{
	uint64_t done = 0, page, n;
	struct nvl_memory mem;
	unsigned int i;
	int ret;

	for (i = 0; i < nvl_vm_pieces(m->vm); i++) {
		mem = nvl_vm_piece(m->vm, i);
		for (page = 0; page < mem.size / PAGE_BYTES; page += n) {
			n = mem.size / PAGE_BYTES - page;
			if (n > WATCH_PAGES)
				n = WATCH_PAGES;
			ret = state_memory_put(sm, o, &mem, page, n, false, err);
			if (ret < 0)
				return ret;
			done += n * PAGE_BYTES;
			if (!watched(watch, done, m->ram_low + m->ram_high))
				return nvl_fail(err, ECANCELED,
						"saving was given up; the VM goes on.");
		}
	}
	return 0;
}

int state_save_file(struct machine *m, const char *path, enum stream_kind kind, bool compress,
		    const struct state_watch *watch, struct nvl_error *err)
{
	struct stream_head head = { .kind = kind, .digest = state_digest(m) };
	struct state_memory *sm;
	struct stream_file f;
	int ret;

	ret = state_possible(m, err);
	if (ret < 0)
		return ret;
	sm = state_memory_new(compress, err);
	if (!sm)
		return -ENOMEM;
	ret = stream_file_create(&f, path, &head, err);
	if (ret == 0) {
		ret = state_put_machine(m, &f.out, err);
		if (ret == 0)
			ret = put_memory(m, &f.out, sm, watch, err);
		if (ret == 0)
			ret = stream_file_commit(&f, err);
		else
			stream_file_abort(&f);
	}
	state_memory_free(sm);
	return ret;
}
