/* SPDX-License-Identifier: GPL-2.0 */
/* Slots by number. Private to ept/. */
#ifndef NESTVM_EPT_SLOTS_H
#define NESTVM_EPT_SLOTS_H

#include "pure.h"

struct nv_slot;
struct nv_slots;

struct nv_slot *slots_by_id(const struct nv_slots *slots, u32 id);

#endif
