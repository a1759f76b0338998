/* SPDX-License-Identifier: GPL-2.0 */
/* Where a back end's input goes: it says how much it takes, and takes that. */
#ifndef VMM_SINK_H
#define VMM_SINK_H

#include <stddef.h>
#include <stdint.h>

struct console_sink {
	size_t (*room)(void *dev);
	void (*put)(void *dev, const uint8_t *data, size_t len);
	void *dev;
};

#endif
