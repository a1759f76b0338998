// SPDX-License-Identifier: GPL-2.0
/*
 * PID 1 of the test machine, at every level (L0 in the emulator, L1 and L2 as
 * guests). It mounts the kernel's file systems, loads modules, runs programs
 * one after the other as KTAP tests, looks into the kernel log after each,
 * unloads the modules, writes one last line and switches the machine off.
 *
 *	machine: end ok=3 fail=0 skip=1
 *
 * Whoever reads the console takes the absence of that line as a failure.
 *
 * What to do stands in /etc/init.conf, a line a step, arguments separated by
 * blanks, '…' and "…" quoting:
 *
 *	module FILE [PARAMETER...]
 *	run [-t SECONDS] [-n NAME] PROGRAM [ARGUMENT...]
 *	shell
 *
 * and may be added to on the kernel command line: nv.run="PROGRAM ARGUMENT...",
 * nv.timeout=SECONDS, nv.shell, nv.end=poweroff|reboot|halt; nv.slow=N gives
 * every test, and every case of it, N times its time.
 *
 * Where the kernel has kmemleak, memory that nobody points to any more is a
 * failure, before the modules are unloaded and after.
 */
#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/reboot.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <termios.h>
#include <time.h>
#include <unistd.h>

#define CONF		"/etc/init.conf"
#define MAX_STEPS	256
#define MAX_ARGS	64
#define EXIT_SKIP	4	/* kselftest's KSFT_SKIP */
#define KILL_GRACE	5	/* seconds for a killed program to go away */
#define KMEMLEAK	"/sys/kernel/debug/kmemleak"
#define LEAK_AGE	6	/* seconds: kmemleak says nothing of what is younger than 5 */

struct step {
	char *argv[MAX_ARGS + 1];
	int argc;
};

static struct step modules[MAX_STEPS], runs[MAX_STEPS];
static int nr_modules, nr_runs;
static int default_timeout = 60;
static int slow = 1;
static bool want_shell;
static const char *end_by = "poweroff";

static int result_nr, nr_ok, nr_fail, nr_skip;
static int kmsg = -1;

static void say(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

/* One write a line: programs and the kernel share the console. */
static void say(const char *fmt, ...)
{
	char line[1200];
	va_list ap;
	int n;

	va_start(ap, fmt);
	n = vsnprintf(line, sizeof(line) - 1, fmt, ap);
	va_end(ap);
	if (n < 0)
		return;
	if (n > (int)sizeof(line) - 2)
		n = sizeof(line) - 2;
	line[n++] = '\n';
	if (write(STDOUT_FILENO, line, n) != n)
		return;
}

enum result { RESULT_OK, RESULT_FAIL, RESULT_SKIP };

static void report(enum result result, const char *name, const char *why)
{
	result_nr++;
	switch (result) {
	case RESULT_OK:
		nr_ok++;
		say("ok %d - %s", result_nr, name);
		break;
	case RESULT_FAIL:
		nr_fail++;
		say("not ok %d - %s # %s", result_nr, name, why);
		break;
	case RESULT_SKIP:
		nr_skip++;
		say("ok %d - %s # SKIP %s", result_nr, name, why);
		break;
	}
}

/* ---- the kernel log ---------------------------------------------------- */

static const char * const log_alarms[] = {
	"WARNING:", "BUG:", "kernel BUG at", "Oops", "Call Trace:",
	"general protection fault", "unable to handle", "refcount_t:",
	"unchecked MSR access", "rcu: INFO:", "blocked for more than",
	"Kernel panic", "sleeping function called", "scheduling while atomic",
	"list_add corruption", "list_del corruption",
	"Bad page state", "stack guard page", "UBSAN:", "ODEBUG:", "kmemleak:",
	"trying to register non-static key", "locking correctness validator",
};

static void kmsg_open(void)
{
	kmsg = open("/dev/kmsg", O_RDONLY | O_NONBLOCK | O_CLOEXEC);
	if (kmsg >= 0)
		lseek(kmsg, 0, SEEK_END);
}

static bool is_alarm(const char *text)
{
	size_t i;

	for (i = 0; i < sizeof(log_alarms) / sizeof(*log_alarms); i++)
		if (strstr(text, log_alarms[i]))
			return true;
	return false;
}

/*
 * Read what the kernel has logged since the last call. Returns true, and shows
 * everything logged from the first alarm on, when there was one.
 */
static bool kmsg_alarmed(void)
{
	char record[8192], *text;
	bool alarmed = false;
	ssize_t n;

	if (kmsg < 0)
		return false;
	for (;;) {
		n = read(kmsg, record, sizeof(record) - 1);
		if (n < 0 && errno == EPIPE)	/* overwritten: go on with the next */
			continue;
		if (n <= 0)
			return alarmed;
		record[n] = '\0';
		text = strchr(record, ';');
		if (!text)
			continue;
		text[1 + strcspn(text + 1, "\n")] = '\0';
		if (is_alarm(text + 1))
			alarmed = true;
		if (alarmed)
			say("# kernel log: %s", text + 1);
	}
}

/* ---- configuration ----------------------------------------------------- */

/* Split in place; quotes group and are dropped. Returns the number of words. */
static int split(char *s, char **argv, int max)
{
	int argc = 0;

	for (;;) {
		char *out, quote = 0;

		while (isspace((unsigned char)*s))
			s++;
		if (!*s || argc == max)
			break;
		argv[argc++] = s;
		for (out = s; *s; s++) {
			if (quote ? *s == quote : *s == '\'' || *s == '"')
				quote = quote ? 0 : *s;
			else if (!quote && isspace((unsigned char)*s))
				break;
			else
				*out++ = *s;
		}
		if (*s)
			s++;
		*out = '\0';
	}
	argv[argc] = NULL;
	return argc;
}

static void add_step(struct step *steps, int *nr, char **argv, int argc)
{
	struct step *step = &steps[*nr];

	if (!argc || *nr == MAX_STEPS)
		return;
	memcpy(step->argv, argv, argc * sizeof(*argv));
	step->argv[argc] = NULL;
	step->argc = argc;
	++*nr;
}

static void conf_line(const char *line)
{
	char *words[MAX_ARGS + 2];
	int n = split(strdup(line), words, MAX_ARGS + 1);

	if (!n || words[0][0] == '#')
		return;
	if (!strcmp(words[0], "module"))
		add_step(modules, &nr_modules, words + 1, n - 1);
	else if (!strcmp(words[0], "run"))
		add_step(runs, &nr_runs, words + 1, n - 1);
	else if (!strcmp(words[0], "shell"))
		want_shell = true;
	else
		report(RESULT_FAIL, CONF, "it has a line which is none of module, run, shell");
}

static char *slurp(const char *path)
{
	size_t len = 0, room = 1 << 16;
	char *text = malloc(room);
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	ssize_t n;

	while (fd >= 0 && len + 1 < room && (n = read(fd, text + len, room - 1 - len)) > 0)
		len += n;
	text[len] = '\0';
	if (fd >= 0)
		close(fd);
	return text;
}

static void read_conf(void)
{
	char *text = slurp(CONF), *line;

	while ((line = strsep(&text, "\n")))
		conf_line(line);
}

static void read_cmdline(void)
{
	char *words[MAX_ARGS + 1];
	int i, n = split(slurp("/proc/cmdline"), words, MAX_ARGS);

	for (i = 0; i < n; i++) {
		char *argv[MAX_ARGS + 1];

		if (!strncmp(words[i], "nv.run=", 7))
			add_step(runs, &nr_runs, argv, split(words[i] + 7, argv, MAX_ARGS));
		else if (!strncmp(words[i], "nv.timeout=", 11))
			default_timeout = atoi(words[i] + 11);
		else if (!strncmp(words[i], "nv.slow=", 8) && atoi(words[i] + 8) > 0)
			slow = atoi(words[i] + 8);
		else if (!strncmp(words[i], "nv.end=", 7))
			end_by = words[i] + 7;
		else if (!strcmp(words[i], "nv.shell"))
			want_shell = true;
	}
}

/* ---- modules ----------------------------------------------------------- */

/* kvm-intel.ko is kvm_intel to the kernel. */
static void module_name(const char *file, char *name, size_t size)
{
	const char *base = strrchr(file, '/');
	char *p;

	snprintf(name, size, "%s", base ? base + 1 : file);
	for (p = name; *p && *p != '.'; p++)
		if (*p == '-')
			*p = '_';
	*p = '\0';
}

static bool module_load(const struct step *step)
{
	char params[1024] = "", name[64], label[96], why[160];
	int fd, i, err;
	long ret;

	module_name(step->argv[0], name, sizeof(name));
	snprintf(label, sizeof(label), "load %s", name);
	for (i = 1; i < step->argc; i++)
		snprintf(params + strlen(params), sizeof(params) - strlen(params), "%s%s",
			 i > 1 ? " " : "", step->argv[i]);

	fd = open(step->argv[0], O_RDONLY | O_CLOEXEC);
	ret = fd < 0 ? -1 : syscall(SYS_finit_module, fd, params, 0);
	err = errno;
	if (fd >= 0)
		close(fd);
	if (kmsg_alarmed()) {
		report(RESULT_FAIL, label, "the kernel log has a warning");
		return !ret;
	}
	if (ret) {
		snprintf(why, sizeof(why), "the kernel refused %s: %s", step->argv[0],
			 strerror(err));
		report(RESULT_FAIL, label, why);
		return false;
	}
	report(RESULT_OK, label, "");
	return true;
}

static void module_unload(const struct step *step)
{
	char name[64], label[96], why[160];
	long ret;

	module_name(step->argv[0], name, sizeof(name));
	snprintf(label, sizeof(label), "unload %s", name);
	ret = syscall(SYS_delete_module, name, O_NONBLOCK);
	if (ret && errno == ENOENT)	/* a test has unloaded it for good */
		ret = 0;
	snprintf(why, sizeof(why), "the kernel did not let go of it: %s", strerror(errno));
	if (kmsg_alarmed())
		report(RESULT_FAIL, label, "the kernel log has a warning");
	else
		report(ret ? RESULT_FAIL : RESULT_OK, label, why);
}

/* ---- one program as one test ------------------------------------------- */

struct test {
	const char *name;
	char **argv;
	int timeout;
	pid_t pid;
	int out;

	/* what its output said; only lines that begin in column 0 count */
	int plan, results, not_ok;
	int guests, guests_ended;
	char last[160];
	char skip[160];

	char line[1024];
	size_t len;
};

static long now_ms(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec * 1000L + ts.tv_nsec / 1000000;
}

static void test_line(struct test *t)
{
	char *line = t->line, *skip;

	while (t->len && line[t->len - 1] == '\r')
		t->len--;
	line[t->len] = '\0';
	t->len = 0;

	if (!strncmp(line, "ok ", 3))
		t->results++;
	else if (!strncmp(line, "not ok ", 7)) {
		t->results++;
		if (!strstr(line, "# SKIP"))
			t->not_ok++;
	} else if (!strncmp(line, "1..", 3))
		t->plan = atoi(line + 3);
	else if (!strncmp(line, "machine: start", 14))
		t->guests++;
	else if (!strncmp(line, "machine: end", 12))
		t->guests_ended++;

	skip = strstr(line, "SKIP ");
	if (skip)
		snprintf(t->skip, sizeof(t->skip), "%.*s", (int)sizeof(t->skip) - 1,
			 skip + 5);
	if (*line)
		snprintf(t->last, sizeof(t->last), "%.*s", (int)sizeof(t->last) - 1, line);
	say("  %s", line);
}

static void test_output(struct test *t)
{
	char buf[4096];
	ssize_t n, i;

	n = read(t->out, buf, sizeof(buf));
	if (n <= 0) {
		close(t->out);
		t->out = -1;
		return;
	}
	for (i = 0; i < n; i++) {
		if (buf[i] == '\n' || t->len == sizeof(t->line) - 1)
			test_line(t);
		if (buf[i] != '\n')
			t->line[t->len++] = buf[i];
	}
}

static bool test_start(struct test *t)
{
	int fds[2];

	if (pipe2(fds, O_CLOEXEC))
		return false;
	t->pid = fork();
	if (!t->pid) {
		int null = open("/dev/null", O_RDONLY);

		setsid();
		dup2(null, STDIN_FILENO);
		dup2(fds[1], STDOUT_FILENO);
		dup2(fds[1], STDERR_FILENO);
		execvp(t->argv[0], t->argv);
		dprintf(STDERR_FILENO, "%s cannot be started: %s\n", t->argv[0], strerror(errno));
		_exit(127);
	}
	close(fds[1]);
	t->out = fds[0];
	return t->pid > 0;
}

static void show_stack(pid_t pid)
{
	char path[64], *text, *line;

	snprintf(path, sizeof(path), "/proc/%d/stack", pid);
	text = slurp(path);
	while ((line = strsep(&text, "\n")))
		if (*line)
			say("# in the kernel at: %s", line);
}

/* Collect the dead; true once @pid is among them. */
static bool reap(pid_t pid, int *status)
{
	int st;
	pid_t p;

	while ((p = waitpid(-1, &st, WNOHANG)) > 0) {
		if (p != pid)
			continue;
		*status = st;
		return true;
	}
	return false;
}

/*
 * Returns false when the program outlived its time and even SIGKILL: it hangs
 * in the kernel.
 */
static bool test_wait(struct test *t, int *status, bool *timed_out)
{
	int pidfd = syscall(SYS_pidfd_open, t->pid, 0);
	long deadline = now_ms() + t->timeout * 1000L;
	bool gone = false;

	*timed_out = false;
	while (!gone) {
		struct pollfd p[2] = {
			{ .fd = pidfd, .events = POLLIN },
			{ .fd = t->out, .events = POLLIN },
		};
		long left = deadline - now_ms();

		if (left <= 0 && *timed_out)
			break;
		if (left <= 0) {
			*timed_out = true;
			show_stack(t->pid);
			kill(-t->pid, SIGKILL);
			deadline = now_ms() + KILL_GRACE * 1000L;
			continue;
		}
		poll(p, 2, left);
		if (p[1].revents)
			test_output(t);
		gone = reap(t->pid, status);
	}
	close(pidfd);
	kill(-t->pid, SIGKILL);		/* whatever it left behind */

	while (t->out >= 0) {
		struct pollfd p = { .fd = t->out, .events = POLLIN };

		if (poll(&p, 1, gone ? 1000 : 0) <= 0)
			break;
		test_output(t);
	}
	if (t->out >= 0)
		close(t->out);
	if (t->len)
		test_line(t);
	return gone;
}

static void test_judge(struct test *t, int status, bool gone, bool timed_out)
{
	char why[240];

	if (kmsg_alarmed()) {
		report(RESULT_FAIL, t->name, "the kernel log has a warning");
		return;
	}
	if (!gone)
		snprintf(why, sizeof(why), "hangs in the kernel, %d s and SIGKILL did not end it",
			 t->timeout);
	else if (timed_out)
		snprintf(why, sizeof(why), "did not end within %d s", t->timeout);
	else if (WIFSIGNALED(status))
		snprintf(why, sizeof(why), "killed by signal %d (%s)", WTERMSIG(status),
			 strsignal(WTERMSIG(status)));
	else if (t->not_ok)
		snprintf(why, sizeof(why), "%d of its %d results failed", t->not_ok, t->results);
	else if (t->guests > t->guests_ended)
		snprintf(why, sizeof(why), "its guest started and wrote no last line");
	else if (WEXITSTATUS(status) == EXIT_SKIP) {
		report(RESULT_SKIP, t->name, *t->skip ? t->skip : t->last);
		return;
	} else if (WEXITSTATUS(status))
		snprintf(why, sizeof(why), "exit status %d", WEXITSTATUS(status));
	else if (t->plan >= 0 && t->plan != t->results)
		snprintf(why, sizeof(why), "planned %d results and gave %d", t->plan, t->results);
	else {
		report(RESULT_OK, t->name, "");
		return;
	}
	report(RESULT_FAIL, t->name, why);
}

static void run_test(struct step *step)
{
	struct test t = { .timeout = default_timeout, .plan = -1 };
	bool gone, timed_out;
	int status = 0;
	const char *base;

	t.argv = step->argv;
	while (t.argv[0] && t.argv[1] && t.argv[0][0] == '-') {
		if (!strcmp(t.argv[0], "-t"))
			t.timeout = atoi(t.argv[1]);
		else if (!strcmp(t.argv[0], "-n"))
			t.name = t.argv[1];
		t.argv += 2;
	}
	if (!t.argv[0]) {
		report(RESULT_FAIL, CONF, "a run line names no program");
		return;
	}
	t.timeout *= slow;
	base = strrchr(t.argv[0], '/');
	if (!t.name)
		t.name = base ? base + 1 : t.argv[0];

	say("# %s", t.name);
	if (!test_start(&t)) {
		report(RESULT_FAIL, t.name, strerror(errno));
		return;
	}
	gone = test_wait(&t, &status, &timed_out);
	test_judge(&t, status, gone, timed_out);
}

/* ---- memory that is lost ------------------------------------------------ */

static bool kmemleak_do(const char *what)
{
	int fd = open(KMEMLEAK, O_WRONLY | O_CLOEXEC);
	bool done = fd >= 0 && write(fd, what, strlen(what)) > 0;

	if (fd >= 0)
		close(fd);
	return done;
}

/* Twice: what the first scan misses is at times a pointer that a stack still holds. */
static void look_for_leaks(const char *label)
{
	char *text, *line;

	if (access(KMEMLEAK, W_OK))
		return;
	sleep(LEAK_AGE);
	if (!kmemleak_do("scan") || !kmemleak_do("scan")) {
		report(RESULT_FAIL, label, "kmemleak does not scan: see the kernel log");
		return;
	}
	text = slurp(KMEMLEAK);
	if (!*text) {
		report(kmsg_alarmed() ? RESULT_FAIL : RESULT_OK, label, "see the kernel log");
		return;
	}
	while ((line = strsep(&text, "\n")))
		if (*line)
			say("# %s", line);
	kmsg_alarmed();
	kmemleak_do("clear");
	report(RESULT_FAIL, label, "kmemleak has found memory that nobody points to");
}

/* ---- the rest of a PID 1 ------------------------------------------------ */

static void mount_all(void)
{
	static const struct {
		const char *type, *dir;
		bool optional;
	} mounts[] = {
		{ "proc",	"/proc", false },
		{ "sysfs",	"/sys", false },
		{ "devtmpfs",	"/dev", false },
		{ "debugfs",	"/sys/kernel/debug", true },
		{ "tracefs",	"/sys/kernel/tracing", true },
	};
	size_t i;

	for (i = 0; i < sizeof(mounts) / sizeof(*mounts); i++) {
		mkdir(mounts[i].dir, 0755);
		if (mount(mounts[i].type, mounts[i].dir, mounts[i].type, 0, NULL) &&
		    !mounts[i].optional && errno != EBUSY)
			say("machine: %s cannot be mounted: %s", mounts[i].dir, strerror(errno));
	}
	mkdir("/tmp", 01777);
	mkdir("/dev/shm", 01777);
}

static void console_open(void)
{
	int fd = open("/dev/console", O_RDWR);

	if (fd < 0)
		return;
	dup2(fd, 0);
	dup2(fd, 1);
	dup2(fd, 2);
	if (fd > 2)
		close(fd);
}

static void shell(void)
{
	pid_t pid;

	say("machine: shell; leave it with exit or ^D");
	pid = fork();
	if (!pid) {
		int fd;

		setsid();
		fd = open("/dev/ttyS0", O_RDWR);	/* a controlling terminal, for ^C */
		if (fd >= 0) {
			dup2(fd, 0);
			dup2(fd, 1);
			dup2(fd, 2);
			ioctl(0, TIOCSCTTY, 1);
		}
		execl("/bin/sh", "-sh", NULL);
		dprintf(2, "machine: /bin/sh cannot be started: %s\n", strerror(errno));
		_exit(127);
	}
	while (pid > 0 && waitpid(-1, NULL, 0) != pid)
		;
}

static void end(void)
{
	say("machine: end ok=%d fail=%d skip=%d", nr_ok, nr_fail, nr_skip);
	tcdrain(STDOUT_FILENO);
	sync();
	if (!strcmp(end_by, "reboot"))
		reboot(RB_AUTOBOOT);
	else if (!strcmp(end_by, "halt"))
		reboot(RB_HALT_SYSTEM);
	else
		reboot(RB_POWER_OFF);
	for (;;)
		pause();
}

int main(void)
{
	bool loaded[MAX_STEPS] = { false };
	int i;

	console_open();
	mount_all();
	console_open();		/* again: the one of devtmpfs, if there was none before */
	signal(SIGPIPE, SIG_IGN);
	setenv("PATH", "/bin:/sbin", 1);
	setenv("HOME", "/", 1);
	setenv("TERM", "vt100", 0);
	kmsg_open();

	say("machine: start");
	say("KTAP version 1");
	read_conf();
	read_cmdline();
	if (slow > 1) {
		char times[12];

		snprintf(times, sizeof(times), "%d", slow);
		setenv("KTAP_SLOW", times, 1);
	}
	kmemleak_do("clear");	/* of the kernel's own boot */

	for (i = 0; i < nr_modules; i++)
		loaded[i] = module_load(&modules[i]);
	for (i = 0; i < nr_runs; i++)
		run_test(&runs[i]);
	if (want_shell)
		shell();
	look_for_leaks("nothing leaks");
	for (i = nr_modules - 1; i >= 0; i--)
		if (loaded[i])
			module_unload(&modules[i]);
	if (nr_modules)
		look_for_leaks("nothing leaks after unload");
	say("1..%d", result_nr);
	end();
}
