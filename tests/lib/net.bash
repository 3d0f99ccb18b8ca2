# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-only
#
# What tests/net/*.bats share: one topology per file, wgvia on its gateway with private pins, and functions for what
# tests check. Each test leaves the gateway as it found it; leftovers of a failed test are removed. tests/endurance/
# uses the functions as well, without bats.

[ -z "${BATS_VERSION:-}" ] || bats_require_minimum_version 1.5.0
# shellcheck source=tests/lib/topology.sh
. "$(dirname "${BASH_SOURCE[0]}")/topology.sh"

TREE=$(cd "$TOPO_LIB/../.." && pwd)
export WGVIA=${WGVIA:-$TREE/build/wgvia}
export BATS_TEST_TIMEOUT=${BATS_TEST_TIMEOUT:-900} # for a test that hangs; a busy machine may be slow

# The words with which most tests start wgvia.
WORDS6=(from "$VPN6" via "$FW6" dev ens3)
WORDS4=(from "$VPN4" via "$FW4" dev ens3)
# shellcheck disable=SC2034 # the tests do
WORDS=("${WORDS6[@]}" "${WORDS4[@]}")

setup_file() {
	topology_up "wgvia$$"
	export PIN_DIR=/sys/fs/bpf/$TOPO_NAME
	if declare -F setup_more >/dev/null; then setup_more; fi
}

teardown_file() {
	topology_down
	rm -rf "$PIN_DIR"
}

teardown() {
	sweep "$NS_GW" wg6
}

# Ends open TCP connections: the next test would count their retransmissions.
hang_up() {
	local ns
	for ns in "$NS_C1" "$NS_C2" "$NS_SVC" "$NS_INET"; do
		in_ns "$ns" ss -K -t state connected >/dev/null 2>&1 || true
	done
}

# sweep NAMESPACE DEVICE: runs `down`; if that fails, removes everything by force.
sweep() {
	hang_up
	"$WGVIA" --pin-dir "$PIN_DIR" -n "$1" down "$2" && return
	rm -rf "${PIN_DIR:?}/$2"
	in_ns "$1" tc qdisc delete dev ens3 clsact 2>/dev/null
	in_ns "$1" tc qdisc delete dev "$2" clsact 2>/dev/null
	return 1
}

wgvia() {
	"$WGVIA" --pin-dir "$PIN_DIR" -n "$NS_GW" "$@"
}

# bpf_build NAME: compiles tests/net/NAME.bpf.c to $BATS_FILE_TMPDIR/NAME.o.
bpf_build() {
	clang -O2 -g -target bpf -idirafter "/usr/include/$(gcc -dumpmachine)" -c "$TREE/tests/net/$1.bpf.c" \
		-o "$BATS_FILE_TMPDIR/$1.o"
}

# iproute2_folder: the folder with the names of tables and groups: the administrator's, or that of iproute2 6.5 and
# later.
iproute2_folder() {
	[ -d /etc/iproute2 ] && echo /etc/iproute2 || echo /usr/share/iproute2
}

# options_of OPTION... -- WORD...: sets $options to the words before the two dashes.
options_of() {
	options=()
	while [ "$1" != -- ]; do
		options+=("$1")
		shift
	done
}

# ---- assertions ----

# is ACTUAL EXPECTED
is() {
	[ "$1" = "$2" ] && return
	printf 'it is:        %s\nit should be: %s\n' "$1" "$2"
	return 1
}

# answers NAMESPACE ADDRESS WHO WHOM: HTTP; the server WHO answers, and saw the address WHOM.
answers() {
	is "$(http_get "$1" "$(url "$2")")" "$3 saw $4"
}

# times_out NAMESPACE ADDRESS: HTTP. A service that accepted a redirect would answer directly, so it forgets redirects
# first.
times_out() {
	local status=0
	forget_redirects
	HTTP_TIMEOUT=1 http_get "$1" "$(url "$2")" || status=$?
	is "$status" 28
}

url() {
	case $1 in
	*:*) echo "http://[$1]/" ;;
	*) echo "http://$1/" ;;
	esac
}

# iperf_server NAMESPACE: a new one on port 5203, for one transfer: one that has just ended a transfer may reset its
# next client.
iperf_server() {
	spawn "$1" "iperf3-once-$1" iperf3 -s -1 -p 5203
	poll 10 listening "$1" tcp 5203 1
}

# download NAMESPACE ADDRESS: 20 MB from the service.
download() {
	iperf_server "$NS_SVC"
	is "$(in_ns "$1" timeout 50 iperf3 -c "$2" -p 5203 -R -n 20M -J | jq -r '[.error // "no error", .end.sum_received.bytes >= 20e6] | join(" ")')" \
		"no error true"
}

# curl_c1 OPTION...: as the first client.
curl_c1() {
	in_ns "$NS_C1" curl -gsS --noproxy '*' --max-time 100 "$@"
}

# transfers: the $SIZE bytes of the file $OCTETS there and back, IPv4 and IPv6, unchanged; with few processes, for an
# emulated machine.
transfers() {
	local whole
	whole=$(sha256sum <"$OCTETS" | cut -d ' ' -f 1)
	is "$(curl_c1 "$(url "$SVC4")$SIZE" "$(url "$SVC6")$SIZE" | sha256sum)" "$(cat "$OCTETS" "$OCTETS" | sha256sum)"
	is "$(curl_c1 -H Expect: --data-binary "@$OCTETS" "$(url "$SVC4")" "$(url "$SVC6")")" \
		"service got $whole"$'\n'"service got $whole"
}

# lan_counter TABLE NAME: packets in a counter of that table of family netdev on the LAN.
lan_counter() {
	in_ns "$NS_LAN" nft -j list counter netdev "$1" "$2" | jq '.nftables[] | .counter // empty | .packets'
}

# past_begin SOURCES4 SOURCES6: from now on `past` counts the gateway's frames with these sources that are not for the
# firewall.
past_begin() {
	in_ns "$NS_LAN" nft -f - <<-END
		table netdev wire {
			counter past { }
			chain out {
				type filter hook ingress device gw priority 0; policy accept;
				icmpv6 type { 133, 134, 135, 136, 137 } return
				ether daddr $FW_MAC return
				ip saddr { $1 } counter name past
				ip6 saddr { $2 } counter name past
			}
		}
	END
}

past() {
	lan_counter wire past
}

# captured FILE COUNT: at least that many frames.
captured() {
	[ "$(frames "$1" length)" -ge "$2" ]
}

# pings COUNT NAMESPACE ADDRESS [OPTION...]: that many requests, all answered. The kernel counts the answers, because
# ping exits 5 ms after its last request, with or without an answer.
pings() {
	local count=$1 ns=$2 address=$3 before
	shift 3
	before=$(echo_replies "$ns")
	in_ns "$ns" ping -q -n -c "$count" -i 0.005 -W 2 "$@" "$address" || true
	poll 10 replies_are "$ns" $((before + count)) || is "$(($(echo_replies "$ns") - before)) replies" "$count replies"
}

# stream COUNT NAMESPACE ADDRESS COMMAND...: that many requests, while the command runs repeatedly; sets $missing to the
# number of unanswered ones.
stream() {
	local count=$1 ns=$2 address=$3 before ping
	shift 3
	before=$(echo_replies "$ns")
	nsenter --net="/run/netns/$ns" ping -q -n -c "$count" -i 0.005 -W 2 "$address" >"$BATS_TEST_TMPDIR/ping" 3>&- &
	ping=$!
	until process_gone $ping; do
		"$@"
	done
	wait $ping || true
	cat "$BATS_TEST_TMPDIR/ping"
	poll 3 replies_are "$ns" $((before + count)) || true
	# shellcheck disable=SC2034 # the tests do
	missing=$((before + count - $(echo_replies "$ns")))
}

echo_replies() {
	in_ns "$1" nstat -asz IcmpInEchoReps Icmp6InEchoReplies | awk '/^Icmp/ { sum += $2 } END { print sum }'
}

replies_are() {
	[ "$(echo_replies "$1")" -eq "$2" ]
}

# tunnel_gone: the gateway no longer has wg6.
tunnel_gone() {
	unspawn wg6
	ip -n "$NS_GW" link delete wg6 2>/dev/null || true
	poll 5 is_no_device wg6
}

is_no_device() {
	! ip -n "$NS_GW" link show "$1"
}

# tunnels_again: creates wg6 on the gateway, which must not exist, and the clients' ends, which need the new keys.
tunnels_again() {
	local client
	for client in 1 2; do
		local ns=NS_C$client
		unspawn wgc$client
		ip -n "${!ns}" link delete wgc$client 2>/dev/null || true
		# the rules outlive the device to which their table leads
		ip -n "${!ns}" rule delete table 51820 2>/dev/null || true
	done
	tunnels_up
	poll 10 ping_once "$NS_C1" "$WG4"
	poll 10 ping_once "$NS_C2" "$WG6"
}

# multicast_router SOURCE: packets from there to 239.1.2.3 go from wg6 to ens3, by the process "router".
multicast_router() {
	spawn "$NS_GW" router /usr/bin/python3 -c "import signal, socket, struct
s = socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_IGMP)
s.setsockopt(0, 200, 1)  # MRT_INIT
for vif, name in enumerate(('wg6', 'ens3')):  # MRT_ADD_VIF, VIFF_USE_IFINDEX
    s.setsockopt(0, 202, struct.pack('@HBBIII', vif, 8, 1, 0, socket.if_nametoindex(name), 0))
s.setsockopt(0, 204, struct.pack('@4s4sH32sIIIi', socket.inet_aton('$1'), socket.inet_aton('239.1.2.3'), 0,
                                 bytes((0, 1)) + bytes(30), 0, 0, 0, 0))  # MRT_ADD_MFC
print('ready', flush=True)
signal.pause()"
	poll 10 grep -q ready "$TOPO_DIR/router.log"
}

# counter VERDICT|DIRECTION.VERDICT [packets|bytes]
counter() {
	wgvia -j stats wg6 | jq "$(counter_in_json "$1").${2:-packets}"
}

counter_in_json() {
	case $1 in
	*.*) echo ".directions.$1" ;;
	*) echo ".counters.$1" ;;
	esac
}

# grown VERDICT|DIRECTION.VERDICT PACKETS BYTES: since `wgvia -j stats wg6` was written to $BATS_TEST_TMPDIR/before. The
# last of them may still be in a tunnel.
grown() {
	poll 3 outputs "$2 packets $3 bytes" growth "$1" || is "$1 $(growth "$1")" "$1 $2 packets $3 bytes"
}

growth() {
	local before=$BATS_TEST_TMPDIR/before value
	value=$(counter_in_json "$1")
	echo "$(($(counter "$1") - $(jq "$value.packets" "$before"))) packets" \
		"$(($(counter "$1" bytes) - $(jq "$value.bytes" "$before"))) bytes"
}

remember_counters() {
	tunnel_received >"$BATS_TEST_TMPDIR/received"
	wgvia -j stats wg6 >"$BATS_TEST_TMPDIR/before"
}

# since FILTER: by how much that sum of `wgvia -j stats wg6` has grown.
since() {
	echo $(($(wgvia -j stats wg6 | jq "$1") - $(jq "$1" "$BATS_TEST_TMPDIR/before")))
}

# tunnel_received: packets that came out of the tunnel, by the kernel's own count.
tunnel_received() {
	ip -n "$NS_GW" -s -j link show wg6 | jq '.[].stats64.rx.packets'
}

# injected: the same, since remember_counters.
injected() {
	echo $(($(tunnel_received) - $(<"$BATS_TEST_TMPDIR/received")))
}

# kernel_log_begin NAME: from here on, kernel_warnings counts.
kernel_log_begin() {
	echo "$TOPO_NAME: $1" >/dev/kmsg
}

# kernel_warnings NAME: those since kernel_log_begin, or as far back as the kernel's log goes. A test of another file that
# runs out of memory causes a call trace, too, which does not count.
kernel_warnings() {
	dmesg | sed -n "H; /$TOPO_NAME: $1/{ s/.*//; x; d; }; \${ x; p; }" |
		grep -cE 'WARNING:|BUG:|Oops|general protection' || true
}

# What is attached to the gateway's devices: tcx programs, qdiscs, filters.
attached() {
	local dev
	for dev in wg6 ens3; do
		in_ns "$NS_GW" "$TREE/build/tests/lib/tcx" list "$dev" | sed "s/^/$dev tcx /"
		in_ns "$NS_GW" tc qdisc show dev "$dev" | sed -n "s/^qdisc clsact/$dev &/p"
		in_ns "$NS_GW" tc filter show dev "$dev" ingress | sed "s/^/$dev ingress /"
		in_ns "$NS_GW" tc filter show dev "$dev" egress | sed "s/^/$dev egress /"
	done
}

# Everything that wgvia may change on the system, without counters: attachments, pins, maps.
state() {
	local map
	attached
	[ ! -e "$PIN_DIR" ] || find "$PIN_DIR" -mindepth 1 | sort
	for map in "$PIN_DIR"/*/{prefixes,bypass}[46] "$PIN_DIR"/*/{devices,failover,accepted,meta}; do
		[ ! -e "$map" ] || bpftool -j map dump pinned "$map"
	done
}

nothing_left() {
	is "$(attached)" "" && is "$(find "$PIN_DIR" -mindepth 1 2>/dev/null)" ""
}

# attach_type tcx|clsact: how `up` attaches from now on; skips if the kernel cannot do that.
attach_type() {
	[ "$1" != tcx ] || "$TREE/build/tests/lib/tcx" probe || skip "kernel $(uname -r) has no tcx"
	export WGVIA_ATTACH=$1
}


# kernel_can check_mtu|ingress: see kernel.c.
kernel_can() {
	"$TREE/build/tests/lib/kernel" "$1"
}

# set_abi VERSION: of the instance, as another version of wgvia would have written it.
set_abi() {
	local bytes
	read -ra bytes <<<"$(bpftool -j map dump pinned "$PIN_DIR/wg6/meta" | jq -r '.[0].value | .[1:] | join(" ")')"
	bpftool map update pinned "$PIN_DIR/wg6/meta" key 0 0 0 0 value "$1" "${bytes[@]}"
}
