// SPDX-License-Identifier: GPL-2.0-only
/*
 * Any text as the output of nft or iptables-save. The first byte selects which.
 */
#include <json-c/json.h>
#include <linux/rtnetlink.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "base/util.h"
#include "check/ruleset_fate.h"

/* A tunnel, a gateway's device, and one prefix: for rules to refer to. */
static struct netdev all[] = {{.ifindex = 1, .name = "wg0"}, {.ifindex = 2, .name = "ens3"}};
static struct netdevs netdevs = {all, ARRAY_SIZE(all)};
static struct gateway_entry gateway = {{{.family = AF_INET, .addr = {10, 6}}, 16}, {.ifindex = 2}, 0};
static struct route lan = {.to = {{.family = AF_INET, .addr = {192, 0, 2}}, 24},
			   .table = RT_TABLE_MAIN,
			   .type = RTN_UNICAST,
			   .ifindex = 2};
static uint32_t device = 2;
static const struct plan plan = {.netdevs = &netdevs,
				 .state = {.tunnel_ifindex = 1, .gateways = &gateway, .gateway_count = 1},
				 .devices = &device,
				 .device_count = 1};
static const struct routes routes = {.all = &lan, .count = 1};
static struct traffic traffic;

static void check_jumps(const struct ruleset *ruleset)
{
	for (size_t i = 0; i < ruleset->jump_count; i++)
		if (ruleset->jumps[i].from >= ruleset->chain_count || ruleset->jumps[i].to >= ruleset->chain_count)
			abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	cleanup(ruleset_free) struct ruleset ruleset = {};
	struct fate fate;
	char *text;
	FILE *save;

	if (size < 2)
		return 0;
	if (!traffic.plan && traffic_init(&traffic, &plan, &routes))
		abort();
	text = strndup((const char *)data + 1, size - 1);
	if (data[0] == '{') {
		struct json_object *json = json_tokener_parse(text);

		ruleset_add_nft(&ruleset, &traffic, json);
		json_object_put(json);
	} else {
		const struct iptables iptables = {data[0] == '6' ? "ip6" : "ip", "iptables", false};

		save = fmemopen(text, strlen(text) + 1, "r");
		ruleset_add_iptables(&ruleset, &traffic, &iptables, save);
		fclose(save);
	}
	free(text);
	check_jumps(&ruleset);
	ruleset_follow_jumps(&ruleset);
	ruleset_fate(&ruleset, HOOK_FORWARD, AF_INET, &fate);
	ruleset_fate(&ruleset, HOOK_FORWARD, AF_INET6, &fate);
	return 0;
}
