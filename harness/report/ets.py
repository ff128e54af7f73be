# SPDX-License-Identifier: Apache-2.0
"""Which scenario shows which case of the OMA Enabler Test Specification: docs/ets.md, written from the file names in
scenarios/ets/. `python3 -m harness.report.ets` writes the page, with `--check` it only says whether it is up to date."""

import argparse
import re
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PAGE = ROOT / "docs" / "ets.md"
FOLDER = ROOT / "scenarios" / "ets"

# Cases of the Enabler Test Specification (LwM2M 1.2, which keeps the ids of 1.1): id, title; a reason where a case has
# nothing that could be shown here.
CASES = [
    ("Bootstrap", [
        ("1.1-int-0", "Client initiated bootstrap", None),
        ("1.1-int-1", "Client initiated bootstrap full (PSK)", None),
        ("1.1-int-2", "Client initiated bootstrap full (certificate)", None),
        ("1.1-int-3", "Simple bootstrap from smartcard", "needs a smartcard, which the client does not read"),
        ("1.1-int-4", "Bootstrap Delete", None),
        ("1.1-int-5", "Server initiated bootstrap", None),
        ("1.1-int-6", "Bootstrap sequence", None),
        ("1.1-int-7", "Fallback to bootstrap", None),
        ("1.1-int-8", "Bootstrap Read", None),
        ("1.1-int-9", "Bootstrap and configuration consistency", None),
    ]),
    ("Registration", [
        ("1.1-int-101", "Initial registration", None),
        ("1.1-int-102", "Registration update", None),
        ("1.1-int-103", "Deregistration", None),
        ("1.1-int-104", "Registration update trigger", None),
        ("1.1-int-105", "Discarded register update", None),
        ("1.1-int-106", "Registration over TCP", None),
        ("1.1-int-107", "Extending the lifetime of a registration", None),
        ("1.1-int-108", "Turning on queue mode", None),
        ("1.1-int-109", "Behaviour in queue mode", None),
    ]),
    ("Device management", [
        ("1.1-int-201", "Querying basic information in plain text", None),
        ("1.1-int-202", "Querying basic information in opaque format", "a title without a procedure"),
        ("1.1-int-203", "Querying basic information in TLV", None),
        ("1.1-int-204", "Querying basic information in JSON", None),
        ("1.1-int-205", "Setting basic information in plain text", None),
        ("1.1-int-210", "Setting basic information in opaque format", "a title without a procedure"),
        ("1.1-int-211", "Querying basic information in CBOR", None),
        ("1.1-int-212", "Setting basic information in CBOR", None),
        ("1.1-int-215", "Setting basic information in TLV", None),
        ("1.1-int-220", "Setting basic information in JSON", None),
        ("1.1-int-221", "Operations on the Security Object", None),
        ("1.1-int-222", "Read on an Object", None),
        ("1.1-int-223", "Read on an Object Instance", None),
        ("1.1-int-224", "Read on a Resource", None),
        ("1.1-int-225", "Read on a Resource Instance", None),
        ("1.1-int-226", "Write (partial update) on an Object Instance", None),
        ("1.1-int-227", "Write (replace) on a Resource", None),
        ("1.1-int-228", "Write on a Resource Instance", None),
        ("1.1-int-229", "Read-Composite", "void in ETS 1.2.1; 1.1-int-280 took its place"),
        ("1.1-int-230", "Write-Composite", None),
        ("1.1-int-231", "Querying basic information in SenML JSON", None),
        ("1.1-int-232", "Querying basic information in SenML CBOR", None),
        ("1.1-int-233", "Setting basic information in SenML CBOR", None),
        ("1.1-int-234", "Setting basic information in SenML JSON", None),
        ("1.1-int-235", "Read-Composite on the root path", None),
        ("1.1-int-236", "Read-Composite of part of what is asked for", None),
        ("1.1-int-237", "Read on an Object without a named Content-Format", None),
        ("1.1-int-241", "Executable resource: rebooting the device", None),
        ("1.1-int-256", "Write on a resource that is only readable", None),
        ("1.1-int-257", "Write-Composite", None),
        ("1.1-int-260", "Discover", None),
        ("1.1-int-261", "Write-Attributes on a multiple resource", None),
        ("1.1-int-280", "Read-Composite with an executable resource", None),
        ("1.1-int-281", "Read-Composite with a path that is not there", None),
    ]),
    ("Information reporting", [
        ("1.1-int-301", "Observation and notification of parameter values", None),
        ("1.1-int-302", "Cancel an observation with Reset", None),
        ("1.1-int-303", "Cancel an observation with the cancel parameter", None),
        ("1.1-int-304", "Observe-Composite", None),
        ("1.1-int-305", "Cancel Observation-Composite", None),
        ("1.1-int-306", "Send", None),
        ("1.1-int-307", "Mute Send", None),
    ]),
    ("Security", [
        ("1.1-int-401", "UDP channel security: pre-shared key", None),
        ("1.1-int-402", "UDP channel security: certificate", None),
        ("1.1-int-403", "UDP channel security: certificate, wrong identity of the server", None),
        ("1.1-int-404", "TCP channel security: certificate", None),
        ("1.1-int-406", "TCP channel security: pre-shared key", None),
    ]),
]

HEAD = """# Cases of the OMA Enabler Test Specification

Which scenario shows which case that concerns what Bootjack's own client does: bootstrap, registration, management,
reporting, security. A case of several procedures has several files. Written by `python3 -m harness.report.ets` from the
names of the files in `scenarios/ets/`; what the specification's examples have wrong is put right there, with a note.
"""


def files_of(case, folder):
    """The scenarios of a case: 1.1-int-201.yaml, 1.1-int-201-with-more.yaml."""
    pattern = re.compile(re.escape(case) + r"(-[a-z][a-z0-9-]*)?\.yaml")
    return sorted(path.name for path in folder.glob("*.yaml") if pattern.fullmatch(path.name))


def line_of(case, title, reason, folder):
    found = ", ".join(f"[{name}](../scenarios/ets/{name})" for name in files_of(case, folder))
    return f"| {case} | {title} | {found or ('does not apply: ' + reason if reason else '**missing**')} |"


def missing(folder=FOLDER):
    """Ids of the cases that no scenario shows, and that nothing excuses."""
    return [name for _, cases in CASES for name, _, reason in cases if not reason and not files_of(name, folder)]


def page(folder=FOLDER):
    """The text of docs/ets.md."""
    lines = [HEAD]
    for topic, cases in CASES:
        lines += [f"## {topic}", "", "| case | title | scenario |", "|---|---|---|"]
        lines += [line_of(*case, folder) for case in cases] + [""]
    known = {name for _, cases in CASES for case in cases for name in files_of(case[0], folder)}
    strange = sorted(path.name for path in folder.glob("*.yaml") if path.name not in known)
    if strange:
        raise SystemExit(f"{folder}: no case has the name of {', '.join(strange)}")
    cases = [case for _, group in CASES for case in group]
    shown = sum(bool(files_of(case[0], folder)) for case in cases)
    lost = len(missing(folder))
    lines.append(f"{len(cases)} cases: {shown} shown, {len(cases) - shown - lost} do not apply, {lost} missing.")
    return "\n".join(lines) + "\n"


def main(arguments=None):
    parser = argparse.ArgumentParser(prog="python3 -m harness.report.ets", description=__doc__)
    parser.add_argument("--check", action="store_true", help="exit status 1 when docs/ets.md is not up to date")
    options = parser.parse_args(arguments)
    text = page()
    if not options.check:
        PAGE.write_text(text)
        return 0
    if PAGE.is_file() and PAGE.read_text() == text:
        return 0
    print(f"{PAGE.relative_to(ROOT)} is not up to date: run python3 -m harness.report.ets", file=sys.stderr)
    return 1


if __name__ == "__main__":
    sys.exit(main())
