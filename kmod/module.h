/* SPDX-License-Identifier: GPL-2.0 */
/* What is one for the whole module: parameters and totals. */
#ifndef NESTVM_MODULE_H
#define NESTVM_MODULE_H

#include <linux/types.h>

#define NV_VERSION	"0.1.0"

extern bool nv_expose_default;	/* expose_default: new VMs have the switch on */
extern bool nv_nested_allowed;	/* nested: 0 forbids exposing on this host */

u64 nv_vm_total(void);
u64 nv_vcpu_total(void);

int nv_dev_init(void);
void nv_dev_exit(void);

#endif
