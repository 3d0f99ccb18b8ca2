// SPDX-License-Identifier: GPL-2.0-only
/*
 * The model of the decision table; see model.h. It is written for comparison with the table by reading, not for speed:
 * every match is a walk over all entries, every number is assembled from bytes.
 */
#include <stddef.h>
#include <string.h>

#include "model.h"

enum { NEXT_PROGRAM = -1, DROP = 2, REDIRECT = 7 };
enum { SENT = 1, TURNED = 2, LAST_TURN = 7, SHOWN = 0x40 }; /* the kinds of mark */
enum { FAMILY4 = 2, FAMILY6 = 10 };

#define MAGIC 0x77677600u
#define TC_INDEX 0x7776
#define TC_INDEX_BACK 0x7762

struct facts {
	bool is_ip, is_sound;
	bool v6;
	uint32_t room;	 /* bytes after the link header */
	uint32_t length; /* of the IP packet; for a malformed one, of everything */
	uint32_t header;
	uint8_t hop_limit, protocol;
	const uint8_t *ip, *source, *destination;
};

static unsigned int number16(const uint8_t *at)
{
	return at[0] * 256u + at[1];
}

static bool matches(const uint8_t *addr, const uint8_t *prefix, unsigned int bits)
{
	for (unsigned int i = 0; i < bits; i++)
		if ((addr[i / 8] ^ prefix[i / 8]) & (0x80 >> i % 8))
			return false;
	return true;
}

static const struct model_prefix *find_prefix(const struct model_config *config, bool v6, const uint8_t *addr)
{
	const struct model_prefix *best = NULL;

	for (unsigned int i = 0; i < config->prefix_count[v6]; i++) {
		const struct model_prefix *prefix = &config->prefixes[v6][i];

		if (matches(addr, prefix->addr, prefix->bits) && (!best || prefix->bits > best->bits))
			best = prefix;
	}
	return best;
}

static const struct model_bypass *find_bypass(const struct model_config *config, bool v6, const uint8_t *addr)
{
	const struct model_bypass *best = NULL;

	for (unsigned int i = 0; i < config->bypass_count[v6]; i++) {
		const struct model_bypass *bypass = &config->bypasses[v6][i];

		if (matches(addr, bypass->addr, bypass->bits) && (!best || bypass->bits > best->bits))
			best = bypass;
	}
	return best;
}

/* LOCAL, SCOPE, TUNNEL, BYPASS or -1. */
static int left_alone(const struct model_config *config, bool v6, const uint8_t *addr)
{
	const struct model_bypass *best = find_bypass(config, v6, addr);

	if (!best || best->verdict == WGVIA_REDIRECTED)
		return -1;
	if (best->verdict == WGVIA_LOCAL || best->verdict == WGVIA_SCOPE || best->verdict == WGVIA_TUNNEL)
		return best->verdict;
	return WGVIA_BYPASS;
}

/* For a packet that leaves by a LAN device: this host's addresses and those in the tunnel are not reached there. */
static bool may_leave(const struct model_config *config, bool v6, const uint8_t *addr, bool own)
{
	const struct model_bypass *best = find_bypass(config, v6, addr);

	if (!best || best->verdict == WGVIA_REDIRECTED)
		return false;
	if (best->verdict == WGVIA_SCOPE)
		return own || best->flags & 3;
	return (best->verdict != WGVIA_LOCAL && best->verdict != WGVIA_TUNNEL) || best->flags & 3 ||
	       (own && best->flags & 4);
}

/* Follows the kernel's IP input: RFC 791, RFC 8200, ip_rcv_core(), ip6_rcv_core(). `type` is the Ethernet type. */
static void look_at(const struct model_packet *packet, uint32_t link_len, struct facts *facts)
{
	unsigned int type = number16(packet->data + 12);
	const uint8_t *ip = packet->data + link_len;

	memset(facts, 0, sizeof(*facts));
	facts->ip = ip;
	facts->room = packet->len - link_len;
	facts->length = facts->room;
	if (type == 0x0800) {
		uint32_t header, length;

		facts->is_ip = true;
		if (facts->room < 20 || ip[0] / 16 != 4)
			return;
		header = ip[0] % 16 * 4;
		length = number16(ip + 2);
		if (length == 0 && packet->gso_size)
			length = facts->room;
		if (header < 20 || length < header || length > facts->room)
			return;
		facts->header = header;
		facts->length = length;
		facts->hop_limit = ip[8];
		facts->protocol = ip[9];
		facts->source = ip + 12;
		facts->destination = ip + 16;
	} else if (type == 0x86dd) {
		uint32_t length;

		facts->is_ip = true;
		facts->v6 = true;
		if (facts->room < 40 || ip[0] / 16 != 6)
			return;
		length = 40 + number16(ip + 4);
		/* a length of 0 means "elsewhere" in a jumbogram and in a GSO packet, otherwise no payload */
		if (length == 40 && (packet->gso_size || ip[6] == 0))
			length = facts->room;
		if (length > facts->room)
			return;
		facts->header = 40;
		facts->length = length;
		facts->hop_limit = ip[7];
		facts->protocol = ip[6];
		facts->source = ip + 8;
		facts->destination = ip + 24;
	} else {
		return;
	}
	facts->is_sound = true;
}

/* A frame for this host's IP stack: untagged, our MAC. */
static bool is_for_us(const struct model_packet *packet)
{
	bool in_vlan = packet->direction == WGVIA_BACK ? packet->vlan % 4096 != 0 : packet->vlan != 0;

	return !in_vlan && !memcmp(packet->data, packet->device_mac, 6);
}

static const struct model_device *find_device(const struct model_config *config, uint32_t ifindex)
{
	for (unsigned int i = 0; i < config->device_count; i++)
		if (config->devices[i].ifindex == ifindex)
			return &config->devices[i];
	return NULL;
}

/*
 * What each segment of a GSO packet repeats: the headers, if the transport header follows the IP header directly and
 * leaves a payload. 0: unknown.
 */
static uint32_t repeated_headers(const struct model_packet *packet, uint32_t link_len, const struct facts *facts)
{
	uint32_t headers = 0, at = link_len + facts->header + 12;

	if (facts->is_sound && facts->protocol == 17)
		headers = facts->header + 8;
	if (facts->is_sound && facts->protocol == 6 && at < packet->len)
		headers = facts->header + packet->data[at] / 16 * 4;
	return headers < facts->length ? headers : 0;
}

static bool fits(const struct model_config *config, const struct model_packet *packet, uint32_t link_len,
		 const struct facts *facts, uint32_t ifindex)
{
	const struct model_device *device = find_device(config, ifindex);
	uint32_t headers = repeated_headers(packet, link_len, facts);

	if (config->no_mtu)
		return true;
	/* no check for lengths that every link accepts */
	if (!packet->gso_size && facts->length <= (facts->v6 ? 1280u : 576u))
		return true;
	if (!device || !device->mtu)
		return false;
	if (!packet->gso_size)
		return facts->length <= device->mtu;
	/* a TCP segment's length is known */
	if (facts->protocol == 6 && headers)
		return facts->length <= device->mtu || headers + packet->gso_size <= device->mtu;
	/*
	 * The kernel judges other packets. In a test run the packet has no transport header, so the kernel cannot
	 * compute the length of the segments, and accepts a frame that is not longer than the device's.
	 */
	return facts->length <= device->mtu && link_len + facts->room <= 14 + device->mtu;
}

static bool is_usable(const struct model_prefix *gateway, bool v6)
{
	const uint8_t *hop = gateway->next_hop;

	if (gateway->flags & 0xffff)
		return false;
	if (gateway->family == FAMILY6)
		return hop[0] != 0xff && (hop[0] || hop[1] || hop[2] || hop[3]);
	if (gateway->family != FAMILY4 || v6)
		return false;
	return hop[0] != 0 && hop[0] != 127 && hop[0] < 224;
}

static int decide_gateway(const struct model_config *config, const struct model_packet *packet, uint32_t link_len,
			  const struct facts *facts, const struct model_prefix *gateway, bool ask_mtu, int good)
{
	const struct model_device *device = find_device(config, gateway->ifindex);

	if (!device || !device->for_gateways)
		return WGVIA_NO_GATEWAY;
	if (ask_mtu && !fits(config, packet, link_len, facts, gateway->ifindex))
		return WGVIA_TOO_BIG;
	return is_usable(gateway, facts->v6) ? good : WGVIA_NO_GATEWAY;
}

/* Segments with their headers. */
static void count(const struct model_packet *packet, uint32_t link_len, const struct facts *facts,
		  struct model_result *result)
{
	uint32_t headers = repeated_headers(packet, link_len, facts);

	result->packets = 1;
	result->bytes = facts->length;
	if (!packet->gso_size)
		return;
	result->packets = 0;
	result->bytes = 0;
	for (uint32_t left = facts->length - headers; left;) {
		uint32_t payload = left < packet->gso_size ? left : packet->gso_size;

		result->packets++;
		result->bytes += headers + payload;
		left -= payload;
	}
}

/* One hop less, and for IPv4 the checksum as in RFC 1624, equation 3. */
static void one_hop_less(const struct facts *facts, uint8_t *ip)
{
	uint32_t sum, old, new;

	if (facts->v6) {
		ip[7]--;
		return;
	}
	old = number16(ip + 8);
	ip[8]--;
	new = number16(ip + 8);
	sum = (~number16(ip + 10) & 0xffff) + (~old & 0xffff) + new;
	sum = (sum & 0xffff) + (sum >> 16);
	sum = (sum & 0xffff) + (sum >> 16);
	sum = ~sum & 0xffff;
	ip[10] = sum / 256;
	ip[11] = sum % 256;
}

/* Removes data after the IP packet; false: impossible, because nothing can cut a GSO packet. */
static bool cut_tail(const struct model_packet *packet, uint32_t link_len, const struct facts *facts,
		     struct model_result *result)
{
	if (facts->room > facts->length && packet->gso_size)
		return false;
	result->len = link_len + facts->length;
	return true;
}

static void push_link_header(struct model_result *result)
{
	memmove(result->data + 14, result->data, result->len);
	memset(result->data, 0, 14);
	result->len += 14;
}

/* The maximum of an MSS option between two devices; 0: no limit. */
static uint32_t most_mss(const struct model_config *config, bool v6, uint32_t one, uint32_t other)
{
	const struct model_device *first = find_device(config, one), *second = find_device(config, other);
	uint32_t mtu;

	if (config->mss >= 536 && config->mss <= 65495)
		return config->mss;
	if (config->mss != WGVIA_MSS_AUTO || config->no_mtu || !first || !second)
		return 0;
	mtu = first->mtu < second->mtu ? first->mtu : second->mtu;
	return mtu >= (v6 ? 60 : 40) + 88u ? mtu - (v6 ? 60 : 40) : 0;
}

/* The offset of the MSS option's value among the options; 0: there is none, more than one, or they are malformed. */
static uint32_t find_mss(const uint8_t *options, uint32_t len)
{
	uint32_t found = 0;

	for (uint32_t at = 0; at + 1 < len && options[at] != 0;) {
		uint32_t size = options[at] == 1 ? 1 : options[at + 1];

		if (options[at] != 1 && (size < 2 || at + size > len))
			return 0;
		if (options[at] == 2 && (found || size != 4))
			return 0;
		if (options[at] == 2)
			found = at + 2;
		at += size;
	}
	return found;
}

/* Changes a byte, and the checksum with it: RFC 1624, equation 3, for the word that contains the byte. */
static void change_byte(uint8_t *tcp, uint32_t at, uint8_t value)
{
	uint32_t old = number16(tcp + at / 2 * 2), sum;

	tcp[at] = value;
	sum = (~number16(tcp + 16) & 0xffff) + (~old & 0xffff) + number16(tcp + at / 2 * 2);
	sum = (sum & 0xffff) + (sum >> 16);
	sum = ~((sum & 0xffff) + (sum >> 16)) & 0xffff;
	tcp[16] = sum / 256;
	tcp[17] = sum % 256;
}

/* For a complete TCP SYN between two devices; `ip` is its offset in the result. */
static void lower_mss(const struct model_config *config, const struct model_packet *packet, const struct facts *facts,
		      uint32_t one, uint32_t other, uint8_t *ip, bool *lowered)
{
	uint8_t *tcp = ip + facts->header;
	uint32_t most = most_mss(config, facts->v6, one, other), at;

	if (facts->protocol != 6 || packet->gso_size || facts->header + 20 > facts->length || !most)
		return;
	if (!facts->v6 && (ip[6] % 32 || ip[7])) /* not the first fragment */
		return;
	if ((tcp[13] & 6) != 2 || tcp[12] / 16 < 5 || facts->header + tcp[12] / 16 * 4 > facts->length)
		return;
	at = find_mss(tcp + 20, tcp[12] / 16 * 4 - 20);
	if (!at || number16(tcp + 20 + at) <= most)
		return;
	change_byte(tcp, 20 + at, most / 256);
	change_byte(tcp, 20 + at + 1, most % 256);
	*lowered = true;
}

static void send_to(const struct model_prefix *gateway, struct model_result *result)
{
	result->redirected = true;
	result->action = REDIRECT;
	result->has_next_hop = true;
	result->ifindex = gateway->ifindex;
	result->family = gateway->family;
	memcpy(result->next_hop, gateway->next_hop, 16);
}

static void decide_out(const struct model_config *config, const struct model_packet *packet,
		       struct model_result *result)
{
	uint32_t link_len = config->l3 ? 0 : 14;
	const struct model_prefix *gateway = NULL;
	struct facts facts;

	look_at(packet, link_len, &facts);
	if (facts.is_sound)
		gateway = find_prefix(config, facts.v6, facts.source);
	if (!facts.is_ip)
		result->verdict = WGVIA_NOT_IP;
	else if (!facts.is_sound)
		result->verdict = WGVIA_MALFORMED;
	else if (config->ether && !is_for_us(packet))
		result->verdict = WGVIA_NOT_IP;
	else if (!gateway)
		result->verdict = WGVIA_OUTSIDE;
	else if (left_alone(config, facts.v6, facts.destination) >= 0)
		result->verdict = left_alone(config, facts.v6, facts.destination);
	else if (facts.hop_limit < 2)
		result->verdict = WGVIA_HOP_LIMIT;
	else
		result->verdict = decide_gateway(config, packet, link_len, &facts, gateway, true, WGVIA_REDIRECTED);
	if (result->verdict == WGVIA_REDIRECTED)
		lower_mss(config, packet, &facts, packet->ifindex, gateway->ifindex, result->data + link_len,
			  &result->lowered);
	if (result->verdict == WGVIA_REDIRECTED && !cut_tail(packet, link_len, &facts, result))
		result->verdict = WGVIA_TOO_BIG;
	count(packet, link_len, &facts, result);
	if (result->verdict != WGVIA_REDIRECTED)
		return;
	result->counted = gateway;
	one_hop_less(&facts, result->data + link_len);
	if (config->l3)
		push_link_header(result);
	result->cb[0] = MAGIC | SENT;
	send_to(gateway, result);
}

/* RFC 4861: messages for a single link. */
static bool is_neighbour_discovery(const struct facts *facts)
{
	return facts->v6 && facts->protocol == 58 && facts->hop_limit == 255 && facts->room > 40 &&
	       facts->ip[40] >= 133 && facts->ip[40] <= 137;
}

/* Into the tunnel: in mode fast by the program, in mode stack by the kernel. */
static void give_back(const struct model_config *config, const struct model_packet *packet, struct facts *facts,
		      int verdict, struct model_result *result)
{
	lower_mss(config, packet, facts, config->tunnel_ifindex, packet->ifindex, result->data + 14, &result->lowered);
	if (config->stack) {
		result->verdict = verdict == WGVIA_RETURNED ? MODEL_UNCOUNTED : verdict;
	} else if (facts->hop_limit < 2) {
		result->verdict = WGVIA_HOP_LIMIT;
	} else if (!fits(config, packet, 14, facts, config->tunnel_ifindex) || !cut_tail(packet, 14, facts, result)) {
		result->verdict = WGVIA_TOO_BIG;
	} else {
		result->verdict = verdict;
		one_hop_less(facts, result->data + 14);
		result->cb[0] = MAGIC | SENT;
		result->redirected = true;
		result->action = REDIRECT;
		result->ifindex = config->tunnel_ifindex;
	}
}

/* To the firewall. Its MAC address is unknown in these test runs, so the packet must show it. */
static void bounce(const struct model_config *config, const struct model_packet *packet, uint32_t link_len,
		   struct facts *facts, const struct model_prefix *gateway, bool is_local, struct model_result *result)
{
	if (config->ret == WGVIA_RETURN_DROP || (facts->hop_limit < 2 && is_local)) {
		result->verdict = WGVIA_REFUSED;
		return;
	}
	if (facts->hop_limit < 2) {
		result->verdict = WGVIA_HOP_LIMIT;
		return;
	}
	result->verdict = decide_gateway(config, packet, link_len, facts, gateway, true, WGVIA_BOUNCED);
	if (result->verdict == WGVIA_TOO_BIG)
		result->verdict = WGVIA_REFUSED;
	if (result->verdict == WGVIA_BOUNCED && !cut_tail(packet, link_len, facts, result))
		result->verdict = WGVIA_REFUSED;
	if (result->verdict != WGVIA_BOUNCED)
		return;
	one_hop_less(facts, result->data + link_len);
	if (!link_len)
		push_link_header(result);
	result->cb[0] = MAGIC | SENT;
	if (link_len) {
		result->cb[0] = MAGIC | (gateway->family == FAMILY4 ? SHOWN : SHOWN + 1);
		memcpy(&result->cb[1], gateway->next_hop, 16);
	}
	send_to(gateway, result);
}

/* What goes into the tunnel, by our hand or, in mode stack, the kernel's. */
static bool is_counted_back(const struct model_config *config, const struct facts *facts,
			    const struct model_result *result)
{
	return config->stack ? facts->hop_limit >= 2 : result->redirected;
}

static void decide_back(const struct model_config *config, const struct model_packet *packet,
			struct model_result *result)
{
	uint32_t link_len = config->l3 ? 0 : 14;
	const struct model_prefix *gateway;
	bool returns, knows_sender;
	struct facts facts;
	int to, from;

	look_at(packet, link_len, &facts);
	if ((link_len && !is_for_us(packet)) || !facts.is_sound)
		return;
	to = left_alone(config, facts.v6, facts.destination);
	from = left_alone(config, facts.v6, facts.source);
	if (to == WGVIA_SCOPE || to == WGVIA_BYPASS || from == WGVIA_SCOPE || from == WGVIA_BYPASS ||
	    is_neighbour_discovery(&facts))
		return;
	gateway = find_prefix(config, facts.v6, facts.destination);
	knows_sender = link_len && (packet->named || (packet->came_back && config->ret != WGVIA_RETURN_DROP &&
						      config->ret != WGVIA_RETURN_ANY));
	returns = link_len && to == WGVIA_TUNNEL && from != WGVIA_TUNNEL && from != WGVIA_LOCAL;
	count(packet, link_len, &facts, result);
	if (!gateway || knows_sender) {
		if (returns)
			give_back(config, packet, &facts, WGVIA_RETURNED, result);
	} else if (config->ret == WGVIA_RETURN_ANY) {
		result->verdict = WGVIA_DIRECT;
		if (returns)
			give_back(config, packet, &facts, WGVIA_DIRECT, result);
	} else {
		bounce(config, packet, link_len, &facts, gateway, to == WGVIA_LOCAL, result);
		return;
	}
	if (returns && is_counted_back(config, &facts, result)) {
		result->counted = gateway;
		result->counted_back = true;
	}
}

/* Whether no other packet passed since this one was redirected. */
static bool is_at_once(const struct model_packet *packet)
{
	return packet->pass == (uint32_t)(packet->cb[3] + 1) && packet->cpu == packet->cb[2] / 65536;
}

/* Whether a packet that was just redirected has arrived, whole, with another MAC than at first: it may go. */
static bool has_another_mac(const struct model_config *config, const struct model_packet *packet)
{
	uint8_t noted[8];

	memcpy(noted, &packet->cb[1], 4);
	memcpy(noted + 4, &packet->cb[2], 4);
	return !config->l3 && packet->ifindex == packet->redirected_to && is_at_once(packet) &&
	       packet->pass == packet->redirected + 1 && packet->len == packet->cb[4] + 14 &&
	       memcmp(noted, packet->data, 6) != 0;
}

/*
 * Whether another packet that was redirected before may go: only at the gateway's device. The devices of these test runs do not forward, so the kernel does not return the gateway's MAC, nor
 * would it return that of a link-local one: at the third pass any MAC may go, if it passes directly. If the device does
 * not exist, no packet may go.
 */
static bool may_go(const struct model_config *config, const struct model_packet *packet,
		   const struct model_prefix *gateway, unsigned int kind)
{
	const struct model_device *device = find_device(config, gateway->ifindex);
	bool link_local = gateway->family == FAMILY6 && matches(gateway->next_hop, (const uint8_t[]){0xfe, 0x80}, 10);

	if (config->l3 || packet->ifindex != gateway->ifindex || !is_at_once(packet))
		return false;
	if (!link_local && (!device || !device->mtu))
		return false;
	return kind > TURNED;
}

/* A redirected packet has its original length, or lacks a link header and gets one. False: neither. */
static bool restore_link_header(const struct model_config *config, struct model_packet *packet, uint8_t *frame,
				struct model_result *result)
{
	uint32_t link_len = config->l3 ? 0 : 14;

	if (packet->len == packet->cb[4] + link_len)
		return true;
	if (config->l3 || packet->len != packet->cb[4])
		return false;
	push_link_header(result);
	memcpy(frame, result->data, result->len);
	memcpy(frame + 12, packet->data + 12, 2); /* the type that the kernel assumes */
	packet->data = frame;
	packet->len = result->len;
	result->cb[4] = 0xffffffff; /* it has an empty one */
	return true;
}

/* For a packet out of what may be the tunnel now, or made here for a client, that must not leave by another device. */
static bool stays_inside(const struct model_config *config, const struct model_packet *packet,
			 const struct facts *facts)
{
	const struct model_device *came_by = find_device(config, packet->ingress_ifindex);

	if (config->outside != WGVIA_OUTSIDE_DROP)
		return false;
	if (!packet->ingress_ifindex)
		return facts->is_sound && left_alone(config, facts->v6, facts->source) == WGVIA_TUNNEL;
	if (config->tunnel_ifindex)
		return packet->ingress_ifindex == config->tunnel_ifindex;
	return !came_by || !came_by->for_gateways;
}

/* The effect on a packet with a link header, if there is one; `kind`: of its mark. */
static void turn(const struct model_config *config, const struct model_packet *packet, unsigned int kind,
		 struct model_result *result)
{
	uint32_t link_len = config->l3 ? 0 : 14;
	const struct model_prefix *gateway;
	const struct model_device *came_by;
	struct facts facts;
	bool elsewhere;

	look_at(packet, link_len, &facts);
	if (!facts.is_sound) {
		if (kind >= TURNED || stays_inside(config, packet, &facts)) {
			result->verdict = kind >= TURNED ? WGVIA_TOO_BIG : WGVIA_REFUSED;
			count(packet, link_len, &facts, result);
		}
		return;
	}
	gateway = find_prefix(config, facts.v6, facts.source);
	if (!gateway && stays_inside(config, packet, &facts)) {
		result->verdict = WGVIA_REFUSED;
		count(packet, link_len, &facts, result);
	}
	if (!gateway || may_leave(config, facts.v6, facts.destination, !packet->ingress_ifindex))
		return;
	elsewhere = gateway->ifindex != packet->ifindex;
	came_by = find_device(config, packet->ingress_ifindex);
	if (elsewhere && came_by && came_by->for_gateways)
		return;
	if (!packet->ingress_ifindex && is_neighbour_discovery(&facts))
		return;
	result->verdict = decide_gateway(config, packet, link_len, &facts, gateway, elsewhere, WGVIA_RETARGETED);
	if (result->verdict == WGVIA_RETARGETED && kind >= TURNED && may_go(config, packet, gateway, kind)) {
		result->verdict = MODEL_UNCOUNTED;
		result->cb[0] = MAGIC | SENT;
		return;
	}
	if (result->verdict == WGVIA_RETARGETED && kind > LAST_TURN)
		result->verdict = WGVIA_NO_GATEWAY;
	count(packet, link_len, &facts, result);
	if (result->verdict != WGVIA_RETARGETED)
		return;
	if (kind < TURNED)
		lower_mss(config, packet, &facts, config->tunnel_ifindex, gateway->ifindex, result->data + link_len,
			  &result->lowered);
	send_to(gateway, result);
	result->counted = kind < TURNED ? gateway : NULL;
	result->cb[3] = packet->pass;
	if (kind >= TURNED) {
		result->verdict = MODEL_UNCOUNTED;
		result->cb[0] = MAGIC | (kind + 1);
		result->cb[2] = result->cb[2] % 65536 + packet->cpu * 65536;
	} else {
		result->cb[0] = MAGIC | TURNED;
		result->cb[1] = result->cb[2] = 0;
		if (!config->l3) {
			memcpy(&result->cb[1], packet->data, 4);
			memcpy(&result->cb[2], packet->data + 4, 2);
		}
		result->cb[2] += packet->cpu * 65536;
	}
	result->cb[4] = packet->len - link_len;
	if (config->l3)
		push_link_header(result);
	else
		result->data[0] &= ~1; /* the helper drops packets for a group address */
}

static void decide_egress(const struct model_config *config, const struct model_packet *shown,
			  struct model_result *result)
{
	static uint8_t frame[MODEL_FRAME_MAX];
	struct model_packet copy = *shown, *packet = &copy;
	uint32_t link_len = config->l3 ? 0 : 14;
	unsigned int kind = 0;
	struct facts facts = {};

	if ((packet->tc_index == TC_INDEX || packet->tc_index == TC_INDEX_BACK) && packet->cb[0] / 256 == MAGIC / 256)
		kind = packet->cb[0] % 256;
	if (kind == SENT || kind >= SHOWN || packet->vlan)
		return;
	if (kind >= TURNED && has_another_mac(config, packet)) {
		result->cb[0] = MAGIC | SENT;
		return;
	}
	if (kind >= TURNED && !restore_link_header(config, packet, frame, result)) {
		facts.length = packet->len - link_len;
		result->verdict = WGVIA_TOO_BIG;
		count(packet, link_len, &facts, result);
		return;
	}
	turn(config, packet, kind, result);
	if (packet->data == frame && !result->redirected) { /* with an empty header no host receives it */
		look_at(packet, link_len, &facts);
		result->verdict = WGVIA_TOO_BIG;
		count(packet, link_len, &facts, result);
	}
}

void model_decide(const struct model_config *config, const struct model_packet *packet, struct model_result *result)
{
	memset(result, 0, offsetof(struct model_result, data));
	result->verdict = MODEL_UNCOUNTED;
	result->action = NEXT_PROGRAM;
	memcpy(result->cb, packet->cb, sizeof(result->cb));
	memcpy(result->data, packet->data, packet->len);
	result->len = packet->len;

	if (packet->direction == WGVIA_OUT)
		decide_out(config, packet, result);
	else if (packet->direction == WGVIA_BACK)
		decide_back(config, packet, result);
	else
		decide_egress(config, packet, result);

	if (result->verdict == WGVIA_NO_GATEWAY && config->on_fail != WGVIA_PASS)
		result->action = DROP;
	if ((result->verdict == WGVIA_TOO_BIG && packet->direction == WGVIA_EGRESS) || result->verdict == WGVIA_REFUSED)
		result->action = DROP;
}
