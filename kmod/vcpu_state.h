/* SPDX-License-Identifier: GPL-2.0 */
/*
 * State of a vCPU that is neither register nor MSR, for save and restore: events,
 * MP state, debug registers, machine check, TSC. Handlers of ioctls, see ioctl.h. vCPU loaded.
 */
#ifndef NESTVM_VCPU_STATE_H
#define NESTVM_VCPU_STATE_H

struct nv_ioctl_arg;

long vcpu_get_events(void *obj, struct nv_ioctl_arg *arg);
long vcpu_set_events(void *obj, struct nv_ioctl_arg *arg);
long vcpu_get_mp_state(void *obj, struct nv_ioctl_arg *arg);
long vcpu_set_mp_state(void *obj, struct nv_ioctl_arg *arg);
long vcpu_get_debugregs(void *obj, struct nv_ioctl_arg *arg);
long vcpu_set_debugregs(void *obj, struct nv_ioctl_arg *arg);
long vcpu_setup_mce(void *obj, struct nv_ioctl_arg *arg);
long vcpu_set_mce(void *obj, struct nv_ioctl_arg *arg);
long vcpu_get_tsc_khz(void *obj, struct nv_ioctl_arg *arg);
long vcpu_set_tsc_khz(void *obj, struct nv_ioctl_arg *arg);
long vcpu_has_attr(void *obj, struct nv_ioctl_arg *arg);
long vcpu_get_attr(void *obj, struct nv_ioctl_arg *arg);
long vcpu_set_attr(void *obj, struct nv_ioctl_arg *arg);

#endif
