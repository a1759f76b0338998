// SPDX-License-Identifier: GPL-2.0
/*
 * The control socket: requests good and bad, clients that misbehave, long
 * commands. The loop and the clients are in one process, over socket pairs.
 *
 * links: vmm/control.c vmm/loop.c vmm/back/listen.c
 */
#include "lib/ktap.h"
#include "vmm/control.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

static struct loop loop;
static struct control control;
static bool go_on;		/* what the long command waits for */

static int run_echo(struct machine *m, struct control_call *call)
{
	call->result = json_pack("{s:s,s:I,s:b}", "text", control_string(call, "text", "none"),
				 "number", control_integer(call, "number", -1),
				 "flag", control_boolean(call, "flag", true));
	return 0;
}

static int run_refuse(struct machine *m, struct control_call *call)
{
	return control_refuse(call, "SOME_RULE", "No, because of \"%s\".", "rule");
}

static int run_long(struct machine *m, struct control_call *call)
{
	uint64_t n = 0;

	while (!__atomic_load_n(&go_on, __ATOMIC_SEQ_CST)) {
		if (control_cancelled(call))
			return control_refuse(call, "CANCELLED", "Given up.");
		control_progress(call, ++n, 100, "bytes");
		usleep(1000);
	}
	call->result = json_pack("{s:b}", "done", 1);
	return 0;
}

/* An answer of 200 KB. */
static int run_big(struct machine *m, struct control_call *call)
{
	char *text = malloc(200001);

	memset(text, 'x', 200000);
	text[200000] = '\0';
	call->result = json_pack("{s:s}", "big", text);
	free(text);
	return 0;
}

static const struct control_arg echo_args[] = {
	{ "text", JSON_STRING, false, 0, 0 },
	{ "number", JSON_INTEGER, false, 0, 100 },
	{ "flag", JSON_TRUE, false, 0, 0 },
	{ 0 }
};

static const struct control_arg must_args[] = {
	{ "text", JSON_STRING, true, 0, 0 },
	{ 0 }
};

static const struct control_command commands[] = {
	{ .name = "echo", .args = echo_args, .run = run_echo },
	{ .name = "must", .args = must_args, .run = run_echo },
	{ .name = "refuse", .run = run_refuse },
	{ .name = "big", .run = run_big },
	{ .name = "long", .where = CONTROL_WORKER, .run = run_long },
	{ .name = "wait", .where = CONTROL_AT_END },
	{ 0 }
};

static void set_up(void)
{
	struct nvl_error err;

	loop_init(&loop);
	ASSERT(control_init(&control, &loop, NULL, &err) == 0, "%s", err.text);
	ASSERT(control_add(&control, commands, &err) == 0, "%s", err.text);
}

static void tear_down(void)
{
	control_destroy(&control);
	loop_destroy(&loop);
}

static int client(void)
{
	int fd[2];

	ASSERT(socketpair(AF_UNIX, SOCK_STREAM, 0, fd) == 0, "socket pair");
	fcntl(fd[0], F_SETFL, O_NONBLOCK);
	ASSERT(control_accept(&control, fd[1]) == 0, "accepted");
	return fd[0];
}

static void turn(int ms)
{
	struct nvl_error err;

	ASSERT(loop_turn(&loop, ms, &err) == 0, "%s", err.text);
}

static void put(int fd, const char *text)
{
	ASSERT(write(fd, text, strlen(text)) == (ssize_t)strlen(text), "written");
}

/* What comes until there is a whole line, or the other side has closed. */
static const char *get(int fd)
{
	static char buf[1 << 20];
	size_t len = 0;
	unsigned int turns;
	ssize_t n;

	for (turns = 0; turns < 5000; turns++) {
		n = read(fd, buf + len, 1);
		if (n == 0)
			break;
		if (n > 0 && buf[len] == '\n')
			break;
		if (n > 0)
			len++, turns = 0;
		else
			turn(1);
	}
	buf[len] = '\0';
	return buf;
}

static void expect(int fd, const char *request, const char *answer)
{
	const char *got;

	put(fd, request);
	put(fd, "\n");
	got = get(fd);
	EXPECT(!strcmp(got, answer), "%s: answered %s, should be %s", request, got, answer);
}

static void expect_id(int fd, const char *request, const char *id)
{
	char want[80];
	const char *got;

	snprintf(want, sizeof(want), "{\"error\":{\"id\":\"%s\",\"text\":\"", id);
	put(fd, request);
	put(fd, "\n");
	got = get(fd);
	EXPECT(!strncmp(got, want, strlen(want)), "%.200s: answered %.300s, should be %s", request, got, id);
}

static void requests(const void *arg)
{
	int fd;

	set_up();
	fd = client();
	expect(fd, "{\"command\":\"echo\"}", "{\"return\":{\"text\":\"none\",\"number\":-1,\"flag\":true}}");
	expect(fd, " { \"arguments\" : {\"text\":\"a\\nb\",\"number\":100,\"flag\":false},"
	       "\"command\":\"echo\"} ",
	       "{\"return\":{\"text\":\"a\\nb\",\"number\":100,\"flag\":false}}");
	expect(fd, "{\"command\":\"refuse\",\"arguments\":{}}",
	       "{\"error\":{\"id\":\"SOME_RULE\",\"text\":\"No, because of \\\"rule\\\".\"}}");
	expect_id(fd, "{\"command\":\"echo\",\"arguments\":{\"number\":101}}", "BAD_ARGUMENT");
	expect_id(fd, "{\"command\":\"echo\",\"arguments\":{\"number\":-1}}", "BAD_ARGUMENT");
	expect_id(fd, "{\"command\":\"echo\",\"arguments\":{\"number\":1.0}}", "BAD_ARGUMENT");
	expect_id(fd, "{\"command\":\"echo\",\"arguments\":{\"number\":99999999999999999999}}", "BAD_REQUEST");
	expect_id(fd, "{\"command\":\"echo\",\"arguments\":{\"text\":1}}", "BAD_ARGUMENT");
	expect_id(fd, "{\"command\":\"echo\",\"arguments\":{\"text\":null}}", "BAD_ARGUMENT");
	expect_id(fd, "{\"command\":\"echo\",\"arguments\":{\"flag\":\"on\"}}", "BAD_ARGUMENT");
	expect_id(fd, "{\"command\":\"echo\",\"arguments\":{\"txet\":\"a\"}}", "UNKNOWN_ARGUMENT");
	expect_id(fd, "{\"command\":\"refuse\",\"arguments\":{\"a\":1}}", "UNKNOWN_ARGUMENT");
	expect_id(fd, "{\"command\":\"must\"}", "MISSING_ARGUMENT");
	expect_id(fd, "{\"command\":\"must\",\"arguments\":{}}", "MISSING_ARGUMENT");
	expect_id(fd, "{\"command\":\"nothing\"}", "NO_SUCH_COMMAND");
	expect_id(fd, "{\"command\":\"\"}", "NO_SUCH_COMMAND");
	close(fd);
	tear_down();
}

static void bad_requests(const void *arg)
{
	static const char * const bad[] = {
		"x", "{", "}", "[]", "1", "null", "\"command\"", "{}", "{\"command\":1}", "{\"command\":null}",
		"{\"arguments\":{}}", "{\"command\":\"echo\",\"arguments\":[]}",
		"{\"command\":\"echo\",\"arguments\":1}", "{\"command\":\"echo\",\"id\":1}",
		"{\"command\":\"echo\"} {\"command\":\"echo\"}", "{\"command\":\"echo\",\"command\":\"echo\"}",
		"{\"command\":\"ec\\u0000ho\"}", "{\"command\":\"\xff\"}", "{'command':'echo'}", "\"O\\\\\\\xcb\x8f_",
	};
	char deep[20000];
	unsigned int i;
	int fd;

	set_up();
	fd = client();
	for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		expect_id(fd, bad[i], "BAD_REQUEST");
	memset(deep, '[', sizeof(deep) - 1);
	deep[sizeof(deep) - 1] = '\0';
	expect_id(fd, deep, "BAD_REQUEST");
	/* A name that is cut in the middle of a letter when it is quoted. */
	snprintf(deep, sizeof(deep), "{\"command\":\"%063d\xc3\xa4\"}", 0);
	expect_id(fd, deep, "NO_SUCH_COMMAND");
	/* Brackets in a string are no nesting. */
	expect(fd, "{\"command\":\"echo\",\"arguments\":{\"text\":\"[[[[[[[[[[[[[[\\\"{{{{\"}}",
	       "{\"return\":{\"text\":\"[[[[[[[[[[[[[[\\\"{{{{\",\"number\":-1,\"flag\":true}}");
	close(fd);
	tear_down();
}

/* A line in pieces, lines in a heap, lines without an end, nothing more to say. */
static void pieces(const void *arg)
{
	const char *request = "{\"command\":\"echo\"}\n";
	const char *answer = "{\"return\":{\"text\":\"none\",\"number\":-1,\"flag\":true}}";
	char much[CONTROL_MAX_LINE + 5000];
	const char *p;
	int fd, i;

	set_up();
	fd = client();
	for (p = request; *p; p++) {
		ASSERT(write(fd, p, 1) == 1, "a byte");
		turn(0);
	}
	EXPECT(!strcmp(get(fd), answer), "in pieces");
	put(fd, "\n\n\r\n");
	get(fd);
	for (i = 0; i < 50; i++)
		put(fd, request);
	for (i = 0; i < 50; i++)
		EXPECT(!strcmp(get(fd), answer), "line %d of many", i);
	put(fd, "{\"command\":\"echo\"}\n{\"command\":\"ec");
	shutdown(fd, SHUT_WR);
	EXPECT(!strcmp(get(fd), answer), "after the last word");
	EXPECT(!*get(fd), "the rest of a line is no request");
	close(fd);

	fd = client();
	memset(much, 'x', sizeof(much));
	for (i = 0; i < 100 && write(fd, much, sizeof(much)) < 0; i++)
		turn(0);
	EXPECT(strstr(get(fd), "BAD_REQUEST"), "a line without end is refused");
	EXPECT(!*get(fd), "and ends the conversation");
	close(fd);
	for (i = 0; i < 10; i++)
		turn(0);
	for (i = 0; i < (int)CONTROL_MAX_CLIENTS; i++)
		EXPECT(!control.client[i], "client %d is left", i);
	tear_down();
}

/* No more clients than places; places become free; answers nobody reads are bounded. */
static void crowd(const void *arg)
{
	int fd[CONTROL_MAX_CLIENTS], extra[2], i;

	set_up();
	for (i = 0; i < (int)CONTROL_MAX_CLIENTS; i++)
		fd[i] = client();
	ASSERT(socketpair(AF_UNIX, SOCK_STREAM, 0, extra) == 0, "socket pair");
	EXPECT(control_accept(&control, extra[1]) < 0, "one too many");
	EXPECT(fcntl(extra[1], F_GETFD) < 0, "its file is closed");
	for (i = 1; i < (int)CONTROL_MAX_CLIENTS; i++)
		close(fd[i]);
	for (i = 0; i < 100; i++)
		turn(0);
	EXPECT_EQ(control.client[1] != NULL, 0, "places taken");
	for (i = 0; i < 500; i++) {
		if (write(fd[0], "{\"command\":\"big\"}\n", 18) < 0)
			break;
		turn(0);
	}
	for (i = 0; i < 100; i++)
		turn(0);
	ASSERT(control.client[0], "the client is there");
	for (i = 0; i < 3; i++)
		EXPECT_EQ(strlen(get(fd[0])), 200021, "bytes of the answer");
	close(fd[0]);
	close(extra[0]);
	tear_down();
}

/* One long command at a time; the others are answered meanwhile; it can be given up. */
static void long_commands(const void *arg)
{
	const char *line;
	int a, b, i;

	set_up();
	a = client();
	b = client();
	put(a, "{\"command\":\"long\"}\n{\"command\":\"refuse\"}\n");
	line = get(a);
	EXPECT(!strncmp(line, "{\"progress\":{\"done\":", 20), "progress: %s", line);
	expect_id(b, "{\"command\":\"long\"}", "VM_BUSY");
	expect_id(b, "{\"command\":\"refuse\"}", "SOME_RULE");
	__atomic_store_n(&go_on, true, __ATOMIC_SEQ_CST);
	do
		line = get(a);
	while (!strncmp(line, "{\"progress\"", 11));
	EXPECT(!strcmp(line, "{\"return\":{\"done\":true}}"), "done: %s", line);
	EXPECT(strstr(get(a), "SOME_RULE"), "the next one");

	/* Who asked goes away: so does the work. */
	go_on = false;
	put(a, "{\"command\":\"long\"}\n");
	get(a);
	close(a);
	for (i = 0; i < 200 && control.working; i++)
		turn(10);
	EXPECT(!control.working, "the command of a client that has gone");

	/* The end of the run ends it, and answers. */
	put(b, "{\"command\":\"long\"}\n");
	get(b);
	a = client();
	put(a, "{\"command\":\"wait\"}\n");
	turn(100);
	control_end(&control, json_pack("{s:s}", "end", "poweroff"));
	do
		line = get(b);
	while (!strncmp(line, "{\"progress\"", 11));
	EXPECT(strstr(line, "CANCELLED"), "given up: %s", line);
	EXPECT(!strcmp(get(a), "{\"return\":{\"end\":\"poweroff\"}}"), "who waits for the end");
	EXPECT(!*get(a), "no more");
	close(a);
	close(b);
	tear_down();
}

/* A client that waits for the end and goes away leaves its place. */
static void waiting_client_leaves(const void *arg)
{
	int fd, i;

	set_up();
	fd = client();
	put(fd, "{\"command\":\"wait\"}\n");
	for (i = 0; i < 5; i++)
		turn(1);
	close(fd);
	for (i = 0; i < 5; i++)
		turn(1);
	EXPECT(!control.client[0], "its place");
	tear_down();
}

static void the_socket(const void *arg)
{
	char dir[] = "/tmp/nestvm-test-XXXXXX", path[64];
	struct sockaddr_un sun = { .sun_family = AF_UNIX };
	struct nvl_error err;
	struct control second;
	struct stat st;
	int fd;

	set_up();
	ASSERT(mkdtemp(dir), "a folder");
	snprintf(path, sizeof(path), "%s/ctl", dir);
	snprintf(sun.sun_path, sizeof(sun.sun_path), "%s", path);
	/* One that a dead process left. */
	fd = socket(AF_UNIX, SOCK_STREAM, 0);
	ASSERT(bind(fd, (struct sockaddr *)&sun, sizeof(sun)) == 0, "left behind");
	close(fd);
	ASSERT(control_listen(&control, path, &err) == 0, "%s", err.text);
	ASSERT(stat(path, &st) == 0, "%s", path);
	EXPECT_EQ(st.st_mode & 0777, 0600, "mode");

	ASSERT(control_init(&second, &loop, NULL, &err) == 0, "%s", err.text);
	EXPECT(control_listen(&second, path, &err) == -EADDRINUSE, "a second one: %s", err.text);
	control_destroy(&second);

	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0);
	ASSERT(connect(fd, (struct sockaddr *)&sun, sizeof(sun)) == 0, "connected");
	expect_id(fd, "{\"command\":\"refuse\"}", "SOME_RULE");
	close(fd);
	tear_down();
	EXPECT(stat(path, &st) < 0, "the socket is left");
	rmdir(dir);
}

int main(int argc, char **argv)
{
	static const struct ktap_case cases[] = {
		{ "requests", requests },
		{ "bad_requests", bad_requests },
		{ "pieces", pieces },
		{ "crowd", crowd },
		{ "long_commands", long_commands },
		{ "waiting_client_leaves", waiting_client_leaves },
		{ "the_socket", the_socket },
	};

	return ktap_main(cases, sizeof(cases) / sizeof(cases[0]), argc, argv);
}
