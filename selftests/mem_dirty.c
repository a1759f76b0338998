// SPDX-License-Identifier: GPL-2.0
/*
 * The dirty log: exactly the pages that were written, whoever writes them; and no
 * write is lost when the log is read while the guest runs, which is what live
 * migration relies on.
 */
#include "lib/guest_run.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <time.h>
#include <unistd.h>

GUEST(mem_dirty);

#define SLOT	0x10000000u
#define PAGE	4096ul
#define PAGES	150		/* no multiple of the log's words */
#define WORDS	3

static struct vm vm;
static struct vcpu *vcpu;
static u8 *mem;

struct writer {
	const char *guest;
	unsigned int flags;
};

static void start(const struct writer *w)
{
	vm_create(&vm, w->flags);
	vcpu = guest_load(&vm, &guest_mem_dirty, w->guest);
	mem = mmap(NULL, PAGES * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	ASSERT(mem != MAP_FAILED, "%s", strerror(errno));
	vm_set_slot(&vm, 1, KVM_MEM_LOG_DIRTY_PAGES, SLOT, PAGES * PAGE, mem);
}

static void get_log(u64 log[WORDS])
{
	struct kvm_dirty_log arg = { .slot = 1, .dirty_bitmap = log };

	memset(log, 0xff, WORDS * sizeof(*log));
	MUST(vm.fd, KVM_GET_DIRTY_LOG, &arg);
}

/* Run a step in which the guest writes page @a and @b (0: none). */
static void write_pages(u64 a, u64 b)
{
	struct guest_params *p = guest_params(&vm);

	p->args[1] = a;
	p->args[2] = b;
	EXPECT_EQ(guest_run(vcpu), KVM_EXIT_IO, "how the guest comes to its next step");
}

#define EXPECT_LOG(a, b) expect_log(__LINE__, a, b)

/* The log names pages @a and @b (0: none) and no other. */
static void expect_log(int line, u64 a, u64 b)
{
	u64 log[WORDS], want[WORDS] = { 0 };
	int i;

	if (a)
		want[a / 64] |= 1ull << a % 64;
	if (b)
		want[b / 64] |= 1ull << b % 64;
	get_log(log);
	for (i = 0; i < WORDS; i++)
		if (log[i] != want[i])
			ktap_fail(__FILE__, line, "word %d of the log is %#llx, should be %#llx", i,
				  log[i], want[i]);
}

static void ends(void)
{
	guest_params(&vm)->args[0] = 1;
	EXPECT_EQ(guest_run(vcpu), GUEST_ENDED, "how the guest ends");
}

static void exact(const void *arg)
{
	start(arg);
	write_pages(0, 0);
	write_pages(1, 64);
	EXPECT_LOG(1, 64);
	EXPECT_LOG(0, 0);
	write_pages(1, 64);
	EXPECT_LOG(1, 64);		/* again, though they were writable before */
	write_pages(1, 149);
	EXPECT_LOG(1, 149);
	write_pages(63, 0);
	write_pages(128, 0);
	EXPECT_LOG(63, 128);
	write_pages(0, 0);
	EXPECT_LOG(0, 0);		/* read only */
	ends();
}

static int set_slot(u32 flags, u64 gpa, u64 size)
{
	struct kvm_userspace_memory_region r = {
		.slot = 1, .flags = flags, .guest_phys_addr = gpa, .memory_size = size,
		.userspace_addr = (uintptr_t)mem,
	};

	return ioctl(vm.fd, KVM_SET_USER_MEMORY_REGION, &r) ? errno : 0;
}

#define SET_SLOT(flags, gpa, size) \
	EXPECT_EQ(set_slot(flags, gpa, size), 0, "the result of setting the slot")
#define LOG	KVM_MEM_LOG_DIRTY_PAGES
#define SIZE	(PAGES * PAGE)

/* A slot that is set as it is keeps its log, and what was written stays in it. */
static void set_again(const void *arg)
{
	start(arg);
	write_pages(0, 0);
	write_pages(1, 64);
	SET_SLOT(LOG, SLOT, SIZE);
	EXPECT_LOG(1, 64);
	SET_SLOT(LOG, SLOT, SIZE);
	EXPECT_LOG(0, 0);
	write_pages(1, 149);
	EXPECT_LOG(1, 149);
	ends();
}

/* The log is of the memory, wherever the guest sees it. */
static void moved(const void *arg)
{
	u64 log[WORDS];

	start(arg);
	write_pages(0, 0);
	write_pages(1, 64);
	SET_SLOT(LOG, SLOT + 0x1000000, SIZE);
	EXPECT_LOG(1, 64);
	SET_SLOT(LOG, SLOT, SIZE);
	EXPECT_LOG(0, 0);
	write_pages(64, 149);
	SET_SLOT(LOG, SLOT + 0x1000000, SIZE);
	SET_SLOT(LOG, SLOT, SIZE);
	write_pages(1, 64);
	write_pages(0, 0);
	get_log(log);
	EXPECT(log[0] == 1ull << 1 && log[1] == 1 && log[2] == 1ull << 21,
	       "after moving to and fro the log is %#llx %#llx %#llx", log[0], log[1], log[2]);
	write_pages(64, 0);
	EXPECT_LOG(64, 0);
	ends();
}

/* What is refused, a new size or a place that is taken, changes nothing. */
static void refused_change(const void *arg)
{
	start(arg);
	write_pages(0, 0);
	write_pages(1, 64);
	EXPECT_EQ(set_slot(LOG, SLOT, SIZE - PAGE), EINVAL, "the errno of a smaller slot");
	EXPECT_EQ(set_slot(LOG, SLOT, SIZE + PAGE), EINVAL, "the errno of a larger slot");
	EXPECT_EQ(set_slot(LOG | KVM_MEM_READONLY, SLOT, SIZE), EINVAL,
		  "the errno of a slot that becomes read-only");
	EXPECT_EQ(set_slot(LOG, 0, SIZE), EEXIST, "the errno of a place that is taken");
	EXPECT_LOG(1, 64);
	write_pages(1, 0);
	EXPECT_LOG(1, 0);
	ends();
}

static int write_text(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY), ret = -1;

	if (fd >= 0) {
		ret = write(fd, text, strlen(text));
		close(fd);
	}
	return ret;
}

#define FAIL_NTH	"/proc/thread-self/fail-nth"
#define FAILSLAB	"/sys/kernel/debug/failslab/"

/* Set the slot with failure number @n on its way; *@failed: did it happen at all? */
static int set_slot_failing(int fail_nth, unsigned int n, u64 gpa, bool *failed)
{
	char text[16];
	int ret;

	snprintf(text, sizeof(text), "%u", n);
	ASSERT(write(fail_nth, text, strlen(text)) > 0, "%s", strerror(errno));
	ret = set_slot(LOG, gpa, SIZE);
	memset(text, 0, sizeof(text));
	/* If it is still to come, this may be what fails. */
	*failed = pread(fail_nth, text, sizeof(text) - 1, 0) > 0 && atoi(text) == 0;
	while (write(fail_nth, "0", 1) < 0)
		;
	return ret;
}

/* Each allocation of a move fails in turn: the slot stays where it is, with its log. */
static void moved_without_memory(const void *arg)
{
	unsigned int n, refused = 0;
	bool failed = true;
	int fail_nth;

	mount("none", "/sys/kernel/debug", "debugfs", 0, NULL);
	if (write_text(FAILSLAB "ignore-gfp-wait", "N") < 0)
		ktap_skip("the kernel cannot have allocations fail");
	write_text(FAILSLAB "verbose", "0");
	write_text("/sys/kernel/debug/fail_usercopy/verbose", "0");
	fail_nth = open(FAIL_NTH, O_RDWR);
	start(arg);
	write_pages(0, 0);
	write_pages(1, 64);
	for (n = 1; failed; n++) {
		refused += !!set_slot_failing(fail_nth, n, SLOT + 0x1000000, &failed);
		/* It may have moved all the same, where a failure had a way out. */
		SET_SLOT(LOG, SLOT, SIZE);
	}
	ktap_say("%u of %u failures made the move fail", refused, n - 1);
	EXPECT(refused >= 3, "%u moves were refused", refused);
	EXPECT_LOG(1, 64);
	write_pages(1, 149);
	EXPECT_LOG(1, 149);
	ends();
}

/* Off ends a log, and so does deleting the slot: the next one begins with nothing. */
static void ended(const void *arg)
{
	u64 log[WORDS];
	struct kvm_dirty_log get = { .slot = 1, .dirty_bitmap = log };

	start(arg);
	write_pages(0, 0);
	write_pages(1, 64);
	SET_SLOT(0, SLOT, SIZE);
	EXPECT(ioctl(vm.fd, KVM_GET_DIRTY_LOG, &get) && errno == ENOENT, "a log that is off: %s",
	       strerror(errno));
	write_pages(1, 64);
	SET_SLOT(LOG, SLOT, SIZE);
	EXPECT_LOG(0, 0);
	write_pages(1, 64);
	SET_SLOT(LOG, 0, 0);
	SET_SLOT(LOG, SLOT, SIZE);
	EXPECT_LOG(0, 0);
	write_pages(1, 149);
	EXPECT_LOG(1, 149);
	ends();
}

static int clear_log(u64 first, u32 pages, u64 *bitmap)
{
	struct kvm_clear_dirty_log arg = {
		.slot = 1, .first_page = first, .num_pages = pages, .dirty_bitmap = bitmap,
	};

	return ioctl(vm.fd, KVM_CLEAR_DIRTY_LOG, &arg) ? errno : 0;
}

/* KVM_CAP_MANUAL_DIRTY_LOG_PROTECT2: looking takes nothing away, clearing does. */
static void by_hand(const void *arg)
{
	struct kvm_enable_cap cap = { .cap = KVM_CAP_MANUAL_DIRTY_LOG_PROTECT2, .args = { 1 } };
	u64 all[WORDS] = { ~0ull, ~0ull, ~0ull }, one[WORDS] = { 0, 1 };

	start(arg);
	if (!device_cap(vm.dev, KVM_CAP_MANUAL_DIRTY_LOG_PROTECT2))
		ktap_skip("no KVM_CAP_MANUAL_DIRTY_LOG_PROTECT2");
	MUST(vm.fd, KVM_ENABLE_CAP, &cap);
	write_pages(0, 0);
	write_pages(1, 64);
	EXPECT_LOG(1, 64);
	EXPECT_LOG(1, 64);
	EXPECT_EQ(clear_log(0, PAGES, one), 0, "the result of clearing page 64");
	EXPECT_LOG(1, 0);
	write_pages(149, 0);
	EXPECT_EQ(clear_log(0, 64, all), 0, "the result of clearing the first word");
	EXPECT_LOG(149, 0);
	write_pages(64, 0);
	EXPECT_LOG(149, 64);
	EXPECT_EQ(clear_log(128, PAGES - 128, all), 0, "the result of clearing the last word");
	EXPECT_LOG(64, 0);
	EXPECT_EQ(clear_log(1, 64, all), EINVAL, "the errno of a first page inside a word");
	EXPECT_EQ(clear_log(0, 65, all), EINVAL, "the errno of a number of pages that is no word's");
	EXPECT_EQ(clear_log(0, PAGES + 1, all), EINVAL, "the errno of more pages than there are");
	EXPECT_EQ(clear_log(192, 64, all), EINVAL, "the errno of pages that are not there");
	EXPECT_EQ(clear_log(0, 64, NULL), EFAULT, "the errno of a log that cannot be read");
	EXPECT_LOG(64, 0);
	ends();
}

static void *run(void *arg)
{
	EXPECT_EQ(guest_run(arg), GUEST_ENDED, "how the guest ends");
	return NULL;
}

/* Read the log and copy what it names, as a migration does. Returns how many pages. */
static unsigned int copy_dirty(u8 *copy)
{
	unsigned int i, n = 0;
	u64 log[WORDS];

	get_log(log);
	for (i = 0; i < PAGES; i++) {
		if (!(log[i / 64] >> i % 64 & 1))
			continue;
		memcpy(copy + i * PAGE, mem + i * PAGE, PAGE);
		n++;
	}
	return n;
}

/*
 * Rounds of a migration, the last one with the guest stopped: then the copy is the
 * memory, or a write was not logged.
 */
static void no_write_is_lost(const void *arg)
{
	struct timespec pause = { 0, 1000000 };
	unsigned int i, wrong = 0, copied = 0;
	u8 *copy = calloc(PAGES, PAGE);
	pthread_t thread;

	start(arg);
	guest_params(&vm)->args[1] = PAGES;
	ASSERT(!pthread_create(&thread, NULL, run, vcpu), "no thread");
	for (i = 0; i < 200; i++) {
		copied += copy_dirty(copy);
		pause.tv_nsec = rand() % 3000000;
		nanosleep(&pause, NULL);
	}
	guest_params(&vm)->args[0] = 1;
	pthread_join(thread, NULL);
	copied += copy_dirty(copy);
	for (i = 0; i < PAGES; i++)
		wrong += memcmp(copy + i * PAGE, mem + i * PAGE, PAGE) != 0;
	EXPECT(!wrong, "%u of %u pages were written without being logged", wrong, PAGES);
	EXPECT(copied > PAGES, "only %u pages were copied", copied);
}

int main(int argc, char **argv)
{
	static const struct writer l1 = { "_named", 0 }, dynamic = { "_named", VM_DYNAMIC };
	static const struct writer l2 = { "_named_by_l2", VM_EXPOSE };
	static const struct writer l2_ept = { "_named_by_l2_with_ept", VM_EXPOSE };
	static const struct writer on = { "_write_on", 0 }, on_dynamic = { "_write_on", VM_DYNAMIC };
	static const struct writer l2_on = { "_l2_writes_on", VM_EXPOSE };
	static const struct writer l2_on_ept = { "_l2_writes_on_with_ept", VM_EXPOSE };
	static const struct ktap_case cases[] = {
		{ "exact", exact, &l1, 0 },
		{ "exact_dynamic", exact, &dynamic, 0 },
		{ "exact_l2", exact, &l2, 0 },
		{ "exact_l2_with_ept", exact, &l2_ept, 0 },
		{ "set_again", set_again, &l1, 0 },
		{ "set_again_dynamic", set_again, &dynamic, 0 },
		{ "set_again_l2_with_ept", set_again, &l2_ept, 0 },
		{ "moved", moved, &l1, 0 },
		{ "moved_dynamic", moved, &dynamic, 0 },
		{ "moved_l2_with_ept", moved, &l2_ept, 0 },
		{ "moved_without_memory", moved_without_memory, &l1, 0 },
		{ "refused_change", refused_change, &l1, 0 },
		{ "refused_change_dynamic", refused_change, &dynamic, 0 },
		{ "ended", ended, &l1, 0 },
		{ "ended_dynamic", ended, &dynamic, 0 },
		{ "ended_l2", ended, &l2, 0 },
		{ "by_hand", by_hand, &l1, 0 },
		{ "by_hand_l2_with_ept", by_hand, &l2_ept, 0 },
		{ "no_write_is_lost", no_write_is_lost, &on, 0 },
		{ "no_write_is_lost_dynamic", no_write_is_lost, &on_dynamic, 0 },
		{ "no_write_is_lost_l2", no_write_is_lost, &l2_on, 0 },
		{ "no_write_is_lost_l2_with_ept", no_write_is_lost, &l2_on_ept, 0 },
	};

	return guest_main(&guest_mem_dirty, cases, ARRAY_LEN(cases), argc, argv);
}
