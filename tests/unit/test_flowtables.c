// SPDX-License-Identifier: GPL-2.0-only
/*
 * Which flowtables `check` reports, from what nft prints about them. tests/vm/flowtable.bats has real ones.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <json-c/json.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

#include "base/util.h"
#include "check/flowtables.h"

/* A tunnel, two gateways' devices, two prefixes. */
static struct netdev all[] = {
	{.ifindex = 1, .name = "wg0"}, {.ifindex = 2, .name = "ens3"}, {.ifindex = 3, .name = "ens4"}};
static struct netdevs netdevs = {all, ARRAY_SIZE(all)};
static struct gateway_entry gateways[] = {{{{.family = AF_INET, .addr = {10, 6}}, 16}, {.ifindex = 2}, 0},
					  {{{.family = AF_INET, .addr = {10, 8}}, 16}, {.ifindex = 3}, 0}};
static uint32_t devices[] = {2, 3};
static const struct plan plan = {.netdevs = &netdevs,
				 .state = {.tunnel_ifindex = 1, .gateways = gateways, .gateway_count = 2},
				 .devices = devices,
				 .device_count = 2};
static const struct routes routes = {};

/* Two flowtables, of which the first is relevant, a chain and its only rule: `match`, then the flow. */
#define NFT                                                                                                            \
	"{\"nftables\": [{\"flowtable\": {\"family\": \"%s\", \"name\": \"f\", \"table\": \"t\"%s}},"                  \
	"{\"flowtable\": {\"family\": \"netdev\", \"name\": \"f\", \"table\": \"t\", \"dev\": \"lo\"}},"               \
	"{\"chain\": {\"family\": \"%s\", \"table\": \"t\", \"name\": \"c\", \"hook\": \"%s\"}},"                      \
	"{\"rule\": {\"family\": \"%s\", \"table\": \"t\", \"chain\": \"c\", \"expr\": [%s"                            \
	"{\"flow\": {\"op\": \"add\", \"flowtable\": \"@f\"}}]}}]}"
#define IIFNAME(name)                                                                                                  \
	"{\"match\": {\"op\": \"==\", \"left\": {\"meta\": {\"key\": \"iifname\"}}, \"right\": \"" name "\"}},"

/* What the finding says to add; "" where there is none. */
static void missing_of(const struct plan *of, const char *family, const char *dev, const char *hook, const char *match,
		       char missing[FINDING_REMEDY])
{
	struct examined examined = {};
	cleanup(ruleset_free) struct ruleset ruleset = {};
	cleanup(traffic_free) struct traffic traffic = {};
	char text[2048];
	struct json_object *json;

	snprintf(text, sizeof(text), NFT, family, dev, family, hook, family, match);
	json = json_tokener_parse(text);
	assert_non_null(json);
	assert_int_equal(traffic_init(&traffic, of, &routes), 0);
	assert_true(ruleset_add_nft(&ruleset, &traffic, json));
	json_object_put(json);
	assert_int_equal(ruleset_follow_jumps(&ruleset), 0);
	check_flowtables(&examined, &ruleset, &traffic);
	assert_in_range(examined.count, 0, 1);
	*missing = '\0';
	if (examined.count)
		snprintf(missing, FINDING_REMEDY, "%s", examined.findings[0].remedy);
	free(examined.findings);
}

static void a_flowtable_lacks_the_tunnel_or_a_gateways_device(void **state)
{
	static const struct {
		const char *dev, *hook, *match, *missing;
	} rows[] = {
		{", \"dev\": [\"wg0\", \"ens3\", \"ens4\"]", "forward", "", ""},
		{", \"dev\": [\"lo\", \"wg*\", \"ens*\"]", "forward", "", ""},
		{", \"dev\": [\"wg0\", \"ens3\"]", "forward", "", "ens4"},
		{", \"dev\": [\"ens3\", \"ens4\"]", "forward", "", "wg0"},
		{", \"dev\": \"wg0\"", "forward", "", "ens3, ens4"},
		{", \"dev\": [\"wg01\", \"wg\", \"ens3\", \"ens4\"]", "forward", "", "wg0"},
		{"", "forward", "", "wg0, ens3, ens4"},
		{", \"dev\": [null, 3]", "forward", "", "wg0, ens3, ens4"},
		{"", "forward", IIFNAME("wg0"), "wg0, ens3, ens4"},
		{"", "forward", IIFNAME("docker0"), ""}, /* no connection of a prefix gets into it */
		{"", "input", "", ""},
	};
	char missing[FINDING_REMEDY], expected[FINDING_REMEDY];

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		*expected = '\0';
		if (*rows[i].missing)
			snprintf(expected, sizeof(expected), "nft 'add flowtable inet t f { devices = { %s }; }'",
				 rows[i].missing);
		missing_of(&plan, "inet", rows[i].dev, rows[i].hook, rows[i].match, missing);
		if (strcmp(missing, expected) != 0)
			fail_msg("row %zu: '%s'", i, missing);
	}
}

/* An IPv4 prefix via ens3, an IPv6 prefix via ens4, and one by a list of ens4 and ens5. */
static void only_gateways_of_the_tables_family_are_missed(void **state)
{
	static struct netdev of_families[] = {{.ifindex = 1, .name = "wg0"},
					      {.ifindex = 2, .name = "ens3"},
					      {.ifindex = 3, .name = "ens4"},
					      {.ifindex = 4, .name = "ens5"}};
	static struct netdevs known = {of_families, ARRAY_SIZE(of_families)};
	static struct gateway_entry entries[] = {
		{{{.family = AF_INET, .addr = {10, 6}}, 16}, {.ifindex = 2}, 0},
		{{{.family = AF_INET6, .addr = {0x20, 1}}, 32}, {.ifindex = 3}, 0},
		{{{.family = AF_INET6, .addr = {0x20, 2}}, 32},
		 {.ifindex = 3, .flags = 1 << WGVIA_GATEWAY_LIST_SHIFT},
		 0},
	};
	static struct gateway_list list = {1, {.count = 2, .hops = {{.ifindex = 3}, {.ifindex = 4}}}};
	static uint32_t used[] = {2, 3, 4};
	const struct plan both = {.netdevs = &known,
				  .state = {.tunnel_ifindex = 1,
					    .gateways = entries,
					    .gateway_count = 3,
					    .lists = &list,
					    .list_count = 1},
				  .devices = used,
				  .device_count = 3};
	char missing[FINDING_REMEDY];

	(void)state;
	missing_of(&both, "ip", ", \"dev\": [\"wg0\", \"ens3\"]", "forward", "", missing);
	assert_string_equal(missing, "");
	missing_of(&both, "ip", ", \"dev\": [\"wg0\", \"ens4\", \"ens5\"]", "forward", "", missing);
	assert_string_equal(missing, "nft 'add flowtable ip t f { devices = { ens3 }; }'");
	missing_of(&both, "ip6", ", \"dev\": [\"wg0\", \"ens4\"]", "forward", "", missing);
	assert_string_equal(missing, "nft 'add flowtable ip6 t f { devices = { ens5 }; }'");
	missing_of(&both, "inet", ", \"dev\": [\"wg0\", \"ens4\", \"ens5\"]", "forward", "", missing);
	assert_string_equal(missing, "nft 'add flowtable inet t f { devices = { ens3 }; }'");
	/* without a prefix of the family no connection gets into the flowtable */
	missing_of(&plan, "ip6", "", "forward", "", missing);
	assert_string_equal(missing, "");
}

/* The gateway is on a VLAN on a bond, on a bridge, or behind a PPPoE device; the devices below are listed, or not. */
static void a_device_is_served_by_the_one_that_it_is_on(void **state)
{
	static struct netdev stack[] = {
		{.ifindex = 1, .name = "wg0"},
		{.ifindex = 2, .name = "ens3", .master = 3},
		{.ifindex = 3, .name = "bond0", .kind = "bond"},
		{.ifindex = 4, .name = "bond0.5", .kind = "vlan", .lower = 3},
		{.ifindex = 5, .name = "br0", .kind = "bridge"},
		{.ifindex = 6, .name = "ens4.7", .kind = "vlan", .lower = 7, .master = 5},
		{.ifindex = 7, .name = "ens4", .master = 8},
		{.ifindex = 8, .name = "red", .kind = "vrf", .table = 100},
		{.ifindex = 9, .name = "ppp0", .kind = "ppp"},
		{.ifindex = 10, .name = "mac0", .kind = "macvlan", .lower = 2},
	};
	static struct netdevs known = {stack, ARRAY_SIZE(stack)};
	static const struct {
		uint32_t gateway;
		const char *dev, *missing;
	} rows[] = {
		{4, "bond0.5", ""},	 {4, "bond0", ""},     {4, "ens3", "bond0.5"}, {4, "ens4", "bond0.5"},
		{3, "bond0", ""},	 {3, "ens3", "bond0"}, {10, "mac0", ""},       {10, "ens3", "mac0"},
		{3, "bond0.5", "bond0"}, /* what comes without a tag does not come by it */
		{5, "br0", ""},		 {5, "ens4.7", ""},    {5, "ens4", ""},	       {5, "ens3", "br0"},
		{7, "ens4", ""},	 {7, "red", "ens4"},   {9, "ens3", ""},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct gateway_entry entry = {.from = {{.family = AF_INET, .addr = {10, 6}}, 16},
					      .value = {.ifindex = rows[i].gateway}};
		uint32_t used[] = {rows[i].gateway};
		const struct plan one = {.netdevs = &known,
					 .state = {.tunnel_ifindex = 1, .gateways = &entry, .gateway_count = 1},
					 .devices = used,
					 .device_count = 1};
		char dev[64], missing[FINDING_REMEDY], expected[FINDING_REMEDY] = "";

		snprintf(dev, sizeof(dev), ", \"dev\": [\"wg0\", \"%s\"]", rows[i].dev);
		if (*rows[i].missing)
			snprintf(expected, sizeof(expected), "nft 'add flowtable inet t f { devices = { %s }; }'",
				 rows[i].missing);
		missing_of(&one, "inet", dev, "forward", "", missing);
		if (strcmp(missing, expected) != 0)
			fail_msg("row %zu: '%s'", i, missing);
	}
}

static void a_tunnel_that_does_not_exist_is_not_missed(void **state)
{
	static struct netdev others[] = {{.ifindex = 2, .name = "ens3"}, {.ifindex = 3, .name = "ens4"}};
	static struct netdevs known = {others, ARRAY_SIZE(others)};
	struct plan absent = plan;
	char missing[FINDING_REMEDY];

	(void)state;
	absent.netdevs = &known;
	absent.state.tunnel_ifindex = 0;
	absent.absent = (struct netdev){.name = "wg0"};
	missing_of(&absent, "inet", ", \"dev\": [\"ens3\", \"ens4\"]", "forward", "", missing);
	assert_string_equal(missing, "");
	missing_of(&absent, "inet", ", \"dev\": \"ens3\"", "forward", "", missing);
	assert_string_equal(missing, "nft 'add flowtable inet t f { devices = { ens4 }; }'");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_flowtable_lacks_the_tunnel_or_a_gateways_device),
		cmocka_unit_test(only_gateways_of_the_tables_family_are_missed),
		cmocka_unit_test(a_device_is_served_by_the_one_that_it_is_on),
		cmocka_unit_test(a_tunnel_that_does_not_exist_is_not_missed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
