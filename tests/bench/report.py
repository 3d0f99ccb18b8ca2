#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-only
"""
Turns wire.c's measurements into figures: a table, JSON, a plot, and a comparison with ratios of an earlier run.

    report.py ROWS RAW [--json FILE] [--svg FILE] [--compare FILE] [--record FILE]

A cost is the time of a row per packet minus that of its base in the same round. A ratio is computed within each round
as well, so that the machine's variations affect both sides alike. The output has the median and quartiles of the rounds.
"""
import argparse
import json
import os
import platform
import statistics
import subprocess

WORSE = 1.1  # compared with the recorded ratios: such a change is pointed out


def read_rows(path):
    """Groups [(title, [key])], titles {key: text}, targets [(kind, key, reference, limit, text)]."""
    groups, titles, targets = [], {}, []
    for line in open(path, encoding="utf-8"):
        words = line.split(None, 1)
        if not words or words[0].startswith("#"):
            continue
        kind, rest = words[0], words[1].strip()
        if kind == "group":
            groups.append((rest, []))
        elif kind == "row" and groups:
            groups[-1][1].append(rest.split()[0])
        elif kind == "title":
            key, text = rest.split(None, 1)
            titles[key] = text
        elif kind in ("target", "scaling"):
            key, reference, limit, text = rest.split(None, 3)
            targets.append((kind, key, reference, None if limit == "-" else float(limit), text))
    return groups, titles, targets


def spread(values):
    low, middle, high = statistics.quantiles(values, n=4, method="inclusive")
    return {"median": middle, "q1": low, "q3": high}


def machine():
    model = [line.split(":", 1)[1].strip() for line in open("/proc/cpuinfo", encoding="utf-8")
             if line.startswith("model name")]
    return {
        "kernel": platform.release(),
        "cpu": model[0] if model else platform.machine(),
        "cpus": os.cpu_count(),
        "load": os.getloadavg()[0],
    }


class Figures:
    def __init__(self, rows_path, raw_path):
        self.groups, self.titles, self.targets = read_rows(rows_path)
        with open(raw_path, encoding="utf-8") as file:
            self.raw = json.load(file)
        self.all = {(row["key"], row["family"]): row for row in self.raw["rows"]}
        self.costs = {}
        for (key, family), row in self.all.items():
            base = self.all.get((row["base"], family))
            if base:
                self.costs[key, family] = [ns - less for ns, less in zip(row["ns"], base["ns"])]
            else:
                self.costs[key, family] = row["ns"]

    def ratio(self, kind, key, reference, family):
        """In each round."""
        if kind == "scaling":  # twice as many packets in the time of one
            return [2 * one / two for one, two in
                    zip(self.all[reference, family]["ns"], self.all[key, family]["ns"])]
        return [cost / other for cost, other in zip(self.costs[key, family], self.costs[reference, family])]

    def ratios(self):
        for kind, key, reference, limit, text in self.targets:
            for family in (4, 6):
                figures = spread(self.ratio(kind, key, reference, family))
                met = limit and (figures["median"] >= limit if kind == "scaling" else figures["median"] <= limit)
                yield {"name": f"{key}/{reference}", "kind": kind, "text": text, "family": family, **figures,
                       "limit": limit, "met": met}

    def data(self):
        return {
            "machine": machine(),
            "rounds": self.raw["rounds"],
            "packets": self.raw["packets"],
            "groups": [{
                "title": title,
                "rows": [{"key": key, "family": family, "title": self.titles[key],
                          **spread(self.costs[key, family]), "rounds": self.costs[key, family]}
                         for key in keys for family in (4, 6)],
            } for title, keys in self.groups],
            "ratios": list(self.ratios()),
        }


def ns(row):
    return f"{row['median']:7,.0f} {row['q1']:7,.0f} {row['q3']:6,.0f}"


def against_limit(ratio):
    if ratio["limit"] is None:
        return ""
    return (f"   {'>=' if ratio['kind'] == 'scaling' else '<='} {ratio['limit']:4.2f}"
            f"  {'met' if ratio['met'] else 'MISSED'}")


def print_table(data):
    host = data["machine"]
    print(f"kernel {host['kernel']}, {host['cpus']} CPUs {host['cpu']}, load {host['load']:.1f}")
    print(f"{data['rounds']} rounds of {data['packets']:,} packets; median and quartiles, in CPU ns per packet")
    print(f"\n{'':36} {'IPv4':>7} {'from':>7} {'to':>6}   {'IPv6':>7} {'from':>7} {'to':>6}")
    for group in data["groups"]:
        print(group["title"])
        for four, six in zip(group["rows"][::2], group["rows"][1::2]):
            print(f"  {four['title']:34} {ns(four)}   {ns(six)}")
    if not data["ratios"]:
        return
    print(f"\n{'ratio':36} {'':>9} {'median':>7} {'from':>7} {'to':>6}   {'target':>7}")
    for ratio in data["ratios"]:
        print(f"  {ratio['text']:38} IPv{ratio['family']} {ratio['median']:8.3f} {ratio['q1']:7.3f} {ratio['q3']:6.3f}"
              f"{against_limit(ratio)}")


def compare(data, path):
    """Reports what is worse than the recorded ratios; for a reader to judge, on the same kind of machine."""
    if not os.path.exists(path) or not data["ratios"]:
        return
    kept = {}
    for line in open(path, encoding="utf-8"):
        if not line.startswith("#"):
            name, family, value = line.split()
            kept[name, int(family)] = float(value)
    print(f"\n{'compared with ' + path:38} {'kept':>13} {'now':>7}")
    for ratio in data["ratios"]:
        before = kept.get((ratio["name"], ratio["family"]))
        if before is None:
            continue
        change = before / ratio["median"] if ratio["kind"] == "scaling" else ratio["median"] / before
        print(f"  {ratio['text']:38} IPv{ratio['family']} {before:8.3f} {ratio['median']:7.3f}"
              f"{f'   WORSE by {100 * (change - 1):.0f} %' if change > WORSE else ''}")


def record(data, path):
    with open(path, "w", encoding="utf-8") as file:
        print("# SPDX-License-Identifier: GPL-2.0-only\n#\n"
              "# Ratios of a run of scripts/bench --record, to compare later runs with: name, IP version, median.",
              file=file)
        host = data["machine"]
        print(f"# kernel {host['kernel']}, {host['cpus']} CPUs {host['cpu']}", file=file)
        for ratio in data["ratios"]:
            print(f"{ratio['name']:29} {ratio['family']} {ratio['median']:6.3f}", file=file)


def plot(data, path):
    """Horizontal bars in colours that can be told from a light and from a dark background."""
    lines, tics, y = [], [], 0
    for group in data["groups"][1:4]:
        tics.append(f'"{{/:Bold {group["title"]}}}" {y}')
        y += 1
        for four, six in zip(group["rows"][::2], group["rows"][1::2]):
            tics.append('"{}" {}'.format(four["title"].replace("_", "\\\\_"), y))
            for row, offset, colour in ((four, -0.2, 0), (six, 0.2, 1)):
                kind = colour + (2 if four["title"].startswith("wgvia") else 0)
                lines.append(f'{row["median"]:.1f} {y + offset} {row["q1"]:.1f} {row["q3"]:.1f} {kind} '
                             f'{row["median"]:,.0f}')
            y += 1
        y += 0.4
    script = f"""
        set terminal svg size 860,{int(y * 26) + 70} enhanced font "sans-serif,12"
        set output "{path}"
        grey = "#7d8590"
        set border 1 linecolor rgb grey
        set tics textcolor rgb grey nomirror
        set yrange [{y}:-1]
        set xrange [0:*]
        set offsets 0, 120, 0, 0
        set ytics ({", ".join(tics)}) scale 0
        set xtics format "%'.0f" scale 0.5
        set xlabel "CPU ns per packet, less a packet that is dropped at once: IPv4 dark, IPv6 light, quartiles" \\
            textcolor rgb grey
        set grid xtics linecolor rgb grey linewidth 0.3
        set lmargin 34
        colour(kind) = kind == 0 ? 0x57707f : kind == 1 ? 0x8fa6b2 : kind == 2 ? 0xc2610c : 0xf0a050
        unset key
        $rows << END
{chr(10).join(lines)}
END
        plot $rows using 1:2:(0):1:($2-0.18):($2+0.18):(colour($5)) with boxxyerror fillstyle solid noborder \\
                linecolor rgb variable, \\
            $rows using 1:2:3:4 with xerrorbars pointtype 0 linewidth 1 linecolor rgb grey, \\
            $rows using 4:2:6 with labels left offset 0.6,0 font ",10" textcolor rgb grey
    """
    subprocess.run(["gnuplot"], input=script, text=True, check=True)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("rows")
    parser.add_argument("raw")
    for option in ("--json", "--svg", "--compare", "--record"):
        parser.add_argument(option)
    options = parser.parse_args()
    data = Figures(options.rows, options.raw).data()
    print_table(data)
    if options.compare:
        compare(data, options.compare)
    if options.record:
        record(data, options.record)
    if options.json:
        with open(options.json, "w", encoding="utf-8") as file:
            json.dump(data, file, indent=1)
            print(file=file)
    if options.svg:
        plot(data, options.svg)


main()
