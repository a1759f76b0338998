// SPDX-License-Identifier: GPL-2.0
/*
 * Say something to a VM's control socket and print what it answers:
 *	control_say SOCKET '{"command": "status"}'...
 * Ends with 0 if all was done, 1 if something was refused, 2 if nobody answers.
 */
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

static int say(FILE *f, const char *request)
{
	static char line[1 << 20];

	if (fprintf(f, "%s\n", request) < 0 || fflush(f))
		return 2;
	do {
		if (!fgets(line, sizeof(line), f))
			return 2;
		fputs(line, stdout);
	} while (!strncmp(line, "{\"progress\"", 11));
	return strncmp(line, "{\"return\"", 9) != 0;
}

int main(int argc, char **argv)
{
	struct sockaddr_un sun = { .sun_family = AF_UNIX };
	int fd, i, ret = 0;
	FILE *f;

	if (argc < 3 || strlen(argv[1]) >= sizeof(sun.sun_path))
		return 2;
	memcpy(sun.sun_path, argv[1], strlen(argv[1]) + 1);
	fd = socket(AF_UNIX, SOCK_STREAM, 0);
	if (fd < 0 || connect(fd, (struct sockaddr *)&sun, sizeof(sun)) < 0) {
		perror(argv[1]);
		return 2;
	}
	f = fdopen(fd, "r+");
	for (i = 2; i < argc && !ret; i++)
		ret = say(f, argv[i]);
	return ret;
}
