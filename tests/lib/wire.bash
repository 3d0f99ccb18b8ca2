# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-only
#
# A gateway between bare wires, for tests for which the whole topology is too large or too well-behaved: odd sizes, odd
# packets, odd devices. The gateway is a real one, in a namespace. Its tunnel is a tun device, its LAN a veth pair; at
# their far ends is wire.py, which sends packets and reports what comes out. Neighbour entries are permanent, nobody
# else answers, unless wire_answers() makes the firewall do so, for an agent.
#
#   tun wg6 10.6.0.1/16 2001:db8:1::1/50 --- gateway --- ens3 192.0.2.2/24 2001:db8:2::2/64 --- lan
#
# A file that loads this creates its wires in setup() or setup_file(); teardown() below removes all of them.

# shellcheck source=tests/lib/net.bash
. "$(dirname "${BASH_SOURCE[0]}")/net.bash"

export WIRE_NAMES="gw=$GW_MAC fw=$FW_MAC svc=$SVC_MAC"

# wire_begin: creates the two empty namespaces.
wire_begin() {
	local ns
	topology_names "wgvia${1:-$$}"
	export PIN_DIR=/sys/fs/bpf/$TOPO_NAME
	mkdir -p "$TOPO_DIR"
	for ns in $NS_GW $NS_LAN; do
		ip netns add "$ns"
		ip -n "$ns" link set lo up
		kernel_defaults "$ns"
		# wire.py reports everything that comes out
		set_sysctls "$ns" net.ipv6.conf.{all,default}.router_solicitations=0
	done
	set_sysctls "$NS_LAN" net.ipv6.conf.{all,default}.disable_ipv6=1
	set_sysctls "$NS_GW" net.ipv4.ip_forward=1 net.ipv6.conf.all.forwarding=1 \
		net.ipv4.icmp_ratelimit=0 net.ipv6.icmp.ratelimit=0
	# before Linux 6.13 it applies to the whole host, and is not visible in a namespace
	! in_ns "$NS_GW" test -e /proc/sys/net/ipv4/icmp_msgs_burst ||
		set_sysctls "$NS_GW" net.ipv4.icmp_msgs_{per_sec,burst}=1000000
	WIRE_PORTS=("own=host:$NS_GW")
}

# wire_tunnel DEVICE PORT: a tun device for wire.py to create.
wire_tunnel() {
	WIRE_PORTS+=("$2=tun:$NS_GW/$1")
}

# wire_cable DEVICE PORT [MAC [MAC-THERE [MAC-HERE]]]: an Ethernet device. Frames into it come from MAC-THERE and go to
# MAC-HERE, which is MAC unless another device is stacked on this one.
wire_cable() {
	local mac=${3:-$GW_MAC}
	cable "$NS_GW" "$1" "$mac" "$NS_LAN" "$2" 02:00:00:00:02:a0
	# Segments and checksums are computed before a frame leaves, as by a NIC.
	in_ns "$NS_GW" ethtool -K "$1" tx off tso off gso off >/dev/null
	wire_port "$2" "$2" "${4:-$FW_MAC}" "${5:-$mac}"
}

# wire_port PORT DEVICE-THERE MAC-THERE MAC-HERE
wire_port() {
	WIRE_PORTS+=("$1=$NS_LAN/$2/$3/$4")
}

# wire_start: from here on, the devices exist and wire() works.
wire_start() {
	spawn "$NS_LAN" wire /usr/bin/python3 "$TOPO_LIB/wire.py" "$TOPO_DIR" "${WIRE_PORTS[@]}"
	poll 20 [ -e "$TOPO_DIR/requests" ] || { cat "$TOPO_DIR/wire.log" && return 1; }
}

# wire_address DEVICE ADDRESS/LENGTH...
wire_address() {
	local device=$1
	shift
	printf "address add %s dev $device nodad\n" "$@" | sed '/:/!s/ nodad//' | ip -n "$NS_GW" -batch -
	ip -n "$NS_GW" link set "$device" up
}

# wire_neighbours DEVICE MAC ADDRESS...
wire_neighbours() {
	local device=$1 mac=$2
	shift 2
	printf "neighbour replace %s lladdr $mac dev $device nud permanent\n" "$@" | ip -n "$NS_GW" -batch -
}

# wire_lan DEVICE: addresses and neighbours of the usual LAN, and the default route.
wire_lan() {
	wire_address "$1" $GW4/24 $GW6/64
	wire_neighbours "$1" $FW_MAC $FW4 $FW6
	wire_neighbours "$1" $SVC_MAC $SVC4 $SVC6
	ip -n "$NS_GW" route replace 198.19.0.0/16 via $SVC4 dev "$1" # of the sentinel
	ip -n "$NS_GW" route replace default via $FW4 dev "$1"
	ip -n "$NS_GW" route replace ::/0 via $FW6 dev "$1"
}

# wire_answers ADDRESS...: the far end of the cable "lan" has these addresses and the firewall's MAC, and answers
# neighbour requests: an agent finds such gateways alive.
wire_answers() {
	ip -n "$NS_LAN" link set lan address $FW_MAC
	set_sysctls "$NS_LAN" net.ipv6.conf.lan.disable_ipv6=0
	printf 'address add %s dev lan nodad\n' "$@" |
		sed -E '/:/{ s#( dev)#/64\1#; b }; s#( dev lan) nodad#/24\1#' | ip -n "$NS_LAN" -batch -
}

# wire_usual: all of it, as in the picture.
wire_usual() {
	wire_begin $$
	wire_tunnel wg6 tun
	wire_cable ens3 lan
	wire_start
	wire_address wg6 $WG4/16 $WG6/50
	wire_lan ens3
}

# wire PORT EXPRESSION...: see answer() in wire.py.
wire() {
	local out
	out=$(mktemp -u "$TOPO_DIR/answer.XXXXXX")
	printf '%q ' "$out" "${@//[[:space:]]/ }" | sed 's/ $/\n/' >"$TOPO_DIR/requests"
	poll 60 [ -e "$out" ] || return
	cat "$out"
	rm -f "$out"
}

# told TEXT PORT EXPRESSION...: exactly this comes out; TEXT is one line or several.
told() {
	local text=$1
	shift
	is "$(wire "$@")" "$text" || { echo "$*" && return 1; }
}

setup_file() { :; }
teardown_file() { :; }

teardown() {
	wire_end
}

wire_end() {
	topology_down
	rm -rf "${PIN_DIR:?}"
}
