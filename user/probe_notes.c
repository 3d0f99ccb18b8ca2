// SPDX-License-Identifier: GPL-2.0-only
/*
 * A probe, its outcome into the map, a note for each gateway that sends from another MAC address.
 */
#include "probe_notes.h"

#include "sender_map.h"
#include "util.h"

bool probe_notes(const struct context *context, const char *tunnel, struct sender_targets *targets, bool some,
		 json *notes)
{
	char text[SENDER_TEXT_MAX];
	bool changed;

	sender_probe_run(targets);
	if (sender_map_write_to(context->pin_dir, tunnel, targets, some, &changed))
		return false;
	for (size_t i = 0; i < targets->count; i++)
		if (sender_is_another(&targets->all[i]))
			print_append_text(notes, sender_text(&targets->all[i], text));
	return changed;
}

bool probe_notes_all(const struct context *context, const struct state *state, const struct links *links, json *notes)
{
	cleanup(rtnl_close) struct rtnl *rtnl = NULL;
	struct sender_targets targets = {};
	bool changed;

	if (rtnl_open(&rtnl) || sender_targets_choose(rtnl, state, links, &targets))
		return false;
	changed = probe_notes(context, state->tunnel, &targets, false, notes);
	free(targets.all);
	return changed;
}
