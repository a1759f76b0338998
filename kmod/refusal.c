// SPDX-License-Identifier: GPL-2.0
/* Keep the last refusal of a file, for NESTVM_GET_REFUSAL. */
#include "refusal.h"
#include <linux/kernel.h>
#include <linux/string.h>
#include <uapi/nestvm.h>

static_assert(sizeof_field(struct nv_refusal, text) == sizeof_field(struct nestvm_refusal, text));

void nv_refusal_init(struct nv_refusal *r)
{
	memset(r, 0, sizeof(*r));
	spin_lock_init(&r->lock);
}

int nv_refuse(struct nv_refusal *r, u32 id, int error, const char *fmt, ...)
{
	va_list args;

	spin_lock(&r->lock);
	r->id = id;
	r->error = -error;
	va_start(args, fmt);
	vscnprintf(r->text, sizeof(r->text), fmt, args);
	va_end(args);
	spin_unlock(&r->lock);
	return error;
}

int nv_refusal_get(struct nv_refusal *r, void *arg)
{
	struct nestvm_refusal *out = arg;

	spin_lock(&r->lock);
	out->id = r->id;
	out->error = r->error;
	out->reserved = 0;
	memcpy(out->text, r->text, sizeof(out->text));
	spin_unlock(&r->lock);
	return 0;
}
