// SPDX-License-Identifier: GPL-2.0
/*
 * EPT01: four levels, filled on demand under ept.lock. A table of which nothing is
 * left leaves the hierarchy with the zap that emptied it, and is freed after the next
 * flush, when no CPU can walk into it any more. A table's level never changes.
 */
#include "ept/table.h"
#include <linux/gfp.h>
#include <linux/list.h>
#include <linux/mm.h>
#include <asm/io.h>
#include "ept/ept.h"
#include "ept/notifier.h"
#include "vm.h"
#include "vmx/caps.h"

bool ept_nx_large __ro_after_init;
static atomic64_t total_tables;

u64 ept_total_tables(void)
{
	return atomic64_read(&total_tables);
}

void *ept_table_alloc(struct nv_vm *vm)
{
	void *table = (void *)get_zeroed_page(GFP_KERNEL_ACCOUNT);

	if (table)
		atomic64_inc(&total_tables);
	return table;
}

void ept_table_free(struct nv_vm *vm, void *table)
{
	free_page((unsigned long)table);
	atomic64_dec(&total_tables);
}

static u64 *table_of(u64 entry)
{
	return phys_to_virt(entry & EPT_ADDR_MASK);
}

static bool is_leaf(u64 entry, unsigned int level)
{
	return level == EPT_LEVEL_4K || (entry & EPT_LARGE);
}

static u64 pages_of(unsigned int level)
{
	return 1ull << (9 * (level - 1));
}

/* How many tables there are too few for a 4-KiB leaf at @gpa. */
static unsigned int missing_tables(struct nv_vm *vm, u64 gpa)
{
	u64 *table = phys_to_virt(vm->ept.root.v);
	unsigned int level;

	lockdep_assert_held(&vm->ept.lock);
	for (level = EPT_LEVEL_PML4; level > EPT_LEVEL_4K; level--) {
		u64 entry = table[EPT_INDEX(gpa, level)];

		if (!entry || is_leaf(entry, level))
			break;
		table = table_of(entry);
	}
	return level - EPT_LEVEL_4K;
}

/* A leaf of what @f wants in @entry. What is there already for the same page stays allowed. */
static void put_leaf(struct nv_vm *vm, u64 *entry, unsigned int level, const struct ept_fill *f)
{
	u64 leaf = (f->pfn & ~(pages_of(level) - 1)) << PAGE_SHIFT;

	leaf |= EPT_R | EPT_MT_WB << EPT_MT_SHIFT | EPT_IPAT;
	if (level > EPT_LEVEL_4K)
		leaf |= EPT_LARGE;
	if (level == EPT_LEVEL_4K || !ept_nx_large)
		leaf |= EPT_X;
	/* Dirty from the start: the page was marked so, and the log goes by write access. */
	if (f->writable)
		leaf |= EPT_W | (vmx_caps.ept_ad ? EPT_D : 0);
	if (vmx_caps.ept_ad)
		leaf |= EPT_A;

	if (!*entry)
		vm->ept.mapped += pages_of(level);
	else if (!((*entry ^ leaf) & EPT_ADDR_MASK))
		leaf |= *entry & (EPT_W | EPT_D);
	else
		vm->ept.gen++;	/* was another page; never seen, and flushed below if so */
	WRITE_ONCE(*entry, leaf);
	if (f->writable)
		dirty_mark(f->slot, f->gfn);
}

/* Down from the root to where the leaf goes; @spare are tables to use on the way. */
static void fill(struct nv_vm *vm, const struct ept_fill *f, unsigned int best, u64 **spare,
		 unsigned int *nspare)
{
	u64 *table = phys_to_virt(vm->ept.root.v);
	u64 gpa = f->gfn << PAGE_SHIFT;
	unsigned int level;

	for (level = EPT_LEVEL_PML4; level > EPT_LEVEL_4K; level--) {
		u64 *entry = &table[EPT_INDEX(gpa, level)];

		if (*entry && is_leaf(*entry, level) && level > best) {
			/* Another vCPU mapped the same in one piece; or it was less then. */
			if ((!f->writable || (*entry & EPT_W)) && (!f->fetch || (*entry & EPT_X)))
				return;
			vm->ept.mapped -= pages_of(level);
			vm->ept.gen++;
			WRITE_ONCE(*entry, 0);
		}
		/* Where a table is in use, smaller pages are. */
		if (level <= best && (!*entry || is_leaf(*entry, level)))
			break;
		if (!*entry) {
			WRITE_ONCE(*entry, __pa(spare[--*nspare]) | EPT_RWX);
			vm->ept.table_pages++;
		}
		table = table_of(*entry);
	}
	put_leaf(vm, &table[EPT_INDEX(gpa, level)], level, f);
}

static unsigned int level_of(struct nv_vm *vm, const struct ept_fill *f)
{
	if (f->fetch && ept_nx_large)
		return EPT_LEVEL_4K;
	return f->slot->pages ? f->level : notifier_level(vm, f->slot, f->gfn);
}

int ept_map(struct nv_vm *vm, const struct ept_fill *f)
{
	u64 *spare[EPT_LEVEL_PML4] = { };
	unsigned long before, after;
	unsigned int n = 0, need;
	int ret = 0;

	spin_lock(&vm->ept.lock);
	for (;;) {
		need = missing_tables(vm, f->gfn << PAGE_SHIFT);
		if (n >= need)
			break;
		/* A zap may take tables away while the lock is not held: look again. */
		spin_unlock(&vm->ept.lock);
		while (n < need) {
			spare[n] = ept_table_alloc(vm);
			if (!spare[n]) {
				ret = -ENOMEM;
				goto free;
			}
			n++;
		}
		spin_lock(&vm->ept.lock);
	}
	before = vm->ept.gen;
	if (!f->slot->pages && notifier_stale(vm, f->slot, f->gfn, f->seq))
		ret = -EAGAIN;
	else
		fill(vm, f, level_of(vm, f), spare, &n);
	after = vm->ept.gen;
	spin_unlock(&vm->ept.lock);
	if (after != before)
		ept_flush(vm, after);
free:
	while (n)
		ept_table_free(vm, spare[--n]);
	return ret;
}

/* Take an empty table out; CPUs may still walk it. */
static void detach(struct nv_vm *vm, u64 *entry)
{
	list_add(&virt_to_page(table_of(*entry))->lru, &vm->ept.detached);
	WRITE_ONCE(*entry, 0);
	vm->ept.table_pages--;
}

/* Returns whether anything was there. */
static bool zap_range(struct nv_vm *vm, u64 *table, unsigned int level, u64 base, u64 start,
		      u64 end)
{
	u64 size = EPT_LEVEL_SIZE(level);
	bool found = false;
	unsigned int i;

	for (i = start > base ? (start - base) / size : 0; i < EPT_ENTRIES; i++) {
		u64 gpa = base + i * size;

		if (gpa >= end)
			break;
		if (!table[i])
			continue;
		if (is_leaf(table[i], level)) {
			WRITE_ONCE(table[i], 0);
			vm->ept.mapped -= pages_of(level);
			found = true;
			continue;
		}
		found |= zap_range(vm, table_of(table[i]), level - 1, gpa, start, end);
		if (gpa >= start && gpa + size <= end) {
			detach(vm, &table[i]);
			found = true;
		}
	}
	return found;
}

/* So much at a time under the lock: 1 GiB. */
#define ZAP_PAGES	(1ull << 18)

unsigned long ept_zap(struct nv_vm *vm, u64 gfn, u64 npages)
{
	u64 *root = phys_to_virt(vm->ept.root.v);
	unsigned long gen = READ_ONCE(vm->ept.gen);
	u64 end = gfn + npages, next;

	for (; gfn < end; gfn = next) {
		next = min((gfn | (ZAP_PAGES - 1)) + 1, end);
		spin_lock(&vm->ept.lock);
		/* EPT02 may have mapped what EPT01 never did. */
		if (zap_range(vm, root, EPT_LEVEL_PML4, 0, gfn << PAGE_SHIFT,
			      next << PAGE_SHIFT) || vm->expose)
			vm->ept.gen++;
		gen = vm->ept.gen;
		spin_unlock(&vm->ept.lock);
	}
	return gen;
}

void ept_flush(struct nv_vm *vm, unsigned long gen)
{
	struct page *page, *next;
	LIST_HEAD(detached);

	/* Whoever zapped last may not have flushed yet: what he zapped is in use as long. */
	if ((long)(READ_ONCE(vm->ept.flushed) - gen) >= 0)
		return;
	spin_lock(&vm->ept.lock);
	gen = vm->ept.gen;
	list_splice_init(&vm->ept.detached, &detached);
	spin_unlock(&vm->ept.lock);

	nv_vm_ept01_changed(vm);

	spin_lock(&vm->ept.lock);
	if ((long)(gen - vm->ept.flushed) > 0)
		WRITE_ONCE(vm->ept.flushed, gen);
	spin_unlock(&vm->ept.lock);
	list_for_each_entry_safe(page, next, &detached, lru)
		ept_table_free(vm, page_address(page));
}

/* The table that has the 4-KiB entry of @gfn, or NULL if there is none. */
static u64 *last_table(struct nv_vm *vm, u64 gfn)
{
	u64 *table = phys_to_virt(vm->ept.root.v);
	unsigned int level;

	for (level = EPT_LEVEL_PML4; level > EPT_LEVEL_4K; level--) {
		u64 entry = table[EPT_INDEX(gfn << PAGE_SHIFT, level)];

		if (!entry || is_leaf(entry, level))
			return NULL;
		table = table_of(entry);
	}
	return table;
}

void ept_protect(struct nv_vm *vm, u64 gfn, unsigned long mask)
{
	u64 *table = NULL;
	unsigned int i;

	lockdep_assert_held(&vm->ept.lock);
	for_each_set_bit(i, &mask, BITS_PER_LONG) {
		unsigned int index = EPT_INDEX((gfn + i) << PAGE_SHIFT, EPT_LEVEL_4K);

		if (!table || !index)
			table = last_table(vm, gfn + i);
		if (table)
			WRITE_ONCE(table[index], table[index] & ~EPT_W);
	}
}

static bool has_flags(const struct nv_vm *vm)
{
	return vmx_caps.ept_ad && !READ_ONCE(vm->ept.flags_off);
}

static bool young_range(struct nv_vm *vm, u64 *table, unsigned int level, u64 base, u64 start,
			u64 end, bool clear)
{
	u64 size = EPT_LEVEL_SIZE(level);
	bool found = false;
	unsigned int i;

	for (i = start > base ? (start - base) / size : 0; i < EPT_ENTRIES; i++) {
		u64 gpa = base + i * size;

		if (gpa >= end)
			break;
		if (!table[i])
			continue;
		if (!is_leaf(table[i], level)) {
			found |= young_range(vm, table_of(table[i]), level - 1, gpa, start, end,
					     clear);
		} else if (!has_flags(vm) || (table[i] & EPT_A)) {
			found = true;
			/* Hardware may write the entry at the same time. */
			if (clear)
				clear_bit(ilog2(EPT_A), (unsigned long *)&table[i]);
		}
	}
	return found;
}

bool ept_young(struct nv_vm *vm, u64 gfn, u64 npages, bool clear)
{
	u64 *root = phys_to_virt(vm->ept.root.v);
	bool found;

	/* Without the flag a page is young while it is mapped. An unflushed zap will do. */
	if (!has_flags(vm) && clear) {
		unsigned long gen = READ_ONCE(vm->ept.gen);

		return ept_zap(vm, gfn, npages) != gen;
	}
	spin_lock(&vm->ept.lock);
	found = young_range(vm, root, EPT_LEVEL_PML4, 0, gfn << PAGE_SHIFT,
			    (gfn + npages) << PAGE_SHIFT, clear);
	spin_unlock(&vm->ept.lock);
	return found;
}

static void free_tables(struct nv_vm *vm, u64 *table, unsigned int level)
{
	unsigned int i;

	for (i = 0; level > EPT_LEVEL_4K && i < EPT_ENTRIES; i++)
		if (table[i] && !is_leaf(table[i], level))
			free_tables(vm, table_of(table[i]), level - 1);
	ept_table_free(vm, table);
}

int ept_create(struct nv_vm *vm)
{
	void *root;

	spin_lock_init(&vm->ept.lock);
	INIT_LIST_HEAD(&vm->ept.detached);
	root = ept_table_alloc(vm);
	if (!root)
		return -ENOMEM;
	vm->ept.root = hpa(__pa(root));
	vm->ept.table_pages = 1;
	vm->ept.eptp = vm->ept.root.v | EPT_MT_WB | EPTP_WALK_4 |
		       (vmx_caps.ept_ad ? EPTP_AD : 0);
	return 0;
}

void ept_destroy(struct nv_vm *vm)
{
	struct page *page, *next;

	if (!vm->ept.root.v)
		return;
	list_for_each_entry_safe(page, next, &vm->ept.detached, lru)
		ept_table_free(vm, page_address(page));
	free_tables(vm, phys_to_virt(vm->ept.root.v), EPT_LEVEL_PML4);
	vm->ept.root = hpa(0);
}
