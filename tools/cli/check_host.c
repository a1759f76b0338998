// SPDX-License-Identifier: GPL-2.0
/*
 * The host's conditions. Everything is read from files below $NESTVM_HOST_ROOT, so
 * that a test can show each row every host that there is.
 */
#include "check.h"

#include "cli.h"
#include "host.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define FIELD_MAX 8192
#define IA32_FEATURE_CONTROL	0x3a
#define FEATURE_LOCKED		(1ull << 0)
#define FEATURE_VMX		(1ull << 2)	/* VMXON outside of SMX operation */
#define CAP_IPC_LOCK_BIT	14

static bool exists(const char *path)
{
	char full[PATH_MAX];

	return access(host_path(path, full), F_OK) == 0;
}

static bool module_loaded(void)
{
	return exists("/sys/module/nestvm");
}

static bool cpu_has(const char *field, const char *word)
{
	char text[FIELD_MAX];

	return host_cpu_field(field, text, sizeof(text)) && host_has_word(text, word);
}

static void look_vendor(const struct check_on *on, struct check_result *res)
{
	const char *vendor = on->facts.host.vendor;

	if (!strcmp(vendor, "GenuineIntel"))
		check_yes(res, "it is by Intel");
	else if (!*vendor)
		check_warn(res, "see that /proc is mounted", "/proc/cpuinfo does not tell who made it");
	else
		check_no(res, "use a host with an Intel CPU",
			 "its vendor is \"%s\", and nestvm knows Intel's VT-x only", vendor);
}

static void look_vmx(const struct check_on *on, struct check_result *res)
{
	if (on->facts.host.vmx)
		check_yes(res, "the CPU shows it");
	else if (cpu_has("flags", "hypervisor"))
		check_no(res, "let the hypervisor below give this VM VT-x (nestvm: \"nestvm set NAME "
			 "--expose-virtualization-extensions on\")",
			 "this host is a VM itself, and is not given VT-x");
	else
		check_no(res, "switch VT-x (VMX, Intel Virtualization Technology) on in the firmware's "
			 "setup, then cut the power for a moment",
			 "the CPU does not show it: it lacks it, or the firmware has it switched off");
}

static void look_ept(const struct check_on *on, struct check_result *res)
{
	if (on->facts.host.ept)
		check_yes(res, "the CPU has it");
	else
		check_no(res, "use a host whose CPU has EPT (Intel's since 2008)",
			 "the CPU has no extended page tables");
}

static void look_unrestricted(const struct check_on *on, struct check_result *res)
{
	(void)on;
	if (cpu_has("vmx flags", "unrestricted_guest") || cpu_has("flags", "unrestricted_guest"))
		check_yes(res, "the CPU has it");
	else
		check_no(res, "use a host whose CPU has it (Intel's since 2010)",
			 "the CPU cannot run guests in real mode");
}

/* Privileged, and the driver msr may not be loaded: then who loaded VMX tells. */
static bool read_msr(unsigned int msr, uint64_t *value)
{
	char path[PATH_MAX];
	ssize_t n;
	int fd;

	fd = open(host_path("/dev/cpu/0/msr", path), O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return false;
	n = pread(fd, value, sizeof(*value), msr);
	close(fd);
	return n == sizeof(*value);
}

static void look_firmware(const struct check_on *on, struct check_result *res)
{
	uint64_t value;

	if (read_msr(IA32_FEATURE_CONTROL, &value)) {
		if ((value & FEATURE_LOCKED) && !(value & FEATURE_VMX))
			check_no(res, "switch VT-x on in the firmware's setup, then cut the power for a "
				 "moment", "the firmware has locked VT-x off (MSR 3AH is %llxH)",
				 (unsigned long long)value);
		else
			check_yes(res, "MSR 3AH is %llxH", (unsigned long long)value);
	} else if (module_loaded()) {
		check_yes(res, "the module nestvm is loaded and would have refused otherwise");
	} else if (!on->facts.host.vmx) {
		check_warn(res, "as root: modprobe msr; nestvm check",
			   "MSR 3AH cannot be read here, and Linux hides VT-x that the firmware has "
			   "locked off");
	} else {
		check_warn(res, "as root: modprobe msr; nestvm check",
			   "MSR 3AH cannot be read here; the CPU shows VT-x, which Linux hides where it "
			   "is locked off");
	}
}

static void look_module(const struct check_on *on, struct check_result *res)
{
	char version[64];

	(void)on;
	if (!module_loaded())
		check_no(res, "modprobe nestvm; if that is refused, \"dmesg\" tells why",
			 "it is not loaded");
	else if (host_read("/sys/module/nestvm/version", version, sizeof(version)))
		check_yes(res, "version %s", version);
	else
		check_warn(res, "install the module and this program from one source",
			   "it is loaded and does not tell its version");
}

/* Others that take VMX for themselves, for as long as they are loaded. */
static const char * const owners[] = { "vboxdrv", "vmmon" };

static void look_owner(const struct check_on *on, struct check_result *res)
{
	char text[32], path[64];
	unsigned int i;

	(void)on;
	if (module_loaded()) {
		check_yes(res, "nestvm has it");
		return;
	}
	if (host_read("/sys/module/kvm_intel/refcnt", text, sizeof(text)) && atoi(text) > 0) {
		check_no(res, "stop the VMs of KVM (QEMU, libvirt), then modprobe -r kvm_intel",
			 "KVM is in use: %s VM or program holds kvm_intel", text);
		return;
	}
	if (exists("/sys/module/kvm_intel")) {
		/* From Linux 6.12 on KVM takes VMX when it is loaded, unless told otherwise. */
		if (host_read("/sys/module/kvm/parameters/enable_virt_at_load", text, sizeof(text)) &&
		    (*text == 'Y' || *text == '1'))
			check_no(res, "modprobe -r kvm_intel (or load kvm with enable_virt_at_load=0)",
				 "KVM took it when kvm_intel was loaded");
		else
			check_warn(res, "modprobe -r kvm_intel, so that no VM of KVM starts",
				   "kvm_intel is loaded and takes it as soon as a VM of KVM starts");
		return;
	}
	for (i = 0; i < sizeof(owners) / sizeof(owners[0]); i++) {
		snprintf(path, sizeof(path), "/sys/module/%s", owners[i]);
		if (exists(path)) {
			check_warn(res, "stop its VMs and unload it",
				   "another hypervisor's module is loaded: %s", owners[i]);
			return;
		}
	}
	check_yes(res, "nobody has it");
}

static void look_below(const struct check_on *on, struct check_result *res)
{
	char name[64] = "";

	if (!cpu_has("flags", "hypervisor")) {
		check_yes(res, "this host is no VM");
		return;
	}
	if (!host_hypervisor(name, sizeof(name)))
		snprintf(name, sizeof(name), "of an unknown maker");
	if (on->facts.host.vmx)
		check_yes(res, "this host is a VM (%s) that is given VT-x", name);
	else
		check_no(res, "let the hypervisor below give this VM VT-x",
			 "this host is a VM (%s) that is given no VT-x", name);
}

static void look_nested(const struct check_on *on, struct check_result *res)
{
	if (!module_loaded())
		check_warn(res, "modprobe nestvm", "the module is not loaded");
	else if (on->facts.host.nested_off)
		check_no(res, "stop all VMs; modprobe -r nestvm; modprobe nestvm nested=1",
			 "the administrator forbids it: the module was loaded with nested=0");
	else
		check_yes(res, "the module allows it");
}

static void look_lockdown(const struct check_on *on, struct check_result *res)
{
	char text[128];
	const char *on_mode;

	(void)on;
	if (!host_read("/sys/kernel/security/lockdown", text, sizeof(text))) {
		check_yes(res, "this kernel has no lockdown, or securityfs is not mounted");
		return;
	}
	on_mode = strchr(text, '[');
	if (!on_mode || !strncmp(on_mode, "[none]", 6))
		check_yes(res, "off");
	else if (module_loaded())
		check_yes(res, "%s, and the module is loaded all the same", text);
	else
		check_warn(res, "sign nestvm.ko with a key that this machine trusts, or switch Secure "
			   "Boot off", "%s: only signed modules are loaded", text);
}

/* One source is built and tested for these; kmod/compat.h knows the differences. */
static const char * const kernels[] = { "6.1.", "6.12." };

static void look_kernel(const struct check_on *on, struct check_result *res)
{
	char release[128];
	unsigned int i;

	(void)on;
	if (!host_read("/proc/sys/kernel/osrelease", release, sizeof(release))) {
		check_warn(res, "see that /proc is mounted", "its release cannot be read");
		return;
	}
	for (i = 0; i < sizeof(kernels) / sizeof(kernels[0]); i++)
		if (!strncmp(release, kernels[i], strlen(kernels[i])))
			break;
	if (i < sizeof(kernels) / sizeof(kernels[0]))
		check_yes(res, "%s", release);
	else
		check_warn(res, "use Linux 6.1 or 6.12",
			   "%s is none of those that nestvm is tested with (6.1, 6.12)", release);
}

static void look_device(const struct check_on *on, struct check_result *res)
{
	char path[PATH_MAX];

	(void)on;
	host_path("/dev/nestvm", path);
	if (access(path, R_OK | W_OK) == 0)
		check_yes(res, "/dev/nestvm can be opened");
	else if (errno == ENOENT)
		check_no(res, "modprobe nestvm", "/dev/nestvm is not there");
	else if (errno == EACCES)
		check_no(res, "as root: usermod -aG nestvm YOU; then log in again",
			 "you may not open /dev/nestvm: it is for root and the group nestvm");
	else
		check_no(res, "dmesg may tell more", "/dev/nestvm: %s", strerror(errno));
}

/* "Name   value": the rest of the line behind a name in a small file of /proc. */
static bool proc_field(const char *file, const char *name, char *out, size_t room)
{
	char path[PATH_MAX], line[256];
	bool found = false;
	FILE *f;

	f = fopen(host_path(file, path), "re");
	if (!f)
		return false;
	while (!found && fgets(line, sizeof(line), f)) {
		if (strncmp(line, name, strlen(name)))
			continue;
		snprintf(out, room, "%s", line + strlen(name));
		found = true;
	}
	fclose(f);
	return found;
}

static void look_memlock(const struct check_on *on, struct check_result *res)
{
	char text[256], have[16], want[16];
	unsigned long long caps, limit;

	/* The hard limit: the VM's process raises the soft one to it. */
	if (proc_field("/proc/self/status", "CapEff:", text, sizeof(text)) &&
	    sscanf(text, "%llx", &caps) == 1 && (caps >> CAP_IPC_LOCK_BIT & 1)) {
		check_yes(res, "you are not bound by it");
		return;
	}
	if (!proc_field("/proc/self/limits", "Max locked memory", text, sizeof(text)) ||
	    sscanf(text, "%*s %127s", text) != 1) {
		check_warn(res, "see that /proc is mounted", "it cannot be read");
		return;
	}
	if (!strcmp(text, "unlimited")) {
		check_yes(res, "unlimited");
		return;
	}
	limit = strtoull(text, NULL, 10);
	cli_size(limit, have);
	if (!on->conf)
		check_warn(res, "ulimit -l unlimited, or \"memlock\" in /etc/security/limits.conf",
			   "you may lock %s: no more static memory for VMs than that", have);
	else if (on->conf->dynamic_memory)
		check_yes(res, "%s, and this VM's memory is not locked", have);
	else if (limit < on->conf->memory)
		check_no(res, "ulimit -l unlimited, or \"memlock\" in /etc/security/limits.conf",
			 "you may lock %s, and the VM's static memory is %s", have,
			 cli_size(on->conf->memory, want));
	else
		check_yes(res, "%s", have);
}

const struct check host_checks[] = {
	{ "cpu-vendor", "the CPU", look_vendor },
	{ "vt-x", "VT-x", look_vmx },
	{ "ept", "EPT", look_ept },
	{ "unrestricted-guest", "unrestricted guest", look_unrestricted },
	{ "firmware-lock", "the firmware's lock", look_firmware },
	{ "module", "the module nestvm", look_module },
	{ "vmx-owner", "who has VMX", look_owner },
	{ "hypervisor-below", "a hypervisor below", look_below },
	{ "nested", "VMs with VT-x", look_nested },
	{ "lockdown", "the kernel's lockdown", look_lockdown },
	{ "kernel", "the kernel", look_kernel },
	{ "device", "/dev/nestvm", look_device },
	{ "locked-memory", "the limit of locked memory", look_memlock },
	{ 0 },
};
