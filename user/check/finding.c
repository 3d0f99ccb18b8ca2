// SPDX-License-Identifier: GPL-2.0-only
/*
 * Findings, and their parts. It examines nothing itself.
 */
#include "check/finding.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

#include "base/abi_words.h"
#include "base/util.h"
#include "config/failover.h"
#include "config/source.h"
#include "config/statement.h"
#include "config/watch.h"
#include "datapath/pins.h"
#include "plan/gateways.h"

void finding_add(struct examined *examined, enum severity severity, const char *name, const char *remedy,
		 const char *format, ...)
{
	struct finding *finding = array_grow(&examined->findings, &examined->count, sizeof(*finding));
	va_list args;

	if (!finding)
		return;
	finding->severity = severity;
	finding->name = name;
	finding->reason = examined->is_running ? accepted_reason(&examined->running->accepted, name) : NULL;
	snprintf(finding->remedy, sizeof(finding->remedy), "%s", remedy);
	va_start(args, format);
	vsnprintf(finding->evidence, sizeof(finding->evidence), format, args);
	va_end(args);
}

bool examined_has_family(const struct examined *examined, uint8_t family)
{
	const struct state *state = &examined->plan.state;

	/* if sorted, one family is at the beginning and one at the end; a plan that failed may be unsorted */
	for (size_t i = 0, j = state->gateway_count; i < j; i++)
		if (state->gateways[i].from.ip.family == family || state->gateways[--j].from.ip.family == family)
			return true;
	return false;
}

#define UP_WORDS 400 /* nobody reads a command with more */

/* Whether the devices of the value's gateways exist. */
static bool has_devices(const struct examined *examined, const struct wgvia_gateway *value)
{
	const struct gateway_list *list = failover_find(&examined->plan.state, value);

	for (uint32_t i = 0; list && i < list->content.count; i++)
		if (!netdev_by_index(examined->plan.netdevs, list->content.hops[i].ifindex))
			return false;
	return netdev_by_index(examined->plan.netdevs, value->ifindex) &&
	       (value->family == AF_INET || value->family == AF_INET6);
}

/* "from PREFIX via ADDRESS dev DEV ..." for the whole request; false if that cannot be expressed, or is too long. */
static bool print_words(FILE *out, const struct examined *examined)
{
	const struct state *state = &examined->plan.state;
	char prefix[PREFIX_TEXT_LEN], statement[STATEMENT_MAX], sources[SOURCES_MAX][STATEMENT_MAX];
	size_t count = statement_of_sources(state, examined->plan.netdevs, sources);

	for (size_t i = 0; i < count; i++)
		fprintf(out, " %s", sources[i]);
	for (size_t i = 0; i < state->gateway_count; i++) {
		const struct gateway_entry *entry = &state->gateways[i];

		if (source_of(&entry->value))
			continue;
		if (ftell(out) >= UP_WORDS || !has_devices(examined, &entry->value) ||
		    (entry->value.flags & WGVIA_GATEWAY_UNUSABLE & ~WGVIA_GATEWAY_DOWN))
			return false;
		fprintf(out, " %s", statement_of_gateway(state, entry, examined->plan.netdevs, statement));
	}
	if (state->ret != WGVIA_RETURN_VIA || state->also.mac_count || state->also.hops.count)
		fprintf(out, " %s", statement_of_return(state, examined->plan.netdevs, statement));
	for (size_t i = 0; i < state->bypass_count; i++)
		if (bypass_is_admin(&state->bypass[i].value))
			fprintf(out, " bypass %s", prefix_text(&state->bypass[i].to, prefix));
	return true;
}

/* Whether the plan is that of a remedy, with an MSS other than the one in force. */
static bool is_new_mss(const struct examined *examined)
{
	return examined->is_running && examined->plan.state.mss != examined->running->mss;
}

void finding_up_words(const struct examined *examined, enum wgvia_mode mode, char remedy[FINDING_REMEDY])
{
	cleanup_free char *text = NULL;
	size_t len = 0;
	FILE *out = open_memstream(&text, &len);
	char mss[STATEMENT_MAX];
	bool said = true;

	if (out) {
		fprintf(out, "wgvia up %s", examined->tunnel);
		if (examined->is_running)
			said = print_words(out, examined);
		if (mode == WGVIA_STACK)
			fprintf(out, " mode %s", mode_words[mode]);
		if (examined->is_running && examined->plan.state.on_fail == WGVIA_PASS)
			fprintf(out, " on-fail %s", on_fail_words[WGVIA_PASS]);
		if (examined->is_running && examined->plan.state.outside == WGVIA_OUTSIDE_DROP)
			fprintf(out, " outside %s", outside_words[WGVIA_OUTSIDE_DROP]);
		if (examined->plan.state.mss != WGVIA_MSS_OFF)
			fprintf(out, " %s", statement_of_mss(&examined->plan.state, mss));
		fclose(out);
	}
	if (out && said && len < UP_WORDS)
		strcpy(remedy, text);
	else
		snprintf(remedy, FINDING_REMEDY, "wgvia up %s, with the words that it was started with%s%s",
			 examined->tunnel, mode == WGVIA_STACK ? " and 'mode stack'" : "",
			 is_new_mss(examined) ? " and 'mss auto'" : "");
}

void finding_route_words(const struct examined *examined, const char *verb, const struct state *state,
			 const struct prefix *from, const struct wgvia_gateway *value, char remedy[FINDING_REMEDY])
{
	const struct gateway_list *list = failover_find(state, value);
	struct wgvia_failover hops = {.count = 1, .hops = {hop_of(value)}};
	char prefix[PREFIX_TEXT_LEN], words[STATEMENT_MAX], watch[WATCH_TEXT_LEN];
	int len = snprintf(remedy, FINDING_REMEDY, "wgvia route %s %s from %s", verb, examined->tunnel,
			   prefix_text(from, prefix));

	if (list)
		hops = list->content;
	for (uint32_t i = 0; i < hops.count; i++) {
		const struct gateway_entry entry = {.from = *from, .value = hop_value(&hops.hops[i], 0)};
		const char *problem = gateway_problem(examined->host, &examined->plan.points, &entry);

		len += snprintf(remedy + len, FINDING_REMEDY - len, " %s %s", i ? "or" : "via",
				problem ? "ADDRESS dev DEV"
					: statement_of_hop(&hops.hops[i], examined->plan.netdevs, words));
	}
	if (hops.watch.kind)
		snprintf(remedy + len, FINDING_REMEDY - len, " health %s", watch_text(&hops.watch, watch));
}

/* Whether there is a LAN inside: what this host itself sends there must not go via the firewall. */
static bool has_hole(const struct state *state, const struct prefix *prefix)
{
	for (size_t i = 0; i < state->bypass_count; i++)
		if (state->bypass[i].value.verdict == WGVIA_REDIRECTED && prefix_covers(prefix, &state->bypass[i].to))
			return true;
	return false;
}

bool finding_cover_words(const struct examined *examined, const struct prefix *prefix, char remedy[FINDING_REMEDY])
{
	const struct state *state = &examined->plan.state;
	const struct gateway_entry *other = NULL;
	char from[PREFIX_TEXT_LEN];

	for (size_t i = 0; i < state->gateway_count && !other; i++)
		if (state->gateways[i].from.ip.family == prefix->ip.family)
			other = &state->gateways[i];
	prefix_text(prefix, from);
	if (has_hole(state, prefix)) {
		snprintf(remedy, FINDING_REMEDY,
			 "wgvia route add %s from PREFIX, for each network of '%s' in the tunnel", examined->tunnel,
			 from);
		return false;
	}
	if (!examined->is_running) {
		snprintf(remedy, FINDING_REMEDY, "wgvia up %s, with 'from %s' beside the other prefixes",
			 examined->tunnel, from);
		return false;
	}
	if (other)
		finding_route_words(examined, "add", state, prefix, &other->value, remedy);
	else
		snprintf(remedy, FINDING_REMEDY, "wgvia route add %s from %s", examined->tunnel, from);
	return true;
}

bool examined_drops_outside(const struct examined *examined)
{
	const struct plan *plan = &examined->plan;

	return plan->state.outside == WGVIA_OUTSIDE_DROP &&
	       !netdev_vrf(plan->netdevs, netdev_by_index(plan->netdevs, plan->state.tunnel_ifindex));
}

const char *examined_outside_fate(const struct examined *examined)
{
	return examined_drops_outside(examined) ? "is dropped if it would leave this host ('outside drop')"
						: "bypasses the firewall";
}

/* Whether an instance of wgvia attached the program. */
static bool is_pinned(const char *root, uint32_t prog_id)
{
	cleanup_free char(*names)[IFNAMSIZ] = NULL;
	bool found = false;
	size_t count = 0;

	if (pins_list(root, &names, &count))
		return false;
	for (size_t i = 0; i < count && !found; i++) {
		struct attachment *attachments = NULL;
		char folder[PINS_PATH_MAX];
		size_t number = 0;

		if (pins_path(folder, root, names[i], PINS_CURRENT, NULL) || attach_list(folder, &attachments, &number))
			continue;
		for (size_t j = 0; j < number; j++)
			found |= attachments[j].prog_id == prog_id;
		free(attachments);
	}
	return found;
}

/*
 * Programs of other tunnels pass on packets that are not theirs. A filter other than BPF may be reported in several
 * parts.
 */
bool finding_is_foreign(const struct examined *examined, const struct attach_other *others, size_t i)
{
	if (others[i].name[0] ? !strncmp(others[i].name, "wgvia_", strlen("wgvia_"))
			      : is_pinned(examined->instance->root, others[i].prog_id))
		return false;
	return others[i].prog_id || !i || others[i - 1].prog_id || strcmp(others[i - 1].name, others[i].name) != 0;
}
