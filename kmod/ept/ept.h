/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The door of ept/: guest memory of L1. Slots say what is where; EPT01 is
 * filled from them on demand. Knows VMs, never vCPUs.
 */
#ifndef NESTVM_EPT_H
#define NESTVM_EPT_H

#include <linux/mm_types.h>
#include <linux/spinlock.h>
#include "addr.h"
#include "ept/ept_defs.h"

struct nv_vm;
struct kvm_userspace_memory_region;
struct kvm_dirty_log;

#define NV_MAX_SLOTS	512

/* A range of guest-physical memory. Immutable once published, pages aside. */
struct nv_slot {
	u64 gfn;		/* first guest frame */
	u64 npages;
	u64 hva;		/* first byte in the owner's address space */
	u32 id;
	u32 flags;		/* KVM_MEM_* */
	struct page **pages;	/* static memory: every page, pinned; else NULL */
	unsigned long *dirty;	/* dirty log, one bit a page; NULL if off */
};

/* All slots, sorted by gfn. Replaced as a whole, read under vm->srcu. */
struct nv_slots {
	unsigned int count;
	struct nv_slot *slot[NV_MAX_SLOTS];
};

struct nv_ept {
	spinlock_t lock;	/* the tables below root */
	hpa_t root;
	u64 eptp;		/* what goes into vmcs01 */
	u64 table_pages;
	unsigned long gen;	/* counts zaps; EPT02 roots compare */
};

int ept_create(struct nv_vm *vm);
void ept_destroy(struct nv_vm *vm);

/*
 * A violation of EPT01 at @gpa by an access that needs @need (EPT_R/W/X bits):
 * map the page. vm->srcu read-held. Returns EPT_FILLED, EPT_NO_SLOT (MMIO),
 * EPT_READ_ONLY (write to a read-only slot) or a negative errno.
 */
enum { EPT_FILLED = 0, EPT_NO_SLOT = 1, EPT_READ_ONLY = 2 };
int ept_fault(struct nv_vm *vm, gpa1_t gpa, unsigned int need);

/*
 * What EPT01 would map at @gpa: frame of the host, largest level (1 = 4K,
 * 2 = 2M, 3 = 1G) at which the memory is one piece, and whether writing is
 * allowed. For EPT02. vm->srcu read-held. Same returns as ept_fault().
 */
struct nv_leaf {
	hpa_t hpa;		/* of the 4-KiB page that holds gpa */
	unsigned int level;
	bool writable;
};

int ept_lookup(struct nv_vm *vm, gpa1_t gpa, bool write, struct nv_leaf *leaf);

/* KVM_SET_USER_MEMORY_REGION. vm->lock held. */
int slots_set(struct nv_vm *vm, const struct kvm_userspace_memory_region *r);
int slots_get_dirty(struct nv_vm *vm, struct kvm_dirty_log *log);
void slots_destroy(struct nv_vm *vm);

/* The slot that holds @gfn, or NULL. vm->srcu read-held. */
const struct nv_slot *slots_find(struct nv_vm *vm, u64 gfn);
void slots_mark_dirty(const struct nv_slot *slot, u64 gfn);

/* Totals over all VMs, for struct nestvm_device_info. */
u64 ept_total_pinned(void);
u64 ept_total_tables(void);

/* A page of paging structures, accounted; also for EPT02. */
void *ept_table_alloc(struct nv_vm *vm);
void ept_table_free(struct nv_vm *vm, void *table);

#endif
