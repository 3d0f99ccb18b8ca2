/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What a command added and removed, and its notes: the same output for `up`, `apply`, `route` and `bypass`.
 */
#ifndef WGVIA_CHANGES_H
#define WGVIA_CHANGES_H

#include "commands/output.h"
#include "config/state.h"
#include "session/session.h"

/*
 * An array with an object per statement: {"action": "add"|"del", "statement": in words}, and the statement's content
 * under the keys of `show`. `from` NULL: nothing is running.
 */
json *changes_of_states(const struct state *from, const struct state *to, const struct netdevs *netdevs);
/* The same for the plan of a session, before session_commit(). */
json *changes_of_plan(const struct session *session);

/*
 * Prints {"interface": ..., "changes": ..., "notes": ...}; the object takes ownership of both arrays. The text form has
 * a line for each change if `as_text`, and one for each note.
 */
void changes_print(const struct session *session, json *changes, json *notes, bool as_text);

#endif
