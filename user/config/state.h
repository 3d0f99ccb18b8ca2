/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The content of an instance, as a value: which source goes via which gateway, and which destinations are exempt. It is
 * read from the maps (datapath/state_maps.c), or built from the user's words and the host (plan/plan.c). Two of them
 * can be compared.
 */
#ifndef WGVIA_STATE_H
#define WGVIA_STATE_H

#include <net/if.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/ip.h"
#include "config/accepted.h"
#include "wgvia_abi.h"

struct gateway_entry {
	struct prefix from;
	struct wgvia_gateway value; /* whose `counter` is 0: two prefixes with the same gateway have equal values */
	uint32_t counter;	    /* as in the map; see counter_numbers.h */
};

struct bypass_entry {
	struct prefix to;
	struct wgvia_bypass value;
};

/* Gateways in order of preference. */
struct gateway_list {
	uint32_t number; /* 1 to WGVIA_FAILOVER_LISTS; unique in a state */
	struct wgvia_failover content;
};

/*
 * "from addresses ...", "from allowed-ips ...", for one family: the value for the prefixes of this source. In it,
 * family 0 stands for the next hop of the default route via device `ifindex`, or via any device if that is 0.
 */
struct source_entry {
	enum wgvia_source source;
	uint8_t family;
	struct wgvia_gateway value;
};
#define SOURCES_MAX ((WGVIA_SOURCE_COUNT - 1) * 2)

/*
 * Hosts whose frames count as a gateway's, in addition to the neighbour table: "return ... also ADDRESS|MAC". The MAC
 * addresses are sorted; the hops, 0 to WGVIA_FAILOVER_HOPS, are in the user's order.
 */
#define ALSO_MACS 16
struct also {
	size_t mac_count;
	uint8_t macs[ALSO_MACS][6];
	struct wgvia_failover hops;
};

void also_sort(struct also *also);
bool also_equal(const struct also *a, const struct also *b);
bool also_has_mac(const struct also *also, const uint8_t mac[6]);

/*
 * The arrays of prefixes are sorted by prefix_compare() and contain each prefix once. A gateway from a list has the
 * list's number in the value's flags; see failover.h.
 */
struct state {
	char tunnel[IFNAMSIZ];
	uint32_t tunnel_ifindex;
	enum wgvia_mode mode;
	enum wgvia_on_fail on_fail;
	enum wgvia_return ret;
	enum wgvia_outside outside;
	uint32_t mss; /* as in struct wgvia_meta */
	enum wgvia_counting counting;
	struct also also;
	struct gateway_entry *gateways;
	size_t gateway_count;
	struct bypass_entry *bypass;
	size_t bypass_count;
	struct gateway_list *lists;
	size_t list_count;
	struct source_entry sources[SOURCES_MAX]; /* sorted by source, then family; each once */
	size_t source_count;
	struct accepted accepted; /* findings of `check` */
	bool keep_choice;	  /* for state_maps_write(): the agent's choice of a list's gateway stays in force */
};

void state_free(struct state *state); /* also for cleanup() */

/* Appends an entry; the arrays are unsorted until state_sort(). 0 or -ENOMEM. */
int state_add_gateway(struct state *state, const struct prefix *from, const struct wgvia_gateway *value);
int state_add_bypass(struct state *state, const struct prefix *to, enum wgvia_verdict verdict, uint32_t flags);
/*
 * Sorts both arrays. Of several bypass entries for one prefix, the verdict that comes first in the decision table wins,
 * with the flags of all; of several gateways, the last one wins.
 */
void state_sort(struct state *state);

/* NULL: no such entry. The state must be sorted. */
struct gateway_entry *state_find_gateway(const struct state *state, const struct prefix *from);
struct bypass_entry *state_find_bypass(const struct state *state, const struct prefix *to);
/* The longest prefix that contains the address, as the packet path finds it; NULL: none. */
struct gateway_entry *state_match_gateway(const struct state *state, const struct ip *ip);
struct bypass_entry *state_match_bypass(const struct state *state, const struct ip *ip);
/* The widest prefix of the state that covers `prefix`. */
struct gateway_entry *state_covering_gateway(const struct state *state, const struct prefix *prefix);
/* The same or, if there is none, the first of those that `prefix` covers. */
struct gateway_entry *state_overlapping_gateway(const struct state *state, const struct prefix *prefix);
/* How many of the state's prefixes `prefix` covers. */
size_t state_count_gateways(const struct state *state, const struct prefix *prefix);
/* The entry of the longest prefix that covers `prefix`. */
struct bypass_entry *state_covering_bypass(const struct state *state, const struct prefix *prefix);
/* Removes the entry, which must be in the state. */
void state_remove_gateway(struct state *state, struct gateway_entry *entry);

/* Whether an entry may have this verdict; the packet path treats any other as a bypass: lookup_bypass() in bpf/. */
bool bypass_is_known(const struct wgvia_bypass *value);
/* Whether it is on the administrator's list: by the flag, or written without the flag by bpftool. */
bool bypass_is_admin(const struct wgvia_bypass *value);
struct ip gateway_ip(const struct wgvia_gateway *gateway);
struct wgvia_gateway gateway_value(const struct ip *via, uint32_t ifindex);

#endif
