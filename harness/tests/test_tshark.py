# SPDX-License-Identifier: Apache-2.0
"""tshark, which shares no code with us, reads the captures of the whole suite: of every datagram it must see the type,
code, Message ID, token, path, query, Content-Format and TLV that our own decoder saw, and nothing malformed but what a
script breaks on purpose, which carries a comment."""
import collections
import os
import shutil
import subprocess

import pytest

from harness.pytest_bootjack import api

FIELDS = ["frame.number", "frame.comment", "_ws.malformed", "coap.type", "coap.code", "coap.mid", "coap.token",
          "coap.opt.uri_path", "coap.opt.uri_query", "coap.opt.location_path", "coap.opt.ctype", "lwm2mtlv.type.type",
          "lwm2mtlv.identifier", "lwm2mtlv.value", "icmp.type", "icmpv6.type", "tcp.port"]
TYPES = {"CON": "0", "NON": "1", "ACK": "2", "RST": "3"}
TLV_KINDS = {"instance": "0", "resource-instance": "1", "multiple": "2", "resource": "3"}
FORMATS = {0: "text/plain", 40: "application/link-format", 42: "application/octet-stream", 60: "application/cbor",
           110: "application/senml+json", 112: "application/senml+cbor", 11542: "application/vnd.oma.lwm2m+tlv",
           11543: "application/vnd.oma.lwm2m+json"}

pytestmark = pytest.mark.skipif(not shutil.which("tshark"), reason="tshark is not installed (ci/setup)")


def code_number(text):
    kind, detail = text.split(".")
    return str(int(kind) << 5 | int(detail))


def flat(entries):
    """TLV entries as tshark lists them: an entry before what it holds."""
    for entry in entries:
        yield entry
        yield from flat(entry.get("entries", ()))


def ours(event):
    """What our decoder says of a datagram, in tshark's words."""
    coap = event["coap"]
    options = collections.defaultdict(list)
    for option in coap["options"]:
        options[option.get("name", option["number"])].append(str(option["value"]))
    entries = list(flat(coap.get("values", ())))
    return {"type": TYPES[coap["type"]], "code": code_number(coap["code"]), "mid": str(coap["mid"]),
            "token": coap["token"], "path": options["Uri-Path"], "query": options["Uri-Query"],
            "location": options["Location-Path"], "format": FORMATS.get(coap.get("format")),
            "kinds": [TLV_KINDS.get(entry["kind"]) for entry in entries],
            "ids": [str(entry.get("id")) for entry in entries],
            "values": [entry["hex"] for entry in entries if entry.get("hex")]}


def theirs(row):
    def several(name):
        return row[name].split("\x1f") if row[name] else []

    leaves = [kind in "13" for kind in several("lwm2mtlv.type.type")]
    return {"type": row["coap.type"], "code": row["coap.code"], "mid": row["coap.mid"],
            "token": row["coap.token"].replace(":", ""), "path": several("coap.opt.uri_path"),
            "query": several("coap.opt.uri_query"), "location": several("coap.opt.location_path"),
            "format": row["coap.opt.ctype"].split(";")[0] or None, "kinds": several("lwm2mtlv.type.type"),
            "ids": several("lwm2mtlv.identifier"),
            "values": several("lwm2mtlv.value") if leaves else []}


def dissect(capture, ports):
    command = ["tshark", "-r", capture, "-T", "fields", "-E", "separator=/t", "-E", "occurrence=a",
               "-E", "aggregator=\x1f"]
    for port in sorted(ports):
        command += ["-d", f"udp.port=={port},coap"]
    for field in FIELDS:
        command += ["-e", field]
    done = subprocess.run(command, capture_output=True, text=True, timeout=300, check=True)
    for line in done.stdout.splitlines():
        cells = line.split("\t")
        yield dict(zip(FIELDS, cells + [""] * (len(FIELDS) - len(cells))))


def server_ports(results):
    """Ports of servers: where the client sends to."""
    return {event["to"].rsplit(":", 1)[1] for result in results for event in result.of_kind("sent")
            if event["actor"] == 1}


@pytest.fixture(scope="module")
def suite(tmp_path_factory):
    """Datagrams of the whole suite, each as (scenario, our event, tshark's row)."""
    folder = tmp_path_factory.mktemp("captures")
    results = api.run_scenarios([api.ROOT / "scenarios"], "linked", events=True,
                                options=["--pcap", folder, "-j", str(os.cpu_count())])
    results = [result for result in results if result.capture and result.of_kind("sent")]
    merged = folder / "all.pcapng"
    subprocess.run(["mergecap", "-a", "-w", merged, *(result.capture for result in results)], check=True, timeout=120)
    rows = [row for row in dissect(merged, server_ports(results))
            if not (row["icmp.type"] or row["icmpv6.type"] or row["tcp.port"])]
    sent = [(result.scenario, event) for result in results for event in result.of_kind("sent")]
    assert len(rows) == len(sent) > 1000
    return [(scenario, event, row) for (scenario, event), row in zip(sent, rows)]


def broken(event):
    return "broken on purpose" in event or "not well-formed" in event


def test_tshark_sees_what_we_see(suite):
    different = [(scenario, event["seq"], ours(event), theirs(row)) for scenario, event, row in suite
                 if not broken(row["frame.comment"]) and ours(event) != theirs(row)]
    assert different == []


def test_nothing_is_malformed_but_on_purpose(suite):
    malformed = [(scenario, event["seq"], row["frame.comment"]) for scenario, event, row in suite
                 if row["_ws.malformed"] and not broken(row["frame.comment"])]
    assert malformed == []


def test_what_is_broken_says_so(suite):
    silent = [(scenario, event["seq"]) for scenario, event, row in suite
              if event["coap"].get("fault") and not broken(row["frame.comment"])]
    assert silent == []


def test_our_client_sends_nothing_broken(suite):
    bad = [(scenario, event["seq"], row["frame.comment"]) for scenario, event, row in suite
           if event["actor"] == 1 and ("not well-formed" in row["frame.comment"] or event["coap"].get("fault"))]
    assert bad == []


def test_the_suite_shows_every_operation(suite):
    """So that the comparison above is one of something."""
    seen = {(event["coap"].get("method") or event["coap"].get("code"), bool(event["coap"].get("values")))
            for _, event, _ in suite if not event["coap"].get("fault")}
    for wanted in (("POST", False), ("PUT", True), ("DELETE", False), ("GET", False), ("2.04", False), ("4.06", False)):
        assert wanted in seen
