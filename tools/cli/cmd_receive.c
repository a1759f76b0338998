// SPDX-License-Identifier: GPL-2.0
/*
 * The target's side of a migration. This process waits for the connection, makes
 * the VM from the configuration that comes first, and leaves the rest to a child,
 * which becomes the VM's process; it stays until that runs or has failed.
 */
#include "cmd.h"

#include "../vmm/state/migrate.h"
#include "../vmm/state/peer.h"
#include "cli.h"
#include "state_wait.h"
#include "vm_process.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

enum { OPT_LISTEN = 0x7700 };

struct receive {
	struct cli_args args;
	const char *listen;
};

static const struct argp_option options[] = {
	{ "listen", OPT_LISTEN, "ADDRESS[:PORT]", 0,
	  "where to wait (default: " PEER_DEFAULT_LISTEN "; who can connect there can send a VM)", 1 },
	{ 0 },
};

static error_t parse(int key, char *arg, struct argp_state *state)
{
	struct receive *rc = state->input;

	switch (key) {
	case OPT_LISTEN:
		rc->listen = arg;
		return 0;
	case ARGP_KEY_END:
		if (!rc->args.name || !conf_name_ok(rc->args.name))
			argp_error(state, "name the VM that is to be here.");
		return 0;
	default:
		return cli_parse_args(key, arg, state, &rc->args);
	}
}

static int make_vm(struct migration *mi, const char *name, struct vmdir *d, struct refusal *r)
{
	const char *text = migration_config(mi);
	struct vm_conf conf;
	int ret;

	if (conf_parse(&conf, text, strlen(text), "the migration", r) < 0)
		return -1;
	ret = vmdir_create(d, name, &conf, true, r);
	conf_free(&conf);
	return ret;
}

struct arrival {
	struct migration *mi;
	struct vmdir *d;
	int say;			/* to who waits for us; -1: said */
};

/* Both who sent the VM and who waits for it may go. */
static void started(void *ctx)
{
	struct arrival *a = ctx;

	migration_started(a->mi);
	/* Who waited may be gone, which is no reason for the VM to go. */
	if (write(a->say, "", 1) < 0)
		fprintf(stderr, "nestvm: nobody waited for the VM any more\n");
	close(a->say);
	close(a->d->lock_fd);
	a->d->lock_fd = -1;
}

/* The child: becomes the VM, or says why not on @say and to the source. */
static int be_vm(struct migration *mi, struct vmdir *d, int say)
{
	struct arrival arrival = { mi, d, say };
	struct nvl_error err;
	struct vm_process p;
	struct refusal r;
	char log[PATH_MAX];
	int fd, null, ret;

	fd = open(vmdir_file(d, "log", log), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
	null = open("/dev/null", O_RDONLY | O_CLOEXEC);
	if (setsid() < 0 || fd < 0 || null < 0 || dup2(null, 0) < 0 || dup2(fd, 1) < 0 ||
	    dup2(fd, 2) < 0)
		return EXIT_ERROR;
	if (vm_process_create_empty(&p, d, &r) < 0) {
		migration_refuse(mi, "MIGRATE_REFUSED", r.text);
		dprintf(say, "%s", r.text);
		return EXIT_ERROR;
	}
	if (migration_load(mi, p.m, NULL, &err) < 0) {
		dprintf(say, "%s", err.text);
		vm_process_destroy(&p);
		return EXIT_ERROR;
	}
	if (vmdir_arrived(d, &r) < 0) {
		/* The source looks at once whether the disks are free. */
		vm_process_destroy(&p);
		migration_refuse(mi, reason_name(r.id), r.text);
		dprintf(say, "%s", r.text);
		return EXIT_ERROR;
	}
	p.config.started = started;
	p.config.started_ctx = &arrival;
	ret = vm_process_run(&p);
	vm_process_destroy(&p);
	return ret;
}

/* Until the child has said that it runs, with an empty string, or why it does not. */
static int wait_for(pid_t child, int from, struct refusal *r)
{
	char text[1024];
	size_t len = 0;
	ssize_t n;
	int status;

	while (len < sizeof(text) - 1) {
		n = read(from, text + len, sizeof(text) - 1 - len);
		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			break;
		len += n;
		if (!text[0])
			return 0;
	}
	text[len] = '\0';
	waitpid(child, &status, 0);
	return refuse_text(r, REASON_MIGRATE_FAILED, "the VM did not arrive: %s",
			   len ? text : "its process ended.");
}

static int receive(struct vmdir *d, struct migration *mi, struct refusal *r)
{
	int pipes[2];
	pid_t child;

	if (pipe2(pipes, O_CLOEXEC) < 0)
		return refuse_text(r, REASON_HOST_FAILED, "no pipe: %s.", strerror(errno));
	child = fork();
	if (child == 0) {
		close(pipes[0]);
		_exit(be_vm(mi, d, pipes[1]));
	}
	close(pipes[1]);
	if (child < 0)
		refuse_text(r, REASON_HOST_FAILED, "no process: %s.", strerror(errno));
	else if (wait_for(child, pipes[0], r) == 0)
		child = 0;
	close(pipes[0]);
	return child ? -1 : 0;
}

int cmd_receive(int argc, char **argv)
{
	static const struct argp_child children[] = { { .argp = &cli_json_argp }, { 0 } };
	const struct argp argp = {
		.options = options, .parser = parse, .args_doc = "NAME", .children = children,
		.doc = CLI_DOC("Waits for one VM that \"nestvm migrate\" on another host sends, and goes "
			       "on with it here under this name. When that fails, nothing is left."),
	};
	struct receive rc = { .listen = PEER_DEFAULT_LISTEN };
	struct migration *mi;
	struct nvl_error err;
	struct refusal r;
	struct vmdir d;
	int ret;

	cli_name(argv);
	argp_parse(&argp, argc, argv, 0, NULL, &rc);
	/* Said before the wait rather than after it; one that never arrived goes here. */
	if (vmdir_open(&d, rc.args.name, VMDIR_CHANGE, &r) == 0) {
		vmdir_close(&d);
		refuse(&r, VM_EXISTS, rc.args.name);
	}
	if (r.id != REASON_VM_NOT_FOUND)
		return cli_refused(&r, rc.args.json);
	fprintf(stderr, "nestvm: waiting on %s for a VM\n", rc.listen);
	if (migration_accept(rc.listen, &mi, &err) < 0) {
		refuse_text(&r, REASON_MIGRATE_FAILED, "%s", err.text);
		return cli_refused(&r, rc.args.json);
	}
	if (make_vm(mi, rc.args.name, &d, &r) < 0) {
		migration_refuse(mi, reason_name(r.id), r.text);
		migration_free(mi);
		return cli_refused(&r, rc.args.json);
	}
	ret = receive(&d, mi, &r);
	migration_free(mi);
	if (ret < 0) {
		struct refusal ignored;

		/* Its process is gone, and the source has its VM. */
		vmdir_remove(&d, &ignored);
		return cli_refused(&r, rc.args.json);
	}
	vmdir_close(&d);
	return cli_done(rc.args.json);
}
