// SPDX-License-Identifier: GPL-2.0
#include "import.h"

#include "../conf/files.h"
#include "../conf/journal.h"
#include "../conf/place.h"
#include "exported.h"
#include "facts.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

/* The disks that were exported: those that are not read-only. */
struct images {
	unsigned int n;
	bool own[VM_DISKS_MAX];
};

/* Absolute, as configurations want it. */
static int disks_folder(const struct import *im, char out[PATH_MAX], struct refusal *r)
{
	char *path = im->disks_to ? settings_path(im->disks_to) : NULL;
	const char *state = place_state(r);
	int ret;

	if (!state) {
		free(path);
		return -1;
	}
	if (im->disks_to && !path)
		return refuse_text(r, REASON_HOST_FAILED, "no memory left on the host.");
	if (path)
		ret = snprintf(out, PATH_MAX, "%s", path);
	else
		ret = snprintf(out, PATH_MAX, "%s/disks", state);
	free(path);
	return ret < PATH_MAX ? 0 : refuse_text(r, REASON_HOST_FAILED, "the path %s is too long.",
						im->disks_to);
}

static int image_path(const char *folder, const char *name, unsigned int i, char out[PATH_MAX],
		      struct refusal *r)
{
	if (snprintf(out, PATH_MAX, "%s/%s-%u.img", folder, name, i) >= PATH_MAX)
		return refuse_text(r, REASON_HOST_FAILED, "the path %s is too long.", folder);
	return 0;
}

/* -- its configuration ----------------------------------------------------------- */

/* What tells two VMs apart is its own; a running guest knows what it had. */
static int allowed(const struct import *im, const struct vm_conf *conf, bool has_state,
		   struct refusal *r)
{
	if (has_state && im->settings->n)
		return refuse(r, IMPORT_SETTINGS, im->name, im->from);
	if (has_state && conf->nadapters && !im->keep_macs)
		return refuse(r, IMPORT_MACS, im->name, im->from);
	return 0;
}

static int adapt(const struct import *im, const char *folder, struct vm_conf *conf,
		 struct refusal *r)
{
	char path[PATH_MAX];
	struct vm_facts facts;
	unsigned int i;

	conf_new_id(conf->id);
	for (i = 0; i < conf->nadapters && !im->keep_macs; i++)
		conf_new_mac(conf->adapters[i].mac);
	for (i = 0; i < conf->ndisks; i++) {
		if (conf->disks[i].read_only)
			continue;
		if (image_path(folder, im->name, i, path, r) < 0)
			return -1;
		free(conf->disks[i].path);
		conf->disks[i].path = strdup(path);
		if (!conf->disks[i].path)
			return refuse_text(r, REASON_HOST_FAILED, "no memory left on the host.");
	}
	facts_of_none(im->name, &facts);
	return settings_apply(im->settings, conf, im->name, r) < 0 ? -1 :
	       rules_check(conf, &facts, RULE_SET, r);
}

/* -- its files -------------------------------------------------------------------- */

/* Two imports at once do not meet in one folder. -1 with @r. */
static int lock_folder(const char *folder, struct refusal *r)
{
	int fd;

	if (files_make(folder, r) < 0)
		return -1;
	fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0 || flock(fd, LOCK_EX | LOCK_NB) < 0) {
		if (errno == EWOULDBLOCK)
			refuse(r, IMPORT_BUSY, folder);
		else
			refuse_text(r, REASON_HOST_FAILED, "%s cannot be locked: %s.", folder,
				    strerror(errno));
		if (fd >= 0)
			close(fd);
		return -1;
	}
	return fd;
}

/* A copy of disk @i beside the place that the journal gives it. */
static int stage_disk(const struct import *im, const struct exported *e, const char *folder,
		      unsigned int i, struct journal *j, struct ctl_progress *progress,
		      struct refusal *r)
{
	char to[PATH_MAX], staged[PATH_MAX], file[32];

	snprintf(file, sizeof(file), "disk-%u.img", i);
	if (image_path(folder, im->name, i, to, r) < 0)
		return -1;
	if (access(to, F_OK) == 0)
		return refuse(r, IMPORT_DISK_EXISTS, im->name, to);
	if (snprintf(staged, sizeof(staged), "%s.nestvm-new", to) >= PATH_MAX)
		return refuse_text(r, REASON_HOST_FAILED, "the path %s is too long.", to);
	/* A leftover of a command that was cut off before its journal. */
	unlink(staged);
	if (exported_copy(e, file, staged, progress, r) < 0)
		return -1;
	if (journal_add(j, staged, to, r) == 0)
		return 0;
	unlink(staged);
	return -1;
}

/* When the journal is not to be. */
static void unstage(struct journal *j)
{
	const char *from, *to;
	json_t *entry;
	size_t i;

	json_array_foreach(j->steps, i, entry)
		if (json_unpack(entry, "[s,s]", &from, &to) == 0 && *from)
			unlink(from);
}

/* What nobody sees until it has its name; the journal then gives the disks theirs. */
static int fill(const struct exported *e, const struct vmdir *d, const struct vm_conf *conf,
		bool has_state, struct journal *j, struct ctl_progress *progress,
		struct refusal *r)
{
	char to[PATH_MAX];

	if (conf_save(conf, vmdir_file(d, "config.json", to), r) < 0)
		return -1;
	if (has_state && exported_copy_state(e, vmdir_file(d, "saved", to), progress, r) < 0)
		return -1;
	return journal_write(j, d, r);
}

static int place(const struct import *im, const struct exported *e, const struct vm_conf *conf,
		 bool has_state, struct journal *j, struct ctl_progress *progress,
		 struct refusal *r)
{
	struct vmdir d;
	int ret;

	if (vmdir_begin(&d, im->name, r) < 0)
		return -1;
	if (fill(e, &d, conf, has_state, j, progress, r) < 0 || vmdir_place(&d, r) < 0) {
		vmdir_abandon(&d);
		return -1;
	}
	ret = journal_finish(&d, r);
	vmdir_close(&d);
	/* It is a VM already: its next command tries again. */
	journal_drop(j);
	return ret;
}

static int make(const struct import *im, const struct exported *e, const char *folder,
		const struct vm_conf *conf, const struct images *images, bool has_state,
		struct ctl_progress *progress, struct refusal *r)
{
	struct journal j;
	unsigned int i;
	int ret;

	if (journal_begin(&j, r) < 0)
		return -1;
	ret = 0;
	for (i = 0; ret == 0 && i < images->n; i++)
		if (images->own[i])
			ret = stage_disk(im, e, folder, i, &j, progress, r);
	if (ret == 0)
		ret = place(im, e, conf, has_state, &j, progress, r);
	/* Still there: it did not become a VM. */
	if (j.steps) {
		unstage(&j);
		journal_drop(&j);
	}
	return ret;
}

static int not_there(const char *name, struct refusal *r)
{
	struct vmdir d;

	if (vmdir_open(&d, name, VMDIR_READ, r) < 0)
		return r->id == REASON_VM_NOT_FOUND ? 0 : -1;
	vmdir_close(&d);
	return refuse(r, VM_EXISTS, name);
}

int import_vm(const struct import *im, struct ctl_progress *progress, struct refusal *r)
{
	bool has_state;
	char folder[PATH_MAX];
	struct images images;
	struct exported e;
	struct vm_conf conf;
	unsigned int i;
	int fd, ret = -1;

	if (not_there(im->name, r) < 0 || disks_folder(im, folder, r) < 0 ||
	    exported_open(&e, im->from, &conf, r) < 0)
		return -1;
	has_state = exported_has(&e, "state") && !im->no_state;
	/* The settings may add and remove others. */
	images.n = conf.ndisks;
	for (i = 0; i < images.n; i++)
		images.own[i] = !conf.disks[i].read_only;
	if (allowed(im, &conf, has_state, r) < 0 || adapt(im, folder, &conf, r) < 0)
		goto out;
	fd = lock_folder(folder, r);
	if (fd < 0)
		goto out;
	/* Again, now that nobody else makes it. */
	ret = not_there(im->name, r);
	if (ret == 0)
		ret = make(im, &e, folder, &conf, &images, has_state, progress, r);
	close(fd);
out:
	conf_free(&conf);
	exported_close(&e);
	return ret;
}
