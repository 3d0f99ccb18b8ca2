# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-only
#
# Rooms: a network namespace in which /etc has the files of a document besides the host's, and /run is empty, for daemons
# whose files have fixed places. ROOM_ENV is the environment of what runs there. topology.sh must be loaded first.

# room_begin ROOM NAMESPACE FOLDER [COMMANDS]: FOLDER has `etc`; the commands are run inside, after the mounts.
room_begin() {
	mkdir -p "$3/work"
	# shellcheck disable=SC2016 # the inner shell's
	spawn "$2" "$1" unshare --mount bash -ec '
		mount -t overlay -o "lowerdir=/etc,upperdir=$0/etc,workdir=$0/work" wgvia /etc
		mount -t tmpfs wgvia /run
		eval "$1"
		touch /run/.ready
		exec sleep infinity' "$3" "${4:-}"
	poll 5 room_run "$1" [ -e /run/.ready ] || { cat "$TOPO_DIR/$1.log" && return 1; }
}

# room_run ROOM COMMAND...
room_run() {
	local pid=$TOPO_DIR/$1.pid
	shift
	nsenter --target "$(<"$pid")" --mount --net env "${ROOM_ENV[@]}" "$@" 3>&-
}

# room_spawn ROOM NAMESPACE NAME COMMAND...: as the process NAME
room_spawn() {
	local room=$1 ns=$2 name=$3
	shift 3
	spawn "$ns" "$name" nsenter --target "$(<"$TOPO_DIR/$room.pid")" --mount env "${ROOM_ENV[@]}" "$@"
}

# room_files DOCUMENT FOLDER: writes the document's files below FOLDER; its examples are in $TOPO_DIR/examples then.
room_files() {
	local name
	/usr/bin/python3 "$TOPO_LIB/examples.py" "$1" >"$TOPO_DIR/examples" || return
	while IFS= read -r name; do
		mkdir -p "$2$(dirname "$name")"
		jq -j --arg name "$name" '.[] | select(.kind == "file" and .about == $name).text' "$TOPO_DIR/examples" >"$2$name"
	done < <(jq -r '.[] | select(.kind == "file").about' "$TOPO_DIR/examples")
}
