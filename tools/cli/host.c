// SPDX-License-Identifier: GPL-2.0
#include "host.h"

#include <cpuid.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* The flags of one CPU are some 2000 characters. */
#define FIELD_MAX 8192

const char *host_path(const char *path, char out[PATH_MAX])
{
	const char *root = getenv("NESTVM_HOST_ROOT");

	if ((size_t)snprintf(out, PATH_MAX, "%s%s", root ? root : "", path) >= PATH_MAX)
		*out = '\0';
	return out;
}

bool host_read(const char *path, char *out, size_t room)
{
	char full[PATH_MAX];
	ssize_t n;
	int fd;

	*out = '\0';
	fd = open(host_path(path, full), O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return false;
	n = read(fd, out, room - 1);
	close(fd);
	if (n < 0)
		return false;
	out[n] = '\0';
	out[strcspn(out, "\n")] = '\0';
	return true;
}

bool host_cpu_field(const char *name, char *out, size_t room)
{
	char path[PATH_MAX], line[FIELD_MAX];
	size_t len = strlen(name);
	bool found = false;
	FILE *f;

	*out = '\0';
	f = fopen(host_path("/proc/cpuinfo", path), "re");
	if (!f)
		return false;
	/* "name<tab>: value"; an empty line ends the first CPU. */
	while (!found && fgets(line, sizeof(line), f) && *line != '\n') {
		const char *p = line + len;

		if (strncmp(line, name, len) || (*p != '\t' && *p != ' ' && *p != ':'))
			continue;
		p += strspn(p, "\t ");
		if (*p != ':')
			continue;
		p++;
		p += strspn(p, "\t ");
		snprintf(out, room, "%.*s", (int)strcspn(p, "\n"), p);
		found = true;
	}
	fclose(f);
	return found;
}

bool host_has_word(const char *list, const char *word)
{
	size_t len = strlen(word);
	const char *p;

	for (p = list; (p = strstr(p, word)); p += len)
		if ((p == list || p[-1] == ' ') && (p[len] == ' ' || !p[len]))
			return true;
	return false;
}

/* Its signature, CPUID 4000_0000H, unless the host is made of files. */
static bool hypervisor_signature(char *out, size_t room)
{
	unsigned int eax, reg[3];
	char text[sizeof(reg) + 1] = "";
	unsigned int i;

	if (getenv("NESTVM_HOST_ROOT"))
		return false;
	__cpuid(0x40000000, eax, reg[0], reg[1], reg[2]);
	memcpy(text, reg, sizeof(reg));
	for (i = 0; text[i]; i++)
		if (text[i] < ' ' || text[i] > '~')
			return false;
	snprintf(out, room, "%s", text);
	return i > 0;
}

bool host_hypervisor(char *out, size_t room)
{
	return hypervisor_signature(out, room) ||
	       (host_read("/sys/class/dmi/id/sys_vendor", out, room) && *out);
}

void host_facts(struct host_facts *f)
{
	char text[FIELD_MAX];

	memset(f, 0, sizeof(*f));
	if (host_cpu_field("vendor_id", text, sizeof(text)))
		snprintf(f->vendor, sizeof(f->vendor), "%.15s", text);
	if (host_cpu_field("flags", text, sizeof(text))) {
		f->vmx = host_has_word(text, "vmx");
		/* Kernels before 5.6 have it here, newer ones in a line of its own. */
		f->ept = host_has_word(text, "ept");
	}
	if (host_cpu_field("vmx flags", text, sizeof(text)))
		f->ept = f->ept || host_has_word(text, "ept");
	if (host_read("/sys/module/nestvm/parameters/nested", text, sizeof(text)))
		f->nested_off = *text == 'N' || *text == '0';
}
