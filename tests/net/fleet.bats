#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-only
#
# The recipes for a fleet, extracted from docs/FLEET.md: Ansible with three gateways, each of which has its own
# /etc/wgvia and /sys/fs/bpf, and etcd with a watcher.

# shellcheck disable=SC2030,SC2031,SC2086,SC2154 # addresses are words; bats and `run` set variables

load ../lib/net.bash

BRANCH=10.44.0.0/16

setup_more() {
	local n
	for n in 2 3; do
		gateway_add $n
	done
	for n in 1 2 3; do
		room_add $n
	done
}

setup() {
	local n
	ANSIBLE=$BATS_TEST_TMPDIR/ansible
	mkdir -p "$ANSIBLE/templates"
	document_file docs/FLEET.md /etc/ansible/templates/wg6.conf.j2 >"$ANSIBLE/templates/wg6.conf.j2"
	for n in 1 2 3; do
		at $n rm -rf /etc/wgvia/wg6.conf /etc/wgvia/wg6.conf.d
	done
}

teardown() {
	local n
	unspawn etcd
	for n in 1 2 3; do
		watcher_stop $n
		at $n "$WGVIA" down wg6
	done
}

teardown_file() {
	local n
	topology_down
	for n in 2 3; do
		[ ! -e "/run/netns/$TOPO_NAME-gw$n" ] || ip netns delete "$TOPO_NAME-gw$n"
	done
	rm -rf "$PIN_DIR"
}

# ---- three gateways ----

gateway_ns() {
	[ "$1" = 1 ] && echo "$NS_GW" || echo "$TOPO_NAME-gw$1"
}

# gateway_add N: adds one to the LAN, without clients. Its tunnel is a TUN device.
gateway_add() {
	local ns=$TOPO_NAME-gw$1
	ip netns add "$ns"
	ip -n "$ns" link set lo up
	kernel_defaults "$ns"
	cable "$ns" ens3 "02:00:00:00:02:0$((4 + $1))" "$NS_LAN" "gw$1" "02:00:00:00:02:b$1"
	ip -n "$NS_LAN" link set "gw$1" master lan
	in_ns "$ns" ip tuntap add dev wg6 mode tun
	ip -n "$ns" -batch - <<-END
		address add 192.0.2.1$1/24 dev ens3
		address add 2001:db8:2::1$1/64 dev ens3 nodad
		route add default via $FW4
		route add ::/0 via $FW6
		link set wg6 up
		address add 10.6.0.$1/16 dev wg6
		address add 2001:db8:1::$1/50 dev wg6 nodad
	END
}

# room_add N: a process in whose mounts the gateway has private files and pins.
room_add() {
	local folder=$BATS_FILE_TMPDIR/etc$1
	cp -a /etc "$folder"
	rm -rf "$folder/wgvia"
	mkdir "$folder/wgvia"
	# shellcheck disable=SC2016 # the inner shell's
	spawn "$NS_GW" "room$1" unshare --mount nsenter --net="/run/netns/$(gateway_ns "$1")" bash -c '
		mount -t bpf bpf /sys/fs/bpf && mount --bind "$0" /etc && touch /etc/wgvia/.room && exec sleep infinity' "$folder"
	poll 5 at "$1" [ -e /etc/wgvia/.room ]
}

# at N COMMAND...: on that gateway, as if wgvia were installed.
at() {
	nsenter --target "$(<"$TOPO_DIR/room$1.pid")" --mount --net env "PATH=$TREE/build:$PATH" "${@:2}"
}

prefixes() { # N
	at "$1" wgvia -j show wg6 | jq -r '[.prefixes[].from] | join(" ")'
}

prefixes_are() { # N PREFIX...
	[ "$(prefixes "$1")" = "${*:2}" ]
}

# document_file DOCUMENT NAME: the content of that file in the document.
document_file() {
	/usr/bin/python3 "$TREE/tests/lib/examples.py" "$TREE/$1" |
		jq -je --arg name "$2" '.[] | select(.kind == "file" and .about == $name).text'
}

# ---- Ansible ----

# inventory PREFIX...: for all gateways. A script in place of the gateway's Python enters the gateway.
inventory() {
	local n
	echo "[gateways]"
	for n in 1 2 3; do
		cat >"$ANSIBLE/python$n" <<-END
			#!/bin/sh
			exec nsenter --target $(<"$TOPO_DIR/room$n.pid") --mount --net env "PATH=$TREE/build:\$PATH" /usr/bin/python3 "\$@"
		END
		chmod +x "$ANSIBLE/python$n"
		echo "gateway$n ansible_connection=local ansible_python_interpreter=$ANSIBLE/python$n"
	done
	printf '[gateways:vars]\nfirewall=%s\nbranch=%s\nprefixes=%s\n' "$FW4" "$BRANCH" "$(jq -nc '$ARGS.positional' --args "$@")"
}

# play DOCUMENT NAME [OPTION...]: runs the document's play; sets $status, $output.
play() {
	document_file "$1" "$2" >"$ANSIBLE/play.yml"
	run env -C "$ANSIBLE" HOME="$BATS_TEST_TMPDIR" ANSIBLE_NOCOLOR=1 ANSIBLE_LOCALHOST_WARNING=0 LC_ALL=C.UTF-8 \
		ansible-playbook -i "$ANSIBLE/hosts" "${@:3}" "$ANSIBLE/play.yml"
	echo "$output"
}

# recap KEY COUNT: for each gateway.
recap() {
	is "$(grep -o "^gateway. .*" <<<"$output" | grep -o " $1=[0-9]*" | tr -d '\n')" " $1=$2 $1=$2 $1=$2"
}

need_ansible() {
	command -v ansible-playbook >/dev/null || skip "ansible-core is missing: scripts/deps installs it"
}

@test "Ansible: a first run configures three gateways, a second one changes nothing, an additional line is one change" {
	local n before
	need_ansible
	inventory $VPN4 >"$ANSIBLE/hosts"
	play docs/FLEET.md /etc/ansible/wgvia.yml
	is "$status" 0
	recap changed 2 # the file, and the handler
	for n in 1 2 3; do
		prefixes_are $n $VPN4
	done
	answers "$NS_C1" $SVC4 service $C1_4
	before=$(at 1 wgvia -j show wg6 | jq -c '[.attachments[].prog_id]')
	play docs/FLEET.md /etc/ansible/wgvia.yml
	is "$status" 0
	recap changed 0
	recap failed 0
	inventory $VPN4 10.7.0.0/16 >"$ANSIBLE/hosts"
	play docs/FLEET.md /etc/ansible/wgvia.yml
	is "$status" 0
	for n in 1 2 3; do
		prefixes_are $n $VPN4 10.7.0.0/16
	done
	is "$(at 1 wgvia -j show wg6 | jq -c '[.attachments[].prog_id]')" "$before"
}

# left_as_it_was TEXT: the last play failed on every gateway with that, and changed neither file nor instance.
left_as_it_was() {
	local n
	[ "$status" -ne 0 ]
	recap changed 0
	recap failed 1
	is "$(grep -cF "$1" <<<"$output")" 3
	for n in 1 2 3; do
		at $n diff /etc/wgvia/wg6.conf "$BATS_TEST_TMPDIR/good"
		is "$(at $n find /etc/wgvia -name '*wg6.conf*' | wc -l)" 1
		prefixes_are $n $VPN4
	done
	answers "$NS_C1" $SVC4 service $C1_4
}

@test "Ansible: an invalid template, or one that a gateway refuses, leaves file and instance as they were" {
	need_ansible
	inventory $VPN4 >"$ANSIBLE/hosts"
	play docs/FLEET.md /etc/ansible/wgvia.yml
	is "$status" 0
	at 1 cat /etc/wgvia/wg6.conf >"$BATS_TEST_TMPDIR/good"
	inventory $VPN4 10.7.0.1/16 >"$ANSIBLE/hosts"
	play docs/FLEET.md /etc/ansible/wgvia.yml
	left_as_it_was "'10.7.0.1/16' has host bits set: do you mean '10.7.0.0/16'?"
	inventory >"$ANSIBLE/hosts" # a list that is empty by mistake
	play docs/FLEET.md /etc/ansible/wgvia.yml
	left_as_it_was "the configuration has no 'from' statement"
	inventory $VPN4 >"$ANSIBLE/hosts"
	sed -i 's/^firewall=.*/firewall=203.0.113.77/' "$ANSIBLE/hosts"
	play docs/FLEET.md /etc/ansible/wgvia.yml
	left_as_it_was "via '203.0.113.77' is not on-link"
}

@test "Ansible: a task that applies every time repairs drift, and reports it as a change" {
	need_ansible
	inventory $VPN4 >"$ANSIBLE/hosts"
	play docs/FLEET.md /etc/ansible/drift.yml
	is "$status" 0
	play docs/FLEET.md /etc/ansible/drift.yml
	is "$status" 0
	recap changed 0
	at 2 wgvia route del wg6 from $VPN4
	at 2 wgvia route add wg6 from 10.9.0.0/16 via $FW4
	play docs/FLEET.md /etc/ansible/wgvia.yml # which does not
	prefixes_are 2 10.9.0.0/16
	play docs/FLEET.md /etc/ansible/drift.yml
	is "$status" 0
	is "$(grep -o '^gateway. .*' <<<"$output" | grep -o ' changed=[0-9]*' | tr -d '\n')" " changed=0 changed=1 changed=0"
	prefixes_are 2 $VPN4
}

@test "Ansible: drop-ins come with the file, and each is checked together with the others" {
	local n
	need_ansible
	inventory $VPN4 >"$ANSIBLE/hosts"
	play docs/FLEET.md /etc/ansible/dropins.yml
	is "$status" 0
	for n in 1 2 3; do
		prefixes_are $n $VPN4 $BRANCH
	done
	play docs/FLEET.md /etc/ansible/dropins.yml
	is "$status" 0
	recap changed 0
	# a file that also contains the drop-in's prefix
	at 1 cat /etc/wgvia/wg6.conf >"$BATS_TEST_TMPDIR/good"
	inventory $VPN4 $BRANCH >"$ANSIBLE/hosts"
	play docs/FLEET.md /etc/ansible/dropins.yml
	[ "$status" -ne 0 ]
	recap failed 1
	is "$(grep -cF "from '$BRANCH' is given twice" <<<"$output")" 3
	for n in 1 2 3; do
		at $n diff /etc/wgvia/wg6.conf "$BATS_TEST_TMPDIR/good"
		prefixes_are $n $VPN4 $BRANCH
	done
}

# ---- etcd ----

# Only these tests start and stop the daemon; its packages are only unpacked.
need_etcd() {
	local unpacked=/var/cache/wgvia/unpacked
	PATH=$unpacked/etcd-server/usr/bin:$unpacked/etcd-client/usr/bin:$PATH
	command -v etcd etcdctl >"$BATS_TEST_TMPDIR/found" || true
	[ "$(wc -l <"$BATS_TEST_TMPDIR/found")" -eq 2 ] || skip "etcd is missing: scripts/deps unpacks it"
	export ETCDCTL_DIAL_TIMEOUT=30s ETCDCTL_COMMAND_TIMEOUT=60s ETCDCTL_ENDPOINTS=http://$SVC4:2379 ETCDCTL_API=3
}

# etcd_start: on the service's host, with its previous data.
etcd_start() {
	spawn "$NS_SVC" etcd env ETCD_UNSUPPORTED_ARCH="$(dpkg --print-architecture)" etcd --data-dir "$BATS_TEST_TMPDIR/etcd" \
		--listen-client-urls "http://$SVC4:2379" --advertise-client-urls "http://$SVC4:2379" \
		--listen-peer-urls http://127.0.0.1:2380
	poll 20 in_ns "$NS_SVC" etcdctl endpoint health
}

put() { # LINE...
	printf '%s\n' "$@" | in_ns "$NS_SVC" etcdctl put /wgvia/wg6
}

# watcher_start N: the document's, in that gateway's room, and in a separate session.
watcher_start() {
	spawn "$NS_GW" "watcher$1" nsenter --target "$(<"$TOPO_DIR/room$1.pid")" --mount --net \
		env "PATH=$TREE/build:$PATH" setsid -w sh "$BATS_TEST_TMPDIR/wgvia-etcd" wg6
}

# watcher_stop N: with its children, as systemd does.
watcher_stop() {
	local file=$TOPO_DIR/watcher$1.pid
	[ ! -e "$file" ] || kill -TERM -- "-$(<"$file")" || true
	unspawn "watcher$1"
}

all_have() { # PREFIX...
	local n
	for n in 1 2 3; do
		prefixes_are $n "$@" || return
	done
}

watchers_say() { # TEXT
	[ "$(grep -lF "$1" "$TOPO_DIR"/watcher[123].log | wc -l)" -eq 3 ]
}

@test "etcd: a value goes to every gateway that watches; an invalid one changes nothing" {
	local n
	need_etcd
	document_file docs/FLEET.md /usr/local/sbin/wgvia-etcd >"$BATS_TEST_TMPDIR/wgvia-etcd"
	etcd_start
	put "from $VPN4 via $FW4"
	for n in 1 2 3; do
		watcher_start $n
	done
	poll 20 all_have $VPN4 || { tail -n +1 "$TOPO_DIR"/watcher?.log && false; }
	answers "$NS_C1" $SVC4 service $C1_4
	put "from $VPN4 via $FW4" "from 10.7.0.0/16 via $FW4"
	poll 20 all_have $VPN4 10.7.0.0/16 || { tail -n +1 "$TOPO_DIR"/watcher?.log && false; }
	at 1 cat /etc/wgvia/wg6.conf >"$BATS_TEST_TMPDIR/good"
	put "from $VPN4 via $FW4" "form 10.8.0.0/16"
	poll 20 watchers_say ":2: unexpected word 'form'"
	put "from $VPN4 via 203.0.113.77"
	poll 20 watchers_say "via '203.0.113.77' is not on-link"
	in_ns "$NS_SVC" etcdctl del /wgvia/wg6
	all_have $VPN4 10.7.0.0/16
	for n in 1 2 3; do
		at $n diff /etc/wgvia/wg6.conf "$BATS_TEST_TMPDIR/good"
	done
	# a gateway that was down, and etcd itself
	watcher_stop 2
	put "from 10.9.0.0/16 via $FW4"
	poll 20 prefixes_are 3 10.9.0.0/16
	prefixes_are 2 $VPN4 10.7.0.0/16
	watcher_start 2
	poll 20 all_have 10.9.0.0/16
	unspawn etcd
	etcd_start
	put "from $VPN4 via $FW4"
	poll 30 all_have $VPN4
}
