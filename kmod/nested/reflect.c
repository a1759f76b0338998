// SPDX-License-Identifier: GPL-2.0
/*
 * Who owns an exit from L2. SDM 3C "Instructions That Cause VM Exits", "Other
 * Causes of VM Exits", "Changes to Instruction Behavior in VMX Non-Root
 * Operation". Pure, see kmod/pure.mk.
 */
#include "nested/reflect.h"

#include "vmx/bitmap.h"
#include "x86.h"

bool nested_wants_exception(const struct vmcs12 *v, u32 vector, u32 error_code)
{
	bool bit = vector < 32 && (v->exception_bitmap & BIT(vector));

	if (vector != VEC_PF)
		return bit;
	/* SDM 3C "Exceptions": a match keeps the bitmap's answer, a mismatch turns it round. */
	return bit == ((error_code & v->pf_ec_mask) == v->pf_ec_match);
}

/* One bit of a page of L1's. What is not there reads as ones: an exit. */
static bool l1_bit(struct l1_mem *mem, u64 page, const struct vmx_bit *pos)
{
	u8 byte;

	l1_mem_read(mem, gpa1(page + pos->byte), &byte, 1);
	return byte & pos->mask;
}

bool nested_wants_io(const struct vmcs12 *v, struct l1_mem *mem, u16 port, u32 size)
{
	struct vmx_bit pos;
	bool b_page;
	u32 i;

	if (!vmcs12_has_proc(v, PROC_IO_BITMAPS))
		return vmcs12_has_proc(v, PROC_UNCOND_IO);
	if ((u32)port + size > 0x10000)
		return true;
	for (i = 0; i < size; i++) {
		io_bitmap_pos(port + i, &b_page, &pos);
		if (l1_bit(mem, b_page ? v->io_bitmap_b : v->io_bitmap_a, &pos))
			return true;
	}
	return false;
}

bool nested_wants_msr(const struct vmcs12 *v, struct l1_mem *mem, u32 msr, bool write)
{
	struct vmx_bit pos;

	if (!vmcs12_has_proc(v, PROC_MSR_BITMAPS) || !msr_bitmap_pos(msr, write, &pos))
		return true;
	return l1_bit(mem, v->msr_bitmap, &pos);
}

static bool wants_mov_to_cr(const struct vmcs12 *v, u32 cr, u64 value)
{
	u32 i;

	switch (cr) {
	case 0:
		return (value ^ v->cr0_shadow) & v->cr0_mask;
	case 3:
		if (!vmcs12_has_proc(v, PROC_CR3_LOAD))
			return false;
		for (i = 0; i < min_t(u32, v->cr3_target_count, 4); i++)
			if (vmcs12_read(v, VMCS_CR3_TARGET0 + 2 * i) == value)
				return false;
		return true;
	case 4:
		return (value ^ v->cr4_shadow) & v->cr4_mask;
	case 8:
		return vmcs12_has_proc(v, PROC_CR8_LOAD);
	}
	return false;
}

/*
 * LMSW loads CR0 bits 3:0 but cannot clear PE: PE counts only where the source
 * sets it, L1 owns it and believes it clear.
 */
static bool wants_lmsw(const struct vmcs12 *v, u64 source)
{
	u64 low = CR0_MP | CR0_EM | CR0_TS;

	if (v->cr0_mask & source & ~v->cr0_shadow & CR0_PE)
		return true;
	return v->cr0_mask & (source ^ v->cr0_shadow) & low;
}

bool nested_wants_cr(const struct vmcs12 *v, u64 qual, const u64 *gpr, bool l2_64bit)
{
	u32 cr = qual & QUAL_CR_NUMBER;
	u64 value = gpr[(qual >> QUAL_CR_REG_SHIFT) & 15];

	if (!l2_64bit)
		value = (u32)value;
	switch ((qual & QUAL_CR_TYPE) >> QUAL_CR_TYPE_SHIFT) {
	case CR_TYPE_MOV_TO:
		return wants_mov_to_cr(v, cr, value);
	case CR_TYPE_MOV_FROM:
		if (cr == 3)
			return vmcs12_has_proc(v, PROC_CR3_STORE);
		return cr == 8 && vmcs12_has_proc(v, PROC_CR8_STORE);
	case CR_TYPE_CLTS:
		return v->cr0_mask & v->cr0_shadow & CR0_TS;
	default:
		return wants_lmsw(v, (qual >> QUAL_CR_LMSW_SHIFT) & 0xffff);
	}
}

/* A predicate per reason: true if vmcs12 makes the event an exit to L1. */
typedef bool (*wants_fn)(const struct reflect_ctx *c);

#define WANTS_PIN(name, bit)						\
	static bool wants_##name(const struct reflect_ctx *c)		\
	{								\
		return vmcs12_has_pin(c->v, bit);			\
	}
#define WANTS_PROC(name, bit)						\
	static bool wants_##name(const struct reflect_ctx *c)		\
	{								\
		return vmcs12_has_proc(c->v, bit);			\
	}
#define WANTS_PROC2(name, bit)						\
	static bool wants_##name(const struct reflect_ctx *c)		\
	{								\
		return vmcs12_has_proc2(c->v, bit);			\
	}

static bool always(const struct reflect_ctx *c)
{
	(void)c;
	return true;
}

/*
 * An NMI at the host is the host's, as is a machine check. L1 gets its NMIs
 * and interrupts by injection, not by sharing the host's.
 */
static bool wants_exception(const struct reflect_ctx *c)
{
	u32 vector = c->intr_info & INTR_INFO_VECTOR;

	if ((c->intr_info & INTR_INFO_TYPE) == INTR_TYPE_NMI || vector == VEC_MC)
		return false;
	return nested_wants_exception(c->v, vector, c->intr_error);
}

static bool wants_cr(const struct reflect_ctx *c)
{
	return nested_wants_cr(c->v, c->qual, c->gpr, c->l2_64bit);
}

static bool wants_io(const struct reflect_ctx *c)
{
	return nested_wants_io(c->v, c->mem, c->qual >> QUAL_IO_PORT_SHIFT,
			       (c->qual & QUAL_IO_SIZE) + 1);
}

static bool wants_rdmsr(const struct reflect_ctx *c)
{
	return nested_wants_msr(c->v, c->mem, c->gpr[REG_RCX], false);
}

static bool wants_wrmsr(const struct reflect_ctx *c)
{
	return nested_wants_msr(c->v, c->mem, c->gpr[REG_RCX], true);
}

/*
 * Without VMCS shadowing every VMREAD and VMWRITE exits. With it, those whose
 * operand has a bit in 63:15, or the bit of whose field is set in L1's bitmap.
 */
static bool wants_vmcs_access(const struct reflect_ctx *c, u64 bitmap)
{
	u64 field = c->gpr[c->insn_info >> 28];
	struct vmx_bit pos;

	if (!vmcs12_has_proc2(c->v, PROC2_SHADOW_VMCS))
		return true;
	if (!c->l2_64bit)
		field = (u32)field;
	if (field >> 15)
		return true;
	pos.byte = field / 8;
	pos.mask = 1u << (field % 8);
	return l1_bit(c->mem, bitmap, &pos);
}

static bool wants_vmread(const struct reflect_ctx *c)
{
	return wants_vmcs_access(c, c->v->vmread_bitmap);
}

static bool wants_vmwrite(const struct reflect_ctx *c)
{
	return wants_vmcs_access(c, c->v->vmwrite_bitmap);
}

static bool wants_pause(const struct reflect_ctx *c)
{
	return vmcs12_has_proc(c->v, PROC_PAUSE) || vmcs12_has_proc2(c->v, PROC2_PAUSE_LOOP);
}

/* "RDTSC exiting" governs them too; without their own enable they are #UD, not an exit. */
static bool wants_rdtscp(const struct reflect_ctx *c)
{
	return vmcs12_has_proc(c->v, PROC_RDTSC) && vmcs12_has_proc2(c->v, PROC2_RDTSCP);
}

static bool wants_user_wait(const struct reflect_ctx *c)
{
	return vmcs12_has_proc(c->v, PROC_RDTSC) && vmcs12_has_proc2(c->v, PROC2_USER_WAIT);
}

static bool wants_invpcid(const struct reflect_ctx *c)
{
	return vmcs12_has_proc(c->v, PROC_INVLPG) && vmcs12_has_proc2(c->v, PROC2_INVPCID);
}

/* SDM 3C "APIC-Write Emulation": without these two only TPR writes are emulated. */
static bool wants_apic_write(const struct reflect_ctx *c)
{
	return vmcs12_has_proc2(c->v, PROC2_APIC_REGS) ||
	       vmcs12_has_proc2(c->v, PROC2_VIRT_INTR);
}

static bool wants_encls(const struct reflect_ctx *c)
{
	u32 leaf = c->gpr[REG_RAX];

	return vmcs12_has_proc2(c->v, PROC2_ENCLS) &&
	       (c->v->encls_exit_bitmap & BIT_ULL(leaf < 63 ? leaf : 63));
}

/* EDX:EAX & IA32_XSS & the XSS-exiting bitmap. */
static bool wants_xsaves(const struct reflect_ctx *c)
{
	u64 mask = (u64)(u32)c->gpr[REG_RDX] << 32 | (u32)c->gpr[REG_RAX];

	return vmcs12_has_proc2(c->v, PROC2_XSAVES) &&
	       (mask & c->l2_xss & c->v->xss_exit_bitmap);
}

WANTS_PROC(intr_window, PROC_INTR_WINDOW)
WANTS_PROC(nmi_window, PROC_NMI_WINDOW)
WANTS_PROC(hlt, PROC_HLT)
WANTS_PROC(invlpg, PROC_INVLPG)
WANTS_PROC(rdpmc, PROC_RDPMC)
WANTS_PROC(rdtsc, PROC_RDTSC)
WANTS_PROC(mov_dr, PROC_MOV_DR)
WANTS_PROC(mwait, PROC_MWAIT)
WANTS_PROC(mtf, PROC_MTF)
WANTS_PROC(monitor, PROC_MONITOR)
WANTS_PROC(tpr_below, PROC_TPR_SHADOW)
WANTS_PROC2(apic_access, PROC2_APIC_ACCESS)
WANTS_PROC2(virtualized_eoi, PROC2_VIRT_INTR)
WANTS_PROC2(desc_table, PROC2_DESC_TABLE)
WANTS_PIN(preempt_timer, PIN_PREEMPT_TIMER)
WANTS_PROC2(wbinvd, PROC2_WBINVD)
WANTS_PROC2(rdrand, PROC2_RDRAND)
WANTS_PROC2(vmfunc, PROC2_VMFUNC)
WANTS_PROC2(rdseed, PROC2_RDSEED)

/*
 * In the order of the SDM's appendix "VMX Basic Exit Reasons". A reason whose
 * row is empty is L0's always:
 *   external interrupt, INIT, SIPI, SMI	events of the host's CPU
 *   invalid guest state, MSR loading		vmcs02 was wrong: our bug
 *   machine check during entry			the host's
 *   page-modification log full, SPP		L1 is not offered them
 */
static const wants_fn wants[VMEXIT_COUNT] = {
	[VMEXIT_EXCEPTION_NMI]		= wants_exception,
	[VMEXIT_TRIPLE_FAULT]		= always,
	[VMEXIT_INTR_WINDOW]		= wants_intr_window,
	[VMEXIT_NMI_WINDOW]		= wants_nmi_window,
	[VMEXIT_TASK_SWITCH]		= always,
	[VMEXIT_CPUID]			= always,
	[VMEXIT_GETSEC]			= always,
	[VMEXIT_HLT]			= wants_hlt,
	[VMEXIT_INVD]			= always,
	[VMEXIT_INVLPG]			= wants_invlpg,
	[VMEXIT_RDPMC]			= wants_rdpmc,
	[VMEXIT_RDTSC]			= wants_rdtsc,
	[VMEXIT_RSM]			= always,
	[VMEXIT_VMCALL]			= always,
	[VMEXIT_VMCLEAR]		= always,
	[VMEXIT_VMLAUNCH]		= always,
	[VMEXIT_VMPTRLD]		= always,
	[VMEXIT_VMPTRST]		= always,
	[VMEXIT_VMREAD]			= wants_vmread,
	[VMEXIT_VMRESUME]		= always,
	[VMEXIT_VMWRITE]		= wants_vmwrite,
	[VMEXIT_VMXOFF]			= always,
	[VMEXIT_VMXON]			= always,
	[VMEXIT_CR_ACCESS]		= wants_cr,
	[VMEXIT_MOV_DR]			= wants_mov_dr,
	[VMEXIT_IO_INSTRUCTION]		= wants_io,
	[VMEXIT_RDMSR]			= wants_rdmsr,
	[VMEXIT_WRMSR]			= wants_wrmsr,
	[VMEXIT_MWAIT]			= wants_mwait,
	[VMEXIT_MTF]			= wants_mtf,
	[VMEXIT_MONITOR]		= wants_monitor,
	[VMEXIT_PAUSE]			= wants_pause,
	[VMEXIT_TPR_BELOW_THRESHOLD]	= wants_tpr_below,
	[VMEXIT_APIC_ACCESS]		= wants_apic_access,
	[VMEXIT_VIRTUALIZED_EOI]	= wants_virtualized_eoi,
	[VMEXIT_GDTR_IDTR]		= wants_desc_table,
	[VMEXIT_LDTR_TR]		= wants_desc_table,
	/* VMEXIT_EPT_VIOLATION, VMEXIT_EPT_MISCONFIG: OWNER_EPT below */
	[VMEXIT_INVEPT]			= always,
	[VMEXIT_RDTSCP]			= wants_rdtscp,
	[VMEXIT_PREEMPT_TIMER]		= wants_preempt_timer,
	[VMEXIT_INVVPID]		= always,
	[VMEXIT_WBINVD]			= wants_wbinvd,
	[VMEXIT_XSETBV]			= always,
	[VMEXIT_APIC_WRITE]		= wants_apic_write,
	[VMEXIT_RDRAND]			= wants_rdrand,
	[VMEXIT_INVPCID]		= wants_invpcid,
	[VMEXIT_VMFUNC]			= wants_vmfunc,
	[VMEXIT_ENCLS]			= wants_encls,
	[VMEXIT_RDSEED]			= wants_rdseed,
	[VMEXIT_XSAVES]			= wants_xsaves,
	[VMEXIT_XRSTORS]		= wants_xsaves,
	[VMEXIT_UMWAIT]			= wants_user_wait,
	[VMEXIT_TPAUSE]			= wants_user_wait,
};

enum nested_owner nested_exit_owner(const struct reflect_ctx *c)
{
	u32 reason = c->reason & VMEXIT_BASIC_MASK;

	if ((c->reason & VMEXIT_ENTRY_FAILURE) || reason >= VMEXIT_COUNT)
		return OWNER_L0;
	if (reason == VMEXIT_EPT_VIOLATION || reason == VMEXIT_EPT_MISCONFIG)
		return OWNER_EPT;
	reason = array_index_nospec(reason, VMEXIT_COUNT);
	return wants[reason] && wants[reason](c) ? OWNER_L1 : OWNER_L0;
}

#define R(name, number) [number] = #name,
static const char *const exit_names[VMEXIT_COUNT] = { VMX_EXIT_REASONS(R) };
#undef R

const char *nested_exit_name(u32 reason)
{
	reason &= VMEXIT_BASIC_MASK;
	if (reason >= VMEXIT_COUNT)
		return "?";
	reason = array_index_nospec(reason, VMEXIT_COUNT);
	return exit_names[reason] ?: "?";
}
