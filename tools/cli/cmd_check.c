// SPDX-License-Identifier: GPL-2.0
#include "cmd.h"

#include "../conf/files.h"
#include "check.h"
#include "cli.h"
#include "facts.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { OPT_FIX = 0x7600, OPT_YES };

struct check_cmd {
	struct cli_args args;
	bool fix;
	bool yes;
};

static const struct argp_option options[] = {
	{ "fix", OPT_FIX, NULL, 0, "offer to set what can be set, one by one", 1 },
	{ "yes", OPT_YES, NULL, 0, "with --fix: do not ask", 1 },
	{ 0 },
};

static error_t parse(int key, char *arg, struct argp_state *state)
{
	struct check_cmd *c = state->input;

	switch (key) {
	case OPT_FIX:
		c->fix = true;
		return 0;
	case OPT_YES:
		c->yes = true;
		return 0;
	case ARGP_KEY_END:
		if (c->fix && !c->args.name)
			argp_error(state, "--fix mends a VM: name it.");
		if (c->yes && !c->fix)
			argp_error(state, "--yes goes with --fix.");
		if (c->fix && !c->yes && (!isatty(STDIN_FILENO) || c->args.json))
			argp_error(state, "nobody is there to be asked: say --yes.");
		return 0;
	default:
		return cli_parse_args(key, arg, state, &c->args);
	}
}

/* -- looking --------------------------------------------------------------------- */

static void show(const struct check *check, const struct check_result *res, json_t *list)
{
	if (list) {
		json_array_append_new(list, json_pack("{s:s,s:s,s:s,s:s,s:s}", "id", check->id,
						      "title", check->title, "verdict",
						      verdict_name(res->verdict), "reason",
						      res->reason, "remedy", res->remedy));
		return;
	}
	printf("%-5s %s: %s\n", verdict_name(res->verdict), check->title, res->reason);
	if (*res->remedy && res->verdict != CHECK_YES)
		printf("      -> %s\n", res->remedy);
}

static void look_at(const struct check *checks, const struct check_on *on, json_t *list,
		    enum verdict *worst)
{
	struct check_result res;

	for (; checks->id; checks++) {
		checks->look(on, &res);
		if (res.verdict > *worst)
			*worst = res.verdict;
		show(checks, &res, list);
	}
}

static void look_at_host(const struct check_on *on, json_t *list, enum verdict *worst)
{
	look_at(host_checks, on, list, worst);
	look_at(mitigation_checks, on, list, worst);
}

/* -- mending --------------------------------------------------------------------- */

static bool dynamic(const struct check_on *on)
{
	return on->conf->dynamic_memory;
}

static bool not_exposed(const struct check_on *on)
{
	return !on->conf->expose;
}

static bool saved(const struct check_on *on)
{
	return on->facts.saved;
}

static bool no_spoofing(const struct check_on *on)
{
	unsigned int i;

	for (i = 0; i < on->conf->nadapters; i++)
		if (on->conf->adapters[i].link.net == VM_NET_SWITCH &&
		    !on->conf->adapters[i].mac_spoofing)
			return true;
	return false;
}

static void make_static(struct vm_conf *c)
{
	c->dynamic_memory = false;
}

static void expose(struct vm_conf *c)
{
	c->expose = true;
}

static void spoof(struct vm_conf *c)
{
	unsigned int i;

	for (i = 0; i < c->nadapters; i++)
		if (c->adapters[i].link.net == VM_NET_SWITCH)
			c->adapters[i].mac_spoofing = true;
}

/* In the order in which one makes the next possible. */
static const struct fix {
	const char *id;
	const char *question;
	bool (*needed)(const struct check_on *on);
	void (*mend)(struct vm_conf *c);	/* NULL: throws the saved state away */
} fixes[] = {
	{ "saved-state", "throw its saved state away, as if its power had been cut", saved, NULL },
	{ "dynamic-memory", "set dynamic-memory off", dynamic, make_static },
	{ "mac-spoofing", "set mac-spoofing on for adapters on switches", no_spoofing, spoof },
	{ "expose-virtualization-extensions", "set expose-virtualization-extensions on", not_exposed,
	  expose },
};

#define NFIXES (sizeof(fixes) / sizeof(fixes[0]))

static bool agreed(const struct check_cmd *c, const char *question)
{
	char line[16] = "";

	if (c->yes)
		return true;
	printf("%s: %s? [y/N] ", c->args.name, question);
	fflush(stdout);
	return fgets(line, sizeof(line), stdin) && (*line == 'y' || *line == 'Y');
}

static int remove_saved(const struct vmdir *d, struct refusal *r)
{
	char path[PATH_MAX];

	return files_remove_tree(vmdir_file(d, "saved", path), r) < 0 ? -1 : files_sync(d->path, r);
}

/* All that was agreed to or nothing: a saved state is not given for what is refused then. */
static int mend(const struct check_cmd *c, const struct vmdir *d, struct vm_conf *conf,
		struct check_on *on, json_t *done, struct refusal *r)
{
	bool changed = false, saved_goes = false;
	unsigned int i;

	if (on->facts.running)
		return refuse(r, VM_RUNNING, d->name, "it can be mended");
	for (i = 0; i < NFIXES; i++) {
		if (!fixes[i].needed(on) || !agreed(c, fixes[i].question))
			continue;
		if (fixes[i].mend) {
			fixes[i].mend(conf);
			changed = true;
		} else {
			saved_goes = true;
			on->facts.saved = false;
		}
		json_array_append_new(done, json_string(fixes[i].id));
	}
	if (changed && rules_check(conf, &on->facts, RULE_SET, r) < 0)
		return -1;
	if ((saved_goes && remove_saved(d, r) < 0) || (changed && vmdir_save(d, conf, r) < 0))
		return -1;
	if (!c->args.json)
		for (i = 0; i < json_array_size(done); i++)
			printf("%s: %s: done\n", d->name,
			       json_string_value(json_array_get(done, i)));
	return 0;
}

static int check_vm(const struct check_cmd *c, struct check_on *on, json_t *list, json_t *done,
		    enum verdict *worst, struct refusal *r)
{
	struct vm_conf conf;
	struct vmdir d;
	int ret = 0;

	if (vmdir_open(&d, c->args.name, c->fix ? VMDIR_CHANGE : VMDIR_READ, r) < 0)
		return -1;
	if (vmdir_load(&d, &conf, r) < 0) {
		vmdir_close(&d);
		return -1;
	}
	on->d = &d;
	on->conf = &conf;
	facts_of_vm(&d, &on->facts);
	if (c->fix)
		ret = mend(c, &d, &conf, on, done, r);
	if (ret == 0) {
		look_at_host(on, list, worst);
		look_at(vm_checks, on, list, worst);
	}
	conf_free(&conf);
	vmdir_close(&d);
	return ret;
}

int cmd_check(int argc, char **argv)
{
	static const struct argp_child children[] = { { .argp = &cli_json_argp }, { 0 } };
	const struct argp argp = {
		.options = options, .parser = parse, .args_doc = "[NAME]", .children = children,
		.doc = "Says whether VMs of this host can have VT-x of their own, and with NAME whether "
		       "that VM can: a line for each condition, YES, NO or WARN, why, and what to do."
		       "\vExit status: 0 all YES; 20 at least one NO; 21 no NO, but a WARN; others as "
		       "for every command.",
	};
	struct check_cmd c = { 0 };
	struct check_on on = { 0 };
	json_t *list = NULL, *done = json_array();
	enum verdict worst = CHECK_YES;
	struct refusal r;
	int ret = 0;

	cli_name(argv);
	argp_parse(&argp, argc, argv, 0, NULL, &c);
	if (c.args.json)
		list = json_array();
	if (c.args.name) {
		ret = check_vm(&c, &on, list, done, &worst, &r);
	} else {
		facts_of_none("", &on.facts);
		look_at_host(&on, list, &worst);
	}
	if (ret < 0) {
		json_decref(list);
		json_decref(done);
		return cli_refused(&r, c.args.json);
	}
	if (list)
		cli_print_json(json_pack("{s:s,s:o,s:o}", "verdict", verdict_name(worst), "checks", list,
					 "fixed", done));
	else
		json_decref(done);
	return worst == CHECK_NO ? EXIT_CHECK_NO : worst == CHECK_WARN ? EXIT_CHECK_WARN : EXIT_OK;
}
