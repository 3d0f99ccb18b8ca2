// SPDX-License-Identifier: GPL-2.0-only
/*
 * The fate of a new TCP connection from a prefix in rule sets that a kernel processes fast, and in some that no kernel
 * accepts.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

#include "base/util.h"
#include "check/ruleset_fate.h"

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

static enum fate_kind fate_of(char *save, size_t len)
{
	static const struct iptables iptables = {"ip", "iptables-legacy", false};
	cleanup(ruleset_free) struct ruleset ruleset = {};
	cleanup(traffic_free) struct traffic traffic = {};
	struct fate fate;
	FILE *file = fmemopen(save, len, "r");

	assert_non_null(file);
	assert_int_equal(traffic_init(&traffic, &plan, &routes), 0);
	assert_true(ruleset_add_iptables(&ruleset, &traffic, &iptables, file));
	fclose(file);
	assert_int_equal(ruleset_fate(&ruleset, HOOK_FORWARD, AF_INET, &fate), 0);
	return fate.what;
}

static void a_rule_accepts_all_devices_and_prefixes_or_some(void **state)
{
	static const struct {
		const char *rules;
		enum fate_kind what;
	} rows[] = {
		{"-A FORWARD -s 10.0.0.0/8 -j ACCEPT\n", FATE_ACCEPTED},
		{"-A FORWARD -s 10.6.0.0/16 -j ACCEPT\n", FATE_PARTLY},
		{"-A FORWARD -s 10.7.0.0/16 -j ACCEPT\n", FATE_DROPPED},
		{"-A FORWARD -o ens3 -j ACCEPT\n", FATE_PARTLY},
		{"-A FORWARD -o ens+ -j ACCEPT\n", FATE_ACCEPTED},
		{"-A FORWARD ! -o ens5 -j ACCEPT\n", FATE_ACCEPTED},
		{"-A FORWARD ! -o ens4 -j ACCEPT\n", FATE_ACCEPTED}, /* the named one is not the usual one */
		{"-A FORWARD -m mark --mark 0x1 -j ACCEPT\n", FATE_UNKNOWN},
		{"-A FORWARD -j SOMETHING\n", FATE_UNKNOWN},
		{"-A FORWARD -p tcp -m mark --mark 0x1 -j LOG\n", FATE_DROPPED},
		{"-A FORWARD -p udp -m mark --mark 0x1 -j ACCEPT\n", FATE_DROPPED},
		{"-A FORWARD -m mark --mark 0x1 -j DROP\n-A FORWARD -j DROP\n", FATE_DROPPED},
		{"", FATE_DROPPED},
	};
	char text[512];

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		int len = snprintf(text, sizeof(text), "*filter\n:FORWARD DROP [0:0]\n%s%s",
				   *rows[i].rules ? "-A FORWARD -m conntrack --ctstate ESTABLISHED -j ACCEPT\n" : "",
				   rows[i].rules);

		if (fate_of(text, len) != rows[i].what)
			fail_msg("%s", rows[i].rules);
	}
}

/* 2 to the power of 100 paths through them. */
static void chains_that_are_jumped_to_often_are_walked_once(void **state)
{
	char text[16384];
	int len = snprintf(text, sizeof(text), "*filter\n:FORWARD DROP [0:0]\n");

	(void)state;
	for (int i = 0; i <= 100; i++)
		len += snprintf(text + len, sizeof(text) - len, ":c%d - [0:0]\n", i);
	len += snprintf(text + len, sizeof(text) - len, "-A FORWARD -j c0\n");
	for (int i = 0; i < 100; i++)
		len += snprintf(text + len, sizeof(text) - len, "-A c%d -j c%d\n-A c%d -j c%d\n", i, i + 1, i, i + 1);
	assert_int_equal(fate_of(text, len), FATE_DROPPED);
	len += snprintf(text + len, sizeof(text) - len, "-A c100 -j ACCEPT\n");
	assert_int_equal(fate_of(text, len), FATE_ACCEPTED);
}

static void chains_that_jump_in_a_circle_end(void **state)
{
	char text[] = "*filter\n:FORWARD DROP [0:0]\n:a - [0:0]\n:b - [0:0]\n-A FORWARD -j a\n-A a -j b\n-A b -g a\n";

	(void)state;
	assert_int_equal(fate_of(text, strlen(text)), FATE_UNKNOWN);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_rule_accepts_all_devices_and_prefixes_or_some),
		cmocka_unit_test(chains_that_are_jumped_to_often_are_walked_once),
		cmocka_unit_test(chains_that_jump_in_a_circle_end),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
