# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-only
#
# Two firewalls with keepalived and conntrackd, made of the files that docs/FIREWALL.md shows, for firewall.bats; net.bash,
# load.bash, pair.bash and rooms.bash load first, and pair.bash has their network.
#
#   0: first  .11, ::11 --.  sync 10.255.255.1
#                          LAN --- gateway, service
#   1: second .12, ::12 --'  sync 10.255.255.2
#
# Each firewall has a room: its own network, /etc with the document's files, /run, and /usr/sbin with conntrackd, whose
# package scripts/deps unpacks. So their files, sockets and locks have the places that the document names, and the host
# sees none of them.

UNPACKED=/var/cache/wgvia/unpacked
SYNC4=(10.255.255.1 10.255.255.2)

has_conntrackd() {
	[ -x $UNPACKED/conntrackd/usr/sbin/conntrackd ]
}

firewall_ns() { # 0|1
	[ "$1" = 0 ] && echo "$NS_FW" || echo "$TOPO_NAME-second"
}

firewall_port() { # 0|1: its cable's end at the LAN
	[ "$1" = 0 ] && echo fw || echo second
}

# shellcheck disable=SC2034 # rooms.bash does
ROOM_ENV=(PATH=/usr/sbin:/usr/bin:/sbin:/bin)

# firewall_room 0|1 COMMAND...
firewall_room() {
	room_run "firewall$1" "${@:2}"
}

# firewall_spawn 0|1 NAME COMMAND...: as the process NAME and the number
firewall_spawn() {
	room_spawn "firewall$1" "$(firewall_ns "$1")" "$2$1" "${@:3}"
	disown # some are killed, which the shell would tell
}

# firewalls_up: the pair's network, and a room for each; no daemon runs yet.
firewalls_up() {
	pair_network &&
		cable "$NS_FW" sync 02:00:00:00:05:01 "$NS_SECOND" sync 02:00:00:00:05:02 &&
		firewall_room_up 0 && firewall_room_up 1
}

firewall_room_up() { # 0|1
	local ns files=$TOPO_DIR/firewall-files$1
	ns=$(firewall_ns "$1")
	ip -n "$ns" address add "${SYNC4[$1]}/24" dev sync || return
	room_files "$TREE/docs/FIREWALL.md" "$files" || return
	room_begin "firewall$1" "$ns" "$files" \
		"mount -t overlay -o lowerdir=$UNPACKED/conntrackd/usr/sbin:/usr/sbin wgvia /usr/sbin; mkdir /run/lock" || return
	firewall_room "$1" sh -ec "$(firewall_commands 'cp |ip ')
		$([ "$1" = 0 ] || firewall_commands 'sed ')
		nft -f /etc/nftables.conf
		sysctl -qp /etc/sysctl.d/50-firewall.conf"
}

# firewall_commands BEGINNINGS: the document's commands that begin so; the package is unpacked elsewhere.
firewall_commands() {
	jq -r --arg words "^($1)" '.[].steps[].command | select(test($words))' "$TOPO_DIR/examples" |
		sed "s| /usr/share/doc/conntrackd/| $UNPACKED/conntrackd&|; s| $UNPACKED/conntrackd /| $UNPACKED/conntrackd/|"
}

firewall_start() { # 0|1
	conntrackd_start "$1" && firewall_keepalived "$1"
}

conntrackd_start() { # 0|1
	firewall_spawn "$1" conntrackd conntrackd -C /etc/conntrackd/conntrackd.conf
	poll 10 firewall_room "$1" conntrackd -s || { cat "$TOPO_DIR/conntrackd$1.log" && return 1; }
}

firewall_keepalived() { # 0|1 [CONFIGURATION]
	firewall_spawn "$1" keepalived keepalived -n -l -P -D -f "${2:-/etc/keepalived/keepalived.conf}"
}

firewalls_down() {
	local number
	for number in 0 1; do
		firewall_stop $number
		unspawn firewall$number
	done
	ip netns delete "$TOPO_NAME-second" 2>/dev/null || true
}

firewall_stop() { # 0|1
	unspawn "keepalived$1"
	unspawn "conntrackd$1"
}

# keepalived_dies 0|1: the parent and its children, of which it may just be starting another one.
keepalived_dies() {
	local pid
	for pid in $(ip netns pids "$(firewall_ns "$1")"); do
		[ "$(cat "/proc/$pid/comm" 2>/dev/null)" != keepalived ] || kill -KILL "$pid" 2>/dev/null || true
	done
	no_keepalived "$1" || keepalived_dies "$1"
}

no_keepalived() { # 0|1
	local pid
	for pid in $(ip netns pids "$(firewall_ns "$1")"); do
		[ "$(cat "/proc/$pid/comm" 2>/dev/null)" != keepalived ] || process_gone "$pid" || return
	done
}

# firewall_dies 0|1: as by its power supply: no goodbye on any cable, and its memory is lost.
firewall_dies() {
	keepalived_dies "$1"
	ip -n "$NS_LAN" link set "$(firewall_port "$1")" down
	ip -n "$(firewall_ns "$1")" link set sync down
	[ -e "$TOPO_DIR/conntrackd$1.pid" ] || return 0
	firewall_room "$1" conntrackd -F
	kill -KILL "$(<"$TOPO_DIR/conntrackd$1.pid")"
}

# firewall_returns 0|1: repaired, and booted.
firewall_returns() {
	local address
	for address in "$FW4/24" "$FW6/64" fe80::1/64; do
		ip -n "$(firewall_ns "$1")" address delete "$address" dev lan 2>/dev/null || true
	done
	firewall_stop "$1"
	keepalived_dies "$1"
	firewall_room "$1" sh -c 'rm -rf /run/conntrackd.ctl /run/lock/conntrack.lock /run/keepalived* /run/*.pid'
	ip -n "$(firewall_ns "$1")" link set sync up
	ip -n "$NS_LAN" link set "$(firewall_port "$1")" up
	firewall_start "$1" && poll 30 firewall_stands_by "$1"
}

# ---- who is active ----

# All shared addresses, and not one of them.
firewall_is_active() { # 0|1
	[ "$(ip -n "$(firewall_ns "$1")" -o address show dev lan | grep -cE "inet $FW4/|inet6 $FW6/")" -eq 2 ]
}

firewall_stands_by() { # 0|1
	grep -E '\(lan4\) Entering (BACKUP|FAULT|MASTER) STATE|Syncing instances to' "$TOPO_DIR/keepalived$1.log" | tail -n 1 |
		grep -q BACKUP && has_not_shared "$(firewall_ns "$1")"
}

one_is_active() {
	if firewall_is_active 0; then firewall_stands_by 1; else firewall_is_active 1 && firewall_stands_by 0; fi
}

# active_firewall: sets $active and $passive.
# shellcheck disable=SC2034 # the tests do
active_firewall() {
	poll 20 one_is_active || return
	active=0 passive=1
	firewall_is_active 0 || active=1 passive=0
}
