// SPDX-License-Identifier: GPL-2.0
/* The values of keys: text and JSON, both ways. */
#include "conf_keys.h"

#include "vtx.h"

#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#define SIZE_STEP 4096ull

static const struct {
	char letter;
	unsigned int shift;
} units[] = { { 'T', 40 }, { 'G', 30 }, { 'M', 20 }, { 'K', 10 } };

#define NUNITS (sizeof(units) / sizeof(units[0]))

bool conf_parse_size(const char *text, uint64_t *bytes)
{
	unsigned int i, shift = 20;
	unsigned long long n;
	char *end;

	if (!isdigit((unsigned char)*text))
		return false;
	errno = 0;
	n = strtoull(text, &end, 10);
	if (errno)
		return false;
	if (*end) {
		for (i = 0; i < NUNITS; i++)
			if (toupper((unsigned char)*end) == units[i].letter)
				break;
		if (i == NUNITS || end[1])
			return false;
		shift = units[i].shift;
	}
	if (n > UINT64_MAX >> shift)
		return false;
	*bytes = n << shift;
	return true;
}

const char *conf_print_size(uint64_t bytes, char out[24])
{
	unsigned int i;

	for (i = 0; i < NUNITS - 1; i++)
		if (bytes && bytes % (1ull << units[i].shift) == 0)
			break;
	snprintf(out, 24, "%llu%c", (unsigned long long)bytes >> units[i].shift, units[i].letter);
	return out;
}

bool conf_parse_mac(const char *text, uint8_t mac[6])
{
	uint8_t m[6];
	unsigned int i, j, digit;

	if (strlen(text) != 17)
		return false;
	for (i = 0; i < 6; i++, text += 3) {
		m[i] = 0;
		for (j = 0; j < 2; j++) {
			if (!isxdigit((unsigned char)text[j]))
				return false;
			digit = isdigit((unsigned char)text[j]) ? text[j] - '0' :
				tolower((unsigned char)text[j]) - 'a' + 10;
			m[i] = m[i] << 4 | digit;
		}
		if (text[2] != (i < 5 ? ':' : '\0'))
			return false;
	}
	/* A station's own address is no group's, and not the null address. */
	if (m[0] & 1 || !(m[0] | m[1] | m[2] | m[3] | m[4] | m[5]))
		return false;
	memcpy(mac, m, sizeof(m));
	return true;
}

const char *conf_print_mac(const uint8_t mac[6], char out[18])
{
	snprintf(out, 18, "%02x:%02x:%02x:%02x:%02x:%02x", mac[0], mac[1], mac[2], mac[3], mac[4],
		 mac[5]);
	return out;
}

bool conf_name_ok(const char *name)
{
	size_t i;

	if (!isascii((unsigned char)name[0]) || !isalnum((unsigned char)name[0]))
		return false;
	for (i = 1; name[i]; i++)
		if (!isascii((unsigned char)name[i]) ||
		    (!isalnum((unsigned char)name[i]) && !strchr("-_.", name[i])))
			return false;
	return i <= VM_NAME_MAX;
}

static void random_bytes(void *out, size_t len)
{
	if (getrandom(out, len, 0) != (ssize_t)len)
		abort();		/* cannot be for so few bytes */
}

void conf_new_mac(uint8_t mac[6])
{
	static const uint8_t prefix[3] = { 0x52, 0x54, 0x00 };

	random_bytes(mac, 6);
	memcpy(mac, prefix, sizeof(prefix));
}

void conf_new_id(char id[VM_ID_LEN + 1])
{
	uint8_t b[16];

	random_bytes(b, sizeof(b));
	b[6] = (b[6] & 0x0f) | 0x40;	/* RFC 9562: version 4, ... */
	b[8] = (b[8] & 0x3f) | 0x80;	/* ... variant 10 */
	snprintf(id, VM_ID_LEN + 1,
		 "%02x%02x%02x%02x-%02x%02x-%02x%02x-%02x%02x-%02x%02x%02x%02x%02x%02x", b[0], b[1],
		 b[2], b[3], b[4], b[5], b[6], b[7], b[8], b[9], b[10], b[11], b[12], b[13], b[14],
		 b[15]);
}

static bool id_ok(const char *id)
{
	unsigned int i;

	for (i = 0; i < VM_ID_LEN; i++) {
		bool dash = i == 8 || i == 13 || i == 18 || i == 23;

		if (dash ? id[i] != '-' : !isxdigit((unsigned char)id[i]))
			return false;
	}
	return !id[i];
}

static bool text_ok(const char *text, size_t max)
{
	size_t i;

	for (i = 0; text[i]; i++)
		if (iscntrl((unsigned char)text[i]))
			return false;
	return i <= max;
}

static bool link_ok(const char *text, struct vm_link *link)
{
	static const char prefix[] = "switch:";

	memset(link, 0, sizeof(*link));
	if (!strcmp(text, "none"))
		return true;
	if (!strcmp(text, "user")) {
		link->net = VM_NET_USER;
		return true;
	}
	if (strncmp(text, prefix, sizeof(prefix) - 1) || !conf_name_ok(text + sizeof(prefix) - 1))
		return false;
	link->net = VM_NET_SWITCH;
	snprintf(link->sw, sizeof(link->sw), "%s", text + sizeof(prefix) - 1);
	return true;
}

const char *conf_value_range(const struct conf_key *key, char *out, size_t room)
{
	char a[24], b[24];

	switch (key->type) {
	case CONF_BOOL:
		return "on or off";
	case CONF_UINT:
		snprintf(out, room, "%llu to %llu", (unsigned long long)key->min,
			 (unsigned long long)key->max);
		return out;
	case CONF_SIZE:
		snprintf(out, room, "%s to %s in steps of 4K", conf_print_size(key->min, a),
			 conf_print_size(key->max, b));
		return out;
	case CONF_PATH:
		return "an absolute path";
	case CONF_TEXT:
		snprintf(out, room, "at most %llu characters, none of them control characters",
			 (unsigned long long)key->max);
		return out;
	case CONF_NAME:
		return "1 to 63 letters, digits, \"-\", \"_\", \".\"";
	case CONF_MAC:
		return "a station's address such as 52:54:00:12:34:56";
	case CONF_LINK:
		return "\"none\", \"user\" or \"switch:NAME\"";
	case CONF_VTX:
		return "\"all\", \"none\" or names with commas";
	case CONF_ID:
		return "a UUID";
	case CONF_VERSION_NAME:
		return "one of \"nestvm host-versions\"";
	case CONF_DISKS:
	case CONF_ADAPTERS:
		snprintf(out, room, "a list of at most %llu", (unsigned long long)key->max);
		return out;
	}
	return "";
}

static bool invalid(const struct conf_key *key, const char *text, char *why, size_t room)
{
	char range[128];

	snprintf(why, room, "\"%.200s\" is not valid, it must be %s", text,
		 conf_value_range(key, range, sizeof(range)));
	return false;
}

static bool set_string(char **at, const char *text)
{
	char *copy = *text ? strdup(text) : NULL;

	if (*text && !copy)
		return false;
	free(*at);
	*at = copy;
	return true;
}

bool conf_value_set(const struct conf_key *key, void *base, const char *text, char *why,
		    size_t room)
{
	void *at = (char *)base + key->offset;
	enum conf_version version;
	struct vm_link link;
	unsigned long n;
	uint64_t bytes;
	char bad[64], *end;

	switch (key->type) {
	case CONF_BOOL:
		if (strcmp(text, "on") && strcmp(text, "off"))
			return invalid(key, text, why, room);
		*(bool *)at = !strcmp(text, "on");
		return true;
	case CONF_UINT:
		errno = 0;
		n = strtoul(text, &end, 10);
		if (!isdigit((unsigned char)*text) || errno || *end || n < key->min || n > key->max)
			return invalid(key, text, why, room);
		*(unsigned int *)at = n;
		return true;
	case CONF_SIZE:
		if (!conf_parse_size(text, &bytes) || bytes < key->min || bytes > key->max ||
		    bytes % SIZE_STEP)
			return invalid(key, text, why, room);
		*(uint64_t *)at = bytes;
		return true;
	case CONF_PATH:
		/* Empty takes it away. */
		if (*text && (*text != '/' || !text_ok(text, 4095)))
			return invalid(key, text, why, room);
		break;
	case CONF_TEXT:
		if (!text_ok(text, key->max))
			return invalid(key, text, why, room);
		break;
	case CONF_NAME:
		if (!conf_name_ok(text))
			return invalid(key, text, why, room);
		snprintf(at, VM_NAME_MAX + 1, "%s", text);
		return true;
	case CONF_MAC:
		return conf_parse_mac(text, at) || invalid(key, text, why, room);
	case CONF_LINK:
		if (!link_ok(text, &link))
			return invalid(key, text, why, room);
		*(struct vm_link *)at = link;
		return true;
	case CONF_VTX:
		if (vtx_parse(text, at, bad, sizeof(bad)))
			return true;
		snprintf(why, room, "there is no feature \"%s\"; nestvm.conf(5) and \"nestvm "
			 "host-versions --vtx-features\" list them", bad);
		return false;
	case CONF_ID:
		if (!id_ok(text))
			return invalid(key, text, why, room);
		snprintf(at, VM_ID_LEN + 1, "%s", text);
		return true;
	case CONF_VERSION_NAME:
		version = version_find(text);
		if (version == VERSION_COUNT)
			return invalid(key, text, why, room);
		*(enum conf_version *)at = version;
		return true;
	case CONF_DISKS:
	case CONF_ADAPTERS:
		return invalid(key, text, why, room);
	}
	if (!set_string(at, text)) {
		snprintf(why, room, "no memory left");
		return false;
	}
	return true;
}

char *conf_value_print(const struct conf_key *key, const void *base)
{
	const void *at = (const char *)base + key->offset;
	const struct vm_link *link = at;
	char buf[VTX_TEXT_MAX] = "";
	const char *text = buf;

	switch (key->type) {
	case CONF_BOOL:
		text = *(const bool *)at ? "on" : "off";
		break;
	case CONF_UINT:
		snprintf(buf, sizeof(buf), "%u", *(const unsigned int *)at);
		break;
	case CONF_SIZE:
		conf_print_size(*(const uint64_t *)at, buf);
		break;
	case CONF_PATH:
	case CONF_TEXT:
		text = *(char *const *)at ?: "";
		break;
	case CONF_NAME:
	case CONF_ID:
		text = at;
		break;
	case CONF_MAC:
		conf_print_mac(at, buf);
		break;
	case CONF_LINK:
		if (link->net == VM_NET_SWITCH)
			snprintf(buf, sizeof(buf), "switch:%s", link->sw);
		else
			text = link->net == VM_NET_USER ? "user" : "none";
		break;
	case CONF_VTX:
		text = vtx_print(*(const uint64_t *)at, buf);
		break;
	case CONF_VERSION_NAME:
		text = version_name(*(const enum conf_version *)at);
		break;
	case CONF_DISKS:
	case CONF_ADAPTERS:
		break;
	}
	return strdup(text);
}

bool conf_value_from_json(const struct conf_key *key, void *base, const json_t *value, char *why,
			  size_t room)
{
	char text[24];

	switch (key->type) {
	case CONF_BOOL:
		if (!json_is_boolean(value)) {
			snprintf(why, room, "it must be true or false");
			return false;
		}
		*(bool *)((char *)base + key->offset) = json_is_true(value);
		return true;
	case CONF_UINT:
		if (!json_is_integer(value)) {
			char range[64];

			snprintf(why, room, "it must be a number, %s",
				 conf_value_range(key, range, sizeof(range)));
			return false;
		}
		snprintf(text, sizeof(text), "%lld", (long long)json_integer_value(value));
		return conf_value_set(key, base, text, why, room);
	default:
		if (!json_is_string(value)) {
			snprintf(why, room, "it must be text in quotes");
			return false;
		}
		return conf_value_set(key, base, json_string_value(value), why, room);
	}
}

json_t *conf_value_to_json(const struct conf_key *key, const void *base)
{
	const void *at = (const char *)base + key->offset;
	json_t *value;
	char *text;

	if (key->type == CONF_BOOL)
		return json_boolean(*(const bool *)at);
	if (key->type == CONF_UINT)
		return json_integer(*(const unsigned int *)at);
	text = conf_value_print(key, base);
	value = text ? json_string(text) : NULL;
	free(text);
	return value;
}
