/* SPDX-License-Identifier: GPL-2.0 */
/* Static memory: pinned pages of a slot. Private to ept/. */
#ifndef NESTVM_EPT_PIN_H
#define NESTVM_EPT_PIN_H

struct nv_slot;
struct nv_vm;

/*
 * Pin all pages of @slot and charge them to the caller's user, whose locked-memory
 * limit they count against until they are released. -ENOMEM (limit), -EFAULT (not
 * mapped, or not writable); reason noted.
 */
int pin_slot(struct nv_vm *vm, struct nv_slot *slot);
void pin_release(struct nv_vm *vm, struct nv_slot *slot);

#endif
