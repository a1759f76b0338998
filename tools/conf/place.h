/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The two directories that everything of nestvm's is in.
 *
 * STATE is $NESTVM_STATE_DIR, else /var/lib/nestvm for root, else
 * $XDG_STATE_HOME/nestvm (~/.local/state/nestvm). RUN is $NESTVM_RUN_DIR, else
 * /run/nestvm for root, else $XDG_RUNTIME_DIR/nestvm, else STATE/run.
 */
#ifndef CONF_PLACE_H
#define CONF_PLACE_H

#include "reasons.h"

/* Made if missing, mode 0700. NULL with @r. */
const char *place_state(struct refusal *r);
const char *place_run(struct refusal *r);

#endif
