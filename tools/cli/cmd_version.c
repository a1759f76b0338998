// SPDX-License-Identifier: GPL-2.0
/* update-version and host-versions. */
#include "cmd.h"

#include "../conf/vtx.h"
#include "cli.h"
#include "facts.h"

#include <stdio.h>
#include <string.h>

enum { OPT_COPY = 0x7300, OPT_TO, OPT_FEATURES };

struct update {
	struct cli_args args;
	const char *copy;
	const char *to;
};

static const struct argp_option update_options[] = {
	{ "copy", OPT_COPY, "FILE", 0,
	  "first keep a copy of the configuration: the only way back", 1 },
	{ "to", OPT_TO, "VERSION", 0, "not the newest version but this one", 1 },
	{ 0 },
};

static error_t parse_update(int key, char *arg, struct argp_state *state)
{
	struct update *u = state->input;

	switch (key) {
	case OPT_COPY:
		u->copy = arg;
		return 0;
	case OPT_TO:
		u->to = arg;
		return 0;
	default:
		return cli_parse_args(key, arg, state, &u->args);
	}
}

/* What every version on the way brings. */
static void tell(const struct vmdir *d, enum conf_version from, enum conf_version to,
		 const struct update *u)
{
	json_t *changes = json_array();
	enum conf_version v;

	for (v = from + 1; v <= to; v++) {
		if (!u->args.json)
			printf("%s: %s\n", version_name(v), version_text(v));
		json_array_append_new(changes, json_pack("{s:s,s:s}", "version", version_name(v),
							 "brings", version_text(v)));
	}
	if (u->args.json) {
		cli_print_json(json_pack("{s:s,s:s,s:o}", "from", version_name(from), "to",
					 version_name(to), "changes", changes));
		return;
	}
	json_decref(changes);
	printf("VM \"%s\" has version %s now.", d->name, version_name(to));
	if (u->copy)
		printf(" %s is the configuration with version %s.\n", u->copy, version_name(from));
	else
		printf(" There is no way back to %s: no copy of the configuration was kept.\n",
		       version_name(from));
}

static int update(const struct update *u, const struct vmdir *d, struct vm_conf *c,
		  struct refusal *r)
{
	enum conf_version from = c->version, to = VERSION_NEWEST;
	struct vm_facts facts;

	if (u->to) {
		to = version_find(u->to);
		if (to == VERSION_COUNT)
			return refuse(r, VERSION_UNKNOWN, u->to);
		if (to < from)
			return refuse(r, VERSION_BACK, d->name, version_name(from),
				      version_name(to));
	}
	facts_of_vm(d, &facts);
	if (rules_check(c, &facts, RULE_UPDATE, r) < 0)
		return -1;
	if (u->copy && conf_save(c, u->copy, r) < 0)
		return -1;
	c->version = to;
	if (vmdir_save(d, c, r) < 0)
		return -1;
	tell(d, from, to, u);
	return 0;
}

int cmd_update_version(int argc, char **argv)
{
	static const struct argp_child children[] = { { .argp = &cli_json_argp }, { 0 } };
	const struct argp argp = {
		.options = update_options, .parser = parse_update, .args_doc = "NAME",
		.children = children,
		.doc = CLI_DOC("Gives a VM the newest configuration version, so that it is under the "
			       "newest rules. The VM must be off and have no saved state. There is "
			       "no way back, except a copy."),
	};
	struct update u = { 0 };
	struct vm_conf c;
	struct refusal r;
	struct vmdir d;
	int ret;

	cli_name(argv);
	argp_parse(&argp, argc, argv, 0, NULL, &u);
	if (vmdir_open(&d, u.args.name, VMDIR_CHANGE, &r) < 0)
		return cli_refused(&r, u.args.json);
	ret = vmdir_load(&d, &c, &r);
	if (ret == 0) {
		ret = update(&u, &d, &c, &r);
		conf_free(&c);
	}
	vmdir_close(&d);
	return ret < 0 ? cli_refused(&r, u.args.json) : EXIT_OK;
}

struct versions {
	bool json;
	bool features;
};

static const struct argp_option versions_options[] = {
	{ "vtx-features", OPT_FEATURES, NULL, 0,
	  "list instead what --vtx-features of \"nestvm set\" knows", 1 },
	{ 0 },
};

static error_t parse_versions(int key, char *arg, struct argp_state *state)
{
	struct versions *v = state->input;

	switch (key) {
	case ARGP_KEY_INIT:
		state->child_inputs[0] = &v->json;
		return 0;
	case OPT_FEATURES:
		v->features = true;
		return 0;
	case ARGP_KEY_ARG:
		argp_error(state, "\"%s\" is not an option.", arg);
		return 0;
	default:
		return ARGP_ERR_UNKNOWN;
	}
}

static int list_features(bool json)
{
	json_t *list = json_array();
	char needs[VTX_TEXT_MAX];
	unsigned int i;

	for (i = 0; i < VTX_COUNT; i++) {
		const struct vtx_feature *f = &vtx_features[i];
		const char *base = f->needs ? vtx_print(f->needs, needs) : "";

		if (!json)
			printf("%-20s %s%s%s%s\n", f->name, f->help, *base ? " (needs " : "", base,
			       *base ? ")" : "");
		json_array_append_new(list, json_pack("{s:s,s:s,s:s}", "name", f->name, "help",
						      f->help, "needs", base));
	}
	if (json)
		return cli_print_json(list);
	json_decref(list);
	return EXIT_OK;
}

static int list_versions(bool json)
{
	json_t *list = json_array();
	enum conf_version v;

	for (v = 0; v < VERSION_COUNT; v++) {
		bool newest = v == VERSION_NEWEST;

		if (!json)
			printf("%-4s %-8s %s\n", version_name(v), newest ? "default" : "",
			       version_text(v));
		json_array_append_new(list, json_pack("{s:s,s:b,s:s}", "version", version_name(v),
						      "default", (int)newest, "brings",
						      version_text(v)));
	}
	if (json)
		return cli_print_json(list);
	json_decref(list);
	return EXIT_OK;
}

int cmd_host_versions(int argc, char **argv)
{
	static const struct argp_child children[] = { { .argp = &cli_json_argp }, { 0 } };
	const struct argp argp = {
		.options = versions_options, .parser = parse_versions, .children = children,
		.doc = CLI_DOC("Lists the configuration versions of VMs that this nestvm runs."),
	};
	struct versions v = { 0 };

	cli_name(argv);
	argp_parse(&argp, argc, argv, 0, NULL, &v);
	return v.features ? list_features(v.json) : list_versions(v.json);
}
