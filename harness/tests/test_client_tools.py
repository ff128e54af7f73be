# SPDX-License-Identifier: Apache-2.0
"""`bootjack client new` and `bootjack client check`: a profile from answers, and what is said of good and bad ones."""
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


def test_check_compares_what_the_profile_says_with_probes(tmp_path):
    ours = yaml.safe_load((api.ROOT / "harness/clients/bootjack-client.yaml").read_text())
    wrong = profile(tmp_path, **{**ours, "features": ["tlv", "text", "lwm2m-cbor"], "facts": ["lwm2m-1.1"]})
    done = client("check", wrong)
    assert "senml-json: the profile's `features` do not name it, the probe says the opposite" in done.stdout
    assert "lwm2m-cbor: the profile's `features` name it, the probe says the opposite" in done.stdout
    assert "discover: the profile's `facts` do not name it, the probe says the opposite" in done.stdout


@pytest.mark.parametrize("fields, message", [
    ({"command": ["/nowhere/client", "{bs_uri}"]}, "the client was not found"),
    ({"command": ["sleep", "1000"]}, "the client cannot be told its bootstrap server"),
    ({"command": ["sh", "-c", "exit 3", "{bs_uri}"]}, "it ended by itself"),
    ({"command": ["sleep", "100000", "?{bs_host}{bs_port}"]}, "the client does not speak"),
    ({"command": ["/sbin/ldconfig", "{bs_uri}"]}, "is statically linked"),
    ({"command": ["bash", "{unheard_of}", "{bs_uri}"]}, "unknown placeholder"),
])
def test_check_says_what_is_in_the_way(fields, message, tmp_path):
    done = client("check", profile(tmp_path, **fields), "--no-probes")
    assert done.returncode == NOT_GOOD, done.stdout + done.stderr
    assert message in done.stdout
    assert "->" in done.stdout  # and what to do about it
    assert "the profile is not good yet" in done.stdout


def ours(tmp_path, **fields):
    return profile(tmp_path, **{**yaml.safe_load((api.ROOT / "harness/clients/bootjack-client.yaml").read_text()), **fields})


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
