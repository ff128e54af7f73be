# SPDX-License-Identifier: Apache-2.0
"""The JSON Schema that `bootjack program --schema` writes takes every scenario that is shipped, and refuses broken ones."""
import json
import re
import subprocess

import jsonschema
import pytest
import yaml

from harness.pytest_bootjack import api, plugin

SCENARIOS = sorted(path for path in (api.ROOT / "scenarios").rglob("*.yaml") if plugin.has_key(path, "steps"))
CASES = """title: t
parameters: {account: [0, 1]}
cases: {a: {codes: [2.04]}}
client: {bootstrap: {uri: "coap://bs.example", instance: "${account}"}}
steps: [include: begin.yaml, "${more}", {finish: {expect: "${codes}", within: "${time}"}}]
"""
BROKEN = {
    "no steps": "title: t\n",
    "an unknown field": "title: t\nsteps: [finish: ~]\ncase: {}\n",
    "an unknown verb": "title: t\nsteps: [wirte: /0]\n",
    "an unknown field of a step": "title: t\nsteps: [{write: /0, exepct: 2.04}]\n",
    "a code that is none": "title: t\nsteps: [finish: {expect: \"2.4x\"}]\n",
    "a duration without a unit": "title: t\nsteps: [finish: {within: 10}]\n",
    "a name that is not of the list": "title: t\nsteps: [request: {method: PSOT}]\n",
    "cases that are a list": "title: t\nsteps: [finish: ~]\ncases: [a]\n",
    "an include with another field": "title: t\nsteps: [{include: a.yaml, expect: 2.04}]\n",
    "a value's id that is none": "title: t\nsteps: [{write: /0, tlv: {a: 1}}]\n",
}


@pytest.fixture(scope="module")
def validator():
    done = subprocess.run([api.find_bootjack(), "program", "--schema"], capture_output=True, text=True, check=True)
    schema = json.loads(done.stdout)
    jsonschema.Draft202012Validator.check_schema(schema)
    return jsonschema.Draft202012Validator(schema)


class Document(yaml.SafeLoader):
    """Keys as JSON has them: texts. The language's own tags (!hex) are values. `on` and `off` are words, as in YAML 1.2."""

    yaml_implicit_resolvers = {first: [pair for pair in pairs if first in "tTfF" or pair[0] != "tag:yaml.org,2002:bool"]
                               for first, pairs in yaml.SafeLoader.yaml_implicit_resolvers.items()}

    def construct_mapping(self, node, deep=False):
        return {str(self.construct_object(key, deep=True)): self.construct_object(value, deep=True)
                for key, value in node.value}


Document.add_multi_constructor("!", lambda loader, suffix, node: getattr(node, "value", None))


def document(text):
    # PyYAML does not end a tag at a comma or a bracket.
    return yaml.load(re.sub(r"!none(?=[,\]}])", "null", text), Loader=Document)


@pytest.mark.parametrize("path", SCENARIOS, ids=lambda path: str(path.relative_to(api.ROOT / "scenarios")))
def test_what_is_shipped_is_taken(path, validator):
    assert [f"{error.json_path}: {error.message[:200]}" for error in validator.iter_errors(document(path.read_text()))] == []


def test_parameters_and_includes_are_taken(validator):
    assert validator.is_valid(document(CASES))


@pytest.mark.parametrize("text", BROKEN.values(), ids=BROKEN)
def test_what_is_broken_is_refused(text, validator):
    assert not validator.is_valid(document(text))
