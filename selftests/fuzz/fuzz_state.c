// SPDX-License-Identifier: GPL-2.0
/*
 * Saved states and migrations: bytes as a stream, and sections whose checksums are
 * right and whose contents are anybody's, into a machine without a hypervisor.
 * Whatever comes, a sentence or a machine; never more.
 */
#include "lib/internal.h"
#include "vmm/machine.h"
#include "vmm/state/features.h"
#include "vmm/state/machine_id.h"
#include "vmm/state/memory.h"
#include "vmm/state/parts.h"

#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#define MEMORY (256u << 10)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct machine_config conf = { .device = "none", .memory = MEMORY, .vcpus = 1 };
static struct nvl_device dev = { .fd = -1, .path = "none" };
static struct nvl_vm vm = { .fd = -1, .dev = &dev, .nslots = 1 };
static struct kvm_run run;
static struct nvl_vcpu vcpu = { .fd = -1, .vm = &vm, .run = &run };
static struct machine m;

static void make_machine(void)
{
	if (m.conf)
		return;
	vm.slots[0] = (struct nvl_slot) { .gpa = 0, .size = MEMORY };
	vm.slots[0].host = mmap(NULL, MEMORY, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS,
				-1, 0);
	m.conf = &conf;
	m.dev = &dev;
	m.vm = &vm;
	m.ram_low = MEMORY;
	m.split = true;
	m.wake_fd = -1;
	m.ncpus = 1;
	m.cpus[0] = (struct cpu) { .m = &m, .vcpu = &vcpu };
	if (chips_init(&m.chips, &m, NULL) < 0)
		abort();
	serial_init(&m.serial, &m, &m.console);
	rtc_init(&m.rtc, MEMORY, 0);
	pm_init(&m.pm, &m);
	if (virtio_mmio_init(&m.virtio[0], &m, 0, &virtio_blk_ops, &m.disks[0], 0x40, NULL, 0,
			     NULL) < 0 ||
	    virtio_mmio_init(&m.virtio[1], &m, 1, &virtio_balloon_ops, &m.balloon, 0x2, NULL, 0,
			     NULL) < 0)
		abort();
	virtio_balloon_init(&m.balloon, &m.virtio[1], 0);
	m.nvirtio = 2;
}

static void as_stream(const uint8_t *data, size_t size)
{
	struct stream_record rec;
	struct stream_in in;
	struct nvl_error err;
	struct state_load l;
	int fd = memfd_create("stream", MFD_CLOEXEC);

	if (fd < 0 || write(fd, data, size) != (ssize_t)size)
		abort();
	lseek(fd, 0, SEEK_SET);
	state_load_init(&l, &m);
	if (stream_in_init(&in, fd, &err) == 0)
		while (stream_next(&in, &rec, &err) == 1 &&
		       state_load_record(&l, &rec, &err) == 0)
			;
	stream_in_free(&in);
	state_load_free(&l);
	close(fd);
}

/* One byte of which section, two of its length, its bytes; and so on. */
static void as_sections(const uint8_t *data, size_t size)
{
	char name[STREAM_NAME_MAX + 1];
	const struct state_ops *ops;
	struct nvl_error err;
	struct state_load l;
	unsigned int which;
	uint64_t bytes = 0;
	struct unpack u;
	void *to, *zstd = NULL;
	size_t len;

	while (size >= 3) {
		which = data[0] % 16;
		len = data[1] | data[2] << 8;
		data += 3;
		size -= 3;
		if (len > size)
			len = size;
		struct stream_record rec = { .version = 1, .len = len, .data = data };

		unpack_init(&u, data, len, 1);
		switch (which) {
		case 0:
			machine_id_check(&m, &u, &err);
			break;
		case 1:
			features_check(&m, &u, &err);
			break;
		case 2:
			cpu_state_load(&m, 0, 0, &u, &err);
			break;
		case 3:
			irqchip_state_load(&m, &u, &err);
			break;
		case 4:
			memory_get(&vm, &zstd, &rec, &bytes, &err);
			break;
		case 5:
			state_load_init(&l, &m);
			memcpy(rec.name, data, len < STREAM_NAME_MAX ? len : STREAM_NAME_MAX);
			if (state_load_record(&l, &rec, &err) == 0)
				state_load_apply(&l, &err);
			state_load_free(&l);
			break;
		default:
			ops = devices_state_at(&m, which - 6, &to, name);
			if (ops && to)
				ops->load(to, &u);
			break;
		}
		data += len;
		size -= len;
	}
	memory_zstd_free(zstd);
}

/* What a device has taken it can save, and take again. */
static void save_again(void)
{
	char name[STREAM_NAME_MAX + 1];
	const struct state_ops *ops;
	struct unpack u;
	struct pack p;
	unsigned int i;
	void *to;

	for (i = 0; (ops = devices_state_at(&m, i, &to, name)); i++) {
		if (!to)
			continue;
		pack_init(&p);
		ops->save(to, &p);
		unpack_init(&u, p.data, p.len, ops->version);
		if (p.failed || !ops->load(to, &u))
			abort();
		pack_free(&p);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	make_machine();
	if (!size)
		return 0;
	if (data[0] & 1)
		as_stream(data + 1, size - 1);
	else
		as_sections(data + 1, size - 1);
	save_again();
	return 0;
}
