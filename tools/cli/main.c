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
	{ "check", cmd_check, "say whether a host, a VM can nest, and what to do" },
	{ "create", cmd_create, "make a VM" },
	{ "list", cmd_list, "list the VMs" },
	{ "show", cmd_show, "show a VM: state, memory, settings" },
	{ "set", cmd_set, "change settings of a VM" },
	{ "start", cmd_start, "start a VM" },
	{ "stop", cmd_stop, "shut a VM's guest down" },
	{ "kill", cmd_kill, "switch a VM off at once" },
	{ "restart", cmd_restart, "stop a VM and start it again" },
	{ "pause", cmd_pause, "make a VM stand still" },
	{ "unpause", cmd_unpause, "let a paused VM go on" },
	{ "save", cmd_save, "save a running VM and end it; start goes on from there" },
	{ "checkpoint", cmd_checkpoint, "keep states of a VM: create, apply, list, show, remove, export" },
	{ "migrate", cmd_migrate, "move a running VM to another host" },
	{ "receive", cmd_receive, "wait for a VM that another host sends" },
	{ "top", cmd_top, "watch what the running VMs do, level by level" },
	{ "stat", cmd_stat, "print the counters of a running VM" },
	{ "console", cmd_console, "connect the terminal to a VM's console" },
	{ "remove", cmd_remove, "remove a VM" },
	{ "rename", cmd_rename, "give a VM another name" },
	{ "remove-saved-state", cmd_remove_saved_state, "throw the saved state of a VM away" },
	{ "update-version", cmd_update_version, "give a VM the newest configuration version" },
	{ "host-versions", cmd_host_versions, "list the configuration versions" },
	{ "switch", cmd_switch, "virtual switches: create, list, show, remove, repair" },
	{ "adapter", cmd_adapter, "network adapters of VMs: add, set, remove, list, show" },
	{ "nat", cmd_nat, "NAT networks: create, list, show, remove" },
	{ "run", cmd_run, "start a VM from a kernel and stay with it until it ends" },
	{ "vmm", cmd_vmm, NULL },	/* what start leaves behind; not for users */
};

#define NCOMMANDS (sizeof(commands) / sizeof(commands[0]))

static void usage(FILE *f)
{
	unsigned int i;

	fprintf(f, "Usage: nestvm COMMAND [OPTION...]\n\nCommands:\n");
	for (i = 0; i < NCOMMANDS; i++)
		if (commands[i].help)
			fprintf(f, "  %-18s %s\n", commands[i].name, commands[i].help);
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
