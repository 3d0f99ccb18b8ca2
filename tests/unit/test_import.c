// SPDX-License-Identifier: GPL-2.0-only
/*
 * wg-quick files to configurations: the recipe in all the forms that iproute2 accepts, what is kept, and what gets a
 * remark. tests/net/import.bats shows that the result carries packets.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/util.h"
#include "import/import.h"
#include "import/shell.h"
#include "import/translate.h"
#include "import/wgquick.h"

#define KEY "yAnz5TF+lXXJte14tji3zlMNq+hd2rYUIgJBgB3fBmk="

/* Statements, lines and remarks, one per line, in the format of the table's rows. */
static void render(const struct import *import, char text[8192])
{
	char statement[RECIPE_STATEMENT], prefix[PREFIX_TEXT_LEN];
	char *end = text;

	*end = '\0';
	for (size_t i = 0; i < import->request.route_count; i++)
		end += sprintf(end, "%s\n", translation_statement(&import->request.routes[i], statement));
	for (size_t i = 0; i < import->request.bypass_count; i++)
		end += sprintf(end, "bypass %s\n", prefix_text(&import->request.bypass[i], prefix));
	for (size_t i = 0; i < import->line_count; i++)
		end += sprintf(end, "%s = %s\n", import->lines[i].key, import->lines[i].value);
	for (size_t i = 0; i < import->remark_count; i++)
		end += sprintf(end, "%u '%s' %s\n", import->remarks[i].line, import->remarks[i].command,
			       import->remarks[i].remark);
}

static int read_text(const char *text, struct import *import, struct error *error)
{
	return import_read("wg6", text, strlen(text), import, error);
}

static void check_file(const char *file, const char *expected)
{
	struct import import;
	struct error error = {};
	char text[8192];

	if (read_text(file, &import, &error))
		fail_msg("refused: %s (%s)\n%s", error.text, error.hint, file);
	render(&import, text);
	if (strcmp(text, expected) != 0)
		fail_msg("of\n%s\nit makes\n%s\nnot\n%s", file, text, expected);
	import_free(&import);
}

#define HOOKS(words) "PreUp = wgvia up %i " words "\nPostUp = wgvia up %i " words "\nPostDown = wgvia down %i\n"

/* The README's: "ip -6 rule add from 2001:db8:1::/50 table wg6", and the two routes in it. */
static void the_recipe_becomes_one_statement_and_three_hooks(void **state)
{
	(void)state;
	check_file("[Interface]\n"
		   "Address = 2001:db8:1::1/50\n"
		   "PrivateKey = " KEY "\n"
		   "ListenPort = 51820\n"
		   "Table = off\n"
		   "PostUp = ip -6 rule add from 2001:db8:1::/50 table wg6\n"
		   "PostUp = ip -6 route add 2001:db8:1::/50 dev wg6 table wg6\n"
		   "PostUp = ip -6 route add default via 2001:db8:2::1 dev ens3 table wg6\n"
		   "PreDown = ip -6 rule del from 2001:db8:1::/50 table wg6\n"
		   "PreDown = ip -6 route flush table wg6\n"
		   "[Peer]\n"
		   "PublicKey = " KEY "\n"
		   "AllowedIPs = 2001:db8:1::10/128\n",
		   "from 2001:db8:1::/50 via 2001:db8:2::1 dev ens3\n"
		   "Table = off\n" HOOKS("from 2001:db8:1::/50 via 2001:db8:2::1 dev ens3"));
}

#define HOOKS4 HOOKS("from 10.6.0.0/16 via 192.0.2.1 dev ens3")
#define RESULT4 "from 10.6.0.0/16 via 192.0.2.1 dev ens3\n" HOOKS4

static void every_way_to_write_the_recipe_is_read(void **state)
{
	static const struct {
		const char *file, *expected;
	} rows[] = {
		/* IPv4, a numeric table, family from the addresses, a word for the default route, any order */
		{"[Interface]\nAddress=10.6.0.1/16\nPostUp=ip rule add from 10.6.0.0/16 table 100\n"
		 "PostUp=ip route add 10.6.0.0/16 dev wg6 table 100\n"
		 "PostUp=ip route add default dev ens3 via 192.0.2.1 table 100\n"
		 "PostDown=ip rule del from 10.6.0.0/16 table 100\nPostDown=ip route flush table 100\n",
		 RESULT4},
		{"[Interface]\nAddress=10.6.0.1/16\nPostUp=ip rule add from 10.6.0.0/16 lookup 0x64 pref 7\n"
		 "PostUp=ip route add table 100 0.0.0.0/0 via 192.0.2.1 dev ens3 onlink proto static metric 10\n"
		 "PostDown=ip rule del pref 7\n",
		 RESULT4},
		{"[interface]\naddress = 10.6.0.1/16\npostup = /sbin/ip -4 ru "
		 "a table t from 10.6/16 priority 9; ip ro r t main 192.0.2.7 "
		 "dev wg6 ; ip r ap 0/0 via 192.0.2.1 dev ens3 ta t # comment\n"
		 "POSTDOWN = ip ru d ta t || true; ip r d default tab t 2>/dev/null || :\n",
		 "from 10.6.0.0/16 via 192.0.2.1 dev ens3\n"
		 "PostUp = ip ro r t main 192.0.2.7 dev wg6\n" HOOKS4},
		{"[Interface]\r\nAddress = 10.6.0.1/16\r\nPreUp = ip -family inet rule "
		 "add from 10.6.0.1/255.255.0.0 table T\r\nPostUp = 'ip' \"route\" "
		 "add defa\\ult via 192.0.2.1 dev 'ens3' table T && sysctl -q x=1\r\n",
		 "from 10.6.0.0/16 via 192.0.2.1 dev ens3\nPostUp = sysctl -q x=1\n" HOOKS4},
		/* the last line without a line end; %i; a chain that loses its middle */
		{"[Interface]\nAddress=10.6.0.1/16\nPostUp=a && ip rule add from 10.6.0.0/16 table %i; b && c\n"
		 "PostUp=ip route add default via 192.0.2.1 dev ens3 table wg6",
		 "from 10.6.0.0/16 via 192.0.2.1 dev ens3\nPostUp = a; b && c\n" HOOKS4},
		/* no device; IPv4 via IPv6; several prefixes of one table, one of them twice */
		{"[Interface]\nPostUp=ip rule add from 10.6.0.0/16 table 7;ip rule add from 10.7.0.0/16 table 7\n"
		 "PostUp=ip rule add from 10.6.0.0/16 table 7 pref 3\n"
		 "PostUp=ip route add default via inet6 2001:db8:2::1 table 7\n",
		 "from 10.6.0.0/16 via 2001:db8:2::1\nfrom 10.7.0.0/16 via 2001:db8:2::1\n" HOOKS(
			 "from 10.6.0.0/16 via 2001:db8:2::1 from 10.7.0.0/16 via 2001:db8:2::1")},
		/* a table with the same name in each family */
		{"[Interface]\nAddress=10.6.0.1/16,2001:db8:1::1/50\n"
		 "PostUp=ip rule add from 10.6.0.0/16 table T; "
		 "ip -6 rule add from 2001:db8:1::/50 table T\n"
		 "PostUp=ip route add default via 192.0.2.1 table T; "
		 "ip -6 route add ::/0 via fe80::1 dev ens3 table T\n",
		 "from 10.6.0.0/16 via 192.0.2.1\nfrom 2001:db8:1::/50 via fe80::1 dev ens3\n" HOOKS(
			 "from 10.6.0.0/16 via 192.0.2.1 from 2001:db8:1::/50 via fe80::1 dev ens3")},
		/* the route with the lower metric is the gateway */
		{"[Interface]\nPostUp=ip rule add from 10.6.0.0/16 table 7\n"
		 "PostUp=ip route add default via 192.0.2.9 dev ens3 metric 20 table 7\n"
		 "PostUp=ip route add default via 192.0.2.1 dev ens3 metric 10 table 7\n",
		 RESULT4
		 "3 'ip route add default via 192.0.2.9 dev ens3 metric 20 table 7' not taken over: 'or 192.0.2.9' "
		 "after the first gateway makes it the second, for 'wgvia run'\n"},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
		check_file(rows[i].file, rows[i].expected);
}

#define RULE4 "[Interface]\nAddress = 10.6.0.1/16\nPostUp = ip rule add from 10.6.0.0/16 table 7\n"
#define DEFAULT4 "PostUp = ip route add default via 192.0.2.1 dev ens3 table 7\n"
/* An additional line after the recipe, the fifth, and what it adds to the result. */
#define HOOKS4_LAN HOOKS("from 10.6.0.0/16 via 192.0.2.1 dev ens3 bypass 192.0.2.0/24")
#define HOOKS4_OTHER HOOKS("from 10.6.0.0/16 via 192.0.2.1 dev ens3 bypass 10.9.0.0/16")
#define HOOKS4_TWO HOOKS("from 10.6.0.0/16 via 192.0.2.1 dev ens3 from 10.6.9.0/24 via 192.0.2.9 dev ens3")
#define WITH(line) RULE4 DEFAULT4 line "\n"

static void other_routes_and_rules_are_kept_or_remarked_on(void **state)
{
	static const struct {
		const char *file, *expected;
	} rows[] = {
		/* other routes of the table */
		{WITH("PostUp = ip route add 192.0.2.0/24 dev ens3 table 7"),
		 "from 10.6.0.0/16 via 192.0.2.1 dev ens3\nbypass 192.0.2.0/24\n" HOOKS4_LAN
		 "5 'ip route add 192.0.2.0/24 dev ens3 table 7' is 'bypass 192.0.2.0/24' now: "
		 "remove that if the firewall has to see connections with it\n"},
		{WITH("PostUp = ip route add throw 10.9.0.0/16 table 7; "
		      "ip route add throw 10.9.0.0/16 table 7 metric 3"),
		 "from 10.6.0.0/16 via 192.0.2.1 dev ens3\nbypass 10.9.0.0/16\n" HOOKS4_OTHER
		 "5 'ip route add throw 10.9.0.0/16 table 7' is 'bypass 10.9.0.0/16' now: "
		 "remove that if the firewall has to see connections with it\n"
		 "5 'ip route add throw 10.9.0.0/16 table 7 metric 3' is 'bypass 10.9.0.0/16' now: "
		 "remove that if the firewall has to see connections with it\n"},
		{WITH("PostUp = ip route add 10.9.0.0/16 via 192.0.2.9 table 7"), RESULT4
		 "5 'ip route add 10.9.0.0/16 via 192.0.2.9 table 7' not taken over: wgvia has one route for a prefix; "
		 "'bypass PREFIX' leaves a destination to the main table\n"},
		{WITH("PostUp = ip route add 10.9.0.0/16 via 192.0.2.1 dev ens3 table 7"), RESULT4},
		{WITH("PostUp = ip route add unreachable default metric 9 table 7"), RESULT4
		 "5 'ip route add unreachable default metric 9 table 7' not needed: 'on-fail drop', the default, "
		 "lets nothing bypass the firewall\n"},
		{WITH("PostUp = ip route add blackhole 10.9.0.0/16 table 7"),
		 RESULT4 "5 'ip route add blackhole 10.9.0.0/16 table 7' not taken over: "
			 "wgvia does not drop by destination, the firewall has to\n"},
		{WITH("PostUp = ip route add 10.9.0.0/16 dev ens3 mtu 1400 table 7"),
		 RESULT4 "5 'ip route add 10.9.0.0/16 dev ens3 mtu 1400 table 7' not taken over: wgvia has no 'mtu'\n"},
		{WITH("PostUp = ip route add 10.9.0.0/33 dev ens3 table 7"),
		 RESULT4 "5 'ip route add 10.9.0.0/33 dev ens3 table 7' not taken over: '10.9.0.0/33' is not clear\n"},
		{WITH("PostUp = ip route add 10.9.0.0/16 table 7"), RESULT4
		 "5 'ip route add 10.9.0.0/16 table 7' not taken over: a route needs 'via ADDRESS' or 'dev DEV'\n"},
		{WITH("PostUp = ip route add 10.9.0.0/16 dev $DEV table 7"),
		 RESULT4 "5 'ip route add 10.9.0.0/16 dev $DEV table 7' not "
			 "taken over: import does not know what the shell inserts\n"},
		{WITH("PostUp = ip route show table 7"),
		 "from 10.6.0.0/16 via 192.0.2.1 dev ens3\nPostUp = ip route show table 7\n" HOOKS4},
		/* into the tunnel: the main table has it due to the address, or needs it */
		{WITH("PostUp = ip route add 10.6.9.0/24 dev wg6 table 7"), RESULT4},
		{WITH("PostUp = ip route add 10.9.0.0/16 dev wg6 table 7; ip route add 10.9.0.0/16 dev %i table 7"),
		 "from 10.6.0.0/16 via 192.0.2.1 dev ens3\nPostUp = ip -4 route add 10.9.0.0/16 dev %i\n" HOOKS4
		 "5 'ip route add 10.9.0.0/16 dev wg6 table 7' moved into the main table: nothing else there leads "
		 "10.9.0.0/16 into the tunnel\n"},
		{WITH("PostUp = ip route add 10.9.0.0/16 dev wg6 table 7; ip route add 10.0.0.0/8 dev wg6"),
		 "from 10.6.0.0/16 via 192.0.2.1 dev ens3\nPostUp = ip route add 10.0.0.0/8 dev wg6\n" HOOKS4},
		{WITH("PostUp = ip route add 10.9.0.0/16 dev wg6 table "
		      "7\n[Peer]\nAllowedIPs = 10.6.0.3/32, 10.9.0.0/16"),
		 RESULT4},
		{WITH("Table = off\nPostUp = ip route add 10.9.0.0/16 "
		      "dev wg6 table 7\n[Peer]\nAllowedIPs = 10.9.0.0/16"),
		 "from 10.6.0.0/16 via 192.0.2.1 dev ens3\nTable = "
		 "off\nPostUp = ip -4 route add 10.9.0.0/16 dev %i\n" HOOKS4
		 "6 'ip route add 10.9.0.0/16 dev wg6 table 7' moved into the main table: nothing else there leads "
		 "10.9.0.0/16 into the tunnel\n"},
		/* wg-quick itself fills the recipe's table */
		{WITH("Table = 7\n[Peer]\nAllowedIPs = 10.6.0.3/32,10.9.0.0/16"),
		 "from 10.6.0.0/16 via 192.0.2.1 dev ens3\nTable = "
		 "off\nPostUp = ip -4 route add 10.9.0.0/16 dev %i\n" HOOKS4
		 "5 '7' is 'Table = off' now, as no rule leads to that table any more; "
		 "moved into the main table: nothing else there leads 10.9.0.0/16 into the tunnel\n"},
		{WITH("Table = 8"), "from 10.6.0.0/16 via 192.0.2.1 dev ens3\nTable = 8\n" HOOKS4},
		/* rules that wgvia has no equivalent for */
		{WITH("PostUp = ip rule add from 10.8.0.0/16 iif wg6 table 9"),
		 "from 10.6.0.0/16 via 192.0.2.1 dev ens3\nPostUp "
		 "= ip rule add from 10.8.0.0/16 iif wg6 table 9\n" HOOKS4
		 "5 'ip rule add from 10.8.0.0/16 iif wg6 table 9' stays as it is: "
		 "wgvia has no 'iif', it matches on the source only\n"},
		{WITH("PostUp = ip rule add from 10.6.0.0/16 to 10.9.0.0/16 lookup main pref 5"),
		 "from 10.6.0.0/16 via 192.0.2.1 dev ens3\n"
		 "PostUp = ip rule add from 10.6.0.0/16 to 10.9.0.0/16 lookup main pref 5\n" HOOKS4
		 "5 'ip rule add from 10.6.0.0/16 to 10.9.0.0/16 lookup main pref 5' stays as it is, but no longer "
		 "has an effect: 'bypass 10.9.0.0/16' does this for all prefixes\n"},
		{WITH("PostUp = ip rule add from 10.8.0.0/16 to 10.9.0.0/16 table 9"),
		 "from 10.6.0.0/16 via 192.0.2.1 dev ens3\nPostUp = "
		 "ip rule add from 10.8.0.0/16 to 10.9.0.0/16 table 9\n" HOOKS4
		 "5 'ip rule add from 10.8.0.0/16 to 10.9.0.0/16 table 9' stays as "
		 "it is: wgvia has no 'to', it matches on the source only\n"},
		{WITH("PostUp = ip rule add not from 10.8.0.0/16 table 9"),
		 "from 10.6.0.0/16 via 192.0.2.1 dev ens3\nPostUp = ip rule add not from 10.8.0.0/16 table 9\n" HOOKS4
		 "5 'ip rule add not from 10.8.0.0/16 table 9' stays as it is: "
		 "wgvia has no 'not', it matches on the source only\n"},
		{WITH("PostUp = ip rule add table 9"),
		 "from 10.6.0.0/16 via 192.0.2.1 dev ens3\nPostUp = ip rule add table 9\n" HOOKS4
		 "5 'ip rule add table 9' stays as it is: it matches every source, and wgvia needs 'from PREFIX'\n"},
		{WITH("PostUp = ip rule add from 10.8.0.0/16 table 9"),
		 "from 10.6.0.0/16 via 192.0.2.1 dev ens3\nPostUp = ip rule add from 10.8.0.0/16 table 9\n" HOOKS4
		 "5 'ip rule add from 10.8.0.0/16 table 9' stays as it is: "
		 "table 9 has no 'default via ADDRESS' in this file that import reads\n"},
		{WITH("PostUp = ip rule add from 127.0.0.0/16 table 7"),
		 "from 10.6.0.0/16 via 192.0.2.1 dev ens3\nPostUp = "
		 "ip route add default via 192.0.2.1 dev ens3 table 7\n"
		 "PostUp = ip rule add from 127.0.0.0/16 table 7\n" HOOKS4
		 "4 'ip route add default via 192.0.2.1 dev ens3 table "
		 "7' stays as well: a rule that stays leads to table 7\n"
		 "5 'ip rule add from 127.0.0.0/16 table 7' stays as it is: "
		 "'127.0.0.0/16' is loopback, which no router forwards\n"},
		{WITH("PostUp = ip rule add from 10.8.0.0 tabel 7"),
		 "from 10.6.0.0/16 via 192.0.2.1 dev ens3\nPostUp = ip rule add from 10.8.0.0 tabel 7\n" HOOKS4
		 "5 'ip rule add from 10.8.0.0 tabel 7' stays as it is: 'tabel' is not clear\n"},
		/* a route of a table to which no rule leads */
		{WITH("PostUp = ip route add 10.9.0.0/16 via 192.0.2.9 table 8"),
		 "from 10.6.0.0/16 via 192.0.2.1 dev ens3\nPostUp "
		 "= ip route add 10.9.0.0/16 via 192.0.2.9 table 8\n" HOOKS4
		 "5 'ip route add 10.9.0.0/16 via 192.0.2.9 table 8' stays "
		 "as it is: no rule that was taken over leads to table 8\n"},
		/* a table that another rule needs stays, with everything that fills and empties it */
		{WITH("PostUp = ip rule add fwmark 1 table 7\nPreDown = ip rule del from "
		      "10.6.0.0/16 table 7; ip rule del fwmark 1 table 7; ip route flush table 7"),
		 "from 10.6.0.0/16 via 192.0.2.1 dev ens3\n"
		 "PostUp = ip route add default via 192.0.2.1 dev ens3 table 7\n"
		 "PostUp = ip rule add fwmark 1 table 7\n" HOOKS4
		 "PreDown = ip rule del fwmark 1 table 7; ip route flush table 7\n"
		 "4 'ip route add default via 192.0.2.1 dev ens3 table "
		 "7' stays as well: a rule that stays leads to table 7\n"
		 "5 'ip rule add fwmark 1 table 7' stays as it is: "
		 "wgvia has no 'fwmark', it matches on the source only\n"},
		/* two tables, two gateways, and a prefix in the other */
		{WITH("PostUp = ip rule add from 10.6.9.0/24 table 9; ip route add default via "
		      "192.0.2.9 dev ens3 table 9; ip route add 10.9.0.0/16 dev ens3 table 9"),
		 "from 10.6.0.0/16 via 192.0.2.1 dev ens3\nfrom 10.6.9.0/24 via 192.0.2.9 dev ens3\n" HOOKS4_TWO
		 "3 'ip rule add from 10.6.0.0/16 table 7' overlaps with another prefix: "
		 "wgvia uses the longest match, whatever the preference of the rules\n"
		 "5 'ip route add 10.9.0.0/16 dev ens3 table 9' not taken over: "
		 "'bypass 10.9.0.0/16' would apply to the prefixes of the other table, too\n"},
		{WITH("PostUp = ip rule add from 10.6.0.0/16 table 9; "
		      "ip route add default via 192.0.2.9 dev ens3 table 9"),
		 "from 10.6.0.0/16 via 192.0.2.1 dev ens3\nPostUp = ip rule add from "
		 "10.6.0.0/16 table 9; ip route add default via 192.0.2.9 dev ens3 table 9\n" HOOKS4
		 "5 'ip rule add from 10.6.0.0/16 table 9' stays as it is: "
		 "another rule has a gateway for this prefix already\n"
		 "5 'ip route add default via 192.0.2.9 dev ens3 table 9' "
		 "stays as it is: no rule that was taken over leads to table 9\n"},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
		check_file(rows[i].file, rows[i].expected);
}

static void the_rest_of_the_file_stays(void **state)
{
	static const struct {
		const char *file, *expected;
	} rows[] = {
		{WITH("PreUp = sysctl -w net.ipv4.ip_forward=1\nPostDown = logger 'down; %i'"),
		 "from 10.6.0.0/16 via 192.0.2.1 dev ens3\nPreUp = sysctl -w net.ipv4.ip_forward=1\n" HOOKS4
		 "PostDown = logger 'down; %i'\n"},
		{WITH("PostUp = iptables -A FORWARD -i %i -j ACCEPT\nPreDown = iptables -D FORWARD -i %i -j ACCEPT"),
		 "from 10.6.0.0/16 via 192.0.2.1 dev ens3\nPostUp = iptables -A FORWARD -i %i -j ACCEPT\n" HOOKS4
		 "PreDown = iptables -D FORWARD -i %i -j ACCEPT\n"
		 "5 'iptables -A FORWARD -i %i -j ACCEPT' stays as it is; 'mode stack' is for it, "
		 "as mode fast bypasses netfilter\n"},
		{WITH("PostUp = iptables -A INPUT -i %i -j ACCEPT"),
		 "from 10.6.0.0/16 via 192.0.2.1 dev ens3\nPostUp = iptables -A INPUT -i %i -j ACCEPT\n" HOOKS4},
		{WITH("PostUp = iptables -t mangle -A FORWARD -o %i -j TCPMSS --set-mss 1300"),
		 "from 10.6.0.0/16 via 192.0.2.1 dev ens3\n"
		 "PostUp = iptables -t mangle -A FORWARD -o %i -j TCPMSS --set-mss 1300\n" HOOKS4
		 "5 'iptables -t mangle -A FORWARD -o %i -j TCPMSS --set-mss 1300' stays as it is; "
		 "in mode fast 'mss' takes its place\n"},
		{WITH("PostUp = nft -f /etc/nft"),
		 "from 10.6.0.0/16 via 192.0.2.1 dev ens3\nPostUp = nft -f /etc/nft\n" HOOKS4
		 "5 'nft -f /etc/nft' stays as it is; 'mode stack' is for it, as mode fast bypasses netfilter\n"},
		{WITH("PostUp = if true; then ip rule add table 7; fi"),
		 "from 10.6.0.0/16 via 192.0.2.1 dev ens3\nPostUp = if true; then ip rule add table 7; fi\n" HOOKS4
		 "5 'if true; then ip rule add table 7; fi' stays as it is: import cannot read this shell code; "
		 "remove the parts that belong to the second table by hand\n"},
		{WITH("PostUp = echo $(hostname) | logger"),
		 "from 10.6.0.0/16 via 192.0.2.1 dev ens3\nPostUp = echo $(hostname) | logger\n" HOOKS4},
		{WITH("PostUp = wgvia up %i"),
		 "from 10.6.0.0/16 via 192.0.2.1 dev ens3\nPostUp = wgvia up %i\n" HOOKS4
		 "5 'wgvia up %i' stays as it is: wgvia is called here already, and one call is enough\n"},
		{WITH("SaveConfig = true"), RESULT4
		 "5 'true' take the tunnel down before you edit the file: SaveConfig writes the old lines back\n"},
		{WITH("SaveConfig = false"), RESULT4},
		{WITH("[Peer]\nPostUp = ip rule add from 10.9.0.0/16 table 7"), RESULT4
		 "6 'ip rule add from 10.9.0.0/16 table 7' not used: wg-quick takes 'PostUp' in [Interface] only\n"},
		{WITH("# PostUp = ip rule add from 10.9.0.0/16 table 7"), RESULT4},
		{WITH("PostUp = "), RESULT4},
		{WITH("PostUp = ip netns exec x ip rule add from 10.9.0.0/16 "
		      "table 7\nPostUp = ip -n x rule add table 7\n"
		      "PostUp = ip address add 10.6.0.2/16 dev wg6\nPostUp = ip ru"),
		 "from 10.6.0.0/16 via 192.0.2.1 dev ens3\n"
		 "PostUp = ip netns exec x ip rule add from 10.9.0.0/16 table 7\nPostUp = ip -n x rule add table 7\n"
		 "PostUp = ip address add 10.6.0.2/16 dev wg6\nPostUp = ip ru\n" HOOKS4},
		{WITH("PostDown = ip rule del from 10.8.0.0/16 table 9; ip rule flush; ip rule del pref 3"),
		 "from 10.6.0.0/16 via 192.0.2.1 dev ens3\n" HOOKS4
		 "PostDown = ip rule del from 10.8.0.0/16 table 9; ip rule flush; ip rule del pref 3\n"},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
		check_file(rows[i].file, rows[i].expected);
}

static void keys_are_not_shown(void **state)
{
	static const char *const lines[] = {
		"PrivateKey = " KEY,
		"PostUp = wg set %i private-key <(echo " KEY ")",
		"PostUp = wg set %i peer " KEY " persistent-keepalive 9; ip rule add table " KEY,
		"PostUp = ip rule add from " KEY " table 7",
		"PostUp = ip rule add from 10.9.0.0/16 table " KEY,
		"PostUp = ip route add 10.9.0.0/16 dev ens3 table " KEY,
		"PostUp = if rule; then echo " KEY "; fi",
		"Table = " KEY,
		"[Peer]\nPostUp = " KEY,
		"[Peer]\nPresharedKey = " KEY,
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(lines); i++) {
		struct import import;
		struct error error = {};
		char file[1024], text[8192];

		snprintf(file, sizeof(file), RULE4 DEFAULT4 "%s\n", lines[i]);
		assert_int_equal(read_text(file, &import, &error), 0);
		render(&import, text);
		if (strstr(text, "yAnz5TF"))
			fail_msg("of\n%s\nit shows\n%s", file, text);
		import_free(&import);
		/* also with something that makes a file invalid */
		snprintf(file, sizeof(file), "[Interface]\n%s\n", lines[i]);
		assert_int_equal(read_text(file, &import, &error), -EINVAL);
		assert_null(strstr(error.text, "yAnz5TF"));
		assert_null(strstr(error.hint, "yAnz5TF"));
		import_free(&import);
	}
}

static void what_does_not_hold_the_recipe_is_refused(void **state)
{
	static const struct {
		const char *file, *text, *hint;
	} rows[] = {
		{"", "no second routing table for 'wg6'", ""},
		{"[Interface]\nPrivateKey = x\n", "no second routing table", ""},
		{"[Interface]\nPostUp = ip rule add from 10.6.0.0/16 table 7\n", "no second routing table",
		 "line 2: stays as it is: table 7 has no 'default via ADDRESS'"},
		{"[Interface]\nPostUp = ip route add default via 192.0.2.1 table 7\n", "no second routing table", ""},
		/* wg-quick's own method, for a client */
		{"[Interface]\nPostUp = ip rule add not fwmark 51820 "
		 "table 51820; ip route add default dev wg6 table 51820\n",
		 "no second routing table", "wgvia has no 'fwmark'"},
		{"[Interface]\nPostUp = ip rule add from 10.6.0.0/16 table 7; "
		 "ip route add default via 10.6.0.2 dev wg6 table 7\n",
		 "no second routing table", "line 2"},
		{"[Interface]\nPostUp = ip rule add from 10.6.0.0/16 table main; ip route add default via 192.0.2.1\n",
		 "no second routing table", "line 2"},
		{"[Interface]\nPostUp = ip rule add from 10.6.0.0/16 "
		 "table 7; ip route add default via 224.0.0.1 table 7\n",
		 "no second routing table", "multicast"},
		{"[Interface]\nPostUp = ip rule add from 10.6.0.0/16 table 7; "
		 "ip route add default via 192.0.2.1 dev 'a|b' table 7\n",
		 "no second routing table", "'|' in the name of a device"},
		{"[Interface]\nPostDown = ip rule add from 10.6.0.0/16 "
		 "table 7; ip route add default via 192.0.2.1 table 7\n",
		 "no second routing table", ""},
		{"[Interface]\nPostUp = \x1b[2J\n", "line 2 is not text", ""},
		{"[Interface]\nPostUp = a\rb\n", "line 2 is not text", ""},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct import import;
		struct error error = {};

		assert_int_equal(read_text(rows[i].file, &import, &error), -EINVAL);
		assert_int_equal(error.status, 1);
		if (!strstr(error.text, rows[i].text) || !strstr(error.hint, rows[i].hint) ||
		    (!*rows[i].hint && *error.hint))
			fail_msg("of\n%s\nit says '%s' and '%s'", rows[i].file, error.text, error.hint);
		import_free(&import);
	}
}

static void binary_and_endless_files_are_refused(void **state)
{
	struct import import;
	struct error error = {};
	char *text = malloc(IMPORT_SIZE_MAX + 1);

	(void)state;
	assert_int_equal(import_read("wg6", "a\0b\n", 4, &import, &error), -EINVAL);
	assert_non_null(strstr(error.text, "line 1 is not text"));
	import_free(&import);
	memset(text, '\n', IMPORT_SIZE_MAX + 1);
	assert_int_equal(import_read("wg6", text, IMPORT_SIZE_MAX + 1, &import, &error), -EINVAL);
	assert_non_null(strstr(error.text, "too long"));
	import_free(&import);
	free(text);
}

static void the_interface_is_named_as_wg_quick_does(void **state)
{
	static const struct {
		const char *path, *name;
	} rows[] = {
		{"wg6.conf", "wg6"},
		{"/etc/wireguard/wg6.conf", "wg6"},
		{"./a.b.conf", "a.b"},
		{"123456789012345.conf", "123456789012345"},
		{"_=+.-.conf", "_=+.-"},
		{"1234567890123456.conf", NULL},
		{"wg6", NULL},
		{".conf", NULL},
		{"..conf", NULL},
		{"...conf", NULL},
		{"wg 6.conf", NULL},
		{"wg6.conf/", NULL},
		{"wg$.conf", NULL},
		{"", NULL},
		{"-", NULL},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct error error = {};
		char name[IFNAMSIZ] = "";
		int ret = import_parse_path(rows[i].path, name, &error);

		if (!ret != !!rows[i].name || (rows[i].name && strcmp(name, rows[i].name) != 0))
			fail_msg("'%s': %d '%s' %s", rows[i].path, ret, name, error.text);
		if (ret)
			assert_int_equal(error.status, 2);
	}
}

static void shell_lines_are_taken_apart_or_left_alone(void **state)
{
	/* `parts`: each command's separator, its words in angle brackets; NULL: not parsed */
	static const struct {
		const char *line, *parts;
	} rows[] = {
		{"", ""},
		{"  ", ""},
		{"a", "<a>"},
		{" a  b ", "<a><b>"},
		{"a;b", "<a>;<b>"},
		{"a ; b ;", "<a>;<b>"},
		{"a&&b", "<a>&&<b>"},
		{"a || true; b", "<a>;<b>"},
		{"a||:&&b", "<a>&&<b>"},
		{"a >/dev/null 2>&1", "<a>"},
		{"a 2> /dev/null b", "<a><b>"},
		{"a &>/dev/null", "<a>"},
		{"a 2>>/dev/null || true", "<a>"},
		{"'a b' \"c d\" e\\ f", "<a b><c d><e f>"},
		{"a '' \"\"", "<a><><>"},
		{"a'b'\"c\"", "<abc>"},
		{"a \"\\\"\\$\\\\\\x\"", "<a><\"$\\\\x>"},
		{"a 'b;c' \"d&&e\"", "<a><b;c><d&&e>"},
		{"a $B", "$<a><$B>"},
		{"a \"$B\"", "$<a><$B>"},
		{"a '$B' \\$B", "<a><$B><$B>"},
		{"a *.c", "$<a><*.c>"},
		{"a ! if", "<a><!><if>"},
		{"'if' a", "<if><a>"},
		{"a | b", NULL},
		{"a || b", NULL},
		{"a & b", NULL},
		{"a &", NULL},
		{"a; ; b", NULL},
		{";a", NULL},
		{"a &&", NULL},
		{"a ;; b", NULL},
		{"a `b`", NULL},
		{"a $(b)", NULL},
		{"a \"$(b)\"", NULL},
		{"a \"`b`\"", NULL},
		{"a <b", NULL},
		{"a >b", NULL},
		{"a 2>&3", NULL},
		{">/dev/null", NULL},
		{"(a)", NULL},
		{"a() b", NULL},
		{"{ a; }", NULL},
		{"! a", NULL},
		{"if a; then b; fi", NULL},
		{"for i in a; do b; done", NULL},
		{"a 'b", NULL},
		{"a \"b", NULL},
		{"a \\", NULL},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct shell_command *commands = NULL;
		char text[256] = "", *end = text;
		size_t count = 0;
		int ret = shell_split(rows[i].line, &commands, &count);

		for (size_t j = 0; j < count; j++) {
			end += sprintf(end, "%s%s", commands[j].separator, commands[j].expands ? "$" : "");
			for (size_t k = 0; k < commands[j].word_count; k++)
				end += sprintf(end, "<%s>", commands[j].words[k]);
		}
		if (!rows[i].parts != (ret == -EINVAL) || (rows[i].parts && strcmp(text, rows[i].parts) != 0))
			fail_msg("'%s': %d %s", rows[i].line, ret, text);
		shell_free(commands, count);
	}
}

static void a_key_is_seen_whatever_its_quotes(void **context)
{
	static const struct {
		const char *text;
		bool is_key;
	} rows[] = {
		{"wg set wg0 private-key AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=", true},
		{"echo 'AAAAAAAAAAAAAAAAAAAAA''AAAAAAAAAAAAAAAAAAAAAA='", true},
		{"echo \"AAAAAAAAAAAAAAAAAAAAA\"AAAAAAAAAAAA\\AAAAAAAAAA'='", true},
		{"echo AAAAAAAAAAAAAAAAAAAAA AAAAAAAAAAAAAAAAAAAAAA=", false},
		{"ip rule add from 10.6.0.0/16 table 51820", false},
	};

	(void)context;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
		if (wgquick_holds_key(rows[i].text, strlen(rows[i].text)) != rows[i].is_key)
			fail_msg("%s", rows[i].text);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_key_is_seen_whatever_its_quotes),
		cmocka_unit_test(the_recipe_becomes_one_statement_and_three_hooks),
		cmocka_unit_test(every_way_to_write_the_recipe_is_read),
		cmocka_unit_test(other_routes_and_rules_are_kept_or_remarked_on),
		cmocka_unit_test(the_rest_of_the_file_stays),
		cmocka_unit_test(keys_are_not_shown),
		cmocka_unit_test(what_does_not_hold_the_recipe_is_refused),
		cmocka_unit_test(binary_and_endless_files_are_refused),
		cmocka_unit_test(the_interface_is_named_as_wg_quick_does),
		cmocka_unit_test(shell_lines_are_taken_apart_or_left_alone),
	};

	return cmocka_run_group_tests_name("import", tests, NULL, NULL);
}
