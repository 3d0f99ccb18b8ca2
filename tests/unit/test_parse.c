// SPDX-License-Identifier: GPL-2.0-only
/*
 * Words to values: what is taken, what is refused, and that a refusal names the word and what would be right.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <string.h>
#include <sys/socket.h>

#include "base/util.h"
#include "config/parse.h"

static void prefixes_are_taken_or_refused_with_a_reason(void **state)
{
	/* `text` NULL: refused, with `reason` in the message */
	static const struct {
		const char *words, *text, *reason;
	} rows[] = {
		{"10.6.0.0/16", "10.6.0.0/16", NULL},
		{"10.6.0.1", "10.6.0.1/32", NULL},
		{"0.0.0.0/0", "0.0.0.0/0", NULL},
		{"10.6.0.1/32", "10.6.0.1/32", NULL},
		{"::/0", "::/0", NULL},
		{"2001:DB8:1::/50", "2001:db8:1::/50", NULL},
		{"2001:db8::1/128", "2001:db8::1/128", NULL},
		{"2001:db8::1", "2001:db8::1/128", NULL},
		{"2001:db8::/033", NULL, "no valid length"},
		{"10.6.0.1/16", NULL, "'10.6.0.0/16' is the prefix"},
		{"2001:db8:1::1/50", NULL, "'2001:db8:1::/50' is the prefix"},
		{"2001:db8:1:4000::/49", NULL, "'2001:db8:1::/49' is the prefix"},
		{"10.6.0.0/33", NULL, "0 to 32"},
		{"::/129", NULL, "0 to 128"},
		{"10.6.0.0/", NULL, "no valid length"},
		{"10.6.0.0/-1", NULL, "no valid length"},
		{"10.6.0.0/+8", NULL, "no valid length"},
		{"10.6.0.0/ 8", NULL, "no valid length"},
		{"10.6.0.0/8 ", NULL, "no valid length"},
		{"10.6.0.0/8x", NULL, "no valid length"},
		{"10.6.0.0/0x8", NULL, "no valid length"},
		{"10.6.0.0/4294967304", NULL, "no valid length"},
		{"10.6.0.0/8/8", NULL, "no valid length"},
		{"10.6.0/24", NULL, "is not a valid prefix"},
		{"10.6.0.256/32", NULL, "is not a valid prefix"},
		{"010.6.0.0/16", NULL, "is not a valid prefix"},
		{"2001:db8:::/32", NULL, "is not a valid prefix"},
		{"::ffff:10.6.0.0/112", NULL, "IPv4-mapped"},
		{"fe80::1%eth0/128", NULL, "is not a valid prefix"},
		{"default", NULL, "is not a valid prefix"},
		{"", NULL, "is not a valid prefix"},
		{"/16", NULL, "is not a valid prefix"},
		{"1111:2222:3333:4444:5555:6666:7777:8888:9999:aaaa:bbbb:cccc/1", NULL, "is not a valid prefix"},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct prefix prefix = {};
		struct error error = {};
		char text[PREFIX_TEXT_LEN];
		int ret = parse_prefix(rows[i].words, &prefix, &error);

		if (!rows[i].text != !!ret)
			fail_msg("'%s': %d %s", rows[i].words, ret, error.text);
		if (rows[i].text) {
			assert_string_equal(prefix_text(&prefix, text), rows[i].text);
			continue;
		}
		if (!strstr(error.text, rows[i].reason) || !strstr(error.text, rows[i].words))
			fail_msg("'%s': '%s' does not say '%s'", rows[i].words, error.text, rows[i].reason);
		assert_int_equal(error.status, 2);
		assert_int_equal(prefix.ip.family, 0); /* untouched */
	}
}

static void interface_names_are_those_that_the_kernel_takes(void **state)
{
	static const struct {
		const char *name;
		bool good;
	} rows[] = {
		{"wg0", true},
		{"wg.home", true},
		{"a", true},
		{"123456789012345", true},
		{"eth0-1@x", true},
		{"%", true},
		{"", false},
		{".", false},
		{"..", false},
		{"a/b", false},
		{"a:b", false},
		{"a b", false},
		{"a\tb", false},
		{"a\n", false},
		{"1234567890123456", false},
		{"123456789012345678901234567890123456789012345678901234567890", false},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		char name[IFNAMSIZ] = "before";
		struct error error = {};
		int ret = parse_ifname(rows[i].name, name, &error);

		if (!ret != rows[i].good)
			fail_msg("'%s': %d", rows[i].name, ret);
		assert_string_equal(name, rows[i].good ? rows[i].name : "before");
	}
}

/* Splits at blanks; the array lives until the next call. */
static int up(const char *line, struct request *request, struct error *error)
{
	static char copy[1024];
	char *words[64];
	int count = 0;

	strcpy(copy, line);
	for (char *word = strtok(copy, " "); word; word = strtok(NULL, " "))
		words[count++] = word;
	memset(error, 0, sizeof(*error));
	return parse_up(count, words, request, error);
}

static void up_takes_its_words_in_any_order(void **state)
{
	static const char *const lines[] = {
		"wg6 from 2001:db8:1::/50 via 2001:db8:2::1 dev ens3 "
		"from 10.6.0.0/16 bypass 192.0.2.9 mode stack on-fail pass",
		"wg6 on-fail pass mode stack bypass 192.0.2.9/32 from "
		"2001:db8:1::/50 dev ens3 via 2001:db8:2::1 from 10.6.0.0/16",
	};
	struct request request;
	struct error error;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(lines); i++) {
		assert_int_equal(up(lines[i], &request, &error), 0);
		assert_string_equal(request.tunnel, "wg6");
		assert_int_equal(request.route_count, 2);
		assert_int_equal(request.routes[0].from.len, 50);
		assert_int_equal(request.routes[0].via.family, AF_INET6);
		assert_string_equal(request.routes[0].dev, "ens3");
		assert_int_equal(request.routes[1].from.len, 16);
		assert_int_equal(request.routes[1].via.family, 0);
		assert_string_equal(request.routes[1].dev, "");
		assert_int_equal(request.bypass_count, 1);
		assert_int_equal(request.bypass[0].len, 32);
		assert_int_equal(request.mode, WGVIA_STACK);
		assert_int_equal(request.on_fail, WGVIA_PASS);
		request_free(&request);
	}
	assert_int_equal(up("wg6", &request, &error), 0);
	assert_int_equal(request.route_count, 0);
	assert_int_equal(request.mode, WGVIA_FAST);
	assert_int_equal(request.on_fail, WGVIA_DROP);
	request_free(&request);
	assert_int_equal(up("wg6 from 10.6.0.0/16 dev ens3 via 192.0.2.1 or 192.0.2.9 or fe80::1 dev ens4 mode stack "
			    "from 10.7.0.0/16 via 192.0.2.9 or 192.0.2.1",
			    &request, &error),
			 0);
	assert_int_equal(request.route_count, 2);
	assert_int_equal(request.routes[0].other_count, 2);
	assert_string_equal(request.routes[0].dev, "ens3");
	assert_int_equal(request.routes[0].others[0].via.addr[3], 9);
	assert_string_equal(request.routes[0].others[0].dev, "");
	assert_int_equal(request.routes[0].others[1].via.family, AF_INET6);
	assert_string_equal(request.routes[0].others[1].dev, "ens4");
	assert_int_equal(request.routes[1].other_count, 1);
	assert_int_equal(request.mode, WGVIA_STACK);
	request_free(&request);
	assert_int_equal(up("wg6 from 10.6.0.0/16 via 192.0.2.1 or 192.0.2.2 or 192.0.2.3 or 192.0.2.4 or 192.0.2.5 or "
			    "192.0.2.6 or 192.0.2.7 or 192.0.2.8",
			    &request, &error),
			 0);
	assert_int_equal(request.routes[0].other_count, ROUTE_OTHERS);
	request_free(&request);
	/* the same address on two links is two gateways */
	assert_int_equal(up("wg6 from ::/0 via fe80::1 dev ens3 or fe80::1 dev ens4", &request, &error), 0);
	request_free(&request);
	/* an IPv4 prefix may have an IPv6 next hop */
	assert_int_equal(up("wg6 from 10.6.0.0/16 via 2001:db8:2::1", &request, &error), 0);
	request_free(&request);
	/* there is more in these than link-local and multicast */
	assert_int_equal(up("wg6 from 224.0.0.0/3 via 192.0.2.1 from fe80::/9 via fe80::1 dev ens3", &request, &error),
			 0);
	request_free(&request);
	assert_int_equal(up("wg6 from 0.0.0.0/0 via 192.0.2.1 from ::/0 via fe80::1 dev ens3", &request, &error), 0);
	request_free(&request);
}

static void up_takes_gateways_for_the_interface_s_own_prefixes(void **state)
{
	struct request request;
	struct error error;

	(void)state;
	assert_int_equal(up("wg6 mode stack via 192.0.2.1 dev ens3 or 192.0.2.9 via fe80::1 dev ens3 bypass 192.0.2.3",
			    &request, &error),
			 0);
	assert_int_equal(request.route_count, 0);
	assert_int_equal(request.source_count, 2);
	assert_int_equal(request.sources[0].from.ip.family, AF_INET);
	assert_string_equal(request.sources[0].dev, "ens3");
	assert_int_equal(request.sources[0].other_count, 1);
	assert_int_equal(request.sources[1].from.ip.family, AF_INET6);
	assert_int_equal(request.sources[1].other_count, 0);
	assert_int_equal(request.bypass_count, 1);
	request_free(&request);
	/* an interface that is named like a keyword or an address */
	assert_int_equal(up("from from 10.6.0.0/16 via 192.0.2.1", &request, &error), 0);
	assert_string_equal(request.tunnel, "from");
	request_free(&request);
	assert_int_equal(up("10.6.0.1 via 192.0.2.1", &request, &error), 0);
	assert_string_equal(request.tunnel, "10.6.0.1");
	request_free(&request);
}

static void up_takes_the_choices_of_return(void **state)
{
	struct request request;
	struct error error;

	(void)state;
	assert_int_equal(
		up("wg6 return drop also 192.0.2.9 dev ens3 also 02:AB:00:00:00:01 mode stack", &request, &error), 0);
	assert_int_equal(request.ret, WGVIA_RETURN_DROP);
	assert_int_equal(request.also_count, 2);
	assert_false(request.also[0].is_mac);
	assert_string_equal(request.also[0].hop.dev, "ens3");
	assert_true(request.also[1].is_mac);
	assert_memory_equal(request.also[1].mac, ((uint8_t[]){2, 0xab, 0, 0, 0, 1}), 6);
	assert_int_equal(request.mode, WGVIA_STACK);
	request_free(&request);
	assert_int_equal(up("wg6", &request, &error), 0);
	assert_int_equal(request.ret, WGVIA_RETURN_VIA);
	request_free(&request);
}

static void up_refuses_with_a_reason(void **state)
{
	static const struct {
		const char *line, *reason;
	} rows[] = {
		{"", "IFACE is missing"},
		{"wg6 from", "'from' needs a value"},
		{"wg6 from 10.6.0.0/16 via", "'via' needs a value"},
		{"wg6 from 10.6.0.0/16 dev", "'dev' needs a value"},
		{"wg6 bypass", "'bypass' needs a value"},
		{"wg6 mode", "'mode' needs a value"},
		{"wg6 on-fail", "'on-fail' needs a value"},
		{"wg6 mode medium", "fast or stack"},
		{"wg6 return", "'return' needs a value"},
		{"wg6 return maybe", "via, any or drop"},
		{"wg6 return via return drop", "'return' is given twice"},
		{"wg6 return any also 192.0.2.9", "accepts frames from everybody"},
		{"wg6 return via also", "'also' needs a value"},
		{"wg6 return via also 02:00:00:00:00", "not a MAC address or an IP address"},
		{"wg6 return via also 02:00:00:00:00:001", "not a MAC address or an IP address"},
		{"wg6 return via also +2:00:00:00:00:01", "not a MAC address or an IP address"},
		{"wg6 return via also 01:00:5e:00:00:01", "MAC address of a group"},
		{"wg6 return via also 192.0.2.9 dev", "'dev' needs a value"},
		{"wg6 outside", "'outside' needs a value"},
		{"wg6 outside explode", "pass or drop"},
		{"wg6 outside drop outside drop", "'outside' is given twice"},
		{"wg6 mss", "'mss' needs a value"},
		{"wg6 mss on", "'on' is not a valid MSS: auto, off, or 536 to 65495"},
		{"wg6 mss 535", "'535' is not a valid MSS: auto, off, or 536 to 65495"},
		{"wg6 mss 65496", "not a valid MSS"},
		{"wg6 mss 1360x", "not a valid MSS"},
		{"wg6 mss auto mss off", "'mss' is given twice"},
		{"wg6 on-fail explode", "drop or pass"},
		{"wg6 mode fast mode stack", "'mode' is given twice"},
		{"wg6 on-fail drop on-fail pass", "'on-fail' is given twice"},
		{"wg6 via", "'via' needs a value"},
		{"wg6 via 192.0.2.1/24", "'192.0.2.1/24' is not a valid address"},
		{"wg6 via 224.0.0.1", "multicast"},
		{"wg6 via fe80::1", "its device is needed"},
		{"wg6 via 192.0.2.1 via 192.0.2.2", "'via' is given twice for IPv4: 'or ADDRESS' names"},
		{"wg6 via 2001:db8::1 via 192.0.2.1 via 2001:db8::2",
		 "'via' is given twice for IPv6: 'or ADDRESS' names"},
		{"wg6 via 192.0.2.1 or 192.0.2.1", "'192.0.2.1' is given twice"},
		{"wg6 via 192.0.2.1 from 10.6.0.0/16", "does not go with 'from'"},
		{"wg6 from 10.6.0.0/16 mode fast via 192.0.2.1", "does not go with 'from'"},
		{"wg6 from 10.6.0.0/16 via 192.0.2.1 via 192.0.2.2", "'via' is given twice for '10.6.0.0/16'"},
		{"from 10.6.0.0/16 via 192.0.2.1 wg6", "IFACE comes first, before 'from'"},
		{"via 192.0.2.1 wg6", "IFACE comes first, before 'via'"},
		{"10.6.0.0/16 wg6", "IFACE comes first, before '10.6.0.0/16'"},
		{"2001:db8::1 wg6", "IFACE comes first, before '2001:db8::1'"},
		{"dev wg6", "IFACE comes first, before 'dev'"},
		{"wg6 from 10.6.0.0/16 dev a dev b", "unexpected word 'dev'"},
		{"wg6 from 10.6.0.0/16 frm 10.7.0.0/16", "unexpected word 'frm'"},
		{"wg6 from 10.6.0.0/16 from 10.6.0.0/16", "given twice"},
		{"wg6 from 2001:db8:1::/50 via 192.0.2.1", "IPv6 prefix"},
		{"wg6 from 10.6.0.0/16 via 10.0.0.0/8", "it has a prefix length"},
		{"wg6 from 10.6.0.0/16 via 224.0.0.1", "multicast"},
		{"wg6 from 10.6.0.0/16 via 255.255.255.255", "broadcast"},
		{"wg6 from 2001:db8:1::/50 via ff02::1 dev ens3", "multicast"},
		{"wg6 from 10.6.0.0/16 via 0.0.0.0", "is not a gateway address"},
		{"wg6 from 10.6.0.0/16 via 127.0.0.1", "is not a gateway address"},
		{"wg6 from 2001:db8:1::/50 via ::", "is not a gateway address"},
		{"wg6 from 2001:db8:1::/50 via ::1", "is not a gateway address"},
		{"wg6 from 2001:db8:1::/50 via fe80::1", "its device is needed"},
		{"wg6 from 10.6.0.0/16 via fe80::1", "its device is needed"},
		{"wg6 from 10.6.0.0/16 dev wg6", "the tunnel itself"},
		{"wg6 from 224.0.0.0/8", "multicast"},
		{"wg6 from ff00::/8", "multicast"},
		{"wg6 from fe80::/64", "link-local"},
		{"wg6 from fe80::/10", "link-local"},
		{"wg6 from 127.0.0.0/8", "loopback"},
		{"wg6 from ::1", "loopback"},
		{"wg6 from 10.6.0.0/16 or 192.0.2.1", "needs a first gateway"},
		{"wg6 from 10.6.0.0/16 dev ens3 or 192.0.2.1", "needs a first gateway"},
		{"wg6 from 10.6.0.0/16 via 192.0.2.1 or", "'or' needs a value"},
		{"wg6 from 10.6.0.0/16 via 192.0.2.1 or ens3", "not an IPv4 or IPv6 address"},
		{"wg6 from 10.6.0.0/16 via 192.0.2.1 or 192.0.2.2 dev", "'dev' needs a value"},
		{"wg6 from 10.6.0.0/16 via 192.0.2.1 or 192.0.2.2 via 192.0.2.3", "'via' is given twice"},
		{"wg6 from 10.6.0.0/16 via 192.0.2.1 or 192.0.2.1", "'192.0.2.1' is given twice"},
		{"wg6 from 10.6.0.0/16 via 192.0.2.2 or 192.0.2.1 or 192.0.2.1", "'192.0.2.1' is given twice"},
		{"wg6 from 10.6.0.0/16 via 192.0.2.1 or 224.0.0.1", "multicast"},
		{"wg6 from 10.6.0.0/16 via 192.0.2.1 or 192.0.2.2 dev wg6", "the tunnel itself"},
		{"wg6 from ::/0 via 2001:db8::1 or 192.0.2.1", "IPv6 prefix"},
		{"wg6 from ::/0 via 2001:db8::1 or fe80::1", "its device is needed"},
		{"wg6 from ::/0 via ::2 or 1::1 or 1::2 or 1::3 or 1::4 or 1::5 or 1::6 or 1::7 or 1::8", "8 at most"},
		{"wg6 from 10.6.0.0/16 health forward", "needs a gateway before 'health'"},
		{"wg6 from 10.6.0.0/16 dev ens3 health forward", "needs a gateway before 'health'"},
		{"wg6 from 10.6.0.0/16 via 192.0.2.1 health", "'health' needs a value"},
		{"wg6 from 10.6.0.0/16 via 192.0.2.1 health alive", "neighbour, forward, ping ADDRESS or tcp"},
		{"wg6 from 10.6.0.0/16 via 192.0.2.1 health forward health forward", "'health' is given twice"},
		{"wg6 from 10.6.0.0/16 via 192.0.2.1 health forward or 192.0.2.2", "unexpected word 'or'"},
		{"wg6 from 10.6.0.0/16 via 192.0.2.1 health ping 2001:db8::3", "needs an IPv4 address"},
		{"wg6 from 10.6.0.0/16 via 2001:db8::1 health ping 2001:db8::3", "needs an IPv4 address"},
		{"wg6 via 2001:db8::1 health tcp 192.0.2.3:80", "needs an IPv6 address"},
		{"health wg6", "IFACE comes first, before 'health'"},
		{"1234567890123456", "15 characters"},
		{"wg6 from 10.6.0.0/16 dev 1234567890123456", "15 characters"},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct request request;
		struct error error;

		if (!up(rows[i].line, &request, &error))
			fail_msg("'%s' is taken", rows[i].line);
		if (!strstr(error.text, rows[i].reason))
			fail_msg("'%s': '%s' does not say '%s'", rows[i].line, error.text, rows[i].reason);
		assert_int_equal(error.status, 2);
		assert_null(strchr(error.text, '\n'));
		request_free(&request);
	}
}

static void route_and_bypass_take_exactly_their_words(void **state)
{
	char *route[] = {"wg6", "from", "10.6.0.0/16", "via", "192.0.2.1", "dev", "ens3", "more"};
	char *list[] = {"wg6", "from", "10.6.0.0/16", "via", "192.0.2.1", "or", "192.0.2.2", "dev", "ens3"};
	char *bypass[] = {"wg6", "192.0.2.0/24", "more"};
	struct route_words words;
	struct prefix prefix;
	struct error error;
	char tunnel[IFNAMSIZ];

	(void)state;
	assert_int_not_equal(parse_route(0, route, tunnel, &words, &error), 0);
	assert_int_not_equal(parse_route(1, route, tunnel, &words, &error), 0);
	assert_int_not_equal(parse_route(2, route, tunnel, &words, &error), 0);
	assert_int_equal(parse_route(3, route, tunnel, &words, &error), 0);
	assert_int_equal(parse_route(7, route, tunnel, &words, &error), 0);
	assert_string_equal(words.dev, "ens3");
	assert_int_not_equal(parse_route(8, route, tunnel, &words, &error), 0);
	assert_non_null(strstr(error.text, "unexpected word 'more'"));
	assert_int_equal(parse_route(ARRAY_SIZE(list), list, tunnel, &words, &error), 0);
	assert_int_equal(words.other_count, 1);
	route_words_free(&words);

	assert_int_not_equal(parse_bypass(0, bypass, tunnel, &prefix, &error), 0);
	assert_int_not_equal(parse_bypass(1, bypass, tunnel, &prefix, &error), 0);
	assert_int_equal(parse_bypass(2, bypass, tunnel, &prefix, &error), 0);
	assert_int_equal(prefix.len, 24);
	assert_int_not_equal(parse_bypass(3, bypass, tunnel, &prefix, &error), 0);
}

static void trace_takes_its_words_in_any_order(void **state)
{
	char *all[] = {"wg6",	    "count",   "3",	 "verdict", "no_gateway", "to",
		       "192.0.2.3", "verdict", "not_ip", "from",    "10.6.0.0/16"};
	char *mixed[] = {"wg6", "from", "10.6.0.0/16", "to", "2001:db8::/32"};
	struct trace_words words;
	struct error error;

	(void)state;
	assert_int_equal(parse_trace(1, all, &words, &error), 0);
	assert_int_equal(words.from.ip.family | words.to.ip.family | words.verdicts | words.count, 0);
	assert_int_equal(parse_trace(ARRAY_SIZE(all), all, &words, &error), 0);
	assert_int_equal(words.count, 3);
	assert_int_equal(words.verdicts, 1 << WGVIA_NO_GATEWAY | 1 << WGVIA_NOT_IP);
	assert_int_equal(words.from.len, 16);
	assert_int_equal(words.to.len, 32);
	assert_int_not_equal(parse_trace(0, all, &words, &error), 0);
	assert_int_not_equal(parse_trace(ARRAY_SIZE(mixed), mixed, &words, &error), 0);
	for (int argc = 2; argc < (int)ARRAY_SIZE(all); argc += 2)
		assert_int_not_equal(parse_trace(argc, all, &words, &error), 0);
}

static void run_takes_a_file_and_numbers(void **unused)
{
	static const struct {
		const char *line;
		const char *path; /* NULL: none */
		unsigned int interval, hold, tries;
	} good[] = {
		{"wg6", NULL, 1000, 10000, 3},
		{"wg6 /etc/wgvia/wg6.conf", "/etc/wgvia/wg6.conf", 1000, 10000, 3},
		{"wg6 file interval 0.1 hold 0 tries 1", "file", 100, 0, 1},
		{"wg6 tries 10 hold 3600 interval 60", NULL, 60000, 3600000, 10},
		{"wg6 ./hold hold 1.5", "./hold", 1000, 1500, 3},
		{"wg6 interval 0.25 hold 0.001", NULL, 250, 1, 3},
		{"wg6 interval 12.345 hold 1.230", NULL, 12345, 1230, 3},
	};
	static const struct {
		const char *line, *reason;
	} bad[] = {
		{"", "IFACE is missing"},
		{"wg6 file more", "unexpected word 'more'"},
		{"wg6 interval", "'interval' needs a value"},
		{"wg6 interval 1 interval 2", "given twice"},
		{"wg6 interval 0.099", "from 0.1 to 60"},
		{"wg6 interval 60.001", "from 0.1 to 60"},
		{"wg6 interval 99999999999999999999", "from 0.1 to 60"},
		{"wg6 interval 0.2500", "not a number of seconds"},
		{"wg6 interval -1", "not a number of seconds"},
		{"wg6 interval 1s", "not a number of seconds"},
		{"wg6 interval .5", "not a number of seconds"},
		{"wg6 interval 1.", "not a number of seconds"},
		{"wg6 interval 1.2.3", "not a number of seconds"},
		{"wg6 interval .", "not a number of seconds"},
		{"wg6 hold 3600.1", "from 0 to 3600"},
		{"wg6 tries 0", "from 1 to 10"},
		{"wg6 tries 11", "from 1 to 10"},
	};
	struct run_words words;
	char copy[256], *argv[16];

	(void)unused;
	for (size_t i = 0; i < ARRAY_SIZE(good) + ARRAY_SIZE(bad); i++) {
		bool is_good = i < ARRAY_SIZE(good);
		const char *line = is_good ? good[i].line : bad[i - ARRAY_SIZE(good)].line;
		struct error error = {};
		int argc = 0;

		strcpy(copy, line);
		for (char *word = strtok(copy, " "); word; word = strtok(NULL, " "))
			argv[argc++] = word;
		if (!parse_run(argc, argv, &words, &error) != is_good)
			fail_msg("'%s': %s", line, error.text);
		if (!is_good) {
			if (!strstr(error.text, bad[i - ARRAY_SIZE(good)].reason))
				fail_msg("'%s': '%s'", line, error.text);
			continue;
		}
		if (words.interval != good[i].interval || words.hold != good[i].hold || words.tries != good[i].tries)
			fail_msg("'%s': %u %u %u", line, words.interval, words.hold, words.tries);
		assert_true(!words.path == !good[i].path && (!words.path || !strcmp(words.path, good[i].path)));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(prefixes_are_taken_or_refused_with_a_reason),
		cmocka_unit_test(interface_names_are_those_that_the_kernel_takes),
		cmocka_unit_test(up_takes_its_words_in_any_order),
		cmocka_unit_test(up_takes_gateways_for_the_interface_s_own_prefixes),
		cmocka_unit_test(up_takes_the_choices_of_return),
		cmocka_unit_test(up_refuses_with_a_reason),
		cmocka_unit_test(run_takes_a_file_and_numbers),
		cmocka_unit_test(route_and_bypass_take_exactly_their_words),
		cmocka_unit_test(trace_takes_its_words_in_any_order),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
