/* SPDX-License-Identifier: GPL-2.0 */
/* Why the last command on a file was refused: a number and a sentence. */
#ifndef NESTVM_REFUSAL_H
#define NESTVM_REFUSAL_H

#include <linux/spinlock.h>
#include <linux/types.h>

struct nv_refusal {
	spinlock_t lock;
	u32 id;
	int error;
	char text[240];
};

void nv_refusal_init(struct nv_refusal *r);

/* Note the reason and return @error (negative), to be returned in turn. */
__printf(4, 5)
int nv_refuse(struct nv_refusal *r, u32 id, int error, const char *fmt, ...);

/* NESTVM_GET_REFUSAL. @arg: struct nestvm_refusal, already sized. */
int nv_refusal_get(struct nv_refusal *r, void *arg);

#endif
