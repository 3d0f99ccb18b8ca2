#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-only
"""
Sends one UDP packet into a tunnel as it stands here, which no socket would send: to loopback, unspecified, scoped
addresses.

    tunnel_send.py DEVICE FROM TO
"""
import socket
import struct
import sys

device, source, destination = sys.argv[1:]
udp = struct.pack("!HHHH", 9, 9, 8, 0)
if ":" in source:
    head = struct.pack("!IHBB", 6 << 28, len(udp), 17, 64)
    packet = head + b"".join(socket.inet_pton(socket.AF_INET6, a) for a in (source, destination)) + udp
    protocol = 0x86DD
else:
    ends = b"".join(socket.inet_aton(a) for a in (source, destination))
    head = struct.pack("!BBHHHBBH", 0x45, 0, 20 + len(udp), 1, 0, 64, 17, 0)
    words = struct.unpack("!10H", head + ends)
    total = sum(words)
    total = (total & 0xFFFF) + (total >> 16)
    checksum = ~(total + (total >> 16)) & 0xFFFF
    packet = struct.pack("!BBHHHBBH", 0x45, 0, 20 + len(udp), 1, 0, 64, 17, checksum) + ends + udp
    protocol = 0x0800
with socket.socket(socket.AF_PACKET, socket.SOCK_DGRAM, socket.htons(protocol)) as s:
    s.sendto(packet, (device, protocol))
