/* SPDX-License-Identifier: GPL-2.0 */
/* What a machine is made of, as far as a state must fit it. Private to state/. */
#ifndef VMM_STATE_MACHINE_ID_H
#define VMM_STATE_MACHINE_ID_H

#include "pack.h"

#include "../../lib/libnestvm.h"

struct machine;

#define MACHINE_SECTION "machine"
#define MACHINE_VERSION 1

void machine_id_pack(struct machine *m, struct pack *p);
/* The first difference as a sentence. */
int machine_id_check(struct machine *m, struct unpack *u, struct nvl_error *err);

#endif
