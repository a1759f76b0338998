// SPDX-License-Identifier: GPL-2.0
#include "machine.h"

bool machine_is_paused(struct machine *m)
{
	return __atomic_load_n(&m->pauses, __ATOMIC_SEQ_CST);
}

/* Both locks: a vCPU that is about to wait for it to become 0 must not miss it. */
static void set_pauses(struct machine *m, unsigned int n)
{
	pthread_mutex_lock(&m->park_lock);
	__atomic_store_n(&m->pauses, n, __ATOMIC_SEQ_CST);
	pthread_mutex_unlock(&m->park_lock);
}

/*
 * Lets a Linux guest's watchdogs know that it was not its fault. Not every
 * guest has the clock, and then the device refuses, which is right too.
 */
static void tell_guest_clocks(struct machine *m)
{
	unsigned int i;

	if (!nvl_vm_cap(m->vm, KVM_CAP_KVMCLOCK_CTRL))
		return;
	for (i = 0; i < m->ncpus; i++)
		nvl_vcpu_ioctl(m->cpus[i].vcpu, KVM_KVMCLOCK_CTRL, NULL, "", NULL);
}

static void hold_devices(struct machine *m)
{
	unsigned int i;

	for (i = 0; i < m->nvirtio; i++)
		virtio_mmio_pause(&m->virtio[i]);
	if (m->split)
		chips_pause(&m->chips);
}

static void release_devices(struct machine *m)
{
	unsigned int i;

	if (m->split)
		chips_unpause(&m->chips);
	for (i = 0; i < m->nvirtio; i++)
		virtio_mmio_unpause(&m->virtio[i]);
}

int machine_pause(struct machine *m, struct nvl_error *err)
{
	int ret = 0;

	pthread_mutex_lock(&m->pause_lock);
	set_pauses(m, m->pauses + 1);
	if (m->pauses == 1) {
		/* vCPUs first: they are who gives the devices work. */
		ret = cpus_park(m, err);
		if (ret == 0)
			hold_devices(m);
		else
			set_pauses(m, 0);
	}
	pthread_mutex_unlock(&m->pause_lock);
	return ret;
}

void machine_unpause(struct machine *m)
{
	pthread_mutex_lock(&m->pause_lock);
	if (m->pauses == 1) {
		tell_guest_clocks(m);
		release_devices(m);
	}
	set_pauses(m, m->pauses - 1);
	cpus_unpark(m);
	pthread_mutex_unlock(&m->pause_lock);
	/* Input that had to wait. */
	machine_wake_loop(m);
}
