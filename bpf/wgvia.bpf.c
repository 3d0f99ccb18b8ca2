// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * The packet path, told as the story of a packet: what each program asks, in which order, and what becomes of it.
 *
 *   wgvia_out     at the tunnel's ingress (mode fast): from a VPN client towards the firewall
 *   wgvia_back    at a LAN device's ingress: to a prefix, from the firewall (in mode fast into the tunnel) or, what
 *                 comes from anybody else, to the firewall first
 *   wgvia_egress  at a LAN device's egress: whatever the kernel sends with a source in a prefix
 *
 * The latter two have twins for devices without link header.
 *
 * Every function here answers with a verdict; finish() alone turns verdicts into actions, and "not ours" is always
 * TC_ACT_UNSPEC (which is TCX_NEXT), so that other people's programs behind ours get their turn.
 */
#include <linux/bpf.h>
#include <linux/pkt_cls.h>

#include <bpf/bpf_helpers.h>

#include "config.h"
#include "counter.h"
#include "forward.h"
#include "lookup.h"
#include "mark.h"
#include "mtu.h"
#include "packet.h"
#include "sender.h"
#include "trace.h"
#include "wgvia_abi.h"

/* A verdict of our own beside the ABI's: none of our business, and not counted. */
#define NOT_OURS WGVIA_VERDICT_COUNT

/*
 * Counts the verdict and turns it into an action; `redirect` is the helper's return where there was a redirect,
 * TC_ACT_UNSPEC where not. `gateway` is the one that the decision asked for, or NULL.
 */
static __always_inline int finish(struct __sk_buff *skb, const struct packet *pkt, enum wgvia_direction direction,
				  enum wgvia_verdict verdict, const struct wgvia_gateway *gateway, int redirect)
{
	if (verdict == NOT_OURS)
		return redirect;
	counter_add(skb, pkt, direction, verdict);
	trace_decision(skb, pkt, pkt->family && verdict > WGVIA_MALFORMED, direction, verdict, gateway);

	switch (verdict) {
	case WGVIA_REDIRECTED:
	case WGVIA_RETURNED:
	case WGVIA_RETARGETED:
	case WGVIA_BOUNCED:
	case WGVIA_DIRECT:
		return redirect;
	case WGVIA_REFUSED:
		return TC_ACT_SHOT;
	case WGVIA_NO_GATEWAY:
		return lookup_on_fail_pass() ? TC_ACT_UNSPEC : TC_ACT_SHOT;
	case WGVIA_TOO_BIG:
		/* at ingress the kernel goes on and says so to the sender; at egress it is too late for that */
		return direction == WGVIA_EGRESS ? TC_ACT_SHOT : TC_ACT_UNSPEC;
	default:
		return TC_ACT_UNSPEC;
	}
}

/* The last two questions of each way to a gateway; `good` where neither stops the packet. */
static __always_inline enum wgvia_verdict decide_gateway(struct __sk_buff *skb, const struct packet *pkt,
							 const struct wgvia_gateway *gateway, bool ask_mtu,
							 enum wgvia_verdict good)
{
	if (!lookup_device_is_known(gateway->ifindex))
		return WGVIA_NO_GATEWAY;
	if (ask_mtu && !mtu_fits(skb, pkt, gateway->ifindex))
		return WGVIA_TOO_BIG;
	return lookup_gateway_is_usable(pkt, gateway) ? good : WGVIA_NO_GATEWAY;
}

static __always_inline enum wgvia_verdict decide_out(struct __sk_buff *skb, __u32 link_len, struct packet *pkt,
						     struct wgvia_gateway **gateway)
{
	enum wgvia_verdict verdict;

	if (!packet_read(skb, link_len, pkt))
		return pkt->family ? WGVIA_MALFORMED : WGVIA_NOT_IP;
	/* a frame on an Ethernet "tunnel" that the IP stack would not take either: another host's, a VLAN's */
	if (config.tunnel_ether && !packet_is_for_host(skb))
		return WGVIA_NOT_IP;
	*gateway = lookup_gateway(pkt, &pkt->source);
	if (!*gateway)
		return WGVIA_OUTSIDE;
	verdict = lookup_bypass(pkt, &pkt->destination);
	if (verdict != WGVIA_REDIRECTED)
		return verdict;
	if (pkt->hop_limit <= 1)
		return WGVIA_HOP_LIMIT;
	return decide_gateway(skb, pkt, *gateway, true, WGVIA_REDIRECTED);
}

/* From an ingress, so the packet has no route of its own that could take it elsewhere: see is_on_its_way(). */
static __always_inline int send_to_gateway(struct __sk_buff *skb, const struct wgvia_gateway *gateway)
{
	if (__builtin_expect(sender_wanted, 0)) {
		sender_wanted = 0;
		mark_set_gateway(skb, gateway);
	} else {
		mark_set(skb, MARK_DONE);
	}
	return forward_to_gateway(gateway);
}

SEC("tc")
int wgvia_out(struct __sk_buff *skb)
{
	const __u32 link_len = config.tunnel_link_len;
	struct wgvia_gateway *gateway = NULL;
	int redirect = TC_ACT_UNSPEC;
	enum wgvia_verdict verdict;
	struct packet pkt;

	verdict = decide_out(skb, link_len, &pkt, &gateway);
	if (verdict == WGVIA_REDIRECTED) {
		if (!forward_trim(skb, link_len, &pkt) || !forward_add_hop_limit(skb, link_len, &pkt, -1)) {
			verdict = WGVIA_TOO_BIG;
		} else if (!forward_push_link_header(skb, link_len)) {
			/* no memory, or too long for the helper: the kernel forwards, and the egress program sees to it
			 */
			forward_add_hop_limit(skb, link_len, &pkt, 1);
			verdict = WGVIA_TOO_BIG;
		} else {
			redirect = send_to_gateway(skb, gateway);
		}
	}
	return finish(skb, &pkt, WGVIA_OUT, verdict, verdict >= WGVIA_TOO_BIG ? gateway : NULL, redirect);
}

/*
 * Neighbour discovery, which means one neighbour, and no router passes it on (RFC 4861, 7.1: hop limit 255); a prefix
 * as wide as ::/0 takes this host's own in, and with proxy_ndp LAN hosts ask for a client's address.
 */
static __always_inline bool is_neighbour_discovery(struct __sk_buff *skb, __u32 link_len, const struct packet *pkt)
{
	__u8 type;

	if (pkt->family != AF_INET6 || pkt->protocol != IPPROTO_ICMPV6 || pkt->hop_limit != 255)
		return false;
	if (bpf_skb_load_bytes(skb, link_len + pkt->header_len, &type, 1))
		return false;
	return type >= 133 && type <= 137; /* router solicitation to redirect */
}

/* From a gateway of the prefix's, or from somebody else who may: into the tunnel, where that is ours to do. */
static __always_inline enum wgvia_verdict decide_return(struct __sk_buff *skb, const struct packet *pkt, __u32 *tunnel,
							enum wgvia_verdict good)
{
	*tunnel = lookup_tunnel();
	if (!*tunnel) /* it was removed, and may have been re-created since: the kernel knows */
		return NOT_OURS;
	if (pkt->hop_limit <= 1)
		return WGVIA_HOP_LIMIT;
	return mtu_fits(skb, pkt, *tunnel) ? good : WGVIA_TOO_BIG;
}

/* From somebody else than the prefix's gateways. */
static __always_inline enum wgvia_verdict decide_stranger(struct __sk_buff *skb, const struct packet *pkt,
							  const struct wgvia_gateway *gateway, enum sender who,
							  bool is_local)
{
	enum wgvia_verdict verdict;

	if (who == SENDER_LOOP || lookup_return() == WGVIA_RETURN_DROP)
		return WGVIA_REFUSED;
	if (pkt->hop_limit <= 1) /* the kernel answers, where it does not deliver */
		return is_local ? WGVIA_REFUSED : WGVIA_HOP_LIMIT;
	verdict = decide_gateway(skb, pkt, gateway, true, WGVIA_BOUNCED);
	/* the kernel would not tell the sender: it would let the packet in */
	return verdict == WGVIA_TOO_BIG ? WGVIA_REFUSED : verdict;
}

static __always_inline enum wgvia_verdict decide_back(struct __sk_buff *skb, __u32 link_len, struct packet *pkt,
						      struct wgvia_gateway **gateway, __u32 *tunnel)
{
	enum wgvia_verdict to = lookup_bypass(pkt, &pkt->destination), from;
	struct sender_slot frame, *slot;
	enum sender who;
	bool returns;

	if (to == WGVIA_SCOPE || to == WGVIA_BYPASS || is_neighbour_discovery(skb, link_len, pkt))
		return NOT_OURS;
	sender_describe(skb, link_len, pkt, &frame);
	slot = sender_find_slot(&frame);
	if (!slot)
		return NOT_OURS;
	who = sender_is_recent(slot, &frame) ? slot->mac >> 48 : SENDER_LOOP;
	returns = !config.stack && link_len && to == WGVIA_TUNNEL;
	if (who <= SENDER_FIREWALL && !returns)
		return NOT_OURS;
	/*
	 * What is exempt outward is exempt here, too: so this host's connection tracking sees both directions. From an
	 * address that only this host, one link or nobody may use, or from inside the tunnel: the kernel knows what to
	 * do with a packet that cannot be (fib_validate_source(), ip6_forward()).
	 */
	from = lookup_bypass(pkt, &pkt->source);
	if (from == WGVIA_SCOPE || from == WGVIA_BYPASS)
		return NOT_OURS;
	if (who == SENDER_LOOP)
		who = sender_ask(skb, link_len, pkt, &frame, gateway);
	returns = returns && from != WGVIA_TUNNEL && from != WGVIA_LOCAL;
	if (who <= SENDER_FIREWALL)
		return returns ? decide_return(skb, pkt, tunnel, WGVIA_RETURNED) : NOT_OURS;
	if (!*gateway || lookup_return() == WGVIA_RETURN_ANY)
		return returns ? decide_return(skb, pkt, tunnel, WGVIA_DIRECT) : WGVIA_DIRECT;
	return decide_stranger(skb, pkt, *gateway, who, to == WGVIA_LOCAL);
}

static __always_inline int back(struct __sk_buff *skb, __u32 link_len)
{
	struct wgvia_gateway *gateway = NULL;
	enum wgvia_verdict verdict = NOT_OURS;
	int redirect = TC_ACT_UNSPEC;
	struct packet pkt;
	__u32 tunnel = 0;

	if (link_len && !packet_take_priority_tags(skb)) {
		packet_read(skb, link_len, &pkt);
		pkt.family = 0;
		return finish(skb, &pkt, WGVIA_BACK, WGVIA_REFUSED, NULL, redirect);
	}
	if ((link_len && !packet_is_for_host(skb)) || !packet_read(skb, link_len, &pkt))
		return TC_ACT_UNSPEC;
	verdict = decide_back(skb, link_len, &pkt, &gateway, &tunnel);
	if (verdict == WGVIA_BOUNCED) {
		if (!forward_trim(skb, link_len, &pkt) || !forward_add_hop_limit(skb, link_len, &pkt, -1) ||
		    !forward_push_link_header(skb, link_len))
			verdict = WGVIA_REFUSED;
		else
			redirect = send_to_gateway(skb, gateway);
	} else if (tunnel && (verdict == WGVIA_RETURNED || verdict == WGVIA_DIRECT)) {
		if (!forward_trim(skb, link_len, &pkt) || !forward_add_hop_limit(skb, link_len, &pkt, -1)) {
			verdict = WGVIA_TOO_BIG;
		} else {
			mark_set(skb, MARK_DONE);
			redirect = forward_into_tunnel(tunnel);
		}
	}
	return finish(skb, &pkt, WGVIA_BACK, verdict, verdict == WGVIA_BOUNCED ? gateway : NULL, redirect);
}

SEC("tc")
int wgvia_back(struct __sk_buff *skb)
{
	return back(skb, ETH_HLEN);
}

/* At the ingress of a device without link header: nothing of what comes in there has been at the firewall. */
SEC("tc")
int wgvia_back_l3(struct __sk_buff *skb)
{
	return back(skb, 0);
}

/*
 * A packet that an egress program has redirected comes by again. It may go if it now goes to the gateway; but while
 * the gateway's neighbour is unresolved, the packet waits in its queue, and neigh_update() looks the neighbour up anew
 * by the packet's own route, which leads straight to the service. Such a packet shows the MAC that it had at first:
 * so does one that the kernel was sending to the firewall anyway, and only the gateway's MAC tells the two apart.
 * True: it goes where it should.
 */
static __always_inline bool is_on_its_way(struct __sk_buff *skb, __u32 link_len, const struct wgvia_gateway *gateway,
					  enum mark mark, __u32 pass)
{
	struct ethhdr *eth = packet_data(skb);
	__u8 mac[ETH_ALEN];

	if (!link_len || (void *)(eth + 1) > packet_end(skb))
		return true;
	if (!mark_has_mac(skb, eth->h_dest))
		return true;
	switch (sender_resolve(skb, (const void *)gateway, mac)) {
	case BPF_FIB_LKUP_RET_SUCCESS:
		return mark_has_mac(skb, mac);
	case BPF_FIB_LKUP_RET_FWD_DISABLED:
	case BPF_FIB_LKUP_RET_NOT_FWDED:
		/*
		 * No answer on a device that does not forward, or for a link-local gateway. A further redirect finds
		 * the neighbour resolved, which is what took the packet out of the queue: the same MAC once more,
		 * without having waited again, is the gateway's.
		 */
		return mark > MARK_RETARGET && mark_is_next_pass(skb, pass);
	default:
		return false;
	}
}

static __always_inline enum wgvia_verdict decide_egress(struct __sk_buff *skb, __u32 link_len, struct packet *pkt,
							struct wgvia_gateway **gateway, enum mark mark, __u32 pass)
{
	enum wgvia_verdict verdict;
	bool elsewhere;

	if (!packet_read(skb, link_len, pkt))
		return NOT_OURS;
	*gateway = lookup_gateway(pkt, &pkt->source);
	if (!*gateway)
		return NOT_OURS;
	if (lookup_is_exempt_at_egress(pkt))
		return NOT_OURS;
	/*
	 * What came in from a LAN and leaves by another device than the gateway's has been at the firewall: it reaches
	 * a second LAN, or another tunnel, through this host, and sending it back would go round in circles.
	 */
	elsewhere = skb->ifindex != (*gateway)->ifindex;
	if (elsewhere && skb->ingress_ifindex && lookup_device_is_known(skb->ingress_ifindex))
		return NOT_OURS;
	if (!skb->ingress_ifindex && is_neighbour_discovery(skb, link_len, pkt))
		return NOT_OURS;
	/* the kernel has asked for the MTU of the device that it chose */
	verdict = decide_gateway(skb, pkt, *gateway, elsewhere, WGVIA_RETARGETED);
	if (verdict == WGVIA_RETARGETED && mark >= MARK_RETARGET && is_on_its_way(skb, link_len, *gateway, mark, pass))
		return NOT_OURS;
	return verdict;
}

/* The redirect itself; a packet that comes by again was counted when it came by first. */
static __always_inline enum wgvia_verdict retarget(struct __sk_buff *skb, __u32 link_len,
						   const struct wgvia_gateway *gateway, enum mark mark, __u32 pass,
						   int *redirect)
{
	__u8 mac[ETH_ALEN] = {};

	if (mark >= MARK_RETARGET) {
		if (mark > MARK_TRIES)
			return WGVIA_NO_GATEWAY;
		mark_set(skb, mark + 1);
		mark_set_pass(skb, pass);
		*redirect = forward_to_gateway(gateway);
		return NOT_OURS;
	}
	if (link_len && bpf_skb_load_bytes(skb, 0, mac, ETH_ALEN))
		return WGVIA_NO_GATEWAY;
	if (!forward_push_link_header(skb, link_len))
		return WGVIA_TOO_BIG;
	mark_set(skb, MARK_RETARGET);
	mark_set_mac(skb, mac);
	*redirect = forward_to_gateway(gateway);
	return WGVIA_RETARGETED;
}

/* What goes to a gateway shows the MAC address that the kernel has for it. */
static __always_inline void learn_gateway(struct __sk_buff *skb, enum mark mark)
{
	struct wgvia_learnt entry = {bpf_ktime_get_ns() + SENDER_LEARNT, WGVIA_SENDER_RESOLVED, 0};
	struct wgvia_sender sender = {.gateway = mark_get_gateway(skb, mark)};

	if (!bpf_skb_load_bytes(skb, 0, sender.mac, ETH_ALEN))
		bpf_map_update_elem(&learnt, &sender, &entry, BPF_ANY);
}

static __always_inline __u32 count_pass(void)
{
	__u32 key = 0, *count = bpf_map_lookup_elem(&passes, &key);

	return count ? ++*count : 0;
}

static __always_inline int egress(struct __sk_buff *skb, __u32 link_len)
{
	__u32 pass = count_pass(); /* of every packet: neighbour requests, and what else waits for a neighbour */
	struct wgvia_gateway *gateway = NULL;
	enum mark mark = mark_get(skb);
	enum wgvia_verdict verdict;
	int redirect = TC_ACT_UNSPEC;
	struct packet pkt;

	/* a tagged frame has been at the egress of the VLAN's own device */
	if (mark == MARK_DONE || skb->vlan_present)
		return TC_ACT_UNSPEC;
	if (mark >= MARK_SHOW) {
		if (link_len)
			learn_gateway(skb, mark);
		return TC_ACT_UNSPEC;
	}
	verdict = decide_egress(skb, link_len, &pkt, &gateway, mark, pass);
	if (verdict == WGVIA_RETARGETED)
		verdict = retarget(skb, link_len, gateway, mark, pass, &redirect);
	return finish(skb, &pkt, WGVIA_EGRESS, verdict, gateway, redirect);
}

SEC("tc")
int wgvia_egress(struct __sk_buff *skb)
{
	return egress(skb, ETH_HLEN);
}

/* At the egress of a device without link header, another tunnel say. */
SEC("tc")
int wgvia_egress_l3(struct __sk_buff *skb)
{
	return egress(skb, 0);
}

char LICENSE[] SEC("license") = "Dual BSD/GPL";
