// SPDX-License-Identifier: GPL-2.0
#include "rtc.h"

#include <string.h>
#include <time.h>

enum {
	RTC_SECONDS = 0, RTC_MINUTES = 2, RTC_HOURS = 4, RTC_WEEKDAY = 6, RTC_DAY = 7,
	RTC_MONTH = 8, RTC_YEAR = 9, RTC_REG_A = 10, RTC_REG_B = 11, RTC_REG_C = 12,
	RTC_REG_D = 13, RTC_CENTURY = 0x32,
};

#define REG_A_RATE	0x26	/* 32768 Hz, 1024 Hz; bit 7, "update in progress", is clear */
#define REG_B_24H	0x02
#define REG_B_BINARY	0x04
#define REG_B_SET	0x80
#define REG_D_VALID	0x80

static uint8_t encode(const struct rtc *rtc, unsigned int v)
{
	return rtc->reg_b & REG_B_BINARY ? v : (v / 10) << 4 | v % 10;
}

static uint8_t time_field(const struct rtc *rtc, uint8_t index)
{
	time_t now = time(NULL);
	struct tm tm;

	gmtime_r(&now, &tm);
	switch (index) {
	case RTC_SECONDS:
		return encode(rtc, tm.tm_sec);
	case RTC_MINUTES:
		return encode(rtc, tm.tm_min);
	case RTC_HOURS:
		if (rtc->reg_b & REG_B_24H)
			return encode(rtc, tm.tm_hour);
		return encode(rtc, tm.tm_hour % 12 ? tm.tm_hour % 12 : 12) |
		       (tm.tm_hour >= 12 ? 0x80 : 0);
	case RTC_WEEKDAY:
		return encode(rtc, tm.tm_wday + 1);
	case RTC_DAY:
		return encode(rtc, tm.tm_mday);
	case RTC_MONTH:
		return encode(rtc, tm.tm_mon + 1);
	case RTC_YEAR:
		return encode(rtc, tm.tm_year % 100);
	default:
		return encode(rtc, 19 + tm.tm_year / 100);
	}
}

static uint8_t register_read(struct rtc *rtc)
{
	switch (rtc->index) {
	case RTC_SECONDS:
	case RTC_MINUTES:
	case RTC_HOURS:
	case RTC_WEEKDAY:
	case RTC_DAY:
	case RTC_MONTH:
	case RTC_YEAR:
	case RTC_CENTURY:
		return time_field(rtc, rtc->index);
	case RTC_REG_A:
		return REG_A_RATE;
	case RTC_REG_B:
		return rtc->reg_b;
	case RTC_REG_C:
		return 0;
	case RTC_REG_D:
		return REG_D_VALID;
	default:
		return rtc->cmos[rtc->index];
	}
}

static uint64_t rtc_read(void *dev, uint64_t off, unsigned int len)
{
	struct rtc *rtc = dev;
	uint8_t v = 0xff;

	(void)len;
	pthread_mutex_lock(&rtc->lock);
	if (off == 1)
		v = register_read(rtc);
	pthread_mutex_unlock(&rtc->lock);
	return v;
}

static void rtc_write(void *dev, uint64_t off, unsigned int len, uint64_t value)
{
	struct rtc *rtc = dev;
	uint8_t v = value;

	(void)len;
	pthread_mutex_lock(&rtc->lock);
	if (off == 0)
		rtc->index = v & 0x7f;
	else if (rtc->index == RTC_REG_B)
		rtc->reg_b = v & (REG_B_24H | REG_B_BINARY | REG_B_SET);
	else
		rtc->cmos[rtc->index] = v;
	pthread_mutex_unlock(&rtc->lock);
}

const struct bus_ops rtc_bus_ops = { rtc_read, rtc_write };

void rtc_init(struct rtc *rtc, uint64_t ram_low, uint64_t ram_high)
{
	uint64_t above_16m = ram_low > 16 << 20 ? (ram_low - (16 << 20)) >> 16 : 0;
	uint64_t above_1m = ram_low > 1 << 20 ? (ram_low - (1 << 20)) >> 10 : 0;

	memset(rtc, 0, sizeof(*rtc));
	pthread_mutex_init(&rtc->lock, NULL);
	rtc->reg_b = REG_B_24H;

	/* Memory sizes where the firmware of a PC leaves them, for SeaBIOS. */
	if (above_1m > 0xffff)
		above_1m = 0xffff;
	rtc->cmos[0x15] = 640 & 0xff;
	rtc->cmos[0x16] = 640 >> 8;
	rtc->cmos[0x17] = above_1m;
	rtc->cmos[0x18] = above_1m >> 8;
	rtc->cmos[0x30] = above_1m;
	rtc->cmos[0x31] = above_1m >> 8;
	rtc->cmos[0x34] = above_16m;
	rtc->cmos[0x35] = above_16m >> 8;
	rtc->cmos[0x5b] = ram_high >> 16;
	rtc->cmos[0x5c] = ram_high >> 24;
	rtc->cmos[0x5d] = ram_high >> 32;
}
