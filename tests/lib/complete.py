#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-only
#
# Completes command lines as a user does, on a terminal, in a real shell:
#
#   complete.py bash|zsh|fish [--described] FILE <LINES
#
# loads FILE, types each line and has every proposal inserted. For each line it prints "LINE=> WORD...", the words that
# then stand in the place of its last one, sorted, folders without the slash that bash does not add; what the shell wrote of
# its own accord goes to stderr. fish is asked by its own `complete -C`, without a terminal. With --described it has zsh or
# fish list the proposals, and prints what is listed, as "WORD -- DESCRIPTION" or "WORD".

import fcntl
import os
import pty
import re
import select
import struct
import subprocess
import sys
import tempfile
import termios
import time

RC = {
    "bash": """
PS1= PS2=
. "$COMPLETION"
bind 'set enable-bracketed-paste off'
bind 'set completion-query-items 0'
bind '"\\C-t": insert-completions'
bind -x '"\\C-g": printf "%s\\n" "$READLINE_LINE" >>"$RESULTS"'
: >"$RESULTS"
""",
    "zsh": """
PS1= PS2= PROMPT_EOL_MARK=
fpath=("$ZDOTDIR" $fpath)
autoload -Uz compinit && compinit -u -D
bindkey -e
all() { comppostfuncs=(insert_all); zle complete-word }
insert_all() { compstate[insert]=all }
tell() { print -r -- "$BUFFER" >>"$RESULTS" }
list() { zle list-choices; zle -R; print -n '\\x1e' >/dev/tty }
zle -N all && zle -N tell && zle -N list
bindkey '^T' all
bindkey '^G' tell
bindkey '^O' list
: >"$RESULTS"
""",
}
COMMANDS = {"bash": ["bash", "--noprofile", "--rcfile", "{rc}", "-i"], "zsh": ["zsh", "-d", "-i"]}
TIMEOUT = 30


class Shell:
    def __init__(self, shell, completion, folder):
        self.results = os.path.join(folder, "results")
        self.output = b""
        rc = os.path.join(folder, ".zshrc")
        with open(rc, "w", encoding="utf-8") as file:
            file.write(RC[shell])
        os.symlink(os.path.realpath(completion), os.path.join(folder, "_wgvia"))
        self.pid, self.terminal = pty.fork()
        if self.pid == 0:
            os.environ.update(COMPLETION=completion, RESULTS=self.results, ZDOTDIR=folder, TERM="dumb",
                              HISTFILE="", HOME=folder)
            os.execvp(shell, [word.format(rc=rc) for word in COMMANDS[shell]])
        fcntl.ioctl(self.terminal, termios.TIOCSWINSZ, struct.pack("HHHH", 100, 250, 0, 0))
        self.wait(lambda: os.path.exists(self.results))

    def wait(self, done):
        """Reads the shell's output until `done`."""
        end = time.monotonic() + TIMEOUT
        while not done():
            if time.monotonic() > end:
                sys.stderr.buffer.write(self.output)
                sys.exit("complete.py: the shell does not answer")
            if select.select([self.terminal], [], [], 0.02)[0]:
                self.output += os.read(self.terminal, 4096)

    def lines(self):
        with open(self.results, encoding="utf-8") as file:
            return [line for line in file.read().split("\n")[:-1]]

    def complete(self, line):
        before = len(self.lines())
        os.write(self.terminal, b"\x15" + line.encode() + b"\x14\x07")
        self.wait(lambda: len(self.lines()) > before)
        kept = line.rindex(" ") + 1
        return sorted(word.rstrip("/") for word in self.lines()[-1][kept:].split())

    def listed(self, line):
        """What zsh lists below the line."""
        seen = len(self.output)
        os.write(self.terminal, b"\x15" + line.encode() + b"\x0f")
        self.wait(lambda: b"\x1e" in self.output[seen:])
        shown = re.sub(rb"\x1b\[[0-9;?]*[a-zA-Z]", b"", self.output[seen:]).decode()
        return [" ".join(row.split()) for row in re.split("[\r\n\x1e]", shown) if row.strip() and line.rstrip() not in row]

    def end(self):
        os.write(self.terminal, b"\x15exit\r")
        try:
            while chunk := os.read(self.terminal, 4096):
                self.output += chunk
        except OSError:  # the terminal was closed
            pass
        os.waitpid(self.pid, 0)


def ask_fish(completion, line):
    """[(word, description)]"""
    answer = subprocess.run(["fish", "--no-config", "-c", 'source $argv[1]; complete -C "$argv[2]"', completion, line],
                            check=True, stdout=subprocess.PIPE, encoding="utf-8").stdout
    return [tuple((row + "\t").split("\t")[:2]) for row in answer.split("\n")[:-1]]


def main():
    shell, *options, completion = sys.argv[1:]
    lines = sys.stdin.read().split("\n")[:-1]
    if shell == "fish":
        for line in lines:
            answer = ask_fish(completion, line)
            if options:
                print(*(" -- ".join(filter(None, row)) for row in answer), sep="\n")
            else:
                print(line + "=>", *sorted(word.rstrip("/") for word, _ in answer))
        return
    with tempfile.TemporaryDirectory() as folder:
        terminal = Shell(shell, completion, folder)
        for line in lines:
            if options:
                print(*terminal.listed(line), sep="\n")
            else:
                print(line + "=>", *terminal.complete(line))
        terminal.end()
        sys.stderr.buffer.write(terminal.output)


main()
