/* SPDX-License-Identifier: GPL-2.0 */
/* The checksum of a file in an export: the same whether it has holes or zeros somewhere. */
#ifndef CLI_FILE_SUM_H
#define CLI_FILE_SUM_H

#include "ctl.h"

#define FILE_SUM_BLOCK	(64u << 10)

/* @sum goes on with @n bytes at @off; all but the last of a file are FILE_SUM_BLOCK long. */
uint32_t file_sum_block(uint32_t sum, off_t off, const uint8_t *buf, size_t n);

/* Of all of a file, which nobody else writes to. -1 with errno. */
int file_sum(const char *path, off_t *bytes, uint32_t *sum, struct ctl_progress *progress);

#endif
