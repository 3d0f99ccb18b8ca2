// SPDX-License-Identifier: GPL-2.0-only
/*
 * JSON values by json-c, and the choice between the two forms of output.
 */
#include "print.h"

#include <linux/neighbour.h>
#include <net/if.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "util.h"

void print_put(json **value)
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

void print_add_text(json *object, const char *name, const char *text)
{
	print_add(object, name, checked(json_object_new_string(text)));
}

void print_add_number(json *object, const char *name, uint64_t number)
{
	print_add(object, name, checked(json_object_new_uint64(number)));
}

void print_add_bool(json *object, const char *name, bool value)
{
	print_add(object, name, checked(json_object_new_boolean(value)));
}

void print_append(json *array, json *value)
{
	if (json_object_array_add(array, value))
		checked(NULL);
}

void print_append_text(json *array, const char *text)
{
	print_append(array, checked(json_object_new_string(text)));
}

struct rows {
	size_t count;
	print_maker make;
	void *data;
};

static int serialize_rows(json *array, struct printbuf *out, int level, int flags)
{
	const struct rows *rows = json_object_get_userdata(array);
	int ret = printbuf_memappend(out, "[", 1);

	(void)level; /* of indentation, which PLAIN has none of */
	for (size_t i = 0; i < rows->count && ret >= 0; i++) {
		json *element = rows->make(rows->data, i);
		const char *text = json_object_to_json_string_ext(element, flags);

		if (i)
			printbuf_memappend(out, ",", 1);
		ret = text ? printbuf_memappend(out, text, (int)strlen(text)) : -1;
		json_object_put(element);
	}
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

void print_each(const json *array, void (*text)(const json *element))
{
	const struct rows *rows = json_object_get_userdata((json *)array);

	for (size_t i = 0; i < json_object_array_length(array); i++)
		text(json_object_array_get_idx(array, i));
	for (size_t i = 0; rows && i < rows->count; i++) {
		json *element = rows->make(rows->data, i);

		text(element);
		json_object_put(element);
	}
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

json *print_neighbour(const struct neighbour *neighbour)
{
	json *value = print_object();
	const uint8_t *mac = neighbour->lladdr;
	char text[18];

	print_add_text(value, "state", neighbour_word(neighbour));
	if (neighbour->has_lladdr) {
		snprintf(text, sizeof(text), "%02x:%02x:%02x:%02x:%02x:%02x", mac[0], mac[1], mac[2], mac[3], mac[4],
			 mac[5]);
		print_add_text(value, "lladdr", text);
	}
	return value;
}

void print_instances(const struct context *context, json *values, bool single,
		     void (*text)(const struct context *context, const json *value))
{
	if (context->json) {
		const json *value = single ? json_object_array_get_idx(values, 0) : values;

		puts(json_object_to_json_string_ext((json *)value,
						    JSON_C_TO_STRING_PLAIN | JSON_C_TO_STRING_NOSLASHESCAPE));
		return;
	}
	for (size_t i = 0; i < json_object_array_length(values); i++)
		text(context, json_object_array_get_idx(values, i));
}
