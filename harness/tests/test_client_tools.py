# SPDX-License-Identifier: Apache-2.0
"""`bootjack client new` and `bootjack client check`: a profile from answers, and what is said of good and bad ones."""
import base64
import re

import pytest
import yaml

from harness.pytest_bootjack import api

GOOD, NOT_GOOD, COULD_NOT_RUN, USAGE = 0, 1, 2, 64


def client(*arguments, answers="", folder=None):
    return api.call("client", *arguments, input=answers, cwd=folder)


def profile(tmp_path, **fields):
    path = tmp_path / "profile.yaml"
    path.write_text(yaml.safe_dump({"name": "c", **fields}))
    return path


# --- new ---


def test_new_asks_for_what_no_option_says(tmp_path):
    answers = "mine\n/opt/mine --ep {endpoint} '?--key {key}' {bs_uri}\nnonsense\nexec\n10s\ntlv, senml-json\nlwm2m-1.1\nup and \"running\"\nquit\n"
    done = client("new", answers=answers, folder=tmp_path)
    assert done.returncode == GOOD, done.stderr
    assert "'nonsense' is no answer to that" in done.stderr
    written = yaml.safe_load((tmp_path / "mine.yaml").read_text())
    assert written == {"name": "mine", "attach": "exec", "built-in": {"holdoff": "10s"}, "facts": ["lwm2m-1.1"],
                       "features": ["tlv", "senml-json"], "ready": {"output": 'up and "running"'},
                       "stop": {"input": "quit"},
                       "command": ["/opt/mine", "--ep", "{endpoint}", "?--key {key}", "{bs_uri}"]}


def test_new_asks_again_for_what_is_no_answer(tmp_path):
    answers = ("mine\n/opt/mine {nonsense}\n/opt/mine {bs_uri}\nexec\nsoon\n10s\ntelepathy\ntlv\nlwm2m-7\nlwm2m-1.1\n\n\n")
    done = client("new", answers=answers, folder=tmp_path)
    assert done.returncode == GOOD, done.stderr
    for word in ("there is no placeholder {nonsense}", "soon", "telepathy", "lwm2m-7"):
        assert word in done.stderr
    written = yaml.safe_load((tmp_path / "mine.yaml").read_text())
    assert written == {"name": "mine", "attach": "exec", "built-in": {"holdoff": "10s"}, "facts": ["lwm2m-1.1"],
                       "features": ["tlv"], "command": ["/opt/mine", "{bs_uri}"]}


def test_new_asks_nothing_where_it_cannot_write(tmp_path):
    (tmp_path / "mine.yaml").write_text("name: mine\n")
    for options, answers in (["--name", "mine"], ""), ([], "mine\n"), (["--name", "other", "-o", tmp_path / "mine.yaml"], ""):
        done = client("new", *options, answers=answers, folder=tmp_path)
        assert done.returncode == COULD_NOT_RUN
        assert "mine.yaml: File exists (--force writes over it)" in done.stderr
        assert "command line" not in done.stderr
    assert (tmp_path / "mine.yaml").read_text() == "name: mine\n"


def test_new_takes_it_all_from_options(tmp_path):
    options = ["--name", "n", "--command", "c \"a b\" {bs_uri} {holdoff}", "--attach", "network", "--features", "",
               "--facts", "", "--ready", "", "--stop", "", "-o", tmp_path / "other.yaml"]
    assert client("new", *options).returncode == GOOD
    written = yaml.safe_load((tmp_path / "other.yaml").read_text())
    assert written == {"name": "n", "attach": "network", "command": ["c", "a b", "{bs_uri}", "{holdoff}"]}
    assert client("new", *options, "--stop", "^D", "--force").returncode == GOOD
    assert yaml.safe_load((tmp_path / "other.yaml").read_text()) == {**written, "stop": {"end": True}}
    again = client("new", *options)
    assert again.returncode == COULD_NOT_RUN
    assert "--force writes over it" in again.stderr
    assert client("new", *options, "--force").returncode == GOOD


@pytest.mark.parametrize("options, answers, status, message", [
    ([], "", COULD_NOT_RUN, "standard input ended before --name was said"),
    (["--name", "a/b"], "", COULD_NOT_RUN, "--name 'a/b': not possible"),
    (["--name", "n", "--command", "c 'a b"], "", COULD_NOT_RUN, "--command 'c 'a b': not possible"),
    (["--features", "telepathy"], "n\nc {bs_uri}\nexec\n\n\n\n\n", COULD_NOT_RUN, "telepathy"),
    (["--colour", "blue"], "", USAGE, "--colour: unknown option"),
    (["surplus"], "", USAGE, "surplus: not expected"),
])
def test_new_refuses(options, answers, status, message, tmp_path):
    done = client("new", *options, answers=answers, folder=tmp_path)
    assert done.returncode == status
    assert message in done.stderr
    assert not list(tmp_path.iterdir())


# --- check ---


def test_check_of_a_good_client():
    done = client("check", "bootjack-client")
    assert done.returncode == GOOD, done.stdout
    for line in ("it starts and speaks", "a plain bootstrap passes", "a nonsense scenario does not pass", "time is virtual",
                 "the profile is good"):
        assert line in done.stdout
    assert "senml-cbor" in done.stdout.split("probed   features: ")[1]
    assert "deregisters" in done.stdout.split("probed   facts: ")[1]


# --- probes ---

OURS = yaml.safe_load((api.ROOT / "harness/clients/bootjack-client.yaml").read_text())


def words(done, kind):
    """The words of the line `probed   KIND: a, b`; none where there is no such line."""
    line = re.search(rf"^probed   {kind}: (.*)$", done.stdout, re.M)
    return line[1].split(", ") if line and line[1] else []


def enumeration(name):
    """The words of one of the language's enumerations."""
    header = (api.ROOT / "fake_bootstrap_server/script/schema.h").read_text()
    return re.findall(r'X\(\d+, "([^"]+)"\)', header.split(f"#define {name}(X)")[1].split("#define")[0])


FEATURES = enumeration("BJ_ENUM_FEATURE")
FACTS = [fact for fact in enumeration("BJ_ENUM_FACT") if fact != "linked"]
YES_MAN_HAS = {"tlv", "overtaking"}  # it takes an account whenever it comes
# What our client has not, without being told.
LACKED = {"firmware", "strict", "legacy", "access-control"}


@pytest.fixture(scope="module")
def ours_checked():
    return client("check", "bootjack-client")


@pytest.fixture(scope="module")
def yes_man_checked():
    """It has nothing, and says yes to everything; it is told all that a client can be told."""
    return client("check", api.ROOT / "harness/tests/clients/yes-man.yaml")


@pytest.mark.parametrize("word", [*FEATURES, *FACTS])
def test_a_probe_sees_what_is_there(word, ours_checked):
    has = words(ours_checked, "features") + words(ours_checked, "facts")
    assert (word in has) == (word not in LACKED), ours_checked.stdout
    assert (word in words(ours_checked, "neither seen nor claimed")) == (word in LACKED), ours_checked.stdout


@pytest.mark.parametrize("word", [*FEATURES, *FACTS])
def test_a_probe_is_not_taken_in_by_a_client_that_says_yes(word, yes_man_checked):
    has = words(yes_man_checked, "features") + words(yes_man_checked, "facts")
    assert (word in has) == (word in YES_MAN_HAS), yes_man_checked.stdout
    lacked = f"note     {word}: it seems not to have it" in yes_man_checked.stdout or word in words(yes_man_checked, "neither seen nor claimed")
    assert lacked == (word not in YES_MAN_HAS), yes_man_checked.stdout


@pytest.mark.parametrize("placeholder", ["strict", "legacy", "access_control", "pack"])
def test_a_probe_proves_what_the_client_is_told(placeholder, ours_checked, yes_man_checked):
    assert f"{{{placeholder}}}" in words(ours_checked, "told by")
    assert f"note     {{{placeholder}}}: the client is told, and the probe does not see it: " in yes_man_checked.stdout


def test_the_shipped_profile_says_what_the_probes_say(ours_checked):
    assert ours_checked.returncode == GOOD
    assert not re.findall("^(?:note|unasked|FAILED) .*", ours_checked.stdout, re.M)
    assert words(ours_checked, "features") == OURS["features"]
    assert sorted(words(ours_checked, "facts")) == sorted(OURS["facts"])


def test_claims_that_are_wrong(tmp_path):
    wrong = profile(tmp_path, **{**OURS, "features": ["tlv", "text", "firmware"], "facts": ["lwm2m-1.1", "strict"]})
    done = client("check", wrong)
    assert done.returncode == GOOD
    for line in ("senml-json: the profile's `features` do not name it, the probe says the opposite\n         -> it may be added",
                 "discover: the profile's `facts` do not name it, the probe says the opposite",
                 "firmware: the profile's `features` name it, the probe says the opposite: expected POST /rd",
                 "strict: the profile's `facts` name it, the probe says the opposite: expected 4.06 to POST /bs, the client answered 2.04",
                 "-> `--probe strict` shows how it was asked; take it out if the client has it not"):
        assert line in done.stdout, done.stdout


def test_what_is_not_asked_is_said_with_its_reason(tmp_path):
    """A command that can tell little: what needs no telling is asked for in accounts that are written."""
    command = [OURS["command"][0], "--endpoint", "{endpoint}", "?--bootstrap {bs_uri}", "?--holdoff {holdoff}"]
    done = client("check", profile(tmp_path, **{**OURS, "command": command, "facts": []}))
    for line in ("queue, which the profile claims: the client cannot be told queue mode ({queue})",
                 "create, which the profile claims: the client cannot be told the test object (/3442) ({test_object})",
                 "bare-accounts: the client cannot be told a server account from the factory ({server_uri})"):
        assert f"unasked  {line}" in done.stdout, done.stdout
    assert {"tcp", "dtls", "tls", "psk", "x509"} <= set(words(done, "features"))
    assert not words(done, "told by")


@pytest.mark.parametrize("fixed, word, seen", [([], "create", True), (["--test-object"], "create", True), ([], "queue", True),
                                               (["--lwm2m-version", "1.0"], "composite", False)])
def test_what_the_client_has_without_being_told(fixed, word, seen, tmp_path):
    """The second way to ask is taken where the first cannot be."""
    without = {"create": "{test_object}", "queue": "{queue}", "composite": "{version}"}[word]
    command = [*(part for part in OURS["command"] if without not in part), *fixed]
    done = client("check", profile(tmp_path, **{**OURS, "command": command}))
    assert (word in words(done, "features")) == (seen and (word != "create" or bool(fixed))), done.stdout


FACTORY = ["--server", "coap://nowhere.example", "--ssid", "7"]  # an account of its own, in /1/0


@pytest.mark.parametrize("fields, more, proved, note", [
    ({}, [], "uri-ports, factory", ""),
    ({"uri-ports": True}, [], "factory", "uri-ports: the profile says that it takes no server URI without a port, the probe says the opposite"),
    ({}, FACTORY, "uri-ports", "factory: it does not name what is there beside the bootstrap account: "),
    ({"factory": ["/1/0"]}, FACTORY, "uri-ports, factory", ""),
    ({"factory": ["/1/0", "/1/3"]}, FACTORY, "uri-ports", "factory: it does not name what is there beside the bootstrap account: "),
])
def test_what_other_fields_say(fields, more, proved, note, tmp_path):
    done = client("check", profile(tmp_path, **{**OURS, **fields, "command": [*OURS["command"], *more]}))
    assert words(done, "fields") == proved.split(", "), done.stdout
    notes = re.findall("^note     ((?:uri-ports|factory): .*)", done.stdout, re.M)
    assert [line.startswith(note) for line in notes] == ([True] if note else []), done.stdout


@pytest.mark.parametrize("fields, proved", [
    ({}, "commands: update, commands: bootstrap"), ({"uri-ports": True}, "uri-ports, commands: update, commands: bootstrap"),
    ({"commands": {"update": "b", "bootstrap": "u"}}, ""), ({"commands": {"update": "u"}, "input": "null"}, ""),
])
def test_what_fields_say_of_a_client_that_can_less(fields, proved, tmp_path):
    yes_man = yaml.safe_load((api.ROOT / "harness/tests/clients/yes-man.yaml").read_text())
    done = client("check", profile(tmp_path, **{**yes_man, **fields}))
    assert words(done, "fields") == (proved.split(", ") if proved else []), done.stdout
    assert ("note     uri-ports: it takes no server URI without a port: " in done.stdout) == ("uri-ports" not in fields)
    if not proved:
        said = "unasked  commands: update: the client has no standard input" if "input" in fields else "note     commands: update: typed, and the probe"
        assert said in done.stdout, done.stdout


def test_a_probe_can_be_looked_at(tmp_path):
    done = client("check", "bootjack-client", "--probe", "several-servers")
    assert done.returncode == GOOD and done.stdout.endswith("# seen\n")
    scenario = tmp_path / "probe.yaml"
    scenario.write_text(done.stdout)  # what is said of the conversation is comments
    assert api.run_scenario(scenario, "bootjack-client", options=["--no-canary"]).verdict == "pass"
    assert client("check", "bootjack-client", "--probe", "telepathy").returncode == COULD_NOT_RUN


def test_the_probes_certificates_are_those_of_the_scenarios():
    header = (api.ROOT / "harness/cli/client_probe_keys.h").read_text()
    blobs = re.findall(r"/\* (\S+) \*/\n#define \w+((?:\s*\\?\s*\"[0-9a-f]+\")+)", header)
    assert len(blobs) == 7
    for name, literals in blobs:
        pem = (api.ROOT / "scenarios/security/pki" / name).read_text()
        body = re.search("-----BEGIN [A-Z ]+-----(.*?)-----END", pem, re.S)
        assert "".join(re.findall('"([0-9a-f]+)"', literals)) == base64.b64decode(body[1]).hex(), name


# --- what is in the way ---


@pytest.mark.parametrize("fields, message", [
    ({"command": ["/nowhere/client", "{bs_uri}"]}, "the client was not found"),
    ({"command": ["sleep", "1000"]}, "the client cannot be told its bootstrap server"),
    ({"command": ["sh", "-c", "exit 3", "{bs_uri}"]}, "it ended by itself"),
    ({"command": ["sleep", "100000", "?{bs_host}{bs_port}"]}, "the client does not speak"),
    ({"command": ["/sbin/ldconfig", "{bs_uri}"]}, "is statically linked"),
    ({"command": ["bash", "{state}", "{bs_uri}"]}, "the client must be told {state}"),
])
def test_check_says_what_is_in_the_way(fields, message, tmp_path):
    done = client("check", profile(tmp_path, **fields), "--no-probes")
    assert done.returncode == NOT_GOOD, done.stdout + done.stderr
    assert message in done.stdout
    assert "->" in done.stdout  # and what to do about it
    assert "the profile is not good yet" in done.stdout


def ours(tmp_path, **fields):
    return profile(tmp_path, **{**OURS, **fields})


def test_check_proves_how_it_gets_ready_and_stops(tmp_path):
    done = client("check", ours(tmp_path, ready={"output": "register"}, stop={"signal": "int"}), "--no-probes")
    assert done.returncode == GOOD, done.stdout
    assert "it says that it is ready: 'register' at " in done.stdout and "it stops as the profile says" in done.stdout


@pytest.mark.parametrize("fields, message", [
    ({"ready": {"output": "no client writes this"}}, "it does not say that it is ready: 'no client writes this'"),
    ({"stop": {"input": "quit"}}, "it does not stop as the profile says"),
    ({"stop": {"end": True}}, "it does not stop as the profile says"),
    ({"stop": {"signal": "usr1", "input": "quit"}}, "exclude each other"),
    ({"stop": {"input": "quit", "end": True}}, "exclude each other"),
    ({"stop": {"within": "1s"}}, "stopping needs the field 'signal' or 'input' or 'end'"),
    ({"ready": {}}, "ready needs the field 'output' or 'request' or 'after'"),
])
def test_check_refuses_what_is_not_so(fields, message, tmp_path):
    done = client("check", ours(tmp_path, **fields), "--no-probes")
    assert done.returncode != GOOD and message in done.stdout + done.stderr


def test_check_of_a_client_that_says_yes_to_everything():
    done = client("check", api.ROOT / "harness/tests/clients/always-2.04.yaml", "--no-probes")
    assert done.returncode == NOT_GOOD
    assert "a plain bootstrap does not pass" in done.stdout


def test_check_counts_what_cannot_be_told(tmp_path):
    poor = profile(tmp_path, command=["true", "{bs_uri}"], features=["tlv"])
    done = client("check", poor, "--scenarios", api.ROOT / "scenarios/security", "--no-probes")
    assert "the client has no" in done.stdout and "would be skipped" in done.stdout


@pytest.mark.parametrize("arguments, status", [([], USAGE), (["check"], USAGE), (["check", "a", "b"], USAGE),
                                               (["check", "nobody-of-this-name"], COULD_NOT_RUN), (["--help"], GOOD),
                                               (["check", "--help"], GOOD), (["new", "--help"], GOOD),
                                               (["check", "linked", "--limit", "x"], USAGE)])
def test_usage(arguments, status):
    assert client(*arguments).returncode == status
