/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Configuration versions: what the VM was made for, not what program wrote it.
 *
 * A version is added when the meaning of a configuration changes, so that an old
 * VM goes on under the rules it was made for until its owner updates it. A row
 * stays for ever, and so does a file of it in selftests/tools/conf-versions/.
 */
#ifndef CONF_VERSION_H
#define CONF_VERSION_H

#define CONF_VERSIONS									\
	X(7_0, "7.0", "VMs with nesting, which excludes dynamic memory, checkpoints, saved " \
	  "states and migration")							\
	X(7_1, "7.1", "virtualization-based security (vbs, vbs-opt-out), which excludes nesting") \
	X(8_0, "8.0", "nesting together with checkpoints, saved states, migration and " \
	  "virtualization-based security")						\
	X(9_0, "9.0", "a choice of what VT-x offers the guest (vtx-features)")

enum conf_version {
#define X(id, name, text) VERSION_##id,
	CONF_VERSIONS
#undef X
	VERSION_COUNT,
	VERSION_NEWEST = VERSION_COUNT - 1,
};

/* From here on nesting excludes dynamic memory only. */
#define VERSION_NESTED_ALL VERSION_8_0

const char *version_name(enum conf_version v);
/* What came with it. */
const char *version_text(enum conf_version v);
/* VERSION_COUNT when there is none of that name. */
enum conf_version version_find(const char *name);

#endif
