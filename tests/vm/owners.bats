#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-only
#
# systemd-networkd and NetworkManager as owners of the tunnel, with the files and commands of docs/FLEET.md, in a guest
# whose process 1 is systemd and whose host is the gateway, while a client sends all the time:
#
#   scripts/vm --systemd 6.12 -- bats tests/vm/owners.bats

# shellcheck disable=SC2086,SC2154 # addresses are words
load ../lib/net.bash
load ../lib/load.bash

setup_file() {
	[ -n "${WGVIA_IN_VM:-}" ] || skip "not in a guest of scripts/vm"
	[ -d /run/systemd/system ] || skip "systemd is not process 1: scripts/vm --systemd"
	export TOPO_GATEWAY_IS_HOST=1 PIN_DIR=/sys/fs/bpf/wgvia
	topology_up "wgvia$$"
	make -C "$TREE" -s install PREFIX=/usr/local
	wg showconf wg6 >"$BATS_FILE_TMPDIR/wg6.conf"
	ip link delete wg6
	mkdir -p /etc/wgvia /etc/wireguard
	printf '%s\n' "from $VPN6 via $FW6 dev ens3" "from $VPN4 via $FW4 dev ens3" >/etc/wgvia/wg6.conf
	systemctl daemon-reload
	wire_up
	spawn "$NS_SVC" echo "$TOOLS/load" echo "$LOAD_PORT"
}

teardown() {
	unspawn client KILL
	systemctl stop wgvia-up@wg6 wgvia-nm@wg6 wgvia@wg6 2>/dev/null
	systemctl disable wgvia-up@wg6 wgvia-nm@wg6 wgvia@wg6 2>/dev/null
	systemctl is-active -q NetworkManager && nmcli connection delete wg6
	systemctl stop systemd-networkd.socket systemd-networkd NetworkManager 2>/dev/null
	rm -rf /etc/systemd/network/* /run/systemd/network
	systemctl reset-failed
	ip link delete wg6 2>/dev/null
	/usr/local/sbin/wgvia down wg6
}

teardown_file() {
	topology_down
}

wgvia() {
	/usr/local/sbin/wgvia "$@"
}

# ---- the document ----

# fleet_file NAME: the file in docs/FLEET.md, written to its place.
fleet_file() {
	mkdir -p "${1%/*}"
	# shellcheck disable=SC2094 # only a name is passed, not its content
	fleet_examples | jq -je --arg name "$1" '.[] | select(.kind == "file" and .about == $name).text' >"$1"
}

fleet_examples() {
	/usr/bin/python3 "$TREE/tests/lib/examples.py" "$TREE/docs/FLEET.md"
}

# fleet_commands WORD: those of the example that contains that word.
fleet_commands() {
	fleet_examples | jq -re --arg word "$1" '.[] | select(.kind == "tested by" and (.text | contains($word))).text' |
		tee /dev/stderr | bash -euo pipefail
}

# ---- the client ----

client_sends() {
	wire_reset
	spawn "$NS_C1" client "$TOOLS/load" send 200 "$LOAD_PORT" "$C1_4" "$SVC4" "$C1_6" "$SVC6"
}

packets_come() { # COUNT: in total
	[ "$(($(wire to_firewall) + $(wire leaked)))" -ge "$1" ]
}

traffic_again() {
	poll 5 packets_come $(($(wire to_firewall) + $(wire leaked) + 50)) && return
	ip link show wg6 || true
	wg show wg6 latest-handshakes || true
	networkctl status wg6 --no-pager || true
	wgvia show wg6 || true
	journalctl -u wgvia@wg6 -u wgvia-up@wg6 -u wgvia-nm@wg6 -u systemd-networkd -u NetworkManager --no-pager -o cat | tail -n 40
	return 1
}

no_packet_bypassed() {
	figures "$(wire to_firewall) packets to the firewall, $(wire leaked) past it"
	unspawn client
	is "$(wire leaked) packets past the firewall" "0 packets past the firewall"
}

connections_work() {
	poll 10 answers "$NS_C1" "$SVC4" service "$C1_4"
	poll 10 answers "$NS_C2" "$SVC6" service "$C2_6"
}

is_attached() {
	wgvia -j show wg6 | jq -e '[.attachments[] | select(.dev == "wg6" and .direction == "out" and .attached)] != []'
}

ifindex() {
	cat /sys/class/net/wg6/ifindex
}

# ---- systemd-networkd ----

# networkd_runs: only with the LAN. It finds the tunnel's files when it reads its files again. The peers are the
# topology's clients, whose endpoints are known, so that a handshake begins at once.
networkd_runs() {
	local file=/etc/systemd/network/wg6.netdev
	mkdir -p /etc/systemd/network
	printf '%s\n' "[Match]" Name=ens3 "[Network]" "Address=$GW4/24" "Address=$GW6/64" "Gateway=$FW4" "Gateway=$FW6" \
		IPv6AcceptRA=no >/etc/systemd/network/10-ens3.network
	systemctl start systemd-networkd
	fleet_file $file
	sed -i '/^\[WireGuardPeer\]/,$d' $file
	sed -n '/^\[Peer\]/,$p' "$BATS_FILE_TMPDIR/wg6.conf" |
		sed 's/^\[Peer\]/[WireGuardPeer]\nPersistentKeepalive=25/; s/ = /=/' >>$file
	(umask 077 && sed -n 's/^PrivateKey = //p' "$BATS_FILE_TMPDIR/wg6.conf" >/etc/systemd/network/wg6.key)
	fleet_file /etc/systemd/network/wg6.network
	fleet_file /etc/systemd/system/wgvia-up@.service
	systemctl daemon-reload
}

# boot: networkd starts with nothing configured, and nothing is attached. The agent waits for network-online.target, and
# this one for networkd to have configured the links, as on a host where both are enabled: not for the tunnel.
boot() {
	systemctl stop wgvia-up@wg6 wgvia@wg6 network-online.target systemd-networkd.socket systemd-networkd
	ip link delete wg6 2>/dev/null || true
	ip address flush dev ens3 scope global
	wgvia down wg6
	systemctl start --no-block test-boot.target
	traffic_again
	systemctl is-active network-online.target systemd-networkd-wait-online
	systemctl stop test-boot.target
}

@test "networkd: the agent and the tunnel start at boot in any order, and no packet bypasses the firewall" {
	local i
	networkd_runs
	fleet_commands networkctl
	# what multi-user.target wants at boot
	printf '[Unit]\nWants=systemd-networkd.service systemd-networkd-wait-online.service wgvia@wg6.service\n' \
		>/run/systemd/system/test-boot.target
	systemctl daemon-reload
	client_sends
	traffic_again
	is_attached
	for ((i = 0; i < 2; i++)); do
		boot
		is_attached
	done
	connections_work
	no_packet_bypassed
}

@test "networkd: a tunnel that appears starts the agent" {
	networkd_runs
	chown root:systemd-network /etc/systemd/network/wg6.key
	chmod 0640 /etc/systemd/network/wg6.key
	systemctl enable wgvia-up@wg6
	run ! systemctl is-active wgvia@wg6
	client_sends
	networkctl reload
	traffic_again
	systemctl is-active wgvia@wg6
	is_attached
	no_packet_bypassed
}

@test "networkd: the instance follows a tunnel that is deleted and re-created, and a reload and a restart of networkd" {
	local i before
	networkd_runs
	fleet_commands networkctl
	client_sends
	traffic_again
	for ((i = 0; i < 2; i++)); do
		before=$(ifindex)
		networkctl delete wg6
		poll 10 is_no_device wg6
		networkctl reload
		traffic_again
		[ "$(ifindex)" -ne "$before" ]
		poll 10 is_attached
	done
	networkctl reload
	systemctl restart systemd-networkd
	traffic_again
	is_attached
	connections_work
	no_packet_bypassed
}

# ---- NetworkManager ----

# network_manager_has: only the tunnel. Its package is unpacked into the guest's root, which vanishes with the guest.
network_manager_has() {
	local package=/var/cache/wgvia/unpacked/network-manager
	if ! command -v NetworkManager >/dev/null; then
		[ -d "$package" ] || skip "NetworkManager is missing: scripts/deps unpacks it"
		tar -C "$package" -c . | tar -x -C / --keep-directory-symlink
	fi
	mkdir -p /etc/NetworkManager/conf.d /var/lib/NetworkManager
	printf '%s\n' "[keyfile]" "unmanaged-devices=interface-name:*,except:interface-name:wg6" "[main]" dns=none \
		>/etc/NetworkManager/conf.d/test.conf
	(umask 077 && sed -e "/^\[Interface\]/a Address = $WG4/16, $WG6/50" -e '/^AllowedIPs/a PersistentKeepalive = 25' \
		"$BATS_FILE_TMPDIR/wg6.conf" >/etc/wireguard/wg6.conf)
	fleet_file /etc/systemd/system/wgvia-nm@.service
	systemctl daemon-reload
	busctl call org.freedesktop.DBus / org.freedesktop.DBus ReloadConfig
	ip address replace "$GW4/24" dev ens3
	ip address replace "$GW6/64" dev ens3 nodad
	ip route replace default via "$FW4"
	ip route replace ::/0 via "$FW6"
}

@test "NetworkManager: the agent is ready before the tunnel is created, at boot and by nmcli; no packet bypasses the firewall" {
	local i pid
	network_manager_has
	systemctl start NetworkManager
	client_sends
	fleet_commands nmcli
	traffic_again
	is_attached
	pid=$(systemctl show --value -p MainPID wgvia@wg6)
	for ((i = 0; i < 2; i++)); do
		nmcli connection down wg6
		run ! ip link show wg6
		nmcli connection up wg6
		traffic_again
		poll 10 is_attached
	done
	is "$(systemctl show --value -p MainPID wgvia@wg6)" "$pid"
	# as at boot
	printf '[Unit]\nWants=NetworkManager.service NetworkManager-wait-online.service wgvia-nm@wg6.service wgvia@wg6.service\n' \
		>/run/systemd/system/test-boot.target
	systemctl daemon-reload
	for ((i = 0; i < 2; i++)); do
		systemctl stop wgvia-nm@wg6 wgvia@wg6 network-online.target NetworkManager
		run ! ip link show wg6
		wgvia down wg6
		systemctl start test-boot.target
		traffic_again
		is_attached
		systemctl is-active network-online.target NetworkManager-wait-online
		systemctl stop test-boot.target
	done
	connections_work
	no_packet_bypassed
}
