// SPDX-License-Identifier: GPL-2.0
#include "cmd.h"

#include "../vmm/machine.h"
#include "../vmm/state/migrate.h"

#include <argp.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
	OPT_EXPOSE = 256,
	OPT_DEVICE,
	OPT_DISK,
	OPT_TIMEOUT,
	OPT_STATS,
	OPT_CONSOLE,
	OPT_DYNAMIC,
	OPT_IRQCHIP,
	OPT_FLAT,
	OPT_CONTROL,
	OPT_CONSOLE_SOCKET,
	OPT_PAUSED,
	OPT_INCOMING,
	OPT_RECEIVE,
	OPT_NET,
	OPT_MEMORY_MIN,
	OPT_MEMORY_STARTUP,
	OPT_RESTART,
};

static const struct argp_option options[] = {
	{ "kernel", 'k', "FILE", 0, "vmlinux, bzImage or multiboot program to start", 1 },
	{ "initrd", 'i', "FILE", 0, "initial RAM disk (multiboot: the module)", 1 },
	{ "append", 'a', "TEXT", 0, "kernel command line (default: \"console=ttyS0\")", 1 },
	{ "flat", OPT_FLAT, NULL, 0, "the kernel is a program to start at 0:7C00H in real mode", 1 },
	{ "memory", 'm', "SIZE", 0, "RAM, in MB or with suffix K, M or G (default: 512M)", 2 },
	{ "vcpus", 'c', "N", 0, "number of virtual CPUs (default: 1)", 2 },
	{ "expose-virtualization-extensions", OPT_EXPOSE, NULL, 0,
	  "give the VM VT-x of its own, so that it can run VMs itself", 2 },
	{ "dynamic-memory", OPT_DYNAMIC, NULL, 0,
	  "fill memory on demand instead of pinning it at the start, and let the VM shrink", 2 },
	{ "memory-min", OPT_MEMORY_MIN, "SIZE", 0,
	  "with dynamic memory: the least the VM can be shrunk to while it runs (default: 0)", 2 },
	{ "memory-startup", OPT_MEMORY_STARTUP, "SIZE", 0,
	  "with dynamic memory: what it shrinks to at the start (default: all of it)", 2 },
	{ "net", OPT_NET, "user|tap=IF[,OPTION...]", 0,
	  "network adapter, on a user-mode network or a tap interface; may be repeated. Options: mac=MAC; "
	  "spoofing=on|off (other source addresses than its own; default: off); "
	  "forward=tcp|udp:PORT:PORT (from 127.0.0.1 to the guest; user only)", 3 },
	{ "disk", OPT_DISK, "FILE[,ro]", 0, "virtio disk from a raw image; may be repeated", 3 },
	{ "console", OPT_CONSOLE, "serial|virtio", 0,
	  "what the terminal types into (default: serial)", 3 },
	{ "console-socket", OPT_CONSOLE_SOCKET, "FILE", 0,
	  "serve the guest's console on this unix socket, not on the terminal", 3 },
	{ "control", OPT_CONTROL, "FILE", 0, "take commands on this unix socket", 4 },
	{ "restart", OPT_RESTART, NULL, 0,
	  "start the guest again when it asks for a reset, instead of ending", 4 },
	{ "paused", OPT_PAUSED, NULL, 0, "start paused; the command unpause lets the guest run", 4 },
	{ "incoming", OPT_INCOMING, "FILE", 0,
	  "go on from a state that the command save wrote, instead of booting", 4 },
	{ "receive", OPT_RECEIVE, "ADDRESS:PORT", 0,
	  "wait there for a VM that migrates, made of the same options, and go on with it", 4 },
	{ "device", OPT_DEVICE, "FILE", 0,
	  "hypervisor to use (default: " NVL_DEFAULT_DEVICE "); /dev/kvm works too", 4 },
	{ "irqchip", OPT_IRQCHIP, "kernel|split", 0,
	  "where PIC, IOAPIC and PIT are; split: in the launcher (default: kernel)", 4 },
	{ "timeout", OPT_TIMEOUT, "SECONDS", 0, "stop the VM after that time", 4 },
	{ "stats", OPT_STATS, NULL, 0, "say at the end how often the VM exited, and why", 4 },
	{ 0 },
};

static const char doc[] =
	"Starts a VM from a kernel and stays with it until it ends."
	"\vOn a terminal, Ctrl-A x stops the VM, Ctrl-A p presses its power button and "
	"Ctrl-A Ctrl-A sends Ctrl-A.\n\n"
	"Exit status: 0 the guest powered off; 1 wrong use, or the host could not; 2 the guest "
	"died; 3 the guest asked for a reset; 4 the time was over; 64 and up: 64 plus what the "
	"guest wrote to the debug-exit port F4H (at most 127); 128 and up: 128 plus the signal "
	"that stopped the VM.";

static const char *incoming;		/* --incoming */
static const char *receive;		/* --receive */

static uint64_t parse_size(struct argp_state *state, const char *arg)
{
	unsigned long long n, unit = 1 << 20;
	char *end;

	errno = 0;
	n = strtoull(arg, &end, 10);
	switch (*end) {
	case 'K':
	case 'k':
		unit = 1 << 10;
		end++;
		break;
	case 'M':
	case 'm':
		end++;
		break;
	case 'G':
	case 'g':
		unit = 1 << 30;
		end++;
		break;
	}
	if (errno || end == arg || *end || *arg == '-' || n > (1ull << 46) / unit ||
	    n * unit < 2 << 20 || n * unit % 4096)
		argp_error(state, "\"%s\" is not a memory size: from 2M to 64T, in 4K steps.", arg);
	return n * unit;
}

static unsigned int parse_number(struct argp_state *state, const char *arg, unsigned int min,
				 unsigned int max, const char *what)
{
	unsigned long n;
	char *end;

	errno = 0;
	n = strtoul(arg, &end, 10);
	if (errno || end == arg || *end || *arg == '-' || n < min || n > max)
		argp_error(state, "\"%s\" is not a number of %s: from %u to %u.", arg, what, min,
			   max);
	return n;
}

static void add_disk(struct argp_state *state, struct machine_config *conf, char *arg)
{
	struct disk_config *disk = &conf->disks[conf->ndisks];
	size_t len = strlen(arg);

	if (conf->ndisks == sizeof(conf->disks) / sizeof(conf->disks[0])) {
		argp_error(state, "a VM has at most %u disks.", conf->ndisks);
		return;
	}
	conf->ndisks++;
	disk->path = arg;
	if (len > 3 && !strcmp(arg + len - 3, ",ro")) {
		arg[len - 3] = '\0';
		disk->readonly = true;
	}
}

/* "tcp:2222:22" */
static bool parse_forward(struct net_config *net, const char *text)
{
	struct net_forward *f = &net->forwards[net->nforwards];
	unsigned int host, guest;
	char kind[4], end;

	if (net->nforwards == NET_FORWARDS_MAX || net->kind != NET_USER ||
	    sscanf(text, "%3[a-z]:%5u:%5u%c", kind, &host, &guest, &end) != 3 ||
	    (strcmp(kind, "tcp") && strcmp(kind, "udp")) || !host || host > 65535 || !guest ||
	    guest > 65535)
		return false;
	*f = (struct net_forward) { kind[0] == 'u', host, guest };
	net->nforwards++;
	return true;
}

static bool parse_net_option(struct net_config *net, const char *option)
{
	if (!strncmp(option, "mac=", 4))
		return mac_parse(option + 4, net->mac);
	if (!strncmp(option, "forward=", 8))
		return parse_forward(net, option + 8);
	if (strcmp(option, "spoofing=on") && strcmp(option, "spoofing=off"))
		return false;
	net->spoofing = !strcmp(option, "spoofing=on");
	return true;
}

static void add_net(struct argp_state *state, struct machine_config *conf, char *arg)
{
	struct net_config *net = &conf->nets[conf->nnets];
	char *word = strsep(&arg, ",");

	if (conf->nnets == NETS_MAX) {
		argp_error(state, "a VM has at most %u network adapters.", NETS_MAX);
		return;
	}
	conf->nnets++;
	net->name = word;
	if (!mac_make(net->mac))
		argp_error(state, "the host gives no random numbers for a MAC address.");
	if (!strncmp(word, "tap=", 4)) {
		net->kind = NET_TAP;
		net->tap = word + 4;
		net->name = net->tap;
	} else if (strcmp(word, "user")) {
		argp_error(state, "\"%s\" is not a network: user or tap=INTERFACE.", word);
	}
	while ((word = strsep(&arg, ",")))
		if (!parse_net_option(net, word))
			argp_error(state, "\"%s\" is not an option of this network: mac=MAC, spoofing=on|off, or for user forward=tcp|udp:PORT:PORT.",
				   word);
}

static void check_memory(struct argp_state *state, const struct machine_config *conf)
{
	if ((conf->memory_min || conf->memory_startup) && !conf->dynamic_memory)
		argp_error(state, "--memory-min and --memory-startup need --dynamic-memory.");
	if (conf->memory_startup > conf->memory ||
	    (conf->memory_startup ? conf->memory_startup : conf->memory) < conf->memory_min)
		argp_error(state, "--memory-min, --memory-startup and --memory must rise in this order.");
}

static error_t parse(int key, char *arg, struct argp_state *state)
{
	struct machine_config *conf = state->input;

	switch (key) {
	case 'k':
		conf->kernel = arg;
		break;
	case 'i':
		conf->initrd = arg;
		break;
	case 'a':
		conf->append = arg;
		break;
	case 'm':
		conf->memory = parse_size(state, arg);
		break;
	case 'c':
		conf->vcpus = parse_number(state, arg, 1, MAX_VCPUS, "CPUs");
		break;
	case OPT_EXPOSE:
		conf->expose = true;
		break;
	case OPT_DYNAMIC:
		conf->dynamic_memory = true;
		break;
	case OPT_FLAT:
		conf->flat = true;
		break;
	case OPT_DISK:
		add_disk(state, conf, arg);
		break;
	case OPT_CONSOLE:
		if (!strcmp(arg, "virtio"))
			conf->console = CONSOLE_VIRTIO;
		else if (strcmp(arg, "serial"))
			argp_error(state, "\"%s\" is not a console: serial or virtio.", arg);
		break;
	case OPT_IRQCHIP:
		if (!strcmp(arg, "split"))
			conf->irqchip = IRQCHIP_SPLIT;
		else if (!strcmp(arg, "kernel"))
			conf->irqchip = IRQCHIP_KERNEL;
		else
			argp_error(state, "\"%s\" is not an irqchip: kernel or split.", arg);
		break;
	case OPT_DEVICE:
		conf->device = arg;
		break;
	case OPT_TIMEOUT:
		conf->timeout = parse_number(state, arg, 1, 1000000, "seconds");
		break;
	case OPT_CONTROL:
		conf->control_path = arg;
		break;
	case OPT_CONSOLE_SOCKET:
		conf->console_path = arg;
		break;
	case OPT_NET:
		add_net(state, conf, arg);
		break;
	case OPT_MEMORY_MIN:
		conf->memory_min = parse_size(state, arg);
		break;
	case OPT_MEMORY_STARTUP:
		conf->memory_startup = parse_size(state, arg);
		break;
	case OPT_RESTART:
		conf->restart_on_reset = true;
		break;
	case OPT_PAUSED:
		conf->start_paused = true;
		break;
	case OPT_INCOMING:
		incoming = arg;
		conf->arrives = true;
		break;
	case OPT_RECEIVE:
		receive = arg;
		conf->arrives = true;
		conf->disks_later = true;
		break;
	case OPT_STATS:
		conf->stats = true;
		break;
	case ARGP_KEY_ARG:
		argp_error(state, "\"%s\" is not an option.", arg);
		break;
	case ARGP_KEY_END:
		if (!conf->kernel && !conf->arrives)
			argp_error(state, "name a kernel to start with --kernel.");
		check_memory(state, conf);
		if (conf->start_paused && !conf->control_path)
			argp_error(state, "--paused needs --control: only a command lets the guest run.");
		break;
	default:
		return ARGP_ERR_UNKNOWN;
	}
	return 0;
}

int run_status(const struct machine *m)
{
	switch (m->end) {
	case END_POWEROFF:
	case END_SAVED:
	case END_MIGRATED:
		return STATUS_OK;
	case END_RESET:
		return STATUS_RESET;
	case END_DIED:
		return STATUS_DIED;
	case END_DEBUG_EXIT:
		return STATUS_DEBUG_EXIT + (m->end_value < 63 ? m->end_value : 63);
	case END_TIMEOUT:
		return STATUS_TIMEOUT;
	case END_STOPPED:
		return STATUS_SIGNAL + m->end_value;
	default:
		return STATUS_ERROR;
	}
}

static int await_migration(struct machine *m, struct migration **mi, struct nvl_error *err)
{
	int ret;

	fprintf(stderr, "nestvm: waiting on %s for a VM\n", receive);
	ret = migration_accept(receive, mi, err);
	return ret < 0 ? ret : migration_load(*mi, m, NULL, err);
}

/* The machine, with its guest in it where that comes from elsewhere. */
static int create(struct machine *m, struct machine_config *conf, struct migration **mi,
		  struct nvl_error *err)
{
	int ret = machine_create(m, conf, err);

	if (ret == 0 && incoming)
		ret = state_arrive_file(m, incoming, NULL, err);
	if (ret == 0 && receive) {
		ret = await_migration(m, mi, err);
		conf->started = migration_started;
		conf->started_ctx = *mi;
	}
	return ret;
}

int cmd_run(int argc, char **argv)
{
	static const struct argp argp = { .options = options, .parser = parse, .doc = doc };
	struct machine_config conf = {
		.device = NVL_DEFAULT_DEVICE, .memory = 512 << 20, .vcpus = 1,
	};
	struct migration *migration = NULL;
	struct nvl_error err;
	struct machine *m;
	int status;

	argv[0] = "nestvm run";
	argp_parse(&argp, argc, argv, 0, NULL, &conf);
	if (!conf.append)
		conf.append = conf.console == CONSOLE_VIRTIO ? "console=ttyS0 console=hvc0" :
							       "console=ttyS0";
	m = malloc(sizeof(*m));
	if (!m) {
		fprintf(stderr, "nestvm: no memory left on the host.\n");
		return STATUS_ERROR;
	}
	if (create(m, &conf, &migration, &err) < 0) {
		fprintf(stderr, "nestvm: %s\n", err.text);
		machine_destroy(m);
		migration_free(migration);
		free(m);
		return STATUS_ERROR;
	}

	machine_run(m, &err);
	if (m->report)
		fprintf(stderr, "\n%s", m->report);
	if (m->end == END_TIMEOUT)
		report_where(m);
	if (conf.stats)
		report_stats(m);
	status = run_status(m);
	fprintf(stderr, "nestvm: %s (status %d)\n", m->end_text, status);
	machine_destroy(m);
	migration_free(migration);
	free(m);
	return status;
}
