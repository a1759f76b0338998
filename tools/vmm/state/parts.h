/* SPDX-License-Identifier: GPL-2.0 */
/* The parts of a machine's state, each with its own section. Private to state/. */
#ifndef VMM_STATE_PARTS_H
#define VMM_STATE_PARTS_H

#include "stream.h"

struct machine;

/* cpu.c: one section for each vCPU */
#define CPU_SECTION "cpu"
#define CPU_VERSION 1

/* What of the host's time the vCPUs' sections refer to. */
uint64_t cpu_host_tsc(void);
int cpu_state_save(struct machine *m, unsigned int i, uint64_t host_tsc, struct pack *p,
		   struct nvl_error *err);
int cpu_state_load(struct machine *m, unsigned int i, uint64_t host_tsc, struct unpack *u,
		   struct nvl_error *err);
/* No, with the reason, when this machine's vCPUs hold what nobody can read out. */
int cpu_state_possible(struct machine *m, struct nvl_error *err);

/* irqchip.c: PICs, IOAPIC and PIT in the kernel, and the paravirtual clock */
#define IRQCHIP_SECTION "irqchip"
#define IRQCHIP_VERSION 1

int irqchip_state_save(struct machine *m, struct pack *p, struct nvl_error *err);
int irqchip_state_load(struct machine *m, struct unpack *u, struct nvl_error *err);

/* save.c, load.c: whether the operator had it paused. A state without it was not. */
#define PAUSED_SECTION "paused"
#define PAUSED_VERSION 1

/* devices.c: the launcher's devices, a section each */
int devices_state_save(struct machine *m, struct stream_out *o, struct nvl_error *err);

/* The @i-th device's section, or NULL at the end. */
const struct state_ops *devices_state_at(struct machine *m, unsigned int i, void **dev,
					 char name[STREAM_NAME_MAX + 1]);

#endif
