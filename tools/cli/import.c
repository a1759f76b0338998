// SPDX-License-Identifier: GPL-2.0
#include "import.h"

#include "../vmm/state/disk_copy.h"
#include "export.h"
#include "facts.h"
#include "stage.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

/* Absolute, as configurations want it. */
static int disks_folder(const struct import *im, char out[PATH_MAX], struct refusal *r)
{
	char *path = im->disks_to ? settings_path(im->disks_to) : NULL;
	const char *state = vmdir_state(r);
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

	if (vmdir_make(folder, r) < 0)
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

static int stage_disks(const struct import *im, const char *folder, unsigned int ndisks,
		       const bool *read_only, struct journal *j, struct ctl_progress *progress,
		       struct refusal *r)
{
	char from[PATH_MAX], to[PATH_MAX], file[32];
	unsigned int i;

	for (i = 0; i < ndisks; i++) {
		if (read_only[i])
			continue;
		snprintf(file, sizeof(file), "disk-%u.img", i);
		if (export_path(im->from, file, from, r) < 0 ||
		    image_path(folder, im->name, i, to, r) < 0)
			return -1;
		if (access(to, F_OK) == 0)
			return refuse(r, IMPORT_DISK_EXISTS, im->name, to);
		if (stage(j, from, to, progress, r) < 0)
			return -1;
	}
	return 0;
}

/* What nobody sees until it has its name; the journal then gives the disks theirs. */
static int fill(const struct import *im, const struct vmdir *d, const struct vm_conf *conf,
		bool has_state, struct journal *j, struct ctl_progress *progress,
		struct refusal *r)
{
	const struct state_watch watch = { progress_bytes, progress };
	char from[PATH_MAX], to[PATH_MAX];
	struct nvl_error err;
	enum disk_copy how;

	if (conf_save(conf, vmdir_file(d, "config.json", to), r) < 0)
		return -1;
	if (has_state) {
		if (export_path(im->from, "state", from, r) < 0)
			return -1;
		if (disk_copy(from, vmdir_file(d, "saved", to), &how, &watch, &err) < 0)
			return refuse_text(r, REASON_STATE_FAILED, "%s", err.text);
	}
	return journal_write(j, d, r);
}

static int place(const struct import *im, const struct vm_conf *conf, bool has_state,
		 struct journal *j, struct ctl_progress *progress, struct refusal *r)
{
	struct vmdir d;
	int ret;

	if (vmdir_begin(&d, im->name, r) < 0)
		return -1;
	if (fill(im, &d, conf, has_state, j, progress, r) < 0 || vmdir_place(&d, r) < 0) {
		vmdir_abandon(&d);
		return -1;
	}
	ret = journal_finish(&d, r);
	vmdir_close(&d);
	/* It is a VM already: its next command tries again. */
	journal_drop(j);
	return ret;
}

static int make(const struct import *im, const char *folder, const struct vm_conf *conf,
		unsigned int ndisks, const bool *read_only, bool has_state,
		struct ctl_progress *progress, struct refusal *r)
{
	struct journal j;
	int ret;

	if (journal_begin(&j, r) < 0)
		return -1;
	progress->what = "copying";
	ret = stage_disks(im, folder, ndisks, read_only, &j, progress, r);
	if (ret == 0)
		ret = place(im, conf, has_state, &j, progress, r);
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
	bool has_state, read_only[VM_DISKS_MAX];
	char folder[PATH_MAX];
	unsigned int i, ndisks;
	struct vm_conf conf;
	int fd, ret = -1;

	progress->what = "verifying";
	if (not_there(im->name, r) < 0 || disks_folder(im, folder, r) < 0 ||
	    export_check(im->from, &conf, &has_state, progress, r) < 0)
		return -1;
	has_state = has_state && !im->no_state;
	/* The settings may add and remove others. */
	ndisks = conf.ndisks;
	for (i = 0; i < ndisks; i++)
		read_only[i] = conf.disks[i].read_only;
	if (allowed(im, &conf, has_state, r) < 0 || adapt(im, folder, &conf, r) < 0)
		goto out;
	fd = lock_folder(folder, r);
	if (fd < 0)
		goto out;
	/* Again, now that nobody else makes it. */
	ret = not_there(im->name, r);
	if (ret == 0)
		ret = make(im, folder, &conf, ndisks, read_only, has_state, progress, r);
	close(fd);
out:
	conf_free(&conf);
	return ret;
}
