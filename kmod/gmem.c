// SPDX-License-Identifier: GPL-2.0
/* Guest memory from the kernel's side. */
#include "gmem.h"
#include <linux/kvm.h>
#include <linux/io.h>
#include <linux/mm.h>
#include <linux/uaccess.h>
#include "cpu.h"
#include "cpuid_bits.h"
#include "ept/ept.h"
#include "gwalk.h"
#include "nested/nested.h"
#include "vcpu.h"

static const struct nv_slot *slot_at(struct nv_vm *vm, gpa1_t gpa, bool write)
{
	const struct nv_slot *slot = slots_find(vm, gpa1_pfn(gpa));

	if (!slot || (write && (slot->flags & KVM_MEM_READONLY)))
		return NULL;
	/* Dynamic memory is reached through its owner's address space, which may sleep. */
	if (!slot->pages && current->mm != vm->mm)
		return NULL;
	return slot;
}

/* The kernel's address of static memory. */
static void *pinned_at(const struct nv_slot *slot, gpa1_t gpa)
{
	return page_address(slot->pages[gpa1_pfn(gpa) - slot->gfn]) + (gpa.v & ~PAGE_MASK);
}

/* The owner's address of dynamic memory. */
static void __user *owners(const struct nv_slot *slot, gpa1_t gpa)
{
	return (void __user *)(slot->hva + (gpa.v - (slot->gfn << PAGE_SHIFT)));
}

int gmem_read(struct nv_vm *vm, gpa1_t gpa, void *buf, size_t len)
{
	while (len) {
		size_t n = min(len, PAGE_SIZE - (gpa.v & ~PAGE_MASK));
		const struct nv_slot *slot = slot_at(vm, gpa, false);

		if (!slot)
			return -EFAULT;
		if (slot->pages)
			memcpy(buf, pinned_at(slot, gpa), n);
		else if (copy_from_user(buf, owners(slot, gpa), n))
			return -EFAULT;
		gpa.v += n;
		buf += n;
		len -= n;
	}
	return 0;
}

int gmem_write(struct nv_vm *vm, gpa1_t gpa, const void *buf, size_t len)
{
	while (len) {
		size_t n = min(len, PAGE_SIZE - (gpa.v & ~PAGE_MASK));
		const struct nv_slot *slot = slot_at(vm, gpa, true);

		if (!slot)
			return -EFAULT;
		if (slot->pages)
			memcpy(pinned_at(slot, gpa), buf, n);
		else if (copy_to_user(owners(slot, gpa), buf, n))
			return -EFAULT;
		dirty_mark(slot, gpa1_pfn(gpa));
		gpa.v += n;
		buf += n;
		len -= n;
	}
	return 0;
}

/* gmem_read32(), gmem_read64(): gmem_read() copies by bytes where that is quicker. */
#define GMEM_READ_ONCE(bits)							\
int gmem_read##bits(struct nv_vm *vm, gpa1_t gpa, u##bits *val)			\
{										\
	const struct nv_slot *slot = slot_at(vm, gpa, false);			\
										\
	if (!slot || (gpa.v & (sizeof(*val) - 1)))				\
		return -EFAULT;							\
	if (!slot->pages)							\
		return get_user(*val, (u##bits __user *)owners(slot, gpa));	\
	*val = READ_ONCE(*(u##bits *)pinned_at(slot, gpa));			\
	return 0;								\
}

GMEM_READ_ONCE(32)
GMEM_READ_ONCE(64)

/*
 * owners_cmpxchg32(), gmem_cmpxchg32() and those of 64 bits, which differ in nothing else.
 * 0; 1 if it was not @old; -EFAULT: there is no memory that may be written, or unaligned.
 */
#define GMEM_CMPXCHG(bits)							\
static int owners_cmpxchg##bits(u##bits __user *p, u##bits old, u##bits new)	\
{										\
	int ret;								\
										\
	if (!user_access_begin(p, sizeof(*p)))					\
		return -EFAULT;							\
	ret = !unsafe_try_cmpxchg_user(p, &old, new, fault);			\
	user_access_end();							\
	return ret;								\
fault:										\
	user_access_end();							\
	return -EFAULT;								\
}										\
										\
int gmem_cmpxchg##bits(struct nv_vm *vm, gpa1_t gpa, u##bits old, u##bits new)	\
{										\
	const struct nv_slot *slot = slot_at(vm, gpa, true);			\
	int ret;								\
										\
	if (!slot || (gpa.v & (sizeof(old) - 1)))				\
		return -EFAULT;							\
	if (slot->pages)							\
		ret = cmpxchg((u##bits *)pinned_at(slot, gpa), old, new) != old;	\
	else									\
		ret = owners_cmpxchg##bits(owners(slot, gpa), old, new);	\
	if (!ret)								\
		dirty_mark(slot, gpa1_pfn(gpa));				\
	return ret;								\
}

GMEM_CMPXCHG(32)
GMEM_CMPXCHG(64)

/* Neighbours in the u64 may change as well; this often it is tried again. */
#define CMPXCHG_TRIES	8

int gmem_cmpxchg(struct nv_vm *vm, gpa1_t gpa, const void *old, const void *new, size_t len)
{
	const gpa1_t at = gpa1(gpa.v & ~7ull);
	size_t offset = gpa.v & 7;
	int ret, tries;
	u64 was, will;

	if (!slot_at(vm, gpa, true))
		return -EFAULT;
	if (offset + len > sizeof(was))
		return -EINVAL;
	for (tries = 0; tries < CMPXCHG_TRIES; tries++) {
		ret = gmem_read64(vm, at, &was);
		if (ret)
			return ret;
		if (memcmp((u8 *)&was + offset, old, len))
			return 1;
		will = was;
		memcpy((u8 *)&will + offset, new, len);
		ret = gmem_cmpxchg64(vm, at, was, will);
		if (ret <= 0)
			return ret;
	}
	return 1;
}

int gmem_map(struct nv_vm *vm, gpa1_t gpa, bool write, struct nv_gpage *p)
{
	const struct nv_slot *slot = slot_at(vm, gpa, write);

	p->page = NULL;
	/* Only what does not move can be kept. Nested VT-x asks, which has static memory. */
	if (!slot || !slot->pages)
		return -EFAULT;
	p->page = slot->pages[gpa1_pfn(gpa) - slot->gfn];
	get_page(p->page);
	p->va = page_address(p->page);
	p->gpa = gpa1_of_pfn(gpa1_pfn(gpa));
	p->hpa = hpa(page_to_phys(p->page));
	/* Hardware writes unseen from now on. Who reads the log has it mapped, and marked, anew. */
	if (write)
		dirty_mark(slot, gpa1_pfn(gpa));
	return 0;
}

void gmem_unmap(struct nv_vm *vm, struct nv_gpage *p, bool dirty)
{
	const struct nv_slot *slot;

	if (!p->page)
		return;
	if (dirty) {
		slot = slots_find(vm, gpa1_pfn(p->gpa));
		if (slot)
			dirty_mark(slot, gpa1_pfn(p->gpa));
	}
	put_page(p->page);
	p->page = NULL;
	p->va = NULL;
}

/* One walk of the running guest's tables: its memory, and what stopped it. */
struct walk {
	struct nv_vcpu *vcpu;
	struct nv_fault *fault;
	bool faulted;
};

/* An address that the walk uses: L2's goes through EPT12 first. */
static bool table_address(struct walk *w, u64 gpa, bool write, gpa1_t *out)
{
	int ret;

	if (!w->vcpu->l2 || !nested_has_ept12(w->vcpu)) {
		*out = gpa1(gpa);
		return true;
	}
	ret = nested_translate(w->vcpu, gpa2(gpa), write ? GMEM_WRITE : GMEM_READ, true, out,
			       w->fault);
	if (ret == -EINTR)
		w->faulted = true;
	return !ret;
}

static bool walk_read(void *ctx, u64 gpa, unsigned int size, u64 *entry)
{
	struct walk *w = ctx;
	gpa1_t at;
	u32 half;

	if (!table_address(w, gpa, false, &at))
		return false;
	if (size == sizeof(*entry))
		return !gmem_read64(w->vcpu->vm, at, entry);
	if (gmem_read32(w->vcpu->vm, at, &half))
		return false;
	*entry = half;
	return true;
}

static enum gwalk_xchg walk_cmpxchg(void *ctx, u64 gpa, unsigned int size, u64 old, u64 new)
{
	struct walk *w = ctx;
	gpa1_t at;
	int ret;

	if (!table_address(w, gpa, true, &at))
		return GWALK_XCHG_NO_MEMORY;
	if (size == 8)
		ret = gmem_cmpxchg64(w->vcpu->vm, at, old, new);
	else
		ret = gmem_cmpxchg32(w->vcpu->vm, at, old, new);
	if (ret < 0)
		return GWALK_XCHG_DONE;	/* ROM: the write is ignored */
	return ret ? GWALK_XCHG_CHANGED : GWALK_XCHG_DONE;
}

static const struct gwalk_ops walk_ops = { .read = walk_read, .exchange = walk_cmpxchg };

static void paging_state(struct nv_vcpu *vcpu, struct gwalk_regs *r)
{
	int i;

	*r = (struct gwalk_regs) {
		.cr0 = cpu_cr0(vcpu),
		.cr3 = vmx_cr3(vcpu),
		.cr4 = cpu_cr4(vcpu),
		.efer = vmx_efer(vcpu),
		.rflags = vmx_rflags(),
		.cpl = vmx_cpl(vcpu),
		.maxphyaddr = vcpu->features.maxphyaddr,
		.page1g = vcpu->features.f80000001_edx & CPUID_80000001_EDX_PDPE1GB,
	};
	if ((r->cr0 & CR0_PG) && (r->cr4 & CR4_PAE) && !(r->efer & IA32_EFER_LMA))
		for (i = 0; i < 4; i++)
			r->pdpte[i] = vmcs_read(VMCS_GUEST_PDPTE0 + 2 * i);
}

int gmem_translate(struct nv_vcpu *vcpu, u64 la, unsigned int access, gpa1_t *gpa,
		   struct nv_fault *fault)
{
	struct walk w = { .vcpu = vcpu, .fault = fault };
	struct gwalk_regs regs;
	unsigned int how = 0;
	struct gwalk walk;

	*fault = (struct nv_fault) { .cr2 = la };
	if (access & GMEM_WRITE)
		how |= GWALK_WRITE;
	if (access & GMEM_FETCH)
		how |= GWALK_FETCH;
	if (access & GMEM_SYSTEM)
		how |= GWALK_IMPLICIT;
	paging_state(vcpu, &regs);
	switch (gwalk(&walk, &regs, &walk_ops, &w, la, how)) {
	case GWALK_OK:
		break;
	case GWALK_FAULT:
		fault->vector = VEC_PF;
		fault->error = walk.error;
		fault->cr2 = la;
		return -EINTR;
	case GWALK_RETRY:
		return -EAGAIN;
	default:
		return w.faulted ? -EINTR : -EFAULT;
	}
	if (!vcpu->l2 || !nested_has_ept12(vcpu)) {
		*gpa = gpa1(walk.gpa);
		return 0;
	}
	return nested_translate(vcpu, gpa2(walk.gpa), access, false, gpa, fault);
}

static int access_la(struct nv_vcpu *vcpu, u64 la, void *in, const void *out, size_t len,
		     unsigned int access, struct nv_fault *fault)
{
	gpa1_t gpa[2];
	size_t first = min(len, PAGE_SIZE - (la & ~PAGE_MASK));
	int ret;

	/* Both pages are translated before a byte moves. Longer accesses do not exist. */
	if (len > PAGE_SIZE)
		return -EFAULT;
	ret = gmem_translate(vcpu, la, access, &gpa[0], fault);
	if (!ret && len > first)
		ret = gmem_translate(vcpu, la + first, access, &gpa[1], fault);
	if (ret)
		return ret;
	if (in)
		ret = gmem_read(vcpu->vm, gpa[0], in, first);
	else
		ret = gmem_write(vcpu->vm, gpa[0], out, first);
	if (ret || len == first)
		return ret;
	if (in)
		return gmem_read(vcpu->vm, gpa[1], in + first, len - first);
	return gmem_write(vcpu->vm, gpa[1], out + first, len - first);
}

int gmem_read_la(struct nv_vcpu *vcpu, u64 la, void *buf, size_t len, unsigned int access,
		 struct nv_fault *fault)
{
	return access_la(vcpu, la, buf, NULL, len, access, fault);
}

int gmem_write_la(struct nv_vcpu *vcpu, u64 la, const void *buf, size_t len,
		  struct nv_fault *fault)
{
	return access_la(vcpu, la, NULL, buf, len, GMEM_WRITE, fault);
}

void gmem_raise(struct nv_vcpu *vcpu, const struct nv_fault *fault)
{
	if (fault->nested_exit)
		nested_ept12_fault(vcpu, fault);
	else if (fault->vector == VEC_PF)
		cpu_raise_pf(vcpu, fault->error, fault->cr2);
	else
		cpu_raise_error(vcpu, fault->vector, fault->error);
}
