#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-only
#
# The second-table recipe, run by the real wg-quick, and its replacement by `wgvia import`. tests/unit/test_import.c
# covers all forms of files.

# shellcheck disable=SC2154 # `run` sets $stderr
load ../lib/wgquick.bash

# The recipe of docs/GUIDE.md, and the same for IPv4 with a numeric table.
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

teardown() {
	local status=0
	ip -n "$NS_GW" route delete blackhole 203.0.113.64/26 2>/dev/null
	room nft flush ruleset
	gateway_rules
	wgvia down wg6 || status=1
	room ip link delete wg6 2>/dev/null
	return $status
}

# Connections go via the firewall, otherwise they would fail there.
services_answer() {
	answers "$NS_C1" "$SVC4" service "$C1_4" && answers "$NS_C2" "$SVC6" service "$C2_6"
}

# wg_quick's file with the lines from import, instead of those that they replace.
put_in_place() {
	wgvia import "$WG_CONF" >"$BATS_TEST_TMPDIR/imported"
	sed -n 's/^#     \(\(Table\|P[a-z]*\(Up\|Down\)\) = .*\)/\1/p' "$BATS_TEST_TMPDIR/imported" >"$BATS_TEST_TMPDIR/lines"
	sed -Ei '/^(Table|PreUp|PostUp|PreDown|PostDown) *=/d' "$WG_CONF"
	sed -i "/^\[Interface\]/r $BATS_TEST_TMPDIR/lines" "$WG_CONF"
	cat "$BATS_TEST_TMPDIR/lines"
}

@test "wg-quick's file with the recipe, imported, works the same without rule and table" {
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
	is "$(wgvia -j show wg6 | jq -c '[.prefixes[] | [.from, .via, .dev]] | sort')" \
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

@test "without recipe and wgvia, connections fail" {
	wg_conf "Address = $WG6/50, $WG4/16" "Table = off"
	wg_quick up
	tunnels_answer
	times_out "$NS_C1" "$SVC4"
}

@test "routes into the tunnel that are only in the table move to the main table, for this host's answers" {
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

@test "the text form is a file of statements, in which everything else is a comment" {
	wg_conf "${RECIPE[@]}"
	run -0 wgvia import "$WG_CONF"
	is "$(grep -v -e '^#' -e '^$' <<<"$output")" "from $VPN6 via $FW6 dev ens3
from $VPN4 via $FW4 dev ens3
mode stack"
	run ! grep -F "$(sed -n 's/^PrivateKey = //p' "$WG_CONF")" <<<"$output"
	is "$("$WGVIA" -j import - wg6 <"$WG_CONF" | jq -c '[.interface, .prefixes[1], .bypass, .wg_quick[0], .remarks]')" \
		"[\"wg6\",{\"from\":\"$VPN4\",\"via\":\"$FW4\",\"dev\":\"ens3\"},[],{\"key\":\"Table\",\"value\":\"off\"},[]]"
}

@test "however many prefixes there are, the text form is a readable configuration" {
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
	[ "$(wc -w <"$BATS_TEST_TMPDIR/up")" -eq 605 ]
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
		|2|FILE is missing
		-|2|IFACE is missing: standard input has no name
		/etc/passwd|2|IFACE is missing: '/etc/passwd' is not named IFACE.conf
		a b c|2|unexpected word 'c'
		- a/b|2|'a/b' is not a valid interface name
		- 1234567890123456|2|'1234567890123456' is not a valid interface name
		/no/wg6.conf|1|cannot open '/no/wg6.conf': no such file or directory
		/etc wg6|1|cannot read '/etc': is a directory
		/dev/zero wg6|1|the file is too long
		- wg6|1|no second routing table for 'wg6' in this file
		$WG_CONF|1|no second routing table for 'wg6' in this file
	END
}

# ---- the mode ----

# mode_of [IMPORT-OPTION...]: mode and reason for the recipe, according to import.
mode_of() {
	wgvia -j import "$WG_CONF" 2>/dev/null | jq -r '"\(.mode): \(.mode_reason)"'
}

# mode_is MODE TEXT: the text is a part of the reason.
mode_is() {
	local found
	found=$(mode_of)
	[[ $found == "$1: "*"$2"* ]] || { echo "$found" && return 1; }
}

NOTHING="this host has no netfilter rules, IPsec policies or routes that it would bypass"

# The gateway without the topology's rules: teardown() adds them again.
bare() {
	room nft flush ruleset
}

@test "mode: rules of nft and of iptables-nft that mode fast would bypass keep mode stack, others do not" {
	local tool rule expected
	wg_conf "${RECIPE[@]}"
	wg_quick up
	mode_is stack "first in 'inet gateway forward', and mode fast bypasses them"
	bare
	is "$(mode_of)" "fast: $NOTHING"
	while IFS='|' read -r tool rule expected; do
		echo "$tool $rule"
		# shellcheck disable=SC2086 # words
		case $tool in
		nft) printf 'table ip t {\nchain c {\n%s\n}\n}\n' "$rule" | room nft -f - ;;
		*) room $tool $rule ;;
		esac
		case $expected in
		'') is "$(mode_of)" "fast: $NOTHING" ;;
		*) mode_is stack "$expected" ;;
		esac
		bare
	done <<-END
		iptables-nft|-A FORWARD -i wg6 -j DROP|this host filters packets that it forwards
		ip6tables-nft|-A FORWARD -o wg6 -p tcp --dport 22 -j REJECT|this host filters packets that it forwards
		iptables-nft|-t nat -A POSTROUTING -s $VPN4 -o ens3 -j MASQUERADE|may translate addresses
		iptables-nft|-A FORWARD -i docker0 -j DROP|
		iptables-nft|-A INPUT -i wg6 -j DROP|
		iptables-nft|-t nat -A POSTROUTING -o docker0 -j MASQUERADE|
		nft|type filter hook forward priority filter; policy drop; iifname "eth9" accept|policy drop
		nft|type nat hook postrouting priority srcnat; oifname "ens3" masquerade|may translate addresses
		nft|type filter hook input priority filter; policy drop; iifname "ens3" accept|
	END
	wg_quick down
}

# clamp_is MODE MSS: according to import; in mode fast, the file and the words of up contain it.
clamp_is() {
	is "$(wgvia -j import "$WG_CONF" 2>/dev/null | jq -r '"\(.mode) \(.mss)"')" "$1 $2"
	wgvia import "$WG_CONF" >"$BATS_TEST_TMPDIR/imported"
	is "$(grep '^mss' "$BATS_TEST_TMPDIR/imported")" "${2/#/mss }"
	is "$(grep -c "^#     P[a-z]*Up = wgvia up %i from .* mss $2$" "$BATS_TEST_TMPDIR/imported")" 2
	grep -q "^# mode fast: $NOTHING, except for a clamp of the MSS, which 'mss' replaces$" "$BATS_TEST_TMPDIR/imported"
}

@test "mss: a clamp of this host or of the file continues in mode fast; a number takes precedence over the MTU" {
	local clamp=(-t mangle -A FORWARD -p tcp --tcp-flags "SYN,RST" SYN -j TCPMSS) mangle
	mangle=${clamp[*]}
	kernel_can check_mtu || skip "kernel $(uname -r) has no bpf_check_mtu()"
	wg_conf "${RECIPE[@]}"
	bare
	is "$(wgvia -j import "$WG_CONF" | jq -r .mss)" off
	room iptables-nft "${clamp[@]}" --clamp-mss-to-pmtu
	clamp_is fast auto
	room ip6tables-nft "${clamp[@]}" --set-mss 1320
	clamp_is fast 1320
	bare
	printf 'table ip t {\nchain c {\ntype filter hook forward priority filter; %s\n}\n}\n' \
		'iifname "wg6" tcp flags syn tcp option maxseg size set rt mtu' | room nft -f -
	clamp_is fast auto
	bare
	printf 'table ip t {\nchain c {\ntype filter hook forward priority filter; %s\n}\n}\n' \
		'tcp flags syn tcp option maxseg size set 1300' | room nft -f -
	clamp_is fast 1300
	bare
	wg_conf "${RECIPE[@]}" "PostUp = iptables $mangle --clamp-mss-to-pmtu; ip6tables $mangle --set-mss 1340"
	clamp_is fast 1340
	wg_conf "${RECIPE[@]}" "PostUp = nft add rule inet f c tcp flags syn tcp option maxseg size set rt mtu"
	clamp_is fast auto
	# in mode stack the rules are in force
	room iptables-nft -A FORWARD -i wg6 -j DROP
	run -0 --separate-stderr wgvia import "$WG_CONF"
	run ! grep -qE "^mss|Up = wgvia.* mss " <<<"$output"
	bare
	wg_conf "${RECIPE[@]}" "PostUp = iptables $mangle --clamp-mss-to-pmtu; iptables -A FORWARD -i %i -j DROP"
	mode_is stack "of the file sets netfilter rules"
	is "$(wgvia -j import "$WG_CONF" | jq -r .mss)" off
}

@test "mode: rules that name the tunnel count before it exists" {
	wg_conf "${RECIPE[@]}"
	bare
	run ! ip -n "$NS_GW" link show wg6
	is "$(mode_of)" "fast: $NOTHING"
	room iptables-nft -A FORWARD -i wg6 -p tcp --dport 25 -j DROP
	mode_is stack "this host filters packets that it forwards"
}

@test "mode: IPsec policies and routes that mode fast would bypass keep mode stack" {
	wg_conf "${RECIPE[@]}"
	bare
	ip -n "$NS_GW" route add blackhole 203.0.113.64/26
	mode_is stack "a route stops packets to '203.0.113.64/26'"
	ip -n "$NS_GW" route delete blackhole 203.0.113.64/26
	is "$(mode_of)" "fast: $NOTHING"
}

@test "mode: rules that the file itself sets keep mode stack, on any host; those of INPUT do not" {
	bare
	wg_conf "${RECIPE[@]}" "PostUp = iptables -A FORWARD -i %i -j ACCEPT; ip6tables -t nat -A POSTROUTING -o ens3 -j MASQUERADE"
	is "$(mode_of)" "stack: line $(grep -n FORWARD "$WG_CONF" | cut -d: -f1) of the file sets netfilter rules, and mode fast would bypass them"
	wg_conf "${RECIPE[@]}" "PostUp = nft -f /etc/wg6.nft"
	mode_is stack "of the file sets netfilter rules"
	wg_conf "${RECIPE[@]}" "PostUp = iptables -A INPUT -i %i -j DROP"
	is "$(mode_of)" "fast: $NOTHING"
}

@test "mode: the output contains it: statement, reason, and the words of up in mode stack" {
	wg_conf "${RECIPE[@]}"
	run -0 --separate-stderr wgvia import "$WG_CONF"
	is "$stderr" ""
	is "$(grep -c '^mode stack$' <<<"$output")" 1
	grep -q "^# mode stack: this host has 2 rules for packets that it forwards, first in 'inet gateway forward'" <<<"$output"
	is "$(grep -c "^#     P[a-z]*Up = wgvia up %i from .* mode stack$" <<<"$output")" 2
	bare
	run -0 --separate-stderr wgvia import "$WG_CONF"
	is "$stderr" ""
	grep -q "^# mode fast: $NOTHING" <<<"$output"
	is "$(grep -c '^mode fast$' <<<"$output")" 1
	run ! grep -q "wgvia up.* mode " <<<"$output"
}

@test "mode: a file for another host, or no permission: not checked, mode stack, and a line says so" {
	local why="cannot check what mode fast would bypass: the file is not for this host: cannot use 'eth9': no such device"
	wg_conf "${RECIPE[@]//ens3/eth9}"
	bare
	run -0 --separate-stderr wgvia import "$WG_CONF"
	is "$stderr" "wgvia: using 'mode stack': $why
hint: on the gateway itself, as root: wgvia import $WG_CONF wg6"
	is "$(grep -A 1 '^# mode' <<<"$output")" "# mode stack: $why
mode stack"
	wg_conf "${RECIPE[@]}"
	run -0 --separate-stderr room setpriv --bounding-set=-net_admin "$WGVIA" import - wg6 <"$WG_CONF"
	[[ ${stderr_lines[0]} == *"using 'mode stack': cannot check "*": this process may not read netfilter rules" ]]
	grep -q '^mode stack$' <<<"$output"
}

@test "mode: this host's rules see the packets with the imported configuration" {
	wg_conf "${RECIPE[@]}"
	room iptables-nft -A FORWARD -i wg6 -d "$SVC4" -p tcp --dport 80 -j DROP
	put_in_place
	wg_quick up
	times_out "$NS_C1" "$SVC4"
	answers "$NS_C2" "$SVC6" service "$C2_6"
	wg_quick down
}
