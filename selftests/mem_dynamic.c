// SPDX-License-Identifier: GPL-2.0
/*
 * Dynamic memory: the guest has what its owner's address space has, from the moment
 * on that a system call of the owner has changed it.
 */
#define _GNU_SOURCE		/* mremap() */
#include "lib/guest_run.h"
#include "lib/uapi.h"

#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

GUEST(mem_dynamic);

#define SLOT	0x10000000u
#define PAGE	4096ul
#define LARGE	(2ul << 20)

static struct vm vm;
static struct vcpu *vcpu;
static u8 *mem;				/* what slot 1 shows the guest */

static u8 *map(size_t size)
{
	u8 *p = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	ASSERT(p != MAP_FAILED, "%s", strerror(errno));
	return p;
}

static void start(const char *name, unsigned int flags, size_t size)
{
	vm_create(&vm, VM_DYNAMIC | flags);
	/* Only the slot under test is to change in size. */
	madvise(vm.mem, vm.mem_size, MADV_NOHUGEPAGE);
	vcpu = guest_load(&vm, &guest_mem_dynamic, name);
	mem = map(size);
	madvise(mem, size, MADV_NOHUGEPAGE);
	vm_set_slot(&vm, 1, 0, SLOT, size, mem);
}

static u64 *word(unsigned int page)
{
	return (u64 *)(mem + page * PAGE) + 3;
}

/* What the guest may write at any time. */
#define READ_WORD(page)	(*(volatile u64 *)word(page))

/* Run to the guest's next step; the result of KVM_RUN if it is another. */
static int to_step(void)
{
	int ret = guest_run(vcpu);

	return ret == KVM_EXIT_IO ? 0 : ret;
}

#define STEP() EXPECT_EQ(to_step(), 0, "how the guest comes to its next step")

static void ends(void)
{
	EXPECT_EQ(guest_run(vcpu), GUEST_ENDED, "how the guest ends");
}

static u64 resident(void)
{
	return device_is_nestvm(vm.dev) ? vm_info(vm.fd).resident_pages : 0;
}

/* Pages of the process that have memory, from the slot's. */
static unsigned int present(size_t pages)
{
	unsigned char vec[64];
	unsigned int i, n = 0;

	ASSERT(pages <= sizeof(vec) && !mincore(mem, pages * PAGE, vec), "%s", strerror(errno));
	for (i = 0; i < pages; i++)
		n += vec[i] & 1;
	return n;
}

static void filled_as_touched(const void *arg)
{
	u64 before;

	nestvm_open();
	start("_touch_some", 0, 32 * PAGE);
	STEP();
	STEP();
	before = resident();
	EXPECT_EQ(present(32), 0, "pages the owner has before the guest touched one");
	STEP();
	EXPECT_EQ(resident() - before, 1, "pages after a write to one");
	EXPECT_EQ(present(32), 1, "pages the owner has");
	EXPECT_EQ(((u64 *)(mem + 5 * PAGE))[1], 1, "what the guest wrote");
	STEP();
	EXPECT_EQ(resident() - before, 4, "pages after reads of three more");
	STEP();
	EXPECT_EQ(resident() - before, 4, "pages after writes to what was touched before");
	EXPECT_EQ(((u64 *)(mem + 8 * PAGE))[0], 3, "a page that was read first");
	madvise(mem + 5 * PAGE, 3 * PAGE, MADV_DONTNEED);
	EXPECT_EQ(resident() - before, 2, "pages after two of them were discarded");
	STEP();
	EXPECT_EQ(resident() - before, 3, "pages after one was written again");
	EXPECT_EQ(((u64 *)(mem + 5 * PAGE))[2], 0, "a word of before it was discarded");
	EXPECT_EQ(((u64 *)(mem + 5 * PAGE))[3], 4, "what the guest wrote after it");
	EXPECT_EQ(vm_info(vm.fd).pinned_pages, 0, "pinned pages");
	ends();
}

/* Let the guest read all eight pages; page @n is @value, the others as it wrote them. */
static void expect_words(unsigned int n, u64 value)
{
	unsigned int i;

	STEP();
	for (i = 0; i < 8; i++)
		EXPECT_EQ(guest_params(&vm)->results[i], i == n ? value : 0x1000 + i,
			  "what the guest reads");
}

static void discarded(const void *arg)
{
	start("_read_again", 0, 8 * PAGE);
	STEP();
	madvise(mem + 2 * PAGE, PAGE, MADV_DONTNEED);
	expect_words(2, 0);
	*word(2) = 0x77;
	expect_words(2, 0x77);
	guest_params(&vm)->args[0] = 1;
	ends();
}

/* Other memory is moved to where a page was: by mremap(), and by mapping over it. */
static void replaced(const void *arg)
{
	u8 *other = map(2 * PAGE), *p;

	start("_read_again", 0, 8 * PAGE);
	STEP();
	((u64 *)other)[3] = 0x4444;
	p = mremap(other, PAGE, PAGE, MREMAP_MAYMOVE | MREMAP_FIXED, mem + 4 * PAGE);
	ASSERT(p == mem + 4 * PAGE, "mremap(): %s", strerror(errno));
	expect_words(4, 0x4444);
	p = mmap(mem + 4 * PAGE, PAGE, PROT_READ | PROT_WRITE,
		 MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0);
	ASSERT(p == mem + 4 * PAGE, "mmap(): %s", strerror(errno));
	expect_words(4, 0);
	guest_params(&vm)->args[0] = 1;
	ends();
}

static int told(char what, unsigned int page, u64 value)
{
	struct guest_params *p = guest_params(&vm);

	p->args[0] = what;
	p->args[1] = page;
	p->args[2] = value;
	return to_step();
}

static void unmapped(const void *arg)
{
	u8 *p;

	start("_do_as_told", 0, 8 * PAGE);
	STEP();
	EXPECT_EQ(told('w', 6, 0x66), 0, "a write to memory");
	munmap(mem + 6 * PAGE, PAGE);
	EXPECT_EQ(told('r', 6, 0), -EFAULT, "a read where the owner has nothing");
	EXPECT_EQ(to_step(), -EFAULT, "the same once more");
	p = mmap(mem + 6 * PAGE, PAGE, PROT_READ | PROT_WRITE,
		 MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0);
	ASSERT(p == mem + 6 * PAGE, "mmap(): %s", strerror(errno));
	*word(6) = 0x99;
	EXPECT_EQ(to_step(), 0, "when there is memory again");
	EXPECT_EQ(guest_params(&vm)->results[0], 0x99, "what the guest reads");
	EXPECT_EQ(told('w', 5, 0x55), 0, "a write beside it");
	EXPECT_EQ(*word(5), 0x55, "what it wrote");
	guest_params(&vm)->args[0] = 0;
	ends();
}

static void protected(const void *arg)
{
	start("_do_as_told", 0, 8 * PAGE);
	STEP();
	EXPECT_EQ(told('w', 1, 0x11), 0, "a write to memory");
	ASSERT(!mprotect(mem + PAGE, PAGE, PROT_READ), "%s", strerror(errno));
	EXPECT_EQ(told('r', 1, 0), 0, "a read of what the owner may read");
	EXPECT_EQ(guest_params(&vm)->results[0], 0x11, "what the guest reads");
	EXPECT_EQ(told('w', 1, 0x12), -EFAULT, "a write to what it may not write");
	EXPECT_EQ(*word(1), 0x11, "the memory");
	ASSERT(!mprotect(mem + PAGE, PAGE, PROT_NONE), "%s", strerror(errno));
	EXPECT_EQ(told('r', 1, 0), -EFAULT, "a read of what it may not read");
	ASSERT(!mprotect(mem + PAGE, PAGE, PROT_READ | PROT_WRITE), "%s", strerror(errno));
	EXPECT_EQ(to_step(), 0, "when it may");
	EXPECT_EQ(told('w', 1, 0x13), 0, "a write again");
	EXPECT_EQ(*word(1), 0x13, "the memory");
	guest_params(&vm)->args[0] = 0;
	ends();
}

/* After fork() owner and child share pages; what the guest writes is the owner's alone. */
static void copied_on_write(const void *arg)
{
	int go[2], status;
	pid_t pid;
	char c;

	start("_do_as_told", 0, 8 * PAGE);
	STEP();
	EXPECT_EQ(told('w', 3, 0x31), 0, "a write before fork()");
	ASSERT(!pipe(go), "%s", strerror(errno));
	pid = fork();
	if (!pid) {
		/* The guest has written by now. The child's copy must not have changed. */
		if (read(go[0], &c, 1) != 1)
			_exit(1);
		if (*word(3) != 0x31)
			_exit(2);
		*word(3) = 0x99;
		_exit(0);
	}
	EXPECT_EQ(told('r', 3, 0), 0, "a read of a shared page");
	EXPECT_EQ(guest_params(&vm)->results[0], 0x31, "what the guest reads");
	EXPECT_EQ(told('w', 3, 0x32), 0, "a write to a shared page");
	EXPECT_EQ(*word(3), 0x32, "what the owner reads");
	ASSERT(write(go[1], "", 1) == 1, "%s", strerror(errno));
	waitpid(pid, &status, 0);
	EXPECT(WIFEXITED(status) && !WEXITSTATUS(status), "the child: %#x", status);
	EXPECT_EQ(told('r', 3, 0), 0, "a read after the child's write");
	EXPECT_EQ(guest_params(&vm)->results[0], 0x32, "what the guest reads");
	guest_params(&vm)->args[0] = 0;
	ends();
}

/* Memory of a file: what one side writes the other reads, and the file keeps it. */
static void of_a_file(const void *arg)
{
	FILE *f = tmpfile();
	u64 value = 0;

	start("_do_as_told", 0, 8 * PAGE);
	ASSERT(f && !ftruncate(fileno(f), 8 * PAGE), "%s", strerror(errno));
	ASSERT(mmap(mem, 8 * PAGE, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_FIXED, fileno(f), 0) ==
	       mem, "%s", strerror(errno));
	STEP();
	EXPECT_EQ(told('w', 3, 0x31), 0, "a write");
	munmap(mem, 8 * PAGE);
	EXPECT_EQ(pread(fileno(f), &value, 8, 3 * PAGE + 24), 8, "bytes read of the file");
	EXPECT_EQ(value, 0x31, "what the file has");
	EXPECT_EQ(told('w', 3, 0x32), -EFAULT, "a write to what is not mapped any more");
}

/* Code fetched from a page that is not there yet, and is replaced. */
static void code(const void *arg)
{
	static const u8 one[] = { 0xb8, 1, 0, 0, 0, 0xc3 };	/* mov $1, %eax; ret */

	start("_do_as_told", 0, 8 * PAGE);
	STEP();
	memcpy(mem + 7 * PAGE, one, sizeof(one));
	EXPECT_EQ(told('x', 7, 0), 0, "a call");
	EXPECT_EQ(guest_params(&vm)->results[0], 1, "what it returns");
	madvise(mem + 7 * PAGE, PAGE, MADV_DONTNEED);
	memcpy(mem + 7 * PAGE, one, sizeof(one));
	mem[7 * PAGE + 1] = 2;
	EXPECT_EQ(told('x', 7, 0), 0, "a call");
	EXPECT_EQ(guest_params(&vm)->results[0], 2, "what it returns");
	guest_params(&vm)->args[0] = 0;
	ends();
}

static void large_pages(const void *arg)
{
	u64 before;
	u8 *p;

	nestvm_open();
	start("_large", 0, PAGE);
	p = map(3 * LARGE);
	mem = (u8 *)(((uintptr_t)p + LARGE - 1) & ~(LARGE - 1));
	if (madvise(mem, 2 * LARGE, MADV_HUGEPAGE))
		ktap_skip("no large pages: %s", strerror(errno));
	mem[4 * PAGE] = 0x44;
	vm_set_slot(&vm, 1, 0, 0, 0, NULL);
	vm_set_slot(&vm, 1, 0, SLOT, 2 * LARGE, mem);
	STEP();
	before = resident();
	STEP();
	if (resident() - before == 1)
		ktap_skip("the host gives no large page");
	EXPECT_EQ(resident() - before, 512, "pages after a write to one");
	STEP();
	EXPECT_EQ(resident() - before, 1024, "pages after a write to the next large one");
	/* The host splits the page. What is left of it is mapped again as it is touched. */
	madvise(mem + 3 * PAGE, PAGE, MADV_DONTNEED);
	EXPECT_EQ(resident() - before, 512, "pages after a 4-KiB page was discarded");
	ends();
	/* Its page tables go with what was in them, so that a large page fits again. */
	madvise(mem, 2 * LARGE, MADV_DONTNEED);
	EXPECT_EQ(resident() - before, 0, "pages after all was discarded");
}

#ifndef MADV_COLLAPSE
#define MADV_COLLAPSE	25
#endif

/* Small pages become a large one while the guest has them. */
static void collapsed(const void *arg)
{
	u64 before;
	u8 *p;

	nestvm_open();
	start("_do_as_told", 0, PAGE);
	p = map(2 * LARGE);
	mem = (u8 *)(((uintptr_t)p + LARGE - 1) & ~(LARGE - 1));
	madvise(mem, LARGE, MADV_NOHUGEPAGE);
	vm_set_slot(&vm, 1, 0, 0, 0, NULL);
	vm_set_slot(&vm, 1, 0, SLOT, LARGE, mem);
	STEP();
	before = resident();
	EXPECT_EQ(told('w', 3, 0x33), 0, "a write");
	EXPECT_EQ(told('w', 400, 0x44), 0, "a write");
	EXPECT_EQ(resident() - before, 2, "pages after writes to two");
	madvise(mem, LARGE, MADV_HUGEPAGE);
	if (madvise(mem, LARGE, MADV_COLLAPSE))
		ktap_skip("the host makes no large page of small ones: %s", strerror(errno));
	EXPECT_EQ(resident() - before, 0, "pages after the host moved them into a large one");
	EXPECT_EQ(told('w', 3, 0x34), 0, "a write");
	EXPECT_EQ(resident() - before, 512, "pages after a write to the large one");
	EXPECT_EQ(*word(3), 0x34, "what the guest wrote");
	EXPECT_EQ(told('r', 400, 0), 0, "a read");
	EXPECT_EQ(guest_params(&vm)->results[0], 0x44, "what the guest reads");
	guest_params(&vm)->args[0] = 0;
	ends();
}

static void set_ksm(const char *name, unsigned int value)
{
	char path[64];
	FILE *f;

	snprintf(path, sizeof(path), "/sys/kernel/mm/ksm/%s", name);
	f = fopen(path, "w");
	if (!f || fprintf(f, "%u", value) < 0 || fclose(f))
		ktap_skip("the host merges no pages: %s: %s", path, strerror(errno));
}

static unsigned int get_ksm(const char *name)
{
	unsigned int value = 0;
	char path[64];
	FILE *f;

	snprintf(path, sizeof(path), "/sys/kernel/mm/ksm/%s", name);
	f = fopen(path, "r");
	if (!f || fscanf(f, "%u", &value) != 1)
		ktap_fail(__FILE__, __LINE__, "%s: %s", path, strerror(errno));
	if (f)
		fclose(f);
	return value;
}

/* The host makes one page of two that are equal. A write to one of them leaves the other. */
static void merged(const void *arg)
{
	struct timespec wait = { 0, 20000000 };
	int i;

	start("_do_as_told", 0, 8 * PAGE);
	STEP();
	EXPECT_EQ(told('w', 1, 0x11), 0, "a write");
	EXPECT_EQ(told('w', 2, 0x11), 0, "a write of the same");
	set_ksm("sleep_millisecs", 5);
	set_ksm("run", 1);
	if (madvise(mem, 8 * PAGE, MADV_MERGEABLE))
		ktap_skip("the host merges no pages: %s", strerror(errno));
	for (i = 0; i < 200 && !get_ksm("pages_sharing"); i++)
		nanosleep(&wait, NULL);
	EXPECT(get_ksm("pages_sharing") > 0, "the host has not merged the pages");
	EXPECT_EQ(told('w', 1, 0x12), 0, "a write to a merged page");
	EXPECT_EQ(told('r', 2, 0), 0, "a read of the other");
	EXPECT_EQ(guest_params(&vm)->results[0], 0x11, "what the guest reads of the other");
	EXPECT_EQ(*word(1), 0x12, "what the owner reads");
	EXPECT_EQ(*word(2), 0x11, "what the owner reads of the other");
	set_ksm("run", 2);		/* and unmerge */
	EXPECT_EQ(told('r', 1, 0), 0, "a read");
	EXPECT_EQ(guest_params(&vm)->results[0], 0x12, "what the guest reads");
	guest_params(&vm)->args[0] = 0;
	ends();
}

/* Pages that the kernel may give to us when the guest loses them: it must not touch them. */
#define CANARIES 16
static u64 *canary[CANARIES];

static void renew_canary(unsigned int n)
{
	unsigned int i;

	for (i = 0; canary[n] && i < PAGE / 8; i++)
		if (canary[n][i] != 0xc0ffee)
			break;
	EXPECT(!canary[n] || i == PAGE / 8, "word %u of another page is %#llx", i, canary[n][i]);
	if (canary[n])
		munmap(canary[n], PAGE);
	canary[n] = (u64 *)map(PAGE);
	for (i = 0; i < PAGE / 8; i++)
		canary[n][i] = 0xc0ffee;
}

#define HAMMERED 24

static void change_something(unsigned int round)
{
	unsigned int n = rand() % HAMMERED;
	u8 *at = mem + n * PAGE, *away;
	pid_t pid;

	switch (rand() % 6) {
	case 0:
	case 1:
		madvise(at, PAGE, MADV_DONTNEED);
		break;
	case 2:
		mprotect(at, PAGE, PROT_READ);
		renew_canary(round % CANARIES);
		mprotect(at, PAGE, PROT_READ | PROT_WRITE);
		break;
	case 3:		/* moved away and back; the pages keep what is in them */
		away = map(PAGE);
		if (mremap(at, PAGE, PAGE, MREMAP_MAYMOVE | MREMAP_FIXED, away) != away ||
		    mremap(away, PAGE, PAGE, MREMAP_MAYMOVE | MREMAP_FIXED, at) != at)
			ktap_fail(__FILE__, __LINE__, "mremap(): %s", strerror(errno));
		break;
	case 4:		/* all pages become shared, and a write copies */
		if (round % 8)
			break;
		pid = fork();
		if (!pid)
			_exit(0);
		waitpid(pid, NULL, 0);
		break;
	case 5:
		madvise(mem + (n & ~7u) * PAGE, 8 * PAGE, MADV_DONTNEED);
		break;
	}
	renew_canary(round % CANARIES);
}

/* Where the owner has nothing at the moment the guest tries again. */
static void *run_on(void *arg)
{
	int ret;

	do {
		ret = guest_run(arg);
	} while (ret == -EFAULT && !ktap_late());
	if (ret != GUEST_ENDED && ret != -EINTR) {
		ktap_fail(__FILE__, __LINE__, "KVM_RUN gives %d", ret);
		vcpu_dump(arg);
	}
	return NULL;
}

struct hammer {
	const char *guest;
	unsigned int flags, cpus;
};

static void hammered(const void *arg)
{
	const struct hammer *how = arg;
	struct timespec pause = { 0, 200000 }, now, begin;
	struct guest_params *p;
	pthread_t thread, second;
	unsigned int i;

	start(how->guest, how->flags, HAMMERED * PAGE);
	p = guest_params(&vm);
	p->args[1] = HAMMERED;
	if (how->cpus > 1) {
		ASSERT(!pthread_create(&second, NULL, run_on, vm_add_vcpu(&vm)), "no thread");
		pthread_detach(second);
	}
	ASSERT(!pthread_create(&thread, NULL, run_on, vcpu), "no thread");
	clock_gettime(CLOCK_MONOTONIC, &begin);
	for (i = 0; i < 1000; i++) {
		change_something(i);
		nanosleep(&pause, NULL);
		clock_gettime(CLOCK_MONOTONIC, &now);
		if (now.tv_sec - begin.tv_sec > 2)
			break;
	}
	p->args[0] = 1;
	pthread_join(thread, NULL);
	for (i = 0; i < how->cpus; i++)
		EXPECT(p->results[i] > 1 && p->results[2 + i], "CPU %u: %llu rounds, %llu pages lost",
		       i, p->results[i], p->results[2 + i]);
}

static u64 ticks(void)
{
	u32 low, high;

	asm volatile("rdtsc" : "=a" (low), "=d" (high));
	return (u64)high << 32 | low;
}

static int by_size(const void *a, const void *b)
{
	const u64 *x = a, *y = b;

	return *x < *y ? -1 : *x > *y;
}

/*
 * The guest counts in a page, on another CPU, without an exit. When the owner throws the
 * page away, the guest must be in its new one at once: not when it leaves the next time by
 * itself, which the host's tick brings about every 4 ms.
 */
static void gone_at_once(const void *arg)
{
	u64 took[41], begin, khz, limit;
	pthread_t thread;
	unsigned int i;

	if (sysconf(_SC_NPROCESSORS_ONLN) < 2)
		ktap_skip("there is one CPU");
	start("_count", 0, PAGE);
	khz = ioctl(vcpu->fd, KVM_GET_TSC_KHZ, 0);
	limit = 8 * khz;
	ASSERT(!pthread_create(&thread, NULL, run_on, vcpu), "no thread");
	for (i = 0; i < ARRAY_LEN(took); i++) {
		for (begin = ticks(); !READ_WORD(0) && ticks() - begin < 100 * khz;)
			;
		ASSERT(READ_WORD(0), "the guest does not count");
		madvise(mem, PAGE, MADV_DONTNEED);
		for (begin = ticks(); !READ_WORD(0) && ticks() - begin < limit;)
			;
		took[i] = ticks() - begin;
	}
	guest_params(&vm)->args[0] = 1;
	pthread_join(thread, NULL);
	qsort(took, ARRAY_LEN(took), sizeof(took[0]), by_size);
	ktap_say("half of the times within %llu ticks of %llu a millisecond", took[20], khz);
	EXPECT(took[20] < khz, "%llu ticks, more than a millisecond", took[20]);
}

static struct nestvm_device_info settled(int dev, u64 vms)
{
	struct timespec wait = { 0, 20000000 };
	struct nestvm_device_info info;
	int i;

	for (i = 0; i < 50; i++) {
		info = device_info(dev);
		if (info.vms == vms)
			break;
		nanosleep(&wait, NULL);
	}
	return info;
}

/* The owner's memory goes before its files are closed, while the guest runs. */
static void owner_killed(const void *arg)
{
	struct timespec wait = { 0, 100000000 };
	struct nestvm_device_info before, after;
	int dev = nestvm_open(), ready[2], status;
	pid_t pid;
	char c;

	before = device_info(dev);
	ASSERT(!pipe(ready), "%s", strerror(errno));
	pid = fork();
	if (!pid) {
		start("_hammer", 0, HAMMERED * PAGE);
		guest_params(&vm)->args[1] = HAMMERED;
		if (write(ready[1], "", 1) != 1)
			_exit(1);
		run_on(vcpu);
		_exit(1);
	}
	ASSERT(read(ready[0], &c, 1) == 1, "the owner ended");
	nanosleep(&wait, NULL);
	EXPECT_EQ(device_info(dev).vms, before.vms + 1, "VMs");
	kill(pid, SIGKILL);
	waitpid(pid, &status, 0);
	EXPECT(WIFSIGNALED(status), "status %#x", status);
	after = settled(dev, before.vms);
	EXPECT_EQ(after.vms, before.vms, "VMs");
	EXPECT_EQ(after.table_pages, before.table_pages, "EPT pages");
}

/* The memory mode goes back and forth, and slots come and go, with nothing left behind. */
static void tables_are_given_back(const void *arg)
{
	int dev = nestvm_open();
	u64 before = device_info(dev).table_pages, all;

	/* As many pages as one table has entries for. */
	start("_touch_some", 0, LARGE);
	STEP();
	STEP();
	STEP();
	all = vm_info(vm.fd).table_pages;
	vm_set_slot(&vm, 1, 0, 0, 0, NULL);
	EXPECT_EQ(vm_info(vm.fd).table_pages, all - 1, "EPT pages after the slot is gone");
	vm_destroy(&vm);
	EXPECT_EQ(settled(dev, 0).table_pages, before, "EPT pages");
}

int main(int argc, char **argv)
{
	static const struct hammer one = { "_hammer", 0, 1 }, two = { "_hammer_2", VM_IRQCHIP, 2 };
	static const struct ktap_case cases[] = {
		{ "filled_as_touched", filled_as_touched, NULL, 0 },
		{ "discarded", discarded, NULL, 0 },
		{ "replaced", replaced, NULL, 0 },
		{ "unmapped", unmapped, NULL, 0 },
		{ "protected", protected, NULL, 0 },
		{ "copied_on_write", copied_on_write, NULL, 0 },
		{ "of_a_file", of_a_file, NULL, 0 },
		{ "code", code, NULL, 0 },
		{ "large_pages", large_pages, NULL, 0 },
		{ "collapsed", collapsed, NULL, 0 },
		{ "merged", merged, NULL, 0 },
		{ "hammered", hammered, &one, 0 },
		{ "hammered_2_vcpus", hammered, &two, 0 },
		{ "gone_at_once", gone_at_once, NULL, 0 },
		{ "owner_killed", owner_killed, NULL, 0 },
		{ "tables_are_given_back", tables_are_given_back, NULL, 0 },
	};

	return guest_main(&guest_mem_dynamic, cases, ARRAY_LEN(cases), argc, argv);
}
