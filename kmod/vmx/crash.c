// SPDX-License-Identifier: GPL-2.0
/*
 * The host crashes: VMX is left on every CPU before another kernel starts (kdump)
 * or the machine is reset. In VMX operation CR4.VMXE cannot be cleared, which a
 * kernel that begins does, and INIT is blocked (SDM 3C "Restrictions on VMX
 * Operation", "Other Causes of VM Exits").
 *
 * The kernel calls back on the CPU that crashes and, by NMI, on the others. It has
 * one place for that, and kvm_intel, loaded though unused, may hold it: what KVM
 * has there leaves VMX wherever CR4.VMXE is set, ours included. So whose it is
 * changes with kvm_intel's coming and going.
 */
#define pr_fmt(fmt) "nestvm: " fmt

#include <linux/kobject.h>
#include <linux/module.h>
#include <linux/mutex.h>
#include <linux/string.h>
#include "compat.h"
#include "vmx/percpu.h"

static DEFINE_MUTEX(place_lock);
static bool place_is_ours;		/* by place_lock */

static void take_place(void)
{
	mutex_lock(&place_lock);
	if (!place_is_ours)
		nv_register_emergency(vmx_cpu_emergency_off);
	place_is_ours = true;
	mutex_unlock(&place_lock);
}

static void leave_place(void)
{
	mutex_lock(&place_lock);
	if (place_is_ours)
		nv_unregister_emergency(vmx_cpu_emergency_off);
	place_is_ours = false;
	mutex_unlock(&place_lock);
}

static int module_changes(struct notifier_block *nb, unsigned long state, void *data)
{
	struct module *mod = data;

	if (strcmp(mod->name, "kvm_intel"))
		return NOTIFY_DONE;
	/* Before its init function, and after its exit function or a failed init. */
	if (state == MODULE_STATE_COMING)
		leave_place();
	else if (state == MODULE_STATE_GOING)
		take_place();
	return NOTIFY_OK;
}

static struct notifier_block module_nb = { .notifier_call = module_changes };

/* All loaded modules are in one set of the kernel's, and we are one of them. */
static int kvm_intel_loaded(bool *loaded)
{
	struct kobject *kobj = kset_find_obj(THIS_MODULE->mkobj.kobj.kset, "kvm_intel");
	struct module *mod;
	int ret = 0;

	*loaded = kobj;
	if (!kobj)
		return 0;
	/* NULL: it is part of the kernel. */
	mod = container_of(kobj, struct module_kobject, kobj)->mod;
	if (mod && mod->state != MODULE_STATE_LIVE)
		ret = -EAGAIN;
	kobject_put(kobj);
	return ret;
}

int vmx_crash_init(void)
{
	bool loaded;
	int ret;

	ret = register_module_notifier(&module_nb);
	if (ret)
		return ret;
	ret = kvm_intel_loaded(&loaded);
	if (ret) {
		pr_err("not loaded: kvm_intel is being loaded or unloaded; try again\n");
		unregister_module_notifier(&module_nb);
		return ret;
	}
	if (!loaded)
		take_place();
	return 0;
}

void vmx_crash_exit(void)
{
	unregister_module_notifier(&module_nb);
	leave_place();		/* no CPU is in the callback, or ever returns from it, after this */
}
