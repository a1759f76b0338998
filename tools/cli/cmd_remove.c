// SPDX-License-Identifier: GPL-2.0
/* remove, rename, remove-saved-state: what moves a VM's files. */
#include "cmd.h"

#include "../conf/files.h"
#include "cli.h"
#include "facts.h"

#include <stdio.h>
#include <string.h>

static int open_at_rest(struct vmdir *d, const char *name, enum rule_when when, struct refusal *r)
{
	struct vm_facts facts;
	struct vm_conf none;

	if (vmdir_open(d, name, VMDIR_CHANGE, r) < 0)
		return -1;
	/* A VM whose configuration cannot be read must be removable as well. */
	conf_init(&none);
	facts_of_vm(d, &facts);
	if (rules_check(&none, &facts, when, r) < 0) {
		vmdir_close(d);
		conf_free(&none);
		return -1;
	}
	conf_free(&none);
	return 0;
}

int cmd_remove(int argc, char **argv)
{
	struct cli_args args;
	struct refusal r;
	struct vmdir d;

	cli_parse_name(argc, argv,
		       CLI_DOC("Removes a VM that is off, with its saved state and checkpoints. The "
			       "images of its disks stay."), &args);
	if (open_at_rest(&d, args.name, RULE_REMOVE, &r) < 0)
		return cli_refused(&r, args.json);
	if (vmdir_remove(&d, &r) < 0) {
		vmdir_close(&d);
		return cli_refused(&r, args.json);
	}
	return cli_done(args.json);
}

int cmd_remove_saved_state(int argc, char **argv)
{
	char path[PATH_MAX];
	struct cli_args args;
	struct refusal r;
	struct vmdir d;
	int ret;

	cli_parse_name(argc, argv,
		       CLI_DOC("Throws the saved state of a VM away, as if its power had been cut "
			       "when it was saved."), &args);
	if (open_at_rest(&d, args.name, RULE_REMOVE, &r) < 0)
		return cli_refused(&r, args.json);
	if (!vmdir_saved(&d))
		ret = refuse(&r, NO_SAVED_STATE, d.name);
	else
		ret = files_remove_tree(vmdir_file(&d, "saved", path), &r);
	if (ret == 0)
		ret = files_sync(d.path, &r);
	vmdir_close(&d);
	return ret < 0 ? cli_refused(&r, args.json) : cli_done(args.json);
}

struct rename {
	struct cli_args args;
	const char *to;
};

static error_t parse_rename(int key, char *arg, struct argp_state *state)
{
	struct rename *rn = state->input;

	switch (key) {
	case ARGP_KEY_INIT:
		state->child_inputs[0] = &rn->args.json;
		return 0;
	case ARGP_KEY_ARG:
		if (!rn->args.name)
			rn->args.name = arg;
		else if (!rn->to)
			rn->to = arg;
		else
			argp_error(state, "\"%s\" is a third name.", arg);
		return 0;
	case ARGP_KEY_END:
		if (!rn->to)
			argp_error(state, "say which VM, and its new name.");
		return 0;
	default:
		return ARGP_ERR_UNKNOWN;
	}
}

int cmd_rename(int argc, char **argv)
{
	static const struct argp_child children[] = { { .argp = &cli_json_argp }, { 0 } };
	const struct argp argp = {
		.parser = parse_rename, .args_doc = "NAME NEW-NAME", .children = children,
		.doc = CLI_DOC("Gives a VM that is off another name."),
	};
	struct rename rn = { 0 };
	struct refusal r;
	struct vmdir d;
	int ret;

	cli_name(argv);
	argp_parse(&argp, argc, argv, 0, NULL, &rn);
	if (open_at_rest(&d, rn.args.name, RULE_REMOVE, &r) < 0)
		return cli_refused(&r, rn.args.json);
	ret = vmdir_rename(&d, rn.to, &r);
	vmdir_close(&d);
	return ret < 0 ? cli_refused(&r, rn.args.json) : cli_done(rn.args.json);
}
