// SPDX-License-Identifier: GPL-2.0
/*
 * EPT02: EPT12 composed with EPT01, filled when L2 touches a page. L1's tables
 * are not write-protected: the manual lets a processor cache what it read of them
 * until INVEPT, and so does this cache. A hierarchy belongs to one vCPU and one
 * EPTP12; its tables are reached from its root only and die with its contents.
 */
#define pr_fmt(fmt) "nestvm: " fmt

#include <linux/io.h>
#include <linux/sched.h>
#include "ept/ept.h"
#include "ept/ept_walk.h"
#include "nested/nested_vcpu.h"
#include "verify.h"

/* A leaf of EPT02: host memory is write-back whatever L1 and L2 say. */
#define LEAF_BITS	(EPT_MT_WB << EPT_MT_SHIFT | EPT_IPAT)

static bool is_leaf(u64 entry, unsigned int level)
{
	return level == EPT_LEVEL_4K || (entry & EPT_LARGE);
}

static u64 *table_of(u64 entry)
{
	return phys_to_virt(entry & EPT_ADDR_MASK);
}

static void *alloc_table(struct nv_vcpu *vcpu, struct ept02 *root)
{
	void *table = ept_table_alloc(vcpu->vm);

	if (table)
		root->tables++;
	return table;
}

static void free_table(struct nv_vcpu *vcpu, struct ept02 *root, void *table)
{
	ept_table_free(vcpu->vm, table);
	root->tables--;
}

/* Free what hangs below the entries of @table, not @table itself. */
static void free_below(struct nv_vcpu *vcpu, struct ept02 *root, u64 *table, unsigned int level)
{
	unsigned int i;

	for (i = 0; i < EPT_ENTRIES; i++) {
		u64 entry = table[i];

		if (!entry || is_leaf(entry, level))
			continue;
		if (level > EPT_LEVEL_2M)
			free_below(vcpu, root, table_of(entry), level - 1);
		free_table(vcpu, root, table_of(entry));
	}
	cond_resched();
}

/* Empty it. Stays usable: INVEPT comes before the next use, on the CPU of that use. */
void ept02_drop(struct nv_vcpu *vcpu, struct ept02 *root)
{
	if (!root->table)
		return;
	free_below(vcpu, root, root->table, EPT_LEVEL_PML4);
	memset(root->table, 0, PAGE_SIZE);
	root->gen = READ_ONCE(vcpu->vm->ept.gen);
	root->flush = true;
	nv_stat_inc(vcpu, ept02_drops);
}

void ept02_drop_all(struct nv_vcpu *vcpu)
{
	struct nv_nested *n = vcpu->nested;
	unsigned int i;

	for (i = 0; i < NESTED_EPT02_ROOTS; i++)
		ept02_drop(vcpu, &n->ept02s[i]);
}

/* No leaf below @table allows writing: fill() asks EPT01 again, which logs the page. */
static void protect_below(u64 *table, unsigned int level)
{
	unsigned int i;

	for (i = 0; i < EPT_ENTRIES; i++) {
		u64 entry = table[i];

		if (!entry)
			continue;
		if (!is_leaf(entry, level))
			protect_below(table_of(entry), level - 1);
		else if (entry & EPT_W)
			WRITE_ONCE(table[i], entry & ~EPT_W);
	}
	cond_resched();
}

void ept02_protect_all(struct nv_vcpu *vcpu)
{
	struct nv_nested *n = vcpu->nested;
	unsigned int i;

	for (i = 0; i < NESTED_EPT02_ROOTS; i++) {
		struct ept02 *root = &n->ept02s[i];

		if (!root->table)
			continue;
		protect_below(root->table, EPT_LEVEL_PML4);
		root->flush = true;
	}
}

/* INVEPT looks at the address only: SDM 3C "Operations that Invalidate Cached Mappings". */
void ept02_drop_eptp(struct nv_vcpu *vcpu, u64 eptp12)
{
	struct nv_nested *n = vcpu->nested;
	unsigned int i;

	for (i = 0; i < NESTED_EPT02_ROOTS; i++)
		if (!((n->ept02s[i].eptp12 ^ eptp12) & EPT_ADDR_MASK))
			ept02_drop(vcpu, &n->ept02s[i]);
}

/* L1 runs, or nothing does any more. */
void ept02_destroy(struct nv_vcpu *vcpu)
{
	struct nv_nested *n = vcpu->nested;
	unsigned int i;

	n->ept02 = NULL;
	for (i = 0; i < NESTED_EPT02_ROOTS; i++) {
		struct ept02 *root = &n->ept02s[i];

		if (!root->table)
			continue;
		free_below(vcpu, root, root->table, EPT_LEVEL_PML4);
		free_table(vcpu, root, root->table);
		memset(root, 0, sizeof(*root));
	}
}

static struct ept02 *find_root(struct nv_nested *n, u64 eptp12)
{
	struct ept02 *best = &n->ept02s[0];
	unsigned int i;

	for (i = 0; i < NESTED_EPT02_ROOTS; i++) {
		struct ept02 *root = &n->ept02s[i];

		if (root->table && root->eptp12 == eptp12)
			return root;
		if (root->used < best->used)
			best = root;
	}
	return best;
}

int ept02_enter(struct nv_vcpu *vcpu)
{
	struct nv_nested *n = vcpu->nested;
	u64 eptp12 = n->v->eptp;
	struct ept02 *root;

	n->ept02 = NULL;
	if (!vmcs12_has_proc2(n->v, PROC2_EPT))
		return 0;

	root = find_root(n, eptp12);
	if (!root->table) {
		root->table = alloc_table(vcpu, root);
		if (!root->table)
			return -ENOMEM;
		root->flush = true;
		root->gen = READ_ONCE(vcpu->vm->ept.gen);
	} else if (root->eptp12 != eptp12 || root->gen != READ_ONCE(vcpu->vm->ept.gen)) {
		ept02_drop(vcpu, root);
	}
	if (root->eptp12 != eptp12)
		root->no_flags = false;
	root->eptp12 = eptp12;
	/*
	 * The flags as L1 has them: with them on, hardware's walk of L2's page tables
	 * counts as writing, and so it must for EPT12's dirty flags.
	 */
	root->eptp02 = __pa(root->table) | EPT_MT_WB | EPTP_WALK_4;
	if (!root->no_flags)
		root->eptp02 |= eptp12 & EPTP_AD;
	root->used = ++n->clock;
	n->ept02 = root;
	return 0;
}

static bool read_entry(void *ctx, u64 pa, u64 *entry)
{
	struct nv_vcpu *vcpu = ctx;

	return !gmem_read64(vcpu->vm, gpa1(pa), entry);
}

static bool xchg_entry(void *ctx, u64 pa, u64 old, u64 new)
{
	struct nv_vcpu *vcpu = ctx;

	/* An error: the entry was read, so it is ROM, where the flag is lost. */
	return gmem_cmpxchg64(vcpu->vm, gpa1(pa), old, new) <= 0;
}

static const struct ept_walk_ops walk_ops = { .read = read_entry, .exchange = xchg_entry };

static enum ept_walk_status walk12(struct nv_vcpu *vcpu, gpa2_t gpa2, u64 access,
				   struct ept_walk *w)
{
	struct nv_nested *n = vcpu->nested;
	const struct ept_walk_in in = {
		.eptp = n->v->eptp,
		.addr = gpa2.v,
		.access = access,
		.caps = n->msrs.ept_vpid_cap,
		.maxphyaddr = vcpu->features.maxphyaddr,
	};

	return ept_walk(w, &in, &walk_ops, vcpu);
}

/*
 * L1 can map its memory at as many places as an EPT has, so that tables of L0's would grow
 * with nothing of L1's. A vCPU has NESTED_EPT02_TABLES() of them; before it would need more,
 * the hierarchy that was used longest ago is emptied, the one in use as the last.
 */
static void stay_in_budget(struct nv_vcpu *vcpu)
{
	struct nv_nested *n = vcpu->nested;
	struct ept02 *oldest = n->ept02;
	u64 tables = 0;
	unsigned int i;

	for (i = 0; i < NESTED_EPT02_ROOTS; i++) {
		struct ept02 *root = &n->ept02s[i];

		tables += root->tables;
		if (root->tables > 1 && root->used < oldest->used)
			oldest = root;
	}
	if (tables + EPT_LEVEL_PML4 > NESTED_EPT02_TABLES(READ_ONCE(vcpu->vm->pinned_pages)))
		ept02_drop(vcpu, oldest);
}

/* The table below @entry at @level, made if there is none. NULL: no memory. */
static u64 *descend(struct nv_vcpu *vcpu, u64 *entry, unsigned int level)
{
	struct nv_nested *n = vcpu->nested;
	u64 *table;

	if (*entry && !is_leaf(*entry, level))
		return table_of(*entry);
	table = alloc_table(vcpu, n->ept02);
	if (!table)
		return NULL;
	/* A large leaf gives way to smaller ones, which are filled as they are needed. */
	if (*entry)
		n->ept02->flush = true;
	WRITE_ONCE(*entry, __pa(table) | EPT_RWX);
	return table;
}

static int map(struct nv_vcpu *vcpu, gpa2_t gpa2, unsigned int level, u64 leaf)
{
	struct nv_nested *n = vcpu->nested;
	u64 *table = n->ept02->table, *entry;
	unsigned int l;

	for (l = EPT_LEVEL_PML4; l > level; l--) {
		table = descend(vcpu, &table[EPT_INDEX(gpa2.v, l)], l);
		if (!table)
			return -ENOMEM;
	}
	entry = &table[EPT_INDEX(gpa2.v, level)];
	if (*entry && !is_leaf(*entry, level)) {
		u64 *below = table_of(*entry);

		/* EPT12 has a large page now where it had small ones. */
		WRITE_ONCE(*entry, 0);
		if (level > EPT_LEVEL_2M)
			free_below(vcpu, n->ept02, below, level - 1);
		free_table(vcpu, n->ept02, below);
		n->ept02->flush = true;
	} else if (*entry && (*entry ^ leaf) & (EPT_ADDR_MASK | EPT_RWX)) {
		n->ept02->flush = true;
	}
	WRITE_ONCE(*entry, leaf);
	return 0;
}

/* Does EPT02 have a table where a leaf of @level would be? */
static bool is_split(const u64 *table, u64 gpa2, unsigned int level)
{
	unsigned int l;

	for (l = EPT_LEVEL_PML4; l >= level; l--) {
		u64 entry = table[EPT_INDEX(gpa2, l)];

		if (!entry || is_leaf(entry, l))
			return false;
		table = table_of(entry);
	}
	return true;
}

/* The level for an access where large leaves are not executable: what a fetch split stays. */
static unsigned int nx_level(struct nv_vcpu *vcpu, gpa2_t gpa2, u64 qual, unsigned int level)
{
	if (!ept_nx_large)
		return level;
	if (qual & EPTV_FETCH)
		return EPT_LEVEL_4K;
	while (level > EPT_LEVEL_4K && is_split(vcpu->nested->ept02->table, gpa2.v, level))
		level--;
	return level;
}

static unsigned int leaf_level(struct nv_vcpu *vcpu, const struct ept_walk *w,
			       const struct nv_leaf *leaf)
{
	const struct vmcs12 *v = vcpu->nested->v;
	unsigned int level = min_t(unsigned int, w->level, leaf->level);

	if (level == EPT_LEVEL_1G && !vmx_caps.ept_1g)
		level = EPT_LEVEL_2M;
	if (level == EPT_LEVEL_2M && !vmx_caps.ept_2m)
		level = EPT_LEVEL_4K;
	/*
	 * SDM 3C "APIC-Access VM Exits": through a large page an access to the
	 * APIC-access page need not be noticed.
	 */
	if (level > EPT_LEVEL_4K && vmcs12_has_proc2(v, PROC2_APIC_ACCESS) &&
	    !((v->apic_access ^ w->addr) & ~(EPT_LEVEL_SIZE(level) - 1)))
		level = EPT_LEVEL_4K;
	return level;
}

static u64 leaf_entry(const struct ept_walk *w, const struct nv_leaf *leaf, unsigned int level)
{
	u64 perms = w->perms & EPT_RWX;
	u64 entry = LEAF_BITS;

	/* A page that is clean to L1 must make L2's first write come here. */
	if (!leaf->writable || !w->dirty)
		perms &= ~EPT_W;
	if (level > EPT_LEVEL_4K) {
		entry |= EPT_LARGE;
		if (ept_nx_large)
			perms &= ~(u64)EPT_X;
	}
	entry |= perms | (leaf->hpa.v & ~(EPT_LEVEL_SIZE(level) - 1));
	return entry;
}

static void exit_to_l1(struct nv_vcpu *vcpu, u32 reason, u64 qual, gpa2_t gpa2)
{
	const struct nested_exit e = {
		.reason = reason,
		.qual = qual,
		.linear = vmcs_read(VMCS_GUEST_LINEAR),
		.physical = gpa2.v,
		.insn_len = vmcs_read(VMCS_EXIT_INSN_LEN),
	};

	nested_exit(vcpu, &e);
}

/*
 * Our mistake, as EPT12 was found good before anything of it came into EPT02; L1 takes it
 * for its own, and what we have made of its tables is made anew.
 */
static void misconfigured(struct nv_vcpu *vcpu, gpa2_t gpa2)
{
	pr_warn_ratelimited("vCPU %u: EPT02 is misconfigured at %llx\n", vcpu->id, gpa2.v);
	nv_stat_inc(vcpu, vmcs02_refused);
	ept02_drop(vcpu, vcpu->nested->ept02);
	exit_to_l1(vcpu, VMEXIT_EPT_MISCONFIG, 0, gpa2);
}

/* L1's APIC-access page where L1 has no memory: the exit hardware cannot make. */
bool nested_apic_access_exit(struct nv_vcpu *vcpu, gpa1_t gpa, u64 qual)
{
	const struct vmcs12 *v;
	u64 type = 0;

	if (!vcpu->l2)
		return false;
	v = vcpu->nested->v;
	if (!vmcs12_has_proc2(v, PROC2_APIC_ACCESS) || (gpa.v & NV_PAGE_MASK) != v->apic_access)
		return false;
	if (nv_event_valid(&vcpu->ev.reinject))
		type = 3;
	else if (qual & EPTV_FETCH)
		type = 2;
	else if (qual & EPTV_WRITE)
		type = 1;
	nested_exit_simple(vcpu, VMEXIT_APIC_ACCESS,
			   (gpa.v & QUAL_APIC_OFFSET) | type << QUAL_APIC_TYPE_SHIFT);
	return true;
}

/*
 * L2's page tables are where L1 has a read-only slot, and with accessed and dirty flags a
 * walk counts as writing them. Without, it is the read that it is. What is lost by that: a
 * walk that writes nothing does not set EPT12's dirty flag for the table's page.
 */
static bool walk_met_rom(struct nv_vcpu *vcpu, u64 qual)
{
	struct ept02 *root = vcpu->nested->ept02;

	if (!ept_walk_of_tables(qual) || !(root->eptp02 & EPTP_AD))
		return false;
	root->no_flags = true;
	root->eptp02 &= ~EPTP_AD;
	root->flush = true;
	nested_eptp_changed(vcpu);
	return true;
}

/* EPT12 allows the access: map what EPT01 has there. False: it has no memory. */
static bool fill(struct nv_vcpu *vcpu, gpa2_t gpa2, const struct ept_walk *w, u64 qual,
		 enum nv_next *next)
{
	struct nv_leaf leaf = {};
	unsigned int level;
	int ret;

	ret = ept_lookup(vcpu->vm, gpa1(w->addr), qual & EPTV_WRITE, &leaf);
	switch (ret) {
	case EPT_FILLED:
		break;
	case EPT_NO_SLOT:
		return nested_apic_access_exit(vcpu, gpa1(w->addr), qual);
	case EPT_READ_ONLY:
		return walk_met_rom(vcpu, qual);
	default:
		goto error;
	}
	nv_verify_pause();
	level = leaf_level(vcpu, w, &leaf);
	stay_in_budget(vcpu);
	level = nx_level(vcpu, gpa2, qual, level);
	ret = map(vcpu, gpa2, level, leaf_entry(w, &leaf, level));
	if (ret)
		goto error;
	nv_stat_inc(vcpu, ept02_faults);
	return true;
error:
	vcpu->ret = ret;
	*next = NEXT_USER;
	return true;
}

bool nested_ept_exit(struct nv_vcpu *vcpu, enum nv_next *next)
{
	const gpa2_t addr = { vmcs_read(VMCS_GUEST_PHYSICAL) };
	u64 qual = vmcs_read(VMCS_EXIT_QUALIFICATION);
	const u64 from_hw = EPTV_LINEAR_VALID | EPTV_TRANSLATED | EPTV_NMI_UNBLOCKED;
	struct ept_walk w;

	if (!nested_has_ept12(vcpu))
		return false;
	*next = NEXT_SAME;
	if ((vcpu->vmx.exit_reason & VMEXIT_BASIC_MASK) == VMEXIT_EPT_MISCONFIG) {
		misconfigured(vcpu, addr);
		return true;
	}
	switch (walk12(vcpu, addr, qual & EPTV_ACCESS, &w)) {
	case EPT_WALK_OK:
		return fill(vcpu, addr, &w, qual, next);
	case EPT_WALK_VIOLATION:
		exit_to_l1(vcpu, VMEXIT_EPT_VIOLATION, w.qual | (qual & from_hw), addr);
		return true;
	case EPT_WALK_RETRY:
		return true;
	case EPT_WALK_MISCONFIG:
	case EPT_WALK_NO_MEMORY:
		/* Tables where nothing is read as ones, which no entry may be. */
		break;
	}
	exit_to_l1(vcpu, VMEXIT_EPT_MISCONFIG, 0, addr);
	return true;
}

/* What kind of access EPT12 sees. */
static u64 access_of(struct nv_vcpu *vcpu, unsigned int access, bool table)
{
	/* With accessed and dirty flags, using a paging structure is writing it. */
	if (table && (vcpu->nested->v->eptp & EPTP_AD))
		return EPTV_READ | EPTV_WRITE;
	if (access & GMEM_WRITE)
		return EPTV_WRITE;
	if (access & GMEM_FETCH)
		return EPTV_FETCH;
	return EPTV_READ;
}

int nested_translate(struct nv_vcpu *vcpu, gpa2_t gpa2, unsigned int access, bool table,
		     gpa1_t *to, struct nv_fault *fault)
{
	struct ept_walk w;

	if (!nested_has_ept12(vcpu)) {
		*to = gpa1(gpa2.v);
		return 0;
	}
	switch (walk12(vcpu, gpa2, access_of(vcpu, access, table), &w)) {
	case EPT_WALK_OK:
		*to = gpa1(w.addr);
		return 0;
	case EPT_WALK_RETRY:
		return -EAGAIN;
	case EPT_WALK_VIOLATION:
		fault->nested_exit = VMEXIT_EPT_VIOLATION;
		fault->nested_qual = w.qual | EPTV_LINEAR_VALID | (table ? 0 : EPTV_TRANSLATED);
		break;
	default:
		fault->nested_exit = VMEXIT_EPT_MISCONFIG;
		fault->nested_qual = 0;
		break;
	}
	fault->nested_gpa2 = gpa2.v;
	return -EINTR;
}
