# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-only
#
# What the parts of scripts/endure share: the topology of the tests with a lossless tunnel, packets that are counted,
# and a look at what the kernel holds. A part is called as PART COUNT SEED; a fault is a line that begins with "fault:",
# and the last line has the figures.
#
# wgvia runs under a user id that only this run uses, with the capabilities that it needs. The kernel records who loaded
# a program, so programs of other instances on this machine are not counted.

# shellcheck source=tests/lib/net.bash
. tests/lib/net.bash
# shellcheck source=tests/lib/load.bash
. tests/lib/load.bash
# shellcheck source=tests/lib/agent.bash
. tests/lib/agent.bash

ENDURE_UID=$((100000 + $$))
CAPS=+dac_override,+net_admin,+net_raw,+sys_ptrace,+sys_admin,+perfmon,+bpf
AS_USER=(setpriv --reuid "$ENDURE_UID" --inh-caps "$CAPS" --ambient-caps "$CAPS")
# The agent has the unit's capabilities, and may write below /sys/fs/bpf, like root.
AS_AGENT=(setpriv --reuid "$ENDURE_UID" --inh-caps "+dac_override,$UNIT_CAPS" --ambient-caps "+dac_override,$UNIT_CAPS")
AS_UNIT=()
faults=0

wgvia() {
	"${AS_USER[@]}" "$WGVIA" --pin-dir "$PIN_DIR" -n "$NS_GW" "$@"
}

up() {
	wgvia up wg6 "${WORDS[@]}" "$@"
}

# fault TEXT...: reports an error; the run continues, up to a limit.
fault() {
	echo "fault: $*"
	faults=$((faults + 1))
	[ $faults -lt 20 ] || { echo "fault: too many" && exit 1; }
}

# endure_begin SEED
endure_begin() {
	RANDOM=$1
	trap endure_end EXIT
	trap 'exit 1' INT TERM HUP
	topology_up "wgviaendure$$" && load_up || exit
	export PIN_DIR=/sys/fs/bpf/$TOPO_NAME
	AGENT_ENV=("${AS_AGENT[@]}")
}

endure_end() {
	"$WGVIA" --pin-dir "$PIN_DIR" -n "$NS_GW" down wg6 >/dev/null 2>&1
	topology_down
	rm -rf "${PIN_DIR:?}"
}

# endure_agent [WORD...]: not as a job of this shell, which would report each one that is killed.
endure_agent() {
	(agent_start "$@")
}

# draw BELOW: sets $drawn to a random number.
draw() {
	# shellcheck disable=SC2034 # used by the parts
	drawn=$(((RANDOM << 15 | RANDOM) % $1))
}

now() { # in us
	echo "${EPOCHREALTIME/[.,]/}"
}

# owned: what the kernel holds for this run, as JSON.
owned() {
	jq -nc --argjson uid $ENDURE_UID --argjson pins "$(find "$PIN_DIR" -mindepth 1 2>/dev/null | wc -l)" \
		--slurpfile progs <(bpftool -j prog show) --slurpfile links <(bpftool -j link show) \
		--slurpfile maps <(bpftool -j map show) '
		[$progs[][] | select(.uid == $uid)] as $own | [$own[].id] as $ids | ([$own[].map_ids[]] | unique) as $map_ids |
		[$maps[][] | select(.id | IN($map_ids[]))] as $held |
		{programs: ($own | length), links: ([$links[][] | select(.prog_id | IN($ids[]))] | length),
			maps: ($held | length), pins: $pins, map_bytes: ([$held[].bytes_memlock] | add // 0)}'
}

# settle: waits until earlier objects are freed, and the only programs are those pinned for wg6's instance.
settle() {
	local count
	count=$(find "$PIN_DIR/wg6" -name 'wgvia_*' -o -name count_lost_program | wc -l)
	poll 10 programs_are "$count" || fault "it has more or less than the $count programs of the instance: $(owned)"
}

programs_are() {
	[ "$(owned | jq .programs)" -eq "$1" ]
}

# owns JSON: waits for that; the kernel frees programs asynchronously.
owns() {
	poll 10 is_owned "$1" || fault "${2:+$2: }it holds $(owned), not $1"
}

is_owned() {
	[ "$(owned)" = "$1" ]
}

# objects JSON: as text.
objects() {
	jq -r '"\(.programs) programs, \(.links) links, \(.maps) maps, \(.pins) pins"' <<<"$1"
}

# agent_memory: resident, in KiB.
agent_memory() {
	awk '/^VmRSS:/ { print $2 }' "/proc/$(<"$TOPO_DIR/agent.pid")/status"
}

# ended: everything was removed, and nothing remains.
ended() {
	agent_stop TERM
	wgvia down wg6 || fault "down failed"
	[ -z "$(attached)" ] || fault "left on the devices: $(attached)"
	owns '{"programs":0,"links":0,"maps":0,"pins":0,"map_bytes":0}' "after down"
	[ $faults -eq 0 ]
}
