/* SPDX-License-Identifier: GPL-2.0 */
/* Commands of two words: "nestvm switch create", "nestvm nat list". */
#ifndef CLI_SUB_H
#define CLI_SUB_H

#include "cli.h"

#include <stddef.h>

struct sub_command {
	const char *name;
	int (*run)(int argc, char **argv);	/* argv[0] is "WORD NAME" */
	const char *help;
};

/* Runs the one that argv[1] names, or lists them. argv[0] is WORD. */
int sub_run(const struct sub_command *table, size_t n, int argc, char **argv);

/* Parses "COMMAND NAME [--json]"; @what is what the name is of: "switch". */
void sub_parse_name(int argc, char **argv, const char *what, const char *doc,
		    struct cli_args *args);

#endif
