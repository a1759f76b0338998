/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The options of "create" and "set": one for each key of a configuration that has
 * an option, made from the table of keys, and those for disks.
 */
#ifndef CLI_SETTINGS_H
#define CLI_SETTINGS_H

#include "../conf/conf_keys.h"

#include <argp.h>

#define SETTINGS_MAX 48

struct setting {
	const struct conf_key *key;	/* NULL: a disk to add or to remove */
	bool remove;
	const char *text;
};

struct settings {
	unsigned int n;
	struct setting list[SETTINGS_MAX];
};

/* A child for struct argp; its input is a struct settings. */
const struct argp *settings_argp(void);

/* An absolute path for a configuration, malloc()ed; the file need not be there. */
char *settings_path(const char *path);
/* Changes @c in the order of the options; paths become absolute. */
int settings_apply(const struct settings *s, struct vm_conf *c, const char *name,
		   struct refusal *r);
/* Whether all that is asked is another size of a running VM; then @bytes is it. */
bool settings_resize(const struct settings *s, uint64_t *bytes);

#endif
