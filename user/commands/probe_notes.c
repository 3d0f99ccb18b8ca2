// SPDX-License-Identifier: GPL-2.0-only
/*
 * Runs a probe, writes its results to the map, and adds a note for each gateway that sends from another MAC address.
 */
#include "commands/probe_notes.h"

#include "base/util.h"

bool probe_notes(const struct context *context, const char *tunnel, struct sender_targets *targets, bool some,
		 json *notes)
{
	char text[SENDER_TEXT_MAX];
	bool changed;

	sender_probe_run(targets);
	if (session_write_senders(context->pin_dir, tunnel, targets, some, &changed))
		return false;
	for (size_t i = 0; i < targets->count; i++)
		if (sender_is_another(&targets->all[i]))
			print_append_text(notes, sender_text(&targets->all[i], text));
	return changed;
}

bool probe_notes_all(const struct session *session, json *notes)
{
	struct sender_targets targets = {};
	bool changed;

	if (sender_targets_choose(session->host, &session->plan.state, &targets))
		return false;
	changed = probe_notes(session->context, session->tunnel, &targets, false, notes);
	free(targets.all);
	return changed;
}
