#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-only
#
# A download that is still under way when a test has done what it does to it:
#
#   paced_get.py URL FILE GO      a hundred thousand octets a second until the file GO is there, then as fast as they come

import os
import sys
import time
import urllib.request

url, name, go = sys.argv[1:]
direct = urllib.request.build_opener(urllib.request.ProxyHandler({}))
with direct.open(url, timeout=60) as answer, open(name, "wb", buffering=0) as file:
    while data := answer.read(25000):
        file.write(data)
        if not os.path.exists(go):
            time.sleep(0.25)
