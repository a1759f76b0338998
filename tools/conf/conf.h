/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The configuration of a VM: what config.json says, checked.
 *
 * conf_keys.c has one row per key, and everything else is derived from the rows:
 * the parser, the writer, the options of "nestvm create" and "nestvm set", "nestvm
 * show", the table in the manual page. A struct vm_conf that came out of
 * conf_parse() or conf_load() keeps to every rule about a single key; the rules
 * between keys, versions and states are in rules.h.
 */
#ifndef CONF_CONF_H
#define CONF_CONF_H

#include "reasons.h"
#include "version.h"

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#define VM_NAME_MAX	63
#define VM_ID_LEN	36		/* a UUID in text */
#define VM_DISKS_MAX	7
#define VM_ADAPTERS_MAX	4
#define VM_VCPUS_MAX	64
#define CONF_BYTES_MAX	(256 << 10)

struct vm_disk {
	char *path;			/* absolute */
	bool read_only;
};

/* What an adapter is connected to: "none", "user" or "switch:NAME" in the file. */
enum vm_net { VM_NET_NONE, VM_NET_SWITCH, VM_NET_USER };

struct vm_link {
	enum vm_net net;
	char sw[VM_NAME_MAX + 1];	/* of VM_NET_SWITCH */
};

struct vm_adapter {
	char name[VM_NAME_MAX + 1];
	struct vm_link link;
	uint8_t mac[6];
	bool mac_spoofing;
};

struct vm_conf {
	enum conf_version version;
	char id[VM_ID_LEN + 1];		/* made once, goes along with copies of the VM's state */

	unsigned int vcpus;
	bool expose;
	uint64_t vtx_features;		/* bits of vtx.h offered to the guest, VTX_ALL: all */

	uint64_t memory;		/* bytes; with dynamic memory, those at the start */
	bool dynamic_memory;
	uint64_t memory_min;
	uint64_t memory_max;

	bool vbs;
	bool vbs_opt_out;

	char *kernel;			/* absolute paths, NULL: none */
	char *initrd;
	char *append;
	char *device;
	unsigned int ndisks;
	struct vm_disk disks[VM_DISKS_MAX];
	unsigned int nadapters;
	struct vm_adapter adapters[VM_ADAPTERS_MAX];
};

/* Every key's default, the newest version, a new id. */
void conf_init(struct vm_conf *c);
void conf_free(struct vm_conf *c);
int conf_copy(struct vm_conf *to, const struct vm_conf *from);

/*
 * Parses @len bytes of JSON; @file names them in the sentences. 0, or -1 with @r,
 * and then @c needs no conf_free().
 */
int conf_parse(struct vm_conf *c, const char *text, size_t len, const char *file,
	       struct refusal *r);
int conf_load(struct vm_conf *c, const char *file, struct refusal *r);
/* Replaces @file atomically. */
int conf_save(const struct vm_conf *c, const char *file, struct refusal *r);
/* What conf_save() writes; the caller's reference. NULL: no memory. */
json_t *conf_to_json(const struct vm_conf *c);

/* conf_value.c: the texts of values, as in files and options */
bool conf_parse_size(const char *text, uint64_t *bytes);
const char *conf_print_size(uint64_t bytes, char out[24]);
bool conf_parse_mac(const char *text, uint8_t mac[6]);
const char *conf_print_mac(const uint8_t mac[6], char out[18]);
/* 1 to 63 letters, digits, "-", "_", ".", the first a letter or digit. */
bool conf_name_ok(const char *name);
/* A locally administered unicast address that is likely the only one. */
void conf_new_mac(uint8_t mac[6]);
void conf_new_id(char id[VM_ID_LEN + 1]);

#endif
