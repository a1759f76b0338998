/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A virtual CPU: what the guest sees of it, and where it is on the host.
 *
 * Everything is guarded by vcpu->lock (held by the thread in an ioctl on it)
 * except what is marked "any": that is written by other CPUs with atomic
 * operations, followed by nv_vcpu_kick().
 */
#ifndef NESTVM_VCPU_H
#define NESTVM_VCPU_H

#include <linux/kvm.h>
#include <linux/mutex.h>
#include <linux/preempt.h>
#include <linux/rcuwait.h>
#include "cpu_event.h"
#include "cpu_mce.h"
#include "cpu_valid.h"
#include "gmem.h"
#include "stats.h"
#include "vm.h"
#include "vmx/vmx.h"
#include "x86.h"

struct nv_nested;
struct nv_vlapic;
struct nv_cpuid;
struct nv_io;

/* What comes after an exit is handled. Only the dispatcher moves RIP. */
enum nv_next {
	NEXT_INSN,	/* step over the instruction, enter again */
	NEXT_SAME,	/* enter again where the guest is */
	NEXT_USER,	/* return to user space; vcpu->run says why, vcpu->ret the errno */
};

/* Requests: bits of vcpu->requests, done at the top of the run loop. */
enum nv_request {
	REQ_EVENT,		/* look for something to inject */
	REQ_TLB_FLUSH,		/* INVEPT/INVVPID of all that this vCPU uses */
	REQ_EPT01_CHANGED,	/* EPT01 mappings went away: EPT02 is stale too */
	REQ_EPT01_PROTECTED,	/* EPT01 lost write access: so does EPT02 */
	REQ_TRIPLE_FAULT,	/* shut down */
	REQ_DEAD,		/* the VM is dead: leave with -EIO */
	REQ_IOAPIC_SCAN,	/* EOI exits of the split irqchip changed */
	REQ_NESTED_PAGES,	/* get vmcs12's pages again after state was loaded */
};

/* vcpu->where, for kicks */
enum nv_where { OUTSIDE_GUEST, IN_GUEST, EXITING_GUEST };

struct nv_regs {
	u64 gpr[REG_COUNT];	/* [REG_RSP] is kept in the VMCS instead */
	u64 cr2;
	u64 spec_ctrl;		/* IA32_SPEC_CTRL: the guest's, */
	u64 spec_ctrl_host;	/* and what this CPU's is outside of it */
	bool spec_ctrl_passed;	/* the guest writes it without an exit */
};

struct nv_vcpu {
	struct nv_vm *vm;
	u32 id;				/* vCPU id, which is the x2APIC ID as well */
	struct mutex lock;
	struct preempt_notifier notifier;
	int cpu;			/* loaded on this CPU, or -1 */
	int last_cpu;			/* where it was loaded last */
	bool has_run;
	bool entered;			/* this KVM_RUN has been in the guest */
	bool state_set;			/* user space may have set state since the last entry */

	unsigned long requests;		/* any */
	int where;			/* any */
	struct rcuwait wait;		/* any; sleeps here in HLT and wait-for-SIPI */

	struct kvm_run *run;		/* page shared with user space: read once */
	struct page *run_pages[2];	/* the run page and the port-I/O data page */
	int ret;			/* what KVM_RUN returns after NEXT_USER */
	int srcu_idx;
	sigset_t sigset;
	bool sigset_active;

	struct nv_regs regs;		/* L2's while l2 */
	struct nv_events ev;
	u32 mp_state;			/* KVM_MP_STATE_* */
	unsigned long init_sipi;	/* any: bit 0 INIT pending, bit 1 SIPI pending */
	u8 sipi_vector;

	/* Register state that is not in the VMCS. */
	u64 dr[4], dr6;
	u64 xcr0;
	bool xcr0_loaded;		/* the CPU holds it, for this entry */
	u64 apic_base;			/* IA32_APIC_BASE */
	u64 feature_control;
	u64 star, lstar, cstar, fmask, kernel_gs_base, tsc_aux;
	u64 tsc_offset;			/* L1's: guest TSC = host TSC + this */
	u64 tsc_adjust;
	u64 misc_enable, mtrr_def_type, mtrr_fixed[11], mtrr_var[16];
	u64 arch_capabilities;
	u64 bios_sign_id;
	struct cpu_mce mce;
	struct fpu_area *fpu;		/* XSAVE image, 64-byte aligned; vmx/fpu.c */

	struct nv_cpuid *cpuid;		/* what user space set; cpu_cpuid.c */
	struct cpu_features features;	/* derived from it */
	struct nv_io *io;		/* an instruction waiting for user space; insn_io.c */
	struct nv_fault insn_fault;	/* what its last access met */
	/* Called at the next KVM_RUN after NEXT_USER, then cleared. */
	enum nv_next (*complete)(struct nv_vcpu *vcpu);

	struct vmx_vcpu vmx;
	struct nv_vlapic *lapic;	/* NULL without in-kernel local APIC */
	struct nv_nested *nested;	/* NULL unless the VM is exposed */
	bool l2;			/* L2 runs: vmcs02 is current, regs are L2's */

	struct nv_refusal refusal;
	struct nv_stats stats;
#ifdef NV_VERIFY
	unsigned long flushed;		/* vm->ept.gen when it began its last flush */
#endif
};

struct nv_vcpu *nv_vcpu_create(struct nv_vm *vm, u32 id);
void nv_vcpu_destroy(struct nv_vcpu *vcpu);

/* Make its VMCS current on this CPU and keep it so across preemption. */
void nv_vcpu_load(struct nv_vcpu *vcpu);
void nv_vcpu_put(struct nv_vcpu *vcpu);

/* The state after power-on or INIT (SDM 3A "Processor State After Reset"). */
void nv_vcpu_reset(struct nv_vcpu *vcpu, bool init);

/*
 * Set a request and make the vCPU see it soon: out of the guest by an IPI, out
 * of its sleep by a wake-up. Callable from any context.
 */
void nv_vcpu_kick(struct nv_vcpu *vcpu);

static inline void nv_vcpu_set_request(struct nv_vcpu *vcpu, enum nv_request req)
{
	/* The data the request speaks of is visible before the bit. */
	smp_mb__before_atomic();
	set_bit(req, &vcpu->requests);
}

static inline void vcpu_request(struct nv_vcpu *vcpu, enum nv_request req)
{
	nv_vcpu_set_request(vcpu, req);
	nv_vcpu_kick(vcpu);
}

static inline bool nv_vcpu_take_request(struct nv_vcpu *vcpu, enum nv_request req)
{
	if (!test_bit(req, &vcpu->requests))
		return false;
	clear_bit(req, &vcpu->requests);
	smp_mb__after_atomic();
	return true;
}

/* Does it have something to run for (an event, or it is not halted)? */
bool nv_vcpu_runnable(struct nv_vcpu *vcpu);

/* run.c: KVM_RUN. */
int nv_run(struct nv_vcpu *vcpu);
/* An INIT or SIPI that has come, unless VMX operation blocks it. */
void nv_vcpu_take_init_sipi(struct nv_vcpu *vcpu);

/* Ours is the mistake: report once with @why, and stop the VM. */
enum nv_next nv_vcpu_bug(struct nv_vcpu *vcpu, const char *why);

/* End of the guest: KVM_EXIT_SHUTDOWN. */
enum nv_next nv_vcpu_triple_fault(struct nv_vcpu *vcpu);

#endif
