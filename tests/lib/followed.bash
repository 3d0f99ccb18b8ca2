# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-only
#
# For tests of prefixes that follow this host, beside net.bash and agent.bash, which load first. $FOLLOWED is the word
# that they come from.

# followed: those in force, in a line.
followed() {
	wgvia -j show wg6 | jq -r --arg s "$FOLLOWED" '[.prefixes[] | select(.source == $s) | .from] | join(" ")'
}

followed_are() {
	[ "$(followed)" = "$*" ]
}

# soon PREFIX...: the agent sees to it.
soon() {
	poll 10 followed_are "$@" || { cat "$TOPO_DIR/agent.log" && is "$(followed)" "$*"; }
}
