/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Why a command was refused: one row per reason, with the exit status of the
 * command and the sentence for the user.
 *
 * Identifiers are for scripts and stay. A sentence names the cause, the rule and
 * the command that would mend it; {0}, {1}, ... stand for the arguments of
 * refuse(), by convention {0} is the VM's name. A refusal of the kernel
 * (uapi/nestvm.h) keeps its own sentence and gets one of these identifiers.
 */
#ifndef CONF_REASONS_H
#define CONF_REASONS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * Exit status of every command; a guest that runs in the foreground ends with
 * those of cli/cmd.h besides.
 */
enum exit_status {
	EXIT_OK = 0,
	EXIT_ERROR = 1,		/* wrong use, or the host failed (disk full, no memory, ...) */
	EXIT_NO_VM = 10,	/* no such VM, checkpoint, switch, ... */
	EXIT_EXISTS = 11,	/* the name is taken */
	EXIT_BUSY = 12,		/* another command works on it: try again */
	EXIT_STATE = 13,	/* not while it runs, is off, is paused, has a saved state */
	EXIT_RULE = 14,		/* two settings, or a setting and the version, exclude each other */
	EXIT_HOST = 15,		/* this host cannot, or its administrator forbade it */
	EXIT_CONFIG = 16,	/* the configuration file, or a value for it, is not valid */
	EXIT_DATA = 17,		/* a saved state, checkpoint or stream is damaged or foreign */
	EXIT_GUEST = 18,	/* the guest did not do what it was asked */
	EXIT_CHECK_NO = 20,	/* nestvm check: at least one NO */
	EXIT_CHECK_WARN = 21,	/* nestvm check: no NO, at least one WARN */
};

/* What the exit statuses mean, for --help and the manual page. */
#define EXIT_STATUS_TEXT \
	"Exit status: 0 done; 1 wrong use, or the host failed; 10 no such VM or object; 11 the " \
	"name is taken; 12 busy, another command works on it; 13 not in its present state " \
	"(running, off, paused, saved); 14 a rule forbids it; 15 this host cannot; 16 the " \
	"configuration is not valid; 17 a saved state, checkpoint or stream is damaged; 18 the " \
	"guest did not do what it was asked."

#define REASONS(X)									\
	X(USAGE, EXIT_ERROR, "{0}")							\
	X(HOST_FAILED, EXIT_ERROR, "{0}")						\
	/* names and existence */							\
	X(NAME_INVALID, EXIT_CONFIG,							\
	  "\"{0}\" is not a name for a {1}: use 1 to 63 letters, digits, \"-\", \"_\" and " \
	  "\".\", beginning with a letter or a digit.")					\
	X(VM_NOT_FOUND, EXIT_NO_VM,							\
	  "there is no VM \"{0}\": \"nestvm list\" lists them, \"nestvm create {0}\" makes it.") \
	X(VM_EXISTS, EXIT_EXISTS,							\
	  "there is a VM \"{0}\" already: take another name, or \"nestvm remove {0}\" first.") \
	X(VM_BUSY, EXIT_BUSY,								\
	  "another command works on VM \"{0}\"{1}: try again when it is done.")		\
	/* state */									\
	X(VM_RUNNING, EXIT_STATE,							\
	  "VM \"{0}\" is running, and {1} only while it is off: \"nestvm stop {0}\" first.") \
	X(VM_NOT_RUNNING, EXIT_STATE,							\
	  "VM \"{0}\" is not running, and {1} only while it runs: \"nestvm start {0}\" first.") \
	X(VM_PAUSED, EXIT_STATE,							\
	  "VM \"{0}\" is paused, and {1} only while it runs: \"nestvm unpause {0}\" first.") \
	X(VM_NOT_PAUSED, EXIT_STATE, "VM \"{0}\" is not paused.")			\
	X(VM_SAVED, EXIT_STATE,								\
	  "VM \"{0}\" has a saved state, and {1} only without: \"nestvm start {0}\" goes on from " \
	  "it, \"nestvm remove-saved-state {0}\" throws it away.")			\
	X(NO_SAVED_STATE, EXIT_STATE, "VM \"{0}\" has no saved state.")			\
	X(START_FAILED, EXIT_ERROR, "VM \"{0}\" did not start: {1}")			\
	X(CONTROL_LOST, EXIT_ERROR,							\
	  "VM \"{0}\" ended while it was asked to {1}; \"nestvm show {0}\" tells its state and " \
	  "its log is {2}.")								\
	X(CONTROL_REFUSED, EXIT_ERROR, "{0}")						\
	X(POWERDOWN_IGNORED, EXIT_GUEST,						\
	  "the guest of VM \"{0}\" was sent the power button's event and still runs after {1} " \
	  "seconds: it may lack a program that handles the button (acpid, systemd-logind), or " \
	  "not be booted that far. \"nestvm stop {0} --timeout SECONDS\" waits longer, " \
	  "\"nestvm kill {0}\" switches it off at once.")				\
	/* the rules of nesting */							\
	X(EXPOSE_DYNAMIC_MEMORY, EXIT_RULE,						\
	  "expose-virtualization-extensions and dynamic-memory exclude each other: the memory " \
	  "of a VM with VT-x is static. \"nestvm set {0} --dynamic-memory off\" or "	\
	  "\"nestvm set {0} --expose-virtualization-extensions off\".")			\
	X(VBS_DYNAMIC_MEMORY, EXIT_RULE,						\
	  "vbs and dynamic-memory exclude each other: the guest's isolated mode uses VT-x, and " \
	  "the memory of a VM with VT-x is static. \"nestvm set {0} --dynamic-memory off\" or " \
	  "\"nestvm set {0} --vbs off\".")						\
	X(EXPOSE_RESIZE, EXIT_RULE,							\
	  "the memory of VM \"{0}\" cannot be resized while it runs, because "		\
	  "expose-virtualization-extensions is on and the memory of such a VM is static: " \
	  "\"nestvm stop {0}\", then \"nestvm set {0} --memory {1}\".")			\
	X(STATIC_RESIZE, EXIT_RULE,							\
	  "the memory of VM \"{0}\" cannot be resized while it runs, because dynamic-memory is " \
	  "off: \"nestvm stop {0}\", then \"nestvm set {0} --memory {1}\" (or, besides, " \
	  "--dynamic-memory on).")							\
	X(RESIZE_RANGE, EXIT_RULE,							\
	  "VM \"{0}\" can have from {2} to {3} of memory while it runs (memory-min, memory-max), " \
	  "not {1}: change the limits while it is off, with \"nestvm set {0} --memory-max SIZE\".") \
	X(OLD_VERSION_CHECKPOINTS, EXIT_RULE,						\
	  "VM \"{0}\" has configuration version {1}, in which expose-virtualization-extensions " \
	  "and checkpoints exclude each other: \"nestvm update-version {0}\" (8.0 and newer " \
	  "allow both), or switch expose-virtualization-extensions off, or remove its "	\
	  "checkpoints.")								\
	X(OLD_VERSION_SAVE, EXIT_RULE,							\
	  "VM \"{0}\" has configuration version {1}, in which a VM with "		\
	  "expose-virtualization-extensions on has no saved state: \"nestvm update-version " \
	  "{0}\" once it is off and has none (8.0 and newer allow it), or switch "	\
	  "expose-virtualization-extensions off.")					\
	X(OLD_VERSION_MIGRATE, EXIT_RULE,						\
	  "VM \"{0}\" has configuration version {1}, in which a VM with "		\
	  "expose-virtualization-extensions on cannot migrate: \"nestvm stop {0}\" and "	\
	  "\"nestvm update-version {0}\" (8.0 and newer allow it), or switch "		\
	  "expose-virtualization-extensions off.")					\
	X(OLD_VERSION_VBS, EXIT_RULE,							\
	  "VM \"{0}\" has configuration version {1}, in which expose-virtualization-extensions " \
	  "and vbs exclude each other (VT-x is reserved for the guest's isolated mode): " \
	  "\"nestvm update-version {0}\" (8.0 and newer allow both), \"nestvm set {0} --vbs " \
	  "off\" or \"nestvm set {0} --expose-virtualization-extensions off\".")	\
	X(VBS_OPT_OUT, EXIT_RULE,							\
	  "vbs cannot be on while vbs-opt-out is: \"nestvm set {0} --vbs off\" or \"nestvm set " \
	  "{0} --vbs-opt-out off\".")							\
	X(MEMORY_RANGE, EXIT_RULE,							\
	  "with dynamic-memory on, memory-min ({1}), memory ({2}) and memory-max ({3}) must " \
	  "rise in this order: set them in one command, \"nestvm set {0} --memory-min SIZE " \
	  "--memory-startup SIZE --memory-max SIZE\".")					\
	X(FEATURE_DEPENDS, EXIT_RULE,							\
	  "vtx-features has \"{1}\", which needs \"{2}\" as well: add \"{2}\" to the list of " \
	  "\"nestvm set {0} --vtx-features LIST\", or leave out \"{1}\".")		\
	X(NO_KERNEL, EXIT_RULE,								\
	  "VM \"{0}\" has nothing to boot: \"nestvm set {0} --kernel FILE\".")		\
	X(VERSION_NEWEST, EXIT_RULE,							\
	  "VM \"{0}\" has version {1} already, the newest of this nestvm.")		\
	X(VERSION_UNKNOWN, EXIT_CONFIG,							\
	  "\"{0}\" is not a configuration version of this nestvm: \"nestvm host-versions\" " \
	  "lists them.")								\
	X(VERSION_BACK, EXIT_RULE,							\
	  "VM \"{0}\" has version {1}: there is no way back to {2}, except a copy of its " \
	  "configuration made before the update (\"nestvm create NAME --from FILE\").")	\
	X(KEY_VERSION, EXIT_RULE,							\
	  "{1} is there from version {2}, and VM \"{0}\" has {3}: \"nestvm update-version {0}\".") \
	/* this host */									\
	X(HOST_NOT_INTEL, EXIT_HOST,							\
	  "VT-x in VM \"{0}\" needs an Intel CPU, and this host's is \"{1}\": use " \
	  "another host.")								\
	X(HOST_NO_VMX, EXIT_HOST,							\
	  "VT-x in VM \"{0}\" needs a host with VT-x, and this one's CPU does not show it: "	\
	  "\"nestvm check\" tells what is missing.")					\
	X(HOST_NO_EPT, EXIT_HOST,							\
	  "VT-x in VM \"{0}\" needs EPT, which this host's CPU lacks: use another "	\
	  "host; \"nestvm check\" tells more.")						\
	X(HOST_NESTED_OFF, EXIT_HOST,							\
	  "this host's administrator forbids VT-x in VMs (module parameter nested=0): stop all " \
	  "VMs, \"modprobe -r nestvm; modprobe nestvm nested=1\".")			\
	X(HOST_NO_DEVICE, EXIT_HOST, "{0}")						\
	X(HOST_LOCKED_LIMIT, EXIT_HOST, "{0}")						\
	X(KERNEL_REFUSED, EXIT_HOST, "{0}")						\
	X(NEED_PRIVILEGE, EXIT_HOST, "{0}")						\
	/* the configuration file and values for it */					\
	X(CONF_SYNTAX, EXIT_CONFIG, "{0}: line {1}: this is not JSON: {2}.")		\
	X(CONF_UNKNOWN_KEY, EXIT_CONFIG,						\
	  "{0}: line {1}: there is no key \"{2}\": nestvm.conf(5) lists those that are.") \
	X(CONF_DUPLICATE_KEY, EXIT_CONFIG,						\
	  "{0}: line {1}: key \"{2}\" is there a second time: remove one of them.")	\
	X(CONF_BAD_VALUE, EXIT_CONFIG, "{0}: line {1}: {2}: {3}.")			\
	X(CONF_KEY_VERSION, EXIT_CONFIG,						\
	  "{0}: line {1}: key \"{2}\" is there from version {3}, and this file says {4}: " \
	  "remove the key, then \"nestvm update-version\".")				\
	X(CONF_NO_VERSION, EXIT_CONFIG,							\
	  "{0}: there is no key \"version\": add one; \"nestvm host-versions\" lists the values.") \
	X(CONF_TOO_LONG, EXIT_CONFIG, "{0}: the file has more than {1} bytes.")		\
	X(VALUE_INVALID, EXIT_CONFIG, "--{0}: {1}.")					\
	/* adapters and disks of a VM */						\
	X(ADAPTER_NOT_FOUND, EXIT_NO_VM,						\
	  "VM \"{0}\" has no adapter \"{1}\": \"nestvm show {0}\" lists them.")		\
	X(ADAPTER_EXISTS, EXIT_EXISTS, "VM \"{0}\" has an adapter \"{1}\" already.")	\
	X(DISK_NOT_FOUND, EXIT_NO_VM,							\
	  "VM \"{0}\" has no disk \"{1}\": \"nestvm show {0}\" lists them.")		\
	X(TOO_MANY, EXIT_RULE, "VM \"{0}\" cannot have more than {1} {2}.")		\
	/* switches and NAT networks */							\
	X(SWITCH_NOT_FOUND, EXIT_NO_VM,							\
	  "there is no virtual switch \"{0}\": \"nestvm switch list\" lists them, \"nestvm " \
	  "switch create {0} --type internal\" makes it.")				\
	X(SWITCH_EXISTS, EXIT_EXISTS, "there is a virtual switch \"{0}\" already.")	\
	X(SWITCH_IN_USE, EXIT_STATE, "virtual switch \"{0}\" is in use by {1}: {2}.")	\
	X(NAT_NOT_FOUND, EXIT_NO_VM,							\
	  "there is no NAT network \"{0}\": \"nestvm nat list\" lists them.")		\
	X(NAT_EXISTS, EXIT_EXISTS, "there is a NAT network \"{0}\" already.")		\
	X(NET_CONFLICT, EXIT_RULE, "{0}")						\
	X(NET_INVALID, EXIT_CONFIG, "{0}")						\
	X(NET_FAILED, EXIT_ERROR, "{0}")						\
	X(NET_BUSY, EXIT_BUSY,								\
	  "another command changes switches or NAT networks and holds {0}: try again when it "	\
	  "is done.")									\
	X(UPLINK_IN_USE, EXIT_RULE, "{0}")						\
	X(PREFIX_OVERLAP, EXIT_RULE, "{0}")						\
	/* saved states, checkpoints, migration */					\
	X(CHECKPOINT_NOT_FOUND, EXIT_NO_VM,						\
	  "VM \"{0}\" has no checkpoint \"{1}\": \"nestvm checkpoint list {0}\" lists them.") \
	X(CHECKPOINT_EXISTS, EXIT_EXISTS,						\
	  "VM \"{0}\" has a checkpoint \"{1}\" already: take another label.")		\
	X(IMPORT_SETTINGS, EXIT_RULE,							\
	  "{1} has the state of a guest that was running, which needs VM \"{0}\" as it was: leave " \
	  "the settings out, or leave the state out (--no-state) and the guest boots anew.") \
	X(IMPORT_MACS, EXIT_RULE,							\
	  "{1} has the state of a guest that was running and knows the addresses of its "	\
	  "adapters, so VM \"{0}\" cannot have new ones: --keep-macs keeps them (then it and the " \
	  "VM that was exported must not be on one network), or leave the state out "	\
	  "(--no-state) and the guest boots anew.")					\
	X(IMPORT_BUSY, EXIT_BUSY,							\
	  "another command makes a VM with disks in {0}: try again when it is done.")	\
	X(IMPORT_DISK_EXISTS, EXIT_EXISTS,						\
	  "the image of a disk of VM \"{0}\" would be {1}, and that is there already: remove or " \
	  "rename it, or say --disks-to FOLDER.")					\
	X(STATE_DAMAGED, EXIT_DATA, "{0}")						\
	X(STATE_FOREIGN, EXIT_DATA, "{0}")						\
	X(STATE_FAILED, EXIT_ERROR, "{0}")						\
	X(MIGRATE_REFUSED, EXIT_HOST, "{0}")						\
	X(MIGRATE_FEATURES, EXIT_HOST, "{0}")						\
	X(MIGRATE_UNCERTAIN, EXIT_STATE, "{0}")						\
	X(HOST_NO_STATE, EXIT_HOST, "{0}")						\
	X(CANCELLED, EXIT_ERROR, "{0}")							\
	X(MIGRATE_FAILED, EXIT_ERROR, "{0}")

enum reason {
	REASON_NONE,
#define X(id, status, text) REASON_##id,
	REASONS(X)
#undef X
	REASON_COUNT
};

struct refusal {
	enum reason id;
	char text[1024];
};

/* Fills in the sentence (@r may be NULL) and returns -1, for "return refuse(...)". */
int refuse_args(struct refusal *r, enum reason id, const char *const *args);
#define refuse(r, id, ...) refuse_args(r, REASON_##id, (const char *const []){ __VA_ARGS__, NULL })
/* A sentence of its own, made like printf()'s. */
int refuse_text(struct refusal *r, enum reason id, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));
/* What another process said: its identifier, REASON_CONTROL_REFUSED if we don't know it. */
int refuse_said(struct refusal *r, const char *name, const char *text);

const char *reason_name(enum reason id);
int reason_status(enum reason id);
/* REASON_NONE when there is none of that name. */
enum reason reason_find(const char *name);
/* The reason of a NESTVM_REFUSED_* number. */
enum reason reason_of_kernel(uint32_t refused);

#endif
