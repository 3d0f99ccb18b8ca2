# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-only
#
# Sets up the gateways that scripts/bench compares, each with the tool that an administrator would use. Their devices
# already exist (wire.c), and are the same everywhere:
#
#   wg6 (tun) 10.6.0.1/16 2001:db8:1::1/50 --- gateway --- ens3 (tap) 192.0.2.2/24 2001:db8:2::2/64
#   firewall 192.0.2.1, 2001:db8:2::1        service 192.0.2.3, 2001:db8:2::3
#
# lane_up LANE sets one up, lane_down ends its processes; $BENCH_NAME is part of the namespaces' names, $BENCH_DIR is
# for files. Neighbour entries are permanent, so that nobody sends requests.

# shellcheck source=tests/lib/topology.sh
. "$(dirname "${BASH_SOURCE[0]}")/../lib/topology.sh"

lane_namespace() {
	ip netns add "$BENCH_NAME-$1"
}

lane_up() {
	local ns=$BENCH_NAME-$1 dev
	set_sysctls "$ns" net.ipv4.conf.{all,default,wg6,ens3}.rp_filter=0 net.ipv4.ip_forward=1 \
		net.ipv4.conf.{all,ens3}.send_redirects=0 net.ipv6.conf.all.forwarding=1 \
		net.ipv6.conf.{all,default,wg6,ens3}.{accept_dad,accept_ra,router_solicitations}=0
	for dev in wg6 ens3; do
		tc -n "$ns" qdisc replace dev $dev root noqueue || return
	done
	ip -n "$ns" -batch - <<-END || return
		link set lo up
		link set wg6 mtu 1420 up
		link set ens3 up
		address add $WG4/16 dev wg6
		address add $WG6/50 dev wg6 nodad
		address add $GW4/24 dev ens3
		address add $GW6/64 dev ens3 nodad
		neighbour replace $FW4 lladdr $FW_MAC dev ens3 nud permanent
		neighbour replace $FW6 lladdr $FW_MAC dev ens3 nud permanent
		neighbour replace $SVC4 lladdr $SVC_MAC dev ens3 nud permanent
		neighbour replace $SVC6 lladdr $SVC_MAC dev ens3 nud permanent
		route add default via $FW4 dev ens3
		route add ::/0 via $FW6 dev ens3
	END
	"lane_$1" "$ns"
}

lane_drop() { :; }
lane_dropcores() { :; }
lane_plain() { :; }
lane_neigh() { :; }
lane_macs() { :; }
lane_empty() { :; }
lane_neighegress() { :; }

lane_rule() {
	ip -n "$1" -6 rule add from "$VPN6" table 66 && ip -n "$1" -batch - <<-END
		rule add from $VPN4 table 66
		route add $VPN4 dev wg6 table 66
		route add $VPN6 dev wg6 table 66
		route add default via $FW4 dev ens3 table 66
		route add ::/0 via $FW6 dev ens3 table 66
	END
}

# The tracker does not verify checksums, as with WireGuard.
lane_tracked() {
	lane_rule "$1" && set_sysctls "$1" net.netfilter.nf_conntrack_checksum=0 && in_ns "$1" nft -f - <<-END
		table inet gateway {
			chain forward {
				type filter hook forward priority 0; policy accept;
				ct state invalid drop
			}
		}
	END
}

# lane_can_flowtable: whether the kernel has flowtables.
lane_can_flowtable() {
	unshare --net nft 'table inet t { flowtable f { hook ingress priority 0; devices = { lo }; }
		chain c { type filter hook forward priority 0; meta l4proto udp flow add @f; }; }' 2>/dev/null
}

# The file and the commands of docs/FLOWTABLE.md, and a count of what its rules have seen.
lane_flowtable() {
	local commands
	/usr/bin/python3 tests/lib/examples.py docs/FLOWTABLE.md >"$BENCH_DIR/examples" &&
		jq -j '.[] | select(.kind == "file").text' "$BENCH_DIR/examples" >"$BENCH_DIR/flowtable.nft" &&
		commands=$(jq -r '.[].steps[].command' "$BENCH_DIR/examples") &&
		set_sysctls "$1" net.netfilter.nf_conntrack_checksum=0 &&
		in_ns "$1" bash -ec "${commands/\/etc\/nftables.d/$BENCH_DIR}" &&
		in_ns "$1" nft insert rule inet gateway forward counter
}

lane_ruleflow() {
	lane_rule "$1" && lane_flowtable "$1"
}

lane_fwd() {
	in_ns "$1" nft -f - <<-END
		table netdev gateway {
			chain out {
				type filter hook ingress device wg6 priority 0; policy accept;
				ip saddr $VPN4 fwd ip to $FW4 device ens3
				ip6 saddr $VPN6 fwd ip6 to $FW6 device ens3
			}
		}
	END
}

# What is exempt in wgvia, as sets of nftables.
lane_fwdfull() {
	in_ns "$1" nft -f - <<-END
		table netdev gateway {
			set alone4 {
				type ipv4_addr; flags interval
				elements = { 0.0.0.0/8, 10.6.0.0/16, 127.0.0.0/8, 169.254.0.0/16, $GW4, 192.0.2.0, 192.0.2.255,
					224.0.0.0/4, 255.255.255.255 }
			}
			set alone6 {
				type ipv6_addr; flags interval
				elements = { ::/127, $VPN6, 2001:db8:2::, $GW6, fe80::/10, ff00::/8 }
			}
			chain out {
				type filter hook ingress device wg6 priority 0; policy accept;
				ip saddr $VPN4 ip daddr != @alone4 ip ttl > 1 fwd ip to $FW4 device ens3
				ip6 saddr $VPN6 ip6 daddr != @alone6 ip6 hoplimit > 1 fwd ip6 to $FW6 device ens3
			}
		}
	END
}

# lane_wgvia LANE ARGUMENT...: runs wgvia there.
lane_wgvia() {
	local lane=$1
	shift
	"$WGVIA" --pin-dir "/sys/fs/bpf/$BENCH_NAME/$lane" -n "$BENCH_NAME-$lane" "$@"
}

# lane_wgvia_all LANE WORD...: a command of wgvia, with all that makes packets cheaper. On a kernel that does not notice
# changes of a map, decisions are kept and indexes made nevertheless, because nobody changes a map here.
lane_wgvia_all() {
	local lane=$1
	shift
	lane_wgvia "$lane" "$@" >"$BENCH_DIR/$lane.up" || return
	[ -z "${WGVIA_INDEX:-}" ] && [ ! -e "/sys/fs/bpf/$BENCH_NAME/$lane/wg6/before_update" ] || return 0
	echo "this kernel cannot tell of changes to maps: decisions are kept, and indexes made, all the same" >"$BENCH_DIR/notes.blind"
	WGVIA_INDEX=blind lane_wgvia "$lane" "$@" >"$BENCH_DIR/$lane.up"
}

# lane_wgvia_up LANE WORD...
lane_wgvia_up() {
	lane_wgvia_all "$1" up wg6 "${@:2}"
}

words=(from "$VPN4" via "$FW4" dev ens3 from "$VPN6" via "$FW6" dev ens3)

lane_fast() {
	lane_wgvia_up fast "${words[@]}"
}

lane_cores() {
	lane_wgvia_up cores "${words[@]}"
}

lane_stack() {
	lane_wgvia_up stack "${words[@]}" mode stack
}

lane_stackflow() {
	lane_wgvia_up stackflow "${words[@]}" mode stack && lane_flowtable "$1"
}

# lane_listener LANE WORD...: wgvia trace, on the CPU that does not inject.
lane_listener() {
	local lane=$1
	shift
	lane_wgvia_up "$lane" "${words[@]}" || return
	nice -n -20 taskset -c "$BENCH_OTHER" "$WGVIA" --pin-dir "/sys/fs/bpf/$BENCH_NAME/$lane" \
		-n "$BENCH_NAME-$lane" trace wg6 "$@" \
		>/dev/null 2>"$BENCH_DIR/$lane.trace" &
	echo $! >"$BENCH_DIR/$lane.pid"
	poll 5 grep -q '^listening' "$BENCH_DIR/$lane.trace"
}

lane_others() {
	lane_listener others verdict hop_limit
}

lane_traced() {
	lane_listener traced
}

# lane_list LANE COUNT: that many prefixes of each family.
lane_list() {
	build/tests/bench/wire prefixes "$2" |
		sed -e "s|^4 \(.*\)|from \1 via $FW4 dev ens3|" -e "s|^6 \(.*\)|from \1 via $FW6 dev ens3|" \
			>"$BENCH_DIR/$1.conf"
	lane_wgvia_all "$1" apply wg6 "$BENCH_DIR/$1.conf"
}

lane_list1() {
	lane_list list1 1
}

lane_list1000() {
	lane_list list1000 1000
}

lane_list100000() {
	lane_list list100000 100000
}

lane_trie100000() {
	WGVIA_INDEX=no lane_list trie100000 100000
}

# lane_hush LANE: ends its listener, which prints how many decisions it saw.
lane_hush() {
	local pid
	[ -e "$BENCH_DIR/$1.pid" ] || return 0
	pid=$(<"$BENCH_DIR/$1.pid")
	kill -TERM "$pid" 2>/dev/null
	poll 5 process_gone "$pid" || kill -KILL "$pid" 2>/dev/null
	rm -f "$BENCH_DIR/$1.pid"
}

# lane_down LANE: the rest vanishes with the namespace.
lane_down() {
	lane_hush "$1"
	[ ! -e "/sys/fs/bpf/$BENCH_NAME/$1/wg6" ] || lane_wgvia "$1" down wg6
}

# lane_listened LANE RAW: a note on how much of it was traced; a listener that does not run in time is switched off for
# a while.
lane_listened() {
	local sent told
	lane_hush "$1"
	sent=$(jq --arg lane "$1" '[.rows[] | select(.lane == $lane) | .sent] | add' "$2")
	told=$(sed -n 's/^\([0-9]*\) decisions shown, \([0-9]*\) skipped$/\1 + \2/p' "$BENCH_DIR/$1.trace")
	echo "wgvia trace of all has been told of $((100 * (told) / sent)) % of the decisions, shown or skipped"
}

# lane_offloaded LANE RAW: the rules saw no more than the first packets of each connection, and the flowtable forwarded
# the rest. The connections themselves are no longer in it: it forgets them with the devices, which wire has removed.
lane_offloaded() {
	local sent seen
	sent=$(jq --arg lane "$1" '[.rows[] | select(.lane == $lane) | .sent] | add' "$2")
	seen=$(in_ns "$BENCH_NAME-$1" nft -j list chain inet gateway forward |
		jq '[.. | .counter? // empty | .packets] | add')
	((seen > 0 && 100 * seen < sent)) && return
	echo "lane $1: $seen of $sent packets in the chain forward, so the flowtable has not forwarded them" >&2
	return 1
}

# lane_proofs LANE RAW: what only the lane's own tools can tell after the rounds; RAW is wire's output.
lane_proofs() {
	local verdict sent counted
	[ "$1" != traced ] || lane_listened "$1" "$2" >>"$BENCH_DIR/notes"
	if [ "$1" = tracked ] && ! [ "$(in_ns "$BENCH_NAME-$1" cat /proc/sys/net/netfilter/nf_conntrack_count)" -ge 2 ]; then
		echo "lane $1: nothing was tracked" >&2
		return 1
	fi
	case $1 in *flow) lane_offloaded "$1" "$2" || return ;; esac
	[ -e "/sys/fs/bpf/$BENCH_NAME/$1/wg6" ] || return 0
	lane_wgvia "$1" -j stats wg6 >"$BENCH_DIR/$1.stats" || return
	jq -r --arg lane "$1" '[.rows[] | select(.lane == $lane and .verdict != "-")] | group_by(.verdict)[] |
		"\(.[0].verdict) \([.[].sent] | add)"' "$2" | while read -r verdict sent; do
		counted=$(jq ".counters.$verdict.packets" "$BENCH_DIR/$1.stats")
		[ "$counted" = "$sent" ] || {
			echo "lane $1: wgvia has counted $counted packets as $verdict, not $sent" >&2
			return 1
		}
	done
}
