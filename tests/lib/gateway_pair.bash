# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-only
#
# Two VPN gateways with one WireGuard key instead of the topology's single one, set up from the files in docs/PAIR.md,
# for pair.bats; net.bash, load.bash and rooms.bash must be loaded first.
#
#   0: gw    .21, ::21, 02:00:00:00:02:02 --.
#                                            LAN --- firewall, service
#   1: gw2   .22, ::22, 02:00:00:00:02:22 --'
#
# The active one also has .2 and ::2, by which clients and firewall reach it. Each gateway has a room: its own network,
# /etc with the document's files, /run, /sys/fs/bpf and /usr/local/sbin.

OWN4=(192.0.2.21 192.0.2.22) OWN6=(2001:db8:2::21 2001:db8:2::22)
SECOND_MAC=02:00:00:00:02:22
DOCUMENT=$TREE/docs/PAIR.md

# ---- two gateways ----

gateway_ns() { # 0|1
	[ "$1" = 0 ] && echo "$NS_GW" || echo "$TOPO_NAME-gw2"
}

gateway_port() { # 0|1: its cable's end at the LAN
	[ "$1" = 0 ] && echo gw || echo gw2
}

# room 0|1 COMMAND...
room() {
	room_run "room$1" "${@:2}"
}
# shellcheck disable=SC2034 # rooms.bash does
ROOM_ENV=(PATH=/usr/local/sbin:/usr/sbin:/usr/bin:/sbin:/bin WG_QUICK_USERSPACE_IMPLEMENTATION=wireguard-go)

# gateway_spawn 0|1 NAME COMMAND...: as the process NAME plus the number
gateway_spawn() {
	room_spawn "room$1" "$(gateway_ns "$1")" "$2$1" "${@:3}"
}

# gateways_up: replaces the topology's gateway; nothing runs on them yet.
gateways_up() {
	local second
	second=$(gateway_ns 1)
	wg_at "$NS_GW" wg6 showconf wg6 >"$TOPO_DIR/keys"
	unspawn wg6
	ip -n "$NS_GW" link delete wg6 2>/dev/null
	ip -n "$NS_GW" address flush dev ens3 scope global
	ip netns add "$second" &&
		ip -n "$second" link set lo up &&
		kernel_defaults "$second" &&
		set_sysctls "$second" net.ipv4.ip_forward=1 net.ipv6.conf.all.forwarding=1 &&
		cable "$second" ens3 $SECOND_MAC "$NS_LAN" gw2 02:00:00:00:02:b2 &&
		ip -n "$NS_LAN" link set gw2 master lan &&
		NS_GW=$second gateway_rules &&
		room_up 0 && room_up 1 && room_ssh 0 1 && room_ssh 1 0 &&
		in_ns "$NS_FW" sh -ec "$(document_command 'ip ')"
}

room_up() { # 0|1
	local ns files=$TOPO_DIR/files$1
	ns=$(gateway_ns "$1")
	ip -n "$ns" -batch - <<-END
		address add ${OWN4[$1]}/24 dev ens3
		address add ${OWN6[$1]}/64 dev ens3 nodad
		route replace default via $FW4 dev ens3 metric 100
		route replace ::/0 via $FW6 dev ens3 metric 2048
	END
	document_files "$files" "$1" || return
	room_begin "room$1" "$ns" "$files" "mount -t tmpfs wgvia /usr/local/sbin; cp $WGVIA /usr/local/sbin/wgvia
		mount -t bpf bpf /sys/fs/bpf; mkdir /run/wireguard"
}

# document_files FOLDER 0|1: the document's files, with the topology's keys; the second gateway with the document's
# command.
document_files() {
	room_files "$DOCUMENT" "$1" || return
	sed -i "s|GATEWAYS_PRIVATE_KEY|$(sed -n 's/^PrivateKey = //p' "$TOPO_DIR/keys")|
		s|CLIENT_PUBLIC_KEY|$(wg_at "$NS_C1" wgc1 show wgc1 public-key)|" "$1"/etc/wireguard/wg6.conf
	chmod +x "$1"/etc/keepalived/{forget-sessions,copy-endpoints}
	chmod go= "$1"/etc/wireguard/wg6.conf
	[ "$2" = 0 ] || (cd "$1" && eval "$(document_command 'sed -i')")
}

# document_command BEGINNING: the document's commands that begin with it, with paths below the present folder.
document_command() {
	jq -r --arg word "$1" '.[].steps[].command | select(startswith($word))' "$TOPO_DIR/examples" | sed 's| /etc/| etc/|g'
}

# room_ssh 0|1 1|0: if the first one runs "ssh HOST COMMAND", the command runs at the other.
room_ssh() {
	# shellcheck disable=SC2016 # the inner shell's
	room "$1" sh -c 'printf "#!/bin/sh\nshift\nexec nsenter --target %s --mount --net \"\$@\"\n" "$0" >/usr/local/sbin/ssh &&
		chmod +x /usr/local/sbin/ssh' "$(<"$TOPO_DIR/room$2.pid")"
}

# gateways_start: starts everything in the recipe, in its order.
gateways_start() {
	local number
	for number in 0 1; do
		room $number nft -f /etc/nftables.d/pair.nft || return
		agent_start_at $number
		tunnel_start $number || return
		keepalived_start $number
	done
	poll 20 is_healthy 0 && poll 20 is_healthy 1 && poll 20 somebody_is_active
}

agent_start_at() { # 0|1
	gateway_spawn "$1" agent "${AS_UNIT[@]}" /usr/local/sbin/wgvia run wg6 /etc/wgvia/wg6.conf
}

keepalived_start() { # 0|1
	gateway_spawn "$1" keepalived keepalived -n -l -P -D
}

gateways_down() {
	local number
	for number in 0 1; do
		unspawn keepalived$number
		unspawn agent$number
		tunnel_kill $number
		unspawn room$number
	done
	ip netns delete "$TOPO_NAME-gw2" 2>/dev/null || true
}

tunnel_start() { # 0|1
	room "$1" wg-quick up wg6 >"$TOPO_DIR/wg-quick$1" 2>&1 || { cat "$TOPO_DIR/wg-quick$1" && return 1; }
}

# tunnel_kill 0|1: kills its WireGuard, with which the interface vanishes
tunnel_kill() {
	local pid
	for pid in $(pgrep -x wireguard-go); do
		[ "$(ip netns identify "$pid")" != "$(gateway_ns "$1")" ] || kill -KILL "$pid"
	done
	ip -n "$(gateway_ns "$1")" link delete wg6 2>/dev/null || true
}

# mode_is MODE: on both
mode_is() {
	local number
	for number in 0 1; do
		[ "$(room $number wgvia -j show wg6 | jq -r .mode)" = "$1" ] || return
	done
}

mode_set() { # MODE
	local number
	for number in 0 1; do
		room $number sed -i /^mode/d /etc/wgvia/wg6.conf
		room $number sed -i "\$ a mode $1" /etc/wgvia/wg6.conf
		kill -HUP "$(<"$TOPO_DIR/agent$number.pid")"
	done
	poll 10 mode_is "$1"
}

# ---- who is active ----

is_healthy() { # 0|1
	room "$1" wgvia health wg6
}

is_unhealthy() { # 0|1
	! room "$1" wgvia health wg6
}

# Both shared addresses, not only one.
is_active() { # 0|1
	[ "$(ip -n "$(gateway_ns "$1")" -o address show dev ens3 | grep -cE "inet $GW4/|inet6 $GW6/")" -eq 2 ]
}

is_passive() { # 0|1
	! ip -n "$(gateway_ns "$1")" -o address show dev ens3 | grep -qE "inet $GW4/|inet6 $GW6/"
}

somebody_is_active() {
	if is_active 0; then is_passive 1; else is_active 1 && is_passive 0; fi
}

# stands_by 0|1: keepalived would take over if the other one failed.
stands_by() {
	grep -E 'Entering (BACKUP|FAULT|MASTER) STATE|Syncing instances to' "$TOPO_DIR/keepalived$1.log" | tail -n 1 | grep -q BACKUP
}

# who_is_active: sets $active and $passive.
# shellcheck disable=SC2034 # the tests do
who_is_active() {
	poll 20 somebody_is_active || return
	active=0 passive=1
	is_active 0 || active=1 passive=0
}

# ---- the wire at the service: packets to it with a source in the VPN prefix that do not come from the firewall ----

# A bridge floods packets for an absent host: to others, not to the service.

service_wire() {
	in_ns "$NS_SVC" nft -f - <<-END
		table netdev wire {
			counter from_firewall { }
			counter leaked { }
			chain in {
				type filter hook ingress device eth0 priority 0; policy accept;
				ether daddr != $SVC_MAC return
				ip saddr $VPN4 jump whom
				ip6 saddr $VPN6 jump whom
			}
			chain whom {
				ether saddr $FW_MAC counter name from_firewall return
				counter name leaked
			}
		}
	END
}

service_counter() { # from_firewall|leaked
	in_ns "$NS_SVC" nft -j list counter netdev wire "$1" | jq '.nftables[] | .counter // empty | .packets'
}
