// SPDX-License-Identifier: GPL-2.0-only
/*
 * wgvia down IFACE. The interface need not exist: wg-quick removes it before PostDown. Nothing to do is a success. What
 * does not belong to wgvia is named, and is not an error either, so that it does not stop wg-quick.
 */
#include <errno.h>

#include "base/util.h"
#include "commands/command.h"
#include "commands/message.h"
#include "commands/output.h"
#include "config/parse.h"
#include "datapath/pins.h"
#include "session/session.h"

/* Whether there is an instance of that name, running or incomplete. */
static bool is_there(const struct context *context, const char *tunnel)
{
	for (int folder = PINS_CURRENT; folder <= PINS_AGENT; folder++)
		if (pins_exist(context->pin_dir, tunnel, folder))
			return true;
	return false;
}

static void note_unknown(const char *tunnel)
{
	struct error note = {};

	error_refuse(&note, "nothing to remove: no instance on '%s', and no such interface", tunnel);
	error_hint(&note, "'wgvia show' lists the instances");
	message_print(&note);
}

/* Only as JSON: the text form of a success is silent. */
static void print_outcome(const struct context *context, const char *tunnel, bool removed, const struct error *left)
{
	cleanup(print_release) json *values = print_array();
	json *value = print_object(), *notes = print_array();

	if (left->text[0])
		print_append_text(notes, left->text);
	print_add_text(value, "interface", tunnel);
	print_add_bool(value, "removed", removed);
	print_add(value, "notes", notes);
	print_append(values, value);
	if (context->json)
		print_instances(context, values, true, NULL);
}

int cmd_down(struct context *context, int argc, char **argv)
{
	struct error *error = &context->error, left;
	char tunnel[IFNAMSIZ];
	bool was_there;
	int ret;

	if (parse_tunnel(argc, argv, tunnel, error))
		return -EINVAL;
	was_there = is_there(context, tunnel);
	ret = session_remove(context, tunnel, &left);
	if (ret)
		return ret;
	if (left.text[0])
		message_print(&left);
	if (!was_there && !if_nametoindex(tunnel))
		note_unknown(tunnel);
	print_outcome(context, tunnel, was_there, &left);
	return 0;
}
