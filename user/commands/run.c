// SPDX-License-Identifier: GPL-2.0-only
/*
 * wgvia run IFACE [FILE] [interval SECONDS] [hold SECONDS] [tries N]: in the foreground, for systemd. With -j its log
 * goes to stdout, one object per line.
 */
#include <signal.h>
#include <stdio.h>
#include <string.h>

#include "agent/agent.h"
#include "agent/log.h"
#include "base/util.h"
#include "commands/output.h"
#include "host/event_bus.h"

static void print_event(const struct event *event)
{
	cleanup(print_release) json *made = event_json(event, print_realtime());
	cleanup(print_release) json *value = print_object();

	print_add_members(value, made);
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
		return error_usage(&context->error, "'-' cannot be read again on SIGHUP: name a FILE");
	if (context->json) {
		sigaction(SIGPIPE, &ignore, NULL); /* the agent survives a reader that exits */
		log_divert(print_event);
	}
	return agent_run(context, &words);
}
