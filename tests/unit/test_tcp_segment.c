// SPDX-License-Identifier: GPL-2.0-only
/*
 * Segments as bytes: what is written parses again, including checksums, and what is not a segment does not parse.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <string.h>
#include <sys/socket.h>

#include "host/datagram.h"
#include "host/tcp_segment.h"

static const struct tcp_segment four = {.from = {AF_INET, {10, 6, 0, 1}},
					.to = {AF_INET, {192, 0, 2, 3}},
					.from_port = 40000,
					.to_port = 443,
					.seq = 0x01020304,
					.ack = 0xfffefdfc,
					.is_syn = true},
				six = {.from = {AF_INET6, {0x20, 0x01, 0x0d, 0xb8, [15] = 1}},
				       .to = {AF_INET6, {0x20, 0x01, 0x0d, 0xb8, [15] = 3}},
				       .from_port = 65535,
				       .to_port = 1,
				       .seq = UINT32_MAX,
				       .is_rst = true,
				       .is_ack = true};

static void is_the_same(const struct tcp_segment *a, const struct tcp_segment *b)
{
	assert_true(ip_equal(&a->from, &b->from) && ip_equal(&a->to, &b->to));
	assert_int_equal(a->from_port, b->from_port);
	assert_int_equal(a->to_port, b->to_port);
	assert_int_equal(a->seq, b->seq);
	assert_int_equal(a->ack, b->ack);
	assert_true(a->is_syn == b->is_syn && a->is_ack == b->is_ack && a->is_rst == b->is_rst);
}

static void what_is_written_is_read_with_right_checksums(void **unused)
{
	const struct tcp_segment *const rows[] = {&four, &six};

	(void)unused;
	for (size_t i = 0; i < 2; i++) {
		uint8_t family = rows[i]->from.family, packet[TCP_SEGMENT_MAX];
		size_t len = tcp_make_segment(rows[i], packet), header = family == AF_INET ? 20 : 40;
		uint32_t sum = datagram_pseudo_sum(&rows[i]->from, &rows[i]->to, 6, TCP_SEGMENT_HEADER);
		struct tcp_segment read;

		assert_int_equal(len, header + TCP_SEGMENT_HEADER);
		assert_int_equal(datagram_checksum(sum, packet + header, TCP_SEGMENT_HEADER), 0);
		assert_true(tcp_read_segment(family, packet, len, &read));
		is_the_same(rows[i], &read);
		for (size_t cut = 0; cut < len; cut++)
			assert_false(tcp_read_segment(family, packet, cut, &read));
		assert_false(tcp_read_segment(family == AF_INET ? AF_INET6 : AF_INET, packet, len, &read));
	}
}

static void options_are_skipped_and_other_packets_are_not_read(void **unused)
{
	uint8_t packet[TCP_SEGMENT_MAX + 4] = {}, plain[TCP_SEGMENT_MAX];
	size_t len = tcp_make_segment(&four, plain);
	struct tcp_segment read;

	(void)unused;
	memcpy(packet, plain, 20);
	memcpy(packet + 24, plain + 20, TCP_SEGMENT_HEADER);
	packet[0] = 0x46;
	assert_true(tcp_read_segment(AF_INET, packet, len + 4, &read));
	is_the_same(&four, &read);
	assert_false(tcp_read_segment(AF_INET, packet, len + 3, &read));
	plain[7] = 1; /* a later fragment */
	assert_false(tcp_read_segment(AF_INET, plain, len, &read));
	plain[7] = 0;
	plain[9] = 17;
	assert_false(tcp_read_segment(AF_INET, plain, len, &read));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_is_written_is_read_with_right_checksums),
		cmocka_unit_test(options_are_skipped_and_other_packets_are_not_read),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
