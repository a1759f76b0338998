// SPDX-License-Identifier: GPL-2.0
/* stop, kill, restart: the ways to an end. */
#include "cmd.h"

#include "cli.h"
#include "ctl.h"
#include "state_wait.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define STOP_SECONDS	90	/* a guest's services may take their time */
#define DRAW_SECONDS	0.25	/* between two looks of the progress bar */
#define KILL_SECONDS	5	/* then its process is ended from outside */

enum { OPT_TIMEOUT = 0x7500, OPT_KILL, OPT_RESET };

struct stop {
	struct cli_args args;
	unsigned int timeout;
	bool kill;
	bool reset;
};

static error_t parse(int key, char *arg, struct argp_state *state)
{
	struct stop *s = state->input;
	char *end;

	switch (key) {
	case OPT_TIMEOUT:
		errno = 0;
		s->timeout = strtoul(arg, &end, 10);
		if (errno || *end || *arg < '0' || *arg > '9' || s->timeout < 1 ||
		    s->timeout > 86400)
			argp_error(state, "\"%s\" is not a number of seconds: from 1 to 86400.", arg);
		return 0;
	case OPT_KILL:
		s->kill = true;
		return 0;
	case OPT_RESET:
		s->reset = true;
		return 0;
	default:
		return cli_parse_args(key, arg, state, &s->args);
	}
}

static const struct argp_child children[] = { { .argp = &cli_json_argp }, { 0 } };

static double now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec + t.tv_nsec / 1e9;
}

/*
 * Until the guest has ended, at most @seconds; a process that dies counts as ended.
 * @how is what the VM said of its end, NULL if nothing.
 */
static bool ended(struct ctl *c, unsigned int seconds, json_t **how)
{
	struct ctl_progress progress = { .what = "stopping" };
	struct pollfd pfd = { .fd = c->fd, .events = POLLIN };
	double start = now(), left;
	struct refusal r;

	if (ctl_send(c, "wait", NULL) < 0)
		return true;
	for (;;) {
		left = start + seconds - now();
		if (left <= 0 || poll(&pfd, 1, left < DRAW_SECONDS ? left * 1000 :
							    DRAW_SECONDS * 1000) > 0)
			break;
		progress_draw(&progress, now() - start, seconds, "seconds");
	}
	progress_end(&progress);
	if (left <= 0)
		return false;
	*how = ctl_wait(c, "wait", NULL, &r);
	return true;
}

static int kill_vm(const struct vmdir *d, struct refusal *r)
{
	struct ctl c;
	bool ended;
	pid_t pid;

	if (!vmdir_running(d, &pid))
		return refuse(r, VM_NOT_RUNNING, d->name, "it can be switched off");
	/* A process that still listens ends by itself and leaves its log in order. */
	if (ctl_open(&c, d, "it can be switched off", r) == 0) {
		ended = ctl_send(&c, "quit", NULL) == 0 && state_wait_gone(d, KILL_SECONDS);
		ctl_close(&c);
		if (ended)
			return 0;
	}
	if (vmdir_running(d, &pid) && pid > 1 && kill(pid, SIGKILL) < 0 && errno != ESRCH)
		return refuse_text(r, REASON_HOST_FAILED,
				   "VM \"%s\" does not answer, and its process %d cannot be ended: %s.",
				   d->name, (int)pid, strerror(errno));
	if (!state_wait_gone(d, GONE_SECONDS))
		return refuse_text(r, REASON_HOST_FAILED,
				   "process %d of VM \"%s\" was killed and still exists: the kernel's "
				   "log may tell why.", (int)pid, d->name);
	return 0;
}

static int power_down(struct vmdir *d, const struct stop *s, json_t **how, struct refusal *r)
{
	char seconds[16];
	json_t *answer;
	struct ctl c;
	bool over;

	if (ctl_open(&c, d, "it can be stopped", r) < 0)
		return -1;
	answer = ctl_call(&c, "powerdown", NULL, NULL, r);
	if (!answer) {
		ctl_close(&c);
		return -1;
	}
	json_decref(answer);
	over = ended(&c, s->timeout, how);
	ctl_close(&c);
	if (over && state_wait_gone(d, GONE_SECONDS))
		return 0;
	if (s->kill)
		return kill_vm(d, r);
	snprintf(seconds, sizeof(seconds), "%u", s->timeout);
	return refuse(r, POWERDOWN_IGNORED, d->name, seconds);
}

/* It may have ended otherwise in the meantime: killed by another command, or died. */
static int tell(const struct stop *s, json_t *how)
{
	const char *end = json_string_value(json_object_get(how, "end"));
	const char *text = json_string_value(json_object_get(how, "text"));

	if (s->args.json)
		return cli_print_json(how ? json_incref(how) : json_object());
	if (!end || strcmp(end, "poweroff"))
		fprintf(stderr, "nestvm: VM \"%s\" did not shut down, but ended: %s.\n", s->args.name,
			text ?: "its log may tell how");
	return EXIT_OK;
}

static const struct argp_option stop_options[] = {
	{ "timeout", OPT_TIMEOUT, "SECONDS", 0, "how long the guest may take (default: 90)", 1 },
	{ "kill", OPT_KILL, NULL, 0, "switch it off when the time is over", 1 },
	{ 0 },
};

int cmd_stop(int argc, char **argv)
{
	const struct argp argp = {
		.options = stop_options, .parser = parse, .args_doc = "NAME", .children = children,
		.doc = CLI_DOC("Presses the power button of a VM and waits until its guest has shut "
			       "down."),
	};
	struct stop s = { .timeout = STOP_SECONDS };
	json_t *how = NULL;
	struct refusal r;
	struct vmdir d;
	int ret;

	cli_name(argv);
	argp_parse(&argp, argc, argv, 0, NULL, &s);
	/* Without the lock: for as long as a guest shuts down, it can still be killed. */
	if (vmdir_open(&d, s.args.name, VMDIR_READ, &r) < 0)
		return cli_refused(&r, s.args.json);
	ret = power_down(&d, &s, &how, &r);
	if (ret == 0)
		ret = tell(&s, how);
	else
		ret = cli_refused(&r, s.args.json);
	json_decref(how);
	return ret;
}

int cmd_kill(int argc, char **argv)
{
	struct cli_args args;
	struct refusal r;
	struct vmdir d;

	cli_parse_name(argc, argv,
		       CLI_DOC("Switches a VM off at once, as if its power had been cut."), &args);
	if (vmdir_open(&d, args.name, VMDIR_READ, &r) < 0 || kill_vm(&d, &r) < 0)
		return cli_refused(&r, args.json);
	return cli_done(args.json);
}

static const struct argp_option restart_options[] = {
	{ "timeout", OPT_TIMEOUT, "SECONDS", 0, "how long the guest may take (default: 90)", 1 },
	{ "kill", OPT_KILL, NULL, 0, "switch it off when the time is over", 1 },
	{ "reset", OPT_RESET, NULL, 0, "press the reset button instead: at once, and the guest is "
	  "not asked", 1 },
	{ 0 },
};

static int restart(struct vmdir *d, const struct stop *s, struct refusal *r)
{
	json_t *answer, *how = NULL;
	struct vmdir locked;
	int ret;

	if (s->reset) {
		answer = ctl_ask(d, "reset", NULL, "it can be reset", r);
		json_decref(answer);
		return answer ? 0 : -1;
	}
	ret = power_down(d, s, &how, r);
	json_decref(how);
	if (ret < 0)
		return -1;
	if (vmdir_open(&locked, d->name, VMDIR_CHANGE, r) < 0)
		return -1;
	ret = vm_start(&locked, r);
	vmdir_close(&locked);
	return ret;
}

int cmd_restart(int argc, char **argv)
{
	const struct argp argp = {
		.options = restart_options, .parser = parse, .args_doc = "NAME",
		.children = children,
		.doc = CLI_DOC("Stops a VM as \"nestvm stop\" does, and starts it again."),
	};
	struct stop s = { .timeout = STOP_SECONDS };
	struct refusal r;
	struct vmdir d;
	int ret;

	cli_name(argv);
	argp_parse(&argp, argc, argv, 0, NULL, &s);
	if (vmdir_open(&d, s.args.name, VMDIR_READ, &r) < 0)
		return cli_refused(&r, s.args.json);
	ret = restart(&d, &s, &r);
	return ret < 0 ? cli_refused(&r, s.args.json) : cli_done(s.args.json);
}
