/* SPDX-License-Identifier: GPL-2.0 */
/* What selftests/mem_layouts.c and its guest agree on. */
#ifndef SELFTESTS_LAYOUTS_H
#define SELFTESTS_LAYOUTS_H

/*
 * args[0]: what to do; [1]: where, [2]: how many pages, [3]: what the guest writes into
 * the first of them; [4]: the roaming ends;
 * [5]: with which page to begin.
 */
#define LAYOUT_END	0
#define LAYOUT_PASS	1
#define LAYOUT_ROAM	2

/* Tables at GUEST_FREE: what may be done with each page, what was found in it. */
#define LAYOUT_MODES	0x800000
#define LAYOUT_TAGS	0x810000
#define LAYOUT_MARKS	0x820000
#define LAYOUT_READ	1
#define LAYOUT_WRITE	2

#endif
