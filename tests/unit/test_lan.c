// SPDX-License-Identifier: GPL-2.0-only
/*
 * Where prefixes and this host's own LANs overlap, and what can replace a prefix. It does not depend on this machine.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdio.h>
#include <string.h>

#include "base/error.h"
#include "base/util.h"
#include "config/parse.h"
#include "plan/lan.h"
#include "tests/unit/prefix.h"

enum { WG0 = 1, LAN, DMZ, UNWATCHED };

struct host {
	struct state state;
	struct addresses addresses;
};

static void host_free(struct host *host)
{
	state_free(&host->state);
	free(host->addresses.all);
}

/* "IFINDEX ADDRESS/LENGTH" */
static void add_address(struct host *host, uint32_t ifindex, char *text)
{
	struct address *address = array_grow(&host->addresses.all, &host->addresses.count, sizeof(*address));
	char *slash = strchr(text, '/');
	struct error error;

	*address = (struct address){.ifindex = ifindex, .len = atoi(slash + 1), .is_usable = true};
	*slash = '\0';
	if (parse_ip(text, &address->ip, &error))
		fail_msg("%s", error.text);
}

/* Pairs: "from PREFIX", "tunnel RANGE", "bypass PREFIX", "1 ADDRESS/LENGTH" with the device's ifindex. */
static void host_from(const char *text, struct host *host)
{
	struct ip via = prefix_from("192.0.2.1").ip;
	const struct wgvia_gateway gateway = gateway_value(&via, LAN);
	char copy[512], *save, *word;

	*host = (struct host){.state.tunnel_ifindex = WG0};
	snprintf(copy, sizeof(copy), "%s", text);
	for (word = strtok_r(copy, " ", &save); word; word = strtok_r(NULL, " ", &save)) {
		char *value = strtok_r(NULL, " ", &save);
		struct prefix prefix;

		if (*word >= '0' && *word <= '9') {
			add_address(host, atoi(word), value);
			continue;
		}
		prefix = prefix_from(value);
		if (!strcmp(word, "from"))
			state_add_gateway(&host->state, &prefix, &gateway);
		else if (!strcmp(word, "tunnel"))
			state_add_bypass(&host->state, &prefix, WGVIA_TUNNEL, 0);
		else
			state_add_bypass(&host->state, &prefix, WGVIA_BYPASS, WGVIA_BYPASS_ADMIN);
	}
	state_sort(&host->state);
}

static const struct points points = {
	.all = (struct point[]){{WGVIA_EGRESS, LAN, false}, {WGVIA_EGRESS, DMZ, false}, {WGVIA_BACK, UNWATCHED, false}},
	.count = 3};

static const struct {
	const char *host, *conflicts; /* "own ADDRESS COUNT PREFIX LAN [free ADDRESS]; clients RANGE COUNT LAN" */
} rows[] = {
	{"from 10.6.0.0/16 tunnel 10.6.0.0/16 1 10.6.0.1/16 2 192.0.2.2/24", ""},
	{"from 0.0.0.0/0 tunnel 10.6.0.0/16 1 10.6.0.1/16 2 192.0.2.2/24", "own 192.0.2.2 1 0.0.0.0/0 192.0.2.0/24; "},
	{"from ::/0 2 2001:db8:2::2/64 2 fe80::2/64", "own 2001:db8:2::2 1 ::/0 2001:db8:2::/64; "},
	{"from ::/0 2 192.0.2.2/24", ""},
	{"from 192.0.2.0/24 2 192.0.2.2/24 2 192.0.2.3/24", "own 192.0.2.2 2 192.0.2.0/24 192.0.2.0/24; "},
	{"from 0.0.0.0/0 2 192.0.2.2/24 3 198.51.100.2/25", "own 192.0.2.2 2 0.0.0.0/0 192.0.2.0/24; "},
	/* the longest prefix counts */
	{"from 0.0.0.0/0 from 192.0.2.2/32 2 192.0.2.2/24", "own 192.0.2.2 1 192.0.2.2/32 192.0.2.0/24; "},
	/* no other host there, or only the gateway */
	{"from 0.0.0.0/0 2 192.0.2.2/32", ""},
	{"from 0.0.0.0/0 2 192.0.2.2/30", ""},
	{"from 0.0.0.0/0 2 192.0.2.0/31", ""},
	{"from 0.0.0.0/0 2 192.0.2.2/29", "own 192.0.2.2 1 0.0.0.0/0 192.0.2.0/29; "},
	{"from 0.0.0.0/0 3 198.51.100.2/30", "own 198.51.100.2 1 0.0.0.0/0 198.51.100.0/30; "},
	/* where no program sees what leaves, and where the administrator exempted all of the LAN */
	{"from 0.0.0.0/0 4 203.0.113.2/24", ""},
	{"from 0.0.0.0/0 2 192.0.2.2/24 bypass 192.0.0.0/16", ""},
	{"from 0.0.0.0/0 2 192.0.2.2/24 bypass 192.0.2.3/32", "own 192.0.2.2 1 0.0.0.0/0 192.0.2.0/24; "},
	/* clients inside the LAN, and the tunnel's own address there; the one without another address is shown */
	{"from 192.0.2.8/29 tunnel 192.0.2.8/29 1 192.0.2.9/29 2 192.0.2.2/24",
	 "own 192.0.2.9 1 192.0.2.8/29 192.0.2.0/24 free 192.0.2.2; clients 192.0.2.8/29 1 192.0.2.0/24; "},
	{"from 0.0.0.0/0 tunnel 192.0.2.10/32 tunnel 192.0.2.11/32 tunnel 10.6.0.0/16 2 192.0.2.2/24 2 192.0.2.4/24",
	 "own 192.0.2.2 2 0.0.0.0/0 192.0.2.0/24; clients 192.0.2.10/32 2 192.0.2.0/24; "},
	{"from 10.6.0.0/16 tunnel 192.0.2.10/32 2 192.0.2.2/24", ""},
	{"from 192.0.2.8/29 tunnel 192.0.2.8/29 2 192.0.2.2/24 bypass 192.0.2.0/24", ""},
	{"from 2001:db8:2::a tunnel 2001:db8:2::a 2 2001:db8:2::2/64", "clients 2001:db8:2::a/128 1 2001:db8:2::/64; "},
};

static void conflicts_text(const struct lan_conflicts *conflicts, char *text, size_t size)
{
	FILE *out = fmemopen(text, size, "w");
	char a[PREFIX_TEXT_LEN], b[PREFIX_TEXT_LEN], c[PREFIX_TEXT_LEN];

	for (size_t i = 0; i < conflicts->count; i++) {
		const struct lan_conflict *conflict = &conflicts->all[i];

		prefix_text(&conflict->from, a);
		prefix_text(&conflict->lan, b);
		if (!conflict->own.family) {
			fprintf(out, "clients %s %zu %s; ", a, conflict->count, b);
			continue;
		}
		fprintf(out, "own %s %zu %s %s", ip_text(&conflict->own, c), conflict->count, a, b);
		if (conflict->free.family)
			fprintf(out, " free %s", ip_text(&conflict->free, c));
		fprintf(out, "; ");
	}
	fclose(out);
}

static void prefixes_that_overlap_with_a_lan_are_found(void **context)
{
	(void)context;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		cleanup(host_free) struct host host;
		struct lan_conflicts conflicts;
		char text[512] = "";

		host_from(rows[i].host, &host);
		assert_false(lan_find(&host.state, &points, &host.addresses, &conflicts));
		if (conflicts.count)
			conflicts_text(&conflicts, text, sizeof(text));
		free(conflicts.all);
		if (strcmp(text, rows[i].conflicts) != 0)
			fail_msg("%s\nis        %s\nshould be %s", rows[i].host, text, rows[i].conflicts);
	}
}

static const struct {
	const char *host, *from, *ranges;
} narrower_rows[] = {
	{"from 0.0.0.0/0 tunnel 10.6.0.0/16 1 10.6.0.1/16 2 192.0.2.2/24", "0.0.0.0/0", "10.6.0.0/16 "},
	{"from ::/0 from 0.0.0.0/0 tunnel 10.6.0.0/16 tunnel 2001:db8:1::/50 2 2001:db8:2::2/64", "::/0",
	 "2001:db8:1::/50 "},
	{"from 192.0.2.0/24 tunnel 192.0.2.8/29 tunnel 192.0.2.64/29 tunnel 10.6.0.0/16 2 192.0.2.2/24", "192.0.2.0/24",
	 "192.0.2.8/29 192.0.2.64/29 "},
	/* a range is as wide, or wider, or contains the address as well */
	{"from 192.0.2.8/29 tunnel 192.0.2.8/29 1 192.0.2.9/29 2 192.0.2.2/24", "192.0.2.8/29", ""},
	{"from 192.0.2.0/24 tunnel 0.0.0.0/0 2 192.0.2.2/24", "192.0.2.0/24", ""},
	{"from 0.0.0.0/0 tunnel 192.0.0.0/8 tunnel 10.6.0.0/16 2 192.0.2.2/24", "0.0.0.0/0", ""},
	{"from 0.0.0.0/0 2 192.0.2.2/24", "0.0.0.0/0", ""},
};

static void a_prefix_is_narrowed_to_what_is_in_the_tunnel_where_that_helps(void **context)
{
	(void)context;
	for (size_t i = 0; i < ARRAY_SIZE(narrower_rows); i++) {
		cleanup(host_free) struct host host;
		struct prefix from = prefix_from(narrower_rows[i].from);
		struct prefixes ranges = {};
		char text[512] = "", range[PREFIX_TEXT_LEN];

		host_from(narrower_rows[i].host, &host);
		assert_false(lan_narrower(&host.state, &points, &host.addresses, &from, &ranges));
		for (size_t j = 0; j < ranges.count; j++)
			sprintf(text + strlen(text), "%s ", prefix_text(&ranges.all[j], range));
		free(ranges.all);
		if (strcmp(text, narrower_rows[i].ranges) != 0)
			fail_msg("%s\nis        %s\nshould be %s", narrower_rows[i].host, text,
				 narrower_rows[i].ranges);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(prefixes_that_overlap_with_a_lan_are_found),
		cmocka_unit_test(a_prefix_is_narrowed_to_what_is_in_the_tunnel_where_that_helps),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
