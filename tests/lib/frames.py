#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-only
"""
Reads a capture and prints what a test asks of a packet, one JSON object each; of Ethernet or of a tunnel (raw IP).

    frames.py FILE

Keys: from, to (MAC addresses; not on a tunnel), src, dst, hops (TTL or hop limit), header_ok (length and IPv4 header
checksum agree with the packet), protocol, payload (hexadecimal: all after the IP header), flags (TCP). What is not IP
is left out.
"""
import json
import sys

from scapy.layers.inet import IP, TCP
from scapy.layers.inet6 import IPv6
from scapy.layers.l2 import Ether
from scapy.utils import RawPcapReader

ETHERNET = 1  # link type


def facts_ipv4(raw):
    ip = IP(raw)
    again = ip.copy()
    del again.chksum
    return ip, {
        "hops": ip.ttl,
        "protocol": ip.proto,
        "header_ok": ip.len == len(raw) and ip.chksum == IP(bytes(again)).chksum,
        "payload": raw[ip.ihl * 4 :].hex(),
    }


def facts_ipv6(raw):
    ip = IPv6(raw)
    return ip, {
        "hops": ip.hlim,
        "protocol": ip.nh,
        "header_ok": ip.plen + 40 == len(raw),
        "payload": raw[40:].hex(),
    }


def facts(raw, ethernet):
    link = {}
    if ethernet:
        frame = Ether(raw)
        if frame.type not in (0x0800, 0x86DD):
            return None
        link = {"from": frame.src, "to": frame.dst}
        raw = raw[14:]
    ip, known = facts_ipv4(raw) if raw[0] >> 4 == 4 else facts_ipv6(raw)
    if TCP in ip:
        known["flags"] = str(ip[TCP].flags)
    return link | {"src": ip.src, "dst": ip.dst} | known


capture = RawPcapReader(sys.argv[1])
for data, _ in capture:
    known = facts(data, capture.linktype == ETHERNET)
    if known:
        print(json.dumps(known))
