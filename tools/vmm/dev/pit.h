/* SPDX-License-Identifier: GPL-2.0 */
/*
 * 8254 interval timer: counter 0 is the timer interrupt, counter 2 the speaker's,
 * which calibration loops use. Modes 0, 2, 3 and 4, what counters run at is
 * computed from the host's clock when somebody looks.
 */
#ifndef VMM_PIT_H
#define VMM_PIT_H

#include "../../lib/libnestvm.h"

#define PIT_GSI 0

struct pit_counter {
	uint8_t mode, access;
	bool gate;
	uint32_t reload;		/* 1 to 65536 */
	bool loaded;			/* false between a mode and its count */
	uint64_t start_ns;
	uint8_t write_low;
	bool write_high, read_high;	/* second byte of a pair is next */
	bool latched, status_latched;
	uint16_t latch;
	uint8_t status;
};

struct pit {
	int timer_fd;
	bool speaker_data;
	uint64_t paused_ns;		/* since when the counters stand still, 0: they run */
	struct pit_counter counter[3];
};

int pit_init(struct pit *pit, struct nvl_error *err);
void pit_destroy(struct pit *pit);
/* The timer's file is readable: has counter 0 reached its end? */
bool pit_expired(struct pit *pit);
void pit_pause(struct pit *pit);
void pit_unpause(struct pit *pit);
uint8_t pit_read(struct pit *pit, uint64_t off);
void pit_write(struct pit *pit, uint64_t off, uint8_t v);
uint8_t pit_speaker_read(struct pit *pit);
void pit_speaker_write(struct pit *pit, uint8_t v);

#endif
