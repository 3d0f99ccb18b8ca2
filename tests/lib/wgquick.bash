# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-only
#
# The topology with a gateway whose tunnel is created by the real wg-quick, from a file; with the kernel's WireGuard, or
# with wireguard-go. wg-quick and its hooks do not support namespaces and pin folders. So they run in a room, where the
# network is the gateway's, /sys/fs/bpf is empty at first, and /run/wireguard is private.

# shellcheck source=tests/lib/net.bash
. "$(dirname "${BASH_SOURCE[0]}")/net.bash"

export WG_CONF # the file; wg-quick derives the interface's name from its name

# room_up: stores the tunnel's keys and peers in $PEERS, and removes the tunnel that the topology created.
room_up() {
	export PEERS=$BATS_FILE_TMPDIR/peers
	WG_CONF=$BATS_FILE_TMPDIR/wg6.conf
	# it contains the clients' endpoints: so the gateway begins, and the clients need not notice that it was absent
	wg_at "$NS_GW" wg6 showconf wg6 | sed '/^AllowedIPs/a PersistentKeepalive = 25' >"$PEERS"
	unspawn wg6
	ip -n "$NS_GW" link delete wg6 2>/dev/null || true
	local names
	names=$(iproute2_folder)
	cp -r "$names" "$BATS_FILE_TMPDIR/iproute2"
	echo '200 wg6' >>"$BATS_FILE_TMPDIR/iproute2/rt_tables"
	# shellcheck disable=SC2016 # the inner shell's
	spawn "$NS_GW" room unshare --mount bash -c '
		mkdir -p /run/wireguard && mount -t tmpfs wgvia /run/wireguard && mount -t bpf bpf /sys/fs/bpf &&
			mount --bind "$0" "$1" && touch /run/wireguard/.ready && exec sleep infinity' \
		"$BATS_FILE_TMPDIR/iproute2" "$names"
	poll 5 room [ -e /run/wireguard/.ready ]
}

# For most files; wgquick.bats has its own.
setup_more() {
	room_up
}

teardown() {
	local status=0
	wgvia down wg6 || status=1
	room ip link delete wg6 2>/dev/null
	return $status
}

room() {
	nsenter --target "$(<"$TOPO_DIR/room.pid")" --mount --net "$@"
}

wgvia() {
	room "$WGVIA" "$@"
}

# wg_conf LINE...: writes the tunnel's file with these lines in [Interface], in addition to keys and peers.
wg_conf() {
	(umask 077 && { echo "[Interface]" && printf '%s\n' "$@" && sed 1d "$PEERS"; } >"$WG_CONF")
}

# wg_quick up|down: its output is shown if a test fails.
wg_quick() {
	# 3 is bats' own: wireguard-go would keep it
	room env PATH="$TREE/build:$PATH" WG_QUICK_USERSPACE_IMPLEMENTATION=wireguard-go wg-quick "$1" "$WG_CONF" 3>&-
}

# The two clients' tunnels work again.
tunnels_answer() {
	poll 10 ping_once "$NS_C1" "$WG4" && poll 10 ping_once "$NS_C2" "$WG6"
}

# Rules that are not the kernel's own, and routes of tables that are not.
routing() {
	local family
	for family in -4 -6; do
		ip -n "$NS_GW" "$family" rule show | grep -Ev '^(0|32766|32767):' || true
		ip -n "$NS_GW" "$family" route show table all | grep ' table ' | grep -Ev ' table (local|default) ' || true
	done
}

# What down must remove, and a cycle must not add: links, programs, pins, qdiscs, rules. Without the tunnel's ifindex,
# which differs each time.
footprint() {
	ip -n "$NS_GW" -br link show | awk '{ print $1 }'
	room find /sys/fs/bpf -mindepth 1 | sed 's/_out_[0-9]*/_out/' | sort
	echo "attached: $(attached | wc -l)"
	in_ns "$NS_GW" tc qdisc show
	routing
}
