/* SPDX-License-Identifier: GPL-2.0 */
/* Records of guest memory. Private to state/. */
#ifndef VMM_STATE_MEMORY_H
#define VMM_STATE_MEMORY_H

#include "state.h"

#define PAGE_BYTES	4096u
#define MEMORY_SECTION	"memory"
#define MEMORY_VERSION	1

/* Puts a record where it belongs; *@zstd begins as NULL and ends at memory_zstd_free(). */
int memory_get(struct nvl_vm *vm, void **zstd, const struct stream_record *rec, uint64_t *bytes,
	       struct nvl_error *err);
void memory_zstd_free(void *zstd);

#endif
