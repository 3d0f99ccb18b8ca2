# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-only
#
# For tests of prefixes that follow this host, in addition to net.bash and agent.bash, which must be loaded first.
# $FOLLOWED is the word for their source.

# followed: those in force, on one line.
followed() {
	wgvia -j show wg6 | jq -r --arg s "$FOLLOWED" '[.prefixes[] | select(.source == $s) | .from] | join(" ")'
}

followed_are() {
	[ "$(followed)" = "$*" ]
}

# soon PREFIX...: waits until the agent has these in force.
soon() {
	poll 10 followed_are "$@" || { cat "$TOPO_DIR/agent.log" && is "$(followed)" "$*"; }
}
