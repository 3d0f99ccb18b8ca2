// SPDX-License-Identifier: GPL-2.0-only
/*
 * One walk over all prefixes in rules and routes, in order, with a stack of those that cover the present one. What
 * applies to all addresses of a prefix, except those of longer prefixes, is decided once.
 */
#include "plan/bypass.h"

#include <linux/fib_rules.h>
#include <linux/rtnetlink.h>
#include <string.h>
#include <sys/socket.h>

#include "base/util.h"

/*
 * Destinations that the kernel does not forward. It does forward 169.254.0.0/16, and since 5.3 0.0.0.0/8 except its
 * first address (ip_route_input_slow(), ipv4_is_zeronet()). It also forwards to "::", but not from it (ip6_forward()):
 * the egress program handles packets to it. 255.255.255.255 is every host's own.
 */
static const struct {
	enum wgvia_verdict verdict;
	uint32_t flags;
	struct prefix prefix;
} scopes[] = {
	{WGVIA_SCOPE, 0, {{AF_INET, {0}}, 32}},
	{WGVIA_SCOPE, 0, {{AF_INET, {127}}, 8}},
	{WGVIA_SCOPE, 0, {{AF_INET, {224}}, 4}},
	{WGVIA_LOCAL, WGVIA_BYPASS_BROADCAST, {{AF_INET, {255, 255, 255, 255}}, 32}},
	{WGVIA_LOCAL, 0, {{AF_INET6, {0}}, 128}},
	{WGVIA_SCOPE, 0, {{AF_INET6, {[15] = 1}}, 128}},
	{WGVIA_SCOPE, 0, {{AF_INET6, {0xfe, 0x80}}, 10}},
	{WGVIA_SCOPE, 0, {{AF_INET6, {0xff}}, 8}},
};

/* --- rules --- */

enum answer { NO, YES, UNCLEAR };

/*
 * The packets in question: those of the prefixes that come out of the tunnel, or those from elsewhere that may go into
 * it. Rules may distinguish the two.
 */
enum way { OUT, BACK };

static enum answer source_matches(enum way way, const struct prefix *from, const struct state *state)
{
	const struct prefix all = {.ip.family = from->ip.family};

	if (!from->len)
		return YES;
	if (way == BACK)
		return state_covering_gateway(state, from) ? NO : UNCLEAR;
	if (!state_overlapping_gateway(state, from))
		return NO;
	return state_count_gateways(state, from) == state_count_gateways(state, &all) ? YES : UNCLEAR;
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

/* Like fib_rule_match(), for a forwarded packet without mark; ignores the destination. */
static enum answer rule_matches(enum way way, const struct fib *fib, const struct state *state, const struct rule *rule)
{
	enum answer source = source_matches(way, &rule->from, state), device = device_matches(way, rule, fib);
	enum answer answer = source == NO || device == NO ? NO : source == YES && device == YES ? YES : UNCLEAR;

	if (rule->oif[0] || (rule->mark & rule->mask) || (rule->l3mdev && !fib->vrf_table))
		answer = NO;
	if (answer == YES && (rule->other || (rule->action == FR_ACT_GOTO && rule->to.len)))
		answer = UNCLEAR;
	/* make_steps() inverts the result as a whole, together with the destination */
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

/* A table to look up, or the end of the search. */
struct step {
	enum way way;
	struct prefix to; /* length 0: for every destination */
	bool elsewhere;	  /* applies to every destination except those in `to` */
	bool end;	  /* blackhole, prohibit, unreachable */
	uint32_t table;
	size_t slot; /* index of the table among those with routes; unused for an end */
	int suppress;
};

/* The tables of one family that have routes, in order. */
struct tables {
	uint32_t *all;
	size_t count;
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

static int compare_tables(const void *a, const void *b)
{
	const uint32_t *one = a, *other = b;

	return (*one > *other) - (*one < *other);
}

static int find_tables(const struct fib *fib, uint8_t family, struct tables *tables)
{
	size_t kept = 0;

	tables->all = calloc(fib->route_count + 1, sizeof(*tables->all));
	if (!tables->all)
		return -ENOMEM;
	for (size_t i = 0; i < fib->route_count; i++)
		if (fib->routes[i].to.ip.family == family)
			tables->all[tables->count++] = fib->routes[i].table;
	qsort(tables->all, tables->count, sizeof(*tables->all), compare_tables);
	for (size_t i = 0; i < tables->count; i++)
		if (!kept || tables->all[kept - 1] != tables->all[i])
			tables->all[kept++] = tables->all[i];
	tables->count = kept;
	return 0;
}

/* False: it has no routes. */
static bool find_slot(const struct tables *tables, uint32_t table, size_t *slot)
{
	const uint32_t *found = bsearch(&table, tables->all, tables->count, sizeof(table), compare_tables);

	if (found)
		*slot = found - tables->all;
	return found;
}

/*
 * The steps of one family and direction, at most one per rule. A lookup in a table without routes has no effect, so it
 * is no step.
 */
static size_t make_steps(enum way way, const struct fib *fib, const struct state *state, uint8_t family,
			 const struct tables *tables, struct step *steps)
{
	uint32_t target = 0; /* of a goto: rules before it are skipped */
	size_t count = 0;

	for (size_t i = 0; i < fib->rule_count; i++) {
		const struct rule *rule = &fib->rules[i];

		if (rule->to.ip.family != family || rule->priority < target ||
		    !make_step(way, fib, state, rule, &steps[count]))
			continue;
		if (rule->action == FR_ACT_GOTO)
			target = rule->target;
		else if (steps[count].end || find_slot(tables, steps[count].table, &steps[count].slot))
			count++;
	}
	return count;
}

/* --- prefixes in order --- */

/* A prefix at which the result may change. */
struct mark {
	struct prefix to;
	const struct route *route; /* NULL: it comes from a rule, or from the administrator */
	size_t slot;		   /* of the route's table */
	const struct step *step;   /* the step for these destinations; NULL: it does not come from a rule */
	bool admin;
};

struct marks {
	struct mark *all;
	size_t count;
};

static int add_mark(struct marks *marks, const struct mark *added)
{
	struct mark *mark = array_grow(&marks->all, &marks->count, sizeof(*mark));

	if (!mark)
		return -ENOMEM;
	*mark = *added;
	return 0;
}

/* Every device has routes to fe80::/64, ff00::/8 and the like, which do not matter for forwarded packets. */
static bool is_in_scope(const struct prefix *prefix)
{
	for (size_t i = 0; i < ARRAY_SIZE(scopes); i++)
		if (prefix_covers(&scopes[i].prefix, prefix))
			return true;
	return false;
}

/* For the same prefix in the kernel's order: of two equal routes, the first counts. */
static int compare_marks(const void *a_pointer, const void *b_pointer)
{
	const struct mark *a = a_pointer, *b = b_pointer;
	int order = prefix_compare(&a->to, &b->to);

	return order ? order : (a->route > b->route) - (a->route < b->route);
}

static int gather_routes(const struct fib *fib, uint8_t family, const struct tables *tables, const bool *asked,
			 struct marks *marks)
{
	struct mark mark = {};
	int ret = 0;

	for (size_t i = 0; i < fib->route_count && !ret; i++) {
		mark.route = &fib->routes[i];
		mark.to = mark.route->to;
		if (mark.to.ip.family == family && !is_in_scope(&mark.to) &&
		    find_slot(tables, mark.route->table, &mark.slot) && asked[mark.slot])
			ret = add_mark(marks, &mark);
	}
	return ret;
}

static int gather_marks(const struct fib *fib, const struct state *state, uint8_t family, const struct tables *tables,
			const struct step *steps, size_t step_count, struct marks *marks)
{
	cleanup_free bool *asked = calloc(tables->count + 1, sizeof(*asked));
	int ret;

	if (!asked)
		return -ENOMEM;
	for (size_t i = 0; i < step_count; i++)
		if (!steps[i].end)
			asked[steps[i].slot] = true;
	ret = gather_routes(fib, family, tables, asked, marks);
	for (size_t i = 0; i < step_count && !ret; i++)
		if (steps[i].to.len)
			ret = add_mark(marks, &(struct mark){.to = steps[i].to, .step = &steps[i]});
	for (size_t i = 0; i < state->bypass_count && !ret; i++)
		if (state->bypass[i].to.ip.family == family)
			ret = add_mark(marks, &(struct mark){.to = state->bypass[i].to, .admin = true});
	if (marks->count)
		qsort(marks->all, marks->count, sizeof(*marks->all), compare_marks);
	return ret;
}

/* --- the walk --- */

struct frame {
	struct prefix to;
	enum wgvia_verdict verdict; /* of the list so far; WGVIA_REDIRECTED: not exempt, or the administrator's */
	size_t changes, inner;	    /* the numbers before this frame */
};

/* The longest matching route of a table before a frame changed it. */
struct change {
	size_t slot;
	const struct route *old;
};

struct walk {
	const struct step **outer; /* steps for every destination, or for all except a few, in order */
	size_t outer_count;
	const struct step **inner; /* steps for destinations that cover the top frame */
	size_t inner_count;
	const struct route **matches; /* for each table, the longest route that covers the top frame */
	struct change *changes;	      /* of `matches`, for undoing */
	size_t change_count;
	struct frame frames[129]; /* nested: at most one per prefix length */
	size_t depth;
	struct state *state;
};

static void push(struct walk *walk, const struct prefix *to)
{
	struct frame *frame = &walk->frames[walk->depth];

	*frame = (struct frame){*to, walk->depth ? frame[-1].verdict : WGVIA_REDIRECTED, walk->change_count,
				walk->inner_count};
	walk->depth++;
}

static void pop(struct walk *walk)
{
	const struct frame *frame = &walk->frames[--walk->depth];

	while (walk->change_count > frame->changes) {
		const struct change *change = &walk->changes[--walk->change_count];

		walk->matches[change->slot] = change->old;
	}
	walk->inner_count = frame->inner;
}

static void take_route(struct walk *walk, size_t slot, const struct route *route)
{
	const struct route *old = walk->matches[slot];

	if (old && old->to.len >= route->to.len && route->metric >= old->metric)
		return;
	walk->changes[walk->change_count++] = (struct change){slot, old};
	walk->matches[slot] = route;
}

/* Whether the search ends at this step, for a destination that the step applies to. */
static bool decides(const struct walk *walk, const struct step *step)
{
	const struct route *match = step->end ? NULL : walk->matches[step->slot];

	return step->end || (match && match->type != RTN_THROW && (int)match->to.len > step->suppress);
}

/* The route that the kernel uses for `to`; NULL: none, and `*dropped` says whether the kernel drops the packet. */
static const struct route *find_route(struct walk *walk, enum way way, const struct prefix *to, bool *dropped)
{
	const struct step *first = NULL;

	for (size_t i = 0; i < walk->outer_count && !first; i++) {
		const struct step *step = walk->outer[i];

		if (step->way == way && !(step->elsewhere && prefix_covers(&step->to, to)) && decides(walk, step))
			first = step;
	}
	for (size_t i = 0; i < walk->inner_count; i++) {
		const struct step *step = walk->inner[i];

		if (step->way == way && (!first || step < first) && decides(walk, step))
			first = step;
	}
	*dropped = first && first->end;
	return first && !first->end ? walk->matches[first->slot] : NULL;
}

static int put_range(struct walk *walk, enum wgvia_verdict verdict, uint32_t flags)
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
 * Adds the entry for the top frame, if one is needed. One list serves both directions. If rules send packets into the
 * tunnel in only one of them, that counts: packets that leave by a LAN device anyway are seen there.
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
		return put_range(walk, WGVIA_LOCAL, local->type == RTN_BROADCAST ? WGVIA_BYPASS_BROADCAST : 0);
	}
	if (is_tunnel(out) || is_tunnel(back))
		return frame->verdict == WGVIA_TUNNEL ? 0 : put_range(walk, WGVIA_TUNNEL, 0);
	/* what the kernel drops is treated like the rest of the range */
	if (dropped || (out && out->type != RTN_UNICAST))
		return 0;
	return frame->verdict == WGVIA_REDIRECTED ? 0 : put_range(walk, WGVIA_REDIRECTED, 0);
}

static void take_mark(struct walk *walk, const struct mark *mark)
{
	if (mark->route)
		take_route(walk, mark->slot, mark->route);
	if (mark->step && !mark->step->elsewhere)
		walk->inner[walk->inner_count++] = mark->step;
	if (mark->admin)
		walk->frames[walk->depth - 1].verdict = WGVIA_REDIRECTED;
}

static int walk_marks(struct walk *walk, const struct marks *marks)
{
	int ret = 0;

	for (size_t i = 0; i < marks->count && !ret;) {
		const struct prefix *to = &marks->all[i].to;

		while (walk->depth && !prefix_covers(&walk->frames[walk->depth - 1].to, to))
			pop(walk);
		push(walk, to);
		for (; i < marks->count && !prefix_compare(&marks->all[i].to, to); i++)
			take_mark(walk, &marks->all[i]);
		ret = put_entry(walk);
	}
	return ret;
}

static int walk_steps(const struct step *steps, size_t count, const struct tables *tables, const struct marks *marks,
		      struct state *state)
{
	cleanup_free const struct step **outer = calloc(count + 1, sizeof(*outer)),
				       **inner = calloc(count + 1, sizeof(*inner));
	cleanup_free const struct route **matches = calloc(tables->count + 1, sizeof(*matches));
	cleanup_free struct change *changes = calloc(marks->count + 1, sizeof(*changes));
	struct walk walk = {.outer = outer, .inner = inner, .matches = matches, .changes = changes, .state = state};

	if (!outer || !inner || !matches || !changes)
		return -ENOMEM;
	for (size_t i = 0; i < count; i++)
		if (!steps[i].to.len || steps[i].elsewhere)
			outer[walk.outer_count++] = &steps[i];
	return walk_marks(&walk, marks);
}

static int fill_family(const struct fib *fib, struct state *state, uint8_t family)
{
	cleanup_free struct step *steps = calloc(2 * fib->rule_count + 1, sizeof(*steps));
	struct tables tables = {};
	struct marks marks = {};
	size_t count;
	int ret = steps ? find_tables(fib, family, &tables) : -ENOMEM;

	if (ret)
		return ret;
	count = make_steps(OUT, fib, state, family, &tables, steps);
	count += make_steps(BACK, fib, state, family, &tables, steps + count);
	ret = gather_marks(fib, state, family, &tables, steps, count, &marks);
	ret = ret ? ret : walk_steps(steps, count, &tables, &marks, state);
	free(tables.all);
	free(marks.all);
	return ret;
}

/* --- the administrator's list --- */

/* What the administrator's list covers stays exempt at egress, whatever entries the host adds for parts of it. */
static void heed_admin(struct state *state)
{
	const struct prefix *cover = NULL;

	for (size_t i = 0; i < state->bypass_count; i++) {
		struct bypass_entry *entry = &state->bypass[i];

		if (cover && !prefix_covers(cover, &entry->to))
			cover = NULL;
		if (bypass_is_admin(&entry->value)) {
			cover = cover ? cover : &entry->to;
		} else if (cover) {
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
