// SPDX-License-Identifier: GPL-2.0
#include "reasons.h"

#include "../../uapi/nestvm.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

static const struct {
	const char *name;
	int status;
	const char *text;
} reasons[REASON_COUNT] = {
	[REASON_NONE] = { "NONE", EXIT_OK, "" },
#define X(id, status, text) [REASON_##id] = { #id, status, text },
	REASONS(X)
#undef X
};

static const enum reason kernel_reasons[NESTVM_REFUSED_COUNT] = {
	[NESTVM_REFUSED_NESTED_OFF] = REASON_HOST_NESTED_OFF,
	[NESTVM_REFUSED_DYNAMIC_MEMORY] = REASON_EXPOSE_DYNAMIC_MEMORY,
	[NESTVM_REFUSED_LOCKED_LIMIT] = REASON_HOST_LOCKED_LIMIT,
};

static size_t put(char *out, size_t room, size_t at, const char *text, size_t len)
{
	size_t i;

	for (i = 0; i < len && at + 1 < room; i++)
		out[at++] = text[i];
	return at;
}

/*
 * Names, paths and what another program said go to a terminal and into JSON: what is
 * no character of text there becomes a question mark.
 */
static void clean(char *text)
{
	unsigned char *p = (unsigned char *)text;
	unsigned int n, i;

	while (*p) {
		n = *p < 0x80 ? 1 : (*p & 0xe0) == 0xc0 && *p >= 0xc2 ? 2 :
		    (*p & 0xf0) == 0xe0 ? 3 : (*p & 0xf8) == 0xf0 && *p < 0xf5 ? 4 : 0;
		for (i = 1; i < n && (p[i] & 0xc0) == 0x80; i++)
			;
		/* Not a whole sequence, too long a one, a surrogate, beyond Unicode; a control. */
		if (!n || i < n || (p[0] == 0xe0 && p[1] < 0xa0) || (p[0] == 0xed && p[1] > 0x9f) ||
		    (p[0] == 0xf0 && p[1] < 0x90) || (p[0] == 0xf4 && p[1] > 0x8f) ||
		    p[0] < 0x20 || p[0] == 0x7f) {
			*p++ = '?';
			continue;
		}
		p += n;
	}
}

int refuse_args(struct refusal *r, enum reason id, const char *const *args)
{
	const char *t = reasons[id].text;
	unsigned int n = 0;
	size_t at = 0;

	if (!r)
		return -1;
	while (args[n])
		n++;
	r->id = id;
	for (; *t; t++) {
		if (t[0] == '{' && t[1] >= '0' && t[1] <= '9' && t[2] == '}') {
			const char *arg = (unsigned int)(t[1] - '0') < n ? args[t[1] - '0'] : "?";

			at = put(r->text, sizeof(r->text), at, arg, strlen(arg));
			t += 2;
		} else {
			at = put(r->text, sizeof(r->text), at, t, 1);
		}
	}
	r->text[at] = '\0';
	clean(r->text);
	return -1;
}

int refuse_text(struct refusal *r, enum reason id, const char *fmt, ...)
{
	va_list ap;

	if (!r)
		return -1;
	r->id = id;
	va_start(ap, fmt);
	vsnprintf(r->text, sizeof(r->text), fmt, ap);
	va_end(ap);
	clean(r->text);
	return -1;
}

int refuse_said(struct refusal *r, const char *name, const char *text)
{
	enum reason id = reason_find(name);

	return refuse_text(r, id == REASON_NONE ? REASON_CONTROL_REFUSED : id, "%s", text);
}

const char *reason_name(enum reason id)
{
	return id < REASON_COUNT ? reasons[id].name : reasons[REASON_NONE].name;
}

int reason_status(enum reason id)
{
	return id < REASON_COUNT ? reasons[id].status : EXIT_ERROR;
}

enum reason reason_find(const char *name)
{
	unsigned int i;

	for (i = 1; i < REASON_COUNT; i++)
		if (!strcmp(name, reasons[i].name))
			return i;
	return REASON_NONE;
}

enum reason reason_of_kernel(uint32_t refused)
{
	if (refused < NESTVM_REFUSED_COUNT && kernel_reasons[refused])
		return kernel_reasons[refused];
	return REASON_KERNEL_REFUSED;
}
