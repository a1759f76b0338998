// SPDX-License-Identifier: GPL-2.0
#include "cmd.h"

#include "cli.h"
#include "facts.h"
#include "import.h"
#include "settings.h"

#include <stdio.h>
#include <string.h>

enum { OPT_VERSION = 0x7200, OPT_FROM, OPT_FROM_EXPORT, OPT_DISKS_TO, OPT_KEEP_MACS, OPT_NO_STATE };

struct create {
	struct cli_args args;
	struct settings settings;
	const char *version;
	const char *from;
	struct import import;		/* @from of it is NULL: not from an export */
};

static const struct argp_option options[] = {
	{ "version", OPT_VERSION, "VERSION", 0,
	  "configuration version, one of \"nestvm host-versions\" (default: the newest)", 3 },
	{ "from", OPT_FROM, "FILE", 0,
	  "start from this configuration, a copy of another VM's config.json, with its version", 3 },
	{ "from-export", OPT_FROM_EXPORT, "FOLDER", 0,
	  "make it from what \"nestvm checkpoint export\" wrote: its configuration, copies of its "
	  "disks, and its state, from which \"nestvm start\" goes on", 4 },
	{ "disks-to", OPT_DISKS_TO, "FOLDER", 0,
	  "with --from-export: where the copies of the disks go, as NAME-0.img and so on (default: "
	  "the folder \"disks\" beside the VMs)", 4 },
	{ "keep-macs", OPT_KEEP_MACS, NULL, 0,
	  "with --from-export: keep the addresses of the adapters instead of making new ones; a "
	  "state needs that", 4 },
	{ "no-state", OPT_NO_STATE, NULL, 0,
	  "with --from-export: leave its state out, the guest boots anew", 4 },
	{ 0 },
};

static error_t parse(int key, char *arg, struct argp_state *state)
{
	struct create *c = state->input;

	switch (key) {
	case ARGP_KEY_INIT:
		state->child_inputs[0] = &c->settings;
		state->child_inputs[1] = &c->args.json;
		return 0;
	case OPT_VERSION:
		c->version = arg;
		return 0;
	case OPT_FROM:
		c->from = arg;
		return 0;
	case OPT_FROM_EXPORT:
		c->import.from = arg;
		return 0;
	case OPT_DISKS_TO:
		c->import.disks_to = arg;
		return 0;
	case OPT_KEEP_MACS:
		c->import.keep_macs = true;
		return 0;
	case OPT_NO_STATE:
		c->import.no_state = true;
		return 0;
	case ARGP_KEY_END:
		if (!c->args.name)
			argp_error(state, "name the VM.");
		if (c->import.from && (c->from || c->version))
			argp_error(state, "--from-export goes without --from and --version: the "
				   "export has a configuration.");
		if (!c->import.from &&
		    (c->import.disks_to || c->import.keep_macs || c->import.no_state))
			argp_error(state, "--disks-to, --keep-macs and --no-state go with "
				   "--from-export.");
		if (c->from && c->version)
			argp_error(state, "--from and --version exclude each other: the file has a "
				   "version; \"nestvm update-version\" gives the VM a newer one.");
		return 0;
	default:
		return cli_parse_args(key, arg, state, &c->args);
	}
}

/* What the settings of the command line change. */
static int begin(const struct create *c, struct vm_conf *conf, struct refusal *r)
{
	enum conf_version version = VERSION_NEWEST;
	unsigned int i;

	if (c->version) {
		version = version_find(c->version);
		if (version == VERSION_COUNT)
			return refuse(r, VERSION_UNKNOWN, c->version);
	}
	if (!c->from) {
		conf_init(conf);
		conf->version = version;
		return 0;
	}
	if (conf_load(conf, c->from, r) < 0)
		return -1;
	/* Another VM: what tells two of them apart is its own. */
	conf_new_id(conf->id);
	for (i = 0; i < conf->nadapters; i++)
		conf_new_mac(conf->adapters[i].mac);
	return 0;
}

static int import(struct create *c, struct refusal *r)
{
	struct ctl_progress progress = { 0 };
	int ret;

	c->import.name = c->args.name;
	c->import.settings = &c->settings;
	ret = import_vm(&c->import, &progress, r);
	progress_end(&progress);
	return ret;
}

static int create(struct create *c, struct refusal *r)
{
	struct vm_facts facts;
	struct vm_conf conf;
	struct vmdir d;
	int ret = -1;

	/* The name first: a sentence about a setting repeats it. */
	if (!conf_name_ok(c->args.name))
		return refuse(r, NAME_INVALID, c->args.name, "VM");
	if (c->import.from)
		return import(c, r);
	if (begin(c, &conf, r) < 0)
		return -1;
	facts_of_none(c->args.name, &facts);
	if (settings_apply(&c->settings, &conf, c->args.name, r) < 0 ||
	    rules_check(&conf, &facts, RULE_SET, r) < 0)
		goto out;
	ret = vmdir_create(&d, c->args.name, &conf, false, r);
	if (ret == 0)
		vmdir_close(&d);
out:
	conf_free(&conf);
	return ret;
}

int cmd_create(int argc, char **argv)
{
	const struct argp_child children[] = {
		{ .argp = settings_argp() }, { .argp = &cli_json_argp }, { 0 },
	};
	const struct argp argp = {
		.options = options, .parser = parse, .args_doc = "NAME", .children = children,
		.doc = CLI_DOC("Makes a VM. It is off until \"nestvm start\"."),
	};
	struct create c = { 0 };
	struct refusal r;

	cli_name(argv);
	argp_parse(&argp, argc, argv, 0, NULL, &c);
	if (create(&c, &r) < 0)
		return cli_refused(&r, c.args.json);
	return cli_done(c.args.json);
}
