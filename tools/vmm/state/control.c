// SPDX-License-Identifier: GPL-2.0
#include "control.h"

#include "../clock.h"
#include "../machine.h"

#include "disk_copy.h"
#include "migrate.h"
#include "state.h"

#include <errno.h>
#include <stdio.h>
#include <sys/stat.h>

static bool progress(void *ctx, uint64_t done, uint64_t total)
{
	control_progress(ctx, done, total, "bytes");
	return !control_cancelled(ctx);
}

/* The reason's name in tools/conf/reasons.h. */
static int refuse(struct control_call *call, int ret, const struct nvl_error *err)
{
	const char *id = "HOST_FAILED";

	if (ret == -EOPNOTSUPP)
		id = "HOST_NO_STATE";
	if (ret == -ECANCELED)
		id = "CANCELLED";
	return control_refuse(call, id, "%s", err->text);
}

static json_int_t file_size(const char *path)
{
	struct stat st;

	return stat(path, &st) == 0 ? st.st_size : 0;
}

/* The whole VM into a file; then the VM ends, or goes on as if nothing had been. */
static int run_save(struct machine *m, struct control_call *call)
{
	const struct state_watch watch = { progress, call };
	const char *path = control_string(call, "path", NULL);
	uint64_t began = clock_ms();
	struct nvl_error err;
	int ret;

	ret = state_possible(m, &err);
	if (ret == 0)
		ret = machine_pause(m, &err);
	if (ret < 0)
		return refuse(call, ret, &err);
	ret = state_save_file(m, path, STREAM_SAVED, control_boolean(call, "compress", true),
			      &watch, &err);
	if (ret < 0) {
		machine_unpause(m);
		return refuse(call, ret, &err);
	}
	call->result = json_pack("{s:s,s:I,s:I}", "path", path, "bytes", file_size(path),
				 "milliseconds", (json_int_t)(clock_ms() - began));
	machine_end(m, END_SAVED, 0, NULL, "saved to %s", path);
	return 0;
}

static int copy_disks(struct machine *m, const char *dir, const struct state_watch *watch,
		      enum disk_copy *how, struct nvl_error *err)
{
	char to[4096];
	unsigned int i;
	int ret;

	*how = DISK_REFLINK;
	for (i = 0; i < m->ndisks; i++) {
		enum disk_copy this;

		/* Nobody writes to it while this VM has it: the path will do. */
		if (m->conf->disks[i].readonly)
			continue;
		if (snprintf(to, sizeof(to), "%s/disk-%u.img", dir, i) >= (int)sizeof(to))
			return nvl_fail(err, ENAMETOOLONG, "the path %s is too long.", dir);
		ret = disk_copy(m->conf->disks[i].path, to, &this, watch, err);
		if (ret < 0)
			return ret;
		if (this == DISK_SPARSE_COPY)
			*how = this;
	}
	return 0;
}

/* State and disks of one moment into a folder; the VM goes on. */
static int run_checkpoint(struct machine *m, struct control_call *call)
{
	const struct state_watch watch = { progress, call };
	const char *dir = control_string(call, "directory", NULL);
	char path[4096];
	enum disk_copy how = DISK_REFLINK;
	struct nvl_error err;
	uint64_t began;
	int ret;

	if (snprintf(path, sizeof(path), "%s/state", dir) >= (int)sizeof(path))
		return control_refuse(call, "USAGE", "the path %s is too long.", dir);
	ret = state_possible(m, &err);
	if (ret == 0)
		ret = machine_pause(m, &err);
	if (ret < 0)
		return refuse(call, ret, &err);
	began = clock_ms();
	ret = state_save_file(m, path, STREAM_CHECKPOINT, control_boolean(call, "compress", true),
			      &watch, &err);
	if (ret == 0)
		ret = copy_disks(m, dir, &watch, &how, &err);
	machine_unpause(m);
	if (ret < 0)
		return refuse(call, ret, &err);
	call->result = json_pack("{s:I,s:s?,s:I}", "bytes", file_size(path), "disks",
				 m->ndisks ? disk_copy_name(how) : NULL, "milliseconds",
				 (json_int_t)(clock_ms() - began));
	return 0;
}

static const char *migrate_reason(int ret, const struct migrate_result *result)
{
	if (result->uncertain)
		return "MIGRATE_UNCERTAIN";
	if (ret == -EREMOTE && result->id[0])
		return result->id;
	if (ret == -EOPNOTSUPP)
		return "HOST_NO_STATE";
	return ret == -ECANCELED ? "CANCELLED" : "MIGRATE_FAILED";
}

static int run_migrate(struct machine *m, struct control_call *call)
{
	const struct state_watch watch = { progress, call };
	struct migrate_result result;
	struct nvl_error err;
	int ret;

	ret = migrate_out(m, control_string(call, "to", NULL), control_string(call, "config", NULL),
			  control_integer(call, "downtime", MIGRATE_DOWNTIME_MS), &watch, &result,
			  &err);
	if (ret < 0) {
		/* The pause that is left is the operator's to end, who may have one already. */
		if (result.uncertain && m->operator_paused)
			machine_unpause(m);
		m->operator_paused |= result.uncertain;
		return control_refuse(call, migrate_reason(ret, &result), "%s", err.text);
	}
	call->result = json_pack("{s:I,s:I,s:I,s:I}", "bytes", (json_int_t)result.bytes, "rounds",
				 (json_int_t)result.rounds, "downtime",
				 (json_int_t)result.downtime_ms, "milliseconds",
				 (json_int_t)result.total_ms);
	machine_end(m, END_MIGRATED, 0, NULL, "migrated to %s", control_string(call, "to", NULL));
	return 0;
}

static const struct control_arg save_args[] = {
	{ .name = "path", .type = JSON_STRING, .required = true },
	{ .name = "compress", .type = JSON_TRUE },
	{ 0 }
};

static const struct control_arg checkpoint_args[] = {
	{ .name = "directory", .type = JSON_STRING, .required = true },
	{ .name = "compress", .type = JSON_TRUE },
	{ 0 }
};

static const struct control_arg migrate_args[] = {
	{ .name = "to", .type = JSON_STRING, .required = true },
	{ .name = "config", .type = JSON_STRING },
	{ .name = "downtime", .type = JSON_INTEGER, .min = 1, .max = 60000 },
	{ 0 }
};

const struct control_command state_commands[] = {
	{ .name = "save", .where = CONTROL_WORKER, .args = save_args, .run = run_save },
	{ .name = "migrate", .where = CONTROL_WORKER, .args = migrate_args, .run = run_migrate },
	{ .name = "checkpoint", .where = CONTROL_WORKER, .args = checkpoint_args,
	  .run = run_checkpoint },
	{ 0 }
};
