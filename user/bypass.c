// SPDX-License-Identifier: GPL-2.0-only
/*
 * One walk over all prefixes that rules and routes name, in order, so that those that cover a prefix are on a stack.
 * What is the same for all addresses of a prefix that no longer prefix holds is decided once.
 */
#include "bypass.h"

#include <linux/fib_rules.h>
#include <linux/rtnetlink.h>
#include <string.h>
#include <sys/socket.h>

#include "util.h"

/*
 * What the kernel does not forward. It does forward 169.254.0.0/16, since 5.3 0.0.0.0/8 but for its first address
 * (ip_route_input_slow(), ipv4_is_zeronet()), and to "::", but not from there (ip6_forward()): the egress program sees
 * to what is sent to it. 255.255.255.255 is every host's own.
 */
static const struct {
	enum wgvia_verdict verdict;
	uint32_t flags;
	struct prefix prefix;
} scopes[] = {
	{WGVIA_SCOPE, 0, {{AF_INET, {0}}, 32}},
	{WGVIA_SCOPE, 0, {{AF_INET, {127}}, 8}},
	{WGVIA_SCOPE, 0, {{AF_INET, {224}}, 4}},
	{WGVIA_LOCAL, WGVIA_BYPASS_EGRESS, {{AF_INET, {255, 255, 255, 255}}, 32}},
	{WGVIA_LOCAL, 0, {{AF_INET6, {0}}, 128}},
	{WGVIA_SCOPE, 0, {{AF_INET6, {[15] = 1}}, 128}},
	{WGVIA_SCOPE, 0, {{AF_INET6, {0xfe, 0x80}}, 10}},
	{WGVIA_SCOPE, 0, {{AF_INET6, {0xff}}, 8}},
};

/* --- rules --- */

enum answer { NO, YES, UNCLEAR };

/*
 * Which packets are meant: those of the prefixes that come out of the tunnel, or those from elsewhere that may go into
 * it. Rules may tell them apart.
 */
enum way { OUT, BACK };

static enum answer source_matches(enum way way, const struct prefix *from, const struct state *state)
{
	bool inside = false, outside = false;

	if (!from->len)
		return YES;
	if (way == BACK) {
		for (size_t i = 0; i < state->gateway_count; i++)
			if (prefix_covers(&state->gateways[i].from, from))
				return NO;
		return UNCLEAR;
	}
	for (size_t i = 0; i < state->gateway_count && !(inside && outside); i++) {
		const struct prefix *prefix = &state->gateways[i].from;

		if (prefix->ip.family != from->ip.family)
			continue;
		inside |= prefix_overlaps(from, prefix);
		outside |= !prefix_covers(from, prefix);
	}
	return !inside ? NO : outside ? UNCLEAR : YES;
}

static enum answer device_matches(enum way way, const struct rule *rule, const struct fib *fib)
{
	if (!rule->iif[0])
		return YES;
	if (!strcmp(rule->iif, fib->iif))
		return way == OUT ? YES : NO;
	if (fib->vrf && !strcmp(rule->iif, fib->vrf))
		return way == OUT ? YES : UNCLEAR;
	return way == OUT ? NO : UNCLEAR;
}

/* fib_rule_match(), for a packet without mark that is forwarded; the destination aside. */
static enum answer rule_matches(enum way way, const struct fib *fib, const struct state *state, const struct rule *rule)
{
	enum answer source = source_matches(way, &rule->from, state), device = device_matches(way, rule, fib);
	enum answer answer = source == NO || device == NO ? NO : source == YES && device == YES ? YES : UNCLEAR;

	if (rule->oif[0] || (rule->mark & rule->mask) || (rule->l3mdev && !fib->vrf_table))
		answer = NO;
	if (answer == YES && (rule->other || (rule->action == FR_ACT_GOTO && rule->to.len)))
		answer = UNCLEAR;
	/* whether it matches is turned round as a whole, the destination with it: see make_steps() */
	return answer;
}

const struct rule *bypass_unclear_rule(const struct fib *fib, const struct state *state, size_t *next)
{
	while (*next < fib->rule_count) {
		const struct rule *rule = &fib->rules[(*next)++];

		if (rule->action != FR_ACT_NOP && rule_matches(OUT, fib, state, rule) == UNCLEAR)
			return rule;
	}
	return NULL;
}

/* A table that is asked, or the end of the search. */
struct step {
	enum way way;
	struct prefix to; /* length 0: for every destination */
	bool elsewhere;	  /* for every destination but those in `to` */
	bool end;	  /* blackhole, prohibit, unreachable */
	uint32_t table;
	int suppress;
};

static bool make_step(enum way way, const struct fib *fib, const struct state *state, const struct rule *rule,
		      struct step *step)
{
	enum answer answer = rule_matches(way, fib, state, rule);

	*step = (struct step){.way = way,
			      .table = rule->l3mdev ? fib->vrf_table : rule->table,
			      .end = rule->action != FR_ACT_TO_TBL,
			      .suppress = rule->suppress};
	if (answer == UNCLEAR || rule->action == FR_ACT_NOP)
		return false;
	if (!rule->invert) {
		step->to = rule->to;
		return answer == YES;
	}
	if (answer == NO)
		return true;
	step->to = rule->to;
	step->elsewhere = true;
	return rule->to.len;
}

/* Those of one family and way, as many as there are rules at most. */
static size_t make_steps(enum way way, const struct fib *fib, const struct state *state, uint8_t family,
			 struct step *steps)
{
	uint32_t target = 0; /* of a goto: rules before it are left out */
	size_t count = 0;

	for (size_t i = 0; i < fib->rule_count; i++) {
		const struct rule *rule = &fib->rules[i];

		if (rule->to.ip.family != family || rule->priority < target ||
		    !make_step(way, fib, state, rule, &steps[count]))
			continue;
		if (rule->action == FR_ACT_GOTO)
			target = rule->target;
		else
			count++;
	}
	return count;
}

/* --- prefixes in order --- */

/* A prefix at which something may change. */
struct mark {
	struct prefix to;
	const struct route *route; /* NULL: it is a rule's, or the administrator's */
	bool admin;
};

struct marks {
	struct mark *all;
	size_t count;
};

static int add_mark(struct marks *marks, const struct prefix *to, const struct route *route, bool admin)
{
	struct mark *mark = array_grow(&marks->all, &marks->count, sizeof(*mark));

	if (!mark)
		return -ENOMEM;
	*mark = (struct mark){*to, route, admin};
	return 0;
}

/* Every device has a route to fe80::/64, ff00::/8 and the like, which means nothing for what is forwarded. */
static bool is_in_scope(const struct prefix *prefix)
{
	for (size_t i = 0; i < ARRAY_SIZE(scopes); i++)
		if (prefix_covers(&scopes[i].prefix, prefix))
			return true;
	return false;
}

static bool is_asked(const struct route *route, const struct step *steps, size_t count)
{
	for (size_t i = 0; i < count; i++)
		if (!steps[i].end && steps[i].table == route->table)
			return true;
	return false;
}

/* Of the same prefix in the kernel's own order: of two routes alike, the first counts. */
static int compare_marks(const void *a_pointer, const void *b_pointer)
{
	const struct mark *a = a_pointer, *b = b_pointer;
	int order = prefix_compare(&a->to, &b->to);

	return order ? order : (a->route > b->route) - (a->route < b->route);
}

static int gather(const struct fib *fib, const struct state *state, uint8_t family, const struct step *steps,
		  size_t step_count, struct marks *marks)
{
	int ret = 0;

	for (size_t i = 0; i < fib->route_count && !ret; i++) {
		const struct route *route = &fib->routes[i];

		if (route->to.ip.family == family && !is_in_scope(&route->to) && is_asked(route, steps, step_count))
			ret = add_mark(marks, &route->to, route, false);
	}
	for (size_t i = 0; i < step_count && !ret; i++)
		if (steps[i].to.len)
			ret = add_mark(marks, &steps[i].to, NULL, false);
	for (size_t i = 0; i < state->bypass_count && !ret; i++)
		if (state->bypass[i].to.ip.family == family)
			ret = add_mark(marks, &state->bypass[i].to, NULL, true);
	if (marks->count)
		qsort(marks->all, marks->count, sizeof(*marks->all), compare_marks);
	return ret;
}

/* --- the walk --- */

struct frame {
	struct prefix to;
	enum wgvia_verdict verdict; /* of the list as it is so far; WGVIA_REDIRECTED: not exempt, or an admin's */
};

struct walk {
	const struct step *steps;
	size_t step_count;
	struct frame frames[129];     /* one inside the other: as many as there are lengths */
	const struct route **matches; /* for each frame and step the longest route */
	size_t depth;
	struct state *state;
};

static const struct route **matches_at(struct walk *walk, size_t depth)
{
	return &walk->matches[depth * walk->step_count];
}

static void push(struct walk *walk, const struct prefix *to)
{
	struct frame *frame = &walk->frames[walk->depth];
	const struct route **matches = matches_at(walk, walk->depth);

	*frame = (struct frame){*to, walk->depth ? frame[-1].verdict : WGVIA_REDIRECTED};
	for (size_t i = 0; i < walk->step_count; i++)
		matches[i] = walk->depth ? matches[i - walk->step_count] : NULL;
	walk->depth++;
}

static void take_route(struct walk *walk, const struct route *route)
{
	const struct route **matches = matches_at(walk, walk->depth - 1);

	for (size_t i = 0; i < walk->step_count; i++)
		if (!walk->steps[i].end && walk->steps[i].table == route->table &&
		    (!matches[i] || matches[i]->to.len < route->to.len || route->metric < matches[i]->metric))
			matches[i] = route;
}

/* The route that the kernel takes for `to`; NULL: it takes none, and drops the packet where `*dropped`. */
static const struct route *find_route(struct walk *walk, enum way way, const struct prefix *to, bool *dropped)
{
	const struct route **matches = matches_at(walk, walk->depth - 1);

	*dropped = false;
	for (size_t i = 0; i < walk->step_count; i++) {
		const struct step *step = &walk->steps[i];

		if (step->way != way || (step->to.len && prefix_covers(&step->to, to) == step->elsewhere))
			continue;
		*dropped = step->end;
		if (step->end)
			return NULL;
		if (matches[i] && matches[i]->type != RTN_THROW && (int)matches[i]->to.len > step->suppress)
			return matches[i];
	}
	return NULL;
}

static int put(struct walk *walk, enum wgvia_verdict verdict, uint32_t flags)
{
	struct frame *frame = &walk->frames[walk->depth - 1];

	frame->verdict = verdict;
	return state_add_bypass(walk->state, &frame->to, verdict, flags);
}

static bool is_local(const struct route *route)
{
	return route && (route->type == RTN_LOCAL || route->type == RTN_ANYCAST || route->type == RTN_BROADCAST);
}

static bool is_tunnel(const struct route *route)
{
	return route && route->type == RTN_UNICAST && route->through;
}

/*
 * The entry for the frame on top, where one is needed. One list serves both ways: what rules send into the tunnel on
 * one of them alone counts, as whatever leaves by a LAN device all the same is seen there.
 */
static int put_entry(struct walk *walk)
{
	struct frame *frame = &walk->frames[walk->depth - 1];
	bool dropped, unused;
	const struct route *out = find_route(walk, OUT, &frame->to, &dropped);
	const struct route *back = find_route(walk, BACK, &frame->to, &unused);
	const struct route *local = is_local(out) ? out : is_local(back) && !is_tunnel(out) ? back : NULL;

	if (local) {
		if (frame->verdict == WGVIA_LOCAL && local->to.len != frame->to.len)
			return 0;
		return put(walk, WGVIA_LOCAL, local->type == RTN_BROADCAST ? WGVIA_BYPASS_EGRESS : 0);
	}
	if (is_tunnel(out) || is_tunnel(back))
		return frame->verdict == WGVIA_TUNNEL ? 0 : put(walk, WGVIA_TUNNEL, 0);
	/* what the kernel drops is left to it where the rest of the range is */
	if (dropped || (out && out->type != RTN_UNICAST))
		return 0;
	return frame->verdict == WGVIA_REDIRECTED ? 0 : put(walk, WGVIA_REDIRECTED, 0);
}

static int walk_marks(struct walk *walk, const struct marks *marks)
{
	int ret = 0;

	for (size_t i = 0; i < marks->count && !ret;) {
		const struct prefix *to = &marks->all[i].to;

		while (walk->depth && !prefix_covers(&walk->frames[walk->depth - 1].to, to))
			walk->depth--;
		push(walk, to);
		for (; i < marks->count && !prefix_compare(&marks->all[i].to, to); i++) {
			if (marks->all[i].route)
				take_route(walk, marks->all[i].route);
			if (marks->all[i].admin)
				walk->frames[walk->depth - 1].verdict = WGVIA_REDIRECTED;
		}
		ret = put_entry(walk);
	}
	return ret;
}

static int fill_family(const struct fib *fib, struct state *state, uint8_t family)
{
	cleanup_free struct step *steps = calloc(2 * fib->rule_count + 1, sizeof(*steps));
	struct walk walk = {.steps = steps, .state = state};
	struct marks marks = {};
	int ret = -ENOMEM;

	if (!steps)
		return ret;
	walk.step_count = make_steps(OUT, fib, state, family, steps);
	walk.step_count += make_steps(BACK, fib, state, family, steps + walk.step_count);
	walk.matches = calloc(ARRAY_SIZE(walk.frames) * (walk.step_count + 1), sizeof(*walk.matches));
	if (walk.matches)
		ret = gather(fib, state, family, steps, walk.step_count, &marks);
	ret = ret ? ret : walk_marks(&walk, &marks);
	free(walk.matches);
	free(marks.all);
	return ret;
}

/* --- the administrator's list --- */

/* What it covers stays exempt at egress, whatever else the host says of a part of it. */
static void heed_admin(struct state *state)
{
	const struct prefix *cover = NULL;

	for (size_t i = 0; i < state->bypass_count; i++) {
		struct bypass_entry *entry = &state->bypass[i];

		if (cover && !prefix_covers(cover, &entry->to))
			cover = NULL;
		if (bypass_is_admin(&entry->value)) {
			cover = cover ? cover : &entry->to;
		} else if (cover && entry->value.verdict != WGVIA_SCOPE) {
			entry->value.flags |= WGVIA_BYPASS_EGRESS;
			if (entry->value.verdict == WGVIA_REDIRECTED)
				entry->value.verdict = WGVIA_BYPASS;
		}
	}
}

int bypass_fill(const struct fib *fib, struct state *state)
{
	int ret = fill_family(fib, state, AF_INET);

	ret = ret ? ret : fill_family(fib, state, AF_INET6);
	for (size_t i = 0; i < ARRAY_SIZE(scopes) && !ret; i++)
		ret = state_add_bypass(state, &scopes[i].prefix, scopes[i].verdict, scopes[i].flags);
	if (ret)
		return ret;
	state_sort(state);
	heed_admin(state);
	return 0;
}

int bypass_tunnel_ranges(const struct state *state, struct prefixes *ranges)
{
	struct prefixes found = {};

	for (size_t i = 0; i < state->bypass_count; i++) {
		const struct bypass_entry *entry = &state->bypass[i];
		struct prefix *range;

		if (entry->value.verdict != WGVIA_TUNNEL ||
		    (found.count && prefix_covers(&found.all[found.count - 1], &entry->to)))
			continue;
		range = array_grow(&found.all, &found.count, sizeof(*range));
		if (!range) {
			free(found.all);
			return -ENOMEM;
		}
		*range = entry->to;
	}
	*ranges = found;
	return 0;
}

/* Whether a prefix, or what the range leaves out, covers `range` as a whole. */
static bool is_covered_by_one(const struct state *state, const struct prefix *range)
{
	const struct bypass_entry *entry = NULL; /* the longest one */

	for (int len = range->len; len >= 0; len--) {
		struct prefix outer = {ip_mask(range->ip, len), len};

		entry = entry ? entry : state_find_bypass(state, &outer);
		if (state_find_gateway(state, &outer))
			return true;
	}
	return entry && entry->value.verdict == WGVIA_REDIRECTED;
}

static bool has_part_inside(const struct state *state, const struct prefix *range)
{
	size_t first = 0, end = state->gateway_count;

	while (first < end) {
		size_t middle = first + (end - first) / 2;

		if (prefix_compare(&state->gateways[middle].from, range) < 0)
			first = middle + 1;
		else
			end = middle;
	}
	return first < state->gateway_count && prefix_covers(range, &state->gateways[first].from);
}

bool bypass_is_covered(const struct state *state, const struct prefix *range)
{
	struct prefix halves[2] = {{range->ip, range->len + 1}, {range->ip, range->len + 1}};

	if (is_covered_by_one(state, range))
		return true;
	if (!has_part_inside(state, range))
		return false;
	halves[1].ip.addr[range->len / 8] |= 0x80 >> range->len % 8;
	return bypass_is_covered(state, &halves[0]) && bypass_is_covered(state, &halves[1]);
}
