// SPDX-License-Identifier: GPL-2.0
/*
 * Random layouts of a guest's memory: what mmap, mremap, mprotect, madvise, fork, KSM and
 * huge pages can make of an address range, before the guest has it and while it uses it.
 * The guest reads and writes every page and must see what its owner sees; a process that
 * has nothing to do with it (lib/canary.h) must see nothing.
 *
 *	mem_layouts [CASE]	first layout, how many of each kind of memory, seed:
 *				$LAYOUT_FIRST, $LAYOUT_COUNT, $LAYOUT_SEED
 *
 * Needs a machine of 2 GiB: below 1 GiB the kernel makes no huge pages.
 */
#define _GNU_SOURCE
#include "lib/guest_run.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "guest/layouts.h"
#include "lib/canary.h"
#include "lib/random.h"

#ifndef MADV_COLLAPSE
#define MADV_COLLAPSE		25
#endif

GUEST(mem_layouts);

#define PAGE		4096ul
#define LARGE		(2ul << 20)
#define BEFORE		128		/* pages before the range that can be a huge page, */
#define PAGES		(BEFORE + 512 + BEFORE)	/* and as many behind it */
/* Far below where the kernel puts anything by itself: a hole here stays one. */
#define REGION		((u8 *)0x1000000000 + LARGE - BEFORE * PAGE)
#define GPA		0x10000000ul
#define PER_VM		20
#define CANARY_MIB	256
#define LOOKS		8		/* one in so many layouts is asked for huge pages */
#define ENOUGH		20		/* wrong layouts */

/*
 * What the owner knows of a page. Of static memory the guest keeps the page that was there
 * when it got the slot, whatever comes to its place: the owner remembers what was in it,
 * if nobody else can write it (PRIVATE: anonymous memory of this process).
 */
enum page_kind { NOTHING, PRIVATE, OTHERS };
enum page_guests { SAME, KEEPS_KNOWN, KEEPS_SOME };

static struct page {
	u8 kind, prot, guests;
	u64 tag;		/* KEEPS_KNOWN: the word of the owner in it */
} pages[PAGES];

static struct vm vm;
static struct vcpu *vcpu;
static int memfd, filefd;
static u64 next_tag = 1, next_mark;
static bool slot_is_set, layout_is_wrong;
static unsigned int slot_first, slot_pages, changed_last;
static u32 slot_flags;
static u64 slot_gpa;

static struct {
	unsigned int layouts, refused, huge, merges, merged, children, storms;
	unsigned int wrong;	/* layouts with a page that was not what it should be */
	unsigned long long compared;
} seen;

static u8 *at(unsigned int i)
{
	return REGION + i * PAGE;
}

static volatile u64 *word(unsigned int i, unsigned int w)
{
	return (volatile u64 *)at(i) + w;
}

static unsigned int read_number(const char *path, const char *format)
{
	unsigned int number = 0;
	FILE *f = fopen(path, "r");
	char line[200];

	while (f && fgets(line, sizeof(line), f) && sscanf(line, format, &number) != 1)
		;
	if (f)
		fclose(f);
	return number;
}

/* ---- what the owner does -------------------------------------------------------- */

struct range {
	unsigned int first, n;
};

/* Some pages anywhere; more often the huge page, or a part of it. */
static struct range random_range(void)
{
	struct range r;

	switch (below(6)) {
	case 0:
		return (struct range){ BEFORE, 512 };
	case 1:
	case 2:
	case 3:
		return (struct range){ BEFORE + below(512), 1 + below(below(2) ? 1 : 32) };
	default:
		r.first = below(PAGES);
		r.n = 1 + below(below(4) ? 64 : PAGES);
		if (r.n > PAGES - r.first)
			r.n = PAGES - r.first;
		return r;
	}
}

/* Others come to the place of these pages: what is in them? */
static void before_change(struct range r)
{
	unsigned int i;

	for (i = r.first; i < r.first + r.n; i++)
		if (slot_is_set && pages[i].guests == SAME && (pages[i].prot & PROT_READ))
			pages[i].tag = *word(i, 0);
}

static void others_came(struct range r)
{
	unsigned int i;

	for (i = r.first; i < r.first + r.n; i++)
		if (slot_is_set && pages[i].guests == SAME)
			pages[i].guests = pages[i].kind == PRIVATE && (pages[i].prot & PROT_READ) ?
					  KEEPS_KNOWN : KEEPS_SOME;
}

static void now_is(struct range r, u8 kind, u8 prot)
{
	unsigned int i;

	others_came(r);
	changed_last = r.first;
	for (i = r.first; i < r.first + r.n; i++) {
		pages[i].kind = kind;
		pages[i].prot = prot;
	}
}

static void map_at(struct range r, int flags, int fd)
{
	off_t off = fd >= 0 ? (off_t)(r.first * PAGE) : 0;
	bool alone = (flags & MAP_PRIVATE) && fd < 0 && !(flags & MAP_HUGETLB);

	before_change(r);
	if (mmap(at(r.first), r.n * PAGE, PROT_READ | PROT_WRITE, flags | MAP_FIXED, fd,
		 off) != MAP_FAILED)
		now_is(r, alone ? PRIVATE : OTHERS, PROT_READ | PROT_WRITE);
}

static void op_anon(struct range r)
{
	map_at(r, MAP_PRIVATE | MAP_ANONYMOUS, -1);
}

static void op_unmap(struct range r)
{
	before_change(r);
	if (!munmap(at(r.first), r.n * PAGE))
		now_is(r, NOTHING, PROT_NONE);
}

static void op_memfd(struct range r)
{
	map_at(r, below(2) ? MAP_SHARED : MAP_PRIVATE, memfd);
}

static void op_file(struct range r)
{
	map_at(r, below(2) ? MAP_SHARED : MAP_PRIVATE, filefd);
}

static void op_hugetlb(struct range r)
{
	r = (struct range){ BEFORE, 512 };
	map_at(r, (below(2) ? MAP_SHARED : MAP_PRIVATE) | MAP_ANONYMOUS | MAP_HUGETLB, -1);
}

/* Tags that are there once; word 1 is the guest's. */
static void op_touch(struct range r)
{
	unsigned int i;

	for (i = r.first; i < r.first + r.n; i++)
		if (pages[i].prot & PROT_WRITE)
			*word(i, 0) = next_tag++ << 16 | i;
}

static void op_read(struct range r)
{
	unsigned int i;

	for (i = r.first; i < r.first + r.n; i++)
		if (pages[i].prot & PROT_READ)
			(void)*word(i, 0);
}

/* Pages of elsewhere come here. */
static void op_mremap(struct range r)
{
	size_t size = r.n * PAGE;
	u8 *from = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	unsigned int i;

	if (from == MAP_FAILED)
		return;
	before_change(r);
	for (i = 0; i < r.n; i++)
		*(u64 *)(from + i * PAGE) = next_tag++ << 16 | i;
	if (mremap(from, size, size, MREMAP_MAYMOVE | MREMAP_FIXED, at(r.first)) != MAP_FAILED) {
		now_is(r, PRIVATE, PROT_READ | PROT_WRITE);
		return;
	}
	/* The place may have been cleared before it failed. */
	munmap(from, size);
	op_anon(r);
}

static void op_mprotect(struct range r)
{
	static const int prots[] = { PROT_NONE, PROT_READ, PROT_READ | PROT_WRITE };
	int prot = prots[below(3)];
	unsigned int i;

	for (i = r.first; i < r.first + r.n; i++)
		if (pages[i].kind == NOTHING)
			return;
	if (!mprotect(at(r.first), r.n * PAGE, prot))
		for (i = r.first; i < r.first + r.n; i++)
			pages[i].prot = prot;
	else	/* Half a huge page cannot be; what lies before it has changed. */
		for (i = r.first; i < r.first + r.n; i++)
			mprotect(at(i), PAGE, pages[i].prot);
}

static void op_advise(struct range r)
{
	static const int advice[] = {
		MADV_HUGEPAGE, MADV_HUGEPAGE, MADV_NOHUGEPAGE, MADV_FREE, MADV_COLD, MADV_PAGEOUT,
		MADV_WILLNEED, MADV_MERGEABLE, MADV_UNMERGEABLE, MADV_POPULATE_READ, MADV_COLLAPSE,
	};

	madvise(at(r.first), r.n * PAGE, advice[below(ARRAY_LEN(advice))]);
}

static void op_dontneed(struct range r)
{
	unsigned int i;

	before_change(r);
	/* It goes on behind a hole, and then says that there was one. */
	if (!madvise(at(r.first), r.n * PAGE, MADV_DONTNEED) || errno == ENOMEM) {
		others_came(r);
		return;
	}
	/* Half a huge page cannot be; what lies before it has gone. */
	for (i = r.first; slot_is_set && i < r.first + r.n; i++)
		pages[i].guests = KEEPS_SOME;
}

/* Pages that are all the same, which the kernel merges, and time to do so. */
static void op_merge(struct range r)
{
	struct timespec ts = { .tv_nsec = 60000000 };
	unsigned int i;

	if (below(4))
		return;
	if (r.n < 64)
		r = (struct range){ BEFORE + below(512 - 64), 64 };
	madvise(at(r.first), r.n * PAGE, MADV_MERGEABLE);
	for (i = r.first; i < r.first + r.n; i++)
		if (pages[i].prot & PROT_WRITE)
			memset(at(i), 0x5a, PAGE);
	nanosleep(&ts, NULL);
	seen.merges++;
	seen.merged += !!read_number("/sys/kernel/mm/ksm/pages_sharing", "%u");
}

/* ---- children, who share what was there when they came --------------------------- */

static struct child {
	pid_t pid;
	int go;
} child;

static u64 in_child(unsigned int i)
{
	return pages[i].kind == PRIVATE && (pages[i].prot & PROT_READ) ?
	       *word(i, 0) ^ *word(i, 1) : 0;
}

static void child_lives(int ready, int go)
{
	u64 before[PAGES];
	unsigned int i;
	char c = 0;

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	for (i = 0; i < PAGES; i++)
		before[i] = in_child(i);
	if (write(ready, &c, 1) != 1 || read(go, &c, 1) != 1)
		_exit(0);
	for (i = 0; i < PAGES; i++)
		if (before[i] != in_child(i))
			_exit(2);
	_exit(0);
}

static void op_fork(struct range r)
{
	int ready[2], go[2];
	char c;

	if (child.pid || below(2) || pipe(ready) || pipe(go))
		return;
	child.pid = fork();
	ASSERT(child.pid >= 0, "fork: %s", strerror(errno));
	if (!child.pid) {
		close(go[1]);
		child_lives(ready[1], go[0]);
	}
	close(ready[1]);
	close(go[0]);
	EXPECT(read(ready[0], &c, 1) == 1, "no child");
	close(ready[0]);
	child.go = go[1];
	seen.children++;
}

static void end_child(void)
{
	int status = 0;

	if (!child.pid)
		return;
	EXPECT(write(child.go, "", 1) == 1, "the child is gone");
	close(child.go);
	waitpid(child.pid, &status, 0);
	EXPECT(WIFEXITED(status) && !WEXITSTATUS(status),
	       "a child's memory is not what it was at fork(): status %#x", status);
	child.pid = 0;
}

static void (*const ops[])(struct range r) = {
	op_anon, op_anon, op_unmap, op_memfd, op_file, op_hugetlb, op_touch, op_touch, op_read,
	op_mremap, op_mprotect, op_advise, op_advise, op_advise, op_dontneed, op_merge, op_fork,
};

static void change_memory(unsigned int times)
{
	while (times--) {
		ops[below(ARRAY_LEN(ops))](random_range());
		/* Who has let pages go sees others get them. */
		if (!below(3))
			canary_stir();
	}
}

/* Every page is there, and may be read and written. */
static void make_whole(void)
{
	unsigned int i, n;

	for (i = 0; i < PAGES; i += n) {
		for (n = 1; i + n < PAGES && pages[i + n].kind == pages[i].kind &&
		     pages[i + n].prot == pages[i].prot; n++)
			;
		if (pages[i].kind == NOTHING)
			op_anon((struct range){ i, n });
		else
			ASSERT(!mprotect(at(i), n * PAGE, PROT_READ | PROT_WRITE), "mprotect: %s",
			       strerror(errno));
	}
	for (i = 0; i < PAGES; i++)
		pages[i].prot = PROT_READ | PROT_WRITE;
}

/* ---- what the guest does -------------------------------------------------------- */

static bool is_dynamic(void)
{
	return vm.flags & VM_DYNAMIC;
}

static int set_slot(u32 flags, u64 gpa, u64 npages)
{
	struct kvm_userspace_memory_region r = {
		.slot = 1, .flags = flags, .guest_phys_addr = gpa, .memory_size = npages * PAGE,
		.userspace_addr = (uintptr_t)at(slot_first),
	};

	return ioctl(vm.fd, KVM_SET_USER_MEMORY_REGION, &r) ? errno : 0;
}

/* Mostly so that huge pages of the owner can be the guest's. */
static u64 random_gpa(void)
{
	u64 gpa = GPA + (uintptr_t)at(slot_first) % LARGE + below(4) * 4 * LARGE;

	return below(8) ? gpa : gpa + below(1024) * PAGE;
}

static void give_slot(void)
{
	static const u32 flags[] = {
		0, 0, 0, 0, 0, 0, KVM_MEM_LOG_DIRTY_PAGES, KVM_MEM_READONLY,
	};
	int ret;

	slot_first = below(4) ? 0 : below(PAGES);
	slot_pages = below(4) ? PAGES - slot_first : 1 + below(PAGES - slot_first);
	slot_gpa = random_gpa();
	slot_flags = flags[below(ARRAY_LEN(flags))];
	if (!is_dynamic() && below(8))
		make_whole();
	ret = set_slot(slot_flags, slot_gpa, slot_pages);
	if (ret) {
		/* Static memory with a hole, or of a file that must not be pinned. */
		seen.refused++;
		EXPECT(!is_dynamic(), "a slot of dynamic memory is refused: %s", strerror(ret));
		map_at((struct range){ 0, PAGES }, MAP_PRIVATE | MAP_ANONYMOUS, -1);
		ret = set_slot(slot_flags, slot_gpa, slot_pages);
	}
	ASSERT(!ret, "the slot is refused: %s. %s", strerror(ret), refusal_text(vm.fd));
	slot_is_set = !is_dynamic();
}

static void take_slot(void)
{
	unsigned int i;

	slot_is_set = false;
	EXPECT_EQ(set_slot(0, slot_gpa, 0), 0, "the errno of deleting the slot");
	for (i = 0; i < PAGES; i++)
		pages[i].guests = SAME;
}

static u8 mode_of(unsigned int i)
{
	u8 mode = LAYOUT_READ | LAYOUT_WRITE;

	/* The guest's access is its owner's; what was pinned stays as it was. */
	if (is_dynamic()) {
		mode = pages[i].prot & PROT_READ ? LAYOUT_READ : 0;
		if (pages[i].prot & PROT_WRITE)
			mode |= LAYOUT_WRITE;
	}
	return slot_flags & KVM_MEM_READONLY ? mode & ~LAYOUT_WRITE : mode;
}

static void ask_guest(u64 what)
{
	struct guest_params *p = guest_params(&vm);

	p->args[0] = what;
	p->args[1] = slot_gpa;
	p->args[2] = slot_pages;
	p->args[3] = next_mark;
	p->args[4] = 0;
	/* What is mapped for the first page decides for others: begin where something is odd. */
	p->args[5] = below(3) ? changed_last - slot_first : below(slot_pages);
	if (p->args[5] >= slot_pages)
		p->args[5] = 0;
}

/* What of page @i is not as it should be, or NULL. */
static const char *wrong_with(unsigned int i, u8 mode, u64 tag, u64 mark)
{
	const struct page *p = &pages[i];
	bool wrote = mode & LAYOUT_WRITE, seen_by_owner = p->prot & PROT_READ;
	u64 now = next_mark + i - slot_first;

	if (wrote && mark != now)
		return "is not as the guest wrote it";
	if (p->guests == KEEPS_KNOWN && tag != p->tag)
		return "is not the one that the guest keeps";
	if (p->guests == SAME && seen_by_owner && (tag != *word(i, 0) || mark != *word(i, 1)))
		return "is not its owner's";
	if (p->guests == KEEPS_KNOWN && seen_by_owner && wrote && *word(i, 1) == now)
		return "was not the guest's to write";
	return NULL;
}

/* The guest's finds are compared with what its owner sees; the first that differs is told. */
static void compare(void)
{
	const u64 *tags = (u64 *)(vm.mem + LAYOUT_TAGS), *marks = (u64 *)(vm.mem + LAYOUT_MARKS);
	unsigned int i, n = 0;

	for (i = 0; i < slot_pages; i++) {
		u8 mode = vm.mem[LAYOUT_MODES + i];
		const char *wrong;

		if (!(mode & LAYOUT_READ))
			continue;
		seen.compared++;
		wrong = wrong_with(slot_first + i, mode, tags[i], marks[i]);
		if (wrong && !n++)
			ktap_fail(__FILE__, __LINE__, "page %u %s: it reads %#llx and %#llx",
				  slot_first + i, wrong, tags[i], marks[i]);
	}
	if (n)
		ktap_say("%u pages of %u", n, slot_pages);
	layout_is_wrong |= n;
}

static void check_log(void)
{
	struct kvm_dirty_log log = { .slot = 1 };
	u64 bits[PAGES / 64 + 1] = { 0 };
	unsigned int i, lost = 0;

	if (!(slot_flags & KVM_MEM_LOG_DIRTY_PAGES))
		return;
	log.dirty_bitmap = bits;
	MUST(vm.fd, KVM_GET_DIRTY_LOG, &log);
	for (i = 0; i < slot_pages; i++)
		lost += (vm.mem[LAYOUT_MODES + i] & LAYOUT_WRITE) && !(bits[i / 64] >> i % 64 & 1);
	EXPECT(!lost, "%u pages that the guest wrote are not in the log", lost);
}

static void pass(void)
{
	unsigned int i;

	for (i = 0; i < slot_pages; i++)
		vm.mem[LAYOUT_MODES + i] = mode_of(slot_first + i);
	next_mark += 0x100000;
	ask_guest(LAYOUT_PASS);
	ASSERT(guest_run(vcpu) == KVM_EXIT_IO, "the guest does not end its pass: exit %s",
	       exit_name(vcpu->run->exit_reason));
	compare();
	check_log();
}

/* Where there is nothing, KVM_RUN fails; the owner may put something there. */
static void *roam(void *arg)
{
	while (guest_run(vcpu) == -EFAULT)
		sched_yield();
	return NULL;
}

/* The memory changes while the guest uses it. */
static void storm(void)
{
	struct timespec ts = { .tv_nsec = 1000000 };
	pthread_t thread;
	unsigned int i;

	if (slot_flags & KVM_MEM_READONLY)
		return;
	ask_guest(LAYOUT_ROAM);
	ASSERT(!pthread_create(&thread, NULL, roam, NULL), "no thread");
	for (i = 1 + below(6); i; i--) {
		nanosleep(&ts, NULL);
		change_memory(1);
	}
	make_whole();
	guest_params(&vm)->args[4] = 1;
	pthread_join(thread, NULL);
	seen.storms++;
}

static void maybe_move(void)
{
	u64 gpa = random_gpa();

	if (below(6))
		return;
	ASSERT(!set_slot(slot_flags, gpa, slot_pages), "moving the slot: %s", strerror(errno));
	slot_gpa = gpa;
}

/* ---- all of it -------------------------------------------------------------------- */

static void write_file(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY);

	if (fd >= 0) {
		if (write(fd, text, strlen(text)) < 0)
			ktap_say("%s: %s", path, strerror(errno));
		close(fd);
	}
}

static void prepare(unsigned int mib)
{
	canary_start(mib);
	write_file("/proc/sys/vm/nr_hugepages", "8");
	write_file("/sys/kernel/mm/ksm/run", "1");
	write_file("/sys/kernel/mm/ksm/sleep_millisecs", "5");
	write_file("/sys/kernel/mm/ksm/pages_to_scan", "2000");
	write_file("/sys/kernel/mm/transparent_hugepage/shmem_enabled", "advise");
	write_file("/sys/kernel/mm/transparent_hugepage/khugepaged/scan_sleep_millisecs", "100");
	memfd = memfd_create("layouts", 0);
	filefd = open("/mem_layouts.file", O_RDWR | O_CREAT, 0600);
	unlink("/mem_layouts.file");
	ASSERT(memfd >= 0 && filefd >= 0 && !ftruncate(memfd, PAGES * PAGE) &&
	       !ftruncate(filefd, PAGES * PAGE), "files: %s", strerror(errno));
}

static void layout(void)
{
	map_at((struct range){ 0, PAGES }, MAP_PRIVATE | MAP_ANONYMOUS, -1);
	if (below(4)) {
		madvise(REGION, PAGES * PAGE, MADV_HUGEPAGE);
		op_touch((struct range){ 0, PAGES });
	}
	if (!(seen.layouts % LOOKS))
		seen.huge += !!read_number("/proc/self/smaps_rollup", "AnonHugePages: %u");
	change_memory(1 + below(8));
	give_slot();
	if (below(4))
		pass();
	change_memory(below(4));
	maybe_move();
	pass();
	if (!below(6)) {
		storm();
		pass();
	}
	end_child();
	take_slot();
	seen.layouts++;
}

static void new_vm(unsigned int flags)
{
	vm_create(&vm, flags);
	vcpu = guest_load(&vm, &guest_mem_layouts, "_layouts");
	EXPECT_EQ(guest_run(vcpu), KVM_EXIT_IO, "how the guest starts");
}

static void layouts(const void *arg)
{
	u64 seed = from_env("LAYOUT_SEED", 1), first = from_env("LAYOUT_FIRST", 0);
	u64 count = from_env("LAYOUT_COUNT", 100), i;
	unsigned int flags = arg ? VM_DYNAMIC : 0, canaries;

	ktap_say("LAYOUT_SEED=%llu LAYOUT_FIRST=%llu LAYOUT_COUNT=%llu", seed, first, count);
	prepare(CANARY_MIB);
	for (i = first; i < first + count && seen.wrong < ENOUGH; i++) {
		if ((i - first) % PER_VM == 0) {
			if (i != first)
				vm_destroy(&vm);
			new_vm(flags);
		}
		random_seed(seed << 32 ^ i);
		layout_is_wrong = false;
		layout();
		if (layout_is_wrong && ++seen.wrong)
			ktap_say("that was LAYOUT_SEED=%llu LAYOUT_FIRST=%llu", seed, i);
	}
	canaries = canary_check();
	ktap_say("%u layouts, %u wrong; %llu pages compared, %u pages of the canary", seen.layouts,
		 seen.wrong, seen.compared, canaries);
	ktap_say("%u slots refused, %u children, %u storms; %u times equal pages, %u times merged; huge pages in %u looks of %u",
		 seen.refused, seen.children, seen.storms, seen.merges, seen.merged, seen.huge,
		 (seen.layouts + LOOKS - 1) / LOOKS);
	EXPECT(seen.huge || seen.layouts < 20, "no huge page was there: this says nothing");
	vm_destroy(&vm);
}

int main(int argc, char **argv)
{
	static const struct ktap_case cases[] = {
		{ "static_memory", layouts, NULL, 3000 },
		{ "dynamic_memory", layouts, "dynamic", 3000 },
	};

	return guest_main(&guest_mem_layouts, cases, ARRAY_LEN(cases), argc, argv);
}
