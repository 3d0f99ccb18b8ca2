// SPDX-License-Identifier: GPL-2.0-only
/*
 * wgvia import FILE [IFACE]: the replacement for the second-table recipe in a wg-quick file. The text form is a
 * configuration file, in which everything else is a comment. It chooses the mode that keeps the host's present
 * behaviour. It changes nothing, and prints no key.
 */
#include <stdio.h>
#include <string.h>

#include "base/abi_words.h"
#include "base/file.h"
#include "base/util.h"
#include "check/fast_mode.h"
#include "commands/message.h"
#include "commands/output.h"
#include "config/conffile.h"
#include "config/parse.h"
#include "config/statement.h"
#include "import/import.h"

/* The mode that keeps the behaviour of the file's host, and the reason. */
struct choice {
	enum wgvia_mode mode;
	uint32_t mss; /* in mode fast, replaces a clamp that is bypassed; format of struct wgvia_meta */
	char why[FINDING_EVIDENCE + 48];
};

/* What is unknown is treated as something to keep. */
static void choose_mode(const struct import *import, const char *path, struct choice *choice)
{
	char why[FINDING_EVIDENCE] = "";
	uint32_t mss = WGVIA_MSS_OFF;
	struct error note = {};

	choice->mode = WGVIA_STACK;
	choice->mss = WGVIA_MSS_OFF;
	if (import->rules_line) {
		snprintf(choice->why, sizeof(choice->why),
			 "line %u of the file sets netfilter rules, and mode fast would bypass them",
			 import->rules_line);
		return;
	}
	switch (fast_mode_examine(&import->request, &mss, why)) {
	case FAST_BYPASSES:
		snprintf(choice->why, sizeof(choice->why), "%s", why);
		break;
	case FAST_BYPASSES_NOTHING:
		choice->mode = WGVIA_FAST;
		choice->mss = import_least_mss(mss, import->request.mss);
		snprintf(choice->why, sizeof(choice->why),
			 "this host has no netfilter rules, IPsec policies or routes that it would bypass%s",
			 choice->mss != WGVIA_MSS_OFF ? ", except for a clamp of the MSS, which 'mss' replaces" : "");
		break;
	case FAST_UNKNOWN:
		snprintf(choice->why, sizeof(choice->why), "cannot check what mode fast would bypass: %s", why);
		error_refuse(&note, "using 'mode stack': %s", choice->why);
		error_hint(&note, "on the gateway itself, as root: wgvia import %s %s", path, import->request.tunnel);
		message_print(&note);
	}
}

static json *describe_import(const struct import *import, const struct choice *choice)
{
	json *value = print_object(), *prefixes = print_array(), *bypass = print_array(), *lines = print_array(),
	     *remarks = print_array();
	char text[PREFIX_TEXT_LEN], statement[STATEMENT_MAX];

	for (size_t i = 0; i < import->request.route_count; i++) {
		const struct route_words *route = &import->request.routes[i];
		json *item = print_object();

		print_add_text(item, "from", prefix_text(&route->from, text));
		print_add_text(item, "via", ip_text(&route->via, text));
		if (route->dev[0])
			print_add_text(item, "dev", route->dev);
		print_append(prefixes, item);
	}
	for (size_t i = 0; i < import->request.bypass_count; i++) {
		json *item = print_object();

		print_add_text(item, "to", prefix_text(&import->request.bypass[i], text));
		print_append(bypass, item);
	}
	for (size_t i = 0; i < import->line_count; i++) {
		json *item = print_object();

		print_add_text(item, "key", import->lines[i].key);
		print_add_text(item, "value", import->lines[i].value);
		print_append(lines, item);
	}
	for (size_t i = 0; i < import->remark_count; i++) {
		json *item = print_object();

		print_add_number(item, "line", import->remarks[i].line);
		print_add_text(item, "command", import->remarks[i].command);
		print_add_text(item, "remark", import->remarks[i].remark);
		print_append(remarks, item);
	}
	print_add_text(value, "interface", import->request.tunnel);
	print_add(value, "prefixes", prefixes);
	print_add(value, "bypass", bypass);
	print_add_text(value, "mode", mode_words[choice->mode]);
	print_add_text(value, "mode_reason", choice->why);
	print_add_text(value, "mss", statement_of_mss(&(struct state){.mss = choice->mss}, statement) + strlen("mss "));
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

		printf("from %s via %s%s%s\n", print_text(item, "from"), print_text(item, "via"), *dev ? " dev " : "",
		       dev);
	}
	for (size_t i = 0; i < json_object_array_length(bypass); i++)
		printf("bypass %s\n", print_text(json_object_array_get_idx(bypass, i), "to"));
	printf("# mode %s: %s\nmode %s\n", print_text(value, "mode"), print_text(value, "mode_reason"),
	       print_text(value, "mode"));
	if (strcmp(print_text(value, "mss"), "off") != 0)
		printf("mss %s\n", print_text(value, "mss"));
}

#define TEXT_SHOWN 400 /* maximum length of the text that a remark is about */

/* A comment that exceeds the line length of a configuration file would make the whole file invalid. */
static void print_comment(const char *key, const char *value)
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
	printf("# %s: via the firewall, like the second routing table\n", print_text(value, "interface"));
	print_statements(value);
	printf("\n"
	       "# Take the tunnel down with the old wg-quick file, so that its rules and table are removed. Then "
	       "replace all\n"
	       "# Table, PreUp, PostUp, PreDown and PostDown lines in its [Interface] with these:\n"
	       "#\n");
	for (size_t i = 0; i < json_object_array_length(lines); i++) {
		const json *item = json_object_array_get_idx(lines, i);

		print_comment(print_text(item, "key"), print_text(item, "value"));
	}
	if (json_object_array_length(remarks))
		printf("#\n# Remarks:\n");
	for (size_t i = 0; i < json_object_array_length(remarks); i++) {
		const json *item = json_object_array_get_idx(remarks, i);
		const char *text = print_text(item, "command");

		printf("#\n# line %u: %.*s%s\n#     %s\n", (unsigned int)print_number(item, "line"), TEXT_SHOWN, text,
		       strlen(text) > TEXT_SHOWN ? "..." : "", print_text(item, "remark"));
	}
}

/* Reads the whole file, "-" for standard input; one byte more than allowed suffices to detect an excess. */
static int read_all(const char *path, char **text, size_t *len, struct error *error)
{
	FILE *file = strcmp(path, "-") != 0 ? file_open(path) : stdin;
	int ret = 0;

	*len = 0;
	*text = malloc(IMPORT_SIZE_MAX + 1);
	if (!file || !*text)
		ret = file_error(error, "open", path);
	if (file && *text) {
		*len = fread(*text, 1, IMPORT_SIZE_MAX + 1, file);
		if (ferror(file))
			ret = file_error(error, "read", path);
	}
	if (file && file != stdin)
		fclose(file);
	return ret;
}

static int parse_words(int argc, char **argv, char tunnel[IFNAMSIZ], struct error *error)
{
	if (!argc)
		return error_usage(error, "FILE is missing");
	if (argc > 2)
		return error_usage(error, "unexpected word '%s': one FILE and one IFACE", argv[2]);
	if (argc == 2)
		return import_parse_name(argv[1], tunnel, error);
	if (strcmp(argv[0], "-") != 0)
		return import_parse_path(argv[0], tunnel, error);
	error_usage(error, "IFACE is missing: standard input has no name");
	error_hint(error, "wgvia import - IFACE");
	return -EINVAL;
}

int cmd_import(struct context *context, int argc, char **argv)
{
	cleanup(import_free) struct import import = {};
	cleanup(print_release) json *values = NULL;
	cleanup_free char *text = NULL;
	struct choice choice = {};
	char tunnel[IFNAMSIZ];
	size_t len;
	int ret = parse_words(argc, argv, tunnel, &context->error);

	ret = ret ? ret : read_all(argv[0], &text, &len, &context->error);
	ret = ret ? ret : import_read(tunnel, text, len, &import, &context->error);
	if (ret)
		return ret;
	choose_mode(&import, argv[0], &choice);
	if (import_set_mode(&import, choice.mode, choice.mss))
		return error_system(&context->error, ENOMEM, "cannot read the file");
	values = print_array();
	print_append(values, describe_import(&import, &choice));
	print_instances(context, values, true, print_import);
	return 0;
}
