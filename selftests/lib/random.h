/* SPDX-License-Identifier: GPL-2.0 */
/* Random numbers that a seed repeats, and the settings of tests that use them. */
#ifndef SELFTESTS_RANDOM_H
#define SELFTESTS_RANDOM_H

void random_seed(unsigned long long seed);
unsigned long long random64(void);
unsigned int below(unsigned int n);		/* 0 to @n - 1 */

/* $@name of the environment, else @value. The machine's: --append NAME=N. */
unsigned long long from_env(const char *name, unsigned long long value);

#endif
