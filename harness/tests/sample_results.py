# SPDX-License-Identifier: Apache-2.0
"""Results as `bootjack run --json -v` prints them, made by hand: what the tests of report and plugin feed on."""
import itertools

BS, MGMT = 3, 4
HOSTS = {1: "192.0.2.1:49152", BS: "192.0.2.10:5683", MGMT: "192.0.2.11:5683"}


class Log:
    """Events with running numbers and times."""

    def __init__(self):
        self.events, self.now, self.count = [], 0.0, itertools.count(1)
        self.add("actor", 1, text="client", **{"from": HOSTS[1]})
        self.add("actor", BS, text="bs", **{"from": HOSTS[BS]})
        self.add("actor", MGMT, text="mgmt", **{"from": HOSTS[MGMT]})

    def add(self, kind, actor=0, **fields):
        event = {"v": 1, "seq": next(self.count), "t": round(self.now, 6), "kind": kind, "actor": actor, "number": 0,
                 "other": 0, **fields}
        self.events.append(event)
        return event["seq"]

    def message(self, source, target, coap, fate="received", raw="40020001"):
        ends = {"from": HOSTS[source], "to": HOSTS[target]}
        sent = self.add("sent", source, raw=raw, coap=coap, **ends)
        self.now += 0.001
        if fate == "received":
            self.add("received", target, raw=raw, coap=coap, cause=sent, **ends)
        elif fate == "lost":
            self.add("lost", target, text="fault: drop", cause=sent, **ends)
        else:
            self.add("icmp", source, cause=sent)


def con(method, path, **more):
    return {"type": "CON", "code": {"GET": "0.01", "POST": "0.02", "PUT": "0.03", "DELETE": "0.04"}[method],
            "method": method, "mid": 1, "token": "aa", "path": path, **more}


def ack(code, **more):
    return {"type": "ACK", "code": code, "mid": 1, "token": "aa", **more}


def good_log():
    log = Log()
    log.add("client-start", 1, text="linked: ours")
    log.add("step-begin", 2, line=8, column=5, text="request bs POST /bs")
    log.now = 10
    log.add("dns-query", 1, text="bs.example")
    log.add("dns-answer", 1, text="bs.example = 192.0.2.10")
    log.message(1, BS, con("POST", "/bs", query="ep=dev-1&pct=11542"), fate="lost")
    log.now = 12.5
    log.message(1, BS, con("POST", "/bs", query="ep=dev-1&pct=11542"))
    log.message(BS, 1, ack("2.04"))
    log.add("client-state", 1, text="requested -> session: 2.04")
    log.add("step-begin", 2, line=10, column=5, text="write /0/1 tlv {0: \"coap://mgmt.example\"} expect 2.04")
    log.message(BS, 1, con("PUT", "/0/1", format=11542))
    log.message(1, BS, ack("2.04"))
    log.message(BS, 1, con("POST", "/bs"))
    log.message(1, BS, ack("4.06"))
    log.now += 3600
    log.message(1, MGMT, con("POST", "/rd", query="ep=dev-1&lt=86400&lwm2m=1.1", format=40), fate="icmp")
    return log


def result(scenario, verdict="pass", reason="", line=0, column=0, events=None, **more):
    return {"scenario": str(scenario), "title": more.pop("title", "A client does what it must"), "verdict": verdict,
            "reason": reason, "line": line, "column": column, "virtual_us": 3_612_507_000, "real_us": 1840, "seed": 1,
            "client": "linked", "rules": more.pop("rules", ["BS-REQUEST"]), "events": events or [],
            "branches": ["refused at Finish"], "reproduce": f"bootjack run {scenario} --seed 1 -v",
            "output": [{"descriptor": 2, "after": 3, "text": "a line of the client's"}], **more}
