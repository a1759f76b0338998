/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What the guest was shown of its processor: CPUID and, of an exposed VM, VT-x's
 * capability MSRs. A host that lacks any of it cannot take the guest over.
 */
#ifndef VMM_STATE_FEATURES_H
#define VMM_STATE_FEATURES_H

#include "pack.h"

#include "../../lib/libnestvm.h"

struct machine;

#define FEATURES_SECTION "features"
#define FEATURES_VERSION 1

int features_save(struct machine *m, struct pack *p, struct nvl_error *err);
/* 0, or -EOPNOTSUPP with the features by name which this machine's host lacks. */
int features_check(struct machine *m, struct unpack *u, struct nvl_error *err);

#endif
