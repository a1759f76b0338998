/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The unit-test harness: a test program is one file X_test.c for one pure file
 * X.c, made of TEST() bodies, linked with all pure files.
 *
 *	#include "harness.h"
 *	#include "gwalk.h"
 *
 *	TEST(four_levels)
 *	{
 *		static const struct { const char *name; u64 in, out; } rows[] = { ... };
 *		FOR_EACH_ROW(r, rows) {
 *			CASE("%s", r->name);	(shown if an expectation fails)
 *			EXPECT_EQ(walk(r->in), r->out);
 *		}
 *	}
 *
 * Output is KTAP. An expectation that fails is reported and the test goes on;
 * ASSERT_* leaves the test. SKIP("reason") ends it without a verdict.
 * Arguments: names of tests to run; none: all.
 */
#ifndef NV_HARNESS_H
#define NV_HARNESS_H

#include "pure.h"

struct test {
	const char *name;
	void (*fn)(void);
	struct test *next;
};

void test_register(struct test *t);
void test_case(const char *fmt, ...) __printf(1, 2);
void test_failed(const char *file, int line, const char *fmt, ...) __printf(3, 4);
void test_skip(const char *reason);

#define TEST(name_)								\
	static void test_##name_(void);						\
	static void __attribute__((constructor)) register_##name_(void)	\
	{									\
		static struct test t = { #name_, test_##name_, NULL };		\
		test_register(&t);						\
	}									\
	static void test_##name_(void)

#define FOR_EACH_ROW(r, rows)							\
	for (__typeof__(&(rows)[0]) r = (rows); r < (rows) + ARRAY_SIZE(rows); r++)

/* Names what the following expectations are about. */
#define CASE(...)	test_case(__VA_ARGS__)

#define SKIP(reason) do {							\
	test_skip(reason);							\
	return;									\
} while (0)

#define EXPECT_BASE(ok, leave, ...) do {					\
	if (!(ok)) {								\
		test_failed(__FILE__, __LINE__, __VA_ARGS__);			\
		leave;								\
	}									\
} while (0)

#define EXPECT_CMP(a, op, b, leave) do {					\
	unsigned long long expect_a = (unsigned long long)(a);			\
	unsigned long long expect_b = (unsigned long long)(b);			\
	EXPECT_BASE(expect_a op expect_b, leave, "%s %s %s: %#llx and %#llx",	\
		    #a, #op, #b, expect_a, expect_b);				\
} while (0)

#define EXPECT_TRUE(c)		EXPECT_BASE(c, , "%s is false", #c)
#define EXPECT_FALSE(c)		EXPECT_BASE(!(c), , "%s is true", #c)
#define EXPECT_EQ(a, b)		EXPECT_CMP(a, ==, b, )
#define EXPECT_NE(a, b)		EXPECT_CMP(a, !=, b, )
#define ASSERT_TRUE(c)		EXPECT_BASE(c, return, "%s is false", #c)
#define ASSERT_EQ(a, b)		EXPECT_CMP(a, ==, b, return)
#define EXPECT_STREQ(a, b)							\
	EXPECT_BASE(!strcmp(a, b), , "%s is \"%s\", not \"%s\"", #a, a, b)
#define EXPECT_MEMEQ(a, b, n)							\
	EXPECT_BASE(!memcmp(a, b, n), , "%s and %s differ within %zu bytes", #a, #b, (size_t)(n))

/* A small generator, the same numbers in every run. */
u64 test_random(void);

#endif
