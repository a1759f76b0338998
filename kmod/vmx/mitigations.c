// SPDX-License-Identifier: GPL-2.0
/* The table of mitigations: when each is needed, and whether it is done. Pure. */
#include "vmx/mitigations.h"

#include "x86.h"

static struct mitigation not_needed(const char *reason)
{
	return (struct mitigation){ MITIGATION_NOT_NEEDED, reason };
}

static struct mitigation on(const char *reason)
{
	return (struct mitigation){ MITIGATION_ON, reason };
}

static struct mitigation off(const char *reason)
{
	return (struct mitigation){ MITIGATION_OFF, reason };
}

/* "The hypervisor need not flush the L1D": another one below does. */
static bool l1d_below(const struct mitigation_facts *f)
{
	return f->arch_caps & IA32_ARCH_CAP_SKIP_L1D;
}

enum l1d_mode mitigation_l1d(const struct mitigation_facts *f)
{
	if (!f->l1tf || l1d_below(f))
		return L1D_NEVER;
	/* "full,force" cannot be undone by a module's parameter. */
	if (f->l1tf_wish == L1TF_WISH_FULL_FORCE)
		return L1D_ALWAYS;
	if (f->l1d_param != L1D_AUTO)
		return f->l1d_param;
	switch (f->l1tf_wish) {
	case L1TF_WISH_OFF:
		return L1D_NEVER;
	case L1TF_WISH_FLUSH:
		return L1D_COND;
	default:
		return L1D_ALWAYS;
	}
}

static struct mitigation l1tf(const struct mitigation_facts *f)
{
	if (!f->l1tf)
		return not_needed("the CPU has no L1 terminal fault");
	if (l1d_below(f))
		return not_needed("the hypervisor below flushes the L1 data cache");
	switch (mitigation_l1d(f)) {
	case L1D_COND:
		return on("the L1 data cache is flushed before an entry, unless little was done since the exit");
	case L1D_ALWAYS:
		return on("the L1 data cache is flushed before every entry");
	default:
		return off("by l1tf=, mitigations= or the module's vmentry_l1d_flush");
	}
}

static struct mitigation buffers(const struct mitigation_facts *f)
{
	if (!f->buffers)
		return not_needed("no buffer of the CPU can be sampled (MDS, TAA, RFDS, MMIO stale data)");
	if (f->verw || f->verw_mmio)
		return on("VERW clears the CPU's buffers before every entry");
	return off("by the kernel's command line, or the microcode has no VERW that clears buffers");
}

static struct mitigation returns(const struct mitigation_facts *f)
{
	if (!f->spectre_v2)
		return not_needed("the CPU has no Spectre variant 2");
	if (f->rsb_fill)
		return on("the return stack buffer is filled after every exit");
	if (f->rsb_one)
		return on("one entry of the return stack buffer is filled after every exit; enhanced IBRS does the others");
	if (f->eibrs)
		return not_needed("enhanced IBRS keeps the guest's return targets from the host");
	return off("by the kernel's command line (spectre_v2=, mitigations=)");
}

static struct mitigation spec_ctrl(const struct mitigation_facts *f)
{
	if (!f->spec_ctrl)
		return not_needed("the CPU has no IA32_SPEC_CTRL for a guest to leave changed");
	return on("the host's IA32_SPEC_CTRL is written back after an exit, before any return");
}

static struct mitigation bhi(const struct mitigation_facts *f)
{
	if (!f->bhi)
		return not_needed("the CPU is not affected by branch history injection");
	if (f->bhi_dis_s)
		return on("the CPU's BHI_DIS_S keeps the guest's branch history from the host");
	if (f->bhb_loop)
		return on("the branch history is overwritten after every exit");
	if (f->retpoline)
		return on("the host's indirect branches are retpolines, which use no history");
	return off("by the kernel's command line (spectre_bhi=, mitigations=)");
}

static struct mitigation ibpb(const struct mitigation_facts *f, const char *done)
{
	if (!f->spectre_v2)
		return not_needed("the CPU has no Spectre variant 2");
	if (f->ibpb)
		return on(done);
	return off("by the kernel's command line (spectre_v2_user=, mitigations=), or the CPU has no IBPB");
}

static struct mitigation ibpb_vcpu(const struct mitigation_facts *f)
{
	return ibpb(f, "IBPB when a CPU turns to another virtual CPU");
}

static struct mitigation ibpb_l2(const struct mitigation_facts *f)
{
	return ibpb(f, "IBPB from L2 to an L1 that was given IBRS, on whichever CPU it goes on");
}

static struct mitigation vmscape(const struct mitigation_facts *f)
{
	if (!f->vmscape)
		return not_needed("the CPU is not affected by VMSCAPE, or this kernel does not know of it");
	if (f->ibpb_to_user)
		return on("IBPB before the first return to user space after an exit");
	return off("by the kernel's command line (vmscape=, mitigations=), or the CPU has no IBPB");
}

static struct mitigation itlb(const struct mitigation_facts *f)
{
	if (!f->itlb_multihit)
		return not_needed("the CPU has no machine check by page-size changes (iTLB multihit)");
	if (f->nx_large)
		return on("a large page of a guest is not executable; what is executed is mapped in 4 KiB");
	return off("by mitigations=off or the module's nx_huge_pages");
}

static struct mitigation spectre_v1(const struct mitigation_facts *f)
{
	(void)f;
	return on("indices that a guest or a caller gives are masked");
}

static struct mitigation smt(const struct mitigation_facts *f)
{
	if (!f->l1tf && !f->buffers)
		return not_needed("no bug of the CPU reaches from one thread of a core to the other");
	if (!f->smt)
		return on("one thread of a core is used (SMT is off)");
	return off("SMT is on: a guest can sample the core's other thread; nosmt on the kernel's command line");
}

static struct mitigation guest(const struct mitigation_facts *f)
{
	if (!f->spec_ctrl)
		return not_needed("the CPU has no speculation controls to give to a guest");
	return on("guests have the CPU's speculation controls");
}

static const struct {
	const char *name;
	struct mitigation (*decide)(const struct mitigation_facts *f);
} rows[MITIGATION_COUNT] = {
	[MITIGATION_L1TF]	= { "l1tf", l1tf },
	[MITIGATION_BUFFERS]	= { "cpu-buffers", buffers },
	[MITIGATION_RETURNS]	= { "return-targets", returns },
	[MITIGATION_SPEC_CTRL]	= { "spec-ctrl", spec_ctrl },
	[MITIGATION_BHI]	= { "branch-history", bhi },
	[MITIGATION_IBPB_VCPU]	= { "vcpu-to-vcpu", ibpb_vcpu },
	[MITIGATION_IBPB_L2]	= { "l2-to-l1", ibpb_l2 },
	[MITIGATION_VMSCAPE]	= { "vmscape", vmscape },
	[MITIGATION_ITLB]	= { "itlb-multihit", itlb },
	[MITIGATION_SPECTRE_V1]	= { "spectre-v1", spectre_v1 },
	[MITIGATION_SMT]	= { "smt", smt },
	[MITIGATION_GUEST]	= { "guest-controls", guest },
};

/* Of the host's, these say of the CPU what holds for a guest of it. */
#define ARCH_CAPS_PASSED	(IA32_ARCH_CAP_RDCL_NO | IA32_ARCH_CAP_IBRS_ALL |		\
				 IA32_ARCH_CAP_RSBA | IA32_ARCH_CAP_SKIP_L1D |		\
				 IA32_ARCH_CAP_SSB_NO | IA32_ARCH_CAP_MDS_NO |		\
				 IA32_ARCH_CAP_PSCHANGE_NO | IA32_ARCH_CAP_TAA_NO |	\
				 IA32_ARCH_CAP_MMIO_NO | IA32_ARCH_CAP_FB_CLEAR |	\
				 IA32_ARCH_CAP_RRSBA | IA32_ARCH_CAP_BHI_NO |		\
				 IA32_ARCH_CAP_PBRSB_NO | IA32_ARCH_CAP_GDS_NO |	\
				 IA32_ARCH_CAP_RFDS_NO | IA32_ARCH_CAP_RFDS_CLEAR |	\
				 IA32_ARCH_CAP_ITS_NO)

u64 mitigation_arch_caps(const struct mitigation_facts *f)
{
	const struct {
		bool safe;
		u64 bit;
	} rows[] = {
		{ !f->meltdown && !f->l1tf,			IA32_ARCH_CAP_RDCL_NO },
		/* A hypervisor that is a guest: each entry of its L2 comes by us. */
		{ !f->l1tf || mitigation_l1d(f) != L1D_NEVER,	IA32_ARCH_CAP_SKIP_L1D },
		{ !f->ssb,					IA32_ARCH_CAP_SSB_NO },
		{ !f->mds,					IA32_ARCH_CAP_MDS_NO },
		{ !f->itlb_multihit || f->nx_large,		IA32_ARCH_CAP_PSCHANGE_NO },
		{ !f->gds,					IA32_ARCH_CAP_GDS_NO },
		{ !f->rfds,					IA32_ARCH_CAP_RFDS_NO },
		{ !f->its,					IA32_ARCH_CAP_ITS_NO },
	};
	u64 caps = f->arch_caps & ARCH_CAPS_PASSED;
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(rows); i++)
		if (rows[i].safe)
			caps |= rows[i].bit;
	return caps;
}

const char *mitigation_name(enum mitigation_id id)
{
	return rows[id].name;
}

struct mitigation mitigation_decide(enum mitigation_id id, const struct mitigation_facts *f)
{
	return rows[id].decide(f);
}
