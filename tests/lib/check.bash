# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-only
#
# For tests of `wgvia check`: a clean gateway between wires, the findings there, and the remedies that they name.

# shellcheck disable=SC2086 # addresses are words
# shellcheck disable=SC2153 # the topology's variables
# shellcheck disable=SC2030,SC2031 # each test has its own PATH
# shellcheck disable=SC2154 # bats sets $output

# shellcheck source=tests/lib/wire.bash
. "$(dirname "${BASH_SOURCE[0]}")/wire.bash"

# shellcheck disable=SC2034 # the tests do
TCX=$TREE/build/tests/lib/tcx

setup_file() {
	bpf_build foreign
}

setup() {
	# shellcheck disable=SC2119 # its argument may be left out
	wire_begin
	set_sysctls "$NS_GW" net.ipv6.conf.default.addr_gen_mode=1 # no link-local addresses that come and go
	# a tun device has carrier while somebody holds it: the wires' far end is not needed here
	spawn "$NS_GW" tun /usr/bin/python3 -c "import fcntl, os, signal, struct
fcntl.ioctl(os.open('/dev/net/tun', os.O_RDWR), 0x400454CA, struct.pack('16sH22x', b'wg6', 0x1001))
signal.pause()"
	wire_cable ens3 lan
	poll 5 ip -n "$NS_GW" link show wg6
	wire_address wg6 $WG4/16 $WG6/50
	ip -n "$NS_GW" link set wg6 mtu 1420
	wire_lan ens3
	ip -n "$NS_GW" route delete 198.19.0.0/16 # of the sentinel
	export FOREIGN=/sys/fs/bpf/$TOPO_NAME-foreign
}

teardown() {
	rm -rf "$FOREIGN"
	wire_end
}

# up [WORD...]: with the usual prefixes
up() {
	wgvia up wg6 "${WORDS[@]}" "$@" >/dev/null
}

# look: sets $output to its output as JSON, and $status to its exit status.
look() {
	run wgvia -j check "${1:-wg6}"
}

# finds "NAME..." [IFACE]: exactly these findings, in alphabetical order, with the matching exit status.
finds() {
	look "${2:-wg6}"
	is "$(jq -r '"\([.findings[].name] | sort | join(" ")), exit status \([.findings[] |
		select(.severity != "info")] | length | if . > 0 then 1 else 0 end)"' <<<"$output")" \
		"$1, exit status $status" || { echo "$output" && return 1; }
}

# severity NAME WORD: at the last look.
severity() {
	is "$(jq -r --arg name "$1" '.findings[] | select(.name == $name).severity' <<<"$output" | head -n 1)" "$2"
}

# tells NAME TEXT: the evidence contains it, at the last look.
tells() {
	jq -r --arg name "$1" '.findings[] | select(.name == $name).evidence' <<<"$output" | grep -qF -- "$2" ||
		{ echo "$output" && return 1; }
}

remedy() {
	jq -r --arg name "$1" 'first(.findings[] | select(.name == $name).remedy)' <<<"$output"
}

# mend NAME: runs the remedy of that finding from the last look, unchanged.
mend() {
	local command
	command=$(remedy "$1")
	echo "mend: $command"
	case $command in
	'wgvia '*) eval "$command" >/dev/null ;;
	*) in_ns "$NS_GW" bash -ec "$command" >/dev/null ;;
	esac
}

# provoked NAMES COMMAND...: there are no findings before; the command causes exactly these.
provoked() {
	local names=$1
	shift
	finds "" && "$@" && finds "$names"
}

gw() {
	in_ns "$NS_GW" "$@"
}

# network DEVICE ADDRESS/LENGTH...: as Docker creates them.
network() {
	local device=$1
	shift
	ip -n "$NS_GW" link add $device type bridge
	wire_address $device "$@"
}

# foreign_add tcx|clsact DEVICE DIRECTION PRIORITY
foreign_add() {
	local pins=$FOREIGN/$1-$2-$3
	mkdir -p "$pins"
	bpftool prog load "$BATS_FILE_TMPDIR/foreign.o" "$pins/prog" type classifier pinmaps "$pins" >/dev/null
	if [ "$1" = tcx ]; then
		gw "$TCX" attach "$2" "$3" "$pins/prog" "$pins/link" first
	else
		gw tc qdisc show dev "$2" | grep -q clsact || gw tc qdisc add dev "$2" clsact
		gw tc filter add dev "$2" "$3" prio "$4" bpf da object-pinned "$pins/prog"
	fi
}
