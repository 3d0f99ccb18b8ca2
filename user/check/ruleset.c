// SPDX-License-Identifier: GPL-2.0-only
/*
 * Chains, rules and jumps, independent of their source.
 */
#include "check/ruleset.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/util.h"

/* --- chains by name --- */

static bool is_named(const struct chain *chain, const char *family, const char *table, const char *name)
{
	return !strcmp(chain->name, name) && !strcmp(chain->table, table) && !strcmp(chain->family, family);
}

/* The slot of that chain, or a free one. */
static size_t *slot_of(const struct ruleset *ruleset, const char *family, const char *table, const char *name)
{
	uint64_t hash = hash_bytes(HASH_EMPTY, name, strlen(name));

	hash = hash_bytes(hash, table, strlen(table));
	for (size_t i = hash % ruleset->slot_count;; i = (i + 1) % ruleset->slot_count) {
		size_t *slot = &ruleset->slots[i];

		if (!*slot || is_named(&ruleset->chains[*slot - 1], family, table, name))
			return slot;
	}
}

/* Keeps at least every second slot free after one more chain. */
static bool make_room(struct ruleset *ruleset)
{
	size_t count = ruleset->slot_count, *slots;

	if (2 * (ruleset->chain_count + 1) <= count)
		return true;
	count = count ? 2 * count : 64;
	slots = calloc(count, sizeof(*slots));
	if (!slots)
		return false;
	free(ruleset->slots);
	ruleset->slots = slots;
	ruleset->slot_count = count;
	for (size_t i = 0; i < ruleset->chain_count; i++) {
		const struct chain *chain = &ruleset->chains[i];

		*slot_of(ruleset, chain->family, chain->table, chain->name) = i + 1;
	}
	return true;
}

size_t ruleset_find_chain(const struct ruleset *ruleset, const char *family, const char *table, const char *name)
{
	return ruleset->slot_count ? *slot_of(ruleset, family, table, name) - 1 : SIZE_MAX;
}

size_t ruleset_chain(struct ruleset *ruleset, const char *family, const char *table, const char *name)
{
	size_t found = ruleset_find_chain(ruleset, family, table, name);
	struct chain *chain;

	if (found != SIZE_MAX || !make_room(ruleset))
		return found;
	chain = array_grow(&ruleset->chains, &ruleset->chain_count, sizeof(*chain));
	if (!chain)
		return SIZE_MAX;
	chain->family = strdup(family);
	chain->table = strdup(table);
	chain->name = strdup(name);
	if (chain->family && chain->table && chain->name)
		return (*slot_of(ruleset, family, table, name) = ruleset->chain_count) - 1;
	free(chain->family);
	free(chain->table);
	free(chain->name);
	ruleset->chain_count--;
	return SIZE_MAX;
}

/* --- hooks, rules, jumps --- */

void ruleset_hook(struct chain *chain, const char *hook, struct scope scope, bool drop)
{
	static const char *const words[HOOK_COUNT] = {[HOOK_INGRESS] = "ingress",
						      [HOOK_PREROUTING] = "prerouting",
						      [HOOK_FORWARD] = "forward",
						      [HOOK_POSTROUTING] = "postrouting",
						      [HOOK_EGRESS] = "egress"};

	for (size_t i = 0; i < HOOK_COUNT; i++)
		if (!strcmp(hook, words[i])) {
			chain->at[i] = scope;
			chain->is_base = true;
			chain->hook = i;
			chain->drops = drop;
		}
}

void ruleset_add_jump(struct ruleset *ruleset, size_t from, size_t to, struct scope scope)
{
	struct jump *jump;

	if (from == SIZE_MAX || to == SIZE_MAX || scope_is_empty(scope))
		return;
	jump = array_grow(&ruleset->jumps, &ruleset->jump_count, sizeof(*jump));
	if (jump)
		*jump = (struct jump){from, to, scope};
}

/* Evaluated for all packets, so that a single `of` is enough. */
static bool may_be_met(const struct condition *condition, bool *is_unread)
{
	bool met = false;

	*is_unread = false;
	for (size_t i = 0; i < PACKETS; i++) {
		met |= condition->of[i].usual != MET_NO || condition->of[i].some;
		*is_unread |= condition->of[i].is_unread;
	}
	return met;
}

void ruleset_add_step(struct ruleset *ruleset, size_t chain, const struct condition *condition,
		      enum rule_verdict verdict, size_t target, const char *text)
{
	struct step *step;
	bool is_unread;

	if (chain == SIZE_MAX || verdict == VERDICT_CONTINUE || !may_be_met(condition, &is_unread))
		return;
	step = array_grow(&ruleset->steps, &ruleset->step_count, sizeof(*step));
	if (!step)
		return;
	*step = (struct step){.chain = chain, .verdict = verdict, .target = target};
	memcpy(step->of, condition->of, sizeof(step->of));
	if (target == SIZE_MAX && (verdict == VERDICT_JUMP || verdict == VERDICT_GOTO))
		step->verdict = VERDICT_UNKNOWN;
	if (is_unread || step->verdict == VERDICT_UNKNOWN)
		step->text = strdup(text);
}

void ruleset_add_rule(struct ruleset *ruleset, size_t chain, struct scope scope, unsigned int flags, char *undo)
{
	struct rule_seen *rule = NULL;

	if (chain != SIZE_MAX && !scope_is_empty(scope))
		rule = array_grow(&ruleset->rules, &ruleset->rule_count, sizeof(*rule));
	if (rule)
		*rule = (struct rule_seen){chain, scope, flags, undo};
	else
		free(undo);
}

void ruleset_add_flowtable(struct ruleset *ruleset, const char *name, char *devices)
{
	struct flowtable *flowtable =
		devices ? array_grow(&ruleset->flowtables, &ruleset->flowtable_count, sizeof(*flowtable)) : NULL;

	if (flowtable)
		*flowtable = (struct flowtable){strdup(name), devices};
	else
		free(devices);
}

void ruleset_add_flow(struct ruleset *ruleset, size_t chain, const char *flowtable, struct scope scope)
{
	struct flow_rule *flow;

	for (size_t i = 0; i < ruleset->flowtable_count && chain != SIZE_MAX; i++) {
		const char *name = ruleset->flowtables[i].name;

		if (!name || strcmp(name, flowtable) != 0)
			continue;
		flow = array_grow(&ruleset->flows, &ruleset->flow_count, sizeof(*flow));
		if (flow)
			*flow = (struct flow_rule){chain, i, scope};
	}
}

static int compare_jumps(const void *a, const void *b)
{
	const struct jump *one = a, *other = b;

	return (one->from > other->from) - (one->from < other->from);
}

/* Whether the jump makes more packets reach `to` than before. */
static bool follow(const struct chain *from, struct chain *to, struct scope scope)
{
	bool changed = false;

	for (size_t i = 0; i < HOOK_COUNT; i++) {
		struct scope passed = scope_both(from->at[i], scope);

		changed |= (passed.out && !to->at[i].out) || (passed.back && !to->at[i].back) ||
			   (passed.away && !to->at[i].away);
		to->at[i] = scope_any(to->at[i], passed);
	}
	return changed;
}

/* The index of each chain's first jump, and at the end the number of jumps. NULL if out of memory. */
static size_t *index_jumps(struct ruleset *ruleset)
{
	size_t *begin = calloc(ruleset->chain_count + 1, sizeof(*begin)), next = 0;

	if (begin && ruleset->jump_count)
		qsort(ruleset->jumps, ruleset->jump_count, sizeof(*ruleset->jumps), compare_jumps);
	for (size_t i = 0; begin && i <= ruleset->chain_count; i++) {
		while (next < ruleset->jump_count && ruleset->jumps[next].from < i)
			next++;
		begin[i] = next;
	}
	return begin;
}

/* Visits a chain again when more packets reach it, which happens at most three times per hook. */
int ruleset_follow_jumps(struct ruleset *ruleset)
{
	cleanup_free size_t *begin = index_jumps(ruleset);
	cleanup_free size_t *queue = calloc(ruleset->chain_count + 1, sizeof(*queue));
	size_t first = 0, count = ruleset->chain_count, size = count + 1;

	if (!begin || !queue)
		return -ENOMEM;
	for (size_t i = 0; i < count; i++) {
		queue[i] = i;
		ruleset->chains[i].is_queued = true;
	}
	for (; count; count--, first = (first + 1) % size) {
		size_t from = queue[first];

		ruleset->chains[from].is_queued = false;
		for (size_t j = begin[from]; j < begin[from + 1]; j++) {
			struct chain *to = &ruleset->chains[ruleset->jumps[j].to];

			if (!follow(&ruleset->chains[from], to, ruleset->jumps[j].scope) || to->is_queued)
				continue;
			to->is_queued = true;
			queue[(first + count++) % size] = ruleset->jumps[j].to;
		}
	}
	return 0;
}

void ruleset_free(struct ruleset *ruleset)
{
	for (size_t i = 0; i < ruleset->chain_count; i++) {
		free(ruleset->chains[i].family);
		free(ruleset->chains[i].table);
		free(ruleset->chains[i].name);
	}
	for (size_t i = 0; i < ruleset->rule_count; i++)
		free(ruleset->rules[i].undo);
	for (size_t i = 0; i < ruleset->step_count; i++)
		free(ruleset->steps[i].text);
	for (size_t i = 0; i < ruleset->flowtable_count; i++) {
		free(ruleset->flowtables[i].name);
		free(ruleset->flowtables[i].devices);
	}
	free(ruleset->flowtables);
	free(ruleset->flows);
	free(ruleset->chains);
	free(ruleset->slots);
	free(ruleset->rules);
	free(ruleset->jumps);
	free(ruleset->steps);
	*ruleset = (struct ruleset){};
}
