/* SPDX-License-Identifier: GPL-2.0 */
/* What the commands have in common: options, refusals, JSON on the terminal. */
#ifndef CLI_CLI_H
#define CLI_CLI_H

#include "../conf/reasons.h"
#include "../conf/vmdir.h"

#include <argp.h>
#include <jansson.h>

/* What every command about a VM takes; those with options of their own embed it. */
struct cli_args {
	const char *name;		/* of the VM; NULL when there is none */
	bool json;
};

/* --json alone; its input is a bool. */
extern const struct argp cli_json_argp;

/*
 * Parses "COMMAND NAME [--json]" into @args; @doc tells what the command does.
 * Ends the program like argp_parse() when that is wrong.
 */
void cli_parse_name(int argc, char **argv, const char *doc, struct cli_args *args);
/* The rest of such a parser, for its default case: NAME, and --json as the first child. */
error_t cli_parse_args(int key, char *arg, struct argp_state *state, struct cli_args *args);
/* Parses a command that takes --json and nothing else. */
void cli_parse_none(int argc, char **argv, const char *doc, bool *json);

/* "nestvm COMMAND", for argp's sentences; argv[0] is COMMAND. */
void cli_name(char **argv);
/* The doc of a command with the exit statuses behind it, for struct argp. */
#define CLI_DOC(text) text "\v" EXIT_STATUS_TEXT

/* Says why, as a sentence or as {"error": ...}, and returns the exit status. */
int cli_refused(const struct refusal *r, bool json);
/* Prints and releases the value; the exit status. */
int cli_print_json(json_t *value);
/* A program that is told with --json is told "{}", others hear nothing. */
int cli_done(bool json);

/* "1.5G", for tables. */
const char *cli_size(uint64_t bytes, char out[16]);

#endif
