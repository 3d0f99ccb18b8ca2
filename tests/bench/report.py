#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-only
"""
Turns wire.c's measurements into figures: a table, JSON, a plot, and a comparison with ratios of an earlier run.

    report.py ROWS RAW [--json FILE] [--svg FILE] [--compare FILE] [--record FILE]

A cost is what a row took per packet less what its base took in the same round. A ratio, too, is made within each round,
so that a machine's moods meet both sides of it alike. Shown are the median of the rounds, and the interval in which it
lies with a confidence of 95 %: a bootstrap, whose random numbers are the same in each run. A limit is met or missed
where the whole interval lies on one side of it, and open otherwise.

Beside the median is the low cost: the 10 % quantile of the row less that of its base. Other work on the machine only
ever adds to a series, so this is near to what an idle machine would show; a low ratio is one of two low costs.
"""
import argparse
import json
import os
import platform
import random
import statistics
import subprocess

WORSE = 1.1  # than in the ratios that are kept: this is pointed out
RESAMPLES = 2000
TARGETS = {"target": 2, "scaling": 2, "scaled": 4}  # how many keys each has
AT_LEAST = ("scaling", "scaled")  # the limit of the others is a maximum


def read_rows(path):
    """Groups [(title, [key])], titles {key: text}, targets [(kind, [key], limit, text)]."""
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
        elif kind in TARGETS:
            *keys, limit, text = rest.split(None, TARGETS[kind] + 1)
            targets.append((kind, keys, None if limit == "-" else float(limit), text))
    return groups, titles, targets


def quantile(values, share):
    """The values themselves, without what would be between them."""
    return sorted(values)[round((len(values) - 1) * share)]


def interval(values):
    """Of their median, 95 %."""
    drawn = random.Random(1)  # the same in each run
    medians = [statistics.median(drawn.choices(values, k=len(values))) for _ in range(RESAMPLES)]
    return quantile(medians, 0.025), quantile(medians, 0.975)


def spread(values, low):
    begin, end = interval(values)
    return {"median": statistics.median(values), "low": low, "from": begin, "to": end}


def verdict(kind, limit, begin, end):
    if limit is None:
        return None
    if kind in AT_LEAST:  # the mirror image
        limit, begin, end = -limit, -end, -begin
    if end <= limit:
        return "met"
    return "missed" if begin > limit else "open"


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
        self.costs, self.low = {}, {}
        for (key, family), row in self.all.items():
            base = self.all.get((row["base"], family))
            self.costs[key, family] = [ns - less for ns, less in zip(row["ns"], base["ns"])] if base else row["ns"]
            self.low[key, family] = quantile(row["ns"], 0.1) - (quantile(base["ns"], 0.1) if base else 0)

    def ratio(self, kind, keys, family):
        """In each round, and the low one."""
        series = [self.all[key, family]["ns"] for key in keys]
        low = [quantile(ns, 0.1) for ns in series]
        if kind == "scaling":  # twice as many packets in the time that one takes
            return [2 * one / two for two, one in zip(*series)], 2 * low[1] / low[0]
        if kind == "scaled":  # one scaling over another
            return ([one / two * two0 / one0 for two, one, two0, one0 in zip(*series)],
                    low[1] / low[0] * low[2] / low[3])
        key, reference = keys
        return ([cost / other for cost, other in zip(self.costs[key, family], self.costs[reference, family])],
                self.low[key, family] / self.low[reference, family])

    def ratios(self):
        for kind, keys, limit, text in self.targets:
            for family in (4, 6):
                figures = spread(*self.ratio(kind, keys, family))
                yield {"name": "/".join(keys), "kind": kind, "text": text, "family": family, **figures,
                       "limit": limit, "verdict": verdict(kind, limit, figures["from"], figures["to"])}

    def rows(self, keys):
        for key in keys:
            for family in (4, 6):
                yield {"key": key, "family": family, "title": self.titles[key],
                       **spread(self.costs[key, family], self.low[key, family]), "rounds": self.costs[key, family]}

    def latencies(self):
        """Of one packet at a time, injection and the reading of the clock included."""
        for row in self.raw["rows"]:
            if row.get("latency"):
                title = next(title for title, keys in self.groups if row["key"] in keys)
                yield {"key": row["key"], "family": row["family"], "group": title, "title": self.titles[row["key"]],
                       "packets": len(row["latency"]),
                       **{f"p{share}": quantile(row["latency"], share / 100) for share in (50, 90, 99)}}

    def data(self):
        return {
            "machine": machine(),
            "rounds": self.raw["rounds"],
            "packets": self.raw["packets"],
            "groups": [{"title": title, "rows": list(self.rows(keys))} for title, keys in self.groups],
            "latencies": list(self.latencies()),
            "ratios": list(self.ratios()),
        }


def pairs(rows):
    """IPv4's and IPv6's, which follow each other."""
    return zip(rows[::2], rows[1::2])


def ns(row):
    return f"{row['median']:6,.0f} {row['low']:6,.0f} {row['from']:6,.0f} {row['to']:6,.0f}"


def percentiles(row):
    return f"{row['p50']:6,.0f} {row['p90']:6,.0f} {row['p99']:6,.0f}"


def against_limit(ratio):
    if ratio["limit"] is None:
        return ""
    return (f"   {'>=' if ratio['kind'] in AT_LEAST else '<='} {ratio['limit']:4.2f}"
            f"  {ratio['verdict'].replace('missed', 'MISSED')}")


def print_costs(data):
    columns = f"{'median':>6} {'low':>6} {'from':>6} {'to':>6}"
    print(f"{data['rounds']} rounds of {data['packets']:,} packets; CPU ns per packet: median of the rounds, low "
          "quantile (10 %),\nand from where to where the median is with a confidence of 95 %")
    print(f"\n{'':38} {'IPv4':27}   IPv6\n{'':38} {columns}   {columns}")
    for group in data["groups"]:
        print(group["title"])
        for four, six in pairs(group["rows"]):
            print(f"  {four['title']:36} {ns(four)}   {ns(six)}")


def print_latencies(data):
    if not data["latencies"]:
        return
    columns = f"{'50 %':>6} {'90 %':>6} {'99 %':>6}"
    print("\none packet at a time, injection included, ns by the clock: so many percent of "
          f"{data['latencies'][0]['packets']:,} take no longer")
    print(f"{'':38} {'IPv4':20}   IPv6\n{'':38} {columns}   {columns}")
    shown = None
    for four, six in pairs(data["latencies"]):
        if four["group"] != shown:
            shown = four["group"]
            print(shown.split(",")[0])
        print(f"  {four['title']:36} {percentiles(four)}   {percentiles(six)}")


def print_ratios(data):
    if not data["ratios"]:
        return
    print(f"\n{'ratio':36} {'':>9} {'median':>7} {'low':>7} {'from':>7} {'to':>6}   {'target':>7}")
    for ratio in data["ratios"]:
        print(f"  {ratio['text']:38} IPv{ratio['family']} {ratio['median']:8.3f} {ratio['low']:7.3f} "
              f"{ratio['from']:7.3f} {ratio['to']:6.3f}{against_limit(ratio)}")


def print_table(data):
    host = data["machine"]
    print(f"kernel {host['kernel']}, {host['cpus']} CPUs {host['cpu']}, load {host['load']:.1f}")
    print_costs(data)
    print_latencies(data)
    print_ratios(data)


def change(ratio, before):
    """By how much it has become worse, for a reader: only where the two intervals have nothing in common."""
    median, begin, end = before
    worse = ratio["median"] / median
    apart = ratio["from"] > end
    if ratio["kind"] in AT_LEAST:
        worse, apart = median / ratio["median"], ratio["to"] < begin
    return f"   WORSE by {100 * (worse - 1):.0f} %" if apart and worse > WORSE else ""


def compare(data, path):
    """Reports what is worse than the recorded ratios; for a reader to judge, on the same kind of machine."""
    if not os.path.exists(path) or not data["ratios"]:
        return
    kept = {}
    for line in open(path, encoding="utf-8"):
        if not line.startswith("#"):
            name, family, *values = line.split()
            kept[name, int(family)] = [float(value) for value in values]
    if not any((ratio["name"], ratio["family"]) in kept for ratio in data["ratios"]):
        return
    print(f"\n{'compared with ' + path:38} {'kept':>13} {'now':>7}")
    for ratio in data["ratios"]:
        before = kept.get((ratio["name"], ratio["family"]))
        if before:
            print(f"  {ratio['text']:38} IPv{ratio['family']} {before[0]:8.3f} {ratio['median']:7.3f}"
                  f"{change(ratio, before)}")


def record(data, path):
    with open(path, "w", encoding="utf-8") as file:
        print("# SPDX-License-Identifier: GPL-2.0-only\n#\n"
              "# Ratios of a run of scripts/bench --record, to compare later runs with: name, IP version, median, and\n"
              "# from where to where it is with a confidence of 95 %.", file=file)
        host = data["machine"]
        print(f"# kernel {host['kernel']}, {host['cpus']} CPUs {host['cpu']}", file=file)
        for ratio in data["ratios"]:
            print(f"{ratio['name']:43} {ratio['family']} {ratio['median']:6.3f} {ratio['from']:6.3f} "
                  f"{ratio['to']:6.3f}", file=file)


def plot(data, path):
    """Horizontal bars in colours that can be told from a light and from a dark background."""
    lines, tics, y = [], [], 0
    for group in data["groups"][1:4]:
        tics.append(f'"{{/:Bold {group["title"]}}}" {y}')
        y += 1
        for four, six in pairs(group["rows"]):
            tics.append('"{}" {}'.format(four["title"].replace("_", "\\\\_"), y))
            for row, offset, colour in ((four, -0.2, 0), (six, 0.2, 1)):
                kind = colour + (2 if four["title"].startswith("wgvia") else 0)
                lines.append(f'{row["median"]:.1f} {y + offset} {row["from"]:.1f} {row["to"]:.1f} {kind} '
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
        set xlabel "CPU ns per packet, less a packet that is dropped at once: IPv4 dark, IPv6 light, 95 % intervals" \\
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
