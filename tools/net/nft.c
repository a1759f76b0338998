// SPDX-License-Identifier: GPL-2.0
#include "nft.h"

#include <errno.h>
#include <jansson.h>
#include <linux/netlink.h>
#include <nftables/libnftables.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

/* Where the kernel has none, libnftables ends the program. Asking loads the module. */
static bool has_packet_filter(void)
{
	int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_NETFILTER);

	if (fd < 0)
		return errno != EPROTONOSUPPORT;
	close(fd);
	return true;
}

static struct nft_ctx *open_context(struct refusal *r)
{
	struct nft_ctx *ctx;

	if (geteuid()) {
		refuse_text(r, REASON_NEED_PRIVILEGE, "the packet filter can be changed by root alone: "
			    "run the command as root (sudo nestvm ...).");
		return NULL;
	}
	if (!has_packet_filter()) {
		refuse_text(r, REASON_NET_FAILED, "this host's kernel has no packet filter now: "
			    "\"modprobe nf_tables\" tells more.");
		return NULL;
	}
	ctx = nft_ctx_new(NFT_CTX_DEFAULT);
	if (!ctx || nft_ctx_buffer_output(ctx) || nft_ctx_buffer_error(ctx)) {
		if (ctx)
			nft_ctx_free(ctx);
		refuse(r, NET_FAILED, "libnftables cannot be set up on this host.");
		return NULL;
	}
	return ctx;
}

/* libnftables' first line: the rest quotes our own command. */
static int failed(struct nft_ctx *ctx, const char *what, struct refusal *r)
{
	const char *said = nft_ctx_get_error_buffer(ctx);

	return refuse_text(r, REASON_NET_FAILED, "%s failed: %.*s. It needs the kernel's modules "
			   "nf_tables, nft_chain_nat, nft_masq and nft_ct (\"modprobe nf_tables\" "
			   "tells more).", what, (int)strcspn(said, "\n"), said);
}

int nft_run(const char *commands, const char *what, struct refusal *r)
{
	struct nft_ctx *ctx = open_context(r);
	int ret = 0;

	if (!ctx)
		return -1;
	if (nft_run_cmd_from_buffer(ctx, commands))
		ret = failed(ctx, what, r);
	nft_ctx_free(ctx);
	return ret;
}

/* The listing as JSON leaves comments out; as text the table's is the second line. */
static void read_comment(struct nft_table *t)
{
	struct nft_ctx *ctx = nft_ctx_new(NFT_CTX_DEFAULT);
	char command[160];
	const char *line;

	if (!ctx)
		return;
	snprintf(command, sizeof(command), "list table %s %s", t->family, t->name);
	if (!nft_ctx_buffer_output(ctx) && !nft_ctx_buffer_error(ctx) &&
	    !nft_run_cmd_from_buffer(ctx, command)) {
		line = strchr(nft_ctx_get_output_buffer(ctx), '\n');
		if (line)
			sscanf(line, " comment \"%255[^\"]\"", t->comment);
	}
	nft_ctx_free(ctx);
}

int nft_tables(const char *prefix, struct nft_table **tables, struct refusal *r)
{
	json_t *root = NULL, *entry, *table;
	struct nft_ctx *ctx;
	int n = -1;
	size_t i;

	if (!has_packet_filter()) {
		*tables = calloc(1, sizeof(**tables));
		return *tables ? 0 : refuse(r, NET_FAILED, "no memory left on the host.");
	}
	ctx = open_context(r);
	if (!ctx)
		return -1;
	nft_ctx_output_set_flags(ctx, NFT_CTX_OUTPUT_JSON);
	if (nft_run_cmd_from_buffer(ctx, "list tables")) {
		failed(ctx, "listing the packet filter's tables", r);
		goto out;
	}
	root = json_loads(nft_ctx_get_output_buffer(ctx), 0, NULL);
	*tables = calloc(json_array_size(json_object_get(root, "nftables")) + 1, sizeof(**tables));
	if (!root || !*tables) {
		refuse(r, NET_FAILED, "the packet filter's tables cannot be read.");
		goto out;
	}
	n = 0;
	json_array_foreach(json_object_get(root, "nftables"), i, entry) {
		struct nft_table *t = &(*tables)[n];
		const char *family, *name;

		table = json_object_get(entry, "table");
		if (!table || json_unpack(table, "{s:s, s:s}", "family", &family, "name", &name) ||
		    strncmp(name, prefix, strlen(prefix)))
			continue;
		snprintf(t->family, sizeof(t->family), "%s", family);
		snprintf(t->name, sizeof(t->name), "%s", name);
		read_comment(t);
		n++;
	}
out:
	json_decref(root);
	nft_ctx_free(ctx);
	return n;
}
