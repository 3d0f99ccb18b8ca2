# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-only
#
# For tests of data that is read from WireGuard itself: hundreds of peers, and wgvia where it can see the tunnel's
# socket.

# shellcheck disable=SC2154 # `run` sets $output
# shellcheck disable=SC2153 # the topology's variables

# shellcheck source=tests/lib/net.bash
. "$(dirname "${BASH_SOURCE[0]}")/net.bash"

# In the tunnel's network namespace and, if wireguard-go serves it, in its mounts.
wgvia() {
	at_wireguard "$NS_GW" wg6 "$WGVIA" --pin-dir "$PIN_DIR" "$@"
}

# wg_set WORD...: for the gateway's tunnel.
wg_set() {
	wg_at "$NS_GW" wg6 set wg6 "$@"
}

# wg_replace FILE: replaces the peers by those of the file, and keeps the interface's own settings.
wg_replace() {
	{
		wg_at "$NS_GW" wg6 showconf wg6 | sed '/^\[Peer\]/,$d'
		cat "$1"
	} >"$BATS_TEST_TMPDIR/config"
	wg_at "$NS_GW" wg6 syncconf wg6 /dev/stdin <"$BATS_TEST_TMPDIR/config"
}

# new_key: a random public key.
new_key() {
	wg genkey | wg pubkey
}

# look: sets $output to the findings of check, as JSON.
look() {
	run wgvia -j check wg6
}

# finding NAME KEY...: members of the findings with that name, one per line.
finding() {
	local name=$1 keys=$2
	jq -r --arg name "$name" ".findings[] | select(.name == \$name) | $keys" <<<"$output"
}

# listed: "KEY RANGE" for each range that the finding lists, in order.
# shellcheck disable=SC2016 # jq's variables
listed() {
	finding uncovered_peer '.peers[] | .public_key as $key | .ranges[] | "\($key) \(.allowed_ip)"' | sort
}

# allowed [PATTERN]: the same from wg(8), for ranges that match.
allowed() {
	wg_at "$NS_GW" wg6 show wg6 allowed-ips | tr '\t' ' ' |
		awk '{ for (i = 2; i <= NF; i++) if ($i != "(none)") print $1, $i }' | grep -E "${1:-.}" | sort
}
