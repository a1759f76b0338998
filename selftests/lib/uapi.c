// SPDX-License-Identifier: GPL-2.0
#include "uapi.h"

#include <errno.h>
#include <string.h>
#include <sys/ioctl.h>

int nestvm_open(void)
{
	int dev = device_open();

	if (!device_is_nestvm(dev))
		ktap_skip("%s is not nestvm's", ktap_device);
	return dev;
}

struct nestvm_device_info device_info(int dev)
{
	struct nestvm_device_info info = { .size = sizeof(info) };

	MUST(dev, NESTVM_GET_DEVICE_INFO, &info);
	return info;
}

struct nestvm_vm_info vm_info(int vm_fd)
{
	struct nestvm_vm_info info = { .size = sizeof(info) };

	MUST(vm_fd, NESTVM_GET_VM_INFO, &info);
	return info;
}

struct nestvm_refusal last_refusal(int fd)
{
	struct nestvm_refusal r = { .size = sizeof(r) };

	MUST(fd, NESTVM_GET_REFUSAL, &r);
	return r;
}

static void expect_reason(int line, int fd, int error, u32 reason)
{
	struct nestvm_refusal r = { .size = sizeof(r) };
	size_t len;

	if (ioctl(fd, NESTVM_GET_REFUSAL, &r))
		return;			/* not nestvm */
	if (r.id != reason || r.error != (u32)error)
		ktap_fail("uapi", line,
			  "the reason is %u with errno %u, should be %u with %d; \"%s\"",
			  r.id, r.error, reason, error, r.text);
	len = strnlen(r.text, sizeof(r.text));
	if (len < 15 || len == sizeof(r.text))
		ktap_fail("uapi", line, "\"%.*s\" is no sentence", (int)sizeof(r.text), r.text);
}

void expect_refused(int line, int fd, unsigned long cmd, void *arg, int error, u32 reason)
{
	int ret = ioctl(fd, cmd, arg), got = errno;

	if (ret >= 0)
		ktap_fail("uapi", line, "command %#lx gives %d, should fail with %s", cmd, ret,
			  strerror(error));
	else if (got != error)
		ktap_fail("uapi", line, "command %#lx fails with %s, should with %s", cmd,
			  strerror(got), strerror(error));
	else if (reason)
		expect_reason(line, fd, error, reason);
}
