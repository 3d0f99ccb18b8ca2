// SPDX-License-Identifier: GPL-2.0-only
/*
 * Findings about the firewalls, for `check --probe`: for each prefix that contains an address of the tunnel, whether
 * each of its gateways answers neighbour requests, forwards from one host of the LAN to another, and has a return path
 * to the prefix. host/probe.h describes the packets, probing.c chooses the gateways; this file judges the results. The
 * probes also show from which MAC address the gateway sends, whether it sends redirects, and whether two hosts answer
 * for its address.
 */
#include <linux/capability.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

#include "base/abi_words.h"
#include "base/permissions.h"
#include "base/util.h"
#include "check/answers.h"
#include "check/finding.h"
#include "check/probing.h"
#include "config/failover.h"
#include "host/probe.h"
#include "session/session.h"

/* A fault of a gateway on standby does not lose packets yet. */
static enum severity severity_of(const struct story *story)
{
	return story->stands_by ? SEVERITY_WARNING : SEVERITY_ERROR;
}

static const char *role_of(const struct story *story)
{
	return story->stands_by ? "; it is on standby" : "";
}

/* --- meaning of the results --- */

#define ROUTE_MAX (PREFIX_TEXT_LEN + IP_TEXT_LEN + 32)
/* The route that the firewall lacks; a route for everything would take all of its traffic. */
static const char *route_text(const struct story *story, char text[ROUTE_MAX])
{
	struct prefix host = prefix_of_ip(&story->probe->vpn);
	char to[PREFIX_TEXT_LEN];

	prefix_text(story->entry->from.len ? &story->entry->from : &host, to);
	snprintf(text, ROUTE_MAX, "ip route replace %s via %s", to, story->lan);
	return text;
}

static void say_route(const struct story *story, char remedy[FINDING_REMEDY])
{
	char route[ROUTE_MAX];

	snprintf(remedy, FINDING_REMEDY, "on the firewall: %s", route_text(story, route));
}

/*
 * The same if this host may be part of a pair. The firewall's route may lead to the pair's active gateway, and if so
 * must not change.
 */
static void say_route_unless_paired(const struct story *story, char remedy[FINDING_REMEDY])
{
	char route[ROUTE_MAX];

	snprintf(remedy, FINDING_REMEDY,
		 "on the firewall: DEV=$(ip -o route get %s | grep -o ' dev [^ ]*'); "
		 "ip route get %s | grep -q \" via .*$DEV \" || %s",
		 story->lan, story->vpn, route_text(story, route));
}

/* Whether the address belongs to a host of the LAN other than the firewall. */
static bool is_another_host(const struct story *story, const struct ip *ip)
{
	const struct probing *probing = story->probing;
	bool near = ip->family && ip_is_link_local(ip);

	if (!ip->family || ip_equal(ip, &story->probe->via))
		return false;
	for (size_t i = 0; i < probing->own->count; i++) {
		const struct address *own = &probing->own->all[i];
		struct prefix subnet = {ip_mask(own->ip, own->len), own->len};

		if (!own->is_usable)
			continue;
		if (ip_equal(&own->ip, ip))
			return false;
		near |= own->ifindex == story->probe->ifindex && own->ip.family == ip->family &&
			prefix_contains(&subnet, ip);
	}
	return near;
}

/* The rule that the firewall lacks. Its tables and chains are unknown here. */
static void say_rule(const struct story *story, char remedy[FINDING_REMEDY])
{
	const struct address *lan =
		probe_find_lan(story->probing->own, story->probe->ifindex, &story->probe->via, &story->probe->vpn);
	struct prefix subnet = {ip_mask(lan->ip, lan->len), lan->len};
	const char *family = lan->ip.family == AF_INET ? "ip" : "ip6";
	char to[PREFIX_TEXT_LEN];

	snprintf(remedy, FINDING_REMEDY,
		 "on the firewall, in its own table and chain: nft insert "
		 "rule inet filter forward %s saddr %s %s daddr %s accept",
		 family, story->from, family, prefix_text(&subnet, to));
}

static void add_neighbour(const struct story *story)
{
	char remedy[FINDING_REMEDY];

	snprintf(remedy, sizeof(remedy), "on the firewall: ip address show up to %s", story->via);
	finding_add(story->probing->examined, severity_of(story), "probe_neighbour", remedy,
		    "gateway %s does not answer neighbour requests on dev %s, "
		    "which were just sent (%s): %s '%s' %s",
		    story->via, story->dev, neighbour_word(&story->probe->neighbour),
		    story->stands_by ? "it is on standby for" : "traffic from", story->from,
		    story->stands_by ? "and would not help" : "is lost");
}

static void __attribute__((format(printf, 4, 5))) add_forward(const struct story *story, const char *remedy,
							      const char *what, const char *format, ...)
{
	char why[300];
	va_list args;

	va_start(args, format);
	vsnprintf(why, sizeof(why), format, args);
	va_end(args);
	finding_add(story->probing->examined, severity_of(story), "probe_forward", remedy,
		    "gateway %s dev %s %s: a ping from %s to %s with hop limit 2, sent to it, did not come back; %s%s",
		    story->via, story->dev, what, story->vpn, story->lan, why, role_of(story));
}

static void __attribute__((format(printf, 3, 4))) add_return(const struct story *story, const char *remedy,
							     const char *format, ...)
{
	char why[400];
	va_list args;

	va_start(args, format);
	vsnprintf(why, sizeof(why), format, args);
	va_end(args);
	finding_add(story->probing->examined, severity_of(story), "probe_return", remedy,
		    "gateway %s dev %s has no return path to '%s' through this host: %s%s", story->via, story->dev,
		    story->from, why, role_of(story));
}

/*
 * The return path leads to another host of the LAN. In a pair that may be the active gateway, and then it is right, so
 * no command to change it is given.
 */
static bool judge_elsewhere(const struct story *story, const struct probe_fate *fate)
{
	const struct ip *better = &story->probe->better;
	const struct ip *other = is_another_host(story, better) ? better : &fate->by;
	char remedy[FINDING_REMEDY], text[IP_TEXT_LEN];

	if (other == &fate->by && (!fate->refused || !is_another_host(story, other)))
		return false;
	snprintf(remedy, sizeof(remedy), "on the firewall: ip route get %s", story->vpn);
	finding_add(story->probing->examined, SEVERITY_WARNING, "probe_return", remedy,
		    "gateway %s dev %s has its return path to '%s' through %s, not through this host: that is right "
		    "while %s is the active gateway of a pair and this host is on standby, and wrong otherwise",
		    story->via, story->dev, story->from, ip_text(other, text), text);
	return true;
}

/* The request came back; its answer did not. */
static void judge_answer(const struct story *story)
{
	const struct probe_fate *answer = &story->probe->fates[PROBE_ANSWER];
	char by[IP_TEXT_LEN] = "", remedy[FINDING_REMEDY];

	if (judge_elsewhere(story, answer))
		return;
	say_route(story, remedy);
	if (!answer->refused || answer->refusal == REFUSAL_NO_HOST)
		say_route_unless_paired(story, remedy);
	if (answer->refused)
		ip_text(&answer->by, by);
	if (answer->refused && answer->refusal == REFUSAL_EXPIRED)
		add_return(story, remedy,
			   "it forwarded a ping from %s, but sent the answer from %s to %s, where it was lost",
			   story->vpn, story->lan, by);
	else if (answer->refused && answer->refusal == REFUSAL_PROHIBITED)
		add_return(story,
			   "on the firewall, in its own table and chain: nft insert rule inet filter forward ct state "
			   "established,related accept",
			   "it forwarded a ping from %s, but to the answer from %s, %s answered '%s'", story->vpn,
			   story->lan, by, refusal_words[answer->refusal]);
	else if (answer->refused)
		add_return(story, remedy, "it forwarded a ping from %s, but to the answer from %s, %s answered '%s'",
			   story->vpn, story->lan, by, refusal_words[answer->refusal]);
	else
		add_return(story, remedy,
			   "it forwarded a ping from %s, but not the answer from %s: its route is missing or leads "
			   "elsewhere (to the active gateway, if this host is the other one of a pair), or it drops "
			   "answers",
			   story->vpn, story->lan);
}

/*
 * The request did not come back. A strict reverse path filter (RFC 3704) drops it if the return path is missing, so
 * that comes first.
 */
static void judge_request(const struct story *story)
{
	const struct probe_fate *fates = story->probe->fates;
	const struct probe_fate *request = &fates[PROBE_REQUEST], *inward = &fates[PROBE_INWARD];
	bool four = story->probe->vpn.family == AF_INET;
	char by[IP_TEXT_LEN] = "", route[FINDING_REMEDY], rule[FINDING_REMEDY];

	if (!request->refused && judge_elsewhere(story, inward))
		return;
	say_route(story, route);
	say_rule(story, rule);
	if (request->refused || inward->refused)
		ip_text(request->refused ? &request->by : &inward->by, by);

	if (request->refused)
		add_forward(story, request->refusal == REFUSAL_PROHIBITED ? rule : "", "does not send it back",
			    "%s answered '%s'", by, refusal_words[request->refusal]);
	else if (inward->refused && inward->refusal != REFUSAL_PROHIBITED)
		add_return(story, route,
			   "a ping from %s to %s was not forwarded, and to one in the other direction %s answered "
			   "'%s'; a reverse path filter drops packets from addresses without a return path",
			   story->vpn, story->lan, by, refusal_words[inward->refusal]);
	else if (inward->refused)
		add_forward(story, rule, "does not forward", "to one in the other direction %s answered '%s'", by,
			    refusal_words[inward->refusal]);
	else if (inward->arrived)
		add_forward(story, rule, "does not forward packets from the prefix",
			    "one in the other direction did: its rules drop the first");
	else if (fates[PROBE_WITHIN].arrived)
		add_return(story, route,
			   "a ping from %s to %s was not forwarded, nor one in the other direction, but one from %s "
			   "to itself was: it forwards, but its route to %s is missing or leads elsewhere, and a "
			   "reverse path filter drops packets from there",
			   story->vpn, story->lan, story->lan, story->vpn);
	else if (fates[PROBE_DYING].refused)
		add_forward(story, rule, "does not forward between hosts of its link",
			    "it does forward elsewhere, because it answers '%s' to hop limit 1: its rules drop "
			    "pings, or packets that leave by the device that they came in by",
			    refusal_words[fates[PROBE_DYING].refusal]);
	else
		add_forward(story,
			    four ? "on the firewall: sysctl -w net.ipv4.ip_forward=1"
				 : "on the firewall: sysctl -w net.ipv6.conf.all.forwarding=1",
			    "does not forward",
			    "nor did any other, and it sent no error: it is not a router, or drops pings");
}

static void judge(const struct story *story)
{
	const struct probe *probe = story->probe;
	const struct probe_fate *request = &probe->fates[PROBE_REQUEST];

	if (!probe->resolved)
		add_neighbour(story);
	else if (probe->fates[PROBE_ANSWER].arrived)
		finding_add(story->probing->examined, SEVERITY_INFO, "probe", "",
			    "gateway %s dev %s answers neighbour requests, forwards between hosts of its link, and has "
			    "a return path to '%s': it forwarded a ping from %s to %s and its answer%s",
			    story->via, story->dev, story->from, story->vpn, story->lan, role_of(story));
	else if (request->arrived)
		judge_answer(story);
	else if (probe->error && !request->refused)
		finding_add(story->probing->examined, SEVERITY_WARNING, "probe_skipped", "",
			    "gateway %s dev %s cannot be probed from %s: cannot send to it: %s", story->via, story->dev,
			    story->vpn, strerror(probe->error));
	else
		judge_request(story);
}

/* --- other results --- */

static struct sender_target target_of(const struct story *story)
{
	const struct probe *probe = story->probe;
	struct sender_target target = {
		.hop = hop_of(&story->entry->value),
		.has_mac = probe->neighbour.has_lladdr,
		.came = {probe->fates[PROBE_REQUEST].arrived, probe->fates[PROBE_ANSWER].arrived}};

	snprintf(target.name, sizeof(target.name), "%s dev %s", story->via, story->dev);
	memcpy(target.mac, probe->neighbour.lladdr, sizeof(target.mac));
	memcpy(target.senders[SENDER_REQUEST], probe->senders[PROBE_REQUEST], sizeof(target.mac));
	memcpy(target.senders[SENDER_ANSWER], probe->senders[PROBE_ANSWER], sizeof(target.mac));
	return target;
}

/* Once per gateway, which may serve several prefixes; stored if there is an instance. */
static void tell_senders(struct probing *probing)
{
	struct examined *examined = probing->examined;
	struct sender_targets found = {};
	char text[SENDER_TEXT_MAX];
	bool changed;

	for (size_t i = 0; i < probing->count; i++) {
		struct story story = probing_story(probing, i);
		struct sender_target target = target_of(&story), *added;
		bool known = false;

		for (size_t j = 0; j < found.count; j++)
			known |= hop_equal(&found.all[j].hop, &target.hop);
		added = known ? NULL : array_grow(&found.all, &found.count, sizeof(*added));
		if (!added)
			continue;
		*added = target;
		if (sender_is_another(&target))
			finding_add(examined, SEVERITY_INFO, "probe_sender", "", "%s", sender_text(&target, text));
	}
	if (examined->is_running)
		session_write_senders(examined->instance->root, examined->tunnel, &found, true, &changed);
	free(found.all);
}

/*
 * The interface has its own setting in addition to `all`. IPv6 has no such setting, and its redirects are only about
 * link-local next hops.
 */
static void tell_redirects(const struct story *story)
{
	static const char *const effects[WORDS_RETURN] = {
		[WGVIA_RETURN_VIA] =
			"and wgvia has to send each packet to the firewall; without redirects it would not",
		[WGVIA_RETURN_ANY] = "which 'return any' accepts, so the firewall does not see both directions",
		[WGVIA_RETURN_DROP] = "which 'return drop' drops: their connections fail",
	};
	enum wgvia_return ret = story->probing->examined->plan.state.ret;
	bool four = story->probe->vpn.family == AF_INET;
	char remedy[FINDING_REMEDY];

	if (!story->probe->redirects)
		return;
	if (four)
		snprintf(remedy, sizeof(remedy),
			 "on the firewall: for i in all $(ip -o route get %s | sed 's/.* dev \\([^ ]*\\).*/\\1/'); do "
			 "echo 0 >/proc/sys/net/ipv4/conf/$i/send_redirects; done",
			 story->lan);
	else
		snprintf(remedy, sizeof(remedy),
			 "on the firewall: nft 'table ip6 no_redirects { chain output { type filter hook output "
			 "priority 0; icmpv6 type nd-redirect drop; }; }'");
	finding_add(story->probing->examined, ret == WGVIA_RETURN_VIA ? SEVERITY_INFO : SEVERITY_WARNING,
		    "probe_redirects", remedy,
		    "gateway %s dev %s sends ICMP redirects, as it just did to this host: hosts of the LAN that "
		    "obey them answer '%s' through this host, %s",
		    story->via, story->dev, story->from, effects[ret]);
}

static void tell_answers(const struct story *story, const struct answers *answers)
{
	const struct probe *probe = story->probe;
	char macs[ANSWERS_MAX * (MAC_TEXT_LEN + 5)] = "", mac[MAC_TEXT_LEN], remedy[FINDING_REMEDY] = "";
	size_t len = 0;

	if (answers->count < 2)
		return;
	for (size_t i = 0; i < answers->count; i++)
		len += snprintf(macs + len, sizeof(macs) - len, "%s%s", i ? " and " : "",
				mac_text(answers->macs[i], mac));
	mac_text(probe->neighbour.lladdr, mac);
	if (probe->fates[PROBE_ANSWER].arrived)
		snprintf(remedy, sizeof(remedy),
			 "if the firewall is %s, which has forwarded the probe: "
			 "ip neighbour replace %s lladdr %s dev %s nud permanent",
			 mac, story->via, mac, story->dev);
	finding_add(story->probing->examined, probe->neighbour.kept ? SEVERITY_INFO : SEVERITY_WARNING,
		    "probe_duplicate", probe->neighbour.kept ? "" : remedy, "%s answer for gateway %s on dev %s: %s",
		    macs, story->via, story->dev,
		    probe->neighbour.kept ? "the permanent neighbour entry applies"
					  : "packets from its prefixes go to the host that answers last");
}

/* After the probes, because answers may change the kernel's neighbour entry. */
static void ask_for_rivals(struct probing *probing)
{
	cleanup_free struct answers *answers = calloc(probing->count + 1, sizeof(*answers));

	if (answers)
		answers_get(probing->probes, probing->count, answers);
	for (size_t i = 0; answers && i < probing->count; i++) {
		struct story story = probing_story(probing, i);

		tell_answers(&story, &answers[i]);
	}
}

void check_probe(struct examined *examined)
{
	struct probing probing = {.examined = examined, .own = &examined->host->addresses};
	/* for neighbour requests, and for packet sockets */
	uint64_t needed = CAPABILITY(CAP_NET_ADMIN) | CAPABILITY(CAP_NET_RAW);
	struct permissions own = permissions_own();
	struct error error = {};
	int ret = 0;

	probing_choose(&probing);
	if (probing.count && permissions_missing(&own, needed))
		ret = -EPERM;
	else if (probing.count)
		ret = probe_run(examined->host->rtnl, probing.probes, probing.count);
	if (ret) {
		error_system(&error, -ret, "cannot probe the firewall");
		error_permissions(&error, needed, -ret);
		finding_add(examined, SEVERITY_WARNING, "probe_skipped", error.hint, "%s", error.text);
	}
	for (size_t i = 0; i < probing.count && !ret; i++) {
		struct story story = probing_story(&probing, i);

		judge(&story);
		tell_redirects(&story);
	}
	if (!ret && probing.count) {
		tell_senders(&probing);
		ask_for_rivals(&probing);
	}
	probing_free(&probing);
}
