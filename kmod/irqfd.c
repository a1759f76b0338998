// SPDX-License-Identifier: GPL-2.0
/*
 * irqfd: an eventfd of user space stands for an interrupt. The wait-queue entry of
 * the eventfd calls us in whatever context it is signalled in, with its lock held,
 * and the interrupt is delivered right there.
 *
 * Life: an irqfd is on irqchip->irqfds while it is alive. Whoever takes it off the
 * list under irqfd_lock (KVM_IRQFD with deassign, the end of the VM, or the last
 * close of the eventfd, which comes with the wait queue's lock held) hands it to
 * the workqueue once; only the work frees it, after the wait-queue entry is out.
 */
#include <linux/eventfd.h>
#include <linux/file.h>
#include <linux/kvm.h>
#include <linux/poll.h>
#include <linux/rculist.h>
#include <linux/slab.h>
#include <linux/wait.h>
#include <linux/workqueue.h>
#include "compat.h"
#include "irqchip.h"

struct nv_irqfd {
	struct nv_vm *vm;
	struct eventfd_ctx *eventfd;
	struct eventfd_ctx *resamplefd;	/* NULL: an edge */
	u32 gsi;
	struct list_head link;		/* irqchip->irqfds */
	struct list_head resample_link;	/* irqchip->resamplers */
	wait_queue_entry_t wait;
	poll_table pt;
	struct work_struct shutdown;
};

static void irqfd_inject(struct nv_irqfd *irqfd)
{
	if (irqfd->resamplefd)
		irq_drive(irqfd->vm, IRQ_SOURCE_RESAMPLE, irqfd->gsi, true);
	else
		irq_pulse(irqfd->vm, IRQ_SOURCE_USER, irqfd->gsi);
}

/* Under irqfd_lock. */
static void irqfd_retire(struct nv_irqfd *irqfd)
{
	list_del_init(&irqfd->link);
	queue_work(irqfd->vm->irqchip->irqfd_wq, &irqfd->shutdown);
}

static int irqfd_wake(wait_queue_entry_t *wait, unsigned int mode, int sync, void *key)
{
	struct nv_irqfd *irqfd = container_of(wait, struct nv_irqfd, wait);
	struct nv_irqchip *chip = irqfd->vm->irqchip;
	__poll_t events = key_to_poll(key);
	unsigned long flags;
	int taken = 0;
	u64 count;

	if (events & EPOLLIN) {
		eventfd_ctx_do_read(irqfd->eventfd, &count);
		irqfd_inject(irqfd);
		taken = 1;
	}
	if (events & EPOLLHUP) {
		spin_lock_irqsave(&chip->irqfd_lock, flags);
		if (!list_empty(&irqfd->link))
			irqfd_retire(irqfd);
		spin_unlock_irqrestore(&chip->irqfd_lock, flags);
	}
	return taken;
}

static void irqfd_queue_proc(struct file *file, wait_queue_head_t *wqh, poll_table *pt)
{
	struct nv_irqfd *irqfd = container_of(pt, struct nv_irqfd, pt);

	add_wait_queue_priority(wqh, &irqfd->wait);
}

/*
 * The last resampler of a GSI takes its hand off the line; under the lock, so that
 * one which comes meanwhile raises it after that.
 */
static void irqfd_stop_resampling(struct nv_irqfd *irqfd)
{
	struct nv_irqchip *chip = irqfd->vm->irqchip;
	struct nv_irqfd *other;
	unsigned long flags;
	bool last = true;

	spin_lock_irqsave(&chip->irqfd_lock, flags);
	list_del_rcu(&irqfd->resample_link);
	list_for_each_entry(other, &chip->resamplers, resample_link)
		if (other->gsi == irqfd->gsi)
			last = false;
	if (last)
		irq_drive(irqfd->vm, IRQ_SOURCE_RESAMPLE, irqfd->gsi, false);
	spin_unlock_irqrestore(&chip->irqfd_lock, flags);
	synchronize_rcu();
}

static void irqfd_shutdown(struct work_struct *work)
{
	struct nv_irqfd *irqfd = container_of(work, struct nv_irqfd, shutdown);
	u64 count;

	/* After this nothing wakes it any more. */
	eventfd_ctx_remove_wait_queue(irqfd->eventfd, &irqfd->wait, &count);
	if (irqfd->resamplefd) {
		irqfd_stop_resampling(irqfd);
		eventfd_ctx_put(irqfd->resamplefd);
	}
	eventfd_ctx_put(irqfd->eventfd);
	kfree(irqfd);
}

void irqfd_ended(struct nv_vm *vm, u32 gsi)
{
	struct nv_irqchip *chip = vm->irqchip;
	struct nv_irqfd *irqfd;
	bool lowered = false;

	if (list_empty(&chip->resamplers))
		return;
	rcu_read_lock();
	list_for_each_entry_rcu(irqfd, &chip->resamplers, resample_link) {
		if (irqfd->gsi != gsi)
			continue;
		if (!lowered)
			irq_drive(vm, IRQ_SOURCE_RESAMPLE, gsi, false);
		lowered = true;
		/* Its owner looks, and signals again if the device still asks. */
		eventfd_signal(irqfd->resamplefd);
	}
	rcu_read_unlock();
}

static int irqfd_list_add(struct nv_irqchip *chip, struct nv_irqfd *irqfd)
{
	struct nv_irqfd *other;
	int ret = 0;

	spin_lock_irq(&chip->irqfd_lock);
	list_for_each_entry(other, &chip->irqfds, link)
		if (other->eventfd == irqfd->eventfd)
			ret = -EBUSY;
	if (!ret) {
		list_add_tail(&irqfd->link, &chip->irqfds);
		if (irqfd->resamplefd)
			list_add_tail_rcu(&irqfd->resample_link, &chip->resamplers);
	}
	spin_unlock_irq(&chip->irqfd_lock);
	return ret;
}

static int irqfd_assign(struct nv_vm *vm, const struct kvm_irqfd *args)
{
	struct nv_irqchip *chip = vm->irqchip;
	bool resample = args->flags & KVM_IRQFD_FLAG_RESAMPLE;
	struct nv_irqfd *irqfd;
	struct file *file;
	int ret;

	/* Without an IOAPIC or PIC here, nobody here learns of an EOI. */
	if (resample ? !irq_has_chips(vm) : !irq_has_lapic(vm))
		return -EINVAL;
	if (!chip->irqfd_wq) {
		chip->irqfd_wq = alloc_workqueue("nestvm-irqfd", 0, 0);
		if (!chip->irqfd_wq)
			return -ENOMEM;
	}
	irqfd = kzalloc(sizeof(*irqfd), GFP_KERNEL_ACCOUNT);
	if (!irqfd)
		return -ENOMEM;
	irqfd->vm = vm;
	irqfd->gsi = args->gsi;
	INIT_LIST_HEAD(&irqfd->link);
	INIT_LIST_HEAD(&irqfd->resample_link);
	INIT_WORK(&irqfd->shutdown, irqfd_shutdown);
	init_waitqueue_func_entry(&irqfd->wait, irqfd_wake);
	init_poll_funcptr(&irqfd->pt, irqfd_queue_proc);

	/* Held to the end: while it is, the eventfd cannot hang up. */
	file = eventfd_fget(args->fd);
	if (IS_ERR(file)) {
		ret = PTR_ERR(file);
		goto free_irqfd;
	}
	irqfd->eventfd = eventfd_ctx_fileget(file);
	if (IS_ERR(irqfd->eventfd)) {
		ret = PTR_ERR(irqfd->eventfd);
		goto put_file;
	}
	if (resample) {
		irqfd->resamplefd = eventfd_ctx_fdget(args->resamplefd);
		if (IS_ERR(irqfd->resamplefd)) {
			ret = PTR_ERR(irqfd->resamplefd);
			goto put_eventfd;
		}
	}
	ret = irqfd_list_add(chip, irqfd);
	if (ret)
		goto put_resamplefd;

	/* From here on it is called; what was signalled before counts too. */
	if (vfs_poll(file, &irqfd->pt) & EPOLLIN)
		irqfd_inject(irqfd);
	fput(file);
	return 0;

put_resamplefd:
	if (irqfd->resamplefd)
		eventfd_ctx_put(irqfd->resamplefd);
put_eventfd:
	eventfd_ctx_put(irqfd->eventfd);
put_file:
	fput(file);
free_irqfd:
	kfree(irqfd);
	return ret;
}

/* Retire those of @eventfd and @gsi (or all, if @eventfd is NULL), and wait until they are gone. */
static void irqfd_retire_matching(struct nv_irqchip *chip, struct eventfd_ctx *eventfd, u32 gsi)
{
	struct nv_irqfd *irqfd, *next;

	spin_lock_irq(&chip->irqfd_lock);
	list_for_each_entry_safe(irqfd, next, &chip->irqfds, link)
		if (!eventfd || (irqfd->eventfd == eventfd && irqfd->gsi == gsi))
			irqfd_retire(irqfd);
	spin_unlock_irq(&chip->irqfd_lock);
	/* Also those which an eventfd's close retired. */
	if (chip->irqfd_wq)
		flush_workqueue(chip->irqfd_wq);
}

/* As in KVM, to take away what is not there is no error. */
static int irqfd_deassign(struct nv_vm *vm, const struct kvm_irqfd *args)
{
	struct eventfd_ctx *eventfd = eventfd_ctx_fdget(args->fd);

	if (IS_ERR(eventfd))
		return PTR_ERR(eventfd);
	irqfd_retire_matching(vm->irqchip, eventfd, args->gsi);
	eventfd_ctx_put(eventfd);
	return 0;
}

int irqfd_ioctl(struct nv_vm *vm, const struct kvm_irqfd *args)
{
	if (args->flags & ~(KVM_IRQFD_FLAG_DEASSIGN | KVM_IRQFD_FLAG_RESAMPLE))
		return -EINVAL;
	if (args->gsi >= IRQ_MAX_ROUTES)
		return -EINVAL;
	if (args->flags & KVM_IRQFD_FLAG_DEASSIGN)
		return irqfd_deassign(vm, args);
	return irqfd_assign(vm, args);
}

void irqfd_destroy_all(struct nv_vm *vm)
{
	struct nv_irqchip *chip = vm->irqchip;

	irqfd_retire_matching(chip, NULL, 0);
	if (chip->irqfd_wq)
		destroy_workqueue(chip->irqfd_wq);
	chip->irqfd_wq = NULL;
}
