#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-only
#
# The socket of a WireGuard in user space: nobody answers, the answer is late, or is something else. `wgvia check`
# reports that, ends in time, and shows no key. tests/net/coverage.bats uses wireguard-go itself.

# shellcheck disable=SC2154 # `run` sets $output

load ../lib/check.bash
load ../lib/wireguard.bash

# In the mounts of the server that serve() starts, and in the gateway's network namespace.
wgvia() {
	local mounts=(env)
	[ ! -e "$TOPO_DIR/wg6.pid" ] || mounts=(nsenter --target "$(<"$TOPO_DIR/wg6.pid")" --mount)
	"${mounts[@]}" nsenter --net="/run/netns/$NS_GW" "$WGVIA" --pin-dir "$PIN_DIR" "$@"
}

KEY=4141414141414141414141414141414141414141414141414141414141414141
SECRET=5353535353535353535353535353535353535353535353535353535353535353

teardown() {
	unspawn wg6
	wire_end
}

# serve HOW [TEXT]: a server at wg6's socket, which sends the text and then, depending on HOW, closes, waits, or
# continues forever; with "deaf" it accepts nobody, and with "dead" it has ended. It is in the network namespace
# SERVER_NS [the gateway's].
serve() {
	spawn "${SERVER_NS:-$NS_GW}" wg6 unshare --mount sh -c 'mkdir -p /run/wireguard && mount -t tmpfs wgvia /run/wireguard && exec "$@"' \
		sh /usr/bin/python3 -uc '
import signal, socket, sys
how, text = sys.argv[1], sys.argv[2].encode()
s = socket.socket(socket.AF_UNIX)
s.bind("/run/wireguard/wg6.sock")
s.listen(0 if how == "deaf" else 8)
queue = []
if how == "deaf":
    while len(queue) < 3:
        queue.append(socket.socket(socket.AF_UNIX))
        queue[-1].setblocking(False)
        try:
            queue[-1].connect("/run/wireguard/wg6.sock")
        except BlockingIOError:
            break
if how == "dead":
    s.close()
print("ready")
while how in ("deaf", "dead"):
    signal.pause()
while True:
    c, _ = s.accept()
    print("asked", c.recv(100))
    try:
        c.sendall(text)
        while how == "endless":
            c.sendall(text)
    except OSError:
        pass
    if how == "wait":
        queue.append(c)
    else:
        c.close()
' "$@"
	poll 10 grep -q '^ready' "$TOPO_DIR/wg6.log"
}

# unread TEXT: the finding that peers cannot be read, with that reason.
unread() {
	look
	is "$(finding wireguard .severity)" warning
	is "$(finding wireguard .evidence)" \
		"$1: it is not known whether the prefixes cover its peers' AllowedIPs"
	is "$(finding uncovered_peer .)" ""
	shows_no_key
}

shows_no_key() {
	! grep -q "${SECRET:0:16}" <<<"$output"
}

@test "a tun device without a socket is not WireGuard: no finding" {
	up
	look
	is "$(jq -c .findings <<<"$output")" "[]"
}

@test "a server at the socket is asked, and its answer is used" {
	up
	serve close "private_key=$SECRET
public_key=$KEY
preshared_key=$SECRET
allowed_ip=10.7.0.0/24
errno=0

"
	look
	is "$(listed)" "QUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUE= 10.7.0.0/24"
	is "$(sed -n 2p "$TOPO_DIR/wg6.log")" "asked b'get=1\\n\\n'"
	shows_no_key
}

@test "an answer that is not WireGuard's, or incomplete, is reported as such; no key is shown" {
	local socket=/var/run/wireguard/wg6.sock
	up
	serve close "HTTP/1.1 400 Bad Request
$SECRET
"
	unread "the answer from '$socket' is incomplete or not WireGuard's: line 1"
	serve close "private_key=$SECRET
public_key=$KEY
allowed_ip=10.7.0.0/24
"
	unread "the answer from '$socket' is incomplete or not WireGuard's: line 4"
	serve close "private_key=$SECRET$(printf '%09000d' 0)
"
	unread "the answer from '$socket' is incomplete or not WireGuard's: line 1"
	serve close "private_key=$SECRET
public_key=$KEY
allowed_ip=10.7.0.0/33
errno=0

"
	unread "the answer from '$socket' is incomplete or not WireGuard's: line 3"
	serve close "errno=13

"
	unread "WireGuard refuses to answer at '$socket': permission denied"
}

@test "a server that ended left its socket: nobody answers" {
	up
	serve dead ""
	unread "cannot connect to '/var/run/wireguard/wg6.sock': connection refused"
}

@test "the socket of a tunnel with that name in another network namespace is not used" {
	up
	SERVER_NS=$NS_LAN serve close "public_key=$KEY
allowed_ip=10.7.0.0/24
errno=0

"
	unread "'/var/run/wireguard/wg6.sock' belongs to a WireGuard in another network namespace"
}

@test "a server that does not answer, does not end, or accepts nobody is given two seconds" {
	local how start
	up
	for how in wait endless deaf; do
		serve $how "private_key=$SECRET
"
		start=$SECONDS
		unread "WireGuard did not answer in time at '/var/run/wireguard/wg6.sock'"
		((SECONDS - start < 60))
	done
}
