/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Who watches an instance: a lock that one agent holds for as long as it lives, how others ask for it, and how they
 * tell the agent that they have changed something.
 */
#ifndef WGVIA_AGENT_LOCK_H
#define WGVIA_AGENT_LOCK_H

#include <stdbool.h>

#include "base/error.h"

/* Takes the lock; closing the descriptor, which is returned, gives it back. Another agent is refused, with `error` set.
 */
int agent_lock(const char *root, const char *tunnel, struct error *error);
/* Removes what the lock is on. The lock on `root` is held, and no agent is alive, or it is the one that asks. */
int agent_lock_remove(const char *root, const char *tunnel, struct error *error);
bool agent_is_alive(const char *root, const char *tunnel);

/* A descriptor that becomes readable when somebody calls agent_poke(), or -errno. What is to be read tells nothing. */
int agent_listen(const char *root, const char *tunnel);
/* Tells the agent, where there is one, that its instance has been changed. */
void agent_poke(const char *root, const char *tunnel);

#endif
