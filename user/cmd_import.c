// SPDX-License-Identifier: GPL-2.0-only
/*
 * wgvia import FILE [IFACE]: what takes the place of the second-table recipe in a wg-quick file. The text form is a
 * configuration file, in which all else is a comment. It changes nothing, and prints no key.
 */
#include <stdio.h>
#include <string.h>

#include "conffile.h"
#include "import.h"
#include "parse.h"
#include "print.h"
#include "util.h"

static json *describe(const struct import *import)
{
	json *value = print_object(), *prefixes = print_array(), *bypass = print_array(), *lines = print_array(),
	     *remarks = print_array();
	char text[PREFIX_TEXT_LEN];

	for (size_t i = 0; i < import->request.route_count; i++) {
		const struct route_words *route = &import->request.routes[i];
		json *item = print_object();

		print_add_text(item, "prefix", prefix_text(&route->from, text));
		print_add_text(item, "via", ip_text(&route->via, text));
		print_add_text(item, "dev", route->dev);
		print_append(prefixes, item);
	}
	for (size_t i = 0; i < import->request.bypass_count; i++)
		print_append(bypass, json_object_new_string(prefix_text(&import->request.bypass[i], text)));
	for (size_t i = 0; i < import->line_count; i++) {
		json *item = print_object();

		print_add_text(item, "key", import->lines[i].key);
		print_add_text(item, "value", import->lines[i].value);
		print_append(lines, item);
	}
	for (size_t i = 0; i < import->remark_count; i++) {
		json *item = print_object();

		print_add_number(item, "line", import->remarks[i].line);
		print_add_text(item, "text", import->remarks[i].command);
		print_add_text(item, "remark", import->remarks[i].remark);
		print_append(remarks, item);
	}
	print_add_text(value, "interface", import->request.tunnel);
	print_add(value, "prefixes", prefixes);
	print_add(value, "bypass", bypass);
	print_add(value, "wg_quick", lines);
	print_add(value, "remarks", remarks);
	return value;
}

static void print_statements(const json *value)
{
	json *prefixes = print_member(value, "prefixes"), *bypass = print_member(value, "bypass");

	for (size_t i = 0; i < json_object_array_length(prefixes); i++) {
		const json *item = json_object_array_get_idx(prefixes, i);
		const char *dev = print_text(item, "dev");

		printf("from %s via %s%s%s\n", print_text(item, "prefix"), print_text(item, "via"), *dev ? " dev " : "",
		       dev);
	}
	for (size_t i = 0; i < json_object_array_length(bypass); i++)
		printf("bypass %s\n", json_object_get_string(json_object_array_get_idx(bypass, i)));
}

#define TEXT_SHOWN 400 /* of what a remark is about */

/* A comment that is longer than a configuration's lines may be would spoil the whole. */
static void print_line(const char *key, const char *value)
{
	static const char form[] = "#     %s = %s\n";

	if (snprintf(NULL, 0, form, key, value) > CONFIG_LINE_MAX)
		printf(form, key, "(too long for a line of this file: 'wgvia -j import' shows it)");
	else
		printf(form, key, value);
}

static void print_import(const struct context *context, const json *value)
{
	json *lines = print_member(value, "wg_quick"), *remarks = print_member(value, "remarks");

	(void)context;
	printf("# %s: via the firewall, as the second routing table did it\n", print_text(value, "interface"));
	print_statements(value);
	printf("\n"
	       "# Take the tunnel down with the old wg-quick file, "
	       "so that rules and table go. These lines then take the\n"
	       "# place of all Table, PreUp, PostUp, "
	       "PreDown and PostDown lines in its [Interface]:\n"
	       "#\n");
	for (size_t i = 0; i < json_object_array_length(lines); i++) {
		const json *item = json_object_array_get_idx(lines, i);

		print_line(print_text(item, "key"), print_text(item, "value"));
	}
	if (json_object_array_length(remarks))
		printf("#\n# Remarks:\n");
	for (size_t i = 0; i < json_object_array_length(remarks); i++) {
		const json *item = json_object_array_get_idx(remarks, i);
		const char *text = print_text(item, "text");

		printf("#\n# line %u: %.*s%s\n#     %s\n", (unsigned int)print_number(item, "line"), TEXT_SHOWN, text,
		       strlen(text) > TEXT_SHOWN ? "..." : "", print_text(item, "remark"));
	}
}

/* All of the file, "-" for standard input; one byte more than is allowed is enough to tell. */
static int read_all(const char *path, char **text, size_t *len, struct error *error)
{
	FILE *file = strcmp(path, "-") != 0 ? fopen(path, "re") : stdin;
	int ret = 0;

	*len = 0;
	*text = malloc(IMPORT_SIZE_MAX + 1);
	if (!file || !*text)
		ret = error_system(error, errno, "cannot open '%s'", path);
	if (file && *text) {
		*len = fread(*text, 1, IMPORT_SIZE_MAX + 1, file);
		if (ferror(file))
			ret = error_system(error, errno, "cannot read '%s'", path);
	}
	if (file && file != stdin)
		fclose(file);
	return ret;
}

static int parse_words(int argc, char **argv, char tunnel[IFNAMSIZ], struct error *error)
{
	if (!argc)
		return error_usage(error, "which file? FILE is missing");
	if (argc > 2)
		return error_usage(error, "unexpected word '%s': one FILE and one IFACE", argv[2]);
	if (argc == 2)
		return import_parse_name(argv[1], tunnel, error);
	if (strcmp(argv[0], "-") != 0)
		return import_parse_path(argv[0], tunnel, error);
	error_usage(error, "which interface? standard input does not tell");
	error_hint(error, "wgvia import - IFACE");
	return -EINVAL;
}

int cmd_import(struct context *context, int argc, char **argv)
{
	cleanup(import_free) struct import import = {};
	cleanup(print_put) json *values = NULL;
	cleanup_free char *text = NULL;
	char tunnel[IFNAMSIZ];
	size_t len;
	int ret = parse_words(argc, argv, tunnel, &context->error);

	ret = ret ? ret : read_all(argv[0], &text, &len, &context->error);
	ret = ret ? ret : import_read(tunnel, text, len, &import, &context->error);
	if (ret)
		return ret;
	values = print_array();
	print_append(values, describe(&import));
	print_instances(context, values, true, print_import);
	return 0;
}
