/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Packets for test runs: a frame is built from a description in which whatever is not said has a sensible value.
 * Nothing of bpf/ is used here, so that a mistake there is not made twice.
 */
#ifndef WGVIA_TEST_PACKETS_H
#define WGVIA_TEST_PACKETS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define LINK_LEN 14    /* of an Ethernet header */
#define FRAME_MAX 3400 /* a test run takes one page, less head- and tailroom */

/* Fields whose default is not 0 hold their value + 1. */
#define SET(value) ((value) + 1)
#define GET(field, by_default) ((field) ? (field) - 1 : (by_default))

enum mac_kind { MAC_DEVICE, MAC_OTHER, MAC_BROADCAST, MAC_MULTICAST };

struct packet_spec {
	int family; /* 4 or 6, what the headers are; the Ethernet type follows unless said otherwise */
	const char *source, *destination;
	enum mac_kind mac;
	uint8_t sender;	       /* the last byte of the source MAC address 02:00:00:00:aa:XX, else 1 */
	int ethertype;	       /* SET() */
	int hop_limit;	       /* SET(), else 64 */
	int version;	       /* SET() */
	int ihl;	       /* SET(), in words: the field; options are there where it is above 5 */
	int protocol;	       /* SET(), else UDP */
	int tcp_words;	       /* SET(), else 5 and the options: the TCP header's length field */
	int tcp_flags;	       /* SET(): the byte; the checksum is right then, where the segment is all in the packet */
	uint8_t option_len;    /* of options, in bytes */
	uint8_t options[40];   /* behind the TCP header */
	int payload;	       /* SET(), bytes after the IP header and extension headers, else 20 */
	int claim;	       /* bytes that the length field has too many */
	int total_length;      /* SET(): the length field itself */
	int padding;	       /* bytes behind the IP packet */
	int cut;	       /* SET(): the IP packet ends after that many bytes */
	int fragment;	       /* SET(): offset in 8 bytes, and 0x2000 for "more" */
	uint8_t extensions[4]; /* SET(): IPv6 extension headers of 8 bytes each */
	int icmp_type;	       /* SET() */
	int checksum;	       /* SET(): the IPv4 identification is chosen such that this is the checksum */
};

struct frame {
	uint32_t len; /* link header included */
	uint8_t data[FRAME_MAX];
};

/* The addresses in the description must be right, the program ends with a message otherwise. `mac` is the device's. */
void packets_build(const struct packet_spec *spec, const uint8_t mac[6], struct frame *frame);

/* RFC 1071 over an IPv4 header of `words` 32-bit words whose checksum is right: 0. */
uint16_t packets_checksum(const void *data, unsigned int words);

/* The checksum of the TCP segment of `len` bytes behind an IP header, or of the part of it; of one that is right: 0. */
uint16_t packets_tcp_checksum(int family, const uint8_t *ip, const uint8_t *tcp, uint32_t len);

/* Sets the identification of an IPv4 header such that `checksum` is right, and the checksum. */
void packets_choose_checksum(uint8_t *ip, uint16_t checksum);

/* The address or prefix "ADDRESS[/LEN]" into network order; returns 4 or 6. */
int packets_address(const char *text, uint8_t addr[16], uint32_t *prefixlen);

void packets_print(const char *title, const void *data, uint32_t len);

#endif
