// SPDX-License-Identifier: GPL-2.0
/* What the running VMs do now, level by level. */
#include "cmd.h"

#include "cli.h"
#include "ctl.h"
#include "rates.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <termios.h>
#include <time.h>
#include <unistd.h>

#define REASONS_SHOWN	8
#define COLUMNS		80

enum { OPT_INTERVAL = 0x7700, OPT_COUNT };

struct top {
	const char *name;		/* NULL: all that run */
	bool json;
	double interval;
	unsigned long count;		/* 0: until q */
	json_t *before, *now;		/* answers to "stats" by name */
	bool raw;
	struct termios saved;
};

static const struct argp_option options[] = {
	{ "interval", OPT_INTERVAL, "SECONDS", 0, "time between two looks (default: 2)", 1 },
	{ "count", OPT_COUNT, "N", 0, "end after N looks (default: on a terminal when q is typed, "
	  "else 1)", 1 },
	{ 0 },
};

static error_t parse(int key, char *arg, struct argp_state *state)
{
	struct top *t = state->input;
	char *end;

	switch (key) {
	case ARGP_KEY_INIT:
		state->child_inputs[0] = &t->json;
		return 0;
	case OPT_INTERVAL:
		t->interval = strtod(arg, &end);
		if (end == arg || *end || !(t->interval >= 0.1 && t->interval <= 3600))
			argp_error(state, "\"%s\" is not a number of seconds: from 0.1 to 3600.", arg);
		return 0;
	case OPT_COUNT:
		errno = 0;
		t->count = strtoul(arg, &end, 10);
		if (errno || *end || *arg < '0' || *arg > '9' || !t->count)
			argp_error(state, "\"%s\" is not a number of looks: 1 or more.", arg);
		return 0;
	case ARGP_KEY_ARG:
		if (t->name)
			argp_error(state, "one VM, or all of them.");
		t->name = arg;
		return 0;
	default:
		return ARGP_ERR_UNKNOWN;
	}
}

/* -- reading -------------------------------------------------------------------- */

static int read_one(void *arg, const char *name)
{
	struct top *t = arg;
	struct refusal r;
	struct vmdir d;
	json_t *stats;

	if (vmdir_open(&d, name, VMDIR_READ, &r) < 0 || !vmdir_running(&d, NULL))
		return 0;
	/* One that ends now is not there any more. */
	stats = ctl_ask(&d, "stats", NULL, "it counts", &r);
	if (stats)
		json_object_set_new(t->now, name, stats);
	return 0;
}

static int read_all(struct top *t, struct refusal *r)
{
	struct vmdir d;

	json_decref(t->before);
	t->before = t->now;
	t->now = json_object();
	if (!t->name)
		return vmdir_each(read_one, t, r);
	if (vmdir_open(&d, t->name, VMDIR_READ, r) < 0)
		return -1;
	if (!vmdir_running(&d, NULL))
		return refuse(r, VM_NOT_RUNNING, t->name, "it counts");
	return read_one(t, t->name);
}

/* -- showing -------------------------------------------------------------------- */

static double value(json_t *object, const char *name)
{
	return json_number_value(json_object_get(object, name));
}

/* "-" where the device does not count it. */
static const char *rate(json_t *rates, const char *name, char out[16])
{
	double n = value(rates, name);

	if (!json_object_get(rates, name))
		return "-";
	if (n >= 1e6)
		snprintf(out, 16, "%.1fM", n / 1e6);
	else if (n >= 1e4)
		snprintf(out, 16, "%.0fk", n / 1e3);
	else
		snprintf(out, 16, "%.0f", n);
	return out;
}

static const char *percent(json_t *share, const char *name, char out[16])
{
	if (!json_is_object(share))
		return "-";
	snprintf(out, 16, "%.0f%%", value(share, name));
	return out;
}

/* The reasons of one level, the most frequent first, on as many lines as it takes. */
static void print_reasons(const char *level, json_t *reasons)
{
	json_t *left = json_copy(reasons), *v;
	const char *name, *most;
	unsigned int i, at = 0, len;
	char item[96], n[16];
	double total = 0;

	json_object_foreach(left, name, v)
		total += json_number_value(v);
	if (total > 0)
		at = printf("  exits %-8s %8.0f/s ", level, total);
	for (i = 0; i < REASONS_SHOWN && json_object_size(left); i++) {
		most = NULL;
		json_object_foreach(left, name, v)
			if (!most || json_number_value(v) > value(left, most))
				most = name;
		len = snprintf(item, sizeof(item), " %.64s %s", most, rate(left, most, n));
		if (at + len > COLUMNS)
			at = printf("\n%27s", "") - 1;
		at += printf("%s", item);
		json_object_del(left, most);
	}
	if (total > 0)
		printf("\n");
	json_decref(left);
}

static void print_vm(const char *name, json_t *vm)
{
	json_t *rates = json_object_get(vm, "rates"), *share = json_object_get(vm, "share");
	json_t *exits = json_object_get(vm, "exits");
	char a[16], b[16], c[16], d[16], e[16], f[16], g[16], h[16], i[16];

	printf("%-20.20s %5d %6s %5s %5s %5s %8s %8s %8s %8s %8s\n", name, (int)value(vm, "vcpus"),
	       percent(share, "halted", a), percent(share, "l0", b), percent(share, "l1", c),
	       percent(share, "l2", d), rate(rates, "entries", e), rate(rates, "nested_entries", f),
	       rate(rates, "ept_faults", g), rate(rates, "ept02_faults", h),
	       rate(rates, "injected", i));
	print_reasons("of L1", json_object_get(exits, "l1"));
	print_reasons("of L2", json_object_get(exits, "l2"));
	print_reasons("to user", json_object_get(exits, "launcher"));
}

static void print_all(struct top *t, json_t *vms)
{
	char when[32];
	time_t clock = time(NULL);
	const char *name;
	json_t *vm;

	strftime(when, sizeof(when), "%H:%M:%S", localtime(&clock));
	if (t->raw)
		printf("\033[H\033[J");
	printf("nestvm top, %s, every %g s%s\n", when, t->interval, t->raw ? "; q ends it" : "");
	printf("%-20s %5s %6s %5s %5s %5s %8s %8s %8s %8s %8s\n", "NAME", "VCPUS", "HALTED", "L0",
	       "L1", "L2", "ENTRY/S", "NESTED/S", "EPT/S", "EPT02/S", "INJECT/S");
	json_object_foreach(vms, name, vm)
		print_vm(name, vm);
	if (!json_object_size(vms))
		printf("no VM runs\n");
	fflush(stdout);
}

static int show(struct top *t)
{
	json_t *vms = json_object(), *stats;
	const char *name;

	json_object_foreach(t->now, name, stats)
		json_object_set_new(vms, name,
				    rates_between(json_object_get(t->before, name), stats));
	if (t->json)
		return cli_print_json(json_pack("{s:o}", "vms", vms));
	print_all(t, vms);
	json_decref(vms);
	return EXIT_OK;
}

/* -- the terminal ----------------------------------------------------------------- */

/* The terminal is to be as it was, however this ends. */
static volatile sig_atomic_t interrupted;

static void on_signal(int number)
{
	(void)number;
	interrupted = 1;
}

static void go_raw(struct top *t)
{
	struct sigaction sa = { .sa_handler = on_signal };
	struct termios raw;

	if (t->json || !isatty(STDIN_FILENO) || !isatty(STDOUT_FILENO) ||
	    tcgetattr(STDIN_FILENO, &t->saved) < 0)
		return;
	sigaction(SIGINT, &sa, NULL);
	sigaction(SIGTERM, &sa, NULL);
	raw = t->saved;
	/* Keys at once and unseen. */
	raw.c_lflag &= ~(ICANON | ECHO);
	t->raw = tcsetattr(STDIN_FILENO, TCSANOW, &raw) == 0;
}

static double now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec + t.tv_nsec / 1e9;
}

/* True: q was typed, or Ctrl-C. */
static bool wait_or_quit(struct top *t)
{
	struct pollfd pfd = { .fd = t->raw ? STDIN_FILENO : -1, .events = POLLIN };
	double until = now() + t->interval;
	int left;
	char key;

	while (!interrupted && (left = (until - now()) * 1000) > 0) {
		if (poll(&pfd, 1, left) <= 0)
			continue;
		if (read(STDIN_FILENO, &key, 1) != 1 || key == 'q')
			return true;
	}
	return interrupted;
}

static int watch(struct top *t, struct refusal *r)
{
	unsigned long n;

	if (read_all(t, r) < 0)
		return -1;
	for (n = 0; !t->count || n < t->count; n++) {
		if (wait_or_quit(t))
			break;
		if (read_all(t, r) < 0)
			return -1;
		if (show(t) != EXIT_OK)
			break;
	}
	return 0;
}

int cmd_top(int argc, char **argv)
{
	static const struct argp_child children[] = { { .argp = &cli_json_argp }, { 0 } };
	const struct argp argp = {
		.options = options, .parser = parse, .args_doc = "[NAME]", .children = children,
		.doc = CLI_DOC("Shows what the running VMs do: where the time of their vCPUs goes (asleep "
			       "in HLT, in L0, in L1, in L2), VM entries, nested entries, EPT faults and "
			       "injected events a second, and the reasons of VM exits by level."),
	};
	struct top t = { .interval = 2 };
	struct refusal r;
	int ret;

	cli_name(argv);
	argp_parse(&argp, argc, argv, 0, NULL, &t);
	go_raw(&t);
	if (!t.raw && !t.count)
		t.count = 1;
	ret = watch(&t, &r);
	if (t.raw)
		tcsetattr(STDIN_FILENO, TCSADRAIN, &t.saved);
	json_decref(t.before);
	json_decref(t.now);
	return ret < 0 ? cli_refused(&r, t.json) : EXIT_OK;
}
