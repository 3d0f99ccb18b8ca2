// SPDX-License-Identifier: GPL-2.0-only
/*
 * Echo packets compared with bytes from scapy, and parsing of them and of ICMP errors: complete, truncated at every
 * length, with options, fragmented.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <arpa/inet.h>
#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/util.h"
#include "host/datagram.h"
#include "host/icmp.h"

static struct ip ip(const char *text)
{
	struct ip value = {.family = strchr(text, ':') ? AF_INET6 : AF_INET};

	assert_int_equal(inet_pton(value.family, text, value.addr), 1);
	return value;
}

static struct icmp_echo request(uint8_t family)
{
	bool four = family == AF_INET;

	return (struct icmp_echo){.from = ip(four ? "10.6.0.1" : "2001:db8:1::1"),
				  .to = ip(four ? "192.0.2.2" : "2001:db8:2::2"),
				  .hop_limit = 2,
				  .id = 0x1234,
				  .token = 0xcafe1234deadbeef};
}

static void assert_same(const struct icmp_echo *a, const struct icmp_echo *b)
{
	assert_true(ip_equal(&a->from, &b->from));
	assert_true(ip_equal(&a->to, &b->to));
	assert_int_equal(a->hop_limit, b->hop_limit);
	assert_int_equal(a->reply, b->reply);
	assert_int_equal(a->id, b->id);
	assert_int_equal(a->seq, b->seq);
}

static void an_echo_packet_is_what_others_make_of_it(void **state)
{
	static const struct {
		uint8_t family;
		bool reply;
		const char *hex;
	} rows[] = {
		{AF_INET, false,
		 "4500002c000000000201ecc80a060001c000020208001c2a12340000cafe1234deadbeef7767766961000000"},
		{AF_INET6, false,
		 "6000000000183a0220010db800010000000000000000000120010db8000200000000000000000002"
		 "8000485f12340000cafe1234deadbeef7767766961000000"},
		{AF_INET6, true,
		 "6000000000183a0420010db800020000000000000000000220010db8000100000000000000000001"
		 "8100475812340007cafe1234deadbeef7767766961000000"},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct icmp_echo echo = request(rows[i].family);
		uint8_t packet[ICMP_ECHO_MAX];
		char hex[2 * ICMP_ECHO_MAX + 1] = "";
		size_t len;

		if (rows[i].reply) {
			struct ip from = echo.from;

			echo.from = echo.to;
			echo.to = from;
			echo.reply = true;
			echo.seq = 7;
			echo.hop_limit = 4;
		}
		len = icmp_make_echo(&echo, packet);
		for (size_t j = 0; j < len; j++)
			sprintf(hex + 2 * j, "%02x", packet[j]);
		assert_string_equal(hex, rows[i].hex);
	}
}

/* Parses it in memory that ends where the packet does, so that a sanitizer detects reading too far. */
static bool read_exactly(uint8_t family, const uint8_t *packet, size_t len, struct icmp_message *message)
{
	uint8_t *copy = malloc(len ? len : 1);
	bool ret;

	assert_non_null(copy);
	memcpy(copy, packet, len);
	ret = icmp_read(family, copy, len, message);
	free(copy);
	return ret;
}

static const uint8_t families[] = {AF_INET, AF_INET6};

static void an_echo_packet_is_read_back_and_not_when_cut_off(void **state)
{
	(void)state;
	for (size_t f = 0; f < ARRAY_SIZE(families); f++)
		for (int reply = 0; reply < 2; reply++) {
			struct icmp_echo echo = request(families[f]);
			struct icmp_message message;
			uint8_t packet[ICMP_ECHO_MAX];
			size_t len;

			echo.reply = reply;
			echo.seq = 3;
			len = icmp_make_echo(&echo, packet);
			assert_true(read_exactly(families[f], packet, len, &message));
			assert_false(message.refused);
			assert_same(&message.echo, &echo);
			assert_int_equal(message.echo.token, echo.token);
			assert_true(ip_equal(&message.by, &echo.from));
			for (size_t cut = 0; cut < len; cut++)
				assert_false(read_exactly(families[f], packet, cut, &message));
			/* the other family's */
			assert_false(read_exactly(families[1 - f], packet, len, &message));
		}
}

#define ERROR_MAX (60 + 8 + ICMP_ECHO_MAX)

/* An ICMP error about `echo`, with IPv4 options in its own header; `quoted` is the offset of the quoted packet. */
static size_t make_error(const struct icmp_echo *echo, uint8_t type, uint8_t code, uint8_t *packet, size_t *quoted)
{
	uint8_t family = echo->from.family, about[ICMP_ECHO_MAX];
	struct ip by = ip(family == AF_INET ? "203.0.113.9" : "2001:db8:3::9");
	size_t options = family == AF_INET ? 8 : 0, len = icmp_make_echo(echo, about), at;

	at = datagram_put_header(packet, 20 + options, &by, &echo->from, family == AF_INET ? 1 : 58, 64);
	if (options)
		packet[0] += options / 4;
	memset(packet + at, 0, options + 8);
	at += options;
	packet[at] = type;
	packet[at + 1] = code;
	memcpy(packet + at + 8, about, len);
	*quoted = at + 8;
	return at + 8 + len;
}

static void an_error_tells_what_it_is_about_who_says_it_and_why(void **state)
{
	static const struct {
		uint8_t family, type, code;
		enum refusal refusal;
	} rows[] = {
		{AF_INET, 3, 0, REFUSAL_NO_ROUTE},    {AF_INET, 3, 1, REFUSAL_NO_HOST},
		{AF_INET, 3, 3, REFUSAL_PROHIBITED},  {AF_INET, 3, 13, REFUSAL_PROHIBITED},
		{AF_INET, 3, 12, REFUSAL_OTHER},      {AF_INET, 11, 0, REFUSAL_EXPIRED},
		{AF_INET6, 1, 0, REFUSAL_NO_ROUTE},   {AF_INET6, 1, 1, REFUSAL_PROHIBITED},
		{AF_INET6, 1, 3, REFUSAL_NO_HOST},    {AF_INET6, 1, 4, REFUSAL_PROHIBITED},
		{AF_INET6, 1, 5, REFUSAL_PROHIBITED}, {AF_INET6, 1, 6, REFUSAL_NO_ROUTE},
		{AF_INET6, 1, 2, REFUSAL_OTHER},      {AF_INET6, 3, 0, REFUSAL_EXPIRED},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct icmp_echo echo = request(rows[i].family);
		struct icmp_message message;
		uint8_t packet[ERROR_MAX];
		size_t quoted, len = make_error(&echo, rows[i].type, rows[i].code, packet, &quoted);
		size_t header = rows[i].family == AF_INET ? 20 : 40;

		assert_true(read_exactly(rows[i].family, packet, len, &message));
		assert_true(message.refused);
		assert_int_equal(message.refusal, rows[i].refusal);
		assert_same(&message.echo, &echo);
		assert_false(ip_equal(&message.by, &echo.from));
		/* RFC 792: the header and 8 bytes are enough, and less is not */
		for (size_t cut = 0; cut < len; cut++)
			assert_int_equal(read_exactly(rows[i].family, packet, cut, &message),
					 cut >= quoted + header + 8);
	}
}

/* A redirect about `echo`; for IPv6 with the options that Linux sends: the target's MAC address, and the packet. */
static size_t make_redirect(const struct icmp_echo *echo, const struct ip *better, uint8_t *packet, size_t *quoted)
{
	static const uint8_t options[] = {2, 1, 2, 0, 0, 0, 2, 2, 4, 9, 0, 0, 0, 0, 0, 0};
	bool four = echo->from.family == AF_INET;
	size_t len = make_error(echo, four ? 5 : 137, 1, packet, quoted), about = len - *quoted;

	if (four) {
		memcpy(packet + *quoted - 4, better->addr, 4);
		return len;
	}
	memmove(packet + *quoted + 32 + sizeof(options), packet + *quoted, about);
	memcpy(packet + *quoted, better->addr, 16);
	memcpy(packet + *quoted + 16, echo->to.addr, 16);
	memcpy(packet + *quoted + 32, options, sizeof(options));
	*quoted += 32 + sizeof(options);
	return *quoted + about;
}

static void a_redirect_tells_what_it_is_about_and_the_better_next_hop(void **state)
{
	(void)state;
	for (size_t f = 0; f < ARRAY_SIZE(families); f++) {
		bool four = families[f] == AF_INET;
		struct ip better = ip(four ? "192.0.2.9" : "fe80::9");
		struct icmp_echo echo = request(families[f]);
		struct icmp_message message;
		uint8_t packet[ERROR_MAX + 48];
		size_t quoted, len = make_redirect(&echo, &better, packet, &quoted), header = four ? 20 : 40;

		assert_true(read_exactly(families[f], packet, len, &message));
		assert_true(message.redirected);
		assert_false(message.refused);
		assert_true(ip_equal(&message.better, &better));
		assert_same(&message.echo, &echo);
		for (size_t cut = 0; cut < len; cut++)
			assert_int_equal(read_exactly(families[f], packet, cut, &message), cut >= quoted + header + 8);
		if (four)
			continue;
		packet[quoted - 8] = 14; /* an option that quotes nothing */
		assert_false(read_exactly(families[f], packet, len, &message));
		packet[quoted - 15] = 0; /* one without a length */
		assert_false(read_exactly(families[f], packet, len, &message));
	}
}

static void what_is_about_something_else_is_not_read(void **state)
{
	uint8_t packet[ERROR_MAX];
	struct icmp_message message;

	(void)state;
	for (size_t f = 0; f < ARRAY_SIZE(families); f++) {
		bool four = families[f] == AF_INET;
		struct icmp_echo echo = request(families[f]);
		size_t quoted, len = make_error(&echo, four ? 3 : 1, 0, packet, &quoted);

		packet[quoted + (four ? 9 : 6)] = 17; /* about UDP */
		assert_false(read_exactly(families[f], packet, len, &message));
		len = make_error(&echo, four ? 3 : 1, 0, packet, &quoted);
		packet[quoted + (four ? 20 : 40)] = four ? 13 : 130; /* about a timestamp; a multicast query */
		assert_false(read_exactly(families[f], packet, len, &message));
		len = make_error(&echo, four ? 4 : 2, 0, packet, &quoted); /* source quench; Packet Too Big */
		assert_false(read_exactly(families[f], packet, len, &message));
		len = icmp_make_echo(&echo, packet);
		packet[0] = four ? 0x44 : 0x50; /* IHL, version */
		assert_false(read_exactly(families[f], packet, len, &message));
	}
	{
		struct icmp_echo echo = request(AF_INET);
		size_t len = icmp_make_echo(&echo, packet);

		packet[6] = 0x20; /* more fragments: the first has the ICMP header */
		assert_true(read_exactly(AF_INET, packet, len, &message));
		packet[7] = 1;
		assert_false(read_exactly(AF_INET, packet, len, &message));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_echo_packet_is_what_others_make_of_it),
		cmocka_unit_test(an_echo_packet_is_read_back_and_not_when_cut_off),
		cmocka_unit_test(an_error_tells_what_it_is_about_who_says_it_and_why),
		cmocka_unit_test(a_redirect_tells_what_it_is_about_and_the_better_next_hop),
		cmocka_unit_test(what_is_about_something_else_is_not_read),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
