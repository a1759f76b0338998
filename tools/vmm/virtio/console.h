/* SPDX-License-Identifier: GPL-2.0 */
/* virtio console, one port, on the machine's console. */
#ifndef VMM_VIRTIO_CONSOLE_H
#define VMM_VIRTIO_CONSOLE_H

#include "mmio.h"

struct console;

struct virtio_console {
	struct virtio_mmio *v;
	struct console *console;
};

extern const struct virtio_dev_ops virtio_console_ops;

size_t virtio_console_rx_room(void *dev);
void virtio_console_rx_put(void *dev, const uint8_t *data, size_t len);

#endif
