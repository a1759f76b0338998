// SPDX-License-Identifier: GPL-2.0
/*
 * A state stream: what goes in comes out, and whatever is cut off, flipped, swapped
 * or added is found before its reader has got all of it. A file is whole or not there.
 *
 * links: vmm/state/stream.c vmm/state/stream_file.c vmm/state/pack.c
 * links: vmm/state/crc32c.c vmm/state/memory.c
 */
#include "lib/ktap.h"
#include "lib/internal.h"
#include "vmm/state/crc32c.h"
#include "vmm/state/memory.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#define SECTIONS 4

static const char * const names[SECTIONS] = { "machine", "com1", "empty", "0123456789abcdef" };
static char dir[] = "/tmp/stream-test-XXXXXX";

static size_t contents(unsigned int i, uint8_t *out)
{
	size_t n, len = i == 2 ? 0 : 50 + 37 * i;

	for (n = 0; n < len; n++)
		out[n] = n * 7 + i;
	return len;
}

static int new_file(void)
{
	int fd = memfd_create("stream", MFD_CLOEXEC);

	ASSERT(fd >= 0, "no memfd");
	return fd;
}

/* The bytes of a stream of four sections. */
static size_t make(uint8_t **bytes)
{
	const struct stream_head head = { .kind = STREAM_SAVED, .digest = 42, .created = 1 };
	struct stream_out o;
	uint8_t data[256];
	struct nvl_error err;
	unsigned int i;
	int fd = new_file();
	size_t size;

	ASSERT(stream_out_init(&o, fd, &head, &err) == 0, "init");
	for (i = 0; i < SECTIONS; i++)
		ASSERT(stream_put(&o, names[i], i + 1, data, contents(i, data), &err) == 0, "put");
	ASSERT(stream_put_end(&o, &err) == 0, "end");
	stream_out_free(&o);
	size = lseek(fd, 0, SEEK_END);
	*bytes = malloc(size);
	ASSERT(pread(fd, *bytes, size, 0) == (ssize_t)size, "read back");
	close(fd);
	return size;
}

/* How many sections a reader gets, and in @end whether it came to a good end. */
static unsigned int read_all(const uint8_t *bytes, size_t len, bool *end)
{
	struct stream_record rec;
	struct stream_in in;
	struct nvl_error err;
	unsigned int n = 0;
	int fd = new_file(), ret;

	*end = false;
	ASSERT(write(fd, bytes, len) == (ssize_t)len, "write");
	lseek(fd, 0, SEEK_SET);
	ret = stream_in_init(&in, fd, &err);
	while (ret == 0 && (ret = stream_next(&in, &rec, &err)) == 1) {
		n++;
		ret = 0;
	}
	*end = ret == 0 && n == in.records;
	stream_in_free(&in);
	close(fd);
	return n;
}

static void round_trip(const void *arg)
{
	struct stream_record rec;
	struct stream_in in;
	struct nvl_error err;
	uint8_t *bytes, want[256];
	size_t size = make(&bytes);
	unsigned int i;
	int fd = new_file();

	ASSERT(write(fd, bytes, size) == (ssize_t)size, "write");
	lseek(fd, 0, SEEK_SET);
	ASSERT(stream_in_init(&in, fd, &err) == 0, "header");
	EXPECT_EQ(in.head.kind, STREAM_SAVED, "kind");
	EXPECT_EQ(in.head.digest, 42, "digest");
	EXPECT_EQ(in.head.created, 1, "time");
	for (i = 0; i < SECTIONS; i++) {
		ASSERT(stream_next(&in, &rec, &err) == 1, "record");
		EXPECT(!strcmp(rec.name, names[i]), "name");
		EXPECT_EQ(rec.version, i + 1, "version");
		EXPECT_EQ(rec.len, contents(i, want), "length");
		EXPECT(!rec.len || !memcmp(rec.data, want, rec.len), "contents");
	}
	EXPECT_EQ(stream_next(&in, &rec, &err), 0, "end");
	stream_in_free(&in);
	close(fd);
	free(bytes);
}

static void cut_off(const void *arg)
{
	uint8_t *bytes;
	size_t size = make(&bytes), len;
	bool end;

	for (len = 0; len < size; len++) {
		read_all(bytes, len, &end);
		EXPECT(!end, "cut off and taken for whole");
	}
	read_all(bytes, size, &end);
	EXPECT(end, "the whole of it is not");
	free(bytes);
}

static void flipped(const void *arg)
{
	uint8_t *bytes;
	size_t size = make(&bytes), i;
	unsigned int bit;
	bool end;

	for (i = 0; i < size; i++)
		for (bit = 0; bit < 8; bit += 1 + i % 3) {
			bytes[i] ^= 1 << bit;
			read_all(bytes, size, &end);
			if (end)
				ktap_fail(__FILE__, __LINE__, "bit %u of byte %zu was not missed", bit, i);
			bytes[i] ^= 1 << bit;
		}
	free(bytes);
}

/* Whole records, each right by itself, in another order or number. */
static void moved(const void *arg)
{
	uint8_t *bytes, *other;
	size_t size = make(&bytes), first = 64, len[SECTIONS], second, third;
	bool end;

	len[0] = 40 + 50;
	len[1] = 40 + 50 + 37;
	second = first + len[0];
	third = second + len[1];
	other = malloc(2 * size);

	memcpy(other, bytes, first);
	memcpy(other + first, bytes + second, len[1]);
	memcpy(other + first + len[1], bytes + first, len[0]);
	memcpy(other + third, bytes + third, size - third);
	read_all(other, size, &end);
	EXPECT(!end, "two records in the wrong order");

	memcpy(other + first, bytes + second, size - second);
	read_all(other, size - len[0], &end);
	EXPECT(!end, "a record is missing");

	memcpy(other, bytes, second);
	memcpy(other + second, bytes + first, size - first);
	read_all(other, size + len[0], &end);
	EXPECT(!end, "a record is there twice");
	free(other);
	free(bytes);
}

static void checksum(const void *arg)
{
	uint8_t zeros[32] = { 0 }, up[32];
	unsigned int i;

	for (i = 0; i < 32; i++)
		up[i] = i;
	/* RFC 3720, B.4 */
	EXPECT_EQ(crc32c(0, zeros, 32), 0x8a9136aa, "zeros");
	EXPECT_EQ(crc32c(0, up, 32), 0x46dd794e, "rising");
	EXPECT_EQ(crc32c(crc32c(0, up, 7), up + 7, 25), 0x46dd794e, "in two parts");
}

static void values(const void *arg)
{
	struct pack p;
	struct unpack u;
	size_t len;
	char *s;

	pack_init(&p);
	pack_u8(&p, 1);
	pack_u16(&p, 0x1234);
	pack_u32(&p, 0x12345678);
	pack_u64(&p, 0x123456789abcdef0);
	pack_bool(&p, true);
	pack_string(&p, "name");
	pack_u8(&p, 2);
	EXPECT_EQ(p.data[1], 0x34, "little endian");
	unpack_init(&u, p.data, p.len, 1);
	EXPECT_EQ(unpack_u8(&u), 1, "8");
	EXPECT_EQ(unpack_u16(&u), 0x1234, "16");
	EXPECT_EQ(unpack_u32(&u), 0x12345678, "32");
	EXPECT_EQ(unpack_u64(&u), 0x123456789abcdef0, "64");
	EXPECT(unpack_bool(&u), "bool");
	s = unpack_string(&u, 4);
	EXPECT(s && !strcmp(s, "name"), "string");
	free(s);
	EXPECT(!unpack_ok(&u), "a byte is left over");
	EXPECT(!unpack_bool(&u), "2 is no bool");
	EXPECT(u.failed, "... which is a failure");
	EXPECT_EQ(unpack_u64(&u), 0, "zeros after a failure");

	unpack_init(&u, p.data, p.len, 1);
	EXPECT_EQ(unpack_max(&u, 10), 0, "more than the most");
	EXPECT(u.failed, "... which is a failure");
	/* A length that reaches beyond the section. */
	unpack_init(&u, "\xff\xff\xff\xff", 4, 1);
	EXPECT(!unpack_blob(&u, SIZE_MAX, &len), "a blob longer than the section");
	unpack_init(&u, "\x02\0\0\0a", 5, 1);
	EXPECT(!unpack_string(&u, 100), "a string longer than the section");
	unpack_init(&u, "\x02\0\0\0a\0", 6, 1);
	EXPECT(!unpack_string(&u, 100), "a string with an end inside");
	pack_free(&p);
}

#define PAGES 700u

static struct nvl_vm fake_vm(void)
{
	struct nvl_vm vm = { .fd = -1, .nslots = 1 };

	vm.slots[0] = (struct nvl_slot) { .gpa = 0x100000, .size = PAGES * 4096 };
	vm.slots[0].host = mmap(NULL, PAGES * 4096, PROT_READ | PROT_WRITE,
				MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	ASSERT(vm.slots[0].host != MAP_FAILED, "no memory");
	return vm;
}

static void copy_memory(const void *arg)
{
	const bool *compress = arg;
	const struct stream_head head = { .kind = STREAM_MIGRATION };
	struct nvl_vm from = fake_vm(), to = fake_vm();
	struct nvl_memory mem = nvl_vm_piece(&from, 0);
	struct state_memory *sm;
	struct stream_record rec;
	struct stream_out o;
	struct stream_in in;
	struct nvl_error err;
	void *zstd = NULL;
	uint64_t bytes = 0;
	unsigned int i;
	int fd = new_file(), ret;

	/* Zero pages, pages of one byte, pages that do not compress. */
	for (i = 0; i < PAGES; i++)
		if (i % 5 == 1)
			memset(mem.host + i * 4096, i, 4096);
		else if (i % 5 > 2)
			for (ret = 0; ret < 4096; ret++)
				mem.host[i * 4096 + ret] = rand();
	/* What is zero here and not there must become zero, where that is told. */
	memset(to.slots[0].host, 0xee, 3 * 4096);
	sm = state_memory_new(*compress, &err);
	ASSERT(sm && stream_out_init(&o, fd, &head, &err) == 0, "init");
	ASSERT(state_memory_put(sm, &o, &mem, 0, 100, true, &err) == 0, "put");
	ASSERT(state_memory_put(sm, &o, &mem, 100, PAGES - 100, false, &err) == 0, "put");
	ASSERT(stream_put_end(&o, &err) == 0, "end");
	stream_out_free(&o);
	state_memory_free(sm);

	lseek(fd, 0, SEEK_SET);
	ASSERT(stream_in_init(&in, fd, &err) == 0, "header");
	while ((ret = stream_next(&in, &rec, &err)) == 1)
		ASSERT(memory_get(&to, &zstd, &rec, &bytes, &err) == 0, "get: %s", err.text);
	EXPECT_EQ(ret, 0, "end");
	EXPECT(!memcmp(mem.host, to.slots[0].host, PAGES * 4096), "memory differs");
	EXPECT(lseek(fd, 0, SEEK_END) < (off_t)(PAGES * 4096 * 2 / 3), "zero pages were written");
	memory_zstd_free(zstd);
	stream_in_free(&in);
	close(fd);
}

static void bad_memory(const void *arg)
{
	static const struct {
		const char *what;
		uint64_t gpa;
		uint32_t pages, kind;
		size_t len;
	} rows[] = {
		{ "below memory", 0xff000, 1, 0, 4096 },
		{ "above memory", 0x100000 + PAGES * 4096, 1, 0, 4096 },
		{ "across the end", 0x100000 + (PAGES - 1) * 4096, 2, 0, 8192 },
		{ "not on a page", 0x100001, 1, 0, 4096 },
		{ "no page", 0x100000, 0, 0, 0 },
		{ "too many pages", 0x100000, 257, 2, 0 },
		{ "an address that wraps", UINT64_MAX - 4095, 1, 0, 4096 },
		{ "too short", 0x100000, 1, 0, 4095 },
		{ "too long", 0x100000, 1, 0, 4097 },
		{ "not compressed", 0x100000, 1, 1, 100 },
		{ "zeros with bytes", 0x100000, 1, 2, 1 },
		{ "unknown kind", 0x100000, 1, 3, 4096 },
		{ "an empty record", 0, 0, 0, SIZE_MAX },
	};
	struct nvl_vm vm = fake_vm();
	uint8_t data[2 * 4096 + 16];
	struct nvl_error err;
	unsigned int i;

	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct stream_record rec = { .name = "memory", .version = 1 };
		void *zstd = NULL;
		uint64_t bytes = 0;
		struct pack p;

		pack_init(&p);
		if (rows[i].len != SIZE_MAX) {
			memset(data, 0x5a, sizeof(data));
			pack_u64(&p, rows[i].gpa);
			pack_u32(&p, rows[i].pages);
			pack_u32(&p, rows[i].kind);
			pack_bytes(&p, data, rows[i].len);
		}
		rec.data = p.data;
		rec.len = p.len;
		EXPECT(memory_get(&vm, &zstd, &rec, &bytes, &err) < 0, "%s", rows[i].what);
		memory_zstd_free(zstd);
		pack_free(&p);
	}
}

static void put_file(const char *path, const char *text)
{
	FILE *f = fopen(path, "w");

	ASSERT(f && fputs(text, f) >= 0, "no file");
	fclose(f);
}

/* The file is as large as may be: the old one stays, and no other is left. */
static void disk_full(const void *arg)
{
	const struct stream_head head = { .kind = STREAM_SAVED };
	char path[64], temp[80], old[8] = "", *big = calloc(1, 1 << 20);
	struct rlimit limit = { 300000, RLIM_INFINITY };
	struct stream_file f;
	struct nvl_error err;
	int i, ret, fd;

	ASSERT(mkdtemp(dir), "no folder");
	snprintf(path, sizeof(path), "%s/saved", dir);
	snprintf(temp, sizeof(temp), "%s.new", path);
	put_file(path, "old");
	signal(SIGXFSZ, SIG_IGN);
	setrlimit(RLIMIT_FSIZE, &limit);
	ASSERT(stream_file_create(&f, path, &head, &err) == 0, "create");
	for (i = ret = 0; i < 5 && ret == 0; i++)
		ret = stream_put(&f.out, "memory", 1, big, 100000, &err);
	EXPECT_EQ(ret, -EFBIG, "a full disk");
	EXPECT_EQ(stream_put(&f.out, "memory", 1, big, 10, &err), -EFBIG, "... and it stays full");
	EXPECT_EQ(stream_file_commit(&f, &err), -EFBIG, "... and is no state");
	EXPECT(access(temp, F_OK) < 0, "a piece is left");
	fd = open(path, O_RDONLY);
	EXPECT(fd >= 0 && read(fd, old, 7) == 3 && !strcmp(old, "old"), "the old file is gone");
	close(fd);

	ASSERT(stream_file_create(&f, path, &head, &err) == 0, "create");
	ASSERT(stream_put(&f.out, "memory", 1, big, 100, &err) == 0, "put");
	ASSERT(stream_file_commit(&f, &err) == 0, "commit");
	EXPECT_EQ(stream_file_verify(path, NULL, &err), 0, "a whole file");
	fd = open(path, O_WRONLY | O_APPEND);
	EXPECT(write(fd, "x", 1) == 1, "append");
	close(fd);
	EXPECT(stream_file_verify(path, NULL, &err) < 0, "bytes after the end");
	unlink(path);
	rmdir(dir);
	free(big);
}

static const bool plain = false, packed = true;

static const struct ktap_case cases[] = {
	{ "crc32c", checksum },
	{ "values", values },
	{ "round_trip", round_trip },
	{ "cut_off", cut_off },
	{ "flipped_bits", flipped },
	{ "moved_records", moved },
	{ "memory_as_it_is", copy_memory, &plain },
	{ "memory_compressed", copy_memory, &packed },
	{ "bad_memory", bad_memory },
	{ "disk_full", disk_full },
};

int main(int argc, char **argv)
{
	return ktap_main(cases, sizeof(cases) / sizeof(cases[0]), argc, argv);
}
