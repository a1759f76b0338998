// SPDX-License-Identifier: GPL-2.0
/* The local APIC's registers as guests reach them: the MMIO page and the MSRs. */
#include "vlapic_priv.h"

#define RD	BIT(0)	/* readable in xAPIC mode */
#define WR	BIT(1)
#define X2RD	BIT(2)	/* readable in x2APIC mode */
#define X2WR	BIT(3)
#define RW	(RD | WR | X2RD | X2WR)
#define RO	(RD | X2RD)

#define LVT_COMMON	(LVT_VECTOR | LVT_MASKED)

/*
 * SDM 3A "Local APIC Register Address Map" and "x2APIC Register Address Space".
 * By offset / 16. What @writable does not name is reserved: no effect in xAPIC
 * mode, #GP in x2APIC mode, except for @ignored, which is read-only.
 */
static const struct lapic_row {
	u8 access;
	u32 writable;
	u32 ignored;
} lapic_rows[0x40] = {
	[LAPIC_ID >> 4]			= { RO },
	[LAPIC_VERSION >> 4]		= { RO },
	[LAPIC_TPR >> 4]		= { RW, 0xff },
	[LAPIC_APR >> 4]		= { RD },
	[LAPIC_PPR >> 4]		= { RO },
	[LAPIC_EOI >> 4]		= { WR | X2WR },
	[LAPIC_RRD >> 4]		= { RD },
	[LAPIC_LDR >> 4]		= { RD | WR | X2RD, 0xff000000 },
	[LAPIC_DFR >> 4]		= { RD | WR, 0xf0000000 },
	[LAPIC_SVR >> 4]		= { RW, SVR_VECTOR | SVR_ENABLE | SVR_FOCUS },
	[LAPIC_ISR >> 4 ... (LAPIC_ISR + 0x70) >> 4] = { RO },
	[LAPIC_TMR >> 4 ... (LAPIC_TMR + 0x70) >> 4] = { RO },
	[LAPIC_IRR >> 4 ... (LAPIC_IRR + 0x70) >> 4] = { RO },
	[LAPIC_ESR >> 4]		= { RW },
	/* Delivery status, bit 12, is gone in x2APIC mode, but CPUs let it be written. */
	[LAPIC_ICR >> 4]		= { RW, 0x000ccfff, BIT(12) },
	[LAPIC_ICR_HIGH >> 4]		= { RD | WR, 0xff000000 },
	[LAPIC_LVT_TIMER >> 4]		= { RW, LVT_COMMON | LVT_TIMER_MODE, LVT_STATUS },
	[LAPIC_LVT_THERMAL >> 4]	= { RW, LVT_COMMON | LVT_MODE, LVT_STATUS },
	[LAPIC_LVT_PERF >> 4]		= { RW, LVT_COMMON | LVT_MODE, LVT_STATUS },
	[LAPIC_LVT_LINT0 >> 4 ... LAPIC_LVT_LINT1 >> 4] = {
		RW, LVT_COMMON | LVT_MODE | LVT_POLARITY | LVT_LEVEL, LVT_STATUS | LVT_REMOTE_IRR
	},
	[LAPIC_LVT_ERROR >> 4]		= { RW, LVT_COMMON, LVT_STATUS },
	[LAPIC_TIMER_INITIAL >> 4]	= { RW, U32_MAX },
	[LAPIC_TIMER_CURRENT >> 4]	= { RO },
	[LAPIC_TIMER_DIVIDE >> 4]	= { RW, DIVIDE_BITS },
	[LAPIC_SELF_IPI >> 4]		= { X2WR, 0xff },
};

/* Of any offset in the APIC's page; one that has no register may not be used at all. */
static const struct lapic_row *row_of(u32 reg)
{
	static const struct lapic_row none;

	if (reg >= 0x400)
		return &none;
	return &lapic_rows[array_index_nospec(reg >> 4, ARRAY_SIZE(lapic_rows))];
}

static u32 writable_bits(struct nv_vlapic *l, u32 reg)
{
	u32 bits = row_of(reg)->writable;

	if (reg == LAPIC_LVT_TIMER && !lapic_has_deadline(l))
		bits &= ~LVT_TIMER_DEADLINE;
	return bits;
}

static bool lvt_legal(u32 reg, u32 val)
{
	return reg != LAPIC_LVT_TIMER || (val & LVT_TIMER_MODE) != LVT_TIMER_MODE;
}

static u32 lapic_read(struct nv_vlapic *l, u32 reg)
{
	switch (reg) {
	case LAPIC_PPR:
		lapic_update_ppr(l);
		break;
	case LAPIC_APR:
		/* Arbitration went with the APIC bus. */
		return 0;
	case LAPIC_TIMER_CURRENT:
		return lapic_timer_count(l);
	default:
		break;
	}
	return lapic_get(l, reg);
}

static void write_svr(struct nv_vlapic *l, u32 val)
{
	u32 lvt;

	lapic_set(l, LAPIC_SVR, val);
	if (val & SVR_ENABLE)
		return;
	for (lvt = LAPIC_LVT_TIMER; lvt <= LAPIC_LVT_ERROR; lvt += 0x10)
		lapic_set(l, lvt, lapic_get(l, lvt) | LVT_MASKED);
}

static void write_lvt(struct nv_vlapic *l, u32 reg, u32 val)
{
	if (!lapic_sw_enabled(l))
		val |= LVT_MASKED;
	if (reg == LAPIC_LVT_TIMER)
		lapic_timer_set_lvt(l, val);
	else
		lapic_set(l, reg, val);
	/* The PIC may have waited for LINT0 to open. */
	nv_vcpu_set_request(l->vcpu, REQ_EVENT);
}

/* @val has writable bits only. */
static void lapic_write(struct nv_vlapic *l, u32 reg, u32 val)
{
	switch (reg) {
	case LAPIC_TPR:
		lapic_set(l, reg, val);
		vlapic_tpr_lowered(l->vcpu);
		break;
	case LAPIC_EOI:
		lapic_eoi(l);
		break;
	case LAPIC_DFR:
		lapic_set(l, reg, val | 0x0fffffff);
		break;
	case LAPIC_SVR:
		write_svr(l, val);
		break;
	case LAPIC_ESR:
		/* What has come up since the last write becomes visible. */
		lapic_set(l, reg, atomic_xchg(&l->errors, 0));
		break;
	case LAPIC_ICR:
		lapic_set(l, reg, val);
		lapic_send(l, val, lapic_get(l, LAPIC_ICR_HIGH));
		break;
	case LAPIC_LVT_TIMER ... LAPIC_LVT_ERROR:
		write_lvt(l, reg, val);
		break;
	case LAPIC_TIMER_INITIAL:
		if (lapic_timer_mode(l) == LVT_TIMER_DEADLINE)
			break;
		lapic_set(l, reg, val);
		lapic_timer_start(l, val);
		break;
	case LAPIC_TIMER_DIVIDE:
		lapic_timer_set_divide(l, val);
		break;
	case LAPIC_SELF_IPI:
		/* ICR with the shorthand "self". */
		lapic_send(l, BIT(18) | val, 0);
		break;
	default:
		lapic_set(l, reg, val);
		break;
	}
}

bool vlapic_claims(struct nv_vcpu *vcpu, gpa1_t gpa)
{
	u64 base = vcpu->apic_base;

	return vcpu->lapic && (base & APIC_BASE_ENABLE) && !(base & APIC_BASE_X2APIC) &&
	       gpa1_page(gpa).v == (base & APIC_BASE_ADDR);
}

/*
 * The manual asks for aligned accesses of 32 bits and leaves the others
 * undefined: here they read what lies in the register's four bytes, and zero
 * beyond, and write nothing.
 */
void vlapic_mmio_read(struct nv_vcpu *vcpu, u32 offset, void *buf, unsigned int len)
{
	u32 reg = offset & 0xff0, in_reg = offset & 0xf, val;
	struct nv_vlapic *l = vcpu->lapic;

	memset(buf, 0, len);
	if (!l)
		return;
	if (!(row_of(reg)->access & RD)) {
		lapic_error(l, ESR_ILLEGAL_REGISTER);
		return;
	}
	if (in_reg >= sizeof(val))
		return;
	val = lapic_read(l, reg);
	memcpy(buf, (u8 *)&val + in_reg, min_t(unsigned int, len, sizeof(val) - in_reg));
}

void vlapic_mmio_write(struct nv_vcpu *vcpu, u32 offset, const void *buf, unsigned int len)
{
	struct nv_vlapic *l = vcpu->lapic;
	u32 reg = offset & 0xff0, val;

	if (!l || (offset & 0xf) || len != sizeof(val))
		return;
	if (!row_of(reg)->access) {
		lapic_error(l, ESR_ILLEGAL_REGISTER);
		return;
	}
	if (!(row_of(reg)->access & WR))
		return;
	memcpy(&val, buf, sizeof(val));
	val &= writable_bits(l, reg);
	if (!lvt_legal(reg, val))
		val &= ~LVT_TIMER_MODE;
	lapic_write(l, reg, val);
}

static int x2apic_read(struct nv_vlapic *l, u32 msr, u64 *value)
{
	u32 reg = ((msr - IA32_X2APIC_FIRST) << 4) & 0xff0;

	if (!lapic_x2apic(l) || !(row_of(reg)->access & X2RD))
		return -EPERM;
	*value = lapic_read(l, reg);
	if (reg == LAPIC_ICR)
		*value |= (u64)lapic_get(l, LAPIC_ICR_HIGH) << 32;
	return 0;
}

static int x2apic_write(struct nv_vlapic *l, u32 msr, u64 value)
{
	u32 reg = ((msr - IA32_X2APIC_FIRST) << 4) & 0xff0;
	u64 allowed;

	if (!lapic_x2apic(l) || !(row_of(reg)->access & X2WR))
		return -EPERM;
	allowed = writable_bits(l, reg) | row_of(reg)->ignored;
	if (reg == LAPIC_ICR)
		allowed |= GENMASK_ULL(63, 32);
	if ((value & ~allowed) || !lvt_legal(reg, value))
		return -EPERM;
	if (reg == LAPIC_ICR)
		lapic_set(l, LAPIC_ICR_HIGH, value >> 32);
	lapic_write(l, reg, value & writable_bits(l, reg));
	return 0;
}

static int write_apic_base(struct nv_vcpu *vcpu, u64 value, bool host)
{
	const struct cpu_features *f = &vcpu->features;
	struct nv_vlapic *l = vcpu->lapic;
	u64 old = vcpu->apic_base;

	/* User space may restore any mode from any other, if only it exists. */
	if (host ? !cpu_apic_base_valid(f, value) : !cpu_apic_base_write_ok(f, old, value))
		return -EPERM;
	/* x2APIC is the local APIC's, and that is not here. */
	if (!l && (value & APIC_BASE_X2APIC))
		return -EPERM;

	WRITE_ONCE(vcpu->apic_base, value);
	if (!l || !((old ^ value) & (APIC_BASE_ENABLE | APIC_BASE_X2APIC)))
		return 0;
	/* Disabling loses the state; it comes back as after power-up. */
	if (!host && !(value & APIC_BASE_ENABLE))
		lapic_reset_regs(l);
	else
		lapic_mode_changed(l);
	nv_vcpu_set_request(vcpu, REQ_EVENT);
	return 0;
}

int vlapic_msr_read(struct nv_vcpu *vcpu, u32 msr, u64 *value, bool host)
{
	struct nv_vlapic *l = vcpu->lapic;

	switch (msr) {
	case IA32_APIC_BASE:
		*value = vcpu->apic_base;
		return 0;
	case IA32_TSC_DEADLINE:
		*value = 0;
		if (!l)
			return host ? 0 : -EPERM;
		if (!host && !lapic_has_deadline(l))
			return -EPERM;
		*value = lapic_timer_deadline(l);
		return 0;
	case IA32_X2APIC_FIRST ... IA32_X2APIC_LAST:
		return l ? x2apic_read(l, msr, value) : -EPERM;
	default:
		return -EPERM;
	}
}

int vlapic_msr_write(struct nv_vcpu *vcpu, u32 msr, u64 value, bool host)
{
	struct nv_vlapic *l = vcpu->lapic;

	switch (msr) {
	case IA32_APIC_BASE:
		return write_apic_base(vcpu, value, host);
	case IA32_TSC_DEADLINE:
		if (!l)
			return host && !value ? 0 : -EPERM;
		if (!host && !lapic_has_deadline(l))
			return -EPERM;
		lapic_timer_set_deadline(l, value);
		return 0;
	case IA32_X2APIC_FIRST ... IA32_X2APIC_LAST:
		return l ? x2apic_write(l, msr, value) : -EPERM;
	default:
		return -EPERM;
	}
}
