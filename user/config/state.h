/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What an instance holds, as a value: which source goes via which gateway, which destinations are left alone. It comes
 * from the maps (datapath/state_maps.c) or from what the user and the host say (plan/plan.c), and two of them can be
 * compared.
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
	uint32_t number; /* 1 to WGVIA_FAILOVER_LISTS; each once in a state */
	struct wgvia_failover content;
};

/*
 * "from addresses ...", "from allowed-ips ...", for one family: what the prefixes get that come from there. The value's
 * family 0 stands for the next hop of the default route, by the device `ifindex` or by any with 0.
 */
struct source_entry {
	enum wgvia_source source;
	uint8_t family;
	struct wgvia_gateway value;
};
#define SOURCES_MAX ((WGVIA_SOURCE_COUNT - 1) * 2)

/*
 * Whose frames count as a gateway's, besides what the neighbour table has for it: "return ... also ADDRESS|MAC". The
 * MAC addresses are in order; the hops, 0 to WGVIA_FAILOVER_HOPS, are as the user gave them.
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
 * The arrays of prefixes are sorted by prefix_compare() and hold each prefix once. A gateway that was taken from a list
 * has its number in the value's flags; see failover.h.
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
	struct source_entry sources[SOURCES_MAX]; /* by source, then family; each once */
	size_t source_count;
	struct accepted accepted; /* findings of `check` */
	bool keep_choice;	  /* state_maps_write(): what is in force of a list is an agent's choice, and stays */
};

void state_free(struct state *state); /* for cleanup(), too */

/* Adds an entry at the end; the arrays are out of order until state_sort(). 0 or -ENOMEM. */
int state_add_gateway(struct state *state, const struct prefix *from, const struct wgvia_gateway *value);
int state_add_bypass(struct state *state, const struct prefix *to, enum wgvia_verdict verdict, uint32_t flags);
/*
 * Puts both arrays in order. Of several bypass entries for one prefix the verdict that comes first in the decision
 * table stays, with the flags of all; of several gateways the last.
 */
void state_sort(struct state *state);

/* NULL where there is none. The state is in order. */
struct gateway_entry *state_find_gateway(const struct state *state, const struct prefix *from);
struct bypass_entry *state_find_bypass(const struct state *state, const struct prefix *to);
/* The longest prefix that holds the address, as the packet path finds it; NULL where there is none. */
struct gateway_entry *state_match_gateway(const struct state *state, const struct ip *ip);
struct bypass_entry *state_match_bypass(const struct state *state, const struct ip *ip);
/* The widest prefix of the state that covers `prefix`. */
struct gateway_entry *state_covering_gateway(const struct state *state, const struct prefix *prefix);
/* The same, or, where there is none, the first of those that `prefix` covers. */
struct gateway_entry *state_overlapping_gateway(const struct state *state, const struct prefix *prefix);
/* How many of the state's prefixes `prefix` covers. */
size_t state_count_gateways(const struct state *state, const struct prefix *prefix);
/* The entry of the longest prefix that covers `prefix`. */
struct bypass_entry *state_covering_bypass(const struct state *state, const struct prefix *prefix);
/* Takes the entry, which is one of the state's, out. */
void state_remove_gateway(struct state *state, struct gateway_entry *entry);

/* A verdict that an entry may have; any other is a bypass to the packet path: lookup_bypass() in bpf/. */
bool bypass_is_known(const struct wgvia_bypass *value);
/* On the administrator's list, be it by the flag or written without it by bpftool. */
bool bypass_is_admin(const struct wgvia_bypass *value);
struct ip gateway_ip(const struct wgvia_gateway *gateway);
struct wgvia_gateway gateway_value(const struct ip *via, uint32_t ifindex);

#endif
