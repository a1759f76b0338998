// SPDX-License-Identifier: GPL-2.0
/*
 * A guest uses the frames of its owner's memory, each at its place, and no others;
 * seen with huge pages of which some are not what lies around them. Needs 1 GiB of
 * memory: below, the kernel makes no huge pages.
 */
#define _GNU_SOURCE
#include "lib/vm.h"
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#define LARGE		(2ul << 20)
#define PAGE		4096ul
#define GPA		0x10000000u	/* of the memory under test */
#define HOLE		100		/* the page that lies elsewhere */

/* So much of this process is huge pages, KiB. */
static unsigned int huge_kib(void)
{
	FILE *f = fopen("/proc/self/smaps_rollup", "r");
	unsigned int kib = 0;
	char line[200];

	while (f && fgets(line, sizeof(line), f))
		if (sscanf(line, "AnonHugePages: %u", &kib) == 1)
			break;
	if (f)
		fclose(f);
	return kib;
}

/* A huge page with one page of another kind mapped over its middle. */
static u8 *holed_page(void)
{
	u8 *raw = mmap(NULL, 3 * LARGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	u8 *mem = (u8 *)(((uintptr_t)raw + LARGE - 1) & ~(LARGE - 1));

	ASSERT(raw != MAP_FAILED, "mmap: %s", strerror(errno));
	madvise(mem, LARGE, MADV_HUGEPAGE);
	memset(mem, 0x11, LARGE);
	if (huge_kib() < LARGE / 1024)
		ktap_skip("the kernel gave no huge page");
	ASSERT(mmap(mem + HOLE * PAGE, PAGE, PROT_READ | PROT_WRITE,
		    MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0) != MAP_FAILED, "mmap");
	memset(mem + HOLE * PAGE, 0x22, PAGE);
	return mem;
}

/* The guest first touches page @HOLE, or page 0, and then reads the other. */
static void hole_in_a_huge_page(unsigned int flags, bool hole_first)
{
	static const u8 code[] = {
		0x8a, 0x06,			/* mov (%rsi), %al */
		0xe6, 0x10,			/* out %al, $0x10 */
		0x8a, 0x07,			/* mov (%rdi), %al */
		0xe6, 0x10,			/* out %al, $0x10 */
	};
	struct kvm_regs regs;
	struct vcpu *vcpu;
	unsigned int i;
	struct vm vm;
	u8 *mem;

	vm_create(&vm, flags);
	mem = holed_page();
	memcpy(vm.mem + 0x1000, code, sizeof(code));
	vm_set_slot(&vm, 1, 0, GPA, LARGE, mem);
	vcpu = vm_add_vcpu(&vm);
	vcpu_long_mode(vcpu, 0x1000);
	MUST(vcpu->fd, KVM_GET_REGS, &regs);
	regs.rsi = GPA + (hole_first ? HOLE * PAGE : 0);
	regs.rdi = GPA + (hole_first ? 0 : HOLE * PAGE);
	MUST(vcpu->fd, KVM_SET_REGS, &regs);
	for (i = 0; i < 2; i++) {
		vcpu_expect_exit(vcpu, KVM_EXIT_IO);
		EXPECT_EQ(((u8 *)vcpu->run)[vcpu->run->io.data_offset],
			  hole_first == !i ? 0x22 : 0x11, "what the guest reads");
	}
	vm_destroy(&vm);
}

static void static_hole_first(const void *arg)
{
	hole_in_a_huge_page(0, true);
}

static void static_hole_second(const void *arg)
{
	hole_in_a_huge_page(0, false);
}

static void dynamic_hole_first(const void *arg)
{
	hole_in_a_huge_page(VM_DYNAMIC, true);
}

static void dynamic_hole_second(const void *arg)
{
	hole_in_a_huge_page(VM_DYNAMIC, false);
}

#define MARK		0x5445524345533a56ull
#define TAKEN		0x44454e574f3a4721ull
#define VICTIM_PAGES	8192
#define NOBODY		65534

/* Look for MARK in each page of 2 MiB at GPA, put TAKEN there, and say how often. */
static const u8 search_code[] = {
	0xb8, 0x00, 0x40, 0x06, 0x10,			/* mov $0x10064000, %eax: the hole */
	0x8a, 0x00,					/* mov (%rax), %al */
	0xbe, 0x00, 0x00, 0x00, 0x10,			/* mov $0x10000000, %esi */
	0x31, 0xdb,					/* xor %ebx, %ebx */
	0x48, 0x39, 0x16,				/* 1: cmp %rdx, (%rsi) */
	0x75, 0x05,					/* jne 2f */
	0x48, 0x89, 0x3e,				/* mov %rdi, (%rsi) */
	0xff, 0xc3,					/* inc %ebx */
	0x48, 0x81, 0xc6, 0x00, 0x10, 0x00, 0x00,	/* 2: add $4096, %rsi */
	0x81, 0xfe, 0x00, 0x00, 0x20, 0x10,		/* cmp $0x10200000, %esi */
	0x72, 0xe7,					/* jb 1b */
	0x89, 0xd8,					/* mov %ebx, %eax */
	0xe7, 0x10,					/* out %eax, $0x10 */
};

/* One VM over a huge page with a hole: how many pages of others its guest found. */
static unsigned int search(void)
{
	struct kvm_regs regs;
	unsigned int hits;
	struct vcpu *vcpu;
	struct vm vm;

	vm_create_sized(&vm, 0, 1u << 20);
	memcpy(vm.mem + 0x1000, search_code, sizeof(search_code));
	vm_set_slot(&vm, 1, 0, GPA, LARGE, holed_page());
	vcpu = vm_add_vcpu(&vm);
	vcpu_long_mode(vcpu, 0x1000);
	MUST(vcpu->fd, KVM_GET_REGS, &regs);
	regs.rdx = MARK;
	regs.rdi = TAKEN;
	MUST(vcpu->fd, KVM_SET_REGS, &regs);
	vcpu_expect_exit(vcpu, KVM_EXIT_IO);
	hits = *(u32 *)((u8 *)vcpu->run + vcpu->run->io.data_offset);
	vm_destroy(&vm);
	return hits;
}

/* Not root, without a capability and with the usual limits; the group may open the device. */
static void attack(void)
{
	unsigned int try;

	if (setgid(NOBODY) || setuid(NOBODY))
		_exit(9);
	for (try = 0; try < 40; try++) {
		unsigned int hits = search();

		if (hits)
			ktap_say("%u pages of others in try %u", hits, try);
		if (hits)
			_exit(1);
		/* Other frames the next time. */
		mmap(NULL, PAGE, PROT_READ | PROT_WRITE,
		     MAP_PRIVATE | MAP_ANONYMOUS | MAP_POPULATE, -1, 0);
	}
	_exit(0);
}

static void memory_of_another_process(const void *arg)
{
	unsigned int i, changed = 0;
	u64 *secret;
	int status;
	pid_t pid;

	holed_page();		/* skips where there are none */
	ASSERT(!chown("/dev/nestvm", 0, NOBODY), "chown: %s", strerror(errno));
	secret = mmap(NULL, VICTIM_PAGES * PAGE, PROT_READ | PROT_WRITE,
		      MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	ASSERT(secret != MAP_FAILED, "mmap: %s", strerror(errno));
	madvise(secret, VICTIM_PAGES * PAGE, MADV_NOHUGEPAGE);
	for (i = 0; i < VICTIM_PAGES; i++)
		secret[i * PAGE / 8] = MARK;
	madvise(secret, VICTIM_PAGES * PAGE, MADV_DONTFORK);
	pid = fork();
	if (!pid)
		attack();
	ASSERT(waitpid(pid, &status, 0) == pid, "waitpid");
	for (i = 0; i < VICTIM_PAGES; i++)
		changed += secret[i * PAGE / 8] != MARK;
	EXPECT_EQ(changed, 0, "pages of this process that a guest of another changed");
	EXPECT_EQ(status, 0, "how the other process ended");
}

static const struct ktap_case cases[] = {
	{ "static_hole_first", static_hole_first },
	{ "static_hole_second", static_hole_second },
	{ "dynamic_hole_first", dynamic_hole_first },
	{ "dynamic_hole_second", dynamic_hole_second },
	{ "memory_of_another_process", memory_of_another_process, NULL, 60 },
};

int main(int argc, char **argv)
{
	return ktap_main(cases, ARRAY_LEN(cases), argc, argv);
}
