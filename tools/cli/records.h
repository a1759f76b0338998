/* SPDX-License-Identifier: GPL-2.0 */
/* Commands about what the store of tools/net records: "switch list", "nat show", ... */
#ifndef CLI_RECORDS_H
#define CLI_RECORDS_H

#include "cli.h"

struct record_column {
	const char *title, *key;	/* of an array, how many are in it */
	int width;			/* below 0: to the left */
};

struct record_kind {
	const char *store;		/* STORE_SWITCHES */
	const char *what;		/* "switch" */
	json_t *(*load)(const char *name, struct refusal *r);	/* NULL with @r */
	int (*remove)(const char *name, struct refusal *r);
	const struct record_column *columns;	/* of list; the last has no title */
	const char *const *keys;	/* lines of show, NULL at the end */
	void (*print_more)(const json_t *record);
	const char *list_doc, *show_doc, *remove_doc;
};

int record_list(const struct record_kind *k, int argc, char **argv);
int record_show(const struct record_kind *k, int argc, char **argv);
int record_remove(const struct record_kind *k, int argc, char **argv);

/* "-" when there is none. */
const char *record_text(const json_t *record, const char *key);

#endif
