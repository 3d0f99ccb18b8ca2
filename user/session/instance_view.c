// SPDX-License-Identifier: GPL-2.0-only
/*
 * Looking at an instance.
 */
#include "session/instance_view.h"

#include <linux/neighbour.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

#include "base/util.h"
#include "config/failover.h"
#include "config/statement.h"
#include "config/watch.h"
#include "datapath/state_maps.h"
#include "plan/gateways.h"

int instance_view_read(const struct instance *instance, struct instance_view *view, struct error *error)
{
	int ret;

	*view = (struct instance_view){.instance = instance};
	ret = instance->is_orphan ? 0 : host_view_read(&view->host, HOST_NETDEVS | HOST_LOCAL);
	if (!ret)
		ret = instance_points(instance, &view->host.netdevs, &view->points);
	if (ret)
		return error_system(error, -ret, "cannot read this host's devices and addresses");
	gateway_report_read(instance->root, instance->tunnel, &view->report);
	return state_maps_read(instance, &view->state, error);
}

void instance_view_free(struct instance_view *view)
{
	state_free(&view->state);
	points_free(&view->points);
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
	if (meta->mode == WGVIA_STACK)
		return NULL;
	for (size_t i = 0; i < view->points.count; i++)
		if (view->points.all[i].direction == WGVIA_OUT && view->points.all[i].ifindex == meta->tunnel_ifindex)
			return NULL;
	return "no program is attached to the tunnel";
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

struct dead_gateway {
	struct wgvia_hop hop;
	char fault[GATEWAY_REPORT_TEXT];
};

struct dead_gateways {
	struct dead_gateway *all;
	size_t count;
};

static void dead_gateways_free(struct dead_gateways *dead)
{
	free(dead->all);
}

static bool is_dead(const struct dead_gateways *dead, const struct wgvia_hop *hop)
{
	for (size_t i = 0; i < dead->count; i++)
		if (hop_equal(&dead->all[i].hop, hop))
			return true;
	return false;
}

/* One alive gateway is enough; if a family has none, each of its gateways is reported once. */
static bool family_is_served(const struct instance_view *view, uint8_t family,
			     void (*tell)(void *data, const char *reason), void *data)
{
	char reason[STATEMENT_MAX + GATEWAY_REPORT_TEXT + 32], hop_text[STATEMENT_MAX], text[GATEWAY_REPORT_TEXT];
	cleanup(dead_gateways_free) struct dead_gateways dead = {};

	for (size_t i = 0; i < view->state.gateway_count; i++) {
		const struct gateway_entry *entry = &view->state.gateways[i];
		struct wgvia_hop hop = hop_of(&entry->value);
		struct dead_gateway *last;
		const char *fault;

		if (entry->from.ip.family != family || is_dead(&dead, &hop))
			continue;
		fault = instance_gateway_fault(view, entry, text);
		if (!fault)
			return true;
		last = array_grow(&dead.all, &dead.count, sizeof(*last));
		if (!last)
			return false;
		last->hop = hop;
		snprintf(last->fault, sizeof(last->fault), "%s", fault);
	}
	for (size_t i = 0; i < dead.count && tell; i++) {
		snprintf(reason, sizeof(reason), "gateway %s for %s: %s",
			 statement_of_hop(&dead.all[i].hop, &view->host.netdevs, hop_text),
			 family == AF_INET ? "IPv4" : "IPv6", dead.all[i].fault);
		tell(data, reason);
	}
	return !dead.count;
}

bool instance_is_healthy(const struct instance_view *view, void (*tell)(void *data, const char *reason), void *data)
{
	const char *fault = instance_tunnel_fault(view);
	bool is_healthy = !fault && view->state.gateway_count;

	if (fault && tell)
		tell(data, fault);
	if (!view->state.gateway_count && tell)
		tell(data, "there is no prefix");
	is_healthy &= family_is_served(view, AF_INET, tell, data);
	is_healthy &= family_is_served(view, AF_INET6, tell, data);
	return is_healthy;
}
