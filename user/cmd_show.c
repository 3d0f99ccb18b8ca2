// SPDX-License-Identifier: GPL-2.0-only
/*
 * wgvia show [IFACE]: what is attached where, each prefix with its gateway and the neighbour's state, what is left
 * alone; and of values that the packet path cannot use, why.
 */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

#include "agent_lock.h"
#include "index_map.h"
#include "lists.h"
#include "print.h"
#include "resolve.h"
#include "rtnl.h"
#include "running.h"
#include "statement.h"
#include "tables.h"
#include "util.h"
#include "words.h"

/* Prefixes by the thousand have a few gateways: each is asked for once. */
struct known {
	struct wgvia_hop hop;
	struct neighbour neighbour;
};

/* An instance, and what this host has, asked once for it; it lives until it is printed. */
struct shown {
	struct state state;
	struct point *points;
	size_t point_count;
	struct rtnl *rtnl;
	struct links links;
	struct prefixes local;
	struct known *known;
	size_t known_count;
};

static void shown_free(void *data)
{
	struct shown *shown = data;

	state_free(&shown->state);
	free(shown->points);
	rtnl_close(&shown->rtnl);
	free(shown->links.all);
	free(shown->local.all);
	free(shown->known);
	free(shown);
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

static const struct neighbour *find_neighbour(struct shown *shown, const struct wgvia_hop *hop)
{
	struct wgvia_gateway value = hop_value(hop, 0);
	struct ip ip = gateway_ip(&value);
	struct known *known;

	for (size_t i = 0; i < shown->known_count; i++)
		if (hop_equal(&shown->known[i].hop, hop))
			return &shown->known[i].neighbour;
	known = array_grow(&shown->known, &shown->known_count, sizeof(*known));
	if (!known)
		return NULL;
	known->hop = *hop;
	rtnl_get_neighbour(shown->rtnl, hop->ifindex, &ip, &known->neighbour);
	return &known->neighbour;
}

/* All gateways of the prefix's list, in order of preference. */
static json *describe_list(struct shown *shown, const struct gateway_list *list, const struct wgvia_gateway *in_force)
{
	int current = lists_current(list, in_force);
	json *values = print_array();

	for (uint32_t i = 0; i < list->content.count; i++) {
		const struct wgvia_hop *hop = &list->content.hops[i];
		const struct neighbour *neighbour = find_neighbour(shown, hop);
		struct wgvia_gateway gateway = hop_value(hop, 0);
		struct ip via = gateway_ip(&gateway);
		json *value = print_object();
		char text[IP_TEXT_LEN];

		print_add_text(value, "via", ip_text(&via, text));
		add_device(value, &shown->links, hop->ifindex);
		print_add_bool(value, "current", (int)i == current);
		if (neighbour)
			print_add(value, "neighbour", print_neighbour(neighbour));
		print_append(values, value);
	}
	return values;
}

static json *describe_prefix(void *data, size_t index)
{
	struct shown *shown = data;
	const struct gateway_entry *entry = &shown->state.gateways[index];
	const char *problem = resolve_problem(&shown->links, &shown->local, shown->points, shown->point_count, entry);
	const struct gateway_list *list = lists_find(&shown->state, &entry->value);
	struct wgvia_hop hop = hop_of(&entry->value);
	const struct neighbour *neighbour = problem ? NULL : find_neighbour(shown, &hop);
	struct ip via = gateway_ip(&entry->value);
	char text[PREFIX_TEXT_LEN];
	json *value = print_object();

	print_add_text(value, "prefix", prefix_text(&entry->from, text));
	print_add_text(value, "via", ip_text(&via, text));
	add_device(value, &shown->links, entry->value.ifindex);
	print_add_bool(value, "usable", !problem);
	if (problem)
		print_add_text(value, "problem", problem);
	if (neighbour)
		print_add(value, "neighbour", print_neighbour(neighbour));
	if (list)
		print_add(value, "gateways", describe_list(shown, list, &entry->value));
	return value;
}

static json *describe_bypass(void *data, size_t index)
{
	const struct bypass_entry *entry = &((const struct shown *)data)->state.bypass[index];
	uint32_t verdict = entry->value.verdict;
	json *value = print_object();
	char text[PREFIX_TEXT_LEN];

	print_add_text(value, "prefix", prefix_text(&entry->to, text));
	print_add_text(value, "verdict", word_of(verdict_words, WGVIA_VERDICT_COUNT, verdict));
	print_add_bool(value, "admin", bypass_is_admin(&entry->value));
	if (!bypass_is_known(&entry->value)) {
		snprintf(text, sizeof(text), "unknown verdict %u, treated as bypass", verdict);
		print_add_text(value, "problem", text);
	}
	return value;
}

/* The families whose prefixes have an index that is in force. */
static json *describe_indexes(const struct instance *instance, const struct state *state)
{
	static const struct {
		uint8_t family;
		const char *word;
	} families[] = {{AF_INET, "ipv4"}, {AF_INET6, "ipv6"}};
	json *values = print_array();
	size_t count;
	bool known;

	for (size_t i = 0; i < ARRAY_SIZE(families); i++)
		if (!index_map_problem(instance, state, families[i].family, &count, &known) && count)
			print_append_text(values, families[i].word);
	return values;
}

/* An instance that has found no interface knows its name alone. */
static const char *tunnel_state(const struct shown *shown, const struct wgvia_meta *meta)
{
	const struct link *link = meta->tunnel_ifindex ? link_by_index(&shown->links, meta->tunnel_ifindex)
						       : link_by_name(&shown->links, shown->state.tunnel);

	return link || meta->tunnel_ifindex ? link_state(link) : "absent";
}

static json *describe_instance(struct shown *shown, const struct instance *instance)
{
	json *value = print_object(), *attachments = print_array();
	bool agent = agent_is_alive(instance->root, instance->tunnel);
	const char *problem = lists_problem(&shown->state, agent);
	char text[STATEMENT_MAX];

	print_add_text(value, "interface", instance->tunnel);
	print_add_number(value, "ifindex", instance->meta.tunnel_ifindex);
	print_add_text(value, "state", tunnel_state(shown, &instance->meta));
	print_add_text(value, "mode", word_of(mode_words, WORDS_MODE, instance->meta.mode));
	print_add_text(value, "on_fail", on_fail_words[shown->state.on_fail]);
	print_add_text(value, "return", statement_of_return(&shown->state, &shown->links, text) + strlen("return "));
	print_add_number(value, "abi", instance->meta.abi);
	print_add_bool(value, "agent", agent);
	if (problem)
		print_add_text(value, "agent_problem", problem);
	for (int direction = 0; direction < WGVIA_DIRECTION_COUNT; direction++)
		for (size_t i = 0; i < instance->attachment_count; i++)
			if ((int)instance->attachments[i].direction == direction)
				print_append(attachments,
					     describe_attachment(&instance->attachments[i], &shown->links));
	print_add(value, "attachments", attachments);
	print_add(value, "indexes", describe_indexes(instance, &shown->state));
	print_add(value, "prefixes", print_rows(shown->state.gateway_count, describe_prefix, shown));
	print_add(value, "bypass", print_rows(shown->state.bypass_count, describe_bypass, shown));
	print_keep(value, shown, shown_free);
	return value;
}

static int look(struct context *context, const struct instance *instance, struct shown *shown)
{
	int ret = rtnl_open(&shown->rtnl);

	ret = ret ? ret : rtnl_get_links(shown->rtnl, &shown->links);
	ret = ret ? ret : rtnl_get_local(shown->rtnl, &shown->local);
	ret = ret ? ret : instance_points(instance, &shown->links, &shown->points, &shown->point_count);
	if (ret)
		return error_system(&context->error, -ret, "cannot read this host's devices and addresses");
	return tables_read(instance, &shown->state, &context->error);
}

static int describe(struct context *context, const struct instance *instance, void *values)
{
	struct shown *shown = calloc(1, sizeof(*shown));
	int ret;

	if (!shown)
		return error_system(&context->error, ENOMEM, "cannot read '%s'", instance->tunnel);
	ret = look(context, instance, shown);
	if (ret)
		shown_free(shown);
	else
		print_append(values, describe_instance(shown, instance));
	return ret;
}

static void print_attachment(const json *item)
{
	printf("    %-6s dev %s %s mtu %" PRIu64 " %s", print_text(item, "direction"), print_text(item, "dev"),
	       print_text(item, "state"), print_number(item, "mtu"), print_text(item, "type"));
	if (print_member(item, "link_id"))
		printf(" link %" PRIu64, print_number(item, "link_id"));
	else
		printf(" pref %" PRIu64 " handle 0x%" PRIx64, print_number(item, "priority"),
		       print_number(item, "handle"));
	printf(" prog %" PRIu64 "%s\n", print_number(item, "prog_id"), print_bool(item, "attached") ? "" : " DETACHED");
}

static void print_gateway(const json *item)
{
	const json *neighbour = print_member(item, "neighbour");

	printf(" %s dev %s", print_text(item, "via"), print_text(item, "dev"));
	if (neighbour && print_member(neighbour, "lladdr"))
		printf(" lladdr %s", print_text(neighbour, "lladdr"));
	if (neighbour)
		printf(" %s", print_text(neighbour, "state"));
}

/* The list with the one in force marked, or the one gateway that there is. */
static void print_gateways(const json *prefix)
{
	json *list = print_member(prefix, "gateways");
	bool current = false;

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

static void print_prefix(const json *item)
{
	printf("    from %s via", print_text(item, "prefix"));
	print_gateways(item);
	if (!print_bool(item, "usable"))
		printf(" UNUSABLE: %s", print_text(item, "problem"));
	putchar('\n');
}

static void print_bypass(const json *item)
{
	printf("    bypass %s %s%s%s%s\n", print_text(item, "prefix"), print_text(item, "verdict"),
	       print_bool(item, "admin") ? " admin" : "", print_member(item, "problem") ? ": " : "",
	       print_text(item, "problem"));
}

static void print_index(const json *item)
{
	printf("    index %s\n", json_object_get_string((json *)item));
}

static void print_instance(const struct context *context, const json *value)
{
	(void)context;
	printf("%s: %s mode %s on-fail %s return %s\n", print_text(value, "interface"), print_text(value, "state"),
	       print_text(value, "mode"), print_text(value, "on_fail"), print_text(value, "return"));
	print_each(print_member(value, "attachments"), print_attachment);
	if (print_member(value, "agent_problem"))
		printf("    %s\n", print_text(value, "agent_problem"));
	print_each(print_member(value, "indexes"), print_index);
	print_each(print_member(value, "prefixes"), print_prefix);
	print_each(print_member(value, "bypass"), print_bypass);
}

int cmd_show(struct context *context, int argc, char **argv)
{
	cleanup(print_put) json *values = print_array();
	int ret = running_each(context, argc, argv, describe, values);

	if (!ret)
		print_instances(context, values, argc, print_instance);
	return ret;
}
