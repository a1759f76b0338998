// SPDX-License-Identifier: GPL-2.0
/* pause and unpause. */
#include "cmd.h"

#include "cli.h"
#include "ctl.h"

static int ask(const struct cli_args *args, const char *command, const char *attempt)
{
	struct refusal r;
	struct vmdir d;
	json_t *answer;

	if (vmdir_open(&d, args->name, VMDIR_CHANGE, &r) < 0)
		return cli_refused(&r, args->json);
	answer = ctl_ask(&d, command, NULL, attempt, &r);
	vmdir_close(&d);
	json_decref(answer);
	return answer ? cli_done(args->json) : cli_refused(&r, args->json);
}

int cmd_pause(int argc, char **argv)
{
	struct cli_args args;

	cli_parse_name(argc, argv,
		       CLI_DOC("Makes a running VM stand still, with all that runs inside it. Its "
			       "memory stays where it is."), &args);
	return ask(&args, "pause", "it can be paused");
}

int cmd_unpause(int argc, char **argv)
{
	struct cli_args args;

	cli_parse_name(argc, argv, CLI_DOC("Lets a paused VM go on."), &args);
	return ask(&args, "unpause", "it can go on");
}
