#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-only
#
# The LAN devices of real sites: bonds, a VLAN on one, VLAN-aware bridges, macvlans, and network cards with their
# offloads. With each, some megabytes arrive in both directions and both modes, IPv4 and IPv6, and everything goes via
# the firewall. Then, what a bond loses when it changes to its other port.
#
#   VM_NICS='virtio-net-pci e1000e vmxnet3' scripts/vm 6.12 -- bats tests/vm/devices.bats
#
# The gateway's device is always ens3. What it is connected to ends in gw, a port of the LAN's bridge, where frames are
# counted.

# shellcheck disable=SC2034,SC2086,SC2153,SC2154 # others read variables; addresses are words; the topology's variables
# bats file_tags=vm

load ../lib/net.bash
load ../lib/load.bash
load ../lib/agent.bash

SIZE=2000000 OCTETS=$BATS_FILE_TMPDIR/octets # of each transfer
RATE=200			 # packets per second: an emulated machine on a busy host
FAILOVERS=${WGVIA_FAILOVERS:-3} # of each kind in each mode

setup_more() {
	local mode
	spawn_here "$NS_SVC" echo "$TOOLS/load" echo "$LOAD_PORT"
	service_heeds_redirects 0 # otherwise it answers the gateway directly after some time, and its frames are bounced
	http_get "$NS_SVC" "$(url $SVC4)$SIZE" >"$OCTETS"
	is "$(wc -c <"$OCTETS")" $SIZE
	for mode in fast stack; do
		wgvia up wg6 "${WORDS[@]}" mode $mode
		findings >"$BATS_FILE_TMPDIR/findings-$mode" # on an ordinary device
	done
	wgvia down wg6
	ip -n "$NS_GW" link delete ens3
}

setup() {
	AGENT_ENV=() NICS=()
}

teardown() {
	local device status=0
	unspawn load KILL
	agent_stop KILL
	load_sweep || status=1
	nics_back
	for device in ens3 bond0 br0 eth0 port1 port2; do
		ip -n "$NS_GW" link delete $device 2>/dev/null
	done
	for device in gw trunk switch; do
		ip -n "$NS_LAN" link delete $device 2>/dev/null
	done
	return $status
}

# ---- devices ----

one_cable() {
	cable "$NS_GW" eth0 02:00:00:00:02:b0 "$NS_LAN" trunk 02:00:00:00:02:a2
}

two_cables() {
	local n
	for n in 1 2; do
		cable "$NS_GW" port$n 02:00:00:00:02:b$n "$NS_LAN" port$n 02:00:00:00:02:c$n
	done
}

# lan_port DEVICE: it becomes gw.
lan_port() {
	ip -n "$NS_LAN" -batch - <<-END
		link set $1 down
		link set $1 name gw
		link set gw master lan
		link set gw up
	END
}

# on NAMESPACE LOWER DEVICE MAC KIND...: a device on another one.
on() {
	local namespace=$1 lower=$2 device=$3 mac=$4
	shift 4
	ip -n "$namespace" link add link "$lower" name "$device" address "$mac" type "$@" ||
		skip "no $1 in kernel $(uname -r)"
	ip -n "$namespace" link set "$device" up
}

# bond NAMESPACE DEVICE MAC WORD...: of port1 and port2
bond() {
	local namespace=$1 device=$2 mac=$3
	shift 3
	ip -n "$namespace" link add "$device" address "$mac" type bond miimon 100 "$@" || skip "no bond in kernel $(uname -r)"
	ip -n "$namespace" -batch - <<-END
		link set port1 down
		link set port2 down
		link set port1 master $device
		link set port2 master $device
		link set $device up
	END
}

# active_backup DEVICE MAC: both ports are connected to one switch.
active_backup() {
	two_cables
	bond "$NS_GW" "$1" "$2" mode active-backup
	bridge_up "$NS_LAN" switch 02:00:00:00:02:d0
	ip -n "$NS_LAN" -batch - <<-END
		link set port1 master switch
		link set port2 master switch
		link add trunk type veth peer name uplink
		link set uplink master switch
		link set uplink up
		link set trunk up
	END
}

# lacp DEVICE MAC: the other end, trunk, is a bond as well.
lacp() {
	two_cables
	bond "$NS_GW" "$1" "$2" mode 802.3ad lacp_rate fast xmit_hash_policy layer3+4
	bond "$NS_LAN" trunk 02:00:00:00:02:a2 mode 802.3ad lacp_rate fast xmit_hash_policy layer3+4
	poll 20 aggregated "$1" 2 || ip -n "$NS_GW" -d link show "$1"
}

aggregated() { # DEVICE PORTS
	[ "$(bond_data "$1" '.ad_info | "\(.num_ports) \(.partner_mac != "00:00:00:00:00:00")"')" = "$2 true" ]
}

bond_data() { # DEVICE JQ
	ip -n "$NS_GW" -d -j link show "$1" | jq -r ".[0].linkinfo.info_data | $2"
}

# vlan_bridge DEVICE MAC WORD...: a VLAN-aware bridge whose port, eth0, carries VLAN 5 with its tag; the words are those
# of the bridge itself in VLAN 5.
vlan_bridge() {
	local device=$1
	one_cable
	ip -n "$NS_GW" link add "$device" address "$2" type bridge vlan_filtering 1 vlan_default_pvid 0 ||
		skip "no VLAN-aware bridge in kernel $(uname -r)"
	shift 2
	ip -n "$NS_GW" link set eth0 master "$device"
	ip -n "$NS_GW" link set "$device" up
	bridge -n "$NS_GW" vlan add dev eth0 vid 5
	bridge -n "$NS_GW" vlan add dev "$device" vid 5 self "$@"
	on "$NS_LAN" trunk tagged 02:00:00:00:02:a2 vlan id 5
}

# nic DRIVER: two network cards that are connected to each other.
nic() {
	modprobe -q "$1" || true
	mapfile -t NICS < <(nics_of "$1")
	if [ ${#NICS[@]} -ne 2 ]; then
		NICS=()
		skip "not two network cards of driver $1: VM_NICS of scripts/vm"
	fi
	ip link set "${NICS[0]}" netns "$NS_GW" name ens3
	ip link set "${NICS[1]}" netns "$NS_LAN" name trunk
	ip -n "$NS_GW" link set ens3 address $GW_MAC
	ip -n "$NS_GW" link set ens3 up
	# QEMU's vmxnet3 takes the card's own address for its filter again when the device comes up
	[ "$1" != vmxnet3 ] || ip -n "$NS_GW" link set ens3 promisc on
	lan_port trunk
}

nics_of() {
	local device
	for device in /sys/class/net/*; do
		[ "$(basename "$(readlink "$device/device/driver")")" != "$1" ] || basename "$device"
	done
}

# They would otherwise be deleted with the namespace's other devices, or stay there.
nics_back() {
	[ ${#NICS[@]} -gt 0 ] || return 0
	ip -n "$NS_GW" link set ens3 down promisc off
	ip -n "$NS_GW" link set ens3 netns $$ name "${NICS[0]}"
	ip -n "$NS_LAN" link set gw down
	ip -n "$NS_LAN" link set gw nomaster netns $$ name "${NICS[1]}"
}

# offloads_on NAMESPACE DEVICE: all that the driver has, except what is not about the traffic's form: a loop, frames
# with errors or their checksums; and LRO, which a router cannot have. Prints those that are on.
offloads_on() {
	local feature
	for feature in $(in_ns "$1" ethtool -k "$2" | awk '$2 == "off" && $3 == "" && /:/ { sub(":", "", $1); print $1 }'); do
		case $feature in
		loopback | rx-all | rx-fcs | large-receive-offload) ;;
		*) in_ns "$1" ethtool -K "$2" "$feature" on >/dev/null 2>&1 || true ;;
		esac
	done
	in_ns "$1" ethtool -k "$2" | awk '$2 == "on" { sub(":", "", $1); print $1 }' | paste -sd ' '
}

# ---- what is true of each ----

findings() {
	{ wgvia -j check wg6 || true; } | jq -r '.findings[] | "\(.severity) \(.name)"' | sort
}

# connected: the gateway has its addresses on ens3, and without wgvia the service answers.
connected() {
	gateway_addresses
	in_ns "$NS_LAN" nft delete table netdev wire 2>/dev/null || true
	wire_up
	poll 20 ping_once "$NS_C1" $SVC4
	poll 20 ping_once "$NS_C1" $SVC6
}

# on_the_wire: frames that the LAN saw, "LEAKED BOUNCED TO_FIREWALL"; one call, for an emulated machine.
on_the_wire() {
	in_ns "$NS_LAN" nft -j list counters table netdev wire |
		jq -r '[.nftables[].counter? // empty | {(.name): .packets}] | add | "\(.leaked) \(.bounced) \(.to_firewall)"'
}

# by_the_firewall NAME: in both modes.
by_the_firewall() {
	local mode began leaked bounced sent returned others
	for mode in fast stack; do
		echo "$1, mode $mode"
		wgvia up wg6 "${WORDS[@]}" mode $mode
		wire_reset
		began=$SECONDS
		transfers
		read -r leaked bounced sent <<<"$(on_the_wire)"
		read -r returned others <<<"$(wgvia -j stats wg6 | jq -r '.counters |
			[.returned, .bounced, .direct, .refused, .no_gateway, .too_big | .packets] | join(" ")')"
		figures "$1, $mode: $((SECONDS - began)) s, $sent frames to the firewall"
		is "$leaked leaked, $bounced bounced" "0 leaked, 0 bounced"
		((sent > 100 && returned > 1000)) # by fast, which is the first one; frames may be as large as a NIC takes
		is "$others" "0 0 0 0 0"
		is "$(findings)" "$(<"$BATS_FILE_TMPDIR/findings-$mode")" || { wgvia check wg6 || true; return 1; }
	done
}

carries() { # NAME
	connected
	by_the_firewall "$1"
}

@test "an active-backup bond" {
	active_backup ens3 $GW_MAC
	lan_port trunk
	carries "active-backup"
}

@test "an 802.3ad bond (LACP)" {
	lacp ens3 $GW_MAC
	lan_port trunk
	carries "802.3ad"
}

@test "a VLAN on a bond" {
	lacp bond0 02:00:00:00:02:b0
	on "$NS_GW" bond0 ens3 $GW_MAC vlan id 5
	on "$NS_LAN" trunk tagged 02:00:00:00:02:a2 vlan id 5
	lan_port tagged
	carries "VLAN on a bond"
}

@test "a VLAN on a VLAN-aware bridge" {
	vlan_bridge br0 02:00:00:00:02:b1
	on "$NS_GW" br0 ens3 $GW_MAC vlan id 5
	lan_port tagged
	carries "VLAN on a bridge"
}

@test "a VLAN-aware bridge, itself untagged in its VLAN" {
	vlan_bridge ens3 $GW_MAC pvid untagged
	lan_port tagged
	carries "bridge with a PVID"
}

@test "a macvlan" {
	one_cable
	on "$NS_GW" eth0 ens3 $GW_MAC macvlan mode bridge
	lan_port trunk
	carries "macvlan"
}

@test "a macvlan with the MAC address of the device below" {
	one_cable
	ip -n "$NS_GW" link set eth0 address $GW_MAC
	on "$NS_GW" eth0 ens3 $GW_MAC macvlan mode passthru
	lan_port trunk
	carries "macvlan passthru"
}

# with_offloads DRIVER: as the driver has them, and all that can be on.
with_offloads() {
	nic $1
	carries "$1"
	figures "$1: $(offloads_on "$NS_GW" ens3)"
	offloads_on "$NS_LAN" gw >/dev/null
	by_the_firewall "$1 with everything on"
}

@test "network cards: virtio-net" {
	with_offloads virtio_net
}

@test "network cards: e1000e" {
	with_offloads e1000e
}

@test "network cards: vmxnet3" {
	with_offloads vmxnet3
}

# ---- fail-over of a bond ----

# announced_begin: from now on `announced` counts how often the bond has announced its addresses, IPv4 and IPv6.
announced_begin() {
	in_ns "$NS_LAN" nft -f - <<-END
		table netdev announced {
			counter four { }
			counter six { }
			chain in {
				type filter hook ingress device gw priority 1; policy accept;
				arp saddr ip $GW4 arp daddr ip $GW4 counter name four
				icmpv6 type nd-neighbor-advert ip6 saddr $GW6 ip6 daddr ff02::1 counter name six
			}
		}
	END
}

announced() { # COUNT
	[ "$(lan_counter announced four)" -ge "$1" ] && [ "$(lan_counter announced six)" -ge "$1" ]
}

# arrived: packets from the client, at the LAN, to the firewall or not
arrived() {
	echo $(($(wire to_firewall) + $(wire leaked)))
}

have_arrived() { # COUNT
	[ "$(arrived)" -ge "$1" ]
}

# more COUNT: waits until that many more have arrived.
more() {
	poll 20 have_arrived $(($(arrived) + $1))
}

active_is_not() { # PORT
	[ "$(bond_data ens3 .active_slave)" != "$1" ]
}

# by_command PORT: the administrator makes the other port active.
by_command() {
	ip -n "$NS_GW" link set ens3 type bond active_slave "$([ "$1" = port1 ] && echo port2 || echo port1)"
	more 50
}

# by_cable PORT: the cable of the active port is pulled at its other end, and plugged in again when the other port is
# active. The bond asks for the state of its ports every 100 ms.
by_cable() {
	ip -n "$NS_LAN" link set "$1" down
	poll 20 active_is_not "$1"
	more 50
	ip -n "$NS_LAN" link set "$1" up
}

# failovers COMMAND: each time the bond announces itself by its new port.
failovers() {
	local n
	in_ns "$NS_LAN" nft delete table netdev announced 2>/dev/null || true
	announced_begin
	for ((n = 1; n <= FAILOVERS; n++)); do
		more 50
		"$1" "$(bond_data ens3 .active_slave)"
		poll 20 announced $n
	done
}

# mode_begins MODE: "kernel" is without wgvia.
mode_begins() {
	[ "$1" != kernel ] || return 0
	wgvia up wg6 "${WORDS[@]}" mode "$1"
	agent_start interval 60 # attaches the program that counts what is lost, which stays
	agent_stop
}

# lost: packets that the kernel dropped after a redirect
lost() {
	wgvia -j stats wg6 | jq '[.lost[]? | .packets] | add // 0'
}

# dropped: packets that the bond's ports could not send
dropped() {
	ip -n "$NS_GW" -s -j link show master ens3 | jq '[.[].stats64.tx.dropped] | add'
}

# under_load MODE COMMAND: what is lost on the way out was lost at the port without a cable. wgvia counts it, except what
# the other end of the cable refuses.
under_load() {
	local result before=0 counted=0 lost refused
	refused=$(dropped)
	[ "$1" = kernel ] || before=$(lost)
	wire_reset
	load_both_ways $RATE
	failovers "$2"
	result=$(load_stop load)
	lost=$(jq .out.lost <<<"$result") refused=$(($(dropped) - refused))
	[ "$1" = kernel ] || counted=$(($(lost) - before))
	figures "$1, $FAILOVERS times $2: $(load_figures "$result"); the ports dropped $refused, wgvia counted $counted"
	is "$(jq .out.reordered <<<"$result") reordered" "0 reordered"
	((counted <= lost && lost <= refused))
	[ "$1" = kernel ] || is "$(wire leaked) leaked" "0 leaked"
	[ "$2" = by_cable ] || is "$lost lost" "0 lost"
}

@test "an active-backup bond changes its active port under load: what is lost on the way out, its port could not send" {
	tunnel_lossless
	active_backup ens3 $GW_MAC
	lan_port trunk
	connected
	for mode in kernel fast stack; do
		mode_begins $mode
		under_load $mode by_command
		under_load $mode by_cable
	done
}
