// SPDX-License-Identifier: GPL-2.0
#include "cli.h"

#include "cmd.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define OPT_JSON 0x7001

static const struct argp_option json_options[] = {
	{ "json", OPT_JSON, NULL, 0, "print JSON, refusals as well", 90 },
	{ 0 },
};

static error_t parse_json(int key, char *arg, struct argp_state *state)
{
	bool *json = state->input;

	(void)arg;
	if (key != OPT_JSON)
		return ARGP_ERR_UNKNOWN;
	*json = true;
	return 0;
}

const struct argp cli_json_argp = { .options = json_options, .parser = parse_json };

error_t cli_parse_args(int key, char *arg, struct argp_state *state, struct cli_args *args)
{
	switch (key) {
	case ARGP_KEY_INIT:
		state->child_inputs[0] = &args->json;
		return 0;
	case ARGP_KEY_ARG:
		if (args->name)
			argp_error(state, "one VM at a time, and \"%s\" is a second.", arg);
		args->name = arg;
		return 0;
	case ARGP_KEY_END:
		if (!args->name)
			argp_error(state, "name a VM; \"nestvm list\" lists them.");
		return 0;
	default:
		return ARGP_ERR_UNKNOWN;
	}
}

static error_t parse_name(int key, char *arg, struct argp_state *state)
{
	return cli_parse_args(key, arg, state, state->input);
}

void cli_parse_name(int argc, char **argv, const char *doc, struct cli_args *args)
{
	static const struct argp_child children[] = { { .argp = &cli_json_argp }, { 0 } };
	const struct argp argp = {
		.parser = parse_name, .args_doc = "NAME", .doc = doc, .children = children,
	};

	cli_name(argv);
	memset(args, 0, sizeof(*args));
	argp_parse(&argp, argc, argv, 0, NULL, args);
}

static error_t parse_none(int key, char *arg, struct argp_state *state)
{
	switch (key) {
	case ARGP_KEY_INIT:
		state->child_inputs[0] = state->input;
		return 0;
	case ARGP_KEY_ARG:
		argp_error(state, "\"%s\" is not an option, and this command takes no name.", arg);
		return 0;
	default:
		return ARGP_ERR_UNKNOWN;
	}
}

void cli_parse_none(int argc, char **argv, const char *doc, bool *json)
{
	static const struct argp_child children[] = { { .argp = &cli_json_argp }, { 0 } };
	const struct argp argp = { .parser = parse_none, .children = children, .doc = doc };

	cli_name(argv);
	*json = false;
	argp_parse(&argp, argc, argv, 0, NULL, json);
}

void cli_name(char **argv)
{
	char *name;

	/* For as long as the program runs. */
	if (asprintf(&name, "nestvm %s", argv[0]) >= 0)
		argv[0] = name;
}

int cli_refused(const struct refusal *r, bool json)
{
	int status = reason_status(r->id);

	if (json)
		cli_print_json(json_pack("{s:{s:s,s:s,s:i}}", "error", "id", reason_name(r->id),
					 "text", r->text, "status", status));
	else
		fprintf(stderr, "nestvm: %s [%s]\n", r->text, reason_name(r->id));
	return status;
}

int cli_print_json(json_t *value)
{
	int ret = value ? json_dumpf(value, stdout, JSON_INDENT(2) | JSON_ENCODE_ANY) : -1;

	json_decref(value);
	if (ret < 0 || putchar('\n') < 0 || fflush(stdout) != 0) {
		fprintf(stderr, "nestvm: the answer cannot be written.\n");
		return EXIT_ERROR;
	}
	return EXIT_OK;
}

int cli_done(bool json)
{
	return json ? cli_print_json(json_object()) : EXIT_OK;
}

const char *cli_size(uint64_t bytes, char out[16])
{
	static const char units[] = "BKMGT";
	double n = bytes;
	unsigned int u;

	for (u = 0; n >= 1024 && u < sizeof(units) - 2; u++)
		n /= 1024;
	snprintf(out, 16, n == (unsigned int)n ? "%.0f%c" : "%.1f%c", n, units[u]);
	return out;
}
