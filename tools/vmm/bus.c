// SPDX-License-Identifier: GPL-2.0
#include "bus.h"

#include <assert.h>
#include <string.h>

void bus_add(struct bus *bus, uint64_t base, uint64_t len, const struct bus_ops *ops,
	     void *dev, const char *name)
{
	unsigned int i;

	assert(bus->n < BUS_MAX_RANGES);
	for (i = 0; i < bus->n; i++)
		assert(base >= bus->range[i].base + bus->range[i].len ||
		       base + len <= bus->range[i].base);
	bus->range[bus->n++] = (struct bus_range) { base, len, ops, dev, name };
}

bool bus_access(const struct bus *bus, uint64_t addr, void *data, unsigned int len,
		bool write)
{
	uint64_t value = 0;
	unsigned int i;

	for (i = 0; i < bus->n; i++) {
		const struct bus_range *r = &bus->range[i];

		if (addr - r->base >= r->len)
			continue;
		if (write) {
			memcpy(&value, data, len);
			r->ops->write(r->dev, addr - r->base, len, value);
		} else {
			value = r->ops->read(r->dev, addr - r->base, len);
			memcpy(data, &value, len);
		}
		return true;
	}
	if (!write)
		memset(data, 0xff, len);
	return false;
}
