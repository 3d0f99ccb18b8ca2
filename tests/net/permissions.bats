#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-only
#
# A process without one of the unit's capabilities, or without a bpffs, as in a container: the message names what is
# missing, and nothing changes. tests/net/capabilities.bats covers the complete set.

# shellcheck disable=SC2154 # `run` sets $status, $output, $stderr_lines

load ../lib/net.bash
load ../lib/agent.bash

ADVICE="add it to the container (--cap-add) or to the unit (CapabilityBoundingSet=)"

teardown() {
	agent_stop KILL
	sweep "$NS_GW" wg6
	nothing_left
}

# lacking NAME: from here on commands and agents have the unit's capabilities except this one.
lacking() {
	local name=${1#CAP_}
	# shellcheck disable=SC2034 # agent.bash uses it
	AS_UNIT=(setpriv --bounding-set "-all,$(tr ',' '\n' <<<"$UNIT_CAPS" | grep -vx "+${name,,}" | paste -sd,)" --inh-caps -all)
}

# fails TEXT HINT WORD...: with the complete standard error.
fails() {
	local text=$1 hint=$2
	shift 2
	run --separate-stderr as_unit "$@"
	is "$* $status" "$* 1"
	is "$* ${stderr_lines[0]}" "$* wgvia: $text"
	is "$* ${stderr_lines[1]:-}" "$* hint: $hint"
}

# refused TEXT HINT WORD...: and nothing has changed.
refused() {
	local before
	before=$(state)
	fails "$@"
	is "$(state)" "$before"
}

finding() { # NAME: its severity, evidence and remedy, a line each
	as_unit -j check wg6 | jq -r --arg name "$1" '.findings[] | select(.name == $name) | .severity, .evidence, .remedy'
}

# each_command CAPABILITY CAUSE: CAUSE is the kernel's word.
each_command() {
	local load="cannot load the programs into the kernel: $2" hint="$1 is missing: $ADVICE" file=$BATS_TEST_TMPDIR/wg6.conf
	printf '%s\n' "from $VPN4 via $FW4" "from $VPN6 via $FW6" >"$file"
	lacking "$1"
	refused "$load" "$hint" up wg6 "${WORDS[@]}"
	refused "$load" "$hint" apply wg6 "$file"
	is "$(finding capabilities)" "error
this process cannot load programs: 'wgvia up wg6' is refused
$hint"
	agent_begin "$file"
	says "$load; $hint"
	agent_stop
	wgvia down wg6
	# an instance that another user created
	wgvia up wg6 "${WORDS[@]}"
	refused "$load" "$hint" up wg6 "${WORDS[@]}" mode stack
	refused "$load" "$hint" explain wg6 from "$C1_4" to "$SVC4"
	run -0 as_unit show wg6
	run -0 as_unit stats wg6
	is "$(finding capabilities)" ""
	run -0 as_unit down wg6
}

@test "without CAP_BPF: up, apply, check, run, explain" {
	each_command CAP_BPF "operation not permitted"
}

@test "without CAP_NET_ADMIN: up, apply, check, run, explain" {
	each_command CAP_NET_ADMIN "operation not permitted"
	# what cannot be checked is a finding, not silence
	wgvia up wg6 "${WORDS[@]}"
	is "$(finding netfilter)" "warning
this process may not read netfilter rules: they are not evaluated
CAP_NET_ADMIN is missing: $ADVICE"
	run as_unit -j check wg6 --probe
	is "$(jq -r '.findings[] | select(.name | startswith("probe")) | .name, .remedy' <<<"$output")" "probe_skipped
CAP_NET_ADMIN is missing: $ADVICE"
}

@test "-n without CAP_SYS_ADMIN: the hint is about that" {
	run --separate-stderr setpriv --bounding-set "-all,$UNIT_CAPS" --inh-caps -all "$WGVIA" -n "$NS_GW" show
	is "$status ${stderr_lines[0]}" "1 wgvia: cannot enter the network namespace '$NS_GW': operation not permitted"
	is "${stderr_lines[1]}" "hint: CAP_SYS_ADMIN is missing: $ADVICE"
}

@test "without CAP_PERFMON: up, apply, check, run, explain" {
	each_command CAP_PERFMON "permission denied"
}

@test "without CAP_NET_RAW: everything works except the agent and check --probe" {
	lacking CAP_NET_RAW
	run -0 as_unit up wg6 "${WORDS[@]}"
	fails "cannot open the sockets for ARP and neighbour discovery: operation not permitted" "CAP_NET_RAW is missing: $ADVICE" run wg6
	run as_unit -j check wg6 --probe
	is "$(jq -r '.findings[] | select(.name == "probe_skipped") | .evidence, .remedy' <<<"$output")" \
		"cannot probe the firewall: operation not permitted
CAP_NET_RAW is missing: $ADVICE"
	run -0 as_unit down wg6
}

# in_container CAPABILITIES WORD...: a process with these, a private /sys, and no bpffs there; it cannot see that others
# have one.
in_container() {
	local capabilities=$1
	shift
	# shellcheck disable=SC2016 # the inner shell's
	run --separate-stderr in_ns "$NS_GW" unshare --mount --pid --fork --mount-proc bash -c 'umount -R /sys &&
		mount -t sysfs -o ro sysfs /sys && exec setpriv --bounding-set "-all,$0" --inh-caps -all "$@"' "$capabilities" "$WGVIA" "$@"
}

@test "a container without a bpffs: up names the mount, and check finds the reason for which up is refused" {
	local text="no bpffs is mounted at '/sys/fs/bpf', and it cannot be mounted: operation not permitted"
	local hint="'mount -t bpf bpf /sys/fs/bpf' needs CAP_SYS_ADMIN; a container can share the host's: -v /sys/fs/bpf:/sys/fs/bpf"
	in_container "$UNIT_CAPS" up wg6 "${WORDS[@]}"
	is "$status ${stderr_lines[0]}" "1 wgvia: $text"
	is "${stderr_lines[1]}" "hint: $hint"
	in_container "$UNIT_CAPS" -j check wg6
	is "$(jq -r '.findings[] | select(.name == "bpffs") | .severity, .evidence, .remedy' <<<"$output")" "error
$text
$hint"
	is "$(jq '[.findings[] | select(.name == "capabilities")] | length' <<<"$output")" 0
	in_container +net_admin -j check wg6
	is "$(jq -r '[.findings[].name | select(. == "bpffs" or . == "capabilities")] | join(" ")' <<<"$output")" "capabilities bpffs"
	in_container "$UNIT_CAPS" down wg6
	is "$status" 0
}

@test "a container that has CAP_SYS_ADMIN, or shares the host's bpffs, gets no advice to mount one" {
	run -0 as_unit up wg6 "${WORDS[@]}"
	run as_unit -j check wg6
	is "$(jq '[.findings[] | select(.name == "bpffs")] | length' <<<"$output")" 0
	wgvia down wg6
	in_container +all -j check wg6
	is "$(jq '[.findings[] | select(.name == "bpffs" or .name == "capabilities")] | length' <<<"$output")" 0
}
