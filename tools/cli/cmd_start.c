// SPDX-License-Identifier: GPL-2.0
/* start, and the internal command vmm: the process of the VM that start leaves behind. */
#include "cmd.h"

#include "cli.h"
#include "ctl.h"
#include "state_wait.h"
#include "vm_process.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

/* The VM's process tells on this file whether it started, in the control protocol. */
#define READY_FD 3
/* ... and holds the VM's lock by this one until then, also when who started it is killed. */
#define LOCK_FD 4

/* -- the VM's own process ------------------------------------------------------- */

static void tell(json_t *line)
{
	char *text = line ? json_dumps(line, JSON_COMPACT) : NULL;
	size_t len;

	json_decref(line);
	if (!text)
		return;
	len = strlen(text);
	text[len] = '\n';
	/* Who started us may be gone; the VM runs all the same. */
	send(READY_FD, text, len + 1, MSG_NOSIGNAL);
	free(text);
}

static void tell_progress(void *arg, uint64_t done, uint64_t total)
{
	(void)arg;
	tell(json_pack("{s:{s:I,s:I,s:s}}", "progress", "done", (json_int_t)done, "total",
		       (json_int_t)total, "unit", "bytes"));
}

/* "nestvm vmm NAME" */
int cmd_vmm(int argc, char **argv)
{
	struct vm_process p;
	struct refusal r;
	struct vmdir d;
	int status;

	if (argc != 2 || fcntl(READY_FD, F_SETFD, FD_CLOEXEC) < 0 ||
	    fcntl(LOCK_FD, F_SETFD, FD_CLOEXEC) < 0) {
		fprintf(stderr, "nestvm: vmm is what \"nestvm start\" runs, and not for use by hand.\n");
		return EXIT_ERROR;
	}
	if (vmdir_open(&d, argv[1], VMDIR_READ, &r) < 0 ||
	    vm_process_create(&p, &d, tell_progress, NULL, &r) < 0) {
		fprintf(stderr, "nestvm: %s [%s]\n", r.text, reason_name(r.id));
		tell(json_pack("{s:{s:s,s:s}}", "error", "id", reason_name(r.id), "text", r.text));
		return reason_status(r.id);
	}
	tell(json_pack("{s:{s:b}}", "return", "paused", p.m->operator_paused));
	close(READY_FD);
	close(LOCK_FD);
	status = vm_process_run(&p);
	vm_process_destroy(&p);
	vmdir_close(&d);
	return status;
}

/* -- start --------------------------------------------------------------------- */

/* The log of the life before is kept as log.1. */
static int open_log(const struct vmdir *d, struct refusal *r)
{
	char log[PATH_MAX], old[PATH_MAX];
	int fd;

	rename(vmdir_file(d, "log", log), vmdir_file(d, "log.1", old));
	fd = open(log, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
	if (fd < 0)
		refuse_text(r, REASON_HOST_FAILED, "%s cannot be written: %s.", log,
			    strerror(errno));
	return fd;
}

/* Between fork() and exec(). */
static void become_vm(const char *name, int lock, int log, int ready)
{
	int null = open("/dev/null", O_RDONLY);
	char *const argv[] = { "nestvm", "vmm", (char *)name, NULL };

	/* Out of the way of the numbers that they are to have. */
	log = fcntl(log, F_DUPFD_CLOEXEC, 10);
	ready = fcntl(ready, F_DUPFD_CLOEXEC, 10);
	lock = fcntl(lock, F_DUPFD_CLOEXEC, 10);
	if (setsid() < 0 || null < 0 || log < 0 || ready < 0 || lock < 0 || dup2(null, 0) < 0 ||
	    dup2(log, 1) < 0 || dup2(log, 2) < 0 || dup2(ready, READY_FD) < 0 ||
	    dup2(lock, LOCK_FD) < 0 || chdir("/") < 0)
		_exit(127);
	execv("/proc/self/exe", argv);
	_exit(127);
}

/* The process ended without a word: what is known of it. */
static int died(const struct vmdir *d, pid_t pid, struct refusal *r)
{
	char how[PATH_MAX + 128], log[PATH_MAX];
	int status;

	vmdir_file(d, "log", log);
	if (waitpid(pid, &status, 0) != pid)
		snprintf(how, sizeof(how), "its process ended; its log is %s.", log);
	else if (WIFSIGNALED(status))
		snprintf(how, sizeof(how), "its process was ended by signal %d (%s); its log is %s.",
			 WTERMSIG(status), strsignal(WTERMSIG(status)), log);
	else
		snprintf(how, sizeof(how), "its process ended with status %d; its log is %s.",
			 WEXITSTATUS(status), log);
	return refuse(r, START_FAILED, d->name, how);
}

static int start_process(struct vmdir *d, struct refusal *r)
{
	struct ctl_progress progress = { .what = "starting" };
	struct ctl ready = { .d = d };
	json_t *answer;
	int log, pair[2];
	pid_t pid;

	log = open_log(d, r);
	if (log < 0)
		return -1;
	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) < 0) {
		close(log);
		return refuse_text(r, REASON_HOST_FAILED, "no socket: %s.", strerror(errno));
	}
	pid = fork();
	if (pid == 0)
		become_vm(d->name, d->lock_fd, log, pair[1]);
	close(pair[1]);
	close(log);
	if (pid < 0) {
		close(pair[0]);
		return refuse_text(r, REASON_HOST_FAILED, "no process: %s.", strerror(errno));
	}
	ready.fd = pair[0];
	answer = ctl_wait(&ready, "start", &progress, r);
	ctl_close(&ready);
	if (!answer && r->id == REASON_CONTROL_LOST)
		return died(d, pid, r);
	/* It said why not: it is gone before another start can meet its lock. */
	if (!answer)
		waitpid(pid, NULL, 0);
	if (json_is_true(json_object_get(answer, "paused")))
		fprintf(stderr, "nestvm: VM \"%s\" is paused, as it was saved: \"nestvm unpause %s\" "
			"lets it go on.\n", d->name, d->name);
	json_decref(answer);
	return answer ? 0 : -1;
}

int vm_start(struct vmdir *d, struct refusal *r)
{
	return state_rules(d, RULE_START, r) < 0 ? -1 : start_process(d, r);
}

enum { OPT_FOREGROUND = 0x7400 };

struct start {
	struct cli_args args;
	bool foreground;
};

static const struct argp_option options[] = {
	{ "foreground", OPT_FOREGROUND, NULL, 0,
	  "stay with the VM until it ends, as its process (for systemd); the exit status is then "
	  "that of \"nestvm run\"", 1 },
	{ 0 },
};

static error_t parse(int key, char *arg, struct argp_state *state)
{
	struct start *s = state->input;

	switch (key) {
	case OPT_FOREGROUND:
		s->foreground = true;
		return 0;
	default:
		return cli_parse_args(key, arg, state, &s->args);
	}
}

static int run_here(struct vmdir *d, bool json)
{
	struct vm_process p;
	struct refusal r;
	int status;

	if (state_rules(d, RULE_START, &r) < 0 || vm_process_create(&p, d, NULL, NULL, &r) < 0)
		return cli_refused(&r, json);
	/* It runs: other commands may have it. */
	close(d->lock_fd);
	d->lock_fd = -1;
	status = vm_process_run(&p);
	vm_process_destroy(&p);
	return status;
}

int cmd_start(int argc, char **argv)
{
	static const struct argp_child children[] = { { .argp = &cli_json_argp }, { 0 } };
	const struct argp argp = {
		.options = options, .parser = parse, .args_doc = "NAME", .children = children,
		.doc = CLI_DOC("Starts a VM, from its saved state if it has one. The VM runs in a "
			       "process of its own; \"nestvm console\" shows its console."),
	};
	struct start s = { 0 };
	struct refusal r;
	struct vmdir d;
	int ret;

	cli_name(argv);
	argp_parse(&argp, argc, argv, 0, NULL, &s);
	if (vmdir_open(&d, s.args.name, VMDIR_CHANGE, &r) < 0)
		return cli_refused(&r, s.args.json);
	if (s.foreground) {
		ret = run_here(&d, s.args.json);
		vmdir_close(&d);
		return ret;
	}
	ret = vm_start(&d, &r);
	vmdir_close(&d);
	return ret < 0 ? cli_refused(&r, s.args.json) : cli_done(s.args.json);
}
