/* SPDX-License-Identifier: GPL-2.0 */
/* One row per key of config.json; the same rows describe its disks and adapters. */
#ifndef CONF_KEYS_H
#define CONF_KEYS_H

#include "conf.h"

enum conf_type {
	CONF_VERSION_NAME,
	CONF_ID,
	CONF_BOOL,
	CONF_UINT,
	CONF_SIZE,
	CONF_PATH,			/* absolute */
	CONF_TEXT,
	CONF_NAME,
	CONF_MAC,
	CONF_LINK,
	CONF_VTX,
	CONF_DISKS,
	CONF_ADAPTERS,
};

enum conf_option {
	OPTION_NONE,			/* made, not set; or set by commands of its own */
	OPTION_SET,			/* --name-of-key VALUE of create and set, while off */
	OPTION_RESIZE,			/* likewise, and on a running VM it resizes */
};

struct conf_key {
	const char *name;		/* in the file; the option has "-" for "_" */
	enum conf_type type;
	size_t offset;			/* in the struct that is described */
	enum conf_version since;
	enum conf_option option;
	const char *arg;		/* what stands for the value in --help */
	uint64_t min, max;		/* of CONF_UINT, CONF_SIZE; max: length of CONF_TEXT */
	const char *initial;		/* as text; NULL: none */
	const char *help;
};

/* Each ends with a row without name. */
extern const struct conf_key conf_keys[];
extern const struct conf_key disk_keys[];
extern const struct conf_key adapter_keys[];

const struct conf_key *conf_key_find(const struct conf_key *keys, const char *name);
/* The option's name, "-" for "_". */
const char *conf_key_option(const struct conf_key *key, char out[64]);

/* conf_value.c: @base is the struct that @key describes */

/*
 * Sets the value from text. False with a phrase in @why, "\"x\" is not ...", and
 * then nothing has changed. Not for CONF_DISKS and CONF_ADAPTERS.
 */
bool conf_value_set(const struct conf_key *key, void *base, const char *text, char *why,
		    size_t room);
/* The value for people, malloc()ed; "" when there is none. */
char *conf_value_print(const struct conf_key *key, const void *base);
/* False as above, when the JSON value has a wrong type or is not valid. */
bool conf_value_from_json(const struct conf_key *key, void *base, const json_t *value, char *why,
			  size_t room);
json_t *conf_value_to_json(const struct conf_key *key, const void *base);
/* What the key may be, as words: for --help and the manual page. */
const char *conf_value_range(const struct conf_key *key, char *out, size_t room);

#endif
