// SPDX-License-Identifier: GPL-2.0-only
/*
 * What the host has, against what is there.
 */
#include "plan/sources.h"

#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

#include "base/abi_words.h"
#include "base/util.h"
#include "config/failover.h"
#include "config/source.h"
#include "plan/allowed_ips.h"
#include "plan/gateways.h"

static const uint8_t families[] = {AF_INET, AF_INET6};

static const char *family_word(uint8_t family)
{
	return family == AF_INET ? "IPv4" : "IPv6";
}

/* --- what the host has --- */

static int compare_prefixes(const void *a, const void *b)
{
	return prefix_compare(a, b);
}

static int find_addresses(const struct host_view *host, const struct netdev *tunnel, uint8_t family,
			  struct prefixes *found)
{
	size_t kept = 0;

	for (size_t i = 0; i < host->addresses.count; i++) {
		const struct address *address = &host->addresses.all[i];
		struct prefix *prefix;

		if (address->ifindex != tunnel->ifindex || address->ip.family != family ||
		    ip_is_link_local(&address->ip) || !address->len)
			continue;
		prefix = array_grow(&found->all, &found->count, sizeof(*prefix));
		if (!prefix)
			return -ENOMEM;
		*prefix = address_prefix(address);
	}
	if (found->count)
		qsort(found->all, found->count, sizeof(*found->all), compare_prefixes);
	for (size_t i = 0; i < found->count; i++)
		if (!kept || prefix_compare(&found->all[kept - 1], &found->all[i]))
			found->all[kept++] = found->all[i];
	found->count = kept;
	return 0;
}

/* What no tunnel may send from, and what belongs to the other family. */
static void keep_family(struct prefixes *prefixes, uint8_t family)
{
	size_t kept = 0;

	for (size_t i = 0; i < prefixes->count; i++) {
		const struct prefix *prefix = &prefixes->all[i];

		if (prefix->ip.family == family && !prefix_stays_on_link(prefix))
			prefixes->all[kept++] = prefixes->all[i];
	}
	prefixes->count = kept;
}

/* The ranges of one family without those of length 0. */
static int find_narrow(const struct wireguard *wireguard, uint8_t family, struct prefixes *found)
{
	for (size_t i = 0; i < wireguard->allowed_count; i++) {
		struct prefix *prefix;

		if (!wireguard->allowed[i].prefix.len || wireguard->allowed[i].prefix.ip.family != family)
			continue;
		prefix = array_grow(&found->all, &found->count, sizeof(*prefix));
		if (!prefix)
			return -ENOMEM;
		*prefix = wireguard->allowed[i].prefix;
	}
	prefixes_aggregate(found);
	if (found->count && !found->all[0].len) /* they add up to it */
		found->count = 0;
	return 0;
}

/*
 * Where every address is allowed, and nobody has named that, it is refused if `is_strict`, else left out, and `error`
 * says so.
 */
static int find_allowed_ips(struct host_view *host, const struct state *state, const struct netdev *tunnel,
			    uint8_t family, bool is_strict, struct prefixes *found, struct error *error)
{
	int ret = host_view_wireguard(host, tunnel, error);

	if (!ret)
		ret = allowed_ips_aggregate(&host->wireguard, true, found, error);
	if (ret)
		return ret;
	keep_family(found, family);
	if (!found->count || found->all[0].len || state_find_gateway(state, &found->all[0]))
		return 0;
	free(found->all);
	*found = (struct prefixes){};
	ret = allowed_ips_aggregate(&host->wireguard, false, found, error);
	if (is_strict || ret == -ENOMEM)
		return ret;
	error_prefix(error, "not followed: ");
	ret = find_narrow(&host->wireguard, family, found);
	keep_family(found, family);
	return ret;
}

/* In order, each once. The array is the caller's to free, on failure too. */
static int find_prefixes(struct host_view *host, const struct state *state, const struct netdev *tunnel,
			 const struct source_entry *source, bool is_strict, struct prefixes *found, struct error *error)
{
	int ret;

	*found = (struct prefixes){};
	if (!tunnel->ifindex)
		return 0;
	if (source->source == WGVIA_SOURCE_ALLOWED_IPS)
		return find_allowed_ips(host, state, tunnel, source->family, is_strict, found, error);
	ret = find_addresses(host, tunnel, source->family, found);
	return ret ? error_system(error, -ret, "cannot take the prefixes") : 0;
}

/* --- what the prefixes get --- */

static bool is_of(const struct gateway_entry *entry, const struct source_entry *source)
{
	return source_of(&entry->value) == source->source && entry->from.ip.family == source->family;
}

/* As the words say it: the first gateway of a list, none of them judged. */
static int resolve(struct host_view *host, struct state *state, const struct netdev *tunnel,
		   const struct source_entry *source, const struct prefix *from, struct wgvia_gateway *value,
		   struct error *error)
{
	struct route_words words = {.from = *from};
	const struct netdev *dev;
	int ret = 0;

	*value = source->value;
	if (!value->family) {
		dev = netdev_by_index(&host->netdevs, value->ifindex);
		snprintf(words.dev, sizeof(words.dev), "%s", dev ? dev->name : "");
		ret = gateways_resolve(host, tunnel, &words, state, value, error);
	}
	source_mark(value, source->source);
	return ret;
}

/*
 * The value for the prefixes of a source: as a prefix has it that is there already, where that goes the same way, for
 * it knows which gateway of a list was chosen. False: neither is there one, nor is a gateway found.
 */
static bool choose_value(struct host_view *host, struct state *state, const struct netdev *tunnel,
			 const struct source_entry *source, const struct prefix *from, struct wgvia_gateway *value,
			 struct error *problem)
{
	bool is_resolved = !resolve(host, state, tunnel, source, from, value, problem);

	for (size_t i = 0; i < state->gateway_count; i++) {
		const struct gateway_entry *entry = &state->gateways[i];

		if (!is_of(entry, source) || (is_resolved && !failover_same_way(state, &entry->value, state, value)))
			continue;
		*value = entry->value;
		return true;
	}
	return is_resolved;
}

/* --- following --- */

/* What somebody has named, and what another source had first, is left alone. */
static bool is_taken(const struct gateway_entry *entry, const struct source_entry *source)
{
	return entry && source_of(&entry->value) < source->source;
}

static bool has_prefix(const struct prefixes *prefixes, const struct prefix *prefix)
{
	return bsearch(prefix, prefixes->all, prefixes->count, sizeof(*prefix), compare_prefixes);
}

static void remove_old(struct state *state, const struct source_entry *source, const struct prefixes *found)
{
	size_t kept = 0;

	for (size_t i = 0; i < state->gateway_count; i++)
		if (!is_of(&state->gateways[i], source) || has_prefix(found, &state->gateways[i].from))
			state->gateways[kept++] = state->gateways[i];
	state->gateway_count = kept;
}

/* Those that are new at the end. */
static int add_new(struct state *state, const struct source_entry *source, const struct prefixes *found,
		   const struct wgvia_gateway *value)
{
	const size_t count = state->gateway_count;
	int ret = 0;

	for (size_t i = 0; i < found->count && !ret; i++) {
		struct state in_order = {.gateways = state->gateways, .gateway_count = count};
		struct gateway_entry *entry = state_find_gateway(&in_order, &found->all[i]);

		if (!entry)
			ret = state_add_gateway(state, &found->all[i], value);
		else if (!is_taken(entry, source) &&
			 (!is_of(entry, source) || !failover_same_way(state, &entry->value, state, value)))
			entry->value = *value;
	}
	return ret;
}

/* Those that are in force. */
static int find_kept(const struct state *state, const struct source_entry *source, struct prefixes *found)
{
	free(found->all);
	*found = (struct prefixes){};
	for (size_t i = 0; i < state->gateway_count; i++) {
		struct prefix *prefix;

		if (!is_of(&state->gateways[i], source))
			continue;
		prefix = array_grow(&found->all, &found->count, sizeof(*prefix));
		if (!prefix)
			return -ENOMEM;
		*prefix = state->gateways[i].from;
	}
	return 0;
}

static int follow_source(struct host_view *host, struct state *state, const struct netdev *tunnel,
			 const struct source_entry *source, struct error *problem)
{
	struct wgvia_gateway value;
	struct prefixes found;
	int ret = find_prefixes(host, state, tunnel, source, false, &found, problem);

	if (ret != -ENOMEM && (ret || !found.count))
		ret = find_kept(state, source, &found);
	if (!ret && found.count && choose_value(host, state, tunnel, source, &found.all[0], &value, problem)) {
		remove_old(state, source, &found);
		ret = add_new(state, source, &found, &value);
		state_sort(state);
	}
	free(found.all);
	return ret;
}

/* Prefixes of sources that are not there any more. */
static void remove_orphans(struct state *state)
{
	size_t kept = 0;

	for (size_t i = 0; i < state->gateway_count; i++) {
		const struct gateway_entry *entry = &state->gateways[i];
		enum wgvia_source source = source_of(&entry->value);

		if (!source || source_find(state, source, entry->from.ip.family))
			state->gateways[kept++] = *entry;
	}
	state->gateway_count = kept;
}

int sources_follow(struct host_view *host, struct state *state, const struct netdev *tunnel, struct error *problem)
{
	int ret = 0;

	remove_orphans(state);
	for (size_t i = 0; i < state->source_count && !ret; i++)
		ret = follow_source(host, state, tunnel, &state->sources[i], problem);
	return ret;
}

/* --- from words --- */

int sources_set(struct host_view *host, struct state *state, const struct netdev *tunnel,
		const struct route_words *words, struct error *error)
{
	const struct netdev *dev = words->dev[0] ? netdev_by_name(&host->netdevs, words->dev) : NULL;
	struct wgvia_gateway value = {.ifindex = dev ? dev->ifindex : 0};
	int ret;

	if (words->via.family) {
		ret = gateways_resolve(host, tunnel, words, state, &value, error);
		if (!ret)
			source_set(state, words->source, words->from.ip.family, &value);
		return ret;
	}
	if (words->dev[0] && !dev)
		return error_system(error, ENODEV, "cannot use dev '%s'", words->dev);
	for (size_t i = 0; i < ARRAY_SIZE(families); i++)
		source_set(state, words->source, families[i], &value);
	return 0;
}

/* Families of whose prefixes none came into being, and why. The first error of `first` stays. */
static void note_left_out(struct host_view *host, struct plan *plan, const struct netdev *tunnel,
			  const struct source_entry *source, const struct prefixes *found, struct error *first)
{
	struct wgvia_gateway value;
	struct error error = {};
	char text[PREFIX_TEXT_LEN];

	if (!resolve(host, &plan->state, tunnel, source, &found->all[0], &value, &error))
		return;
	for (size_t i = 0; i < found->count; i++)
		plan_add_note(plan, "%s left out: %s", prefix_text(&found->all[i], text), error.text);
	if (!first->text[0])
		*first = error;
}

static void note_lone_addresses(struct plan *plan, const struct prefixes *found)
{
	char text[PREFIX_TEXT_LEN];

	for (size_t i = 0; i < found->count; i++)
		if (found->all[i].len == ip_bits(found->all[i].ip.family))
			plan_add_note(plan,
				      "%s is the gateway's own address alone: name the clients' prefix with 'from "
				      "PREFIX', or 'from allowed-ips'",
				      prefix_text(&found->all[i], text));
}

/* `up IFACE via ADDRESS` takes one family where the interface has both. */
static void note_other_family(const struct host_view *host, struct plan *plan, const struct netdev *tunnel,
			      const struct request *request)
{
	uint8_t family = request->sources[0].from.ip.family == AF_INET ? AF_INET6 : AF_INET;
	struct prefixes found = {};
	char text[PREFIX_TEXT_LEN];

	if (request->source_count != 1 || !request->sources[0].from.ip.family ||
	    request->sources[0].source != WGVIA_SOURCE_ADDRESSES || !tunnel->ifindex)
		return;
	find_addresses(host, tunnel, family, &found);
	for (size_t i = 0; i < found.count; i++)
		plan_add_note(plan, "%s left out: no 'via' names an %s address", prefix_text(&found.all[i], text),
			      family_word(family));
	free(found.all);
}

/* Of a source that stands for no prefix now. */
static int look_at_empty(const struct netdev *tunnel, const struct request *request, const struct source_entry *source,
			 struct error *error)
{
	if (!request->without_from)
		return 0;
	error_refuse(error, "no prefix for '%s': the interface has no %s address", tunnel->name,
		     family_word(source->family));
	error_hint(error, "name the prefix: from PREFIX via ADDRESS");
	return -EINVAL;
}

/* What is to be said of a source that was just taken. */
static int look_at(struct host_view *host, struct plan *plan, const struct netdev *tunnel,
		   const struct request *request, const struct source_entry *source, struct error *first,
		   struct error *error)
{
	const bool is_strict = !request->by_agent;
	struct error left_out = {};
	struct prefixes found;
	int ret = find_prefixes(host, &plan->state, tunnel, source, is_strict, &found, is_strict ? error : &left_out);

	if (!ret && !found.count)
		ret = look_at_empty(tunnel, request, source, error);
	else if (!ret)
		note_left_out(host, plan, tunnel, source, &found, first);
	if (!ret && source->source == WGVIA_SOURCE_ADDRESSES)
		note_lone_addresses(plan, &found);
	free(found.all);
	return ret;
}

int sources_take(struct host_view *host, struct plan *plan, const struct netdev *tunnel, const struct request *request,
		 struct error *error)
{
	static const struct route_words addresses = {.source = WGVIA_SOURCE_ADDRESSES};
	const bool is_bare = !request->from_given && !request->without_from && !request->route_count;
	struct error first = {}, problem = {};
	/* those without `via` first: they are for the families that no other names */
	int ret = is_bare ? sources_set(host, &plan->state, tunnel, &addresses, error) : 0;

	for (int named = 0; named < 2; named++)
		for (size_t i = 0; i < request->source_count && !ret; i++) {
			if (!request->sources[i].from.ip.family != !named)
				continue;
			ret = sources_set(host, &plan->state, tunnel, &request->sources[i], error);
			if (ret)
				plan->refused = &request->sources[i];
		}
	state_sort(&plan->state);
	for (size_t i = 0; i < plan->state.source_count && !ret; i++)
		ret = look_at(host, plan, tunnel, request, &plan->state.sources[i], &first, error);
	if (ret)
		return ret;
	note_other_family(host, plan, tunnel, request);
	if (sources_follow(host, &plan->state, tunnel, &problem))
		return error_system(error, ENOMEM, "cannot take the prefixes");
	if (plan->state.gateway_count || !plan->state.source_count)
		return 0;
	if (first.text[0]) {
		*error = first;
		return -EINVAL;
	}
	if (!is_bare && tunnel->ifindex)
		plan_add_note(
			plan,
			"no prefix yet: nothing goes via the firewall until an agent or the next 'wgvia up' adds one");
	if (!is_bare)
		return 0;
	error_refuse(error, "no prefix for '%s': the interface has no address", tunnel->name);
	error_hint(error, "name the prefix: from PREFIX");
	return -EINVAL;
}

/* --- on a running instance --- */

static size_t count_of(const struct state *state, const struct source_entry *source)
{
	size_t count = 0;

	for (size_t i = 0; i < state->gateway_count; i++)
		count += is_of(&state->gateways[i], source);
	return count;
}

/* Its prefixes in `running`, which are added to `state` in the way that it has now. */
static int keep_source(struct state *state, const struct state *running, const struct source_entry *source)
{
	int ret = 0;

	for (size_t i = 0; i < running->gateway_count && !ret; i++) {
		struct gateway_entry entry = running->gateways[i];

		if (!is_of(&entry, source) || state_find_gateway(state, &entry.from))
			continue;
		if (source->value.family)
			entry.value = source->value;
		source_mark(&entry.value, source->source);
		ret = state_add_gateway(state, &entry.from, &entry.value);
	}
	return ret;
}

int sources_keep(struct host_view *host, const struct state *running, struct plan *plan, struct error *error)
{
	struct plan fresh;
	size_t count = plan->state.gateway_count;
	int ret = 0;

	for (size_t i = 0; i < plan->state.source_count && !ret; i++) {
		const struct source_entry *source = &plan->state.sources[i];

		if (count_of(&plan->state, source) || !source_find(running, source->source, source->family))
			continue;
		ret = keep_source(&plan->state, running, source);
		state_sort(&plan->state);
	}
	if (ret)
		return error_system(error, ENOMEM, "cannot take the prefixes");
	if (plan->state.gateway_count == count)
		return 0;
	ret = plan_running(host, &plan->state, &fresh, error);
	fresh.resolved = plan->resolved;
	fresh.resolved_count = plan->resolved_count;
	plan->resolved = NULL;
	plan_free(plan);
	*plan = fresh;
	return ret;
}
