# SPDX-License-Identifier: Apache-2.0
"""Values of the scenario language in Python, and back to YAML.

Texts, numbers, truth values, None, lists and dicts stand for themselves. What YAML needs a tag for is a `Tagged`:
`Hex("00ff")`, `Text("boot")`, `File("pki/root.pem")`, `ObjLink("3:0")`. A `datetime.timedelta` is a duration.
"""
from __future__ import annotations

import dataclasses
import datetime
import json
import re
from collections.abc import Mapping, Sequence
from typing import Any, Union

import yaml

Value = Union[None, bool, int, float, str, bytes, datetime.timedelta, "Tagged", Sequence["Value"], Mapping[Any, "Value"]]


@dataclasses.dataclass(frozen=True)
class Tagged:
    """A value with a tag of the language, `!hex 00ff`."""

    tag: str
    text: str

    def __str__(self) -> str:
        return f"!{self.tag} {json.dumps(self.text, ensure_ascii=False)}"


def Hex(data: bytes | bytearray | str) -> Tagged:  # pylint: disable=invalid-name
    """Bytes: as they are, or in hexadecimal."""
    return Tagged("hex", data if isinstance(data, str) else bytes(data).hex())


def Text(text: str) -> Tagged:  # pylint: disable=invalid-name
    """The bytes of a text, where bytes are wanted."""
    return Tagged("text", text)


def File(path: str) -> Tagged:  # pylint: disable=invalid-name
    """The bytes that a file holds, found beside the scenario."""
    return Tagged("file", str(path))


def ObjLink(link: str) -> Tagged:  # pylint: disable=invalid-name
    """An Object link, `3:0`."""
    return Tagged("objlnk", link)


class Number(float):
    """A number with a point that keeps its text: 2.10 is a code, and not 2.1."""

    text: str

    def __new__(cls, text: str) -> "Number":
        number = super().__new__(cls, text)
        number.text = text
        return number

    def __repr__(self) -> str:
        return self.text

    __str__ = __repr__


def flow(value: Value) -> str:
    """The value as YAML on one line."""
    if value is None:
        return "~"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float) and not isinstance(value, Number):
        return re.sub(r"(\.[0-9])$", r"\g<1>0", repr(value))  # 5.00 is a code, whose last digits a float does not keep
    if isinstance(value, (int, float)):
        return repr(value)
    if isinstance(value, str):
        return json.dumps(value, ensure_ascii=False)
    if isinstance(value, (bytes, bytearray)):
        return str(Hex(value))
    if isinstance(value, datetime.timedelta):
        return f"{value // datetime.timedelta(microseconds=1)}us"
    if isinstance(value, Tagged):
        return str(value)
    if isinstance(value, Mapping):
        return "{" + ", ".join(f"{flow_key(key)}: {flow(item)}" for key, item in value.items()) + "}"
    if isinstance(value, Sequence):
        return "[" + ", ".join(flow(item) for item in value) + "]"
    raise TypeError(f"{value!r} is no value of the scenario language")


def flow_key(key: Any) -> str:
    return str(key) if isinstance(key, int) and not isinstance(key, bool) else json.dumps(str(key), ensure_ascii=False)


def document_text(document: Mapping[str, Value]) -> str:
    """A scenario as YAML, a field a line and a step a line."""
    lines = []
    for name, value in document.items():
        if name in ("steps", "power-cuts") and isinstance(value, Sequence) and value:
            lines.append(f"{name}:")
            lines += [f"  - {flow(step)}" for step in value]
        else:
            lines.append(f"{name}: {flow(value)}")
    return "\n".join(lines) + "\n"


class Loader(yaml.SafeLoader):  # type: ignore[misc]
    """Reads what `bootjack` prints. A scalar without quotes is what the language takes it for, and nothing else is."""

    yaml_implicit_resolvers: dict[str, Any] = {}


def _tagged(loader: Loader, suffix: str, node: yaml.Node) -> Tagged:
    return Tagged(suffix, str(node.value))


for _tag, _pattern, _first in (
    ("tag:yaml.org,2002:null", r"^(?:~|null|)$", ["~", "n", ""]),
    ("tag:yaml.org,2002:bool", r"^(?:true|false)$", list("tf")),
    ("tag:yaml.org,2002:int", r"^-?(?:0|[1-9][0-9]*)$", list("-0123456789")),
    ("!number", r"^-?[0-9]+\.[0-9]+$", list("-0123456789")),
):
    Loader.add_implicit_resolver(_tag, re.compile(_pattern), _first)
Loader.add_constructor("!number", lambda loader, node: Number(node.value))
Loader.add_multi_constructor("!", _tagged)


def parse(text: str) -> Any:
    """YAML as `bootjack program --print` writes it."""
    return yaml.load(text, Loader=Loader)
