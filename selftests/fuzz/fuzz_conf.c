// SPDX-License-Identifier: GPL-2.0
/*
 * Configuration files: whatever the text, a sentence or a configuration, and what
 * was read is written and read again unchanged.
 */
#include "conf/conf.h"
#include "conf/rules.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_refusal(const struct refusal *r)
{
	if (r->id == REASON_NONE || reason_status(r->id) != EXIT_CONFIG || !*r->text)
		abort();
	/* It has to fit into an answer in JSON. */
	json_t *text = json_string(r->text);

	if (!text)
		abort();
	json_decref(text);
}

static void check_rules(const struct vm_conf *c, unsigned int bits)
{
	struct vm_facts f = {
		.name = "vm", .running = bits & 1, .saved = bits & 2, .checkpoints = bits & 4,
		.resize = c->memory, .host = { .vendor = "GenuineIntel", .vmx = bits & 8, .ept = 1 },
	};
	struct refusal r = { 0 };
	unsigned int when;

	for (when = RULE_SET; when <= RULE_REMOVE; when <<= 1)
		if (rules_check(c, &f, when, &r) < 0 && (r.id == REASON_NONE || !*r.text))
			abort();
}

/* The id is made anew when a file has none, and cannot be the same then. */
static char *dump(const struct vm_conf *c)
{
	json_t *tree = conf_to_json(c);
	char *text;

	if (!tree)
		abort();
	text = json_dumps(tree, JSON_INDENT(2));
	json_decref(tree);
	if (!text)
		abort();
	return text;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct refusal r = { 0 };
	struct vm_conf c, again;
	char *first, *second;

	if (conf_parse(&c, (const char *)data, size, "fuzz", &r) < 0) {
		check_refusal(&r);
		return 0;
	}
	check_rules(&c, size);
	first = dump(&c);
	if (conf_parse(&again, first, strlen(first), "again", &r) < 0)
		abort();
	second = dump(&again);
	if (strcmp(first, second))
		abort();
	free(first);
	free(second);
	conf_free(&c);
	conf_free(&again);
	return 0;
}
