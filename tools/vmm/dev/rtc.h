/* SPDX-License-Identifier: GPL-2.0 */
/*
 * MC146818 clock and CMOS memory at ports 70H/71H, in UTC. It tells the time;
 * setting it, alarms and periodic interrupts are not there.
 */
#ifndef VMM_RTC_H
#define VMM_RTC_H

#include "../bus.h"

#include <pthread.h>

struct rtc {
	pthread_mutex_t lock;
	uint8_t index;
	uint8_t reg_b;
	uint8_t cmos[128];
};

extern const struct bus_ops rtc_bus_ops;

void rtc_init(struct rtc *rtc, uint64_t ram_low, uint64_t ram_high);

#endif
