// SPDX-License-Identifier: GPL-2.0
/*
 * EPT01: four levels, filled on demand under ept.lock. A table page is freed
 * only at the VM's end: a zapped range keeps its tables for the next fill, so that no
 * CPU can walk into a freed page, and a table's level never changes.
 */
#include "ept/table.h"
#include <linux/gfp.h>
#include <linux/mm.h>
#include <asm/io.h>
#include "ept/ept.h"
#include "vm.h"
#include "vmx/caps.h"

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

int ept_map(struct nv_vm *vm, u64 gfn, u64 pfn, unsigned int level, u64 bits)
{
	u64 gpa = gfn << PAGE_SHIFT;
	u64 *spare[EPT_LEVEL_PML4] = { };
	unsigned int l, n = 0;
	u64 *table;

	/* Pages that may be needed, taken before the lock: one a level between. */
	for (l = EPT_LEVEL_PML4; l > level; l--) {
		spare[n] = ept_table_alloc(vm);
		if (!spare[n])
			goto nomem;
		n++;
	}

	spin_lock(&vm->ept.lock);
	table = phys_to_virt(vm->ept.root.v);
	for (l = EPT_LEVEL_PML4; l > level; l--) {
		u64 *entry = &table[EPT_INDEX(gpa, l)];

		/* Another vCPU mapped the same as one large leaf meanwhile. */
		if ((*entry & EPT_RWX) && is_leaf(*entry, l))
			goto unlock;
		if (!(*entry & EPT_ADDR_MASK)) {
			n--;
			WRITE_ONCE(*entry, __pa(spare[n]) | EPT_RWX);
			vm->ept.table_pages++;
		}
		table = table_of(*entry);
	}
	/* A table in this place stays: the range below was zapped and is mapped in 4K again. */
	if (level > EPT_LEVEL_4K) {
		u64 old = table[EPT_INDEX(gpa, level)];

		if ((old & EPT_ADDR_MASK) && !is_leaf(old, level)) {
			spin_unlock(&vm->ept.lock);
			goto split;
		}
	}
	WRITE_ONCE(table[EPT_INDEX(gpa, level)],
		   pfn << PAGE_SHIFT | bits | (level > EPT_LEVEL_4K ? EPT_LARGE : 0));
unlock:
	spin_unlock(&vm->ept.lock);
	while (n)
		ept_table_free(vm, spare[--n]);
	return 0;

split:
	while (n)
		ept_table_free(vm, spare[--n]);
	return -EAGAIN;
nomem:
	while (n)
		ept_table_free(vm, spare[--n]);
	return -ENOMEM;
}

static void zap_range(u64 *table, unsigned int level, u64 base, u64 start, u64 end)
{
	unsigned int i;

	for (i = 0; i < EPT_ENTRIES; i++) {
		u64 gpa = base + i * EPT_LEVEL_SIZE(level);

		if (gpa >= end || gpa + EPT_LEVEL_SIZE(level) <= start)
			continue;
		if (!table[i])
			continue;
		if (is_leaf(table[i], level))
			WRITE_ONCE(table[i], 0);
		else
			zap_range(table_of(table[i]), level - 1, gpa, start, end);
	}
}

void ept_zap(struct nv_vm *vm, u64 gfn, u64 npages)
{
	spin_lock(&vm->ept.lock);
	vm->ept.gen++;
	zap_range(phys_to_virt(vm->ept.root.v), EPT_LEVEL_PML4, 0, gfn << PAGE_SHIFT,
		  (gfn + npages) << PAGE_SHIFT);
	spin_unlock(&vm->ept.lock);
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
	if (!vm->ept.root.v)
		return;
	free_tables(vm, phys_to_virt(vm->ept.root.v), EPT_LEVEL_PML4);
	vm->ept.root = hpa(0);
}
