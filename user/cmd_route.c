// SPDX-License-Identifier: GPL-2.0-only
/*
 * wgvia route add|replace|del IFACE from PREFIX [via ADDRESS] [dev DEV]
 */
#include <string.h>

#include "parse.h"
#include "print.h"
#include "rtnl.h"
#include "running.h"
#include "util.h"
#include "words.h"

enum verb { ADD, REPLACE, DEL };
static const char *const verbs[] = {"add", "replace", "del"};

struct change {
	enum verb verb;
	struct route_words words;
};

static int set_gateway(struct context *context, struct rtnl *rtnl, struct state *state, const struct change *change)
{
	struct gateway_entry *entry = state_find_gateway(state, &change->words.from);
	struct links links = {};
	const struct link *tunnel;
	struct wgvia_gateway value;
	char from[PREFIX_TEXT_LEN];
	int ret;

	if (entry && change->verb == ADD)
		return error_refuse(&context->error, "'%s' has a gateway already: 'route replace' changes it",
				    prefix_text(&change->words.from, from));
	ret = rtnl_get_links(rtnl, &links);
	if (ret)
		return error_system(&context->error, -ret, "cannot list the devices");
	tunnel = link_by_name(&links, state->tunnel);
	ret = tunnel ? 0 : error_system(&context->error, ENODEV, "cannot use '%s'", state->tunnel);
	ret = ret ? ret : resolve_route(rtnl, &links, tunnel, &change->words, &value, &context->error);
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

static int delete_gateway(struct context *context, struct rtnl *rtnl, struct state *state, const struct change *change)
{
	struct gateway_entry *entry = state_find_gateway(state, &change->words.from);
	const struct route_words *words = &change->words;
	char from[PREFIX_TEXT_LEN], via[IP_TEXT_LEN];
	struct links links = {};
	const struct link *dev;
	struct ip running;
	int ret;

	prefix_text(&words->from, from);
	if (!entry)
		return error_refuse(&context->error, "'%s' is no prefix of '%s'", from, state->tunnel);
	running = gateway_ip(&entry->value);
	if (words->via.family && !ip_equal(&words->via, &running))
		return error_refuse(&context->error, "'%s' does not go via '%s'", from, ip_text(&words->via, via));
	if (words->dev[0]) {
		ret = rtnl_get_links(rtnl, &links);
		if (ret)
			return error_system(&context->error, -ret, "cannot list the devices");
		dev = link_by_name(&links, words->dev);
		ret = !dev || dev->ifindex != entry->value.ifindex;
		free(links.all);
		if (ret)
			return error_refuse(&context->error, "'%s' does not go by dev '%s'", from, words->dev);
	}
	state_remove_gateway(state, entry);
	return 0;
}

static int edit(struct context *context, struct rtnl *rtnl, struct state *state, void *data)
{
	const struct change *change = data;

	if (change->verb == DEL)
		return delete_gateway(context, rtnl, state, change);
	return set_gateway(context, rtnl, state, change);
}

int cmd_route(struct context *context, int argc, char **argv)
{
	char tunnel[IFNAMSIZ];
	struct change change;
	int verb = argc ? word_find(verbs, ARRAY_SIZE(verbs), argv[0]) : -1;

	if (verb < 0)
		return error_usage(&context->error, "'route%s%s' is no command: route add, route replace or route del",
				   argc ? " " : "", argc ? argv[0] : "");
	change.verb = verb;
	if (parse_route(argc - 1, argv + 1, tunnel, &change.words, &context->error))
		return -EINVAL;
	return running_edit(context, tunnel, edit, &change);
}
