// SPDX-License-Identifier: GPL-2.0
/* The MSR-load and MSR-store areas of vmcs12, in software. */
#include "nested/nested_vcpu.h"

static bool x2apic_mode(struct nv_vcpu *vcpu)
{
	return (vcpu->apic_base & (APIC_BASE_ENABLE | APIC_BASE_X2APIC)) ==
	       (APIC_BASE_ENABLE | APIC_BASE_X2APIC);
}

static u64 entry_address(u64 area, u32 i)
{
	return area + (u64)i * sizeof(struct vmx_msr_entry);
}

u32 msr_list_load(struct nv_vcpu *vcpu, u64 area, u32 count, enum msr_area kind,
		  const struct msr_check **rule)
{
	const u32 max = nested_msr_list_max(&vcpu->nested->msrs);
	struct vmx_msr_entry e;
	u32 i;

	*rule = NULL;
	for (i = 0; i < count; i++) {
		/* More than recommended: undefined, so refused where it begins. */
		if (i >= max || gmem_read(vcpu->vm, gpa1(entry_address(area, i)), &e, sizeof(e)))
			return i + 1;
		*rule = nested_check_msr(&e, kind, x2apic_mode(vcpu));
		if (*rule || cpu_msr_write(vcpu, e.index, e.value, false))
			return i + 1;
	}
	return 0;
}

u32 msr_list_store(struct nv_vcpu *vcpu, u64 area, u32 count)
{
	const u32 max = nested_msr_list_max(&vcpu->nested->msrs);
	struct vmx_msr_entry e;
	u32 i;

	for (i = 0; i < count; i++) {
		gpa1_t at = gpa1(entry_address(area, i));

		/* The value field is not read: only index and reserved are. */
		e.value = 0;
		if (i >= max || gmem_read(vcpu->vm, at, &e, offsetof(typeof(e), value)) ||
		    nested_check_msr(&e, MSR_AREA_EXIT_STORE, x2apic_mode(vcpu)) ||
		    cpu_msr_read(vcpu, e.index, &e.value, false))
			return i + 1;
		at = gpa1_add(at, offsetof(typeof(e), value));
		if (gmem_write(vcpu->vm, at, &e.value, sizeof(e.value)))
			return i + 1;
	}
	return 0;
}
