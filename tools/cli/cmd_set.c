// SPDX-License-Identifier: GPL-2.0
#include "cmd.h"

#include "cli.h"
#include "ctl.h"
#include "facts.h"
#include "settings.h"

#include <stdio.h>
#include <string.h>

struct set {
	struct cli_args args;
	struct settings settings;
};

static error_t parse(int key, char *arg, struct argp_state *state)
{
	struct set *s = state->input;

	switch (key) {
	case ARGP_KEY_INIT:
		state->child_inputs[0] = &s->settings;
		state->child_inputs[1] = &s->args.json;
		return 0;
	case ARGP_KEY_END:
		if (!s->args.name)
			argp_error(state, "name a VM; \"nestvm list\" lists them.");
		if (!s->settings.n)
			argp_error(state, "say what to set; \"nestvm set --help\" lists the settings.");
		return 0;
	default:
		return cli_parse_args(key, arg, state, &s->args);
	}
}

/* Of a running VM: nothing is kept, the next start is as configured. */
static int resize(const struct vmdir *d, const struct vm_conf *conf, struct vm_facts *facts,
		  uint64_t bytes, struct refusal *r)
{
	json_t *result;

	facts->resize = bytes;
	if (rules_check(conf, facts, RULE_RESIZE, r) < 0)
		return -1;
	result = ctl_ask(d, "set-memory", json_pack("{s:I}", "bytes", (json_int_t)bytes),
			 "it can be resized", r);
	json_decref(result);
	return result ? 0 : -1;
}

static int change(const struct set *s, const struct vmdir *d, struct refusal *r)
{
	struct vm_facts facts;
	struct vm_conf conf;
	uint64_t bytes;
	int ret;

	if (vmdir_load(d, &conf, r) < 0)
		return -1;
	facts_of_vm(d, &facts);
	if (facts.running && settings_resize(&s->settings, &bytes)) {
		ret = resize(d, &conf, &facts, bytes, r);
	} else {
		ret = settings_apply(&s->settings, &conf, d->name, r);
		if (ret == 0)
			ret = rules_check(&conf, &facts, RULE_SET, r);
		if (ret == 0)
			ret = vmdir_save(d, &conf, r);
	}
	conf_free(&conf);
	return ret;
}

int cmd_set(int argc, char **argv)
{
	const struct argp_child children[] = {
		{ .argp = settings_argp() }, { .argp = &cli_json_argp }, { 0 },
	};
	const struct argp argp = {
		.parser = parse, .args_doc = "NAME", .children = children,
		.doc = CLI_DOC("Changes settings of a VM that is off: all of those that are named, or "
			       "none if a rule forbids one. On a running VM with dynamic memory, "
			       "--memory alone resizes it."),
	};
	struct set s = { 0 };
	struct refusal r;
	struct vmdir d;
	int ret;

	cli_name(argv);
	argp_parse(&argp, argc, argv, 0, NULL, &s);
	if (vmdir_open(&d, s.args.name, VMDIR_CHANGE, &r) < 0)
		return cli_refused(&r, s.args.json);
	ret = change(&s, &d, &r);
	vmdir_close(&d);
	return ret < 0 ? cli_refused(&r, s.args.json) : cli_done(s.args.json);
}
