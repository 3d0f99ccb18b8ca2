#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-only
"""
The servers of the topology: small, real, and able to tell whom they saw.

    servers.py http PORT NAME           answers every GET with "NAME saw ADDRESS", over IPv4 and IPv6; that of a number
                                        with as many octets, and every POST with "NAME got SHA256 OF THE BODY"
    servers.py udp PORT ADDRESS...      answers every datagram with "ADDRESS saw ADDRESS: DATAGRAM", as a DNS server
                                        would: from the address that was asked
"""
import hashlib
import http.server
import random
import selectors
import socket
import sys


class Server(http.server.ThreadingHTTPServer):
    address_family = socket.AF_INET6

    def server_bind(self):
        self.socket.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 0)
        super().server_bind()


class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        if self.path[1:].isdigit():
            self.answer(random.Random(self.path).randbytes(int(self.path[1:])))
        else:
            self.answer(f"{sys.argv[3]} saw {self.client_address[0].removeprefix('::ffff:')}\n".encode())

    def do_POST(self):
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.answer(f"{sys.argv[3]} got {hashlib.sha256(body).hexdigest()}\n".encode())

    def answer(self, body):
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


def serve_udp(port, addresses):
    selector = selectors.DefaultSelector()
    for address in addresses:
        s = socket.socket(socket.AF_INET6 if ":" in address else socket.AF_INET, socket.SOCK_DGRAM)
        s.bind((address, port))
        selector.register(s, selectors.EVENT_READ, address)
    while True:
        for key, _ in selector.select():
            data, peer = key.fileobj.recvfrom(2048)
            key.fileobj.sendto(f"{key.data} saw {peer[0]}: ".encode() + data, peer)


if sys.argv[1] == "http":
    Server(("::", int(sys.argv[2])), Handler).serve_forever()
else:
    serve_udp(int(sys.argv[2]), sys.argv[3:])
