/* SPDX-License-Identifier: GPL-2.0 */
/*
 * ACPI fixed hardware: PM1 event and control blocks and the reset register.
 * The PM timer is not there (the FADT says so); it would be the clock watchdog's
 * reference and cost exits twice a second.
 */
#ifndef VMM_PM_H
#define VMM_PM_H

#include "../bus.h"

#include <pthread.h>

struct machine;

#define PM1_EVT_PORT	0x600	/* status, enable: 2 bytes each */
#define PM1_CNT_PORT	0x604
#define PM_PORTS	6
#define PM_RESET_PORT	0xcf9
#define PM_RESET_VALUE	0x06
#define PM_SLP_TYP_S5	5

struct pm {
	struct machine *m;
	pthread_mutex_t lock;
	uint16_t status, enable;
	bool irq_level;
};

extern const struct bus_ops pm_bus_ops;
extern const struct bus_ops pm_reset_bus_ops;

void pm_init(struct pm *pm, struct machine *m);
void pm_power_button(struct pm *pm);

#endif
