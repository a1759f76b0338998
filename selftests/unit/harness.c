// SPDX-License-Identifier: GPL-2.0
#include <stdarg.h>

#include "harness.h"

/* A table can fail in many rows; the first ones tell the story. */
#define MAX_REPORTS	20

static struct test *first, **last = &first;
static char case_name[200];
static const char *skip_reason;
static unsigned int failures;
static u64 random_state;

void test_register(struct test *t)
{
	*last = t;
	last = &t->next;
}

void test_case(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(case_name, sizeof(case_name), fmt, ap);
	va_end(ap);
}

void test_failed(const char *file, int line, const char *fmt, ...)
{
	va_list ap;

	if (++failures > MAX_REPORTS)
		return;
	printf("# %s:%d: ", file, line);
	if (case_name[0])
		printf("[%s] ", case_name);
	va_start(ap, fmt);
	vprintf(fmt, ap);
	va_end(ap);
	printf("\n");
}

void test_skip(const char *reason)
{
	skip_reason = reason;
}

/* splitmix64 */
u64 test_random(void)
{
	u64 z = random_state += 0x9e3779b97f4a7c15ULL;

	z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9ULL;
	z = (z ^ (z >> 27)) * 0x94d049bb133111ebULL;
	return z ^ (z >> 31);
}

static bool wanted(const char *name, int argc, char **argv)
{
	int i;

	for (i = 1; i < argc; i++)
		if (!strcmp(argv[i], name))
			return true;
	return argc == 1;
}

int main(int argc, char **argv)
{
	unsigned int nr = 0, failed = 0, n = 0;
	const struct test *t;

	/* A crash must not swallow the verdicts before it. */
	setvbuf(stdout, NULL, _IOLBF, 0);
	for (t = first; t; t = t->next)
		nr += wanted(t->name, argc, argv);
	if (!nr) {
		fprintf(stderr, "%s: no test of that name\n", argv[0]);
		return 1;
	}
	printf("KTAP version 1\n1..%u\n", nr);
	for (t = first; t; t = t->next) {
		if (!wanted(t->name, argc, argv))
			continue;
		case_name[0] = '\0';
		skip_reason = NULL;
		failures = 0;
		random_state = 1;
		t->fn();
		if (failures > MAX_REPORTS)
			printf("# %u more not shown\n", failures - MAX_REPORTS);
		if (failures)
			failed++;
		printf("%s %u %s%s%s\n", failures ? "not ok" : "ok", ++n, t->name,
		       skip_reason && !failures ? " # SKIP " : "",
		       skip_reason && !failures ? skip_reason : "");
	}
	return failed != 0;
}
