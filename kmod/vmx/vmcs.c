// SPDX-License-Identifier: GPL-2.0
/* VMCS regions: allocate, make current, clear where active, dump. */
#define pr_fmt(fmt) "nestvm: " fmt

#include "vmx/vmcs.h"
#include <linux/gfp.h>
#include <linux/rculist.h>
#include <linux/slab.h>
#include <linux/smp.h>
#include "vmx/percpu.h"
#include "vmx/vmx.h"

static atomic64_t regions;

u64 vmcs_regions(void)
{
	return atomic64_read(&regions);
}

struct nv_vmcs *vmcs_alloc(bool shadow)
{
	struct nv_vmcs *vmcs = kzalloc(sizeof(*vmcs), GFP_KERNEL_ACCOUNT);

	if (!vmcs)
		return NULL;
	vmcs->region = (u32 *)get_zeroed_page(GFP_KERNEL_ACCOUNT);
	if (!vmcs->region) {
		kfree(vmcs);
		return NULL;
	}
	vmcs->region[0] = vmx_caps.revision | (shadow ? VMCS_SHADOW_BIT : 0);
	vmcs->hpa = hpa(__pa(vmcs->region));
	vmcs->cpu = -1;
	vmcs->host_cpu = -1;
	INIT_LIST_HEAD(&vmcs->node);
	atomic64_inc(&regions);
	return vmcs;
}

/* On the CPU where it is active, IRQs off. */
static void clear_here(void *arg)
{
	struct nv_vmcs *vmcs = arg;
	struct vmx_cpu *c = this_cpu_ptr(&vmx_cpus);

	/* It may have been cleared between the caller's look and this. */
	if (vmcs->cpu != smp_processor_id())
		return;
	insn_vmclear(vmcs->hpa.v);
	/*
	 * The linked shadow VMCS can be active on the same CPU through VMREAD and
	 * VMWRITE of the guest: it goes the same moment.
	 */
	if (vmcs->shadow)
		insn_vmclear(vmcs->shadow->hpa.v);
	if (c->current_vmcs == vmcs)
		c->current_vmcs = NULL;
	list_del_init(&vmcs->node);
	vmcs->launched = false;
	smp_store_release(&vmcs->cpu, -1);
}

void vmcs_clear(struct nv_vmcs *vmcs)
{
	int cpu = READ_ONCE(vmcs->cpu);

	/* Off-line meanwhile: vmx_cpu_off() has cleared it. */
	if (cpu >= 0)
		smp_call_function_single(cpu, clear_here, vmcs, 1);
}

void vmcs_free(struct nv_vmcs *vmcs)
{
	if (!vmcs)
		return;
	vmcs_clear(vmcs);
	free_page((unsigned long)vmcs->region);
	kfree(vmcs);
	atomic64_dec(&regions);
}

void vmcs_load(struct nv_vmcs *vmcs)
{
	struct vmx_cpu *c = this_cpu_ptr(&vmx_cpus);
	unsigned long flags;

	if (READ_ONCE(vmcs->cpu) != smp_processor_id()) {
		vmcs_clear(vmcs);
		local_irq_save(flags);
		/* Pairs with the release in clear_here(). */
		smp_rmb();
		vmcs->cpu = smp_processor_id();
		/* An NMI may find a crash and read the list: vmx_cpu_emergency_off(). */
		list_add_rcu(&vmcs->node, &c->active);
		c->current_vmcs = NULL;
		/* A region that was never cleared has no defined launch state. */
		insn_vmclear(vmcs->hpa.v);
		vmcs->launched = false;
		local_irq_restore(flags);
	}
	if (c->current_vmcs != vmcs) {
		insn_vmptrld(vmcs->hpa.v);
		c->current_vmcs = vmcs;
	}
}

static const struct {
	const char *name;
	u32 field;
} all_fields[] = {
#define F(NAME, member, encoding, width, shadow) { #NAME, encoding },
	VMCS_FIELDS(F)
#undef F
};

/* VMREAD that may fail: a field this CPU lacks. */
static bool try_read(u32 field, u64 *value)
{
	bool ok;

	asm volatile("vmread %2, %1" : "=@cca" (ok), "=r" (*value) : "r" ((u64)field));
	return ok;
}

void vmcs_dump(const char *title)
{
	unsigned int i;
	u64 value;

	pr_err("VMCS of %s:\n", title);
	for (i = 0; i < ARRAY_SIZE(all_fields); i++)
		if (try_read(all_fields[i].field, &value) && value)
			pr_err("  %-24s %016llx\n", all_fields[i].name, value);
}

void insn_report(const char *insn, u64 operand)
{
	u64 error = 0;

	if (vmx_leaving())
		return;
	try_read(VMCS_INSN_ERROR, &error);
	/* Fields, regions and VPIDs are ours; an address from L1's INVVPID is canonical by then. */
	WARN_ONCE(1, "nestvm: %s of %llx failed, VM-instruction error %llu\n", insn, operand,
		  error);
}
