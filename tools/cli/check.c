// SPDX-License-Identifier: GPL-2.0
#include "check.h"

#include <stdarg.h>
#include <stdio.h>

static void judge(struct check_result *res, enum verdict v, const char *remedy, const char *fmt,
		  va_list ap)
{
	res->verdict = v;
	vsnprintf(res->reason, sizeof(res->reason), fmt, ap);
	snprintf(res->remedy, sizeof(res->remedy), "%s", remedy);
}

void check_yes(struct check_result *res, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	judge(res, CHECK_YES, "", fmt, ap);
	va_end(ap);
}

void check_warn(struct check_result *res, const char *remedy, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	judge(res, CHECK_WARN, remedy, fmt, ap);
	va_end(ap);
}

void check_no(struct check_result *res, const char *remedy, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	judge(res, CHECK_NO, remedy, fmt, ap);
	va_end(ap);
}

const char *verdict_name(enum verdict v)
{
	static const char * const names[] = {
		[CHECK_YES] = "YES", [CHECK_WARN] = "WARN", [CHECK_NO] = "NO",
	};

	return names[v];
}
