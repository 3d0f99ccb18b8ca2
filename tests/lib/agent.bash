# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-only
#
# What files with agents share, in addition to net.bash, which must be loaded first: agents as processes of the
# topology, with the capabilities of the unit, and checks of their output.

# A prefix for a command: it gets exactly the capabilities, and the locked memory, of the unit.
read_unit() {
	local unit=$TREE/packaging/systemd/wgvia@.service capabilities
	capabilities=$(sed -n 's/^CapabilityBoundingSet=//p' "$unit")
	capabilities=${capabilities,,}
	capabilities=${capabilities//cap_/}
	UNIT_CAPS=+${capabilities// /,+}
	AS_UNIT=(setpriv --bounding-set "-all,$UNIT_CAPS" --inh-caps -all)
	! grep -qx NoNewPrivileges=yes "$unit" || AS_UNIT+=(--no-new-privs)
	# if this root may not raise the limit, the kernel is newer, and does not need it
	! grep -qx LimitMEMLOCK=infinity "$unit" || ! prlimit --memlock=unlimited true 2>/dev/null ||
		AS_UNIT=(prlimit --memlock=unlimited "${AS_UNIT[@]}")
}
read_unit

# as_unit WORD...: runs a command with these.
as_unit() {
	in_ns "$NS_GW" "${AS_UNIT[@]}" "$WGVIA" --pin-dir "$PIN_DIR" "$@"
}

# agent_start [WORD...]: runs `run wg6 WORD...` in the background, and waits until it is ready; AGENT_ENV holds
# variables for it.
agent_start() {
	agent_begin "$@"
	agent_says_ready
}

agent_begin() {
	agent_listen
	spawn "$NS_GW" agent "${AS_UNIT[@]}" env "NOTIFY_SOCKET=$TOPO_DIR/notify" "${AGENT_ENV[@]}" \
		"$WGVIA" --pin-dir "$PIN_DIR" run "${AGENT_TUNNEL:-wg6}" "$@"
}

# What systemd would receive, a line each, in $TOPO_DIR/notified.log.
agent_listen() {
	rm -f "$TOPO_DIR/notify"
	spawn "$NS_GW" notified /usr/bin/python3 -uc '
import socket, sys
s = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
s.bind(sys.argv[1])
while True:
    print(s.recv(4096).decode())
' "$TOPO_DIR/notify"
	poll 5 [ -S "$TOPO_DIR/notify" ]
}

agent_says_ready() {
	poll 10 grep -qx READY=1 "$TOPO_DIR/notified.log" || { cat "$TOPO_DIR/agent.log" && return 1; }
}

# agent_stop [SIGNAL]
agent_stop() {
	unspawn agent "${1:-TERM}"
	unspawn notified
}

agent_signal() {
	kill "-$1" "$(<"$TOPO_DIR/agent.pid")"
}

# says TEXT [SECONDS]: waits until the agent's log contains it.
says() {
	poll "${2:-10}" grep -qF -- "$1" "$TOPO_DIR/agent.log" && return
	echo "the agent does not say '$1':"
	cat "$TOPO_DIR/agent.log"
	return 1
}

says_not() {
	! grep -F -- "$1" "$TOPO_DIR/agent.log"
}

# in_force PREFIX GATEWAY: waits for that.
in_force() {
	poll "${3:-10}" is_in_force "$1" "$2" && return
	is "$(via "$1")" "$2" || { cat "$TOPO_DIR/agent.log" && return 1; }
}

is_in_force() {
	[ "$(via "$1")" = "$2" ]
}

# via PREFIX: its gateway, and "down" if it is marked so.
via() {
	wgvia -j show wg6 | jq -r --arg p "$1" '.prefixes[] | select(.from == $p) |
		.via + (if .problem == "marked down" then " down" else "" end)'
}

# left_alone PREFIX: its verdict on the bypass list; "none".
left_alone() {
	wgvia -j show "${AGENT_TUNNEL:-wg6}" | jq -r --arg p "$1" '[.bypass[] | select(.to == $p) | .verdict][0] // "none"'
}

is_left_alone() { # PREFIX VERDICT
	[ "$(left_alone "$1")" = "$2" ]
}

# lan_made: re-creates the gateway's ens3, which must not exist; the file defines `wire_up`.
lan_made() {
	gateway_cable
	in_ns "$NS_LAN" nft delete table netdev wire
	wire_up
	gateway_addresses
}
