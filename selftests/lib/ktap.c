// SPDX-License-Identifier: GPL-2.0
#include "ktap.h"

#include <errno.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#define GRACE	5	/* seconds a late case has to say where it is */

const char *ktap_device;

/* What a case's process tells the parent, in memory both map. */
static struct verdict {
	bool failed, skipped, late;
	char why[200];
} *verdict;

static const char *base_name(const char *file)
{
	const char *slash = strrchr(file, '/');

	return slash ? slash + 1 : file;
}

/* One write a line: other programs and the kernel share the console. */
static void say(const char *fmt, va_list ap)
{
	char line[1024] = "# ";
	int n = vsnprintf(line + 2, sizeof(line) - 3, fmt, ap);

	n = n < 0 ? 2 : n + 2;
	if (n > (int)sizeof(line) - 2)
		n = sizeof(line) - 2;
	line[n++] = '\n';
	fflush(stdout);
	if (write(STDOUT_FILENO, line, n) != n)
		_exit(1);
}

void ktap_say(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	say(fmt, ap);
	va_end(ap);
}

void ktap_fail(const char *file, int line, const char *fmt, ...)
{
	char text[800];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	ktap_say("%s:%d: %s", base_name(file), line, text);
	verdict->failed = true;
}

void ktap_stop(void)
{
	exit(verdict->failed ? 1 : 0);
}

void ktap_skip(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(verdict->why, sizeof(verdict->why), fmt, ap);
	va_end(ap);
	verdict->skipped = true;
	exit(0);
}

bool ktap_failed(void)
{
	return verdict->failed;
}

bool ktap_late(void)
{
	return verdict->late;
}

/* The first alarm interrupts whatever system call hangs, the second one kills. */
static void on_alarm(int sig)
{
	verdict->late = true;
	signal(sig, SIG_DFL);
	alarm(GRACE);
}

/* $KTAP_SLOW: how many times slower than usual this machine is. */
static unsigned int time_limit(const struct ktap_case *c)
{
	const char *slow = getenv("KTAP_SLOW");
	int times = slow ? atoi(slow) : 1;

	return (c->timeout ? c->timeout : KTAP_TIMEOUT) * (times > 1 ? times : 1);
}

static void run_case(const struct ktap_case *c)
{
	struct sigaction sa = { .sa_handler = on_alarm };	/* no SA_RESTART */

	sigaction(SIGALRM, &sa, NULL);
	alarm(time_limit(c));
	c->fn(c->arg);
	ktap_stop();
}

int ktap_try(void (*fn)(const void *arg), const void *arg, unsigned int seconds)
{
	const struct ktap_case c = { .fn = fn, .arg = arg, .timeout = seconds };
	struct verdict *own = mmap(NULL, sizeof(*own), PROT_READ | PROT_WRITE,
				   MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	int status;
	pid_t pid;

	ASSERT(own != MAP_FAILED, "%s", strerror(errno));
	fflush(stdout);
	pid = fork();
	ASSERT(pid >= 0, "fork: %s", strerror(errno));
	if (!pid) {
		verdict = own;
		if (!freopen("/dev/null", "w", stdout))
			exit(2);
		run_case(&c);
	}
	while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
		;
	if (own->skipped)
		ktap_skip("%s", own->why);
	return own->late || own->failed || !WIFEXITED(status) || WEXITSTATUS(status);
}

enum result { PASSED, FAILED, SKIPPED };

static enum result judge(int status, const struct ktap_case *c)
{
	if (verdict->late)
		ktap_say("%s did not end within %u s", c->name, time_limit(c));
	else if (WIFSIGNALED(status))
		ktap_say("%s was killed by signal %d (%s)", c->name, WTERMSIG(status),
			 strsignal(WTERMSIG(status)));
	if (verdict->late || !WIFEXITED(status) || WEXITSTATUS(status) || verdict->failed)
		return FAILED;
	return verdict->skipped ? SKIPPED : PASSED;
}

static enum result fork_case(const struct ktap_case *c)
{
	pid_t pid;
	int status = 0;

	memset(verdict, 0, sizeof(*verdict));
	fflush(stdout);
	pid = fork();
	if (pid < 0) {
		ktap_say("fork: %s", strerror(errno));
		return FAILED;
	}
	if (!pid)
		run_case(c);
	while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
		;
	return judge(status, c);
}

static bool wanted(const struct ktap_case *c, char **names)
{
	if (!*names)
		return true;
	for (; *names; names++)
		if (!strcmp(*names, c->name))
			return true;
	return false;
}

static int usage(const char *prog)
{
	fprintf(stderr, "usage: %s [--device PATH] [--list] [CASE...]\n", base_name(prog));
	return 2;
}

int ktap_main(const struct ktap_case *cases, size_t count, int argc, char **argv)
{
	unsigned int nr = 0, total = 0, failed = 0, skipped = 0;
	bool list = false;
	size_t i;
	int arg;

	ktap_device = getenv("NESTVM_DEVICE");
	for (arg = 1; arg < argc && argv[arg][0] == '-'; arg++) {
		if (!strcmp(argv[arg], "--device") && arg + 1 < argc)
			ktap_device = argv[++arg];
		else if (!strcmp(argv[arg], "--list"))
			list = true;
		else
			return usage(argv[0]);
	}
	if (!ktap_device)
		ktap_device = "/dev/nestvm";

	for (i = 0; i < count; i++) {
		if (wanted(&cases[i], argv + arg))
			total++;
		if (list)
			puts(cases[i].name);
	}
	if (list)
		return 0;
	if (!total) {
		fprintf(stderr, "%s has no such case; --list shows them\n", base_name(argv[0]));
		return 2;
	}

	verdict = mmap(NULL, sizeof(*verdict), PROT_READ | PROT_WRITE,
		       MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (verdict == MAP_FAILED) {
		perror("mmap");
		return 1;
	}
	printf("KTAP version 1\n1..%u\n", total);
	for (i = 0; i < count; i++) {
		enum result result;

		if (!wanted(&cases[i], argv + arg))
			continue;
		result = fork_case(&cases[i]);
		failed += result == FAILED;
		skipped += result == SKIPPED;
		printf("%sok %u - %s%s%s\n", result == FAILED ? "not " : "", ++nr, cases[i].name,
		       result == SKIPPED ? " # SKIP " : "", result == SKIPPED ? verdict->why : "");
		fflush(stdout);
	}
	if (failed)
		return 1;
	return skipped == total ? KTAP_SKIP : 0;
}
