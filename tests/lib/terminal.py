#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-only
#
# Runs a command on a terminal of that many columns, and prints its output:
#
#   terminal.py COLUMNS [--resize AFTER COLUMNS] [--until TEXT] COMMAND...
#
# The size changes when the regular expression AFTER matches the output, and ^C is typed when TEXT is found in the
# output after that. The exit status is that of the command.

import fcntl
import os
import pty
import re
import select
import struct
import sys
import termios
import time

TIMEOUT = 30


def set_size(fd, columns):
    fcntl.ioctl(fd, termios.TIOCSWINSZ, struct.pack("HHHH", 50, columns, 0, 0))


def main():
    words = sys.argv[1:]
    columns = int(words.pop(0))
    steps = []  # what to wait for, and what to do then
    while words[0].startswith("--"):
        option = words.pop(0)
        if option == "--resize":
            after, size = words.pop(0), int(words.pop(0))
            steps.append((after.encode(), lambda fd, size=size: set_size(fd, size)))
        else:
            steps.append((words.pop(0).encode(), lambda fd: os.write(fd, b"\x03")))
    pid, fd = pty.fork()
    if pid == 0:
        set_size(0, columns)
        os.execvp(words[0], words)
    output, seen, end = b"", 0, time.monotonic() + TIMEOUT
    while time.monotonic() < end:
        if select.select([fd], [], [], 0.1)[0]:
            try:
                chunk = os.read(fd, 4096)
            except OSError:  # it has ended
                break
            output += chunk
        while steps and (match := re.compile(steps[0][0]).search(output, seen)):
            seen = match.end()
            steps.pop(0)[1](fd)
    else:
        os.kill(pid, 9)
    status = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
    sys.stdout.buffer.write(output.replace(b"\r\n", b"\n"))
    sys.exit(1 if steps else abs(status))


main()
