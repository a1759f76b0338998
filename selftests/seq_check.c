// SPDX-License-Identifier: GPL-2.0
/*
 * Reads what a VM's console said in all of its lives, one after the other: every line
 * "e2e: seq N SUM UP FILE" of the innermost guest (e2e/l2.sh) follows from the one before
 * it, by number, checksum, time and the checksum of its file. After "e2e: seq back NAME"
 * it goes on from an earlier line, always the same one for a name. A line that has no end
 * yet is left out.
 *
 * Not a script: it runs beside the guest, which by the time a shell has followed its sums
 * has made as many again.
 */
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define STEP	1000		/* of the guest's sums, between two lines */
#define MODULUS	1000003
#define TURNS	256		/* back to a checkpoint */

struct line {
	unsigned long n, sum, file;
	double up;
};

static struct back {
	char name[32];
	unsigned long first;
} backs[TURNS];

static struct back *returning;	/* whose first line comes next */
static unsigned long count;

static void no(const char *why, const char *line)
{
	printf("%s: %.*s\n", why, (int)strcspn(line, "\r\n"), line);
	exit(1);
}

static struct back *back_to(const char *line)
{
	char name[sizeof(backs->name)];
	struct back *b;

	if (sscanf(line, "back %31[^\r\n]", name) != 1)
		no("a broken line", line);
	for (b = backs; b < backs + TURNS && *b->name; b++)
		if (!strcmp(b->name, name))
			return b;
	if (b == backs + TURNS)
		no("too many names", line);
	snprintf(b->name, sizeof(b->name), "%s", name);
	return b;
}

static struct line parse(const char *text)
{
	struct line l;
	int end = 0;

	if (sscanf(text, "%lu %lu %lf %lu%n", &l.n, &l.sum, &l.up, &l.file, &end) != 4 ||
	    text[end] != '\r' || !l.n || l.n % STEP)
		no("a broken line", text);
	return l;
}

/* What the guest computes between line @n and the next one. */
static void step(struct line *l)
{
	unsigned long end = l->n + STEP;

	while (l->n < end)
		l->sum = (l->sum * 31 + ++l->n) % MODULUS;
	l->file = (l->file * 31 + l->sum) % MODULUS;
}

/* @at becomes the line before @n, which was said once already, or is to come next. */
static void go_back(struct line *at, unsigned long n, const char *text)
{
	if (n > at->n + STEP || (returning->first && returning->first != n))
		no("not where the checkpoint was made", text);
	returning->first = n;
	returning = NULL;
	*at = (struct line){ 0 };
	while (at->n + STEP < n)
		step(at);
}

static void follow(struct line *at, const char *text)
{
	struct line now = parse(text);

	if (returning)
		go_back(at, now.n, text);
	if (now.n != at->n + STEP) {
		printf("after %lu came another line\n", at->n);
		no("it does not follow", text);
	}
	step(at);
	if (now.sum != at->sum)
		no("another checksum", text);
	if (now.file != at->file)
		no("another checksum of its file", text);
	if (now.up < at->up)
		no("the clock went back", text);
	at->up = now.up;
	count++;
}

int main(void)
{
	struct line at = { 0 };
	char *line = NULL, *text;
	size_t room = 0;

	while (getline(&line, &room, stdin) > 0) {
		text = strstr(line, "e2e: seq ");
		if (!text || !strchr(text, '\r'))
			continue;
		text += strlen("e2e: seq ");
		if (!strncmp(text, "back ", 5))
			returning = back_to(text);
		else
			follow(&at, text);
	}
	free(line);
	printf("e2e: state: %lu lines up to %lu, up for %.2f s\n", count, at.n, at.up);
	return !count;
}
