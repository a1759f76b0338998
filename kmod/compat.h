/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Differences between the kernels that nestvm builds for, and nowhere else. The
 * names below are those of the newest one, or ours where it has none that fits.
 */
#ifndef NV_COMPAT_H
#define NV_COMPAT_H

#include <linux/eventfd.h>
#include <linux/syscore_ops.h>
#include <linux/version.h>

/*
 * 6.7, and stable kernels since: who uses VMX says how it is left when the host
 * crashes. Kernels before do it by themselves wherever CR4.VMXE is set.
 */
#ifdef NV_HAVE_EMERGENCY
#include <asm/reboot.h>
#define nv_register_emergency(fn)	cpu_emergency_register_virt_callback(fn)
#define nv_unregister_emergency(fn)	cpu_emergency_unregister_virt_callback(fn)
#else
#define nv_register_emergency(fn)	((void)(fn))
#define nv_unregister_emergency(fn)	((void)(fn))
#endif

/* 6.4: smp_send_reschedule() is a macro that needs a tracepoint of the kernel's. */
#if LINUX_VERSION_CODE >= KERNEL_VERSION(6, 4, 0) && !defined(CREATE_TRACE_POINTS)
#include <trace/events/ipi.h>
#endif

/* 6.8: an eventfd is always signalled once. */
#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 8, 0)
#define eventfd_signal(ctx)		eventfd_signal(ctx, 1)
#endif

/* 6.10: a tracepoint's string remembers where it comes from. */
#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 10, 0)
#define nv_assign_str(field, value)	__assign_str(field, value)
#else
#define nv_assign_str(field, value)	__assign_str(field)
#endif

/* 6.11: the name of kvm_run's member warns that user space writes to it meanwhile. */
#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 11, 0)
#define nv_immediate_exit(run)		READ_ONCE((run)->immediate_exit)
#else
#define nv_immediate_exit(run)		READ_ONCE((run)->immediate_exit__unsafe)
#endif

/*
 * 6.19, and stable kernels since: what is called at suspend and resume stands in a
 * constant and takes a pointer. No version tells; Kbuild looks into the header.
 */
#ifdef NV_HAVE_SYSCORE
#define NV_SYSCORE(name, on_suspend, on_resume)					\
static int name##_suspend(void *unused)						\
{										\
	return on_suspend();							\
}										\
static void name##_resume(void *unused)						\
{										\
	on_resume();								\
}										\
static const struct syscore_ops name##_ops = {					\
	.suspend = name##_suspend,						\
	.resume = name##_resume,						\
};										\
static struct syscore name = { .ops = &name##_ops }
#else
#define NV_SYSCORE(name, on_suspend, on_resume)					\
static struct syscore_ops name = { .suspend = on_suspend, .resume = on_resume }
#define register_syscore(s)		register_syscore_ops(s)
#define unregister_syscore(s)		unregister_syscore_ops(s)
#endif

#endif
