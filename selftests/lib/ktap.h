/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A KTAP program is a list of cases. Each runs in a process of its own, so a
 * case that fails half-way leaves nothing open for the next one, and one that
 * hangs is ended and named.
 *
 *	prog [--device PATH] [--list] [CASE...]
 *
 * Exit status: 0 all passed, 1 one failed, 4 all were skipped (kselftest's).
 */
#ifndef SELFTESTS_KTAP_H
#define SELFTESTS_KTAP_H

#include <stdbool.h>
#include <stddef.h>

struct ktap_case {
	const char *name;
	void (*fn)(const void *arg);
	const void *arg;
	unsigned int timeout;		/* seconds, 0: KTAP_TIMEOUT */
};

#define KTAP_TIMEOUT	20
#define KTAP_SKIP	4

extern const char *ktap_device;		/* --device, $NESTVM_DEVICE or /dev/nestvm */

int ktap_main(const struct ktap_case *cases, size_t count, int argc, char **argv);

/* A line of explanation, "# ..." */
void ktap_say(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

/* The case failed; it goes on. */
void ktap_fail(const char *file, int line, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));

/* End the case here: as failed, as skipped. */
void ktap_stop(void) __attribute__((noreturn));
void ktap_skip(const char *fmt, ...) __attribute__((noreturn, format(printf, 1, 2)));

bool ktap_failed(void);

/*
 * Would @fn fail, or not end in time? In a process of its own, without a word: 1 it
 * would, 0 it passes. If it is skipped, so is the case.
 */
int ktap_try(void (*fn)(const void *arg), const void *arg, unsigned int seconds);

/* True after the case's time is over (SIGALRM interrupted it); it should say where it is. */
bool ktap_late(void);

#define EXPECT(cond, fmt, ...) do {						\
	if (!(cond))								\
		ktap_fail(__FILE__, __LINE__, "%s: " fmt, #cond, ##__VA_ARGS__);	\
} while (0)

#define EXPECT_EQ(got, want, what) do {						\
	unsigned long long got_ = (got), want_ = (want);			\
	if (got_ != want_)							\
		ktap_fail(__FILE__, __LINE__, "%s is %#llx, should be %#llx",	\
			  what, got_, want_);					\
} while (0)

#define ASSERT(cond, fmt, ...) do {						\
	if (!(cond)) {								\
		ktap_fail(__FILE__, __LINE__, "%s: " fmt, #cond, ##__VA_ARGS__);	\
		ktap_stop();							\
	}									\
} while (0)

#endif
