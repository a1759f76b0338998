/* SPDX-License-Identifier: GPL-2.0 */
/* A command that must be refused: with which errno and, on nestvm, for which reason. */
#ifndef SELFTESTS_UAPI_H
#define SELFTESTS_UAPI_H

#include "vm.h"

/* Ends the case as skipped unless the device is nestvm. */
int nestvm_open(void);

/*
 * @reason: enum nestvm_refusal_id; NESTVM_REFUSED_NOTHING when no reason goes
 * with it. Looked at on nestvm only.
 */
void expect_refused(int line, int fd, unsigned long cmd, void *arg, int error, u32 reason);
#define EXPECT_REFUSED(fd, cmd, arg, error, reason) \
	expect_refused(__LINE__, fd, cmd, (void *)(uintptr_t)(arg), error, reason)

struct nestvm_device_info device_info(int dev);
struct nestvm_vm_info vm_info(int vm_fd);
struct nestvm_refusal last_refusal(int fd);

#endif
