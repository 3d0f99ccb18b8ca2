#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-only
#
# The second-table recipe, run by the real wg-quick, and what `wgvia import` makes of its file, put in its place. How
# files are read in all their forms is tests/unit/test_import.c's.

# shellcheck disable=SC2154 # `run` sets $stderr
load ../lib/wgquick.bash

# The README's recipe, and the same for IPv4 with a number for the table.
RECIPE=(
	"Address = $WG6/50, $WG4/16"
	"Table = off"
	"PostUp = ip -6 rule add from $VPN6 table wg6"
	"PostUp = ip -6 route add $VPN6 dev wg6 table wg6; ip -6 route add default via $FW6 dev ens3 table wg6"
	"PostUp = ip rule add from $VPN4 lookup 100 pref 100"
	"PostUp = ip ro add $VPN4 dev %i table 100 && ip ro add default via $FW4 dev ens3 table 100"
	"PostUp = sysctl -q -w net.ipv4.ip_forward=1"
	"PreDown = ip -6 rule del from $VPN6 table wg6; ip -6 route flush table wg6"
	"PostDown = ip rule del pref 100; ip route flush table 100"
)

# Connections go via the firewall, or they would die there.
services_answer() {
	answers "$NS_C1" "$SVC4" service "$C1_4" && answers "$NS_C2" "$SVC6" service "$C2_6"
}

# wg_quick's file with the lines that import gives, in place of those that it names.
put_in_place() {
	wgvia import "$WG_CONF" >"$BATS_TEST_TMPDIR/imported"
	sed -n 's/^#     \(\(Table\|P[a-z]*\(Up\|Down\)\) = .*\)/\1/p' "$BATS_TEST_TMPDIR/imported" >"$BATS_TEST_TMPDIR/lines"
	sed -Ei '/^(Table|PreUp|PostUp|PreDown|PostDown) *=/d' "$WG_CONF"
	sed -i "/^\[Interface\]/r $BATS_TEST_TMPDIR/lines" "$WG_CONF"
	cat "$BATS_TEST_TMPDIR/lines"
}

@test "wg-quick's file with the recipe, imported and put in place, does the same without rule and table" {
	local before
	before=$(footprint)
	wg_conf "${RECIPE[@]}"
	wg_quick up
	tunnels_answer
	services_answer
	[ "$(routing | wc -l)" -eq 6 ]
	wg_quick down
	is "$(footprint)" "$before"

	put_in_place
	run ! grep -E 'ip (-6 )?(rule|route|ro)' "$WG_CONF"
	grep -q 'PostUp = sysctl' "$WG_CONF"
	wg_quick up
	tunnels_answer
	services_answer
	is "$(routing)" ""
	is "$(wgvia -j show wg6 | jq -c '[.prefixes[] | [.prefix, .via, .dev]] | sort')" \
		"[[\"$VPN4\",\"$FW4\",\"ens3\"],[\"$VPN6\",\"$FW6\",\"ens3\"]]"
	run -0 wgvia apply -c wg6 "$BATS_TEST_TMPDIR/imported"
	is "$output" ""
	# peers, and the gateway itself from its address in the tunnel, as with the table
	ping_once "$NS_C1" "$C2_4"
	ping_once "$NS_C1" "$WG4"
	in_ns "$NS_GW" curl -gsS --noproxy '*' --max-time 3 --interface "$WG4" "http://$SVC4/" | grep -q "service saw $WG4"
	wg_quick down
	is "$(footprint)" "$before"
}

@test "without recipe and wgvia, connections die" {
	wg_conf "Address = $WG6/50, $WG4/16" "Table = off"
	wg_quick up
	tunnels_answer
	times_out "$NS_C1" "$SVC4"
}

@test "routes into the tunnel that only the table has move to the main table, for this host's answers" {
	wg_conf "Address = $WG6/128, $WG4/32" "Table = off" \
		"PostUp = ip -6 rule add from $VPN6 table wg6; ip rule add from $VPN4 table wg6" \
		"PostUp = ip -6 route add $VPN6 dev wg6 table wg6; ip -6 route add default via $FW6 dev ens3 table wg6" \
		"PostUp = ip route add $VPN4 dev wg6 table wg6; ip route add default via $FW4 dev ens3 table wg6"
	put_in_place
	grep -q "^PostUp = ip -4 route add $VPN4 dev %i" "$WG_CONF"
	grep -q "^PostUp = ip -6 route add $VPN6 dev %i" "$WG_CONF"
	wg_quick up
	tunnels_answer
	services_answer
	wg_quick down
}

@test "the text form is a file of statements, in which all else is a comment" {
	wg_conf "${RECIPE[@]}"
	run -0 wgvia import "$WG_CONF"
	is "$(grep -v -e '^#' -e '^$' <<<"$output")" "from $VPN6 via $FW6 dev ens3
from $VPN4 via $FW4 dev ens3"
	run ! grep -F "$(sed -n 's/^PrivateKey = //p' "$WG_CONF")" <<<"$output"
	is "$("$WGVIA" -j import - wg6 <"$WG_CONF" | jq -c '[.interface, .prefixes[1], .bypass, .wg_quick[0], .remarks]')" \
		"[\"wg6\",{\"prefix\":\"$VPN4\",\"via\":\"$FW4\",\"dev\":\"ens3\"},[],{\"key\":\"Table\",\"value\":\"off\"},[]]"
}

@test "however many prefixes there are, the text form can be read as a configuration" {
	local i
	for ((i = 0; i < 100; i++)); do
		echo "PostUp = ip rule add from 10.7.$i.0/24 table 9"
	done >"$BATS_TEST_TMPDIR/rules"
	wg_conf "Address = $WG4/16" "Table = off"
	wg_quick up
	wg_conf "PostUp = ip route add default via $FW4 dev ens3 table 9" "PostUp = nft $(printf 'x%.0s' {1..2000})" \
		"$(<"$BATS_TEST_TMPDIR/rules")"
	wgvia import "$WG_CONF" >"$BATS_TEST_TMPDIR/imported"
	wgvia apply wg6 "$BATS_TEST_TMPDIR/imported"
	is "$(wgvia -j show wg6 | jq '.prefixes | length')" 100
	wgvia -j import "$WG_CONF" | jq -r '.wg_quick[] | select(.key == "PreUp") | .value' >"$BATS_TEST_TMPDIR/up"
	[ "$(wc -w <"$BATS_TEST_TMPDIR/up")" -eq 603 ]
}

@test "files and words that import cannot use are refused in one line" {
	local words wanted expected
	wg_conf "Address = $WG4/16"
	while IFS='|' read -r words wanted expected; do
		# shellcheck disable=SC2086 # words
		run --separate-stderr "$WGVIA" import $words </dev/null
		echo "$words: $status $output $stderr"
		is "$status $output" "$wanted "
		[[ ${stderr_lines[0]} == "wgvia: $expected"* ]]
	done <<-END
		|2|which file? FILE is missing
		-|2|which interface? standard input does not tell
		/etc/passwd|2|which interface? '/etc/passwd' is not named INTERFACE.conf
		a b c|2|unexpected word 'c'
		- a/b|2|'a/b' is no interface name
		- 1234567890123456|2|'1234567890123456' is no interface name
		/no/wg6.conf|1|cannot open '/no/wg6.conf': no such file or directory
		/etc wg6|1|cannot read '/etc': is a directory
		/dev/zero wg6|1|the file is too long
		- wg6|1|no second-table recipe for 'wg6' here
		$WG_CONF|1|no second-table recipe for 'wg6' here
	END
}
