/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Probing the gateways after a command put something into force, and the notes for the user.
 */
#ifndef WGVIA_PROBE_NOTES_H
#define WGVIA_PROBE_NOTES_H

#include "commands/output.h"
#include "host/sender_probe.h"
#include "session/session.h"

/*
 * Probes these gateways of an instance, writes the results, and adds a note for each one that sends from another MAC
 * address. Returns whether an entry of the map changed. Failures are not reported: packets flow without the results,
 * and an agent or the next `up` tries again.
 */
bool probe_notes(const struct context *context, const char *tunnel, struct sender_targets *targets, bool some,
		 json *notes);
/* The same for all gateways of a plan that was just put into force. */
bool probe_notes_all(const struct session *session, json *notes);

#endif
