// SPDX-License-Identifier: GPL-2.0
#include "sub.h"

#include <stdio.h>
#include <string.h>

static void usage(FILE *f, const char *word, const struct sub_command *table, size_t n)
{
	size_t i;

	fprintf(f, "Usage: nestvm %s COMMAND [OPTION...]\n\nCommands:\n", word);
	for (i = 0; i < n; i++)
		fprintf(f, "  %-10s %s\n", table[i].name, table[i].help);
	fprintf(f, "\n\"nestvm %s COMMAND --help\" tells a command's options.\n", word);
}

int sub_run(const struct sub_command *table, size_t n, int argc, char **argv)
{
	static char name[64];
	const char *word = argv[0];
	size_t i;

	if (argc < 2) {
		usage(stderr, word, table, n);
		return EXIT_ERROR;
	}
	for (i = 0; i < n; i++)
		if (!strcmp(argv[1], table[i].name)) {
			snprintf(name, sizeof(name), "%s %s", word, argv[1]);
			argv[1] = name;
			return table[i].run(argc - 1, argv + 1);
		}
	if (!strcmp(argv[1], "--help") || !strcmp(argv[1], "help")) {
		usage(stdout, word, table, n);
		return EXIT_OK;
	}
	fprintf(stderr, "nestvm: there is no command \"%s %s\". \"nestvm %s --help\" lists them.\n",
		word, argv[1], word);
	return EXIT_ERROR;
}

struct name_args {
	const char *what;
	struct cli_args *args;
};

static error_t parse_name(int key, char *arg, struct argp_state *state)
{
	struct name_args *n = state->input;

	switch (key) {
	case ARGP_KEY_INIT:
		state->child_inputs[0] = &n->args->json;
		return 0;
	case ARGP_KEY_ARG:
		if (n->args->name)
			argp_error(state, "one %s at a time, and \"%s\" is a second.", n->what, arg);
		n->args->name = arg;
		return 0;
	case ARGP_KEY_END:
		if (!n->args->name)
			argp_error(state, "name a %s.", n->what);
		return 0;
	default:
		return ARGP_ERR_UNKNOWN;
	}
}

void sub_parse_name(int argc, char **argv, const char *what, const char *doc,
		    struct cli_args *args)
{
	static const struct argp_child children[] = { { .argp = &cli_json_argp }, { 0 } };
	const struct argp argp = {
		.parser = parse_name, .args_doc = "NAME", .doc = doc, .children = children,
	};
	struct name_args n = { what, args };

	cli_name(argv);
	memset(args, 0, sizeof(*args));
	argp_parse(&argp, argc, argv, 0, NULL, &n);
}
