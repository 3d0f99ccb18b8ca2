# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-only
#
# Builds and removes the network of the demo and the tests, in separate network namespaces:
#
#   VPN clients                VPN gateway
#   10.6.0.10, .11             wg6 10.6.0.1/16 2001:db8:1::1/50
#   2001:db8:1::10, ::11         |
#     |   `===== WireGuard =====-'
#     |                        ens3 .2, ::2 --- LAN ------ service .3, ::3
#   foreign network                    192.0.2.0/24
#   198.51.100.0/24                    2001:db8:2::/64
#   (IPv4 only)                                  |
#     |                                       firewall .1, ::1
#   Internet host ----------------------------- (conntrack)
#   203.0.113.2, 2001:db8:3::2
#
# The clients reach the gateway's endpoint 192.0.2.2:51820 through the firewall; the service's and the gateway's
# default route is the firewall. Every MAC address ends in the network's number and the host's own.
#
# A library to be sourced: it does not depend on wgvia, and never calls it. It records what it starts and creates in
# $TOPO_DIR, so that topology_down works from another shell, after a partial setup, and twice.

TOPO_LIB=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
TOPO_RUN=/run/wgvia-topology # one directory for each topology that is up

# Names and addresses of the hosts, for tests and the demo.
export FW_MAC=02:00:00:00:02:01 GW_MAC=02:00:00:00:02:02 SVC_MAC=02:00:00:00:02:03
export FW4=192.0.2.1 FW6=2001:db8:2::1 GW4=192.0.2.2 GW6=2001:db8:2::2 SVC4=192.0.2.3 SVC6=2001:db8:2::3
export WG4=10.6.0.1 WG6=2001:db8:1::1 C1_4=10.6.0.10 C1_6=2001:db8:1::10 C2_4=10.6.0.11 C2_6=2001:db8:1::11
export FW_LL=fe80::ff:fe00:201 GW_LL=fe80::ff:fe00:202 # link-local, derived from their MAC addresses
export INET4=203.0.113.2 INET6=2001:db8:3::2 VPN4=10.6.0.0/16 VPN6=2001:db8:1::/50

# ---- small tools ----

# in_ns NAMESPACE COMMAND...: `ip netns exec` would mount a new /sys and so hide bpffs.
in_ns() {
	local ns=$1
	shift
	nsenter --net="/run/netns/$ns" "$@"
}

# poll SECONDS COMMAND...: until the command succeeds. It fails after four times these seconds, because a busy machine
# may be slow; after POLL_FACTOR times on an emulated one.
poll() {
	local end=$((${EPOCHREALTIME/[.,]/} + $1 * ${POLL_FACTOR:-4} * 1000000))
	shift
	until "$@" >/dev/null 2>&1; do
		((${EPOCHREALTIME/[.,]/} < end)) || return 1
		sleep 0.02
	done
}

# outputs TEXT COMMAND...: the command's output is that text. For poll, whose words are expanded only once.
outputs() {
	[ "$("${@:2}")" = "$1" ]
}

# spawn NAMESPACE NAME COMMAND...: starts a process of the topology; its output goes to $TOPO_DIR/NAME.log. bats waits
# for every process that holds its file descriptor 3.
spawn() {
	local ns=$1 name=$2
	shift 2
	unspawn "$name" # leftover of a failed test
	: >"$TOPO_DIR/$name.log" # now, not when the child gets to it: start_capture reads it
	nsenter --net="/run/netns/$ns" "$@" >"$TOPO_DIR/$name.log" 2>&1 </dev/null 3>&- &
	echo $! >"$TOPO_DIR/$name.pid"
}

# unspawn NAME [SIGNAL]: ends it and waits for its end. If the topology was kept, the process id may belong to another
# process by now; that one is not in a namespace of ours.
unspawn() {
	local file=$TOPO_DIR/$1.pid pid
	[ -e "$file" ] || return 0
	pid=$(<"$file")
	case $(ip netns identify "$pid" 2>/dev/null) in
	"$TOPO_NAME"-*)
		# it may be ending just now
		kill "-${2:-TERM}" "$pid" 2>/dev/null || true
		poll 5 process_gone "$pid" || kill -KILL "$pid" 2>/dev/null || true
		;;
	esac
	rm -f "$file"
}

process_gone() {
	# A zombie has ended; its parent may or may not collect it.
	[ ! -e "/proc/$1" ] || grep -qs '^State:.Z' "/proc/$1/status"
}

# ---- observing the network ----

# http_get NAMESPACE URL: the answer, or curl's exit status, 28 for a timeout.
http_get() {
	in_ns "$1" curl -gsS --noproxy '*' --max-time "${HTTP_TIMEOUT:-$((40 * ${POLL_FACTOR:-1}))}" "$2"
}

# ping_once NAMESPACE ADDRESS [OPTION...]: succeeds if its single request is answered.
ping_once() {
	local ns=$1 address=$2
	shift 2
	in_ns "$ns" ping -q -n -c 1 -W 5 "$@" "$address"
}

# udp_ask NAMESPACE ADDRESS PORT WORD: the answer of a datagram server, from that same address.
udp_ask() {
	# shellcheck disable=SC2016 # the inner shell's variables
	in_ns "$1" bash -c 'exec 4<>"/dev/udp/$0/$1" && echo "$2" >&4 && timeout "$3" head -n 1 <&4' \
		"$2" "$3" "$4" $((20 * ${POLL_FACTOR:-1}))
}

# Packets that the firewall dropped.
fw_dropped() {
	in_ns "$NS_FW" nft -j list counter inet firewall dropped | jq '.nftables[] | .counter // empty | .packets'
}

# start_capture NAMESPACE DEVICE FILE FILTER: returns when it is ready. One capture per file; FILE is a path.
start_capture() {
	local name
	name=capture-$(basename "$3")
	spawn "$1" "$name" tcpdump -U --immediate-mode -n -Z root -i "$2" -w "$3" "$4"
	poll 5 grep -q '^tcpdump: listening on' "$TOPO_DIR/$name.log"
}

# stop_capture FILE
stop_capture() {
	unspawn "capture-$(basename "$1")" INT
}

# frames FILE [JQ-ARGUMENT...]: the packets of a capture, one JSON object each, or the result of jq on all of them (an
# array). frames.py describes the keys.
frames() {
	local file=$1
	shift
	/usr/bin/python3 "$TOPO_LIB/frames.py" "$file" | jq -s "${@:-.[]}"
}

# ---- redirects ----

forget_redirects() {
	ip -n "$NS_SVC" route flush cache
	ip -n "$NS_SVC" -6 route flush cache
}

# service_heeds_redirects 0|1: 1 is the kernel's default; a test that sets 0 sets 1 again.
service_heeds_redirects() {
	forget_redirects
	set_sysctls "$NS_SVC" "net.ipv4.conf.all.accept_redirects=$1" "net.ipv4.conf.eth0.accept_redirects=$1" \
		"net.ipv6.conf.eth0.accept_redirects=$1"
}

# ---- parts ----

topology_names() {
	TOPO_NAME=$1
	TOPO_DIR=$TOPO_RUN/$1
	NS_GW=$1-gw NS_FW=$1-fw NS_SVC=$1-svc NS_LAN=$1-lan NS_INET=$1-inet NS_C1=$1-c1 NS_C2=$1-c2
	export TOPO_NAME TOPO_DIR NS_GW NS_FW NS_SVC NS_LAN NS_INET NS_C1 NS_C2
}

# The kernel's defaults, except:
#   accept_dad  otherwise a link-local address is unusable for two seconds, and the gateway cannot ask for its neighbours
# IPv4's are set explicitly, because a new namespace copies them from the machine's first one. TOPO_GATEWAY_IS_HOST: in
# a guest of scripts/vm, where this host itself can be the gateway.
namespaces_up() {
	local ns
	for ns in $NS_GW $NS_FW $NS_SVC $NS_LAN $NS_INET $NS_C1 $NS_C2; do
		if [ "$ns" = "$NS_GW" ] && [ -n "${TOPO_GATEWAY_IS_HOST:-}" ]; then
			ip netns attach "$ns" $$
		else
			ip netns add "$ns"
		fi &&
			ip -n "$ns" link set lo up &&
			kernel_defaults "$ns" || return
	done
	for ns in $NS_GW $NS_FW $NS_INET; do
		set_sysctls "$ns" net.ipv4.ip_forward=1 net.ipv6.conf.all.forwarding=1 || return
	done
	for ns in $NS_LAN $NS_INET; do # here a bridge is a cable, not a second firewall
		[ ! -e /proc/sys/net/bridge ] ||
			set_sysctls "$ns" net.bridge.bridge-nf-call-ip{,6}tables=0 || return
	done
}

# kernel_defaults NAMESPACE: before it has devices.
kernel_defaults() {
	set_sysctls "$1" net.ipv4.conf.{all,default}.{{send,accept}_redirects=1,rp_filter=0} \
		net.ipv6.conf.{all,default}.accept_dad=0
}

set_sysctls() {
	local ns=$1
	shift
	in_ns "$ns" sysctl -qw "$@"
}

# cable NAMESPACE DEVICE MAC NAMESPACE DEVICE MAC
cable() {
	ip -n "$1" link add "$2" address "$3" type veth peer name "$5" netns "$4" address "$6" &&
		ip -n "$1" link set "$2" up &&
		ip -n "$4" link set "$5" up
}

bridge_up() { # NAMESPACE DEVICE MAC
	ip -n "$1" link add "$2" address "$3" type bridge stp_state 0 mcast_snooping 0 &&
		ip -n "$1" link set "$2" up
}

# The foreign network, the Internet and its host, which is also the foreign network's router.
outside_up() {
	bridge_up "$NS_INET" foreign 02:00:00:00:04:01 &&
		cable "$NS_INET" wan 02:00:00:00:03:02 "$NS_FW" wan 02:00:00:00:03:01 &&
		client_cable 1 "$NS_C1" && client_cable 2 "$NS_C2" || return
	ip -n "$NS_INET" -batch - <<-END
		address add 198.51.100.1/24 dev foreign
		address add $INET4/24 dev wan
		address add $INET6/64 dev wan nodad
		route add 192.0.2.0/24 via 203.0.113.1
		route add 2001:db8:2::/64 via 2001:db8:3::1
		route add $VPN4 via 203.0.113.1
		route add $VPN6 via 2001:db8:3::1
	END
}

client_cable() { # NUMBER NAMESPACE
	cable "$2" foreign "02:00:00:00:04:1$1" "$NS_INET" "c$1" "02:00:00:00:04:a$1" &&
		ip -n "$NS_INET" link set "c$1" master foreign &&
		ip -n "$2" address add "198.51.100.1$1/24" dev foreign &&
		ip -n "$2" route add default via 198.51.100.1
}

# IPv6's next hops are link-local addresses, as routers announce them. Only then does Linux send and accept redirects.
lan_up() {
	bridge_up "$NS_LAN" lan 02:00:00:00:02:a0 &&
		cable "$NS_FW" lan "$FW_MAC" "$NS_LAN" fw 02:00:00:00:02:a1 &&
		gateway_cable &&
		cable "$NS_SVC" eth0 "$SVC_MAC" "$NS_LAN" svc 02:00:00:00:02:a3 &&
		ip -n "$NS_LAN" -batch - <<-END &&
			link set fw master lan
			link set svc master lan
		END
		ip -n "$NS_SVC" -batch - <<-END
			address add $SVC4/24 dev eth0
			address add $SVC6/64 dev eth0 nodad
			route add default via $FW4
			route add ::/0 via $FW_LL dev eth0
		END
}

# A stateful firewall: it drops packets of connections that it did not see begin. Only ping passes without state, as in
# many places.
firewall_up() {
	ip -n "$NS_FW" -batch - <<-END &&
		address add $FW4/24 dev lan
		address add $FW6/64 dev lan nodad
		address add 203.0.113.1/24 dev wan
		address add 2001:db8:3::1/64 dev wan nodad
		route add 198.51.100.0/24 via $INET4
		route add default via $INET4
		route add ::/0 via $INET6
		route add $VPN4 via $GW4
		route add $VPN6 via $GW_LL dev lan
	END
		firewall_rules "$NS_FW"
}

# firewall_rules NAMESPACE
firewall_rules() {
	in_ns "$1" nft -f - <<-END &&
		table inet firewall {
			counter dropped { }
			chain forward {
				type filter hook forward priority filter; policy drop;
				icmp type { echo-request, echo-reply } accept
				icmpv6 type { echo-request, echo-reply } accept
				ct state established,related accept
				ct state invalid counter name dropped drop
				meta l4proto tcp tcp flags & (fin | syn | rst | ack) != syn counter name dropped drop
				ip saddr $VPN4 accept
				ip6 saddr $VPN6 accept
				iifname lan accept
				iifname wan ip daddr $GW4 udp dport 51820 accept
				counter name dropped drop
			}
		}
	END
	# By default the kernel picks up a connection in the middle: this firewall is strict. The setting exists only
	# after a rule needs connection tracking.
		set_sysctls "$1" net.netfilter.nf_conntrack_tcp_loose=0
}

# The gateway's LAN device, and its addresses: also for tests that create it again.
gateway_cable() {
	cable "$NS_GW" ens3 "$GW_MAC" "$NS_LAN" gw 02:00:00:00:02:a2 &&
		ip -n "$NS_LAN" link set gw master lan
}

gateway_addresses() {
	ip -n "$NS_GW" -batch - <<-END
		address add $GW4/24 dev ens3
		address add $GW6/64 dev ens3 nodad
		route add default via $FW4
		route add ::/0 via $FW6
	END
}

# Its own rules drop invalid packets as well, as on nearly every gateway.
gateway_up() {
	gateway_addresses && gateway_rules
}

gateway_rules() {
	in_ns "$NS_GW" nft -f - <<-END
		table inet gateway {
			chain forward {
				type filter hook forward priority filter; policy accept;
				ct state established,related accept
				ct state invalid counter drop
			}
		}
	END
}

# wireguard_add NAMESPACE DEVICE: the kernel's WireGuard, else wireguard-go. The latter gets a private folder for its
# control socket, which all namespaces and topologies would share otherwise.
wireguard_add() {
	ip -n "$1" link add "$2" type wireguard 2>/dev/null && return
	spawn "$1" "$2" unshare --mount sh -c "mkdir -p /run/wireguard && mount -t tmpfs wgvia /run/wireguard &&
		exec wireguard-go -f $2"
	# Not with wg(8): it would remove the socket that wireguard-go has created but does not listen on yet.
	poll 10 wireguard_listens "$1" "$2" &&
		ip -n "$1" link set "$2" txqueuelen 20000 # a process that waits for a processor loses nothing
}

wireguard_listens() {
	in_ns "$1" ss -Hxl | grep "/$2.sock "
}

# at_wireguard NAMESPACE DEVICE COMMAND...: where that device's control socket is visible, if it has one.
at_wireguard() {
	local ns=$1 pid=$TOPO_DIR/$2.pid
	shift 2
	if [ -e "$pid" ]; then
		nsenter --target "$(<"$pid")" --mount --net "$@"
	else
		in_ns "$ns" "$@"
	fi
}

# wg_at NAMESPACE DEVICE ARGUMENT...: wg(8) where it sees that device.
wg_at() {
	local ns=$1 device=$2
	shift 2
	at_wireguard "$ns" "$device" wg "$@"
}

tunnels_up() {
	local key key1 key2
	key=$(wg genkey) && key1=$(wg genkey) && key2=$(wg genkey) &&
		wireguard_add "$NS_GW" wg6 &&
		wg_at "$NS_GW" wg6 setconf wg6 /dev/stdin <<-END &&
			[Interface]
			PrivateKey = $key
			ListenPort = 51820
			[Peer]
			PublicKey = $(wg pubkey <<<"$key1")
			AllowedIPs = $C1_4/32, $C1_6/128
			[Peer]
			PublicKey = $(wg pubkey <<<"$key2")
			AllowedIPs = $C2_4/32, $C2_6/128
		END
		tunnel_addresses &&
		client_up "$NS_C1" wgc1 "$key1" "$key" "$C1_4" "$C1_6" &&
		client_up "$NS_C2" wgc2 "$key2" "$key" "$C2_4" "$C2_6"
}

tunnel_addresses() {
	ip -n "$NS_GW" -batch - <<-END
		link set wg6 up
		address add $WG4/16 dev wg6
		address add $WG6/50 dev wg6 nodad
	END
}

# client_up NAMESPACE DEVICE KEY GATEWAY-KEY ADDRESS4 ADDRESS6: all its traffic goes into the tunnel, as with wg-quick.
client_up() {
	wireguard_add "$1" "$2" &&
		wg_at "$1" "$2" setconf "$2" /dev/stdin <<-END &&
			[Interface]
			PrivateKey = $3
			FwMark = 51820
			[Peer]
			PublicKey = $(wg pubkey <<<"$4")
			AllowedIPs = 0.0.0.0/0, ::/0
			Endpoint = $GW4:51820
		END
		ip -n "$1" -batch - <<-END
			link set $2 up
			address add $5/32 dev $2
			address add $6/128 dev $2 nodad
			route add default dev $2 table 51820
			rule add not fwmark 51820 table 51820
			route add ::/0 dev $2
		END
}

# client_more NUMBER: one more client after topology_up, 3 to 9. Like the first two, it is a peer of the gateway, in the
# namespace $TOPO_NAME-cNUMBER, with the addresses 10.6.0.(9 + NUMBER) and 2001:db8:1::(9 + NUMBER).
client_more() {
	local ns=$TOPO_NAME-c$1 host=$((9 + $1)) key gateway
	key=$(wg genkey) && gateway=$(wg_at "$NS_GW" wg6 show wg6 private-key) &&
		ip netns add "$ns" && ip -n "$ns" link set lo up && kernel_defaults "$ns" &&
		client_cable "$1" "$ns" &&
		wg_at "$NS_GW" wg6 set wg6 peer "$(wg pubkey <<<"$key")" allowed-ips "10.6.0.$host/32,2001:db8:1::$host/128" &&
		client_up "$ns" "wgc$1" "$key" "$gateway" "10.6.0.$host" "2001:db8:1::$host" &&
		poll 10 ping_once "$ns" "$WG4"
}

servers_up() {
	local server="/usr/bin/python3 $TOPO_LIB/servers.py"
	# shellcheck disable=SC2086 # a command and its first argument
	{
		spawn "$NS_SVC" http-service $server http 80 service
		spawn "$NS_INET" http-internet $server http 80 internet
		spawn "$NS_C1" http-client $server http 80 client
		spawn "$NS_GW" udp-gateway $server udp 53 "$GW4" "$GW6" "$WG4" "$WG6"
	}
	! command -v iperf3 >/dev/null || spawn "$NS_SVC" iperf3 iperf3 -s
}

# listening NAMESPACE tcp|udp PORT COUNT
listening() {
	[ "$(in_ns "$1" ss -Hln "--$2" "sport = :$3" | wc -l)" -ge "$4" ]
}

topology_ready() {
	poll 10 listening "$NS_SVC" tcp 80 1 &&
		poll 10 listening "$NS_INET" tcp 80 1 &&
		poll 10 listening "$NS_C1" tcp 80 1 &&
		poll 10 listening "$NS_GW" udp 53 4 &&
		poll 10 ping_once "$NS_C1" "$WG4" &&
		poll 10 ping_once "$NS_C2" "$WG6"
}

# ---- the topology ----

# topology_up [NAME]: NAME is unique to this run. On failure it shows the output of its processes, and leaves the rest
# for topology_down.
topology_up() {
	topology_names "${1:-wgvia$$}"
	mkdir -p "$TOPO_DIR" &&
		namespaces_up && outside_up && lan_up && firewall_up && gateway_up && tunnels_up && servers_up &&
		topology_ready && return
	tail -n +1 "$TOPO_DIR"/*.log >&2
	return 1
}

# Removes the topology of topology_up or topology_names, with the clients of client_more.
topology_down() {
	local file ns
	[ -n "${TOPO_DIR:-}" ] || return 0
	for file in "$TOPO_DIR"/*.pid; do
		[ ! -e "$file" ] || unspawn "$(basename "$file" .pid)"
	done
	for ns in $NS_GW $NS_FW $NS_SVC $NS_LAN $NS_INET $NS_C1 $NS_C2 "$TOPO_NAME"-c{3..9}; do
		[ ! -e "/run/netns/$ns" ] || ip netns delete "$ns"
	done
	rm -rf "$TOPO_DIR"
}
