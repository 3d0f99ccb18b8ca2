#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-only
#
# Completion, by typing into a real bash and a real zsh on a terminal, and by asking a real fish; its words match
# wgvia's, and their descriptions match those of --help.

# shellcheck disable=SC2086,SC2153,SC2154 # addresses are words; `run` sets $status, $output, $stderr

load ../lib/net.bash

COMPLETION=$TREE/packaging/completion/wgvia

setup_more() {
	export PATH=${WGVIA%/*}:$PATH
	ip -n "$NS_GW" tuntap add wg7 mode tun
	ip -n "$NS_GW" address add 10.7.0.1/24 dev wg7
	ip -n "$NS_GW" link set wg7 up
}

teardown() {
	sweep "$NS_GW" wg7
	sweep "$NS_GW" wg6
}

# completes SHELL [FILE]: compares with a table of "LINE=> WORD...", with sorted words; WG is wgvia on the gateway.
completes() {
	local dir=$BATS_TEST_TMPDIR
	sed "s|^WG |wgvia -n $NS_GW --pin-dir $PIN_DIR |" >"$dir/expected"
	sed 's/=>.*//' "$dir/expected" |
		/usr/bin/python3 "$TREE/tests/lib/complete.py" "$1" "${2:-$COMPLETION}" 2>"$dir/terminal" |
		diff -u "$dir/expected" - || {
		cat -v "$dir/terminal"
		return 1
	}
}

commands() {
	"$WGVIA" --help | sed -n '/^Commands:/,/^Options:/s/^  \([a-z]*\) .*/\1/p'
}

# The literal words of a command's usage.
words_of_help() {
	"$WGVIA" --help | sed -n "/^  $1 /,/^ \{11\}[^ ]/{/^ \{11\}[^ ]/d;s/^  $1 //;p}" |
		grep -oE -- '--[a-z-]+|\<[a-z][a-z-]*|-[a-z]\>' | sort -u | xargs
}

words_of_completion() {
	local places keywords word
	_wgvia_grammar "$1"
	for word in $places; do
		[[ $word != *'|'* ]] || tr '|' '\n' <<<"$word"
	done
	for word in $keywords; do
		printf '%s\n' "${word%%[*=]*}"
		word=${word#*=}
		[[ $word != *'|'* ]] || tr '|' '\n' <<<"${word%|@*}"
	done
}

@test "the commands, options, keywords and verdicts are those of wgvia" {
	local command
	# shellcheck source=packaging/completion/wgvia
	. "$COMPLETION"
	is "$(_wgvia_lines "$_wgvia_commands" | sort | xargs)" "$({ commands && printf '%s\n' help list version; } | sort | xargs)"
	is "$(_wgvia_lines "$_wgvia_options" | sort | xargs)" \
		"$("$WGVIA" --help | sed -n '/^Options:/,$p' | sed '/^$/q' | grep -oE '^  .{17}' | grep -oE -- '--?[a-zA-Z0-9-]+' |
			sort | xargs)"
	for command in $(commands); do
		is "$command: $(words_of_completion "$command" | sort -u | xargs)" "$command: $(words_of_help "$command")"
	done
	wgvia up wg6 "${WORDS[@]}"
	is "$(_wgvia_lines "$_wgvia_verdicts" | xargs)" \
		"$(wgvia -j stats wg6 | jq -r '.counters | keys_unsorted | join(" ")')"
}

# One instance, wg6, and another tunnel.
table() {
	cat <<-END
		wgvia ch=> check
		wgvia t=> trace
		wgvia --n=> --netns
		wgvia -n $TOPO_NAME-c=> $NS_C1 $NS_C2
		wgvia --pin-dir $BATS_TEST_TMPDIR/so=> $BATS_TEST_TMPDIR/somewhere
		wgvia frobnicate =>
		wgvia help ex=> explain
		WG sh => wg6
		WG list => wg6
		WG show -j => wg6
		WG show -br -p => wg6
		WG bypass -j add => wg6
		WG s =>
		wgvia show -n $TOPO_NAME-c=> $NS_C1 $NS_C2
		wgvia show --pin-dir $PIN_DIR -n $NS_GW => wg6
		wgvia show wg6 --pin-dir $BATS_TEST_TMPDIR/so=> $BATS_TEST_TMPDIR/somewhere
		WG up => wg6 wg7
		WG -j up wg7 fr=> from
		WG up wg7 => bypass counters from mode mss on-fail outside return via
		WG up wg7 via => $FW4 $FW6
		WG up wg7 via $FW4 => bypass counters dev from health mode mss on-fail or outside return
		WG up wg7 from => 10.7.0.0/24 addresses allowed-ips
		WG up wg6 from => $VPN4 $VPN6 addresses allowed-ips
		WG up wg6 from 2001:=> $VPN6
		WG up wg6 from $VPN6 => bypass counters dev from mode mss on-fail or outside return via
		WG up wg6 from $VPN6 via => $FW6
		WG up wg6 from $VPN6 via 2001:db8:2=> $FW6
		WG up wg6 from $VPN4 via => $FW4
		WG up wg6 from $VPN6 via $FW6 => bypass counters dev from health mode mss on-fail or outside return
		WG up wg6 from $VPN6 via $FW6 dev => ens3
		WG up wg6 from $VPN6 via $FW6 dev ens3 => bypass counters from health mode mss on-fail or outside return
		WG up wg6 from $VPN6 via $FW6 dev ens3 or => $FW6
		WG up wg6 from $VPN6 via $FW6 or $SVC6 => bypass counters dev from health mode mss on-fail or outside return
		WG up wg6 from $VPN6 via $FW6 health => forward neighbour ping tcp
		WG up wg6 from $VPN6 via $FW6 health ping =>
		WG up wg6 from $VPN6 via $FW6 health forward => bypass counters from mode mss on-fail outside return
		WG up wg6 from $VPN6 via $FW6 health ping $SVC6 => bypass counters from mode mss on-fail outside return
		WG up wg6 from $VPN6 via $FW6 dev ens3 mode => fast stack
		WG up wg6 from $VPN6 mode stack => bypass counters from mss on-fail outside return
		WG up wg6 from from via => $FW4 $FW6
		WG up wg6 bypass => 10.7.0.0/24 192.0.2.0/24 2001:db8:2::/64
		WG up wg6 on-fail p=> pass
		WG up wg6 outside d=> drop
		WG up wg6 mss => auto off
		WG up wg6 return => any drop via
		WG up wg6 return any => bypass counters from mode mss on-fail outside
		WG up wg6 return via => also bypass counters from mode mss on-fail outside
		WG up wg6 return via also $FW4 => also bypass counters dev from mode mss on-fail outside
		WG up wg6 return via also $FW4 dev => ens3
		WG up wg6 return via also $FW4 dev ens3 => also bypass counters from mode mss on-fail outside
		WG down => wg6
		WG show => wg6
		WG route => add del replace
		WG route add => wg6
		WG route add wg6 => from
		WG route add wg6 from => $VPN4 $VPN6 addresses allowed-ips
		WG route del wg6 from => $VPN4 10.99.0.0/16 $VPN6 addresses allowed-ips
		WG route del wg6 from 1=> $VPN4 10.99.0.0/16
		WG route replace wg6 from 10.99.0.0/16 => dev or via
		WG bypass => add del
		WG bypass add wg6 => 10.7.0.0/24 192.0.2.0/24 2001:db8:2::/64
		WG bypass del wg6 => 198.18.0.0/15 2001:db8:99::/48
		WG bypass del wg6 2001:db8:=> 2001:db8:99::/48
		WG bypass del wg6 198.18.0.0/15 =>
		WG apply => wg6 wg7
		WG apply -=> --dry-run -c
		WG apply -c => wg6 wg7
		WG apply -c wg6 $BATS_TEST_TMPDIR/so=> $BATS_TEST_TMPDIR/somewhere
		WG save => wg6
		WG run => wg6 wg7
		WG run wg6 $BATS_TEST_TMPDIR/so=> $BATS_TEST_TMPDIR/somewhere
		WG run wg6 tr=> tries
		WG run wg6 $BATS_TEST_TMPDIR/somewhere => hold interval tries
		WG run wg6 interval 3 => hold tries
		WG import $BATS_TEST_TMPDIR/so=> $BATS_TEST_TMPDIR/somewhere
		WG import - => wg6 wg7
		WG explain => wg6
		WG explain wg6 => dir from hop-limit len to
		WG explain wg6 from 10.6.0.10 to $SVC4 dir => in out
		WG explain wg6 len =>
		WG check => wg6 wg7
		WG check wg6 => --probe --severity
		WG check wg6 --probe => --severity
		WG check wg6 --severity => error info warning
		WG check wg6 --severity info => --probe
		WG trace wg6 => count from to verdict
		WG trace wg6 from => $VPN4 10.99.0.0/16 $VPN6
		WG trace wg6 verdict re=> redirected refused retargeted returned
		WG trace wg6 verdict returned => count from to verdict
		WG stats => wg6
		WG stats -=> --prefix --prometheus --watch
		WG stats wg6 --w=> --watch
		WG stats --watch 2 =>
	END
}

made() {
	wgvia up wg6 "${WORDS[@]}" from 10.99.0.0/16 via $FW4 dev ens3 bypass 198.18.0.0/15 bypass 2001:db8:99::/48
	mkdir "$BATS_TEST_TMPDIR/somewhere"
}

@test "bash" {
	made
	table | completes bash
}

@test "zsh" {
	made
	table | completes zsh
}

@test "fish" {
	made
	table | completes fish "$COMPLETION.fish"
}

# described SHELL FILE: commands, options, keywords, verbs and words after a keyword have the descriptions of --help;
# data from the system has none.
described() {
	is "$(sed "s|^WG |wgvia -n $NS_GW --pin-dir $PIN_DIR |" <<-END | /usr/bin/python3 "$TREE/tests/lib/complete.py" "$1" --described "$2" 2>/dev/null
		WG ch
		WG li
		WG help tr
		wgvia --pin-d
		wgvia -br
		WG up wg7 mo
		WG up wg7 from a
		WG route rep
		WG check wg6 --sev
		WG apply --d
		WG down w
		WG bypass del wg6 2001:db8:
	END
	)" "check -- $(description check)
list -- $(description show)
trace -- $(description trace)
--pin-dir -- $(option_description --pin-dir)
-br -- $(option_description -br)
mode -- $(word_description up mode)
addresses -- $(word_description up "from addresses")
allowed-ips -- $(word_description up "from allowed-ips")
replace -- $(word_description route replace)
--severity -- $(word_description check --severity)
--dry-run -- $(word_description apply --dry-run)
wg6
2001:db8:99::/48"
}

description() {
	"$WGVIA" "$1" --help | sed -n "1s/^wgvia $1: //p"
}

option_description() {
	"$WGVIA" --help | grep -E -- "^ .*$1[ ,]" | cut -c 22-
}

# The columns with a command's name variants; the description begins after two spaces or the last of them.
word_description() {
	"$WGVIA" "$1" --help | sed -nE "/^Usage/,\$s/^  (-., )?$2( [A-Za-z|]+)?(  +| )(.*)/\\4/p" | head -n 1
}

@test "zsh: words are described as in --help" {
	made
	described zsh "$COMPLETION"
}

@test "fish: words are described as in --help" {
	made
	described fish "$COMPLETION.fish"
}

@test "fish completes after another command and an assignment, and nothing without bash" {
	local shell
	shell=$(command -v fish)
	mkdir "$BATS_TEST_TMPDIR/bin"
	ln -s "$WGVIA" "$BATS_TEST_TMPDIR/bin"
	is "$(fish --no-config -c "source $COMPLETION.fish; complete -C 'A=b wgvia zzz'; complete -C 'A=b wgvia chec'")" \
		"check"$'\t'"$(description check)"
	is "$(fish -c "source $COMPLETION.fish; complete -C 'env wgvia chec'")" "check"$'\t'"$(description check)"
	is "$(PATH=$BATS_TEST_TMPDIR/bin "$shell" --no-config -c "source $COMPLETION.fish; complete -C 'wgvia ' 2>&1")" ""
}

@test "a user without permissions is proposed what is visible, without error messages" {
	made
	cp "$COMPLETION" "$BATS_TEST_TMPDIR/completion" # in a place where anybody may read and run them
	cp "$WGVIA" "$BATS_TEST_TMPDIR/wgvia"
	chmod -R a+rX "$BATS_RUN_TMPDIR"
	# shellcheck disable=SC2016 # the inner shell's variables
	PATH=$BATS_TEST_TMPDIR:$PATH run --separate-stderr nsenter --net="/run/netns/$NS_GW" \
		setpriv --reuid=65534 --regid=65534 --clear-groups bash -c '
		. "$0"
		for COMP_LINE in "$@"; do
			COMP_POINT=${#COMP_LINE}
			_wgvia wgvia "" || exit
			echo "${COMPREPLY[*]}"
		done
		echo .' "$BATS_TEST_TMPDIR/completion" "wgvia down " "wgvia route del wg6 from " "wgvia -n $NS_GW down " \
		"wgvia --pin-dir /no show "
	is "$stderr" ""
	is "$status" 0
	is "$output" "wg6 wg7"$'\naddresses allowed-ips\n\n\n.'
}
