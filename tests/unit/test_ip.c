// SPDX-License-Identifier: GPL-2.0-only
/*
 * Addresses and prefixes: masks at every length, containment at the edges, classes of addresses, order.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <arpa/inet.h>
#include <cmocka.h>
#include <string.h>

#include "base/ip.h"
#include "base/util.h"

static struct ip ip(const char *text)
{
	struct ip value = {.family = strchr(text, ':') ? AF_INET6 : AF_INET};

	assert_int_equal(inet_pton(value.family, text, value.addr), 1);
	return value;
}

static struct prefix prefix(const char *text, unsigned int len)
{
	return (struct prefix){ip_mask(ip(text), len), len};
}

static void a_mask_keeps_the_first_bits_at_every_length(void **state)
{
	struct ip ones = ip("ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff");

	(void)state;
	for (unsigned int len = 0; len <= 128; len++) {
		struct ip masked = ip_mask(ones, len);
		unsigned int bits = 0;

		for (int i = 0; i < 16; i++)
			bits += __builtin_popcount(masked.addr[i]);
		assert_int_equal(bits, len);
		if (len)
			assert_true(masked.addr[(len - 1) / 8] & (0x80 >> ((len - 1) % 8)));
		if (len < 128)
			assert_false(masked.addr[len / 8] & (0x80 >> (len % 8)));
	}
}

static void a_prefix_holds_its_first_and_last_address_and_not_their_neighbours(void **state)
{
	static const struct {
		const char *prefix;
		unsigned int len;
		const char *address;
		bool inside;
	} rows[] = {
		{"10.6.0.0", 16, "10.6.0.0", true},
		{"10.6.0.0", 16, "10.6.255.255", true},
		{"10.6.0.0", 16, "10.5.255.255", false},
		{"10.6.0.0", 16, "10.7.0.0", false},
		{"10.6.0.1", 32, "10.6.0.1", true},
		{"10.6.0.1", 32, "10.6.0.2", false},
		{"0.0.0.0", 0, "255.255.255.255", true},
		{"0.0.0.0", 0, "2001:db8::1", false},
		{"2001:db8:1::", 50, "2001:db8:1::", true},
		{"2001:db8:1::", 50, "2001:db8:1:3fff:ffff:ffff:ffff:ffff", true},
		{"2001:db8:1::", 50, "2001:db8:1:4000::", false},
		{"2001:db8:1::", 50, "2001:db8:0:ffff:ffff:ffff:ffff:ffff", false},
		{"2001:db8::1", 128, "2001:db8::1", true},
		{"2001:db8::1", 128, "2001:db8::", false},
		{"::", 0, "ff02::1", true},
		{"::", 0, "10.6.0.1", false},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct prefix outer = prefix(rows[i].prefix, rows[i].len);
		struct ip address = ip(rows[i].address);

		if (prefix_contains(&outer, &address) != rows[i].inside)
			fail_msg("%s/%u and %s", rows[i].prefix, rows[i].len, rows[i].address);
	}
}

static void a_prefix_covers_what_is_not_longer_than_it(void **state)
{
	struct prefix wide = prefix("10.0.0.0", 8), narrow = prefix("10.6.0.0", 16), other = prefix("11.0.0.0", 16);

	(void)state;
	assert_true(prefix_covers(&wide, &narrow));
	assert_true(prefix_covers(&wide, &wide));
	assert_false(prefix_covers(&narrow, &wide));
	assert_false(prefix_covers(&wide, &other));
	assert_true(prefix_overlaps(&narrow, &wide));
	assert_false(prefix_overlaps(&narrow, &other));
}

static void classes_begin_and_end_where_the_registry_says(void **state)
{
	enum { MULTICAST = 1, LINK_LOCAL = 2, LOOPBACK = 4, UNSPECIFIED = 8 };
	static const struct {
		const char *address;
		int classes;
	} rows[] = {
		{"223.255.255.255", 0},
		{"224.0.0.0", MULTICAST},
		{"239.255.255.255", MULTICAST},
		{"240.0.0.0", 0},
		{"169.253.255.255", 0},
		{"169.254.0.0", 0},
		{"169.254.255.255", 0},
		{"169.255.0.0", 0},
		{"126.255.255.255", 0},
		{"127.0.0.0", LOOPBACK},
		{"127.255.255.255", LOOPBACK},
		{"128.0.0.0", 0},
		{"0.0.0.0", UNSPECIFIED},
		{"0.0.0.1", 0},
		{"::", UNSPECIFIED},
		{"::1", LOOPBACK},
		{"::2", 0},
		{"fe7f:ffff::", 0},
		{"fe80::", LINK_LOCAL},
		{"febf:ffff::", LINK_LOCAL},
		{"fec0::", 0},
		{"feff:ffff::", 0},
		{"ff00::", MULTICAST},
		{"ffff::", MULTICAST},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct ip address = ip(rows[i].address);
		int classes =
			(ip_is_multicast(&address) ? MULTICAST : 0) | (ip_is_link_local(&address) ? LINK_LOCAL : 0) |
			(ip_is_loopback(&address) ? LOOPBACK : 0) | (ip_is_unspecified(&address) ? UNSPECIFIED : 0);

		if (classes != rows[i].classes)
			fail_msg("%s is %d, not %d", rows[i].address, classes, rows[i].classes);
	}
}

static void only_a_prefix_that_is_in_a_class_as_a_whole_stays_on_its_link(void **state)
{
	static const struct {
		const char *prefix;
		uint8_t len;
		bool stays;
	} rows[] = {
		{"fe80::", 10, true},	    {"fe80::", 9, false},    {"fe80::7", 128, true}, {"fec0::", 10, false},
		{"ff00::", 8, true},	    {"fe00::", 7, false},    {"ff02::1", 128, true}, {"::1", 128, true},
		{"::", 127, false},	    {"::", 0, false},	     {"224.0.0.0", 4, true}, {"224.0.0.0", 3, false},
		{"127.0.0.0", 8, true},	    {"126.0.0.0", 7, false}, {"0.0.0.0", 0, false},  {"10.0.0.0", 8, false},
		{"169.254.0.0", 16, false},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct prefix one = prefix(rows[i].prefix, rows[i].len);

		if (prefix_stays_on_link(&one) != rows[i].stays)
			fail_msg("%s/%u", rows[i].prefix, rows[i].len);
	}
}

static void prefixes_are_in_order_by_family_address_and_length(void **state)
{
	struct prefix rows[] = {
		prefix("0.0.0.0", 0), prefix("10.0.0.0", 8),	prefix("10.0.0.0", 16),	   prefix("10.6.0.0", 16),
		prefix("::", 0),      prefix("2001:db8::", 32), prefix("2001:db8::", 128),
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
		for (size_t j = 0; j < ARRAY_SIZE(rows); j++) {
			int order = prefix_compare(&rows[i], &rows[j]);

			assert_true(i < j ? order < 0 : i > j ? order > 0 : order == 0);
		}
}

static void text_is_the_canonical_form(void **state)
{
	struct prefix six = prefix("2001:0db8:0001:0000::", 50), four = prefix("192.0.2.0", 24);
	char text[PREFIX_TEXT_LEN];

	(void)state;
	assert_string_equal(prefix_text(&six, text), "2001:db8:1::/50");
	assert_string_equal(prefix_text(&four, text), "192.0.2.0/24");
}

static void reduced_prefixes_cover_and_overlap_as_all_of_them_do(void **state)
{
	struct prefix all[] = {prefix("10.6.1.0", 24),	prefix("10.6.0.0", 16),	  prefix("10.6.1.0", 24),
			       prefix("192.0.2.0", 25), prefix("2001:db8::", 32), prefix("10.9.0.0", 16)};
	struct prefixes prefixes = {all, ARRAY_SIZE(all)};
	const struct {
		struct prefix prefix;
		bool covered, overlaps;
	} rows[] = {
		{prefix("10.6.1.0", 24), true, true},	   {prefix("10.6.0.0", 16), true, true},
		{prefix("10.6.255.255", 32), true, true},  {prefix("10.0.0.0", 8), false, true},
		{prefix("10.7.0.0", 16), false, false},	   {prefix("192.0.2.0", 24), false, true},
		{prefix("192.0.2.128", 25), false, false}, {prefix("0.0.0.0", 0), false, true},
		{prefix("2001:db8:1::", 64), true, true},  {prefix("2001:db9::", 32), false, false},
	};
	size_t first;

	(void)state;
	prefixes_reduce(&prefixes);
	assert_int_equal(prefixes.count, 4);
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		assert_int_equal(prefixes_cover(&prefixes, &rows[i].prefix), rows[i].covered);
		assert_int_equal(prefixes_overlap(&prefixes, &rows[i].prefix), rows[i].overlaps);
	}
	assert_int_equal(prefix_inside(all, prefixes.count, sizeof(*all), &rows[3].prefix, &first), 2);
	assert_int_equal(first, 0);
	assert_int_equal(prefix_inside(all, prefixes.count, sizeof(*all), &rows[4].prefix, &first), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(reduced_prefixes_cover_and_overlap_as_all_of_them_do),
		cmocka_unit_test(a_mask_keeps_the_first_bits_at_every_length),
		cmocka_unit_test(a_prefix_holds_its_first_and_last_address_and_not_their_neighbours),
		cmocka_unit_test(a_prefix_covers_what_is_not_longer_than_it),
		cmocka_unit_test(classes_begin_and_end_where_the_registry_says),
		cmocka_unit_test(only_a_prefix_that_is_in_a_class_as_a_whole_stays_on_its_link),
		cmocka_unit_test(prefixes_are_in_order_by_family_address_and_length),
		cmocka_unit_test(text_is_the_canonical_form),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
