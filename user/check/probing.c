// SPDX-License-Identifier: GPL-2.0-only
/*
 * Combines prefixes, gateways and addresses of this host.
 */
#include "check/probing.h"

#include <sys/socket.h>

#include "base/util.h"
#include "config/failover.h"
#include "plan/gateways.h"

static bool is_in_force(const struct question *question)
{
	struct wgvia_hop asked = hop_of(&question->asked.value), current = hop_of(&question->entry->value);

	return hop_equal(&asked, &current);
}

struct story probing_story(struct probing *probing, size_t i)
{
	const struct plan *plan = &probing->examined->plan;
	const struct probe *probe = &probing->probes[i];
	struct story story = {.probing = probing,
			      .probe = probe,
			      .entry = &probing->questions[i].asked,
			      .dev = netdev_by_index(plan->netdevs, probe->ifindex)->name};

	story.stands_by = !is_in_force(&probing->questions[i]);
	prefix_text(&story.entry->from, story.from);
	ip_text(&probe->via, story.via);
	ip_text(&probe->vpn, story.vpn);
	if (probe->lan.family)
		ip_text(&probe->lan, story.lan);
	return story;
}

/* --- choice --- */

static bool is_probed(const struct probing *probing, const struct gateway_entry *entry)
{
	for (size_t i = 0; i < probing->count; i++)
		if (probing->questions[i].entry == entry)
			return true;
	return false;
}

static void add_probe(struct probing *probing, const struct gateway_entry *entry, const struct wgvia_hop *hop,
		      const struct address *address)
{
	struct question question = {entry, {.from = entry->from, .value = hop_value(hop, 0)}}, *added;
	struct ip via = gateway_ip(&question.asked.value);
	const struct address *lan = probe_find_lan(probing->own, hop->ifindex, &via, &address->ip);
	size_t count = probing->count;
	struct probe *probe;

	if (!netdev_by_index(probing->examined->plan.netdevs, hop->ifindex))
		return;
	if (is_in_force(&question))
		question.asked.value.flags = entry->value.flags;
	probe = array_grow(&probing->probes, &count, sizeof(*probe));
	added = probe ? array_grow(&probing->questions, &probing->count, sizeof(*added)) : NULL;
	if (!added)
		return;
	*added = question;
	*probe = (struct probe){.ifindex = hop->ifindex, .via = via, .vpn = address->ip};
	if (lan)
		probe->lan = lan->ip;
}

/* Adds the probes from this address of ours, one to each gateway, if its prefix has none yet. */
static void add_probes(struct probing *probing, const struct address *address)
{
	const struct state *state = &probing->examined->plan.state;
	const struct gateway_entry *entry = state_match_gateway(state, &address->ip);
	const struct gateway_list *list = entry ? failover_find(state, &entry->value) : NULL;
	struct wgvia_hop hop;

	if (!entry || !address->is_usable || ip_is_link_local(&address->ip) || is_probed(probing, entry))
		return;
	hop = hop_of(&entry->value);
	if (!list || failover_current(list, &entry->value) < 0)
		add_probe(probing, entry, &hop, address);
	for (uint32_t i = 0; list && i < list->content.count; i++)
		add_probe(probing, entry, &list->content.hops[i], address);
}

/*
 * Only from the tunnel's addresses: a wide prefix may contain other addresses of this host, to which a firewall needs
 * no route.
 */
static void choose_questions(struct probing *probing)
{
	for (size_t i = 0; i < probing->own->count; i++)
		if (probing->own->all[i].ifindex == probing->examined->plan.state.tunnel_ifindex)
			add_probes(probing, &probing->own->all[i]);
}

/* --- what is not probed --- */

static void tell_prefixes_without_address(struct probing *probing)
{
	const struct state *state = &probing->examined->plan.state;
	const struct gateway_entry *first = NULL;
	char from[PREFIX_TEXT_LEN], more[MORE_TEXT_LEN];
	size_t number = 0;

	for (size_t i = 0; i < state->gateway_count; i++)
		if (!is_probed(probing, &state->gateways[i]) &&
		    netdev_by_index(probing->examined->plan.netdevs, state->gateways[i].value.ifindex) && !number++)
			first = &state->gateways[i];
	if (number)
		finding_add(probing->examined, SEVERITY_INFO, "probe_skipped", "",
			    "the firewall's return path to '%s'%s cannot be probed: dev %s %s",
			    prefix_text(&first->from, from), more_text(number, more), probing->examined->tunnel,
			    state->tunnel_ifindex ? "has no address there to send from" : "does not exist");
}

/* Removes probes that check_host() and check_instance() found hopeless, and those without an address to send to. */
static void leave_out(struct probing *probing)
{
	const struct plan *plan = &probing->examined->plan;
	size_t kept = 0;

	for (size_t i = 0; i < probing->count; i++) {
		struct story story = probing_story(probing, i);
		const struct netdev *dev = netdev_by_index(plan->netdevs, story.probe->ifindex);
		const char *why = gateway_problem(probing->examined->host, &plan->points, story.entry);

		if (!why && (!(dev->flags & IFF_UP) || !(dev->flags & IFF_RUNNING)))
			why = !(dev->flags & IFF_UP) ? "the device is down" : "the device has no carrier";
		if (!why && !story.probe->lan.family)
			why = story.probe->vpn.family == AF_INET
				      ? "this host has no IPv4 address on the device for the packet to come back to"
				      : "this host has no IPv6 address on the device for the packet to come back to";
		if (why) {
			finding_add(probing->examined, SEVERITY_INFO, "probe_skipped", "",
				    "gateway %s dev %s cannot be probed from %s: %s", story.via, story.dev, story.vpn,
				    why);
			continue;
		}
		probing->questions[kept] = probing->questions[i];
		probing->probes[kept++] = probing->probes[i];
	}
	probing->count = kept;
}

void probing_choose(struct probing *probing)
{
	choose_questions(probing);
	tell_prefixes_without_address(probing);
	leave_out(probing);
}

void probing_free(struct probing *probing)
{
	free(probing->questions);
	free(probing->probes);
}
