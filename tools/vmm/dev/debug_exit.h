/* SPDX-License-Identifier: GPL-2.0 */
/* A port for test programs: what they write there becomes the exit status. */
#ifndef VMM_DEBUG_EXIT_H
#define VMM_DEBUG_EXIT_H

#include "../bus.h"

struct machine;

struct debug_exit {
	struct machine *m;
};

#define DEBUG_EXIT_PORT 0xf4

extern const struct bus_ops debug_exit_bus_ops;

#endif
