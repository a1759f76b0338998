// SPDX-License-Identifier: GPL-2.0
/*
 * SDM 3C "Checks on the Guest State Area". Pure, see kmod/pure.mk.
 *
 * No rows for IA32_PERF_GLOBAL_CTRL, IA32_BNDCFGS, IA32_RTIT_CTL, CET, PKRS,
 * UINV: the entry controls that load them are not offered, and then the fields
 * are not looked at. L1 is never in SMM, so that "entry to SMM" is always 0.
 */
#include "nested/check_rules.h"

#define UNRESTRICTED(c)	vmcs12_has_proc2((c)->v, PROC2_UNRESTRICTED)
#define IA32E(c)	vmcs12_has_entry((c)->v, ENTRY_IA32E)
#define LOADS(c, bit)	vmcs12_has_entry((c)->v, bit)

/* Checks on Guest Control Registers, Debug Registers, and MSRs */

/* An unrestricted guest may run with paging or protection off. */
static bool ok_guest_cr0(const struct entry_ctx *c)
{
	u64 fixed0 = c->msrs->cr0_fixed0;

	if (UNRESTRICTED(c))
		fixed0 &= ~(CR0_PE | CR0_PG);
	return cpu_fixed_ok(c->v->guest_cr0, fixed0, c->msrs->cr0_fixed1);
}

static bool ok_guest_cr0_pg(const struct entry_ctx *c)
{
	return !(c->v->guest_cr0 & CR0_PG) || (c->v->guest_cr0 & CR0_PE);
}

static bool ok_guest_cr4(const struct entry_ctx *c)
{
	return cpu_fixed_ok(c->v->guest_cr4, c->msrs->cr4_fixed0, c->msrs->cr4_fixed1);
}

static bool ok_guest_cr4_cet(const struct entry_ctx *c)
{
	return !(c->v->guest_cr4 & CR4_CET) || (c->v->guest_cr0 & CR0_WP);
}

static bool ok_guest_debugctl(const struct entry_ctx *c)
{
	return !LOADS(c, ENTRY_LOAD_DEBUG) || cpu_debugctl_valid(c->v->guest_debugctl);
}

static bool ok_guest_ia32e_pg(const struct entry_ctx *c)
{
	return !IA32E(c) || (c->v->guest_cr0 & CR0_PG);
}

static bool ok_guest_ia32e_pae(const struct entry_ctx *c)
{
	return !IA32E(c) || (c->v->guest_cr4 & CR4_PAE);
}

static bool ok_guest_pcide(const struct entry_ctx *c)
{
	return IA32E(c) || !(c->v->guest_cr4 & CR4_PCIDE);
}

static bool ok_guest_cr3(const struct entry_ctx *c)
{
	return cpu_cr3_valid(c->cpu, c->v->guest_cr3);
}

static bool ok_guest_dr7(const struct entry_ctx *c)
{
	return !LOADS(c, ENTRY_LOAD_DEBUG) || cpu_dr7_valid(c->v->guest_dr7);
}

static bool ok_guest_sysenter_esp(const struct entry_ctx *c)
{
	return cpu_canonical(c->cpu, c->v->guest_sysenter_esp);
}

static bool ok_guest_sysenter_eip(const struct entry_ctx *c)
{
	return cpu_canonical(c->cpu, c->v->guest_sysenter_eip);
}

static bool ok_guest_pat(const struct entry_ctx *c)
{
	return !LOADS(c, ENTRY_LOAD_PAT) || cpu_pat_valid(c->v->guest_pat);
}

static bool ok_guest_efer(const struct entry_ctx *c)
{
	return !LOADS(c, ENTRY_LOAD_EFER) || cpu_efer_valid(c->cpu, c->v->guest_efer);
}

static bool ok_guest_efer_lma(const struct entry_ctx *c)
{
	return !LOADS(c, ENTRY_LOAD_EFER) ||
	       !!(c->v->guest_efer & IA32_EFER_LMA) == IA32E(c);
}

static bool ok_guest_efer_lme(const struct entry_ctx *c)
{
	return !LOADS(c, ENTRY_LOAD_EFER) || !(c->v->guest_cr0 & CR0_PG) ||
	       !!(c->v->guest_efer & IA32_EFER_LMA) == !!(c->v->guest_efer & IA32_EFER_LME);
}

/* Checks on Guest Segment Registers */

struct guest_seg {
	u16 sel;
	u32 limit, ar;
	u64 base;
};

#define LOAD_SEG(name)							\
	((struct guest_seg){ v->guest_##name##_sel, v->guest_##name##_limit,	\
			     v->guest_##name##_ar, v->guest_##name##_base })

static struct guest_seg guest_seg(const struct entry_ctx *c, enum nv_seg s)
{
	const struct vmcs12 *v = c->v;

	switch (s) {
	case SEG_ES:
		return LOAD_SEG(es);
	case SEG_CS:
		return LOAD_SEG(cs);
	case SEG_SS:
		return LOAD_SEG(ss);
	case SEG_DS:
		return LOAD_SEG(ds);
	case SEG_FS:
		return LOAD_SEG(fs);
	case SEG_GS:
		return LOAD_SEG(gs);
	case SEG_LDTR:
		return LOAD_SEG(ldtr);
	default:
		return LOAD_SEG(tr);
	}
}

#define SEL_RPL		3u
#define SEL_TI		4u

#define TYPE_ACCESSED	1u
#define TYPE_READABLE	2u	/* of code */
#define TYPE_CODE	8u

#define AR_V86		0xf3u

static bool v86(const struct entry_ctx *c)
{
	return c->v->guest_rflags & RFLAGS_VM;
}

static u32 seg_type(struct guest_seg g)
{
	return g.ar & SEG_AR_TYPE;
}

static u32 seg_dpl(struct guest_seg g)
{
	return (g.ar & SEG_AR_DPL) >> SEG_AR_DPL_SHIFT;
}

/* CS and TR are always usable: their unusable bit is judged by other rows. */
static bool usable(struct guest_seg g, enum nv_seg s)
{
	return s == SEG_CS || s == SEG_TR || !(g.ar & SEG_AR_UNUSABLE);
}

/* Does the rule about access rights apply? Never to a virtual-8086 guest. */
static bool judged(const struct entry_ctx *c, struct guest_seg g, enum nv_seg s)
{
	bool system = s == SEG_LDTR || s == SEG_TR;

	return (system || !v86(c)) && usable(g, s);
}

static bool ok_tr_sel_ti(const struct entry_ctx *c)
{
	return !(c->v->guest_tr_sel & SEL_TI);
}

static bool ok_ldtr_sel_ti(const struct entry_ctx *c)
{
	return !usable(guest_seg(c, SEG_LDTR), SEG_LDTR) || !(c->v->guest_ldtr_sel & SEL_TI);
}

static bool ok_ss_sel_rpl(const struct entry_ctx *c)
{
	return v86(c) || UNRESTRICTED(c) ||
	       (c->v->guest_ss_sel & SEL_RPL) == (c->v->guest_cs_sel & SEL_RPL);
}

static bool rule_base_v86(const struct entry_ctx *c, enum nv_seg s)
{
	struct guest_seg g = guest_seg(c, s);

	return !v86(c) || g.base == (u64)g.sel << 4;
}

static bool rule_base_canonical(const struct entry_ctx *c, enum nv_seg s)
{
	struct guest_seg g = guest_seg(c, s);

	/* FS and GS even if unusable. */
	return (s == SEG_LDTR && !usable(g, s)) || cpu_canonical(c->cpu, g.base);
}

static bool rule_base_32(const struct entry_ctx *c, enum nv_seg s)
{
	struct guest_seg g = guest_seg(c, s);

	return !usable(g, s) || !(g.base >> 32);
}

static bool rule_limit_v86(const struct entry_ctx *c, enum nv_seg s)
{
	return !v86(c) || guest_seg(c, s).limit == 0xffff;
}

static bool rule_ar_v86(const struct entry_ctx *c, enum nv_seg s)
{
	return !v86(c) || guest_seg(c, s).ar == AR_V86;
}

/* Accessed code; an unrestricted guest may have real mode's read/write data too. */
static bool ok_cs_type(const struct entry_ctx *c)
{
	if (v86(c))
		return true;
	switch (seg_type(guest_seg(c, SEG_CS))) {
	case 9:
	case 11:
	case 13:
	case 15:
		return true;
	case 3:
		return UNRESTRICTED(c);
	}
	return false;
}

static bool ok_ss_type(const struct entry_ctx *c)
{
	struct guest_seg g = guest_seg(c, SEG_SS);

	return !judged(c, g, SEG_SS) || seg_type(g) == 3 || seg_type(g) == 7;
}

static bool rule_type_data(const struct entry_ctx *c, enum nv_seg s)
{
	struct guest_seg g = guest_seg(c, s);

	if (!judged(c, g, s))
		return true;
	if (!(seg_type(g) & TYPE_ACCESSED))
		return false;
	return !(seg_type(g) & TYPE_CODE) || (seg_type(g) & TYPE_READABLE);
}

static bool rule_s(const struct entry_ctx *c, enum nv_seg s)
{
	struct guest_seg g = guest_seg(c, s);

	return !judged(c, g, s) || (g.ar & SEG_AR_S);
}

static bool ok_cs_dpl_data(const struct entry_ctx *c)
{
	struct guest_seg g = guest_seg(c, SEG_CS);

	return v86(c) || seg_type(g) != 3 || !seg_dpl(g);
}

static bool ok_cs_dpl_nonconforming(const struct entry_ctx *c)
{
	struct guest_seg g = guest_seg(c, SEG_CS);

	return v86(c) || (seg_type(g) != 9 && seg_type(g) != 11) ||
	       seg_dpl(g) == seg_dpl(guest_seg(c, SEG_SS));
}

static bool ok_cs_dpl_conforming(const struct entry_ctx *c)
{
	struct guest_seg g = guest_seg(c, SEG_CS);

	return v86(c) || (seg_type(g) != 13 && seg_type(g) != 15) ||
	       seg_dpl(g) <= seg_dpl(guest_seg(c, SEG_SS));
}

static bool ok_ss_dpl_rpl(const struct entry_ctx *c)
{
	return v86(c) || UNRESTRICTED(c) ||
	       seg_dpl(guest_seg(c, SEG_SS)) == (c->v->guest_ss_sel & SEL_RPL);
}

/* Real mode, or CS of real mode: SS.DPL, which is the CPL, is 0. */
static bool ok_ss_dpl_real(const struct entry_ctx *c)
{
	if (v86(c))
		return true;
	if (seg_type(guest_seg(c, SEG_CS)) != 3 && (c->v->guest_cr0 & CR0_PE))
		return true;
	return !seg_dpl(guest_seg(c, SEG_SS));
}

static bool rule_dpl_data(const struct entry_ctx *c, enum nv_seg s)
{
	struct guest_seg g = guest_seg(c, s);

	return UNRESTRICTED(c) || !judged(c, g, s) || seg_type(g) > 11 ||
	       seg_dpl(g) >= (g.sel & SEL_RPL);
}

static bool rule_p(const struct entry_ctx *c, enum nv_seg s)
{
	struct guest_seg g = guest_seg(c, s);

	return !judged(c, g, s) || (g.ar & SEG_AR_P);
}

static bool rule_ar_11_8(const struct entry_ctx *c, enum nv_seg s)
{
	struct guest_seg g = guest_seg(c, s);

	return !judged(c, g, s) || !(g.ar & GENMASK(11, 8));
}

static bool ok_cs_db(const struct entry_ctx *c)
{
	u32 both = SEG_AR_L | SEG_AR_DB;

	return v86(c) || !IA32E(c) || (c->v->guest_cs_ar & both) != both;
}

static bool rule_g(const struct entry_ctx *c, enum nv_seg s)
{
	struct guest_seg g = guest_seg(c, s);

	return !judged(c, g, s) || cpu_seg_limit_valid(g.limit, g.ar);
}

static bool rule_ar_31_17(const struct entry_ctx *c, enum nv_seg s)
{
	struct guest_seg g = guest_seg(c, s);

	return !judged(c, g, s) || !(g.ar & GENMASK(31, 17));
}

/* Busy TSS: 16-bit (3) or 32-bit (11); in IA-32e mode 64-bit, which is 11. */
static bool ok_tr_type(const struct entry_ctx *c)
{
	u32 type = seg_type(guest_seg(c, SEG_TR));

	return type == 11 || (type == 3 && !IA32E(c));
}

static bool ok_tr_s(const struct entry_ctx *c)
{
	return !(c->v->guest_tr_ar & SEG_AR_S);
}

static bool ok_tr_usable(const struct entry_ctx *c)
{
	return !(c->v->guest_tr_ar & SEG_AR_UNUSABLE);
}

static bool ok_ldtr_type(const struct entry_ctx *c)
{
	struct guest_seg g = guest_seg(c, SEG_LDTR);

	return !judged(c, g, SEG_LDTR) || seg_type(g) == 2;
}

static bool ok_ldtr_s(const struct entry_ctx *c)
{
	struct guest_seg g = guest_seg(c, SEG_LDTR);

	return !judged(c, g, SEG_LDTR) || !(g.ar & SEG_AR_S);
}

/* A predicate for one register out of the rule for all: SEG_OK(es, ES, base_v86). */
#define SEG_OK(lower, upper, rule)						\
	static bool ok_##lower##_##rule(const struct entry_ctx *c)		\
	{									\
		return rule_##rule(c, SEG_##upper);				\
	}

#define SEG_OK_DATA(rule)							\
	SEG_OK(ds, DS, rule) SEG_OK(es, ES, rule) SEG_OK(fs, FS, rule) SEG_OK(gs, GS, rule)
#define SEG_OK_SIX(rule)							\
	SEG_OK(cs, CS, rule) SEG_OK(ss, SS, rule) SEG_OK_DATA(rule)
#define SEG_OK_EIGHT(rule)							\
	SEG_OK_SIX(rule) SEG_OK(tr, TR, rule) SEG_OK(ldtr, LDTR, rule)

SEG_OK_SIX(base_v86)
SEG_OK(tr, TR, base_canonical)
SEG_OK(fs, FS, base_canonical)
SEG_OK(gs, GS, base_canonical)
SEG_OK(ldtr, LDTR, base_canonical)
SEG_OK(cs, CS, base_32)
SEG_OK(ss, SS, base_32)
SEG_OK(ds, DS, base_32)
SEG_OK(es, ES, base_32)
SEG_OK_SIX(limit_v86)
SEG_OK_SIX(ar_v86)
SEG_OK_DATA(type_data)
SEG_OK_SIX(s)
SEG_OK_DATA(dpl_data)
SEG_OK_EIGHT(p)
SEG_OK_EIGHT(ar_11_8)
SEG_OK_EIGHT(g)
SEG_OK_EIGHT(ar_31_17)

/* Checks on Guest Descriptor-Table Registers */

static bool ok_gdtr_base(const struct entry_ctx *c)
{
	return cpu_canonical(c->cpu, c->v->guest_gdtr_base);
}

static bool ok_idtr_base(const struct entry_ctx *c)
{
	return cpu_canonical(c->cpu, c->v->guest_idtr_base);
}

static bool ok_gdtr_limit(const struct entry_ctx *c)
{
	return !(c->v->guest_gdtr_limit >> 16);
}

static bool ok_idtr_limit(const struct entry_ctx *c)
{
	return !(c->v->guest_idtr_limit >> 16);
}

/* Checks on Guest RIP, RFLAGS, and SSP */

static bool guest_64bit(const struct entry_ctx *c)
{
	return IA32E(c) && (c->v->guest_cs_ar & SEG_AR_L);
}

static bool ok_rip_32(const struct entry_ctx *c)
{
	return guest_64bit(c) || !(c->v->guest_rip >> 32);
}

/*
 * "Bits 63:N must be identical", N the linear-address width: less than
 * canonical, as bit N-1 may differ. The first fetch then faults.
 */
static bool ok_rip_64(const struct entry_ctx *c)
{
	u64 high = c->v->guest_rip >> c->cpu->linear_width;

	return !guest_64bit(c) || !high || high == ~0ull >> c->cpu->linear_width;
}

static bool ok_rflags_reserved(const struct entry_ctx *c)
{
	return cpu_rflags_valid(c->v->guest_rflags);
}

static bool ok_rflags_vm(const struct entry_ctx *c)
{
	return !v86(c) || (!IA32E(c) && (c->v->guest_cr0 & CR0_PE));
}

static bool ok_rflags_if(const struct entry_ctx *c)
{
	return !injects_type(c, INTR_TYPE_EXT) || (c->v->guest_rflags & RFLAGS_IF);
}

/* Checks on Guest Non-Register State */

static bool ok_activity(const struct entry_ctx *c)
{
	switch (c->v->guest_activity) {
	case ACTIVITY_ACTIVE:
		return true;
	case ACTIVITY_HLT:
		return c->msrs->misc & VMX_MISC_ACTIVITY_HLT;
	case ACTIVITY_SHUTDOWN:
		return c->msrs->misc & VMX_MISC_ACTIVITY_SHUTDOWN;
	case ACTIVITY_WAIT_SIPI:
		return c->msrs->misc & VMX_MISC_ACTIVITY_SIPI;
	}
	return false;
}

static bool ok_activity_hlt_cpl(const struct entry_ctx *c)
{
	return c->v->guest_activity != ACTIVITY_HLT || !seg_dpl(guest_seg(c, SEG_SS));
}

static bool ok_activity_blocking(const struct entry_ctx *c)
{
	return c->v->guest_activity == ACTIVITY_ACTIVE ||
	       !(c->v->guest_interruptibility & (INTR_STATE_STI | INTR_STATE_MOV_SS));
}

/* Which events may wake the state: the manual lists them by type and vector. */
static bool ok_activity_event(const struct entry_ctx *c)
{
	u32 vector = injected_vector(c);

	if (!injects(c))
		return true;
	switch (c->v->guest_activity) {
	case ACTIVITY_HLT:
		switch (c->v->entry_intr_info & INTR_INFO_TYPE) {
		case INTR_TYPE_EXT:
		case INTR_TYPE_NMI:
			return true;
		case INTR_TYPE_HARD_EXC:
			return vector == VEC_DB || vector == VEC_MC;
		case INTR_TYPE_OTHER:
			return vector == 0;
		}
		return false;
	case ACTIVITY_SHUTDOWN:
		return injects_type(c, INTR_TYPE_NMI) ||
		       (injects_type(c, INTR_TYPE_HARD_EXC) && vector == VEC_MC);
	case ACTIVITY_WAIT_SIPI:
		return false;
	}
	return true;
}

static bool blocked(const struct entry_ctx *c, u32 bits)
{
	return c->v->guest_interruptibility & bits;
}

static bool ok_intr_reserved(const struct entry_ctx *c)
{
	return !blocked(c, INTR_STATE_RESERVED);
}

static bool ok_intr_sti_mov_ss(const struct entry_ctx *c)
{
	return !blocked(c, INTR_STATE_STI) || !blocked(c, INTR_STATE_MOV_SS);
}

static bool ok_intr_sti_if(const struct entry_ctx *c)
{
	return !blocked(c, INTR_STATE_STI) || (c->v->guest_rflags & RFLAGS_IF);
}

static bool ok_intr_inject_ext(const struct entry_ctx *c)
{
	return !injects_type(c, INTR_TYPE_EXT) || !blocked(c, INTR_STATE_STI | INTR_STATE_MOV_SS);
}

static bool ok_intr_inject_nmi_mov_ss(const struct entry_ctx *c)
{
	return !injects_type(c, INTR_TYPE_NMI) || !blocked(c, INTR_STATE_MOV_SS);
}

static bool ok_intr_smi(const struct entry_ctx *c)
{
	return !blocked(c, INTR_STATE_SMI);
}

/* "A processor may require" it. Ours does, so that vmcs02 works on those that do. */
static bool ok_intr_inject_nmi_sti(const struct entry_ctx *c)
{
	return !injects_type(c, INTR_TYPE_NMI) || !blocked(c, INTR_STATE_STI);
}

static bool ok_intr_inject_nmi_blocked(const struct entry_ctx *c)
{
	return !injects_type(c, INTR_TYPE_NMI) || !vmcs12_has_pin(c->v, PIN_VIRTUAL_NMIS) ||
	       !blocked(c, INTR_STATE_NMI);
}

/* Needs SGX, which CPUID does not show. */
static bool ok_intr_enclave(const struct entry_ctx *c)
{
	return !blocked(c, INTR_STATE_ENCLAVE);
}

static bool ok_pending_dbg_reserved(const struct entry_ctx *c)
{
	u64 defined = PENDING_DBG_B | PENDING_DBG_ENABLED_BP | PENDING_DBG_BS | PENDING_DBG_RTM;

	return !(c->v->guest_pending_dbg & ~defined);
}

/* What L2 will run with: vmcs12's, or what is there. */
static u64 debugctl(const struct entry_ctx *c)
{
	return LOADS(c, ENTRY_LOAD_DEBUG) && !c->resumed ? c->v->guest_debugctl : c->debugctl;
}

/* While blocking or halted, a single-step trap is pending exactly if TF asks for one. */
static bool ok_pending_dbg_bs(const struct entry_ctx *c)
{
	bool step = (c->v->guest_rflags & RFLAGS_TF) && !(debugctl(c) & DEBUGCTL_BTF);

	if (!blocked(c, INTR_STATE_STI | INTR_STATE_MOV_SS) &&
	    c->v->guest_activity != ACTIVITY_HLT)
		return true;
	return !!(c->v->guest_pending_dbg & PENDING_DBG_BS) == step;
}

/* Needs RTM, which CPUID does not show. */
static bool ok_pending_dbg_rtm(const struct entry_ctx *c)
{
	return !(c->v->guest_pending_dbg & PENDING_DBG_RTM);
}

static bool linked(const struct entry_ctx *c)
{
	return c->v->link_pointer != VMCS_NONE;
}

static bool ok_link_address(const struct entry_ctx *c)
{
	return !linked(c) || page_ok(c, c->v->link_pointer);
}

static bool ok_link_revision(const struct entry_ctx *c)
{
	return !linked(c) ||
	       (c->link_revision & VMX_BASIC_REVISION) == (c->msrs->basic & VMX_BASIC_REVISION);
}

static bool ok_link_shadow(const struct entry_ctx *c)
{
	return !linked(c) || !!(c->link_revision & VMCS_SHADOW_BIT) ==
			     vmcs12_has_proc2(c->v, PROC2_SHADOW_VMCS);
}

static bool ok_link_current(const struct entry_ctx *c)
{
	return !linked(c) || c->v->link_pointer != c->vmcs.v;
}

/* Checks on Guest Page-Directory-Pointer-Table Entries */

static bool pdpte_ok(const struct entry_ctx *c, int i)
{
	return !nested_entry_uses_pdptes(c->v) || cpu_pdpte_valid(c->cpu, c->pdpte[i]);
}

static bool ok_pdpte0(const struct entry_ctx *c)
{
	return pdpte_ok(c, 0);
}

static bool ok_pdpte1(const struct entry_ctx *c)
{
	return pdpte_ok(c, 1);
}

static bool ok_pdpte2(const struct entry_ctx *c)
{
	return pdpte_ok(c, 2);
}

static bool ok_pdpte3(const struct entry_ctx *c)
{
	return pdpte_ok(c, 3);
}

#define SEG_ROW(seg, rule)	{ "guest_" #seg "_" #rule, SDM_GUEST_SEGS, ok_##seg##_##rule }
#define SEG_ROWS_DATA(rule)	SEG_ROW(ds, rule), SEG_ROW(es, rule), SEG_ROW(fs, rule), \
				SEG_ROW(gs, rule)
#define SEG_ROWS_SIX(rule)	SEG_ROW(cs, rule), SEG_ROW(ss, rule), SEG_ROWS_DATA(rule)

/* In the manual's order; of the segment rows: by part of the register. */
const struct entry_check nested_guest_checks[] = {
	{ "guest_cr0",			SDM_GUEST_REGS,	ok_guest_cr0 },
	{ "guest_cr0_pg",		SDM_GUEST_REGS,	ok_guest_cr0_pg },
	{ "guest_cr4",			SDM_GUEST_REGS,	ok_guest_cr4 },
	{ "guest_cr4_cet",		SDM_GUEST_REGS,	ok_guest_cr4_cet },
	{ "guest_debugctl",		SDM_GUEST_REGS,	ok_guest_debugctl },
	{ "guest_ia32e_pg",		SDM_GUEST_REGS,	ok_guest_ia32e_pg },
	{ "guest_ia32e_pae",		SDM_GUEST_REGS,	ok_guest_ia32e_pae },
	{ "guest_pcide",		SDM_GUEST_REGS,	ok_guest_pcide },
	{ "guest_cr3",			SDM_GUEST_REGS,	ok_guest_cr3 },
	{ "guest_dr7",			SDM_GUEST_REGS,	ok_guest_dr7 },
	{ "guest_sysenter_esp",		SDM_GUEST_REGS,	ok_guest_sysenter_esp },
	{ "guest_sysenter_eip",		SDM_GUEST_REGS,	ok_guest_sysenter_eip },
	{ "guest_pat",			SDM_GUEST_REGS,	ok_guest_pat },
	{ "guest_efer",			SDM_GUEST_REGS,	ok_guest_efer },
	{ "guest_efer_lma",		SDM_GUEST_REGS,	ok_guest_efer_lma },
	{ "guest_efer_lme",		SDM_GUEST_REGS,	ok_guest_efer_lme },

	/* Selector fields */
	SEG_ROW(tr, sel_ti),
	SEG_ROW(ldtr, sel_ti),
	SEG_ROW(ss, sel_rpl),
	/* Base-address fields */
	SEG_ROWS_SIX(base_v86),
	SEG_ROW(tr, base_canonical),
	SEG_ROW(fs, base_canonical),
	SEG_ROW(gs, base_canonical),
	SEG_ROW(ldtr, base_canonical),
	SEG_ROW(cs, base_32),
	SEG_ROW(ss, base_32),
	SEG_ROW(ds, base_32),
	SEG_ROW(es, base_32),
	/* Limit fields of a virtual-8086 guest */
	SEG_ROWS_SIX(limit_v86),
	/* Access-rights fields: CS, SS, DS, ES, FS, GS */
	SEG_ROWS_SIX(ar_v86),
	SEG_ROW(cs, type),
	SEG_ROW(ss, type),
	SEG_ROWS_DATA(type_data),
	SEG_ROWS_SIX(s),
	SEG_ROW(cs, dpl_data),
	SEG_ROW(cs, dpl_nonconforming),
	SEG_ROW(cs, dpl_conforming),
	SEG_ROW(ss, dpl_rpl),
	SEG_ROW(ss, dpl_real),
	SEG_ROWS_DATA(dpl_data),
	SEG_ROWS_SIX(p),
	SEG_ROWS_SIX(ar_11_8),
	SEG_ROW(cs, db),
	SEG_ROWS_SIX(g),
	SEG_ROWS_SIX(ar_31_17),
	/* TR */
	SEG_ROW(tr, type),
	SEG_ROW(tr, s),
	SEG_ROW(tr, p),
	SEG_ROW(tr, ar_11_8),
	SEG_ROW(tr, g),
	SEG_ROW(tr, usable),
	SEG_ROW(tr, ar_31_17),
	/* LDTR */
	SEG_ROW(ldtr, type),
	SEG_ROW(ldtr, s),
	SEG_ROW(ldtr, p),
	SEG_ROW(ldtr, ar_11_8),
	SEG_ROW(ldtr, g),
	SEG_ROW(ldtr, ar_31_17),

	{ "guest_gdtr_base",		SDM_GUEST_DT,	ok_gdtr_base },
	{ "guest_idtr_base",		SDM_GUEST_DT,	ok_idtr_base },
	{ "guest_gdtr_limit",		SDM_GUEST_DT,	ok_gdtr_limit },
	{ "guest_idtr_limit",		SDM_GUEST_DT,	ok_idtr_limit },

	{ "guest_rip_32",		SDM_GUEST_RIP,	ok_rip_32 },
	{ "guest_rip_64",		SDM_GUEST_RIP,	ok_rip_64 },
	{ "guest_rflags_reserved",	SDM_GUEST_RIP,	ok_rflags_reserved },
	{ "guest_rflags_vm",		SDM_GUEST_RIP,	ok_rflags_vm },
	{ "guest_rflags_if",		SDM_GUEST_RIP,	ok_rflags_if },

	{ "activity",			SDM_GUEST_STATE, ok_activity },
	{ "activity_hlt_cpl",		SDM_GUEST_STATE, ok_activity_hlt_cpl },
	{ "activity_blocking",		SDM_GUEST_STATE, ok_activity_blocking },
	{ "activity_event",		SDM_GUEST_STATE, ok_activity_event },
	{ "intr_reserved",		SDM_GUEST_STATE, ok_intr_reserved },
	{ "intr_sti_mov_ss",		SDM_GUEST_STATE, ok_intr_sti_mov_ss },
	{ "intr_sti_if",		SDM_GUEST_STATE, ok_intr_sti_if },
	{ "intr_inject_ext",		SDM_GUEST_STATE, ok_intr_inject_ext },
	{ "intr_inject_nmi_mov_ss",	SDM_GUEST_STATE, ok_intr_inject_nmi_mov_ss },
	{ "intr_smi",			SDM_GUEST_STATE, ok_intr_smi },
	{ "intr_inject_nmi_sti",	SDM_GUEST_STATE, ok_intr_inject_nmi_sti, ENTRY_QUAL_NMI },
	{ "intr_inject_nmi_blocked",	SDM_GUEST_STATE, ok_intr_inject_nmi_blocked },
	{ "intr_enclave",		SDM_GUEST_STATE, ok_intr_enclave },
	{ "pending_dbg_reserved",	SDM_GUEST_STATE, ok_pending_dbg_reserved },
	{ "pending_dbg_bs",		SDM_GUEST_STATE, ok_pending_dbg_bs },
	{ "pending_dbg_rtm",		SDM_GUEST_STATE, ok_pending_dbg_rtm },
	{ "link_address",		SDM_GUEST_STATE, ok_link_address, ENTRY_QUAL_LINK },
	{ "link_revision",		SDM_GUEST_STATE, ok_link_revision, ENTRY_QUAL_LINK },
	{ "link_shadow",		SDM_GUEST_STATE, ok_link_shadow, ENTRY_QUAL_LINK },
	{ "link_current",		SDM_GUEST_STATE, ok_link_current, ENTRY_QUAL_LINK },

	{ "pdpte0",			SDM_GUEST_PDPTE, ok_pdpte0, ENTRY_QUAL_PDPTE },
	{ "pdpte1",			SDM_GUEST_PDPTE, ok_pdpte1, ENTRY_QUAL_PDPTE },
	{ "pdpte2",			SDM_GUEST_PDPTE, ok_pdpte2, ENTRY_QUAL_PDPTE },
	{ "pdpte3",			SDM_GUEST_PDPTE, ok_pdpte3, ENTRY_QUAL_PDPTE },
};

const unsigned int nested_guest_check_count = ARRAY_SIZE(nested_guest_checks);
