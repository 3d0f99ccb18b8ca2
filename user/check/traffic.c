// SPDX-License-Identifier: GPL-2.0-only
/*
 * Compares devices, groups and addresses with the two sides of this host.
 */
#include "check/traffic.h"

#include <linux/rtnetlink.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

#include "base/util.h"
#include "config/parse.h"
#include "plan/points.h"

/* --- preparation --- */

static int compare_names(const void *a, const void *b)
{
	return strcmp((*(const struct netdev *const *)a)->name, (*(const struct netdev *const *)b)->name);
}

static int add_device(struct devices *devices, const struct netdev *netdev)
{
	const struct netdev **added = netdev ? array_grow(&devices->all, &devices->count, sizeof(*added)) : NULL;

	if (added)
		*added = netdev;
	return added || !netdev ? 0 : -ENOMEM;
}

static void sort_devices(struct devices *devices)
{
	if (devices->count)
		qsort(devices->all, devices->count, sizeof(*devices->all), compare_names);
}

static int find_devices(struct traffic *traffic)
{
	const struct plan *plan = traffic->plan;
	int ret = 0;

	traffic->tunnel = netdev_by_index(plan->netdevs, plan->state.tunnel_ifindex);
	if (!traffic->tunnel) /* rules may name a tunnel that does not exist yet */
		traffic->tunnel = &plan->absent;
	for (size_t i = 0; i < plan->device_count && !ret; i++)
		ret = add_device(&traffic->gateways, netdev_by_index(plan->netdevs, plan->devices[i]));
	for (size_t i = 0; i < plan->points.count && !ret; i++)
		if (plan->points.all[i].direction == WGVIA_EGRESS)
			ret = add_device(&traffic->ways_out,
					 netdev_by_index(plan->netdevs, plan->points.all[i].ifindex));
	sort_devices(&traffic->gateways);
	sort_devices(&traffic->ways_out);
	return ret;
}

static int add_prefix(struct prefixes *prefixes, const struct prefix *prefix)
{
	struct prefix *added = array_grow(&prefixes->all, &prefixes->count, sizeof(*added));

	if (!added)
		return -ENOMEM;
	*added = *prefix;
	return 0;
}

/* A route with several next hops may use a gateway's device. */
static int add_route(struct traffic *traffic, const struct route *route)
{
	bool is_near = !route->ifindex || points_is_gateway(traffic->plan, route->ifindex);

	if (route->table != traffic->plan->table || route->type != RTN_UNICAST || !route->to.len)
		return 0;
	return add_prefix(is_near ? &traffic->near : &traffic->elsewhere, &route->to);
}

static int find_prefixes(struct traffic *traffic, const struct routes *routes)
{
	const struct state *state = &traffic->plan->state;
	int ret = 0;

	for (size_t i = 0; i < state->gateway_count && !ret; i++)
		ret = add_prefix(&traffic->sources, &state->gateways[i].from);
	for (size_t i = 0; i < state->bypass_count && !ret; i++)
		if (state->bypass[i].value.verdict == WGVIA_REDIRECTED)
			ret = add_prefix(&traffic->holes, &state->bypass[i].to);
	for (size_t i = 0; i < routes->count && !ret; i++)
		ret = add_route(traffic, &routes->all[i]);
	prefixes_reduce(&traffic->sources);
	prefixes_reduce(&traffic->holes);
	prefixes_sort(&traffic->elsewhere);
	prefixes_sort(&traffic->near);
	for (size_t i = 0; i < traffic->sources.count; i++)
		traffic->source_count[traffic->sources.all[i].ip.family == AF_INET6]++;
	return ret;
}

int traffic_init(struct traffic *traffic, const struct plan *plan, const struct routes *routes)
{
	int ret;

	*traffic = (struct traffic){.plan = plan};
	ret = find_devices(traffic);
	return ret ? ret : find_prefixes(traffic, routes);
}

void traffic_free(struct traffic *traffic)
{
	free(traffic->gateways.all);
	free(traffic->ways_out.all);
	free(traffic->sources.all);
	free(traffic->elsewhere.all);
	free(traffic->near.all);
	free(traffic->holes.all);
	*traffic = (struct traffic){};
}

/* --- devices --- */

struct sides sides_any(struct sides a, struct sides b)
{
	bool all = a.lan_whole == LAN_EVERYTHING || b.lan_whole == LAN_EVERYTHING;

	return (struct sides){
		.tunnel = a.tunnel || b.tunnel,
		.lan = a.lan || b.lan,
		.away = a.away || b.away,
		.tunnel_whole = a.tunnel_whole + b.tunnel_whole,
		.lan_whole = all ? LAN_EVERYTHING : a.lan_whole + b.lan_whole,
		.is_unread = a.is_unread || b.is_unread,
	};
}

/* How many device names match this one in the first `compared` bytes. */
static size_t count_names(const struct devices *devices, const char *name, size_t compared)
{
	size_t first = 0, end = devices->count;

	/* matching ones are contiguous */
	while (first < end) {
		size_t middle = first + (end - first) / 2;

		if (strncmp(devices->all[middle]->name, name, compared) < 0)
			first = middle + 1;
		else
			end = middle;
	}
	while (end < devices->count && !strncmp(devices->all[end]->name, name, compared))
		end++;
	return end - first;
}

static struct sides sides_of_counts(bool tunnel, size_t gateways, size_t ways_out)
{
	return (struct sides){
		.tunnel = tunnel, .lan = gateways, .away = ways_out, .tunnel_whole = tunnel, .lan_whole = gateways};
}

static struct sides sides_of_name(const struct traffic *traffic, const char *name)
{
	size_t len = strlen(name);
	bool pattern = len && (name[len - 1] == '*' || name[len - 1] == '+');
	size_t compared = pattern ? len - 1 : len + 1;

	return sides_of_counts(!strncmp(traffic->tunnel->name, name, compared),
			       count_names(&traffic->gateways, name, compared),
			       count_names(&traffic->ways_out, name, compared));
}

static size_t count_kind(const struct devices *devices, const char *kind)
{
	size_t count = 0;

	for (size_t i = 0; i < devices->count; i++)
		count += !strcmp(devices->all[i]->kind, kind);
	return count;
}

static struct sides sides_of_kind(const struct traffic *traffic, const char *kind)
{
	return sides_of_counts(!strcmp(traffic->tunnel->kind, kind), count_kind(&traffic->gateways, kind),
			       count_kind(&traffic->ways_out, kind));
}

static size_t count_group(const struct devices *devices, uint32_t group, uint32_t mask)
{
	size_t count = 0;

	for (size_t i = 0; i < devices->count; i++)
		count += (devices->all[i]->group & mask) == (group & mask);
	return count;
}

struct sides traffic_group(const struct traffic *traffic, uint32_t group, uint32_t mask)
{
	return sides_of_counts(traffic->tunnel->ifindex && (traffic->tunnel->group & mask) == (group & mask),
			       count_group(&traffic->gateways, group, mask),
			       count_group(&traffic->ways_out, group, mask));
}

/* The administrator's file, or the one of iproute2 6.5 and later, which nft reads as well. */
static FILE *open_groups(void)
{
	FILE *file = fopen("/etc/iproute2/group", "re");

	return file ? file : fopen("/usr/share/iproute2/group", "re");
}

/* nft prints the name if the file of groups has one. */
static bool read_group(const char *word, uint32_t *group)
{
	FILE *file = NULL;
	char line[256], name[64], *end;
	bool found;

	*group = strtoul(word, &end, 0);
	found = *word && !*end;
	if (!found)
		file = open_groups();
	while (file && !found && fgets(line, sizeof(line), file))
		found = sscanf(line, "%i %63s", (int *)group, name) == 2 && !strcmp(name, word);
	if (file)
		fclose(file);
	if (found || strcmp(word, "default") != 0)
		return found;
	*group = 0;
	return true;
}

struct sides traffic_device(const struct traffic *traffic, enum device_key key, const char *word)
{
	uint32_t group;

	switch (key) {
	case DEVICE_NAME:
		return sides_of_name(traffic, word);
	case DEVICE_KIND:
		return sides_of_kind(traffic, word);
	case DEVICE_GROUP:
		if (read_group(word, &group))
			return traffic_group(traffic, group, UINT32_MAX);
	}
	return SIDES_UNREAD;
}

/* --- addresses --- */

/* Whether all of it is reached by a device without a gateway: the longest route decides. */
static bool is_elsewhere(const struct traffic *traffic, const struct prefix *prefix)
{
	const struct prefix *other = prefixes_longest(&traffic->elsewhere, prefix),
			    *near = prefixes_longest(&traffic->near, prefix);
	size_t first;

	if (!other || (near && near->len >= other->len))
		return false;
	return !prefix_inside(traffic->near.all, traffic->near.count, sizeof(*prefix), prefix, &first);
}

struct sides traffic_prefix(const struct traffic *traffic, const char *text)
{
	const struct state *state = &traffic->plan->state;
	const struct bypass_entry *entry;
	struct error ignored = {};
	struct prefix prefix;
	size_t first;
	bool exempt;

	if (parse_prefix(text, &prefix, &ignored)) /* a set, a range, a mask that is not a prefix */
		return SIDES_UNREAD;
	entry = state_covering_bypass(state, &prefix);
	exempt = entry && entry->value.verdict != WGVIA_REDIRECTED &&
		 !prefix_inside(traffic->holes.all, traffic->holes.count, sizeof(prefix), &prefix, &first);
	return (struct sides){
		/* the prefixes also contain this host's own addresses, to which nothing is redirected */
		.tunnel = prefixes_overlap(&traffic->sources, &prefix) &&
			  !(exempt && entry->value.verdict == WGVIA_LOCAL),
		.lan = !exempt && !is_elsewhere(traffic, &prefix),
		.away = !exempt,
		.tunnel_whole =
			prefix_inside(traffic->sources.all, traffic->sources.count, sizeof(prefix), &prefix, &first),
		.lan_whole = prefix.len ? 0 : LAN_EVERYTHING,
	};
}

/* --- directions --- */

bool scope_is_redirected(struct scope scope)
{
	return scope.out || scope.back;
}

bool scope_is_empty(struct scope scope)
{
	return !scope.away && !scope_is_redirected(scope);
}

struct scope scope_both(struct scope a, struct scope b)
{
	return (struct scope){a.out && b.out, a.back && b.back, a.away && b.away};
}

struct scope scope_any(struct scope a, struct scope b)
{
	return (struct scope){a.out || b.out, a.back || b.back, a.away || b.away};
}

void scope_narrow(struct scope *scope, enum scope_field field, struct sides sides)
{
	scope->out &= field == SCOPE_FROM ? sides.tunnel : sides.lan;
	scope->back &= field == SCOPE_FROM ? sides.lan : sides.tunnel;
	scope->away &= field == SCOPE_FROM ? sides.tunnel : sides.away;
}

struct scope scope_of_family(const struct traffic *traffic, const char *family)
{
	const struct state *state = &traffic->plan->state;
	bool all = !strcmp(family, "inet") || !strcmp(family, "netdev");
	struct prefix any = {.ip.family = !strcmp(family, "ip") ? AF_INET : !strcmp(family, "ip6") ? AF_INET6 : 0};
	bool some = all ? state->gateway_count > 0 : any.ip.family && state_count_gateways(state, &any);

	return (struct scope){some, some, some};
}
