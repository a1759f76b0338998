/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What must be so for nested virtualization, of this host and of a VM: a row per
 * condition, looked at and judged. "nestvm check" prints them.
 */
#ifndef CLI_CHECK_H
#define CLI_CHECK_H

#include "../conf/rules.h"
#include "../conf/vmdir.h"

enum verdict {
	CHECK_YES,
	CHECK_WARN,			/* not known, or it depends: the reason says on what */
	CHECK_NO,
};

struct check_result {
	enum verdict verdict;
	char reason[512];
	char remedy[512];		/* "" when there is nothing to do */
};

/* What is looked at. The VM's part is NULL for a check of the host alone. */
struct check_on {
	const struct vmdir *d;
	const struct vm_conf *conf;
	struct vm_facts facts;
};

struct check {
	const char *id;			/* for scripts */
	const char *title;		/* what it is about */
	void (*look)(const struct check_on *on, struct check_result *res);
};

/* Each ends with a row without id. */
extern const struct check host_checks[];
extern const struct check mitigation_checks[];
extern const struct check vm_checks[];

/* check.c, for the rows */
void check_yes(struct check_result *res, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));
void check_warn(struct check_result *res, const char *remedy, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));
void check_no(struct check_result *res, const char *remedy, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));

const char *verdict_name(enum verdict v);

#endif
