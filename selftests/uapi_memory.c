// SPDX-License-Identifier: GPL-2.0
/* NESTVM_SET_MEMORY_MODE, the pins of static memory, and the locked-memory limit. */
#include "lib/uapi.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#define SIZE	(1u << 20)
#define NOBODY	65534

static struct nestvm_memory_mode dynamic = { sizeof(dynamic), NESTVM_MEMORY_DYNAMIC };

static void *memory(void)
{
	void *p = mmap(NULL, SIZE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	ASSERT(p != MAP_FAILED, "%s", strerror(errno));
	return p;
}

static struct kvm_userspace_memory_region region(void *at)
{
	return (struct kvm_userspace_memory_region) {
		.memory_size = SIZE, .userspace_addr = (uintptr_t)at,
	};
}

static void modes(const void *arg)
{
	struct nestvm_memory_mode m = { .size = sizeof(m), .mode = 3 };
	struct vm vm;

	nestvm_open();
	vm_create(&vm, VM_NO_MEMORY);
	EXPECT_EQ(vm_info(vm.fd).memory_mode, NESTVM_MEMORY_STATIC, "the default");
	EXPECT_REFUSED(vm.fd, NESTVM_SET_MEMORY_MODE, &m, EINVAL, NESTVM_REFUSED_NOTHING);
	m.mode = 0;
	EXPECT_REFUSED(vm.fd, NESTVM_SET_MEMORY_MODE, &m, EINVAL, NESTVM_REFUSED_NOTHING);
	MUST(vm.fd, NESTVM_SET_MEMORY_MODE, &dynamic);
	EXPECT_EQ(vm_info(vm.fd).memory_mode, NESTVM_MEMORY_DYNAMIC, "the mode");
	m.mode = NESTVM_MEMORY_STATIC;
	MUST(vm.fd, NESTVM_SET_MEMORY_MODE, &m);
	EXPECT_EQ(vm_info(vm.fd).memory_mode, NESTVM_MEMORY_STATIC, "the mode");
	MUST(vm.fd, NESTVM_SET_MEMORY_MODE, &dynamic);
	EXPECT_EQ(vm_info(vm.fd).memory_mode, NESTVM_MEMORY_DYNAMIC, "the mode");
}

static void not_with_slots(const void *arg)
{
	struct vm vm;

	nestvm_open();
	vm_create(&vm, 0);
	EXPECT_REFUSED(vm.fd, NESTVM_SET_MEMORY_MODE, &dynamic, EBUSY, NESTVM_REFUSED_HAS_MEMORY);
	EXPECT_EQ(vm_info(vm.fd).memory_mode, NESTVM_MEMORY_STATIC, "the mode");
}

static void dynamic_not_for_an_exposed_vm(const void *arg)
{
	struct vm vm;

	nestvm_open();
	vm_create(&vm, VM_NO_MEMORY | VM_EXPOSE);
	EXPECT_REFUSED(vm.fd, NESTVM_SET_MEMORY_MODE, &dynamic, EOPNOTSUPP,
		       NESTVM_REFUSED_DYNAMIC_MEMORY);
	EXPECT_EQ(vm_info(vm.fd).memory_mode, NESTVM_MEMORY_STATIC, "the mode");
}

static long locked_kib(void)
{
	FILE *f = fopen("/proc/self/status", "r");
	char line[200];
	long kib = -1;

	while (f && fgets(line, sizeof(line), f))
		if (sscanf(line, "VmLck: %ld", &kib) == 1 || sscanf(line, "VmPin: %ld", &kib) == 1)
			if (kib)
				break;
	if (f)
		fclose(f);
	return kib;
}

static void static_memory_is_pinned_and_released(const void *arg)
{
	struct kvm_userspace_memory_region r;
	struct vm vm;

	nestvm_open();
	vm_create(&vm, VM_NO_MEMORY);
	r = region(memory());
	MUST(vm.fd, KVM_SET_USER_MEMORY_REGION, &r);
	EXPECT_EQ(vm_info(vm.fd).pinned_pages, SIZE / 4096, "pinned pages");
	EXPECT_EQ(vm_info(vm.fd).resident_pages, SIZE / 4096, "resident pages");
	EXPECT(locked_kib() >= SIZE / 1024, "only %ld KiB are charged", locked_kib());
	r.memory_size = 0;
	MUST(vm.fd, KVM_SET_USER_MEMORY_REGION, &r);
	EXPECT_EQ(vm_info(vm.fd).pinned_pages, 0, "pinned pages after the slot is gone");
	EXPECT(locked_kib() <= 0, "%ld KiB are still charged", locked_kib());
}

static void dynamic_memory_is_not_pinned(const void *arg)
{
	struct kvm_userspace_memory_region r;
	struct vm vm;

	nestvm_open();
	vm_create(&vm, VM_NO_MEMORY);
	MUST(vm.fd, NESTVM_SET_MEMORY_MODE, &dynamic);
	r = region(memory());
	MUST(vm.fd, KVM_SET_USER_MEMORY_REGION, &r);
	EXPECT_EQ(vm_info(vm.fd).pinned_pages, 0, "pinned pages");
	EXPECT_EQ(vm_info(vm.fd).resident_pages, 0, "pages that no guest has touched");
	EXPECT(locked_kib() <= 0, "%ld KiB are charged", locked_kib());
}

/* The device is opened before the privileges go; the limit is the user's then. */
static void limit_too_low(const void *arg)
{
	struct rlimit limit = { SIZE / 2, SIZE / 2 };
	struct kvm_userspace_memory_region r;
	struct vm vm;

	nestvm_open();
	vm_create(&vm, VM_NO_MEMORY);
	ASSERT(!setrlimit(RLIMIT_MEMLOCK, &limit), "%s", strerror(errno));
	if (setuid(NOBODY))
		ktap_skip("cannot become another user: %s", strerror(errno));
	r = region(memory());
	EXPECT_REFUSED(vm.fd, KVM_SET_USER_MEMORY_REGION, &r, ENOMEM, NESTVM_REFUSED_LOCKED_LIMIT);
	EXPECT_EQ(vm_info(vm.fd).pinned_pages, 0, "pinned pages");
	r.memory_size = SIZE / 4;
	MUST(vm.fd, KVM_SET_USER_MEMORY_REGION, &r);
}

/* Send the VM's file to whoever has the other end. */
static void send_file(int sock, int fd)
{
	char buf[CMSG_SPACE(sizeof(int))] = { 0 }, c = 0;
	struct iovec iov = { &c, 1 };
	struct msghdr m = {
		.msg_iov = &iov, .msg_iovlen = 1, .msg_control = buf, .msg_controllen = sizeof(buf),
	};
	struct cmsghdr *h = CMSG_FIRSTHDR(&m);

	h->cmsg_level = SOL_SOCKET;
	h->cmsg_type = SCM_RIGHTS;
	h->cmsg_len = CMSG_LEN(sizeof(int));
	memcpy(CMSG_DATA(h), &fd, sizeof(fd));
	if (sendmsg(sock, &m, 0) != 1)
		_exit(3);
}

static int receive_file(int sock)
{
	char buf[CMSG_SPACE(sizeof(int))], c;
	struct iovec iov = { &c, 1 };
	struct msghdr m = {
		.msg_iov = &iov, .msg_iovlen = 1, .msg_control = buf, .msg_controllen = sizeof(buf),
	};
	int fd;

	ASSERT(recvmsg(sock, &m, 0) == 1 && CMSG_FIRSTHDR(&m), "no file came");
	memcpy(&fd, CMSG_DATA(CMSG_FIRSTHDR(&m)), sizeof(fd));
	return fd;
}

/* A process of NOBODY pins SIZE, leaves the VM's file behind and ends. Its errno, or 0. */
static int pin_and_leave(int sock)
{
	struct rlimit limit = { SIZE * 3 / 2, SIZE * 3 / 2 };
	struct kvm_userspace_memory_region r;
	struct vm vm;
	int status;
	pid_t pid;

	pid = fork();
	if (!pid) {
		vm_create(&vm, VM_NO_MEMORY);
		if (setrlimit(RLIMIT_MEMLOCK, &limit) || setuid(NOBODY))
			_exit(4);
		r = region(memory());
		if (ioctl(vm.fd, KVM_SET_USER_MEMORY_REGION, &r))
			_exit(errno);
		send_file(sock, vm.fd);
		_exit(0);
	}
	ASSERT(waitpid(pid, &status, 0) == pid && WIFEXITED(status), "the process");
	return WEXITSTATUS(status);
}

static void limit_holds_past_the_process(const void *arg)
{
	int sv[2], fd;

	nestvm_open();
	ASSERT(!socketpair(AF_UNIX, SOCK_STREAM, 0, sv), "%s", strerror(errno));
	EXPECT_EQ(pin_and_leave(sv[1]), 0, "the first");
	fd = receive_file(sv[0]);
	EXPECT_EQ(pin_and_leave(sv[1]), ENOMEM, "the second, while the first's pages are pinned");
	close(fd);
	EXPECT_EQ(pin_and_leave(sv[1]), 0, "when they are not any more");
}

static void memory_that_is_not_there(const void *arg)
{
	struct kvm_userspace_memory_region r;
	void *p = memory();
	struct vm vm;

	nestvm_open();
	vm_create(&vm, VM_NO_MEMORY);
	munmap(p + SIZE / 2, SIZE / 2);
	r = region(p);
	EXPECT_REFUSED(vm.fd, KVM_SET_USER_MEMORY_REGION, &r, EFAULT, NESTVM_REFUSED_SLOT_PIN);
	EXPECT_EQ(vm_info(vm.fd).pinned_pages, 0, "pinned pages");
}

int main(int argc, char **argv)
{
	static const struct ktap_case cases[] = {
		{ "modes", modes, NULL, 0 },
		{ "not_with_slots", not_with_slots, NULL, 0 },
		{ "dynamic_not_for_an_exposed_vm", dynamic_not_for_an_exposed_vm, NULL, 0 },
		{ "static_memory_is_pinned_and_released", static_memory_is_pinned_and_released,
		  NULL, 0 },
		{ "dynamic_memory_is_not_pinned", dynamic_memory_is_not_pinned, NULL, 0 },
		{ "limit_too_low", limit_too_low, NULL, 0 },
		{ "limit_holds_past_the_process", limit_holds_past_the_process, NULL, 0 },
		{ "memory_that_is_not_there", memory_that_is_not_there, NULL, 0 },
	};

	return ktap_main(cases, ARRAY_LEN(cases), argc, argv);
}
