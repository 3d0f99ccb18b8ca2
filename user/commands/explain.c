// SPDX-License-Identifier: GPL-2.0-only
/*
 * wgvia explain IFACE from ADDRESS to ADDRESS [len N] [hop-limit N] [dir in|out]: where this packet goes, and why. The
 * running program decides, in a test run; the entries that it used are looked up separately. Nothing is sent or
 * counted.
 */
#include <arpa/inet.h>
#include <inttypes.h>
#include <linux/if_ether.h>
#include <linux/neighbour.h>
#include <linux/pkt_cls.h>
#include <linux/rtnetlink.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/abi_words.h"
#include "base/util.h"
#include "commands/output.h"
#include "config/failover.h"
#include "config/parse.h"
#include "config/statement.h"
#include "datapath/test_run.h"
#include "host/datagram.h"
#include "plan/gateways.h"
#include "session/session.h"

struct explanation {
	struct context *context;
	const struct explain_words *words;
	struct session session;
	json *value; /* for the output */
	json *steps;
	/* what is known so far */
	char name[IFNAMSIZ]; /* of device() */
	bool has_verdict, kernel_drops;
	const struct gateway_entry *gateway; /* NULL: not reported yet */
	struct neighbour neighbour;	     /* of a usable gateway */
};

/* --- the packet --- */

/*
 * UDP with port 0 on both sides. The destination's MAC address is zero, like that of lo, on which a test run takes
 * place: a frame for this host.
 */
static size_t make_frame(const struct explain_words *words, const uint8_t sender[ETH_ALEN], uint8_t *frame)
{
	struct ethhdr *eth = (struct ethhdr *)frame;

	memset(frame, 0, ETH_HLEN + words->len);
	memcpy(eth->h_source, sender, ETH_ALEN);
	eth->h_proto = htons(words->from.family == AF_INET ? ETH_P_IP : ETH_P_IPV6);
	datagram_put_header(eth + 1, words->len, &words->from, &words->to, IPPROTO_UDP, words->hop_limit);
	return ETH_HLEN + words->len;
}

/* --- entries --- */

static void __attribute__((format(printf, 2, 3))) step(struct explanation *explanation, const char *format, ...)
{
	char text[512];
	va_list args;

	va_start(args, format);
	vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	print_append(explanation->steps, json_object_new_string(text));
}

/* The result is valid until the next call. */
static const char *device(struct explanation *explanation, uint32_t ifindex)
{
	return netdev_name(&explanation->session.host->netdevs, ifindex, explanation->name);
}

static void tell_source(struct explanation *explanation)
{
	const struct gateway_entry *entry = state_match_gateway(&explanation->session.state, &explanation->words->from);
	char from[IP_TEXT_LEN], prefix[PREFIX_TEXT_LEN];
	json *met;

	ip_text(&explanation->words->from, from);
	if (!entry) {
		step(explanation, "source %s: in no prefix", from);
		return;
	}
	met = print_object();
	print_add_text(met, "from", prefix_text(&entry->from, prefix));
	print_add(explanation->value, "prefix", met);
	step(explanation, "source %s: in prefix %s", from, prefix);
}

static void tell_destination(struct explanation *explanation, const char *what, const struct ip *ip)
{
	const struct bypass_entry *entry = state_match_bypass(&explanation->session.state, ip);
	char text[IP_TEXT_LEN], prefix[PREFIX_TEXT_LEN];
	json *value;

	ip_text(ip, text);
	if (!entry) {
		step(explanation, "%s %s: not on the bypass list", what, text);
		return;
	}
	value = print_object();
	print_add_text(value, "to", prefix_text(&entry->to, prefix));
	print_add_text(value, "verdict", word_of(verdict_words, WGVIA_VERDICT_COUNT, entry->value.verdict));
	if (entry->value.verdict == WGVIA_REDIRECTED)
		step(explanation, "%s %s: not exempt, %s is not reached through the tunnel", what, text, prefix);
	else
		step(explanation, "%s %s: on the bypass list with %s, %s", what, text, prefix,
		     print_text(value, "verdict"));
	print_add(explanation->value, what, value);
}

/* The gateway of the packet's source or destination, its device and its neighbour. */
static void tell_gateway(struct explanation *explanation, const struct ip *address)
{
	const struct session *session = &explanation->session;
	const struct gateway_entry *entry = state_match_gateway(&session->state, address);
	cleanup(points_free) struct points points = {};
	struct neighbour *neighbour = &explanation->neighbour;
	char via[IP_TEXT_LEN], gateways[STATEMENT_MAX], mac[MAC_TEXT_LEN];
	const struct netdev *dev;
	const struct gateway_list *list;
	const char *problem, *name;
	struct wgvia_hop hop;
	json *gateway;
	struct ip ip;

	if (!entry)
		return;
	explanation->gateway = entry;
	gateway = print_object();
	hop = hop_of(&entry->value);
	list = failover_find(&session->state, &entry->value);
	ip = gateway_ip(&entry->value);
	dev = netdev_by_index(&session->host->netdevs, entry->value.ifindex);
	name = device(explanation, entry->value.ifindex);
	instance_points(&session->instance, &session->host->netdevs, &points);
	problem = gateway_problem(session->host, &points, entry);
	ip_text(&ip, via);
	print_add(explanation->value, "gateway", gateway);
	print_add_hop(gateway, &hop, &session->host->netdevs);
	print_add_bool(gateway, "usable", !problem && dev);
	if (problem || !dev) {
		print_add_text(gateway, "problem", problem);
		step(explanation, "gateway %s dev %s: unusable, %s", via, name, problem);
		return;
	}
	if (list && failover_current(list, &entry->value) >= 0)
		step(explanation, "gateway: number %d of those that the prefix has, %s",
		     failover_current(list, &entry->value) + 1,
		     statement_of_gateways(&session->state, &entry->value, &session->host->netdevs, gateways));
	rtnl_get_neighbour(session->host->rtnl, entry->value.ifindex, &ip, neighbour);
	print_add(gateway, "neighbour", print_neighbour(neighbour));
	step(explanation, "gateway %s dev %s: %s, mtu %u, neighbour %s%s%s", via, name, netdev_state(dev), dev->mtu,
	     neighbour->has_lladdr ? mac_text(neighbour->lladdr, mac) : "", neighbour->has_lladdr ? " " : "",
	     neighbour_word(neighbour));
}

/*
 * Adds to the explanation what the kernel does with a packet that is left to it. Returns the device by which it leaves;
 * 0: none.
 */
static uint32_t tell_kernel(struct explanation *explanation, uint32_t ingress)
{
	static const char *const types[] = {
		[RTN_UNICAST] = "unicast",	   [RTN_LOCAL] = "local",	  [RTN_BROADCAST] = "broadcast",
		[RTN_ANYCAST] = "anycast",	   [RTN_MULTICAST] = "multicast", [RTN_BLACKHOLE] = "blackhole",
		[RTN_UNREACHABLE] = "unreachable", [RTN_PROHIBIT] = "prohibit"};
	struct forward forward;
	char via[IP_TEXT_LEN];
	json *value = print_object();
	const char *type;

	print_add(explanation->value, "kernel", value);
	if (rtnl_get_forward(explanation->session.host->rtnl, &explanation->words->from, &explanation->words->to,
			     ingress, &forward)) {
		step(explanation, "kernel: reports no route");
		return 0;
	}
	if (forward.error) {
		explanation->kernel_drops = true;
		print_add_text(value, "error", strerror(forward.error));
		step(explanation, "kernel: drops it, %s", strerror(forward.error));
		return 0;
	}
	type = forward.type < ARRAY_SIZE(types) && types[forward.type] ? types[forward.type] : "?";
	print_add_text(value, "type", type);
	if (forward.type == RTN_LOCAL || forward.type == RTN_ANYCAST || forward.type == RTN_BROADCAST) {
		step(explanation, "kernel: delivers it to this host (%s)", type);
		return 0;
	}
	if (forward.type != RTN_UNICAST) {
		step(explanation, "kernel: does not forward it (%s)", type);
		return 0;
	}
	print_add_text(value, "dev", device(explanation, forward.nexthop.ifindex));
	if (forward.nexthop.via.family) {
		print_add_text(value, "via", ip_text(&forward.nexthop.via, via));
		step(explanation, "kernel: forwards it via %s dev %s", via,
		     device(explanation, forward.nexthop.ifindex));
	} else {
		step(explanation, "kernel: forwards it by dev %s", device(explanation, forward.nexthop.ifindex));
	}
	return forward.nexthop.ifindex;
}

/* --- decisions --- */

static const struct attachment *attachment_at(const struct instance *instance, enum wgvia_direction direction,
					      uint32_t ifindex)
{
	for (size_t i = 0; i < instance->attachment_count; i++) {
		const struct attachment *attachment = &instance->attachments[i];

		if (attachment->alive && attachment->direction == direction &&
		    (!ifindex || attachment->ifindex == ifindex))
			return attachment;
	}
	return NULL;
}

static const uint8_t nobody[ETH_ALEN]; /* a sender that is not a gateway */

static const char *verdict_of(const struct test_run *trial)
{
	return trial->counted ? verdict_words[trial->verdict] : "not handled by wgvia, passed on";
}

static const char *action_word(const struct test_run *trial)
{
	return trial->action == TC_ACT_REDIRECT ? "redirect" : trial->action == TC_ACT_SHOT ? "drop" : "next";
}

static int try_packet(struct explanation *explanation, enum wgvia_direction direction, uint32_t ifindex,
		      uint32_t ingress, const uint8_t sender[ETH_ALEN], struct test_run *trial)
{
	uint8_t frame[ETH_HLEN + EXPLAIN_LEN_MAX];

	*trial = (struct test_run){.point = {direction, ifindex, false}, .ingress_ifindex = ingress, .frame = frame};
	trial->frame_len = make_frame(explanation->words, sender, frame);
	return test_run_run(&explanation->session.instance, trial, &explanation->context->error);
}

static int decide(struct explanation *explanation, enum wgvia_direction direction, uint32_t ifindex, uint32_t ingress,
		  const uint8_t sender[ETH_ALEN], struct test_run *trial)
{
	int ret = try_packet(explanation, direction, ifindex, ingress, sender, trial);

	if (ret)
		return ret;
	/* the egress program ignores packets that the ingress program left to the kernel */
	if (!trial->counted && explanation->has_verdict)
		return 0;
	explanation->has_verdict |= trial->counted;
	print_add_text(explanation->value, "direction", direction_words[direction]);
	print_add_device(explanation->value, &explanation->session.host->netdevs, ifindex);
	if (trial->counted)
		print_add_text(explanation->value, "verdict", verdict_words[trial->verdict]);
	print_add_text(explanation->value, "tc_action", action_word(trial));
	return 0;
}

static void tell_end(struct explanation *explanation, const char *text)
{
	print_add_text(explanation->value, "result", text);
}

static void tell_to_firewall(struct explanation *explanation, const struct test_run *trial)
{
	const struct neighbour *neighbour = &explanation->neighbour;
	const struct wgvia_gateway *gateway;
	const char *lost = "";
	char text[256], via[IP_TEXT_LEN];
	const struct netdev *dev;
	struct ip ip;

	if (!explanation->gateway) { /* the maps have changed since they were read */
		tell_end(explanation, verdict_words[trial->verdict]);
		return;
	}
	gateway = &explanation->gateway->value;
	ip = gateway_ip(gateway);
	dev = netdev_by_index(&explanation->session.host->netdevs, gateway->ifindex);
	/* in this case bpf_redirect_neigh() drops silently */
	if (strcmp(netdev_state(dev), "up") != 0)
		lost = ", which is not up: the packet is lost";
	else if (neighbour->known && neighbour->state & NUD_FAILED)
		lost = ", which does not answer: the packet is lost";
	snprintf(text, sizeof(text), "%s: to the firewall %s by dev %s%s", verdict_words[trial->verdict],
		 ip_text(&ip, via), device(explanation, gateway->ifindex), lost);
	tell_end(explanation, text);
}

static void tell_dropped(struct explanation *explanation, const struct test_run *trial)
{
	const char *why = "";
	char text[128];

	if (trial->verdict == WGVIA_NO_GATEWAY)
		why = " (on-fail drop)";
	else if (trial->verdict == WGVIA_REFUSED && trial->point.direction == WGVIA_EGRESS)
		why = " (outside drop)";
	snprintf(text, sizeof(text), "%s: dropped%s", verdict_words[trial->verdict], why);
	tell_end(explanation, text);
}

/* ip_forward(), ip6_forward(): whether the kernel sends an ICMP error instead of forwarding by that device. */
static bool kernel_answers(struct explanation *explanation, const char *reason, uint32_t ifindex)
{
	const struct netdev *dev = netdev_by_index(&explanation->session.host->netdevs, ifindex);
	const char *answer = NULL;
	char text[256];

	if (!dev)
		return false;
	if (explanation->words->hop_limit <= 1)
		answer = "Time Exceeded";
	else if (explanation->words->len > dev->mtu && explanation->words->from.family == AF_INET6)
		answer = "Packet Too Big";
	else if (explanation->words->len > dev->mtu)
		step(explanation, "kernel: sends it in fragments, because dev %s has mtu %u", dev->name, dev->mtu);
	if (!answer)
		return false;
	snprintf(text, sizeof(text), "%s: the kernel answers with %s", reason, answer);
	tell_end(explanation, text);
	return true;
}

/* The kernel sends it by that device; if an egress program is attached there, that one decides. */
static int follow_egress(struct explanation *explanation, const char *reason, uint32_t ifindex, uint32_t ingress)
{
	char text[256];
	struct test_run trial;
	int ret;

	if (ifindex && attachment_at(&explanation->session.instance, WGVIA_EGRESS, ifindex)) {
		ret = decide(explanation, WGVIA_EGRESS, ifindex, ingress, nobody, &trial);
		if (ret)
			return ret;
		step(explanation, "egress program at dev %s: %s", device(explanation, ifindex), verdict_of(&trial));
		if (trial.counted && trial.verdict == WGVIA_RETARGETED) {
			tell_gateway(explanation, &explanation->words->from);
			tell_to_firewall(explanation, &trial);
			return 0;
		}
		if (trial.action == TC_ACT_SHOT) {
			if (trial.verdict != WGVIA_REFUSED)
				tell_gateway(explanation, &explanation->words->from);
			tell_dropped(explanation, &trial);
			return 0;
		}
	}
	snprintf(text, sizeof(text), "%s: left to the kernel%s", reason,
		 explanation->kernel_drops ? ", which drops it" : "");
	tell_end(explanation, text);
	return 0;
}

static int follow_kernel(struct explanation *explanation, const char *reason, uint32_t ingress)
{
	uint32_t ifindex = tell_kernel(explanation, ingress);

	return kernel_answers(explanation, reason, ifindex) ? 0 : follow_egress(explanation, reason, ifindex, ingress);
}

/* The LAN device to which the firewall sends it: that of the destination's prefix, or any with a program of ours. */
static uint32_t lan_device(const struct explanation *explanation)
{
	const struct gateway_entry *entry = state_match_gateway(&explanation->session.state, &explanation->words->to);
	const struct attachment *any = attachment_at(&explanation->session.instance, WGVIA_EGRESS, 0);

	if (entry && netdev_by_index(&explanation->session.host->netdevs, entry->value.ifindex))
		return entry->value.ifindex;
	return any ? any->ifindex : 0;
}

/* An ifindex that is not in use. */
#define TUNNEL_OF_LATER INT32_MAX

/* Only the egress programs are attached: runs the one of the gateway's device. */
static int explain_absent(struct explanation *explanation)
{
	const struct gateway_entry *entry = state_match_gateway(&explanation->session.state, &explanation->words->from);

	step(explanation, "interface '%s' does not exist: only the egress programs will see packets from it",
	     explanation->words->tunnel);
	return follow_egress(explanation, "not re-targeted", entry ? entry->value.ifindex : lan_device(explanation),
			     TUNNEL_OF_LATER);
}

static int explain_out(struct explanation *explanation)
{
	uint32_t tunnel = explanation->session.instance.meta.tunnel_ifindex;
	struct test_run trial;
	int ret;

	if (!attachment_at(&explanation->session.instance, WGVIA_OUT, tunnel)) {
		const struct netdev *netdev =
			netdev_by_name(&explanation->session.host->netdevs, explanation->words->tunnel);

		tell_source(explanation);
		tell_destination(explanation, "destination", &explanation->words->to);
		return netdev ? follow_kernel(explanation, "not re-targeted", netdev->ifindex)
			      : explain_absent(explanation);
	}
	ret = decide(explanation, WGVIA_OUT, tunnel, tunnel, nobody, &trial);
	if (ret)
		return ret;
	tell_source(explanation);
	if (trial.verdict > WGVIA_OUTSIDE)
		tell_destination(explanation, "destination", &explanation->words->to);
	if (trial.verdict == WGVIA_HOP_LIMIT)
		step(explanation, "hop limit %u is used up: the kernel answers with Time Exceeded",
		     explanation->words->hop_limit);
	if (trial.verdict >= WGVIA_TOO_BIG)
		tell_gateway(explanation, &explanation->words->from);
	if (trial.verdict == WGVIA_TOO_BIG)
		step(explanation, "%u bytes do not fit: the kernel fragments, or answers with Packet Too Big",
		     explanation->words->len);
	step(explanation, "program at the ingress of dev %s: %s", device(explanation, tunnel),
	     verdict_words[trial.verdict]);
	if (trial.action == TC_ACT_REDIRECT)
		tell_to_firewall(explanation, &trial);
	else if (trial.action == TC_ACT_SHOT)
		tell_dropped(explanation, &trial);
	else
		return follow_kernel(explanation, verdict_words[trial.verdict], tunnel);
	return 0;
}

/* Adds what would happen if a host other than a gateway had sent it, if that makes a difference. */
static int tell_other_sender(struct explanation *explanation, uint32_t lan, const struct test_run *trial)
{
	json *value;
	struct test_run other;
	int ret = try_packet(explanation, WGVIA_BACK, lan, lan, nobody, &other);

	if (ret || (other.counted == trial->counted && other.verdict == trial->verdict))
		return ret;
	value = print_object();
	if (other.counted)
		print_add_text(value, "verdict", verdict_words[other.verdict]);
	print_add_text(value, "tc_action", action_word(&other));
	print_add(explanation->value, "other_sender", value);
	step(explanation, "the same from another MAC address: %s%s", verdict_of(&other),
	     other.action == TC_ACT_SHOT       ? ", dropped"
	     : other.verdict == WGVIA_BOUNCED  ? ", to the firewall first"
	     : other.action == TC_ACT_REDIRECT ? ", into the tunnel"
					       : ", left to the kernel");
	return 0;
}

/* From the firewall, if its MAC address is known, and from another sender. */
static int explain_in(struct explanation *explanation)
{
	uint32_t lan = lan_device(explanation);
	struct test_run trial;
	char text[64];
	int ret;

	tell_destination(explanation, "destination", &explanation->words->to);
	if (!attachment_at(&explanation->session.instance, WGVIA_BACK, lan))
		return follow_kernel(explanation, "not returned", lan);
	tell_destination(explanation, "source", &explanation->words->from);
	tell_gateway(explanation, &explanation->words->to);
	ret = decide(explanation, WGVIA_BACK, lan, lan, explanation->neighbour.lladdr, &trial);
	if (ret)
		return ret;
	step(explanation, "program at the ingress of dev %s: %s", device(explanation, lan), verdict_of(&trial));
	ret = tell_other_sender(explanation, lan, &trial);
	if (ret)
		return ret;
	if (trial.action == TC_ACT_REDIRECT && trial.verdict == WGVIA_BOUNCED) {
		tell_to_firewall(explanation, &trial);
		return 0;
	}
	if (trial.action == TC_ACT_REDIRECT) {
		snprintf(text, sizeof(text), "%s: into the tunnel", verdict_words[trial.verdict]);
		tell_end(explanation, text);
		return 0;
	}
	if (trial.action == TC_ACT_SHOT) {
		tell_dropped(explanation, &trial);
		return 0;
	}
	return follow_kernel(explanation, trial.counted ? verdict_words[trial.verdict] : "not returned", lan);
}

static void print_explanation(const struct context *context, const json *value)
{
	json *steps = print_member(value, "steps");

	(void)context;
	printf("%s: %s from %s to %s len %" PRIu64 " hop-limit %" PRIu64 "\n", print_text(value, "interface"),
	       print_text(value, "dir"), print_text(value, "from"), print_text(value, "to"), print_number(value, "len"),
	       print_number(value, "hop_limit"));
	for (size_t i = 0; i < json_object_array_length(steps); i++)
		printf("    %s\n", json_object_get_string(json_object_array_get_idx(steps, i)));
	printf("  %s\n", print_text(value, "result"));
}

static int explain(struct explanation *explanation)
{
	const struct explain_words *words = explanation->words;
	const struct bypass_entry *to;
	char text[IP_TEXT_LEN];
	bool in;
	int ret = session_read(&explanation->session, words->tunnel);

	if (!ret)
		ret = session_read_host(&explanation->session, HOST_NETDEVS | HOST_LOCAL);
	if (ret)
		return ret;

	to = state_match_bypass(&explanation->session.state, &words->to);
	in = words->direction == EXPLAIN_IN ||
	     (words->direction == EXPLAIN_ANY && !state_match_gateway(&explanation->session.state, &words->from) &&
	      to && to->value.verdict == WGVIA_TUNNEL);
	print_add_text(explanation->value, "interface", words->tunnel);
	print_add_text(explanation->value, "dir", in ? "in" : "out");
	print_add_text(explanation->value, "from", ip_text(&words->from, text));
	print_add_text(explanation->value, "to", ip_text(&words->to, text));
	print_add_number(explanation->value, "len", words->len);
	print_add_number(explanation->value, "hop_limit", words->hop_limit);
	return in ? explain_in(explanation) : explain_out(explanation);
}

int cmd_explain(struct context *context, int argc, char **argv)
{
	cleanup(print_release) json *values = print_array();
	struct explain_words words;
	struct explanation explanation = {.context = context,
					  .words = &words,
					  .session = SESSION(context),
					  .value = print_object(),
					  .steps = print_array()};
	int ret;

	print_append(values, explanation.value);
	print_add(explanation.value, "steps", explanation.steps);
	ret = parse_explain(argc, argv, &words, &context->error);
	if (!ret)
		ret = explain(&explanation);
	if (!ret)
		print_instances(context, values, true, print_explanation);
	session_end(&explanation.session);
	return ret;
}
