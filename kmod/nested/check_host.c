// SPDX-License-Identifier: GPL-2.0
/*
 * SDM 3C "Checks on Host-State Area". Pure, see kmod/pure.mk.
 *
 * No rows for IA32_PERF_GLOBAL_CTRL, CET, PKRS: the exit controls that load
 * them are not offered, and then the fields are not looked at.
 */
#include "nested/check_rules.h"

#define EXIT(c, bit)	vmcs12_has_exit((c)->v, bit)
#define HOST_64(c)	EXIT(c, EXIT_HOST_64)

/* Checks on Host Control Registers, MSRs, and SSP */

/* CR0.NW and CR0.CD are not checked: exits do not change them. FIXED1 has them. */
static bool ok_host_cr0(const struct entry_ctx *c)
{
	return cpu_fixed_ok(c->v->host_cr0, c->msrs->cr0_fixed0, c->msrs->cr0_fixed1);
}

static bool ok_host_cr4(const struct entry_ctx *c)
{
	return cpu_fixed_ok(c->v->host_cr4, c->msrs->cr4_fixed0, c->msrs->cr4_fixed1);
}

static bool ok_host_cr4_cet(const struct entry_ctx *c)
{
	return !(c->v->host_cr4 & CR4_CET) || (c->v->host_cr0 & CR0_WP);
}

static bool ok_host_cr3(const struct entry_ctx *c)
{
	return cpu_cr3_valid(c->cpu, c->v->host_cr3);
}

static bool ok_host_sysenter_esp(const struct entry_ctx *c)
{
	return cpu_canonical(c->cpu, c->v->host_sysenter_esp);
}

static bool ok_host_sysenter_eip(const struct entry_ctx *c)
{
	return cpu_canonical(c->cpu, c->v->host_sysenter_eip);
}

static bool ok_host_pat(const struct entry_ctx *c)
{
	return !EXIT(c, EXIT_LOAD_PAT) || cpu_pat_valid(c->v->host_pat);
}

static bool ok_host_efer(const struct entry_ctx *c)
{
	return !EXIT(c, EXIT_LOAD_EFER) || cpu_efer_valid(c->cpu, c->v->host_efer);
}

static bool ok_host_efer_mode(const struct entry_ctx *c)
{
	u64 both = IA32_EFER_LMA | IA32_EFER_LME;

	return !EXIT(c, EXIT_LOAD_EFER) ||
	       (c->v->host_efer & both) == (HOST_64(c) ? both : 0);
}

/* Checks on Host Segment and Descriptor-Table Registers */

#define SEL_RPL_TI	7u

static bool ok_host_es_sel(const struct entry_ctx *c)
{
	return !(c->v->host_es_sel & SEL_RPL_TI);
}

static bool ok_host_cs_sel(const struct entry_ctx *c)
{
	return !(c->v->host_cs_sel & SEL_RPL_TI);
}

static bool ok_host_ss_sel(const struct entry_ctx *c)
{
	return !(c->v->host_ss_sel & SEL_RPL_TI);
}

static bool ok_host_ds_sel(const struct entry_ctx *c)
{
	return !(c->v->host_ds_sel & SEL_RPL_TI);
}

static bool ok_host_fs_sel(const struct entry_ctx *c)
{
	return !(c->v->host_fs_sel & SEL_RPL_TI);
}

static bool ok_host_gs_sel(const struct entry_ctx *c)
{
	return !(c->v->host_gs_sel & SEL_RPL_TI);
}

static bool ok_host_tr_sel(const struct entry_ctx *c)
{
	return !(c->v->host_tr_sel & SEL_RPL_TI);
}

static bool ok_host_cs_null(const struct entry_ctx *c)
{
	return c->v->host_cs_sel;
}

static bool ok_host_tr_null(const struct entry_ctx *c)
{
	return c->v->host_tr_sel;
}

static bool ok_host_ss_null(const struct entry_ctx *c)
{
	return HOST_64(c) || c->v->host_ss_sel;
}

static bool ok_host_fs_base(const struct entry_ctx *c)
{
	return cpu_canonical(c->cpu, c->v->host_fs_base);
}

static bool ok_host_gs_base(const struct entry_ctx *c)
{
	return cpu_canonical(c->cpu, c->v->host_gs_base);
}

static bool ok_host_gdtr_base(const struct entry_ctx *c)
{
	return cpu_canonical(c->cpu, c->v->host_gdtr_base);
}

static bool ok_host_idtr_base(const struct entry_ctx *c)
{
	return cpu_canonical(c->cpu, c->v->host_idtr_base);
}

static bool ok_host_tr_base(const struct entry_ctx *c)
{
	return cpu_canonical(c->cpu, c->v->host_tr_base);
}

/* Checks Related to Address-Space Size */

static bool l1_ia32e(const struct entry_ctx *c)
{
	return c->l1_efer & IA32_EFER_LMA;
}

static bool ok_size_l1_32_guest(const struct entry_ctx *c)
{
	return l1_ia32e(c) || !vmcs12_has_entry(c->v, ENTRY_IA32E);
}

static bool ok_size_l1_32_host(const struct entry_ctx *c)
{
	return l1_ia32e(c) || !HOST_64(c);
}

static bool ok_size_l1_64_host(const struct entry_ctx *c)
{
	return !l1_ia32e(c) || HOST_64(c);
}

static bool ok_size_host_32_guest(const struct entry_ctx *c)
{
	return HOST_64(c) || !vmcs12_has_entry(c->v, ENTRY_IA32E);
}

static bool ok_size_host_32_pcide(const struct entry_ctx *c)
{
	return HOST_64(c) || !(c->v->host_cr4 & CR4_PCIDE);
}

static bool ok_size_host_32_rip(const struct entry_ctx *c)
{
	return HOST_64(c) || !(c->v->host_rip >> 32);
}

static bool ok_size_host_64_pae(const struct entry_ctx *c)
{
	return !HOST_64(c) || (c->v->host_cr4 & CR4_PAE);
}

/* Judged by the paging mode the exit will load, not by L1's present one. */
static bool ok_size_host_64_rip(const struct entry_ctx *c)
{
	return !HOST_64(c) || cpu_canonical_cr4(c->v->host_rip, c->v->host_cr4);
}

const struct entry_check nested_host_checks[] = {
	{ "host_cr0",			SDM_HOST_REGS,	ok_host_cr0 },
	{ "host_cr4",			SDM_HOST_REGS,	ok_host_cr4 },
	{ "host_cr4_cet",		SDM_HOST_REGS,	ok_host_cr4_cet },
	{ "host_cr3",			SDM_HOST_REGS,	ok_host_cr3 },
	{ "host_sysenter_esp",		SDM_HOST_REGS,	ok_host_sysenter_esp },
	{ "host_sysenter_eip",		SDM_HOST_REGS,	ok_host_sysenter_eip },
	{ "host_pat",			SDM_HOST_REGS,	ok_host_pat },
	{ "host_efer",			SDM_HOST_REGS,	ok_host_efer },
	{ "host_efer_mode",		SDM_HOST_REGS,	ok_host_efer_mode },

	{ "host_cs_sel",		SDM_HOST_SEGS,	ok_host_cs_sel },
	{ "host_ss_sel",		SDM_HOST_SEGS,	ok_host_ss_sel },
	{ "host_ds_sel",		SDM_HOST_SEGS,	ok_host_ds_sel },
	{ "host_es_sel",		SDM_HOST_SEGS,	ok_host_es_sel },
	{ "host_fs_sel",		SDM_HOST_SEGS,	ok_host_fs_sel },
	{ "host_gs_sel",		SDM_HOST_SEGS,	ok_host_gs_sel },
	{ "host_tr_sel",		SDM_HOST_SEGS,	ok_host_tr_sel },
	{ "host_cs_null",		SDM_HOST_SEGS,	ok_host_cs_null },
	{ "host_tr_null",		SDM_HOST_SEGS,	ok_host_tr_null },
	{ "host_ss_null",		SDM_HOST_SEGS,	ok_host_ss_null },
	{ "host_fs_base",		SDM_HOST_SEGS,	ok_host_fs_base },
	{ "host_gs_base",		SDM_HOST_SEGS,	ok_host_gs_base },
	{ "host_gdtr_base",		SDM_HOST_SEGS,	ok_host_gdtr_base },
	{ "host_idtr_base",		SDM_HOST_SEGS,	ok_host_idtr_base },
	{ "host_tr_base",		SDM_HOST_SEGS,	ok_host_tr_base },

	{ "size_l1_32_guest",		SDM_HOST_SIZE,	ok_size_l1_32_guest },
	{ "size_l1_32_host",		SDM_HOST_SIZE,	ok_size_l1_32_host },
	{ "size_l1_64_host",		SDM_HOST_SIZE,	ok_size_l1_64_host },
	{ "size_host_32_guest",		SDM_HOST_SIZE,	ok_size_host_32_guest },
	{ "size_host_32_pcide",		SDM_HOST_SIZE,	ok_size_host_32_pcide },
	{ "size_host_32_rip",		SDM_HOST_SIZE,	ok_size_host_32_rip },
	{ "size_host_64_pae",		SDM_HOST_SIZE,	ok_size_host_64_pae },
	{ "size_host_64_rip",		SDM_HOST_SIZE,	ok_size_host_64_rip },
};

const unsigned int nested_host_check_count = ARRAY_SIZE(nested_host_checks);
