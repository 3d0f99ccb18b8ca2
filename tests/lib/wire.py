#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-only
"""
The far ends of a gateway's devices: sends odd packets into them and reports exactly what comes out of them.

    wire.py DIRECTORY PORT...           serves requests of wire.bash: lines "ID PORT EXPRESSION..." in a FIFO
    wire.py udp SOURCE DESTINATION SIZE one datagram of this host, from its own socket

A PORT is NAME=tun:NAMESPACE/DEVICE (a tun device, made here: the tunnel), NAME=NAMESPACE/DEVICE/FROM/TO (an Ethernet
device; FROM and TO are the MAC addresses of frames into it) or NAME=host:NAMESPACE (the host's own UDP sockets).
An EXPRESSION makes packets: scapy's layers, or pkt(), syn(), tcp() and udp() below. See answer() for the output.

Packets go in one by one. The last one is a sentinel: when it has come out, so has everything before it, because one
processor does all the work. No time is lost waiting for packets that do not come.
"""
import ctypes
import errno
import fcntl
import os
import random
import select
import shlex
import socket
import struct
import subprocess
import sys
import time
from dataclasses import dataclass

from scapy.layers.inet import ICMP, IP, TCP, UDP, IPOption, IPOption_LSRR, IPOption_NOP, IPOption_RR, fragment
from scapy.layers.inet6 import (
    ICMPv6ND_RA,
    IPv6,
    IPv6ExtHdrDestOpt,
    IPv6ExtHdrFragment,
    IPv6ExtHdrHopByHop,
    IPv6ExtHdrRouting,
    PadN,
    fragment6,
)
from scapy.layers.l2 import Dot1Q, Ether
from scapy.packet import Raw
from scapy.utils import checksum

NEWNET = 0x40000000
NAMES = {mac: name for name, mac in (word.split("=") for word in os.environ.get("WIRE_NAMES", "").split())}
CLIENT = {4: os.environ.get("C1_4"), 6: os.environ.get("C1_6")}
SERVICE = {4: os.environ.get("SVC4"), 6: os.environ.get("SVC6")}
ERRORS4 = {(3, 4): "frag-needed", (11, 0): "time-exceeded"}
ERRORS6 = {(2, 0): "too-big", (3, 0): "time-exceeded"}

# ---- packets ----


@dataclass
class Packet:
    """One IP packet as it is sent, with an Ethernet header of its own unless it uses the port's."""

    raw: bytes
    frame: bytes | None = None
    vnet: bytes = bytes(10)  # struct virtio_net_hdr: of a GSO packet
    behind: bytes = b""  # what the frame has after the packet
    loose: bool = False  # made by the host: identification and hop limit are the host's choice

    @property
    def version(self):
        return self.raw[0] >> 4


@dataclass
class Command:
    """A command to run between packets."""

    words: list


def command(text):
    return Command(shlex.split(text))


def octets(length):
    """Never the same twice, so that packets are recognised by their bytes."""
    return random.randbytes(max(length, 0))


def header(family, hops, src, dst, df):
    src, dst = src or CLIENT[family], dst or SERVICE[family]
    if family == 4:
        return IP(src=src, dst=dst, ttl=hops, flags="DF" if df else 0, id=random.randrange(1, 65536))
    return IPv6(src=src, dst=dst, hlim=hops)


def pkt(family, size=100, hops=64, src=None, dst=None, df=False):
    """UDP; `size` is that of the IP packet."""
    ip = header(family, hops, src, dst, df)
    return ip / UDP(sport=4000, dport=5000) / Raw(octets(size - len(ip) - 8))


def syn(family, mss, flags="S", options=None, src=None, dst=None):
    """TCP with an MSS option and others around it, or with `options`."""
    options = options or [("NOP", None), ("MSS", mss), ("WScale", 7), ("SAckOK", b""), ("Timestamp", (1, 0))]
    return header(family, 64, src, dst, True) / TCP(sport=4000, dport=5000, flags=flags, seq=random.randrange(1 << 32), options=options)


def gso(ip, transport, kind, mss, field):
    raw = bytearray(bytes(ip / transport))
    start, length = len(ip), len(raw) - len(ip)
    pseudo = raw[12:20] if ip.version == 4 else raw[8:40]
    pseudo += struct.pack("!II", length, 17 if field == 6 else 6)
    struct.pack_into("!H", raw, start + field, ~checksum(bytes(pseudo)) & 0xFFFF)
    vnet = struct.pack("<BBHHHH", 1, kind, length - len(transport.payload) + start, mss, start, field)
    return Packet(bytes(raw), vnet=vnet)


def tcp(family, size, mss, hops=64, src=None, dst=None, df=False):
    """A TCP packet to be cut into segments of `mss` by GSO, which are recognised by what they acknowledge."""
    ip = header(family, hops, src, dst, df)
    transport = TCP(sport=4000, dport=5000, flags="A", seq=1, ack=random.randrange(1 << 32))
    transport /= Raw(octets(size - len(ip) - 20))
    return gso(ip, transport, 1 if family == 4 else 4, mss, 16)


def udp(family, size, mss, hops=64, src=None, dst=None, df=False):
    """Datagrams of `mss` in one GSO packet."""
    ip = header(family, hops, src, dst, df)
    return gso(ip, UDP(sport=4000, dport=5000) / Raw(octets(size - len(ip) - 8)), 5, mss, 6)


def padded(packet, length):
    """In a frame that continues after the packet, as Ethernet's shortest frames do."""
    return Packet(bytes(packet), behind=bytes(length))


def every_sum(**fields):
    """IPv4 packets of all hop limits, with header checksums before and after the change around 0 and 0xffff."""
    for hops in range(2, 256):
        for wanted in (0, 1, 2, 0xFF, 0x100, 0x101, 0xFEFE, 0xFEFF, 0xFF00, 0xFF01, 0xFFFE, 0xFFFF):
            packet = pkt(4, size=40, hops=hops, **fields)
            packet.id = 0
            packet = IP(bytes(packet))
            rest = ~packet.chksum & 0xFFFF
            packet.id = sum_of(~wanted & 0xFFFF, ~rest & 0xFFFF)
            del packet.chksum
            yield packet
            if wanted == 0:  # the same in ones' complement, and Linux accepts both
                packet = packet.copy()
                packet.chksum = 0xFFFF
                packet[UDP].payload = Raw(octets(12))
                del packet[UDP].chksum
                yield packet


def sum_of(a, b):
    total = a + b
    return (total & 0xFFFF) + (total >> 16)


def as_packet(made):
    if isinstance(made, Packet):
        return made
    made = bytes(made) if not isinstance(made, Ether) else made
    if isinstance(made, Ether):
        return Packet(bytes(made.getlayer(IP) or made.getlayer(IPv6)), frame=bytes(made))
    return Packet(made)


def packets(expressions):
    out = []
    for expression in expressions:
        made = eval(expression)  # pylint: disable=eval-used # the tests' own words
        many = isinstance(made, (list, tuple)) or hasattr(made, "__next__")
        out += [one if isinstance(one, Command) else as_packet(one) for one in (made if many else [made])]
    return out


# ---- ports ----


def in_namespace(name):
    with open(f"/run/netns/{name}", encoding="ascii") as ns:
        if ctypes.CDLL(None, use_errno=True).setns(ns.fileno(), NEWNET):
            raise OSError(ctypes.get_errno(), f"setns {name}")


class Tun:
    link = 0

    def __init__(self, name, where):
        namespace, device = where.split("/")
        self.name = name
        in_namespace(namespace)
        self.fd = os.open("/dev/net/tun", os.O_RDWR | os.O_NONBLOCK)
        # IFF_TUN, IFF_NO_PI, IFF_VNET_HDR
        fcntl.ioctl(self.fd, 0x400454CA, struct.pack("16sH22x", device.encode(), 0x1 | 0x1000 | 0x4000))

    def send(self, packet):
        os.write(self.fd, packet.vnet + packet.raw)

    def receive(self):
        return "", os.read(self.fd, 70000)[10:]


class Ethernet:
    link = 14

    def __init__(self, name, where):
        namespace, device, source, destination = where.split("/")
        self.name = name
        self.header = bytes.fromhex(destination.replace(":", "") + source.replace(":", ""))
        in_namespace(namespace)
        self.socket = socket.socket(socket.AF_PACKET, socket.SOCK_RAW | socket.SOCK_NONBLOCK, socket.htons(3))
        self.socket.setsockopt(263, 15, 1)  # PACKET_VNET_HDR
        self.socket.setsockopt(263, 23, 1)  # PACKET_IGNORE_OUTGOING
        self.socket.setsockopt(socket.SOL_SOCKET, 33, 1 << 25)  # SO_RCVBUFFORCE
        self.socket.bind((device, 3))
        self.fd = self.socket.fileno()

    def send(self, packet):
        frame = packet.frame or self.header + (b"\x08\x00" if packet.version == 4 else b"\x86\xdd") + packet.raw + packet.behind
        flags, kind, length, mss, start, field = struct.unpack("<BBHHHH", packet.vnet)
        if flags:
            length, start = length + self.link, start + self.link
        self.socket.send(struct.pack("<BBHHHH", flags, kind, length, mss, start, field) + frame)

    def receive(self):
        frame = self.socket.recv(70000)[10:]
        source, destination = frame[6:12].hex(":"), frame[:6].hex(":")
        if frame[12:14] not in (b"\x08\x00", b"\x86\xdd"):
            return "", b""
        return f"{NAMES.get(source, source)}>{NAMES.get(destination, destination)} ", frame[14:]


class Host:
    fd = None

    def __init__(self, name, where):
        self.name = name
        self.namespace = where

    def send(self, packet):
        in_namespace(self.namespace)
        ip = IP(packet.raw) if packet.version == 4 else IPv6(packet.raw)
        send_datagram(ip.src, ip.dst, bytes(ip[UDP].payload), ip[UDP].sport, ip[UDP].dport)
        packet.loose = True


def send_datagram(source, destination, payload, sport=4000, dport=5000):
    family = socket.AF_INET6 if ":" in source else socket.AF_INET
    with socket.socket(family, socket.SOCK_DGRAM) as s:
        s.setsockopt(*((41, 23) if ":" in source else (0, 10)), 0)  # IP_PMTUDISC_DONT: cut it where it is too long
        s.setsockopt(socket.SOL_SOCKET, 15, 1)  # SO_REUSEPORT
        s.setsockopt(socket.SOL_SOCKET, socket.SO_BROADCAST, 1)
        s.bind(("" if source == "198.18.0.1" else source, sport))
        s.sendto(payload, (destination, dport))


def port(word):
    name, where = word.split("=")
    for kind, prefix in ((Tun, "tun:"), (Host, "host:")):
        if where.startswith(prefix):
            return kind(name, where.removeprefix(prefix))
    return Ethernet(name, where)


# ---- what came out ----


def canonical(raw, loose):
    """Without what forwarding changes, and what a host is free to choose."""
    raw = bytearray(raw)
    if raw[0] >> 4 == 4:
        raw[8] = 0
        raw[10:12] = b"\0\0"
        if loose:
            raw[4:8] = b"\0\0\0\0"
    else:
        raw[7] = 0
        if loose:
            raw[1:4] = b"\0\0\0"
    return bytes(raw)


@dataclass
class Piece:
    """A part of a packet: a fragment or a GSO packet's segment."""

    packet: int
    offset: int
    payload: bytes
    last: bool


class Answer:
    def __init__(self, sent):
        self.sent = sent
        self.wholes = {}
        for number, packet in enumerate(sent, 1):
            if not packet.vnet[1]:
                self.wholes.setdefault(canonical(packet.raw, packet.loose), number)

    def describe(self, link, raw):
        """(text, Piece or None): lines() joins pieces."""
        version = raw[0] >> 4
        hops = raw[8] if version == 4 else raw[7]
        if version == 4:
            length = struct.unpack_from("!H", raw, 2)[0]
            head = bytearray(raw[: (raw[0] & 15) * 4])
            head[10:12] = b"\0\0"
            if checksum(bytes(head)) != struct.unpack_from("!H", raw, 10)[0]:
                return f"{link}WRONG HEADER CHECKSUM {raw.hex()}", None
        else:
            length = struct.unpack_from("!H", raw, 4)[0] + 40
        if length != len(raw):
            return f"{link}WRONG LENGTH {length}, not {len(raw)}", None
        for loose in (False, True):
            number = self.wholes.get(canonical(raw, loose))
            if number and (not loose or self.sent[number - 1].loose):
                return f"{link}#{number}" + (f" hops {hops}" if not loose else ""), None
        piece = self.fragment(raw) or self.segment(raw)
        if piece:
            return link + ("#%d in %d pieces" + (f" hops {hops}" if not self.sent[piece.packet - 1].loose else "")), piece
        return link + self.message(raw, version, hops), None

    def fragment(self, raw):
        if raw[0] >> 4 == 4:
            word, head = struct.unpack_from("!H", raw, 6)[0], (raw[0] & 15) * 4
            offset, more = (word & 0x1FFF) * 8, bool(word & 0x2000)
            ends = slice(12, 20)
            if not offset and not more:
                return None
        elif raw[6] == 44:
            word, head = struct.unpack_from("!H", raw, 42)[0], 48
            offset, more = word & 0xFFF8, bool(word & 1)
            ends = slice(8, 40)
        else:
            return None
        payload = raw[head:]
        for number, packet in enumerate(self.sent, 1):
            if packet.vnet[1] or packet.version != raw[0] >> 4 or packet.raw[ends] != raw[ends]:
                continue
            whole = packet.raw[(packet.raw[0] & 15) * 4 if packet.version == 4 else 40 :]
            word = struct.unpack_from("!H", packet.raw, 6)[0] if packet.version == 4 else 0
            at, more_follows = offset - (word & 0x1FFF) * 8, bool(word & 0x2000)
            if at >= 0 and whole[at : at + len(payload)] == payload:
                last = at + len(payload) == len(whole)
                if more == (more_follows or not last):
                    return Piece(number, at, payload, last)
        return None

    def segment(self, raw):
        head = (raw[0] & 15) * 4 if raw[0] >> 4 == 4 else 40
        ends = slice(12, 20) if raw[0] >> 4 == 4 else slice(8, 40)
        proto = raw[9] if raw[0] >> 4 == 4 else raw[6]
        if proto not in (6, 17):
            return None
        for number, packet in enumerate(self.sent, 1):
            if not packet.vnet[1] or packet.raw[ends] != raw[ends] or packet.version != raw[0] >> 4:
                continue
            if checksum(bytes(raw[ends]) + struct.pack("!II", len(raw) - head, proto) + raw[head:]):
                return None
            start, header_len = (
                struct.unpack_from("<H", packet.vnet, 6)[0],
                struct.unpack_from("<H", packet.vnet, 2)[0],
            )
            if proto == 6 and packet.raw[start + 8 : start + 12] != raw[head + 8 : head + 12]:
                continue
            whole, payload = packet.raw[header_len:], raw[head + header_len - start :]
            if proto == 6:
                offset = struct.unpack_from("!I", raw, head + 4)[0] - 1
            else:
                offset = whole.find(payload)
            if whole[offset : offset + len(payload)] == payload:
                return Piece(number, offset, payload, offset + len(payload) == len(whole))
        return None

    def message(self, raw, version, hops):
        ip = IP(raw) if version == 4 else IPv6(raw)
        ends = f"{ip.src}>{ip.dst}"
        if version == 4 and ip.proto == 1:
            body = raw[ip.ihl * 4 :]
            kind, rest, good = ERRORS4.get((body[0], body[1])), body[8:], checksum(body) == 0
            mtu = struct.unpack_from("!H", body, 6)[0]
        elif version == 6 and ip.nh == 58:
            body = raw[40:]
            pseudo = raw[8:40] + struct.pack("!II", len(body), 58)
            kind, rest, good = ERRORS6.get((body[0], body[1])), body[8:], checksum(pseudo + body) == 0
            mtu = struct.unpack_from("!I", body, 4)[0]
        elif TCP in ip and "S" in ip[TCP].flags:
            return f"{ends} hops {hops} {self.syn(ip, raw)}"
        else:
            return f"{ends} hops {hops} protocol {ip.proto if version == 4 else ip.nh} length {len(raw)}"
        if not kind or not good:
            return f"{ends} hops {hops} icmp {body[0]}/{body[1]}" + ("" if good else " WRONG CHECKSUM")
        about = [n for n, packet in enumerate(self.sent, 1) if self.quotes(packet.raw, rest)]
        number = f" #{about[0]}" if len(about) == 1 else f" {about or 'nothing'}"
        return f"{ends} {kind}{' ' + str(mtu) if mtu else ''}{number}"

    def syn(self, ip, raw):
        """Which packet it was, ignoring its MSS option."""
        sum_is, mss = ip[TCP].chksum, dict(ip[TCP].options).get("MSS")
        del ip[TCP].chksum
        good = ip.__class__(bytes(ip))[TCP].chksum == sum_is
        about = [n for n, packet in enumerate(self.sent, 1) if self.but_for_mss(packet.raw) == self.but_for_mss(raw)]
        return f"{about or 'nothing'} mss {mss}" + ("" if good else " WRONG CHECKSUM")

    @staticmethod
    def but_for_mss(raw):
        ip, start = (IP(raw), (raw[0] & 15) * 4) if raw[0] >> 4 == 4 else (IPv6(raw), 40)
        if TCP not in ip:
            return None
        option = struct.pack("!BBH", 2, 4, dict(ip[TCP].options).get("MSS", 0))
        raw = canonical(raw, False)
        return raw[: start + 16] + raw[start + 18 :].replace(option, b"MSS", 1)

    @staticmethod
    def quotes(raw, quote):
        """As received, including the hop limit; the last octets of a quote may be padding."""
        same = min(len(raw), len(quote) & ~7, 576 - 28)
        return same >= 28 and raw[:same] == quote[:same]

    def lines(self, ports, seen):
        for one in ports:
            open_pieces, texts = {}, []
            for link, raw in seen[one.name]:
                text, piece = self.describe(link, raw)
                if not piece:
                    texts.append(text)
                    continue
                key = text, piece.packet
                count, end = open_pieces.get(key, (0, 0))
                if piece.offset != end:
                    texts.append(f"{text % (piece.packet, count + 1)} OUT OF ORDER at {piece.offset}, not {end}")
                open_pieces[key] = (count + 1, piece.offset + len(piece.payload))
                if piece.last:
                    texts.append(text % (piece.packet, open_pieces.pop(key)[0]))
            texts += [f"{text % (n, count)} UNFINISHED" for (text, n), (count, _) in open_pieces.items()]
            for text in texts:
                yield f"{one.name} {text}"


def of_interest(raw):
    """Excludes the kernel's own housekeeping: neighbour discovery, multicast listener reports."""
    if not raw or raw[0] >> 4 not in (4, 6):
        return False
    if raw[0] >> 4 == 6:
        kind = raw[40] if raw[6] == 58 else raw[48] if raw[6] == 0 and raw[40] == 58 else 0
        return not (130 <= kind <= 137 or kind == 143)
    return True


def sentinel(number):
    return IP(src="198.18.0.1", dst="198.19.0.1", ttl=64) / UDP(sport=9, dport=9) / Raw(b"sentinel %d" % number)


def drain(ports, seen, wanted):
    """Reads what has arrived; true once that includes the sentinel."""
    found = False
    for one in ports:
        while one.fd is not None:
            try:
                link, raw = one.receive()
            except BlockingIOError:
                break
            except OSError as error:  # its device is down
                if error.errno in (errno.ENETDOWN, errno.EIO):
                    break
                raise
            if raw.endswith(wanted):
                found = True
            elif of_interest(raw) and b"sentinel " not in raw[28:40]:
                seen[one.name].append((link, raw))
    return found


def answer(ports, number, name, expressions):
    """
    What comes out at all ports after the packets went into the port `name`, one line for each, port by port and in
    order: "PORT [FROM>TO ]#N[ in M pieces] hops H" for the Nth packet sent, every bit as it was but for the hop limit,
    or in pieces (fragments, segments) that make it up; "PORT [FROM>TO ]SRC>DST KIND [MTU ]#N" for an ICMP error
    about it; and whatever else as it is.
    """
    wanted = b"sentinel %d" % number
    into = next(one for one in ports if one.name == name)
    seen = {one.name: [] for one in ports}
    steps = packets(expressions)
    sent = [one for one in steps if isinstance(one, Packet)]
    drain(ports, {one.name: [] for one in ports}, wanted)  # what came before
    for one in steps:
        if isinstance(one, Command):
            subprocess.run(one.words, check=True)
        else:
            into.send(one)
        drain(ports, seen, wanted)
    into.send(Packet(bytes(sentinel(number))))
    end = time.monotonic() + 40
    while not drain(ports, seen, wanted):
        if time.monotonic() > end:
            return ["THE SENTINEL DID NOT COME OUT", *Answer(sent).lines(ports, seen)]
        select.select([one.fd for one in ports if one.fd is not None], [], [], 0.2)
    return list(Answer(sent).lines(ports, seen))


def serve(folder, words):
    os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})
    ports = [port(word) for word in words]
    os.mkfifo(f"{folder}/requests.new")
    fifo = os.open(f"{folder}/requests.new", os.O_RDWR)
    os.rename(f"{folder}/requests.new", f"{folder}/requests")
    with open(fifo, encoding="utf-8") as requests:
        for number, line in enumerate(requests):
            where, name, *expressions = shlex.split(line)
            try:
                lines = answer(ports, number, name, expressions)
            except Exception as error:  # pylint: disable=broad-except # the test prints it
                lines = [f"{type(error).__name__}: {error}"]
            with open(where + ".new", "w", encoding="utf-8") as out:
                out.write("".join(line + "\n" for line in lines))
            os.rename(where + ".new", where)


if __name__ == "__main__":
    if sys.argv[1] == "udp":
        send_datagram(sys.argv[2], sys.argv[3], octets(int(sys.argv[4])))
    else:
        serve(sys.argv[1], sys.argv[2:])
