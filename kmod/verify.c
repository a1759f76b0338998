// SPDX-License-Identifier: GPL-2.0
/* When the invariants of verify.h are looked at. */
#include "verify.h"
#include <linux/delay.h>
#include "vcpu.h"
#include "vm.h"

/* VM entries of a vCPU between two walks of all tables. */
#define ENTRIES		1024

/* One look-up in so many is followed by a pause, of so many microseconds. */
#define PAUSE_EVERY	4
#define PAUSE_MIN	20
#define PAUSE_MAX	60

void nv_verify_pause(void)
{
	static atomic_t lookups;

	if (!(atomic_inc_return(&lookups) % PAUSE_EVERY))
		usleep_range(PAUSE_MIN, PAUSE_MAX);
}

void nv_verify_flush(struct nv_vcpu *vcpu)
{
	vcpu->flushed = READ_ONCE(vcpu->vm->ept.gen);
}

/* ept_flush() asks every vCPU first and says so afterwards: read in the other order. */
static void check_flushed(struct nv_vcpu *vcpu)
{
	unsigned long said = READ_ONCE(vcpu->vm->ept.flushed);

	smp_rmb();
	/* The test's failure, as all of this. */
	WARN((long)(vcpu->flushed - said) < 0 && !test_bit(REQ_EPT01_CHANGED, &vcpu->requests),
	     "nestvm verify: a vCPU ran on with translations of zap %lu, those of %lu are flushed\n",
	     vcpu->flushed, said);
}

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
	check_flushed(vcpu);
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
