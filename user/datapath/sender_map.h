/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What a probe has found about the gateways, in the map `senders`. Entries that the administrator has named are
 * also_map.c's, and are left as they are. And what the packet path reports about senders, in
 * `learnt` and `bounced`.
 */
#ifndef WGVIA_SENDER_MAP_H
#define WGVIA_SENDER_MAP_H

#include "datapath/instance.h"
#include "host/sender_probe.h"

/*
 * Writes what was found of these gateways, which are all of the instance's, or with `some` some of them. A MAC address
 * that an earlier probe had found goes where the gateway has answered from another, or is none of the instance's any
 * more. `*changed`: an entry was added or removed. 0 or -errno.
 */
int sender_map_write(const struct instance *instance, const struct sender_targets *targets, bool some, bool *changed);

/* Whether a map with such keys, MAP_SENDERS or MAP_LEARNT, has an entry with that MAC address, of any gateway. */
bool sender_map_has(const struct instance *instance, enum map which, const uint8_t mac[6]);

/* Frames that did not come from the gateway, by their source and MAC addresses (map `bounced`). */
struct bounced_entry {
	struct wgvia_bounce key;
	struct wgvia_bounced value;
};
/* Those that were seen since `since`, in nanoseconds of CLOCK_MONOTONIC. The array is the caller's. 0 or -ENOMEM. */
int sender_map_read_bounced(const struct instance *instance, uint64_t since, struct bounced_entry **entries,
			    size_t *count);

#endif
