// SPDX-License-Identifier: GPL-2.0
/*
 * MSRs of L1: one row for each, or for each range. An MSR without a row does
 * not exist: access by the guest is #GP(0), by user space -EINVAL.
 */
#include "cpu_msr.h"
#include <linux/errno.h>
#include <linux/nospec.h>
#include "cpu.h"
#include "cpu_spec.h"
#include "cpuid_bits.h"
#include "nested/nested.h"
#include "vcpu.h"
#include "vlapic.h"

struct msr_row {
	u32 first, last;
	int (*read)(struct nv_vcpu *vcpu, u32 msr, u64 *value, bool host);
	int (*write)(struct nv_vcpu *vcpu, u32 msr, u64 value, bool host);
	bool save;		/* in KVM_GET_MSR_INDEX_LIST */
};

static int read_zero(struct nv_vcpu *vcpu, u32 msr, u64 *value, bool host)
{
	*value = 0;
	return 0;
}

/* The write has no effect that the guest could see. */
static int write_ignored(struct nv_vcpu *vcpu, u32 msr, u64 value, bool host)
{
	return 0;
}

/* Read-only: user space may write what it read. */
static int write_read_only(struct nv_vcpu *vcpu, u32 msr, u64 value, bool host)
{
	u64 now;

	return host && !cpu_msr_read(vcpu, msr, &now, true) && now == value ? 0 : -EPERM;
}

static int read_tsc(struct nv_vcpu *vcpu, u32 msr, u64 *value, bool host)
{
	*value = cpu_tsc_l1(vcpu);
	return 0;
}

static void move_tsc(struct nv_vcpu *vcpu, u64 offset)
{
	cpu_tsc_set_offset(vcpu, offset);
	if (vcpu->lapic)
		vlapic_tsc_changed(vcpu);
}

static int write_tsc(struct nv_vcpu *vcpu, u32 msr, u64 value, bool host)
{
	u64 offset = value - rdtsc();

	if (host) {
		cpu_tsc_restore(vcpu, offset);
		return 0;
	}
	/* SDM 3B "IA32_TSC_ADJUST MSR": the adjustment follows a write of the TSC. */
	vcpu->tsc_adjust += offset - vcpu->tsc_offset;
	move_tsc(vcpu, offset);
	return 0;
}

static int read_tsc_adjust(struct nv_vcpu *vcpu, u32 msr, u64 *value, bool host)
{
	if (!host && !(vcpu->features.f7_ebx & CPUID_7_EBX_TSC_ADJUST))
		return -EPERM;
	*value = vcpu->tsc_adjust;
	return 0;
}

static int write_tsc_adjust(struct nv_vcpu *vcpu, u32 msr, u64 value, bool host)
{
	if (!host) {
		if (!(vcpu->features.f7_ebx & CPUID_7_EBX_TSC_ADJUST))
			return -EPERM;
		move_tsc(vcpu, vcpu->tsc_offset + value - vcpu->tsc_adjust);
	}
	vcpu->tsc_adjust = value;
	return 0;
}

static int read_apic(struct nv_vcpu *vcpu, u32 msr, u64 *value, bool host)
{
	if (!vcpu->lapic) {
		if (msr != IA32_APIC_BASE)
			return -EPERM;
		*value = vcpu->apic_base;
		return 0;
	}
	return vlapic_msr_read(vcpu, msr, value, host);
}

static int write_apic(struct nv_vcpu *vcpu, u32 msr, u64 value, bool host)
{
	if (!vcpu->lapic) {
		if (msr != IA32_APIC_BASE || !cpu_apic_base_valid(&vcpu->features, value))
			return -EPERM;
		vcpu->apic_base = value;
		return 0;
	}
	return vlapic_msr_write(vcpu, msr, value, host);
}

static int read_feature_control(struct nv_vcpu *vcpu, u32 msr, u64 *value, bool host)
{
	/* User space may save what its list names on any VM. */
	if (!vcpu->vm->expose && !host)
		return -EPERM;
	*value = vcpu->vm->expose ? vcpu->feature_control : 0;
	return 0;
}

static int write_feature_control(struct nv_vcpu *vcpu, u32 msr, u64 value, bool host)
{
	if (host && !value)
		goto set;
	if (!vcpu->vm->expose || (value & ~(FEATURE_CONTROL_LOCKED | FEATURE_CONTROL_VMX)))
		return -EPERM;
	if ((vcpu->feature_control & FEATURE_CONTROL_LOCKED) && !host)
		return -EPERM;
set:
	vcpu->feature_control = value;
	return 0;
}

/* User space may save what its list names on any VM, and where an MSR does not exist. */
static int read_vmx(struct nv_vcpu *vcpu, u32 msr, u64 *value, bool host)
{
	if (vcpu->vm->expose && !nested_msr_read(vcpu, msr, value))
		return 0;
	*value = 0;
	return host ? 0 : -EPERM;
}

static int write_vmx(struct nv_vcpu *vcpu, u32 msr, u64 value, bool host)
{
	u64 now;

	if (!host)
		return -EPERM;
	if (!value && !read_vmx(vcpu, msr, &now, true) && !now)
		return 0;
	return vcpu->vm->expose ? nested_msr_write(vcpu, msr, value) : -EPERM;
}

/* MSRs kept in a field of the VMCS. */
static const struct {
	u32 msr;
	enum vmcs_field field;
} vmcs_msrs[] = {
	{ IA32_SYSENTER_CS,	VMCS_GUEST_SYSENTER_CS },
	{ IA32_SYSENTER_ESP,	VMCS_GUEST_SYSENTER_ESP },
	{ IA32_SYSENTER_EIP,	VMCS_GUEST_SYSENTER_EIP },
	{ IA32_PAT,		VMCS_GUEST_PAT },
	{ IA32_FS_BASE,		VMCS_GUEST_FS_BASE },
	{ IA32_GS_BASE,		VMCS_GUEST_GS_BASE },
	{ IA32_DEBUGCTL,	VMCS_GUEST_DEBUGCTL },
	{ IA32_EFER,		VMCS_GUEST_EFER },
};

static enum vmcs_field field_of(u32 msr)
{
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(vmcs_msrs) - 1; i++)
		if (vmcs_msrs[i].msr == msr)
			break;
	return vmcs_msrs[i].field;
}

static int read_field(struct nv_vcpu *vcpu, u32 msr, u64 *value, bool host)
{
	*value = vmcs_read(field_of(msr));
	return 0;
}

static int write_address(struct nv_vcpu *vcpu, u32 msr, u64 value, bool host)
{
	if (!cpu_canonical(&vcpu->features, value))
		return -EPERM;
	vmcs_write(field_of(msr), value);
	return 0;
}

static int write_sysenter_cs(struct nv_vcpu *vcpu, u32 msr, u64 value, bool host)
{
	vmcs_write(VMCS_GUEST_SYSENTER_CS, (u32)value);
	return 0;
}

static int write_pat(struct nv_vcpu *vcpu, u32 msr, u64 value, bool host)
{
	if (!cpu_pat_valid(value))
		return -EPERM;
	vmcs_write(VMCS_GUEST_PAT, value);
	return 0;
}

static int write_debugctl(struct nv_vcpu *vcpu, u32 msr, u64 value, bool host)
{
	/* No LBR and no BTF are offered; a guest may still write them as 0. */
	if (value & ~(DEBUGCTL_LBR | DEBUGCTL_BTF))
		return -EPERM;
	vmcs_write(VMCS_GUEST_DEBUGCTL, value & DEBUGCTL_BTF);
	return 0;
}

static int write_efer(struct nv_vcpu *vcpu, u32 msr, u64 value, bool host)
{
	struct cpu_mode m = {
		.cr0 = cpu_cr0(vcpu), .cr3 = vmx_cr3(vcpu), .cr4 = cpu_cr4(vcpu),
		.efer = vmx_efer(vcpu), .cs_l = vmcs_read(VMCS_GUEST_CS_AR) & SEG_AR_L,
	};

	if (host) {
		if (!cpu_efer_valid(&vcpu->features, value))
			return -EPERM;
	} else {
		/* WRMSR leaves LMA alone (SDM 4 "IA32_EFER"). */
		value = (value & ~IA32_EFER_LMA) | (m.efer & IA32_EFER_LMA);
		if (!cpu_efer_write_ok(&vcpu->features, &m, value))
			return -EPERM;
	}
	vmx_set_efer(vcpu, value);
	if ((m.efer ^ value) & IA32_EFER_NXE)
		nv_vcpu_set_request(vcpu, REQ_TLB_FLUSH);
	return 0;
}

/* MSRs that may be live in the CPU: bring them home first. */
static u64 *swapped_msr(struct nv_vcpu *vcpu, u32 msr)
{
	vmx_sync_guest_msrs(vcpu);
	switch (msr) {
	case IA32_STAR:
		return &vcpu->star;
	case IA32_LSTAR:
		return &vcpu->lstar;
	case IA32_CSTAR:
		return &vcpu->cstar;
	case IA32_FMASK:
		return &vcpu->fmask;
	case IA32_KERNEL_GS_BASE:
		return &vcpu->kernel_gs_base;
	}
	return &vcpu->tsc_aux;
}

static int read_swapped(struct nv_vcpu *vcpu, u32 msr, u64 *value, bool host)
{
	*value = *swapped_msr(vcpu, msr);
	return 0;
}

static int write_swapped(struct nv_vcpu *vcpu, u32 msr, u64 value, bool host)
{
	switch (msr) {
	case IA32_LSTAR:
	case IA32_CSTAR:
	case IA32_KERNEL_GS_BASE:
		if (!cpu_canonical(&vcpu->features, value))
			return -EPERM;
		break;
	case IA32_FMASK:
		value = (u32)value;
		break;
	case IA32_TSC_AUX:
		if (!(vmx_caps.base.proc2 & PROC2_RDTSCP) || value >> 32)
			return -EPERM;
		break;
	}
	*swapped_msr(vcpu, msr) = value;
	return 0;
}

static int read_misc_enable(struct nv_vcpu *vcpu, u32 msr, u64 *value, bool host)
{
	*value = vcpu->misc_enable;
	return 0;
}

static int write_misc_enable(struct nv_vcpu *vcpu, u32 msr, u64 value, bool host)
{
	vcpu->misc_enable = value;
	return 0;
}

static int read_bios_sign(struct nv_vcpu *vcpu, u32 msr, u64 *value, bool host)
{
	*value = vcpu->bios_sign_id;
	return 0;
}

static int write_bios_sign(struct nv_vcpu *vcpu, u32 msr, u64 value, bool host)
{
	/* The guest writes 0 and CPUID fills it: there is no update to be signed. */
	if (host)
		vcpu->bios_sign_id = value;
	return 0;
}

/* MTRRs are kept for the guest to read back; EPT's memory type decides. */
#define MTRR_VAR_COUNT	8
#define MTRRCAP_FIX	BIT_ULL(8)
#define MTRRCAP_WC	BIT_ULL(10)

static u64 *mtrr_of(struct nv_vcpu *vcpu, u32 msr)
{
	u32 i;

	switch (msr) {
	case IA32_MTRR_PHYSBASE0 ... IA32_MTRR_PHYSMASK7:
		i = array_index_nospec(msr - IA32_MTRR_PHYSBASE0, ARRAY_SIZE(vcpu->mtrr_var));
		return &vcpu->mtrr_var[i];
	case IA32_MTRR_FIX64K_00000:
		return &vcpu->mtrr_fixed[0];
	case IA32_MTRR_FIX16K_80000:
	case IA32_MTRR_FIX16K_A0000:
		return &vcpu->mtrr_fixed[1 + ((msr - IA32_MTRR_FIX16K_80000) & 1)];
	case IA32_MTRR_FIX4K_C0000 ... IA32_MTRR_FIX4K_F8000:
		return &vcpu->mtrr_fixed[3 + ((msr - IA32_MTRR_FIX4K_C0000) & 7)];
	}
	return &vcpu->mtrr_def_type;
}

static bool memtype_exists(u8 type)
{
	return type == MEMTYPE_UC || type == MEMTYPE_WC || type == MEMTYPE_WT ||
	       type == MEMTYPE_WP || type == MEMTYPE_WB;
}

static int read_mtrrcap(struct nv_vcpu *vcpu, u32 msr, u64 *value, bool host)
{
	*value = MTRR_VAR_COUNT | MTRRCAP_FIX | MTRRCAP_WC;
	return 0;
}

static int read_mtrr(struct nv_vcpu *vcpu, u32 msr, u64 *value, bool host)
{
	*value = *mtrr_of(vcpu, msr);
	return 0;
}

static int write_mtrr_var(struct nv_vcpu *vcpu, u32 msr, u64 value, bool host)
{
	/* PHYSBASE and PHYSMASK alternate (SDM 3A "Variable Range MTRRs"). */
	u64 reserved = cpu_phys_reserved(&vcpu->features) | (msr & 1 ? 0x7ffull : 0xf00ull);

	if ((value & reserved) || (!(msr & 1) && !memtype_exists(value & 0xff)))
		return -EPERM;
	*mtrr_of(vcpu, msr) = value;
	return 0;
}

static int write_mtrr_fixed(struct nv_vcpu *vcpu, u32 msr, u64 value, bool host)
{
	int i;

	for (i = 0; i < 64; i += 8)
		if (!memtype_exists(value >> i))
			return -EPERM;
	*mtrr_of(vcpu, msr) = value;
	return 0;
}

static int write_mtrr_def(struct nv_vcpu *vcpu, u32 msr, u64 value, bool host)
{
	if ((value & ~0xcffull) || !memtype_exists(value & 0xff))
		return -EPERM;
	vcpu->mtrr_def_type = value;
	return 0;
}

/* KVM's paravirtual clock is not offered; a VMM says "none" of it at each reset. */
static int read_no_clock(struct nv_vcpu *vcpu, u32 msr, u64 *value, bool host)
{
	*value = 0;
	return host ? 0 : -EPERM;
}

static int write_no_clock(struct nv_vcpu *vcpu, u32 msr, u64 value, bool host)
{
	return host && !value ? 0 : -EPERM;
}

static int read_mce(struct nv_vcpu *vcpu, u32 msr, u64 *value, bool host)
{
	return mce_read(&vcpu->mce, msr, value, host);
}

static int write_mce(struct nv_vcpu *vcpu, u32 msr, u64 value, bool host)
{
	return mce_write(&vcpu->mce, msr, value, host);
}

#define BANK_MSR(i)	(IA32_MC0_CTL + MCI_REGS * (i))

/* In the order of the MSR numbers; looked up by halving. */
static const struct msr_row rows[] = {
	{ IA32_TSC, IA32_TSC, read_tsc, write_tsc, true },
	{ KVM_WALL_CLOCK, KVM_SYSTEM_TIME, read_no_clock, write_no_clock },
	{ IA32_PLATFORM_ID, IA32_PLATFORM_ID, read_zero, write_read_only },
	{ IA32_APIC_BASE, IA32_APIC_BASE, read_apic, write_apic },
	{ IA32_FEATURE_CONTROL, IA32_FEATURE_CONTROL, read_feature_control,
	  write_feature_control, true },
	{ IA32_TSC_ADJUST, IA32_TSC_ADJUST, read_tsc_adjust, write_tsc_adjust, true },
	{ IA32_SPEC_CTRL, IA32_SPEC_CTRL, cpu_spec_ctrl_read, cpu_spec_ctrl_write, true },
	{ IA32_PRED_CMD, IA32_PRED_CMD, NULL, cpu_pred_cmd_write },
	{ IA32_BIOS_UPDT_TRIG, IA32_BIOS_UPDT_TRIG, NULL, write_ignored },
	{ IA32_BIOS_SIGN_ID, IA32_BIOS_SIGN_ID, read_bios_sign, write_bios_sign, true },
	{ IA32_MTRRCAP, IA32_MTRRCAP, read_mtrrcap, write_read_only },
	{ IA32_ARCH_CAPABILITIES, IA32_ARCH_CAPABILITIES, cpu_arch_caps_read,
	  cpu_arch_caps_write, true },
	{ IA32_FLUSH_CMD, IA32_FLUSH_CMD, NULL, cpu_flush_cmd_write },
	{ IA32_SYSENTER_CS, IA32_SYSENTER_CS, read_field, write_sysenter_cs, true },
	{ IA32_SYSENTER_ESP, IA32_SYSENTER_EIP, read_field, write_address, true },
	{ IA32_MCG_CAP, IA32_MCG_CAP, read_mce, write_mce },
	{ IA32_MCG_STATUS, IA32_MCG_CTL, read_mce, write_mce, true },
	{ IA32_MISC_ENABLE, IA32_MISC_ENABLE, read_misc_enable, write_misc_enable, true },
	{ IA32_DEBUGCTL, IA32_DEBUGCTL, read_field, write_debugctl, true },
	{ IA32_MTRR_PHYSBASE0, IA32_MTRR_PHYSMASK7, read_mtrr, write_mtrr_var, true },
	{ IA32_MTRR_FIX64K_00000, IA32_MTRR_FIX64K_00000, read_mtrr, write_mtrr_fixed, true },
	{ IA32_MTRR_FIX16K_80000, IA32_MTRR_FIX16K_A0000, read_mtrr, write_mtrr_fixed, true },
	{ IA32_MTRR_FIX4K_C0000, IA32_MTRR_FIX4K_F8000, read_mtrr, write_mtrr_fixed, true },
	{ IA32_PAT, IA32_PAT, read_field, write_pat, true },
	{ IA32_MTRR_DEF_TYPE, IA32_MTRR_DEF_TYPE, read_mtrr, write_mtrr_def, true },
	/* Who asked for more banks knows that they are there. */
	{ IA32_MC0_CTL, BANK_MSR(MCE_BANKS) - 1, read_mce, write_mce, true },
	{ BANK_MSR(MCE_BANKS), BANK_MSR(MCE_MAX_BANKS) - 1, read_mce, write_mce },
	/* Saved are those that the others follow from. */
	{ IA32_VMX_BASIC, IA32_VMX_BASIC, read_vmx, write_vmx, true },
	{ IA32_VMX_PINBASED_CTLS, IA32_VMX_ENTRY_CTLS, read_vmx, write_vmx },
	{ IA32_VMX_MISC, IA32_VMX_CR0_FIXED0, read_vmx, write_vmx, true },
	{ IA32_VMX_CR0_FIXED1, IA32_VMX_CR0_FIXED1, read_vmx, write_vmx },
	{ IA32_VMX_CR4_FIXED0, IA32_VMX_CR4_FIXED0, read_vmx, write_vmx, true },
	{ IA32_VMX_CR4_FIXED1, IA32_VMX_CR4_FIXED1, read_vmx, write_vmx },
	{ IA32_VMX_VMCS_ENUM, IA32_VMX_VMFUNC, read_vmx, write_vmx, true },
	{ IA32_VMX_VMFUNC + 1, IA32_VMX_LAST, read_vmx, write_vmx },
	{ IA32_TSC_DEADLINE, IA32_TSC_DEADLINE, read_apic, write_apic, true },
	{ IA32_X2APIC_FIRST, IA32_X2APIC_LAST, read_apic, write_apic },
	{ IA32_EFER, IA32_EFER, read_field, write_efer },
	{ IA32_STAR, IA32_FMASK, read_swapped, write_swapped, true },
	{ IA32_FS_BASE, IA32_GS_BASE, read_field, write_address },
	{ IA32_KERNEL_GS_BASE, IA32_KERNEL_GS_BASE, read_swapped, write_swapped, true },
	{ IA32_TSC_AUX, IA32_TSC_AUX, read_swapped, write_swapped, true },
};

static const struct msr_row *find_row(u32 msr)
{
	unsigned int low = 0, high = ARRAY_SIZE(rows);

	while (low < high) {
		unsigned int mid = (low + high) / 2;

		if (msr < rows[mid].first)
			high = mid;
		else if (msr > rows[mid].last)
			low = mid + 1;
		else
			return &rows[mid];
	}
	return NULL;
}

int cpu_msr_read(struct nv_vcpu *vcpu, u32 msr, u64 *value, bool host)
{
	const struct msr_row *row = find_row(msr);

	if (!row || !row->read)
		return -EPERM;
	return row->read(vcpu, msr, value, host);
}

int cpu_msr_write(struct nv_vcpu *vcpu, u32 msr, u64 value, bool host)
{
	const struct msr_row *row = find_row(msr);

	if (!row || !row->write)
		return -EPERM;
	return row->write(vcpu, msr, value, host);
}

u32 cpu_msr_list(u32 *out, u32 max)
{
	u32 msr, n = 0;
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(rows); i++) {
		if (!rows[i].save)
			continue;
		for (msr = rows[i].first; msr <= rows[i].last; msr++, n++)
			if (n < max)
				out[n] = msr;
	}
	return n;
}
