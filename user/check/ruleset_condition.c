// SPDX-License-Identifier: GPL-2.0-only
/*
 * Conditions as values: three-valued logic over the packets of a connection.
 */
#include "check/ruleset_condition.h"

#include <string.h>
#include <strings.h>
#include <sys/socket.h>

#include "base/util.h"

size_t packet_of(uint8_t family, enum packet_kind kind)
{
	return (family == AF_INET6 ? PACKET_KINDS : 0) + kind;
}

static enum packet_kind kind_of(size_t packet)
{
	return packet % PACKET_KINDS;
}

static bool is_reply(size_t packet)
{
	return kind_of(packet) == PACKET_SYN_ACK;
}

static const struct meets no = {MET_NO, false, false}, yes = {MET_YES, false, false}, unread = {MET_MAYBE, false, true},
			  some = {MET_NO, true, false};

/* --- logic --- */

static bool is_for_all(struct meets meets, enum met met)
{
	return meets.usual == met && !meets.some;
}

static struct meets meets_both(struct meets a, struct meets b)
{
	if (is_for_all(a, MET_NO) || is_for_all(b, MET_NO))
		return no;
	return (struct meets){a.usual < b.usual ? a.usual : b.usual, a.some || b.some, a.is_unread || b.is_unread};
}

static struct meets meets_any(struct meets a, struct meets b)
{
	if (is_for_all(a, MET_YES) || is_for_all(b, MET_YES))
		return yes;
	return (struct meets){a.usual > b.usual ? a.usual : b.usual, a.some || b.some, a.is_unread || b.is_unread};
}

struct condition condition_both(struct condition a, struct condition b)
{
	a.scope = scope_both(a.scope, b.scope);
	for (size_t i = 0; i < PACKETS; i++)
		a.of[i] = meets_both(a.of[i], b.of[i]);
	return a;
}

struct condition condition_any(struct condition a, struct condition b)
{
	a.scope = scope_any(a.scope, b.scope);
	for (size_t i = 0; i < PACKETS; i++)
		a.of[i] = meets_any(a.of[i], b.of[i]);
	return a;
}

struct condition condition_not(struct condition condition)
{
	condition.scope = SCOPE_ALL;
	for (size_t i = 0; i < PACKETS; i++)
		condition.of[i].usual = MET_YES - condition.of[i].usual;
	return condition;
}

/* --- conditions that are equal for all packets --- */

static struct condition condition_of(struct scope scope, struct meets meets)
{
	struct condition condition = {.scope = scope};

	for (size_t i = 0; i < PACKETS; i++)
		condition.of[i] = meets;
	return condition;
}

struct condition condition_always(void)
{
	return condition_of(SCOPE_ALL, yes);
}

struct condition condition_never(void)
{
	return condition_of((struct scope){}, no);
}

struct condition condition_other_traffic(void)
{
	return condition_of(SCOPE_ALL, no);
}

struct condition condition_unread(void)
{
	return condition_of(SCOPE_ALL, unread);
}

struct condition condition_some(void)
{
	return condition_of(SCOPE_ALL, some);
}

/* --- conditions that distinguish packets --- */

struct condition condition_kinds(unsigned int kinds)
{
	struct condition condition = condition_other_traffic();

	for (size_t i = 0; i < PACKETS; i++)
		if (kinds & 1u << kind_of(i))
			condition.of[i] = yes;
	return condition;
}

struct condition condition_family(const struct traffic *traffic, const char *family)
{
	struct condition condition = condition_of(scope_of_family(traffic, family), no);

	for (size_t i = 0; i < PACKETS; i++)
		if (!strcmp(family, i < PACKET_KINDS ? "ip" : "ip6") || !strcmp(family, "inet"))
			condition.of[i] = yes;
	return condition;
}

static struct meets meets_side(bool any, size_t whole, size_t all, bool is_unread)
{
	if (!any)
		return no;
	if (is_unread)
		return unread;
	return whole >= all ? yes : some;
}

/* The extent on each side, and whether what is not understood may be all of it. */
struct extent {
	size_t sources, destinations;
	bool may_be_everywhere;
};

static struct meets meets_sides(size_t packet, enum scope_field field, const struct sides *sides, struct extent extent)
{
	if ((field == SCOPE_FROM) != is_reply(packet))
		return meets_side(sides->tunnel, sides->tunnel_whole, extent.sources, sides->is_unread);
	return meets_side(sides->lan, sides->lan_whole, extent.destinations,
			  sides->is_unread && extent.may_be_everywhere);
}

struct condition condition_device(const struct traffic *traffic, enum scope_field field, struct sides sides)
{
	struct condition condition = {.scope = SCOPE_ALL};

	scope_narrow(&condition.scope, field, sides);
	for (size_t i = 0; i < PACKETS; i++)
		condition.of[i] = meets_sides(i, field, &sides, (struct extent){1, traffic->gateways.count, true});
	return condition;
}

struct condition condition_address(const struct traffic *traffic, enum scope_field field, const char *family,
				   struct sides sides)
{
	struct condition condition = {.scope = SCOPE_ALL};

	scope_narrow(&condition.scope, field, sides);
	/* a range, or a set, does not contain all addresses */
	for (size_t i = 0; i < PACKETS; i++)
		condition.of[i] =
			meets_sides(i, field, &sides,
				    (struct extent){traffic->source_count[i >= PACKET_KINDS], LAN_EVERYTHING, false});
	return condition_both(condition, condition_family(traffic, family));
}

/* --- words --- */

struct condition condition_state(const char *word)
{
	static const struct {
		const char *word;
		unsigned int kinds;
	} states[] = {{"new", 1u << PACKET_SYN},
		      {"established", 1u << PACKET_SYN_ACK | 1u << PACKET_ACK},
		      {"related", 0},
		      {"invalid", 0},
		      {"untracked", 0}};

	for (size_t i = 0; i < ARRAY_SIZE(states); i++)
		if (!strcasecmp(word, states[i].word))
			return condition_kinds(states[i].kinds);
	/* iptables counts these among the states */
	return condition_status(word);
}

struct condition condition_direction(const char *word)
{
	unsigned int reply = 1u << PACKET_SYN_ACK;

	if (!strcasecmp(word, "reply"))
		return condition_kinds(reply);
	return strcasecmp(word, "original") ? condition_unread() : condition_not(condition_kinds(reply));
}

/* Translated connections are special: firewalld accepts them on every host. */
struct condition condition_status(const char *word)
{
	return !strcasecmp(word, "dnat") || !strcasecmp(word, "snat") ? condition_other_traffic() : condition_unread();
}

struct condition condition_protocol(const char *word)
{
	static const char *const all[] = {"0", "all", "ip"};

	for (size_t i = 0; i < ARRAY_SIZE(all); i++)
		if (!strcasecmp(word, all[i]))
			return condition_always();
	return !strcasecmp(word, "tcp") || !strcmp(word, "6") ? condition_always() : condition_other_traffic();
}

struct condition condition_ports(unsigned int low, unsigned int high)
{
	return low <= 1 && high == UINT16_MAX ? condition_always() : condition_some();
}

static const struct {
	const char *word;
	unsigned int bit;
} tcp_flags[] = {{"fin", 0x01}, {"syn", 0x02}, {"rst", 0x04}, {"psh", 0x08}, {"ack", 0x10},
		 {"urg", 0x20}, {"ecn", 0x40}, {"cwr", 0x80}, {"all", 0x3f}};

unsigned int tcp_flag(const char *word)
{
	for (size_t i = 0; i < ARRAY_SIZE(tcp_flags); i++)
		if (!strcasecmp(word, tcp_flags[i].word))
			return tcp_flags[i].bit;
	return 0;
}

static const unsigned int flags_of_kind[PACKET_KINDS] = {
	[PACKET_SYN] = 0x02, [PACKET_SYN_ACK] = 0x12, [PACKET_ACK] = 0x10};

struct condition condition_flags(unsigned int mask, unsigned int flags)
{
	unsigned int kinds = 0;

	for (size_t i = 0; i < PACKET_KINDS; i++)
		kinds |= ((flags_of_kind[i] & mask) == flags) << i;
	return condition_kinds(kinds);
}

struct condition condition_any_flag(unsigned int flags)
{
	unsigned int kinds = 0;

	for (size_t i = 0; i < PACKET_KINDS; i++)
		kinds |= ((flags_of_kind[i] & flags) != 0) << i;
	return condition_kinds(kinds);
}
