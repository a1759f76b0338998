// SPDX-License-Identifier: GPL-2.0
#define _GNU_SOURCE
#include "canary.h"

#include <errno.h>
#include <stdint.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <signal.h>
#include <unistd.h>

#include "ktap.h"

#define PAGE	4096u
#define WORDS	(PAGE / sizeof(uint64_t))
#define STIRRED	64			/* pages at a time */
#define MARK	0x43414e4152590000ull

enum { STIR = 's', CHECK = 'c' };

static int to_canary = -1, from_canary = -1;
static unsigned int npages;

static uint64_t *page(uint64_t *mem, unsigned int i)
{
	return mem + i * WORDS;
}

static void write_page(uint64_t *mem, unsigned int i)
{
	unsigned int w;

	for (w = 0; w < WORDS; w++)
		page(mem, i)[w] = MARK ^ i;
}

static bool page_ok(uint64_t *mem, unsigned int i)
{
	const uint64_t *p = page(mem, i);

	return p[0] == (MARK ^ i) && !memcmp(p, p + 1, PAGE - sizeof(*p));
}

static void stir(uint64_t *mem)
{
	static unsigned int at = 1;
	unsigned int i, first;

	/* In runs, some of which are a huge page's middle. */
	at = at * 1103515245u + 12345u;
	first = (at >> 8) % (npages - STIRRED);
	madvise(page(mem, first), STIRRED * PAGE, MADV_DONTNEED);
	for (i = first; i < first + STIRRED; i++)
		write_page(mem, i);
}

static void live(uint64_t *mem, int in, int out)
{
	unsigned int i, bad;
	char what;

	for (i = 0; i < npages; i++)
		write_page(mem, i);
	while (read(in, &what, 1) == 1) {
		bad = 0;
		if (what == STIR)
			stir(mem);
		for (i = 0; what == CHECK && i < npages; i++)
			bad += !page_ok(mem, i);
		if (write(out, &bad, sizeof(bad)) != sizeof(bad))
			break;
	}
	_exit(0);
}

static unsigned int ask(char what)
{
	unsigned int bad;
	ssize_t ret;

	/* Signals may come: fuzzers send them. */
	while ((ret = write(to_canary, &what, 1)) < 0 && errno == EINTR && !ktap_late())
		;
	ASSERT(ret == 1, "the canary is gone: %s", strerror(errno));
	while ((ret = read(from_canary, &bad, sizeof(bad))) < 0 && errno == EINTR && !ktap_late())
		;
	ASSERT(ret == sizeof(bad), "the canary is gone: %s", strerror(errno));
	return bad;
}

void canary_start(unsigned int mib)
{
	size_t size = (size_t)mib << 20;
	int in[2], out[2];
	uint64_t *mem;
	pid_t pid;

	npages = size / PAGE;
	ASSERT(!pipe(in) && !pipe(out), "pipe: %s", strerror(errno));
	pid = fork();
	ASSERT(pid >= 0, "fork: %s", strerror(errno));
	if (!pid) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		close(in[1]);
		close(out[0]);
		mem = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
		if (mem == MAP_FAILED)
			_exit(1);
		/* Half of it small pages: what others let go comes as these. */
		madvise(mem, size / 2, MADV_NOHUGEPAGE);
		live(mem, in[0], out[1]);
	}
	close(in[0]);
	close(out[1]);
	to_canary = in[1];
	from_canary = out[0];
	EXPECT_EQ(canary_check(), npages, "pages of the canary");
}

void canary_stir(void)
{
	ask(STIR);
}

unsigned int canary_check(void)
{
	unsigned int bad = ask(CHECK);

	EXPECT(!bad, "%u of %u pages of a process that has no VM are not what it wrote", bad,
	       npages);
	return npages;
}
