#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-only
"""Forges answers to wgvia's probes, as a host of the LAN that has not seen their secret.

forge.py DEVICE OWN-MAC TO-MAC CAPTURE FROM TO [FROM TO]...: until it is ended, sends frames from its own MAC address
with the earlier probes in the capture and, for each pair of addresses, with echo requests that are right except for
what it must guess.
"""
import random
import socket
import sys

from scapy.layers.inet import ICMP, IP
from scapy.layers.inet6 import ICMPv6EchoRequest, IPv6
from scapy.layers.l2 import Ether
from scapy.packet import Raw
from scapy.utils import rdpcap

device, own, to_mac, capture, *addresses = sys.argv[1:]


def forged(source, target, seq):
    token = random.randbytes(8)
    ident = int.from_bytes(token[6:], "big")
    payload = token + b"wgvia\0\0\0"
    ether = Ether(src=own, dst=to_mac)
    if ":" in source:
        return ether / IPv6(src=source, dst=target, hlim=1) / ICMPv6EchoRequest(id=ident, seq=seq, data=payload)
    return ether / IP(src=source, dst=target, ttl=1) / ICMP(type=8, id=ident, seq=seq) / Raw(payload)


frames = []
for frame in rdpcap(capture):
    frame[Ether].src, frame[Ether].dst = own, to_mac
    frames.append(bytes(frame))
print(len(frames), "replayed", flush=True)
for source, target in zip(addresses[::2], addresses[1::2]):
    frames += [bytes(forged(source, target, seq)) for seq in (0, 1, 2) for _ in range(50)]
wire = socket.socket(socket.AF_PACKET, socket.SOCK_RAW)
wire.bind((device, 0))
print("begins", flush=True)
while True:
    for frame in frames:
        wire.send(frame)
