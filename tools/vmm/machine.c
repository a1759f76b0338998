// SPDX-License-Identifier: GPL-2.0
#include "machine.h"

#include "boot/boot.h"
#include "state/control.h"

#include <errno.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

void machine_wake_loop(struct machine *m)
{
	uint64_t one = 1;

	/* Only fails when the counter is full, and then the loop is awake. */
	if (write(m->wake_fd, &one, sizeof(one)) < 0)
		return;
}

void machine_end(struct machine *m, enum machine_end end, unsigned int value, char *report,
		 const char *fmt, ...)
{
	va_list ap;

	pthread_mutex_lock(&m->end_lock);
	if (m->end == END_NONE) {
		m->end = end;
		m->end_value = value;
		m->report = report;
		report = NULL;
		va_start(ap, fmt);
		vsnprintf(m->end_text, sizeof(m->end_text), fmt, ap);
		va_end(ap);
		__atomic_store_n(&m->stopping, true, __ATOMIC_RELEASE);
	}
	pthread_mutex_unlock(&m->end_lock);
	free(report);
	/* Whoever waits for vCPUs to park, or is parked, looks again. */
	pthread_mutex_lock(&m->park_lock);
	pthread_cond_broadcast(&m->park_cond);
	pthread_mutex_unlock(&m->park_lock);
	machine_wake_loop(m);
}

void machine_set_irq(struct machine *m, unsigned int gsi, bool level)
{
	struct nvl_error err;

	if (m->split) {
		chips_set_irq(&m->chips, gsi, level);
		return;
	}
	if (nvl_vm_irq_line(m->vm, gsi, level, &err) < 0)
		machine_end(m, END_HOST_ERROR, 0, NULL, "%s", err.text);
}

/* Static memory counts against the limit on locked memory: use what we are allowed. */
static void raise_memlock(void)
{
	struct rlimit rl;

	if (getrlimit(RLIMIT_MEMLOCK, &rl) == 0 && rl.rlim_cur < rl.rlim_max) {
		rl.rlim_cur = rl.rlim_max;
		setrlimit(RLIMIT_MEMLOCK, &rl);
	}
}

static int create_vm(struct machine *m, struct nvl_error *err)
{
	const struct machine_config *conf = m->conf;
	uint64_t identity = IDENTITY_MAP;
	int ret;

	ret = nvl_device_open(conf->device, &m->dev, err);
	if (ret < 0)
		return ret;
	ret = nvl_vm_create(m->dev, &m->vm, err);
	if (ret < 0)
		return ret;
	/* So that a pending exception and a triple fault are part of a vCPU's state. */
	if (nvl_vm_cap(m->vm, KVM_CAP_EXCEPTION_PAYLOAD) > 0)
		nvl_vm_enable_cap(m->vm, KVM_CAP_EXCEPTION_PAYLOAD, 1, NULL);
	if (nvl_vm_cap(m->vm, KVM_CAP_X86_TRIPLE_FAULT_EVENT) > 0)
		nvl_vm_enable_cap(m->vm, KVM_CAP_X86_TRIPLE_FAULT_EVENT, 1, NULL);

	/* Elsewhere all memory is dynamic. */
	if (nvl_device_is_nestvm(m->dev)) {
		raise_memlock();
		ret = nvl_vm_memory_mode(m->vm, conf->dynamic_memory ? NESTVM_MEMORY_DYNAMIC :
					 NESTVM_MEMORY_STATIC, err);
		if (ret < 0)
			return ret;
	}
	/* Off as well: the module's default may be on, and the user did not ask for it. */
	if (nvl_device_is_nestvm(m->dev)) {
		ret = nvl_vm_expose(m->vm, conf->expose, err);
		if (ret < 0)
			return ret;
	}

	if (nvl_vm_cap(m->vm, KVM_CAP_SET_IDENTITY_MAP_ADDR)) {
		ret = nvl_vm_ioctl(m->vm, KVM_SET_IDENTITY_MAP_ADDR, &identity,
				   "the identity map cannot be placed", err);
		if (ret < 0)
			return ret;
	}
	if (nvl_vm_cap(m->vm, KVM_CAP_SET_TSS_ADDR)) {
		ret = nvl_vm_ioctl(m->vm, KVM_SET_TSS_ADDR, (void *)TSS_PAGES,
				   "the task-state segment cannot be placed", err);
		if (ret < 0)
			return ret;
	}
	return 0;
}

static int create_split_chips(struct machine *m, struct nvl_error *err)
{
	int ret;

	if (!nvl_vm_cap(m->vm, KVM_CAP_SPLIT_IRQCHIP))
		return nvl_fail(err, EOPNOTSUPP, "%s does not know the split irqchip.",
				nvl_device_path(m->dev));
	ret = nvl_vm_split_irqchip(m->vm, IOAPIC_NR_PINS, err);
	if (ret < 0)
		return ret;
	ret = chips_init(&m->chips, m, err);
	if (ret < 0)
		return ret;
	m->split = true;
	chips_add(&m->chips, &m->ports, &m->mmio);
	return 0;
}

/* All in the kernel where the device offers that, for the fewest exits. */
static int create_chips(struct machine *m, struct nvl_error *err)
{
	bool full = nvl_vm_cap(m->vm, KVM_CAP_IRQCHIP) && nvl_vm_cap(m->vm, KVM_CAP_PIT2);
	int ret;

	m->irqfd = nvl_vm_cap(m->vm, KVM_CAP_IRQFD);
	m->ioeventfd = nvl_vm_cap(m->vm, KVM_CAP_IOEVENTFD);
	if (m->conf->irqchip == IRQCHIP_SPLIT || (m->conf->irqchip == IRQCHIP_AUTO && !full))
		return create_split_chips(m, err);
	if (!full)
		return nvl_fail(err, EOPNOTSUPP,
				"%s has no PIC, IOAPIC and PIT of its own: use --irqchip split.",
				nvl_device_path(m->dev));
	ret = nvl_vm_create_irqchip(m->vm, err);
	if (ret < 0)
		return ret;
	return nvl_vm_create_pit(m->vm, err);
}

static int create_memory(struct machine *m, struct nvl_error *err)
{
	int ret;

	m->ram_low = m->conf->memory < RAM_LOW_MAX ? m->conf->memory : RAM_LOW_MAX;
	m->ram_high = m->conf->memory - m->ram_low;
	ret = nvl_vm_add_memory(m->vm, 0, m->ram_low, 0, err);
	if (ret == 0 && m->ram_high)
		ret = nvl_vm_add_memory(m->vm, RAM_HIGH_BASE, m->ram_high, 0, err);
	return ret;
}

static void create_devices(struct machine *m)
{
	serial_init(&m->serial, m, &m->console);
	rtc_init(&m->rtc, m->ram_low, m->ram_high);
	pm_init(&m->pm, m);
	m->i8042.m = m;
	m->debug_exit.m = m;
	m->console.sink = (struct console_sink) { serial_rx_room, serial_rx_put, &m->serial };

	bus_add(&m->ports, 0x64, 1, &i8042_bus_ops, &m->i8042, "i8042");
	bus_add(&m->ports, 0x70, 2, &rtc_bus_ops, &m->rtc, "rtc");
	bus_add(&m->ports, DEBUG_EXIT_PORT, 4, &debug_exit_bus_ops, &m->debug_exit, "debug-exit");
	bus_add(&m->ports, COM1_PORT, 8, &serial_bus_ops, &m->serial, "com1");
	bus_add(&m->ports, PM1_EVT_PORT, PM_PORTS, &pm_bus_ops, &m->pm, "pm");
	bus_add(&m->ports, PM_RESET_PORT, 1, &pm_reset_bus_ops, &m->pm, "reset");
}

static int add_virtio(struct machine *m, const struct virtio_dev_ops *ops, void *dev,
		      uint64_t features, const void *config, size_t config_len,
		      struct nvl_error *err)
{
	struct virtio_mmio *v = &m->virtio[m->nvirtio];
	int ret;

	ret = virtio_mmio_init(v, m, m->nvirtio, ops, dev, features, config, config_len, err);
	if (ret < 0)
		return ret;
	m->nvirtio++;
	bus_add(&m->mmio, v->base, VIRTIO_STRIDE, &virtio_mmio_bus_ops, v, "virtio");
	return virtio_mmio_start(v, err);
}

static int create_virtio(struct machine *m, struct nvl_error *err)
{
	unsigned int i;
	int ret;

	for (i = 0; i < m->conf->ndisks; i++) {
		struct virtio_blk *b = &m->disks[i];

		ret = virtio_blk_open(b, m->conf->disks[i].path, m->conf->disks[i].readonly, i,
				      err);
		if (ret < 0)
			return ret;
		m->ndisks++;
		if (!m->conf->disks_later || m->resets)
			ret = virtio_blk_lock(b, m->conf->disks[i].path, err);
		if (ret < 0)
			return ret;
		ret = add_virtio(m, &virtio_blk_ops, b, virtio_blk_features(b), &b->config,
				 sizeof(b->config), err);
		if (ret < 0)
			return ret;
	}
	for (i = 0; i < m->conf->nnets; i++) {
		struct virtio_net *n = &m->nets[i];

		ret = virtio_net_open(n, &m->virtio[m->nvirtio], &m->conf->nets[i], err);
		if (ret < 0)
			return ret;
		m->nnets++;
		ret = add_virtio(m, &virtio_net_ops, n, virtio_net_features(), &n->config,
				 sizeof(n->config), err);
		if (ret < 0)
			return ret;
	}
	/* Pinned pages cannot be given back. */
	if (m->conf->dynamic_memory) {
		uint64_t startup = m->conf->memory_startup;

		virtio_balloon_init(&m->balloon, &m->virtio[m->nvirtio],
				    startup ? m->conf->memory - startup : 0);
		ret = add_virtio(m, &virtio_balloon_ops, &m->balloon, virtio_balloon_features(),
				 &m->balloon.config, sizeof(m->balloon.config), err);
		if (ret < 0)
			return ret;
		m->has_balloon = true;
	}
	if (m->conf->console == CONSOLE_VIRTIO) {
		m->vcon.console = &m->console;
		m->vcon.v = &m->virtio[m->nvirtio];
		ret = add_virtio(m, &virtio_console_ops, &m->vcon, 0, NULL, 0, err);
		if (ret < 0)
			return ret;
		m->console.sink = (struct console_sink) {
			virtio_console_rx_room, virtio_console_rx_put, &m->vcon,
		};
	}
	return 0;
}

/* The guest comes from elsewhere, and its memory and registers with it. */
static bool arrives(const struct machine *m)
{
	return m->conf->arrives && !m->resets;
}

static int prepare_cpus(struct machine *m, struct nvl_error *err)
{
	struct boot_cpu first;
	unsigned int i;
	int ret;

	ret = cpus_create(m, err);
	if (ret < 0)
		return ret;
	for (i = 0; i < m->ncpus; i++) {
		ret = cpu_init_msrs(m->cpus[i].vcpu, err);
		if (ret == 0)
			ret = vtx_restrict(m->cpus[i].vcpu, m->conf->vtx_withhold, err);
		if (ret < 0)
			return ret;
	}
	if (arrives(m))
		return 0;
	ret = boot_load(m, &first, err);
	if (ret < 0)
		return ret;
	return cpu_init_first(m, m->cpus[0].vcpu, &first, err);
}

/* Signals go to the loop's signalfd and to nobody else; set before any thread. */
static void block_signals(void)
{
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGINT);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGHUP);
	pthread_sigmask(SIG_BLOCK, &set, NULL);
	signal(SIGPIPE, SIG_IGN);
}

/* What lives as long as the program: loop, sockets, locks. */
static int create_host(struct machine *m, struct nvl_error *err)
{
	int ret;

	pthread_mutex_init(&m->end_lock, NULL);
	pthread_mutex_init(&m->pause_lock, NULL);
	pthread_mutex_init(&m->park_lock, NULL);
	pthread_cond_init(&m->park_cond, NULL);
	block_signals();
	loop_init(&m->loop);
	m->wake_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (m->wake_fd < 0)
		return nvl_fail(err, errno, "no eventfd for the main loop: %s.", strerror(errno));
	ret = console_init(&m->console, m, m->conf->console_path, err);
	if (ret < 0)
		return ret;
	ret = control_init(&m->control, &m->loop, m, err);
	if (ret < 0)
		return ret;
	ret = control_add(&m->control, machine_commands, err);
	if (ret == 0)
		ret = control_add(&m->control, state_commands, err);
	if (ret < 0 || !m->conf->control_path)
		return ret;
	return control_listen(&m->control, m->conf->control_path, err);
}

/* What a reset makes anew. */
static int create_guest(struct machine *m, struct nvl_error *err)
{
	int ret;

	ret = create_vm(m, err);
	if (ret < 0)
		return ret;
	ret = create_chips(m, err);
	if (ret < 0)
		return ret;
	ret = create_memory(m, err);
	if (ret < 0)
		return ret;
	create_devices(m);
	ret = create_virtio(m, err);
	if (ret < 0)
		return ret;
	if (!arrives(m))
		ret = acpi_build(m, err);
	if (ret < 0)
		return ret;
	return prepare_cpus(m, err);
}

static void destroy_guest(struct machine *m)
{
	unsigned int i;

	/* Nobody types into a device that is gone. */
	m->console.sink = (struct console_sink) { 0 };
	for (i = 0; i < m->nvirtio; i++)
		virtio_mmio_stop(&m->virtio[i]);
	for (i = 0; i < m->ndisks; i++)
		virtio_blk_close(&m->disks[i]);
	for (i = 0; i < m->nnets; i++)
		virtio_net_close(&m->nets[i]);
	cpus_destroy(m);
	if (m->split)
		chips_destroy(&m->chips);
	nvl_vm_destroy(m->vm);
	nvl_device_close(m->dev);
	memset((char *)m + offsetof(struct machine, dev), 0,
	       sizeof(*m) - offsetof(struct machine, dev));
}

int machine_create(struct machine *m, const struct machine_config *conf, struct nvl_error *err)
{
	int ret;

	memset(m, 0, sizeof(*m));
	m->wake_fd = -1;
	m->conf = conf;
	ret = create_host(m, err);
	if (ret < 0)
		return ret;
	return create_guest(m, err);
}

/* The guest asked for a reset, or the operator: the same machine from the start. */
static int restart(struct machine *m, struct nvl_error *err)
{
	destroy_guest(m);
	pthread_mutex_lock(&m->end_lock);
	m->end = END_NONE;
	m->stopping = false;
	pthread_mutex_unlock(&m->end_lock);
	m->resets++;
	return create_guest(m, err);
}

static uint64_t now_ns(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec * 1000000000ull + ts.tv_nsec;
}

/* A network of the host's, where others knew it at its old place; not a network of its own. */
static void announce(struct machine *m)
{
	unsigned int i;

	for (i = 0; i < m->nnets; i++)
		if (m->conf->nets[i].kind == NET_TAP || m->conf->nets[i].kind == NET_SWITCH)
			virtio_net_announce(&m->nets[i]);
}

/*
 * The guest's first step comes after somebody has been told: should this process end
 * before that, they may go on with the guest themselves, for it has done nothing here.
 */
static int start_announced(struct machine *m, struct nvl_error *err)
{
	int ret;

	ret = machine_pause(m, err);
	if (ret < 0)
		return ret;
	ret = cpus_start(m, err);
	if (ret == 0)
		m->conf->started(m->conf->started_ctx);
	machine_unpause(m);
	return ret;
}

/* One life of the guest, from its first instruction to machine_end(). */
static int run_guest(struct machine *m, struct nvl_error *err)
{
	int ret;

	m->started_ns = now_ns();
	ret = m->conf->started && !m->resets ? start_announced(m, err) : cpus_start(m, err);
	if (ret == 0 && m->conf->arrives && !m->resets)
		announce(m);
	if (ret == 0)
		ret = machine_serve(m, err);
	if (ret < 0)
		machine_end(m, END_HOST_ERROR, 0, NULL, "%s", err->text);
	control_finish_work(&m->control);
	cpus_stop(m);
	return ret;
}

enum machine_end machine_run(struct machine *m, struct nvl_error *err)
{
	int ret = 0;

	if (m->conf->start_paused && !m->operator_paused && machine_pause(m, err) == 0)
		m->operator_paused = true;
	if (console_start(&m->console, err) < 0)
		machine_end(m, END_HOST_ERROR, 0, NULL, "%s", err->text);
	while (m->end == END_NONE) {
		ret = run_guest(m, err);
		if (ret < 0 || m->end != END_RESET || !m->conf->restart_on_reset)
			break;
		if (restart(m, err) < 0)
			machine_end(m, END_HOST_ERROR, 0, NULL, "%s", err->text);
	}
	console_stop(&m->console);
	control_end(&m->control, machine_end_json(m));
	return m->end;
}

void machine_destroy(struct machine *m)
{
	destroy_guest(m);
	control_destroy(&m->control);
	console_destroy(&m->console);
	loop_destroy(&m->loop);
	free(m->report);
	if (m->wake_fd >= 0)
		close(m->wake_fd);
}
