// SPDX-License-Identifier: GPL-2.0-only
/*
 * What is exempt on a host with these rules and routes: tables in words, and random ones compared with a walk that
 * looks up single addresses rule by rule and route by route.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <linux/fib_rules.h>
#include <linux/rtnetlink.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

#include "base/abi_words.h"
#include "base/util.h"
#include "config/parse.h"
#include "plan/bypass.h"
#include "tests/unit/prefix.h"

#define MAX 64

struct host {
	struct rule rules[MAX];
	struct route routes[MAX];
	struct fib fib;
	struct state state;
};

/* --- a host in words: items end with ';', the first word is from, admin, vrf, rule or route --- */

static void add_rule(struct host *host, char **save)
{
	struct rule *rule = &host->rules[host->fib.rule_count++];
	char *word;

	*rule = (struct rule){.action = FR_ACT_TO_TBL, .suppress = -1};
	rule->from.ip.family = rule->to.ip.family = AF_INET;
	while ((word = strtok_r(NULL, " ", save)) && strcmp(word, ";") != 0) {
		if (!strcmp(word, "6"))
			rule->from.ip.family = rule->to.ip.family = AF_INET6;
		else if (!strcmp(word, "not"))
			rule->invert = true;
		else if (!strcmp(word, "other"))
			rule->other = true;
		else if (!strcmp(word, "l3mdev"))
			rule->l3mdev = true;
		else if (!strcmp(word, "prohibit"))
			rule->action = FR_ACT_PROHIBIT;
		else if (!strcmp(word, "nop"))
			rule->action = FR_ACT_NOP;
		else if (!strcmp(word, "pref"))
			rule->priority = atoi(strtok_r(NULL, " ", save));
		else if (!strcmp(word, "table"))
			rule->table = atoi(strtok_r(NULL, " ", save));
		else if (!strcmp(word, "suppress"))
			rule->suppress = atoi(strtok_r(NULL, " ", save));
		else if (!strcmp(word, "goto"))
			rule->action = FR_ACT_GOTO, rule->target = atoi(strtok_r(NULL, " ", save));
		else if (!strcmp(word, "mark"))
			rule->mark = atoi(strtok_r(NULL, " ", save)), rule->mask = UINT32_MAX;
		else if (!strcmp(word, "iif"))
			strcpy(rule->iif, strtok_r(NULL, " ", save));
		else if (!strcmp(word, "oif"))
			strcpy(rule->oif, strtok_r(NULL, " ", save));
		else if (!strcmp(word, "from"))
			rule->from = prefix_from(strtok_r(NULL, " ", save));
		else if (!strcmp(word, "to"))
			rule->to = prefix_from(strtok_r(NULL, " ", save));
		else
			fail_msg("a rule with '%s'", word);
	}
}

static void add_route(struct host *host, char **save)
{
	static const struct {
		const char *word;
		uint8_t type;
	} types[] = {{"local", RTN_LOCAL}, {"broadcast", RTN_BROADCAST}, {"anycast", RTN_ANYCAST},
		     {"throw", RTN_THROW}, {"blackhole", RTN_BLACKHOLE}, {"unreachable", RTN_UNREACHABLE},
		     {"lan", RTN_UNICAST}};
	struct route *route = &host->routes[host->fib.route_count++];
	char *word;

	*route = (struct route){.to = prefix_from(strtok_r(NULL, " ", save)), .type = RTN_UNICAST};
	route->table = RT_TABLE_MAIN;
	while ((word = strtok_r(NULL, " ", save)) && strcmp(word, ";") != 0) {
		bool known = false;

		for (size_t i = 0; i < ARRAY_SIZE(types); i++)
			if (!strcmp(word, types[i].word)) {
				route->type = types[i].type;
				known = true;
				if (i < 3)
					route->table = RT_TABLE_LOCAL;
			}
		if (known)
			continue;
		if (!strcmp(word, "wg6"))
			route->through = true;
		else if (!strcmp(word, "table"))
			route->table = atoi(strtok_r(NULL, " ", save));
		else if (!strcmp(word, "metric"))
			route->metric = atoi(strtok_r(NULL, " ", save));
		else
			fail_msg("a route with '%s'", word);
	}
}

static void read_host(struct host *host, const char *text)
{
	static const char usual[] = "rule pref 0 table 255 ; rule pref 32766 table 254 ; rule pref 32767 table 253 ; "
				    "rule 6 pref 0 table 255 ; rule 6 pref 32766 table 254 ; ";
	static const struct wgvia_gateway gateway = {.ifindex = 2, .family = AF_INET6};
	char copy[2000], *save, *word;
	struct prefix prefix;

	memset(host, 0, sizeof(*host));
	host->fib = (struct fib){.rules = host->rules, .routes = host->routes, .iif = "wg6"};
	snprintf(copy, sizeof(copy), "%s%s", strstr(text, "rule ") ? "" : usual, text);
	for (word = strtok_r(copy, " ", &save); word; word = strtok_r(NULL, " ", &save)) {
		if (!strcmp(word, "rule")) {
			add_rule(host, &save);
		} else if (!strcmp(word, "route")) {
			add_route(host, &save);
		} else if (!strcmp(word, "vrf")) {
			host->fib.vrf = "red";
			host->fib.vrf_table = atoi(strtok_r(NULL, " ", &save));
			strtok_r(NULL, " ", &save);
		} else {
			prefix = prefix_from(strtok_r(NULL, " ", &save));
			if (!strcmp(word, "from"))
				state_add_gateway(&host->state, &prefix, &gateway);
			else
				state_add_bypass(&host->state, &prefix, WGVIA_BYPASS, WGVIA_BYPASS_ADMIN);
			strtok_r(NULL, " ", &save);
		}
	}
	state_sort(&host->state);
}

/* The list without the scopes, "PREFIX VERDICT[+FLAGS]" each. */
static void write_list(const struct state *state, char *text, size_t size)
{
	size_t len = 0;

	text[0] = '\0';
	for (size_t i = 0; i < state->bypass_count; i++) {
		const struct bypass_entry *entry = &state->bypass[i];
		char prefix[PREFIX_TEXT_LEN], flags[16] = "";

		if (entry->value.verdict == WGVIA_SCOPE || entry->to.ip.addr[0] == 255 ||
		    (entry->to.len == 128 && ip_is_unspecified(&entry->to.ip)))
			continue;
		if (entry->value.flags)
			snprintf(flags, sizeof(flags), "+%u", entry->value.flags);
		len += snprintf(text + len, size - len, "%s%s %s%s", len ? ", " : "", prefix_text(&entry->to, prefix),
				verdict_words[entry->value.verdict], flags);
	}
}

#define LAN "route 10.1.0.0/24 lan ; route 0.0.0.0/0 lan ; "
#define WGQUICK                                                                                                        \
	"rule pref 0 table 255 ; rule pref 32764 table 254 suppress 0 ; rule not pref 32765 mark 51820 table 51820 ; " \
	"rule pref 32766 table 254 ; route 0.0.0.0/0 wg6 table 51820 ; "

static const struct {
	const char *host, *list;
} rows[] = {
	{"", ""},
	{"route 10.6.0.0/16 wg6 ; " LAN, "10.6.0.0/16 tunnel"},
	{"route 2001:db8:1::/50 wg6 ; route 2001:db8:2::/64 lan ; route ::/0 lan ; ", "2001:db8:1::/50 tunnel"},
	/* wider than the LAN */
	{"route 10.0.0.0/8 wg6 ; " LAN, "10.0.0.0/8 tunnel, 10.1.0.0/24 redirected"},
	{"route fd00::/8 wg6 ; route fd00:1::/64 lan ; ", "fd00::/8 tunnel, fd00:1::/64 redirected"},
	{"route 0.0.0.0/1 wg6 ; route 128.0.0.0/1 wg6 ; " LAN,
	 "0.0.0.0/1 tunnel, 10.1.0.0/24 redirected, 128.0.0.0/1 tunnel"},
	{"route 10.0.0.0/8 wg6 ; route 10.1.0.7/32 wg6 ; " LAN,
	 "10.0.0.0/8 tunnel, 10.1.0.0/24 redirected, 10.1.0.7/32 tunnel"},
	/* no entry that repeats a shorter one */
	{"route 10.0.0.0/8 wg6 ; route 10.6.0.0/16 wg6 ; route 10.6.1.0/24 wg6 ; ", "10.0.0.0/8 tunnel"},
	{"route 10.0.0.0/8 wg6 ; route 10.1.0.0/16 lan ; route 10.1.1.0/24 lan ; ",
	 "10.0.0.0/8 tunnel, 10.1.0.0/16 redirected"},
	{"route 172.16.0.0/12 lan ; route 172.20.0.0/16 lan ; route 10.6.0.0/16 wg6 ; ", "10.6.0.0/16 tunnel"},
	/* of routes to one prefix the best metric counts, of equal ones the first */
	{"route 10.6.0.0/16 wg6 metric 10 ; route 10.6.0.0/16 lan metric 20 ; ", "10.6.0.0/16 tunnel"},
	{"route 10.6.0.0/16 lan metric 10 ; route 10.6.0.0/16 wg6 metric 20 ; ", ""},
	{"route 2001:db8::/64 lan metric 256 ; route 2001:db8::/64 wg6 metric 256 ; ", ""},
	{"route 2001:db8::/64 wg6 metric 256 ; route 2001:db8::/64 lan metric 256 ; ", "2001:db8::/64 tunnel"},
	/* this host */
	{"route 10.0.0.0/8 wg6 ; route 10.6.0.1/32 local ; route 10.6.255.255/32 broadcast ; ",
	 "10.0.0.0/8 tunnel, 10.6.0.1/32 local, 10.6.255.255/32 local+4"},
	{"route 2001:db8::/128 anycast ; ", "2001:db8::/128 local"},
	{"route 10.0.0.0/8 local ; route 10.6.0.0/16 wg6 ; route 10.1.0.0/16 lan ; ", "10.0.0.0/8 local"},
	/* scopes stay as they are */
	{"route 224.0.0.0/4 wg6 ; route fe80::/64 wg6 ; route ff00::/8 wg6 ; route 127.0.0.1/32 local ; ", ""},
	{"route 169.254.1.0/30 wg6 ; ", "169.254.1.0/30 tunnel"},
	/* only inside the tunnel's range, what the kernel drops is left to it */
	{"route 10.0.0.0/8 wg6 ; route 10.9.0.0/16 blackhole ; ", "10.0.0.0/8 tunnel"},
	{"route 10.0.0.0/8 unreachable ; route 10.6.0.0/16 wg6 ; ", "10.6.0.0/16 tunnel"},
	/* tables in the order of the rules */
	{"rule pref 5 table 7 ; rule pref 9 table 254 ; route 10.1.0.0/24 lan table 7 ; route 10.0.0.0/8 wg6 ; ",
	 "10.0.0.0/8 tunnel, 10.1.0.0/24 redirected"},
	{"rule pref 5 table 7 ; rule pref 9 table 254 ; route 10.0.0.0/8 lan table 7 ; route 10.6.0.0/16 wg6 ; ", ""},
	{"rule pref 5 table 7 ; rule pref 9 table 254 ; route 10.0.0.0/8 wg6 table 7 ; route 10.1.0.0/24 lan ; ",
	 "10.0.0.0/8 tunnel"},
	{"rule pref 5 table 7 ; rule pref 9 table 254 ; route 10.0.0.0/8 lan "
	 "table 7 ; route 10.6.0.0/16 throw table 7 ; route 10.0.0.0/8 wg6 ; ",
	 "10.6.0.0/16 tunnel"},
	{"rule pref 9 table 254 ; route 10.0.0.0/8 wg6 table 7 ; ", ""}, /* no rule refers to table 7 */
	{"rule pref 5 table 254 ; rule pref 9 table 255 ; route 10.6.0.0/16 wg6 ; route 10.6.0.1/32 local ; ",
	 "10.6.0.0/16 tunnel"},
	/* a default route, and wg-quick's AllowedIPs = 0.0.0.0/0 */
	{"route 0.0.0.0/0 wg6 ; route 10.1.0.0/24 lan ; ", "0.0.0.0/0 tunnel, 10.1.0.0/24 redirected"},
	{WGQUICK LAN, "0.0.0.0/0 tunnel, 10.1.0.0/24 redirected"},
	{WGQUICK LAN "route 10.6.0.0/16 wg6 ; ", "0.0.0.0/0 tunnel, 10.1.0.0/24 redirected"},
	/* which rules count */
	{"from 10.6.0.0/16 ; rule pref 5 from 10.6.0.0/16 table 7 ; route 10.6.0.0/16 wg6 table 7 ; ",
	 "10.6.0.0/16 tunnel"},
	{"from 10.6.0.0/16 ; rule pref 5 from 10.7.0.0/16 table 7 ; route 10.6.0.0/16 wg6 table 7 ; ", ""},
	{"from 10.6.0.0/16 ; rule pref 5 from 10.6.1.0/24 table 7 ; route 10.6.0.0/16 wg6 table 7 ; ", ""},
	{"from 10.6.1.0/24 ; from 10.6.2.0/24 ; rule pref 5 from "
	 "10.6.0.0/16 table 7 ; route 10.6.0.0/16 wg6 table 7 ; ",
	 "10.6.0.0/16 tunnel"},
	{"from 10.6.1.0/24 ; from 10.7.0.0/24 ; rule pref 5 from "
	 "10.6.0.0/16 table 7 ; route 10.6.0.0/16 wg6 table 7 ; ",
	 ""},
	{"rule pref 5 iif wg6 table 7 ; route 10.6.0.0/16 wg6 table 7 ; ", "10.6.0.0/16 tunnel"},
	{"rule pref 5 iif ens3 table 7 ; route 10.6.0.0/16 wg6 table 7 ; ", ""},
	{"rule pref 5 not iif ens3 table 7 ; route 10.6.0.0/16 wg6 table 7 ; ", "10.6.0.0/16 tunnel"},
	/* return traffic is looked up by other rules: the recipe's second table, with only its default route */
	{"rule pref 5 not iif wg6 table 7 ; route 10.6.0.0/16 wg6 table 7 ; ", "10.6.0.0/16 tunnel"},
	{"rule pref 5 iif wg6 prohibit ; rule pref 9 table 254 ; route 10.6.0.0/16 wg6 ; ", "10.6.0.0/16 tunnel"},
	{"from 10.6.0.0/16 ; rule pref 0 table 255 ; rule pref 5 from 10.6.0.0/16 table 7 ; rule pref 9 table 254 ; "
	 "route 0.0.0.0/0 lan table 7 ; route 10.6.0.0/16 wg6 ; route 10.6.0.1/32 local ; " LAN,
	 "10.6.0.0/16 tunnel, 10.6.0.1/32 local"},
	{"rule pref 5 oif wg6 table 7 ; route 10.6.0.0/16 wg6 table 7 ; ", ""},
	{"rule pref 5 mark 9 table 7 ; route 10.6.0.0/16 wg6 table 7 ; ", ""},
	{"rule pref 5 other table 7 ; route 10.6.0.0/16 wg6 table 7 ; ", ""},
	{"rule pref 5 nop ; rule pref 6 table 7 ; route 10.6.0.0/16 wg6 table 7 ; ", "10.6.0.0/16 tunnel"},
	{"rule pref 5 to 10.6.0.0/16 table 7 ; route 10.0.0.0/8 wg6 table 7 ; ", "10.6.0.0/16 tunnel"},
	{"rule pref 5 not to 10.6.0.0/16 table 7 ; route 10.0.0.0/8 wg6 table 7 ; ",
	 "10.0.0.0/8 tunnel, 10.6.0.0/16 redirected"},
	{"rule pref 5 to 10.9.0.0/16 prohibit ; rule pref 9 table 254 ; route 10.9.1.0/24 wg6 ; ", ""},
	{"rule pref 5 prohibit ; rule pref 9 table 254 ; route 10.9.1.0/24 wg6 ; ", ""},
	{"rule pref 5 goto 9 ; rule pref 7 table 7 ; rule pref 9 table 254 ; "
	 "route 10.6.0.0/16 wg6 ; route 10.6.1.0/24 lan table 7 ; ",
	 "10.6.0.0/16 tunnel"},
	{"rule 6 pref 5 table 7 ; rule pref 9 table 254 ; route 10.6.0.0/16 wg6 table 7 ; ", ""},
	{"vrf 10 ; rule pref 5 l3mdev ; route 10.6.0.0/16 wg6 table 10 ; route 10.6.0.1/32 local table 10 ; ",
	 "10.6.0.0/16 tunnel, 10.6.0.1/32 local"},
	{"rule pref 5 l3mdev ; route 10.6.0.0/16 wg6 table 10 ; ", ""},
	{"vrf 10 ; rule pref 5 iif red table 7 ; route 10.6.0.0/16 wg6 table 7 ; ", "10.6.0.0/16 tunnel"},
	/* the administrator's list */
	{"admin 10.5.0.0/16 ; route 10.0.0.0/8 wg6 ; ", "10.0.0.0/8 tunnel, 10.5.0.0/16 tunnel+1"},
	{"admin 10.1.0.0/16 ; route 10.0.0.0/8 wg6 ; " LAN,
	 "10.0.0.0/8 tunnel, 10.1.0.0/16 tunnel+1, 10.1.0.0/24 bypass+2"},
	{"admin 10.1.0.0/24 ; route 10.0.0.0/8 wg6 ; " LAN, "10.0.0.0/8 tunnel, 10.1.0.0/24 bypass+1"},
	{"admin 10.1.0.3/32 ; route 10.0.0.0/8 wg6 ; " LAN,
	 "10.0.0.0/8 tunnel, 10.1.0.0/24 redirected, 10.1.0.3/32 bypass+1"},
	{"admin 10.0.0.0/7 ; route 10.0.0.0/8 wg6 ; " LAN "route 10.6.0.1/32 local ; ",
	 "10.0.0.0/7 bypass+1, 10.0.0.0/8 tunnel+2, 10.1.0.0/24 bypass+2, 10.6.0.1/32 local+2"},
	{"admin 10.0.0.0/8 ; route 10.0.0.0/8 wg6 ; " LAN, "10.0.0.0/8 tunnel+1, 10.1.0.0/24 bypass+2"},
	{"admin 192.168.0.0/16 ; route 10.6.0.0/16 wg6 ; ", "10.6.0.0/16 tunnel, 192.168.0.0/16 bypass+1"},
};

static void the_list_follows_the_kernels_longest_match(void **unused)
{
	(void)unused;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct host host;
		char list[2000];

		read_host(&host, rows[i].host);
		assert_int_equal(bypass_fill(&host.fib, &host.state), 0);
		write_list(&host.state, list, sizeof(list));
		if (strcmp(list, rows[i].list) != 0)
			fail_msg("with '%s'\nis        %s\nshould be %s", rows[i].host, list, rows[i].list);
		state_free(&host.state);
	}
}

static void rules_that_cannot_be_evaluated_are_named(void **unused)
{
	static const struct {
		const char *host;
		uint32_t priority; /* 0: all packets can */
	} named[] = {
		{"", 0},
		{"rule pref 5 other table 7 ; ", 5},
		{"rule pref 5 other nop ; ", 0},
		{"rule pref 5 other iif ens3 table 7 ; ", 0},
		{"rule pref 5 to 10.6.0.0/16 goto 9 ; ", 5},
		{"from 10.6.0.0/16 ; rule pref 4 from 10.0.0.0/8 table 7 ; rule pref 5 from 10.6.1.0/24 table 7 ; ", 5},
		{"from 0.0.0.0/0 ; rule pref 5 from 10.6.1.0/24 table 7 ; ", 5},
		{WGQUICK, 0},
	};

	(void)unused;
	for (size_t i = 0; i < ARRAY_SIZE(named); i++) {
		const struct rule *rule;
		struct host host;
		size_t next = 0;

		read_host(&host, named[i].host);
		rule = bypass_unclear_rule(&host.fib, &host.state, &next);
		assert_int_equal(rule ? rule->priority : 0, named[i].priority);
		if (rule)
			assert_null(bypass_unclear_rule(&host.fib, &host.state, &next));
		state_free(&host.state);
	}
}

/* --- random hosts --- */

static uint32_t seed = 1;

static uint32_t below(uint32_t n)
{
	seed = seed * 1664525 + 1013904223;
	return (seed >> 8) % n;
}

/* In 64 addresses around 10.0.0.0, so that prefixes are nested. */
static struct prefix random_prefix(void)
{
	unsigned int len = !below(8) ? 0 : 24 + below(9);
	struct ip ip = {AF_INET, {10, 0, 0, (uint8_t)below(64)}};

	return (struct prefix){ip_mask(ip, len), len};
}

static void draw_host(struct host *host)
{
	static const uint8_t types[] = {RTN_UNICAST, RTN_UNICAST, RTN_UNICAST, RTN_LOCAL, RTN_THROW, RTN_BROADCAST};

	memset(host, 0, sizeof(*host));
	host->fib = (struct fib){.rules = host->rules, .routes = host->routes, .iif = "wg6"};
	host->fib.rule_count = 1 + below(4);
	for (size_t i = 0; i < host->fib.rule_count; i++) {
		struct rule *rule = &host->rules[i];

		*rule = (struct rule){.priority = i, .action = FR_ACT_TO_TBL, .table = 1 + below(3), .suppress = -1};
		rule->from.ip.family = rule->to.ip.family = AF_INET;
		if (!below(4))
			rule->to = random_prefix();
		rule->invert = rule->to.len && !below(2);
		if (!below(4))
			rule->suppress = 22 + below(8);
	}
	host->fib.route_count = below(24);
	for (size_t i = 0; i < host->fib.route_count; i++) {
		struct route *route = &host->routes[i];

		*route = (struct route){.to = random_prefix(), .table = 1 + below(3), .metric = below(3)};
		route->type = types[below(sizeof(types))];
		route->through = route->type == RTN_UNICAST && below(2);
	}
}

/* Evaluates rule after rule, and route after route. */
static enum wgvia_verdict ask(const struct host *host, const struct ip *ip)
{
	for (size_t i = 0; i < host->fib.rule_count; i++) {
		const struct rule *rule = &host->rules[i];
		const struct route *best = NULL;

		if (rule->to.len && prefix_contains(&rule->to, ip) == rule->invert)
			continue;
		for (size_t j = 0; j < host->fib.route_count; j++) {
			const struct route *route = &host->routes[j];

			if (route->table == rule->table && prefix_contains(&route->to, ip) &&
			    (!best || route->to.len > best->to.len ||
			     (route->to.len == best->to.len && route->metric < best->metric)))
				best = route;
		}
		if (!best || best->type == RTN_THROW || (int)best->to.len <= rule->suppress)
			continue;
		return best->type != RTN_UNICAST ? WGVIA_LOCAL : best->through ? WGVIA_TUNNEL : WGVIA_REDIRECTED;
	}
	return WGVIA_REDIRECTED;
}

static void the_list_says_what_rules_and_routes_say_of_each_address(void **unused)
{
	size_t counts[WGVIA_VERDICT_COUNT] = {};

	(void)unused;
	for (int round = 0; round < 5000; round++) {
		struct host host;

		draw_host(&host);
		assert_int_equal(bypass_fill(&host.fib, &host.state), 0);
		for (int last = 0; last < 80; last++) {
			struct ip ip = {AF_INET, {10, 0, 0, (uint8_t)last}};
			const struct bypass_entry *entry = state_match_bypass(&host.state, &ip);
			enum wgvia_verdict is = entry ? entry->value.verdict : WGVIA_REDIRECTED;
			enum wgvia_verdict should = ask(&host, &ip);

			if (is != should)
				fail_msg("round %d: 10.0.0.%d is %s, not %s", round, last, verdict_words[is],
					 verdict_words[should]);
			counts[is]++;
		}
		state_free(&host.state);
	}
	assert_true(counts[WGVIA_LOCAL] > 1000 && counts[WGVIA_TUNNEL] > 1000 && counts[WGVIA_REDIRECTED] > 1000);
}

static void a_route_touches_a_range_that_it_covers_or_is_in(void **unused)
{
	static const struct {
		const char *route;
		bool touches;
	} routes[] = {{"10.1.0.0/24", true},	{"10.0.0.0/8", true},	 {"8.0.0.0/5", true},
		      {"0.0.0.0/0", true},	{"9.0.0.0/8", false},	 {"11.0.0.0/8", false},
		      {"10.255.255.255", true}, {"172.16.0.0/12", true}, {"172.16.0.0/16", true},
		      {"172.17.0.0/16", false}, {"2001:db8::/64", false}};
	struct prefixes ranges = {};
	struct host host;

	(void)unused;
	read_host(&host,
		  "route 10.0.0.0/8 wg6 ; route 10.1.0.0/24 lan ; route 10.1.0.7/32 wg6 ; route 172.16.0.0/16 wg6 ; ");
	assert_int_equal(bypass_fill(&host.fib, &host.state), 0);
	assert_int_equal(bypass_tunnel_ranges(&host.state, &ranges), 0);
	assert_int_equal(ranges.count, 2);
	for (size_t i = 0; i < ARRAY_SIZE(routes); i++) {
		struct prefix route = prefix_from(routes[i].route);

		if (prefixes_overlap(&ranges, &route) != routes[i].touches)
			fail_msg("%s", routes[i].route);
	}
	free(ranges.all);
	state_free(&host.state);
}

static void what_is_in_the_tunnel_and_in_no_prefix_is_found(void **unused)
{
	static const struct {
		const char *host, *range;
		bool covered;
	} cases[] = {
		{"", "10.6.0.0/16", false},
		{"from 10.6.0.0/16 ; ", "10.6.0.0/16", true},
		{"from 0.0.0.0/0 ; ", "10.6.0.0/16", true},
		{"from 10.6.0.0/16 ; ", "10.6.1.0/24", true},
		{"from 10.6.0.0/16 ; ", "10.0.0.0/8", false},
		{"from 10.6.0.0/16 ; from 10.7.0.0/16 ; ", "10.6.0.0/15", true},
		{"from 10.6.0.0/17 ; from 10.6.128.0/18 ; from 10.6.192.0/18 ; ", "10.6.0.0/16", true},
		{"from 10.6.0.0/17 ; from 10.6.128.0/18 ; from 10.6.192.0/19 ; ", "10.6.0.0/16", false},
		{"from 10.6.0.1/32 ; ", "10.6.0.0/31", false},
		{"from ::/1 ; from 8000::/1 ; ", "::/0", true},
		{"from 2001:db8::/128 ; ", "2001:db8::1/128", false},
		/* a LAN inside */
		{"from 10.0.0.0/16 ; route 10.0.0.0/15 wg6 ; route 10.1.0.0/16 lan ; ", "10.0.0.0/15", true},
		{"from 10.0.0.0/16 ; route 10.0.0.0/15 wg6 ; route 10.1.0.0/16 lan ; route 10.1.0.7/32 wg6 ; ",
		 "10.1.0.7/32", false},
	};

	(void)unused;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct prefix range = prefix_from(cases[i].range);
		struct host host;

		read_host(&host, cases[i].host);
		assert_int_equal(bypass_fill(&host.fib, &host.state), 0);
		if (bypass_is_covered(&host.state, &range) != cases[i].covered)
			fail_msg("with '%s' %s", cases[i].host, cases[i].range);
		state_free(&host.state);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_list_follows_the_kernels_longest_match),
		cmocka_unit_test(rules_that_cannot_be_evaluated_are_named),
		cmocka_unit_test(a_route_touches_a_range_that_it_covers_or_is_in),
		cmocka_unit_test(what_is_in_the_tunnel_and_in_no_prefix_is_found),
		cmocka_unit_test(the_list_says_what_rules_and_routes_say_of_each_address),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
