#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-only
"""
metrics_server.py PORT COMMAND...: what the command prints, at http://127.0.0.1:PORT/metrics, by a run of it for each
request; an error where it fails.
"""
import http.server
import subprocess
import sys


class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        run = subprocess.run(sys.argv[2:], stdout=subprocess.PIPE, check=False)
        self.send_response(200 if run.returncode == 0 else 500)
        self.send_header("Content-Type", "text/plain; version=0.0.4")
        self.end_headers()
        self.wfile.write(run.stdout)

    def log_message(self, *_):
        pass


http.server.HTTPServer(("127.0.0.1", int(sys.argv[1])), Handler).serve_forever()
