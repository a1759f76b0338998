/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Guest memory from the kernel's side: by guest-physical address of L1, and by
 * linear address of whatever runs now. vm->srcu read-held, process context.
 */
#ifndef NESTVM_GMEM_H
#define NESTVM_GMEM_H

#include <linux/mm_types.h>
#include "addr.h"
#include "pure.h"

struct nv_vm;
struct nv_vcpu;

/* Both may cross pages and slots. 0, or -EFAULT if part of it is no memory (MMIO). */
int gmem_read(struct nv_vm *vm, gpa1_t gpa, void *buf, size_t len);
int gmem_write(struct nv_vm *vm, gpa1_t gpa, const void *buf, size_t len);

/*
 * An aligned u64 or u32 by one access, as a processor reads an entry of a table: what
 * another writes is seen whole or not at all. 0, or -EFAULT, also where it is unaligned.
 */
int gmem_read64(struct nv_vm *vm, gpa1_t gpa, u64 *val);
int gmem_read32(struct nv_vm *vm, gpa1_t gpa, u32 *val);

/* Atomic compare and exchange of an aligned u64 or u32. 1 if it was not @old. */
int gmem_cmpxchg64(struct nv_vm *vm, gpa1_t gpa, u64 old, u64 new);
int gmem_cmpxchg32(struct nv_vm *vm, gpa1_t gpa, u32 old, u32 new);
/* The same of @len bytes within an aligned u64; -EINVAL if they are not within one. */
int gmem_cmpxchg(struct nv_vm *vm, gpa1_t gpa, const void *old, const void *new, size_t len);

/*
 * A page of guest memory with a reference of its own, mapped in the kernel.
 * Stays valid if the slot goes away; whoever keeps it across entries drops it
 * at REQ_EPT01_CHANGED, so that a new slot at the address is seen.
 */
struct nv_gpage {
	struct page *page;	/* NULL: not mapped */
	void *va;
	gpa1_t gpa;		/* of the page */
	hpa0_t hpa;
};

/* @write: we or hardware will, which a read-only slot does not allow, and which is logged. */
int gmem_map(struct nv_vm *vm, gpa1_t gpa, bool write, struct nv_gpage *p);
/* @dirty: it was written. Unmapped is fine. */
void gmem_unmap(struct nv_vm *vm, struct nv_gpage *p, bool dirty);

/* An exception that an access by linear address meets; or an EPT12 exit to L1. */
struct nv_fault {
	u8 vector;
	u32 error;
	u64 cr2;
	/*
	 * L2's access met a violation or misconfiguration of EPT12: the exit that
	 * L1 must get (VMEXIT_EPT_*), with its qualification and gpa2; else 0.
	 */
	u32 nested_exit;
	u64 nested_qual;
	u64 nested_gpa2;
};

#define GMEM_READ	0u
#define GMEM_WRITE	1u
#define GMEM_FETCH	2u
#define GMEM_SYSTEM	4u	/* with one of the above: implicit supervisor access */

/*
 * Translate with the running guest's paging (L2's goes on through EPT12, so
 * that the result is always L1's address). Returns 0; -EINTR with @fault set;
 * -EFAULT if paging structures lie outside memory.
 */
int gmem_translate(struct nv_vcpu *vcpu, u64 la, unsigned int access, gpa1_t *gpa,
		   struct nv_fault *fault);

/*
 * Read or write by linear address; page crossing is fine. 0; -EINTR with @fault
 * set (raise it); -EFAULT if it is not memory (MMIO, or nothing).
 */
int gmem_read_la(struct nv_vcpu *vcpu, u64 la, void *buf, size_t len, unsigned int access,
		 struct nv_fault *fault);
int gmem_write_la(struct nv_vcpu *vcpu, u64 la, const void *buf, size_t len,
		  struct nv_fault *fault);

/* Raise what an access met: an exception in the running guest, or L1's exit. */
void gmem_raise(struct nv_vcpu *vcpu, const struct nv_fault *fault);

#endif
