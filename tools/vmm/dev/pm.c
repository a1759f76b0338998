// SPDX-License-Identifier: GPL-2.0
#include "pm.h"

#include "../machine.h"

#include <string.h>

#define PM1_PWRBTN	0x0100	/* in status and enable */
#define CNT_SCI_EN	0x0001
#define CNT_SLP_EN	0x2000
#define CNT_SLP_TYP(v)	((v) >> 10 & 7)

/* pm->lock held */
static void update_irq(struct pm *pm)
{
	bool level = pm->status & pm->enable & PM1_PWRBTN;

	if (level == pm->irq_level)
		return;
	pm->irq_level = level;
	machine_set_irq(pm->m, SCI_GSI, level);
}

/* Registers are two bytes wide and may be read a byte or four at a time. */
static uint64_t pm_read(void *dev, uint64_t off, unsigned int len)
{
	struct pm *pm = dev;
	uint64_t all;

	(void)len;
	pthread_mutex_lock(&pm->lock);
	all = pm->status | (uint64_t)pm->enable << 16 | (uint64_t)CNT_SCI_EN << 32;
	pthread_mutex_unlock(&pm->lock);
	return all >> (off * 8);
}

static void control_write(struct pm *pm, uint16_t v)
{
	if (!(v & CNT_SLP_EN))
		return;
	if (CNT_SLP_TYP(v) == PM_SLP_TYP_S5)
		machine_end(pm->m, END_POWEROFF, 0, NULL, "guest powered off");
}

static void pm_write(void *dev, uint64_t off, unsigned int len, uint64_t value)
{
	struct pm *pm = dev;

	(void)len;
	pthread_mutex_lock(&pm->lock);
	switch (off) {
	case 0:
		pm->status &= ~value;	/* write one to clear */
		break;
	case 2:
		pm->enable = value;
		break;
	}
	update_irq(pm);
	pthread_mutex_unlock(&pm->lock);
	if (off == PM1_CNT_PORT - PM1_EVT_PORT)
		control_write(pm, value);
}

const struct bus_ops pm_bus_ops = { pm_read, pm_write };

static uint64_t reset_read(void *dev, uint64_t off, unsigned int len)
{
	(void)dev;
	(void)off;
	(void)len;
	return 0;
}

static void reset_write(void *dev, uint64_t off, unsigned int len, uint64_t value)
{
	struct pm *pm = dev;

	(void)off;
	(void)len;
	/* Bit 2 starts the reset, bit 1 only chooses its kind. */
	if (value & 0x04)
		machine_end(pm->m, END_RESET, 0, NULL, "guest asked for a reset");
}

const struct bus_ops pm_reset_bus_ops = { reset_read, reset_write };

void pm_init(struct pm *pm, struct machine *m)
{
	memset(pm, 0, sizeof(*pm));
	pthread_mutex_init(&pm->lock, NULL);
	pm->m = m;
}

void pm_power_button(struct pm *pm)
{
	pthread_mutex_lock(&pm->lock);
	pm->status |= PM1_PWRBTN;
	update_irq(pm);
	pthread_mutex_unlock(&pm->lock);
}
