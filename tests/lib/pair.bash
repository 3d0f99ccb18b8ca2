# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-only
#
# Two real firewalls with keepalived (VRRP, IPv4 and IPv6) instead of the topology's single one, for failover.bats;
# net.bash, load.bash and agent.bash must be loaded first.
#
#   first  .11, ::11, 02:00:00:00:02:01 --.
#                                          LAN --- gateway, service
#   second .12, ::12, 02:00:00:00:02:12 --'
#
# With PAIR_VMAC set, the shared addresses have MAC addresses of their own (use_vmac), with which both firewalls answer,
# while each forwards from its own.
#
# The master also has .1 and ::1, by which the service reaches everybody. VRRP's advertisements come every 0.1 s, so
# that the loss of a master is noticed after 0.31 to 0.37 s (RFC 5798, 6.1).

FIRST4=192.0.2.11 FIRST6=2001:db8:2::11 SECOND4=192.0.2.12 SECOND6=2001:db8:2::12
SECOND_MAC=02:00:00:00:02:12

# pair_setup: setup_more for files that count packets while one of the pair fails.
pair_setup() {
	tunnel_lossless || return
	spawn_here "$NS_SVC" "echo-$NS_SVC" "$TOOLS/load" echo "$LOAD_PORT"
	poll 5 listening "$NS_SVC" udp "$LOAD_PORT" 1 || return
	pair_up || { cat "$TOPO_DIR"/keepalived-*.log && return 1; }
}

pair_up() {
	pair_network &&
		keepalived_start "$NS_FW" first MASTER 200 &&
		keepalived_start "$NS_SECOND" second BACKUP 100 &&
		poll 10 has_shared "$NS_FW"
}

# pair_network: all but keepalived.
pair_network() {
	NS_SECOND=$TOPO_NAME-second
	export NS_SECOND
	ip netns add "$NS_SECOND" &&
		ip -n "$NS_SECOND" link set lo up &&
		kernel_defaults "$NS_SECOND" && set_sysctls "$NS_SECOND" \
			net.ipv4.ip_forward=1 net.ipv6.conf.all.forwarding=1 &&
		cable "$NS_SECOND" lan $SECOND_MAC "$NS_LAN" second 02:00:00:00:02:b2 &&
		ip -n "$NS_LAN" link set second master lan &&
		firewall_rules "$NS_SECOND" &&
		ip -n "$NS_FW" address flush dev lan &&
		pair_addresses "$NS_FW" $FIRST4 $FIRST6 &&
		pair_addresses "$NS_SECOND" $SECOND4 $SECOND6 &&
		ip -n "$NS_SVC" route replace ::/0 via fe80::1 dev eth0 &&
		pair_wire
}

pair_addresses() { # NAMESPACE ADDRESS4 ADDRESS6
	ip -n "$1" -batch - <<-END
		address add $2/24 dev lan
		address add $3/64 dev lan nodad
		address add fe80::${3##*:}/64 dev lan nodad
		route replace $VPN4 via $GW4
		route replace $VPN6 via $GW6
	END
}

# keepalived_start NAMESPACE NAME STATE PRIORITY
keepalived_start() {
	local dev=lan conf=$TOPO_DIR/keepalived-$2.conf
	[ -z "${PAIR_VMAC:-}" ] || dev=
	cat >"$conf" <<-END
		global_defs {
			router_id $2
			vrrp_version 3
			vrrp_garp_master_repeat 3
		}
		vrrp_instance four {
			state $3
			interface lan
			virtual_router_id 4
			${PAIR_VMAC:+use_vmac vmac4}
			priority $4
			advert_int 0.1
			virtual_ipaddress {
				$FW4/24 ${dev:+dev lan}
			}
		}
		vrrp_instance six {
			state $3
			interface lan
			virtual_router_id 6
			${PAIR_VMAC:+use_vmac vmac6}
			priority $4
			advert_int 0.1
			virtual_ipaddress {
				fe80::1/64 ${dev:+dev lan}
				$FW6/64 ${dev:+dev lan}
			}
		}
	END
	spawn "$1" "keepalived-$2" keepalived -n -l -P -f "$conf" -p "$TOPO_DIR/keepalived-$2-parent" \
		-r "$TOPO_DIR/keepalived-$2-vrrp" -b "$TOPO_DIR/keepalived-$2-bfd" -c "$TOPO_DIR/keepalived-$2-checkers"
}

# With PAIR_VMAC: no device answers for another's address.
pair_arp() { # NAMESPACE 0|1
	set_sysctls "$1" net.ipv4.conf.all.arp_ignore="$2"
}

# keepalived's parent ends its child when it is terminated, not when it is killed.
pair_down() {
	unspawn keepalived-first
	unspawn keepalived-second
	ip netns delete "$TOPO_NAME-second" 2>/dev/null || true
}

# has_shared NAMESPACE: both shared addresses, so it is master of both.
has_shared() {
	ip -n "$1" -o address show | grep -q "inet $FW4/" && ip -n "$1" -o address show | grep -q "inet6 $FW6/"
}

# Sets the LAN's end of the first firewall's cable down: keepalived loses the carrier, the gateway notices nothing.
first_pulled() {
	ip -n "$NS_LAN" link set fw down
}

first_plugged() {
	ip -n "$NS_LAN" link set fw up
	poll 10 has_shared "$NS_FW"
	poll 10 has_not_shared "$NS_SECOND"
}

has_not_shared() {
	! ip -n "$1" -o address show | grep -qE "inet $FW4/|inet6 $FW6/"
}

# Packets that leave the gateway with a source in the VPN prefix, by their recipient.
pair_wire() {
	in_ns "$NS_LAN" nft -f - <<-END
		table netdev pair {
			counter first { }
			counter second { }
			counter leaked { }
			chain out {
				type filter hook ingress device gw priority 0; policy accept;
				icmpv6 type { 133, 134, 135, 136, 137 } return
				# wgvia's own probes for a firewall's MAC address have hop limit 2
				icmp type echo-request ip saddr $VPN4 ip daddr $GW4 ip ttl 2 return
				icmpv6 type echo-request ip6 saddr $VPN6 ip6 daddr $GW6 ip6 hoplimit 2 return
				ip saddr $VPN4 jump whom
				ip6 saddr $VPN6 jump whom
			}
			chain whom {
				ether daddr $FW_MAC counter name first return
				ether daddr $SECOND_MAC counter name second return
				counter name leaked
			}
		}
	END
}

pair_counter() {
	lan_counter pair "$1"
}

pair_counted() { # COUNTER COUNT
	[ "$(pair_counter "$1")" -ge "$2" ]
}

pair_reset() {
	in_ns "$NS_LAN" nft reset counters >/dev/null
}
