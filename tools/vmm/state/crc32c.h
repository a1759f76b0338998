/* SPDX-License-Identifier: GPL-2.0 */
/* CRC-32C (Castagnoli; RFC 3720, appendix B.4), by the CPU where it can. */
#ifndef VMM_STATE_CRC32C_H
#define VMM_STATE_CRC32C_H

#include <stddef.h>
#include <stdint.h>

/* Start with 0; continue with what the last call returned. */
uint32_t crc32c(uint32_t crc, const void *data, size_t len);

#endif
