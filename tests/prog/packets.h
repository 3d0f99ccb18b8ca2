/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Packets for test runs: a frame is built from a description, in which omitted fields have sensible values. It uses
 * nothing of bpf/, so that an error there is not repeated here.
 */
#ifndef WGVIA_TEST_PACKETS_H
#define WGVIA_TEST_PACKETS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define LINK_LEN 14    /* of an Ethernet header */
#define FRAME_MAX 3400 /* a test run has room for one page, minus head- and tailroom */

/* Fields whose default is not 0 hold their value + 1. */
#define SET(value) ((value) + 1)
#define GET(field, by_default) ((field) ? (field) - 1 : (by_default))

enum mac_kind { MAC_DEVICE, MAC_OTHER, MAC_BROADCAST, MAC_MULTICAST };

struct packet_spec {
	int family; /* 4 or 6, for the headers; it determines the Ethernet type unless that is given */
	const char *source, *destination;
	enum mac_kind mac;
	uint8_t sender;	     /* the last byte of the source MAC address 02:00:00:00:aa:XX, else 1 */
	int ethertype;	     /* SET() */
	int hop_limit;	     /* SET(), else 64 */
	int version;	     /* SET() */
	int ihl;	     /* SET(), in words: the field; there are options if it is above 5 */
	int protocol;	     /* SET(), else UDP */
	int tcp_words;	     /* SET(), else 5 and the options: the TCP header's length field */
	int tcp_flags;	     /* SET(): the byte; the checksum is right then, if the packet contains the whole segment */
	uint8_t option_len;  /* of options, in bytes */
	uint8_t options[40]; /* after the TCP header */
	int payload;	     /* SET(), bytes after the IP header and extension headers, else 20 */
	int claim;	     /* by how many bytes the length field is too large */
	int total_length;    /* SET(): the length field itself */
	int padding;	     /* bytes after the IP packet */
	int cut;	     /* SET(): the IP packet ends after that many bytes */
	int fragment;	     /* SET(): offset in 8 bytes, and 0x2000 for "more" */
	uint8_t extensions[4]; /* SET(): IPv6 extension headers of 8 bytes each */
	int icmp_type;	       /* SET() */
	int checksum;	       /* SET(): the IPv4 identification is chosen so that this is the checksum */
};

struct frame {
	uint32_t len; /* link header included */
	uint8_t data[FRAME_MAX];
};

/* The addresses in the description must be valid; otherwise the program ends with a message. `mac` is the device's. */
void packets_build(const struct packet_spec *spec, const uint8_t mac[6], struct frame *frame);

/* RFC 1071 over an IPv4 header of `words` 32-bit words; 0 if its checksum is right. */
uint16_t packets_checksum(const void *data, unsigned int words);

/* The checksum of the TCP segment of `len` bytes after an IP header, or of a part of it; 0 if it is right. */
uint16_t packets_tcp_checksum(int family, const uint8_t *ip, const uint8_t *tcp, uint32_t len);

/* Sets the checksum of an IPv4 header, and an identification that makes it right. */
void packets_choose_checksum(uint8_t *ip, uint16_t checksum);

/* Parses the address or prefix "ADDRESS[/LEN]" into network order; returns 4 or 6. */
int packets_address(const char *text, uint8_t addr[16], uint32_t *prefixlen);

void packets_print(const char *title, const void *data, uint32_t len);

#endif
