// SPDX-License-Identifier: GPL-2.0
/* nestvm: virtual machines from the command line. */
#include "cmd.h"

#include <argp.h>
#include <stdio.h>
#include <string.h>

static const struct {
	const char *name;
	int (*run)(int argc, char **argv);
	const char *help;
} commands[] = {
	{ "run", cmd_run, "start a VM from a kernel and stay with it until it ends" },
};

#define NCOMMANDS (sizeof(commands) / sizeof(commands[0]))

static void usage(FILE *f)
{
	unsigned int i;

	fprintf(f, "Usage: nestvm COMMAND [OPTION...]\n\nCommands:\n");
	for (i = 0; i < NCOMMANDS; i++)
		fprintf(f, "  %-8s %s\n", commands[i].name, commands[i].help);
	fprintf(f, "\n\"nestvm COMMAND --help\" tells a command's options.\n");
}

int main(int argc, char **argv)
{
	unsigned int i;

	argp_err_exit_status = STATUS_ERROR;
	if (argc < 2) {
		usage(stderr);
		return STATUS_ERROR;
	}
	for (i = 0; i < NCOMMANDS; i++)
		if (!strcmp(argv[1], commands[i].name))
			return commands[i].run(argc - 1, argv + 1);
	if (!strcmp(argv[1], "--help") || !strcmp(argv[1], "help")) {
		usage(stdout);
		return STATUS_OK;
	}
	fprintf(stderr, "nestvm: there is no command \"%s\". \"nestvm --help\" lists them.\n",
		argv[1]);
	return STATUS_ERROR;
}
