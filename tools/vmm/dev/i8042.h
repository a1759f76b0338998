/* SPDX-License-Identifier: GPL-2.0 */
/* The keyboard controller, as far as it pulls the reset line. */
#ifndef VMM_I8042_H
#define VMM_I8042_H

#include "../bus.h"

struct machine;

struct i8042 {
	struct machine *m;
};

extern const struct bus_ops i8042_bus_ops;

#endif
