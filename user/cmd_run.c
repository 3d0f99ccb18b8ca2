// SPDX-License-Identifier: GPL-2.0-only
/*
 * wgvia run IFACE [FILE] [interval SECONDS] [hold SECONDS] [tries N]: in the foreground, for systemd.
 */
#include <string.h>

#include "agent.h"

int cmd_run(struct context *context, int argc, char **argv)
{
	struct run_words words;
	int ret = parse_run(argc, argv, &words, &context->error);

	if (ret)
		return ret;
	if (words.path && !strcmp(words.path, "-"))
		return error_usage(&context->error, "'-' cannot be read again: the name of a FILE is needed");
	return agent_run(context, &words);
}
