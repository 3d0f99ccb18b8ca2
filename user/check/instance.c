// SPDX-License-Identifier: GPL-2.0-only
/*
 * Findings about a running instance: its attachments, programs that run before it, values that cannot be used, and
 * changes of the host since the last command.
 */
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

#include "base/abi_words.h"
#include "base/util.h"
#include "check/finding.h"
#include "config/failover.h"
#include "config/source.h"
#include "config/statement.h"
#include "datapath/index/change_count.h"
#include "datapath/device_map.h"
#include "datapath/index/index_map.h"
#include "datapath/pins.h"
#include "plan/gateways.h"
#include "plan/points.h"

/* One finding per device is enough. */
static bool is_said_of_egress(const struct points *attached, const struct point *point)
{
	struct point egress = *point;

	egress.direction = WGVIA_EGRESS;
	return point->direction == WGVIA_BACK && !instance_has_point(attached, &egress);
}

static void check_attachments(struct examined *examined)
{
	static const char *const meaning[WGVIA_DIRECTION_COUNT] = {
		[WGVIA_OUT] = "",
		[WGVIA_BACK] = ": hosts there can bypass the firewall on the way to the prefixes",
		[WGVIA_EGRESS] = ": packets of the prefixes that this host sends there bypass the firewall",
	};
	char remedy[FINDING_REMEDY], name[IFNAMSIZ];
	struct points attached = {};
	int ret = instance_attached(examined->instance, &attached);

	finding_up_words(examined, examined->plan.state.mode, remedy);
	for (size_t i = 0; !ret && i < examined->plan.points.count; i++) {
		const struct point *point = &examined->plan.points.all[i];
		const struct netdev *dev = netdev_by_index(examined->plan.netdevs, point->ifindex);

		/* check_values() reports a gateway on the loopback device */
		if (dev && !(dev->flags & IFF_LOOPBACK) && !instance_has_point(&attached, point) &&
		    !is_said_of_egress(&attached, point))
			finding_add(examined, SEVERITY_ERROR, "attachment", remedy,
				    "the %s program is not attached to dev %s%s", direction_words[point->direction],
				    netdev_name(examined->plan.netdevs, point->ifindex, name),
				    meaning[point->direction]);
	}
	points_free(&attached);
}

static bool is_first_of_device(const struct attachment *all, size_t i)
{
	for (size_t j = 0; j < i; j++)
		if (all[j].moved && all[j].ifindex == all[i].ifindex)
			return false;
	return true;
}

/* If a gateway's device is missing, `up` with the same words is refused. */
static void check_moved(struct examined *examined)
{
	const struct attachment *all = examined->instance->attachments;
	const struct netdevs nothing_here = {}; /* another device may have the ifindex by now */
	char remedy[FINDING_REMEDY], name[IFNAMSIZ];

	for (size_t i = 0; i < examined->instance->attachment_count; i++) {
		if (!all[i].moved || !is_first_of_device(all, i))
			continue;
		finding_up_words(examined, examined->plan.state.mode, remedy);
		if (points_is_gateway(&examined->plan, all[i].ifindex))
			snprintf(remedy, sizeof(remedy), "wgvia down %s", examined->tunnel);
		finding_add(examined, SEVERITY_ERROR, "attachment", remedy,
			    "the programs at dev %s moved with the device to another network namespace, and redirect "
			    "or drop packets there",
			    netdev_name(&nothing_here, all[i].ifindex, name));
	}
}

/* When a device leaves the network namespace, the kernel removes it from the map, and nothing adds it again. */
static void check_devices(struct examined *examined)
{
	const struct plan *plan = &examined->plan;
	int map = examined->instance->maps[MAP_DEVICES];
	cleanup(points_free) struct points attached = {};
	char remedy[FINDING_REMEDY], name[IFNAMSIZ];

	if (instance_attached(examined->instance, &attached))
		return;

	finding_up_words(examined, plan->state.mode, remedy);
	for (size_t i = 0; i < plan->points.count; i++) {
		const struct point *point = &plan->points.all[i];

		if (!point->l3 && instance_has_point(&attached, point) && !device_map_has_point(map, point))
			finding_add(examined, SEVERITY_ERROR, "attachment", remedy,
				    "dev %s is not in the map 'devices', for example because it was in another "
				    "network namespace: packets to its gateways are counted as no_gateway",
				    netdev_name(plan->netdevs, point->ifindex, name));
	}
	if (plan->state.tunnel_ifindex && device_map_tunnel(map) != plan->state.tunnel_ifindex)
		finding_add(examined, SEVERITY_ERROR, "attachment", remedy,
			    "interface '%s' is not in the map 'devices', for example because it was in another "
			    "network namespace: packets that come back from the firewall are left to the kernel",
			    examined->tunnel);
}

static void check_programs_before(struct examined *examined)
{
	for (size_t i = 0; i < examined->instance->attachment_count; i++) {
		const struct attachment *attachment = &examined->instance->attachments[i];
		char text[IFNAMSIZ];
		const char *name = netdev_name(examined->plan.netdevs, attachment->ifindex, text);
		struct attach_other others[16];
		size_t count = attachment->alive
				       ? attach_list_others(attachment, ATTACH_BEFORE, others, ARRAY_SIZE(others))
				       : 0;
		char remedy[96];

		for (size_t j = 0; j < count; j++) {
			if (!finding_is_foreign(examined, others, j))
				continue;
			if (others[j].prog_id)
				snprintf(remedy, sizeof(remedy), "bpftool prog show id %u", others[j].prog_id);
			else
				snprintf(remedy, sizeof(remedy), "tc filter show dev %s %s", name,
					 attachment->direction == WGVIA_EGRESS ? "egress" : "ingress");
			finding_add(examined, SEVERITY_WARNING, "program_before", remedy,
				    "%s '%s' runs before the %s program at dev %s: packets that it does not pass on "
				    "do not reach wgvia",
				    others[j].kind, others[j].name[0] ? others[j].name : "?",
				    direction_words[attachment->direction], name);
		}
	}
}

static void check_values(struct examined *examined)
{
	const struct plan *plan = &examined->plan;
	char from[PREFIX_TEXT_LEN], remedy[FINDING_REMEDY];

	if (!(examined->host->parts & HOST_LOCAL) || !examined->has_plan)
		return;
	for (size_t i = 0; i < examined->running->gateway_count; i++) {
		const struct gateway_entry *entry = &examined->running->gateways[i];
		/* compares with the planned points; check_attachments() handles the present ones */
		const char *problem = gateway_problem(examined->host, &plan->points, entry);

		if (!problem)
			continue;
		prefix_text(&entry->from, from);
		finding_route_words(examined, "replace", examined->running, &entry->from, &entry->value, remedy);
		finding_add(examined, SEVERITY_ERROR, "value", remedy, "the gateway of '%s' cannot be used: %s", from,
			    problem);
	}
}

/* Number of entries of `all` that are not in `known` unchanged; stores the first in `first`. */
static size_t count_strangers(const struct examined *examined, const struct state *all, const struct state *known,
			      const struct bypass_entry **first)
{
	size_t count = 0;

	for (size_t i = 0; i < all->bypass_count; i++) {
		const struct bypass_entry *entry = &all->bypass[i], *other = state_find_bypass(known, &entry->to);

		/* without a prefix of the family, the list has no effect */
		if (examined_has_family(examined, entry->to.ip.family) &&
		    (!other || other->value.verdict != entry->value.verdict) && !count++)
			*first = entry;
	}
	return count;
}

/* Compares the list with what `up` would write now. An address has entries of its subnet, too. */
static void check_bypass(struct examined *examined)
{
	const struct state *now = &examined->plan.state, *then = examined->running;
	const struct bypass_entry *first = NULL;
	char text[PREFIX_TEXT_LEN], more[MORE_TEXT_LEN], remedy[FINDING_REMEDY];
	size_t missing = count_strangers(examined, now, then, &first), stale;

	if (!examined->has_plan)
		return;
	finding_up_words(examined, now->mode, remedy);
	if (missing) {
		finding_add(examined, SEVERITY_WARNING, "bypass", remedy,
			    "the bypass list is out of date: it lacks '%s' (%s)%s", prefix_text(&first->to, text),
			    verdict_words[first->value.verdict], more_text(missing, more));
		return;
	}
	/*
	 * without the tunnel no packet arrives for its addresses, and entries for them exempt nothing at a LAN device's
	 * egress
	 */
	stale = now->tunnel_ifindex ? count_strangers(examined, then, now, &first) : 0;
	if (stale)
		finding_add(examined, SEVERITY_WARNING, "bypass", remedy,
			    "the bypass list is out of date: it still exempts '%s' (%s)%s",
			    prefix_text(&first->to, text),
			    word_of(verdict_words, WGVIA_VERDICT_COUNT, first->value.verdict), more_text(stale, more));
}

/* Number of followed prefixes of `all` that are not in `known`; stores the first in `first`. */
static size_t count_followed(const struct state *all, const struct state *known, const struct gateway_entry **first)
{
	size_t count = 0;

	for (size_t i = 0; i < all->gateway_count; i++)
		if (source_of(&all->gateways[i].value) && !state_find_gateway(known, &all->gateways[i].from) &&
		    !count++)
			*first = &all->gateways[i];
	return count;
}

/* Followed prefixes that would go another way now; stores the present value of the first in `first`. */
static size_t count_moved(const struct state *now, const struct state *then, const struct gateway_entry **first)
{
	size_t count = 0;

	for (size_t i = 0; i < now->gateway_count; i++) {
		const struct gateway_entry *entry = &now->gateways[i], *old = state_find_gateway(then, &entry->from);

		if (source_of(&entry->value) && old && !failover_same_way(now, &entry->value, then, &old->value) &&
		    !count++)
			*first = entry;
	}
	return count;
}

static void check_prefixes(struct examined *examined)
{
	char remedy[FINDING_REMEDY];

	if (examined->running->gateway_count)
		return;
	finding_up_words(examined, examined->plan.state.mode, remedy);
	finding_add(examined, SEVERITY_ERROR, "no_prefix", remedy, "no prefix is in force: traffic from the tunnel %s",
		    examined_outside_fate(examined));
}

/* Compares the prefixes in force of "from addresses" and "from allowed-ips" with those that they mean now. */
static void check_sources(struct examined *examined)
{
	const struct state *now = &examined->plan.state, *then = examined->running;
	const struct gateway_entry *first = NULL;
	char text[PREFIX_TEXT_LEN], more[MORE_TEXT_LEN], remedy[FINDING_REMEDY], gateways[STATEMENT_MAX];
	size_t count;

	if (!examined->has_plan)
		return;
	finding_up_words(examined, now->mode, remedy);
	count = count_followed(now, then, &first);
	if (count) {
		finding_add(examined, SEVERITY_WARNING, "sources", remedy,
			    "'from %s' now means '%s'%s, which is not in force: traffic from there %s",
			    source_words[source_of(&first->value)], prefix_text(&first->from, text),
			    more_text(count, more), examined_outside_fate(examined));
		return;
	}
	count = count_moved(now, then, &first);
	if (count) {
		finding_add(examined, SEVERITY_WARNING, "sources", remedy,
			    "'from %s' now gives '%s'%s another gateway than the one in force: %s",
			    source_words[source_of(&first->value)], prefix_text(&first->from, text),
			    more_text(count, more),
			    statement_of_gateways(now, &first->value, examined->plan.netdevs, gateways));
		return;
	}
	count = count_followed(then, now, &first);
	if (count)
		finding_add(examined, SEVERITY_INFO, "sources", remedy,
			    "'%s'%s is still in force, but no longer a prefix of 'from %s'",
			    prefix_text(&first->from, text), more_text(count, more),
			    source_words[source_of(&first->value)]);
}

static void check_agent(struct examined *examined)
{
	const char *problem = failover_problem(examined->running, examined->report.agent);
	char remedy[FINDING_REMEDY];

	snprintf(remedy, sizeof(remedy), "wgvia run %s", examined->tunnel);
	if (problem)
		finding_add(examined, SEVERITY_WARNING, "agent", remedy, "%s", problem);
}

/* Affects only speed. An agent rebuilds an index within seconds, and every change by a command does as well. */
static void check_index(struct examined *examined)
{
	static const uint8_t families[] = {AF_INET, AF_INET6};

	for (size_t i = 0; i < ARRAY_SIZE(families); i++) {
		const char *family = families[i] == AF_INET ? "IPv4" : "IPv6", *problem;
		size_t count;
		bool known;

		problem = index_map_problem(examined->instance, examined->running, families[i], &count, &known);
		if (problem && known)
			finding_add(examined, SEVERITY_INFO, "index", "",
				    "the %zu %s prefixes have no index, and each packet costs more: %s", count, family,
				    problem);
		else if (problem)
			finding_add(examined, SEVERITY_INFO, "index", "",
				    "it is not known whether the %zu %s prefixes have an index: %s", count, family,
				    problem);
	}
}

static void check_changes(struct examined *examined)
{
	char remedy[FINDING_REMEDY];

	if (!change_count_is_trusted_wrongly(examined->instance))
		return;
	finding_up_words(examined, examined->instance->meta.mode, remedy);
	finding_add(examined, SEVERITY_WARNING, "changes", remedy,
		    "a change by another program, such as bpftool, may not take effect: the packet path keeps its "
		    "decisions, but changes are no longer counted; a pin was removed, or kernel.ftrace_enabled is 0");
}

void check_instance(struct examined *examined)
{
	char remedy[FINDING_REMEDY];

	check_attachments(examined);
	check_moved(examined);
	check_devices(examined);
	check_programs_before(examined);
	check_values(examined);
	check_bypass(examined);
	check_prefixes(examined);
	check_sources(examined);
	check_agent(examined);
	check_index(examined);
	check_changes(examined);
	finding_up_words(examined, WGVIA_FAST, remedy);
	if (examined->instance->meta.mode >= WORDS_MODE)
		finding_add(examined, SEVERITY_ERROR, "value", remedy,
			    "the map 'meta' has no valid mode: another program wrote to it");
}
