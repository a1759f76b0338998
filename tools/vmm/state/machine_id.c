// SPDX-License-Identifier: GPL-2.0
#include "machine_id.h"

#include "../machine.h"

#include <errno.h>

void machine_id_pack(struct machine *m, struct pack *p)
{
	unsigned int i;

	pack_u64(p, m->ram_low);
	pack_u64(p, m->ram_high);
	pack_u32(p, m->conf->vcpus);
	pack_bool(p, m->conf->expose);
	pack_bool(p, m->split);
	pack_u32(p, m->nvirtio);
	for (i = 0; i < m->nvirtio; i++) {
		pack_u32(p, m->virtio[i].ops->id);
		pack_u64(p, m->virtio[i].features);
	}
	pack_u32(p, m->ndisks);
	for (i = 0; i < m->ndisks; i++)
		pack_u64(p, m->disks[i].sectors);
}

static int differs(struct nvl_error *err, const char *what, uint64_t there, uint64_t here)
{
	return nvl_fail(err, EINVAL,
			"the state belongs to another machine: it has %llu %s, this VM %llu. Give the VM the configuration it was saved with.",
			(unsigned long long)there, what, (unsigned long long)here);
}

static int check_virtio(struct machine *m, struct unpack *u, struct nvl_error *err)
{
	uint32_t n = unpack_max(u, VIRTIO_MAX), i, id;
	uint64_t features;

	if (!u->failed && n != m->nvirtio)
		return differs(err, "virtio devices", n, m->nvirtio);
	for (i = 0; i < n && !u->failed; i++) {
		id = unpack_u32(u);
		features = unpack_u64(u);
		if (!u->failed && id != m->virtio[i].ops->id)
			return nvl_fail(err, EINVAL,
					"the state belongs to another machine: its virtio device %u is of type %u, this VM's of type %u.",
					i, id, m->virtio[i].ops->id);
		/* The guest may use what it was offered. */
		if (!u->failed && features & ~m->virtio[i].features)
			return nvl_fail(err, EOPNOTSUPP,
					"virtio device %u was offered with features (%llxH) that it lacks here: is a disk read-only now, or this nestvm older?",
					i, (unsigned long long)(features & ~m->virtio[i].features));
	}
	return 0;
}

int machine_id_check(struct machine *m, struct unpack *u, struct nvl_error *err)
{
	uint64_t low = unpack_u64(u), high = unpack_u64(u), sectors;
	uint32_t vcpus = unpack_u32(u), disks, i;
	bool expose = unpack_bool(u), split = unpack_bool(u);
	int ret;

	if (!u->failed && low + high != m->ram_low + m->ram_high)
		return differs(err, "bytes of memory", low + high, m->ram_low + m->ram_high);
	if (!u->failed && vcpus != m->conf->vcpus)
		return differs(err, "vCPUs", vcpus, m->conf->vcpus);
	if (!u->failed && expose != m->conf->expose)
		return nvl_fail(err, EINVAL,
				"the state was made with virtualization extensions %s, and now they are %s: switch them %s.",
				expose ? "on" : "off", expose ? "off" : "on",
				expose ? "on" : "off");
	if (!u->failed && split != m->split)
		return nvl_fail(err, EINVAL,
				"the state was made with the interrupt chips in the %s: start the VM with --irqchip %s.",
				split ? "launcher" : "kernel", split ? "split" : "kernel");
	ret = check_virtio(m, u, err);
	if (ret < 0)
		return ret;
	disks = unpack_max(u, VIRTIO_MAX);
	if (!u->failed && disks != m->ndisks)
		return differs(err, "disks", disks, m->ndisks);
	for (i = 0; i < disks && !u->failed; i++) {
		sectors = unpack_u64(u);
		if (!u->failed && sectors != m->disks[i].sectors)
			return differs(err, "sectors on a disk", sectors, m->disks[i].sectors);
	}
	if (!unpack_ok(u))
		return nvl_fail(err, EBADMSG, "the state's list of parts is not what nestvm writes.");
	return 0;
}
