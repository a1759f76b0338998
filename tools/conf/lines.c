// SPDX-License-Identifier: GPL-2.0
#include "lines.h"

#include <ctype.h>
#include <jansson.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

/* Deeper than any path that is asked for. */
#define DEPTH_MAX 3
#define PATH_ROOM 256

struct scan {
	const char *at, *end;
	unsigned int line;
	const char *wanted;
	unsigned int found;		/* 0: not yet */
};

static void skip_blanks(struct scan *s)
{
	while (s->at < s->end && isspace((unsigned char)*s->at))
		if (*s->at++ == '\n')
			s->line++;
}

static bool take(struct scan *s, char c)
{
	skip_blanks(s);
	if (s->at == s->end || *s->at != c)
		return false;
	s->at++;
	return true;
}

/* At a quote; leaves @s behind the closing one. */
static void skip_string(struct scan *s)
{
	for (s->at++; s->at < s->end && *s->at != '"'; s->at++)
		if (*s->at == '\\' && s->at + 1 < s->end)
			s->at++;
	if (s->at < s->end)
		s->at++;
}

/* A key as jansson would give it, escapes resolved, cut to @room. */
static void read_key(struct scan *s, char *out, size_t room)
{
	const char *start = s->at;
	json_t *key;

	skip_string(s);
	key = json_loadb(start, s->at - start, JSON_DECODE_ANY, NULL);
	snprintf(out, room, "%s", json_is_string(key) ? json_string_value(key) : "");
	json_decref(key);
}

static void reached(struct scan *s, const char *path)
{
	if (!s->found && !strcmp(path, s->wanted))
		s->found = s->line;
}

/* Anything between brackets that is of no interest, without recursion. */
static void skip_nested(struct scan *s)
{
	unsigned int depth = 0;

	do {
		skip_blanks(s);
		if (s->at == s->end)
			return;
		if (*s->at == '"') {
			skip_string(s);
			continue;
		}
		if (*s->at == '{' || *s->at == '[')
			depth++;
		else if (*s->at == '}' || *s->at == ']')
			depth--;
		s->at++;
	} while (depth);
}

static void scan_value(struct scan *s, const char *path, unsigned int depth);

static void scan_object(struct scan *s, const char *path, unsigned int depth)
{
	char inner[PATH_ROOM * 2], key[65];

	while (!s->found) {
		skip_blanks(s);
		if (s->at == s->end || *s->at != '"')
			break;
		read_key(s, key, sizeof(key));
		snprintf(inner, sizeof(inner), "%s%s%s", path, *path ? "." : "", key);
		inner[PATH_ROOM - 1] = '\0';
		reached(s, inner);
		if (!take(s, ':'))
			break;
		scan_value(s, inner, depth + 1);
		if (!take(s, ','))
			break;
	}
	take(s, '}');
}

static void scan_array(struct scan *s, const char *path, unsigned int depth)
{
	char inner[PATH_ROOM * 2];
	unsigned int i;

	for (i = 0; !s->found; i++) {
		skip_blanks(s);
		if (s->at == s->end || *s->at == ']')
			break;
		snprintf(inner, sizeof(inner), "%s[%u]", path, i);
		inner[PATH_ROOM - 1] = '\0';
		reached(s, inner);
		scan_value(s, inner, depth + 1);
		if (!take(s, ','))
			break;
	}
	take(s, ']');
}

static void scan_value(struct scan *s, const char *path, unsigned int depth)
{
	skip_blanks(s);
	if (s->at == s->end)
		return;
	if (*s->at == '"') {
		skip_string(s);
	} else if (*s->at == '{' || *s->at == '[') {
		if (depth > DEPTH_MAX) {
			skip_nested(s);
		} else if (*s->at++ == '{') {
			scan_object(s, path, depth);
		} else {
			scan_array(s, path, depth);
		}
	} else {
		while (s->at < s->end && !isspace((unsigned char)*s->at) &&
		       !strchr(",]}", *s->at))
			s->at++;
	}
}

unsigned int line_of_key(const char *text, size_t len, const char *path)
{
	struct scan s = { .at = text, .end = text + len, .line = 1, .wanted = path };

	scan_value(&s, "", 0);
	return s.found ? s.found : 1;
}
