#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-only
#
# `wgvia explain` predicts what happens: a table of packets, each explained and then sent; the counter that grows and
# the place where the packet comes out match the prediction. Every verdict except `not_ip` and `malformed`, which no
# packet for explain can have, in both modes, directions and families. explain itself sends and counts nothing.

# shellcheck disable=SC2046,SC2086 # addresses and octets are words
# shellcheck disable=SC2153,SC2154 # the topology's variables, and what `run` sets

load ../lib/wire.bash

FW2_MAC=02:00:00:00:05:01 GW2_MAC=02:00:00:00:05:02 FW2_4=192.0.5.1 FW2_6=2001:db8:5::1
export WIRE_NAMES="$WIRE_NAMES fw2=$FW2_MAC gw2=$GW2_MAC"

declare -gA ADDRESS=(
	[client4]=$C1_4 [client6]=$C1_6 [peer4]=$C2_4 [peer6]=$C2_6
	[cut-off4]=10.6.9.1 [cut-off6]=2001:db8:1:9::1 # in a prefix with an unusable gateway
	[second4]=10.6.8.1 [second6]=2001:db8:1:8::1   # in a prefix with a gateway at ens4
	[second-lan4]=$FW2_4 [second-lan6]=$FW2_6
	[stranger4]=10.9.0.1 [stranger6]=2001:db8:9::1
	[service4]=$SVC4 [service6]=$SVC6 [internet4]=$INET4 [internet6]=$INET6
	[tunnel-own4]=$WG4 [tunnel-own6]=$WG6 [lan-own4]=$GW4 [lan-own6]=$GW6
	[left-alone4]=192.0.2.9 [left-alone6]=2001:db8:2::9
	[group4]=224.0.0.5 [group6]=ff02::5 [loopback4]=127.0.0.1 [loopback6]=::1
)

# A packet goes into a wire. In each mode: the counters that grow, and what becomes of it, as in happened() below. In
# words of either family where they differ: IPv4/IPv6.
#       in source     destination len  hops fast: counters     becomes   stack: counters   becomes
PACKETS='
	tun client     service    100  64   out.redirected     firewall  egress.retargeted firewall
	tun client     service    100  2    out.redirected     firewall  egress.retargeted firewall
	tun client     service    100  255  out.redirected     firewall  egress.retargeted firewall
	tun client     service    100  1    out.hop_limit      exceeded  -                 exceeded
	tun client     internet   100  1    out.hop_limit      exceeded  -                 exceeded
	tun client     service    1500 64   out.redirected     firewall  egress.retargeted firewall
	tun client     service    1501 64   egress.retargeted,out.too_big/out.too_big pieces/too-big egress.retargeted/- pieces/too-big
	tun client     service    3400 64   egress.retargeted,out.too_big/out.too_big pieces/too-big egress.retargeted/- pieces/too-big
	tun client     internet   100  64   out.redirected     firewall  egress.retargeted firewall
	tun client     second-lan 100  64   out.redirected     firewall  egress.retargeted firewall
	tun second     service    100  64   out.redirected     second    egress.retargeted second
	tun second     second-lan 100  64   out.redirected     second    egress.retargeted second
	tun client     tunnel-own 100  64   out.local          host      -                 host
	tun client     tunnel-own 100  1    out.local          host      -                 host
	tun client     lan-own    100  64   out.local          host      -                 host
	tun client     group      100  64   out.scope          nothing   -                 nothing
	tun client     loopback   100  64   out.scope          nothing   -                 nothing
	tun client     peer       100  64   out.tunnel         tunnel    -                 tunnel
	tun client     peer       100  1    out.tunnel         exceeded  -                 exceeded
	tun client     left-alone 100  64   out.bypass         service   -                 service
	tun client     left-alone 100  1    out.bypass         exceeded  -                 exceeded
	tun client     left-alone 1501 64   out.bypass         service-pieces/too-big -                 service-pieces/too-big
	tun stranger   service    100  64   out.outside        service   -                 service
	tun stranger   internet   100  64   out.outside        firewall  -                 firewall
	tun cut-off    service    100  64   out.no_gateway     nothing   egress.no_gateway nothing
	tun cut-off    internet   100  64   out.no_gateway     nothing   egress.no_gateway nothing
	tun cut-off    peer       100  64   out.tunnel         tunnel    -                 tunnel
	lan service    client     100  64   back.returned      tunnel    -                 tunnel
	lan internet   client     100  64   back.returned      tunnel    -                 tunnel
	lan internet   cut-off    100  64   back.no_gateway    nothing   back.no_gateway   nothing
	lan service    client     100  1    back.hop_limit     exceeded  -                 exceeded
	lan service    client     1420 64   back.returned      tunnel    -                 tunnel
	lan service    client     1421 64   back.too_big       tunnel-pieces/too-big -                 tunnel-pieces/too-big
	lan left-alone client     100  64   -                  tunnel    -                 tunnel
	lan peer       client     100  64   -                  tunnel    -                 tunnel
	lan service    lan-own    100  64   -                  host      -                 host
	lan internet   service    100  64   -                  service   -                 service
	lan client     second-lan 100  64   -                  second    -                 second
	lan client     service    100  64   egress.retargeted  firewall  egress.retargeted firewall
'

setup() {
	local n
	wire_begin
	wire_tunnel wg6 tun
	wire_cable ens3 lan
	wire_cable ens4 lan2 $GW2_MAC $FW2_MAC
	wire_start
	# the kernel would send redirects to clients about each other
	set_sysctls "$NS_GW" net.ipv4.conf.{all,wg6}.send_redirects=0
	wire_address wg6 $WG4/16 $WG6/50
	wire_lan ens3
	wire_neighbours ens3 $SVC_MAC ${ADDRESS[left-alone4]} ${ADDRESS[left-alone6]}
	wire_address ens4 192.0.5.2/24 2001:db8:5::2/64
	wire_neighbours ens4 $FW2_MAC $FW2_4 $FW2_6
	for n in "$NS_GW wg6 1420" "$NS_LAN lan 9000" "$NS_LAN lan2 9000"; do
		set -- $n
		ip -n "$1" link set "$2" mtu "$3"
	done
}

# up MODE [WORD...]
up() {
	wgvia up wg6 "${WORDS[@]}" from 10.6.8.0/24 via $FW2_4 dev ens4 from 2001:db8:1:8::/64 via $FW2_6 dev ens4 \
		from 10.6.9.0/24 via $FW4 dev ens3 from 2001:db8:1:9::/64 via $FW6 dev ens3 \
		bypass ${ADDRESS[left-alone4]} bypass ${ADDRESS[left-alone6]} mode "$@"
	cut_off4 0 2 $FW4 0
	cut_off6 0 10 $FW6 0
}

# cut_offF IFINDEX FAMILY NEXT-HOP FLAGS: sets the gateway of the prefix "cut-off".
cut_off4() {
	bpftool map update pinned "$PIN_DIR/wg6/prefixes4" key hex 18 00 00 00 0a 06 09 00 value hex $(gateway "$@")
}

cut_off6() {
	bpftool map update pinned "$PIN_DIR/wg6/prefixes6" \
		key hex 40 00 00 00 20 01 0d b8 00 01 00 09 00 00 00 00 00 00 00 00 value hex $(gateway "$@")
}

gateway() {
	/usr/bin/python3 -c 'import ipaddress, struct, sys
ifindex, family, via, flags = sys.argv[1:]
print(struct.pack("=II16sII", int(ifindex), int(family), ipaddress.ip_address(via).packed, int(flags), 0).hex(" "))' "$@"
}

# ifindex DEVICE
ifindex() {
	ip -n "$NS_GW" -j link show "$1" | jq '.[].ifindex'
}

# of FAMILY WORD: the part of IPv4/IPv6 for that family.
of() {
	[ "$1" = 4 ] && echo "${2%/*}" || echo "${2#*/}"
}

# happened TEXT HOPS: what happened to a packet with that many hops left, from what came out.
happened() {
	local after="hops $(($2 - 1))"
	case $1 in
	"lan gw>fw #1 $after") echo firewall ;;
	"lan gw>svc #1 $after") echo service ;;
	"lan2 gw2>fw2 #1 $after") echo second ;;
	"tun #1 $after") echo tunnel ;;
	"lan gw>fw #1 in "[23]" pieces $after") echo pieces ;;
	"lan gw>svc #1 in "[23]" pieces $after") echo service-pieces ;;
	"tun #1 in "[23]" pieces $after") echo tunnel-pieces ;;
	*$'\n'*) echo "$1" ;;
	*" time-exceeded #1") echo exceeded ;;
	*" too-big "*" #1") echo too-big ;;
	*" hops 64 icmp "[31]"/"[34]) echo host ;; # here, but without such a port
	"") echo nothing ;;
	*) echo "$1" ;;
	esac
}

# For an explanation, and for `wgvia -j stats` before ($before[0]) and after ($now[0]) its packet:
# shellcheck disable=SC2016 # jq's variables
export READ='
	# the predicted result
	def foretold: (.steps + [.result] | join("\n")) as $all |
		def pieces($where): if $all | test("fragment") then $where + "pieces" else $where | rtrimstr("-") end;
		if .result | test("to the firewall.* lost") then "nothing"
		elif .result | test("to the firewall") then
			if .gateway.dev == "ens4" then "second" else pieces("") | if . == "" then "firewall" else . end end
		elif .result | test("into the tunnel") then pieces("tunnel-")
		elif .result | test("dropped") then "nothing"
		elif $all | test("Time Exceeded") then "exceeded"
		elif (.from | test(":")) and ($all | test("Packet Too Big")) then "too-big"
		elif .kernel.type == "local" then "host"
		elif .kernel.type != "unicast" then "nothing"
		elif .kernel.dev == "wg6" then pieces("tunnel-")
		elif .kernel.dev == "ens4" then "second"
		elif .kernel.via == env.FW4 or .kernel.via == env.FW6 then "firewall"
		else pieces("service-") end;
	def verdict: if .verdict then "\(.direction).\(.verdict)" else "-" end;
	# the counters that grew, without the packet that ends each request of wire
	def grown($sentinel): [$now[0].directions | keys[] as $direction | .[$direction] | keys[] as $verdict |
		"\($direction).\($verdict)" |
		select($now[0].directions[$direction][$verdict].packets >
			$before[0].directions[$direction][$verdict].packets + if . == $sentinel then 1 else 0 end)] |
		sort | join(",") | if . == "" then "-" else . end;
'

# expected FAST BECOMES STACK BECOMES: sets $counters and $becomes for this $mode and kernel. Without bpf_check_mtu(),
# mode fast passes packets that are too long for the device, and these wires carry them.
expected() {
	counters=$1 becomes=$2
	if [ "$mode" = stack ]; then
		counters=$3 becomes=$4
	elif [[ $1 == *too_big* ]] && ! kernel_can check_mtu; then
		case $1 in
		back.*) counters=back.returned becomes=tunnel ;;
		*) counters=out.redirected becomes=firewall ;;
		esac
	fi
}

# cannot_try INTO BECOMES: Linux before 5.12 does not support an ingress device in a test run, so packets that come in
# by a LAN device and leave by one, sent by the kernel, cannot be tried. explain reports that, and guesses nothing.
cannot_try() {
	[ "$1" = lan ] && [[ $2 == @(firewall|service|second) ]] && ! kernel_can ingress
}

# each COMMAND...: for the packets of $table, as above, in both families: COMMAND... NUMBER FAMILY and the row's words;
# $mode is in force.
each() {
	local family number=0 row
	while read -ra row; do
		[ ${#row[@]} -gt 0 ] || continue
		for family in 4 6; do
			number=$((number + 1))
			"$@" $number $family "${row[@]}" || return
		done
	done <<<"$table"
}

explain_it() { # NUMBER FAMILY INTO SOURCE DESTINATION LEN HOPS FAST BECOMES STACK BECOMES
	local counters becomes direction=out status=0 answer=$BATS_TEST_TMPDIR/$1
	[ "$3" = tun ] || direction=in
	expected "${@:8}"
	wgvia -j explain wg6 from "${ADDRESS[$4$2]}" to "${ADDRESS[$5$2]}" len "$6" hop-limit "$7" dir $direction \
		>"$answer.json" 2>"$answer.error" || status=$?
	if cannot_try "$3" "$becomes"; then
		is "$status $(<"$answer.json")" "1 " &&
			grep '^hint: Linux before 5.12 cannot try a packet that came in by another device' "$answer.error"
	else
		is "$status $(<"$answer.error")" "0 "
	fi
}

# Sends it and compares; differences are appended to $wrong, so that one run shows all of them.
send_it() { # NUMBER FAMILY INTO SOURCE DESTINATION LEN HOPS FAST BECOMES STACK BECOMES
	local counters becomes sentinel='' out what told verdict grown
	expected "${@:8}"
	[ "$mode $3" != "fast tun" ] || sentinel=out.outside
	what="mode $mode into $3 from ${ADDRESS[$4$2]} to ${ADDRESS[$5$2]} len $6 hop-limit $7: "
	out=$(wire "$3" "pkt($2, $6, $7, '${ADDRESS[$4$2]}', '${ADDRESS[$5$2]}')")
	out=$(happened "$out" "$7")
	wgvia -j stats wg6 >"$BATS_TEST_TMPDIR/now"
	cannot_try "$3" "$becomes" && echo null >"$BATS_TEST_TMPDIR/$1.json"
	read -r told verdict grown < <(jq -r --slurpfile before "$BATS_TEST_TMPDIR/before" --arg sentinel "$sentinel" \
		--slurpfile now "$BATS_TEST_TMPDIR/now" \
		"$READ if . then \"\(foretold) \(verdict)\" else \"- -\" end + \" \(grown(\$sentinel))\"" \
		"$BATS_TEST_TMPDIR/$1.json")
	mv "$BATS_TEST_TMPDIR/now" "$BATS_TEST_TMPDIR/before"
	[ "$out $grown" = "$(of "$2" "$becomes") $(of "$2" "$counters")" ] ||
		wrong+="$what$out, counted $grown; the table says $becomes $counters"$'\n'
	[ "$told $verdict" != "- -" ] || return 0 # it was not explained
	[ "$told" = "$out" ] || wrong+="$what$out; explain says $told: $(jq -r .result "$BATS_TEST_TMPDIR/$1.json")"$'\n'
	[[ ,$grown, = *,$verdict,* ]] || wrong+="$what""counted $grown; explain's direction.verdict says $verdict"$'\n'
}

# From listen to heard_nothing only the sentinel is seen on any device, and no neighbour request.
listen() {
	spawn "$NS_GW" listen tcpdump -l -n -i any 'ip or arp or udp or (icmp6 and ip6[40] = 135)'
	poll 5 grep -q '^listening on' "$TOPO_DIR/listen.log"
}

heard_nothing() {
	told "" own
	poll 5 grep -q '198\.19\.0\.1' "$TOPO_DIR/listen.log"
	unspawn listen INT
	is "$(grep -E ' (IP6?|ARP)\b' "$TOPO_DIR/listen.log" | grep -v '198\.19\.0\.1')" ""
}

# as_explained MODE [WORD...]: all packets of $table are explained, and then sent.
as_explained() {
	local wrong='' mode=$1
	up "$@"
	remember_counters
	listen
	each explain_it
	is "$(wgvia -j stats wg6)" "$(<"$BATS_TEST_TMPDIR/before")"
	heard_nothing
	each send_it
	is "$wrong" ""
}

@test "mode fast: packets go where explain says" {
	table=$PACKETS as_explained fast
}

@test "mode stack: packets go where explain says" {
	table=$PACKETS as_explained stack
}

@test "on-fail pass: a packet without a usable gateway goes the kernel's way, and explain says so" {
	local mode
	for mode in fast stack; do
		table='
			tun cut-off service  100 64 egress.no_gateway,out.no_gateway service  egress.no_gateway service
			tun cut-off internet 100 64 egress.no_gateway,out.no_gateway firewall egress.no_gateway firewall
			tun client  service  100 64 out.redirected                   firewall egress.retargeted firewall
			tun client  service  100 1  out.hop_limit                    exceeded -                 exceeded' \
			as_explained $mode on-fail pass
	done
}

@test "routes that do not forward: blackhole, unreachable, prohibit, none" {
	local mode route family
	for route in blackhole unreachable prohibit; do
		ip -n "$NS_GW" route replace $route ${ADDRESS[left-alone4]}
		ip -n "$NS_GW" route replace $route ${ADDRESS[left-alone6]}
		for mode in fast stack; do
			up $mode >/dev/null
			for family in 4 6; do
				wgvia explain wg6 from ${ADDRESS[client$family]} to ${ADDRESS[left-alone$family]} \
					>"$BATS_TEST_TMPDIR/text"
				cat "$BATS_TEST_TMPDIR/text"
				grep -E 'kernel: (drops it|does not forward it)' "$BATS_TEST_TMPDIR/text"
				run ! grep -E '^lan' <(wire tun "pkt($family, dst='${ADDRESS[left-alone$family]}')")
				run ! grep -E 'to the firewall|forwards it (via|by)' "$BATS_TEST_TMPDIR/text"
			done
		done
	done
}

# ingress FAMILY: explains a packet that comes in by the LAN, and that the kernel sends on to the service.
ingress() {
	wgvia explain wg6 from ${ADDRESS[internet$1]} to ${ADDRESS[service$1]} dir in
}

# bats test_tags=feature
@test "what came in by a LAN device and the kernel sends on is explained" {
	local family
	kernel_can ingress || skip "kernel $(uname -r) lets no test run have an ingress device"
	up fast >/dev/null
	for family in 4 6; do
		ingress $family | tee "$BATS_TEST_TMPDIR/text"
		grep "kernel: forwards it by dev ens3" "$BATS_TEST_TMPDIR/text"
		is "$(tail -n 1 "$BATS_TEST_TMPDIR/text")" "  not returned: left to the kernel"
	done
}

# bats test_tags=vm
@test "a kernel before 5.12: what came in by a LAN device and the kernel sends on is not explained, with a hint" {
	local family
	! kernel_can ingress || skip "kernel $(uname -r) lets test runs have an ingress device"
	up fast >/dev/null
	for family in 4 6; do
		run --separate-stderr -1 ingress $family
		is "$output" ""
		is "${stderr_lines[0]}" "wgvia: cannot run the program on the packet: invalid argument"
		is "${stderr_lines[1]}" "hint: Linux before 5.12 cannot try a packet that came in by another device"
		wgvia explain wg6 from ${ADDRESS[service$family]} to ${ADDRESS[client$family]} | grep "returned: into the tunnel"
	done
}

# explain_other FAMILY DESTINATION: a packet from the service, as JSON into the file "json" and as text into "text".
explain_other() {
	wgvia -j explain wg6 from ${ADDRESS[service$1]} to ${ADDRESS[$2$1]} dir in >"$BATS_TEST_TMPDIR/json"
	wgvia explain wg6 from ${ADDRESS[service$1]} to ${ADDRESS[$2$1]} dir in | tee "$BATS_TEST_TMPDIR/text"
}

# send_other FAMILY DESTINATION: it comes from the service's MAC address; prints what comes out.
send_other() {
	local source=${ADDRESS[service$1]} destination=${ADDRESS[$2$1]}
	happened "$(wire lan "Ether(src='$SVC_MAC', dst='$GW_MAC') / pkt($1, src='$source', dst='$destination')")" 64
}

# other_sender MODE: for each value of `return` the verdict, and what happens to packets to a client and to this host.
other_sender() {
	local ret verdict client own family destination
	while read -r ret verdict client own; do
		up $1 return $ret >/dev/null
		for family in 4 6; do
			for destination in client tunnel-own; do
				echo "return $ret to $destination$family"
				explain_other $family $destination
				is "$(jq -r .other_sender.verdict "$BATS_TEST_TMPDIR/json")" $verdict
				grep "the same from another MAC address: $verdict, " "$BATS_TEST_TMPDIR/text"
				remember_counters
				is "$(send_other $family $destination)" "$([ $destination = client ] && echo $client || echo $own)"
				grown back.$verdict 1 100
			done
		done
	done <<-END
		via  bounced firewall firewall
		any  direct  tunnel   host
		drop refused nothing  nothing
	END
}

@test "mode fast: a packet from a host other than the firewall is explained as well, and goes there" {
	other_sender fast
}

@test "mode stack: a packet from a host other than the firewall is explained as well, and goes there" {
	other_sender stack
}

@test "explain bounces nothing and remembers nothing" {
	up fast
	for _ in {1..10}; do # more often than equal packets are bounced
		wgvia -j explain wg6 from $SVC4 to $C1_4 >"$BATS_TEST_TMPDIR/json"
	done
	is "$(jq -r .other_sender.verdict "$BATS_TEST_TMPDIR/json")" bounced
	is "$(bpftool -j map dump pinned "$PIN_DIR/wg6/bounced" | jq length)" 0
	is "$(wgvia explain wg6 from $SVC4 to $C1_4)" "wg6: in from $SVC4 to $C1_4 len 100 hop-limit 64
    destination $C1_4: on the bypass list with $VPN4, tunnel
    source $SVC4: not on the bypass list
    gateway $FW4 dev ens3: up, mtu 1500, neighbour $FW_MAC PERMANENT
    program at the ingress of dev ens3: returned
    the same from another MAC address: bounced, to the firewall first
  returned: into the tunnel"
}

# ---- gateways ----

@test "an unusable gateway: the reason is given, the packet counted and dropped" {
	local mode family ens3 value problem
	ens3=$(ifindex ens3)
	for mode in fast stack; do
		up $mode >/dev/null
		while IFS='|' read -r family value problem; do
			echo "mode $mode IPv$family $value"
			cut_off$family $value
			wgvia explain wg6 from ${ADDRESS[cut-off$family]} to ${ADDRESS[service$family]} >"$BATS_TEST_TMPDIR/text"
			cat "$BATS_TEST_TMPDIR/text"
			grep "gateway .*: unusable, $problem\$" "$BATS_TEST_TMPDIR/text"
			is "$(tail -n 1 "$BATS_TEST_TMPDIR/text")" "  no_gateway: dropped (on-fail drop)"
			remember_counters
			told "" tun "pkt($family, src='${ADDRESS[cut-off$family]}')"
			grown no_gateway 1 100
		done <<-END
			4|0 2 $FW4 0|no device
			4|9999 2 $FW4 0|device no longer exists
			4|$(ifindex wg6) 2 $FW4 0|wgvia is not attached to this device
			4|$ens3 9 $FW4 0|unknown address family
			4|$ens3 2 $FW4 1|marked down
			4|$ens3 2 $FW4 2|unknown flags
			4|$ens3 2 224.0.0.1 0|next hop is multicast or broadcast
			4|$ens3 2 0.0.0.0 0|next hop is not a gateway address
			6|0 10 $FW6 0|no device
			6|$ens3 2 $FW4 0|IPv6 prefix with an IPv4 next hop
			6|$ens3 10 $FW6 1|marked down
			6|$ens3 10 ff02::1 0|next hop is multicast or broadcast
		END
	done
}

# sent_as_explained MODE FAMILY SOURCE TEXT: a packet to the service is explained, into the files "text" and "json", and
# then sent; TEXT is what comes out.
sent_as_explained() {
	echo "mode $1 IPv$2"
	wgvia explain wg6 from ${ADDRESS[$3$2]} to ${ADDRESS[service$2]} | tee "$BATS_TEST_TMPDIR/text"
	wgvia -j explain wg6 from ${ADDRESS[$3$2]} to ${ADDRESS[service$2]} >"$BATS_TEST_TMPDIR/json"
	told "$4" tun "pkt($2, src='${ADDRESS[$3$2]}')"
}

@test "the neighbour's state: known, stale, unknown, failed" {
	local mode family via state
	for mode in fast stack; do
		up $mode
		for family in 4 6; do
			via=$FW2_4
			[ $family = 4 ] || via=$FW2_6
			for state in permanent noarp stale reachable; do
				ip -n "$NS_GW" neighbour replace $via lladdr $FW2_MAC dev ens4 nud $state
				sent_as_explained $mode $family second "lan2 gw2>fw2 #1 hops 63"
				grep "gateway $via dev ens4: up, mtu 1500, neighbour $FW2_MAC ${state^^}" "$BATS_TEST_TMPDIR/text"
				is "$(jq -c .gateway.neighbour "$BATS_TEST_TMPDIR/json")" \
					"{\"state\":\"${state^^}\",\"lladdr\":\"$FW2_MAC\"}"
			done
			ip -n "$NS_GW" neighbour delete $via dev ens4
			wgvia explain wg6 from ${ADDRESS[second$family]} to ${ADDRESS[service$family]} >"$BATS_TEST_TMPDIR/text"
			grep "neighbour NONE" "$BATS_TEST_TMPDIR/text"
			ip -n "$NS_GW" neighbour replace $via dev ens4 nud failed
			sent_as_explained $mode $family second ""
			grep "neighbour FAILED" "$BATS_TEST_TMPDIR/text"
			tail -n 1 "$BATS_TEST_TMPDIR/text" | grep "to the firewall $via by dev ens4, .* lost"
			is "$(jq -r "$READ foretold" "$BATS_TEST_TMPDIR/json")" nothing
			ip -n "$NS_GW" neighbour replace $via lladdr $FW2_MAC dev ens4 nud permanent
		done
	done
}

has_no_carrier() {
	ip -n "$NS_GW" link show "$1" | grep -q NO-CARRIER
}

@test "the gateway's device is down, has no carrier, or is missing: the packet is lost, and explain says so" {
	local mode family
	set_sysctls "$NS_GW" net.ipv6.conf.ens4.keep_addr_on_down=1
	for mode in fast stack; do
		up $mode >/dev/null
		ip -n "$NS_GW" link set ens4 down
		for family in 4 6; do
			sent_as_explained $mode $family second ""
			grep "gateway .* dev ens4: down" "$BATS_TEST_TMPDIR/text"
			is "$(jq -r "$READ foretold" "$BATS_TEST_TMPDIR/json")" nothing
		done
		ip -n "$NS_GW" link set ens4 up
		ip -n "$NS_LAN" link set lan2 down
		poll 5 has_no_carrier ens4 # the kernel reports it within a second
		wire_neighbours ens4 $FW2_MAC $FW2_4 $FW2_6
		for family in 4 6; do
			sent_as_explained $mode $family second ""
			grep "gateway .* dev ens4: no-carrier" "$BATS_TEST_TMPDIR/text"
			is "$(jq -r "$READ foretold" "$BATS_TEST_TMPDIR/json")" nothing
		done
		ip -n "$NS_LAN" link set lan2 up
	done
	ip -n "$NS_GW" link delete ens4
	wgvia explain wg6 from ${ADDRESS[second4]} to $SVC4 | tee "$BATS_TEST_TMPDIR/text"
	grep "device no longer exists" "$BATS_TEST_TMPDIR/text"
	grep "no_gateway: dropped" "$BATS_TEST_TMPDIR/text"
}

# ---- words and forms ----

@test "text: the packet, each step with its reason, and where it goes" {
	up fast
	is "$(wgvia explain wg6 from $C1_4 to $SVC4)" "wg6: out from $C1_4 to $SVC4 len 100 hop-limit 64
    source $C1_4: in prefix $VPN4
    destination $SVC4: not on the bypass list
    gateway $FW4 dev ens3: up, mtu 1500, neighbour $FW_MAC PERMANENT
    program at the ingress of dev wg6: redirected
  redirected: to the firewall $FW4 by dev ens3"
	wgvia explain wg6 from $C1_6 to ${ADDRESS[left-alone6]} | tee "$BATS_TEST_TMPDIR/text"
	grep "^    destination .*: on the bypass list with ${ADDRESS[left-alone6]}/128, bypass$" "$BATS_TEST_TMPDIR/text"
	grep "^    kernel: forwards it by dev ens3$" "$BATS_TEST_TMPDIR/text"
	grep "^  bypass: left to the kernel" "$BATS_TEST_TMPDIR/text"
	wgvia explain wg6 from $SVC6 to $C1_6 | tee "$BATS_TEST_TMPDIR/text"
	grep "^wg6: in from $SVC6 to $C1_6 " "$BATS_TEST_TMPDIR/text"
	grep "^  returned: into the tunnel$" "$BATS_TEST_TMPDIR/text"
	wgvia explain wg6 from ${ADDRESS[second4]} to $SVC4 | grep "in prefix 10.6.8.0/24$"
	wgvia explain wg6 from ${ADDRESS[stranger4]} to $SVC4 | grep "source ${ADDRESS[stranger4]}: in no prefix"
}

@test "without 'dir', the addresses determine the direction" {
	local from to direction
	up fast
	while read -r from to direction; do
		for family in 4 6; do
			is "$from $to $(wgvia -j explain wg6 from ${ADDRESS[$from$family]} to ${ADDRESS[$to$family]} | jq -r .dir)" \
				"$from $to $direction"
		done
	done <<-END
		client service out
		client peer out
		client tunnel-own out
		stranger service out
		service client in
		internet peer in
	END
}

@test "words in any order; bad words, no instance: refused with a reason" {
	local status_ text words
	up fast
	is "$(wgvia explain wg6 dir out hop-limit 9 len 200 to $SVC4 from $C1_4 | head -n 1)" \
		"wg6: out from $C1_4 to $SVC4 len 200 hop-limit 9"
	while IFS='|' read -r status_ text words; do
		echo "explain $words"
		run --separate-stderr "-$status_" wgvia explain $words
		is "$output" ""
		is "${stderr_lines[0]:0:7}" "wgvia: "
		[[ $stderr =~ $text ]] || is "$stderr" "$text"
	done <<-END
		2|not of the same address family|wg6 from $C1_4 to $SVC6
		2|not of the same address family|wg6 from $C1_6 to $SVC4
		2|from ADDRESS to ADDRESS|wg6
		2|from ADDRESS to ADDRESS|wg6 from $C1_4
		2|from ADDRESS to ADDRESS|wg6 to $C1_4
		2||
		2|len|wg6 from $C1_4 to $SVC4 len 19
		2|len|wg6 from $C1_4 to $SVC4 len 3401
		2|len|wg6 from $C1_4 to $SVC4 len -1
		2|len|wg6 from $C1_4 to $SVC4 len
		2|too short for IPv6|wg6 from $C1_6 to $SVC6 len 39
		2|hop-limit|wg6 from $C1_4 to $SVC4 hop-limit 256
		2|hop-limit|wg6 from $C1_4 to $SVC4 hop-limit 1x
		2|'sideways' is not a valid direction|wg6 from $C1_4 to $SVC4 dir sideways
		2|'about'|wg6 from $C1_4 to $SVC4 about 7
		2|'10.6.0.256'|wg6 from 10.6.0.256 to $SVC4
		2|'$VPN4'|wg6 from $VPN4 to $SVC4
		2|'interface0123456'|interface0123456 from $C1_4 to $SVC4
		1|wg9|wg9 from $C1_4 to $SVC4
		1|ens3|ens3 from $C1_4 to $SVC4
	END
	wgvia down wg6
	run --separate-stderr -1 wgvia explain wg6 from $C1_4 to $SVC4
	is "$output" ""
	[[ $stderr == "wgvia: "*wg6* ]]
}

@test "the smallest and the largest packet that can be described" {
	local mode
	for mode in fast stack; do
		up $mode
		is "$(wgvia -j explain wg6 from $C1_4 to $SVC4 len 20 hop-limit 2 | jq -r '.result')" \
			"$([ $mode = fast ] && echo redirected || echo retargeted): to the firewall $FW4 by dev ens3"
		is "$(wgvia -j explain wg6 from $C1_6 to $SVC6 len 40 hop-limit 255 | jq -r '.result')" \
			"$([ $mode = fast ] && echo redirected || echo retargeted): to the firewall $FW6 by dev ens3"
		ip -n "$NS_GW" link set ens3 mtu 9000
		is "$(wgvia -j explain wg6 from $C1_6 to $SVC6 len 3400 | jq -r '.result')" \
			"$([ $mode = fast ] && echo redirected || echo retargeted): to the firewall $FW6 by dev ens3"
		ip -n "$NS_GW" link set ens3 mtu 1500
	done
}
