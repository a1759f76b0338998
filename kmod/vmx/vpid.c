// SPDX-License-Identifier: GPL-2.0
/* Numbers for VPIDs, and flushing what is cached under them and under an EPTP. */
#include <linux/bitmap.h>
#include <linux/spinlock.h>
#include "vcpu.h"

#define NV_VPIDS	4096

static DECLARE_BITMAP(used, NV_VPIDS) = { 1 };	/* 0 is the host's */
static DEFINE_SPINLOCK(lock);

u16 vmx_vpid_alloc(void)
{
	unsigned long vpid;

	if (!vmx_caps.vpid)
		return 0;
	spin_lock(&lock);
	vpid = find_first_zero_bit(used, NV_VPIDS);
	if (vpid < NV_VPIDS)
		__set_bit(vpid, used);
	else
		vpid = 0;
	spin_unlock(&lock);
	return vpid;
}

void vmx_vpid_free(u16 vpid)
{
	if (!vpid)
		return;
	spin_lock(&lock);
	__clear_bit(vpid, used);
	spin_unlock(&lock);
}

void vmx_invept(u64 eptp)
{
	if (vmx_caps.ept_vpid & EPT_CAP_INVEPT_SINGLE)
		insn_invept(INVEPT_SINGLE, eptp);
	else
		insn_invept(INVEPT_ALL, 0);
}

void vmx_invvpid(u16 vpid)
{
	if (vpid)
		insn_invvpid(INVVPID_SINGLE, vpid, 0);
}

void vmx_flush_tlb(struct nv_vcpu *vcpu)
{
	nv_stat_inc(vcpu, tlb_flushes);
	vmx_invept(vcpu->vm->ept.eptp);
	vmx_invvpid(vcpu->vmx.vpid01);
}
