// SPDX-License-Identifier: GPL-2.0
#include "random.h"

#include <stdlib.h>

static unsigned long long state;

void random_seed(unsigned long long seed)
{
	state = seed;
}

/* splitmix64: the whole state is one number, so a seed repeats a run. */
unsigned long long random64(void)
{
	unsigned long long z = state += 0x9e3779b97f4a7c15;

	z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9;
	z = (z ^ z >> 27) * 0x94d049bb133111eb;
	return z ^ z >> 31;
}

unsigned int below(unsigned int n)
{
	return random64() % n;
}

unsigned long long from_env(const char *name, unsigned long long value)
{
	return getenv(name) ? strtoull(getenv(name), NULL, 0) : value;
}
