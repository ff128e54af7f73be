# SPDX-License-Identifier: Apache-2.0
"""The oracles as `bootjack run` shows them, and their rules against the catalogue."""
import json
import re
import xml.etree.ElementTree

import yaml

from harness.pytest_bootjack import api

CLIENTS = api.ROOT / "harness" / "tests" / "clients"

# It takes any answer to Discover, and success where a critical option calls for 4.02: only an oracle sees what is wrong.
LENIENT = """title: A script that looks at nothing
client: {bootstrap: {uri: "coap://bs.example"}}
steps:
  - request: {to: bs, path: /bs}
  - respond: 2.04
  - discover: /
  - message: {type: CON, code: "0.04", path: /1, options: [{number: 2049, hex: ""}], expect: [2.04, 4.02]}
"""


def run(path, *arguments):
    return api.call("run", path, "--no-canary", *arguments)


def test_the_catalogue_and_the_oracles_name_the_same_rules():
    catalogue = yaml.safe_load((api.ROOT / "scenarios" / "rules.yaml").read_text())["rules"]
    judged = {rule["id"]: rule for rule in catalogue if "oracle" in rule}
    table = re.findall(r'X\(\w+, "([^"]+)", (\w+)\)', (api.ROOT / "harness" / "oracle" / "rules.h").read_text())
    known = {name: level for name, level in table if name != "ID"}
    assert set(known) == set(judged)
    assert known == {name: rule["level"] for name, rule in judged.items()}
    sources = {name: (api.ROOT / "harness" / "oracle" / f"{rule['oracle']}.c").read_text() for name, rule in judged.items()}
    for name, source in sources.items():
        assert "BJ_RULE_" + name.replace("-", "_") in source, f"{name} is not judged in {judged[name]['oracle']}.c"


def test_a_broken_rule_fails_a_script_that_looks_at_nothing(tmp_path):
    scenario = tmp_path / "lenient.yaml"
    scenario.write_text(LENIENT)
    assert json.loads(run(scenario, "--json").stdout)["verdict"] == "pass"
    junit = tmp_path / "junit.xml"
    done = run(scenario, "--json", "-v", "--junit", str(junit), "--client", str(CLIENTS / "always-2.04.yaml"))
    result = json.loads(done.stdout)
    assert done.returncode == 1
    assert result["verdict"] == "fail"
    broken = {found["rule"]: found for found in result["broken"]}
    assert broken["BS-CODES"]["level"] == "SHOULD" and "2.04" in broken["BS-CODES"]["text"]
    must = [found for found in result["broken"] if found["level"] == "MUST"]
    assert must and f"{must[0]['rule']} broken at" in result["reason"]
    events = {event["seq"]: event for event in result["events"]}
    assert events[must[0]["event"]]["actor"] == 1
    rules = [event for event in result["events"] if event["kind"] == "rule"]
    assert [rule["text"].split(":")[0] for rule in rules] == list(broken)
    properties = xml.etree.ElementTree.parse(junit).getroot().findall(".//property[@name='broken']")
    assert [p.get("value") for p in properties] == list(broken)


# Behind it everything is broken: no name resolves, no port is open, nothing gets through.
BROKEN_WORLD = """title: The world breaks down behind the client's first request
client: {bootstrap: {uri: "coap://bs.example", holdoff: 5s}}
steps:
  - request: {to: bs, path: /bs}
  - respond: 5.00
  - dns: bs.example
    answers: [{status: nxdomain}]
  - port: closed
  - fault: drop
    from: client
    count: 0
"""
# From here on nothing that the client says gets through.
ANSWERS_LOST = """  - request: {to: bs, path: /bs}
  - respond: 2.04
  - fault: drop
    from: client
    count: 0
"""
# It sends its Bootstrap-Request and waits for ever, for whatever comes.
TEMPLATE = api.find_bootjack().parent.parent / "lib" / "linked_template.so"


def healed(tmp_path, text, *arguments):
    scenario = tmp_path / "healed.yaml"
    scenario.write_text(text)
    return json.loads(run(scenario, "--json", "-v", *arguments).stdout)


def recovers(tmp_path, text):
    result = healed(tmp_path, text)
    assert (result["verdict"], result["recovery"]) == ("pass", "registered"), result["reason"]
    return result


def patience(tmp_path, text):
    """How many seconds the client has to recover in."""
    events = healed(tmp_path, text)["events"]
    return next(event["number"] / 1e6 - event["t"] for event in events if event["kind"] == "healed")


def bootstrapped(title, uri="coap://mgmt.example", more=""):
    """A scenario in which one account is written; `more`: of what stands in /1."""
    return f"""title: {title}
client: {{bootstrap: {{uri: "coap://bs.example", instance: 0}}}}
steps:
  - request: {{to: bs, path: /bs}}
  - respond: 2.04
  - write: /0/1
    tlv: {{0: "{uri}", 1: false, 2: 3, 3: "", 4: "", 5: "", 10: 101}}
    expect: 2.04
  - write: /1/0
    tlv: {{0: 101, 1: 3600, 6: false, 7: U{more}}}
    expect: 2.04
  - finish: {{expect: 2.04}}
"""


def test_a_broken_world_is_healed_and_the_client_recovers(tmp_path):
    result = recovers(tmp_path, BROKEN_WORLD)
    kinds = [event["kind"] for event in result["events"]]
    assert kinds.index("healed") < kinds.index("recovered")


def test_a_server_that_nobody_has_appears_where_the_client_looks_for_it(tmp_path):
    text = bootstrapped("The client is sent to a server that is not there", uri="coap://198.51.100.7:5690")
    result = recovers(tmp_path, text)
    assert any(event["kind"] == "received" and event["to"] == "198.51.100.7:5690" for event in result["events"])


def test_a_server_appears_beside_as_many_as_a_scenario_can_have(tmp_path):
    others = "".join(f"  other-{number}: {{}}\n" for number in range(15))
    recovers(tmp_path, BROKEN_WORLD.replace("steps:", "servers:\n  bs: {}\n" + others + "steps:"))


def test_a_client_that_was_sent_away_for_a_day_is_given_it(tmp_path):
    text = bootstrapped("A server disables itself, and no script waits for the client's return") + """  - request: {to: mgmt, method: POST, path: /rd}
  - respond: {code: 2.01, location: /rd/1}
  - execute: {path: /1/0/4, server: mgmt, expect: 2.04}
  - request: {to: mgmt, method: DELETE}
  - respond: 2.02
"""
    recovers(tmp_path, text)


def test_a_client_that_no_bootstrap_shall_help_is_waited_for(tmp_path):
    text = bootstrapped("A registration fails, and the client may not turn to its Bootstrap-Server", more=", 17: 1, 16: WHETHER")
    text = text.replace("steps:", "dns: {mgmt.example: [{status: servfail}]}\nsteps:") + "  - advance: 1m\n"
    recovers(tmp_path, text.replace("WHETHER", "false"))
    one_resource = "  - write: {path: /1/0/16, text: \"0\", expect: 2.04}\n  - finish"
    recovers(tmp_path, text.replace("WHETHER", "true").replace("  - finish", one_resource))
    told, usual = (bootstrapped("A client like many", more=more) for more in (", 16: true", ""))
    assert patience(tmp_path, told) == patience(tmp_path, usual) < 86400


# What this pack holds may have been taken, which nothing but the client's behaviour shows.
PACKED = """title: A pack holds what a client must be waited for
client:
  bootstrap: {uri: "coaps://bs.example", instance: 0, security: psk, identity: !text boot, key: 000102030405060708090a0b0c0d0e0f}
  version: "1.2"
  pack: true
servers:
  bs: {transport: dtls}
  mgmt: {}
  other: {transport: dtls, identity: !text other, key: 00112233445566778899aabbccddeeff}
steps:
  - request: {to: bs, method: GET, path: /bspack}
  - pack:
      0: {1: {0: "coap://mgmt.example", 1: false, 2: 3, 3: !hex "", 4: !hex "", 5: !hex "", 10: 101}}
      1: {0: {0: 101, 1: 86400, 6: false, 7: U}}
"""
PACKED_ACCOUNT = """0: {0: {0: "coaps://other.example", 1: true, 2: 0, 3: !hex 6f74686572, 4: !hex "", 5: !hex 00112233445566778899aabbccddeeff}, 1:"""


def test_a_client_that_a_pack_forbids_to_bootstrap_is_waited_for(tmp_path):
    text = PACKED.replace("servers:", "dns: {mgmt.example: [{status: servfail}]}\nservers:")
    recovers(tmp_path, text.replace("7: U", "7: U, 16: false, 17: 1") + "  - advance: 1m\n")


def test_a_key_of_a_pack_is_known(tmp_path):
    text = PACKED.replace("0: {1:", PACKED_ACCOUNT) + """  - request: {to: mgmt, path: /rd}
  - respond: {code: 2.01, location: /rd/1}
  - execute: {path: /1/0/9, server: mgmt, expect: 2.04}
"""
    assert recovers(tmp_path, text)["virtual_us"] < 100e6  # and not with the Update, nearly a day later
    assert patience(tmp_path, text) >= 86400  # for it may be an account that leads nowhere


def test_a_client_that_was_told_to_try_very_often_is_waited_for(tmp_path):
    text = bootstrapped("A server that does not answer asks for a hundred attempts, each after twice the time", more=", 17: 100")
    recovers(tmp_path, text + 14 * "  - request: {to: mgmt, path: /rd, within: 3d}\n" + "  - advance: 2m\n")


def test_a_client_that_was_told_to_try_rarely_is_waited_for_no_longer(tmp_path):
    text = bootstrapped("A server asks for ATTEMPTS attempts, and nothing gets through", more=", 17: ATTEMPTS") + """  - fault: drop
    from: client
    count: 0
  - advance: 2h
"""
    once, usual, often = (patience(tmp_path, text.replace("ATTEMPTS", attempts)) for attempts in "156")
    assert once == usual < often - 7200


def test_a_key_whose_write_was_not_heard_to_succeed_is_known(tmp_path):
    text = """title: The client's answers are lost, and its bootstrap account runs out
client: {bootstrap: {uri: "coap://bs.example", timeout: 10m}}
steps:
""" + ANSWERS_LOST + """  - write: /0/1
    tlv: {0: "coaps://mgmt.example", 1: false, 2: 0, 3: "dev-1", 4: "", 5: "0123456789abcdef", 10: 101}
    wait: false
  - write: /1/0
    tlv: {0: 101, 1: 86400, 6: false, 7: U}
    wait: false
  - finish: {wait: false}
  - advance: 20m
"""
    recovers(tmp_path, text)


# Its account has the identity `boot`, and another key than those that are written below.
SECURED = """title: TITLE
client:
  bootstrap: {uri: "coaps://bs.example", instance: 0, security: psk, identity: !text boot, key: 000102030405060708090a0b0c0d0e0f}
servers:
  bs: {transport: dtls}
  mgmt: {transport: dtls, identity: !text boot, key: 00112233445566778899aabbccddeeff}
  open: {}
steps:
  - request: {to: bs, path: /bs}
  - respond: 2.04
"""
# It is told to bootstrap again, and does so at once when the world is healed.
TRIGGERED = """  - write: /1/0
    tlv: {0: 101, 1: 86400, 6: false, 7: U}
    expect: 2.04
  - finish: {expect: 2.04}
  - request: {to: SERVER, path: /rd}
  - respond: {code: 2.01, location: /rd/1}
  - execute: {path: /1/0/9, server: SERVER, expect: 2.04}
"""
ONE_KEY = "  - write: {path: /0/1/5, hex: 00112233445566778899aabbccddeeff, format: opaque, expect: 2.04}\n"


def test_a_key_that_its_own_session_deletes_is_none_of_the_bootstrap_account(tmp_path):
    text = SECURED.replace("TITLE", "A key is written alone, and deleted") + ONE_KEY
    recovers(tmp_path, text + "  - delete: {path: /, expect: 2.02}\n  - finish: {expect: 2.04}\n")


def test_a_key_without_an_identity_is_none_of_the_bootstrap_account(tmp_path):
    text = SECURED.replace("TITLE", "A key is written to an account that needs none") + """  - write: /0/1
    tlv: {0: "coap://open.example", 1: false, 2: 3, 3: "", 4: "", 5: "", 10: 101}
    expect: 2.04
"""
    result = recovers(tmp_path, text + ONE_KEY + TRIGGERED.replace("SERVER", "open"))
    assert result["virtual_us"] < 100e6  # and not with the Update, nearly a day later


def test_a_key_that_is_written_behind_its_identity_goes_with_it(tmp_path):
    text = SECURED.replace("TITLE", "An account is written without its key, which comes alone").replace(
        "identity: !text boot, key: 0011", "identity: !text dev, key: 0011") + """  - write: /0/1
    tlv: {0: "coaps://mgmt.example", 1: false, 2: 0, 3: dev, 10: 101}
    expect: 2.04
"""
    recovers(tmp_path, text + ONE_KEY + TRIGGERED.replace("SERVER", "mgmt")
             + "  - request: {to: bs, path: /bs}\n  - respond: 2.04\n  - restart: mgmt\n  - finish: {expect: 2.04}\n")


def is_forgotten(tmp_path, *commands):
    """In a later session these commands take the key of /0/1 away, whose identity is that of the bootstrap account."""
    text = SECURED.replace("TITLE", "Another account has the identity of the bootstrap account") + """  - write: /0/1
    tlv: {0: "coaps://mgmt.example", 1: false, 2: 0, 3: boot, 4: "", 5: !bytes 00112233445566778899aabbccddeeff, 10: 101}
    expect: 2.04
""" + TRIGGERED.replace("SERVER", "mgmt") + """  - request: {to: bs, path: /bs}
  - respond: 2.04
  - delete: {path: /1/0, expect: 2.02}
"""
    recovers(tmp_path, text + "".join(f"  - {command}\n" for command in commands) + "  - finish: {expect: 2.04}\n")


def test_a_key_that_a_later_session_deletes_is_forgotten_with_its_identity(tmp_path):
    is_forgotten(tmp_path, "delete: {path: /0/1, expect: 2.02}")


def test_a_key_that_a_later_session_takes_away_is_forgotten_with_its_identity(tmp_path):
    write = 'write: {path: /0/1, expect: 2.04, tlv: {0: "coap://open.example", 1: false, 2: 3, 3: "", 4: "", 5: "", 10: 101}}'
    is_forgotten(tmp_path, write)


def test_a_key_that_a_later_session_replaces_is_forgotten_with_its_identity(tmp_path):
    write = 'write: {path: /0/1/3, text: another, format: opaque, expect: 2.04}'
    is_forgotten(tmp_path, write, "write: {path: /0/1/5, text: 0123456789abcdef, format: opaque, expect: 2.04}")


def test_a_hold_off_whose_write_was_not_heard_to_succeed_is_waited_for(tmp_path):
    text = """title: The client's answers are lost, the account that it has now holds off for a day, and leads nowhere
client: {bootstrap: {uri: "coap://bs.example", instance: 0}}
steps:
""" + ANSWERS_LOST + """  - write: /0/0
    tlv: {0: "coap://bs.example", 1: true, 2: 3, 3: "", 4: "", 5: "", 11: 200000}
    wait: false
  - write: /0/1
    tlv: {0: "coap://mgmt.example", 1: false, 2: 3, 3: "", 4: "", 5: "", 10: 101}
    wait: false
  - write: /1/0
    tlv: {0: 101, 1: 86400, 6: false, 7: U}
    wait: false
  - finish: {wait: false}
  - advance: 3h
"""
    recovers(tmp_path, text)


def test_a_server_that_took_next_to_nothing_takes_what_all_do(tmp_path):
    recovers(tmp_path, """title: A server that says it takes messages of one byte
client: {accounts: [{uri: "coap+tcp://mgmt.example", ssid: 1}]}
servers: {mgmt: {transport: tcp, max-message-size: 1}}
steps:
  - advance: 10s
""")


def test_over_a_stream_no_message_id_is_wrong(tmp_path):
    result = recovers(tmp_path, """title: A Register over TCP is accepted, with a wrong Message ID where there is none
client: {accounts: [{uri: "coap+tcp://mgmt.example", ssid: 1}]}
servers: {mgmt: {transport: tcp}}
steps:
  - request: {to: mgmt, path: /rd}
  - respond: {code: 2.01, location: /rd/1, wrong: mid}
""")
    assert result["virtual_us"] < 60e6  # and not with the Update, a day later


FROM_ANOTHER_ADDRESS = bootstrapped("A server accepts Registers without a place for them, and then from another address") + """  - request: {to: mgmt, path: /rd}
  - respond: 2.01
  - request: {to: mgmt, path: /rd, within: 2m}
  - respond: 2.01
  - request: {to: mgmt, path: /rd, within: 3m}
  - respond: {code: 2.01, location: /rd/1, wrong: source}
"""


def test_an_answer_from_another_address_is_given_again_from_the_right_one(tmp_path):
    assert recovers(tmp_path, FROM_ANOTHER_ADDRESS)["virtual_us"] < 200e6  # and not with the Update, an hour later


def test_the_update_of_a_registration_that_may_stand_is_waited_for(tmp_path):
    assert recovers(tmp_path, FROM_ANOTHER_ADDRESS + "  - advance: 1m\n")["virtual_us"] > 3500e6


def test_a_client_that_waits_for_ever_does_not_recover(tmp_path):
    result = healed(tmp_path, BROKEN_WORLD, "--client", f"linked:{TEMPLATE}")
    assert (result["verdict"], result["script_verdict"], result["recovery"]) == ("fail", "pass", "failed")
    assert "RECOVERY" in [found["rule"] for found in result["broken"]]


def test_a_scenario_may_say_why_nothing_is_healed(tmp_path):
    result = healed(tmp_path, BROKEN_WORLD + "recovery: {off: the template only asks}\n", "--client", f"linked:{TEMPLATE}")
    assert (result["verdict"], result["recovery"]) == ("pass", "")


def test_a_client_does_not_let_lawful_commands_leave_it_without_accounts(tmp_path):
    text = """title: The bootstrap account becomes a server account that nobody matches
client: {bootstrap: {uri: "coap://bs.example", instance: 0}}
steps:
  - request: {to: bs, path: /bs}
  - respond: 2.04
  - write: /0/0
    tlv: {0: "coap://mgmt.example", 1: false, 2: 3, 3: "", 4: "", 5: "", 10: 101}
    expect: 2.04
  - write: /1/0
    tlv: {0: 102, 1: 86400, 6: false, 7: U}
    expect: 2.04
  - finish: {expect: 4.06}
"""
    result = healed(tmp_path, text)
    assert (result["verdict"], result["script_verdict"], result["recovery"]) == ("pass", "pass", "registered")
