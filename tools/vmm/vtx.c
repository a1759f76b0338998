// SPDX-License-Identifier: GPL-2.0
/*
 * What VT-x is offered to the guest, less than the host has: the owner's choice, for
 * a VM that is to move to a host which has less. By the capability MSRs, which user
 * space may lower before the vCPU first runs.
 */
#include "machine.h"

#include "../conf/vtx.h"

#include <errno.h>

#define MSR_VMX_FIRST	0x480
#define MSR_VMX_LAST	0x491

static uint64_t withheld_bits(uint64_t withhold, uint32_t msr)
{
	uint64_t bits = 0;
	unsigned int i, j;

	for (i = 0; i < VTX_COUNT; i++) {
		if (!(withhold & VTX_BIT(i)))
			continue;
		for (j = 0; j < sizeof(vtx_features[i].withhold) / sizeof(struct vtx_bits); j++) {
			const struct vtx_bits *b = &vtx_features[i].withhold[j];

			/* The upper half of a control word says which controls may be 1. */
			if (b->msr == msr)
				bits |= b->control ? b->bits << 32 : b->bits;
		}
	}
	return bits;
}

int vtx_restrict(struct nvl_vcpu *vcpu, uint64_t withhold, struct nvl_error *err)
{
	uint64_t bits, value;
	uint32_t msr;
	int ret;

	for (msr = MSR_VMX_FIRST; msr <= MSR_VMX_LAST; msr++) {
		bits = withheld_bits(withhold, msr);
		/* An MSR that the host does not have offers nothing. */
		if (!bits || nvl_vcpu_get_msr(vcpu, msr, &value, NULL) < 0 || !(value & bits))
			continue;
		ret = nvl_vcpu_set_msr(vcpu, msr, value & ~bits, err);
		if (ret < 0)
			return ret;
	}
	return 0;
}
