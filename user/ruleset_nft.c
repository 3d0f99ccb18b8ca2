// SPDX-License-Identifier: GPL-2.0-only
/*
 * What nft tells of, as JSON. Extensions of iptables-nft that nft does not translate are {"xt": {"type": "match" or
 * "target", "name": "TCPMSS"}} in it, and nothing in older versions; libnftables-json(5) describes the rest.
 */
#include <json-c/json.h>
#include <libmnl/libmnl.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nfnetlink.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

#include "ruleset.h"
#include "util.h"

/* The whole ruleset; NULL where nft is not installed or says nothing. Without the elements of sets: there may be many.
 */
static struct json_object *read_json(const char *options)
{
	struct json_tokener *tokener = json_tokener_new();
	struct json_object *all = NULL;
	char buffer[16384];
	FILE *nft;
	size_t len;

	snprintf(buffer, sizeof(buffer), "PATH=$PATH:/usr/sbin:/sbin exec nft %s list ruleset 2>/dev/null", options);
	nft = popen(buffer, "re");
	while (nft && tokener && !all && (len = fread(buffer, 1, sizeof(buffer), nft)))
		all = json_tokener_parse_ex(tokener, buffer, (int)len);
	if (nft)
		pclose(nft);
	if (tokener)
		json_tokener_free(tokener);
	return all;
}

static struct json_object *member(struct json_object *object, const char *name)
{
	struct json_object *value = NULL;

	json_object_object_get_ex(object, name, &value); /* no object: none */
	return value;
}

static const char *text(struct json_object *object, const char *name)
{
	struct json_object *value = member(object, name);

	return value ? json_object_get_string(value) : "";
}

/* --- conditions --- */

/* `right` is a word, a number, {"prefix": {...}}, {"set": [...]}, or something that is not understood: any. */
static struct sides sides_of(const struct traffic *traffic, struct json_object *right, bool device)
{
	struct json_object *set = member(right, "set"), *prefix = member(right, "prefix");
	struct sides sides = {};
	char word[64];

	for (size_t i = 0; set && json_object_is_type(set, json_type_array) && i < json_object_array_length(set); i++) {
		struct sides one = sides_of(traffic, json_object_array_get_idx(set, i), device);

		sides.tunnel |= one.tunnel;
		sides.lan |= one.lan;
	}
	if (set)
		return json_object_is_type(set, json_type_array) ? sides : sides_of(traffic, set, device);
	if (prefix)
		snprintf(word, sizeof(word), "%s/%s", text(prefix, "addr"), text(prefix, "len"));
	else if (json_object_is_type(right, json_type_string) && json_object_get_string(right)[0] != '@')
		snprintf(word, sizeof(word), "%s", json_object_get_string(right));
	else
		return (struct sides){true, true};
	return device ? traffic_device(traffic, word) : traffic_prefix(traffic, word);
}

static void narrow(const struct traffic *traffic, struct json_object *match, struct scope *scope)
{
	struct json_object *left = member(match, "left"), *payload = member(left, "payload");
	const char *op = text(match, "op"), *meta = text(member(left, "meta"), "key"), *field = text(payload, "field");
	enum scope_field side;
	bool device = !strncmp(meta, "iif", 3) || !strncmp(meta, "oif", 3);

	if (strcmp(op, "==") != 0 && strcmp(op, "in") != 0)
		return;
	if (device)
		side = *meta == 'i' ? SCOPE_FROM : SCOPE_TO;
	else if (!strncmp(text(payload, "protocol"), "ip", 2) && (!strcmp(field, "saddr") || !strcmp(field, "daddr")))
		side = *field == 's' ? SCOPE_FROM : SCOPE_TO;
	else
		return;
	scope_narrow(scope, side, sides_of(traffic, member(match, "right"), device));
}

/* "fib daddr type local", "addrtype": for this host, and so left alone. */
static bool is_about_this_host(struct json_object *match)
{
	return !strcmp(text(member(member(match, "left"), "fib"), "result"), "type") &&
	       !strcmp(text(match, "right"), "local") && strcmp(text(match, "op"), "!=") != 0;
}

/* "ct state invalid", "ct state vmap { ... }" */
static bool is_about_invalid(struct json_object *statement)
{
	struct json_object *match = member(statement, "match"), *vmap = member(statement, "vmap"),
			   *key = match ? member(match, "left") : member(vmap, "key"),
			   *values = match ? member(match, "right") : member(vmap, "data");

	return !strcmp(text(member(key, "ct"), "key"), "state") && values &&
	       strstr(json_object_to_json_string(values), "\"invalid\"");
}

/* --- statements --- */

static const struct {
	const char *name;
	unsigned int flags;
} statements[] =
	{
		{"masquerade", RULE_NAT}, {"snat", RULE_NAT},	  {"dnat", RULE_NAT},	  {"redirect", RULE_NAT},
		{"drop", RULE_DROPS},	  {"reject", RULE_DROPS}, {"maxseg", RULE_CLAMP},
},
  extensions[] = {
	  {"MASQUERADE", RULE_NAT}, {"SNAT", RULE_NAT},	       {"DNAT", RULE_NAT},     {"REDIRECT", RULE_NAT},
	  {"NETMAP", RULE_NAT},	    {"REJECT", RULE_DROPS},    {"TCPMSS", RULE_CLAMP}, {"conntrack", RULE_INVALID},
	  {"state", RULE_INVALID},  {"addrtype", RULE_NOT_US},
};

static unsigned int flags_of_extension(struct json_object *extension)
{
	const char *name = text(extension, "name");

	for (size_t i = 0; i < ARRAY_SIZE(extensions); i++)
		if (!strcmp(name, extensions[i].name))
			return extensions[i].flags;
	return 0;
}

/* What somewhere below `value` is said: verdicts of a map, a key of conntrack. */
static unsigned int flags_below(struct json_object *value)
{
	unsigned int flags = 0;

	if (json_object_is_type(value, json_type_array))
		for (size_t i = 0; i < json_object_array_length(value); i++)
			flags |= flags_below(json_object_array_get_idx(value, i));
	if (!json_object_is_type(value, json_type_object))
		return flags;
	json_object_object_foreach (value, key, child) {
		for (size_t i = 0; i < ARRAY_SIZE(statements); i++)
			if (!strcmp(key, statements[i].name))
				flags |= statements[i].flags;
		if (!strcmp(key, "tcp option") && !strcmp(text(child, "name"), "maxseg"))
			flags |= RULE_CLAMP;
		if (!strcmp(key, "xt"))
			flags |= flags_of_extension(child);
		flags |= flags_below(child);
	}
	return flags;
}

static void add_jumps(struct ruleset *ruleset, struct json_object *rule, size_t from, struct json_object *value)
{
	if (json_object_is_type(value, json_type_array))
		for (size_t i = 0; i < json_object_array_length(value); i++)
			add_jumps(ruleset, rule, from, json_object_array_get_idx(value, i));
	if (!json_object_is_type(value, json_type_object))
		return;
	json_object_object_foreach (value, key, child) {
		if (!strcmp(key, "jump") || !strcmp(key, "goto"))
			ruleset_add_jump(ruleset, from,
					 ruleset_chain(ruleset, text(rule, "family"), text(rule, "table"),
						       text(child, "target")));
		else
			add_jumps(ruleset, rule, from, child);
	}
}

static bool is_act(const char *statement)
{
	static const char *const others[] = {"match", "counter", "jump", "goto", "return", "continue", "comment"};

	for (size_t i = 0; i < ARRAY_SIZE(others); i++)
		if (!strcmp(statement, others[i]))
			return false;
	return true;
}

static void read_rule(struct ruleset *ruleset, const struct traffic *traffic, struct json_object *rule)
{
	size_t chain = ruleset_chain(ruleset, text(rule, "family"), text(rule, "table"), text(rule, "chain"));
	struct json_object *expr = member(rule, "expr");
	struct scope scope = scope_of_family(traffic, text(rule, "family"));
	unsigned int flags = 0;
	char *undo = NULL;

	for (size_t i = 0; expr && i < json_object_array_length(expr); i++) {
		struct json_object *one = json_object_array_get_idx(expr, i), *match = member(one, "match");

		/* conditions that look at the MSS do not change it */
		flags |= match ? flags_below(match) & ~RULE_CLAMP : flags_below(one);
		if (is_about_invalid(one))
			flags |= RULE_INVALID;
		if (match && is_about_this_host(match))
			flags |= RULE_NOT_US;
		if (match)
			narrow(traffic, match, &scope);
		json_object_object_foreach (one, name, unused) {
			(void)unused;
			if (is_act(name) &&
			    (strcmp(name, "xt") != 0 || strcmp(text(member(one, "xt"), "type"), "match") != 0))
				flags |= RULE_ACTS;
		}
	}
	if (!scope.out && !scope.back)
		flags |= RULE_NOT_US;
	if (!(flags & RULE_NOT_US))
		add_jumps(ruleset, rule, chain, expr);
	if ((flags & RULE_NAT) && asprintf(&undo, "nft delete rule %s %s %s handle %s", text(rule, "family"),
					   text(rule, "table"), text(rule, "chain"), text(rule, "handle")) < 0)
		undo = NULL;
	ruleset_add_rule(ruleset, chain, flags, undo);
}

static void read_chain(struct ruleset *ruleset, const struct traffic *traffic, struct json_object *chain)
{
	size_t number = ruleset_chain(ruleset, text(chain, "family"), text(chain, "table"), text(chain, "name"));

	if (number != SIZE_MAX && scope_of_family(traffic, text(chain, "family")).out)
		ruleset_hook(&ruleset->chains[number], text(chain, "hook"), !strcmp(text(chain, "policy"), "drop"));
}

/* --- without nft --- */

static int on_chain(const struct nlmsghdr *header, void *data)
{
	const struct nlattr *attribute;
	bool *found = data;

	mnl_attr_for_each (attribute, header, sizeof(struct nfgenmsg))
		if (mnl_attr_get_type(attribute) == NFTA_CHAIN_HOOK)
			*found = true;
	return MNL_CB_OK;
}

/* Whether the kernel has a chain of nftables at a hook. */
static bool kernel_has_chains(void)
{
	struct mnl_socket *socket = mnl_socket_open2(NETLINK_NETFILTER, SOCK_CLOEXEC);
	char buffer[MNL_SOCKET_BUFFER_SIZE * 4];
	struct nlmsghdr *header = mnl_nlmsg_put_header(buffer);
	struct nfgenmsg *message;
	bool found = false;
	int ret = MNL_CB_OK;

	if (!socket)
		return false;
	header->nlmsg_type = NFNL_SUBSYS_NFTABLES << 8 | NFT_MSG_GETCHAIN;
	header->nlmsg_flags = NLM_F_REQUEST | NLM_F_DUMP;
	message = mnl_nlmsg_put_extra_header(header, sizeof(*message));
	message->nfgen_family = AF_UNSPEC;
	message->version = NFNETLINK_V0;
	if (mnl_socket_sendto(socket, header, header->nlmsg_len) < 0)
		ret = MNL_CB_ERROR;
	while (ret > MNL_CB_STOP) {
		ssize_t len = mnl_socket_recvfrom(socket, buffer, sizeof(buffer));

		ret = len < 0 ? MNL_CB_ERROR : mnl_cb_run(buffer, len, 0, 0, on_chain, &found);
	}
	mnl_socket_close(socket);
	return found;
}

void ruleset_read_nft(struct ruleset *ruleset, const struct traffic *traffic)
{
	struct json_object *all = read_json("-j -t"), *list;

	all = all ? all : read_json("-j"); /* -t came with 0.9.3 */
	list = all ? member(all, "nftables") : NULL;
	ruleset->nft_unread = !list && kernel_has_chains();
	for (size_t i = 0; list && i < json_object_array_length(list); i++) {
		struct json_object *item = json_object_array_get_idx(list, i);

		if (member(item, "chain"))
			read_chain(ruleset, traffic, member(item, "chain"));
		if (member(item, "rule"))
			read_rule(ruleset, traffic, member(item, "rule"));
	}
	json_object_put(all);
}
