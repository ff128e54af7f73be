# SPDX-License-Identifier: Apache-2.0
"""What a Bootstrap-Server has to bear when a fleet loses power together: bootjack-fleet with the hold-off and jitter that are
given, and without either, as one page. Exit status: 0; 2 when a fleet cannot be run."""
from __future__ import annotations

import argparse
import dataclasses
import pathlib
import re
import subprocess
import sys

from markupsafe import escape

from harness.pytest_bootjack import api

WIDTH, HEIGHT, LEFT, BOTTOM, TOP = 920, 310, 70, 40, 34
COLOURS = ("#1b6ca8", "#d1495b", "#edae49", "#6b4e9b")
HEAD = """<!doctype html>
<html lang="en"><meta charset="utf-8"><title>A fleet that loses power together</title>
<style>body{font:15px/1.5 sans-serif;margin:2em auto;max-width:60em;padding:0 1em}td,th{padding:.2em .8em;text-align:right}
th:first-child,td:first-child{text-align:left}svg{max-width:100%}text{font:12px sans-serif}</style>
"""


@dataclasses.dataclass
class Curve:
    """Bootstrap-Requests in each second, and what the program said."""

    name: str
    arguments: list
    seconds: list
    said: str

    @property
    def peak(self):
        return max(self.seconds, default=0)

    @property
    def busy(self):
        """Seconds with a request in them."""
        return sum(count > 0 for count in self.seconds)

    @property
    def complete(self):
        found = re.search(r"^complete: (\d+) clients(?:, all of them after ([\d.]+))?", self.said, re.M)
        return (int(found[1]), found[2] or "") if found else (0, "")


def variants(holdoff, jitter):
    """The settings as they are, and each left out."""
    return [(f"hold-off {holdoff} s, jitter {jitter} %", holdoff, jitter), (f"hold-off {holdoff} s, no jitter", holdoff, 0),
            (f"no hold-off (1 s at least), jitter {jitter} %", 0, jitter), ("no hold-off, no jitter", 0, 0)]


def measure(name, clients, holdoff, jitter, seconds):
    arguments = ["--clients", str(clients), "--servers", "1", "--observations", "0", "--holdoff", str(holdoff), "--jitter", str(jitter),
                 "--minutes", str(-(-seconds // 60)), "--curve", str(seconds), "--plot"]
    program = pathlib.Path(api.find_bootjack()).parent / "bootjack-fleet"
    done = subprocess.run([program, *arguments], capture_output=True, text=True, check=False)
    if done.returncode not in (0, 1):
        raise RuntimeError(done.stderr.strip())
    counts = re.findall(r"^\d+ (\d+)$", done.stdout, re.M)
    return Curve(name, arguments, [int(count) for count in counts], done.stdout)


def end_of(curves):
    """So many seconds are drawn: until the last request, and a little more."""
    last = max((i for curve in curves for i, count in enumerate(curve.seconds) if count), default=0)
    return last + 3


def steps(curve, end, most):
    """The curve as a path of steps."""
    across, up = (WIDTH - LEFT - 10) / end, (HEIGHT - BOTTOM - TOP) / (most or 1)
    points = [f"M{LEFT},{HEIGHT - BOTTOM}"]
    for second, count in enumerate(curve.seconds[:end]):
        points.append(f"V{HEIGHT - BOTTOM - count * up:.1f}H{LEFT + (second + 1) * across:.1f}")
    return "".join(points) + f"V{HEIGHT - BOTTOM}"


def axes(end, most):
    across = (WIDTH - LEFT - 10) / end
    every = max(1, round(end / 12))
    out = [f'<path d="M{LEFT},{TOP}V{HEIGHT - BOTTOM}H{WIDTH - 10}" fill="none" stroke="#444"/>']
    out += [f'<text x="{LEFT + second * across:.1f}" y="{HEIGHT - BOTTOM + 16}" text-anchor="middle">{second}</text>'
            for second in range(0, end + 1, every)]
    for share in (0.25, 0.5, 0.75, 1):
        y = HEIGHT - BOTTOM - share * (HEIGHT - BOTTOM - TOP)
        out.append(f'<path d="M{LEFT},{y:.1f}H{WIDTH - 10}" stroke="#ddd"/>'
                   f'<text x="{LEFT - 8}" y="{y + 4:.1f}" text-anchor="end">{round(share * most)}</text>')
    return "".join(out) + f'<text x="{WIDTH / 2}" y="{HEIGHT - 6}" text-anchor="middle">seconds since the power came back</text>'


def chart(curve, colour, end, most):
    title = f'<text x="{WIDTH - 16}" y="{TOP - 12}" text-anchor="end" font-weight="bold">{escape(curve.name)}</text>'
    return (f'<svg viewBox="0 0 {WIDTH} {HEIGHT}" role="img" aria-label="{escape(curve.name)}">{axes(end, most)}'
            f'<path d="{steps(curve, end, most)}" fill="{colour}" fill-opacity=".25" stroke="{colour}" stroke-width="1.5"/>{title}</svg>\n')


def page(clients, curves):
    end = end_of(curves)
    rows = "".join(f"<tr><td>{escape(c.name)}</td><td>{c.peak}</td><td>{c.busy}</td><td>{c.complete[0]}</td><td>{c.complete[1]}</td>"
                   f"<td><code>bootjack-fleet {escape(' '.join(c.arguments))}</code></td></tr>\n" for c in curves)
    body = "".join(chart(c, colour, end, c.peak) for c, colour in zip(curves, COLOURS))
    return (f"{HEAD}<h1>{clients} clients lose power together</h1>\n<p>Bootstrap-Requests a second at one Bootstrap-Server, which answers "
            "all of them at once, in virtual time. Each client waits its Client Hold Off Time (<code>/0/x/11</code>, one second at least), "
            "longer at random by up to the jitter, then asks. The scale of each chart is its own.</p>\n"
            "<table><tr><th>settings</th><th>requests in the busiest second</th><th>seconds with requests</th><th>registered</th>"
            f"<th>all after, s</th><th>command</th></tr>\n{rows}</table>\n{body}</html>\n")


def main(arguments):
    parser = argparse.ArgumentParser(prog="ci/fleet", description=__doc__)
    parser.add_argument("--clients", type=int, default=10000)
    parser.add_argument("--holdoff", type=int, default=30, help="seconds")
    parser.add_argument("--jitter", type=int, default=50, help="percent")
    parser.add_argument("--seconds", type=int, default=120, help="of the curve")
    parser.add_argument("-o", "--output", type=pathlib.Path, default=api.ROOT / "build/fleet.html")
    options = parser.parse_args(arguments)
    try:
        curves = [measure(name, options.clients, holdoff, jitter, options.seconds)
                  for name, holdoff, jitter in variants(options.holdoff, options.jitter)]
    except (RuntimeError, api.BootjackMissing) as problem:
        print(f"ci/fleet: {problem}", file=sys.stderr)
        return 2
    options.output.parent.mkdir(parents=True, exist_ok=True)
    options.output.write_text(page(options.clients, curves), encoding="utf-8")
    for curve in curves:
        print(f"{curve.name}: {curve.peak} requests in the busiest second, {curve.busy} seconds with requests, {curve.complete[0]} registered")
    print(f"{options.output}")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
