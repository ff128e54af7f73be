# SPDX-License-Identifier: Apache-2.0
"""bootjack/: worlds that Python scripts, scenarios as objects, and the pytest fixtures."""
import datetime
import inspect
import json
import pathlib
import subprocess
import sys

import pytest

import bootjack
from bootjack import ControlError, Hex, RunSkipped, Scenario, ScenarioError, StepFailed, Tagged, Text, World, values
from harness.pytest_bootjack import api

GOOD = api.ROOT / "scenarios/good/first-bootstrap.yaml"
ACCOUNT = {0: "coap://mgmt.example", 1: False, 2: 3, 3: "", 4: "", 5: Hex(b""), 10: 101}


def bootstrap(world):
    world.bs.request("POST", "/bs")
    world.bs.respond(2.04)
    world.bs.write("/0/1", tlv=ACCOUNT, expect=2.04)
    world.bs.write("/1/0", tlv={0: 101, 1: 86400, 6: False, 7: "U"}, expect=2.04)
    world.bs.finish(expect=2.04)
    world.mgmt.request("POST", "/rd")
    world.mgmt.respond(2.01, location="/rd/1")


# --- worlds


def test_what_the_client_says_is_there_to_be_looked_at(world):
    asked = world.bs.request("POST", "/bs")
    assert (asked.message.method, asked.message.path, asked.message.query["ep"]) == ("POST", "/bs", "dev-1")
    assert asked.time == world.now and asked.sent()[0] == asked.message
    world.bs.respond(2.04)
    written = world.bs.write("/0/1", tlv=ACCOUNT, expect=2.04)
    assert written.message.code == "2.04" and written.message.type == "ACK"
    discovered = world.bs.discover("/0", expect=2.05).message
    assert "/0/1" in [link["target"] for link in discovered.links]
    assert world.state == {"bootstrap": "receiving"} and world.running and not world.over
    assert [event.actor for event in world.events if event.kind == "received"][:2] == ["bs", "client"]
    world.bs.finish(expect=[2.04, 4.06])
    assert world.heal() == "registered"


def test_time_is_virtual_and_exact(world):
    bootstrap(world)
    before = world.now
    world.advance(datetime.timedelta(hours=3, milliseconds=1))
    assert world.now == pytest.approx(before + 10800.001, abs=1e-9)
    assert world.wake is None or world.wake > world.now


def test_servers_decide_by_what_they_saw(make_world):
    """A script that no file could be: the server repeats what it was asked until a bound of its own."""
    world = make_world(seed=5)
    failures = 0
    while failures < 3 and world.bs.request("POST", "/bs").time < 300:
        world.bs.respond(5.03)
        failures += 1
    assert failures == 3
    bootstrap(world)
    assert world.finish().verdict == "pass"


def test_several_worlds_at_once(make_world):
    one, two = make_world(seed=1), make_world(seed=2)
    assert one.bs.request("POST", "/bs").time != two.bs.request("POST", "/bs").time
    for world in (two, one):
        world.bs.respond(2.04)


@pytest.mark.world({"client": {"bootstrap": {"uri": "coap://boot.example:5700", "holdoff": "2h"}},
                    "servers": {"bs": {"host": "boot.example", "port": 5700}, "other": None}}, seed=9)
def test_a_head_of_its_own(world):
    asked = world.bs.request("POST", "/bs")
    assert asked.time > 7200 and world.seed == 9
    assert repr(world.server("other")) == "<Server other>"
    world.server("other").port("closed")


def test_the_script_can_be_run_again(world, tmp_path):
    bootstrap(world)
    world.either(quiet=[{"silence": "5s"}], loud=[{"request": {"path": "/rd/1", "within": "5s"}}, {"respond": 2.04}])
    result = world.finish()
    again = world.scenario.run(seed=world.seed)
    assert (again.verdict, again.virtual_us, len(again.events)) == (result.verdict, result.virtual_us, len(result.events))
    world.capture(tmp_path / "run.pcapng")
    assert (tmp_path / "run.pcapng").stat().st_size > 100


def test_a_scenario_is_a_head_and_its_steps_come_first():
    with World(GOOD) as world:
        assert world.mgmt.name == "mgmt" and world.state["server 101"]
        world.advance("1h")
    assert world.result.verdict == "pass"


def test_a_mistake_ends_nothing():
    with World() as world:
        with pytest.raises(ControlError, match=r"'wriet' is none \(did you mean 'write'\?\)") as caught:
            world.step({"wriet": "/0/1"})
        assert caught.value.mistakes[0]["suggestion"] == "write"
        with pytest.raises(ControlError, match="has no field 'exspect'"):
            world.bs.finish(exspect=2.04)
        with pytest.raises(TypeError, match="is no value of the scenario language"):
            world.bs.write("/1/0", tlv={0: object()})
        world.bs.request("POST", "/bs")
        world.bs.ignore("and nothing of it stayed")


def test_a_step_that_fails_says_where_and_what():
    with pytest.raises(StepFailed) as caught, World() as world:
        world.bs.request("POST", "/bs")
        world.bs.respond(2.04)
        line = inspect.currentframe().f_lineno + 1
        world.bs.finish(expect=5.03)
    result = caught.value.result
    assert (result.verdict, result.line) == ("fail", line) and "expected 5.03" in result.reason
    assert "client -> bs: CON POST /bs" in str(caught.value)
    assert world.over and world.result is result
    with pytest.raises(ControlError):
        world.advance("1s")


def test_the_judgement_comes_with_the_end_of_the_block():
    with pytest.raises(StepFailed, match="expected nothing more, the client sent POST /bs"), World() as world:
        world.advance("1h")
    with pytest.raises(ZeroDivisionError), World() as world:  # what was raised is not covered
        world.advance("1h")
        raise ZeroDivisionError


def test_what_cannot_be_done_is_a_skip():
    with pytest.raises(RunSkipped, match="the client cannot be told"), World(client="exec:/bin/true") as world:
        world.advance("1s")


def test_wrong_heads_and_clients():
    with pytest.raises(ControlError, match="did you mean 'client'"):
        World({"cleint": {}})
    with pytest.raises(ControlError, match="client: there is none 'nobody'"):
        World(client="nobody")


def test_the_preload_library_is_driven_in_the_same_way():
    with World(client="bootjack-client", seed=3) as exec_, World(seed=3) as linked:
        for world in (exec_, linked):
            bootstrap(world)
        assert exec_.now == linked.now and exec_.state == {}


def test_every_verb_is_a_method():
    """And every method that plays a step names a verb."""
    schema = json.loads(subprocess.run([api.find_bootjack(), "program", "--schema"], capture_output=True, check=True).stdout)
    verbs = {step["required"][0] for step in schema["$defs"]["step"]["anyOf"] if "required" in step} - {"include"}
    methods = {name.replace("_", "-") for one in (World, bootjack.Server) for name in dir(one)}
    assert verbs - methods == set() and len(verbs) > 40


EXAMPLES = {  # arguments for methods whose first one is not what is behind the verb in the reference
    "request": ("POST", "/bs"), "restart": (), "ignore": (), "start": (),
}


def test_methods_make_the_steps_of_the_reference(monkeypatch):
    """Each example of the reference page, called as a method, is that step."""
    reference = subprocess.run([api.find_bootjack(), "program", "--reference"], capture_output=True, text=True, check=True).stdout
    played = []
    monkeypatch.setattr(World, "__init__", lambda self: None)
    monkeypatch.setattr(World, "step", lambda self, step: played.append(step))
    world = World()
    for block in reference.split("\n## Verbs\n")[1].split("\n## ")[0].split("```yaml\n")[1:]:
        for step in values.parse(block.split("```")[0]):
            verb = next(iter(step))
            for owner in (world, world.bs):
                if hasattr(owner, verb.replace("-", "_")) and (owner is not world or verb != "finish"):
                    call(owner, verb, step)
                    assert verb in played[-1], step
    assert len(played) > 40


def call(owner, verb, step):
    method = getattr(owner, verb.replace("-", "_"))
    fields = {key.replace("-", "_"): value for key, value in step.items() if key != verb}
    behind = step[verb]
    parameters = inspect.signature(method).parameters
    if verb == "either":
        return method(**behind)
    if isinstance(behind, dict) and all(isinstance(key, str) for key in behind):
        fields.update({key.replace("-", "_"): value for key, value in behind.items()})
    elif behind is not None and verb not in EXAMPLES:
        first = next(iter(parameters))
        fields[first] = behind
    fields = {name + "_" if name + "_" in parameters else name: value for name, value in fields.items()
              if name not in ("server", "to") and (verb not in ("ignore", "start", "restart"))}
    return method(*EXAMPLES.get(verb, ()), **{k: v for k, v in fields.items() if verb != "request" or k not in ("method", "path")})


# --- scenarios


@pytest.mark.parametrize("name", [one["scenario"] for one in api.list_scenarios(api.ROOT / "scenarios")][::50])
def test_scenarios_come_back_the_same(name):
    scenario = Scenario.load(name)
    text = scenario.text()
    assert Scenario.parse(text) == scenario and str(scenario) == text
    done = subprocess.run([api.find_bootjack(), "program", name, "--print"], capture_output=True, text=True, check=True)
    assert text == done.stdout


def test_a_scenario_is_changed_saved_and_run(tmp_path):
    scenario = Scenario.load(GOOD)
    assert scenario.title.startswith("A client that is bootstrapped") and scenario.steps[1] == {"respond": 2.04}
    scenario.title = "Another one"
    scenario.steps[2:2] = [{"advance": "1s"}, {"note": "slowly"}]
    file = scenario.save(tmp_path / "new" / "changed.yaml")
    assert Scenario.load(file) == Scenario.parse(scenario.text())
    result = scenario.run(seed=4)
    assert (result.verdict, result.title, result.seed) == ("pass", "Another one", 4)
    scenario.steps[1]["respnd"] = 1
    with pytest.raises(ScenarioError, match=r"scenario.yaml:\d+:\d+: error: respond has no field 'respnd'"):
        scenario.check()
    with pytest.raises(ScenarioError, match="cannot read the file"):
        Scenario.load(tmp_path / "nowhere.yaml")


def test_cases_are_scenarios():
    cases = Scenario.load_all(api.ROOT / "scenarios/delete/targets.yaml")
    assert len(cases) > 5 and all("${" not in one.title for one in cases.values())


def test_values_keep_what_they_are():
    text = ('a: [2.10, 1, -1, true, "true", "1", ~, "", yes, 0600, !hex "00ff", !text "x", 10s, "10s"]\n')
    a = values.parse(text)["a"]
    assert a == [2.1, 1, -1, True, "true", "1", None, "", "yes", "0600", Tagged("hex", "00ff"), Text("x"), "10s", "10s"]
    assert values.parse(values.document_text({"a": a}))["a"] == a
    assert values.flow(a).startswith('[2.10, 1, -1, true, "true", "1", ~')
    assert values.flow([5.00, 2.1, 2.04, 1e30, 0.125]) == "[5.00, 2.10, 2.04, 1e+30, 0.125]"
    assert values.flow({1: b"\xff", "k": datetime.timedelta(milliseconds=1)}) == '{1: !hex "ff", "k": 1000us}'


# --- in pytest, and out of it

FAILING = """
import pytest

def test_it_goes_wrong(world):
    world.bs.request("POST", "/bs")
    world.bs.respond(2.04)
    world.bs.finish(expect=5.03)

def test_it_is_judged(world):
    world.advance("1h")

@pytest.mark.world(client="exec:/bin/true")
def test_it_cannot_be(world):
    world.advance("1s")

def test_it_is_well(world):
    world.bs.request("POST", "/bs")
    world.bs.ignore()
"""


def pytest_in(folder, *arguments):
    (folder / "conftest.py").write_text('pytest_plugins = ["harness.pytest_bootjack.plugin", "bootjack.fixtures"]\n')
    command = [sys.executable, "-m", "pytest", "-q", "-ra", "-p", "no:cacheprovider", *arguments, str(folder)]
    return subprocess.run(command, cwd=folder, env={"PYTHONPATH": str(api.ROOT), "BOOTJACK": str(api.find_bootjack()), "PATH": "/usr/bin:/bin"},
                          capture_output=True, text=True, timeout=120, check=False)


def test_a_failed_test_leaves_a_scenario_that_fails_in_the_same_way(tmp_path):
    (tmp_path / "test_some.py").write_text(FAILING)
    done = pytest_in(tmp_path)
    assert "2 failed, 1 passed, 1 skipped" in done.stdout, done.stdout
    kept = sorted((tmp_path / "bootjack-failures").iterdir())
    assert [file.name for file in kept] == ["test_some.test_it_goes_wrong.yaml", "test_some.test_it_is_judged.yaml"]
    for file in kept:
        assert f"scenario: {file}" in done.stdout
        assert api.run_scenario(file).verdict == "fail"
    assert ">       world.bs.finish(expect=5.03)" in done.stdout
    assert "expected nothing more, the client sent POST /bs" in done.stdout


def test_client_and_seed_are_those_of_the_command_line(tmp_path):
    (tmp_path / "test_some.py").write_text("def test_it(world):\n    assert (world.client, world.seed) == ('bootjack-client', 6)\n"
                                           "    world.bs.request('POST', '/bs')\n    world.bs.ignore()\n")
    assert "1 passed" in pytest_in(tmp_path, "--client", "bootjack-client", "--seed", "6").stdout


def test_it_can_be_installed(tmp_path):
    """`pip install .`, from what is in the tree, into a folder of its own: nothing else is needed to import it."""
    tree = tmp_path / "tree"
    tree.mkdir()
    for name in ("bootjack", "harness/pytest_bootjack"):
        (tree / name).mkdir(parents=True)
        for file in [*(api.ROOT / name).glob("*.py"), *(api.ROOT / name).glob("py.typed")]:
            (tree / name / file.name).write_bytes(file.read_bytes())
    (tree / "pyproject.toml").write_bytes((api.ROOT / "pyproject.toml").read_bytes())
    command = ["-m", "pip", "install", "-q", "--no-deps", "--no-build-isolation", "--no-index", "--target", str(tmp_path / "site"), str(tree)]
    done = subprocess.run([sys.executable, *command], capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "site/bootjack/py.typed").exists()
    script = "from bootjack import World\nwith World() as w:\n    w.bs.request('POST', '/bs'); w.bs.ignore()\nprint(w.result.verdict)"
    done = subprocess.run([sys.executable, "-c", script], cwd=tmp_path, capture_output=True, text=True, timeout=60, check=False,
                          env={"PYTHONPATH": str(tmp_path / "site"), "BOOTJACK": str(api.find_bootjack()), "PATH": "/usr/bin:/bin"})
    assert done.stdout == "pass\n", done.stderr
    points = next((tmp_path / "site").glob("bootjack-*.dist-info/entry_points.txt")).read_text()
    assert "bootjack.fixtures = bootjack.fixtures" in points  # pytest finds the fixtures by itself


def test_types():
    done = subprocess.run(["mypy", "--cache-dir", "build/mypy-cache"], cwd=api.ROOT, capture_output=True, text=True, timeout=300, check=False)
    assert done.returncode == 0, done.stdout
    assert all(inspect.getdoc(item) for name, item in vars(bootjack).items() if name in bootjack.__all__ and callable(item))
    assert (pathlib.Path(bootjack.__file__).parent / "py.typed").exists()
