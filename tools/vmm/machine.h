/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The virtual PC: what it is made of, where it lies, and how its run ends.
 *
 * Guest-physical memory
 *
 *   0000_0000  RAM (0-9FBFFH usable; see boot/layout.h for what boot puts there)
 *   000E_0000  ACPI tables
 *   0010_0000  RAM, up to the memory size or 3.25 GB
 *   D000_0000  virtio-mmio devices, 4 KB each
 *   FEC0_0000  IOAPIC
 *   FEE0_0000  local APICs
 *   FFFB_C000  pages KVM on Intel needs for itself (identity map, TSS)
 * 1_0000_0000  the rest of the RAM
 */
#ifndef VMM_MACHINE_H
#define VMM_MACHINE_H

#include "../lib/libnestvm.h"
#include "bus.h"
#include "console.h"
#include "control.h"
#include "dev/chips.h"
#include "dev/debug_exit.h"
#include "dev/i8042.h"
#include "dev/pm.h"
#include "dev/rtc.h"
#include "dev/serial.h"
#include "loop.h"
#include "virtio/balloon.h"
#include "virtio/blk.h"
#include "virtio/console.h"
#include "virtio/mmio.h"
#include "virtio/net.h"

#include <pthread.h>

#define RAM_LOW_MAX	0xd0000000ull
#define RAM_HIGH_BASE	0x100000000ull
#define VIRTIO_BASE	0xd0000000ull
#define VIRTIO_STRIDE	0x1000ull
#define VIRTIO_MAX	16
#define DISKS_MAX	7
#define NETS_MAX	7
#define IOAPIC_BASE	0xfec00000u
#define LAPIC_BASE	0xfee00000u
#define IDENTITY_MAP	0xfffbc000ull
#define TSS_PAGES	0xfffbd000ull
#define MAX_VCPUS	64

#define COM1_PORT	0x3f8
#define COM1_GSI	4
#define SCI_GSI		9

enum irqchip_kind { IRQCHIP_AUTO, IRQCHIP_KERNEL, IRQCHIP_SPLIT };
enum console_kind { CONSOLE_SERIAL, CONSOLE_VIRTIO };

struct disk_config {
	const char *path;
	bool readonly;
};

struct machine_config {
	const char *name;		/* for the status; NULL: none */
	const char *control_path;	/* sockets; NULL: none, */
	const char *console_path;	/* and the console is on the terminal */
	bool start_paused;
	bool disks_later;		/* are locked by whoever loads them */
	bool arrives;			/* does not boot: memory and registers are loaded */
	void (*started)(void *ctx);	/* NULL, or told when the vCPUs are about to run */
	void *started_ctx;
	bool restart_on_reset;		/* a reset starts the guest again, here */
	const char *device;
	const char *kernel;
	const char *initrd;
	const char *append;
	uint64_t memory;		/* bytes; with dynamic memory the most it can have, */
	uint64_t memory_startup;	/* what it starts with and */
	uint64_t memory_min;		/* the least; 0: as much as the most, and 0 */
	unsigned int vcpus;
	bool expose;
	uint64_t vtx_withhold;		/* 1 << VTX_* of conf/vtx.h: not offered, though there */
	bool dynamic_memory;
	bool flat;			/* the kernel is a boot sector */
	bool stats;
	enum irqchip_kind irqchip;
	enum console_kind console;
	unsigned int timeout;		/* seconds, 0: none */
	unsigned int ndisks;
	struct disk_config disks[DISKS_MAX];
	unsigned int nnets;
	struct net_config nets[NETS_MAX];
};

/* How a run ended; the exit status of the program follows from it. */
enum machine_end {
	END_NONE,
	END_POWEROFF,
	END_RESET,
	END_DIED,
	END_DEBUG_EXIT,
	END_TIMEOUT,
	END_STOPPED,
	END_HOST_ERROR,
	END_SAVED,			/* to a file, from which it goes on */
	END_MIGRATED,			/* it goes on somewhere else */
};

struct cpu {
	struct machine *m;
	struct nvl_vcpu *vcpu;
	pthread_t thread;
	bool started;
	bool exit_open;			/* KVM_RUN is to be called to finish an exit */
	uint64_t exits[48];		/* by KVM_EXIT_* */
	uint64_t unclaimed;		/* accesses that no device answered */
};

struct machine {
	const struct machine_config *conf;
	struct loop loop;
	struct console console;
	struct control control;
	int wake_fd;
	uint64_t started_ns;		/* CLOCK_MONOTONIC, of this start of the guest */
	unsigned int resets;

	/* The first to call machine_end() decides; the loop is woken. */
	pthread_mutex_t end_lock;
	enum machine_end end;
	unsigned int end_value;
	char end_text[256];
	char *report;			/* of a guest that died */
	bool stopping;

	/* pause.c; pauses is changed under both locks and read without */
	pthread_mutex_t pause_lock;	/* serializes pausing and going on */
	pthread_mutex_t park_lock;	/* leaf: nparked */
	pthread_cond_t park_cond;
	unsigned int pauses;		/* machine_pause() without machine_unpause() */
	unsigned int nparked;
	bool operator_paused;		/* one of the pauses is the operator's; the loop's */

	/* From here on everything is the guest's, and a reset makes it anew. */
	struct nvl_device *dev;
	struct nvl_vm *vm;
	uint64_t ram_low;		/* bytes of RAM below RAM_LOW_MAX */
	uint64_t ram_high;		/* bytes of RAM above RAM_HIGH_BASE */
	bool split;			/* PIC, IOAPIC and PIT are in chips */
	bool irqfd;
	bool ioeventfd;

	struct bus ports;
	struct bus mmio;

	struct chips chips;
	struct serial serial;
	struct rtc rtc;
	struct i8042 i8042;
	struct pm pm;
	struct debug_exit debug_exit;
	unsigned int nvirtio, ndisks, nnets;
	struct virtio_mmio virtio[VIRTIO_MAX];
	struct virtio_blk disks[DISKS_MAX];
	struct virtio_console vcon;
	struct virtio_net nets[NETS_MAX];
	bool has_balloon;
	struct virtio_balloon balloon;

	unsigned int ncpus;
	struct cpu cpus[MAX_VCPUS];
};

int machine_create(struct machine *m, const struct machine_config *conf,
		   struct nvl_error *err);
/* Runs to the end and returns how it ended. */
enum machine_end machine_run(struct machine *m, struct nvl_error *err);
void machine_destroy(struct machine *m);

/* Any thread. @report is malloc()ed or NULL and owned by the machine from here. */
void machine_end(struct machine *m, enum machine_end end, unsigned int value, char *report,
		 const char *fmt, ...) __attribute__((format(printf, 5, 6)));
void machine_set_irq(struct machine *m, unsigned int gsi, bool level);
void machine_wake_loop(struct machine *m);

/*
 * pause.c: afterwards no vCPU is in KVM_RUN or has an exit to finish, no device
 * touches guest memory or raises an interrupt, and the launcher's timers stand
 * still, until as many machine_unpause() as machine_pause() have been called.
 * The loop's thread or a worker's, never a vCPU's or a device's. Pausing fails
 * when the guest's run ends.
 */
int machine_pause(struct machine *m, struct nvl_error *err);
void machine_unpause(struct machine *m);
bool machine_is_paused(struct machine *m);

/* commands.c: what the control socket can be asked; and how the run ended. */
extern const struct control_command machine_commands[];
json_t *machine_end_json(struct machine *m);

/* serve.c: the main thread, until someone called machine_end(). */
int machine_serve(struct machine *m, struct nvl_error *err);

/* cpus.c */
int cpus_create(struct machine *m, struct nvl_error *err);
int cpus_start(struct machine *m, struct nvl_error *err);
void cpus_stop(struct machine *m);
/* Out of KVM_RUN, each with its last exit finished, until cpus_unpark(). */
int cpus_park(struct machine *m, struct nvl_error *err);
void cpus_unpark(struct machine *m);
/* The PICs have something for the first vCPU: make it look. */
void cpus_interrupt(struct machine *m);
void cpus_destroy(struct machine *m);

/* vtx.c: before the vCPU runs, with its CPUID set */
int vtx_restrict(struct nvl_vcpu *vcpu, uint64_t withhold, struct nvl_error *err);

/* cpuid.c */
int cpuid_fix(struct machine *m, struct nvl_vcpu *vcpu, struct nvl_error *err);

/* report.c: a guest that died, for a reader; malloc()ed. */
char *report_guest(struct cpu *cpu, const char *why, const char *meaning);
/* Where each vCPU is, on stderr, for a run that was cut off. */
void report_where(struct machine *m);
void report_stats(struct machine *m);
const char *report_exit_name(unsigned int reason);

/* acpi.c */
int acpi_build(struct machine *m, struct nvl_error *err);
#define ACPI_BASE	0xe0000ull
#define ACPI_BYTES	0x4000ull

#endif
