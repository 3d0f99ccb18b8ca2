// SPDX-License-Identifier: GPL-2.0-only
/*
 * When a kept decision is used: an entry that is changed in a way that is not counted shows whether the packet path
 * has asked the map again.
 */
#include <arpa/inet.h>
#include <linux/pkt_cls.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <cmocka.h>

#include "index/index_lines.h"
#include "packets.h"
#include "programs.h"

static struct programs programs;

static const struct family {
	int number;
	uint32_t key;
	const char *prefix, *client, *service;
} families[] = {
	{AF_INET, CHANGES_IPV4, "8.0.16.0/24", "8.0.16.10", "203.0.113.2"},
	{AF_INET6, CHANGES_IPV6, "2001:db8:86dd:4000::/64", "2001:db8:86dd:4000::10", "2001:db8:ff::9"},
};

static void set_prefix(const struct family *family)
{
	struct wgvia_gateway gateway = {.ifindex = devices[DEVICE_LAN].ifindex, .family = family->number};

	packets_address(family->number == AF_INET ? "192.0.2.1" : "2001:db8:2::1", gateway.addr, NULL);
	programs_set_prefix(&programs, family->prefix, &gateway);
}

static bool is_redirected(const struct family *family)
{
	struct packet_spec spec = {
		.family = family->number == AF_INET ? 4 : 6, .source = family->client, .destination = family->service};
	struct run run = {.ifindex = devices[DEVICE_TUNNEL].ifindex};
	struct frame frame;

	packets_build(&spec, devices[DEVICE_TUNNEL].mac, &frame);
	assert_int_equal(programs_run(&programs, WGVIA_OUT, &frame, &run), 0);
	return run.action == TC_ACT_REDIRECT;
}

static void count_a_change(uint32_t key)
{
	int map = bpf_map__fd(programs.skel->maps.changes);
	uint64_t count;

	assert_int_equal(bpf_map_lookup_elem(map, &key, &count), 0);
	count++;
	assert_int_equal(bpf_map_update_elem(map, &key, &count, BPF_ANY), 0);
}

static void it_lasts_until_a_change_is_counted(void **unused)
{
	(void)unused;
	for (int i = 0; i < 2; i++) {
		programs_clear_maps(&programs);
		set_prefix(&families[i]);
		programs_keep_decisions(&programs, true);
		assert_true(is_redirected(&families[i]));
		programs_set_bypass(&programs, families[i].service, WGVIA_BYPASS);
		assert_true(is_redirected(&families[i]));
		count_a_change(families[!i].key);
		assert_true(is_redirected(&families[i]));
		count_a_change(families[i].key);
		assert_false(is_redirected(&families[i]));
		programs_keep_decisions(&programs, true);
		assert_false(is_redirected(&families[i]));
		programs_clear_maps(&programs);
		set_prefix(&families[i]);
		assert_false(is_redirected(&families[i]));
		programs_keep_decisions(&programs, false);
		assert_true(is_redirected(&families[i]));
	}
}

/* Whether a decision that is made right after a change was counted is kept. */
static bool is_kept_at_once(const struct family *family)
{
	set_prefix(family);
	count_a_change(family->key);
	assert_true(is_redirected(family));
	programs_clear_maps(&programs);
	return is_redirected(family);
}

/* A tick or two may pass between two calls, so it is tried several times. */
static void nothing_is_kept_until_a_count_has_settled(void **unused)
{
	(void)unused;
	for (int i = 0; i < 2; i++) {
		int tries = 0;

		programs_clear_maps(&programs);
		programs_keep_decisions(&programs, true);
		while (is_kept_at_once(&families[i]))
			assert_in_range(++tries, 0, 50);
		programs_keep_decisions(&programs, false);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(it_lasts_until_a_change_is_counted),
		cmocka_unit_test(nothing_is_kept_until_a_count_has_settled),
	};

	programs_need_root();
	programs_stay_on_a_cpu();
	programs_namespace();
	programs_load(&programs, &(struct programs_options){});
	return cmocka_run_group_tests_name("kept decisions", tests, NULL, NULL);
}
