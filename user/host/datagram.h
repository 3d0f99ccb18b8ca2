/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * IP packets as bytes: the header and the Internet checksum. Pure; callers handle the payload.
 */
#ifndef WGVIA_DATAGRAM_H
#define WGVIA_DATAGRAM_H

#include <stddef.h>
#include <stdint.h>

#include "base/ip.h"

/*
 * Writes a header without options, for a packet of `len` bytes in total between two addresses of one family. Returns
 * the header's length, 20 or 40 bytes.
 */
size_t datagram_put_header(void *packet, size_t len, const struct ip *from, const struct ip *to, uint8_t protocol,
			   uint8_t hop_limit);

/*
 * Reads the header of a packet that may be truncated after it. Returns the offset of its end; 0: the header is
 * truncated, or the packet is a later fragment or of another protocol. An IPv6 packet with extension headers is of
 * another protocol.
 */
size_t datagram_read_header(uint8_t family, const uint8_t *packet, size_t len, uint8_t protocol, struct ip *from,
			    struct ip *to, uint8_t *hop_limit);

/* RFC 1071, in network order, over `len` bytes (an even number), added to `sum`, the sum of other data. */
uint16_t datagram_checksum(uint32_t sum, const void *data, size_t len);
/* The `sum` for that: the pseudo-header of RFC 8200, section 8.1, for `len` bytes of the upper layer. */
uint32_t datagram_pseudo_sum(const struct ip *from, const struct ip *to, uint8_t protocol, size_t len);

#endif
