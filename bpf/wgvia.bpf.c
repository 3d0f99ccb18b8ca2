// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * The packet path, in the order in which a packet meets it: what each program checks, and what happens to the packet.
 *
 *   wgvia_out     at the tunnel's ingress (mode fast): from a VPN client towards the firewall
 *   wgvia_back    at a LAN device's ingress: to a prefix. Packets from the firewall go into the tunnel (mode fast);
 *                 packets from any other host go to the firewall first
 *   wgvia_egress  at a LAN device's egress: what the kernel sends with a source in a prefix
 *
 * The latter two have twins for devices without link header. Most packets take a shortcut first: see shortcut.h.
 *
 * Every function here returns a verdict. Only finish() turns verdicts into actions. "Not ours" is always TC_ACT_UNSPEC
 * (equal to TCX_NEXT), so that other programs after ours still run.
 */
#include <linux/bpf.h>
#include <linux/pkt_cls.h>

#include <bpf/bpf_helpers.h>

#include "config.h"
#include "counter.h"
#include "decision.h"
#include "forward.h"
#include "lookup.h"
#include "mark.h"
#include "mss.h"
#include "mtu.h"
#include "packet.h"
#include "sender.h"
#include "shortcut.h"
#include "trace.h"
#include "wgvia_abi.h"

/* A private verdict in addition to the ABI's: the packet is not ours, and is not counted. */
#define NOT_OURS WGVIA_VERDICT_COUNT
/* Nobody has asked yet. */
#define UNKNOWN (WGVIA_VERDICT_COUNT + 1)

static __always_inline int action_of(enum wgvia_direction direction, enum wgvia_verdict verdict, int redirect)
{
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
		/* at ingress the kernel continues and informs the sender; at egress it is too late for that */
		return direction == WGVIA_EGRESS ? TC_ACT_SHOT : TC_ACT_UNSPEC;
	default:
		return TC_ACT_UNSPEC;
	}
}

/*
 * Counts the verdict and turns it into an action. `redirect` is the return value of the redirect helper, or
 * TC_ACT_UNSPEC without a redirect. `gateway` is the one that the decision used, or NULL.
 */
static __always_inline int finish(struct __sk_buff *skb, const struct packet *pkt, enum wgvia_direction direction,
				  enum wgvia_verdict verdict, const struct wgvia_gateway *gateway, int redirect)
{
	int action;

	if (verdict == NOT_OURS)
		return redirect;
	counter_add(skb, pkt, direction, verdict);
	if (direction != WGVIA_BACK && (verdict == WGVIA_REDIRECTED || verdict == WGVIA_RETARGETED) &&
	    config.count_prefixes)
		counter_add_prefix(skb, pkt, false);
	trace_decision(skb, pkt, pkt->family && verdict > WGVIA_MALFORMED, direction, verdict, gateway);
	action = action_of(direction, verdict, redirect);
	if (action == TC_ACT_SHOT) /* also after a redirect: this verdict counts the packet, lost.bpf.c must not */
		mark_clear(skb);
	return action;
}

/* The last two checks before a redirect to a gateway; returns `good` if both pass. */
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
	enum wgvia_verdict verdict = WGVIA_REDIRECTED;
	struct decision *kept;

	if (!packet_read(skb, link_len, pkt))
		return pkt->family ? WGVIA_MALFORMED : WGVIA_NOT_IP;
	/* a frame on an Ethernet "tunnel" that the IP stack would not accept either: another host's, a VLAN's */
	if (config.tunnel_ether && !packet_is_for_host(skb))
		return WGVIA_NOT_IP;
	kept = decision_find(pkt, &pkt->source, &pkt->destination, DECISION_GATEWAY);
	if (kept) {
		*gateway = kept->has_gateway ? &kept->gateway : NULL;
		verdict = kept->other_bypass;
	} else {
		*gateway = lookup_gateway(pkt, &pkt->source, config.has_index && !config.keeps_decisions);
		if (*gateway)
			verdict = lookup_bypass(pkt, &pkt->destination);
	}
	if (!*gateway)
		return WGVIA_OUTSIDE;
	if (verdict != WGVIA_REDIRECTED)
		return verdict;
	if (pkt->hop_limit <= 1)
		return WGVIA_HOP_LIMIT;
	return decide_gateway(skb, pkt, *gateway, true, WGVIA_REDIRECTED);
}

/* From an ingress, so the packet has no route that could divert it: see is_on_its_way(). */
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

static __always_inline int out(struct __sk_buff *skb)
{
	const __u32 link_len = config.tunnel_link_len;
	struct wgvia_gateway *gateway = NULL;
	int redirect = TC_ACT_UNSPEC;
	enum wgvia_verdict verdict;
	struct packet pkt;

	verdict = decide_out(skb, link_len, &pkt, &gateway);
	if (verdict == WGVIA_REDIRECTED) {
		mss_clamp(skb, link_len, &pkt, skb->ifindex, gateway->ifindex);
		if (!forward_trim(skb, link_len, &pkt) || !forward_add_hop_limit(skb, link_len, &pkt, -1)) {
			verdict = WGVIA_TOO_BIG;
		} else if (!forward_push_link_header(skb, link_len)) {
			/* no memory, or too long for the helper: the kernel forwards, the egress program redirects */
			forward_add_hop_limit(skb, link_len, &pkt, 1);
			verdict = WGVIA_TOO_BIG;
		} else {
			redirect = send_to_gateway(skb, gateway);
		}
	}
	return finish(skb, &pkt, WGVIA_OUT, verdict, verdict >= WGVIA_TOO_BIG ? gateway : NULL, redirect);
}

SEC("tc")
int wgvia_out(struct __sk_buff *skb)
{
	long action = config.keeps_decisions ? shortcut_out(skb) : UNDECIDED;

	return action == UNDECIDED ? out(skb) : action;
}

/*
 * For a packet from one of the prefix's gateways, or from another permitted sender: it goes into the tunnel, if that is
 * our task. In mode stack the kernel sends it there, and a nonzero `*tunnel` means that the packet is on its way.
 */
static __always_inline enum wgvia_verdict decide_return(struct __sk_buff *skb, const struct packet *pkt,
							const struct sender_slot *frame, __u32 *tunnel,
							enum wgvia_verdict good)
{
	*tunnel = lookup_tunnel();
	if (!*tunnel) /* the tunnel was removed, and may exist again: the kernel decides */
		return NOT_OURS;
	if (config.stack) {
		if (config.count_prefixes && good == NOT_OURS)
			sender_note_source(pkt, frame);
		return good;
	}
	if (pkt->hop_limit <= 1)
		return WGVIA_HOP_LIMIT;
	return mtu_fits(skb, pkt, *tunnel) ? good : WGVIA_TOO_BIG;
}

/* For a packet from a sender other than the prefix's gateways. */
static __always_inline enum wgvia_verdict decide_stranger(struct __sk_buff *skb, const struct packet *pkt,
							  const struct wgvia_gateway *gateway, enum sender who,
							  bool is_local)
{
	enum wgvia_verdict verdict;

	if (who == SENDER_LOOP || lookup_return() == WGVIA_RETURN_DROP)
		return WGVIA_REFUSED;
	if (pkt->hop_limit <= 1) /* the kernel informs the sender, unless it delivers locally */
		return is_local ? WGVIA_REFUSED : WGVIA_HOP_LIMIT;
	verdict = decide_gateway(skb, pkt, gateway, true, WGVIA_BOUNCED);
	/* the kernel would not inform the sender: it would accept the packet */
	return verdict == WGVIA_TOO_BIG ? WGVIA_REFUSED : verdict;
}

/* Whether there is anything to do on the way into the tunnel; in mode stack only the MSS. */
static __always_inline bool may_return(struct __sk_buff *skb, __u32 link_len, const struct packet *pkt)
{
	return link_len && pkt->to == WGVIA_TUNNEL && (!config.stack || mss_is_wanted(skb, link_len, pkt));
}

/* Mode stack: whether the kernel sends the packet into the tunnel, and wants it counted. */
static __always_inline bool is_counted_in_stack(__u32 link_len, const struct packet *pkt)
{
	return config.stack && config.count_prefixes && link_len && pkt->to == WGVIA_TUNNEL;
}

/* Whether the packet goes into the tunnel, by our hand or the kernel's; `tunnel` is what decide_return() has found. */
static __always_inline bool is_counted_back(const struct packet *pkt, enum wgvia_verdict verdict, __u32 tunnel)
{
	if (config.stack)
		return (tunnel || pkt->to == PACKET_COUNTED) && pkt->hop_limit > 1 &&
		       (verdict == NOT_OURS || verdict == WGVIA_DIRECT);
	return tunnel && (verdict == WGVIA_RETURNED || verdict == WGVIA_DIRECT);
}

static __always_inline enum wgvia_verdict decide_back(struct __sk_buff *skb, __u32 link_len, struct packet *pkt,
						      struct wgvia_gateway **gateway, __u32 *tunnel)
{
	struct decision *kept = decision_find(pkt, &pkt->destination, &pkt->source, DECISION_CLIENT);
	enum wgvia_verdict to = kept ? kept->client_bypass : lookup_bypass(pkt, &pkt->destination);
	enum wgvia_verdict from = kept ? kept->other_bypass : UNKNOWN;
	struct sender_slot frame, *slot;
	enum sender who;
	bool returns;

	pkt->to = to;
	if (to == WGVIA_SCOPE || to == WGVIA_BYPASS || packet_is_neighbour_discovery(skb, link_len, pkt))
		return NOT_OURS;
	sender_describe(skb, link_len, pkt, &frame);
	slot = sender_find_slot(&frame);
	if (!slot)
		return NOT_OURS;
	who = sender_is_recent(slot, &frame) ? slot->mac >> 48 : SENDER_LOOP;
	if (config.count_prefixes)
		sender_recall_counter(pkt, &frame, who);
	shortcut_note_sender(pkt, kept, slot, who);
	if (who <= SENDER_FIREWALL && !may_return(skb, link_len, pkt)) {
		if (!is_counted_in_stack(link_len, pkt))
			return NOT_OURS;
		if (sender_is_counted(pkt, &frame)) {
			pkt->to = PACKET_COUNTED;
			return NOT_OURS;
		}
	}
	/*
	 * A destination that is exempt outward is exempt here as well, so that this host's connection tracking sees
	 * both directions. Packets from an address that only this host, one link or nobody may use, or from inside the
	 * tunnel, are invalid here: the kernel handles them (fib_validate_source(), ip6_forward()).
	 */
	if (from == UNKNOWN)
		from = lookup_bypass(pkt, &pkt->source);
	if (from == WGVIA_SCOPE || from == WGVIA_BYPASS)
		return NOT_OURS;
	if (who == SENDER_LOOP)
		who = sender_ask(skb, link_len, pkt, &frame, gateway);
	returns = (may_return(skb, link_len, pkt) || is_counted_in_stack(link_len, pkt)) && from != WGVIA_TUNNEL &&
		  from != WGVIA_LOCAL;
	if (who <= SENDER_FIREWALL)
		return returns ? decide_return(skb, pkt, &frame, tunnel, config.stack ? NOT_OURS : WGVIA_RETURNED)
			       : NOT_OURS;
	if (!*gateway || lookup_return() == WGVIA_RETURN_ANY)
		return returns ? decide_return(skb, pkt, &frame, tunnel, WGVIA_DIRECT) : WGVIA_DIRECT;
	return decide_stranger(skb, pkt, *gateway, who, pkt->to == WGVIA_LOCAL);
}

static __always_inline int back(struct __sk_buff *skb, __u32 link_len)
{
	struct wgvia_gateway *gateway = NULL;
	enum wgvia_verdict verdict = NOT_OURS;
	int redirect = TC_ACT_UNSPEC;
	struct packet pkt;
	__u32 tunnel = 0;

	if (link_len && !packet_take_priority_tags(skb)) {
		packet_clear(skb, link_len, &pkt);
		return finish(skb, &pkt, WGVIA_BACK, WGVIA_REFUSED, NULL, redirect);
	}
	if ((link_len && !packet_is_for_host(skb)) || !packet_read(skb, link_len, &pkt))
		return TC_ACT_UNSPEC;
	if (config.count_prefixes)
		pkt.counter = COUNTER_NONE;
	verdict = decide_back(skb, link_len, &pkt, &gateway, &tunnel);
	if (tunnel) /* a bounced frame returns, and is recognised by its present content */
		mss_clamp(skb, link_len, &pkt, tunnel, skb->ifindex);
	if (verdict == WGVIA_BOUNCED) {
		if (!forward_trim(skb, link_len, &pkt) || !forward_add_hop_limit(skb, link_len, &pkt, -1) ||
		    !forward_push_link_header(skb, link_len))
			verdict = WGVIA_REFUSED;
		else
			redirect = send_to_gateway(skb, gateway);
	} else if (!config.stack && tunnel && (verdict == WGVIA_RETURNED || verdict == WGVIA_DIRECT)) {
		if (!forward_trim(skb, link_len, &pkt) || !forward_add_hop_limit(skb, link_len, &pkt, -1)) {
			verdict = WGVIA_TOO_BIG;
		} else {
			mark_set(skb, MARK_DONE);
			redirect = forward_into_tunnel(tunnel);
		}
	}
	if (redirect != TC_ACT_UNSPEC)
		mark_set_back(skb);
	if (config.count_prefixes && is_counted_back(&pkt, verdict, tunnel))
		counter_add_prefix(skb, &pkt, true);
	return finish(skb, &pkt, WGVIA_BACK, verdict, verdict == WGVIA_BOUNCED ? gateway : NULL, redirect);
}

SEC("tc")
int wgvia_back(struct __sk_buff *skb)
{
	long action = config.keeps_decisions ? shortcut_back(skb) : UNDECIDED;

	return action == UNDECIDED ? back(skb, ETH_HLEN) : action;
}

/* At the ingress of a device without link header: no packet that arrives there was at the firewall. */
SEC("tc")
int wgvia_back_l3(struct __sk_buff *skb)
{
	return back(skb, 0);
}

/*
 * A packet that an egress program redirected passes again. It may go if it now goes to the gateway. But while the
 * gateway's neighbour is unresolved, the packet waits in the neighbour's queue. neigh_update() then resolves again by
 * the packet's own route, which leads straight to the service. A packet that did not wait, and has another MAC than at
 * first, has the gateway's: this function. Any other packet needs a check: is_on_its_way().
 */
static __always_inline bool has_gateways_mac(struct __sk_buff *skb, __u32 link_len)
{
	const struct ethhdr *eth = packet_data(skb);
	const struct passes *latest;
	__u32 key = 0;

	latest = bpf_map_lookup_elem(&passes, &key);
	return link_len && latest && latest->redirected + 1 == latest->count && latest->ifindex == skb->ifindex &&
	       mark_is_next_pass(skb, latest->count) && (void *)(eth + 1) <= packet_end(skb) &&
	       !mark_has_mac(skb, eth->h_dest);
}

/*
 * Whether a packet that waited, or has the same MAC as at first, goes to the gateway: the service's MAC may have
 * changed meanwhile, and the same MAC as at first is the gateway's if the kernel was sending to the firewall anyway.
 */
static __always_inline bool is_on_its_way(struct __sk_buff *skb, __u32 link_len, const struct wgvia_gateway *gateway,
					  enum mark mark, __u32 pass)
{
	struct ethhdr *eth = packet_data(skb);
	__u8 now[ETH_ALEN] __attribute__((aligned(4))), mac[ETH_ALEN] __attribute__((aligned(4)));

	if (!link_len || skb->ifindex != gateway->ifindex || (void *)(eth + 1) > packet_end(skb))
		return false;
	__builtin_memcpy(now, eth->h_dest, ETH_ALEN);
	switch (sender_resolve(skb, (const void *)gateway, mac)) {
	case BPF_FIB_LKUP_RET_SUCCESS:
		return sender_mac_equal(mac, now);
	case BPF_FIB_LKUP_RET_FWD_DISABLED:
	case BPF_FIB_LKUP_RET_NOT_FWDED:
		/*
		 * No answer: the device does not forward, or the gateway is link-local. The resolved neighbour released
		 * the packet from the queue, so a further redirect finds it resolved: if the MAC is the same again, and
		 * the packet did not wait again, it is the gateway's.
		 */
		return mark > MARK_RETARGET && mark_is_next_pass(skb, pass);
	default:
		return false;
	}
}

/*
 * A packet from the tunnel whose source is in no prefix, and which would leave this host ("outside drop"). The check is
 * here and not at the ingress, because here the destination is final, after source routes, DNAT and route changes.
 * While the tunnel does not exist, or was re-created and nobody reported it yet, any device without a program of ours
 * may be the tunnel. A packet without an ingress device was made here. One from an address of the tunnel was made for a
 * client: by nft's synproxy, or by ip6_fragment(), which copies fragments without the ingress device
 * (ip6_copy_metadata()).
 */
static __always_inline bool is_refused_outside(struct __sk_buff *skb, struct packet *pkt)
{
	__u32 ingress = packet_ingress(skb), tunnel;

	if (!lookup_drops_outside())
		return false;
	if (!ingress)
		return pkt && lookup_bypass(pkt, &pkt->source) == WGVIA_TUNNEL;
	tunnel = lookup_tunnel();
	return tunnel ? ingress == tunnel : !lookup_device_is_watched(ingress);
}

static __always_inline enum wgvia_verdict decide_egress(struct __sk_buff *skb, __u32 link_len, struct packet *pkt,
							struct wgvia_gateway **gateway, enum mark mark, __u32 pass)
{
	struct decision *kept = decision_find(pkt, &pkt->source, &pkt->destination, DECISION_GATEWAY);
	bool is_own = !packet_ingress(skb), is_exempt = false, elsewhere;
	enum wgvia_verdict verdict;

	if (kept) {
		*gateway = kept->has_gateway ? &kept->gateway : NULL;
		is_exempt = kept->other_exempt & (is_own ? DECISION_EXEMPT_OWN : DECISION_EXEMPT);
	} else {
		*gateway = lookup_gateway(pkt, &pkt->source, config.has_index && !config.keeps_decisions);
		if (*gateway)
			is_exempt = lookup_exempts_at_egress(lookup_bypass_entry(pkt, &pkt->destination), is_own);
	}
	if (!*gateway)
		return is_refused_outside(skb, pkt) ? WGVIA_REFUSED : NOT_OURS;
	if (is_exempt)
		return NOT_OURS;
	/*
	 * A packet that came in from a LAN and leaves by a device other than the gateway's was at the firewall: it
	 * reaches a second LAN, or another tunnel, through this host. A redirect would send it in circles.
	 */
	elsewhere = skb->ifindex != (*gateway)->ifindex;
	if (elsewhere && packet_ingress(skb) && lookup_device_is_known(packet_ingress(skb)))
		return NOT_OURS;
	if (!packet_ingress(skb) && packet_is_neighbour_discovery(skb, link_len, pkt))
		return NOT_OURS;
	/* the kernel has checked the MTU of the device that it chose */
	verdict = decide_gateway(skb, pkt, *gateway, elsewhere, WGVIA_RETARGETED);
	if (verdict == WGVIA_RETARGETED && mark >= MARK_RETARGET &&
	    is_on_its_way(skb, link_len, *gateway, mark, pass)) {
		mark_set(skb, MARK_DONE); /* a device below this one has nothing left to decide */
		return NOT_OURS;
	}
	return verdict;
}

/* The redirect itself. A packet that passes again was counted the first time. */
static __always_inline enum wgvia_verdict retarget(struct __sk_buff *skb, __u32 link_len, const struct packet *pkt,
						   const struct wgvia_gateway *gateway, enum mark mark, __u32 pass,
						   int *redirect)
{
	const bool again = mark >= MARK_RETARGET;
	__u32 len = skb->len - link_len;
	__u8 mac[ETH_ALEN] = {};

	if (mark > MARK_TRIES)
		return WGVIA_NO_GATEWAY;
	if (link_len && (bpf_skb_load_bytes(skb, 0, mac, ETH_ALEN) || !forward_clear_group(skb, mac)))
		return WGVIA_NO_GATEWAY;
	if (!again && mss_is_wanted(skb, link_len, pkt))
		mss_lower(skb, link_len, pkt->len, lookup_tunnel(), gateway->ifindex);
	if (!forward_push_link_header(skb, link_len))
		return WGVIA_TOO_BIG;
	if (again)
		mark_set_len(skb, len);
	else
		mark_set_frame(skb, mac, len);
	mark_set(skb, again ? mark + 1 : MARK_RETARGET);
	mark_set_pass(skb, pass);
	note_redirect(pass, gateway->ifindex);
	*redirect = forward_to_gateway(gateway);
	return again ? NOT_OURS : WGVIA_RETARGETED;
}

/* A packet to a gateway shows the MAC address that the kernel has for the gateway. */
static __always_inline void learn_gateway(struct __sk_buff *skb, enum mark mark)
{
	struct wgvia_learnt entry = {bpf_ktime_get_ns() + SENDER_LEARNT, WGVIA_SENDER_RESOLVED, 0};
	struct wgvia_sender sender = {.gateway = mark_get_gateway(skb, mark)};

	if (!bpf_skb_load_bytes(skb, 0, sender.mac, ETH_ALEN))
		bpf_map_update_elem(&learnt, &sender, &entry, BPF_ANY);
}

/* What is known of a packet that passes again. */
enum second_look { TO_DECIDE, ON_ITS_WAY, UNREADABLE };

/*
 * A first look at a packet that passes again, before any lookup. One that was redirected at a device without link
 * header leaves the gateway's queue by the neighbour of that device: it arrives without a link header at a device that
 * needs one. It gets an empty one, and is redirected again. A separate function, which reads the mark again, so that
 * the verifier does not walk through the rest once for each path through it.
 */
static __noinline int look_again(struct __sk_buff *skb, __u32 link_len)
{
	__u32 len = mark_get_len(skb);

	if (mark_get(skb) < MARK_RETARGET)
		return TO_DECIDE;
	if (skb->len == len + link_len)
		return has_gateways_mac(skb, link_len) ? ON_ITS_WAY : TO_DECIDE;
	if (!link_len || skb->len != len || bpf_skb_change_head(skb, ETH_HLEN, 0))
		return UNREADABLE;
	mark_set_len(skb, MARK_EMPTY_HEADER);
	return TO_DECIDE;
}

static __always_inline __u32 count_pass(void)
{
	__u32 key = 0;
	struct passes *latest = bpf_map_lookup_elem(&passes, &key);

	return latest ? ++latest->count : 0;
}

static __always_inline int egress(struct __sk_buff *skb, __u32 link_len)
{
	__u32 pass = count_pass(); /* counts every packet: neighbour requests, and others that wait for a neighbour */
	struct wgvia_gateway *gateway = NULL;
	enum mark mark = mark_get(skb);
	enum wgvia_verdict verdict;
	int redirect = TC_ACT_UNSPEC;
	struct packet pkt;
	long action;
	int look;

	/* a tagged frame was at the egress of the VLAN device */
	if (mark == MARK_DONE || skb->vlan_present)
		return TC_ACT_UNSPEC;
	action = config.keeps_decisions && link_len && mark == MARK_NONE ? shortcut_egress(skb, pass) : UNDECIDED;
	if (action != UNDECIDED)
		return action;
	if (mark >= MARK_SHOW) {
		if (link_len)
			learn_gateway(skb, mark);
		return TC_ACT_UNSPEC;
	}
	look = look_again(skb, link_len);
	if (look == ON_ITS_WAY) {
		mark_set(skb, MARK_DONE); /* a device below this one has nothing left to decide */
		return TC_ACT_UNSPEC;
	}
	if (look == UNREADABLE) {
		packet_clear(skb, link_len, &pkt);
		verdict = WGVIA_TOO_BIG;
	} else if (packet_read(skb, link_len, &pkt)) {
		verdict = decide_egress(skb, link_len, &pkt, &gateway, mark, pass);
	} else if (mark >= MARK_RETARGET) { /* it was readable when it was marked */
		verdict = WGVIA_TOO_BIG;
	} else if (is_refused_outside(skb, NULL)) {
		verdict = WGVIA_REFUSED;
	} else {
		return TC_ACT_UNSPEC;
	}
	if (verdict == WGVIA_RETARGETED)
		verdict = retarget(skb, link_len, &pkt, gateway, mark, pass, &redirect);
	/* with an empty link header no host receives it, whatever its destination is by now */
	if (link_len && mark >= MARK_RETARGET && redirect == TC_ACT_UNSPEC && mark_get_len(skb) == MARK_EMPTY_HEADER)
		verdict = WGVIA_TOO_BIG;
	return finish(skb, &pkt, WGVIA_EGRESS, verdict, gateway, redirect);
}

SEC("tc")
int wgvia_egress(struct __sk_buff *skb)
{
	return egress(skb, ETH_HLEN);
}

/* At the egress of a device without link header, for example another tunnel. */
SEC("tc")
int wgvia_egress_l3(struct __sk_buff *skb)
{
	return egress(skb, 0);
}

char LICENSE[] SEC("license") = "Dual BSD/GPL";
