// SPDX-License-Identifier: GPL-2.0
#include "records.h"

#include "../net/store.h"
#include "sub.h"

#include <stdio.h>
#include <string.h>

const char *record_text(const json_t *record, const char *key)
{
	const char *s = json_string_value(json_object_get(record, key));

	return s && *s ? s : "-";
}

/* -- list ------------------------------------------------------------------------ */

/* NULL with @r. */
static json_t *load_all(const struct record_kind *k, struct refusal *r)
{
	json_t *list = json_array(), *one;
	char **names;
	int i, n;

	n = store_names(k->store, &names, r);
	for (i = 0; i < n; i++) {
		one = k->load(names[i], r);
		if (!one)
			break;
		json_array_append_new(list, one);
	}
	if (n >= 0)
		store_free_names(names, n);
	if (i == n)
		return list;
	json_decref(list);
	return NULL;
}

static void print_row(const struct record_column *columns, const json_t *record)
{
	const struct record_column *c;
	const json_t *value;
	const char *text;
	char count[24];

	for (c = columns; c->title; c++) {
		value = json_object_get(record, c->key);
		snprintf(count, sizeof(count), "%zu", json_array_size(value));
		text = json_is_array(value) ? count : record_text(record, c->key);
		printf("%s%*s", c == columns ? "" : " ", c->width, record ? text : c->title);
	}
	printf("\n");
}

int record_list(const struct record_kind *k, int argc, char **argv)
{
	const json_t *record;
	struct refusal r;
	json_t *list;
	bool json;
	size_t i;

	cli_parse_none(argc, argv, k->list_doc, &json);
	list = load_all(k, &r);
	if (!list)
		return cli_refused(&r, json);
	if (json)
		return cli_print_json(list);
	print_row(k->columns, NULL);
	json_array_foreach(list, i, record)
		print_row(k->columns, record);
	json_decref(list);
	return EXIT_OK;
}

/* -- one ------------------------------------------------------------------------- */

int record_show(const struct record_kind *k, int argc, char **argv)
{
	const char *const *key;
	struct cli_args args;
	struct refusal r;
	json_t *record;

	sub_parse_name(argc, argv, k->what, k->show_doc, &args);
	record = k->load(args.name, &r);
	if (!record)
		return cli_refused(&r, args.json);
	if (args.json)
		return cli_print_json(record);
	for (key = k->keys; *key; key++)
		if (strcmp(record_text(record, *key), "-"))
			printf("%-10s %s\n", *key, record_text(record, *key));
	k->print_more(record);
	json_decref(record);
	return EXIT_OK;
}

int record_remove(const struct record_kind *k, int argc, char **argv)
{
	struct cli_args args;
	struct refusal r;

	sub_parse_name(argc, argv, k->what, k->remove_doc, &args);
	if (k->remove(args.name, &r) < 0)
		return cli_refused(&r, args.json);
	return cli_done(args.json);
}
