// SPDX-License-Identifier: GPL-2.0
#include "checkpoint.h"

#include "../conf/files.h"
#include "../conf/journal.h"
#include "../vmm/state/disk_copy.h"
#include "../vmm/state/stream.h"
#include "export.h"
#include "state_wait.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#define NEW_CURRENT ".current.nestvm-new"

/* -- paths ---------------------------------------------------------------------- */

/* checkpoints/NAME, checkpoints/NAME/FILE */
static int path_of(const struct vmdir *d, const char *name, const char *file, char out[PATH_MAX],
		   struct refusal *r)
{
	if (snprintf(out, PATH_MAX, "%s/checkpoints%s%s%s%s", d->path, *name ? "/" : "", name,
		     *file ? "/" : "", file) >= PATH_MAX)
		return refuse_text(r, REASON_HOST_FAILED, "the path %s is too long.", d->path);
	return 0;
}

static int said(struct refusal *r, const struct nvl_error *err)
{
	return refuse_text(r, REASON_STATE_FAILED, "%s", err->text);
}

/* -- meta.json and .current ----------------------------------------------------- */

static int write_meta(const struct vmdir *d, const char *name, const struct checkpoint *cp,
		      struct refusal *r)
{
	json_t *json = json_pack("{s:s,s:s,s:s,s:I,s:b,s:s}", "id", cp->id, "parent", cp->parent,
				 "label", cp->label, "created", (json_int_t)cp->created, "state",
				 cp->has_state, "disks", cp->disks);
	char path[PATH_MAX];

	if (path_of(d, name, "meta.json", path, r) == 0)
		return files_write_json(path, json, r);
	json_decref(json);
	return -1;
}

static void read_current(const struct vmdir *d, char id[CHECKPOINT_ID_LEN + 1])
{
	char path[PATH_MAX];
	FILE *f;

	id[0] = '\0';
	if (path_of(d, ".current", "", path, NULL) < 0)
		return;
	f = fopen(path, "re");
	if (!f)
		return;
	if (!fgets(id, CHECKPOINT_ID_LEN + 1, f))
		id[0] = '\0';
	fclose(f);
}

static int write_current(const struct vmdir *d, const char *name, const char *id,
			 struct refusal *r)
{
	char path[PATH_MAX];

	if (path_of(d, name, "", path, r) < 0)
		return -1;
	return files_write(path, id, strlen(id), r);
}

/* What was written as NEW_CURRENT is it. */
static int take_current(const struct vmdir *d, struct refusal *r)
{
	char from[PATH_MAX], to[PATH_MAX];

	if (path_of(d, NEW_CURRENT, "", from, r) < 0 || path_of(d, ".current", "", to, r) < 0)
		return -1;
	if (rename(from, to) < 0)
		return refuse_text(r, REASON_HOST_FAILED, "%s cannot be put in place: %s.", to,
				   strerror(errno));
	return path_of(d, "", "", to, r) < 0 ? -1 : files_sync(to, r);
}

static uint64_t bytes_in(const char *dir)
{
	char path[PATH_MAX];
	uint64_t sum = 0;
	struct dirent *e;
	struct stat st;
	DIR *d = opendir(dir);

	while (d && (e = readdir(d)))
		if (snprintf(path, sizeof(path), "%s/%s", dir, e->d_name) < PATH_MAX &&
		    lstat(path, &st) == 0 && S_ISREG(st.st_mode))
			sum += st.st_blocks * 512ull;
	if (d)
		closedir(d);
	return sum;
}

static bool take(char *to, size_t room, const char *from)
{
	return (size_t)snprintf(to, room, "%s", from) < room;
}

static int read_one(const struct vmdir *d, const char *id, struct checkpoint *cp,
		    struct refusal *r)
{
	const char *own, *parent, *label, *disks;
	json_int_t created;
	char path[PATH_MAX];
	json_error_t why;
	json_t *json;
	int state, ret = 0;

	memset(cp, 0, sizeof(*cp));
	if (path_of(d, id, "meta.json", path, r) < 0)
		return -1;
	json = json_load_file(path, JSON_REJECT_DUPLICATES, &why);
	if (!json || json_unpack(json, "{s:s,s:s,s:s,s:I,s:b,s:s}", "id", &own, "parent", &parent,
				 "label", &label, "created", &created, "state", &state, "disks",
				 &disks) < 0 ||
	    strcmp(own, id) || !take(cp->id, sizeof(cp->id), own) ||
	    !take(cp->parent, sizeof(cp->parent), parent) ||
	    !take(cp->label, sizeof(cp->label), label) ||
	    !take(cp->disks, sizeof(cp->disks), disks))
		ret = refuse_text(r, REASON_STATE_DAMAGED,
				  "%s is not what nestvm writes: look into it, or remove the folder of checkpoint %s by hand.",
				  path, id);
	else
		cp->created = created;
	cp->has_state = ret == 0 && state;
	json_decref(json);
	if (ret == 0 && path_of(d, id, "", path, r) == 0)
		cp->bytes = bytes_in(path);
	return ret;
}

static int by_time(const void *a, const void *b)
{
	const struct checkpoint *x = a, *y = b;

	if (x->created != y->created)
		return x->created < y->created ? -1 : 1;
	return strcmp(x->id, y->id);
}

int checkpoint_list(const struct vmdir *d, struct checkpoint **list, struct refusal *r)
{
	char path[PATH_MAX], current[CHECKPOINT_ID_LEN + 1];
	struct checkpoint *more;
	struct dirent *e;
	int n = 0, ret = 0;
	DIR *dir;

	*list = NULL;
	if (path_of(d, "", "", path, r) < 0)
		return -1;
	read_current(d, current);
	dir = opendir(path);
	while (dir && ret == 0 && (e = readdir(dir))) {
		if (e->d_name[0] == '.')
			continue;
		more = realloc(*list, (n + 1) * sizeof(**list));
		if (!more) {
			ret = refuse_text(r, REASON_HOST_FAILED, "no memory left on the host.");
			break;
		}
		*list = more;
		ret = read_one(d, e->d_name, &more[n], r);
		more[n].current = !strcmp(more[n].id, current);
		n++;
	}
	if (dir)
		closedir(dir);
	if (ret < 0) {
		free(*list);
		*list = NULL;
		return -1;
	}
	if (n)
		qsort(*list, n, sizeof(**list), by_time);
	return n;
}

int checkpoint_find(const struct vmdir *d, const char *name, struct checkpoint *cp,
		    struct refusal *r)
{
	struct checkpoint *list;
	int i, n = checkpoint_list(d, &list, r), found = -1;

	if (n < 0)
		return -1;
	for (i = 0; i < n; i++)
		if (!strcmp(list[i].id, name) || (found < 0 && !strcmp(list[i].label, name)))
			found = i;
	if (found >= 0)
		*cp = list[found];
	free(list);
	return found >= 0 ? 0 : refuse(r, CHECKPOINT_NOT_FOUND, d->name, name);
}

/* -- create --------------------------------------------------------------------- */

static int create_running(struct vmdir *d, const char *dir, bool compress,
			  struct ctl_progress *progress, struct checkpoint *cp, struct refusal *r)
{
	const char *disks;
	json_t *answer;
	struct ctl c;

	if (ctl_open(&c, d, "its state can be told", r) < 0)
		return -1;
	answer = ctl_call(&c, "checkpoint", json_pack("{s:s,s:b}", "directory", dir, "compress",
						      compress), progress, r);
	ctl_close(&c);
	if (!answer)
		return -1;
	disks = json_string_value(json_object_get(answer, "disks"));
	snprintf(cp->disks, sizeof(cp->disks), "%s", disks ? disks : "");
	cp->has_state = true;
	json_decref(answer);
	return 0;
}

static int create_off(struct vmdir *d, const char *name, const struct vm_conf *conf,
		      struct ctl_progress *progress, struct checkpoint *cp, struct refusal *r)
{
	const struct state_watch watch = { progress_bytes, progress };
	char from[PATH_MAX], to[PATH_MAX], file[32];
	struct nvl_error err;
	enum disk_copy how;
	unsigned int i;

	for (i = 0; i < conf->ndisks; i++) {
		if (conf->disks[i].read_only)
			continue;
		snprintf(file, sizeof(file), "disk-%u.img", i);
		if (path_of(d, name, file, to, r) < 0)
			return -1;
		if (disk_copy(conf->disks[i].path, to, &how, &watch, &err) < 0)
			return said(r, &err);
		if (how == DISK_SPARSE_COPY || !cp->disks[0])
			snprintf(cp->disks, sizeof(cp->disks), "%s", disk_copy_name(how));
	}
	if (!vmdir_saved(d))
		return 0;
	cp->has_state = true;
	vmdir_file(d, "saved", from);
	if (path_of(d, name, "state", to, r) < 0)
		return -1;
	return disk_copy(from, to, &how, &watch, &err) < 0 ? said(r, &err) : 0;
}

static int fill(struct vmdir *d, const char *name, bool compress, struct ctl_progress *progress,
		struct checkpoint *cp, struct refusal *r)
{
	char path[PATH_MAX];
	struct vm_conf conf;
	int ret;

	if (vmdir_load(d, &conf, r) < 0)
		return -1;
	ret = path_of(d, name, "config.json", path, r);
	if (ret == 0)
		ret = conf_save(&conf, path, r);
	if (ret == 0)
		ret = path_of(d, name, "", path, r);
	if (ret == 0 && vmdir_running(d, NULL))
		ret = create_running(d, path, compress, progress, cp, r);
	else if (ret == 0)
		ret = create_off(d, name, &conf, progress, cp, r);
	conf_free(&conf);
	return ret < 0 ? ret : write_meta(d, name, cp, r);
}

int checkpoint_create(struct vmdir *d, const char *label, bool compress,
		      struct ctl_progress *progress, struct checkpoint *cp, struct refusal *r)
{
	char id[VM_ID_LEN + 1], temp[32], path[PATH_MAX], final[PATH_MAX];
	struct refusal ignored;

	if (state_rules(d, RULE_CHECKPOINT, r) < 0 || path_of(d, "", "", path, r) < 0 ||
	    files_make(path, r) < 0)
		return -1;
	memset(cp, 0, sizeof(*cp));
	conf_new_id(id);
	memcpy(cp->id, id, CHECKPOINT_ID_LEN);
	read_current(d, cp->parent);
	snprintf(cp->label, sizeof(cp->label), "%s", label);
	cp->created = time(NULL);
	snprintf(temp, sizeof(temp), ".new-%s", cp->id);
	if (path_of(d, temp, "", path, r) < 0 || path_of(d, cp->id, "", final, r) < 0 ||
	    files_make(path, r) < 0)
		return -1;
	/* All that needs room comes before the checkpoint is there. */
	if (fill(d, temp, compress, progress, cp, r) < 0 || files_sync(path, r) < 0 ||
	    write_current(d, NEW_CURRENT, cp->id, r) < 0)
		goto undo;
	if (rename(path, final) < 0) {
		refuse_text(r, REASON_HOST_FAILED, "%s cannot be put in place: %s.", final,
			    strerror(errno));
		goto undo;
	}
	cp->current = true;
	cp->bytes = bytes_in(final);
	return take_current(d, r);

undo:
	files_remove_tree(path, &ignored);
	if (path_of(d, NEW_CURRENT, "", path, &ignored) == 0)
		unlink(path);
	return -1;
}

/* -- apply ---------------------------------------------------------------------- */

enum pass { PLAN, COPY };

/* A new file beside @to, for the journal; the VM's name keeps it apart from others'. */
static int replace(enum pass pass, const struct vmdir *d, struct journal *j, const char *from,
		   const char *to, struct ctl_progress *progress, struct refusal *r)
{
	const struct state_watch watch = { progress_bytes, progress };
	char staged[PATH_MAX];
	struct nvl_error err;
	enum disk_copy how;

	if (snprintf(staged, sizeof(staged), "%s.%s.nestvm-new", to, d->name) >= PATH_MAX)
		return refuse_text(r, REASON_HOST_FAILED, "the path %s is too long.", to);
	if (pass == PLAN)
		return journal_add(j, staged, to, r);
	if (disk_copy(from, staged, &how, &watch, &err) < 0)
		return refuse_text(r, REASON_STATE_FAILED, "%s Nothing was changed.", err.text);
	return 0;
}

static int stage_all(enum pass pass, struct vmdir *d, const struct checkpoint *cp,
		     const struct vm_conf *conf, struct journal *j,
		     struct ctl_progress *progress, struct refusal *r)
{
	char from[PATH_MAX], to[PATH_MAX], file[32];
	unsigned int i;

	for (i = 0; i < conf->ndisks; i++) {
		if (conf->disks[i].read_only)
			continue;
		snprintf(file, sizeof(file), "disk-%u.img", i);
		if (path_of(d, cp->id, file, from, r) < 0 ||
		    replace(pass, d, j, from, conf->disks[i].path, progress, r) < 0)
			return -1;
	}
	if (path_of(d, cp->id, "config.json", from, r) < 0 ||
	    replace(pass, d, j, from, vmdir_file(d, "config.json", to), NULL, r) < 0)
		return -1;
	vmdir_file(d, "saved", to);
	if (cp->has_state) {
		if (path_of(d, cp->id, "state", from, r) < 0 ||
		    replace(pass, d, j, from, to, progress, r) < 0)
			return -1;
	} else if (pass == PLAN && journal_add(j, "", to, r) < 0) {
		return -1;
	}
	if (pass == COPY)
		return write_current(d, NEW_CURRENT, cp->id, r);
	if (path_of(d, NEW_CURRENT, "", from, r) < 0 || path_of(d, ".current", "", to, r) < 0)
		return -1;
	return journal_add(j, from, to, r);
}

int checkpoint_apply(struct vmdir *d, const struct checkpoint *cp, struct ctl_progress *progress,
		     struct refusal *r)
{
	char path[PATH_MAX];
	struct nvl_error err;
	struct vm_conf conf;
	struct journal j;
	int ret;

	if (vmdir_running(d, NULL))
		return refuse(r, VM_RUNNING, d->name, "a checkpoint can be applied to it");
	if (path_of(d, cp->id, "config.json", path, r) < 0 || conf_load(&conf, path, r) < 0)
		return -1;
	/* All that can be wrong is found before anything changes. */
	ret = path_of(d, cp->id, "state", path, r);
	if (ret == 0 && cp->has_state && stream_file_verify(path, NULL, &err) < 0)
		ret = refuse_text(r, REASON_STATE_DAMAGED,
				  "checkpoint \"%s\" of VM \"%s\" cannot be applied: %s",
				  cp->label, d->name, err.text);
	if (ret == 0)
		ret = journal_begin(&j, r);
	if (ret == 0) {
		ret = stage_all(PLAN, d, cp, &conf, &j, progress, r);
		if (ret == 0)
			ret = journal_plan(&j, d, r);
		if (ret == 0)
			ret = stage_all(COPY, d, cp, &conf, &j, progress, r);
		if (ret == 0)
			ret = journal_commit(&j, d, r);
		else
			journal_give_up(&j, d);
	}
	conf_free(&conf);
	return ret;
}

/* -- remove and export ---------------------------------------------------------- */

int checkpoint_remove(struct vmdir *d, const struct checkpoint *cp, struct refusal *r)
{
	char from[PATH_MAX], to[PATH_MAX], gone[32];
	struct checkpoint *list;
	int i, n, ret = 0;

	n = checkpoint_list(d, &list, r);
	if (n < 0)
		return -1;
	/* Children first: at any moment it is a tree. */
	for (i = 0; ret == 0 && i < n; i++) {
		if (strcmp(list[i].parent, cp->id))
			continue;
		memcpy(list[i].parent, cp->parent, sizeof(cp->parent));
		ret = write_meta(d, list[i].id, &list[i], r);
	}
	free(list);
	if (ret == 0 && cp->current)
		ret = write_current(d, ".current", cp->parent, r);
	snprintf(gone, sizeof(gone), ".gone-%s", cp->id);
	if (ret < 0 || path_of(d, cp->id, "", from, r) < 0 || path_of(d, gone, "", to, r) < 0)
		return -1;
	if (rename(from, to) < 0)
		return refuse_text(r, REASON_HOST_FAILED, "%s cannot be removed: %s.", from,
				   strerror(errno));
	return files_remove_tree(to, r);
}

int checkpoint_export(const struct vmdir *d, const struct checkpoint *cp, const char *to,
		      struct ctl_progress *progress, struct refusal *r)
{
	char dir[PATH_MAX];

	return path_of(d, cp->id, "", dir, r) < 0 ? -1 : export_make(dir, to, progress, r);
}
