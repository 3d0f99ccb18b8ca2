// SPDX-License-Identifier: GPL-2.0-only
/*
 * Compares this host's addresses with the prefixes and the bypass list.
 */
#include "plan/lan.h"

#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

#include "base/error.h"
#include "base/util.h"
#include "plan/bypass.h"

/* --- LANs --- */

/* Whether an egress program is attached to this Ethernet device: other tunnels have no LAN hosts. */
static bool is_watched(const struct points *points, uint32_t ifindex)
{
	for (size_t i = 0; i < points->count; i++)
		if (points->all[i].direction == WGVIA_EGRESS && points->all[i].ifindex == ifindex && !points->all[i].l3)
			return true;
	return false;
}

static struct prefix network_of(const struct address *address)
{
	return (struct prefix){ip_mask(address->ip, address->len), address->len};
}

/* Whether the administrator exempted all of it: see heed_admin() in bypass.c. */
static bool is_exempt(const struct state *state, const struct prefix *lan)
{
	const struct bypass_entry *entry = state_covering_bypass(state, lan);

	return entry && (bypass_is_admin(&entry->value) || (entry->value.flags & WGVIA_BYPASS_EGRESS));
}

/* Whether other hosts can be on the address's link, with an egress program that sees what this host sends there. */
static bool is_lan(const struct state *state, const struct points *points, const struct address *address)
{
	const struct prefix network = network_of(address);

	return address->len < ip_bits(address->ip.family) && !ip_is_link_local(&address->ip) &&
	       address->ifindex != state->tunnel_ifindex && is_watched(points, address->ifindex) &&
	       !is_exempt(state, &network);
}

/* Whether the only possible other host is the gateway. */
static bool is_gateways_alone(const struct prefix *lan, const struct wgvia_gateway *gateway)
{
	struct ip via = gateway_ip(gateway);
	unsigned int bits = ip_bits(lan->ip.family) - lan->len;

	return bits <= (lan->ip.family == AF_INET ? 2 : 1) && prefix_contains(lan, &via);
}

/* This host's LAN that contains the address; NULL: none. */
static const struct address *find_lan(const struct state *state, const struct points *points,
				      const struct addresses *addresses, const struct ip *ip)
{
	for (size_t i = 0; i < addresses->count; i++) {
		const struct address *address = &addresses->all[i];
		const struct prefix network = network_of(address);

		if (address->ip.family == ip->family && prefix_contains(&network, ip) && is_lan(state, points, address))
			return address;
	}
	return NULL;
}

/* --- own addresses --- */

static struct ip find_free(const struct state *state, const struct addresses *addresses, const struct prefix *lan)
{
	for (size_t i = 0; i < addresses->count; i++)
		if (addresses->all[i].is_usable && prefix_contains(lan, &addresses->all[i].ip) &&
		    !state_match_gateway(state, &addresses->all[i].ip))
			return addresses->all[i].ip;
	return (struct ip){};
}

static struct lan_conflict *find_conflict(const struct lan_conflicts *conflicts, bool is_own,
					  const struct prefix *prefix)
{
	for (size_t i = 0; i < conflicts->count; i++) {
		struct lan_conflict *conflict = &conflicts->all[i];

		if (!conflict->own.family == !is_own &&
		    !prefix_compare(is_own ? &conflict->from : &conflict->lan, prefix))
			return conflict;
	}
	return NULL;
}

/* Of several addresses, shows one that leaves the LAN no other way to reach this host. */
static int add_conflict(struct lan_conflicts *conflicts, const struct lan_conflict *added)
{
	bool is_own = added->own.family;
	struct lan_conflict *known = find_conflict(conflicts, is_own, is_own ? &added->from : &added->lan);
	size_t count = known ? known->count + 1 : 1;

	if (!known)
		known = array_grow(&conflicts->all, &conflicts->count, sizeof(*known));
	if (!known)
		return -ENOMEM;
	if (count == 1 || (known->free.family && !added->free.family))
		*known = *added;
	known->count = count;
	return 0;
}

static int find_own(const struct state *state, const struct points *points, const struct addresses *addresses,
		    struct lan_conflicts *conflicts)
{
	int ret = 0;

	for (size_t i = 0; i < addresses->count && !ret; i++) {
		const struct address *own = &addresses->all[i], *lan;
		const struct gateway_entry *entry =
			ip_is_link_local(&own->ip) ? NULL : state_match_gateway(state, &own->ip);
		struct lan_conflict conflict = {.own = own->ip, .own_ifindex = own->ifindex};

		lan = entry ? find_lan(state, points, addresses, &own->ip) : NULL;
		if (!lan)
			continue;
		conflict.from = entry->from;
		conflict.lan = network_of(lan);
		conflict.lan_ifindex = lan->ifindex;
		conflict.free = find_free(state, addresses, &conflict.lan);
		if (!is_gateways_alone(&conflict.lan, &entry->value))
			ret = add_conflict(conflicts, &conflict);
	}
	return ret;
}

/* --- clients --- */

static int find_clients(const struct state *state, const struct address *lan, struct lan_conflicts *conflicts)
{
	struct lan_conflict conflict = {.lan = network_of(lan), .lan_ifindex = lan->ifindex};
	size_t first, count;
	int ret = 0;

	if (find_conflict(conflicts, false, &conflict.lan)) /* by another address of this host there */
		return 0;
	count = prefix_inside(state->bypass, state->bypass_count, sizeof(*state->bypass), &conflict.lan, &first);
	for (size_t i = first; i < first + count && !ret; i++) {
		conflict.from = state->bypass[i].to;
		if (state->bypass[i].value.verdict == WGVIA_TUNNEL && state_overlapping_gateway(state, &conflict.from))
			ret = add_conflict(conflicts, &conflict);
	}
	return ret;
}

int lan_find(const struct state *state, const struct points *points, const struct addresses *addresses,
	     struct lan_conflicts *conflicts)
{
	int ret;

	*conflicts = (struct lan_conflicts){};
	ret = find_own(state, points, addresses, conflicts);
	for (size_t i = 0; i < addresses->count && !ret; i++)
		if (is_lan(state, points, &addresses->all[i]))
			ret = find_clients(state, &addresses->all[i], conflicts);
	return ret;
}

/* --- texts --- */

static const char *const own_effects[] = {
	[WGVIA_RETURN_VIA] =
		"hosts of the LAN '%s' reach it only via the firewall, and not at all (no SSH, either) while "
		"the firewall is down",
	[WGVIA_RETURN_ANY] = "this host answers hosts of the LAN '%s' via the firewall, which has not seen their "
			     "packets: connections from there, such as SSH, fail",
	[WGVIA_RETURN_DROP] =
		"'return drop' drops packets that hosts of the LAN '%s' send to it: connections from there, such as "
		"SSH, fail",
};

static const char *const client_effects[] = {
	[WGVIA_RETURN_VIA] = "wgvia sends each of their packets to the firewall first",
	[WGVIA_RETURN_ANY] = "'return any' lets their packets bypass the firewall",
	[WGVIA_RETURN_DROP] = "'return drop' drops their packets",
};

const char *lan_text(const struct lan_conflict *conflict, const struct state *state, const struct netdevs *netdevs,
		     char text[LAN_TEXT])
{
	char own[IP_TEXT_LEN], from[PREFIX_TEXT_LEN], lan[PREFIX_TEXT_LEN], more[MORE_TEXT_LEN], dev[IFNAMSIZ];
	enum wgvia_return ret = (size_t)state->ret < ARRAY_SIZE(own_effects) ? state->ret : WGVIA_RETURN_VIA;
	size_t len;

	prefix_text(&conflict->from, from);
	prefix_text(&conflict->lan, lan);
	more_text(conflict->count, more);
	if (!conflict->own.family) {
		snprintf(text, LAN_TEXT,
			 "'%s'%s in the tunnel is a part of the LAN '%s' of dev %s: hosts there send to these "
			 "addresses directly, and %s",
			 from, more, lan, netdev_name(netdevs, conflict->lan_ifindex, dev), client_effects[ret]);
		return text;
	}
	len = snprintf(text, LAN_TEXT,
		       "the address '%s' of dev %s%s is in the prefix '%s': ", ip_text(&conflict->own, own),
		       netdev_name(netdevs, conflict->own_ifindex, dev), more, from);
	len += snprintf(text + len, LAN_TEXT - len, own_effects[ret], lan);
	if (conflict->free.family)
		snprintf(text + len, LAN_TEXT - len, "; this host's address '%s' there is in no prefix",
			 ip_text(&conflict->free, own));
	return text;
}

bool lan_explains(const struct lan_conflicts *conflicts, const struct ip *from, const struct ip *to)
{
	for (size_t i = 0; i < conflicts->count; i++)
		if (prefix_contains(&conflicts->all[i].lan, from) && prefix_contains(&conflicts->all[i].lan, to))
			return true;
	return false;
}

int lan_narrower(const struct state *state, const struct points *points, const struct addresses *addresses,
		 const struct prefix *from, struct prefixes *ranges)
{
	size_t kept = 0;
	bool helps = true;
	int ret = bypass_tunnel_ranges(state, ranges);

	if (ret)
		return ret;
	for (size_t i = 0; i < ranges->count; i++) {
		if (!prefix_covers(from, &ranges->all[i]))
			helps &= !prefix_covers(&ranges->all[i], from);
		else if (prefix_compare(from, &ranges->all[i]))
			ranges->all[kept++] = ranges->all[i];
		else
			helps = false;
	}
	ranges->count = kept;
	for (size_t i = 0; i < addresses->count && helps; i++) {
		const struct prefix own = prefix_of_ip(&addresses->all[i].ip);

		helps = !prefixes_cover(ranges, &own) || !find_lan(state, points, addresses, &addresses->all[i].ip);
	}
	if (!helps)
		ranges->count = 0;
	return 0;
}
