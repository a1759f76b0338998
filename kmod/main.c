// SPDX-License-Identifier: GPL-2.0
/*
 * nestvm: virtual machines with VT-x of their own.
 *
 * Where is ...?
 *   what happens on a VM exit           vmx/exit.c (table), then vmx/exit_*.c
 *   the order of one VM entry           run.c
 *   the VMCS set-up                     vmx/setup.c
 *   which control bits we need          vmx/caps.c
 *   the ioctl tables                    dev.c, dev_vm.c, dev_vcpu.c
 *   what VMLAUNCH by L1 does            nested/enter.c, read top to bottom
 *   the entry checks                    nested/check_*.c
 *   who gets an L2 exit                 nested/reflect.c
 *   one VMCS field, everywhere          vmx/vmcs_fields.h (one row)
 *   locks and their order               header comment of vm.h
 */
#define pr_fmt(fmt) "nestvm: " fmt

#include <linux/module.h>
#include <linux/preempt.h>
#include "module.h"
#include "nested/nested.h"
#include "vmx/vmx.h"

bool nv_expose_default;
module_param_named(expose_default, nv_expose_default, bool, 0444);
MODULE_PARM_DESC(expose_default, "New VMs have VT-x of their own (default: 0)");

bool nv_nested_allowed = true;
module_param_named(nested, nv_nested_allowed, bool, 0444);
MODULE_PARM_DESC(nested, "Allow VMs to have VT-x of their own on this host (default: 1)");

static int __init nestvm_init(void)
{
	int ret;

	ret = vmx_hardware_init();
	if (ret)
		return ret;
	ret = nested_module_init();
	if (ret)
		goto hardware_exit;
	preempt_notifier_inc();
	/* Last: from here on there are users. */
	ret = nv_dev_init();
	if (ret)
		goto nested_exit;
	return 0;

nested_exit:
	preempt_notifier_dec();
	nested_module_exit();
hardware_exit:
	vmx_hardware_exit();
	return ret;
}

static void __exit nestvm_exit(void)
{
	nv_dev_exit();
	preempt_notifier_dec();
	nested_module_exit();
	vmx_hardware_exit();
}

module_init(nestvm_init);
module_exit(nestvm_exit);

MODULE_LICENSE("GPL");
MODULE_DESCRIPTION("Virtual machines with nested VT-x");
MODULE_VERSION(NV_VERSION);
