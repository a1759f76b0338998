// SPDX-License-Identifier: GPL-2.0
/*
 * Saved nested state. What comes back is believed no more than a guest: the
 * pointers, the VMCS and its guest state pass the checks that L1's instructions
 * would have met, before anything of the vCPU changes.
 *
 * Order of ioctls: CPUID, the capability MSRs and the special registers before (what
 * the special registers say of a running L2 goes to vmcs01 then, which the next exit
 * to L1 loads anew); general and debug registers, events and the MP state after.
 * Neither L1's memory nor its slots have to be there yet.
 *
 * What peers met here cannot be:
 *  CVE-2021-46978  no enlightened VMCS, whose mapping could be forgotten.
 *  CVE-2022-3344   nv_vcpu_reset() leaves L2 and VMX operation first of all.
 *  CVE-2026-89930  a flush that a new VPID12 asks for is a flag which only its
 *                  execution clears, whatever becomes of the entry.
 *  CVE-2026-89931  that L1's pages must be mapped is no request which could outlive
 *                  an exit: every entry maps what its own vmcs12 names.
 *  CVE-2026-98863  a page that cannot be mapped is looked for again at each entry.
 *  CVE-2026-99176  L2's state is refused before the vCPU is touched, so there is
 *                  nothing to turn back to L1.
 */
#include <linux/kvm.h>
#include <linux/mm.h>
#include <linux/slab.h>
#include <linux/uaccess.h>
#include <uapi/nestvm.h>
#include "cpuid_bits.h"
#include "nested/nested_vcpu.h"
#include "nested/state_page.h"

#define STATE_FLAGS	(KVM_STATE_NESTED_GUEST_MODE | KVM_STATE_NESTED_RUN_PENDING | \
			 KVM_STATE_NESTED_MTF_PENDING)

/* The whole state with its one page. */
#define STATE_SIZE	(sizeof(struct kvm_nested_state) + STATE_PAGE_SIZE)

static_assert(STATE_PAGE_SIZE == KVM_STATE_NESTED_VMX_VMCS_SIZE);
static_assert(STATE_SIZE == NESTED_STATE_SIZE);

/* The deadline travels as a value of L1's TSC, which is saved as well. */
static void save_header(struct nv_vcpu *vcpu, struct kvm_nested_state *s)
{
	struct nv_nested *n = vcpu->nested;

	s->format = KVM_STATE_NESTED_FORMAT_VMX;
	s->size = sizeof(*s);
	s->hdr.vmx.vmxon_pa = VMCS_NONE;
	s->hdr.vmx.vmcs12_pa = VMCS_NONE;
	if (!n || !n->vmxon)
		return;
	s->hdr.vmx.vmxon_pa = n->vmxon_ptr.v;
	if (!nested_has_current(n))
		return;
	s->hdr.vmx.vmcs12_pa = n->vmcs12_ptr.v;
	s->size = STATE_SIZE;
	if (!vcpu->l2)
		return;
	s->flags = KVM_STATE_NESTED_GUEST_MODE;
	if (n->entry_pending)
		s->flags |= KVM_STATE_NESTED_RUN_PENDING;
	if (n->mtf_pending)
		s->flags |= KVM_STATE_NESTED_MTF_PENDING;
	if (n->timer_on) {
		s->hdr.vmx.flags = KVM_STATE_VMX_PREEMPTION_TIMER_DEADLINE;
		s->hdr.vmx.preemption_timer_deadline = n->timer_deadline + vcpu->tsc_offset;
	}
}

/* vmcs02 current, and again afterwards. */
static void save_live(struct nv_vcpu *vcpu, struct state_live *live)
{
	const struct nv_event *e = &vcpu->ev.reinject;
	int i;

	live->l2_pat = vmcs_read(VMCS_GUEST_PAT);
	live->l2_efer = vmx_efer(vcpu);
	live->l2_dr7 = vmcs_read(VMCS_GUEST_DR7);
	live->l2_debugctl = vmcs_read(VMCS_GUEST_DEBUGCTL);
	if (nested_entry_uses_pdptes(vcpu->nested->v))
		for (i = 0; i < 4; i++)
			live->l2_pdpte[i] = vmcs_read(VMCS_GUEST_PDPTE0 + 2 * i);
	if (nv_event_valid(e)) {
		live->event_info = e->info;
		if (e->info & INTR_INFO_ERROR_CODE)
			live->event_error = e->error;
		live->event_len = e->insn_len;
	}
	vmx_switch_vmcs(vcpu, vcpu->vmx.vmcs01);
	live->l1_cr0 = vmx_cr0(vcpu);
	live->l1_nmi_blocked = vmx_nmi_masked(vcpu);
	vmx_switch_vmcs(vcpu, vcpu->nested->cur->vmcs);
}

static int save_page(struct nv_vcpu *vcpu, void __user *to)
{
	struct state_page *page = kmalloc(sizeof(*page), GFP_KERNEL_ACCOUNT);
	struct nv_nested *n = vcpu->nested;
	struct state_live live = {};
	int ret;

	if (!page)
		return -ENOMEM;
	if (vcpu->l2) {
		vmcs02_save(vcpu);
		/* Delivered: L1 would find the valid bit clear, and nobody injects it again. */
		if (!n->entry_pending)
			n->v->entry_intr_info &= ~INTR_INFO_VALID;
		save_live(vcpu, &live);
	} else {
		shadow_vmcs_to_vmcs12(vcpu);
	}
	state_page_write(page, n->v, &live);
	ret = copy_to_user(to, page, sizeof(*page)) ? -EFAULT : 0;
	kfree(page);
	return ret;
}

int nested_get_state(struct nv_vcpu *vcpu, void __user *ustate, u32 usize)
{
	struct kvm_nested_state __user *to = ustate;
	struct kvm_nested_state s = {};

	save_header(vcpu, &s);
	if (usize < s.size)
		return put_user(s.size, &to->size) ? -EFAULT : -E2BIG;
	if (copy_to_user(to, &s, sizeof(s)))
		return -EFAULT;
	return s.size < STATE_SIZE ? 0 : save_page(vcpu, to->data.vmx[0].vmcs12);
}

/* What is read from user space, once, and the vmcs12 made of it. */
struct incoming {
	struct kvm_nested_state s;
	struct state_page page;
	struct state_live live;
	struct vmcs12 v;		/* with the event under way as its injection */
	u32 entry_intr_info;		/* vmcs12's own */
	struct entry_ctx c;
};

__printf(2, 3)
static int refuse(struct nv_vcpu *vcpu, const char *fmt, ...)
{
	char why[160];
	va_list args;

	va_start(args, fmt);
	vsnprintf(why, sizeof(why), fmt, args);
	va_end(args);
	return nv_refuse(&vcpu->refusal, NESTVM_REFUSED_NESTED_STATE, -EINVAL,
			 "the nested state is refused: %s", why);
}

static int check_header(struct nv_vcpu *vcpu, const struct kvm_nested_state *s)
{
	const struct kvm_vmx_nested_state_hdr *h = &s->hdr.vmx;
	bool vmcs12 = h->vmcs12_pa != VMCS_NONE;

	if (s->size < sizeof(*s))
		return refuse(vcpu, "its size of %u is less than its header's", s->size);
	if (s->format != KVM_STATE_NESTED_FORMAT_VMX)
		return refuse(vcpu, "its format is %u, VT-x is %u", s->format,
			      KVM_STATE_NESTED_FORMAT_VMX);
	if (s->flags & ~STATE_FLAGS)
		return refuse(vcpu, "flags %#x are not known", s->flags & ~STATE_FLAGS);
	if (h->smm.flags)
		return refuse(vcpu, "there is no system-management mode here");
	if (h->flags & ~KVM_STATE_VMX_PREEMPTION_TIMER_DEADLINE)
		return refuse(vcpu, "header flags %#x are not known", h->flags);
	if (s->flags && !(s->flags & KVM_STATE_NESTED_GUEST_MODE))
		return refuse(vcpu, "something is pending for an L2 that does not run");
	if ((s->flags & KVM_STATE_NESTED_GUEST_MODE) && !vmcs12)
		return refuse(vcpu, "L2 runs without a current VMCS");
	if (h->flags && !(s->flags & KVM_STATE_NESTED_GUEST_MODE))
		return refuse(vcpu, "a timer runs for an L2 that does not");
	if (h->vmxon_pa == VMCS_NONE)
		return vmcs12 ? refuse(vcpu, "a VMCS is current outside VMX operation") : 0;
	if (!vcpu->nested || !(vcpu->features.f1_ecx & CPUID_1_ECX_VMX))
		return refuse(vcpu, "this vCPU has no VT-x; expose it and set CPUID first");
	if (!nested_pointer_ok(vcpu, h->vmxon_pa))
		return refuse(vcpu, "the VMXON pointer %#llx is no page of L1", h->vmxon_pa);
	if (!vmcs12)
		return 0;
	if (s->size < STATE_SIZE)
		return refuse(vcpu, "its size of %u leaves no room for a VMCS", s->size);
	if (!nested_pointer_ok(vcpu, h->vmcs12_pa) || h->vmcs12_pa == h->vmxon_pa)
		return refuse(vcpu, "the VMCS pointer %#llx is no page of L1, or the VMXON region",
			      h->vmcs12_pa);
	return 0;
}

static int check_page(struct nv_vcpu *vcpu, struct incoming *in)
{
	static const char * const why[] = {
		[STATE_PAGE_REVISION] = "its VMCS has another layout (revision)",
		[STATE_PAGE_BAD_FORMAT] = "its page has another format",
		[STATE_PAGE_COUNT] = "it holds more pairs than fit",
		[STATE_PAGE_LAUNCH_STATE] = "the VMCS is neither clear nor launched",
		[STATE_PAGE_RESERVED] = "a reserved word is not 0, at field",
		[STATE_PAGE_UNKNOWN] = "this version has no such field",
		[STATE_PAGE_TWICE] = "a field comes twice",
		[STATE_PAGE_WIDTH] = "a value is wider than its field",
	};
	enum state_page_error error;
	u32 at;

	error = state_page_read(&in->page, &in->v, &in->live, &at);
	return error ? refuse(vcpu, "%s: %#x", why[error], at) : 0;
}

static bool efer_fits(struct nv_vcpu *vcpu, const struct vmcs12 *v, u64 efer)
{
	bool lma = efer & IA32_EFER_LMA;

	return cpu_efer_valid(&vcpu->features, efer) && lma == vmcs12_has_entry(v, ENTRY_IA32E) &&
	       (!(v->guest_cr0 & CR0_PG) || lma == !!(efer & IA32_EFER_LME));
}

static int check_live(struct nv_vcpu *vcpu, struct incoming *in)
{
	const struct state_live *live = &in->live;
	const struct vmcs12 *v = &in->v;

	if (!cpu_pat_valid(live->l2_pat))
		return refuse(vcpu, "L2's PAT is %#llx", live->l2_pat);
	if (!efer_fits(vcpu, v, live->l2_efer))
		return refuse(vcpu, "L2's EFER is %#llx, which its mode contradicts",
			      live->l2_efer);
	if (!cpu_dr7_valid(live->l2_dr7) || !cpu_debugctl_valid(live->l2_debugctl))
		return refuse(vcpu, "L2's DR7 is %#llx, DEBUGCTL %#llx", live->l2_dr7,
			      live->l2_debugctl);
	if (live->event_info >> 32 || live->event_error >> 32 || live->event_len >> 32 ||
	    live->l1_nmi_blocked > 1)
		return refuse(vcpu, "the event that was being delivered cannot be");
	return 0;
}

/*
 * L2 was running: the checks that its entry passed, with its state of now. An event
 * under way is checked as the injection that it is going to be.
 */
static int check_l2(struct nv_vcpu *vcpu, struct incoming *in)
{
	struct vmcs12 *v = &in->v;
	struct entry_result r;
	int ret;

	if (v->launch_state != VMCS12_LAUNCHED)
		return refuse(vcpu, "L2 runs by a VMCS that was never launched");
	in->entry_intr_info = v->entry_intr_info;
	v->entry_intr_info = in->live.event_info;
	v->entry_error_code = in->live.event_error;
	v->entry_insn_len = in->live.event_len;
	if (in->s.hdr.vmx.flags && !vmcs12_has_pin(v, PIN_PREEMPT_TIMER))
		return refuse(vcpu, "a deadline for a preemption timer that is not on");
	ret = check_live(vcpu, in);
	if (ret)
		return ret;

	nested_entry_ctx(vcpu, &in->c);
	in->c.v = v;
	in->c.vmcs = gpa1(in->s.hdr.vmx.vmcs12_pa);
	in->c.resumed = true;
	in->c.debugctl = in->live.l2_debugctl;
	memcpy(in->c.pdpte, in->live.l2_pdpte, sizeof(in->c.pdpte));
	/* L1's own registers are not part of the state: it goes on at vmcs12's host state. */
	in->c.l1_efer = vmcs12_has_exit(v, EXIT_HOST_64) ? IA32_EFER_LME | IA32_EFER_LMA : 0;
	if (!nested_check_entry(&in->c, &r))
		return refuse(vcpu, "L2 could not have run: rule %s of \"%s\"", r.name, r.section);
	return 0;
}

/* vmcs02 current: what vmcs12 does not hold. */
static void load_live(struct nv_vcpu *vcpu, const struct incoming *in)
{
	const struct state_live *live = &in->live;
	const struct kvm_nested_state *s = &in->s;
	struct nv_nested *n = vcpu->nested;

	vmcs_write(VMCS_GUEST_PAT, live->l2_pat);
	vmx_set_efer(vcpu, live->l2_efer);
	vmcs_write(VMCS_GUEST_DR7, live->l2_dr7 | DR7_FIXED1);
	vmcs_write(VMCS_GUEST_DEBUGCTL, live->l2_debugctl);

	/* One that the entry did not complete yet, or one that an exit interrupted. */
	nested_take_injection(vcpu);
	n->entry_pending = s->flags & KVM_STATE_NESTED_RUN_PENDING;
	n->launch_state = VMCS12_LAUNCHED;
	n->mtf_pending = s->flags & KVM_STATE_NESTED_MTF_PENDING;
	n->v->entry_intr_info = in->entry_intr_info;
	if (!n->entry_pending)
		n->v->entry_intr_info &= ~INTR_INFO_VALID;
	if (n->timer_on && s->hdr.vmx.flags)
		n->timer_deadline = s->hdr.vmx.preemption_timer_deadline - vcpu->tsc_offset;
	/* Slots may come later than this. */
	n->pages_stale = true;
	n->shadow_stale = true;
	if (in->v.guest_activity == ACTIVITY_HLT) {
		vcpu->mp_state = KVM_MP_STATE_HALTED;
		nested_halt(vcpu);
	}
}

static int load_l2(struct nv_vcpu *vcpu, const struct incoming *in)
{
	u64 cr0 = vmx_cr0(vcpu) & ~(CR0_CD | CR0_NW);

	/* Of L1: what the exit that will come leaves as it finds it. vmcs01 is current. */
	vmcs_write(VMCS_CR0_SHADOW, cr0 | (in->live.l1_cr0 & (CR0_CD | CR0_NW)));
	vmx_set_nmi_masked(vcpu, in->live.l1_nmi_blocked);
	if (!nested_enter_l2(vcpu, &in->c))
		return -ENOMEM;
	load_live(vcpu, in);
	return 0;
}

/* All was found good: nothing but memory may lack now. */
static int load(struct nv_vcpu *vcpu, const struct incoming *in)
{
	const struct kvm_vmx_nested_state_hdr *h = &in->s.hdr.vmx;
	struct nv_nested *n = vcpu->nested;
	int ret = 0;

	nested_reset(vcpu);
	if (h->vmxon_pa == VMCS_NONE)
		return 0;
	nested_enter_vmx(vcpu, gpa1(h->vmxon_pa));
	if (h->vmcs12_pa == VMCS_NONE)
		return 0;
	*n->v = in->v;
	n->vmcs12_ptr = gpa1(h->vmcs12_pa);
	shadow_vmcs_on(vcpu);
	if (in->s.flags & KVM_STATE_NESTED_GUEST_MODE)
		ret = load_l2(vcpu, in);
	if (ret)
		nested_reset(vcpu);
	return ret;
}

static int set_state(struct nv_vcpu *vcpu, const struct kvm_nested_state __user *from,
		     struct incoming *in)
{
	int ret;

	if (copy_from_user(&in->s, from, sizeof(in->s)))
		return -EFAULT;
	if (vcpu->nested)
		nested_refresh_cpu(vcpu);
	ret = check_header(vcpu, &in->s);
	if (!ret && in->s.hdr.vmx.vmcs12_pa != VMCS_NONE) {
		if (copy_from_user(&in->page, from->data.vmx[0].vmcs12, sizeof(in->page)))
			return -EFAULT;
		ret = check_page(vcpu, in);
	}
	if (!ret && (in->s.flags & KVM_STATE_NESTED_GUEST_MODE))
		ret = check_l2(vcpu, in);
	return ret ?: load(vcpu, in);
}

int nested_set_state(struct nv_vcpu *vcpu, const void __user *ustate)
{
	struct incoming *in = kzalloc(sizeof(*in), GFP_KERNEL_ACCOUNT);
	int ret;

	if (!in)
		return -ENOMEM;
	ret = set_state(vcpu, ustate, in);
	kfree(in);
	return ret;
}
