// SPDX-License-Identifier: GPL-2.0-only
/*
 * AllowedIPs as prefixes: the fewest with exactly the same addresses, and the part of a range that prefixes do not
 * cover. Also compared with a bitmap of a small space, and without quadratic running time.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <string.h>
#include <sys/socket.h>

#include "base/util.h"
#include "plan/allowed_ips.h"
#include "prefix.h"

/* From words separated by blanks, in their order. */
static struct prefixes prefixes_from(const char *words)
{
	struct prefixes prefixes = {};
	char *copy = strdup(words), *word, *rest = copy;

	while ((word = strsep(&rest, " "))) {
		struct prefix *prefix;

		if (!*word)
			continue;
		prefix = array_grow(&prefixes.all, &prefixes.count, sizeof(*prefix));
		assert_non_null(prefix);
		*prefix = prefix_from(word);
	}
	free(copy);
	return prefixes;
}

static void assert_prefixes(const struct prefixes *prefixes, const char *words)
{
	char text[1000] = "", prefix[PREFIX_TEXT_LEN];

	for (size_t i = 0; i < prefixes->count; i++) {
		strcat(text, i ? " " : "");
		strcat(text, prefix_text(&prefixes->all[i], prefix));
	}
	assert_string_equal(text, words);
}

/* All at one peer. The caller frees both arrays. */
static struct wireguard peers_with(const struct prefixes *prefixes)
{
	struct wireguard wireguard = {.allowed_count = prefixes->count};

	wireguard.peers = array_grow(&wireguard.peers, &wireguard.peer_count, sizeof(*wireguard.peers));
	wireguard.allowed = calloc(prefixes->count + 1, sizeof(*wireguard.allowed));
	assert_true(wireguard.peers && wireguard.allowed);
	for (size_t i = 0; i < prefixes->count; i++)
		wireguard.allowed[i].prefix = prefixes->all[i];
	return wireguard;
}

static void contained_ranges_go_and_adjacent_halves_join(void **context)
{
	static const struct {
		const char *ranges, *aggregated;
	} rows[] = {
		{"", ""},
		{"10.0.0.1/32", "10.0.0.1/32"},
		{"10.0.0.0/32 10.0.0.1/32", "10.0.0.0/31"},
		{"10.0.0.1/32 10.0.0.2/32", "10.0.0.1/32 10.0.0.2/32"}, /* adjacent, but not halves of one prefix */
		{"10.0.0.3/32 10.0.0.1/32 10.0.0.0/32 10.0.0.2/32", "10.0.0.0/30"},
		{"10.0.0.0/31 10.0.0.2/32 10.0.0.3/32 10.0.0.4/30", "10.0.0.0/29"},
		{"10.0.0.0/24 10.0.0.7/32 10.0.0.0/25", "10.0.0.0/24"},
		{"10.0.0.0/25 10.0.1.128/25", "10.0.0.0/25 10.0.1.128/25"},
		{"10.0.0.0/24 10.0.1.0/25", "10.0.0.0/24 10.0.1.0/25"}, /* of different length */
		{"0.0.0.0/1 128.0.0.0/1", "0.0.0.0/0"},
		{"0.0.0.0/0 10.0.0.0/8 ::/0", "0.0.0.0/0 ::/0"},
		{"2001:db8::/33 2001:db8:8000::/33 10.0.0.0/8", "10.0.0.0/8 2001:db8::/32"},
		{"2001:db8::/128 2001:db8::1/128", "2001:db8::/127"},
		{"255.255.255.254/32 255.255.255.255/32", "255.255.255.254/31"},
		{"::/1 0.0.0.0/1", "0.0.0.0/1 ::/1"}, /* of two families */
	};

	(void)context;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct prefixes ranges = prefixes_from(rows[i].ranges), aggregated = {};
		struct wireguard wireguard = peers_with(&ranges);
		struct error error = {};

		assert_int_equal(allowed_ips_aggregate(&wireguard, true, &aggregated, &error), 0);
		assert_prefixes(&aggregated, rows[i].aggregated);
		free(ranges.all);
		free(aggregated.all);
		wireguard_free(&wireguard);
	}
}

static void all_addresses_of_a_family_are_refused_unless_they_are_wanted(void **context)
{
	static const struct {
		const char *ranges, *refusal; /* NULL: none */
	} rows[] = {
		{"10.0.0.0/8 0.0.0.0/1", NULL},
		{"0.0.0.0/0", "peer 'AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=' may send from every address: its "
			      "AllowedIPs have '0.0.0.0/0'"},
		{"10.0.0.0/8 ::/0", "peer 'AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=' may send from every address: "
				    "its AllowedIPs have '::/0'"},
		{"0.0.0.0/1 128.0.0.0/1",
		 "the peers may send from every address: their AllowedIPs add up to '0.0.0.0/0'"},
	};

	(void)context;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct prefixes ranges = prefixes_from(rows[i].ranges), aggregated = {};
		struct wireguard wireguard;
		struct error error = {};
		int ret;

		prefixes_sort(&ranges);
		wireguard = peers_with(&ranges);
		ret = allowed_ips_aggregate(&wireguard, false, &aggregated, &error);
		assert_int_equal(ret, rows[i].refusal ? -EINVAL : 0);
		assert_string_equal(error.text, rows[i].refusal ?: "");
		assert_int_equal(!error.hint[0], !rows[i].refusal);
		assert_int_equal(!aggregated.all, !!rows[i].refusal);
		free(ranges.all);
		free(aggregated.all);
		wireguard_free(&wireguard);
	}
}

static void the_uncovered_parts_of_a_range(void **context)
{
	static const struct {
		const char *covering, *range, *parts;
	} rows[] = {
		{"", "10.0.0.0/8", "10.0.0.0/8"},
		{"10.0.0.0/8", "10.0.0.0/8", ""},
		{"10.0.0.0/8", "10.1.2.3/32", ""},
		{"11.0.0.0/8 9.0.0.0/8", "10.0.0.0/8", "10.0.0.0/8"},
		{"10.0.0.0/9", "10.0.0.0/8", "10.128.0.0/9"},
		{"10.128.0.0/9 10.0.0.0/9", "10.0.0.0/8", ""},
		{"10.0.0.2/32", "10.0.0.0/29", "10.0.0.0/31 10.0.0.3/32 10.0.0.4/30"},
		{"::/0", "10.0.0.0/8", "10.0.0.0/8"},
		{"2001:db8::1/128", "2001:db8::/127", "2001:db8::/128"},
		{"0.0.0.0/1", "0.0.0.0/0", "128.0.0.0/1"},
	};

	(void)context;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct prefixes covering = prefixes_from(rows[i].covering), parts = {};
		struct prefix range = prefix_from(rows[i].range);

		prefixes_reduce(&covering);
		assert_int_equal(prefixes_uncovered(&covering, &range, SIZE_MAX, &parts), 0);
		assert_prefixes(&parts, rows[i].parts);
		free(covering.all);
		free(parts.all);
	}
}

static void no_more_parts_than_are_asked_for(void **context)
{
	struct prefixes covering = prefixes_from("10.0.0.0/32"), parts = {};
	struct prefix range = prefix_from("10.0.0.0/8");

	(void)context;
	assert_int_equal(prefixes_uncovered(&covering, &range, 2, &parts), 0);
	assert_prefixes(&parts, "10.0.0.1/32 10.0.0.2/31");
	free(covering.all);
	free(parts.all);
}

/* --- a space of 256 addresses, in ::/120: as a bitmap --- */

static struct prefix random_prefix(void)
{
	struct ip ip = {.family = AF_INET6, .addr[15] = random()};
	unsigned int len = 120 + random() % 9;

	return (struct prefix){ip_mask(ip, len), len};
}

static struct prefixes random_prefixes(void)
{
	struct prefixes prefixes = {calloc(64, sizeof(struct prefix)), random() % 64};

	assert_non_null(prefixes.all);
	for (size_t i = 0; i < prefixes.count; i++)
		prefixes.all[i] = random_prefix();
	return prefixes;
}

/* Counts for each address how many prefixes contain it. */
static void count_addresses(const struct prefixes *prefixes, uint8_t counts[256])
{
	memset(counts, 0, 256);
	for (size_t i = 0; i < prefixes->count; i++)
		for (unsigned int j = 0; j < 256; j++) {
			struct ip ip = {.family = AF_INET6, .addr[15] = j};

			counts[j] += prefix_contains(&prefixes->all[i], &ip);
		}
}

/* The fewest prefixes with exactly the addresses of `from` to before `from` + `size`. */
static size_t count_fewest(const uint8_t counts[256], unsigned int from, unsigned int size)
{
	unsigned int set = 0;

	for (unsigned int i = from; i < from + size; i++)
		set += counts[i] > 0;
	if (!set || set == size)
		return set ? 1 : 0;
	return count_fewest(counts, from, size / 2) + count_fewest(counts, from + size / 2, size / 2);
}

static void aggregated_prefixes_have_the_same_addresses_once_and_are_the_fewest(void **context)
{
	uint8_t before[256], after[256];

	(void)context;
	for (int run = 0; run < 3000; run++) {
		struct prefixes prefixes = random_prefixes();

		count_addresses(&prefixes, before);
		prefixes_aggregate(&prefixes);
		count_addresses(&prefixes, after);
		for (int i = 0; i < 256; i++)
			assert_int_equal(after[i], before[i] > 0);
		assert_int_equal(prefixes.count, count_fewest(before, 0, 256));
		for (size_t i = 1; i < prefixes.count; i++)
			assert_true(prefix_compare(&prefixes.all[i - 1], &prefixes.all[i]) < 0);
		free(prefixes.all);
	}
}

static void uncovered_parts_are_the_rest_of_the_range_and_the_fewest(void **context)
{
	uint8_t covered[256], whole[256], rest[256];

	(void)context;
	for (int run = 0; run < 3000; run++) {
		struct prefixes covering = random_prefixes(), parts = {};
		struct prefix range = random_prefix();

		count_addresses(&covering, covered);
		count_addresses(&(struct prefixes){&range, 1}, whole);
		prefixes_reduce(&covering);
		assert_int_equal(prefixes_uncovered(&covering, &range, SIZE_MAX, &parts), 0);
		count_addresses(&parts, rest);
		for (int i = 0; i < 256; i++)
			assert_int_equal(rest[i], whole[i] && !covered[i]);
		assert_int_equal(parts.count, count_fewest(rest, 0, 256));
		free(covering.all);
		free(parts.all);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(contained_ranges_go_and_adjacent_halves_join),
		cmocka_unit_test(all_addresses_of_a_family_are_refused_unless_they_are_wanted),
		cmocka_unit_test(the_uncovered_parts_of_a_range),
		cmocka_unit_test(no_more_parts_than_are_asked_for),
		cmocka_unit_test(aggregated_prefixes_have_the_same_addresses_once_and_are_the_fewest),
		cmocka_unit_test(uncovered_parts_are_the_rest_of_the_range_and_the_fewest),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
