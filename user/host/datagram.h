/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * IP packets as bytes: the header and the Internet checksum. Pure; what is behind the header is the caller's.
 */
#ifndef WGVIA_DATAGRAM_H
#define WGVIA_DATAGRAM_H

#include <stddef.h>
#include <stdint.h>

#include "base/ip.h"

/*
 * Writes the header, without options, of a packet of `len` bytes in all between two addresses of one family. Returns
 * the header's length, 20 or 40 bytes.
 */
size_t datagram_put_header(void *packet, size_t len, const struct ip *from, const struct ip *to, uint8_t protocol,
			   uint8_t hop_limit);

/*
 * Reads the header of a packet that may be cut off behind it. Returns where the header ends; 0: it is cut off itself, a
 * later fragment, or of another protocol, which an IPv6 packet with extension headers is, too.
 */
size_t datagram_read_header(uint8_t family, const uint8_t *packet, size_t len, uint8_t protocol, struct ip *from,
			    struct ip *to, uint8_t *hop_limit);

/* RFC 1071, in network order, over `len` bytes (an even number) and what `sum` has summed up of others. */
uint16_t datagram_checksum(uint32_t sum, const void *data, size_t len);
/* For that `sum`: the pseudo-header of RFC 8200, section 8.1, before `len` bytes of an upper layer. */
uint32_t datagram_pseudo_sum(const struct ip *from, const struct ip *to, uint8_t protocol, size_t len);

#endif
