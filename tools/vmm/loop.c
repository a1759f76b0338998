// SPDX-License-Identifier: GPL-2.0
/* The main thread: terminal, signals and the time limit while the vCPUs run. */
#include "machine.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/signalfd.h>
#include <sys/timerfd.h>
#include <unistd.h>

/* How long output is collected before it is written. */
#define OUTPUT_DELAY_MS 10

enum { FD_WAKE, FD_SIGNAL, FD_TIMER, FD_PIT, FD_INPUT, NFDS };

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

static void on_signal(struct machine *m, int fd)
{
	struct signalfd_siginfo si;

	if (read(fd, &si, sizeof(si)) == sizeof(si))
		machine_end(m, END_STOPPED, si.ssi_signo, NULL, "stopped by signal %u (%s)",
			    si.ssi_signo, strsignal(si.ssi_signo));
}

static void on_input(struct machine *m)
{
	switch (tty_read(&m->tty)) {
	case TTY_KEY_STOP:
		machine_end(m, END_STOPPED, SIGINT, NULL, "stopped by the operator");
		break;
	case TTY_KEY_POWER:
		pm_power_button(&m->pm);
		break;
	case TTY_KEY_NONE:
		break;
	}
}

static bool ended(struct machine *m)
{
	return __atomic_load_n(&m->stopping, __ATOMIC_ACQUIRE);
}

static int loop(struct machine *m, struct pollfd *fds, struct nvl_error *err)
{
	uint64_t n;

	while (!ended(m)) {
		bool output = tty_pending(&m->tty);

		fds[FD_INPUT].fd = tty_wants_input(&m->tty) ? STDIN_FILENO : -1;
		if (poll(fds, NFDS, output ? OUTPUT_DELAY_MS : -1) < 0 && errno != EINTR)
			return nvl_fail(err, errno, "waiting for events failed: %s.",
					strerror(errno));
		if (output)
			tty_flush(&m->tty);
		if (fds[FD_WAKE].revents && read(m->wake_fd, &n, sizeof(n)) < 0)
			continue;
		if (fds[FD_SIGNAL].revents)
			on_signal(m, fds[FD_SIGNAL].fd);
		if (fds[FD_TIMER].revents)
			machine_end(m, END_TIMEOUT, 0, NULL,
				    "guest still ran after %u seconds and was stopped",
				    m->conf->timeout);
		if (fds[FD_PIT].revents)
			chips_timer(&m->chips);
		if (fds[FD_INPUT].revents)
			on_input(m);
	}
	return 0;
}

int loop_run(struct machine *m, struct nvl_error *err)
{
	struct pollfd fds[NFDS] = {
		[FD_WAKE] = { .fd = m->wake_fd, .events = POLLIN },
		[FD_SIGNAL] = { .fd = open_signals(), .events = POLLIN },
		[FD_TIMER] = { .fd = -1, .events = POLLIN },
		[FD_PIT] = { .fd = m->split ? m->chips.pit.timer_fd : -1, .events = POLLIN },
		[FD_INPUT] = { .fd = -1, .events = POLLIN },
	};
	int ret;

	if (m->conf->timeout)
		fds[FD_TIMER].fd = open_timer(m->conf->timeout);
	if (fds[FD_SIGNAL].fd < 0 || (m->conf->timeout && fds[FD_TIMER].fd < 0)) {
		ret = nvl_fail(err, errno, "no file for signals or the time limit: %s.",
			       strerror(errno));
	} else {
		tty_start(&m->tty);
		ret = loop(m, fds, err);
	}
	close(fds[FD_SIGNAL].fd);
	if (fds[FD_TIMER].fd >= 0)
		close(fds[FD_TIMER].fd);
	return ret;
}
