// SPDX-License-Identifier: GPL-2.0
/*
 * The parser and writer of config.json.
 *
 * jansson decides what is JSON and builds the tree; it keeps no positions, so for
 * a sentence about a key lines.c finds the key's line in the text again.
 */
#include "conf_keys.h"

#include "files.h"
#include "lines.h"
#include "vtx.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* What is being parsed, for the sentences. */
struct source {
	const char *file;
	const char *text;
	size_t len;
	enum conf_version version;
	struct refusal *r;
};

void conf_init(struct vm_conf *c)
{
	const struct conf_key *key;
	char why[256];

	memset(c, 0, sizeof(*c));
	for (key = conf_keys; key->name; key++)
		if (key->initial)
			conf_value_set(key, c, key->initial, why, sizeof(why));
	c->version = VERSION_NEWEST;
	conf_new_id(c->id);
}

void conf_free(struct vm_conf *c)
{
	unsigned int i;

	free(c->kernel);
	free(c->initrd);
	free(c->append);
	free(c->device);
	for (i = 0; i < c->ndisks; i++)
		free(c->disks[i].path);
	memset(c, 0, sizeof(*c));
}

/* By way of the text, so that no member can be forgotten. */
int conf_copy(struct vm_conf *to, const struct vm_conf *from)
{
	json_t *tree = conf_to_json(from);
	char *text = tree ? json_dumps(tree, 0) : NULL;
	int ret = -1;

	if (text)
		ret = conf_parse(to, text, strlen(text), "copy", NULL);
	free(text);
	json_decref(tree);
	return ret;
}

static void line_text(const struct source *s, const char *path, char out[16])
{
	snprintf(out, 16, "%u", line_of_key(s->text, s->len, path));
}

static int bad_value(const struct source *s, const char *path, const char *why)
{
	char line[16];

	line_text(s, path, line);
	return refuse(s->r, CONF_BAD_VALUE, s->file, line, path, why);
}

static int unknown_key(const struct source *s, const char *path)
{
	char line[16];

	line_text(s, path, line);
	return refuse(s->r, CONF_UNKNOWN_KEY, s->file, line, path);
}

/* An element of "disks" or "adapters". */
static int parse_part(const struct source *s, const struct conf_key *keys, void *base,
		      const char *path, const json_t *tree)
{
	const struct conf_key *key;
	char at[160], why[512];
	const char *name;
	json_t *value;

	if (!json_is_object(tree))
		return bad_value(s, path, "it must be an object in braces");
	json_object_foreach((json_t *)tree, name, value) {
		snprintf(at, sizeof(at), "%s.%.64s", path, name);
		key = conf_key_find(keys, name);
		if (!key)
			return unknown_key(s, at);
		if (!conf_value_from_json(key, base, value, why, sizeof(why)))
			return bad_value(s, at, why);
	}
	return 0;
}

static int parse_disks(const struct source *s, struct vm_conf *c, const json_t *list)
{
	char path[32];
	size_t i;

	for (i = 0; i < json_array_size(list); i++) {
		snprintf(path, sizeof(path), "disks[%zu]", i);
		c->ndisks++;
		if (parse_part(s, disk_keys, &c->disks[i], path, json_array_get(list, i)) < 0)
			return -1;
		if (!c->disks[i].path)
			return bad_value(s, path, "there must be a \"path\"");
	}
	return 0;
}

static int parse_adapters(const struct source *s, struct vm_conf *c, const json_t *list)
{
	static const uint8_t no_mac[6];
	char path[32];
	size_t i, j;

	for (i = 0; i < json_array_size(list); i++) {
		struct vm_adapter *a = &c->adapters[i];

		snprintf(path, sizeof(path), "adapters[%zu]", i);
		c->nadapters++;
		if (parse_part(s, adapter_keys, a, path, json_array_get(list, i)) < 0)
			return -1;
		if (!a->name[0] || !memcmp(a->mac, no_mac, sizeof(no_mac)))
			return bad_value(s, path, "there must be a \"name\" and a \"mac\"");
		for (j = 0; j < i; j++) {
			if (!strcmp(a->name, c->adapters[j].name))
				return bad_value(s, path, "another adapter has this name");
			if (!memcmp(a->mac, c->adapters[j].mac, sizeof(a->mac)))
				return bad_value(s, path, "another adapter has this mac");
		}
	}
	return 0;
}

static int parse_list(const struct source *s, struct vm_conf *c, const struct conf_key *key,
		      const json_t *value)
{
	char why[128], range[64];

	if (!json_is_array(value) || json_array_size(value) > key->max) {
		snprintf(why, sizeof(why), "it must be %s in brackets",
			 conf_value_range(key, range, sizeof(range)));
		return bad_value(s, key->name, why);
	}
	return key->type == CONF_DISKS ? parse_disks(s, c, value) : parse_adapters(s, c, value);
}

static int parse_key(const struct source *s, struct vm_conf *c, const char *name,
		     const json_t *value)
{
	const struct conf_key *key = conf_key_find(conf_keys, name);
	char why[512], line[16];

	if (!key)
		return unknown_key(s, name);
	if (key->since > s->version) {
		line_text(s, name, line);
		return refuse(s->r, CONF_KEY_VERSION, s->file, line, name,
			      version_name(key->since), version_name(s->version));
	}
	if (key->type == CONF_DISKS || key->type == CONF_ADAPTERS)
		return parse_list(s, c, key, value);
	if (!conf_value_from_json(key, c, value, why, sizeof(why)))
		return bad_value(s, name, why);
	return 0;
}

/* The version first: it decides which keys there are. */
static int parse_version(struct source *s, const json_t *tree)
{
	const json_t *value = json_object_get(tree, "version");
	const struct conf_key *key = conf_key_find(conf_keys, "version");
	struct vm_conf c;
	char why[512];

	if (!value)
		return refuse(s->r, CONF_NO_VERSION, s->file);
	if (!conf_value_from_json(key, &c, value, why, sizeof(why)))
		return bad_value(s, "version", why);
	s->version = c.version;
	return 0;
}

static int parse_tree(struct source *s, struct vm_conf *c, json_t *tree)
{
	const char *name;
	json_t *value;

	if (!json_is_object(tree))
		return refuse(s->r, CONF_SYNTAX, s->file, "1", "an object in braces is expected");
	if (parse_version(s, tree) < 0)
		return -1;
	json_object_foreach(tree, name, value)
		if (parse_key(s, c, name, value) < 0)
			return -1;
	return 0;
}

int conf_parse(struct vm_conf *c, const char *text, size_t len, const char *file,
	       struct refusal *r)
{
	struct source s = { .file = file, .text = text, .len = len, .r = r };
	char line[16], limit[16];
	json_error_t err;
	json_t *tree;
	int ret;

	if (len > CONF_BYTES_MAX) {
		snprintf(limit, sizeof(limit), "%u", CONF_BYTES_MAX);
		return refuse(r, CONF_TOO_LONG, file, limit);
	}
	tree = json_loadb(text, len, JSON_REJECT_DUPLICATES, &err);
	if (!tree) {
		snprintf(line, sizeof(line), "%d", err.line > 0 ? err.line : 1);
		if (json_error_code(&err) == json_error_duplicate_key) {
			char key[128] = "";

			sscanf(err.text, "duplicate object key near '\"%127[^\"]", key);
			return refuse(r, CONF_DUPLICATE_KEY, file, line, key);
		}
		return refuse(r, CONF_SYNTAX, file, line, err.text);
	}
	conf_init(c);
	ret = parse_tree(&s, c, tree);
	json_decref(tree);
	if (ret < 0) {
		conf_free(c);
		return -1;
	}
	return 0;
}

int conf_load(struct vm_conf *c, const char *file, struct refusal *r)
{
	size_t len = 0;
	ssize_t n;
	char *text;
	int fd, ret;

	fd = open(file, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return refuse_text(r, REASON_HOST_FAILED, "%s cannot be opened: %s.", file,
				   strerror(errno));
	text = malloc(CONF_BYTES_MAX + 1);
	if (!text) {
		close(fd);
		return refuse_text(r, REASON_HOST_FAILED, "no memory left on the host.");
	}
	/* One byte more than may be, to see that it is too long. */
	while (len <= CONF_BYTES_MAX &&
	       (n = read(fd, text + len, CONF_BYTES_MAX + 1 - len)) != 0) {
		if (n < 0) {
			if (errno == EINTR)
				continue;
			ret = refuse_text(r, REASON_HOST_FAILED, "%s cannot be read: %s.", file,
					  strerror(errno));
			goto out;
		}
		len += n;
	}
	ret = conf_parse(c, text, len, file, r);
out:
	free(text);
	close(fd);
	return ret;
}

static json_t *part_to_json(const struct conf_key *keys, const void *base)
{
	json_t *tree = json_object();

	for (; keys->name; keys++)
		json_object_set_new(tree, keys->name, conf_value_to_json(keys, base));
	return tree;
}

static json_t *list_to_json(const struct conf_key *key, const struct vm_conf *c)
{
	json_t *list = json_array();
	unsigned int i;

	if (key->type == CONF_DISKS)
		for (i = 0; i < c->ndisks; i++)
			json_array_append_new(list, part_to_json(disk_keys, &c->disks[i]));
	else
		for (i = 0; i < c->nadapters; i++)
			json_array_append_new(list, part_to_json(adapter_keys, &c->adapters[i]));
	return list;
}

json_t *conf_to_json(const struct vm_conf *c)
{
	json_t *tree = json_object(), *value;
	const struct conf_key *key;

	for (key = conf_keys; key->name; key++) {
		if (key->since > c->version)
			continue;
		if (key->type == CONF_DISKS || key->type == CONF_ADAPTERS)
			value = list_to_json(key, c);
		else
			value = conf_value_to_json(key, c);
		if (json_object_set_new(tree, key->name, value) < 0) {
			json_decref(tree);
			return NULL;
		}
	}
	return tree;
}

int conf_save(const struct vm_conf *c, const char *file, struct refusal *r)
{
	return files_write_json(file, conf_to_json(c), r);
}
