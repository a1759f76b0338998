// SPDX-License-Identifier: GPL-2.0
/* The main thread while the vCPUs run: signals, time limit, timers, and the loop. */
#include "machine.h"

#include <errno.h>
#include <signal.h>
#include <string.h>
#include <sys/signalfd.h>
#include <sys/timerfd.h>
#include <unistd.h>

static int open_signals(void)
{
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGINT);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGHUP);
	return signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
}

static int open_timer(unsigned int seconds)
{
	struct itimerspec when = { .it_value.tv_sec = seconds };
	int fd = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK);

	if (fd >= 0)
		timerfd_settime(fd, 0, &when, NULL);
	return fd;
}

static void on_signal(void *ctx, int fd, short revents)
{
	struct signalfd_siginfo si;

	(void)revents;
	if (read(fd, &si, sizeof(si)) == sizeof(si))
		machine_end(ctx, END_STOPPED, si.ssi_signo, NULL, "stopped by signal %u (%s)",
			    si.ssi_signo, strsignal(si.ssi_signo));
}

static void on_time_limit(void *ctx, int fd, short revents)
{
	struct machine *m = ctx;

	(void)fd;
	(void)revents;
	machine_end(m, END_TIMEOUT, 0, NULL, "guest still ran after %u seconds and was stopped",
		    m->conf->timeout);
}

static void on_pit(void *ctx, int fd, short revents)
{
	(void)fd;
	(void)revents;
	chips_timer(ctx);
}

/* Only there to end the wait; what changed is looked at before the next one. */
static void on_wake(void *ctx, int fd, short revents)
{
	uint64_t n;

	(void)ctx;
	(void)revents;
	if (read(fd, &n, sizeof(n)) < 0)
		return;
}

static int turn_until_end(struct machine *m, struct nvl_error *err)
{
	int ret;

	while (!__atomic_load_n(&m->stopping, __ATOMIC_ACQUIRE)) {
		ret = loop_turn(&m->loop, console_before_wait(&m->console), err);
		if (ret < 0)
			return ret;
		console_after_wait(&m->console);
	}
	return 0;
}

int machine_serve(struct machine *m, struct nvl_error *err)
{
	const struct {
		int fd;
		loop_fn fn;
		void *ctx;
	} watch[] = {
		{ m->wake_fd, on_wake, m },
		{ open_signals(), on_signal, m },
		{ m->conf->timeout ? open_timer(m->conf->timeout) : -1, on_time_limit, m },
		{ m->split ? m->chips.pit.timer_fd : -1, on_pit, &m->chips },
	};
	unsigned int i;
	int ret = 0;

	if (watch[1].fd < 0 || (m->conf->timeout && watch[2].fd < 0))
		ret = nvl_fail(err, errno, "no file for signals or the time limit: %s.",
			       strerror(errno));
	for (i = 0; ret == 0 && i < sizeof(watch) / sizeof(watch[0]); i++)
		if (watch[i].fd >= 0 &&
		    loop_add(&m->loop, watch[i].fd, POLLIN, watch[i].fn, watch[i].ctx) < 0)
			ret = nvl_fail(err, ENOMEM, "no memory left for the main loop.");
	if (ret == 0)
		ret = turn_until_end(m, err);
	for (i = 0; i < sizeof(watch) / sizeof(watch[0]); i++)
		loop_remove(&m->loop, watch[i].fd);
	if (watch[1].fd >= 0)
		close(watch[1].fd);
	if (watch[2].fd >= 0)
		close(watch[2].fd);
	return ret;
}
