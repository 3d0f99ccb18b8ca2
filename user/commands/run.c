// SPDX-License-Identifier: GPL-2.0-only
/*
 * wgvia run IFACE [FILE] [interval SECONDS] [hold SECONDS] [tries N]: in the foreground, for systemd. With -j its log
 * is on stdout, an object a line.
 */
#include <signal.h>
#include <stdio.h>
#include <string.h>

#include "agent/agent.h"
#include "agent/log.h"
#include "base/util.h"
#include "commands/output.h"

/* Of the journal's "<3>", in the words of syslog(3) and journalctl. */
static const char *priority_word(const char *priority)
{
	static const char *const words[] = {"emerg", "alert", "crit", "err", "warning", "notice", "info", "debug"};
	size_t number = priority[1] - '0';

	return number < ARRAY_SIZE(words) ? words[number] : "debug";
}

static void print_event(const char *priority, const char *tunnel, const char *line)
{
	cleanup(print_release) json *value = print_object();

	print_add_time(value, print_realtime());
	print_add_text(value, "interface", tunnel);
	print_add_text(value, "priority", priority_word(priority));
	print_add_text(value, "text", line);
	print_line(value);
	fflush(stdout);
}

int cmd_run(struct context *context, int argc, char **argv)
{
	struct sigaction ignore = {.sa_handler = SIG_IGN};
	struct run_words words;
	int ret = parse_run(argc, argv, &words, &context->error);

	if (ret)
		return ret;
	if (words.path && !strcmp(words.path, "-"))
		return error_usage(&context->error, "'-' cannot be read again: the name of a FILE is needed");
	if (context->json) {
		sigaction(SIGPIPE, &ignore, NULL); /* a reader that goes away does not end the agent */
		log_divert(print_event);
	}
	return agent_run(context, &words);
}
