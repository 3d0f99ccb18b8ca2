#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-only
"""
Checks Prometheus' text exposition format (0.0.4) on stdin against its grammar, and against the rules that
`promtool check metrics` has for names: HELP and TYPE once and before a metric's samples, which are contiguous; names,
labels and escapes; no series twice; counters end in _total and are not negative; a newline at the end.

Prints each fault with its line and ends with status 1; --json prints the samples: {"name", "labels", "value"}.
"""
import json
import re
import sys

NAME = re.compile(r"[a-zA-Z_:][a-zA-Z0-9_:]*")
LABEL = re.compile(r"[a-zA-Z_][a-zA-Z0-9_]*")
VALUE = re.compile(r'((?:[^"\\\n]|\\[\\"n])*)"')
NUMBER = re.compile(r"[+-]?(\d+(\.\d*)?|\.\d+)([eE][+-]?\d+)?|NaN|[+-]?Inf")
TYPES = {"counter", "gauge", "histogram", "summary", "untyped"}
ESCAPES = {"\\\\": "\\", '\\"': '"', "\\n": "\n"}


class Fault(Exception):
    pass


def take(pattern, line, at, what):
    match = pattern.match(line, at)
    if not match:
        raise Fault(f"no {what} at {line[at:at + 20]!r}")
    return match, match.end()


def sample(line):
    match, at = take(NAME, line, 0, "metric name")
    name, labels = match[0], {}
    if line.startswith("{", at):
        at += 1
        while not line.startswith("}", at):
            match, at = take(LABEL, line, at, "label name")
            label = match[0]
            if label in labels:
                raise Fault(f"label {label} twice")
            if label.startswith("__"):
                raise Fault(f"label {label} is reserved")
            _, at = take(re.compile('="'), line, at, '="')
            match, at = take(VALUE, line, at, "label value")
            labels[label] = re.sub(r"\\.", lambda escape: ESCAPES[escape[0]], match[1])
            if not line.startswith("}", at):
                _, at = take(re.compile(","), line, at, "comma")
        at += 1
    words = line[at:]
    if not words.startswith(" ") or not NUMBER.fullmatch(words[1:]):
        raise Fault(f"no value, or more than that: {words!r}")
    return name, labels, float(words)


class Checker:
    def __init__(self):
        self.helps, self.types, self.samples = {}, {}, []
        self.series, self.order = set(), []

    def comment(self, line):
        words = line.split(" ", 3)
        if words[0] != "#" or len(words) < 2 or words[1] not in ("HELP", "TYPE"):
            return  # a comment like any other
        if len(words) != 4 or not NAME.fullmatch(words[2]) or not words[3]:
            raise Fault("not '# HELP NAME TEXT' or '# TYPE NAME TYPE'")
        _, kind, name, text = words
        known = self.helps if kind == "HELP" else self.types
        if name in known:
            raise Fault(f"{kind} of {name} twice")
        if name in self.order:
            raise Fault(f"{kind} of {name} behind its samples")
        if kind == "TYPE" and text not in TYPES:
            raise Fault(f"no type: {text}")
        if kind == "HELP" and re.sub(r"\\[\\n]", "", text).count("\\"):
            raise Fault("unknown escape in HELP")
        known[name] = text

    def sample(self, line):
        name, labels, value = sample(line)
        for what, known in ("HELP", self.helps), ("TYPE", self.types):
            if name not in known:
                raise Fault(f"no {what} of {name} before its samples")
        counter = self.types[name] == "counter"
        if counter != name.endswith("_total"):
            raise Fault(f"{name}: _total is for counters, and counters have it")
        if counter and not value >= 0:
            raise Fault(f"a counter of {value}")
        if name != name.lower() or ":" in name:
            raise Fault(f"{name}: metric names are in lower case, without colons")
        key = (name, *sorted(labels.items()))
        if key in self.series:
            raise Fault("this series twice")
        self.series.add(key)
        if not self.order or self.order[-1] != name:
            if name in self.order:
                raise Fault(f"samples of {name} do not stand together")
            self.order.append(name)
        self.samples.append({"name": name, "labels": labels, "value": int(value) if value == int(value) else value})

    def check(self, text):
        if not text.endswith("\n"):
            yield "no newline at the end"
        for number, line in enumerate(text.removesuffix("\n").split("\n"), 1):
            try:
                if line.startswith("#"):
                    self.comment(line)
                elif line:
                    self.sample(line)
            except Fault as fault:
                yield f"line {number}: {fault}"
        for name in (self.helps.keys() | self.types.keys()) - set(self.order):
            if self.samples:
                yield f"{name} has no samples"


def main():
    checker = Checker()
    try:
        faults = list(checker.check(sys.stdin.buffer.read().decode("utf-8")))
    except UnicodeDecodeError as error:
        faults = [str(error)]
    for fault in faults:
        print(fault, file=sys.stderr)
    if "--json" in sys.argv[1:]:
        json.dump(checker.samples, sys.stdout)
    sys.exit(1 if faults else 0)


if __name__ == "__main__":
    main()
