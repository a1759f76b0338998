// SPDX-License-Identifier: GPL-2.0
/*
 * Runs the tables of VM-entry checks. What a rule needs from L1's memory is
 * read here, once, and the rule and the entry use that copy: L1's other CPUs
 * may write the page meanwhile. Pure, see kmod/pure.mk.
 */
#include "nested/check_rules.h"

static const struct entry_check *first_failure(const struct entry_ctx *c,
					       const struct entry_check *rows, unsigned int n)
{
	unsigned int i;

	for (i = 0; i < n; i++)
		if (!rows[i].ok(c))
			return &rows[i];
	return NULL;
}

static bool report(struct entry_result *r, const struct entry_check *row, enum entry_way way,
		   u32 error)
{
	memset(r, 0, sizeof(*r));
	if (!row)
		return true;
	r->way = way;
	r->error = error;
	r->qual = row->qual;
	r->name = row->name;
	r->section = row->section;
	return false;
}

/* An address that breaks its own rule is not read: that rule comes first. */
static void read_vtpr(struct entry_ctx *c)
{
	c->vtpr = c->resumed ? 0xff : 0;
	if (!c->resumed && vmcs12_has_proc(c->v, PROC_TPR_SHADOW) && page_ok(c, c->v->virtual_apic))
		l1_mem_read(c->mem, gpa1(c->v->virtual_apic + VAPIC_TPR), &c->vtpr, 1);
}

static void read_link_revision(struct entry_ctx *c)
{
	c->link_revision = 0;
	if (c->resumed) {
		c->link_revision = VMCS12_REVISION;
		if (vmcs12_has_proc2(c->v, PROC2_SHADOW_VMCS))
			c->link_revision |= VMCS_SHADOW_BIT;
		return;
	}
	if (c->v->link_pointer != VMCS_NONE && page_ok(c, c->v->link_pointer))
		l1_mem_read(c->mem, gpa1(c->v->link_pointer), &c->link_revision,
			    sizeof(c->link_revision));
}

bool nested_entry_uses_pdptes(const struct vmcs12 *v)
{
	return (v->guest_cr0 & CR0_PG) && (v->guest_cr4 & CR4_PAE) &&
	       !vmcs12_has_entry(v, ENTRY_IA32E);
}

/* Without EPT12, what L2 calls physical is L1's: its PDPT is at CR3 in L1's memory. */
static void read_pdptes(struct entry_ctx *c)
{
	const struct vmcs12 *v = c->v;
	u64 addr = v->guest_cr3 & 0xffffffe0ull;

	if (c->resumed)
		return;
	memset(c->pdpte, 0, sizeof(c->pdpte));
	if (!nested_entry_uses_pdptes(v))
		return;
	if (!vmcs12_has_proc2(v, PROC2_EPT)) {
		l1_mem_read(c->mem, gpa1(addr), c->pdpte, sizeof(c->pdpte));
		return;
	}
	c->pdpte[0] = v->guest_pdpte0;
	c->pdpte[1] = v->guest_pdpte1;
	c->pdpte[2] = v->guest_pdpte2;
	c->pdpte[3] = v->guest_pdpte3;
}

bool nested_check_controls(struct entry_ctx *c, struct entry_result *r)
{
	read_vtpr(c);
	return report(r, first_failure(c, nested_ctl_checks, nested_ctl_check_count),
		      ENTRY_VMFAIL, VMERR_ENTRY_CONTROLS);
}

bool nested_check_host(struct entry_ctx *c, struct entry_result *r)
{
	return report(r, first_failure(c, nested_host_checks, nested_host_check_count),
		      ENTRY_VMFAIL, VMERR_ENTRY_HOST_STATE);
}

bool nested_check_guest(struct entry_ctx *c, struct entry_result *r)
{
	read_link_revision(c);
	read_pdptes(c);
	return report(r, first_failure(c, nested_guest_checks, nested_guest_check_count),
		      ENTRY_EXIT_GUEST, 0);
}

bool nested_check_entry(struct entry_ctx *c, struct entry_result *r)
{
	return nested_check_controls(c, r) && nested_check_host(c, r) && nested_check_guest(c, r);
}

void nested_msr_failure(struct entry_result *r, u32 number, const struct msr_check *rule)
{
	memset(r, 0, sizeof(*r));
	r->way = ENTRY_EXIT_MSR;
	r->qual = number;
	r->name = rule ? rule->name : "msr_value";
	r->section = rule ? rule->section : SDM_LOAD_MSRS;
}
