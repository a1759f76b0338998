// SPDX-License-Identifier: GPL-2.0
/*
 * The control socket: what a client sends, in two pieces, through the whole
 * server and once more through the parser alone. Whatever it is, each line gets
 * one answer, and an answer is JSON.
 */
#include "vmm/control.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

static int run_echo(struct machine *m, struct control_call *call)
{
	const char *text = control_string(call, "text", "none");

	call->result = json_pack("{s:s,s:I,s:b}", "text", text, "number",
				 control_integer(call, "number", 0), "flag",
				 control_boolean(call, "flag", false));
	/* Checked arguments are what the row says they are. */
	if (!text || control_integer(call, "number", 0) > 100)
		abort();
	return 0;
}

static const struct control_arg echo_args[] = {
	{ "text", JSON_STRING, false, 0, 0 },
	{ "number", JSON_INTEGER, false, -5, 100 },
	{ "flag", JSON_TRUE, false, 0, 0 },
	{ 0 }
};

static const struct control_command commands[] = {
	{ .name = "echo", .args = echo_args, .run = run_echo },
	{ .name = "wait", .where = CONTROL_AT_END },
	{ 0 }
};

static void check_answers(const char *p, size_t len)
{
	const char *end;
	json_t *line;

	while (len) {
		end = memchr(p, '\n', len);
		if (!end)
			abort();
		line = json_loadb(p, end - p, 0, NULL);
		if (!json_object_get(line, "return") && !json_object_get(line, "error"))
			abort();
		json_decref(line);
		len -= end + 1 - p;
		p = end + 1;
	}
}

static void parse_alone(struct control *c, const uint8_t *data, size_t len)
{
	struct control_call call;

	if (control_parse(c, (const char *)data, len, &call) == 0) {
		if (!call.command || !json_is_object(call.arguments))
			abort();
	} else if (!call.error_id[0] || !call.error_text[0]) {
		abort();
	}
	json_decref(call.arguments);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	static char got[1 << 20];
	struct control c;
	struct loop loop;
	size_t half = len / 2, n = 0;
	ssize_t more;
	int fd[2], i;

	loop_init(&loop);
	if (control_init(&c, &loop, NULL, NULL) < 0 || control_add(&c, commands, NULL) < 0 ||
	    socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, fd) < 0)
		abort();
	parse_alone(&c, data, len);

	control_accept(&c, fd[1]);
	if (write(fd[0], data, half) == (ssize_t)half)
		loop_turn(&loop, 0, NULL);
	if (write(fd[0], data + half, len - half) >= 0)
		shutdown(fd[0], SHUT_WR);
	for (i = 0; i < 6; i++) {
		loop_turn(&loop, 0, NULL);
		while (n < sizeof(got) && (more = read(fd[0], got + n, sizeof(got) - n)) > 0)
			n += more;
	}
	control_end(&c, json_pack("{s:s}", "end", "poweroff"));
	while (n < sizeof(got) && (more = read(fd[0], got + n, sizeof(got) - n)) > 0)
		n += more;
	check_answers(got, n);
	close(fd[0]);
	control_destroy(&c);
	loop_destroy(&loop);
	return 0;
}
