/* SPDX-License-Identifier: GPL-2.0 */
/* What the host wants of the running thread before it enters a guest again. */
#ifndef NESTVM_HOST_WORK_H
#define NESTVM_HOST_WORK_H

/*
 * Reschedule and run task work (the process's CPU timers are such). Preemptible, IRQs
 * on. 0; -EINTR: a signal waits, return to user space.
 */
int host_work(void);

#endif
