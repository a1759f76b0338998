// SPDX-License-Identifier: GPL-2.0
#include "conf_keys.h"

#include <string.h>

#define MB (1ull << 20)
#define TB (1ull << 40)
#define AT(member) offsetof(struct vm_conf, member)

const struct conf_key conf_keys[] = {
	{ "version", CONF_VERSION_NAME, AT(version), VERSION_7_0, OPTION_NONE, "VERSION", 0, 0, "9.0",
	  "configuration version: the rules that the VM is under" },
	{ "id", CONF_ID, AT(id), VERSION_7_0, OPTION_NONE, "UUID", 0, 0, NULL,
	  "what the VM is known by to its saved states and checkpoints; made by \"nestvm create\"" },
	{ "vcpus", CONF_UINT, AT(vcpus), VERSION_7_0, OPTION_SET, "N", 1, VM_VCPUS_MAX, "1",
	  "number of virtual CPUs" },
	{ "expose_virtualization_extensions", CONF_BOOL, AT(expose), VERSION_7_0, OPTION_SET,
	  "on|off", 0, 0, "off", "VT-x of its own for the VM, so that it can run VMs itself" },
	{ "vtx_features", CONF_VTX, AT(vtx_features), VERSION_9_0, OPTION_SET, "LIST", 0, 0, "all",
	  "what VT-x may offer the VM, where the host has it: \"all\", \"none\", or names with "
	  "commas" },
	{ "memory", CONF_SIZE, AT(memory), VERSION_7_0, OPTION_RESIZE, "SIZE", 2 * MB, 16 * TB, "1G",
	  "memory; with dynamic memory, what the VM starts with" },
	{ "dynamic_memory", CONF_BOOL, AT(dynamic_memory), VERSION_7_0, OPTION_SET, "on|off", 0, 0,
	  "off", "fill memory on demand and let it grow and shrink, instead of pinning all of it" },
	{ "memory_min", CONF_SIZE, AT(memory_min), VERSION_7_0, OPTION_SET, "SIZE", 2 * MB, 16 * TB,
	  "512M", "least memory with dynamic memory" },
	{ "memory_max", CONF_SIZE, AT(memory_max), VERSION_7_0, OPTION_SET, "SIZE", 2 * MB, 16 * TB,
	  "4G", "most memory with dynamic memory" },
	{ "vbs", CONF_BOOL, AT(vbs), VERSION_7_1, OPTION_SET, "on|off", 0, 0, "off",
	  "reserve VT-x for the guest's own isolated mode (virtualization-based security): it sees VT-x" },
	{ "vbs_opt_out", CONF_BOOL, AT(vbs_opt_out), VERSION_7_1, OPTION_SET, "on|off", 0, 0, "off",
	  "never let this VM have virtualization-based security" },
	{ "kernel", CONF_PATH, AT(kernel), VERSION_7_0, OPTION_SET, "FILE", 0, 0, NULL,
	  "vmlinux, bzImage or multiboot program to start" },
	{ "initrd", CONF_PATH, AT(initrd), VERSION_7_0, OPTION_SET, "FILE", 0, 0, NULL,
	  "initial RAM disk (multiboot: the module)" },
	{ "append", CONF_TEXT, AT(append), VERSION_7_0, OPTION_SET, "TEXT", 0, 2047, "console=ttyS0",
	  "kernel command line" },
	{ "device", CONF_PATH, AT(device), VERSION_7_0, OPTION_SET, "FILE", 0, 0, "/dev/nestvm",
	  "hypervisor to use; /dev/kvm works too, without what nestvm adds" },
	{ "disks", CONF_DISKS, 0, VERSION_7_0, OPTION_NONE, "LIST", 0, VM_DISKS_MAX, NULL,
	  "virtio disks from raw images (--disk, --remove-disk)" },
	{ "adapters", CONF_ADAPTERS, 0, VERSION_7_0, OPTION_NONE, "LIST", 0, VM_ADAPTERS_MAX, NULL,
	  "network adapters (\"nestvm adapter\")" },
	{ 0 },
};

#undef AT
#define AT(member) offsetof(struct vm_disk, member)

const struct conf_key disk_keys[] = {
	{ "path", CONF_PATH, AT(path), VERSION_7_0, OPTION_NONE, "FILE", 0, 0, NULL, "raw image" },
	{ "read_only", CONF_BOOL, AT(read_only), VERSION_7_0, OPTION_NONE, "on|off", 0, 0, "off",
	  "the guest cannot write to it" },
	{ 0 },
};

#undef AT
#define AT(member) offsetof(struct vm_adapter, member)

const struct conf_key adapter_keys[] = {
	{ "name", CONF_NAME, AT(name), VERSION_7_0, OPTION_NONE, "NAME", 0, 0, NULL,
	  "what commands call it" },
	{ "network", CONF_LINK, AT(link), VERSION_7_0, OPTION_NONE, "NET", 0, 0, "none",
	  "\"switch:NAME\", \"user\" (needs no privilege) or \"none\"" },
	{ "mac", CONF_MAC, AT(mac), VERSION_7_0, OPTION_NONE, "MAC", 0, 0, NULL,
	  "its address; made by \"nestvm adapter add\"" },
	{ "mac_spoofing", CONF_BOOL, AT(mac_spoofing), VERSION_7_0, OPTION_NONE, "on|off", 0, 0, "off",
	  "let frames of other addresses pass, those of nested guests" },
	{ 0 },
};

const struct conf_key *conf_key_find(const struct conf_key *keys, const char *name)
{
	for (; keys->name; keys++)
		if (!strcmp(keys->name, name))
			return keys;
	return NULL;
}

const char *conf_key_option(const struct conf_key *key, char out[64])
{
	unsigned int i;

	for (i = 0; key->name[i] && i < 63; i++)
		out[i] = key->name[i] == '_' ? '-' : key->name[i];
	out[i] = '\0';
	return out;
}
