// SPDX-License-Identifier: GPL-2.0-only
/*
 * wgvia [-4|-6] [-br] show [IFACE]: what is attached where, each prefix with its gateway and the neighbour's state,
 * what is exempt; for values that the packet path cannot use, the reason.
 */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

#include "base/abi_words.h"
#include "base/util.h"
#include "commands/color.h"
#include "commands/message.h"
#include "commands/output.h"
#include "commands/show_brief.h"
#include "config/failover.h"
#include "config/source.h"
#include "config/statement.h"
#include "config/watch.h"
#include "datapath/index/index_map.h"
#include "plan/gateways.h"
#include "session/instance_list.h"
#include "session/instance_view.h"

/* Thousands of prefixes have a few gateways: each one is looked up once. */
struct known {
	struct wgvia_hop hop;
	struct neighbour neighbour;
};

/* An instance, and the host's data, read once for it; it lives until it is printed. */
struct shown {
	struct instance_view view;
	struct known *known;
	size_t known_count;
};

static void shown_free(void *data)
{
	struct shown *shown = data;

	instance_view_free(&shown->view);
	free(shown->known);
	free(shown);
}

static json *describe_attachment(const struct attachment *attachment, const struct netdevs *netdevs)
{
	const struct netdev *netdev = netdev_by_index(netdevs, attachment->ifindex);
	json *value = print_object();

	print_add_device(value, netdevs, attachment->ifindex);
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
	if (attachment->moved)
		print_add_bool(value, "moved", true);
	print_add_text(value, "state", netdev_state(netdev));
	if (netdev)
		print_add_number(value, "mtu", netdev->mtu);
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
	if (!shown->view.host.rtnl)
		return &known->neighbour;
	rtnl_get_neighbour(shown->view.host.rtnl, hop->ifindex, &ip, &known->neighbour);
	return &known->neighbour;
}

/* Adds the agent's report about a gateway; nothing if no agent runs. */
static void add_health(const struct shown *shown, json *value, const struct wgvia_hop *hop)
{
	const struct wgvia_gateway_health *health = gateway_report_find(&shown->view.report, hop);
	struct wgvia_watch watch = watch_of(&shown->view.state, hop);
	char text[GATEWAY_REPORT_TEXT], fault[WATCH_FAULT_LEN];
	json *item;

	if (!health)
		return;
	item = print_object();
	print_add_text(item, "state", health_words[health->state]);
	if (health->state != WGVIA_HEALTH_UNKNOWN)
		print_add_number(item, "seconds", gateway_report_age(&shown->view.report, health));
	if (health->fault)
		print_add_text(item, "reason", watch_fault(&watch, health->fault, fault));
	print_add_text(item, "text", gateway_report_text(&shown->view.report, health, &watch, text));
	print_add(value, "health", item);
}

/* All gateways of the prefix's list, in order of preference. */
static json *describe_list(struct shown *shown, const struct gateway_list *list, const struct wgvia_gateway *in_force)
{
	int current = failover_current(list, in_force);
	json *values = print_array();

	for (uint32_t i = 0; i < list->content.count; i++) {
		const struct wgvia_hop *hop = &list->content.hops[i];
		const struct neighbour *neighbour = find_neighbour(shown, hop);
		json *value = print_object();

		print_add_hop(value, hop, &shown->view.host.netdevs);
		print_add_bool(value, "current", (int)i == current);
		if (neighbour)
			print_add(value, "neighbour", print_neighbour(neighbour));
		add_health(shown, value, hop);
		print_append(values, value);
	}
	return values;
}

static json *describe_prefix(void *data, size_t index)
{
	struct shown *shown = data;
	const struct gateway_entry *entry = &shown->view.state.gateways[index];
	const char *problem = gateway_problem(&shown->view.host, &shown->view.points, entry);
	const struct gateway_list *list = failover_find(&shown->view.state, &entry->value);
	struct wgvia_hop hop = hop_of(&entry->value);
	const struct neighbour *neighbour = problem ? NULL : find_neighbour(shown, &hop);
	char text[PREFIX_TEXT_LEN], watch[WATCH_TEXT_LEN];
	json *value = print_object();

	print_add_text(value, "from", prefix_text(&entry->from, text));
	print_add_text(value, "source", source_words[source_of(&entry->value)]);
	print_add_hop(value, &hop, &shown->view.host.netdevs);
	print_add_bool(value, "usable", !problem);
	if (problem)
		print_add_text(value, "problem", problem);
	if (neighbour)
		print_add(value, "neighbour", print_neighbour(neighbour));
	add_health(shown, value, &hop);
	if (list)
		print_add(value, "gateways", describe_list(shown, list, &entry->value));
	if (list && list->content.watch.kind)
		print_add_text(value, "health_kind", watch_text(&list->content.watch, watch));
	return value;
}

static json *describe_bypass(void *data, size_t index)
{
	const struct bypass_entry *entry = &((const struct shown *)data)->view.state.bypass[index];
	uint32_t verdict = entry->value.verdict;
	json *value = print_object();
	char text[PREFIX_TEXT_LEN];

	print_add_text(value, "to", prefix_text(&entry->to, text));
	print_add_text(value, "verdict", word_of(verdict_words, WGVIA_VERDICT_COUNT, verdict));
	print_add_bool(value, "admin", bypass_is_admin(&entry->value));
	if (!bypass_is_known(&entry->value)) {
		snprintf(text, sizeof(text), "unknown verdict %u, treated as bypass", verdict);
		print_add_text(value, "problem", text);
	}
	return value;
}

/* The families whose prefixes have an index in force. */
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

/* The statements whose prefixes follow the host. */
static json *describe_sources(const struct shown *shown)
{
	char lines[SOURCES_MAX][STATEMENT_MAX];
	size_t count = statement_of_sources(&shown->view.state, &shown->view.host.netdevs, lines);
	json *values = print_array();

	for (size_t i = 0; i < count; i++)
		print_append_text(values, lines[i]);
	return values;
}

/* An instance without an interface only knows the interface's name. */
static const char *tunnel_state(const struct shown *shown, const struct wgvia_meta *meta)
{
	const struct netdev *netdev = meta->tunnel_ifindex
					      ? netdev_by_index(&shown->view.host.netdevs, meta->tunnel_ifindex)
					      : netdev_by_name(&shown->view.host.netdevs, shown->view.state.tunnel);

	return netdev || meta->tunnel_ifindex ? netdev_state(netdev) : "absent";
}

/* -4, -6: only the lines of prefixes and entries depend on the family. */
static void keep_family(struct state *state, uint8_t family)
{
	size_t kept = 0;

	if (!family)
		return;
	for (size_t i = 0; i < state->gateway_count; i++)
		if (state->gateways[i].from.ip.family == family)
			state->gateways[kept++] = state->gateways[i];
	state->gateway_count = kept;
	kept = 0;
	for (size_t i = 0; i < state->bypass_count; i++)
		if (state->bypass[i].to.ip.family == family)
			state->bypass[kept++] = state->bypass[i];
	state->bypass_count = kept;
}

static json *describe_instance(struct shown *shown, const struct instance *instance, uint8_t family)
{
	json *value = print_object(), *attachments = print_array();
	const char *problem =
		instance->is_orphan ? NULL : failover_problem(&shown->view.state, shown->view.report.agent);
	char text[STATEMENT_MAX];

	print_add_text(value, "interface", instance->tunnel);
	print_add_number(value, "ifindex", instance->meta.tunnel_ifindex);
	print_add_text(value, "state", tunnel_state(shown, &instance->meta));
	print_add_text(value, "mode", word_of(mode_words, WORDS_MODE, instance->meta.mode));
	print_add_text(value, "on_fail", on_fail_words[shown->view.state.on_fail]);
	print_add_text(value, "outside", outside_words[shown->view.state.outside]);
	print_add_text(value, "mss", statement_of_mss(&shown->view.state, text) + strlen("mss "));
	print_add_text(value, "counters", counting_words[shown->view.state.counting]);
	print_add_text(value, "return",
		       statement_of_return(&shown->view.state, &shown->view.host.netdevs, text) + strlen("return "));
	print_add_number(value, "abi", instance->meta.abi);
	print_add_bool(value, "agent", shown->view.report.agent);
	print_add_bool(value, "orphan", instance->is_orphan);
	if (problem)
		print_add_text(value, "agent_problem", problem);
	for (int direction = 0; direction < WGVIA_DIRECTION_COUNT; direction++)
		for (size_t i = 0; i < instance->attachment_count; i++)
			if ((int)instance->attachments[i].direction == direction)
				print_append(attachments,
					     describe_attachment(&instance->attachments[i], &shown->view.host.netdevs));
	print_add(value, "attachments", attachments);
	print_add(value, "indexes", describe_indexes(instance, &shown->view.state));
	print_add(value, "sources", describe_sources(shown));
	keep_family(&shown->view.state, family);
	print_add(value, "prefixes", print_rows(shown->view.state.gateway_count, describe_prefix, shown));
	print_add(value, "bypass", print_rows(shown->view.state.bypass_count, describe_bypass, shown));
	print_keep(value, shown, shown_free);
	return value;
}

static json *describe(const struct context *context, struct shown *shown, const struct instance *instance)
{
	cleanup(print_release) json *value = describe_instance(shown, instance, context->family);

	return context->brief ? show_brief(value) : json_object_get(value);
}

static int show_instance(struct context *context, const struct instance *instance, void *values)
{
	struct shown *shown = calloc(1, sizeof(*shown));
	int ret;

	if (!shown)
		return error_system(&context->error, ENOMEM, "cannot read '%s'", instance->tunnel);
	ret = instance_view_read(instance, &shown->view, &context->error);
	if (ret)
		shown_free(shown);
	else
		print_append(values, describe(context, shown, instance));
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
	printf(" prog %" PRIu64, print_number(item, "prog_id"));
	if (!print_bool(item, "attached"))
		printf(" %s%s%s", color_bad(stdout),
		       print_member(item, "moved") ? "IN ANOTHER NETWORK NAMESPACE" : "DETACHED", color_off(stdout));
	putchar('\n');
}

static void print_gateway(const json *item)
{
	const json *neighbour = print_member(item, "neighbour"), *health = print_member(item, "health");

	printf(" %s dev %s", print_text(item, "via"), print_text(item, "dev"));
	if (neighbour && print_member(neighbour, "lladdr"))
		printf(" lladdr %s", print_text(neighbour, "lladdr"));
	if (neighbour) {
		bool dead = !strcmp(print_text(neighbour, "state"), "FAILED");

		printf(" %s%s%s", dead ? color_bad(stdout) : "", print_text(neighbour, "state"),
		       dead ? color_off(stdout) : "");
	}
	if (health)
		printf(" (%s)", print_text(health, "text"));
}

/* The list with the one in force marked, or the only gateway. */
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
	if (print_member(prefix, "health_kind"))
		printf(" health %s", print_text(prefix, "health_kind"));
}

static void print_prefix(const json *item)
{
	printf("    from %s via", print_text(item, "from"));
	print_gateways(item);
	if (strcmp(print_text(item, "source"), source_words[WGVIA_SOURCE_NAMED]) != 0)
		printf(" (%s)", print_text(item, "source"));
	if (!print_bool(item, "usable"))
		printf(" %sUNUSABLE: %s%s", color_bad(stdout), print_text(item, "problem"), color_off(stdout));
	putchar('\n');
}

static void print_bypass(const json *item)
{
	printf("    bypass %s %s%s%s%s\n", print_text(item, "to"), print_text(item, "verdict"),
	       print_bool(item, "admin") ? " admin" : "", print_member(item, "problem") ? ": " : "",
	       print_text(item, "problem"));
}

static void print_index(const json *item)
{
	printf("    index %s\n", json_object_get_string((json *)item));
}

static void print_source(const json *item)
{
	printf("    %s\n", json_object_get_string((json *)item));
}

static void print_instance(const struct context *context, const json *value)
{
	(void)context;
	printf("%s: %s mode %s on-fail %s outside %s mss %s counters %s return %s\n", print_text(value, "interface"),
	       print_text(value, "state"), print_text(value, "mode"), print_text(value, "on_fail"),
	       print_text(value, "outside"), print_text(value, "mss"), print_text(value, "counters"),
	       print_text(value, "return"));
	if (print_bool(value, "orphan"))
		printf("    its network namespace no longer exists: 'wgvia down %s' removes what is left of it\n",
		       print_text(value, "interface"));
	print_each(print_member(value, "attachments"), print_attachment);
	if (print_member(value, "agent_problem"))
		printf("    %s\n", print_text(value, "agent_problem"));
	print_each(print_member(value, "indexes"), print_index);
	print_each(print_member(value, "sources"), print_source);
	print_each(print_member(value, "prefixes"), print_prefix);
	print_each(print_member(value, "bypass"), print_bypass);
}

int cmd_show(struct context *context, int argc, char **argv)
{
	cleanup(instance_list_free) struct instance_list list = {.with_orphans = true};
	cleanup(print_release) json *values = print_array();
	int ret = instance_list_visit(context, argc, argv, &list, show_instance, values);

	if (ret)
		return ret;
	message_no_pin_dir(context);
	print_instances(context, values, argc, context->brief ? show_brief_print : print_instance);
	return instance_list_end(context, &list);
}
