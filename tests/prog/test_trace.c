// SPDX-License-Identifier: GPL-2.0-only
/*
 * What the packet path reports to a reader: the event of each decision, the filter as a table, the behaviour when the
 * ring buffer is full and when the reader is gone. tests/net/trace.bats covers reading and showing events.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <arpa/inet.h>
#include <cmocka.h>

#include <bpf/bpf.h>
#include <bpf/libbpf.h>

#include "packets.h"
#include "programs.h"

#define FROM4 "8.0.16.1"
#define TO4 "203.0.113.9"
#define FROM6 "2001:db8:86dd:4000::1"
#define TO6 "2001:db8::9"

static struct programs programs;
static struct ring_buffer *ring;
static struct wgvia_event events[8];
static size_t event_count;

static int take_event(void *data, void *event, size_t size)
{
	(void)data;
	assert_int_equal(size, sizeof(events[0]));
	if (event_count < sizeof(events) / sizeof(events[0]))
		events[event_count] = *(struct wgvia_event *)event;
	event_count++;
	return 0;
}

static uint64_t monotonic(void)
{
	struct timespec time;

	clock_gettime(CLOCK_MONOTONIC, &time);
	return time.tv_sec * 1000000000ull + time.tv_nsec;
}

#define SECOND 1000000000ull

static void write_trace(const struct wgvia_trace *value)
{
	uint32_t key = 0;

	assert_int_equal(bpf_map_update_elem(bpf_map__fd(programs.skel->maps.trace), &key, value, BPF_ANY), 0);
}

static struct wgvia_trace read_trace(void)
{
	struct wgvia_trace value;
	uint32_t key = 0;

	assert_int_equal(bpf_map_lookup_elem(bpf_map__fd(programs.skel->maps.trace), &key, &value), 0);
	return value;
}

static void run(enum wgvia_direction direction, const struct packet_spec *spec)
{
	struct frame frame;
	struct run one = {.ifindex = devices[DEVICE_LAN].ifindex};

	packets_build(spec, devices[DEVICE_LAN].mac, &frame);
	assert_int_equal(programs_run(&programs, direction, &frame, &one), 0);
}

/* Runs the packet and reads the events; returns their number. */
static size_t told(enum wgvia_direction direction, const struct packet_spec *spec)
{
	event_count = 0;
	run(direction, spec);
	ring_buffer__consume(ring);
	return event_count;
}

static int setup(void **state)
{
	struct wgvia_gateway gateway4 = {.family = AF_INET, .addr = {192, 0, 2, 1}},
			     gateway6 = {.family = AF_INET6, .addr = {0x20, 1}};
	const struct wgvia_sender gateway = {.mac = {2, 0, 0, 0, 0xaa, 1}}; /* of packets without an explicit sender */
	const uint32_t source = WGVIA_SENDER_NAMED;

	(void)state;
	programs_load(&programs, &(struct programs_options){});
	gateway4.ifindex = gateway6.ifindex = devices[DEVICE_LAN].ifindex;
	programs_set_prefix(&programs, "8.0.16.0/20", &gateway4);
	programs_set_prefix(&programs, "2001:db8:86dd:4000::/50", &gateway6);
	programs_set_bypass(&programs, "8.0.16.0/20", WGVIA_TUNNEL);
	programs_set_bypass(&programs, "2001:db8:86dd:4000::/50", WGVIA_TUNNEL);
	programs_set_bypass(&programs, "192.0.2.2/32", WGVIA_LOCAL);
	assert_int_equal(bpf_map_update_elem(bpf_map__fd(programs.skel->maps.senders), &gateway, &source, BPF_ANY), 0);
	ring = ring_buffer__new(bpf_map__fd(programs.skel->maps.events), take_event, NULL, NULL);
	return !ring;
}

static int teardown(void **state)
{
	(void)state;
	ring_buffer__free(ring);
	programs_unload(&programs);
	return 0;
}

static void assert_address(const __u32 *found, int family, const char *text)
{
	__u32 expected[4] = {};

	if (text)
		assert_int_equal(inet_pton(family, text, expected), 1);
	assert_memory_equal(found, expected, sizeof(expected));
}

/* One packet of each kind, and the whole content of its event. */
static void each_decision_is_told_once_and_whole(void **state)
{
	static const struct {
		enum wgvia_direction direction;
		struct packet_spec packet;
		enum wgvia_verdict verdict;
		const char *gateway;
	} rows[] = {
		{WGVIA_OUT, {.family = 4, .source = FROM4, .destination = TO4}, WGVIA_REDIRECTED, "192.0.2.1"},
		{WGVIA_OUT, {.family = 6, .source = FROM6, .destination = TO6}, WGVIA_REDIRECTED, "2001::"},
		{WGVIA_OUT, {.family = 4, .source = "192.0.2.9", .destination = TO4}, WGVIA_OUTSIDE, NULL},
		{WGVIA_OUT, {.family = 4, .source = FROM4, .destination = "192.0.2.2"}, WGVIA_LOCAL, NULL},
		{WGVIA_OUT, {.family = 6, .source = FROM6, .destination = "2001:db8:86dd:4000::2"}, WGVIA_TUNNEL, NULL},
		{WGVIA_OUT,
		 {.family = 4, .source = FROM4, .destination = TO4, .hop_limit = SET(1)},
		 WGVIA_HOP_LIMIT,
		 NULL},
		{WGVIA_BACK, {.family = 4, .source = TO4, .destination = FROM4}, WGVIA_RETURNED, NULL},
		{WGVIA_BACK, {.family = 6, .source = TO6, .destination = FROM6}, WGVIA_RETURNED, NULL},
		{WGVIA_BACK,
		 {.family = 4, .source = TO4, .destination = FROM4, .sender = 7},
		 WGVIA_BOUNCED,
		 "192.0.2.1"},
		{WGVIA_EGRESS, {.family = 4, .source = FROM4, .destination = TO4}, WGVIA_RETARGETED, "192.0.2.1"},
		{WGVIA_EGRESS, {.family = 6, .source = FROM6, .destination = TO6}, WGVIA_RETARGETED, "2001::"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		const struct packet_spec *packet = &rows[i].packet;
		int family = packet->family == 4 ? AF_INET : AF_INET6;
		uint64_t before = monotonic();

		write_trace(&(struct wgvia_trace){.until = monotonic() + SECOND * 5, .verdicts = ~0u});
		assert_int_equal(told(rows[i].direction, packet), 1);
		assert_true(events[0].time >= before && events[0].time <= monotonic());
		assert_int_equal(events[0].direction, rows[i].direction);
		assert_int_equal(events[0].verdict, rows[i].verdict);
		assert_int_equal(events[0].family, family);
		assert_int_equal(events[0].packets, 1);
		assert_int_equal(events[0].hop_limit, GET(packet->hop_limit, 64));
		assert_address(events[0].source, family, packet->source);
		assert_address(events[0].destination, family, packet->destination);
		assert_int_equal(events[0].gateway_family, rows[i].gateway ? family : 0);
		assert_int_equal(events[0].gateway_ifindex, rows[i].gateway ? devices[DEVICE_LAN].ifindex : 0);
		assert_address(events[0].gateway, family, rows[i].gateway);
	}
}

static void what_is_no_decision_of_ours_is_not_told(void **state)
{
	const struct packet_spec stranger = {.family = 4, .source = TO4, .destination = "192.0.2.1"};

	(void)state;
	write_trace(&(struct wgvia_trace){.until = monotonic() + SECOND * 5, .verdicts = ~0u});
	assert_int_equal(told(WGVIA_BACK, &stranger), 0);
	assert_int_equal(told(WGVIA_EGRESS, &stranger), 0);
}

static void without_a_listener_nothing_is_told(void **state)
{
	const struct packet_spec packet = {.family = 4, .source = FROM4, .destination = TO4};

	(void)state;
	write_trace(&(struct wgvia_trace){.verdicts = ~0u});
	assert_int_equal(told(WGVIA_OUT, &packet), 0);
}

static void mask_of(__u32 mask[4], unsigned int len)
{
	uint8_t *bytes = (uint8_t *)mask;

	for (unsigned int bit = 0; bit < len; bit++)
		bytes[bit / 8] |= 0x80 >> bit % 8;
}

static void only_what_is_wanted_is_told(void **state)
{
	const struct packet_spec packet4 = {.family = 4, .source = FROM4, .destination = TO4},
				 packet6 = {.family = 6, .source = FROM6, .destination = TO6};
	static const struct {
		int family; /* of the filter */
		const char *from;
		unsigned int from_len;
		const char *to;
		unsigned int to_len;
		uint32_t verdicts;
		size_t told4, told6;
	} rows[] = {
		{0, NULL, 0, NULL, 0, ~0u, 1, 1},
		{0, NULL, 0, NULL, 0, 1 << WGVIA_REDIRECTED, 1, 1},
		{0, NULL, 0, NULL, 0, ~(1u << WGVIA_REDIRECTED), 0, 0},
		{AF_INET, "0.0.0.0", 0, NULL, 0, ~0u, 1, 0},
		{AF_INET6, "::", 0, NULL, 0, ~0u, 0, 1},
		{AF_INET, FROM4, 32, NULL, 0, ~0u, 1, 0},
		{AF_INET, "8.0.16.0", 31, NULL, 0, ~0u, 1, 0},
		{AF_INET, "8.0.16.0", 32, NULL, 0, ~0u, 0, 0},
		{AF_INET, "8.0.16.2", 31, NULL, 0, ~0u, 0, 0},
		{AF_INET, "8.0.0.0", 19, NULL, 0, ~0u, 1, 0},
		{AF_INET, "8.0.0.0", 20, NULL, 0, ~0u, 0, 0},
		{AF_INET, NULL, 0, TO4, 32, ~0u, 1, 0},
		{AF_INET, NULL, 0, FROM4, 32, ~0u, 0, 0},
		{AF_INET, FROM4, 32, TO4, 32, ~0u, 1, 0},
		{AF_INET, TO4, 32, FROM4, 32, ~0u, 0, 0},
		{AF_INET6, FROM6, 128, NULL, 0, ~0u, 0, 1},
		{AF_INET6, "2001:db8:86dd:4000::", 127, NULL, 0, ~0u, 0, 1},
		{AF_INET6, "2001:db8:86dd:4000::", 128, NULL, 0, ~0u, 0, 0},
		{AF_INET6, "2001:db8:86dd:4000::", 50, NULL, 0, ~0u, 0, 1},
		{AF_INET6, "2001:db8:86dd:8000::", 50, NULL, 0, ~0u, 0, 0},
		{AF_INET6, "2001:db8::", 32, TO6, 128, 1 << WGVIA_REDIRECTED, 0, 1},
		{AF_INET6, NULL, 0, "2001:db8::8", 128, ~0u, 0, 0},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct wgvia_trace filter = {
			.until = monotonic() + SECOND * 5, .family = rows[i].family, .verdicts = rows[i].verdicts};

		if (rows[i].from)
			inet_pton(rows[i].family, rows[i].from, filter.from);
		if (rows[i].to)
			inet_pton(rows[i].family, rows[i].to, filter.to);
		mask_of(filter.from_mask, rows[i].from_len);
		mask_of(filter.to_mask, rows[i].to_len);
		write_trace(&filter);
		if (told(WGVIA_OUT, &packet4) != rows[i].told4 || told(WGVIA_OUT, &packet6) != rows[i].told6)
			fail_msg("row %zu", i);
	}
}

/* Ports are read if the transport header follows directly, except in later fragments. */
static void ports_are_told_where_there_are_some(void **state)
{
	static const struct {
		struct packet_spec packet;
		bool has_ports;
	} rows[] = {
		{{.family = 4, .source = FROM4, .destination = TO4, .protocol = SET(IPPROTO_UDP)}, true},
		{{.family = 4, .source = FROM4, .destination = TO4, .protocol = SET(IPPROTO_TCP)}, true},
		{{.family = 4, .source = FROM4, .destination = TO4, .protocol = SET(IPPROTO_TCP), .ihl = SET(7)}, true},
		{{.family = 4, .source = FROM4, .destination = TO4, .protocol = SET(IPPROTO_ICMP)}, true},
		{{.family = 4, .source = FROM4, .destination = TO4, .protocol = SET(IPPROTO_GRE)}, false},
		{{.family = 4, .source = FROM4, .destination = TO4, .payload = SET(3)}, false},
		{{.family = 4, .source = FROM4, .destination = TO4, .fragment = SET(0x2000)}, true},
		{{.family = 4, .source = FROM4, .destination = TO4, .fragment = SET(0x2000 | 100)}, false},
		{{.family = 4, .source = FROM4, .destination = TO4, .fragment = SET(100)}, false},
		{{.family = 6, .source = FROM6, .destination = TO6, .protocol = SET(IPPROTO_UDP)}, true},
		{{.family = 6, .source = FROM6, .destination = TO6, .protocol = SET(IPPROTO_TCP)}, true},
		{{.family = 6, .source = FROM6, .destination = TO6, .protocol = SET(IPPROTO_ICMPV6)}, true},
		{{.family = 6, .source = FROM6, .destination = TO6, .extensions = {SET(IPPROTO_FRAGMENT)}}, false},
	};

	(void)state;
	write_trace(&(struct wgvia_trace){.until = monotonic() + SECOND * 5, .verdicts = ~0u});
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		const struct packet_spec *packet = &rows[i].packet;
		struct frame frame;
		uint16_t ports[2] = {};

		packets_build(packet, devices[DEVICE_LAN].mac, &frame);
		if (rows[i].has_ports)
			memcpy(ports, frame.data + LINK_LEN + (packet->family == 6 ? 40 : 4 * GET(packet->ihl, 5)), 4);
		assert_int_equal(told(WGVIA_OUT, packet), 1);
		if (events[0].has_ports != rows[i].has_ports || memcmp(events[0].ports, ports, 4) != 0)
			fail_msg("row %zu", i);
	}
}

/* A packet that cannot be read has no addresses: it matches no filter by address, and shows none. */
static void an_unreadable_packet_is_told_without_addresses(void **state)
{
	const struct packet_spec broken = {.family = 4, .source = FROM4, .destination = TO4, .version = SET(5)};

	(void)state;
	write_trace(&(struct wgvia_trace){.until = monotonic() + SECOND * 5, .verdicts = ~0u});
	assert_int_equal(told(WGVIA_OUT, &broken), 1);
	assert_int_equal(events[0].verdict, WGVIA_MALFORMED);
	assert_int_equal(events[0].family, 0);
	assert_address(events[0].source, AF_INET, NULL);
	write_trace(&(struct wgvia_trace){.until = monotonic() + SECOND * 5, .verdicts = ~0u, .family = AF_INET});
	assert_int_equal(told(WGVIA_OUT, &broken), 0);
}

/* Nothing blocks, nothing is lost silently. */
static void a_full_ring_buffer_counts_what_it_skips(void **state)
{
	const struct packet_spec packet = {.family = 4, .source = FROM4, .destination = TO4};
	enum { PACKETS = 4000 };

	(void)state;
	write_trace(&(struct wgvia_trace){.until = monotonic() + SECOND * 5, .verdicts = ~0u});
	for (int i = 0; i < PACKETS; i++)
		run(WGVIA_OUT, &packet);
	event_count = 0;
	ring_buffer__consume(ring);
	assert_true(event_count > 2000);
	assert_true(event_count < PACKETS);
	assert_int_equal(event_count + read_trace().skipped, PACKETS);
	/* and reporting continues */
	assert_int_equal(told(WGVIA_OUT, &packet), 1);
}

static void behind_the_deadline_a_packet_turns_it_off(void **state)
{
	const struct packet_spec packet = {.family = 4, .source = FROM4, .destination = TO4};
	struct wgvia_trace filter = {.verdicts = ~0u};

	(void)state;
	filter.until = monotonic() + SECOND * 5;
	write_trace(&filter);
	assert_int_equal(told(WGVIA_OUT, &packet), 1);
	assert_int_equal(read_trace().until, filter.until);
	filter.until = monotonic() - 1;
	write_trace(&filter);
	assert_int_equal(told(WGVIA_OUT, &packet), 0);
	assert_int_equal(read_trace().until, 0);
	filter.until = monotonic() + SECOND * 3600; /* no reader would set that */
	write_trace(&filter);
	assert_int_equal(told(WGVIA_OUT, &packet), 0);
	assert_int_equal(read_trace().until, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_decision_is_told_once_and_whole),
		cmocka_unit_test(what_is_no_decision_of_ours_is_not_told),
		cmocka_unit_test(without_a_listener_nothing_is_told),
		cmocka_unit_test(only_what_is_wanted_is_told),
		cmocka_unit_test(ports_are_told_where_there_are_some),
		cmocka_unit_test(an_unreadable_packet_is_told_without_addresses),
		cmocka_unit_test(a_full_ring_buffer_counts_what_it_skips),
		cmocka_unit_test(behind_the_deadline_a_packet_turns_it_off),
	};

	programs_need_root();
	programs_namespace();
	return cmocka_run_group_tests(tests, setup, teardown);
}
