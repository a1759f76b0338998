// SPDX-License-Identifier: GPL-2.0
/*
 * SDM 3C "Checks on VMX Controls". Pure, see kmod/pure.mk.
 *
 * Rules about controls that vmx_msrs.c never offers and that no other control
 * depends on (dual-monitor SMM, Intel PT, #VE, sub-page permissions, HLAT,
 * tertiary controls) have no row of their own: the reserved-bits rows refuse
 * the control itself. Rules of controls that are merely not offered yet do.
 */
#include "ept/ept_defs.h"
#include "nested/check_rules.h"

#define PIN(c, bit)	vmcs12_has_pin((c)->v, bit)
#define PROC(c, bit)	vmcs12_has_proc((c)->v, bit)
#define PROC2(c, bit)	vmcs12_has_proc2((c)->v, bit)
#define EXIT(c, bit)	vmcs12_has_exit((c)->v, bit)

/* VM-Execution Control Fields */

static bool ok_pin_ctls(const struct entry_ctx *c)
{
	return nested_ctl_ok(c->v->pin_ctls, c->msrs->true_pin);
}

static bool ok_proc_ctls(const struct entry_ctx *c)
{
	return nested_ctl_ok(c->v->proc_ctls, c->msrs->true_proc);
}

/* Not activated: the field is not looked at and every control in it is 0. */
static bool ok_proc2_ctls(const struct entry_ctx *c)
{
	return !PROC(c, PROC_SECONDARY) || nested_ctl_ok(c->v->proc2_ctls, c->msrs->proc2);
}

static bool ok_cr3_target_count(const struct entry_ctx *c)
{
	u64 max_count = (c->msrs->misc & VMX_MISC_CR3_TARGETS) >> VMX_MISC_CR3_TARGETS_SHIFT;

	return c->v->cr3_target_count <= max_count;
}

static bool ok_io_bitmap_a(const struct entry_ctx *c)
{
	return !PROC(c, PROC_IO_BITMAPS) || page_ok(c, c->v->io_bitmap_a);
}

static bool ok_io_bitmap_b(const struct entry_ctx *c)
{
	return !PROC(c, PROC_IO_BITMAPS) || page_ok(c, c->v->io_bitmap_b);
}

static bool ok_msr_bitmap(const struct entry_ctx *c)
{
	return !PROC(c, PROC_MSR_BITMAPS) || page_ok(c, c->v->msr_bitmap);
}

static bool ok_virtual_apic(const struct entry_ctx *c)
{
	return !PROC(c, PROC_TPR_SHADOW) || page_ok(c, c->v->virtual_apic);
}

static bool ok_tpr_threshold(const struct entry_ctx *c)
{
	return !PROC(c, PROC_TPR_SHADOW) || PROC2(c, PROC2_VIRT_INTR) ||
	       !(c->v->tpr_threshold & GENMASK(31, 4));
}

static bool ok_tpr_threshold_vtpr(const struct entry_ctx *c)
{
	return !PROC(c, PROC_TPR_SHADOW) || PROC2(c, PROC2_VIRT_INTR) ||
	       PROC2(c, PROC2_APIC_ACCESS) || (c->v->tpr_threshold & 0xf) <= c->vtpr >> 4;
}

static bool ok_x2apic_tpr_shadow(const struct entry_ctx *c)
{
	return PROC(c, PROC_TPR_SHADOW) || !PROC2(c, PROC2_X2APIC);
}

static bool ok_apic_regs_tpr_shadow(const struct entry_ctx *c)
{
	return PROC(c, PROC_TPR_SHADOW) || !PROC2(c, PROC2_APIC_REGS);
}

static bool ok_virt_intr_tpr_shadow(const struct entry_ctx *c)
{
	return PROC(c, PROC_TPR_SHADOW) || !PROC2(c, PROC2_VIRT_INTR);
}

static bool ok_virtual_nmis(const struct entry_ctx *c)
{
	return PIN(c, PIN_NMI_EXIT) || !PIN(c, PIN_VIRTUAL_NMIS);
}

static bool ok_nmi_window(const struct entry_ctx *c)
{
	return PIN(c, PIN_VIRTUAL_NMIS) || !PROC(c, PROC_NMI_WINDOW);
}

static bool ok_apic_access(const struct entry_ctx *c)
{
	return !PROC2(c, PROC2_APIC_ACCESS) || page_ok(c, c->v->apic_access);
}

static bool ok_x2apic_apic_access(const struct entry_ctx *c)
{
	return !PROC2(c, PROC2_X2APIC) || !PROC2(c, PROC2_APIC_ACCESS);
}

static bool ok_virt_intr_ext_intr(const struct entry_ctx *c)
{
	return !PROC2(c, PROC2_VIRT_INTR) || PIN(c, PIN_EXT_INTR);
}

static bool ok_posted_virt_intr(const struct entry_ctx *c)
{
	return !PIN(c, PIN_POSTED_INTR) || PROC2(c, PROC2_VIRT_INTR);
}

/* A posted interrupt is recognised on exit, so the exit must acknowledge it. */
static bool ok_posted_ack(const struct entry_ctx *c)
{
	return !PIN(c, PIN_POSTED_INTR) || EXIT(c, EXIT_ACK_INTR);
}

static bool ok_posted_vector(const struct entry_ctx *c)
{
	return !PIN(c, PIN_POSTED_INTR) || !(c->v->posted_intr_nv & 0xff00);
}

static bool ok_posted_desc(const struct entry_ctx *c)
{
	return !PIN(c, PIN_POSTED_INTR) || phys_ok(c, c->v->posted_intr_desc, 64);
}

static bool ok_vpid(const struct entry_ctx *c)
{
	return !PROC2(c, PROC2_VPID) || c->v->vpid;
}

static bool ok_eptp_memtype(const struct entry_ctx *c)
{
	if (!PROC2(c, PROC2_EPT))
		return true;
	switch (c->v->eptp & EPTP_MT_MASK) {
	case EPT_MT_UC:
		return c->msrs->ept_vpid_cap & EPT_CAP_UC;
	case EPT_MT_WB:
		return c->msrs->ept_vpid_cap & EPT_CAP_WB;
	}
	return false;
}

static bool ok_eptp_walk(const struct entry_ctx *c)
{
	if (!PROC2(c, PROC2_EPT))
		return true;
	switch (c->v->eptp & EPTP_WALK_MASK) {
	case EPTP_WALK_4:
		return c->msrs->ept_vpid_cap & EPT_CAP_WALK_4;
	case EPTP_WALK_5:
		return c->msrs->ept_vpid_cap & EPT_CAP_WALK_5;
	}
	return false;
}

static bool ok_eptp_ad(const struct entry_ctx *c)
{
	return !PROC2(c, PROC2_EPT) || !(c->v->eptp & EPTP_AD) ||
	       (c->msrs->ept_vpid_cap & EPT_CAP_AD);
}

/* Bit 7 (supervisor shadow-stack control) is reserved too: we offer no CET. */
static bool ok_eptp_reserved(const struct entry_ctx *c)
{
	return !PROC2(c, PROC2_EPT) || !(c->v->eptp & (EPTP_SSS | EPTP_RESERVED_LOW));
}

static bool ok_eptp_width(const struct entry_ctx *c)
{
	return !PROC2(c, PROC2_EPT) || cpu_gpa_valid(c->cpu, c->v->eptp);
}

static bool ok_pml_ept(const struct entry_ctx *c)
{
	return !PROC2(c, PROC2_PML) || PROC2(c, PROC2_EPT);
}

static bool ok_pml_address(const struct entry_ctx *c)
{
	return !PROC2(c, PROC2_PML) || page_ok(c, c->v->pml_address);
}

static bool ok_unrestricted_ept(const struct entry_ctx *c)
{
	return !PROC2(c, PROC2_UNRESTRICTED) || PROC2(c, PROC2_EPT);
}

static bool ok_mbec_ept(const struct entry_ctx *c)
{
	return !PROC2(c, PROC2_MBEC) || PROC2(c, PROC2_EPT);
}

static bool ok_vmfunc_ctls(const struct entry_ctx *c)
{
	return !PROC2(c, PROC2_VMFUNC) || !(c->v->vmfunc_ctls & ~c->msrs->vmfunc);
}

#define VMFUNC_EPTP_SWITCHING	BIT_ULL(0)

static bool eptp_switching(const struct entry_ctx *c)
{
	return PROC2(c, PROC2_VMFUNC) && (c->v->vmfunc_ctls & VMFUNC_EPTP_SWITCHING);
}

static bool ok_eptp_switching_ept(const struct entry_ctx *c)
{
	return !eptp_switching(c) || PROC2(c, PROC2_EPT);
}

static bool ok_eptp_list(const struct entry_ctx *c)
{
	return !eptp_switching(c) || page_ok(c, c->v->eptp_list);
}

static bool ok_vmread_bitmap(const struct entry_ctx *c)
{
	return !PROC2(c, PROC2_SHADOW_VMCS) || page_ok(c, c->v->vmread_bitmap);
}

static bool ok_vmwrite_bitmap(const struct entry_ctx *c)
{
	return !PROC2(c, PROC2_SHADOW_VMCS) || page_ok(c, c->v->vmwrite_bitmap);
}

static bool ok_tsc_multiplier(const struct entry_ctx *c)
{
	return !PROC2(c, PROC2_TSC_SCALING) || c->v->tsc_multiplier;
}

/* VM-Exit Control Fields */

/* First and last byte of a list of @count 16-byte entries. */
static bool msr_list_ok(const struct entry_ctx *c, u64 addr, u32 count)
{
	u64 last = addr + (u64)count * sizeof(struct vmx_msr_entry) - 1;

	return !count || (phys_ok(c, addr, sizeof(struct vmx_msr_entry)) && last > addr &&
			  cpu_gpa_valid(c->cpu, last));
}

/*
 * Longer lists than IA32_VMX_MISC recommends give "undefined processor
 * behavior". Ours is to refuse the entry before anything is loaded.
 */
static bool msr_count_ok(const struct entry_ctx *c, u32 count)
{
	return count <= nested_msr_list_max(c->msrs);
}

static bool ok_exit_ctls(const struct entry_ctx *c)
{
	return nested_ctl_ok(c->v->exit_ctls, c->msrs->true_exit);
}

static bool ok_save_preempt_timer(const struct entry_ctx *c)
{
	return PIN(c, PIN_PREEMPT_TIMER) || !EXIT(c, EXIT_SAVE_PREEMPT_TIMER);
}

static bool ok_exit_msr_store_count(const struct entry_ctx *c)
{
	return msr_count_ok(c, c->v->exit_msr_store_count);
}

static bool ok_exit_msr_store(const struct entry_ctx *c)
{
	return msr_list_ok(c, c->v->exit_msr_store, c->v->exit_msr_store_count);
}

static bool ok_exit_msr_load_count(const struct entry_ctx *c)
{
	return msr_count_ok(c, c->v->exit_msr_load_count);
}

static bool ok_exit_msr_load(const struct entry_ctx *c)
{
	return msr_list_ok(c, c->v->exit_msr_load, c->v->exit_msr_load_count);
}

/* VM-Entry Control Fields */

static bool ok_entry_ctls(const struct entry_ctx *c)
{
	return nested_ctl_ok(c->v->entry_ctls, c->msrs->true_entry);
}

/* Type 7, "other event", is the pending monitor trap flag. */
static bool ok_inject_type(const struct entry_ctx *c)
{
	if (!injects(c))
		return true;
	switch (c->v->entry_intr_info & INTR_INFO_TYPE) {
	case BIT(8):
		return false;
	case INTR_TYPE_OTHER:
		return nested_ctl_offered(c->msrs->true_proc, PROC_MTF);
	}
	return true;
}

static bool ok_inject_vector_nmi(const struct entry_ctx *c)
{
	return !injects_type(c, INTR_TYPE_NMI) || injected_vector(c) == VEC_NMI;
}

static bool ok_inject_vector_exception(const struct entry_ctx *c)
{
	return !injects_type(c, INTR_TYPE_HARD_EXC) || injected_vector(c) < 32;
}

static bool ok_inject_vector_other(const struct entry_ctx *c)
{
	return !injects_type(c, INTR_TYPE_OTHER) || injected_vector(c) == 0;
}

/* #CP (21) does not count: without CET the vector has no error code. */
#define ENTRY_VECS_WITH_ERROR	(VECS_WITH_ERROR_CODE & ~BIT(VEC_CP))

/* Real mode has no error codes; only an unrestricted guest can be in it. */
static bool error_code_forbidden(const struct entry_ctx *c)
{
	return !injects_type(c, INTR_TYPE_HARD_EXC) ||
	       (PROC2(c, PROC2_UNRESTRICTED) && !(c->v->guest_cr0 & CR0_PE));
}

static bool vector_has_error(const struct entry_ctx *c)
{
	return injected_vector(c) < 32 && (ENTRY_VECS_WITH_ERROR & BIT(injected_vector(c)));
}

static bool ok_inject_error_wanted(const struct entry_ctx *c)
{
	if (!injects(c) || error_code_forbidden(c) || !vector_has_error(c) ||
	    (c->msrs->basic & VMX_BASIC_NO_EC_CHECK))
		return true;
	return c->v->entry_intr_info & INTR_INFO_ERROR_CODE;
}

static bool ok_inject_error_unwanted(const struct entry_ctx *c)
{
	if (!injects(c) || !(c->v->entry_intr_info & INTR_INFO_ERROR_CODE))
		return true;
	if (error_code_forbidden(c))
		return false;
	return vector_has_error(c) || (c->msrs->basic & VMX_BASIC_NO_EC_CHECK);
}

static bool ok_inject_reserved(const struct entry_ctx *c)
{
	return !injects(c) || !(c->v->entry_intr_info & INTR_INFO_ENTRY_RESERVED);
}

/* Bit 15 is the SGX bit of a page fault's error code. */
static bool ok_inject_error_code(const struct entry_ctx *c)
{
	return !injects(c) || !(c->v->entry_intr_info & INTR_INFO_ERROR_CODE) ||
	       !(c->v->entry_error_code & GENMASK(31, 16));
}

static bool ok_inject_insn_len(const struct entry_ctx *c)
{
	if (!injects_type(c, INTR_TYPE_SOFT_INTR) && !injects_type(c, INTR_TYPE_SOFT_EXC) &&
	    !injects_type(c, INTR_TYPE_PRIV_EXC))
		return true;
	if (!c->v->entry_insn_len)
		return c->msrs->misc & VMX_MISC_INJECT_LEN0;
	return c->v->entry_insn_len <= 15;
}

static bool ok_entry_msr_load_count(const struct entry_ctx *c)
{
	return msr_count_ok(c, c->v->entry_msr_load_count);
}

static bool ok_entry_msr_load(const struct entry_ctx *c)
{
	return msr_list_ok(c, c->v->entry_msr_load, c->v->entry_msr_load_count);
}

/* In the manual's order, so that a reader can tick them off side by side. */
const struct entry_check nested_ctl_checks[] = {
	{ "pin_ctls",			SDM_EXEC_CTLS,	ok_pin_ctls },
	{ "proc_ctls",			SDM_EXEC_CTLS,	ok_proc_ctls },
	{ "proc2_ctls",			SDM_EXEC_CTLS,	ok_proc2_ctls },
	{ "cr3_target_count",		SDM_EXEC_CTLS,	ok_cr3_target_count },
	{ "io_bitmap_a",		SDM_EXEC_CTLS,	ok_io_bitmap_a },
	{ "io_bitmap_b",		SDM_EXEC_CTLS,	ok_io_bitmap_b },
	{ "msr_bitmap",			SDM_EXEC_CTLS,	ok_msr_bitmap },
	{ "virtual_apic",		SDM_EXEC_CTLS,	ok_virtual_apic },
	{ "tpr_threshold",		SDM_EXEC_CTLS,	ok_tpr_threshold },
	{ "tpr_threshold_vtpr",		SDM_EXEC_CTLS,	ok_tpr_threshold_vtpr },
	{ "x2apic_tpr_shadow",		SDM_EXEC_CTLS,	ok_x2apic_tpr_shadow },
	{ "apic_regs_tpr_shadow",	SDM_EXEC_CTLS,	ok_apic_regs_tpr_shadow },
	{ "virt_intr_tpr_shadow",	SDM_EXEC_CTLS,	ok_virt_intr_tpr_shadow },
	{ "virtual_nmis",		SDM_EXEC_CTLS,	ok_virtual_nmis },
	{ "nmi_window",			SDM_EXEC_CTLS,	ok_nmi_window },
	{ "apic_access",		SDM_EXEC_CTLS,	ok_apic_access },
	{ "x2apic_apic_access",		SDM_EXEC_CTLS,	ok_x2apic_apic_access },
	{ "virt_intr_ext_intr",		SDM_EXEC_CTLS,	ok_virt_intr_ext_intr },
	{ "posted_virt_intr",		SDM_EXEC_CTLS,	ok_posted_virt_intr },
	{ "posted_ack",			SDM_EXEC_CTLS,	ok_posted_ack },
	{ "posted_vector",		SDM_EXEC_CTLS,	ok_posted_vector },
	{ "posted_desc",		SDM_EXEC_CTLS,	ok_posted_desc },
	{ "vpid",			SDM_EXEC_CTLS,	ok_vpid },
	{ "eptp_memtype",		SDM_EXEC_CTLS,	ok_eptp_memtype },
	{ "eptp_walk",			SDM_EXEC_CTLS,	ok_eptp_walk },
	{ "eptp_ad",			SDM_EXEC_CTLS,	ok_eptp_ad },
	{ "eptp_reserved",		SDM_EXEC_CTLS,	ok_eptp_reserved },
	{ "eptp_width",			SDM_EXEC_CTLS,	ok_eptp_width },
	{ "pml_ept",			SDM_EXEC_CTLS,	ok_pml_ept },
	{ "pml_address",		SDM_EXEC_CTLS,	ok_pml_address },
	{ "unrestricted_ept",		SDM_EXEC_CTLS,	ok_unrestricted_ept },
	{ "mbec_ept",			SDM_EXEC_CTLS,	ok_mbec_ept },
	{ "vmfunc_ctls",		SDM_EXEC_CTLS,	ok_vmfunc_ctls },
	{ "eptp_switching_ept",		SDM_EXEC_CTLS,	ok_eptp_switching_ept },
	{ "eptp_list",			SDM_EXEC_CTLS,	ok_eptp_list },
	{ "vmread_bitmap",		SDM_EXEC_CTLS,	ok_vmread_bitmap },
	{ "vmwrite_bitmap",		SDM_EXEC_CTLS,	ok_vmwrite_bitmap },
	{ "tsc_multiplier",		SDM_EXEC_CTLS,	ok_tsc_multiplier },

	{ "exit_ctls",			SDM_EXIT_CTLS,	ok_exit_ctls },
	{ "save_preempt_timer",		SDM_EXIT_CTLS,	ok_save_preempt_timer },
	{ "exit_msr_store_count",	SDM_EXIT_CTLS,	ok_exit_msr_store_count },
	{ "exit_msr_store",		SDM_EXIT_CTLS,	ok_exit_msr_store },
	{ "exit_msr_load_count",	SDM_EXIT_CTLS,	ok_exit_msr_load_count },
	{ "exit_msr_load",		SDM_EXIT_CTLS,	ok_exit_msr_load },

	{ "entry_ctls",			SDM_ENTRY_CTLS,	ok_entry_ctls },
	{ "inject_type",		SDM_ENTRY_CTLS,	ok_inject_type },
	{ "inject_vector_nmi",		SDM_ENTRY_CTLS,	ok_inject_vector_nmi },
	{ "inject_vector_exception",	SDM_ENTRY_CTLS,	ok_inject_vector_exception },
	{ "inject_vector_other",	SDM_ENTRY_CTLS,	ok_inject_vector_other },
	{ "inject_error_wanted",	SDM_ENTRY_CTLS,	ok_inject_error_wanted },
	{ "inject_error_unwanted",	SDM_ENTRY_CTLS,	ok_inject_error_unwanted },
	{ "inject_reserved",		SDM_ENTRY_CTLS,	ok_inject_reserved },
	{ "inject_error_code",		SDM_ENTRY_CTLS,	ok_inject_error_code },
	{ "inject_insn_len",		SDM_ENTRY_CTLS,	ok_inject_insn_len },
	{ "entry_msr_load_count",	SDM_ENTRY_CTLS,	ok_entry_msr_load_count },
	{ "entry_msr_load",		SDM_ENTRY_CTLS,	ok_entry_msr_load },
};

const unsigned int nested_ctl_check_count = ARRAY_SIZE(nested_ctl_checks);
