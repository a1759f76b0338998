// SPDX-License-Identifier: GPL-2.0
/* checkpoint create, apply, list, show, remove, export */
#include "cmd.h"

#include "checkpoint.h"
#include "cli.h"
#include "sub.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { OPT_NO_COMPRESS = 0x7800 };

struct args {
	struct cli_args args;
	const char *checkpoint;		/* label or ID */
	const char *to;
	unsigned int wants;		/* words behind the VM's name that must be there */
	bool plain;
};

static error_t parse(int key, char *arg, struct argp_state *state)
{
	struct args *a = state->input;

	switch (key) {
	case ARGP_KEY_INIT:
		state->child_inputs[0] = &a->args.json;
		return 0;
	case OPT_NO_COMPRESS:
		a->plain = true;
		return 0;
	case ARGP_KEY_ARG:
		if (!a->args.name)
			a->args.name = arg;
		else if (!a->checkpoint && state->arg_num == 1)
			a->checkpoint = arg;
		else if (!a->to && a->wants > 1)
			a->to = arg;
		else
			argp_error(state, "\"%s\" is one word too many.", arg);
		return 0;
	case ARGP_KEY_END:
		if (!a->args.name)
			argp_error(state, "name a VM; \"nestvm list\" lists them.");
		if (a->wants && !a->checkpoint)
			argp_error(state, "name a checkpoint by its label or ID.");
		if (a->wants > 1 && !a->to)
			argp_error(state, "name a new folder.");
		return 0;
	default:
		return ARGP_ERR_UNKNOWN;
	}
}

static const struct argp_child json_child[] = { { .argp = &cli_json_argp }, { 0 } };

static void get_args(struct args *a, int argc, char **argv, const struct argp_option *options,
		     const char *args_doc, const char *doc)
{
	const struct argp argp = {
		.options = options, .parser = parse, .args_doc = args_doc, .doc = doc,
		.children = json_child,
	};

	cli_name(argv);
	argp_parse(&argp, argc, argv, 0, NULL, a);
}

static json_t *to_json(const struct checkpoint *cp)
{
	return json_pack("{s:s,s:s,s:s?,s:I,s:b,s:s?,s:I,s:b}", "id", cp->id, "label", cp->label,
			 "parent", cp->parent[0] ? cp->parent : NULL, "created",
			 (json_int_t)cp->created, "state", cp->has_state, "disks",
			 cp->disks[0] ? cp->disks : NULL, "bytes", (json_int_t)cp->bytes, "current",
			 cp->current);
}

static void print_time(int64_t when, char out[32])
{
	time_t t = when;
	struct tm tm;

	out[0] = '\0';
	if (localtime_r(&t, &tm))
		strftime(out, 32, "%F %T", &tm);
}

/* -- create --------------------------------------------------------------------- */

static int run_create(int argc, char **argv)
{
	static const struct argp_option options[] = {
		{ "no-compress", OPT_NO_COMPRESS, NULL, 0,
		  "write memory as it is: faster, and several times as large", 1 },
		{ 0 },
	};
	struct ctl_progress progress = { .what = "checkpoint" };
	struct args a = { 0 };
	struct checkpoint cp;
	struct refusal r;
	struct vmdir d;
	char now[32], size[16];
	int ret;

	get_args(&a, argc, argv, options, "NAME [LABEL]",
		 CLI_DOC("Keeps a VM as it is now: configuration, writable disks and, when it runs or "
			 "is saved, all that runs inside it. A running VM stands still meanwhile and "
			 "then goes on."));
	print_time(time(NULL), now);
	if (!a.checkpoint)
		a.checkpoint = now;
	if (!*a.checkpoint || strlen(a.checkpoint) > CHECKPOINT_LABEL_MAX) {
		refuse_text(&r, REASON_USAGE, "a label has 1 to %d characters.",
			    CHECKPOINT_LABEL_MAX);
		return cli_refused(&r, a.args.json);
	}
	if (vmdir_open(&d, a.args.name, VMDIR_CHANGE, &r) < 0)
		return cli_refused(&r, a.args.json);
	if (checkpoint_find(&d, a.checkpoint, &cp, &r) == 0)
		ret = refuse(&r, CHECKPOINT_EXISTS, a.args.name, a.checkpoint);
	else if (r.id != REASON_CHECKPOINT_NOT_FOUND)
		ret = -1;
	else
		ret = checkpoint_create(&d, a.checkpoint, !a.plain, &progress, &cp, &r);
	progress_end(&progress);
	vmdir_close(&d);
	if (ret < 0)
		return cli_refused(&r, a.args.json);
	if (a.args.json)
		return cli_print_json(to_json(&cp));
	printf("checkpoint %s \"%s\": %s%s%s\n", cp.id, cp.label, cli_size(cp.bytes, size),
	       cp.disks[0] ? ", disks by " : "", cp.disks);
	return EXIT_OK;
}

/* -- apply, remove, export ------------------------------------------------------ */

enum what { APPLY, REMOVE, EXPORT };

static int act(struct args *a, enum what what)
{
	static const char * const text[] = { "applying", "removing", "exporting" };
	struct ctl_progress progress = { .what = text[what] };
	struct checkpoint cp;
	struct refusal r;
	struct vmdir d;
	int ret;

	if (vmdir_open(&d, a->args.name, VMDIR_CHANGE, &r) < 0)
		return cli_refused(&r, a->args.json);
	ret = checkpoint_find(&d, a->checkpoint, &cp, &r);
	if (ret == 0 && what == APPLY)
		ret = checkpoint_apply(&d, &cp, &progress, &r);
	else if (ret == 0 && what == REMOVE)
		ret = checkpoint_remove(&d, &cp, &r);
	else if (ret == 0)
		ret = checkpoint_export(&d, &cp, a->to, &progress, &r);
	progress_end(&progress);
	vmdir_close(&d);
	return ret < 0 ? cli_refused(&r, a->args.json) : cli_done(a->args.json);
}

static int run_apply(int argc, char **argv)
{
	struct args a = { .wants = 1 };

	get_args(&a, argc, argv, NULL, "NAME LABEL|ID",
		 CLI_DOC("Puts a VM that is off or saved back to a checkpoint: disks, configuration and "
			 "state together, or nothing of it. What it was before is lost, unless it is "
			 "in a checkpoint."));
	return act(&a, APPLY);
}

static int run_remove(int argc, char **argv)
{
	struct args a = { .wants = 1 };

	get_args(&a, argc, argv, NULL, "NAME LABEL|ID",
		 CLI_DOC("Removes a checkpoint. Those made from it stay, and become its parent's."));
	return act(&a, REMOVE);
}

static int run_export(int argc, char **argv)
{
	struct args a = { .wants = 2 };

	get_args(&a, argc, argv, NULL, "NAME LABEL|ID FOLDER",
		 CLI_DOC("Copies a checkpoint to a new folder: configuration, writable disks and state, "
			 "with checksums. \"nestvm create NEW --from-export FOLDER\" makes a VM of it, "
			 "here or on another host."));
	return act(&a, EXPORT);
}

/* -- list and show -------------------------------------------------------------- */

/* Below its parent, in order of time; a parent that is missing is no parent. */
static void print_below(const struct checkpoint *list, int n, const char *parent, int depth)
{
	char when[32], size[16];
	int i;

	/* A tree that somebody made a ring of by hand ends here. */
	if (depth > n)
		return;
	for (i = 0; i < n; i++) {
		if (strcmp(list[i].parent, parent))
			continue;
		print_time(list[i].created, when);
		printf("%c %-8s %-19s %8s %-7s %*s%s\n", list[i].current ? '*' : ' ', list[i].id,
		       when, cli_size(list[i].bytes, size), list[i].has_state ? "running" : "off",
		       2 * depth, "", list[i].label);
		print_below(list, n, list[i].id, depth + 1);
	}
}

static int run_list(int argc, char **argv)
{
	struct checkpoint *list;
	struct args a = { 0 };
	struct refusal r;
	struct vmdir d;
	json_t *json;
	int i, n;

	get_args(&a, argc, argv, NULL, "NAME",
		 CLI_DOC("Lists the checkpoints of a VM as a tree; the VM goes on from the one with a "
			 "star."));
	n = vmdir_open(&d, a.args.name, VMDIR_READ, &r);
	if (n == 0) {
		n = checkpoint_list(&d, &list, &r);
		vmdir_close(&d);
	}
	if (n < 0)
		return cli_refused(&r, a.args.json);
	if (a.args.json) {
		json = json_array();
		for (i = 0; i < n; i++)
			json_array_append_new(json, to_json(&list[i]));
		free(list);
		return cli_print_json(json);
	}
	printf("  %-8s %-19s %8s %-7s %s\n", "ID", "CREATED", "SIZE", "VM WAS", "LABEL");
	print_below(list, n, "", 0);
	free(list);
	return EXIT_OK;
}

static int run_show(int argc, char **argv)
{
	struct args a = { .wants = 1 };
	struct checkpoint cp;
	char when[32], size[16];
	struct refusal r;
	struct vmdir d;
	int ret;

	get_args(&a, argc, argv, NULL, "NAME LABEL|ID", CLI_DOC("Shows a checkpoint of a VM."));
	ret = vmdir_open(&d, a.args.name, VMDIR_READ, &r);
	if (ret == 0) {
		ret = checkpoint_find(&d, a.checkpoint, &cp, &r);
		vmdir_close(&d);
	}
	if (ret < 0)
		return cli_refused(&r, a.args.json);
	if (a.args.json)
		return cli_print_json(to_json(&cp));
	print_time(cp.created, when);
	printf("%-8s %s\n%-8s %s\n%-8s %s\n%-8s %s\n%-8s %s\n%-8s %s\n%-8s %s\n", "label", cp.label,
	       "id", cp.id, "parent", cp.parent[0] ? cp.parent : "-", "created", when, "VM was",
	       cp.has_state ? "running" : "off", "size", cli_size(cp.bytes, size), "current",
	       cp.current ? "yes" : "no");
	if (cp.disks[0])
		printf("%-8s by %s\n", "disks", cp.disks);
	return EXIT_OK;
}

static const struct sub_command table[] = {
	{ "create", run_create, "keep a VM as it is now" },
	{ "apply", run_apply, "put a VM back to a checkpoint" },
	{ "list", run_list, "list a VM's checkpoints" },
	{ "show", run_show, "show a checkpoint" },
	{ "remove", run_remove, "remove a checkpoint" },
	{ "export", run_export, "copy a checkpoint to a folder" },
};

int cmd_checkpoint(int argc, char **argv)
{
	return sub_run(table, sizeof(table) / sizeof(table[0]), argc, argv);
}
