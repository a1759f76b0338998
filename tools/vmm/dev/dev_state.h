/* SPDX-License-Identifier: GPL-2.0 */
/* The state of the PC's devices: what is saved of each, and what may come back. */
#ifndef VMM_DEV_STATE_H
#define VMM_DEV_STATE_H

#include "../state/pack.h"

extern const struct state_ops chips_state;
extern const struct state_ops serial_state;
extern const struct state_ops rtc_state;
extern const struct state_ops pm_state;

#endif
