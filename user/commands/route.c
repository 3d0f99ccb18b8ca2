// SPDX-License-Identifier: GPL-2.0-only
/*
 * wgvia route add|replace|del IFACE from PREFIX|addresses|allowed-ips [via ADDRESS] [dev DEV] [or ADDRESS [dev DEV]]...
 *	[health KIND]
 */
#include <string.h>
#include <sys/socket.h>

#include "base/abi_words.h"
#include "base/util.h"
#include "commands/changes.h"
#include "commands/output.h"
#include "commands/plan_notes.h"
#include "commands/probe_notes.h"
#include "config/failover.h"
#include "config/parse.h"
#include "config/statement.h"
#include "config/source.h"
#include "config/watch.h"
#include "plan/gateways.h"
#include "plan/sources.h"
#include "session/session.h"

enum verb { ADD, REPLACE, DEL };
static const char *const verbs[] = {"add", "replace", "del"};

/* One prefix of a state, as a separate state. */
struct part {
	struct state state;
	struct gateway_entry entry;
	struct gateway_list list;
};

struct change {
	enum verb verb;
	struct route_words words;
	struct part before, after;     /* the prefix, if the instance has it */
	struct sender_targets targets; /* gateways that are new in the instance */
};

/* `entry` NULL: the state does not contain it. */
static void take_part(struct part *part, const struct state *state, const struct gateway_entry *entry)
{
	const struct gateway_list *list = entry ? failover_find(state, &entry->value) : NULL;

	*part = (struct part){.state = {.tunnel_ifindex = state->tunnel_ifindex}};
	if (!entry)
		return;
	part->entry = *entry;
	part->state.gateways = &part->entry;
	part->state.gateway_count = 1;
	if (!list)
		return;
	part->list = *list;
	part->state.lists = &part->list;
	part->state.list_count = 1;
}

/* `before`: the previous gateways of the instance. */
static void choose_targets(const struct session *session, const struct hops *before, struct change *change)
{
	cleanup(hops_free) struct hops now = {};
	size_t known = 0;

	if (failover_hops(&change->after.state, &now))
		return;
	for (size_t i = 0; i < now.count; i++)
		for (size_t j = 0; j < before->count; j++)
			known += hop_equal(&now.all[i], &before->all[j]);
	if (known < now.count)
		sender_targets_choose(session->host, &change->after.state, &change->targets);
}

/* Checks the lists that prefixes follow now. */
static int check_watch(struct session *session)
{
	struct error *error = &session->context->error;

	if (failover_prune(&session->state))
		return error_system(error, ENOMEM, "cannot process the gateways");
	if (!gateways_check_watch(&session->state, &session->host->netdevs, error))
		return 0;
	error_hint(error, "'wgvia apply' and 'wgvia up' change all lists at once");
	return -EINVAL;
}

static int set_gateway(struct session *session, struct change *change)
{
	struct gateway_entry *entry = state_find_gateway(&session->state, &change->words.from);
	struct error *error = &session->context->error;
	cleanup(hops_free) struct hops before = {};
	struct wgvia_gateway value;
	char from[PREFIX_TEXT_LEN];
	struct netdev absent;
	int ret;

	if (entry && change->verb == ADD)
		return error_refuse(error, "'%s' has a gateway already: 'route replace' changes it",
				    prefix_text(&change->words.from, from));
	ret = session_read_host(session, GATEWAYS_READ | HOST_ADDRESSES);
	if (ret)
		return ret;
	failover_hops(&session->state, &before);
	ret = gateways_resolve(session->host, plan_tunnel(&session->host->netdevs, session->tunnel, &absent),
			       &change->words, &session->state, &value, error);
	if (ret)
		return ret;
	if (entry)
		entry->value = value;
	else if (state_add_gateway(&session->state, &change->words.from, &value))
		return error_system(error, ENOMEM, "cannot add the prefix");
	ret = check_watch(session);
	if (ret)
		return ret;
	take_part(&change->after, &session->state,
		  entry ? entry : &session->state.gateways[session->state.gateway_count - 1]);
	choose_targets(session, &before, change);
	return 0;
}

static bool hop_matches(const struct hop_words *words, const struct wgvia_hop *hop, const struct netdevs *netdevs)
{
	struct wgvia_gateway value = hop_value(hop, 0);
	const struct netdev *dev = netdev_by_name(netdevs, words->dev);
	struct ip ip = gateway_ip(&value);

	if (words->via.family && !ip_equal(&words->via, &ip))
		return false;
	return !words->dev[0] || (dev && dev->ifindex == hop->ifindex);
}

/* Whether the words of a `del` match what is running: all gateways in order, or none given. */
static int check_words(const struct session *session, const struct route_words *words,
		       const struct wgvia_gateway *value)
{
	const struct gateway_list *list = failover_find(&session->state, value);
	const struct netdevs *netdevs = &session->host->netdevs;
	struct wgvia_failover hops = {.count = 1, .hops = {hop_of(value)}};
	struct hop_words first = {.via = words->via};
	struct error *error = &session->context->error;
	char from[PREFIX_TEXT_LEN], gateways[STATEMENT_MAX];
	bool same;

	if (!words->via.family && !words->dev[0])
		return 0;
	if (list)
		hops = list->content;
	memcpy(first.dev, words->dev, sizeof(first.dev));
	same = hops.count == words->other_count + 1 && hop_matches(&first, &hops.hops[0], netdevs);
	for (size_t i = 0; same && i < words->other_count; i++)
		same = hop_matches(&words->others[i], &hops.hops[i + 1], netdevs);
	same &= !words->watch_given || watch_equal(&words->watch, &hops.watch);
	if (same)
		return 0;
	error_refuse(error, "'%s' has another gateway or device than the command names", from_text(words, from));
	if (value->family)
		error_hint(error, "the instance has: %s",
			   statement_of_gateways(&session->state, value, netdevs, gateways));
	else
		error_hint(error, "it has no 'via': it uses the default route");
	return -EINVAL;
}

static int delete_gateway(struct session *session, const struct change *change)
{
	struct gateway_entry *entry = state_find_gateway(&session->state, &change->words.from);
	char from[PREFIX_TEXT_LEN];
	enum wgvia_source source;
	int ret;

	if (!entry)
		return error_refuse(&session->context->error, "'%s' is not a prefix of '%s'",
				    prefix_text(&change->words.from, from), session->tunnel);
	source = source_of(&entry->value);
	if (source) {
		error_refuse(&session->context->error, "'%s' belongs to 'from %s', which would add it again",
			     prefix_text(&change->words.from, from), source_words[source]);
		error_hint(&session->context->error, "to remove all of them: wgvia route del %s from %s",
			   session->tunnel, source_words[source]);
		return -EINVAL;
	}
	ret = session_read_host(session, HOST_NETDEVS);
	if (!ret)
		ret = check_words(session, &change->words, &entry->value);
	if (!ret)
		state_remove_gateway(&session->state, entry);
	return ret;
}

/* The prefixes that follow the host are unknown. */
static int refuse_blind(const struct session *session, const struct error *problem)
{
	session->context->error = *problem;
	session->context->error.status = 1;
	return -EINVAL;
}

/* --- sources --- */

/* The sources of the state that match the words: of one family, or both. */
static struct source_entry *find_source(const struct state *state, const struct route_words *words)
{
	struct source_entry *entry = NULL;

	if (words->from.ip.family != AF_INET6)
		entry = source_find(state, words->source, AF_INET);
	if (!entry && words->from.ip.family != AF_INET)
		entry = source_find(state, words->source, AF_INET6);
	return entry;
}

static int set_source(struct session *session, const struct change *change)
{
	struct error *error = &session->context->error;
	struct netdev absent;
	int ret;

	if (change->verb == ADD && find_source(&session->state, &change->words))
		return error_refuse(error, "'from %s' exists already: 'route replace' changes it",
				    source_words[change->words.source]);
	ret = session_read_host(session, GATEWAYS_READ | HOST_ADDRESSES);
	if (!ret)
		ret = sources_set(session->host, &session->state,
				  plan_tunnel(&session->host->netdevs, session->tunnel, &absent), &change->words,
				  error);
	return ret;
}

static int delete_source(struct session *session, const struct change *change)
{
	struct source_entry *entry = find_source(&session->state, &change->words);
	int ret = session_read_host(session, HOST_NETDEVS);

	if (!ret && !entry)
		return error_refuse(&session->context->error, "'from %s' is not one of '%s'",
				    source_words[change->words.source], session->tunnel);
	for (; entry && !ret; entry = find_source(&session->state, &change->words)) {
		ret = check_words(session, &change->words, &entry->value);
		if (!ret)
			source_remove(&session->state, entry);
	}
	return ret;
}

/* Reports all resulting changes. */
static int route_source(struct session *session, const struct change *change)
{
	cleanup(state_free) struct state before = {};
	int ret = session_read_running(session, &before);

	if (!ret)
		ret = change->verb == DEL ? delete_source(session, change) : set_source(session, change);
	if (!ret)
		ret = session_plan(session);
	if (!ret && (session->host->wireguard_ret || (change->words.source == WGVIA_SOURCE_ALLOWED_IPS &&
						      change->verb != DEL && session->plan.problem.text[0])))
		ret = refuse_blind(session, &session->plan.problem);
	if (!ret && change->verb != DEL)
		ret = gateways_check_watch(&session->plan.state, session->plan.netdevs, &session->context->error);
	if (!ret)
		ret = session_commit(session);
	if (!ret)
		changes_print(session, changes_of_states(&before, &session->plan.state, &session->host->netdevs),
			      print_array(), false);
	return ret;
}

static void print_outcome(struct session *session, struct change *change)
{
	json *notes = print_array();

	if (change->verb != DEL)
		notes_of_lans(notes, &session->plan, &change->words.from);
	if (change->targets.count)
		probe_notes(session->context, session->tunnel, &change->targets, true, notes);
	changes_print(session, changes_of_states(&change->before.state, &change->after.state, &session->host->netdevs),
		      notes, false);
}

static int route(struct context *context, const char *tunnel, struct change *change)
{
	cleanup(session_end) struct session session = SESSION(context);
	int ret = session_begin(&session, tunnel);

	if (ret)
		return ret;
	if (change->words.source)
		return route_source(&session, change);
	take_part(&change->before, &session.state, state_find_gateway(&session.state, &change->words.from));
	ret = change->verb == DEL ? delete_gateway(&session, change) : set_gateway(&session, change);
	if (!ret)
		ret = session_plan(&session);
	/* the prefix to delete may be a peer's as well */
	if (!ret && change->verb == DEL && session.host->wireguard_ret)
		ret = refuse_blind(&session, &session.host->wireguard_error);
	if (!ret)
		ret = session_commit(&session);
	if (!ret)
		print_outcome(&session, change);
	return ret;
}

int cmd_route(struct context *context, int argc, char **argv)
{
	char tunnel[IFNAMSIZ];
	struct change change = {};
	int verb = argc ? word_find(verbs, ARRAY_SIZE(verbs), argv[0]) : -1;
	int ret;

	if (verb < 0)
		return error_usage(&context->error,
				   "'route%s%s' is not a command: route add, route replace or route del",
				   argc ? " " : "", argc ? argv[0] : "");
	change.verb = verb;
	ret = parse_route(argc - 1, argv + 1, tunnel, &change.words, &context->error);
	if (!ret)
		ret = route(context, tunnel, &change);
	free(change.targets.all);
	route_words_free(&change.words);
	return ret;
}
