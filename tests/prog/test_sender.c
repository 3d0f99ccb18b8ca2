// SPDX-License-Identifier: GPL-2.0-only
/*
 * Which MAC address is the firewall's, over several packets: what the packet path learns from one and knows at the
 * next. test_decisions.c has the answers for single packets.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <bpf/bpf.h>
#include <cmocka.h>

#include "packets.h"
#include "programs.h"

#define AF_INET 2
#define AF_INET6 10
#define MARK_SHOW4 0x77677640
#define MARK_SHOW6 0x77677641

enum { GATEWAY = 1, STANDBY = 2, STRANGER = 7 }; /* last bytes of MAC addresses */

static struct programs programs;
static bool keep; /* decisions */

static struct wgvia_hop hop(const char *addr)
{
	struct wgvia_hop hop = {.ifindex = devices[DEVICE_LAN].ifindex};

	hop.family = packets_address(addr, hop.addr, NULL) == 4 ? AF_INET : AF_INET6;
	return hop;
}

static void set_prefix(const char *prefix, const char *next_hop, uint32_t list)
{
	struct wgvia_hop to = hop(next_hop);
	struct wgvia_gateway value = {
		.ifindex = to.ifindex, .family = to.family, .flags = list << WGVIA_GATEWAY_LIST_SHIFT};

	memcpy(value.addr, to.addr, sizeof(value.addr));
	programs_set_prefix(&programs, prefix, &value);
	programs_set_bypass(&programs, prefix, WGVIA_TUNNEL);
}

static void set_list(uint32_t number, const char *first, const char *second)
{
	struct wgvia_failover list = {.count = second ? 2 : 1, .hops = {hop(first)}};

	if (second)
		list.hops[1] = hop(second);
	assert_int_equal(bpf_map_update_elem(bpf_map__fd(programs.skel->maps.failover), &number, &list, BPF_ANY), 0);
}

static void set_sender(const char *next_hop, uint8_t mac, uint32_t source)
{
	struct wgvia_sender key = {.mac = {2, 0, 0, 0, 0xaa, mac}};

	if (next_hop)
		key.gateway = hop(next_hop);
	assert_int_equal(bpf_map_update_elem(bpf_map__fd(programs.skel->maps.senders), &key, &source, BPF_ANY), 0);
}

static int set_up(void **state)
{
	struct wgvia_sender key;
	uint32_t list;

	(void)state;
	programs_forget(&programs);
	programs_clear_maps(&programs);
	programs_set_meta(&programs, (struct wgvia_meta){});
	while (!bpf_map_get_next_key(bpf_map__fd(programs.skel->maps.senders), NULL, &key))
		bpf_map_delete_elem(bpf_map__fd(programs.skel->maps.senders), &key);
	while (!bpf_map_get_next_key(bpf_map__fd(programs.skel->maps.failover), NULL, &list))
		bpf_map_delete_elem(bpf_map__fd(programs.skel->maps.failover), &list);
	set_prefix("8.0.16.0/20", "192.0.2.1", 0);
	set_prefix("2001:db8:86dd:4000::/50", "2001:db8:2::1", 0);
	programs_keep_decisions(&programs, keep);
	return 0;
}

struct sent {
	uint8_t sender;
	int hop_limit;
	const char *to;
	int protocol, payload;
	uint8_t number; /* at byte 40 of the IPv4 packet's payload */
	uint32_t gso_size;
};

/* The verdict on a frame, WGVIA_VERDICT_COUNT for none. */
static int verdict_of(const struct sent *sent, struct run *run)
{
	static struct wgvia_counter before[WGVIA_COUNTERS], after[WGVIA_COUNTERS];
	bool v6 = sent->to && strchr(sent->to, ':');
	struct packet_spec spec = {.family = v6 ? 6 : 4,
				   .source = v6 ? "2001:db8:ffff::9" : "203.0.113.9",
				   .destination = sent->to ? sent->to : "8.0.16.10",
				   .hop_limit = sent->hop_limit ? SET(sent->hop_limit) : 0,
				   .protocol = sent->protocol ? SET(sent->protocol) : 0,
				   .payload = sent->payload ? SET(sent->payload) : 0,
				   .sender = sent->sender};
	static struct frame frame;
	static struct run own;
	int verdict = WGVIA_VERDICT_COUNT;

	if (!run)
		run = &own;
	memset(run, 0, sizeof(*run));
	run->ifindex = devices[DEVICE_LAN].ifindex;
	run->gso_size = sent->gso_size;
	packets_build(&spec, devices[DEVICE_LAN].mac, &frame);
	if (sent->number)
		frame.data[14 + 20 + 40] = sent->number;
	programs_counters(&programs, before);
	assert_int_equal(programs_run(&programs, WGVIA_BACK, &frame, run), 0);
	programs_counters(&programs, after);
	for (int i = 0; i < WGVIA_VERDICT_COUNT; i++)
		if (after[WGVIA_COUNTER(WGVIA_BACK, i)].packets != before[WGVIA_COUNTER(WGVIA_BACK, i)].packets)
			verdict = i;
	return verdict;
}

#define EXPECT(wanted, ...) assert_int_equal(verdict_of(&(struct sent){__VA_ARGS__}, NULL), WGVIA_##wanted)

static void what_comes_back_with_a_smaller_hop_limit_is_from_the_firewall(void **state)
{
	(void)state;
	EXPECT(BOUNCED, .sender = STRANGER, .hop_limit = 64);
	EXPECT(RETURNED, .sender = STRANGER, .hop_limit = 62);
	/* its MAC address is known from now on, also for other packets */
	EXPECT(RETURNED, .sender = STRANGER, .hop_limit = 64, .to = "8.0.17.1");
	EXPECT(BOUNCED, .sender = STRANGER + 1, .hop_limit = 62);
}

static void it_is_known_for_its_gateway_alone(void **state)
{
	(void)state;
	EXPECT(BOUNCED, .sender = STRANGER, .hop_limit = 64);
	EXPECT(RETURNED, .sender = STRANGER, .hop_limit = 62);
	EXPECT(BOUNCED, .sender = STRANGER, .to = "2001:db8:86dd:4000::10");
	EXPECT(BOUNCED, .sender = STRANGER, .hop_limit = 64, .to = "2001:db8:86dd:4000::11");
	EXPECT(RETURNED, .sender = STRANGER, .hop_limit = 61, .to = "2001:db8:86dd:4000::11");
}

static void another_packet_with_a_smaller_hop_limit_is_bounced(void **state)
{
	(void)state;
	EXPECT(BOUNCED, .sender = STRANGER, .hop_limit = 255, .protocol = 1, .payload = 64);
	EXPECT(BOUNCED, .sender = STRANGER, .hop_limit = 64, .protocol = 6);
	EXPECT(BOUNCED, .sender = STRANGER, .hop_limit = 62, .protocol = 17);
	EXPECT(BOUNCED, .sender = STRANGER, .hop_limit = 62, .to = "8.0.16.11");
}

static void what_GRO_has_merged_in_another_way_is_the_same_packet(void **state)
{
	(void)state;
	EXPECT(BOUNCED, .sender = STRANGER, .hop_limit = 64, .protocol = 6, .payload = 20 + 2000, .gso_size = 1000);
	EXPECT(RETURNED, .sender = STRANGER, .hop_limit = 62, .protocol = 6, .payload = 20 + 1000);
}

/* A firewall that sets hop limits: the packet circles only a few times. */
static void equal_packets_are_bounced_a_few_times_then_refused(void **state)
{
	int bounced = 0;

	(void)state;
	while (verdict_of(&(struct sent){.sender = STRANGER, .hop_limit = 64}, NULL) == WGVIA_BOUNCED)
		bounced++;
	assert_in_range(bounced, 2, 8);
	EXPECT(REFUSED, .sender = STRANGER, .hop_limit = 64);
	EXPECT(BOUNCED, .sender = STRANGER, .hop_limit = 64, .to = "8.0.16.11");
}

/* As in a tunnel, whose packets begin with the same header. */
static void packets_that_differ_after_their_first_bytes_are_not_equal(void **state)
{
	static const int protocols[] = {6, 17, 47};

	(void)state;
	for (int i = 0; i < 3; i++) {
		struct sent sent = {.sender = STRANGER + i, .hop_limit = 64, .protocol = protocols[i], .payload = 60};

		for (sent.number = 1; sent.number <= 100; sent.number++)
			assert_int_equal(verdict_of(&sent, NULL), WGVIA_BOUNCED);
		sent.hop_limit = 62;
		assert_int_equal(verdict_of(&sent, NULL), WGVIA_BOUNCED);
		sent.number = 50;
		assert_int_equal(verdict_of(&sent, NULL), WGVIA_RETURNED);
	}
}

static void with_return_drop_nothing_is_learnt_by_bouncing(void **state)
{
	(void)state;
	EXPECT(BOUNCED, .sender = STRANGER, .hop_limit = 64);
	EXPECT(RETURNED, .sender = STRANGER, .hop_limit = 62);
	programs_set_meta(&programs, (struct wgvia_meta){.ret = WGVIA_RETURN_DROP});
	EXPECT(REFUSED, .sender = STRANGER, .hop_limit = 64, .to = "8.0.18.1");
	EXPECT(REFUSED, .sender = STRANGER, .hop_limit = 62, .to = "8.0.18.1");
}

static void a_named_sender_counts_for_every_gateway(void **state)
{
	(void)state;
	set_sender(NULL, STRANGER, WGVIA_SENDER_NAMED);
	EXPECT(RETURNED, .sender = STRANGER);
	EXPECT(RETURNED, .sender = STRANGER, .to = "2001:db8:86dd:4000::10");
	programs_set_meta(&programs, (struct wgvia_meta){.ret = WGVIA_RETURN_DROP});
	EXPECT(RETURNED, .sender = STRANGER, .to = "8.0.18.1");
	EXPECT(REFUSED, .sender = STRANGER + 1, .to = "8.0.18.1");
}

static void a_probed_sender_counts_for_its_gateway(void **state)
{
	(void)state;
	set_sender("192.0.2.1", STRANGER, WGVIA_SENDER_PROBED);
	programs_set_meta(&programs, (struct wgvia_meta){.ret = WGVIA_RETURN_DROP});
	EXPECT(RETURNED, .sender = STRANGER);
	EXPECT(REFUSED, .sender = STRANGER, .to = "2001:db8:86dd:4000::10");
}

static void all_gateways_of_a_list_count(void **state)
{
	(void)state;
	set_list(9, "192.0.2.1", "192.0.2.5");
	EXPECT(BOUNCED, .sender = STANDBY);
	set_prefix("8.0.16.0/20", "192.0.2.1", 9);
	EXPECT(RETURNED, .sender = STANDBY, .to = "8.0.16.11");
	EXPECT(RETURNED, .sender = GATEWAY, .to = "8.0.16.11");
	EXPECT(BOUNCED, .sender = STRANGER, .to = "8.0.16.11");
}

static void addresses_that_are_named_count(void **state)
{
	(void)state;
	set_list(WGVIA_FAILOVER_ALSO, "192.0.2.5", NULL);
	EXPECT(RETURNED, .sender = STANDBY);
	EXPECT(BOUNCED, .sender = STRANGER);
}

/* The FIB does not return link-local neighbours: what is sent there shows the MAC address. */
static void a_link_local_gateway_is_known_by_what_is_sent_there(void **state)
{
	static struct frame frame;
	static struct run run;

	(void)state;
	set_prefix("2001:db8:86dd:4000::/50", "fe80::1", 0);
	programs_set_meta(&programs, (struct wgvia_meta){});
	assert_int_equal(verdict_of(&(struct sent){.sender = GATEWAY, .to = "2001:db8:86dd:4000::10"}, &run),
			 WGVIA_BOUNCED);
	assert_int_equal(run.cb[0], MARK_SHOW6);
	/* then the helper acts: at egress, the frame has the gateway's MAC address */
	frame = run.out;
	memcpy(frame.data, (uint8_t[]){2, 0, 0, 0, 0xaa, GATEWAY}, 6);
	run.tc_index = 0x7776;
	assert_int_equal(programs_run(&programs, WGVIA_EGRESS, &frame, &run), 0);
	assert_int_equal(run.action, -1);
	EXPECT(RETURNED, .sender = GATEWAY, .to = "2001:db8:86dd:4000::11");
	EXPECT(BOUNCED, .sender = STRANGER, .to = "2001:db8:86dd:4000::11");
	programs_set_meta(&programs, (struct wgvia_meta){.ret = WGVIA_RETURN_DROP});
	EXPECT(RETURNED, .sender = GATEWAY, .to = "2001:db8:86dd:4000::12");
}

/* An answer is cached for some ticks, by destination and sender; a counted change of the prefixes ends it. */
static void a_gateway_that_moves_is_known_at_once(void **state)
{
	(void)state;
	EXPECT(RETURNED, .sender = GATEWAY);
	assert_int_equal(system("ip neigh replace 192.0.2.1 lladdr 02:00:00:00:aa:09 nud permanent dev lan"), 0);
	EXPECT(RETURNED, .sender = 9);
	for (int i = 0; i < 100 && verdict_of(&(struct sent){.sender = GATEWAY}, NULL) == WGVIA_RETURNED; i++)
		usleep(10000);
	EXPECT(BOUNCED, .sender = GATEWAY);
	assert_int_equal(system("ip neigh replace 192.0.2.1 lladdr 02:00:00:00:aa:01 nud permanent dev lan"), 0);
}

static void a_counted_change_of_the_prefixes_is_in_force_at_once(void **state)
{
	uint32_t key = 0;
	uint64_t count;

	(void)state;
	EXPECT(RETURNED, .sender = GATEWAY);
	set_prefix("8.0.16.0/20", "192.0.2.5", 0);
	assert_int_equal(bpf_map_lookup_elem(bpf_map__fd(programs.skel->maps.changes), &key, &count), 0);
	count++;
	assert_int_equal(bpf_map_update_elem(bpf_map__fd(programs.skel->maps.changes), &key, &count, BPF_ANY), 0);
	EXPECT(BOUNCED, .sender = GATEWAY);
	EXPECT(RETURNED, .sender = STANDBY);
}

static void remove_sender(const char *next_hop, uint8_t mac)
{
	struct wgvia_sender key = {.gateway = hop(next_hop), .mac = {2, 0, 0, 0, 0xaa, mac}};

	assert_int_equal(bpf_map_delete_elem(bpf_map__fd(programs.skel->maps.senders), &key), 0);
}

/* Nothing counts a change of the senders, so they are asked again after SENDER_TICKS. */
static void a_sender_that_is_removed_is_forgotten_soon(void **state)
{
	int tries = 0;

	(void)state;
	set_sender("192.0.2.1", STANDBY, WGVIA_SENDER_PROBED);
	for (int i = 0; i < 4; i++)
		EXPECT(RETURNED, .sender = STANDBY);
	remove_sender("192.0.2.1", STANDBY);
	while (verdict_of(&(struct sent){.sender = STANDBY}, NULL) == WGVIA_RETURNED) {
		assert_in_range(++tries, 0, 1000);
		usleep(10000);
	}
}

static int make_network(void **state)
{
	static const char *const commands[] = {
		"ip addr add 192.0.2.2/26 dev lan",
		"ip addr add 2001:db8:2::2/64 dev lan nodad",
		"ip neigh add 192.0.2.1 lladdr 02:00:00:00:aa:01 nud permanent dev lan",
		"ip neigh add 192.0.2.5 lladdr 02:00:00:00:aa:02 nud permanent dev lan",
		"ip neigh add 2001:db8:2::1 lladdr 02:00:00:00:aa:01 nud permanent dev lan",
	};

	(void)state;
	programs_namespace();
	programs_stay_on_a_cpu();
	programs_sysctl("/proc/sys/net/ipv4/ip_forward", "1");
	programs_sysctl("/proc/sys/net/ipv6/conf/all/forwarding", "1");
	for (size_t i = 0; i < sizeof(commands) / sizeof(commands[0]); i++)
		assert_int_equal(system(commands[i]), 0);
	programs_load(&programs, &(struct programs_options){});
	return 0;
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup(name, set_up)
	const struct CMUnitTest tests[] = {
		TEST(what_comes_back_with_a_smaller_hop_limit_is_from_the_firewall),
		TEST(it_is_known_for_its_gateway_alone),
		TEST(another_packet_with_a_smaller_hop_limit_is_bounced),
		TEST(what_GRO_has_merged_in_another_way_is_the_same_packet),
		TEST(equal_packets_are_bounced_a_few_times_then_refused),
		TEST(packets_that_differ_after_their_first_bytes_are_not_equal),
		TEST(with_return_drop_nothing_is_learnt_by_bouncing),
		TEST(a_named_sender_counts_for_every_gateway),
		TEST(a_probed_sender_counts_for_its_gateway),
		TEST(all_gateways_of_a_list_count),
		TEST(addresses_that_are_named_count),
		TEST(a_link_local_gateway_is_known_by_what_is_sent_there),
		TEST(a_gateway_that_moves_is_known_at_once),
		TEST(a_counted_change_of_the_prefixes_is_in_force_at_once),
		TEST(a_sender_that_is_removed_is_forgotten_soon),
	};
	int failed;

	programs_need_root();
	failed = cmocka_run_group_tests_name("sender", tests, make_network, NULL);
	keep = true;
	return failed + cmocka_run_group_tests_name("sender, decisions are kept", tests, NULL, NULL);
}
