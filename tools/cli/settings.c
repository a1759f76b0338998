// SPDX-License-Identifier: GPL-2.0
#include "settings.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum {
	OPT_DISK = 0x7100,
	OPT_REMOVE_DISK,
	OPT_STARTUP,
	OPT_KEYS,			/* plus the row in conf_keys */
};

static void keep(struct settings *s, const struct conf_key *key, bool remove, const char *text,
		 struct argp_state *state)
{
	if (s->n == SETTINGS_MAX)
		argp_error(state, "more than %u settings at once.", SETTINGS_MAX);
	else
		s->list[s->n++] = (struct setting){ key, remove, text };
}

static error_t parse(int key, char *arg, struct argp_state *state)
{
	struct settings *s = state->input;

	switch (key) {
	case OPT_DISK:
		keep(s, NULL, false, arg, state);
		return 0;
	case OPT_REMOVE_DISK:
		keep(s, NULL, true, arg, state);
		return 0;
	case OPT_STARTUP:
		keep(s, conf_key_find(conf_keys, "memory"), false, arg, state);
		return 0;
	}
	if (key < OPT_KEYS || key >= OPT_KEYS + SETTINGS_MAX)
		return ARGP_ERR_UNKNOWN;
	keep(s, &conf_keys[key - OPT_KEYS], false, arg, state);
	return 0;
}

const struct argp *settings_argp(void)
{
	static struct argp_option options[SETTINGS_MAX];
	static char names[SETTINGS_MAX][64], help[SETTINGS_MAX][256];
	static const struct argp argp = { .options = options, .parser = parse };
	unsigned int i, n = 0;

	for (i = 0; conf_keys[i].name && n < SETTINGS_MAX - 4; i++) {
		const struct conf_key *key = &conf_keys[i];

		if (key->option == OPTION_NONE)
			continue;
		if (key->initial)
			snprintf(help[n], sizeof(help[n]), "%s (default: %s)", key->help,
				 key->initial);
		else
			snprintf(help[n], sizeof(help[n]), "%s", key->help);
		options[n] = (struct argp_option){
			.name = conf_key_option(key, names[n]), .key = OPT_KEYS + i,
			.arg = key->arg, .doc = help[n], .group = 1,
		};
		n++;
	}
	options[n++] = (struct argp_option){
		.name = "memory-startup", .key = OPT_STARTUP, .arg = "SIZE", .group = 1,
		.doc = "another name of --memory, for dynamic memory",
	};
	options[n++] = (struct argp_option){
		.name = "disk", .key = OPT_DISK, .arg = "FILE[,ro]", .group = 2,
		.doc = "add a virtio disk from a raw image; may be repeated",
	};
	options[n] = (struct argp_option){
		.name = "remove-disk", .key = OPT_REMOVE_DISK, .arg = "FILE", .group = 2,
		.doc = "take a disk away (the image stays)",
	};
	return &argp;
}

char *settings_path(const char *path)
{
	char *cwd, *out = NULL;

	if (*path == '/' || !*path)
		return strdup(path);
	cwd = getcwd(NULL, 0);
	if (cwd && asprintf(&out, "%s/%s", cwd, path) < 0)
		out = NULL;
	free(cwd);
	return out;
}

static int no_memory(struct refusal *r)
{
	return refuse_text(r, REASON_HOST_FAILED, "no memory left on the host.");
}

/* "FILE" or "FILE,ro" */
static int add_disk(struct vm_conf *c, const char *name, const char *text, struct refusal *r)
{
	const struct conf_key *key = conf_key_find(disk_keys, "path");
	size_t len = strlen(text);
	struct vm_disk disk = { .read_only = len >= 3 && !strcmp(text + len - 3, ",ro") };
	char *file, *path, why[512], most[8];
	bool ok;

	if (c->ndisks == VM_DISKS_MAX) {
		snprintf(most, sizeof(most), "%u", VM_DISKS_MAX);
		return refuse(r, TOO_MANY, name, most, "disks");
	}
	file = strndup(text, disk.read_only ? len - 3 : len);
	if (file && !*file) {
		free(file);
		return refuse(r, VALUE_INVALID, "disk", "the name of a file is missing");
	}
	path = file ? settings_path(file) : NULL;
	free(file);
	if (!path)
		return no_memory(r);
	ok = conf_value_set(key, &disk, path, why, sizeof(why));
	free(path);
	if (!ok)
		return refuse(r, VALUE_INVALID, "disk", why);
	c->disks[c->ndisks++] = disk;
	return 0;
}

static int remove_disk(struct vm_conf *c, const char *name, const char *path, struct refusal *r)
{
	unsigned int i;

	for (i = 0; i < c->ndisks; i++)
		if (!strcmp(c->disks[i].path, path))
			break;
	if (i == c->ndisks)
		return refuse(r, DISK_NOT_FOUND, name, path);
	free(c->disks[i].path);
	c->ndisks--;
	memmove(&c->disks[i], &c->disks[i + 1], (c->ndisks - i) * sizeof(c->disks[0]));
	return 0;
}

static int set_key(const struct conf_key *key, struct vm_conf *c, const char *name,
		   const char *text, struct refusal *r)
{
	char option[64], why[512];

	conf_key_option(key, option);
	if (key->since > c->version)
		return refuse(r, KEY_VERSION, name, option, version_name(key->since),
			      version_name(c->version));
	if (!conf_value_set(key, c, text, why, sizeof(why)))
		return refuse(r, VALUE_INVALID, option, why);
	return 0;
}

static int apply_one(const struct setting *s, struct vm_conf *c, const char *name,
		     struct refusal *r)
{
	char *path;
	int ret;

	if (!s->key && !s->remove)
		return add_disk(c, name, s->text, r);
	if (s->key && s->key->type != CONF_PATH)
		return set_key(s->key, c, name, s->text, r);
	path = settings_path(s->text);
	if (!path)
		return no_memory(r);
	if (s->key)
		ret = set_key(s->key, c, name, path, r);
	else
		ret = remove_disk(c, name, path, r);
	free(path);
	return ret;
}

int settings_apply(const struct settings *s, struct vm_conf *c, const char *name,
		   struct refusal *r)
{
	unsigned int i;

	for (i = 0; i < s->n; i++)
		if (apply_one(&s->list[i], c, name, r) < 0)
			return -1;
	return 0;
}

bool settings_resize(const struct settings *s, uint64_t *bytes)
{
	struct vm_conf c = { 0 };
	char why[256];

	if (s->n != 1 || !s->list[0].key || s->list[0].key->option != OPTION_RESIZE)
		return false;
	/* A size that is none is refused as a value, not as a size. */
	c.version = VERSION_NEWEST;
	if (!conf_value_set(s->list[0].key, &c, s->list[0].text, why, sizeof(why)))
		return false;
	*bytes = c.memory;
	return true;
}
