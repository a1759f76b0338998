// SPDX-License-Identifier: GPL-2.0
#include "crc32c.h"

#include <stdbool.h>
#include <string.h>

#define POLYNOMIAL 0x82f63b78u	/* reversed 1EDC6F41H */

static uint32_t by_bits(uint32_t crc, const uint8_t *p, size_t len)
{
	unsigned int bit;

	while (len--) {
		crc ^= *p++;
		for (bit = 0; bit < 8; bit++)
			crc = crc & 1 ? crc >> 1 ^ POLYNOMIAL : crc >> 1;
	}
	return crc;
}

#ifdef __x86_64__
__attribute__((target("sse4.2")))
static uint32_t by_cpu(uint32_t crc, const uint8_t *p, size_t len)
{
	uint64_t wide = crc, v;

	for (; len >= 8; len -= 8, p += 8) {
		memcpy(&v, p, 8);
		wide = __builtin_ia32_crc32di(wide, v);
	}
	crc = wide;
	for (; len; len--, p++)
		crc = __builtin_ia32_crc32qi(crc, *p);
	return crc;
}

static bool cpu_can(void)
{
	return __builtin_cpu_supports("sse4.2");
}
#else
static uint32_t by_cpu(uint32_t crc, const uint8_t *p, size_t len)
{
	return by_bits(crc, p, len);
}

static bool cpu_can(void)
{
	return false;
}
#endif

uint32_t crc32c(uint32_t crc, const void *data, size_t len)
{
	return ~(cpu_can() ? by_cpu(~crc, data, len) : by_bits(~crc, data, len));
}
