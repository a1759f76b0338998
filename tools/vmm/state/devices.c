// SPDX-License-Identifier: GPL-2.0
/* Which device has which section. Sections that belong to one place have its number. */
#include "parts.h"

#include "../machine.h"

#include "../dev/dev_state.h"
#include "../virtio/mmio_state.h"

#include <stddef.h>
#include <stdio.h>

static bool always(struct machine *m)
{
	(void)m;
	return true;
}

static bool is_split(struct machine *m)
{
	return m->split;
}

static const struct {
	const struct state_ops *ops;
	size_t offset;			/* of the device in struct machine */
	bool (*there)(struct machine *m);
} fixed[] = {
	{ &chips_state, offsetof(struct machine, chips), is_split },
	{ &serial_state, offsetof(struct machine, serial), always },
	{ &rtc_state, offsetof(struct machine, rtc), always },
	{ &pm_state, offsetof(struct machine, pm), always },
};

/* Devices behind a transport that have more to tell than the transport. */
static const struct {
	const struct virtio_dev_ops *dev;
	const struct state_ops *ops;
} behind[] = {
	{ &virtio_balloon_ops, &virtio_balloon_state },
};

#define NFIXED (sizeof(fixed) / sizeof(fixed[0]))
#define NBEHIND (sizeof(behind) / sizeof(behind[0]))

static const struct state_ops *behind_of(const struct virtio_mmio *v)
{
	unsigned int i;

	for (i = 0; i < NBEHIND; i++)
		if (behind[i].dev == v->ops)
			return behind[i].ops;
	return NULL;
}

/* Two places for each transport, of which the second may be empty. */
const struct state_ops *devices_state_at(struct machine *m, unsigned int i, void **dev,
					 char name[STREAM_NAME_MAX + 1])
{
	const struct state_ops *ops = NULL;
	struct virtio_mmio *v;
	unsigned int n;

	*dev = NULL;
	if (i < NFIXED) {
		ops = fixed[i].ops;
		if (fixed[i].there(m))
			*dev = (char *)m + fixed[i].offset;
		snprintf(name, STREAM_NAME_MAX + 1, "%s", ops->name);
		return ops;
	}
	n = (i - NFIXED) / 2;
	if (n >= m->nvirtio)
		return NULL;
	v = &m->virtio[n];
	if ((i - NFIXED) % 2 == 0) {
		ops = &virtio_mmio_state;
		*dev = v;
	} else {
		ops = behind_of(v);
		*dev = ops ? v->dev : NULL;
	}
	snprintf(name, STREAM_NAME_MAX + 1, "%.11s.%u", ops ? ops->name : "", n % 1000);
	return ops ? ops : &virtio_mmio_state;
}

int devices_state_save(struct machine *m, struct stream_out *o, struct nvl_error *err)
{
	const struct state_ops *ops;
	char name[STREAM_NAME_MAX + 1];
	struct pack p;
	unsigned int i;
	void *dev;
	int ret;

	for (i = 0; (ops = devices_state_at(m, i, &dev, name)); i++) {
		if (!dev)
			continue;
		pack_init(&p);
		ops->save(dev, &p);
		ret = stream_put_pack(o, name, ops->version, &p, err);
		pack_free(&p);
		if (ret < 0)
			return ret;
	}
	return 0;
}
