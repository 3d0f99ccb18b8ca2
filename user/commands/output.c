// SPDX-License-Identifier: GPL-2.0-only
/*
 * JSON values with json-c, and the choice between the two forms of output.
 */
#include "commands/output.h"

#include <inttypes.h>
#include <linux/neighbour.h>
#include <net/if.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/util.h"
#include "config/failover.h"

void print_release(json **value)
{
	json_object_put(*value);
}

static json *checked(json *value)
{
	if (value)
		return value;
	fputs("wgvia: cannot print: out of memory\n", stderr);
	exit(1);
}

json *print_object(void)
{
	return checked(json_object_new_object());
}

json *print_array(void)
{
	return checked(json_object_new_array());
}

void print_add(json *object, const char *name, json *value)
{
	if (json_object_object_add(object, name, value))
		checked(NULL);
}

/* Length of the UTF-8 character at `text` (RFC 3629); 0: invalid. */
static size_t character_len(const unsigned char *text)
{
	size_t len = text[0] < 0x80 ? 1 : text[0] < 0xc2 ? 0 : text[0] < 0xe0 ? 2 : text[0] < 0xf0 ? 3 : 4;

	if (text[0] > 0xf4 || (text[0] == 0xe0 && text[1] < 0xa0) || (text[0] == 0xed && text[1] > 0x9f) ||
	    (text[0] == 0xf0 && text[1] < 0x90) || (text[0] == 0xf4 && text[1] > 0x8f))
		return 0;
	for (size_t i = 1; i < len; i++)
		if ((text[i] & 0xc0) != 0x80)
			return 0;
	return len;
}

/* JSON is UTF-8, but a device name may have any bytes: invalid ones become U+FFFD. */
static json *text_value(const char *text)
{
	cleanup_free char *valid = malloc(3 * strlen(text) + 1);
	char *end = valid;

	if (!valid)
		return NULL;
	while (*text) {
		size_t len = character_len((const unsigned char *)text);

		memcpy(end, len ? text : "\xef\xbf\xbd", len ? len : 3);
		end += len ? len : 3;
		text += len ? len : 1;
	}
	return json_object_new_string_len(valid, (int)(end - valid));
}

void print_add_text(json *object, const char *name, const char *text)
{
	print_add(object, name, checked(text_value(text)));
}

void print_add_number(json *object, const char *name, uint64_t number)
{
	print_add(object, name, checked(json_object_new_uint64(number)));
}

void print_add_bool(json *object, const char *name, bool value)
{
	print_add(object, name, checked(json_object_new_boolean(value)));
}

void print_add_time(json *object, uint64_t time)
{
	char seconds[32];

	snprintf(seconds, sizeof(seconds), "%" PRIu64 ".%06" PRIu64, time / 1000000000, time % 1000000000 / 1000);
	print_add(object, "time", checked(json_object_new_double_s((double)time / 1e9, seconds)));
}

uint64_t print_realtime(void)
{
	struct timespec now;

	clock_gettime(CLOCK_REALTIME, &now);
	return now.tv_sec * 1000000000ull + now.tv_nsec;
}

void print_append(json *array, json *value)
{
	if (json_object_array_add(array, value))
		checked(NULL);
}

void print_append_text(json *array, const char *text)
{
	print_append(array, checked(text_value(text)));
}

struct rows {
	size_t count;
	print_maker make;
	void *data;
};

/* A new line with the indentation of json-c's JSON_C_TO_STRING_PRETTY. */
static void break_line(struct printbuf *out, int level, int flags)
{
	if (!(flags & JSON_C_TO_STRING_PRETTY))
		return;
	printbuf_memappend(out, "\n", 1);
	printbuf_memset(out, -1, ' ', level * 2);
}

/* Indents all lines of an element except the first, as if they had been printed at this level. */
static int append_element(struct printbuf *out, const char *text, int level, int flags)
{
	for (const char *end; (end = strchr(text, '\n')); text = end + 1) {
		printbuf_memappend(out, text, (int)(end - text));
		break_line(out, level, flags);
	}
	return printbuf_memappend(out, text, (int)strlen(text));
}

static int serialize_rows(json *array, struct printbuf *out, int level, int flags)
{
	const struct rows *rows = json_object_get_userdata(array);
	int ret = printbuf_memappend(out, "[", 1);

	for (size_t i = 0; i < rows->count && ret >= 0; i++) {
		json *element = rows->make(rows->data, i);
		const char *text = json_object_to_json_string_ext(element, flags);

		if (i)
			printbuf_memappend(out, ",", 1);
		break_line(out, level + 1, flags);
		ret = text ? append_element(out, text, level + 1, flags) : -1;
		json_object_put(element);
	}
	if (rows->count)
		break_line(out, level, flags);
	return ret < 0 ? ret : printbuf_memappend(out, "]", 1);
}

static void free_rows(json *array, void *rows)
{
	(void)array;
	free(rows);
}

json *print_rows(size_t count, print_maker make, void *data)
{
	struct rows *rows = malloc(sizeof(*rows));
	json *array = print_array();

	if (!rows)
		checked(NULL);
	*rows = (struct rows){count, make, data};
	json_object_set_serializer(array, serialize_rows, rows, free_rows);
	return array;
}

struct kept {
	void *data;
	void (*release)(void *data);
};

static void release_kept(json *object, void *data)
{
	struct kept *kept = data;

	(void)object;
	kept->release(kept->data);
	free(kept);
}

void print_keep(json *object, void *data, void (*release)(void *data))
{
	struct kept *kept = malloc(sizeof(*kept));

	if (!kept)
		checked(NULL);
	*kept = (struct kept){data, release};
	json_object_set_userdata(object, kept, release_kept);
}

void print_visit(const json *array, void (*visit)(const json *element, void *data), void *data)
{
	const struct rows *rows = json_object_get_userdata((json *)array);

	for (size_t i = 0; i < json_object_array_length(array); i++)
		visit(json_object_array_get_idx(array, i), data);
	for (size_t i = 0; rows && i < rows->count; i++) {
		json *element = rows->make(rows->data, i);

		visit(element, data);
		json_object_put(element);
	}
}

struct printer {
	void (*text)(const json *element);
};

static void print_element(const json *element, void *data)
{
	((struct printer *)data)->text(element);
}

void print_each(const json *array, void (*text)(const json *element))
{
	struct printer printer = {text};

	print_visit(array, print_element, &printer);
}

json *print_member(const json *object, const char *name)
{
	json *member = NULL;

	json_object_object_get_ex(object, name, &member);
	return member;
}

const char *print_text(const json *object, const char *name)
{
	json *member = print_member(object, name);

	return member ? json_object_get_string(member) : "";
}

uint64_t print_number(const json *object, const char *name)
{
	return json_object_get_uint64(print_member(object, name));
}

bool print_bool(const json *object, const char *name)
{
	return json_object_get_boolean(print_member(object, name));
}

void print_add_members(json *object, const json *other)
{
	json_object_object_foreach ((json *)other, name, value) {
		if (json_object_is_type(value, json_type_string))
			print_add_text(object, name, json_object_get_string(value));
		else
			print_add(object, name, json_object_get(value));
	}
}

json *print_neighbour(const struct neighbour *neighbour)
{
	json *value = print_object();
	char mac[MAC_TEXT_LEN];

	print_add_text(value, "state", neighbour_word(neighbour));
	if (neighbour->has_lladdr)
		print_add_text(value, "lladdr", mac_text(neighbour->lladdr, mac));
	return value;
}

void print_add_device(json *object, const struct netdevs *netdevs, uint32_t ifindex)
{
	char name[IFNAMSIZ];

	print_add_text(object, "dev", netdev_name(netdevs, ifindex, name));
	print_add_number(object, "ifindex", ifindex);
}

void print_add_hop(json *object, const struct wgvia_hop *hop, const struct netdevs *netdevs)
{
	struct wgvia_gateway value = hop_value(hop, 0);
	struct ip via = gateway_ip(&value);
	char text[IP_TEXT_LEN];

	print_add_text(object, "via", ip_text(&via, text));
	print_add_device(object, netdevs, hop->ifindex);
}

const char *print_line_text(const json *value)
{
	return json_object_to_json_string_ext((json *)value, JSON_C_TO_STRING_PLAIN | JSON_C_TO_STRING_NOSLASHESCAPE);
}

void print_line(const json *value)
{
	puts(print_line_text(value));
}

void print_instances(const struct context *context, json *values, bool single,
		     void (*text)(const struct context *context, const json *value))
{
	if (context->json) {
		const int pretty = JSON_C_TO_STRING_PRETTY | JSON_C_TO_STRING_SPACED;
		const json *value = single ? json_object_array_get_idx(values, 0) : values;

		puts(json_object_to_json_string_ext((json *)value,
						    JSON_C_TO_STRING_NOSLASHESCAPE |
							    (context->pretty ? pretty : JSON_C_TO_STRING_PLAIN)));
		return;
	}
	for (size_t i = 0; i < json_object_array_length(values); i++)
		text(context, json_object_array_get_idx(values, i));
}
