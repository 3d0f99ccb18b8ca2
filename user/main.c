// SPDX-License-Identifier: GPL-2.0-only
/*
 * wgvia: from the command line to the command, in its network namespace, and from its result to the exit status.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/util.h"
#include "commands/message.h"
#include "commands/options.h"
#include "commands/output.h"
#include "commands/usage.h"
#include "datapath/pins.h"
#include "datapath/programs.h"
#include "host/event_bus.h"
#include "host/netns.h"

static int run(struct context *context, const struct options *options)
{
	int ret = options->netns ? netns_enter(options->netns, &context->error) : 0;

	return ret ? ret : options->command->function(context, options->word_count, options->words);
}

static int report_error(const struct error *error)
{
	message_print(error);
	return error->status;
}

/* The exit status after a successful command. */
static int finish_output(struct context *context)
{
	if (!fflush(stdout) && !ferror(stdout))
		return context->found;
	error_system(&context->error, errno, "cannot write the output");
	return report_error(&context->error);
}

/*
 * Keeps maps and sockets from becoming descriptor 0, 1 or 2, which are written to. A closed one is opened in the wrong
 * direction, so that its use fails.
 */
static void take_standard_descriptors(void)
{
	for (int fd = 0; fd <= STDERR_FILENO; fd++)
		if (fcntl(fd, F_GETFD) < 0 && open("/dev/null", fd == STDIN_FILENO ? O_WRONLY : O_RDONLY) != fd)
			exit(1);
}

/* "help [COMMAND]", also in the form "COMMAND --help" */
static int help(struct context *context, const struct options *options)
{
	const struct command *command = options->command;

	if (command == &command_help)
		command = options->word_count ? command_find(options->words[0], &context->error) : NULL;
	if (context->error.text[0])
		return -EINVAL;
	if (options->command == &command_help && options->word_count > 1)
		return error_usage(&context->error, "unexpected word '%s': one COMMAND", options->words[1]);
	if (command && command->function)
		usage_print_command(command, stdout);
	else
		usage_print(stdout);
	return 0;
}

static json *describe_version(void)
{
	json *value = print_object();

	print_add_text(value, "version", WGVIA_VERSION);
	return value;
}

static void print_version_text(const struct context *context, const json *value)
{
	(void)context;
	printf("wgvia %s\n", print_text(value, "version"));
}

static void print_version(const struct context *context)
{
	cleanup(print_release) json *values = print_array();

	print_append(values, describe_version());
	print_instances(context, values, true, print_version_text);
}

static int act(struct context *context, const struct options *options)
{
	if (options->help || options->command == &command_help)
		return help(context, options);
	if (options->version || options->command == &command_version) {
		print_version(context);
		return 0;
	}
	programs_set_verbose(context->verbose);
	event_bus_begin(options->command->name, context->pin_dir);
	return run(context, options);
}

int main(int argc, char **argv)
{
	cleanup(options_free) struct options options = {};
	struct context context = {.pin_dir = PINS_DEFAULT};
	int ret;

	take_standard_descriptors();
	ret = options_parse(argc, argv, &options, &context);
	if (!ret && !options.command && !options.help && !options.version) {
		usage_print(stderr);
		return 2;
	}
	ret = ret ? ret : act(&context, &options);
	return ret ? report_error(&context.error) : finish_output(&context);
}
