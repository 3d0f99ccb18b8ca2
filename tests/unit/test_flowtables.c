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
static struct gateway_entry gateways[] = {{{{.family = AF_INET, .addr = {10, 6}}, 16}, {.ifindex = 2}},
					  {{{.family = AF_INET, .addr = {10, 8}}, 16}, {.ifindex = 3}}};
static uint32_t devices[] = {2, 3};
static const struct plan plan = {.netdevs = &netdevs,
				 .state = {.tunnel_ifindex = 1, .gateways = gateways, .gateway_count = 2},
				 .devices = devices,
				 .device_count = 2};
static const struct routes routes = {};

/* Two flowtables, of which the first is relevant, a chain and its only rule: `match`, then the flow. */
#define NFT                                                                                                            \
	"{\"nftables\": [{\"flowtable\": {\"family\": \"inet\", \"name\": \"f\", \"table\": \"t\"%s}},"                \
	"{\"flowtable\": {\"family\": \"ip\", \"name\": \"f\", \"table\": \"t\", \"dev\": \"lo\"}},"                   \
	"{\"chain\": {\"family\": \"inet\", \"table\": \"t\", \"name\": \"c\", \"hook\": \"%s\"}},"                    \
	"{\"rule\": {\"family\": \"inet\", \"table\": \"t\", \"chain\": \"c\", \"expr\": [%s"                          \
	"{\"flow\": {\"op\": \"add\", \"flowtable\": \"@f\"}}]}}]}"
#define IIFNAME(name)                                                                                                  \
	"{\"match\": {\"op\": \"==\", \"left\": {\"meta\": {\"key\": \"iifname\"}}, \"right\": \"" name "\"}},"

/* What the finding says to add; "" without a finding. */
static void missing_of(const char *dev, const char *hook, const char *match, char missing[FINDING_REMEDY])
{
	struct examined examined = {};
	cleanup(ruleset_free) struct ruleset ruleset = {};
	cleanup(traffic_free) struct traffic traffic = {};
	char text[2048];
	struct json_object *json;

	snprintf(text, sizeof(text), NFT, dev, hook, match);
	json = json_tokener_parse(text);
	assert_non_null(json);
	assert_int_equal(traffic_init(&traffic, &plan, &routes), 0);
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
		missing_of(rows[i].dev, rows[i].hook, rows[i].match, missing);
		if (strcmp(missing, expected) != 0)
			fail_msg("row %zu: '%s'", i, missing);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(a_flowtable_lacks_the_tunnel_or_a_gateways_device)};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
