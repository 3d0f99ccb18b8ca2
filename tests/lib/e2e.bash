# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-only
#
# What tests of scripts/bench e2e share, in addition to net.bash, which must be loaded first.

# start_e2e OPTION...: in the background, as $pid, which is part of its objects' names.
start_e2e() {
	scripts/bench e2e "$@" >"$BATS_TEST_TMPDIR/text" 2>&1 3>&- &
	# shellcheck disable=SC2034 # for the tests
	pid=$!
}

# end_e2e: for teardown; what a killed run leaves, too
end_e2e() {
	[ -n "${pid:-}" ] || return 0
	process_gone "$pid" || { kill -TERM "$pid" && poll 20 process_gone "$pid"; } || kill -KILL "$pid"
	topology_names "wgviae2e$pid"
	topology_down
	rm -rf "/sys/fs/bpf/wgviae2e$pid"
}

# nothing_left_of_e2e PID: of that run.
nothing_left_of_e2e() {
	run ! grep "wgviae2e$1-" <(ip netns list)
	[ ! -e "/sys/fs/bpf/wgviae2e$1" ] && [ ! -e "/run/wgvia-topology/wgviae2e$1" ]
}

# plausible FILE WAYS THREADED: the figures of one run; WAYS and THREADED are arrays in JSON. All there, more than
# nothing arrived, and ip rule compared with itself is 1. wgvia counts each datagram that it sends on, and so many arrive.
plausible() {
	jq -e --argjson ways "$2" --argjson threaded "$3" '
		(map([.kind, .family, .threaded, .way]) | sort) ==
			([("out", "back", "round trips", "datagrams") as $kind | (4, 6) as $family | $threaded[] as $t | $ways[] as $way |
				[$kind, $family, $t, $way]] | sort) and
		all(.[]; .rate.median > 0 and .rate.q1 <= .rate.median and .rate.median <= .rate.q3 and
			(.way != "rule" or .to_rule == null or .to_rule.median == 1)) and
		all(.[] | select(.threaded and .kind == "out"); .to_unthreaded.median > 0) and
		all(.[] | select(.kind == "out" or .kind == "back"); .cpu.median > 0 and .again >= 0) and
		all(.[] | select(.kind == "datagrams"); .sent > 0 and .sent >= .arrived and .arrived >= .returned and
			.returned > 0.8 * .sent) and
		([.[] | select(.kind == "datagrams" and (.way == "fast" or .way == "stack" or .way == "stackflow"))] |
			length > 0 and all(.[]; (.sent_on - .arrived | fabs) <= 1 + 0.02 * .sent))' "$1" >/dev/null ||
		is "$(jq -c '.[]' "$1")" "plausible figures"
}
