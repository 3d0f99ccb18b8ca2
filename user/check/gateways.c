// SPDX-License-Identifier: GPL-2.0-only
/*
 * Findings about the gateways, as the agent sees them: dead ones, and lists of `or` without an alive one. Without an
 * agent these findings do not occur; check_host() handles what this host itself knows about a gateway.
 */
#include "check/gateways.h"

#include <stdio.h>

#include "base/util.h"
#include "config/failover.h"
#include "config/statement.h"
#include "config/watch.h"
#include "host/path_probe.h"

bool check_is_dead(const struct examined *examined, const struct wgvia_hop *hop)
{
	const struct wgvia_gateway_health *health = gateway_report_find(&examined->report, hop);

	return health && health->state == WGVIA_HEALTH_DEAD;
}

static bool is_listed(const struct state *state, const struct wgvia_hop *hop)
{
	for (size_t i = 0; i < state->list_count; i++)
		for (uint32_t j = 0; j < state->lists[i].content.count; j++)
			if (hop_equal(&state->lists[i].content.hops[j], hop))
				return true;
	return false;
}

static void use_text(size_t users, bool dead, char *text, size_t size)
{
	if (!users)
		snprintf(text, size, "it is on standby%s", dead ? ", and would not help" : "");
	else
		snprintf(text, size, "in use by %zu prefix%s%s", users, users > 1 ? "es" : "",
			 dead ? ", without another gateway: on-fail applies" : "");
}

static void add_gateway(struct examined *examined, const struct wgvia_hop *hop,
			const struct wgvia_gateway_health *health)
{
	size_t users = failover_users(examined->running, hop);
	bool dead = health->state == WGVIA_HEALTH_DEAD;
	const struct netdev *dev = netdev_by_index(examined->plan.netdevs, hop->ifindex);
	char gateway[STATEMENT_MAX], state[GATEWAY_REPORT_TEXT], use[96], remedy[128] = "", via[IP_TEXT_LEN];
	struct wgvia_gateway value = hop_value(hop, 0);
	struct wgvia_watch watch = watch_of(examined->running, hop);
	struct ip ip = gateway_ip(&value);

	if (dead && (health->fault == WGVIA_FAULT_FORWARD || health->fault == WGVIA_FAULT_RETURN))
		snprintf(remedy, sizeof(remedy), "wgvia check %s --probe", examined->tunnel);
	if (dead && dev && (health->fault == WGVIA_FAULT_NO_ANSWER || health->fault == WGVIA_FAULT_NEIGHBOUR))
		snprintf(remedy, sizeof(remedy), "ping -c 1 -I %s %s", dev->name, ip_text(&ip, via));
	use_text(users, dead, use, sizeof(use));
	finding_add(examined,
		    !dead   ? SEVERITY_INFO
		    : users ? SEVERITY_ERROR
			    : SEVERITY_WARNING,
		    "gateway", remedy, "the agent sees gateway %s: %s; %s",
		    statement_of_hop(hop, examined->plan.netdevs, gateway),
		    gateway_report_text(&examined->report, health, &watch, state), use);
}

/* An agent logs it once, and then watches less than the administrator has asked for. */
void check_health(struct examined *examined)
{
	cleanup(hops_free) struct hops hops = {};
	cleanup_free struct path_target *targets = NULL;
	char gateway[STATEMENT_MAX], watch[WATCH_TEXT_LEN], remedy[128];

	/* an address can be in a prefix only while the tunnel exists */
	if (!examined->plan.state.tunnel_ifindex || failover_hops(examined->running, &hops) ||
	    path_targets_choose(examined->host, examined->running, &hops, &targets))
		return;
	for (size_t i = 0; i < hops.count; i++) {
		const struct path_target *target = &targets[i];
		bool forward = target->watch.kind == WGVIA_WATCH_FORWARD;

		if (!target->watch.kind || target->from.family)
			continue;
		snprintf(remedy, sizeof(remedy), "ip address add ADDRESS dev %s, with an address in a prefix%s",
			 examined->tunnel, forward ? ", and one on the gateway's device in its network" : "");
		finding_add(
			examined, SEVERITY_WARNING, "health", remedy,
			"gateway %s: 'health %s' needs an address of its family in a prefix%s: an agent watches only "
			"whether it answers neighbour requests",
			statement_of_hop(&hops.all[i], examined->plan.netdevs, gateway),
			watch_text(&target->watch, watch), forward ? ", and one on the gateway's device" : "");
	}
}

void check_gateways(struct examined *examined)
{
	cleanup(hops_free) struct hops hops = {};

	if (!examined->report.agent || failover_hops(examined->running, &hops))
		return;
	for (size_t i = 0; i < hops.count; i++) {
		const struct wgvia_gateway_health *health = gateway_report_find(&examined->report, &hops.all[i]);

		if (health && (health->state == WGVIA_HEALTH_DEAD || is_listed(examined->running, &hops.all[i])))
			add_gateway(examined, &hops.all[i], health);
	}
}
