/* SPDX-License-Identifier: GPL-2.0 */
/* The kernel's packet filter, by libnftables: our tables are made and removed as a whole. */
#ifndef NET_NFT_H
#define NET_NFT_H

#include "../conf/reasons.h"

/* Runs @commands as one transaction: all of them happen or none. @what names it for the user. */
int nft_run(const char *commands, const char *what, struct refusal *r);

struct nft_table {
	char family[8];
	char name[128];
	char comment[256];
};

/* The tables whose names begin with @prefix, malloc()ed; how many, or -1 with @r. */
int nft_tables(const char *prefix, struct nft_table **tables, struct refusal *r);

#endif
