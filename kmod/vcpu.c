// SPDX-License-Identifier: GPL-2.0
/* Life of a vCPU, its place on the physical CPUs, and how to get its attention. */
#define pr_fmt(fmt) "nestvm: " fmt

#include "vcpu.h"
#include <linux/kvm.h>
#include <linux/mm.h>
#include <linux/sched.h>
#include <linux/slab.h>
#include <linux/smp.h>
#include "compat.h"
#include "cpu.h"
#include "cpuid_policy.h"
#include "insn_io.h"
#include "irq.h"
#include "module.h"
#include "nested/nested.h"
#include "verify.h"
#include "vlapic.h"

static atomic64_t vcpus;

u64 nv_vcpu_total(void)
{
	return atomic64_read(&vcpus);
}

static void come_to_cpu(struct nv_vcpu *vcpu, int cpu)
{
	vmx_vcpu_load(vcpu, cpu);
	WRITE_ONCE(vcpu->cpu, cpu);
}

static void leave_cpu(struct nv_vcpu *vcpu)
{
	vmx_vcpu_put(vcpu);
	WRITE_ONCE(vcpu->cpu, -1);
}

static void sched_in(struct preempt_notifier *notifier, int cpu)
{
	come_to_cpu(container_of(notifier, struct nv_vcpu, notifier), cpu);
}

static void sched_out(struct preempt_notifier *notifier, struct task_struct *next)
{
	leave_cpu(container_of(notifier, struct nv_vcpu, notifier));
}

static struct preempt_ops preempt_ops = { .sched_in = sched_in, .sched_out = sched_out };

void nv_vcpu_load(struct nv_vcpu *vcpu)
{
	preempt_disable();
	preempt_notifier_register(&vcpu->notifier);
	come_to_cpu(vcpu, smp_processor_id());
	preempt_enable();
}

void nv_vcpu_put(struct nv_vcpu *vcpu)
{
	preempt_disable();
	leave_cpu(vcpu);
	preempt_notifier_unregister(&vcpu->notifier);
	preempt_enable();
}

static int alloc_run_pages(struct nv_vcpu *vcpu)
{
	int i;

	for (i = 0; i < ARRAY_SIZE(vcpu->run_pages); i++) {
		vcpu->run_pages[i] = alloc_page(GFP_KERNEL_ACCOUNT | __GFP_ZERO);
		if (!vcpu->run_pages[i])
			return -ENOMEM;
	}
	vcpu->run = page_address(vcpu->run_pages[0]);
	return 0;
}

void nv_vcpu_destroy(struct nv_vcpu *vcpu)
{
	int i, idx;

	if (vcpu->nested) {
		idx = srcu_read_lock(&vcpu->vm->srcu);
		nv_vcpu_load(vcpu);
		nested_reset(vcpu);
		nv_vcpu_put(vcpu);
		srcu_read_unlock(&vcpu->vm->srcu, idx);
		nested_destroy(vcpu);
	}
	if (vcpu->lapic)
		vlapic_destroy(vcpu);
	vmx_vcpu_destroy(vcpu);
	cpu_cpuid_free(vcpu);
	insn_io_destroy(vcpu);
	for (i = 0; i < ARRAY_SIZE(vcpu->run_pages); i++)
		if (vcpu->run_pages[i])
			__free_page(vcpu->run_pages[i]);
	kfree(vcpu);
	atomic64_dec(&vcpus);
}

struct nv_vcpu *nv_vcpu_create(struct nv_vm *vm, u32 id)
{
	struct nv_vcpu *vcpu = kzalloc(sizeof(*vcpu), GFP_KERNEL_ACCOUNT);
	int ret;

	if (!vcpu)
		return ERR_PTR(-ENOMEM);
	atomic64_inc(&vcpus);
	vcpu->vm = vm;
	vcpu->id = id;
	vcpu->cpu = -1;
	vcpu->last_cpu = -1;
	vcpu->ev.user_intr = -1;
	mutex_init(&vcpu->lock);
	rcuwait_init(&vcpu->wait);
	nv_refusal_init(&vcpu->refusal);
	preempt_notifier_init(&vcpu->notifier, &preempt_ops);
	vcpu->tsc_offset = -vm->tsc_base;
	vcpu->arch_capabilities = vmx_arch_capabilities();

	ret = cpu_cpuid_default(vcpu);
	if (ret)
		goto destroy;
	ret = alloc_run_pages(vcpu);
	if (ret)
		goto destroy;
	ret = insn_io_create(vcpu);
	if (ret)
		goto destroy;
	if (irq_has_lapic(vm)) {
		ret = vlapic_create(vcpu);
		if (ret)
			goto destroy;
	}
	ret = vmx_vcpu_create(vcpu);
	if (ret)
		goto destroy;
	nv_verify_flush(vcpu);		/* it has cached nothing */
	nv_vcpu_load(vcpu);
	nv_vcpu_reset(vcpu, false);
	nv_vcpu_put(vcpu);
	return vcpu;

destroy:
	nv_vcpu_destroy(vcpu);
	return ERR_PTR(ret);
}

static bool is_bsp(struct nv_vcpu *vcpu)
{
	return vcpu->id == vcpu->vm->bsp_id;
}

void nv_vcpu_reset(struct nv_vcpu *vcpu, bool init)
{
	if (vcpu->nested)
		nested_reset(vcpu);
	vmx_sync_guest_msrs(vcpu);
	nv_events_clear(&vcpu->ev);
	vcpu->ev.nmi_pending = 0;
	memset(vcpu->dr, 0, sizeof(vcpu->dr));
	vcpu->dr6 = DR6_FIXED1 | DR6_RTM;
	if (!init) {
		vcpu->xcr0 = XCR0_X87;
		vcpu->apic_base = APIC_BASE_DEFAULT | APIC_BASE_ENABLE |
				  (is_bsp(vcpu) ? APIC_BASE_BSP : 0);
		vcpu->feature_control = 0;
		vcpu->star = 0;
		vcpu->lstar = 0;
		vcpu->cstar = 0;
		vcpu->fmask = 0;
		vcpu->kernel_gs_base = 0;
		vcpu->tsc_aux = 0;
		vcpu->misc_enable = MISC_ENABLE_FAST_STRING;
		vcpu->mtrr_def_type = 0;
		memset(vcpu->mtrr_fixed, 0, sizeof(vcpu->mtrr_fixed));
		memset(vcpu->mtrr_var, 0, sizeof(vcpu->mtrr_var));
		vcpu->bios_sign_id = 0x100000000ull;
		mce_reset(&vcpu->mce);
		vcpu->mp_state = !vcpu->lapic || is_bsp(vcpu) ? KVM_MP_STATE_RUNNABLE :
								KVM_MP_STATE_UNINITIALIZED;
	}
	vmx_vcpu_reset(vcpu, init);
	if (vcpu->lapic)
		vlapic_reset(vcpu, init);
}

void nv_vcpu_kick(struct nv_vcpu *vcpu)
{
	int cpu;

	rcuwait_wake_up(&vcpu->wait);
	/* Pairs with the barrier between where = IN_GUEST and the look at requests. */
	smp_mb();
	if (cmpxchg(&vcpu->where, IN_GUEST, EXITING_GUEST) != IN_GUEST)
		return;
	preempt_disable();
	cpu = READ_ONCE(vcpu->cpu);
	if (cpu >= 0 && cpu != smp_processor_id() && cpu_online(cpu))
		smp_send_reschedule(cpu);
	preempt_enable();
}

static bool intr_waits(struct nv_vcpu *vcpu)
{
	return vlapic_has_pending(vcpu) || irq_extint_pending(vcpu);
}

bool nv_vcpu_runnable(struct nv_vcpu *vcpu)
{
	if (vcpu->requests & (BIT(REQ_TRIPLE_FAULT) | BIT(REQ_DEAD)))
		return true;
	if (READ_ONCE(vcpu->init_sipi) & 1)
		return true;
	switch (vcpu->mp_state) {
	case KVM_MP_STATE_RUNNABLE:
		return true;
	case KVM_MP_STATE_INIT_RECEIVED:
		return READ_ONCE(vcpu->init_sipi) & 2;
	case KVM_MP_STATE_HALTED:
		break;
	default:
		return false;
	}
	if (nv_event_valid(&vcpu->ev.reinject) || nv_event_valid(&vcpu->ev.exception))
		return true;
	if (vcpu->ev.nmi_pending || (vcpu->lapic && vlapic_has_nmi(vcpu)))
		return true;
	if (vcpu->l2 && nested_has_events(vcpu))
		return true;
	return intr_waits(vcpu) && ((vcpu->l2 && nested_intr_exits(vcpu)) ||
				    vmx_intr_allowed(vcpu));
}

enum nv_next nv_vcpu_bug(struct nv_vcpu *vcpu, const char *why)
{
	struct kvm_run *run = vcpu->run;

	if (!xchg(&vcpu->vm->dead, true)) {
		pr_err("BUG: %s (vCPU %u, %s, exit reason %#x)\n", why, vcpu->id,
		       vcpu->l2 ? "L2" : "L1", vcpu->vmx.exit_reason);
		vmcs_dump(vcpu->l2 ? "L2 (vmcs02)" : "L1 (vmcs01)");
	}
	nv_vm_request(vcpu->vm, REQ_DEAD);
	run->exit_reason = KVM_EXIT_INTERNAL_ERROR;
	run->internal.suberror = KVM_INTERNAL_ERROR_UNEXPECTED_EXIT_REASON;
	run->internal.ndata = 2;
	run->internal.data[0] = vcpu->vmx.exit_reason;
	run->internal.data[1] = vcpu->l2;
	vcpu->ret = 0;
	return NEXT_USER;
}

enum nv_next nv_vcpu_triple_fault(struct nv_vcpu *vcpu)
{
	if (nested_triple_fault(vcpu))
		return NEXT_SAME;
	vcpu->run->exit_reason = KVM_EXIT_SHUTDOWN;
	vcpu->ret = 0;
	return NEXT_USER;
}
