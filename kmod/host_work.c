// SPDX-License-Identifier: GPL-2.0
/*
 * The host's generic work before guest entry. Before 6.18 the exported function takes
 * KVM's vCPU, to note there that a signal came: this is the one file that includes
 * KVM's header, and it gives that function a vCPU of its own to write to.
 */
#include "host_work.h"
#include <linux/entry-kvm.h>
#include <linux/kvm_host.h>

/* Written by every thread, read by none. */
static struct kvm_run nobodys_run;
static struct kvm_vcpu nobody = { .run = &nobodys_run };

int host_work(void)
{
	if (likely(!__xfer_to_guest_mode_work_pending()))
		return 0;
	return xfer_to_guest_mode_handle_work(&nobody);
}
