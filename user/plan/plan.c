// SPDX-License-Identifier: GPL-2.0-only
/*
 * From the request and the present state to the wanted state.
 */
#include "plan/plan.h"

#include <linux/if_arp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

#include "base/util.h"
#include "config/failover.h"
#include "config/watch.h"
#include "plan/bypass.h"
#include "plan/gateways.h"
#include "plan/kernel_path.h"
#include "plan/points.h"
#include "plan/sources.h"

void plan_free(struct plan *plan)
{
	state_free(&plan->state);
	points_free(&plan->points);
	free(plan->left_out);
	free(plan->resolved);
	free(plan->devices);
	free(plan->lans.all);
	free(plan->notes);
	*plan = (struct plan){};
}

void plan_add_note(struct plan *plan, const char *format, ...)
{
	char(*note)[PLAN_NOTE] = array_grow(&plan->notes, &plan->note_count, sizeof(*note));
	va_list args;

	if (!note)
		return;
	va_start(args, format);
	vsnprintf(*note, sizeof(*note), format, args);
	va_end(args);
}

/* --- gateways --- */

/* What identifies a gateway: all words except the prefix, whose family matters if there is no `via`. */
static struct route_words gateway_words(const struct route_words *words)
{
	struct route_words gateway;

	memcpy(&gateway, words, sizeof(gateway));
	memset(&gateway.from, 0, sizeof(gateway.from));
	if (!words->via.family)
		gateway.from.ip.family = words->from.ip.family;
	gateway.place = (struct place){};
	return gateway;
}

static bool is_same_gateway(const struct route_words *a, const struct route_words *b)
{
	return a->from.ip.family == b->from.ip.family && ip_equal(&a->via, &b->via) && !strcmp(a->dev, b->dev) &&
	       a->other_count == b->other_count && watch_equal(&a->watch, &b->watch) &&
	       (!a->other_count || !memcmp(a->others, b->others, a->other_count * sizeof(*a->others)));
}

static struct resolved *find_resolved(const struct plan *plan, const struct route_words *gateway)
{
	for (size_t i = 0; i < plan->resolved_count; i++)
		if (is_same_gateway(&plan->resolved[i].words, gateway))
			return &plan->resolved[i];
	return NULL;
}

static int add_route(struct host_view *host, struct plan *plan, const struct netdev *tunnel,
		     const struct route_words *words, struct error *error)
{
	struct route_words gateway = gateway_words(words);
	struct resolved *resolved = find_resolved(plan, &gateway);
	struct wgvia_gateway value;
	int ret;

	if (!resolved) {
		ret = gateways_resolve(host, tunnel, words, &plan->state, &value, error);
		if (ret)
			return ret;
		resolved = array_grow(&plan->resolved, &plan->resolved_count, sizeof(*resolved));
		if (!resolved)
			return error_system(error, ENOMEM, "cannot process the prefix");
		*resolved = (struct resolved){.value = value, .first = words->from};
		memcpy(&resolved->words, &gateway, sizeof(gateway));
	}
	resolved->count++;
	ret = state_add_gateway(&plan->state, &words->from, &resolved->value);
	return ret ? error_system(error, -ret, "cannot process the prefix") : 0;
}

/* --- the bypass list --- */

static void note_unclear_rules(struct plan *plan, const struct fib *fib)
{
	const struct rule *rule;
	size_t next = 0;

	while ((rule = bypass_unclear_rule(fib, &plan->state, &next)))
		plan_add_note(plan,
			      "ip %srule %u is not evaluated: it matches on more than the destination and the "
			      "source prefix",
			      rule->to.ip.family == AF_INET6 ? "-6 " : "", rule->priority);
}

/* AllowedIPs of 0.0.0.0/0, or of its halves. */
static void note_wide_tunnel(struct plan *plan, const struct netdev *tunnel)
{
	char text[PREFIX_TEXT_LEN];

	for (size_t i = 0; i < plan->state.bypass_count; i++) {
		const struct bypass_entry *entry = &plan->state.bypass[i];

		if (entry->value.verdict == WGVIA_TUNNEL && entry->to.len <= 1)
			plan_add_note(
				plan,
				"%s is routed into '%s': destinations without a longer route elsewhere stay in the "
				"tunnel and bypass the firewall",
				prefix_text(&entry->to, text), tunnel->name);
	}
}

static int fill_bypass(const struct host_view *host, struct plan *plan, const struct netdev *tunnel,
		       struct error *error)
{
	const struct netdev *vrf = netdev_vrf(plan->netdevs, tunnel);
	struct fib fib = {.rules = host->rules.all,
			  .rule_count = host->rules.count,
			  .routes = host->routes.all,
			  .route_count = host->routes.count,
			  .iif = tunnel->name};

	if (vrf) {
		fib.vrf = vrf->name;
		fib.vrf_table = vrf->table;
	}
	if (bypass_fill(&fib, &plan->state))
		return error_system(error, ENOMEM, "cannot process the bypass list");
	note_unclear_rules(plan, &fib);
	note_wide_tunnel(plan, tunnel);
	return 0;
}

/*
 * Packets that come in by a port of a VRF have the VRF as their ingress device, which does not distinguish a LAN from
 * the tunnel.
 */
static void note_lans_of_vrf(struct plan *plan, const struct netdev *tunnel)
{
	const struct netdev *vrf = netdev_vrf(plan->netdevs, tunnel);
	size_t lans = 0;

	for (size_t i = 0; i < plan->netdevs->count && vrf; i++)
		lans += &plan->netdevs->all[i] != tunnel && plan->netdevs->all[i].master == vrf->ifindex &&
			netdev_is_ethernet(&plan->netdevs->all[i]);
	if (lans > 1)
		plan_add_note(
			plan,
			"'%s' and %zu LAN devices are in the VRF '%s': if the firewall routes packets through this "
			"host from one of these LANs to another, this host sends them back to the firewall",
			tunnel->name, lans, vrf->name);
}

static void note_policies(struct plan *plan, const struct host_view *host, enum policy_effect effect,
			  const char *consequence)
{
	const struct xfrm_policy *first = NULL;
	size_t count = kernel_path_policies(&plan->state, &host->policies, effect, &first);
	char from[PREFIX_TEXT_LEN], to[PREFIX_TEXT_LEN], more[MORE_TEXT_LEN];

	if (count)
		plan_add_note(plan, "IPsec policy from '%s' to '%s'%s: %s", prefix_text(&first->from, from),
			      prefix_text(&first->to, to), more_text(count, more), consequence);
}

static void note_kernel_path(struct plan *plan, const struct host_view *host)
{
	const struct route *route = NULL;
	char to[PREFIX_TEXT_LEN], more[MORE_TEXT_LEN];
	size_t count;

	if (plan->state.mode == WGVIA_FAST) {
		note_policies(plan, host, POLICY_TRANSFORMS,
			      "mode fast bypasses it, and packets that it would encrypt leave unencrypted");
		note_policies(plan, host, POLICY_DROPS, "mode fast bypasses it, and packets that it would drop pass");
		return;
	}
	note_policies(plan, host, POLICY_LEADS_PAST, "packets that it encrypts bypass the firewall");
	count = kernel_path_encapsulating(&host->routes, &route);
	if (count)
		plan_add_note(plan,
			      "the route to '%s'%s encapsulates packets, and those of the prefixes bypass the firewall",
			      prefix_text(&route->to, to), more_text(count, more));
	for (size_t i = 0; i < plan->netdevs->count; i++)
		if (kernel_path_is_multipoint(&plan->netdevs->all[i]))
			plan_add_note(
				plan,
				"dev %s is a multipoint tunnel: packets of the prefixes that leave there bypass the "
				"firewall",
				plan->netdevs->all[i].name);
}

static int compare_mtus(const void *a, const void *b)
{
	const struct netdev *one = *(const struct netdev *const *)a, *other = *(const struct netdev *const *)b;

	return (one->mtu < other->mtu) - (one->mtu > other->mtu);
}

/* The devices that wgvia watches, largest MTU first. The caller frees the array; NULL: none. */
static const struct netdev **find_watched(const struct plan *plan, size_t *count)
{
	const struct netdev **watched = calloc(plan->points.count + 1, sizeof(*watched));

	for (size_t i = 0; i < plan->points.count && watched; i++)
		if (plan->points.all[i].direction == WGVIA_EGRESS)
			watched[(*count)++] = netdev_by_index(plan->netdevs, plan->points.all[i].ifindex);
	if (watched)
		qsort(watched, *count, sizeof(*watched), compare_mtus);
	return watched;
}

/* How many of these sorted devices have a larger MTU. */
static size_t count_wider(const struct netdev *const *watched, size_t count, uint32_t mtu)
{
	size_t wider = 0;

	while (wider < count) {
		size_t middle = wider + (count - wider) / 2;

		if (watched[middle]->mtu > mtu)
			wider = middle + 1;
		else
			count = middle;
	}
	return wider;
}

/*
 * A packet that fits the device that the kernel chose, but not the gateway's, is dropped: at that stage nothing can
 * send Packet Too Big.
 */
static void note_narrow_gateways(struct plan *plan)
{
	size_t count = 0;
	cleanup_free const struct netdev **watched = find_watched(plan, &count);
	char more[MORE_TEXT_LEN];

	for (size_t i = 0; i < count; i++) {
		const struct netdev *narrow = watched[i], *wide = watched[0];
		size_t wider = count_wider(watched, count, narrow->mtu);

		if (wider && points_is_gateway(plan, narrow->ifindex))
			plan_add_note(plan,
				      "dev %s has mtu %u, less than dev %s (%u)%s: longer packets that the kernel "
				      "would send by %s are dropped and counted as too_big",
				      narrow->name, narrow->mtu, wide->name, wide->mtu, more_text(wider, more),
				      wider > 1 ? "these" : wide->name);
	}
}

const struct netdev *plan_tunnel(const struct netdevs *netdevs, const char *name, struct netdev *absent)
{
	const struct netdev *found = netdev_by_name(netdevs, name);

	*absent = (struct netdev){.type = ARPHRD_NONE};
	snprintf(absent->name, sizeof(absent->name), "%s", name);
	return found ? found : absent;
}

static int begin_plan(struct host_view *host, const char *name, struct plan *plan, const struct netdev **tunnel,
		      struct error *error)
{
	int ret;

	plan->netdevs = &host->netdevs; /* also if not everything can be read */
	ret = host_view_read(host, HOST_NETDEVS | HOST_ADDRESSES | HOST_LOCAL | HOST_RULES | HOST_ROUTES);
	if (ret)
		return error_system(error, -ret, "cannot read this host's devices, addresses and routes");
	*tunnel = plan_tunnel(plan->netdevs, name, &plan->absent);
	if ((*tunnel)->flags & IFF_LOOPBACK)
		return error_refuse(error, "cannot use '%s': it is the loopback device", name);
	if (!netdev_is_l3(*tunnel) && !netdev_is_ethernet(*tunnel))
		return error_refuse(error, "cannot use '%s': it is neither an IP tunnel nor an Ethernet device", name);
	plan->tunnel_is_l3 = netdev_is_l3(*tunnel);
	plan->table = netdev_table(plan->netdevs, *tunnel);
	plan->state.tunnel_ifindex = (*tunnel)->ifindex;
	strcpy(plan->state.tunnel, (*tunnel)->name);
	return 0;
}

static int finish_plan(const struct host_view *host, struct plan *plan, const struct netdev *tunnel,
		       struct error *error)
{
	int ret;

	state_sort(&plan->state);
	ret = fill_bypass(host, plan, tunnel, error);
	if (ret)
		return ret;
	if (failover_prune(&plan->state))
		return error_system(error, ENOMEM, "cannot process the gateways");
	if (points_find(plan, tunnel))
		return error_system(error, ENOMEM, "cannot list the devices");
	if (lan_find(&plan->state, &plan->points, &host->addresses, &plan->lans))
		return error_system(error, ENOMEM, "cannot compare the prefixes with this host's LANs");
	note_lans_of_vrf(plan, tunnel);
	note_kernel_path(plan, host);
	note_narrow_gateways(plan);
	return 0;
}

/* "return ... also": a neighbour of this host, like a gateway. */
static int add_also(struct host_view *host, struct plan *plan, const struct netdev *tunnel,
		    const struct also_words *words, struct error *error)
{
	struct also *also = &plan->state.also;
	const struct prefix from = {.ip.family = words->hop.via.family};
	struct wgvia_hop hop = {};
	int ret;

	if (words->is_mac) {
		if (also_has_mac(also, words->mac))
			return 0;
		if (also->mac_count == ALSO_MACS)
			return error_refuse(error, "too many MAC addresses with 'also': %d at most", ALSO_MACS);
		memcpy(also->macs[also->mac_count++], words->mac, sizeof(words->mac));
		return 0;
	}
	ret = gateway_resolve(host, tunnel, &from, &words->hop, &hop, error);
	if (ret)
		return ret;
	for (uint32_t i = 0; i < also->hops.count; i++)
		if (hop_equal(&also->hops.hops[i], &hop))
			return 0;
	if (also->hops.count == WGVIA_FAILOVER_HOPS)
		return error_refuse(error, "too many addresses with 'also': %d at most", WGVIA_FAILOVER_HOPS);
	also->hops.hops[also->hops.count++] = hop;
	return 0;
}

/* Without such an interface, only the words define the prefixes. */
static int check_absent(struct plan *plan, const struct request *request, struct error *error)
{
	if (request->from_given || request->route_count) {
		plan_add_note(plan,
			      request->is_trial
				      ? "interface '%s' does not exist yet: its type, addresses and routes were not "
					"checked"
				      : "interface '%s' does not exist yet: only the LAN side "
					"is prepared; run the same command again when it exists",
			      request->tunnel);
		return 0;
	}
	error_system(error, ENODEV, "cannot use '%s'", request->tunnel);
	error_hint(error, "to prepare for an interface that does not exist yet, name the prefixes: from PREFIX");
	return -ENODEV;
}

/*
 * What a VRF forwards has the VRF as its ingress device (l3mdev_ip_rcv()), whether it comes from the tunnel or from a
 * LAN.
 */
static int check_outside(const struct plan *plan, const struct netdev *tunnel, struct error *error)
{
	const struct netdev *vrf = netdev_vrf(plan->netdevs, tunnel);

	if (plan->state.outside != WGVIA_OUTSIDE_DROP || !vrf)
		return 0;
	return error_refuse(error, "'outside drop' does not work for '%s': it is a device of VRF '%s'", tunnel->name,
			    vrf->name);
}

int plan_up(struct host_view *host, const struct request *request, struct plan *plan, struct error *error)
{
	const struct netdev *tunnel = &plan->absent;
	int ret;

	*plan = (struct plan){};
	ret = begin_plan(host, request->tunnel, plan, &tunnel, error);
	if (!ret && !tunnel->ifindex)
		ret = check_absent(plan, request, error);
	if (ret)
		return ret;
	host_view_read(host, HOST_POLICIES); /* for the notes, which plan_running() does not use */
	plan->state.mode = request->mode;
	plan->state.on_fail = request->on_fail;
	plan->state.ret = request->ret;
	plan->state.outside = request->outside;
	plan->state.mss = request->mss;
	plan->state.counting = request->counting;
	ret = check_outside(plan, tunnel, error);
	for (size_t i = 0; i < request->route_count && !ret; i++) {
		ret = add_route(host, plan, tunnel, &request->routes[i], error);
		if (ret)
			plan->refused = &request->routes[i];
	}
	ret = ret ? ret : sources_take(host, plan, tunnel, request, error);
	ret = ret ? ret : gateways_check_watch(&plan->state, plan->netdevs, error);
	for (size_t i = 0; i < request->bypass_count && !ret; i++)
		if (state_add_bypass(&plan->state, &request->bypass[i], WGVIA_BYPASS, WGVIA_BYPASS_ADMIN))
			ret = error_system(error, ENOMEM, "cannot process the bypass list");
	for (size_t i = 0; i < request->also_count && !ret; i++)
		ret = add_also(host, plan, tunnel, &request->also[i], error);
	also_sort(&plan->state.also);
	if (!ret && accepted_copy(&request->accepted, &plan->state.accepted))
		ret = error_system(error, ENOMEM, "cannot process the accepted findings");
	return ret ? ret : finish_plan(host, plan, tunnel, error);
}

int plan_running(struct host_view *host, struct state *state, struct plan *plan, struct error *error)
{
	const struct netdev *tunnel = &plan->absent;
	size_t kept = 0;
	int ret;

	*plan = (struct plan){.state = *state};
	*state = (struct state){};
	for (size_t i = 0; i < plan->state.bypass_count; i++) {
		struct bypass_entry *entry = &plan->state.bypass[i];

		/* entries that an administrator wrote with bpftool, without the flag, are on the list as well */
		if (bypass_is_admin(&entry->value))
			plan->state.bypass[kept++] =
				(struct bypass_entry){entry->to, {WGVIA_BYPASS, WGVIA_BYPASS_ADMIN}};
	}
	plan->state.bypass_count = kept;
	ret = begin_plan(host, plan->state.tunnel, plan, &tunnel, error);
	if (!ret && sources_follow(host, &plan->state, tunnel, &plan->problem))
		ret = error_system(error, ENOMEM, "cannot process the prefixes");
	return ret ? ret : finish_plan(host, plan, tunnel, error);
}
