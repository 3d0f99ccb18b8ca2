#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-only
#
# `wgvia check` and this host's netfilter rules: each rule is loaded on a real system, and check finds exactly what
# bypasses it, or nothing if the rule sees none of the prefixes' packets.

# shellcheck disable=SC2086 # addresses are words
# shellcheck disable=SC2153 # the topology's variables
# shellcheck disable=SC2030,SC2031 # each test has its own PATH

load ../lib/check.bash

# filters NAME...: nft, iptables-nft, iptables-legacy: skips if one is missing.
filters_with() {
	case $1 in
	iptables-legacy)
		command -v iptables-legacy >/dev/null || skip "iptables-legacy is not installed"
		gw iptables-legacy -t nat -S >/dev/null 2>&1 || skip "kernel $(uname -r) has no iptables-legacy"
		;;
	iptables-nft)
		command -v iptables-nft >/dev/null || skip "iptables-nft is not installed"
		gw iptables-nft -S >/dev/null || skip "kernel $(uname -r) has no nft_compat"
		;;
	esac
}

# nft_rule FAMILY CHAIN RULE: in a separate table.
nft_rule() {
	local type=filter
	[ $2 = forward ] || type=nat
	gw nft "table $1 t { chain $2 { type $type hook $2 priority 0; policy accept; }; }; add rule $1 t $2 $3"
}

# rule_case FAST STACK UNDO COMMAND...: the findings of check in each mode with this single rule, which COMMAND creates
# and UNDO removes; the remedy leads from mode fast to mode stack, and from there to no rule, if there is a remedy.
rule_case() {
	local fast=$1 stack=$2 undo=$3
	shift 3
	up mode fast
	"$@"
	finds "$fast" || { echo "fast: $*" && return 1; }
	if [ -n "$fast" ]; then mend "${fast##* }"; else up mode stack; fi
	finds "$stack" || { echo "stack: $*" && return 1; }
	if [ "$stack" = nat ]; then mend nat; else $undo; fi
	finds "" || { echo "undone: $*" && return 1; }
}

@test "netfilter: rules of nft" {
	while IFS='|' read -r fast stack family chain rule; do
		rule_case "$fast" "$stack" "gw nft flush ruleset" nft_rule $family $chain "$rule"
	done <<-END
		ct_invalid forward_rules||inet|forward|ct state invalid drop
		ct_invalid forward_rules||ip6|forward|ct state vmap { established : accept, invalid : drop }
		forward_rules||inet|forward|ct state established accept
		forward_rules|forward_rules|inet|forward|ct state new drop
		forward_rules||ip|forward|iifname wg6 tcp dport 22 drop
		forward_rules|forward_rules|ip|forward|iifname "wg*" oifname ens3 reject
		forward_rules||ip|forward|ip saddr 10.6.7.0/24 drop
		forward_rules|forward_rules|ip6|forward|iif ens3 ip6 daddr $VPN6 drop
		forward_rules||ip|forward|ip daddr 198.51.100.7 drop
		forward_rules|forward_rules|ip|forward|iifname != docker0 drop
		mss_clamp||inet|forward|tcp flags syn tcp option maxseg size set rt mtu
		nat|nat|ip|postrouting|oifname ens3 masquerade
		nat|nat|ip|postrouting|ip saddr 10.0.0.0/8 snat to $GW4
		nat|nat|ip6|postrouting|masquerade
		nat|nat|ip|postrouting|oifname wg6 masquerade
		nat|nat|inet|prerouting|iifname wg6 tcp dport 80 redirect to :8080
		nat|nat|ip|prerouting|tcp dport 80 dnat to 198.51.100.7
		||ip|forward|iifname docker0 drop
		||ip|forward|ip saddr 10.7.0.0/16 ip daddr 10.8.0.0/16 drop
		||ip|forward|iifname wg6 ip daddr $VPN4 drop
		||ip|forward|oifname { docker0, eth7 } ct state invalid drop
		||ip|forward|counter
		||ip|postrouting|oifname docker0 masquerade
		||ip|prerouting|ip daddr $GW4 tcp dport 80 dnat to 198.51.100.7
		||inet|prerouting|fib daddr type local tcp dport 80 redirect to :8080
	END
}

@test "netfilter: a clamp of the MSS: the remedy is mss with the value of the rules, and mss is a remedy" {
	local rule words
	kernel_can check_mtu || skip "kernel $(uname -r) has no bpf_check_mtu()"
	while IFS='|' read -r words rule; do
		wgvia up wg6 "${WORDS[@]}"
		nft_rule inet forward "tcp flags syn tcp option maxseg size set $rule"
		finds mss_clamp
		severity mss_clamp warning
		mend mss_clamp
		is "$(wgvia save wg6 | grep mss)" "$words"
		finds ""
		gw nft flush ruleset
	done <<-END
		mss auto|rt mtu
		mss 1300|1300
		mss 536|100
	END
}

# hook_rule FAMILY HOOK DEVICE|- RULE: like nft_rule, in a chain that filters; with a device, a chain of that device.
hook_rule() {
	local device=
	[ $3 = - ] || device="device $3"
	gw nft "table $1 t { chain c { type filter hook $2 $device priority 0; policy accept; }; }; add rule $1 t c $4"
}

# hook_case FINDINGS FAMILY HOOK DEVICE|- RULE: for an instance in mode fast, with this single rule.
hook_case() {
	hook_rule "${@:2}"
	finds "$1" || { echo "$*" && return 1; }
	gw nft flush ruleset
}

@test "netfilter: what a rule of nft drops, of invalid packets and others" {
	up
	while IFS='|' read -r fast rule; do
		hook_case "$fast" inet forward - "$rule"
	done <<-END
		ct_invalid forward_rules|ct state invalid drop
		ct_invalid forward_rules|ct state { invalid } drop
		ct_invalid forward_rules|ct state vmap { established : accept, invalid : drop }
		forward_rules|ct state vmap { established : accept, invalid : drop, new : drop }
		forward_rules|ct state { invalid, new } drop
		forward_rules|ct state invalid,untracked drop
		forward_rules|ct state != invalid drop
		forward_rules|iifname vmap { "wg6" : drop, "docker0" : accept }
		forward_rules|iifname . ip daddr vmap { "wg6" . 198.51.100.7 : drop }
		|iifname vmap { "docker0" : drop }
		|iifname . ip daddr vmap { "docker0" . 198.51.100.7 : drop }
		|meta protocol arp drop
	END
}

@test "netfilter: rules of nft at the hooks prerouting and postrouting" {
	up
	while IFS='|' read -r fast family hook rule; do
		hook_case "$fast" $family $hook - "$rule"
	done <<-END
		prerouting_rules|ip|prerouting|ip saddr $VPN4 drop
		prerouting_rules|ip6|prerouting|iifname ens3 ip6 daddr $VPN6 drop
		prerouting_rules|inet|prerouting|iifname wg6 meta mark set 3
		prerouting_rules|inet|prerouting|fib saddr . iif oif missing drop
		ct_invalid prerouting_rules|inet|prerouting|ct state invalid drop
		postrouting_rules|ip6|postrouting|oifname ens3 drop
		postrouting_rules|ip|postrouting|ip dscp set cs1
		mss_clamp|inet|postrouting|tcp flags syn tcp option maxseg size set rt mtu
		|ip|prerouting|ip daddr $WG4 drop
		|ip|prerouting|iifname wg6 ip saddr 172.16.0.0/12 drop
		|ip|prerouting|iifname docker0 drop
		|inet|prerouting|fib daddr type { broadcast, multicast } drop
		|inet|prerouting|notrack
		|inet|prerouting|ct mark set 3
		|inet|prerouting|ip saddr $VPN4 accept
		|ip|postrouting|oifname docker0 drop
		|ip|postrouting|counter
	END
}

@test "netfilter: rules of nft at the hooks ingress and egress, which belong to a device" {
	gw nft 'table netdev t { chain c { type filter hook egress device ens3 priority 0; }; }; flush ruleset' 2>/dev/null ||
		skip "kernel $(uname -r) has no egress hook"
	ip -n "$NS_GW" link add other type bridge
	up
	while IFS='|' read -r fast family hook device rule; do
		hook_case "$fast" $family $hook "$device" "$rule"
	done <<-END
		ingress_rules|netdev|ingress|wg6|drop
		ingress_rules|netdev|ingress|wg6|ip saddr $VPN4 tcp dport 25 drop
		ingress_rules|netdev|ingress|ens3|ip daddr $VPN4 drop
		ingress_rules|inet|ingress|ens3|meta mark set 3
		egress_rules|netdev|egress|ens3|ip saddr $VPN4 drop
		egress_rules|netdev|egress|wg6|meta protocol ip6 drop
		|netdev|ingress|other|drop
		|netdev|egress|other|drop
		|netdev|ingress|wg6|ip saddr 172.16.0.0/12 drop
		|netdev|ingress|wg6|ip daddr $VPN4 drop
		|netdev|ingress|ens3|ip saddr $VPN4 drop
		|netdev|egress|ens3|ip daddr $VPN4 drop
		|netdev|ingress|ens3|meta protocol arp drop
		|netdev|ingress|ens3|vlan id 3 drop
		|netdev|ingress|ens3|meta pkttype { broadcast, multicast } drop
	END
	gw nft 'table netdev t { chain c { type filter hook ingress devices = { other, wg6 } priority 0; policy drop; }; }'
	finds ingress_rules
	severity ingress_rules warning
	tells ingress_rules "policy drop"
	mend ingress_rules # mode stack bypasses none
	finds ""
	hook_rule ip prerouting - drop
	finds prerouting_rules # but it meets a rule that drops everything
}

@test "netfilter: a rule about a group or a kind of devices" {
	ip -n "$NS_GW" link set wg6 group 7
	ip -n "$NS_GW" link set ens3 group 8
	up
	while IFS='|' read -r fast rule; do
		hook_case "$fast" inet forward - "$rule"
	done <<-END
		forward_rules|iifgroup 7 drop
		forward_rules|oifgroup { 8, 9 } drop
		forward_rules|iifgroup 7 oifgroup 8 drop
		forward_rules|iifgroup 5-7 drop
		forward_rules|iifgroup vmap { 8 : drop }
		forward_rules|meta iifkind "veth" drop
		|iifgroup 9 drop
		|iifgroup default drop
		|oifgroup { 9, 10 } drop
		|iifgroup 7 oifgroup 7 drop
		|iifgroup vmap { 9 : drop }
		|meta iifkind "wireguard" drop
	END
	# nft prints the group's name if it has one
	printf '0 default\n7 vpn\n9 others\n' >"$BATS_TEST_TMPDIR/group"
	for group in 7:forward_rules 9:; do
		hook_rule inet forward - "iifgroup ${group%:*} drop"
		# shellcheck disable=SC2016 # the inner shell's variables
		run gw unshare --mount sh -c 'mount --bind "$0" "$1" && shift && exec "$@" -j check wg6' \
			"$BATS_TEST_TMPDIR/group" "$(iproute2_folder)/group" "$WGVIA" --pin-dir "$PIN_DIR"
		gw nft flush ruleset
		is "$(jq -r '.findings[].name' <<<"$output")" "${group#*:}"
	done
}

@test "netfilter: a verdict map with a name" {
	up
	while IFS='|' read -r fast type elements rule; do
		gw nft "add table inet t; add map inet t m { $type : verdict; }; add chain inet t deep
			add rule inet t deep meta mark set 3; add element inet t m { $elements }
			add chain inet t c { type filter hook forward priority 0; }; add rule inet t c $rule"
		finds "$fast" || { echo "$elements: $rule" && return 1; }
		gw nft flush ruleset
	done <<-END
		ct_invalid forward_rules|typeof ct state|invalid : drop, established : accept|ct state vmap @m
		forward_rules|typeof ct state|invalid : drop, new : drop|ct state vmap @m
		forward_rules|type ifname|"wg6" : jump deep|iifname vmap @m
		forward_rules|type ifname|"wg6" comment "VPN" : drop|iifname vmap @m
		|type ifname|"docker0" : drop, "eth7" : goto deep|iifname vmap @m
		|type ifname|"wg6" : jump deep|iifname docker0 oifname vmap @m
	END
}

@test "netfilter: a policy; chains with and without jumps to them" {
	up
	gw nft 'table inet t { chain c { type filter hook forward priority 0; policy drop; }; }'
	finds forward_rules
	severity forward_rules warning
	tells forward_rules "policy drop"
	gw nft flush ruleset
	gw nft 'table inet t { chain deep { drop; }; chain far { goto deep; }; chain c { type filter hook forward priority 0; }; }'
	finds ""
	gw nft 'add rule inet t c iifname vmap { "wg6" : jump far }'
	finds forward_rules
	severity forward_rules warning
	gw nft flush ruleset
	gw nft 'table inet t { chain deep { drop; }; chain c { type filter hook forward priority 0; iifname docker0 jump deep; }; }'
	finds ""
	gw nft flush ruleset
	gw nft 'table inet t { chain c { type filter hook input priority 0; policy drop; ct state invalid drop; }; }'
	gw nft 'table netdev t { chain c { type filter hook ingress device ens3 priority 0; counter; }; }'
	finds ""
	gw nft flush ruleset
	# one chain for two hooks: what it drops is reported for both
	gw nft 'table inet t { chain deep { drop; }; chain a { type filter hook prerouting priority 0; iifname wg6 jump deep; };
		chain b { type filter hook forward priority 0; oifname ens3 goto deep; }; }'
	finds "forward_rules prerouting_rules"
	gw nft 'flush chain inet t a; add rule inet t a iifname docker0 jump deep'
	finds forward_rules
}

@test "netfilter: rules that drop nothing are information" {
	up
	nft_rule inet forward 'ct state established,related accept'
	gw nft 'add rule inet t forward ct state invalid drop'
	finds "ct_invalid forward_rules"
	severity forward_rules info
	severity ct_invalid info
	is $status 0
	gw nft 'add rule inet t forward tcp dport 25 drop'
	finds "ct_invalid forward_rules"
	severity forward_rules warning
	is $status 1
}

@test "netfilter: in mode stack, NAT at a device without a gateway makes packets bypass the firewall" {
	network eth7 198.51.100.1/24
	while IFS='|' read -r stack rule; do
		up mode stack
		nft_rule ip postrouting "$rule"
		finds "$stack" || { echo "$rule" && return 1; }
		[ "$stack" = reach ] || mend nat
		up
		finds reach || { echo "fast: $rule" && return 1; }
		gw nft flush ruleset
	done <<-END
		nat reach|oifname eth7 masquerade
		nat reach|ip daddr 198.51.100.0/24 masquerade
		nat reach|ip saddr $VPN4 ip daddr 198.51.100.7 snat to 198.51.100.1
		reach|iifname ens3 oifname eth7 masquerade
		reach|oifname docker0 masquerade
		reach|ip saddr 198.51.100.0/24 masquerade
	END
	# FORWARD's rules are only checked for the gateways' devices
	up mode stack
	nft_rule inet forward 'oifname eth7 drop'
	finds reach
}

@test "netfilter: a rule that names the LAN, and a route by another device that is wider than the LAN" {
	network eth7 198.51.100.1/24
	ip -n "$NS_GW" route add 192.0.0.0/8 dev eth7
	up bypass 198.51.100.0/24
	while IFS='|' read -r fast rule; do
		hook_case "$fast" ip forward - "$rule"
	done <<-END
		forward_rules|ip daddr 192.0.2.0/24 drop
		forward_rules|ip daddr 192.0.2.3 drop
		forward_rules|ip daddr 192.0.0.0/9 drop
		|ip daddr 192.7.0.0/16 drop
		|ip daddr 198.51.100.7 drop
	END
}

# queued KIND: "-nft", "-legacy"
queued() {
	filters_with iptables$1
	up
	gw iptables$1 -A FORWARD -i wg6 -j NFQUEUE --queue-num 3
	finds forward_rules
	severity forward_rules warning
	up mode stack
	finds forward_rules
	tells forward_rules "not evaluated: 'iptables$1 -t filter -A FORWARD -i wg6 -j NFQUEUE --queue-num 3'"
}

@test "netfilter: the reader of a queue may drop (iptables-nft)" {
	queued -nft
}

@test "netfilter: the reader of a queue may drop (iptables-legacy)" {
	queued -legacy
}

@test "netfilter: a family without a prefix is not checked" {
	wgvia up wg6 "${WORDS6[@]}"
	nft_rule ip forward drop
	nft_rule ip postrouting masquerade
	finds outside
	wgvia up wg6 "${WORDS4[@]}"
	finds "forward_rules nat outside"
}

@test "netfilter: a rule of iptables-legacy about a group of devices" {
	filters_with iptables-legacy
	up
	ip -n "$NS_GW" link set wg6 group 7
	while IFS='|' read -r fast rule; do
		gw iptables-legacy -A FORWARD $rule -j DROP || skip "kernel $(uname -r) has no xt_devgroup"
		finds "$fast" || { echo "$rule" && return 1; }
		gw iptables-legacy -F FORWARD
	done <<-END
		forward_rules|-m devgroup --src-group 7
		forward_rules|-m devgroup --src-group 0x17/0xf
		forward_rules|-m devgroup ! --src-group 9
		|-m devgroup --src-group 9
		|-m devgroup --src-group 7 --dst-group 7
	END
}

iptables_cases() {
	while IFS=/ read -r program fast stack rule; do
		rule=${rule//|//}
		rule_case "$fast" "$stack" "gw $program$1 ${rule/-A/-D}" gw $program$1 $rule
	done <<-END
		iptables/ct_invalid forward_rules//-A FORWARD -m conntrack --ctstate INVALID -j DROP
		ip6tables/ct_invalid forward_rules//-A FORWARD -m state --state INVALID -j DROP
		iptables/forward_rules//-A FORWARD -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT
		ip6tables/forward_rules/forward_rules/-A FORWARD -i wg6 -j DROP
		iptables/forward_rules/forward_rules/-A FORWARD ! -i docker0 -o ens+ -j REJECT
		iptables/forward_rules/forward_rules/-A FORWARD -m conntrack --ctstate NEW -j DROP
		ip6tables/forward_rules/forward_rules/-A FORWARD -m conntrack --ctstate INVALID,NEW -j DROP
		ip6tables/forward_rules/forward_rules/-A FORWARD -m conntrack ! --ctstate INVALID -j DROP
		iptables/forward_rules/forward_rules/-A FORWARD -j NFQUEUE --queue-num 3
		iptables/mss_clamp//-A FORWARD -p tcp --tcp-flags SYN,RST SYN -j TCPMSS --clamp-mss-to-pmtu
		ip6tables/mss_clamp//-t mangle -A FORWARD -p tcp --tcp-flags SYN,RST SYN -j TCPMSS --set-mss 1300
		iptables/nat/nat/-t nat -A POSTROUTING -s 10.6.0.0|16 -o ens3 -j MASQUERADE
		ip6tables/nat/nat/-t nat -A POSTROUTING -s 2001:db8:1::|50 -j MASQUERADE
		iptables/nat/nat/-t nat -A POSTROUTING ! -d 10.6.0.0|16 -j SNAT --to-source $GW4
		iptables/nat/nat/-t nat -A PREROUTING -p tcp --dport 80 -j DNAT --to-destination 198.51.100.7
		iptables///-A FORWARD -i docker0 -j DROP
		iptables///-A INPUT -m conntrack --ctstate INVALID -j DROP
		iptables///-t nat -A POSTROUTING -s 172.17.0.0|16 -o docker0 -j MASQUERADE
	END
}

# hook_cases KIND: "-nft", "-legacy"
hook_cases() {
	up
	while IFS=/ read -r program fast rule; do
		rule=${rule//|//}
		gw $program$1 $rule
		finds "$fast" || { echo "$rule" && return 1; }
		gw $program$1 ${rule/-A/-D}
	done <<-END
		iptables/prerouting_rules/-t raw -A PREROUTING -s 10.6.0.0|16 -j DROP
		ip6tables/prerouting_rules/-t mangle -A PREROUTING -i wg6 -j MARK --set-mark 3
		iptables/postrouting_rules/-t mangle -A POSTROUTING -o ens3 -j MARK --set-mark 3
		ip6tables/postrouting_rules/-t mangle -A POSTROUTING -s 2001:db8:1::|50 -j DROP
		iptables/forward_rules/-t mangle -A FORWARD -i wg6 -j DROP
		iptables//-t raw -A PREROUTING -j CT --notrack
		iptables//-t mangle -A PREROUTING -p udp -j CONNMARK --restore-mark
		iptables//-t mangle -A PREROUTING -d $WG4 -j DROP
		iptables//-t mangle -A POSTROUTING -o docker0 -j DROP
	END
}

@test "netfilter: rules of iptables-nft in the tables raw and mangle" {
	filters_with iptables-nft
	hook_cases -nft
}

@test "netfilter: rules of iptables-legacy in the tables raw and mangle" {
	filters_with iptables-legacy
	hook_cases -legacy
}

@test "netfilter: rules of iptables-nft" {
	filters_with iptables-nft
	iptables_cases -nft
}

# bats test_tags=long
@test "netfilter: rules of iptables-legacy" {
	filters_with iptables-legacy
	iptables_cases -legacy
}

# docker PROGRAM POLICY: Docker's rules for one container with a published port.
docker() {
	network docker0 172.17.0.1/16
	gw sh -ec "
		$1 -P FORWARD $2
		for chain in USER FORWARD ISOLATION-STAGE-1 ISOLATION-STAGE-2; do $1 -N DOCKER-\$chain; done
		$1 -N DOCKER
		$1 -t nat -N DOCKER
		$1 -A FORWARD -j DOCKER-USER
		$1 -A FORWARD -j DOCKER-FORWARD
		$1 -A DOCKER-USER -j RETURN
		$1 -A DOCKER-FORWARD -j DOCKER-ISOLATION-STAGE-1
		$1 -A DOCKER-FORWARD -o docker0 -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT
		$1 -A DOCKER-FORWARD -o docker0 -j DOCKER
		$1 -A DOCKER-FORWARD -i docker0 ! -o docker0 -j ACCEPT
		$1 -A DOCKER -d 172.17.0.2/32 ! -i docker0 -o docker0 -p tcp --dport 80 -j ACCEPT
		$1 -A DOCKER ! -i docker0 -o docker0 -j DROP
		$1 -A DOCKER-ISOLATION-STAGE-1 -i docker0 ! -o docker0 -j DOCKER-ISOLATION-STAGE-2
		$1 -A DOCKER-ISOLATION-STAGE-2 -o docker0 -j DROP
		$1 -t nat -A PREROUTING -m addrtype --dst-type LOCAL -j DOCKER
		$1 -t nat -A OUTPUT ! -d 127.0.0.0/8 -m addrtype --dst-type LOCAL -j DOCKER
		$1 -t nat -A POSTROUTING -s 172.17.0.0/16 ! -o docker0 -j MASQUERADE
		$1 -t nat -A DOCKER ! -i docker0 -p tcp --dport 8080 -j DNAT --to-destination 172.17.0.2:80"
}

# beside_docker PROGRAM
beside_docker() {
	filters_with $1
	docker $1 ACCEPT
	for state in before fast stack; do
		[ $state = before ] || up mode $state
		finds reach
	done
	up bypass 172.17.0.0/16
	finds ""
	# it drops what a VPN client sends to the LAN; mode fast bypasses that, in mode stack packets do not get through
	gw $1 -P FORWARD DROP
	finds forward_rules
	tells forward_rules "policy drop"
	up bypass 172.17.0.0/16 mode stack
	finds forward_rules
	tells forward_rules "drops new TCP connections from the prefixes (IPv4), and no rule there accepts"
	gw $1 -I DOCKER-USER -i wg6 -j ACCEPT
	finds forward_rules
	tells forward_rules "drops replies to TCP connections from the prefixes (IPv4)"
	gw $1 -I DOCKER-USER -o wg6 -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT
	finds ""
}

@test "netfilter: Docker's rules do not matter, its policy does (iptables-nft)" {
	beside_docker iptables-nft
}

@test "netfilter: Docker's rules do not matter, its policy does (iptables-legacy)" {
	beside_docker iptables-legacy
}

# without PROGRAM...: as on a host without these programs
without() {
	local program
	mkdir -p "$BATS_TEST_TMPDIR/bin"
	for program; do
		printf '#!/bin/sh\nexit 127\n' >"$BATS_TEST_TMPDIR/bin/$program"
		chmod +x "$BATS_TEST_TMPDIR/bin/$program"
	done
	PATH=$BATS_TEST_TMPDIR/bin:$PATH
}

@test "netfilter: nft is not installed" {
	local path=$PATH
	up
	without nft
	finds ""
	PATH=$path nft_rule ip forward 'iifname docker0 drop'
	finds netfilter
	severity netfilter warning
	tells netfilter "nft is not installed"
	PATH=$path
	finds ""
}

@test "netfilter: rules of iptables-nft that nft does not show: older nft, and no iptables-nft-save" {
	local path=$PATH
	filters_with iptables-nft
	up mode stack
	gw iptables-nft -A FORWARD -m conntrack --ctstate NEW -j DROP
	finds forward_rules
	tells forward_rules "'ip filter FORWARD' drops new TCP connections"
	without iptables-nft-save
	finds forward_rules # iptables-save is of the same kind
	without iptables-save
	finds "forward_rules netfilter"
	tells netfilter "iptables-nft-save is not installed"
	tells forward_rules "may drop new TCP connections"
	tells forward_rules "not evaluated: 'ip filter FORWARD handle"
	up
	finds "forward_rules netfilter"
	severity forward_rules warning
	# before 1.0.6
	PATH=$path without
	printf '#!/bin/sh\nPATH=%s nft "$@" | sed -E "s/\"xt\": *\{[^}]*\}/\"xt\": null/g"\n' "$path" >"$BATS_TEST_TMPDIR/bin/nft"
	chmod +x "$BATS_TEST_TMPDIR/bin/nft"
	finds "forward_rules netfilter"
	severity forward_rules warning
	rm "$BATS_TEST_TMPDIR"/bin/iptables*
	finds forward_rules
	gw iptables-nft -F FORWARD
	gw iptables-nft -A FORWARD -m conntrack --ctstate INVALID -j DROP
	finds "ct_invalid forward_rules"
}

@test "netfilter: a chain of iptables-legacy differs from that of iptables-nft with the same name" {
	filters_with iptables-nft
	filters_with iptables-legacy
	up mode stack
	gw iptables-nft -P FORWARD DROP
	gw iptables-legacy -P FORWARD ACCEPT
	finds forward_rules
	gw iptables-nft -P FORWARD ACCEPT
	finds ""
	gw iptables-legacy -P FORWARD DROP
	finds forward_rules
}

# Kernels with flowtables, and real ones: tests/vm/flowtable.bats. Here nft's answer is of such a kernel.
@test "netfilter: a flowtable with the macvlan itself, or with the device below it alone" {
	ip -n "$NS_GW" link add link ens3 name mac0 type macvlan
	wire_address mac0 203.0.113.1/24
	WORDS=(from "$VPN4" via 203.0.113.2 dev mac0)
	up mode stack
	without nft
	cat >"$BATS_TEST_TMPDIR/bin/nft" <<-'END'
		#!/bin/sh
		echo '{"nftables": [{"flowtable": {"family": "inet", "name": "f", "table": "t", "dev": ["wg6", "'"$LISTED"'"]}},
			{"chain": {"family": "inet", "table": "t", "name": "c", "hook": "forward"}},
			{"rule": {"family": "inet", "table": "t", "chain": "c",
				"expr": [{"flow": {"op": "add", "flowtable": "@f"}}]}}]}'
	END
	LISTED=mac0 look
	is "$(remedy flowtable)" ""
	LISTED=ens3 look # the kernel does not look through a macvlan
	tells flowtable "lacks dev mac0:"
}

@test "netfilter: check changes no rules" {
	local before
	filters_with iptables-nft
	up
	gw iptables-nft -A FORWARD -m conntrack --ctstate NEW -j DROP
	before=$(gw nft -a list ruleset)
	finds forward_rules
	is "$(gw nft -a list ruleset)" "$before"
	is "$(gw cat /proc/net/ip_tables_names)" ""
}

@test "netfilter: iptables-legacy-save is not installed" {
	local path=$PATH
	filters_with iptables-legacy
	gw iptables-legacy -S >/dev/null
	finds ""
	without iptables-legacy-save iptables-save
	finds netfilter
	severity netfilter info
	PATH=$path
	finds ""
}

@test "netfilter: ten thousand rules and a set of ten thousand elements" {
	up
	{
		echo 'table ip big { set s { type ipv4_addr; elements = {'
		seq 10000 | awk '{ printf "10.9.%d.%d,", $1 / 256, $1 % 256 }'
		echo '}; }; chain c { ip saddr @s drop; '
		seq 10000 | sed 's/.*/tcp dport & drop/'
		echo '}; chain f { type filter hook forward priority 0; }; }'
	} >"$BATS_TEST_TMPDIR/big.nft"
	gw nft -f "$BATS_TEST_TMPDIR/big.nft"
	finds ""
	gw nft add rule ip big f jump c
	finds forward_rules
	tells forward_rules "10001 rules"
}
