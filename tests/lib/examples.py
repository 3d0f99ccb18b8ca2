#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-only
#
# Takes the examples out of a document, Markdown or mdoc, for the tests that run them:
#
#   examples.py FILE             one JSON array: {"line", "kind", "about", "steps": [{"command", "output"}], "text"}
#   examples.py --same FILE      0 if FILE, what a command printed, is what standard input, a document, shows
#
# What an example is for stands in a comment before it, <!-- KIND: ABOUT --> or .\" KIND: ABOUT. Kinds:
#
#   examples   commands; ABOUT is the state that they begin with, a function before_ABOUT of tests/net/examples.bats
#   hooks      the same, as PostUp and PreDown of wg-quick for wg6
#   file       the content of the file ABOUT
#   tested by  commands that the test file ABOUT runs
#   by hand    commands that no test runs, for the reason ABOUT
#
# In Markdown a fence says ```sh (commands, # begins a comment), ```console ("$ " before a command, and what it prints) or
# what else it is; in mdoc a literal display is the former or, where a line begins with "$ ", the latter. Commands without
# a kind are an error, and so is a fence that does not say what it is.

import json
import re
import sys

KINDS = ("examples", "hooks", "file", "tested by", "by hand")
# What differs from run to run, on both sides.
VARYING = (
    (r"\d\d:\d\d:\d\d\.\d{6}", "TIME"),
    (r"\b(link|prog|prog_id|link_id) \d+", r"\1 N"),
    (r"\b(NONE|INCOMPLETE|REACHABLE|STALE|DELAY|PROBE)\b", "STATE"),
    (r" lladdr [0-9a-f:]{17}", ""),
    (r"(neighbour) [0-9a-f:]{17}", r"\1"),
    (r"\d+ packets\b", "N packets"),
    (r"\d+ bytes\b", "N bytes"),
    (r"(\d)\.\d{5} >", r"\1.PORT >"),
    (r"\blen \d+ redirected", "len N redirected"),
    (r"-> [0-9.]+ s\b", "-> N s"),
)


def fail(name, line, text):
    sys.exit(f"{name}:{line}: {text}")


def steps_of(lines, console):
    """Commands, with continued lines joined; lines after "$ " commands are their output."""
    steps = []
    more = False
    for line in lines:
        if more:
            steps[-1]["command"] += " " + line.strip()
        elif console and not line.startswith("$ "):
            if not steps:
                return None
            steps[-1]["output"] += line + "\n"
            continue
        elif not console and (not line.strip() or line.startswith("#")):
            continue
        else:
            steps.append({"command": line[2:] if console else line, "output": ""})
        more = steps[-1]["command"].endswith("\\")
        steps[-1]["command"] = steps[-1]["command"].rstrip("\\").strip()
    return steps


def hooks_of(lines):
    """What wg-quick would run."""
    hooks = (re.match(r"P\w+(Up|Down) = ([^#]*)", line) for line in lines)
    return [{"command": hook[2].strip().replace("%i", "wg6"), "output": ""} for hook in hooks if hook]


def markdown(name, lines):
    note = fence = None
    for number, line in enumerate(lines, 1):
        if fence:
            if line.strip() != "```":
                fence[1].append(line)
                continue
            yield fence[2], note, fence[0], fence[1]
            fence = note = None
        elif line.startswith("```"):
            kind = line[3:].strip()
            if not kind:
                fail(name, number, "a fence that does not say what it is")
            fence = (kind, [], number)
        elif match := re.match(r"<!-- (.*) -->$", line):
            note = match[1]
        elif line.strip():
            note = None


def mdoc(name, lines):
    del name
    note = display = None
    for number, line in enumerate(lines, 1):
        if display:
            if line != ".Ed":
                display[1].append(line.replace("\\e", "\\").replace("\\&", "").replace("\\-", "-"))
                continue
            console = any(text.startswith("$ ") for text in display[1])
            yield display[0], note, "console" if console else "sh" if note else "text", display[1]
            display = note = None
        elif line.startswith(".Bd -literal"):
            display = (number, [])
        elif match := re.match(r'\.\\" (.*)$', line):
            note = match[1]
        else:
            note = None


def examples(name):
    with open(name, encoding="utf-8") as file:
        lines = file.read().splitlines()
    for number, note, form, text in (markdown if name.endswith(".md") else mdoc)(name, lines):
        kind, _, about = (note or "").partition(": ")
        if form not in ("sh", "console") and kind not in ("file", "hooks"):
            if any(line.startswith("$ ") for line in text):
                fail(name, number, f"'$ ' in what is said to be '{form}'")
            continue
        if kind not in KINDS or not about:
            fail(name, number, f"an example without a kind ({', '.join(KINDS)})")
        if kind == "hooks":
            steps, kind = hooks_of(text), "examples"
        else:
            steps = [] if kind == "file" else steps_of(text, form == "console")
        if steps is None or (kind != "file" and not steps):
            fail(name, number, "no command in it")
        yield {"line": number, "kind": kind, "about": about, "steps": steps, "text": "\n".join(text) + "\n"}


def plain(text):
    for pattern, replacement in VARYING:
        text = re.sub(pattern, replacement, text)
    return " ".join(text.split())


def same(shown, printed):
    """A line "..." stands for any number of others; where lines are broken does not matter."""
    parts = [re.escape(plain(part)) for part in re.split(r"^\s*\.\.\.\s*$", shown, flags=re.M)]
    return re.fullmatch(r"\s*.*\s*".join(parts), plain(printed)) is not None


if __name__ == "__main__":
    if sys.argv[1] == "--same":
        with open(sys.argv[2], encoding="utf-8") as printed_file:
            sys.exit(not same(sys.stdin.read(), printed_file.read()))
    json.dump(list(examples(sys.argv[1])), sys.stdout, indent=1)
