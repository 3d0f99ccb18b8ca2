// SPDX-License-Identifier: GPL-2.0-only
/*
 * Indexes compared with the maps that they represent: the real program finds the same gateway in both, for random
 * nested prefixes, and uses an index only while it matches the map.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <cmocka.h>

#include "config/state.h"
#include "datapath/index/index.h"
#include "index/index_lines.h"
#include "packets.h"
#include "programs.h"

/* They have the same maps. Programs that may keep decisions ask an index once, and programs that may not each time. */
static struct programs programs, keeping;
static uint64_t random_state = 0x9e3779b97f4a7c15;

/* xorshift64*, Vigna 2014 */
static uint32_t draw(void)
{
	random_state ^= random_state >> 12;
	random_state ^= random_state << 25;
	random_state ^= random_state >> 27;
	return random_state * 0x2545f4914f6cdd1dull >> 32;
}

static uint32_t which_of(int family)
{
	return family == AF_INET ? INDEX_IPV4 : INDEX_IPV6;
}

static void set_changes(int family, uint64_t count)
{
	uint32_t which = which_of(family);

	assert_int_equal(bpf_map_update_elem(bpf_map__fd(programs.skel->maps.changes), &which, &count, BPF_ANY), 0);
}

static void put_prefixes(const struct state *state)
{
	for (size_t i = 0; i < state->gateway_count; i++) {
		char text[PREFIX_TEXT_LEN];

		programs_set_prefix(&programs, prefix_text(&state->gateways[i].from, text), &state->gateways[i].value);
	}
}

static struct wgvia_gateway gateway_number(int family, uint32_t number)
{
	struct wgvia_gateway gateway = {.ifindex = devices[DEVICE_LAN].ifindex, .family = family};

	gateway.addr[0] = family == AF_INET ? 100 : 0x20;
	memcpy(gateway.addr + 1, &number, 3);
	return gateway;
}

/* Addresses of few shapes, so that prefixes are nested, and so that a test run can show them. */
static struct ip draw_address(int family)
{
	struct ip ip = {.family = family};
	uint32_t bits = draw();

	for (int i = 0; i < (family == AF_INET ? 4 : 16); i++)
		ip.addr[i] = draw() & (draw() & 1 ? 3 : 0);
	memcpy(ip.addr, family == AF_INET ? "\x08" : "\x20\x01\x0d\xb8\x86\xdd", family == AF_INET ? 1 : 6);
	ip.addr[family == AF_INET ? 1 : 6] = bits;
	ip.addr[family == AF_INET ? 2 : 7] = bits >> 8;
	return ip;
}

static void draw_state(struct state *state, int family, size_t count, const uint8_t *lengths, size_t length_count)
{
	for (size_t i = 0; i < count; i++) {
		uint8_t len = lengths[draw() % length_count];
		struct prefix prefix = {ip_mask(draw_address(family), len), len};
		struct wgvia_gateway value = gateway_number(family, draw() % 1000);

		assert_int_equal(state_add_gateway(state, &prefix, &value), 0);
	}
	state_sort(state);
}

/* What the program finds: 0 and the gateway's number, or -1 for outside. */
static int ask_with(struct programs *asked, const struct ip *source, uint32_t *number)
{
	struct packet_spec spec = {.family = source->family == AF_INET ? 4 : 6};
	char text[IP_TEXT_LEN];
	struct run run = {};
	struct frame frame;

	ip_text(source, text);
	spec.source = text;
	spec.destination = spec.family == 4 ? "203.0.113.9" : "2001:db8:ffff::9";
	packets_build(&spec, devices[DEVICE_LAN].mac, &frame);
	memset((void *)asked->recorded, 0, sizeof(*asked->recorded));
	assert_int_equal(programs_run(asked, WGVIA_OUT, &frame, &run), 0);
	if (!asked->recorded->calls)
		return -1;
	*number = 0;
	memcpy(number, (const uint8_t *)asked->recorded->addr + 1, 3);
	return 0;
}

static int ask(const struct ip *source, uint32_t *number)
{
	return ask_with(&programs, source, number);
}

/* No earlier decision is in force. */
static int ask_and_keep(const struct ip *source, uint32_t *number)
{
	programs_keep_decisions(&keeping, true);
	return ask_with(&keeping, source, number);
}

static void clear(void)
{
	programs_clear_maps(&programs);
	for (uint32_t which = 0; which < INDEX_FAMILIES; which++)
		programs_set_index(&programs, which, NULL, 0);
}

static const int families[] = {AF_INET, AF_INET6};

/* An index with a content that differs from its map shows which of the two was used. */
static void an_index_counts_while_its_map_has_not_changed(void **unused)
{
	(void)unused;
	for (int i = 0; i < 2; i++) {
		struct ip source = draw_address(families[i]);
		struct prefix prefix = prefix_of_ip(&source);
		struct wgvia_gateway in_map = gateway_number(families[i], 1), in_index = gateway_number(families[i], 2);
		struct state state = {};
		struct index_image image;
		uint32_t number;

		clear();
		state_add_gateway(&state, &prefix, &in_map);
		put_prefixes(&state);
		set_changes(families[i], 7);
		state.gateways[0].value = in_index;
		assert_int_equal(index_make(&state, families[i], 7, &image), 0);
		assert_int_equal(ask(&source, &number), 0);
		assert_int_equal(number, 1);

		programs_set_index(&programs, which_of(families[i]), image.lines, image.count);
		assert_int_equal(ask(&source, &number), 0);
		assert_int_equal(number, 2);
		assert_int_equal(ask_and_keep(&source, &number), 0);
		assert_int_equal(number, 2);

		set_changes(families[!i], 8); /* the other family's */
		assert_int_equal(ask(&source, &number), 0);
		assert_int_equal(number, 2);

		set_changes(families[i], 8);
		assert_int_equal(ask(&source, &number), 0);
		assert_int_equal(number, 1);
		assert_int_equal(ask_and_keep(&source, &number), 0);
		assert_int_equal(number, 1);
		free(image.lines);
		state_free(&state);
	}
}

static void compare(int family, size_t count, const uint8_t *lengths, size_t length_count)
{
	size_t outside = 0, inside = 0;
	struct state state = {};
	struct index_image image;

	clear();
	draw_state(&state, family, count, lengths, length_count);
	put_prefixes(&state);
	assert_int_equal(index_make(&state, family, 1, &image), 0);
	programs_set_index(&programs, which_of(family), image.lines, image.count);
	for (int i = 0; i < 2000; i++) {
		struct ip source = i % 2 ? state.gateways[draw() % state.gateway_count].from.ip : draw_address(family);
		uint32_t by_index = 0, by_map = 0, kept = 0;
		int indexed, mapped;

		set_changes(family, 1);
		indexed = ask(&source, &by_index);
		if (i % 8 == 0 && (ask_and_keep(&source, &kept) != indexed || kept != by_index))
			fail_msg("%u, kept as %u", by_index, kept);
		set_changes(family, 2);
		mapped = ask(&source, &by_map);
		if (indexed != mapped || by_index != by_map) {
			char text[IP_TEXT_LEN];

			fail_msg("%s, %zu prefixes: the index says %d %u, the map %d %u", ip_text(&source, text),
				 state.gateway_count, indexed, by_index, mapped, by_map);
		}
		inside += !mapped;
		outside += mapped;
	}
	/* otherwise there was nothing to compare */
	assert_true(inside > 100 && (outside > 10 || count > 100 || !lengths[0]));
	free(image.lines);
	state_free(&state);
}

static void an_index_says_what_its_map_says(void **unused)
{
	static const uint8_t some4[] = {32, 24, 28, 12, 30, 17}, all4[] = {0, 32, 1}, one4[] = {28},
			     some6[] = {48, 128, 64, 65, 127, 56}, all6[] = {0, 64, 128}, one6[] = {64};
	static const size_t counts[] = {1, 5, 300, 3000};

	(void)unused;
	for (size_t i = 0; i < 4; i++) {
		if (counts[i] >= 300) {
			compare(AF_INET, counts[i], some4, sizeof(some4));
			compare(AF_INET6, counts[i], some6, sizeof(some6));
			compare(AF_INET, counts[i], one4, sizeof(one4));
			compare(AF_INET6, counts[i], one6, sizeof(one6));
		}
		compare(AF_INET, counts[i], all4, counts[i] < sizeof(all4) ? 1 : sizeof(all4));
		compare(AF_INET6, counts[i], all6, counts[i] < sizeof(all6) ? 1 : sizeof(all6));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_index_counts_while_its_map_has_not_changed),
		cmocka_unit_test(an_index_says_what_its_map_says),
	};

	programs_need_root();
	programs_namespace();
	programs_load(&programs, &(struct programs_options){.record = true, .no_keeping = true});
	programs_load(&keeping, &(struct programs_options){.record = true, .maps_of = programs.skel});
	programs_stay_on_a_cpu();
	return cmocka_run_group_tests_name("index", tests, NULL, NULL);
}
