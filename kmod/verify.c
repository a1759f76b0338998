// SPDX-License-Identifier: GPL-2.0
/* When the invariants of verify.h are looked at. */
#include "verify.h"
#include "vcpu.h"
#include "vm.h"

/* VM entries of a vCPU between two walks of all tables. */
#define ENTRIES		1024

static void walk_tables(struct nv_vcpu *vcpu)
{
	struct nv_vm *vm = vcpu->vm;

	/* The other way round than vm.h has it, so it does not wait: slots are changing now. */
	if (!mutex_trylock(&vm->lock))
		return;
	ept_verify(vm);
	if (vcpu->nested)
		nested_verify_ept02(vcpu);
	mutex_unlock(&vm->lock);
}

void nv_verify_run(struct nv_vcpu *vcpu)
{
	if (vcpu->l2)
		nested_verify_vmcs02(vcpu);
	if (!(vcpu->stats.value[STAT_entries] % ENTRIES))
		walk_tables(vcpu);
}

void nv_verify_end(struct nv_vm *vm)
{
	struct nv_vcpu *vcpu;
	int i;

	mutex_lock(&vm->lock);
	ept_verify(vm);
	nv_for_each_vcpu(i, vcpu, vm)
		if (vcpu->nested)
			nested_verify_ept02(vcpu);
	mutex_unlock(&vm->lock);
}
