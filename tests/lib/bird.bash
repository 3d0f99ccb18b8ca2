# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-only
#
# BIRD with the files that docs/BGP.md shows, as processes of the topology; net.bash loads first. Their configurations and
# sockets are in $TOPO_DIR.

BIRD=/var/cache/wgvia/unpacked/bird2/usr/sbin

need_bird() {
	[ -x $BIRD/bird ] || skip "bird is missing: scripts/deps unpacks it"
}

bird_examples() {
	/usr/bin/python3 "$TOPO_LIB/examples.py" "$TREE/docs/BGP.md" >"$TOPO_DIR/bird-examples"
}

# bird_file gateway|firewall [NAME]: the document's.
bird_file() {
	jq -j --arg name "$1: /etc/bird/${2:-bird}.conf" '.[] | select(.kind == "file" and .about == $name).text' \
		"$TOPO_DIR/bird-examples"
}

# bird_start NAMESPACE NAME CONFIGURATION
bird_start() {
	spawn "$1" "bird-$2" $BIRD/bird -f -c "$3" -s "$TOPO_DIR/$2.ctl" -P "$TOPO_DIR/$2.bird"
	disown # one is killed, which the shell would tell
}

# birdc NAME WORD...
birdc() {
	local name=$1
	shift
	$BIRD/birdc -r -s "$TOPO_DIR/$name.ctl" "$@"
}

# bird_routes NAMESPACE 4|6: those that it has put into the kernel's table.
bird_routes() {
	ip -n "$1" "-$2" route show proto bird
}

has_bird_routes() { # NAMESPACE
	[ -n "$(bird_routes "$1" 4)" ] && [ -n "$(bird_routes "$1" 6)" ]
}
