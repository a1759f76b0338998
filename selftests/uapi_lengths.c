// SPDX-License-Identifier: GPL-2.0
/*
 * Every NESTVM_ command with an argument that is short, exact, longer and zero,
 * longer and not zero, absurd, and not memory; and commands no file has.
 */
#include "lib/uapi.h"

#include <errno.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>

enum file { DEVICE = 1, VM = 2, VCPU = 4 };

static const struct row {
	const char *name;
	unsigned long cmd;
	u32 size;
	unsigned int files;
	u32 second;		/* a valid value behind the size */
	u32 first;		/* size of its first version, if it has grown */
} rows[] = {
	{ "GET_DEVICE_INFO", NESTVM_GET_DEVICE_INFO, sizeof(struct nestvm_device_info), DEVICE, 0, 0 },
	{ "GET_REFUSAL", NESTVM_GET_REFUSAL, sizeof(struct nestvm_refusal), DEVICE | VM | VCPU, 0,
	  0 },
	{ "SET_EXPOSE", NESTVM_SET_EXPOSE, sizeof(struct nestvm_expose), VM, 0, 0 },
	{ "SET_MEMORY_MODE", NESTVM_SET_MEMORY_MODE, sizeof(struct nestvm_memory_mode), VM,
	  NESTVM_MEMORY_STATIC, 0 },
	{ "GET_VM_INFO", NESTVM_GET_VM_INFO, sizeof(struct nestvm_vm_info), VM, 0,
	  offsetof(struct nestvm_vm_info, resident_pages) },
	{ "GET_ENTRY_FAILURE", NESTVM_GET_ENTRY_FAILURE, sizeof(struct nestvm_entry_failure), VCPU,
	  0, 0 },
};

#define PAGE	4096

/* @bytes up to the end of mapped memory: reading past them faults. */
static void expect(const struct row *row, int fd, u32 size, u32 bytes, u8 tail, int error,
		   const char *what)
{
	u8 *area = mmap(NULL, 4 * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	u8 *arg = area + 3 * PAGE - bytes;
	int ret;

	mprotect(area + 3 * PAGE, PAGE, PROT_NONE);
	if (bytes >= 4)
		memcpy(arg, &size, 4);
	if (bytes >= 8)
		memcpy(arg + 4, &row->second, 4);
	if (bytes > row->size)
		arg[bytes - 1] = tail;
	ret = ioctl(fd, row->cmd, arg);
	if (error)
		EXPECT(ret < 0 && errno == error, "%s %s: %d, %s, should be %s", row->name, what,
		       ret,
		       strerror(errno), strerror(error));
	else
		EXPECT(ret >= 0, "%s %s: %s", row->name, what, strerror(errno));
	munmap(area, 4 * PAGE);
}

static void try_row(const struct row *row, int fd)
{
	u32 least = row->first ?: row->size;

	expect(row, fd, row->size, row->size, 0, 0, "exact");
	expect(row, fd, least - 1, row->size, 0, EINVAL, "a byte short");
	expect(row, fd, least, least, 0, 0, "as long as it was at first");
	expect(row, fd, 4, 4, 0, EINVAL, "the size alone");
	expect(row, fd, 0, 4, 0, EINVAL, "size 0");
	expect(row, fd, row->size + 8, row->size + 8, 0, 0, "longer, zero");
	expect(row, fd, row->size + 8, row->size + 8, 1, E2BIG, "longer, not zero");
	expect(row, fd, PAGE, PAGE, 0, 0, "a page, zero");
	expect(row, fd, 0xffffffff, row->size, 0, E2BIG, "absurd");
	expect(row, fd, row->size, row->size - 1, 0, EFAULT, "memory ends inside");
	expect(row, fd, row->size, 2, 0, EFAULT, "memory ends inside the size");
	EXPECT(ioctl(fd, row->cmd, NULL) < 0 && errno == EFAULT, "%s of nowhere", row->name);
}

static void on_each_file(void (*fn)(enum file file, int fd))
{
	struct vcpu *vcpu;
	struct vm vm;

	nestvm_open();
	vm_create(&vm, VM_NO_MEMORY);
	vcpu = vm_add_vcpu(&vm);
	fn(DEVICE, vm.dev);
	fn(VM, vm.fd);
	fn(VCPU, vcpu->fd);
}

static void try_file(enum file file, int fd)
{
	struct nestvm_device_info any = { .size = sizeof(any) };
	size_t i;

	for (i = 0; i < ARRAY_LEN(rows); i++) {
		if (rows[i].files & file)
			try_row(&rows[i], fd);
		else
			EXPECT(ioctl(fd, rows[i].cmd, &any) < 0 && errno == ENOTTY,
			       "%s on file %u: %s", rows[i].name, file, strerror(errno));
	}
}

static void lengths(const void *arg)
{
	on_each_file(try_file);
}

/* The numbers of a type and nearby that are nobody's; KVM_SET_TSS_ADDR2 and such do not exist. */
static void try_unknown(enum file file, int fd)
{
	static const unsigned long unknown[] = {
		_IO(NESTVM_IOC, 0x7f), _IOWR(NESTVM_IOC, 0x00, int), _IO(KVMIO, 0xff),
		_IOW(KVMIO, 0x80, char[8]), _IO('x', 1), 0, 0xffffffff,
		_IOW(KVMIO, 0x46, char[12]),	/* KVM_SET_USER_MEMORY_REGION of another size */
	};
	char arg[PAGE] = { 0 };
	size_t i;

	for (i = 0; i < ARRAY_LEN(unknown); i++)
		EXPECT(ioctl(fd, unknown[i], arg) < 0 && errno == ENOTTY, "%#lx on file %u: %s",
		       unknown[i], file, strerror(errno));
}

static void unknown_commands(const void *arg)
{
	on_each_file(try_unknown);
}

/* A command of the KVM API sent to the wrong file; KVM itself says EINVAL to some. */
static void expect_wrong(int fd, unsigned long cmd, bool nestvm, const char *what)
{
	int ret = ioctl(fd, cmd, 0);

	EXPECT(ret < 0 && (errno == ENOTTY || (!nestvm && errno == EINVAL)), "%s: %d, %s", what,
	       ret,
	       strerror(errno));
}

static void wrong_file(const void *arg)
{
	struct vcpu *vcpu;
	struct vm vm;
	bool nestvm;

	vm_create(&vm, 0);
	vcpu = vm_add_vcpu(&vm);
	nestvm = device_is_nestvm(vm.dev);
	expect_wrong(vm.dev, KVM_CREATE_VCPU, nestvm, "KVM_CREATE_VCPU on the device");
	expect_wrong(vm.dev, KVM_RUN, nestvm, "KVM_RUN on the device");
	expect_wrong(vm.fd, KVM_RUN, nestvm, "KVM_RUN on a VM");
	expect_wrong(vm.fd, KVM_CREATE_VM, nestvm, "KVM_CREATE_VM on a VM");
	expect_wrong(vcpu->fd, KVM_CREATE_VCPU, nestvm, "KVM_CREATE_VCPU on a vCPU");
}

int main(int argc, char **argv)
{
	static const struct ktap_case cases[] = {
		{ "lengths", lengths, NULL, 0 },
		{ "unknown_commands", unknown_commands, NULL, 0 },
		{ "wrong_file", wrong_file, NULL, 0 },
	};

	return ktap_main(cases, ARRAY_LEN(cases), argc, argv);
}
