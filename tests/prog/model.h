/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * An independent model of the decision table: plain C over plain arrays, which shares only the ABI's enums with the
 * code under test. It computes what a program must do with one packet in a test run.
 */
#ifndef WGVIA_TEST_MODEL_H
#define WGVIA_TEST_MODEL_H

#include <stdbool.h>
#include <stdint.h>

#include "wgvia_abi.h"

#define MODEL_ENTRIES 24
#define MODEL_FRAME_MAX 3500
#define MODEL_UNCOUNTED WGVIA_VERDICT_COUNT

struct model_prefix {
	uint8_t addr[16];
	unsigned int bits;
	uint32_t ifindex, family, flags; /* the gateway */
	uint8_t next_hop[16];
	uint32_t counter; /* its own */
};

struct model_bypass {
	uint8_t addr[16];
	unsigned int bits;
	uint32_t verdict, flags;
};

struct model_device {
	uint32_t ifindex;
	uint32_t mtu;	   /* 0: no such device */
	bool for_gateways; /* in the configuration's list */
};

struct model_config {
	unsigned int prefix_count[2], bypass_count[2]; /* IPv4, IPv6 */
	struct model_prefix prefixes[2][MODEL_ENTRIES];
	struct model_bypass bypasses[2][MODEL_ENTRIES];
	uint32_t on_fail;
	unsigned int device_count;
	struct model_device devices[8];
	uint32_t tunnel_ifindex;
	bool l3;	  /* no link header in packets from the tunnel, and at the egress program's device */
	bool ether;	  /* the tunnel is an Ethernet device */
	bool no_mtu;	  /* the kernel cannot return MTUs */
	bool stack;	  /* mode stack */
	uint32_t ret;	  /* enum wgvia_return */
	uint32_t outside; /* enum wgvia_outside */
	uint32_t mss;	  /* as in struct wgvia_meta */
};

struct model_packet {
	enum wgvia_direction direction;
	const uint8_t *data;
	uint32_t len;
	uint8_t device_mac[6];
	uint32_t ifindex, ingress_ifindex;
	uint32_t gso_size;
	uint16_t tc_index, vlan;
	uint32_t cb[5];
	bool named;			    /* its source MAC address is one that the administrator named */
	bool came_back;			    /* it was bounced a moment ago, with a larger hop limit */
	uint32_t pass, cpu;		    /* at egress: the number of this pass on the CPU, and the CPU */
	uint32_t redirected, redirected_to; /* at egress: the pass on the CPU that redirected last, and its device */
};

struct model_result {
	int verdict; /* MODEL_UNCOUNTED for none */
	int action;
	uint64_t packets, bytes;
	const struct model_prefix *counted; /* with "counters prefix", for which prefix; NULL: for none */
	bool counted_back;
	bool redirected;
	bool lowered; /* the MSS option */
	bool has_next_hop;
	uint32_t ifindex, family;
	uint8_t next_hop[16];
	uint32_t cb[5];
	uint32_t len;
	uint8_t data[MODEL_FRAME_MAX];
};

void model_decide(const struct model_config *config, const struct model_packet *packet, struct model_result *result);

#endif
