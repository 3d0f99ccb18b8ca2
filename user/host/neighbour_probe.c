// SPDX-License-Identifier: GPL-2.0-only
/*
 * ARP (RFC 826) on a packet socket; neighbour discovery (RFC 4861) on a raw ICMPv6 socket, where the kernel chooses the
 * source and computes the checksum.
 */
#include "host/neighbour_probe.h"

#include <linux/filter.h>
#include <linux/if_packet.h>
#include <net/ethernet.h>
#include <net/if.h>
#include <net/if_arp.h>
#include <netinet/icmp6.h>
#include <netinet/if_ether.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

#include "base/util.h"

struct neighbour_probe {
	int arp, nd; /* nd: negative if the kernel has no IPv6 */
};

struct solicitation {
	struct nd_neighbor_solicit message;
	uint8_t option, option_len; /* the source's link-layer address; in units of 8 bytes */
	uint8_t mac[ETH_ALEN];
};

struct advertisement {
	struct nd_neighbor_advert message;
	uint8_t option, option_len; /* the target's link-layer address, first, where Linux and others put it */
	uint8_t mac[ETH_ALEN];
};

static int open_arp(void)
{
	/* on SOCK_DGRAM the filter sees the data after the link header; 6 is ar_op, 14 arp_spa, 24 arp_tpa */
	struct sock_filter replies[] = {BPF_STMT(BPF_LD | BPF_H | BPF_ABS, 6),
					BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, ARPOP_REPLY, 4, 0),
					BPF_STMT(BPF_LD | BPF_W | BPF_ABS, 14),
					BPF_STMT(BPF_MISC | BPF_TAX, 0),
					BPF_STMT(BPF_LD | BPF_W | BPF_ABS, 24),
					BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_X, 0, 0, 1), /* an announcement */
					BPF_STMT(BPF_RET | BPF_K, 256),
					BPF_STMT(BPF_RET | BPF_K, 0)};
	struct sock_fprog filter = {ARRAY_SIZE(replies), replies};
	struct sockaddr_ll all = {.sll_family = AF_PACKET, .sll_protocol = htons(ETH_P_ARP)};
	cleanup_fd int fd =
		socket(AF_PACKET, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0); /* receives nothing until bound */

	if (fd < 0 || setsockopt(fd, SOL_SOCKET, SO_ATTACH_FILTER, &filter, sizeof(filter)) ||
	    bind(fd, (struct sockaddr *)&all, sizeof(all)))
		return -errno;
	return take_fd(&fd);
}

static int open_nd(void)
{
	cleanup_fd int fd = socket(AF_INET6, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, IPPROTO_ICMPV6);
	struct icmp6_filter filter;
	int on = 1, hops = 255; /* RFC 4861, 7.1: any other was forwarded */

	ICMP6_FILTER_SETBLOCKALL(&filter);
	ICMP6_FILTER_SETPASS(ND_NEIGHBOR_ADVERT, &filter);
	if (fd < 0 || setsockopt(fd, IPPROTO_ICMPV6, ICMP6_FILTER, &filter, sizeof(filter)) ||
	    setsockopt(fd, IPPROTO_IPV6, IPV6_MULTICAST_HOPS, &hops, sizeof(hops)) ||
	    setsockopt(fd, IPPROTO_IPV6, IPV6_RECVHOPLIMIT, &on, sizeof(on)) ||
	    setsockopt(fd, IPPROTO_IPV6, IPV6_RECVPKTINFO, &on, sizeof(on)))
		return -errno;
	return take_fd(&fd);
}

int neighbour_probe_open(struct neighbour_probe **probe)
{
	struct neighbour_probe *opened = calloc(1, sizeof(*opened));
	int ret;

	if (!opened)
		return -ENOMEM;
	opened->arp = open_arp();
	opened->nd = open_nd();
	ret = opened->arp < 0 ? opened->arp : opened->nd < 0 && opened->nd != -EAFNOSUPPORT ? opened->nd : 0;
	if (ret)
		neighbour_probe_close(&opened);
	else
		*probe = opened;
	return ret;
}

void neighbour_probe_close(struct neighbour_probe **probe)
{
	if (!*probe)
		return;
	cleanup_close_fd(&(*probe)->arp);
	cleanup_close_fd(&(*probe)->nd);
	free(*probe);
	*probe = NULL;
}

void neighbour_probe_fds(const struct neighbour_probe *probe, int fds[NEIGHBOUR_PROBE_FDS])
{
	fds[0] = probe->arp;
	fds[1] = probe->nd;
}

static int get_mac(int fd, uint32_t ifindex, uint8_t mac[ETH_ALEN])
{
	struct ifreq request = {};

	if (!if_indextoname(ifindex, request.ifr_name) || ioctl(fd, SIOCGIFHWADDR, &request))
		return -errno;
	memcpy(mac, request.ifr_hwaddr.sa_data, ETH_ALEN);
	return 0;
}

/*
 * The source address that the kernel would use towards `ip` on this device. Without one, the request has source
 * 0.0.0.0: an ARP probe (RFC 5227), which hosts answer as well.
 */
static struct in_addr get_source(uint32_t ifindex, const struct ip *ip)
{
	struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons(9)}, own = {};
	cleanup_fd int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	int index = (int)ifindex;
	socklen_t len = sizeof(own);

	memcpy(&to.sin_addr, ip->addr, sizeof(to.sin_addr));
	if (fd < 0 || setsockopt(fd, SOL_SOCKET, SO_BINDTOIFINDEX, &index, sizeof(index)) ||
	    connect(fd, (struct sockaddr *)&to, sizeof(to)) || getsockname(fd, (struct sockaddr *)&own, &len))
		return (struct in_addr){};
	return own.sin_addr;
}

static int send_arp(int fd, uint32_t ifindex, const struct ip *ip)
{
	struct sockaddr_ll to = {.sll_family = AF_PACKET,
				 .sll_protocol = htons(ETH_P_ARP),
				 .sll_ifindex = (int)ifindex,
				 .sll_halen = ETH_ALEN,
				 .sll_addr = {0xff, 0xff, 0xff, 0xff, 0xff, 0xff}};
	struct ether_arp request = {.ea_hdr = {.ar_hrd = htons(ARPHRD_ETHER),
					       .ar_pro = htons(ETH_P_IP),
					       .ar_hln = ETH_ALEN,
					       .ar_pln = 4,
					       .ar_op = htons(ARPOP_REQUEST)}};
	struct in_addr source = get_source(ifindex, ip);
	int ret = get_mac(fd, ifindex, request.arp_sha);

	if (ret)
		return ret;
	memcpy(request.arp_spa, &source, sizeof(request.arp_spa));
	memcpy(request.arp_tpa, ip->addr, sizeof(request.arp_tpa));
	return sendto(fd, &request, sizeof(request), 0, (struct sockaddr *)&to, sizeof(to)) < 0 ? -errno : 0;
}

/* Sends it to the solicited-node multicast address (RFC 4291, 2.7.1). */
static int send_nd(int fd, uint32_t ifindex, const struct ip *ip)
{
	struct sockaddr_in6 to = {.sin6_family = AF_INET6, .sin6_scope_id = ifindex};
	struct solicitation request = {
		.message.nd_ns_type = ND_NEIGHBOR_SOLICIT, .option = ND_OPT_SOURCE_LINKADDR, .option_len = 1};
	union {
		char buffer[CMSG_SPACE(sizeof(struct in6_pktinfo))];
		struct cmsghdr header;
	} control = {};
	struct iovec data = {&request, sizeof(request)};
	struct msghdr message = {.msg_name = &to,
				 .msg_namelen = sizeof(to),
				 .msg_iov = &data,
				 .msg_iovlen = 1,
				 .msg_control = &control,
				 .msg_controllen = sizeof(control.buffer)};
	struct in6_pktinfo info = {.ipi6_ifindex = ifindex};
	int ret = get_mac(fd, ifindex, request.mac);

	if (ret)
		return ret;
	memcpy(&to.sin6_addr, (uint8_t[16]){0xff, 0x02, [11] = 0x01, [12] = 0xff}, 16);
	memcpy(&to.sin6_addr.s6_addr[13], &ip->addr[13], 3);
	memcpy(&request.message.nd_ns_target, ip->addr, 16);
	control.header = (struct cmsghdr){
		.cmsg_len = CMSG_LEN(sizeof(info)), .cmsg_level = IPPROTO_IPV6, .cmsg_type = IPV6_PKTINFO};
	memcpy(CMSG_DATA(&control.header), &info, sizeof(info));
	return sendmsg(fd, &message, 0) < 0 ? -errno : 0;
}

int neighbour_probe_send(struct neighbour_probe *probe, uint32_t ifindex, const struct ip *ip)
{
	return ip->family == AF_INET ? send_arp(probe->arp, ifindex, ip) : send_nd(probe->nd, ifindex, ip);
}

bool neighbour_read_arp(const void *packet, size_t size, struct neighbour_answer *answer)
{
	struct ether_arp reply;

	if (size < sizeof(reply))
		return false;
	memcpy(&reply, packet, sizeof(reply));
	if (reply.ea_hdr.ar_pro != htons(ETH_P_IP) || reply.ea_hdr.ar_pln != 4 || reply.ea_hdr.ar_hln != ETH_ALEN)
		return false;
	*answer = (struct neighbour_answer){.ip.family = AF_INET, .has_mac = true};
	memcpy(answer->ip.addr, reply.arp_spa, 4);
	memcpy(answer->mac, reply.arp_sha, sizeof(answer->mac));
	answer->announced = !memcmp(reply.arp_spa, reply.arp_tpa, 4);
	return true;
}

bool neighbour_read_advertisement(const void *packet, size_t size, struct neighbour_answer *answer)
{
	struct advertisement reply = {};

	if (size < sizeof(reply.message))
		return false;
	memcpy(&reply, packet, size < sizeof(reply) ? size : sizeof(reply));
	if (reply.message.nd_na_type != ND_NEIGHBOR_ADVERT)
		return false;
	*answer = (struct neighbour_answer){.ip.family = AF_INET6};
	memcpy(answer->ip.addr, &reply.message.nd_na_target, 16);
	answer->announced = !(reply.message.nd_na_flags_reserved & ND_NA_FLAG_SOLICITED);
	answer->has_mac = size >= sizeof(reply) && reply.option == ND_OPT_TARGET_LINKADDR && reply.option_len == 1;
	memcpy(answer->mac, reply.mac, sizeof(answer->mac));
	return true;
}

static int receive_arp(int fd, struct neighbour_answer *answer)
{
	struct sockaddr_ll from = {};
	socklen_t len = sizeof(from);
	struct ether_arp reply;
	ssize_t size = recvfrom(fd, &reply, sizeof(reply), 0, (struct sockaddr *)&from, &len);

	if (size < 0)
		return errno == ENETDOWN ? 0 : -1; /* a device went down: reported once, not the end */
	if (from.sll_pkttype == PACKET_OUTGOING || !neighbour_read_arp(&reply, (size_t)size, answer))
		return 0;
	answer->ifindex = (uint32_t)from.sll_ifindex;
	return 1;
}

static int receive_nd(int fd, struct neighbour_answer *answer)
{
	struct advertisement reply;
	union {
		char buffer[CMSG_SPACE(sizeof(struct in6_pktinfo)) + CMSG_SPACE(sizeof(int))];
		struct cmsghdr header;
	} control;
	struct iovec data = {&reply, sizeof(reply)};
	struct msghdr message = {
		.msg_iov = &data, .msg_iovlen = 1, .msg_control = &control, .msg_controllen = sizeof(control.buffer)};
	ssize_t size = recvmsg(fd, &message, 0);
	uint32_t ifindex = 0;
	int hops = 0;

	if (size < 0)
		return -1;
	for (struct cmsghdr *part = CMSG_FIRSTHDR(&message); part; part = CMSG_NXTHDR(&message, part)) {
		if (part->cmsg_level == IPPROTO_IPV6 && part->cmsg_type == IPV6_PKTINFO)
			memcpy(&ifindex, CMSG_DATA(part) + offsetof(struct in6_pktinfo, ipi6_ifindex), sizeof(ifindex));
		if (part->cmsg_level == IPPROTO_IPV6 && part->cmsg_type == IPV6_HOPLIMIT)
			memcpy(&hops, CMSG_DATA(part), sizeof(hops));
	}
	if (hops != 255 || !neighbour_read_advertisement(&reply, (size_t)size, answer))
		return 0;
	answer->ifindex = ifindex;
	return 1;
}

int neighbour_probe_receive(struct neighbour_probe *probe, uint8_t family, struct neighbour_answer *answer)
{
	return family == AF_INET ? receive_arp(probe->arp, answer) : receive_nd(probe->nd, answer);
}
