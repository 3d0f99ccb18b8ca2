// SPDX-License-Identifier: GPL-2.0-only
/*
 * Looking at an instance.
 */
#include "session/instance_view.h"

#include <errno.h>
#include <linux/neighbour.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

#include "base/abi_words.h"
#include "base/util.h"
#include "config/failover.h"
#include "config/statement.h"
#include "config/watch.h"
#include "datapath/state_maps.h"
#include "plan/gateways.h"

static int read_view(const struct instance *instance, struct instance_view *view, struct error *error)
{
	int ret;

	*view = (struct instance_view){.instance = instance};
	ret = instance->is_orphan ? 0 : host_view_read(&view->host, HOST_NETDEVS | HOST_LOCAL);
	if (!ret)
		ret = instance_points(instance, &view->host.netdevs, &view->points);
	if (!ret && !instance->is_orphan)
		ret = instance_missing(instance, &view->missing);
	if (ret)
		return error_system(error, -ret, "cannot read this host's devices and addresses");
	gateway_report_read(instance->root, instance->tunnel, &view->report);
	return 0;
}

int instance_view_read(const struct instance *instance, struct instance_view *view, struct error *error)
{
	int ret = read_view(instance, view, error);

	return ret ? ret : state_maps_read(instance, &view->state, error);
}

int instance_view_read_health(const struct instance *instance, struct instance_view *view, struct error *error)
{
	int ret = read_view(instance, view, error);

	return ret ? ret : state_maps_read_settings(instance, &view->state, error);
}

void instance_view_free(struct instance_view *view)
{
	state_free(&view->state);
	points_free(&view->points);
	points_free(&view->missing);
	host_view_free(&view->host);
	gateway_report_free(&view->report);
}

/* A tunnel that was re-created has a new ifindex, and no program until one is attached. */
const char *instance_tunnel_fault(const struct instance_view *view)
{
	const struct wgvia_meta *meta = &view->instance->meta;
	const struct netdev *tunnel = netdev_by_index(&view->host.netdevs, meta->tunnel_ifindex);

	if (!meta->tunnel_ifindex || !tunnel)
		return netdev_by_name(&view->host.netdevs, view->instance->tunnel)
			       ? "the tunnel was re-created, and no program is attached to it"
			       : "the tunnel does not exist";
	if (!(tunnel->flags & IFF_UP))
		return "the tunnel is down";
	for (size_t i = 0; i < view->missing.count; i++)
		if (view->missing.all[i].direction == WGVIA_OUT)
			return "no program is attached to the tunnel";
	return NULL;
}

const char *instance_gateway_fault(const struct instance_view *view, const struct gateway_entry *entry,
				   char text[GATEWAY_REPORT_TEXT])
{
	const char *problem = gateway_problem(&view->host, &view->points, entry);
	const struct netdev *dev = netdev_by_index(&view->host.netdevs, entry->value.ifindex);
	struct wgvia_hop hop = hop_of(&entry->value);
	const struct wgvia_gateway_health *health = gateway_report_find(&view->report, &hop);
	struct wgvia_watch watch = watch_of(&view->state, &hop);
	struct ip ip = gateway_ip(&entry->value);
	struct neighbour neighbour = {};

	if (health && health->state == WGVIA_HEALTH_DEAD)
		return gateway_report_text(&view->report, health, &watch, text);
	if (problem)
		return problem;
	if (!(dev->flags & IFF_UP))
		return "its device is down";
	if (!(dev->flags & IFF_RUNNING))
		return "its device has no carrier";
	if (health && health->state == WGVIA_HEALTH_ALIVE)
		return NULL;
	if (view->host.rtnl)
		rtnl_get_neighbour(view->host.rtnl, hop.ifindex, &ip, &neighbour);
	return neighbour.state & NUD_FAILED ? "it does not answer" : NULL;
}

/* --- prefixes --- */

/* What was found out about a gateway: thousands of prefixes have a few. */
struct judged {
	struct wgvia_gateway value;
	bool dead;
};

static const struct judged *find_judged(const struct judged *all, size_t count, const struct wgvia_gateway *value)
{
	while (count--) /* adjacent prefixes are likely to have the same gateway */
		if (!memcmp(&all[count].value, value, sizeof(*value)))
			return &all[count];
	return NULL;
}

size_t instance_count_unserved(const struct instance_view *view, uint8_t family)
{
	cleanup_free struct judged *all = NULL;
	char text[GATEWAY_REPORT_TEXT];
	size_t count = 0, unserved = 0;

	for (size_t i = 0; i < view->state.gateway_count; i++) {
		const struct gateway_entry *entry = &view->state.gateways[i];
		const struct judged *known;
		struct judged *added;
		bool dead;

		if (entry->from.ip.family != family)
			continue;
		known = find_judged(all, count, &entry->value);
		dead = known ? known->dead : instance_gateway_fault(view, entry, text) != NULL;
		added = known ? NULL : array_grow(&all, &count, sizeof(*added));
		if (added)
			*added = (struct judged){entry->value, dead};
		unserved += dead;
	}
	return unserved;
}

struct dead_gateway {
	struct wgvia_hop hop;
	char fault[GATEWAY_REPORT_TEXT];
};

/* The search for a gateway of a family that is alive. */
struct search {
	const struct instance_view *view;
	struct dead_gateway *dead;
	size_t dead_count;
	bool any; /* prefix */
};

static void search_free(struct search *search)
{
	free(search->dead);
}

static bool is_dead(const struct search *search, const struct wgvia_hop *hop)
{
	for (size_t i = search->dead_count; i-- > 0;)
		if (hop_equal(&search->dead[i].hop, hop))
			return true;
	return false;
}

/* -ECANCELED: it is alive. */
static int look_at_prefix(void *data, const struct gateway_entry *entry)
{
	struct search *search = data;
	struct wgvia_hop hop = hop_of(&entry->value);
	char text[GATEWAY_REPORT_TEXT];
	struct dead_gateway *last;
	const char *fault;

	search->any = true;
	if (is_dead(search, &hop))
		return 0;
	fault = instance_gateway_fault(search->view, entry, text);
	if (!fault)
		return -ECANCELED;
	last = array_grow(&search->dead, &search->dead_count, sizeof(*last));
	if (!last)
		return -ENOMEM;
	last->hop = hop;
	snprintf(last->fault, sizeof(last->fault), "%s", fault);
	return 0;
}

/* One alive gateway is enough; if a family has none, each of its gateways is reported once. */
static bool family_is_served(const struct instance_view *view, uint8_t family, bool *any,
			     void (*tell)(void *data, const char *reason), void *data)
{
	char reason[STATEMENT_MAX + GATEWAY_REPORT_TEXT + 32], hop_text[STATEMENT_MAX];
	cleanup(search_free) struct search search = {.view = view};
	int ret = state_maps_visit_gateways(view->instance, family, look_at_prefix, &search);

	*any |= search.any;
	if (ret == -ECANCELED)
		return true;
	for (size_t i = 0; i < search.dead_count && tell; i++) {
		snprintf(reason, sizeof(reason), "gateway %s for %s: %s",
			 statement_of_hop(&search.dead[i].hop, &view->host.netdevs, hop_text),
			 family == AF_INET ? "IPv4" : "IPv6", search.dead[i].fault);
		tell(data, reason);
	}
	return !ret && !search.any;
}

/* --- the whole --- */

/* instance_tunnel_fault() reports the tunnel's program. */
static bool has_programs(const struct instance_view *view, void (*tell)(void *data, const char *reason), void *data)
{
	char reason[IFNAMSIZ + 64], name[IFNAMSIZ];
	bool has_all = true;

	for (size_t i = 0; i < view->missing.count; i++) {
		const struct point *point = &view->missing.all[i];

		if (point->direction == WGVIA_OUT || !netdev_by_index(&view->host.netdevs, point->ifindex))
			continue;
		has_all = false;
		snprintf(reason, sizeof(reason), "the %s program is not attached to dev %s",
			 direction_words[point->direction], netdev_name(&view->host.netdevs, point->ifindex, name));
		if (tell)
			tell(data, reason);
	}
	return has_all;
}

bool instance_is_healthy(const struct instance_view *view, void (*tell)(void *data, const char *reason), void *data)
{
	const char *fault = instance_tunnel_fault(view);
	bool is_healthy = !fault, any = false;

	if (fault && tell)
		tell(data, fault);
	is_healthy &= has_programs(view, tell, data);
	is_healthy &= family_is_served(view, AF_INET, &any, tell, data);
	is_healthy &= family_is_served(view, AF_INET6, &any, tell, data);
	if (!any && tell)
		tell(data, "there is no prefix");
	return is_healthy && any;
}
