#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-only
#
# In mode stack `check` evaluates this host's FORWARD rules for a new TCP connection from the prefixes. Each rule set is
# loaded on a real gateway, a client connects to the service, and the report of check must match the result. The same
# for rules that translate addresses before wgvia sees a packet.

# shellcheck disable=SC2086 # addresses are words
# shellcheck disable=SC2030,SC2031 # bats runs each test on its own
# shellcheck disable=SC2153,SC2154 # the topology's variables, and bats' own

load ../lib/net.bash

setup_more() {
	# the gateway's own rules, from the topology, are not under test
	in_ns "$NS_GW" nft flush ruleset
}

setup() {
	wgvia up wg6 "${WORDS[@]}" mode stack
}

teardown() {
	gw nft flush ruleset
	no_legacy
	ip -n "$NS_GW" link delete virbr0 2>/dev/null || true
	ip -n "$NS_GW" link delete other 2>/dev/null || true
	sweep "$NS_GW" wg6
}

gw() {
	in_ns "$NS_GW" "$@"
}

no_legacy() {
	local program
	for program in iptables ip6tables; do
		command -v $program-legacy >/dev/null || continue
		[ -n "$(gw cat /proc/net/${program/tables/_tables}_names 2>/dev/null)" ] || continue
		gw sh -c "$program-legacy -P FORWARD ACCEPT && $program-legacy -F && $program-legacy -X"
	done
}

# connects 4|6 [works|fails]: prints which of these; the second argument is the expected one, and determines how long it
# waits.
connects() {
	local address=SVC$1 seconds=1
	[ "${2:-works}" = fails ] || seconds=20
	forget_redirects
	if HTTP_TIMEOUT=$seconds http_get "$NS_C1" "$(url "${!address}")" >/dev/null 2>&1; then
		echo works
	else
		echo fails
	fi
}

# verdict 4|6: of the finding forward_rules for that family, in the output of check: "accepts", "drops", "partly",
# "unknown".
verdict() {
	jq -r --arg family "(IPv$1)" '[.findings[] | select(.name == "forward_rules") | .evidence |
		select(contains($family) or contains("(IPv4 and IPv6)"))] | first // "" |
		if . == "" then "accepts" elif contains("except for those") then "partly"
		elif contains("may drop") then "unknown" elif contains("no rule there accepts") then "drops"
		else . end' <<<"$output"
}

# judged "IPV4-VERDICT IPV4-FATE IPV6-VERDICT IPV6-FATE": with the present rules.
judged() {
	local words
	read -ra words <<<"$1"
	run wgvia -j check wg6
	is "$(verdict 4) $(connects 4 ${words[1]}) $(verdict 6) $(connects 6 ${words[3]})" "$1" || { echo "$output" && return 1; }
}

# table NAME: lines "EXPECTED|RULES" on stdin; NAME loads the rules.
table() {
	while IFS='|' read -r expected rules; do
		[ -n "$expected" ] || continue
		$1 "$rules"
		judged "$expected" || { echo "$rules" && return 1; }
		gw nft flush ruleset
	done
}

# In a chain at the hook forward, inet, with the policy drop.
nft_drop() {
	gw nft "table inet t { set s { type ipv4_addr; elements = { 10.6.0.10, 10.7.0.1 }; }
		set v { type ipv4_addr; flags interval; elements = { 10.6.0.0/15 }; }
		set dev { type ifname; elements = { \"wg6\", \"ens3\" }; }; chain far { meta mark 7 counter; udp dport 53 return; accept; }
		chain f { type filter hook forward priority 0; policy drop; }; }"
	while read -r -d ';' rule || [ -n "$rule" ]; do
		gw nft "add rule inet t f $rule"
	done <<<"$1"
}

# The same with the policy accept, for IPv4.
nft_accept() {
	gw nft "table ip t { chain f { type filter hook forward priority 0; }; }"
	while read -r -d ';' rule || [ -n "$rule" ]; do
		gw nft "add rule ip t f $rule"
	done <<<"$1"
}

@test "FORWARD with a policy drop: nftables" {
	table nft_drop <<-END
		drops fails drops fails|ct state established,related accept; meta l4proto { icmp, icmpv6 } accept
		drops fails drops fails|ct state established accept; iifname docker0 accept; ip saddr 172.17.0.0/16 accept
		drops fails drops fails|ct state vmap { established : accept, related : accept, invalid : drop }; udp dport 53 accept
		drops fails drops fails|iifname wg6 accept
		drops fails drops fails|iifname wg6 ct state new accept; oifname wg6 ct state established accept
		accepts works accepts works|iifname wg6 accept; oifname wg6 ct state established,related accept
		accepts works accepts works|iifname wg6 jump far; oifname wg6 goto far
		accepts works accepts works|iifname . oifname { wg6 . ens3, ens3 . wg6 } accept
		accepts works accepts works|iifname @dev accept
		accepts works accepts works|ct state vmap { established : accept, new : jump far }
		accepts works drops fails|ct state established accept; ip saddr $VPN4 accept
		accepts works drops fails|ct state established accept; ip saddr @v accept
		drops fails accepts works|ct state established accept; ip6 saddr 2001:db8::/32 tcp flags syn / fin,syn,rst,ack accept
		partly works drops fails|ct state established accept; ip saddr @s accept
		partly works partly works|ct state established accept; iifname wg6 tcp dport { 80, 443 } accept
		partly fails partly fails|ct state established accept; iifname wg6 tcp dport 22 accept
		partly works drops fails|ct state established accept; ip daddr 192.0.2.0/24 accept
		accepts works accepts works|tcp flags { syn, syn | ack, ack, psh | ack, fin | ack, fin | psh | ack } accept
		accepts works accepts works|tcp flags syn,ack accept
		drops fails drops fails|tcp flags { syn, syn | ack } accept
		drops fails drops fails|tcp flags ! syn accept; ct state established accept
		drops fails accepts works|exthdr frag missing tcp flags != rst accept
		accepts works drops fails|ip saddr != 10.7.0.0/16 accept
		drops fails accepts works|ip6 daddr != 2001:db8:77::/48 accept
		drops fails drops fails|ct state established accept; udp dport != 53 accept; icmp type != echo-reply accept
		drops fails drops fails|tcp flags & (fin | syn | rst | ack) == syn ct state established accept
		accepts works accepts works|ct state established accept; iifname != docker0 ct direction original accept
		unknown fails unknown fails|ct state established accept; meta mark 3 accept
		unknown works unknown works|ct state established accept; limit rate 100/second burst 99 packets accept
	END
}

# nft_file RULESET: with ";;" between lines
nft_file() {
	gw nft -f - <<<"${1//;;/$'\n'}"
}

# firewalld with the backend nftables: zones, and a reject at the end
FIREWALLD_NFT="table inet firewalld { chain filter_FORWARD { type filter hook forward priority 10; policy accept;;
	ct state { established, related } accept;; ct status dnat accept;; iifname lo accept;; ct state invalid drop;;
	ip6 daddr { ::/96, ::ffff:0.0.0.0/96, 2002:0000::/24, 2002:0a00::/24 } reject with icmpv6 addr-unreachable;;
	jump ZONES;; reject with icmpx admin-prohibited;; };; chain ZONES { iifname ens3 goto FWD_public;; goto FWD_vpn;; };;
	chain FWD_public { jump FWD_pre;; meta l4proto { icmp, ipv6-icmp } accept;; };; chain FWD_pre { };;
	chain FWD_vpn { jump FWD_pre;; jump FWD_vpn_allow;; };; chain FWD_vpn_allow {"
# Debian's examples for a workstation, and for a router
DEBIAN="table inet filter { chain input { type filter hook input priority 0; policy accept;; };;
	chain forward { type filter hook forward priority 0; policy drop;;"
# OpenWrt's fw4: zones by device, and a reject at the end
OPENWRT="table inet fw4 { chain forward { type filter hook forward priority filter; policy drop;;
	ct state vmap { established : accept, related : accept };; iifname { eth1, eth2 } jump forward_wan;;
	iifname wg6 jump forward_vpn;; jump handle_reject;; };; chain handle_reject { meta l4proto tcp reject with tcp reset;;
	reject;; };; chain forward_wan { icmpv6 type { echo-request, echo-reply } limit rate 1000/second accept;; };;
	chain accept_to_lan { meta nfproto { ipv4, ipv6 } oifname ens3 counter accept comment \"accept\";; };;
	chain forward_vpn {"
# libvirt's, which only concern its networks
LIBVIRT="table ip libvirt_network { chain forward { type filter hook forward priority filter; policy accept;;
	counter jump guest_cross;; counter jump guest_input;; counter jump guest_output;; };; chain guest_cross {
	iif virbr0 oif virbr0 counter accept;; };; chain guest_input { oif virbr0 ip daddr 192.168.122.0/24 ct state
	established,related counter accept;; oif virbr0 counter reject;; };; chain guest_output { ip saddr 192.168.122.0/24
	iif virbr0 counter accept;; iif virbr0 counter reject;; };; }"

for name in FIREWALLD_NFT DEBIAN OPENWRT LIBVIRT; do
	printf -v $name %s "${!name//$'\n'/}" # a row of a table is one line
done

@test "FORWARD as firewalld, Debian, OpenWrt and libvirt write it: nftables" {
	ip -n "$NS_GW" link add virbr0 type bridge
	table nft_file <<-END
		drops fails drops fails|$FIREWALLD_NFT };; }
		drops fails drops fails|$FIREWALLD_NFT udp dport 53 accept;; };; }
		accepts works accepts works|$FIREWALLD_NFT accept;; };; }
		accepts works drops fails|$FIREWALLD_NFT iifname wg6 oifname ens3 ip saddr 10.0.0.0/8 accept;; };; }
		drops fails drops fails|$DEBIAN };; }
		drops fails drops fails|$DEBIAN iifname eth0 oifname eth1 accept;; iifname eth1 ct state established accept;; };; }
		accepts works accepts works|$DEBIAN iifname wg6 oifname ens3 accept;; iifname ens3 ct state established accept;; };; }
		drops fails drops fails|$OPENWRT };; }
		accepts works accepts works|$OPENWRT jump accept_to_lan;; };; }
		accepts works accepts works|$LIBVIRT
	END
	ip -n "$NS_GW" link delete virbr0
}

@test "FORWARD with a policy accept: nftables" {
	table nft_accept <<-END
		accepts works accepts works|ct state invalid drop; udp dport 53 drop; iifname docker0 drop
		accepts works accepts works|iifname wg6 tcp dport 22 drop; ip daddr 203.0.113.0/24 drop
		accepts works accepts works|ip frag-off & 0x1fff != 0 drop; ip option lsrr exists drop
		accepts works accepts works|tcp flags & (fin | syn) == fin | syn drop; tcp flags & (syn | rst) == syn | rst drop
		accepts works accepts works|fib daddr type != unicast drop; ip protocol != { tcp, udp, icmp } drop
		drops fails accepts works|ip frag-off & 0x1fff == 0 fib daddr type unicast th dport 1-65535 drop
		drops fails accepts works|ct state established accept; iifname wg6 reject
		drops fails accepts works|iifname != wg6 drop
		drops fails accepts works|oifname wg6 drop
		partly works accepts works|tcp sport 80 accept; tcp dport != 80 drop
		partly works accepts works|ct state established accept; ip daddr != 192.0.2.3 reject with tcp reset
		unknown fails accepts works|meta length > 20 drop
	END
}

# PROGRAM lines: ";" between commands without "PROGRAM"; of IPv4 and IPv6 alike.
iptables_rules() {
	local program command
	no_legacy
	for program in iptables$kind ip6tables$kind; do
		while read -r -d ';' command || [ -n "$command" ]; do
			[ "${command#6 }" = "$command" ] || { [[ $program == ip6* ]] || continue; command=${command#6 }; }
			[ "${command#4 }" = "$command" ] || { [[ $program == iptables* ]] || continue; command=${command#4 }; }
			eval "gw $program $command" # a comment may be quoted
		done <<<"$1"
	done
}

# ufw's rules for FORWARD; its rules for routes are the argument.
UFW="-P FORWARD DROP; -N before; -N user; -N after; -N reject; -N track; -A FORWARD -j before; -A FORWARD -j after;
	-A FORWARD -j reject; -A FORWARD -j track; -A before -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT;
	4 -A before -p icmp --icmp-type 8 -j ACCEPT; 6 -A before -p ipv6-icmp --icmpv6-type 128 -j ACCEPT;
	-A before -j user; -N skip; -A skip -j DROP"
# Docker
DOCKER="-P FORWARD DROP; -N DOCKER; -N DOCKER-USER; -N DOCKER-FORWARD; -N STAGE; -A FORWARD -j DOCKER-USER;
	-A FORWARD -j DOCKER-FORWARD; -A DOCKER-FORWARD -j STAGE;
	-A DOCKER-FORWARD -o docker0 -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT;
	-A DOCKER-FORWARD -o docker0 -j DOCKER; -A DOCKER-FORWARD -i docker0 '!' -o docker0 -j ACCEPT;
	-A DOCKER '!' -i docker0 -o docker0 -j DROP; -A STAGE -i docker0 '!' -o docker0 -j RETURN"
# firewalld's with the backend iptables: a zone for each device, and a reject at the end
FIREWALLD="-N zones; -N public; -A FORWARD -m conntrack --ctstate RELATED,ESTABLISHED,DNAT -j ACCEPT;
	-A FORWARD -i lo -j ACCEPT; -A FORWARD -j zones; -A FORWARD -m conntrack --ctstate INVALID -j DROP;
	-A FORWARD -j REJECT; -A zones -i ens3 -g public"

for name in UFW DOCKER FIREWALLD; do
	printf -v $name %s "${!name//$'\n'/}"
done

iptables_cases() {
	table iptables_rules <<-END
		drops fails drops fails|$UFW
		partly works partly works|$UFW; -A user -i wg6 -p tcp --dport 80 -j ACCEPT
		accepts works accepts works|$UFW; -A user -i wg6 -o ens3 -j ACCEPT
		drops fails drops fails|$DOCKER
		drops fails drops fails|$DOCKER; -A DOCKER-USER -i wg6 -j ACCEPT
		accepts works accepts works|$DOCKER; -A DOCKER-USER -i wg6 -j ACCEPT; -A DOCKER-USER -o wg6 -j ACCEPT
		drops fails drops fails|$FIREWALLD
		drops fails drops fails|$FIREWALLD; -A zones -i wg6 -g public; -A public -p udp -j ACCEPT
		accepts works accepts works|$FIREWALLD; -A zones -i wg+ -g public; -A public -m comment --comment "a -j DROP" -j ACCEPT
		accepts works drops fails|-P FORWARD DROP; -A FORWARD -o wg6 -j ACCEPT; 4 -A FORWARD -s 10.6.0.0/15 -j ACCEPT
		drops fails drops fails|-A FORWARD -m conntrack --ctstate NEW -j DROP
		drops fails drops fails|-A FORWARD -p tcp -m tcp ! --tcp-flags SYN,ACK ACK -j REJECT
		accepts works accepts works|-A FORWARD -m state --state INVALID -j DROP; -A FORWARD -p tcp -m multiport --dports 25 -j DROP
		accepts works accepts works|-P FORWARD DROP; -A FORWARD -p tcp -m tcp --dport 1:65535 -m tcp --sport 1:65535 -j ACCEPT
		drops fails drops fails|-P FORWARD DROP; -N empty; -A FORWARD -i wg6 -g empty; -A FORWARD -j ACCEPT
		accepts works accepts works|-P FORWARD DROP; -N empty; -A FORWARD -i wg6 -j empty; -A FORWARD -j ACCEPT
		unknown fails unknown fails|-A FORWARD -i wg6 -j NFQUEUE --queue-num 3
		unknown works unknown works|-P FORWARD DROP; -A FORWARD -m limit --limit 100/sec --limit-burst 99 -j ACCEPT
		unknown fails unknown fails|-P FORWARD DROP; -A FORWARD -m mark --mark 0x3 -j ACCEPT; -A FORWARD -o wg6 -j ACCEPT
	END
}

@test "FORWARD as ufw, Docker and firewalld write it: iptables-nft" {
	kind=-nft
	command -v iptables-nft >/dev/null || skip "iptables-nft is not installed"
	iptables_cases
}

# bats test_tags=long
@test "FORWARD as ufw, Docker and firewalld write it: iptables-legacy" {
	kind=-legacy
	command -v iptables-legacy >/dev/null || skip "iptables-legacy is not installed"
	gw iptables-legacy -S >/dev/null 2>&1 || skip "kernel $(uname -r) has no iptables-legacy"
	iptables_cases
}

@test "FORWARD: rules that cannot be evaluated are listed" {
	gw nft 'table inet t { chain f { type filter hook forward priority 0; policy drop; ct state established accept;
		meta mark 1 accept; meta mark 2 accept; meta mark 3 accept; meta mark 4 accept; }; }'
	run wgvia check wg6
	[[ $output == *"not evaluated: 'inet t f handle 3', 'inet t f handle 4', 'inet t f handle 5', and 1 more"* ]]
	gw nft flush ruleset
	gw iptables-nft -P FORWARD DROP
	gw iptables-nft -A FORWARD -m mark --mark 0x3 -j ACCEPT
	gw iptables-nft -A FORWARD -o wg6 -j ACCEPT
	run wgvia check wg6
	[[ $output == *"not evaluated: 'ip filter FORWARD handle"* ]] # nft shows all of this rule
}

@test "FORWARD: with two chains at the hook both must accept, and the first one that drops is reported" {
	gw nft 'table ip a { chain f { type filter hook forward priority -5; accept; }; }
		table ip b { chain f { type filter hook forward priority 5; ct state established accept; drop; }; }'
	judged "drops fails accepts works"
	[[ $output == *"'ip b f' drops new TCP connections from the prefixes (IPv4)"* ]]
}

@test "FORWARD: in mode fast a policy drop is bypassed, whatever the chain accepts" {
	wgvia up wg6 "${WORDS[@]}"
	gw nft 'table inet t { chain f { type filter hook forward priority 0; policy drop; ct state established accept; }; }'
	is "$(connects 4) $(connects 6)" "works works"
	run wgvia check wg6
	[[ $output == *"forward_rules"*"mode fast bypasses these rules"* ]]
}

@test "PREROUTING and POSTROUTING: a chain that drops the connection is reported, one that may is not" {
	while IFS='|' read -r names fate hook rules; do
		gw nft "table ip t { chain c { type filter hook $hook priority 0; }; }; add rule ip t c $rules"
		run wgvia -j check wg6
		is "$(jq -r '[.findings[].name | select(endswith("_rules"))] | join(" ")' <<<"$output") $(connects 4 $fate)" \
			"$names $fate" || { echo "$hook $rules: $output" && return 1; }
		gw nft flush ruleset
	done <<-END
		prerouting_rules|fails|prerouting|iifname wg6 drop
		prerouting_rules|fails|prerouting|iifname ens3 ct state established drop
		|works|prerouting|fib saddr . iif oif missing drop
		|works|prerouting|iifname docker0 drop
		postrouting_rules|fails|postrouting|oifname ens3 ip saddr $VPN4 drop
		|works|postrouting|oifname docker0 drop
	END
}

# masqueraded: packets of clients that came out at the other end of the gateway's device "other".
masqueraded() {
	gw nft -j list chain netdev far c | jq '[.nftables[].rule // empty | .expr[].counter.packets // empty] | add'
}

nat_found() {
	run wgvia -j check wg6
	is "$(jq -r '[.findings[].name | select(. == "nat")] | join(" ")' <<<"$output")" "$1"
}

@test "NAT in mode stack: what is masqueraded at a device other than the firewall's leaves there, and check reports it" {
	ip -n "$NS_GW" link add other type veth peer name far
	ip -n "$NS_GW" address add 198.18.0.1/24 dev other
	ip -n "$NS_GW" link set other up
	ip -n "$NS_GW" link set far up
	ip -n "$NS_GW" neighbour add 198.18.0.7 lladdr 02:00:00:00:00:07 dev other
	gw nft 'table netdev far { chain c { type filter hook ingress device far priority 0; ip protocol icmp counter; }; }'
	wgvia up wg6 "${WORDS[@]}" mode stack
	ping_once "$NS_C1" 198.18.0.7 || true
	is "$(masqueraded)" 0
	nat_found ""
	gw nft 'table ip t { chain p { type nat hook postrouting priority 100; oifname "other" masquerade; }; }'
	ping_once "$NS_C1" 198.18.0.7 || true
	is "$(masqueraded)" 1
	nat_found nat
}
