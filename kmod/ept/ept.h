/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The door of ept/: guest memory of L1. Slots say what is where; EPT01 is
 * filled from them on demand. Knows VMs, never vCPUs.
 */
#ifndef NESTVM_EPT_H
#define NESTVM_EPT_H

#include <linux/mm_types.h>
#include <linux/mmu_notifier.h>
#include <linux/spinlock.h>
#include "addr.h"
#include "ept/ept_defs.h"
#include "ept/large.h"

struct nv_vm;
struct kvm_userspace_memory_region;
struct kvm_clear_dirty_log;
struct kvm_dirty_log;

#define NV_MAX_SLOTS	512

/* A range of guest-physical memory. Immutable once published, pages aside. */
struct nv_slot {
	u64 gfn;		/* first guest frame */
	u64 npages;
	u64 hva;		/* first byte in the owner's address space */
	u32 id;
	u32 flags;		/* KVM_MEM_* */
	struct page **pages;	/* static memory: every page, pinned; NULL: dynamic */
	struct user_struct *charged; /* for them; NULL: nobody, he may lock what he likes */
	struct ept_large large;	/* of static memory: where large leaves fit */
	unsigned long *dirty;	/* dirty log, one bit a page; NULL if off */
};

/*
 * Where @gfn is in the slot that was found for it: within the slot, also where the CPU
 * guesses that it is. The guest chooses the address.
 */
static inline u64 nv_slot_index(const struct nv_slot *slot, u64 gfn)
{
	return array_index_nospec(gfn - slot->gfn, slot->npages);
}

/* All slots, sorted by gfn. Replaced as a whole, read under vm->srcu. */
struct nv_slots {
	unsigned int count;
	struct nv_slot *slot[NV_MAX_SLOTS];
};

/*
 * The owner's address space as dynamic memory follows it. What was looked up
 * before @seq moved, or while a change of its address is under way, is stale.
 */
struct nv_notifier {
	struct mmu_notifier mn;
	bool registered;	/* vm->lock */
	/* ept.lock: */
	unsigned long seq;	/* changes that have ended */
	unsigned int active;	/* changes under way, */
	unsigned long start, end; /* all of them within these addresses */
};

struct nv_ept {
	spinlock_t lock;	/* everything below */
	hpa0_t root;
	u64 eptp;		/* what goes into vmcs01 */
	bool flags_off;		/* some vCPU runs without accessed flags; any */
	u64 table_pages;
	u64 mapped;		/* 4-KiB pages of the guest that are mapped now */
	unsigned long gen;	/* counts zaps; EPT02 roots compare */
	unsigned long flushed;	/* the last zap that no CPU remembers */
	struct list_head detached; /* tables out of the hierarchy, to be freed after a flush */
	struct nv_notifier notifier;
};

/* Was the access that of a walk to the guest's own tables, and not the one translated by them? */
static inline bool ept_walk_of_tables(u64 qual)
{
	return (qual & EPTV_LINEAR_VALID) && !(qual & EPTV_TRANSLATED);
}

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
 * Static memory only: what EPT01 would map at @gpa: frame of the host, largest level (1 = 4K,
 * 2 = 2M, 3 = 1G) at which the memory is one piece, and whether writing is
 * allowed. For EPT02. vm->srcu read-held. Same returns as ept_fault().
 */
struct nv_leaf {
	hpa0_t hpa;		/* of the 4-KiB page that holds gpa */
	unsigned int level;
	bool writable;
};

/*
 * Set at load: large leaves, of EPT01 and of EPT02, are not executable; a fetch splits
 * them. Where the CPU has iTLB multihit, a guest that executes from a page while its size
 * changes stops the machine (INTEL-SA-00210).
 */
extern bool ept_nx_large;

int ept_lookup(struct nv_vm *vm, gpa1_t gpa, bool write, struct nv_leaf *leaf);

/* KVM_SET_USER_MEMORY_REGION. vm->lock held. */
int slots_set(struct nv_vm *vm, const struct kvm_userspace_memory_region *r);
void slots_destroy(struct nv_vm *vm);

/* The slot that holds @gfn, or NULL. vm->srcu read-held. */
const struct nv_slot *slots_find(struct nv_vm *vm, u64 gfn);

/* Make memory dynamic or static. vm->lock held, no slots. -ENOMEM, -EINTR. */
int notifier_register(struct nv_vm *vm);
void notifier_unregister(struct nv_vm *vm);

/* KVM_GET_DIRTY_LOG, KVM_CLEAR_DIRTY_LOG. vm->lock held. */
int dirty_get(struct nv_vm *vm, struct kvm_dirty_log *log);
int dirty_clear(struct nv_vm *vm, const struct kvm_clear_dirty_log *log);

/*
 * The page was written. Called after the write: a log that is read in between
 * leaves the mark for the next one, whose reader then copies the page again.
 */
void dirty_mark(const struct nv_slot *slot, u64 gfn);

/* Totals over all VMs, for struct nestvm_device_info. */
u64 ept_total_pinned(void);
u64 ept_total_tables(void);

/* A page of paging structures, accounted; also for EPT02. */
void *ept_table_alloc(struct nv_vm *vm);
void ept_table_free(struct nv_vm *vm, void *table);

#endif
