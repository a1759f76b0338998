/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The host's memory as a canary: a process that has nothing to do with any VM holds
 * pages of known content, and gives some back and takes others now and then, so that it
 * gets what the processes under test have just let go. At the end all must be as written.
 */
#ifndef SELFTESTS_CANARY_H
#define SELFTESTS_CANARY_H

/* Before the test opens anything that the canary should not hold as well. */
void canary_start(unsigned int mib);

/* Some pages are given back and taken again. */
void canary_stir(void);

/* Fails the case unless every page is as it was written; how many there are. */
unsigned int canary_check(void);

#endif
