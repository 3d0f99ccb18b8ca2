// SPDX-License-Identifier: GPL-2.0-only
/*
 * wgvia show [IFACE]: what is attached where, each prefix with its gateway and the neighbour's state, what is left
 * alone; and of values that the packet path cannot use, why.
 */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "agent_lock.h"
#include "lists.h"
#include "print.h"
#include "resolve.h"
#include "rtnl.h"
#include "running.h"
#include "tables.h"
#include "util.h"
#include "words.h"

/* What this host has, asked once for an instance. */
struct host {
	struct rtnl *rtnl;
	struct links links;
	struct prefixes local;
};

static void host_free(struct host *host)
{
	rtnl_close(&host->rtnl);
	free(host->links.all);
	free(host->local.all);
}

static void add_device(json *value, const struct links *links, uint32_t ifindex)
{
	const struct link *link = link_by_index(links, ifindex);
	char number[16];

	snprintf(number, sizeof(number), "if%u", ifindex);
	print_add_text(value, "dev", link ? link->name : number);
	print_add_number(value, "ifindex", ifindex);
}

static json *describe_attachment(const struct attachment *attachment, const struct links *links)
{
	const struct link *link = link_by_index(links, attachment->ifindex);
	json *value = print_object();

	add_device(value, links, attachment->ifindex);
	print_add_text(value, "direction", direction_words[attachment->direction]);
	print_add_text(value, "type", attach_kind_words[attachment->kind]);
	if (attachment->kind == ATTACH_TCX) {
		print_add_number(value, "link_id", attachment->link_id);
	} else {
		print_add_number(value, "priority", ATTACH_PRIORITY);
		print_add_number(value, "handle", attachment->handle);
	}
	print_add_number(value, "prog_id", attachment->prog_id);
	print_add_bool(value, "attached", attachment->alive);
	print_add_text(value, "state", link_state(link));
	if (link)
		print_add_number(value, "mtu", link->mtu);
	return value;
}

/* Prefixes by the thousand have a few gateways: each is asked for once. */
struct known {
	struct wgvia_hop hop;
	struct neighbour neighbour;
};

struct neighbours {
	struct rtnl *rtnl;
	struct known *all;
	size_t count;
};

static const struct neighbour *find_neighbour(struct neighbours *neighbours, const struct wgvia_hop *hop)
{
	struct wgvia_gateway value = hop_value(hop, 0);
	struct ip ip = gateway_ip(&value);
	struct known *found;

	for (size_t i = 0; i < neighbours->count; i++)
		if (hop_equal(&neighbours->all[i].hop, hop))
			return &neighbours->all[i].neighbour;
	found = array_grow(&neighbours->all, &neighbours->count, sizeof(*found));
	if (!found)
		return NULL;
	found->hop = *hop;
	rtnl_get_neighbour(neighbours->rtnl, hop->ifindex, &ip, &found->neighbour);
	return &found->neighbour;
}

/* All gateways of the prefix's list, in order of preference. */
static json *describe_list(const struct gateway_list *list, const struct wgvia_gateway *in_force,
			   const struct links *links, struct neighbours *neighbours)
{
	int current = lists_current(list, in_force);
	json *values = print_array();

	for (uint32_t i = 0; i < list->content.count; i++) {
		const struct wgvia_hop *hop = &list->content.hops[i];
		struct wgvia_gateway gateway = hop_value(hop, 0);
		const struct neighbour *neighbour = find_neighbour(neighbours, hop);
		struct ip via = gateway_ip(&gateway);
		json *value = print_object();
		char text[IP_TEXT_LEN];

		print_add_text(value, "via", ip_text(&via, text));
		add_device(value, links, hop->ifindex);
		print_add_bool(value, "current", (int)i == current);
		if (neighbour)
			print_add(value, "neighbour", print_neighbour(neighbour));
		print_append(values, value);
	}
	return values;
}

static json *describe_prefix(const struct gateway_entry *entry, const struct links *links, const char *problem,
			     const struct neighbour *neighbour)
{
	struct ip via = gateway_ip(&entry->value);
	char text[PREFIX_TEXT_LEN];
	json *value = print_object();

	print_add_text(value, "prefix", prefix_text(&entry->from, text));
	print_add_text(value, "via", ip_text(&via, text));
	add_device(value, links, entry->value.ifindex);
	print_add_bool(value, "usable", !problem);
	if (problem)
		print_add_text(value, "problem", problem);
	if (!problem && neighbour)
		print_add(value, "neighbour", print_neighbour(neighbour));
	return value;
}

static json *describe_prefixes(struct host *host, const struct instance *instance, const struct state *state)
{
	struct neighbours neighbours = {.rtnl = host->rtnl};
	struct point *points = NULL;
	size_t point_count = 0;
	json *values = print_array();

	dataplane_points(instance, &host->links, &points, &point_count);
	for (size_t i = 0; i < state->gateway_count; i++) {
		const struct gateway_entry *entry = &state->gateways[i];
		const char *problem = resolve_problem(&host->links, &host->local, points, point_count, entry);
		const struct gateway_list *list = lists_find(state, &entry->value);
		struct wgvia_hop hop = hop_of(&entry->value);
		json *value = describe_prefix(entry, &host->links, problem,
					      problem ? NULL : find_neighbour(&neighbours, &hop));

		if (list)
			print_add(value, "gateways", describe_list(list, &entry->value, &host->links, &neighbours));
		print_append(values, value);
	}
	free(points);
	free(neighbours.all);
	return values;
}

static json *describe_bypass(const struct state *state)
{
	json *values = print_array();

	for (size_t i = 0; i < state->bypass_count; i++) {
		const struct bypass_entry *entry = &state->bypass[i];
		uint32_t verdict = entry->value.verdict;
		json *value = print_object();
		char text[PREFIX_TEXT_LEN];

		print_add_text(value, "prefix", prefix_text(&entry->to, text));
		print_add_text(value, "verdict", word_of(verdict_words, WGVIA_VERDICT_COUNT, verdict));
		print_add_bool(value, "admin", (entry->value.flags & WGVIA_BYPASS_ADMIN) || verdict == WGVIA_BYPASS);
		if (!bypass_is_known(&entry->value)) {
			snprintf(text, sizeof(text), "unknown verdict %u, treated as bypass", verdict);
			print_add_text(value, "problem", text);
		}
		print_append(values, value);
	}
	return values;
}

static json *describe_instance(struct host *host, const struct instance *instance, const struct state *state)
{
	json *value = print_object(), *attachments = print_array();
	bool agent = agent_is_alive(instance->root, instance->tunnel);
	const char *problem = lists_problem(state, agent);

	print_add_text(value, "interface", instance->tunnel);
	print_add_number(value, "ifindex", instance->meta.tunnel_ifindex);
	print_add_text(value, "state", link_state(link_by_index(&host->links, instance->meta.tunnel_ifindex)));
	print_add_text(value, "mode", word_of(mode_words, WORDS_MODE, instance->meta.mode));
	print_add_text(value, "on_fail", on_fail_words[state->on_fail]);
	print_add_number(value, "abi", instance->meta.abi);
	print_add_bool(value, "agent", agent);
	if (problem)
		print_add_text(value, "agent_problem", problem);
	for (int direction = 0; direction < WGVIA_DIRECTION_COUNT; direction++)
		for (size_t i = 0; i < instance->attachment_count; i++)
			if ((int)instance->attachments[i].direction == direction)
				print_append(attachments, describe_attachment(&instance->attachments[i], &host->links));
	print_add(value, "attachments", attachments);
	print_add(value, "prefixes", describe_prefixes(host, instance, state));
	print_add(value, "bypass", describe_bypass(state));
	return value;
}

static int describe(struct context *context, const struct instance *instance, void *values)
{
	cleanup(host_free) struct host host = {};
	cleanup(state_free) struct state state = {};
	int ret = rtnl_open(&host.rtnl);

	ret = ret ? ret : rtnl_get_links(host.rtnl, &host.links);
	ret = ret ? ret : rtnl_get_local(host.rtnl, &host.local);
	if (ret)
		return error_system(&context->error, -ret, "cannot read this host's devices and addresses");
	ret = tables_read(instance, &state, &context->error);
	if (!ret)
		print_append(values, describe_instance(&host, instance, &state));
	return ret;
}

static void print_gateway(const json *value)
{
	const json *neighbour = print_member(value, "neighbour");

	printf(" %s dev %s", print_text(value, "via"), print_text(value, "dev"));
	if (neighbour && print_member(neighbour, "lladdr"))
		printf(" lladdr %s", print_text(neighbour, "lladdr"));
	if (neighbour)
		printf(" %s", print_text(neighbour, "state"));
}

static void print_gateways(const json *prefix)
{
	json *list = print_member(prefix, "gateways");
	bool current = false;

	printf("    from %s via", print_text(prefix, "prefix"));
	for (size_t i = 0; list && i < json_object_array_length(list); i++) {
		const json *item = json_object_array_get_idx(list, i);

		printf("%s", i ? " or" : "");
		print_gateway(item);
		printf("%s", print_bool(item, "current") ? " current" : "");
		current |= print_bool(item, "current");
	}
	if (list && !current)
		printf(", but now via");
	if (!list || !current)
		print_gateway(prefix);
}

static void print_instance(const struct context *context, const json *value)
{
	json *array = print_member(value, "attachments");

	(void)context;
	printf("%s: %s mode %s on-fail %s\n", print_text(value, "interface"), print_text(value, "state"),
	       print_text(value, "mode"), print_text(value, "on_fail"));
	for (size_t i = 0; i < json_object_array_length(array); i++) {
		const json *item = json_object_array_get_idx(array, i);

		printf("    %-6s dev %s %s mtu %" PRIu64 " %s", print_text(item, "direction"), print_text(item, "dev"),
		       print_text(item, "state"), print_number(item, "mtu"), print_text(item, "type"));
		if (print_member(item, "link_id"))
			printf(" link %" PRIu64, print_number(item, "link_id"));
		else
			printf(" pref %" PRIu64 " handle 0x%" PRIx64, print_number(item, "priority"),
			       print_number(item, "handle"));
		printf(" prog %" PRIu64 "%s\n", print_number(item, "prog_id"),
		       print_bool(item, "attached") ? "" : " DETACHED");
	}
	if (print_member(value, "agent_problem"))
		printf("    %s\n", print_text(value, "agent_problem"));
	array = print_member(value, "prefixes");
	for (size_t i = 0; i < json_object_array_length(array); i++) {
		const json *item = json_object_array_get_idx(array, i);

		print_gateways(item);
		if (!print_bool(item, "usable"))
			printf(" UNUSABLE: %s", print_text(item, "problem"));
		putchar('\n');
	}
	array = print_member(value, "bypass");
	for (size_t i = 0; i < json_object_array_length(array); i++) {
		const json *item = json_object_array_get_idx(array, i);

		printf("    bypass %s %s%s%s%s\n", print_text(item, "prefix"), print_text(item, "verdict"),
		       print_bool(item, "admin") ? " admin" : "", print_member(item, "problem") ? ": " : "",
		       print_text(item, "problem"));
	}
}

int cmd_show(struct context *context, int argc, char **argv)
{
	cleanup(print_put) json *values = print_array();
	int ret = running_each(context, argc, argv, describe, values);

	if (!ret)
		print_instances(context, values, argc, print_instance);
	return ret;
}
