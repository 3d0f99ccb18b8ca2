// SPDX-License-Identifier: GPL-2.0-only
/*
 * wgvia route add|replace|del IFACE from PREFIX [via ADDRESS] [dev DEV] [or ADDRESS [dev DEV]]...
 */
#include <stdio.h>
#include <string.h>

#include "lists.h"
#include "notes.h"
#include "parse.h"
#include "print.h"
#include "rtnl.h"
#include "running.h"
#include "probe_notes.h"
#include "statement.h"
#include "util.h"
#include "words.h"

enum verb { ADD, REPLACE, DEL };
static const char *const verbs[] = {"add", "replace", "del"};

struct change {
	enum verb verb;
	struct route_words words;
	struct sender_targets targets; /* gateways that the instance had not yet */
};

/* `before`: the gateways that the instance had before `state` had this one. */
static void choose_targets(struct rtnl *rtnl, const struct state *state, const struct wgvia_gateway *value,
			   const struct links *links, const struct hops *before, struct change *change)
{
	const struct gateway_list *list = lists_find(state, value);
	struct gateway_entry entry = {change->words.from, *value};
	struct gateway_list one = list ? *list : (struct gateway_list){};
	struct state part = {.tunnel_ifindex = state->tunnel_ifindex,
			     .gateways = &entry,
			     .gateway_count = 1,
			     .lists = &one,
			     .list_count = list ? 1 : 0};
	struct hops now = {};
	size_t known = 0;

	if (lists_hops(&part, &now))
		return;
	for (size_t i = 0; i < now.count; i++)
		for (size_t j = 0; j < before->count; j++)
			known += hop_equal(&now.all[i], &before->all[j]);
	if (known < now.count)
		sender_targets_choose(rtnl, &part, links, &change->targets);
	free(now.all);
}

static int set_gateway(struct context *context, struct rtnl *rtnl, struct state *state, struct change *change)
{
	struct gateway_entry *entry = state_find_gateway(state, &change->words.from);
	struct links links = {};
	struct wgvia_gateway value;
	struct hops before = {};
	char from[PREFIX_TEXT_LEN];
	struct link absent;
	int ret;

	if (entry && change->verb == ADD)
		return error_refuse(&context->error, "'%s' has a gateway already: 'route replace' changes it",
				    prefix_text(&change->words.from, from));
	ret = rtnl_get_links(rtnl, &links);
	if (ret)
		return error_system(&context->error, -ret, "cannot list the devices");
	lists_hops(state, &before);
	ret = resolve_route(rtnl, &links, resolve_tunnel(&links, state->tunnel, &absent), &change->words, state, &value,
			    &context->error);
	if (!ret)
		choose_targets(rtnl, state, &value, &links, &before, change);
	free(before.all);
	free(links.all);
	if (ret)
		return ret;
	if (entry) {
		entry->value = value;
		return 0;
	}
	ret = state_add_gateway(state, &change->words.from, &value);
	return ret ? error_system(&context->error, -ret, "cannot add the prefix") : 0;
}

static bool hop_matches(const struct hop_words *words, const struct wgvia_hop *hop, const struct links *links)
{
	struct wgvia_gateway value = hop_value(hop, 0);
	const struct link *dev = link_by_name(links, words->dev);
	struct ip ip = gateway_ip(&value);

	if (words->via.family && !ip_equal(&words->via, &ip))
		return false;
	return !words->dev[0] || (dev && dev->ifindex == hop->ifindex);
}

/* Whether the words of a `del` say what is running: all gateways in order, or none at all. */
static int check_words(struct context *context, const struct route_words *words, const struct state *state,
		       const struct wgvia_gateway *value, const struct links *links)
{
	const struct gateway_list *list = lists_find(state, value);
	struct wgvia_failover hops = {1, {hop_of(value)}};
	struct hop_words first = {.via = words->via};
	char from[PREFIX_TEXT_LEN], gateways[STATEMENT_MAX];
	bool same;

	if (!words->via.family && !words->dev[0])
		return 0;
	if (list)
		hops = list->content;
	memcpy(first.dev, words->dev, sizeof(first.dev));
	same = hops.count == words->other_count + 1 && hop_matches(&first, &hops.hops[0], links);
	for (size_t i = 0; same && i < words->other_count; i++)
		same = hop_matches(&words->others[i], &hops.hops[i + 1], links);
	if (same)
		return 0;
	error_refuse(&context->error, "'%s' goes another way than these words say", prefix_text(&words->from, from));
	error_hint(&context->error, "it goes %s", statement_of_gateways(state, value, links, gateways));
	return -EINVAL;
}

static int delete_gateway(struct context *context, struct rtnl *rtnl, struct state *state, const struct change *change)
{
	struct gateway_entry *entry = state_find_gateway(state, &change->words.from);
	char from[PREFIX_TEXT_LEN];
	struct links links = {};
	int ret;

	if (!entry)
		return error_refuse(&context->error, "'%s' is no prefix of '%s'",
				    prefix_text(&change->words.from, from), state->tunnel);
	ret = rtnl_get_links(rtnl, &links);
	if (ret)
		return error_system(&context->error, -ret, "cannot list the devices");
	ret = check_words(context, &change->words, state, &entry->value, &links);
	free(links.all);
	if (!ret)
		state_remove_gateway(state, entry);
	return ret;
}

static int edit(struct context *context, struct rtnl *rtnl, struct state *state, void *data)
{
	struct change *change = data;

	if (change->verb == DEL)
		return delete_gateway(context, rtnl, state, change);
	return set_gateway(context, rtnl, state, change);
}

static void print_notes(const struct context *context, const json *value)
{
	(void)context;
	notes_print(value);
}

/* Says nothing where there is nothing to say. */
static void probe(struct context *context, const char *tunnel, struct change *change)
{
	cleanup(print_put) json *values = print_array();
	json *value = print_object(), *notes = print_array();

	probe_notes(context, tunnel, &change->targets, true, notes);
	print_add_text(value, "interface", tunnel);
	print_add(value, "notes", notes);
	print_append(values, value);
	if (json_object_array_length(notes))
		print_instances(context, values, true, print_notes);
}

int cmd_route(struct context *context, int argc, char **argv)
{
	char tunnel[IFNAMSIZ];
	struct change change = {};
	int verb = argc ? word_find(verbs, ARRAY_SIZE(verbs), argv[0]) : -1;
	int ret;

	if (verb < 0)
		return error_usage(&context->error, "'route%s%s' is no command: route add, route replace or route del",
				   argc ? " " : "", argc ? argv[0] : "");
	change.verb = verb;
	ret = parse_route(argc - 1, argv + 1, tunnel, &change.words, &context->error);
	ret = ret ? ret : running_edit(context, tunnel, edit, &change);
	if (!ret && change.targets.count)
		probe(context, tunnel, &change);
	free(change.targets.all);
	route_words_free(&change.words);
	return ret;
}
