// SPDX-License-Identifier: GPL-2.0-only
/*
 * Findings about the return path: hosts of the LAN that send packets for a prefix directly to this host. The packet
 * path records in the map `bounced` what it sends to the firewall for that reason; what it accepts or drops, it only
 * counts.
 */
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>

#include "base/util.h"
#include "check/finding.h"
#include "config/failover.h"
#include "datapath/sender_map.h"
#include "datapath/state_maps.h"

#define HOSTS_MAX 8	       /* named in a finding */
#define HOSTS_SEEN 256	       /* distinguished */
#define OLDEST 600000000000ull /* ns; a redirect is valid for 300 s */

struct host {
	uint8_t mac[6];
	uint32_t ifindex;
	struct ip from, to; /* of its last packet */
	bool has_others;    /* source addresses */
	uint64_t last;	    /* ns */
};

struct hosts {
	struct host *all;
	size_t count;
};

static uint64_t now_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000000000 + (uint64_t)now.tv_nsec;
}

/* --- owner of a MAC address --- */

static bool neighbours_have_mac(const struct examined *examined, const struct hops *hops, const uint8_t mac[6])
{
	for (size_t i = 0; i < hops->count; i++) {
		struct wgvia_gateway value = hop_value(&hops->all[i], 0);
		struct ip via = gateway_ip(&value);
		struct neighbour neighbour;

		if (!rtnl_get_neighbour(examined->host->rtnl, value.ifindex, &via, &neighbour) &&
		    neighbour.has_lladdr && !memcmp(neighbour.lladdr, mac, sizeof(neighbour.lladdr)))
			return true;
	}
	return false;
}

/* A firewall that sends from a MAC address other than that in its answers is bounced until this is known. */
static bool is_gateway(const struct examined *examined, const struct hops *hops, const uint8_t mac[6])
{
	return sender_map_has(examined->instance, MAP_SENDERS, mac) ||
	       sender_map_has(examined->instance, MAP_LEARNT, mac) || neighbours_have_mac(examined, hops, mac);
}

/* --- bounced packets --- */

static struct host *find_host(struct hosts *hosts, const struct wgvia_bounce *key, uint32_t ifindex)
{
	struct host *host;

	for (size_t i = 0; i < hosts->count; i++)
		if (!memcmp(hosts->all[i].mac, key->mac, sizeof(key->mac)) && hosts->all[i].ifindex == ifindex)
			return &hosts->all[i];
	if (hosts->count == HOSTS_SEEN)
		return NULL;
	host = array_grow(&hosts->all, &hosts->count, sizeof(*host));
	if (host) {
		memcpy(host->mac, key->mac, sizeof(host->mac));
		host->ifindex = ifindex;
	}
	return host;
}

static void take_bounced(struct hosts *hosts, const struct wgvia_bounce *key, const struct wgvia_bounced *value)
{
	struct ip from = {.family = key->family}, to = from;
	struct host *host;

	if (key->family != AF_INET && key->family != AF_INET6)
		return;
	host = find_host(hosts, key, value->ifindex);
	if (!host)
		return;
	memcpy(from.addr, key->source, sizeof(from.addr));
	memcpy(to.addr, key->destination, sizeof(to.addr));
	host->has_others |= host->from.family && !ip_equal(&host->from, &from);
	if (value->last < host->last)
		return;
	host->last = value->last;
	host->from = from;
	host->to = to;
}

static void read_bounced(const struct examined *examined, uint64_t now, struct hosts *hosts)
{
	cleanup_free struct bounced_entry *entries = NULL;
	size_t count = 0;

	if (sender_map_read_bounced(examined->instance, now > OLDEST ? now - OLDEST : 0, &entries, &count))
		return;
	for (size_t i = 0; i < count; i++)
		take_bounced(hosts, &entries[i].key, &entries[i].value);
}

static int compare_hosts(const void *a, const void *b)
{
	const struct host *one = a, *other = b;

	return one->last < other->last ? 1 : one->last > other->last ? -1 : 0;
}

static void add_host(struct examined *examined, const struct host *host, uint64_t now)
{
	char from[IP_TEXT_LEN], to[IP_TEXT_LEN], mac[MAC_TEXT_LEN], dev[IFNAMSIZ], remedy[FINDING_REMEDY];

	ip_text(&host->from, from);
	ip_text(&host->to, to);
	snprintf(remedy, sizeof(remedy), "on %s: ip route get %s", from, to);
	finding_add(examined, SEVERITY_INFO, "direct", remedy,
		    "%s%s (%s on dev %s) answers %s through this host instead of the firewall, last seen %llu s "
		    "ago: it has an ICMP redirect, a route of its own, or another default gateway; wgvia sends such "
		    "packets to the firewall",
		    from, host->has_others ? " and others" : "", mac_text(host->mac, mac),
		    netdev_name(examined->plan.netdevs, host->ifindex, dev), to,
		    (unsigned long long)(now > host->last ? (now - host->last) / 1000000000 : 0));
}

static void check_bounced(struct examined *examined)
{
	uint64_t now = now_ns();
	struct hosts hosts = {};
	struct hops hops = {};
	size_t named = 0, more = 0;

	read_bounced(examined, now, &hosts);
	if (hosts.count)
		qsort(hosts.all, hosts.count, sizeof(*hosts.all), compare_hosts);
	if (failover_hops(examined->running, &hops))
		hops = (struct hops){};
	for (size_t i = 0; i < hosts.count; i++) {
		if (is_gateway(examined, &hops, hosts.all[i].mac) ||
		    lan_explains(&examined->plan.lans, &hosts.all[i].from, &hosts.all[i].to))
			continue;
		if (named < HOSTS_MAX)
			add_host(examined, &hosts.all[i], now);
		named++;
	}
	more = named > HOSTS_MAX ? named - HOSTS_MAX : 0;
	if (more)
		finding_add(examined, SEVERITY_INFO, "direct", "", "%zu%s more hosts answer through this host", more,
			    hosts.count == HOSTS_SEEN ? " or" : "");
	free(hosts.all);
	free(hops.all);
}

/* --- accepted or dropped packets --- */

static void check_counted(struct examined *examined)
{
	struct wgvia_counter counters[WGVIA_COUNTERS];
	struct error ignored = {};
	const struct wgvia_counter *direct = &counters[WGVIA_COUNTER(WGVIA_BACK, WGVIA_DIRECT)];
	const struct wgvia_counter *refused = &counters[WGVIA_COUNTER(WGVIA_BACK, WGVIA_REFUSED)];
	char remedy[FINDING_REMEDY];

	if (state_maps_read_counters(examined->instance, counters, &ignored))
		return;
	if (examined->running->ret == WGVIA_RETURN_ANY && direct->packets) {
		snprintf(remedy, sizeof(remedy), "wgvia trace %s verdict direct", examined->tunnel);
		finding_add(examined, SEVERITY_INFO, "direct", remedy,
			    "%llu packets for the prefixes did not come from the firewall: 'return any' accepted "
			    "them, and the firewall does not see them",
			    (unsigned long long)direct->packets);
	}
	if (examined->running->ret == WGVIA_RETURN_DROP && refused->packets) {
		snprintf(remedy, sizeof(remedy), "wgvia trace %s verdict refused", examined->tunnel);
		finding_add(examined, SEVERITY_INFO, "direct", remedy,
			    "%llu packets for the prefixes did not come from the firewall: 'return drop' dropped them",
			    (unsigned long long)refused->packets);
	}
}

void check_return(struct examined *examined)
{
	check_bounced(examined);
	check_counted(examined);
}
