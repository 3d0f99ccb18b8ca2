// SPDX-License-Identifier: GPL-2.0-only
/*
 * Options in the style of iproute2 (-br is one option of two letters) and of getopt_long() (-jv is two options,
 * --net=NAME an abbreviation of one), anywhere in the line. "--" ends them.
 */
#include "commands/options.h"

#include <ctype.h>
#include <string.h>
#include <sys/socket.h>

#include "base/util.h"
#include "commands/color.h"
#include "commands/terminal.h"
#include "datapath/pins.h"

enum option_id {
	OPTION_JSON,
	OPTION_PRETTY,
	OPTION_IPV4,
	OPTION_IPV6,
	OPTION_BRIEF,
	OPTION_COLOR,
	OPTION_NETNS,
	OPTION_PIN_DIR,
	OPTION_VERBOSE,
	OPTION_VERSION,
	OPTION_HELP,
};

static const struct option {
	enum option_id id;
	const char *letters; /* after one '-'; NULL: none */
	const char *name;    /* after "--"; NULL: none */
	const char *value;   /* required; with '[' optional, after '='; NULL: none */
	const char *description;
} known[] = {
	{OPTION_JSON, "j", "json", NULL, "print JSON"},
	{OPTION_PRETTY, "p", "pretty", NULL, "with -j: in lines with indentation"},
	{OPTION_IPV4, "4", NULL, NULL, "show: only prefixes and bypass entries of IPv4"},
	{OPTION_IPV6, "6", NULL, NULL, "show: only those of IPv6"},
	{OPTION_BRIEF, "br", "brief", NULL, "show: one line for each instance"},
	{OPTION_COLOR, "c", "color", "[=WHEN]", "red for what is wrong: always, never, or auto, on a terminal [auto]"},
	{OPTION_NETNS, "n", "netns", "NAME", "work in a network namespace: a name of 'ip netns', a path, or a PID"},
	{OPTION_PIN_DIR, NULL, "pin-dir", "DIR", "keep the pins below DIR [" PINS_DEFAULT "]"},
	{OPTION_VERBOSE, "v", "verbose", NULL, "more output; twice: libbpf's and the verifier's too"},
	{OPTION_VERSION, "V", "version", NULL, "print the version"},
	{OPTION_HELP, "h", "help", NULL, "print this, or after a command its keywords"},
};

/* The remaining words of the command line, and the results of the others. */
struct parse {
	int argc;
	char **argv;
	int at;
	bool ended; /* by "--" */
	struct options *options;
	struct context *context;
	struct error unknown; /* command */
};

static int refuse(struct parse *parse, const char *text)
{
	const struct command *command = parse->options->command;

	error_usage(&parse->context->error, "unknown option '%s'", text);
	error_hint(&parse->context->error, "'wgvia %s%s--help' lists the options", command ? command->name : "",
		   command ? " " : "");
	return -EINVAL;
}

static int take_color(struct parse *parse, const char *value)
{
	enum color_when when = COLOR_ALWAYS;

	if (value && !color_parse(value, &when))
		return error_usage(&parse->context->error, "'%s' is not a value of --color: auto, always or never",
				   value);
	color_choose(when);
	return 0;
}

/* `value`: after '=' or in the same word; NULL: none. */
static int take(struct parse *parse, const struct option *option, const char *value, const char *text)
{
	struct context *context = parse->context;
	bool needs = option->value && option->value[0] != '[';

	if (value && !option->value)
		return error_usage(&context->error, "option '%s' takes no value", text);
	if (needs && !value && parse->at == parse->argc)
		return error_usage(&context->error, "option '%s' needs a value", text);
	if (needs && !value)
		value = parse->argv[parse->at++];
	switch (option->id) {
	case OPTION_JSON:
		context->json = true;
		break;
	case OPTION_PRETTY:
		context->pretty = true;
		break;
	case OPTION_IPV4:
		context->family = AF_INET;
		break;
	case OPTION_IPV6:
		context->family = AF_INET6;
		break;
	case OPTION_BRIEF:
		context->brief = true;
		break;
	case OPTION_COLOR:
		return take_color(parse, value);
	case OPTION_NETNS:
		parse->options->netns = value;
		break;
	case OPTION_PIN_DIR:
		context->pin_dir = value;
		break;
	case OPTION_VERBOSE:
		context->verbose++;
		break;
	case OPTION_VERSION:
		parse->options->version = true;
		break;
	case OPTION_HELP:
		parse->options->help = true;
		break;
	}
	return 0;
}

/* "--NAME", "--NAME=VALUE"; NAME may be abbreviated. */
static int take_long(struct parse *parse, const char *text)
{
	size_t len = strcspn(text + 2, "=");
	const char *value = text[2 + len] ? text + 2 + len + 1 : NULL;
	const struct option *found = NULL;
	size_t count = 0;

	for (size_t i = 0; i < ARRAY_SIZE(known) && len; i++) {
		if (!known[i].name || strncmp(known[i].name, text + 2, len) != 0)
			continue;
		found = &known[i];
		count++;
		if (!known[i].name[len]) {
			count = 1;
			break;
		}
	}
	if (count > 1)
		return error_usage(&parse->context->error, "option '%s' is ambiguous", text);
	return found ? take(parse, found, value, text) : refuse(parse, text);
}

static void add_word(struct parse *parse, const char *word)
{
	parse->options->words[parse->options->word_count++] = (char *)word;
}

/* The option of the command itself with which `text` begins; NULL: none. */
static const char *own_option(const struct parse *parse, const char *text, size_t len)
{
	const struct command *command = parse->options->command;

	for (const char *const *own = command ? command->options : NULL; own && *own; own++)
		if (strlen(*own) == len && !strncmp(*own, text, len))
			return *own;
	return NULL;
}

static const struct option *find_letters(const char *letters, size_t len)
{
	for (size_t i = 0; i < ARRAY_SIZE(known); i++)
		if (known[i].letters && strlen(known[i].letters) == len && !strncmp(known[i].letters, letters, len))
			return &known[i];
	return NULL;
}

/* "-j", "-br", "-jv", "-nNAME", "-c=WHEN" */
static int take_letters(struct parse *parse, const char *text)
{
	const struct option *option = find_letters(text + 1, strcspn(text + 1, "="));
	const char *value = strchr(text, '=');

	if (option && (!option->letters[1] || !value))
		return take(parse, option, value ? value + 1 : NULL, text);
	for (const char *letter = text + 1; *letter; letter++) {
		char own[] = {'-', *letter, '\0'};
		const char *word = own_option(parse, own, 2);
		int ret;

		option = find_letters(letter, 1);
		if (!word && !option)
			return refuse(parse, text);
		if (word) {
			add_word(parse, word);
			continue;
		}
		value = option->value && option->value[0] != '[' && letter[1] ? letter + 1 : NULL;
		ret = take(parse, option, value, text);
		if (ret || value)
			return ret;
	}
	return 0;
}

/* "-" is standard input, and "-1" a number, except for -4 and -6. */
static bool is_option(const char *text)
{
	return text[0] == '-' && text[1] &&
	       (!isdigit((unsigned char)text[1]) || find_letters(text + 1, strlen(text + 1)));
}

static int take_word(struct parse *parse, const char *text)
{
	struct options *result = parse->options;

	if (!parse->ended && !strcmp(text, "--")) {
		parse->ended = true;
		return 0;
	}
	if (!parse->ended && is_option(text)) {
		/* the command decides whether the option takes a value after "=" */
		if (own_option(parse, text, text[1] == '-' ? strcspn(text, "=") : strlen(text)))
			add_word(parse, text);
		else
			return text[1] == '-' ? take_long(parse, text) : take_letters(parse, text);
		return 0;
	}
	if (result->command || parse->unknown.text[0]) {
		add_word(parse, text);
		return 0;
	}
	result->command = command_find(text, &parse->unknown);
	return 0;
}

int options_parse(int argc, char **argv, struct options *options, struct context *context)
{
	struct parse parse = {.argc = argc, .argv = argv, .at = 1, .options = options, .context = context};
	size_t room = 1;

	*options = (struct options){};
	for (int i = 0; i < argc; i++)
		room += strlen(argv[i]) + 1; /* each letter may be an option of the command itself */
	options->words = calloc(room, sizeof(*options->words));
	if (!options->words)
		return error_system(&context->error, ENOMEM, "cannot read the command line");
	while (parse.at < argc) {
		int ret = take_word(&parse, argv[parse.at++]);

		if (ret)
			return ret;
	}
	if (parse.unknown.text[0]) {
		context->error = parse.unknown;
		return -EINVAL;
	}
	if (options->command && !options->command->lists && !options->help && (context->family || context->brief))
		return error_usage(&context->error, "option '%s' works with 'show' only",
				   context->brief		? "-br"
				   : context->family == AF_INET ? "-4"
								: "-6");
	return 0;
}

void options_free(struct options *options)
{
	free(options->words);
	options->words = NULL;
}

void options_print(FILE *out)
{
	for (size_t i = 0; i < ARRAY_SIZE(known); i++) {
		const struct option *option = &known[i];
		char text[64] = "";
		size_t len = 0;

		if (option->letters)
			len += snprintf(text, sizeof(text), "-%s%s", option->letters, option->name ? ", " : "");
		else
			len += snprintf(text, sizeof(text), "    ");
		if (option->name)
			snprintf(text + len, sizeof(text) - len, "--%s%s%s", option->name,
				 option->value && option->value[0] != '[' ? " " : "",
				 option->value ? option->value : "");
		terminal_print(out, 21, "  %-18s %s", text, option->description);
	}
}
