#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-only
"""
One byte there and back over TCP, again and again: what netperf calls TCP_RR.

    roundtrips.py serve PORT
    roundtrips.py ask ADDRESS PORT SECONDS      prints how many answers came
"""
import socket
import sys
import time


def serve(port):
    with socket.create_server(("::", port), family=socket.AF_INET6, dualstack_ipv6=True) as server:
        while True:
            connection, _ = server.accept()
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            with connection:
                while byte := connection.recv(1):
                    connection.sendall(byte)


def ask(address, port, seconds):
    with socket.create_connection((address, port), timeout=5) as connection:
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        end, answers = time.monotonic() + seconds, 0
        while time.monotonic() < end:
            connection.sendall(b".")
            if connection.recv(1) != b".":
                sys.exit("the connection has ended")
            answers += 1
    print(answers)


if sys.argv[1] == "serve":
    serve(int(sys.argv[2]))
else:
    ask(sys.argv[2], int(sys.argv[3]), float(sys.argv[4]))
