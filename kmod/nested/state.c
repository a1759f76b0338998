// SPDX-License-Identifier: GPL-2.0
/*
 * Saved nested state. What comes back is believed no more than a guest: the
 * pointers, the VMCS and its guest state pass the checks that L1's instructions
 * would have met.
 */
#include <linux/kvm.h>
#include <linux/mm.h>
#include <linux/slab.h>
#include <linux/uaccess.h>
#include "nested/nested_vcpu.h"

#define STATE_FLAGS	(KVM_STATE_NESTED_GUEST_MODE | KVM_STATE_NESTED_RUN_PENDING | \
			 KVM_STATE_NESTED_MTF_PENDING)

/* The whole state with its one page of VMCS. */
#define STATE_SIZE	(sizeof(struct kvm_nested_state) + KVM_STATE_NESTED_VMX_VMCS_SIZE)

static_assert(sizeof(struct vmcs12) <= KVM_STATE_NESTED_VMX_VMCS_SIZE);

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

int nested_get_state(struct nv_vcpu *vcpu, void __user *ustate, u32 usize)
{
	struct kvm_nested_state __user *to = ustate;
	struct nv_nested *n = vcpu->nested;
	struct kvm_nested_state s = {};

	save_header(vcpu, &s);
	if (usize < s.size)
		return put_user(s.size, &to->size) ? -EFAULT : -E2BIG;
	if (copy_to_user(to, &s, sizeof(s)))
		return -EFAULT;
	if (s.size < STATE_SIZE)
		return 0;

	/* The page's tail was never anything but zero. */
	if (vcpu->l2)
		vmcs02_save(vcpu);
	else
		shadow_vmcs_to_vmcs12(vcpu);
	return copy_to_user(to->data.vmx[0].vmcs12, n->v, KVM_STATE_NESTED_VMX_VMCS_SIZE) ?
	       -EFAULT : 0;
}

static bool header_ok(struct nv_vcpu *vcpu, const struct kvm_nested_state *s)
{
	const struct kvm_vmx_nested_state_hdr *h = &s->hdr.vmx;
	bool vmcs12 = h->vmcs12_pa != VMCS_NONE;

	if (s->format != KVM_STATE_NESTED_FORMAT_VMX || s->flags & ~STATE_FLAGS ||
	    h->smm.flags || h->flags & ~KVM_STATE_VMX_PREEMPTION_TIMER_DEADLINE)
		return false;
	if (s->flags && !(s->flags & KVM_STATE_NESTED_GUEST_MODE))
		return false;
	if ((s->flags & KVM_STATE_NESTED_GUEST_MODE) && !vmcs12)
		return false;
	if (h->vmxon_pa == VMCS_NONE)
		return !vmcs12;
	if (!vcpu->nested || !nested_pointer_ok(vcpu, h->vmxon_pa))
		return false;
	if (!vmcs12)
		return true;
	return s->size >= STATE_SIZE && nested_pointer_ok(vcpu, h->vmcs12_pa) &&
	       h->vmcs12_pa != h->vmxon_pa;
}

/* L2 was running: enter it again, as VMRESUME would, but for the MSR-load area. */
static int resume_l2(struct nv_vcpu *vcpu, const struct kvm_nested_state *s)
{
	struct nv_nested *n = vcpu->nested;
	struct entry_result r;
	struct entry_ctx c;

	nested_entry_ctx(vcpu, &c);
	/* L1's own registers are not part of the state: it goes on at vmcs12's host state. */
	c.l1_efer = vmcs12_has_exit(n->v, EXIT_HOST_64) ? IA32_EFER_LME | IA32_EFER_LMA : 0;
	if (n->v->launch_state != VMCS12_LAUNCHED || !nested_check_entry(&c, &r))
		return -EINVAL;
	if (!nested_enter_l2(vcpu, &c))
		return -ENOMEM;
	n->shadow_stale = true;
	/* Slots may come later than this. */
	n->pages_stale = true;
	n->entry_pending = s->flags & KVM_STATE_NESTED_RUN_PENDING;
	n->mtf_pending = s->flags & KVM_STATE_NESTED_MTF_PENDING;
	if (n->entry_pending)
		nested_take_injection(vcpu);
	if (n->timer_on && (s->hdr.vmx.flags & KVM_STATE_VMX_PREEMPTION_TIMER_DEADLINE))
		n->timer_deadline = s->hdr.vmx.preemption_timer_deadline - vcpu->tsc_offset;
	return 0;
}

/* @page: user's vmcs12, already read once. */
static int set_vmcs12(struct nv_vcpu *vcpu, const struct kvm_nested_state *s,
		      const struct vmcs12 *page)
{
	struct nv_nested *n = vcpu->nested;

	if (page->revision != VMCS12_REVISION)
		return -EINVAL;
	memcpy(n->v, page, sizeof(*n->v));
	n->vmcs12_ptr = gpa1(s->hdr.vmx.vmcs12_pa);
	shadow_vmcs_on(vcpu);
	return s->flags & KVM_STATE_NESTED_GUEST_MODE ? resume_l2(vcpu, s) : 0;
}

static int set_state(struct nv_vcpu *vcpu, const struct kvm_nested_state *s,
		     const struct vmcs12 *page)
{
	struct nv_nested *n = vcpu->nested;
	int ret;

	nested_reset(vcpu);
	if (s->hdr.vmx.vmxon_pa == VMCS_NONE)
		return 0;
	nested_refresh_cpu(vcpu);
	n->vmxon = true;
	n->vmxon_ptr = gpa1(s->hdr.vmx.vmxon_pa);
	vmcs02_find_open_words(vcpu);
	if (!page)
		return 0;
	ret = set_vmcs12(vcpu, s, page);
	if (ret)
		nested_reset(vcpu);
	return ret;
}

int nested_set_state(struct nv_vcpu *vcpu, const void __user *ustate)
{
	const struct kvm_nested_state __user *from = ustate;
	struct vmcs12 *page = NULL;
	struct kvm_nested_state s;
	int ret;

	if (copy_from_user(&s, from, sizeof(s)))
		return -EFAULT;
	if (s.size < sizeof(s) || !header_ok(vcpu, &s))
		return -EINVAL;
	if (s.hdr.vmx.vmcs12_pa != VMCS_NONE) {
		page = memdup_user(from->data.vmx[0].vmcs12, sizeof(*page));
		if (IS_ERR(page))
			return PTR_ERR(page);
	}
	ret = set_state(vcpu, &s, page);
	kfree(page);
	return ret;
}
