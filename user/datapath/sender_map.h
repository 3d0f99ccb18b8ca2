/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Results of probes of the gateways, in the map `senders`; and what the packet path reports about senders, in `learnt`
 * and `bounced`. Entries that the administrator named belong to also_map.c and are not touched.
 */
#ifndef WGVIA_SENDER_MAP_H
#define WGVIA_SENDER_MAP_H

#include "datapath/instance.h"
#include "host/sender_probe.h"

/*
 * Writes the results for these gateways, which are all of the instance's, or with `some` only some. It removes a MAC
 * address from an earlier probe if the gateway now answered from another one, or is no longer a gateway of the
 * instance. `*changed`: an entry was added or removed. 0 or -errno.
 */
int sender_map_write(const struct instance *instance, const struct sender_targets *targets, bool some, bool *changed);

/* Whether a map with such keys, MAP_SENDERS or MAP_LEARNT, has an entry with that MAC address, for any gateway. */
bool sender_map_has(const struct instance *instance, enum map which, const uint8_t mac[6]);

/* Frames that did not come from the gateway, by their source and MAC addresses (map `bounced`). */
struct bounced_entry {
	struct wgvia_bounce key;
	struct wgvia_bounced value;
};
/* Frames seen since `since`, in nanoseconds of CLOCK_MONOTONIC. The caller frees the array. 0 or -ENOMEM. */
int sender_map_read_bounced(const struct instance *instance, uint64_t since, struct bounced_entry **entries,
			    size_t *count);

#endif
