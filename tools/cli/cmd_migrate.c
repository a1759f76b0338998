// SPDX-License-Identifier: GPL-2.0
#include "cmd.h"

#include "cli.h"
#include "ctl.h"
#include "state_wait.h"

#include <stdio.h>
#include <stdlib.h>

enum { OPT_TO = 0x7600, OPT_DOWNTIME };

struct migrate {
	struct cli_args args;
	const char *to;
	unsigned int downtime;
};

static const struct argp_option options[] = {
	{ "to", OPT_TO, "HOST[:PORT]", 0,
	  "where \"nestvm receive\" waits (port 7311 unless given)", 1 },
	{ "downtime", OPT_DOWNTIME, "MILLISECONDS", 0,
	  "how long the VM should stand still at most (default: 300)", 1 },
	{ 0 },
};

static error_t parse(int key, char *arg, struct argp_state *state)
{
	struct migrate *m = state->input;
	char *end;
	long n;

	switch (key) {
	case OPT_TO:
		m->to = arg;
		return 0;
	case OPT_DOWNTIME:
		n = strtol(arg, &end, 10);
		if (*end || end == arg || n < 1 || n > 60000)
			argp_error(state, "\"%s\" is not a time: from 1 to 60000 milliseconds.", arg);
		m->downtime = n;
		return 0;
	case ARGP_KEY_END:
		if (!m->args.name || !m->to)
			argp_error(state, "say which VM and where: NAME --to HOST[:PORT].");
		return 0;
	default:
		return cli_parse_args(key, arg, state, &m->args);
	}
}

static char *config_text(const struct vmdir *d, struct refusal *r)
{
	struct vm_conf conf;
	char *text = NULL;
	json_t *json;

	if (vmdir_load(d, &conf, r) < 0)
		return NULL;
	json = conf_to_json(&conf);
	if (json)
		text = json_dumps(json, JSON_INDENT(1));
	if (!text)
		refuse_text(r, REASON_HOST_FAILED, "no memory left on the host.");
	json_decref(json);
	conf_free(&conf);
	return text;
}

static json_t *migrate(const struct vmdir *d, const struct migrate *m, struct refusal *r)
{
	struct ctl_progress progress = { .what = "migrating" };
	json_t *answer = NULL;
	struct ctl c;
	char *config;

	if (state_rules(d, RULE_MIGRATE, r) < 0)
		return NULL;
	config = config_text(d, r);
	if (!config)
		return NULL;
	if (ctl_open(&c, d, "it can migrate", r) == 0) {
		answer = ctl_call(&c, "migrate", json_pack("{s:s,s:s,s:i}", "to", m->to, "config",
							   config, "downtime", (int)m->downtime),
				  &progress, r);
		ctl_close(&c);
	}
	free(config);
	if (answer)
		state_wait_gone(d, GONE_SECONDS);
	return answer;
}

static json_int_t number(const json_t *json, const char *key)
{
	return json_integer_value(json_object_get(json, key));
}

int cmd_migrate(int argc, char **argv)
{
	static const struct argp_child children[] = { { .argp = &cli_json_argp }, { 0 } };
	const struct argp argp = {
		.options = options, .parser = parse, .args_doc = "NAME --to HOST[:PORT]",
		.children = children,
		.doc = CLI_DOC("Moves a running VM, with all that runs inside it, to another host on "
			       "which \"nestvm receive\" waits. The VM stands still for a moment only. "
			       "Disks are not copied: both hosts must have them under the same paths. "
			       "When anything fails before the VM runs there, it goes on here. The "
			       "connection is neither encrypted nor authenticated: use a network you "
			       "trust, or a tunnel."),
	};
	struct migrate m = { .downtime = 300 };
	struct refusal r;
	struct vmdir d;
	json_t *answer;
	char size[16];

	cli_name(argv);
	argp_parse(&argp, argc, argv, 0, NULL, &m);
	if (vmdir_open(&d, m.args.name, VMDIR_CHANGE, &r) < 0)
		return cli_refused(&r, m.args.json);
	answer = migrate(&d, &m, &r);
	vmdir_close(&d);
	if (!answer)
		return cli_refused(&r, m.args.json);
	if (m.args.json)
		return cli_print_json(answer);
	printf("migrated %s to %s: downtime %lld ms, %s in %lld rounds, %.1f s\n", m.args.name, m.to,
	       (long long)number(answer, "downtime"), cli_size(number(answer, "bytes"), size),
	       (long long)number(answer, "rounds"), number(answer, "milliseconds") / 1000.0);
	json_decref(answer);
	return EXIT_OK;
}
