// SPDX-License-Identifier: GPL-2.0
/* What the module does against the CPU's bugs of speculation, as it says in sysfs. */
#include "check.h"

#include "host.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

static bool loaded(void)
{
	char path[PATH_MAX];

	return access(host_path("/sys/module/nestvm", path), F_OK) == 0;
}

static const char *behind(const char *text, const char *word)
{
	size_t n = strlen(word);

	return strncmp(text, word, n) ? NULL : text + n;
}

static void look(const char *name, struct check_result *res)
{
	char path[128], text[256];
	const char *why;

	snprintf(path, sizeof(path), "/sys/class/misc/nestvm/mitigations/%s", name);
	if (!loaded())
		check_yes(res, "no VM runs here: the module nestvm is not loaded");
	else if (!host_read(path, text, sizeof(text)))
		check_warn(res, "install the module and this program from one source",
			   "the module does not tell");
	else if ((why = behind(text, "Not affected: ")))
		check_yes(res, "not needed: %s", why);
	else if ((why = behind(text, "Mitigation: ")))
		check_yes(res, "on: %s", why);
	else
		check_warn(res, "run only VMs that you trust, or turn it on",
			   "off: %s", behind(text, "Vulnerable: ") ?: text);
}

#define LOOK(fn, name)								\
static void fn(const struct check_on *on, struct check_result *res)		\
{										\
	(void)on;								\
	look(name, res);							\
}
LOOK(l1tf, "l1tf")
LOOK(buffers, "cpu-buffers")
LOOK(returns, "return-targets")
LOOK(spec_ctrl, "spec-ctrl")
LOOK(history, "branch-history")
LOOK(vcpus, "vcpu-to-vcpu")
LOOK(l2, "l2-to-l1")
LOOK(vmscape, "vmscape")
LOOK(itlb, "itlb-multihit")
LOOK(spectre_v1, "spectre-v1")
LOOK(smt, "smt")
LOOK(guest, "guest-controls")

const struct check mitigation_checks[] = {
	{ "mitigation-l1tf", "L1 terminal fault", l1tf },
	{ "mitigation-cpu-buffers", "sampling of the CPU's buffers", buffers },
	{ "mitigation-return-targets", "return targets of a guest", returns },
	{ "mitigation-spec-ctrl", "a guest's speculation controls", spec_ctrl },
	{ "mitigation-branch-history", "branch history injection", history },
	{ "mitigation-vcpu-to-vcpu", "branch targets from VM to VM", vcpus },
	{ "mitigation-l2-to-l1", "branch targets from a nested VM", l2 },
	{ "mitigation-vmscape", "branch targets for the VM's process", vmscape },
	{ "mitigation-itlb-multihit", "machine checks by page sizes", itlb },
	{ "mitigation-spectre-v1", "bounds check bypass", spectre_v1 },
	{ "mitigation-smt", "the other thread of a core", smt },
	{ "mitigation-guest-controls", "speculation controls for guests", guest },
	{ 0 },
};
