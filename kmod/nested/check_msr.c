// SPDX-License-Identifier: GPL-2.0
/*
 * SDM 3C "Loading MSRs" (VM entry, VM exit) and "Saving MSRs": which entries of
 * the areas may not be processed at all. Pure, see kmod/pure.mk.
 */
#include "nested/check_rules.h"

static bool loads(const struct msr_check_ctx *c)
{
	return c->area != MSR_AREA_EXIT_STORE;
}

static bool ok_msr_fs_base(const struct msr_check_ctx *c)
{
	return !loads(c) || c->e->index != IA32_FS_BASE;
}

static bool ok_msr_gs_base(const struct msr_check_ctx *c)
{
	return !loads(c) || c->e->index != IA32_GS_BASE;
}

/* "The value of bits 31:8 is 000008H", while the local APIC is in x2APIC mode. */
static bool ok_msr_x2apic(const struct msr_check_ctx *c)
{
	return !c->x2apic || c->e->index >> 8 != 8;
}

/* Loading it needs SMM, storing SMBASE too; L1 is never in SMM here. */
static bool ok_msr_smm_monitor(const struct msr_check_ctx *c)
{
	return !loads(c) || c->e->index != IA32_SMM_MONITOR_CTL;
}

static bool ok_msr_smbase(const struct msr_check_ctx *c)
{
	return loads(c) || c->e->index != IA32_SMBASE;
}

/* "MSRs that cannot be loaded ... for model-specific reasons". */
static bool ok_msr_microcode(const struct msr_check_ctx *c)
{
	return !loads(c) || (c->e->index != IA32_BIOS_UPDT_TRIG &&
			     c->e->index != IA32_BIOS_SIGN_ID);
}

static bool ok_msr_reserved(const struct msr_check_ctx *c)
{
	return !c->e->reserved;
}

const struct msr_check nested_msr_checks[] = {
	{ "msr_fs_base",	SDM_LOAD_MSRS,	ok_msr_fs_base },
	{ "msr_gs_base",	SDM_LOAD_MSRS,	ok_msr_gs_base },
	{ "msr_x2apic",		SDM_LOAD_MSRS,	ok_msr_x2apic },
	{ "msr_smm_monitor",	SDM_LOAD_MSRS,	ok_msr_smm_monitor },
	{ "msr_smbase",		SDM_SAVE_MSRS,	ok_msr_smbase },
	{ "msr_microcode",	SDM_LOAD_MSRS,	ok_msr_microcode },
	{ "msr_reserved",	SDM_LOAD_MSRS,	ok_msr_reserved },
};

const unsigned int nested_msr_check_count = ARRAY_SIZE(nested_msr_checks);

const struct msr_check *nested_check_msr(const struct vmx_msr_entry *e, enum msr_area area,
					 bool x2apic)
{
	struct msr_check_ctx c = { .e = e, .area = area, .x2apic = x2apic };
	unsigned int i;

	for (i = 0; i < nested_msr_check_count; i++)
		if (!nested_msr_checks[i].ok(&c))
			return &nested_msr_checks[i];
	return NULL;
}
