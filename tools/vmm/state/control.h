/* SPDX-License-Identifier: GPL-2.0 */
/* What a running VM can be told about its state: save, checkpoint, migrate. */
#ifndef VMM_STATE_CONTROL_H
#define VMM_STATE_CONTROL_H

#include "../control.h"

extern const struct control_command state_commands[];

#endif
