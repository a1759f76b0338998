// SPDX-License-Identifier: GPL-2.0
#include "cmd.h"

#include "cli.h"
#include "ctl.h"
#include "state_wait.h"

#include <stdio.h>

enum { OPT_NO_COMPRESS = 0x7500 };

struct save {
	struct cli_args args;
	bool plain;
};

static const struct argp_option options[] = {
	{ "no-compress", OPT_NO_COMPRESS, NULL, 0,
	  "write memory as it is: faster, and several times as large", 1 },
	{ 0 },
};

static error_t parse(int key, char *arg, struct argp_state *state)
{
	struct save *s = state->input;

	switch (key) {
	case OPT_NO_COMPRESS:
		s->plain = true;
		return 0;
	default:
		return cli_parse_args(key, arg, state, &s->args);
	}
}

static json_t *save(const struct vmdir *d, bool compress, struct refusal *r)
{
	struct ctl_progress progress = { .what = "saving" };
	json_t *answer = NULL;
	char path[PATH_MAX];
	struct ctl c;

	if (state_rules(d, RULE_SAVE, r) < 0 ||
	    ctl_open(&c, d, "it can be saved", r) < 0)
		return NULL;
	answer = ctl_call(&c, "save", json_pack("{s:s,s:b}", "path",
						vmdir_file(d, "saved", path), "compress", compress),
			  &progress, r);
	ctl_close(&c);
	if (answer)
		state_wait_gone(d, GONE_SECONDS);
	return answer;
}

int cmd_save(int argc, char **argv)
{
	static const struct argp_child children[] = { { .argp = &cli_json_argp }, { 0 } };
	const struct argp argp = {
		.options = options, .parser = parse, .args_doc = "NAME", .children = children,
		.doc = CLI_DOC("Saves a running VM with all that runs inside it, and ends it; \"nestvm "
			       "start\" goes on from there, and leaves it paused if it was. When "
			       "saving fails, the VM goes on."),
	};
	struct save s = { 0 };
	struct refusal r;
	struct vmdir d;
	json_t *answer;
	char size[16];

	cli_name(argv);
	argp_parse(&argp, argc, argv, 0, NULL, &s);
	if (vmdir_open(&d, s.args.name, VMDIR_CHANGE, &r) < 0)
		return cli_refused(&r, s.args.json);
	answer = save(&d, !s.plain, &r);
	vmdir_close(&d);
	if (!answer)
		return cli_refused(&r, s.args.json);
	if (s.args.json)
		return cli_print_json(answer);
	printf("saved %s: %s in %.1f s\n", s.args.name,
	       cli_size(json_integer_value(json_object_get(answer, "bytes")), size),
	       json_integer_value(json_object_get(answer, "milliseconds")) / 1000.0);
	json_decref(answer);
	return EXIT_OK;
}
