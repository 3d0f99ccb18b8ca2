/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The agent of an instance: a lock that it holds while it lives, how others check for it, and how they notify it of
 * changes.
 */
#ifndef WGVIA_AGENT_LOCK_H
#define WGVIA_AGENT_LOCK_H

#include <stdbool.h>

#include "base/error.h"

/*
 * Takes the lock, and returns a descriptor; closing it releases the lock. A second agent is refused, with `error` set.
 */
int agent_lock(const char *root, const char *tunnel, struct error *error);
/* Removes the folder of the lock. The lock on `root` must be held, and no agent may be alive except the caller. */
int agent_lock_remove(const char *root, const char *tunnel, struct error *error);
bool agent_is_alive(const char *root, const char *tunnel);

/* A descriptor that becomes readable when somebody calls agent_poke(), or -errno. The data to read has no meaning. */
int agent_listen(const char *root, const char *tunnel);
/* Notifies the agent, if there is one, that its instance was changed. */
void agent_poke(const char *root, const char *tunnel);

#endif
