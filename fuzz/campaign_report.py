# SPDX-License-Identifier: Apache-2.0
"""The report of a campaign: a page with a row for each target and engine, coverage over time, and the findings with their scenarios."""
import html

WIDTH, HEIGHT = 240, 40

PAGE = """<!DOCTYPE html>
<html lang="en"><head><meta charset="utf-8"><title>Fuzzing campaign</title>
<style>
body {{ font-family: sans-serif; margin: 2em; max-width: 80em }}
table {{ border-collapse: collapse }} td, th {{ border-bottom: 1px solid #ccc; padding: .3em .8em; text-align: right }}
td:first-child, th:first-child {{ text-align: left }} pre {{ background: #f4f4f4; padding: 1em; overflow: auto }}
polyline {{ fill: none; stroke: #06c; stroke-width: 1.5 }}
</style></head><body>
<h1>Fuzzing campaign</h1>
<p>{hours:.2f} hours of targets, {executions:,} executions, {findings} findings.</p>
<table><tr><th>Target</th><th>Engine</th><th>Hours</th><th>Executions</th><th>a second</th><th>Coverage</th><th>Features</th><th>Inputs</th>
<th>Transitions</th><th>Coverage over time</th></tr>
{rows}
</table>
<h2>Findings</h2>
{details}
</body></html>
"""


def curve(turns):
    """Coverage over the seconds that the target had, as a line."""
    points, at = [], 0.0
    for turn in turns:
        at += turn.seconds
        points.append((at, turn.coverage))
    most = max((value for _, value in points), default=0) or 1
    text = " ".join(f"{WIDTH * x / (at or 1):.1f},{HEIGHT - HEIGHT * y / most:.1f}" for x, y in points)
    return f'<svg width="{WIDTH}" height="{HEIGHT}"><polyline points="{text}"/></svg>'


def row(what, turns):
    executions = sum(turn.executions for turn in turns)
    seconds = sum(turn.seconds for turn in turns)
    last = turns[-1]
    reached = f"{last.transitions} of {last.reachable}" if last.transitions is not None else ""
    return (f"<tr><td>{html.escape(what[0])}</td><td>{html.escape(what[1])}</td><td>{seconds / 3600:.2f}</td><td>{executions:,}</td>"
            f"<td>{executions / seconds if seconds else 0:,.0f}</td><td>{last.coverage}</td><td>{last.features}</td>"
            f"<td>{last.inputs}</td><td>{reached}</td><td>{curve(turns)}</td></tr>")


def detail(group):
    return (f"<h3>{html.escape(group.key)}</h3><p>{html.escape(group.target)}: {group.count} inputs; kept as "
            f"<code>{html.escape(str(group.kept))}</code></p><pre>{html.escape(group.text)}</pre>")


def write(path, turns, groups):
    whats = sorted({turn.what for turn in turns})
    rows = "\n".join(row(what, [turn for turn in turns if turn.what == what]) for what in whats)
    path.write_text(PAGE.format(hours=sum(turn.seconds for turn in turns) / 3600, executions=sum(turn.executions for turn in turns),
                                findings=len(groups), rows=rows, details="\n".join(map(detail, groups)) or "<p>None.</p>"))
