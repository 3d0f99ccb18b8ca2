// SPDX-License-Identifier: GPL-2.0-only
/*
 * Single conditions of nft's rules, described in libnftables-json(5): which redirected packets match them. What is not
 * understood is treated as matching.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/util.h"
#include "check/ruleset_nft.h"

struct json_object *nft_member(struct json_object *object, const char *name)
{
	struct json_object *value = NULL;

	json_object_object_get_ex(object, name, &value); /* not an object: NULL */
	return value;
}

const char *nft_text(struct json_object *object, const char *name)
{
	struct json_object *value = nft_member(object, name);

	return value ? json_object_get_string(value) : "";
}

size_t nft_items(struct json_object *array)
{
	return json_object_is_type(array, json_type_array) ? json_object_array_length(array) : 0;
}

void ruleset_nft_key(char key[RULESET_NFT_KEY], const char *family, const char *table, const char *name)
{
	snprintf(key, RULESET_NFT_KEY, "%s %s %s", family, table, name);
}

/* --- values --- */

/* A word or a number. A named set, "@NAME", is neither. */
static const char *word_of_value(struct json_object *value)
{
	const char *word;

	if (!json_object_is_type(value, json_type_string) && !json_object_is_type(value, json_type_int))
		return NULL;
	word = json_object_get_string(value);
	return word[0] == '@' ? NULL : word;
}

/* The members of {"set": [...]} or of [...]; NULL: not a set. {"set": ITEM} is the item. */
static struct json_object *set_of(struct json_object *value)
{
	struct json_object *set = nft_member(value, "set");

	return set ? set : json_object_is_type(value, json_type_array) ? value : NULL;
}

static struct sides sides_of_device(const struct traffic *traffic, struct json_object *right, enum device_key key)
{
	const char *word = word_of_value(right);

	return word ? traffic_device(traffic, key, word) : SIDES_UNREAD;
}

/* {"prefix": {"addr": ..., "len": ...}} or an address */
static struct sides sides_of_prefix(const struct traffic *traffic, struct json_object *right)
{
	struct json_object *prefix = nft_member(right, "prefix");
	const char *word = word_of_value(right);
	char text[64];

	if (prefix)
		snprintf(text, sizeof(text), "%s/%s", nft_text(prefix, "addr"), nft_text(prefix, "len"));
	else if (word)
		snprintf(text, sizeof(text), "%s", word);
	else
		return SIDES_UNREAD;
	return traffic_prefix(traffic, text);
}

/* --- devices and addresses: a set of them may contain all that a side has --- */

struct subject {
	enum scope_field field;
	bool is_device;
	enum device_key key; /* of a device */
	const char *family;  /* of an address */
};

static const struct {
	const char *word;
	enum scope_field field;
	enum device_key key;
} device_keys[] = {
	{"iif", SCOPE_FROM, DEVICE_NAME},	{"iifname", SCOPE_FROM, DEVICE_NAME},
	{"iifgroup", SCOPE_FROM, DEVICE_GROUP}, {"iifkind", SCOPE_FROM, DEVICE_KIND},
	{"oif", SCOPE_TO, DEVICE_NAME},		{"oifname", SCOPE_TO, DEVICE_NAME},
	{"oifgroup", SCOPE_TO, DEVICE_GROUP},	{"oifkind", SCOPE_TO, DEVICE_KIND},
};

/* False: `left` is not a device or an address. */
static bool read_subject(struct json_object *left, struct subject *subject)
{
	struct json_object *payload = nft_member(left, "payload");
	const char *key = nft_text(nft_member(left, "meta"), "key"), *field = nft_text(payload, "field");

	for (size_t i = 0; i < ARRAY_SIZE(device_keys); i++) {
		if (strcmp(key, device_keys[i].word) != 0)
			continue;
		*subject =
			(struct subject){.field = device_keys[i].field, .is_device = true, .key = device_keys[i].key};
		return true;
	}
	if (strcmp(field, "saddr") != 0 && strcmp(field, "daddr") != 0)
		return false;
	*subject = (struct subject){.field = *field == 's' ? SCOPE_FROM : SCOPE_TO,
				    .family = nft_text(payload, "protocol")};
	return !strcmp(subject->family, "ip") || !strcmp(subject->family, "ip6");
}

static struct condition condition_of_subject(const struct traffic *traffic, const struct subject *subject,
					     struct json_object *right)
{
	struct json_object *set = set_of(right);
	bool is_set = json_object_is_type(set, json_type_array);
	struct sides sides = {};

	for (size_t i = 0; i < (is_set ? nft_items(set) : 1); i++) {
		struct json_object *one = is_set ? json_object_array_get_idx(set, i) : set ? set : right;

		one = nft_value(one);
		sides = sides_any(sides, subject->is_device ? sides_of_device(traffic, one, subject->key)
							    : sides_of_prefix(traffic, one));
	}
	return subject->is_device ? condition_device(traffic, subject->field, sides)
				  : condition_address(traffic, subject->field, subject->family, sides);
}

/* --- other conditions --- */

/* "meta protocol", "meta nfproto", "ether type": a number means something other than IP */
static struct condition condition_of_ethertype(const struct traffic *traffic, const char *word)
{
	static const char *const words[][2] = {{"ip", "ip"}, {"ip6", "ip6"}, {"ipv4", "ip"}, {"ipv6", "ip6"}};

	for (size_t i = 0; i < ARRAY_SIZE(words); i++)
		if (!strcmp(word, words[i][0]))
			return condition_family(traffic, words[i][1]);
	return condition_never();
}

/* from the LAN, wgvia only accepts what is sent to this host's MAC address */
static struct condition condition_of_pkttype(const char *word)
{
	static const char *const exempt[] = {"broadcast", "multicast", "other"};

	for (size_t i = 0; i < ARRAY_SIZE(exempt); i++)
		if (!strcmp(word, exempt[i]))
			return condition_never();
	return condition_always();
}

static struct condition condition_of_meta(const struct traffic *traffic, const char *key, const char *word)
{
	if (!strcmp(key, "protocol") || !strcmp(key, "nfproto"))
		return condition_of_ethertype(traffic, word);
	if (!strcmp(key, "pkttype"))
		return condition_of_pkttype(word);
	return strcmp(key, "l4proto") ? condition_unread() : condition_protocol(word);
}

static struct condition condition_of_ct(const char *key, const char *word)
{
	if (!strcmp(key, "state"))
		return condition_state(word);
	if (!strcmp(key, "status"))
		return condition_status(word);
	return strcmp(key, "direction") ? condition_unread() : condition_direction(word);
}

static bool is_port(const char *protocol, const char *field)
{
	return (!strcmp(protocol, "tcp") || !strcmp(protocol, "th")) &&
	       (!strcmp(field, "sport") || !strcmp(field, "dport"));
}

/* A port, or {"range": [LOW, HIGH]}. */
static struct condition condition_of_ports(struct json_object *right)
{
	struct json_object *range = nft_member(right, "range");

	if (nft_items(range) != 2)
		return condition_some();
	return condition_ports(json_object_get_int(json_object_array_get_idx(range, 0)),
			       json_object_get_int(json_object_array_get_idx(range, 1)));
}

static struct condition condition_of_payload(const struct traffic *traffic, struct json_object *payload,
					     struct json_object *right)
{
	const char *word = word_of_value(right);
	const char *protocol = nft_text(payload, "protocol"), *field = nft_text(payload, "field");

	if (is_port(protocol, field))
		return condition_of_ports(right);
	if (!strcmp(field, "dscp"))
		return condition_some();
	if (word && !strcmp(protocol, "ether") && !strcmp(field, "type"))
		return condition_of_ethertype(traffic, word);
	if (word && (!strcmp(field, "protocol") || !strcmp(field, "nexthdr")))
		return condition_protocol(word);
	return condition_unread();
}

/* "fib daddr type local" and similar: local destinations are exempt */
static struct condition condition_of_fib(struct json_object *fib, const char *word)
{
	static const char *const exempt[] = {"local", "broadcast", "anycast", "multicast"};

	if (!word || strcmp(nft_text(fib, "result"), "type") != 0)
		return condition_unread();
	for (size_t i = 0; i < ARRAY_SIZE(exempt); i++)
		if (!strcmp(word, exempt[i]))
			return condition_never();
	return strcmp(word, "unicast") ? condition_unread() : condition_always();
}

/* A word, a number, or several of them; false: something else. */
static bool read_flags(struct json_object *value, unsigned int *flags)
{
	struct json_object *list = nft_member(value, "|") ? nft_member(value, "|") : value;
	const char *word = word_of_value(value);
	bool read = word || nft_items(list);
	unsigned int one;

	*flags = word ? (unsigned int)strtoul(word, NULL, 0) | tcp_flag(word) : 0;
	for (size_t i = 0; i < nft_items(list); i++) {
		read &= read_flags(json_object_array_get_idx(list, i), &one);
		*flags |= one;
	}
	return read;
}

/* The expression and the mask of {"&": [EXPRESSION, MASK]}; a NULL mask: no mask. */
static struct json_object *unmask(struct json_object *left, struct json_object **mask)
{
	struct json_object *parts = nft_member(left, "&");

	*mask = nft_items(parts) == 2 ? json_object_array_get_idx(parts, 1) : NULL;
	return *mask ? json_object_array_get_idx(parts, 0) : left;
}

static bool is_field(struct json_object *left, const char *protocol, const char *field)
{
	struct json_object *payload = nft_member(left, "payload");

	return !strcmp(nft_text(payload, "protocol"), protocol) && !strcmp(nft_text(payload, "field"), field);
}

/* "tcp flags & MASK == FLAGS" */
static struct condition condition_of_flags(struct json_object *masked, struct json_object *right)
{
	unsigned int mask = 0xff, flags;

	if (!read_flags(right, &flags) || (masked && !read_flags(masked, &mask)))
		return condition_unread();
	return condition_flags(mask, flags);
}

/* "ip frag-off & 0x1fff == 0": not a fragment. */
static struct condition condition_of_fragment(struct json_object *masked, const char *right)
{
	if (!masked || !right || json_object_get_int(masked) & ~0x3fff)
		return condition_unread();
	return strcmp(right, "0") ? condition_other_traffic() : condition_always();
}

/* "exthdr frag exists": headers and options that a TCP connection does not need */
static struct condition condition_of_header(struct json_object *right)
{
	if (!json_object_is_type(right, json_type_boolean))
		return condition_unread();
	return json_object_get_boolean(right) ? condition_other_traffic() : condition_always();
}

static struct condition condition_of_one(const struct traffic *traffic, struct json_object *left,
					 struct json_object *right)
{
	struct json_object *payload = nft_member(left, "payload"), *fib = nft_member(left, "fib"),
			   *meta = nft_member(left, "meta"), *ct = nft_member(left, "ct");
	const char *word = word_of_value(right);

	if (payload)
		return condition_of_payload(traffic, payload, right);
	if (fib)
		return condition_of_fib(fib, word);
	if (nft_member(left, "exthdr") || nft_member(left, "ip option"))
		return condition_of_header(right);
	if (meta && word)
		return condition_of_meta(traffic, nft_text(meta, "key"), word);
	return ct && word ? condition_of_ct(nft_text(ct, "key"), word) : condition_unread();
}

static struct condition equal(const struct traffic *traffic, struct json_object *left, struct json_object *right);

/* {"concat": [...]} on both sides, as a key of a map */
static struct condition condition_of_concat(const struct traffic *traffic, struct json_object *left,
					    struct json_object *right)
{
	struct condition all = nft_items(right) ? condition_always() : condition_unread();

	for (size_t i = 0; i < nft_items(left) && i < nft_items(right); i++)
		all = condition_both(
			all, equal(traffic, json_object_array_get_idx(left, i), json_object_array_get_idx(right, i)));
	return all;
}

/* {"elem": {"val": VALUE, ...}}, with a comment, a counter, a timeout */
struct json_object *nft_value(struct json_object *element)
{
	struct json_object *elem = nft_member(element, "elem");

	return elem ? nft_member(elem, "val") : element;
}

/* The condition for each element, without the tests that need all of them. */
static struct condition condition_of_set(const struct traffic *traffic, struct json_object *left,
					 struct json_object *set)
{
	struct condition any = condition_never();

	if (!json_object_is_type(set, json_type_array))
		return equal(traffic, left, set);
	for (size_t i = 0; i < nft_items(set); i++)
		any = condition_any(any, equal(traffic, left, nft_value(json_object_array_get_idx(set, i))));
	return any;
}

static struct condition equal(const struct traffic *traffic, struct json_object *left, struct json_object *right)
{
	struct json_object *concat = nft_member(left, "concat"), *mask, *masked = unmask(left, &mask);
	bool is_flags = is_field(masked, "tcp", "flags");
	/* flags in an array are one value */
	struct json_object *set = is_flags ? nft_member(right, "set") : set_of(right);
	struct subject subject;

	if (read_subject(left, &subject))
		return condition_of_subject(traffic, &subject, right);
	if (set)
		return condition_of_set(traffic, left, set);
	if (is_flags)
		return condition_of_flags(mask, right);
	if (is_field(masked, "ip", "frag-off"))
		return condition_of_fragment(mask, word_of_value(right));
	if (concat)
		return condition_of_concat(traffic, concat, nft_member(right, "concat"));
	return condition_of_one(traffic, left, right);
}

/* What nft checks in addition to an expression, without negating it: the protocol that has such a field. */
static struct condition dependency_of(const struct traffic *traffic, struct json_object *left)
{
	static const char *const others[] = {"udp",  "udplite", "icmp", "icmpv6", "igmp",
					     "sctp", "dccp",	"esp",	"ah",	  "comp"};
	struct json_object *mask, *field = unmask(left, &mask), *concat = nft_member(field, "concat");
	const char *protocol = nft_text(nft_member(field, "payload"), "protocol");
	struct condition all = condition_always();

	for (size_t i = 0; i < nft_items(concat); i++)
		all = condition_both(all, dependency_of(traffic, json_object_array_get_idx(concat, i)));
	for (size_t i = 0; i < ARRAY_SIZE(others); i++)
		if (!strcmp(protocol, others[i]))
			return condition_other_traffic();
	if (!strcmp(protocol, "arp") || !strcmp(protocol, "vlan"))
		return condition_never();
	if (!strcmp(protocol, "ip") || nft_member(field, "ip option"))
		return condition_family(traffic, "ip");
	return !strcmp(protocol, "ip6") || nft_member(field, "exthdr") ? condition_family(traffic, "ip6") : all;
}

struct condition nft_condition(const struct traffic *traffic, struct json_object *left, const char *op,
			       struct json_object *right)
{
	struct json_object *payload = nft_member(left, "payload");
	bool has_bits = !strcmp(op, "in") || !strcmp(op, "!"), negated = !strcmp(op, "!=") || !strcmp(op, "!");
	struct condition condition;
	unsigned int flags;

	if (has_bits && is_field(left, "tcp", "flags"))
		condition = read_flags(right, &flags) ? condition_any_flag(flags) : condition_unread();
	else if (has_bits || negated || !strcmp(op, "=="))
		condition = equal(traffic, left, right);
	else
		condition = is_port(nft_text(payload, "protocol"), nft_text(payload, "field")) ? condition_some()
											       : condition_unread();
	return condition_both(dependency_of(traffic, left), negated ? condition_not(condition) : condition);
}

bool nft_is_invalid(struct json_object *left, struct json_object *right)
{
	struct json_object *set = set_of(right);

	if (strcmp(nft_text(nft_member(left, "ct"), "key"), "state") != 0)
		return false;
	for (size_t i = 0; i < nft_items(set); i++)
		if (!nft_is_invalid(left, json_object_array_get_idx(set, i)))
			return false;
	return nft_items(set) || (!set && word_of_value(right) && !strcmp(word_of_value(right), "invalid"));
}
