/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What a probe has found about the gateways, in the map `senders`; and all of it together, for commands. Entries that
 * the administrator has named are also_map.c's, and are left as they are.
 */
#ifndef WGVIA_SENDER_MAP_H
#define WGVIA_SENDER_MAP_H

#include "command.h"
#include "instance.h"
#include "print.h"
#include "sender_probe.h"

/*
 * Writes what was found of these gateways, which are all of the instance's, or with `some` some of them. A MAC address
 * that an earlier probe had found goes where the gateway has answered from another, or is none of the instance's any
 * more. `*changed`: an entry was added or removed. 0 or -errno.
 */
int sender_map_write(const struct instance *instance, const struct sender_targets *targets, bool some, bool *changed);
/* The same for an instance by name, with the lock. One that is not there is a success. */
int sender_map_write_to(const char *pin_dir, const char *tunnel, const struct sender_targets *targets, bool some,
			bool *changed);

/*
 * Probes these gateways of an instance, writes what it finds, and adds a note for each that sends from another MAC
 * address. Returns whether an entry of the map has changed. What fails here is not told: packets flow without it, and
 * an agent or the next `up` tries again.
 */
bool sender_map_probe(const struct context *context, const char *tunnel, struct sender_targets *targets, bool some,
		      json *notes);
/* The same for all gateways of a state that was just put into force. */
bool sender_map_probe_all(const struct context *context, const struct state *state, const struct links *links,
			  json *notes);

#endif
