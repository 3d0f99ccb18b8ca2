#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-only
"""
Reads a capture and prints what tests check in a packet, one JSON object each; for Ethernet or a tunnel (raw IP).

    frames.py FILE

Keys: from, to (MAC addresses; not on a tunnel), src, dst, hops (TTL or hop limit), header_ok (length and IPv4 header
checksum agree with the packet), protocol, payload (hexadecimal: all after the IP header), flags (TCP). It omits
packets that are not IP, and a last packet that is not completely written yet: tests read again.

It uses only the standard library, because scapy takes seconds to start in an emulated machine, and tests poll this.
"""
import json
import socket
import struct
import sys

ETHERNET = 1  # link type
TCP = 6
FLAGS = "FSRPAUECN"


def packets(data):
    """pcap(5), of microseconds or nanoseconds, in either byte order: the link type, and the packets."""
    order = "<" if data[:4] in (b"\xd4\xc3\xb2\xa1", b"\x4d\x3c\xb2\xa1") else ">"
    if len(data) < 24:
        return 0, []
    (link,) = struct.unpack_from(order + "I", data, 20)
    found, at = [], 24
    while at + 16 <= len(data):
        captured, _ = struct.unpack_from(order + "II", data, at + 8)
        if at + 16 + captured > len(data):
            break
        found.append(data[at + 16 : at + 16 + captured])
        at += 16 + captured
    return link & 0xFFFF, found


def checksum_is_right(header):
    total = sum(struct.unpack(f"!{len(header) // 2}H", header))
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    return total == 0xFFFF


def flags(segment):
    bits = struct.unpack_from("!H", segment, 12)[0]
    return "".join(flag for n, flag in enumerate(FLAGS) if bits >> n & 1)


def facts_ipv4(raw):
    header = raw[: (raw[0] & 15) * 4]
    return {
        "src": socket.inet_ntop(socket.AF_INET, raw[12:16]),
        "dst": socket.inet_ntop(socket.AF_INET, raw[16:20]),
        "hops": raw[8],
        "protocol": raw[9],
        "header_ok": struct.unpack_from("!H", raw, 2)[0] == len(raw) and checksum_is_right(header),
    }, raw[len(header) :]


def facts_ipv6(raw):
    return {
        "src": socket.inet_ntop(socket.AF_INET6, raw[8:24]),
        "dst": socket.inet_ntop(socket.AF_INET6, raw[24:40]),
        "hops": raw[7],
        "protocol": raw[6],
        "header_ok": struct.unpack_from("!H", raw, 4)[0] + 40 == len(raw),
    }, raw[40:]


def facts(raw, ethernet):
    known = {}
    if ethernet:
        if raw[12:14] not in (b"\x08\x00", b"\x86\xdd"):
            return None
        known = {"from": raw[6:12].hex(":"), "to": raw[:6].hex(":")}
        raw = raw[14:]
    more, payload = facts_ipv4(raw) if raw[0] >> 4 == 4 else facts_ipv6(raw)
    known |= more | {"payload": payload.hex()}
    if known["protocol"] == TCP and len(payload) >= 20:
        known["flags"] = flags(payload)
    return known


with open(sys.argv[1], "rb") as file:
    link_type, found = packets(file.read())
for data in found:
    known = facts(data, link_type == ETHERNET)
    if known:
        print(json.dumps(known))
