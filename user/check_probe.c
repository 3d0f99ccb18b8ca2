// SPDX-License-Identifier: GPL-2.0-only
/*
 * Findings about the firewalls, of `check --probe`: for each prefix that holds an address of the tunnel, whether its
 * gateway answers neighbour requests, forwards from a host of the LAN to another, and has a way back to the prefix.
 * Which packets tell that is probe.h's story; here they are chosen, and judged. By the way it is seen which MAC address
 * the gateway sends from, whether it sends redirects, and whether two hosts answer for its address.
 */
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

#include "answers.h"
#include "finding.h"
#include "lists.h"
#include "probe.h"
#include "sender_map.h"
#include "util.h"

/* What is being put together, and the words for one probe's findings. */
struct probing {
	struct examined *examined;
	struct address *own; /* this host's addresses, of all devices */
	size_t own_count;
	struct probe *probes;
	const struct gateway_entry **entries; /* what each of them is about */
	size_t count;
};

struct story {
	struct probing *probing;
	const struct probe *probe;
	const struct gateway_entry *entry;
	char from[PREFIX_TEXT_LEN], via[IP_TEXT_LEN], vpn[IP_TEXT_LEN], lan[IP_TEXT_LEN];
	const char *dev;
};

static struct story begin(struct probing *probing, size_t i)
{
	const struct plan *plan = &probing->examined->plan;
	const struct probe *probe = &probing->probes[i];
	struct story story = {.probing = probing,
			      .probe = probe,
			      .entry = probing->entries[i],
			      .dev = link_by_index(&plan->links, probe->ifindex)->name};

	prefix_text(&story.entry->from, story.from);
	ip_text(&probe->via, story.via);
	ip_text(&probe->vpn, story.vpn);
	if (probe->lan.family)
		ip_text(&probe->lan, story.lan);
	return story;
}

/* --- what to probe --- */

static bool is_probed(const struct probing *probing, const struct gateway_entry *entry)
{
	for (size_t i = 0; i < probing->count; i++)
		if (probing->entries[i] == entry)
			return true;
	return false;
}

/* The probe that a packet from this address of ours is, where its prefix has none yet. */
static void add_probe(struct probing *probing, const struct address *address)
{
	const struct plan *plan = &probing->examined->plan;
	const struct gateway_entry *entry = state_match_gateway(&plan->state, &address->ip);
	const struct address *lan;
	size_t count = probing->count;
	struct probe *probe;
	struct ip via;

	if (!entry || ip_is_link_local(&address->ip) || is_probed(probing, entry) ||
	    !link_by_index(&plan->links, entry->value.ifindex))
		return;
	via = gateway_ip(&entry->value);
	lan = probe_find_lan(probing->own, probing->own_count, entry->value.ifindex, &via, &address->ip);
	probe = array_grow(&probing->probes, &count, sizeof(*probe));
	if (!probe || !array_grow(&probing->entries, &probing->count, sizeof(*probing->entries)))
		return;
	probing->entries[probing->count - 1] = entry;
	*probe = (struct probe){.ifindex = entry->value.ifindex, .via = via, .vpn = address->ip};
	if (lan)
		probe->lan = lan->ip;
}

/* From the tunnel's addresses alone: a wide prefix may hold others of this host that no firewall needs a way to. */
static void choose(struct probing *probing)
{
	for (size_t i = 0; i < probing->own_count; i++)
		if (probing->own[i].ifindex == probing->examined->plan.state.tunnel_ifindex)
			add_probe(probing, &probing->own[i]);
}

/* --- what cannot be probed --- */

static void tell_prefixes_without_address(struct probing *probing)
{
	const struct state *state = &probing->examined->plan.state;
	const struct gateway_entry *first = NULL;
	char from[PREFIX_TEXT_LEN], more[32] = "";
	size_t number = 0;

	for (size_t i = 0; i < state->gateway_count; i++)
		if (!is_probed(probing, &state->gateways[i]) &&
		    link_by_index(&probing->examined->plan.links, state->gateways[i].value.ifindex) && !number++)
			first = &state->gateways[i];
	if (number > 1)
		snprintf(more, sizeof(more), " and %zu more", number - 1);
	if (number)
		finding_add(probing->examined, SEVERITY_INFO, "probe_skipped", "",
			    "the firewall's way back to '%s'%s cannot be probed: "
			    "dev %s has no address there to send from",
			    prefix_text(&first->from, from), more, probing->examined->tunnel);
}

/* Takes those out that check_host() and check_instance() have found to be hopeless, or that have no address to go to.
 */
static void leave_out(struct probing *probing)
{
	const struct plan *plan = &probing->examined->plan;
	struct prefixes local = {};
	size_t kept = 0;

	rtnl_get_local(probing->examined->rtnl, &local);
	for (size_t i = 0; i < probing->count; i++) {
		struct story story = begin(probing, i);
		const struct link *dev = link_by_index(&plan->links, story.probe->ifindex);
		const char *why = resolve_problem(&plan->links, &local, plan->points, plan->point_count, story.entry);

		if (!why && (!(dev->flags & IFF_UP) || !(dev->flags & IFF_RUNNING)))
			why = !(dev->flags & IFF_UP) ? "the device is down" : "the device has no carrier";
		if (!why && !story.probe->lan.family)
			why = story.probe->vpn.family == AF_INET
				      ? "this host has no IPv4 address on the device for the packet to come back to"
				      : "this host has no IPv6 address on the device for the packet to come back to";
		if (why) {
			finding_add(probing->examined, SEVERITY_INFO, "probe_skipped", "",
				    "gateway %s dev %s cannot be probed from %s: %s", story.via, story.dev, story.vpn,
				    why);
			continue;
		}
		probing->entries[kept] = probing->entries[i];
		probing->probes[kept++] = probing->probes[i];
	}
	probing->count = kept;
	free(local.all);
}

/* --- what it means --- */

#define ROUTE_MAX (PREFIX_TEXT_LEN + IP_TEXT_LEN + 32)
/* The route that the firewall lacks; one to everything would take all it has. */
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
 * The same where the route may lead to the active gateway of a pair, of which this host is the other: one that leads to
 * another host of this LAN stays.
 */
static void say_route_unless_paired(const struct story *story, char remedy[FINDING_REMEDY])
{
	char route[ROUTE_MAX];

	snprintf(remedy, FINDING_REMEDY,
		 "on the firewall: DEV=$(ip -o route get %s | grep -o ' dev [^ ]*'); "
		 "ip route get %s | grep -q \" via .*$DEV \" || %s",
		 story->lan, story->vpn, route_text(story, route));
}

/* Whether the address is another host's of the LAN than the firewall's. */
static bool is_another_host(const struct story *story, const struct ip *ip)
{
	const struct probing *probing = story->probing;
	bool near = ip->family && ip_is_link_local(ip);

	if (!ip->family || ip_equal(ip, &story->probe->via))
		return false;
	for (size_t i = 0; i < probing->own_count; i++) {
		const struct address *own = &probing->own[i];
		struct prefix subnet = {ip_mask(own->ip, own->len), own->len};

		if (ip_equal(&own->ip, ip))
			return false;
		near |= own->ifindex == story->probe->ifindex && own->ip.family == ip->family &&
			prefix_contains(&subnet, ip);
	}
	return near;
}

/* The rule that it lacks. Its own table and chain are not known here. */
static void say_rule(const struct story *story, char remedy[FINDING_REMEDY])
{
	const struct address *lan = probe_find_lan(story->probing->own, story->probing->own_count,
						   story->probe->ifindex, &story->probe->via, &story->probe->vpn);
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
	finding_add(story->probing->examined, SEVERITY_ERROR, "probe_neighbour", remedy,
		    "gateway %s does not answer neighbour requests on dev %s, "
		    "which were just sent (%s): what comes from '%s' is lost",
		    story->via, story->dev, neighbour_word(&story->probe->neighbour), story->from);
}

static void __attribute__((format(printf, 4, 5))) add_forward(const struct story *story, const char *remedy,
							      const char *what, const char *format, ...)
{
	char why[300];
	va_list args;

	va_start(args, format);
	vsnprintf(why, sizeof(why), format, args);
	va_end(args);
	finding_add(story->probing->examined, SEVERITY_ERROR, "probe_forward", remedy,
		    "gateway %s dev %s %s: a ping from %s to %s with hop limit 2, sent to it, did not come back; %s",
		    story->via, story->dev, what, story->vpn, story->lan, why);
}

static void __attribute__((format(printf, 3, 4))) add_return(const struct story *story, const char *remedy,
							     const char *format, ...)
{
	char why[350];
	va_list args;

	va_start(args, format);
	vsnprintf(why, sizeof(why), format, args);
	va_end(args);
	finding_add(story->probing->examined, SEVERITY_ERROR, "probe_return", remedy,
		    "gateway %s dev %s has no way back to '%s' by this host: %s", story->via, story->dev, story->from,
		    why);
}

/*
 * The return path leads to another host of the LAN. Where that is the active gateway of a pair and this host the other,
 * it has to, so no command is named that would change it.
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
		    "gateway %s dev %s has its return path to '%s' by %s, not by this host: that is right while %s is "
		    "the active gateway of a pair and this host stands by, and wrong otherwise",
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
			   "a ping from %s came back by it, but the answer from %s went to %s and died there",
			   story->vpn, story->lan, by);
	else if (answer->refused && answer->refusal == REFUSAL_PROHIBITED)
		add_return(story,
			   "on the firewall, in its own table and chain: nft insert rule inet filter forward ct state "
			   "established,related accept",
			   "a ping from %s came back by it, but to the answer from %s, %s said '%s'", story->vpn,
			   story->lan, by, refusal_words[answer->refusal]);
	else if (answer->refused)
		add_return(story, remedy, "a ping from %s came back by it, but to the answer from %s, %s said '%s'",
			   story->vpn, story->lan, by, refusal_words[answer->refusal]);
	else
		add_return(story, remedy,
			   "a ping from %s came back by it, but the answer from %s did not: "
			   "it has no route, or one that leads elsewhere (to the active "
			   "gateway, if this is the other one of a pair), or drops answers",
			   story->vpn, story->lan);
}

/*
 * The request did not come back. A strict reverse path filter (RFC 3704) drops it for want of the way back, so that is
 * asked for first.
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
			    "%s said '%s'", by, refusal_words[request->refusal]);
	else if (inward->refused && inward->refusal != REFUSAL_PROHIBITED)
		add_return(story, route,
			   "a ping from %s to %s did not come back by it, and to one the other way %s said '%s'; a "
			   "reverse path filter drops what comes from where there is no way back",
			   story->vpn, story->lan, by, refusal_words[inward->refusal]);
	else if (inward->refused)
		add_forward(story, rule, "does not forward", "to one the other way %s said '%s'", by,
			    refusal_words[inward->refusal]);
	else if (inward->arrived)
		add_forward(story, rule, "does not forward what comes from the prefix",
			    "one the other way did: its rules drop the first");
	else if (fates[PROBE_WITHIN].arrived)
		add_return(story, route,
			   "a ping from %s to %s did not come back by it, nor one the other way, while one from %s to "
			   "itself did: it forwards, but has no route to %s, or one that leads elsewhere, and a "
			   "reverse path filter drops what comes from there",
			   story->vpn, story->lan, story->lan, story->vpn);
	else if (fates[PROBE_DYING].refused)
		add_forward(story, rule, "does not forward from a host of its link to another",
			    "it does forward elsewhere, for it says '%s' to hop limit 1: its rules drop what goes out "
			    "where it came in, or pings",
			    refusal_words[fates[PROBE_DYING].refusal]);
	else
		add_forward(story,
			    four ? "on the firewall: sysctl -w net.ipv4.ip_forward=1"
				 : "on the firewall: sysctl -w net.ipv6.conf.all.forwarding=1",
			    "does not forward",
			    "nor did any other, and it does not say why: it is no router, or drops pings");
}

static void judge(const struct story *story)
{
	const struct probe *probe = story->probe;
	const struct probe_fate *request = &probe->fates[PROBE_REQUEST];

	if (!probe->resolved)
		add_neighbour(story);
	else if (probe->fates[PROBE_ANSWER].arrived)
		finding_add(
			story->probing->examined, SEVERITY_INFO, "probe", "",
			"gateway %s dev %s answers neighbour requests, forwards from a host of its link to another, "
			"and has a way back to '%s': a ping from %s to %s and its answer came by it",
			story->via, story->dev, story->from, story->vpn, story->lan);
	else if (request->arrived)
		judge_answer(story);
	else if (probe->error && !request->refused)
		finding_add(story->probing->examined, SEVERITY_WARNING, "probe_skipped", "",
			    "gateway %s dev %s cannot be probed from %s: cannot send to it: %s", story->via, story->dev,
			    story->vpn, strerror(probe->error));
	else
		judge_request(story);
}

/* --- by the way --- */

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

/* Once for each gateway, of what may be several prefixes; written down where there is an instance. */
static void tell_senders(struct probing *probing)
{
	struct examined *examined = probing->examined;
	struct sender_targets found = {};
	char text[SENDER_TEXT_MAX];
	bool changed;

	for (size_t i = 0; i < probing->count; i++) {
		struct story story = begin(probing, i);
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
		sender_map_write_to(examined->instance.root, examined->tunnel, &found, true, &changed);
	free(found.all);
}

/*
 * The interface has a say of its own beside `all`; IPv6 has no such setting, and its redirects are about link-local
 * next hops alone.
 */
static void tell_redirects(const struct story *story)
{
	bool four = story->probe->vpn.family == AF_INET;
	bool goes_in = story->probing->examined->plan.state.ret == WGVIA_RETURN_ANY;
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
	finding_add(story->probing->examined, goes_in ? SEVERITY_WARNING : SEVERITY_INFO, "probe_redirects", remedy,
		    "gateway %s dev %s sends ICMP redirects, as to this host just now: hosts of the LAN that heed them "
		    "answer '%s' by this host, %s",
		    story->via, story->dev, story->from,
		    goes_in ? "which 'return any' lets in, and the firewall does not see both directions"
			    : "and wgvia has to send each packet to the firewall; without redirects it would not");
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
		    probe->neighbour.kept ? "the neighbour entry, which is kept, decides"
					  : "what comes from its prefixes goes to the one that answers last");
}

/* After the probes: what answers may change the kernel's neighbour entry. */
static void ask_for_rivals(struct probing *probing)
{
	cleanup_free struct answers *answers = calloc(probing->count + 1, sizeof(*answers));

	if (answers)
		answers_get(probing->probes, probing->count, answers);
	for (size_t i = 0; answers && i < probing->count; i++) {
		struct story story = begin(probing, i);

		tell_answers(&story, &answers[i]);
	}
}

void check_probe(struct examined *examined)
{
	struct probing probing = {.examined = examined};
	int ret = rtnl_get_own(examined->rtnl, &probing.own, &probing.own_count);

	if (!ret) {
		choose(&probing);
		tell_prefixes_without_address(&probing);
		leave_out(&probing);
		ret = probing.count ? probe_run(examined->rtnl, probing.probes, probing.count) : 0;
	}
	if (ret)
		finding_add(examined, SEVERITY_WARNING, "probe_skipped", "", "cannot probe the firewall: %s",
			    strerror(-ret));
	for (size_t i = 0; i < probing.count && !ret; i++) {
		struct story story = begin(&probing, i);

		judge(&story);
		tell_redirects(&story);
	}
	if (!ret && probing.count) {
		tell_senders(&probing);
		ask_for_rivals(&probing);
	}
	free(probing.own);
	free(probing.entries);
	free(probing.probes);
}
