// SPDX-License-Identifier: GPL-2.0-only
/*
 * What `up` would do on a host in words: gateways, points, notes, refusals. It does not depend on this machine.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <linux/fib_rules.h>
#include <linux/rtnetlink.h>
#include <net/if.h>
#include <net/if_arp.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

#include "base/abi_words.h"
#include "base/util.h"
#include "config/failover.h"
#include "config/parse.h"
#include "config/source.h"
#include "plan/gateways.h"
#include "plan/plan.h"
#include "plan/points.h"
#include "tests/unit/prefix.h"

#define ALL (HOST_NETDEVS | HOST_ADDRESSES | HOST_LOCAL | HOST_RULES | HOST_ROUTES | HOST_POLICIES)

/* --- a host in words --- */

static struct ip ip_from(const char *text)
{
	struct error error;
	struct ip ip;

	if (parse_ip(text, &ip, &error))
		fail_msg("%s", error.text);
	return ip;
}

static uint32_t ifindex_of(const struct host_view *host, const char *name)
{
	const struct netdev *netdev = netdev_by_name(&host->netdevs, name);

	if (!netdev)
		fail_msg("no device '%s'", name);
	return netdev->ifindex;
}

#define GROW(array) array_grow(&(array).all, &(array).count, sizeof(*(array).all))

/* dev NAME ether|none|lo|other [down] [mtu N] [master NAME] [vrf]; ifindexes count from 1 */
static void add_dev(struct host_view *host, char **save)
{
	struct netdev *netdev = GROW(host->netdevs);
	char *word;

	*netdev = (struct netdev){
		.ifindex = host->netdevs.count, .flags = IFF_UP | IFF_RUNNING, .mtu = 1500, .type = ARPHRD_IEEE80211};
	strcpy(netdev->name, strtok_r(NULL, " ", save));
	while ((word = strtok_r(NULL, " ", save)) && strcmp(word, ";") != 0) {
		if (!strcmp(word, "ether"))
			netdev->type = ARPHRD_ETHER;
		else if (!strcmp(word, "none"))
			netdev->type = ARPHRD_NONE;
		else if (!strcmp(word, "lo"))
			netdev->type = ARPHRD_LOOPBACK, netdev->flags |= IFF_LOOPBACK;
		else if (!strcmp(word, "down"))
			netdev->flags = 0;
		else if (!strcmp(word, "vrf"))
			strcpy(netdev->kind, "vrf"), netdev->type = ARPHRD_ETHER, netdev->table = 100;
		else if (!strcmp(word, "mtu"))
			netdev->mtu = atoi(strtok_r(NULL, " ", save));
		else if (!strcmp(word, "master"))
			netdev->master = ifindex_of(host, strtok_r(NULL, " ", save));
	}
}

/* addr DEV ADDRESS LEN: with its route of the table `local` */
static void add_addr(struct host_view *host, char **save)
{
	struct address *address = GROW(host->addresses);
	struct prefix *local = GROW(host->local);

	address->ifindex = ifindex_of(host, strtok_r(NULL, " ", save));
	address->ip = ip_from(strtok_r(NULL, " ", save));
	address->len = atoi(strtok_r(NULL, " ", save));
	address->is_usable = true;
	*local = prefix_of_ip(&address->ip);
}

/* default DEV ADDRESS|- METRIC [dead] [preference N] [table N] ; */
static void add_default(struct host_view *host, char **save)
{
	struct default_route *route = array_grow(&host->routes.defaults, &host->routes.default_count, sizeof(*route));
	const char *via, *word;

	route->nexthop.ifindex = ifindex_of(host, strtok_r(NULL, " ", save));
	via = strtok_r(NULL, " ", save);
	if (strcmp(via, "-") != 0)
		route->nexthop.via = ip_from(via);
	route->family = strchr(via, ':') ? AF_INET6 : AF_INET;
	route->metric = atoi(strtok_r(NULL, " ", save));
	route->table = RT_TABLE_MAIN;
	while ((word = strtok_r(NULL, " ", save)) && strcmp(word, ";") != 0) {
		if (!strcmp(word, "dead"))
			route->is_dead = true;
		else if (!strcmp(word, "preference"))
			route->preference = atoi(strtok_r(NULL, " ", save));
		else if (!strcmp(word, "table"))
			route->table = atoi(strtok_r(NULL, " ", save));
	}
}

/*
 * way ADDRESS DEV|- [via ADDRESS] out DEV ; the kernel's answer to a lookup with that device, or without one. For
 * 0.0.0.0 or :: its default route.
 */
static void add_way(struct host_view *host, char **save)
{
	struct host_way *way = array_grow(&host->ways, &host->way_count, sizeof(*way));
	char *word;

	way->ip = ip_from(strtok_r(NULL, " ", save));
	word = strtok_r(NULL, " ", save);
	way->ifindex = strcmp(word, "-") != 0 ? ifindex_of(host, word) : 0;
	while ((word = strtok_r(NULL, " ", save)) && strcmp(word, ";") != 0) {
		if (!strcmp(word, "via"))
			way->nexthop.via = ip_from(strtok_r(NULL, " ", save));
		else
			way->nexthop.ifindex = ifindex_of(host, strtok_r(NULL, " ", save));
	}
}

/* route PREFIX DEV [local TABLE] ; of the table `main`, or of a VRF's */
static void add_route(struct host_view *host, char **save)
{
	struct route *route = GROW(host->routes);
	const char *word;

	route->to = prefix_from(strtok_r(NULL, " ", save));
	route->table = RT_TABLE_MAIN;
	route->type = RTN_UNICAST;
	route->ifindex = ifindex_of(host, strtok_r(NULL, " ", save));
	route->through = route->ifindex == ifindex_of(host, "wg0");
	word = strtok_r(NULL, " ", save);
	if (word && !strcmp(word, "local")) {
		route->type = RTN_LOCAL;
		route->table = atoi(strtok_r(NULL, " ", save));
	}
}

static void add_main_rule(struct host_view *host, uint8_t family)
{
	struct rule *rule = GROW(host->rules);

	*rule = (struct rule){.priority = 32766, .action = FR_ACT_TO_TBL, .table = RT_TABLE_MAIN, .suppress = -1};
	rule->from.ip.family = rule->to.ip.family = family;
}

static void host_from(const char *text, struct host_view *host)
{
	char copy[2048], *save, *word;

	*host = (struct host_view){.tunnel = "wg0", .parts = ALL};
	add_main_rule(host, AF_INET);
	add_main_rule(host, AF_INET6);
	snprintf(copy, sizeof(copy), "%s", text);
	for (word = strtok_r(copy, " ", &save); word; word = strtok_r(NULL, " ", &save)) {
		if (!strcmp(word, "dev"))
			add_dev(host, &save);
		else if (!strcmp(word, "addr"))
			add_addr(host, &save);
		else if (!strcmp(word, "default"))
			add_default(host, &save);
		else if (!strcmp(word, "way"))
			add_way(host, &save);
		else if (!strcmp(word, "route"))
			add_route(host, &save);
		else if (strcmp(word, ";") != 0)
			fail_msg("'%s' in: %s", word, text);
	}
}

/* --- a plan in words --- */

static const char *name_of(const struct plan *plan, uint32_t ifindex)
{
	const struct netdev *netdev = netdev_by_index(plan->netdevs, ifindex);

	return netdev ? netdev->name : "?";
}

static void print_hop(FILE *out, const struct plan *plan, const struct wgvia_hop *hop)
{
	struct wgvia_gateway value = hop_value(hop, 0);
	struct ip ip = gateway_ip(&value);
	char text[IP_TEXT_LEN];

	fprintf(out, " %s %s", ip_text(&ip, text), name_of(plan, hop->ifindex));
}

/* "PREFIX ADDRESS DEV [ADDRESS DEV]...; out DEV, egress DEV ...; - DEV left out" */
static void plan_text(const struct plan *plan, char *text, size_t size)
{
	FILE *out = fmemopen(text, size, "w");
	char prefix[PREFIX_TEXT_LEN];

	for (size_t i = 0; i < plan->state.gateway_count; i++) {
		const struct gateway_entry *entry = &plan->state.gateways[i];
		const struct gateway_list *list = failover_find(&plan->state, &entry->value);
		struct wgvia_hop hop = hop_of(&entry->value);

		fprintf(out, "%s", prefix_text(&entry->from, prefix));
		if (!list)
			print_hop(out, plan, &hop);
		for (uint32_t j = 0; list && j < list->content.count; j++)
			print_hop(out, plan, &list->content.hops[j]);
		fprintf(out, "; ");
	}
	for (size_t i = 0; i < plan->points.count; i++)
		fprintf(out, "%s%s %s", i ? ", " : "", direction_words[plan->points.all[i].direction],
			name_of(plan, plan->points.all[i].ifindex));
	for (size_t i = 0; i < plan->left_out_count; i++)
		fprintf(out, " - %s", plan->left_out[i]->name);
	fclose(out);
}

/* Makes the plan for `up WORDS`; returns its text, or that of the refusal. */
static void plan_with(const char *words, struct host_view *host, struct plan *plan, char *text, size_t size)
{
	char copy[512], *argv[64], *save;
	struct request request;
	struct error error = {};
	int argc = 0;

	snprintf(copy, sizeof(copy), "%s", words);
	for (char *word = strtok_r(copy, " ", &save); word; word = strtok_r(NULL, " ", &save))
		argv[argc++] = word;
	if (parse_up(argc, argv, &request, &error))
		fail_msg("%s", error.text);
	if (plan_up(host, &request, plan, &error))
		snprintf(text, size, "%s", error.text);
	else
		plan_text(plan, text, size);
	request_free(&request);
}

static void plan_for(const char *host_text, const char *words, struct host_view *host, struct plan *plan, char *text,
		     size_t size)
{
	host_from(host_text, host);
	plan_with(words, host, plan, text, size);
}

/* --- the rows --- */

#define GATEWAY                                                                                                        \
	"dev lo lo ; dev wg0 none mtu 1420 ; dev lan ether ; dev wan ether ; "                                         \
	"addr wg0 10.6.0.1 24 addr wg0 fd06::1 64 addr lan 192.0.2.2 24 "                                              \
	"way 192.0.2.1 - out lan ; way 192.0.2.9 - out lan ; way 192.0.2.1 lan out lan ; "
#define VRF "dev lo lo ; dev red vrf ; dev wg0 none master red ; dev lan ether master red ; addr wg0 10.6.0.1 24 "
#define BOTH "egress lan, egress wan, back lan, back wan"

static const struct {
	const char *host, *words, *plan;
} rows[] = {
	/* gateways */
	{GATEWAY, "wg0 from 10.6.0.0/24 via 192.0.2.1", "10.6.0.0/24 192.0.2.1 lan; " BOTH ", out wg0"},
	{GATEWAY, "wg0 from 10.6.0.0/24 via 192.0.2.1 dev lan", "10.6.0.0/24 192.0.2.1 lan; " BOTH ", out wg0"},
	{GATEWAY, "wg0 from 10.6.0.0/24 via 192.0.2.1 or 192.0.2.9",
	 "10.6.0.0/24 192.0.2.1 lan 192.0.2.9 lan; " BOTH ", out wg0"},
	{GATEWAY, "wg0 from fd06::/64 via fe80::1 dev lan", "fd06::/64 fe80::1 lan; " BOTH ", out wg0"},
	{GATEWAY, "wg0 from fd06::/64 via fe80::1 dev lan mode stack", "fd06::/64 fe80::1 lan; " BOTH},
	{GATEWAY, "wg0 from 10.6.0.0/24 via 192.0.2.1 or 192.0.2.1 dev lan",
	 "'192.0.2.1' is given twice for '10.6.0.0/24'"},
	{GATEWAY, "wg0 from 10.6.0.0/24 via 192.0.2.2",
	 "via '192.0.2.2' is an address of this host or a broadcast address, not the firewall's"},
	{GATEWAY, "wg0 from 10.6.0.0/24 via 198.51.100.1",
	 "via '198.51.100.1' is not on-link: this host has no route to it"},
	{GATEWAY "way 198.51.100.1 - via 192.0.2.1 out lan ;", "wg0 from 10.6.0.0/24 via 198.51.100.1",
	 "via '198.51.100.1' is not on-link: it is reached via 192.0.2.1 dev lan"},
	{GATEWAY "way 192.0.2.1 wan out lan ;", "wg0 from 10.6.0.0/24 via 192.0.2.1 dev wan",
	 "via '192.0.2.1' is not on-link on 'wan': it is reached directly dev lan"},
	{GATEWAY "way 10.6.0.9 - out wg0 ;", "wg0 from 10.6.0.0/24 via 10.6.0.9",
	 "via '10.6.0.9' is reached through 'wg0', the tunnel itself, not through a LAN device"},
	{GATEWAY "dev tun none ; way 10.9.0.9 - out tun ;", "wg0 from 10.6.0.0/24 via 10.9.0.9",
	 "dev 'tun' is not an Ethernet device, which a gateway needs"},
	{GATEWAY, "wg0 from 10.6.0.0/24 via 192.0.2.1 dev eth9", "cannot use 'eth9': no such device"},
	/* a next hop outside every prefix of this host that a route names (onlink) */
	{GATEWAY "way 198.51.100.1 - via 198.51.100.1 out lan ;", "wg0 from 10.6.0.0/24 via 198.51.100.1",
	 "10.6.0.0/24 198.51.100.1 lan; " BOTH ", out wg0"},
	{GATEWAY "way 198.51.100.1 lan via 198.51.100.1 out lan ;", "wg0 from 10.6.0.0/24 via 198.51.100.1 dev lan",
	 "10.6.0.0/24 198.51.100.1 lan; " BOTH ", out wg0"},
	{GATEWAY "way 198.51.100.1 lan via 198.51.100.9 out lan ; default lan 198.51.100.9 0 ; "
		 "default lan 198.51.100.1 9 ;",
	 "wg0 from 10.6.0.0/24 via 198.51.100.1 dev lan", "10.6.0.0/24 198.51.100.1 lan; " BOTH ", out wg0"},
	{GATEWAY "way 198.51.100.1 wan via 198.51.100.9 out wan ; default lan 198.51.100.1 9 ;",
	 "wg0 from 10.6.0.0/24 via 198.51.100.1 dev wan",
	 "via '198.51.100.1' is not on-link on 'wan': it is reached via 198.51.100.9 dev wan"},
	/* omitted words come from the default route: the kernel's choice ... */
	{GATEWAY "default wan 203.0.113.1 1 ; way 0.0.0.0 - via 192.0.2.1 out lan ;", "wg0 from 10.6.0.0/24",
	 "10.6.0.0/24 192.0.2.1 lan; " BOTH ", out wg0"},
	{GATEWAY "default wan 203.0.113.1 1 ; way 0.0.0.0 - out wg0 ;", "wg0 from 10.6.0.0/24",
	 "10.6.0.0/24 203.0.113.1 wan; egress wan, egress lan, back wan, back lan, out wg0"},
	{GATEWAY "default wan 203.0.113.1 1 ; way 0.0.0.0 - via 10.6.0.9 out wg0 ;", "wg0 from 10.6.0.0/24",
	 "10.6.0.0/24 203.0.113.1 wan; egress wan, egress lan, back wan, back lan, out wg0"},
	{GATEWAY "default wan 203.0.113.1 1 ; way 0.0.0.0 lan via 192.0.2.1 out lan ;", "wg0 from 10.6.0.0/24 dev lan",
	 "10.6.0.0/24 192.0.2.1 lan; " BOTH ", out wg0"},
	{GATEWAY "way :: - via fe80::2 out lan ;", "wg0 from fd06::/64", "fd06::/64 fe80::2 lan; " BOTH ", out wg0"},
	/* ... or the best by liveness, metric and preference, same family, not through the tunnel */
	{GATEWAY "default wan 203.0.113.1 1 dead ; default lan 192.0.2.1 50 ;", "wg0 from 10.6.0.0/24",
	 "10.6.0.0/24 192.0.2.1 lan; " BOTH ", out wg0"},
	{GATEWAY "default lan 192.0.2.1 50 dead ;", "wg0 from 10.6.0.0/24",
	 "10.6.0.0/24 192.0.2.1 lan; " BOTH ", out wg0"},
	{GATEWAY "default lan fe80::1 5 preference 2 ; default lan fe80::2 5 ; default lan fe80::3 5 preference 1 ;",
	 "wg0 from fd06::/64", "fd06::/64 fe80::2 lan; " BOTH ", out wg0"},
	{GATEWAY "default lan fe80::1 5 preference 2 ; default lan fe80::2 9 ;", "wg0 from fd06::/64",
	 "fd06::/64 fe80::1 lan; " BOTH ", out wg0"},
	{GATEWAY "default lan 192.0.2.1 50 table 7 ;", "wg0 from 10.6.0.0/24",
	 "no gateway for '10.6.0.0/24': there is no IPv4 default route"},
	{GATEWAY "default wan 203.0.113.1 100 ; default lan 192.0.2.1 50 ; default wg0 10.6.0.9 1 ;",
	 "wg0 from 10.6.0.0/24", "10.6.0.0/24 192.0.2.1 lan; " BOTH ", out wg0"},
	{GATEWAY "default wan 203.0.113.1 100 ; default lan 192.0.2.1 50 ;", "wg0 from 10.6.0.0/24 dev wan",
	 "10.6.0.0/24 203.0.113.1 wan; egress wan, egress lan, back wan, back lan, out wg0"},
	{GATEWAY "default lan 192.0.2.1 50 ;", "wg0 from fd06::/64",
	 "no gateway for 'fd06::/64': there is no IPv6 default route"},
	{GATEWAY "default lan - 50 ;", "wg0 from 10.6.0.0/24",
	 "no gateway for '10.6.0.0/24': the IPv4 default route has no next hop"},
	{GATEWAY "default lan 192.0.2.1 50 ;", "wg0", "10.6.0.0/24 192.0.2.1 lan; " BOTH ", out wg0"},
	{GATEWAY "default lan 192.0.2.1 50 ; default lan fe80::1 50 ;", "wg0",
	 "10.6.0.0/24 192.0.2.1 lan; fd06::/64 fe80::1 lan; " BOTH ", out wg0"},
	{GATEWAY, "wg0", "no gateway for '10.6.0.0/24': there is no IPv4 default route"},
	{GATEWAY "default wg0 10.6.0.9 1 ;", "wg0 from 10.6.0.0/24",
	 "no gateway for '10.6.0.0/24': the IPv4 default route leads to 'wg0' itself"},
	{GATEWAY "default wg0 10.6.0.9 1 ;", "wg0 from fd06::/64",
	 "no gateway for 'fd06::/64': there is no IPv6 default route"},
	/* the interface's own prefixes via a firewall that is given, of its family, and all or nothing */
	{GATEWAY "default wan 203.0.113.1 1 ;", "wg0 via 192.0.2.1", "10.6.0.0/24 192.0.2.1 lan; " BOTH ", out wg0"},
	{GATEWAY "addr wg0 10.9.0.1 24 ", "wg0 via 192.0.2.1 or 192.0.2.9 via fe80::1 dev lan",
	 "10.6.0.0/24 192.0.2.1 lan 192.0.2.9 lan; 10.9.0.0/24 192.0.2.1 lan 192.0.2.9 lan; fd06::/64 fe80::1 lan; " BOTH
	 ", out wg0"},
	{GATEWAY "way 198.51.100.1 - via 192.0.2.1 out lan ;", "wg0 via 198.51.100.1",
	 "via '198.51.100.1' is not on-link: it is reached via 192.0.2.1 dev lan"},
	{"dev wg0 none ; dev lan ether ; addr wg0 10.6.0.1 24 way 192.0.2.1 - out lan ;",
	 "wg0 via 192.0.2.1 via fe80::1 dev lan", "no prefix for 'wg0': the interface has no IPv6 address"},
	/* the address of a network; a network of two addresses has none */
	{GATEWAY "way 192.0.2.0 - out lan ;", "wg0 from 10.6.0.0/24 via 192.0.2.0",
	 "via '192.0.2.0' is the network address of '192.0.2.0/24', not the firewall's address"},
	{GATEWAY "addr wan 203.0.113.3 31 way 203.0.113.2 - out wan ;", "wg0 from 10.6.0.0/24 via 203.0.113.2",
	 "10.6.0.0/24 203.0.113.2 wan; egress wan, egress lan, back wan, back lan, out wg0"},
	{"dev wg0 none ; dev lan ether ;", "wg0", "no prefix for 'wg0': the interface has no address"},
	/* a VRF: its routes, its addresses */
	{VRF "way 192.0.2.1 red out lan ;", "wg0 from 10.6.0.0/24 via 192.0.2.1",
	 "10.6.0.0/24 192.0.2.1 lan; egress lan, back lan, out wg0"},
	{VRF "way 0.0.0.0 red via 192.0.2.1 out lan ;", "wg0 from 10.6.0.0/24",
	 "10.6.0.0/24 192.0.2.1 lan; egress lan, back lan, out wg0"},
	{VRF "default lan 192.0.2.9 5 ; default lan 192.0.2.1 9 table 100 ;", "wg0 from 10.6.0.0/24",
	 "10.6.0.0/24 192.0.2.1 lan; egress lan, back lan, out wg0"},
	{VRF "way 192.0.2.2 red out lan ; route 192.0.2.2/32 lan local 100 ;", "wg0 from 10.6.0.0/24 via 192.0.2.2",
	 "via '192.0.2.2' is an address of this host or a broadcast address, not the firewall's"},
	{VRF, "wg0 from fd06::/64 via fe80::1 dev red", "dev 'red' is a VRF: name one of its devices instead"},
	/* the tunnel */
	{"dev lan ether ; way 192.0.2.1 - out lan ;", "wg0 from 10.6.0.0/24 via 192.0.2.1",
	 "10.6.0.0/24 192.0.2.1 lan; egress lan, back lan"},
	{"dev lan ether ;", "wg0", "cannot use 'wg0': no such device"},
	{"dev wg0 lo ;", "wg0 from 10.6.0.0/24 via 192.0.2.1", "cannot use 'wg0': it is the loopback device"},
	{"dev wg0 other ;", "wg0 from 10.6.0.0/24 via 192.0.2.1",
	 "cannot use 'wg0': it is neither an IP tunnel nor an Ethernet device"},
	/*
	 * the points: every device by which packets may leave, gateways' devices first, also those on standby, and
	 * those that are down
	 */
	{GATEWAY "dev off ether down ; dev br ether ; dev p1 ether master br ; dev tun none ; dev ib other ;",
	 "wg0 from 10.6.0.0/24 via 192.0.2.1",
	 "10.6.0.0/24 192.0.2.1 lan; egress lan, egress wan, egress br, egress tun, "
	 "back lan, back wan, back br, back tun, out wg0 - ib"},
	{GATEWAY "dev off ether down ;", "wg0 from fd06::/64 via fe80::1 dev off",
	 "fd06::/64 fe80::1 off; egress off, egress lan, egress wan, back off, back lan, back wan, out wg0"},
	{GATEWAY "dev off ether down ;", "wg0 from fd06::/64 via fe80::1 dev wan or fe80::2 dev off",
	 "fd06::/64 fe80::1 wan fe80::2 off; "
	 "egress wan, egress off, egress lan, back wan, back off, back lan, out wg0"},
	{GATEWAY "dev red vrf ; dev p1 ether master red ;", "wg0 from 10.6.0.0/24 via 192.0.2.1",
	 "10.6.0.0/24 192.0.2.1 lan; egress lan, egress wan, egress p1, back lan, back wan, back p1, out wg0"},
};

static void up_makes_of_each_host_what_its_row_says(void **context)
{
	(void)context;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		cleanup(host_view_free) struct host_view host = {};
		cleanup(plan_free) struct plan plan = {};
		char text[1024];

		plan_for(rows[i].host, rows[i].words, &host, &plan, text, sizeof(text));
		if (strcmp(text, rows[i].plan) != 0)
			fail_msg("up %s\non %s\nis        %s\nshould be %s", rows[i].words, rows[i].host, text,
				 rows[i].plan);
	}
}

static void a_prefix_whose_gateway_nobody_named_is_marked(void **context)
{
	static const struct {
		const char *words;
		bool is_default;
	} words_rows[] = {
		{"wg0 from 10.7.0.0/16", true},
		{"wg0 from 10.7.0.0/16 dev lan", true},
		{"wg0 from 10.7.0.0/16 via 192.0.2.1", false},
		{"wg0 from 10.7.0.0/16 via 192.0.2.1 or 192.0.2.9", false},
		{"wg0 from addresses", false}, /* which follow the host anyway */
	};

	(void)context;
	for (size_t i = 0; i < ARRAY_SIZE(words_rows); i++) {
		cleanup(host_view_free) struct host_view host = {};
		cleanup(plan_free) struct plan plan = {};
		char text[1024];

		plan_for(GATEWAY "default lan 192.0.2.1 50 ;", words_rows[i].words, &host, &plan, text, sizeof(text));
		assert_int_equal(plan.state.gateway_count, 1);
		assert_int_equal(source_is_default(&plan.state.gateways[0].value), words_rows[i].is_default);
	}
}

static void two_addresses_of_the_tunnel_in_one_prefix_are_one_prefix(void **context)
{
	cleanup(host_view_free) struct host_view host = {};
	cleanup(plan_free) struct plan plan = {};
	char text[1024];

	(void)context;
	plan_for(GATEWAY "default lan 192.0.2.1 50 ; addr wg0 10.6.0.2 24 addr wg0 10.6.0.3 24", "wg0", &host, &plan,
		 text, sizeof(text));
	assert_string_equal(text, "10.6.0.0/24 192.0.2.1 lan; " BOTH ", out wg0");
	assert_int_equal(plan.state.gateway_count, 1);
}

static const struct {
	const char *host, *words, *note;
} note_rows[] = {
	{GATEWAY "default lan 192.0.2.1 50 ;", "wg0",
	 "fd06::/64 left out: no gateway for 'fd06::/64': there is no IPv6 default route"},
	{GATEWAY, "wg0 via 192.0.2.1", "fd06::/64 left out: no 'via' names an IPv6 address"},
	{"dev wg0 none ; dev lan ether ; addr wg0 10.6.0.1 32 default lan 192.0.2.1 50 ;", "wg0",
	 "10.6.0.1/32 is the gateway's own address alone: name the clients' prefix with 'from PREFIX', or 'from "
	 "allowed-ips'"},
	{"dev lan ether ; way 192.0.2.1 - out lan ;", "wg0 from 10.6.0.0/24 via 192.0.2.1",
	 "interface 'wg0' does not exist yet: only the LAN side is prepared; run the same command again when it "
	 "exists"},
	{VRF "dev lan2 ether master red ; way 192.0.2.1 red out lan ;", "wg0 from 10.6.0.0/24 via 192.0.2.1",
	 "'wg0' and 2 LAN devices are in the VRF 'red': if the firewall routes packets through this host from one "
	 "of these LANs to another, this host sends them back to the firewall"},
	{GATEWAY "route 0.0.0.0/0 wg0", "wg0 from 10.6.0.0/24 via 192.0.2.1",
	 "0.0.0.0/0 is routed into 'wg0': destinations without a longer route elsewhere stay in the tunnel and "
	 "bypass the firewall"},
	{"dev wg0 none ; dev lan ether mtu 1400 ; dev wan ether ; way 192.0.2.1 - out lan ;",
	 "wg0 from 10.6.0.0/24 via 192.0.2.1",
	 "dev lan has mtu 1400, less than dev wan (1500): longer packets that the kernel would send by wan are "
	 "dropped and counted as too_big"},
	{"dev wg0 none ; dev lan ether mtu 1400 ; dev wan ether mtu 1450 ; dev dmz ether mtu 9000 ; "
	 "dev same ether mtu 1400 ; way 192.0.2.1 - out lan ;",
	 "wg0 from 10.6.0.0/24 via 192.0.2.1",
	 "dev lan has mtu 1400, less than dev dmz (9000) and 1 more: longer packets that the kernel would send by these "
	 "are dropped and counted as too_big"},
};

static void what_the_user_should_hear_is_noted(void **context)
{
	(void)context;
	for (size_t i = 0; i < ARRAY_SIZE(note_rows); i++) {
		cleanup(host_view_free) struct host_view host = {};
		cleanup(plan_free) struct plan plan = {};
		bool found = false;
		char text[1024];

		plan_for(note_rows[i].host, note_rows[i].words, &host, &plan, text, sizeof(text));
		for (size_t j = 0; j < plan.note_count; j++)
			found |= !strcmp(plan.notes[j], note_rows[i].note);
		if (!found)
			fail_msg("up %s: no note '%s' (first of %zu: %s)", note_rows[i].words, note_rows[i].note,
				 plan.note_count, plan.note_count ? plan.notes[0] : text);
	}
}

/* --- a running instance --- */

static void a_running_plan_keeps_what_the_administrator_has_and_makes_the_rest_again(void **context)
{
	cleanup(host_view_free) struct host_view host = {};
	cleanup(plan_free) struct plan first = {}, plan = {};
	struct prefix old = prefix_from("203.0.113.0/24"), own = prefix_from("198.51.100.0/24"),
		      unmarked = prefix_from("198.18.0.0/15");
	struct error error = {};
	struct state state;
	char text[1024];

	(void)context;
	plan_for(GATEWAY, "wg0 from 10.6.0.0/24 via 192.0.2.1 bypass 198.51.100.0/24", &host, &first, text,
		 sizeof(text));
	state = first.state;
	first.state = (struct state){};
	/* an entry that once followed from the host, and one that bpftool wrote without the flag */
	assert_false(state_add_bypass(&state, &old, WGVIA_TUNNEL, 0));
	assert_false(state_add_bypass(&state, &unmarked, WGVIA_BYPASS, 0));
	assert_false(plan_running(&host, &state, &plan, &error));
	assert_null(state_find_bypass(&plan.state, &old));
	assert_non_null(state_find_bypass(&plan.state, &own));
	assert_true(state_find_bypass(&plan.state, &unmarked)->value.flags & WGVIA_BYPASS_ADMIN);
	plan_text(&plan, text, sizeof(text));
	assert_string_equal(text, "10.6.0.0/24 192.0.2.1 lan; " BOTH ", out wg0");
}

/* --- prefixes that follow the host --- */

/* The allowed IPs "PREFIX..." of one peer, as they would be read. */
static void set_allowed(struct host_view *host, const char *words)
{
	char copy[256], *save;

	wireguard_free(&host->wireguard);
	host->wireguard_asked = true;
	host->wireguard.peers = calloc(1, sizeof(*host->wireguard.peers));
	host->wireguard.peer_count = 1;
	snprintf(copy, sizeof(copy), "%s", words);
	for (char *word = strtok_r(copy, " ", &save); word; word = strtok_r(NULL, " ", &save)) {
		struct allowed_ip *allowed =
			array_grow(&host->wireguard.allowed, &host->wireguard.allowed_count, sizeof(*allowed));

		allowed->prefix = prefix_from(word);
	}
}

/* The tunnel's addresses "ADDRESS/LEN..." and no others. */
static void set_addresses(struct host_view *host, const char *words)
{
	char copy[256], *save;
	size_t kept = 0;

	for (size_t i = 0; i < host->addresses.count; i++)
		if (host->addresses.all[i].ifindex != ifindex_of(host, "wg0"))
			host->addresses.all[kept++] = host->addresses.all[i];
	host->addresses.count = kept;
	snprintf(copy, sizeof(copy), "%s", words);
	for (char *word = strtok_r(copy, " ", &save); word; word = strtok_r(NULL, " ", &save)) {
		struct address *address = GROW(host->addresses);

		address->len = atoi(strchr(word, '/') + 1);
		*strchr(word, '/') = '\0';
		address->ifindex = ifindex_of(host, "wg0");
		address->ip = ip_from(word);
	}
}

static const struct {
	const char *words, *addresses, *allowed; /* NULL: as they were */
	const char *plan;			 /* without the points */
} follow_rows[] = {
	{"wg0 from addresses via 192.0.2.1 from addresses via fe80::1 dev lan", NULL, NULL,
	 "10.6.0.0/24 192.0.2.1 lan; fd06::/64 fe80::1 lan; "},
	/* added, removed, the last one of a family and all of them */
	{"wg0 from addresses via 192.0.2.1", "10.6.0.1/24 10.7.0.1/16", NULL,
	 "10.6.0.0/24 192.0.2.1 lan; 10.7.0.0/16 192.0.2.1 lan; "},
	{"wg0 from addresses via 192.0.2.1", "10.7.0.1/16", NULL, "10.7.0.0/16 192.0.2.1 lan; "},
	{"wg0 from addresses via 192.0.2.1 from addresses via fe80::1 dev lan", "10.7.0.1/16", NULL,
	 "10.7.0.0/16 192.0.2.1 lan; fd06::/64 fe80::1 lan; "},
	{"wg0 from addresses via 192.0.2.1", "", NULL, "10.6.0.0/24 192.0.2.1 lan; "},
	{"wg0 from addresses via 192.0.2.1", "fe80::6/64", NULL, "10.6.0.0/24 192.0.2.1 lan; "},
	/* what is named is not touched, and stays */
	{"wg0 from addresses via 192.0.2.1 from 10.7.0.0/16 via 192.0.2.9", "10.7.0.1/16", NULL,
	 "10.7.0.0/16 192.0.2.9 lan; "},
	{"wg0 from addresses via 192.0.2.1 from 10.6.0.0/24 via 192.0.2.9", "10.7.0.1/16", NULL,
	 "10.6.0.0/24 192.0.2.9 lan; 10.7.0.0/16 192.0.2.1 lan; "},
	/* peers: joined, of both families, without what nobody forwards */
	{"wg0 from allowed-ips via 192.0.2.1", NULL, "10.8.0.0/25 10.8.0.128/25 10.9.0.0/24",
	 "10.8.0.0/24 192.0.2.1 lan; 10.9.0.0/24 192.0.2.1 lan; "},
	{"wg0 from allowed-ips via 192.0.2.1", NULL, "10.8.0.0/24 224.0.0.0/24 fd08::/64",
	 "10.8.0.0/24 192.0.2.1 lan; "},
	/* addresses take precedence over peers */
	{"wg0 from allowed-ips via 192.0.2.9 from addresses via 192.0.2.1", NULL, "10.6.0.0/24 10.8.0.0/24",
	 "10.6.0.0/24 192.0.2.1 lan; 10.8.0.0/24 192.0.2.9 lan; "},
	/* everything: nothing changes, unless the user names it */
	{"wg0 from allowed-ips via 192.0.2.1", NULL, "0.0.0.0/0", "10.8.0.5/32 192.0.2.1 lan; "},
	{"wg0 from allowed-ips via 192.0.2.1 from 0.0.0.0/0 via 192.0.2.9", NULL, "0.0.0.0/1 128.0.0.0/1",
	 "0.0.0.0/0 192.0.2.9 lan; "},
};

static void prefixes_follow_addresses_and_peers(void **context)
{
	(void)context;
	for (size_t i = 0; i < ARRAY_SIZE(follow_rows); i++) {
		cleanup(host_view_free) struct host_view host = {};
		cleanup(plan_free) struct plan first = {}, plan = {};
		cleanup(state_free) struct state state = {};
		struct error error = {};
		char text[1024], *points;

		host_from(GATEWAY, &host);
		set_allowed(&host, "10.8.0.5/32");
		plan_with(follow_rows[i].words, &host, &first, text, sizeof(text));
		state = first.state;
		first.state = (struct state){};
		if (follow_rows[i].addresses)
			set_addresses(&host, follow_rows[i].addresses);
		if (follow_rows[i].allowed)
			set_allowed(&host, follow_rows[i].allowed);
		assert_false(plan_running(&host, &state, &plan, &error));
		plan_text(&plan, text, sizeof(text));
		points = strstr(text, BOTH);
		if (points)
			*points = '\0';
		if (strcmp(text, follow_rows[i].plan) != 0)
			fail_msg("%s, then addresses %s, peers %s\nis        %s\nshould be %s", follow_rows[i].words,
				 follow_rows[i].addresses ? follow_rows[i].addresses : "as before",
				 follow_rows[i].allowed ? follow_rows[i].allowed : "as before", text,
				 follow_rows[i].plan);
	}
}

/* An agent found the first gateway dead: new prefixes use the second as well. */
static void a_prefix_that_comes_goes_to_the_gateway_that_was_chosen(void **context)
{
	cleanup(host_view_free) struct host_view host = {};
	cleanup(plan_free) struct plan first = {}, plan = {};
	cleanup(state_free) struct state state = {};
	struct prefix new = prefix_from("10.7.0.0/16");
	struct error error = {};
	char text[1024];

	(void)context;
	plan_for(GATEWAY, "wg0 from addresses via 192.0.2.1 or 192.0.2.9", &host, &first, text, sizeof(text));
	state = first.state;
	first.state = (struct state){};
	failover_take(&state.gateways[0].value, &state.lists[0].content.hops[1]);
	set_addresses(&host, "10.6.0.1/24 10.7.0.1/16");
	assert_false(plan_running(&host, &state, &plan, &error));
	assert_int_equal(plan.state.gateway_count, 2);
	assert_int_equal(failover_current(&plan.state.lists[0], &plan.state.gateways[0].value), 1);
	assert_int_equal(failover_current(&plan.state.lists[0], &state_find_gateway(&plan.state, &new)->value), 1);
	assert_int_equal(source_of(&state_find_gateway(&plan.state, &new)->value), WGVIA_SOURCE_ADDRESSES);
}

/* --- values in the maps --- */

static const struct {
	const char *from, *via, *dev, *problem;
	uint32_t flags;
} problem_rows[] = {
	{"10.6.0.0/24", "192.0.2.1", "lan", NULL, 0},
	{"10.6.0.0/24", "fe80::1", "lan", NULL, 0},
	{"fd06::/64", "192.0.2.1", "lan", "IPv6 prefix with an IPv4 next hop", 0},
	{"10.6.0.0/24", "192.0.2.1", "lan", "marked down", WGVIA_GATEWAY_DOWN},
	{"10.6.0.0/24", "192.0.2.1", "-", "no device", 0},
	{"10.6.0.0/24", "192.0.2.1", "?", "device no longer exists", 0},
	{"10.6.0.0/24", "192.0.2.2", "lan", "next hop is this host's own or a broadcast address", 0},
	{"10.6.0.0/24", "224.0.0.1", "lan", "next hop is multicast or broadcast", 0},
	{"10.6.0.0/24", "127.0.0.1", "lan", "next hop is not a gateway address", 0},
	{"10.6.0.0/24", "0.0.0.0", "lan", "next hop is not a gateway address", 0},
	{"fd06::/64", "::1", "lan", "next hop is not a gateway address", 0},
	{"10.6.0.0/24", "192.0.2.1", "wg0", "wgvia is not attached to this device", 0},
	{"10.6.0.0/24", "192.0.2.1", "lo", "wgvia is not attached to this device", 0},
};

static void a_value_that_cannot_be_used_has_its_reason(void **context)
{
	cleanup(host_view_free) struct host_view host = {};
	cleanup(plan_free) struct plan plan = {};
	char text[1024];

	(void)context;
	plan_for(GATEWAY, "wg0 from 10.6.0.0/24 via 192.0.2.1", &host, &plan, text, sizeof(text));
	for (size_t i = 0; i < ARRAY_SIZE(problem_rows); i++) {
		struct ip via = ip_from(problem_rows[i].via);
		const char *dev = problem_rows[i].dev, *problem;
		uint32_t ifindex = !strcmp(dev, "-") ? 0 : !strcmp(dev, "?") ? 77 : ifindex_of(&host, dev);
		struct gateway_entry entry = {.from = prefix_from(problem_rows[i].from),
					      .value = gateway_value(&via, ifindex)};

		entry.value.flags |= problem_rows[i].flags;
		problem = gateway_problem(&host, &plan.points, &entry);
		if (strcmp(problem ? problem : "", problem_rows[i].problem ? problem_rows[i].problem : "") != 0)
			fail_msg("row %zu, %s via %s: '%s', not '%s'", i, problem_rows[i].from, problem_rows[i].via,
				 problem ? problem : "", problem_rows[i].problem ? problem_rows[i].problem : "");
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(up_makes_of_each_host_what_its_row_says),
		cmocka_unit_test(a_prefix_whose_gateway_nobody_named_is_marked),
		cmocka_unit_test(two_addresses_of_the_tunnel_in_one_prefix_are_one_prefix),
		cmocka_unit_test(what_the_user_should_hear_is_noted),
		cmocka_unit_test(a_running_plan_keeps_what_the_administrator_has_and_makes_the_rest_again),
		cmocka_unit_test(prefixes_follow_addresses_and_peers),
		cmocka_unit_test(a_prefix_that_comes_goes_to_the_gateway_that_was_chosen),
		cmocka_unit_test(a_value_that_cannot_be_used_has_its_reason),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
