# SPDX-License-Identifier: Apache-2.0
"""The API reference of the client library: everything in the public headers has a comment, the page has everything,
and the examples in the comments compile."""
import importlib.machinery
import importlib.util
import re
import subprocess

import pytest

from harness.pytest_bootjack import api


def load():
    loader = importlib.machinery.SourceFileLoader("ci_reference", str(api.ROOT / "ci/reference"))
    module = importlib.util.module_from_spec(importlib.util.spec_from_loader("ci_reference", loader))
    loader.exec_module(module)
    return module


reference = load()
HEADERS = sorted(reference.HEADERS.glob("*.h"))


def test_everything_is_documented(tmp_path, capsys):
    assert reference.main(["-o", str(tmp_path)]) == 0, capsys.readouterr().err
    page = (tmp_path / "index.html").read_text()
    for header in HEADERS:
        assert f'id="{header.name}"' in page
    functions = {name for header in HEADERS for name in
                 re.findall(r"^BOOTJACK_API [^;(]*?(bootjack_\w+)\(", header.read_text(), re.M)}
    assert len(functions) > 25
    assert [name for name in sorted(functions) if f'id="{name}"' not in page] == []
    fields = re.findall(r"^    [\w ]+?[ *](\w+);", (reference.HEADERS / "client.h").read_text(), re.M)
    assert "max_payload" in fields and [name for name in fields if name not in page] == []


CASES = {
    "function": ("/* It is documented. */\nint good(void);\nint bad(int a);\n", ["x.h:9: function bad has no comment"]),
    "field": ("/* A struct. */\ntypedef struct s {\n    int a; /* one */\n    int b;\n} s;\n",
              ["x.h:10: field s.b has no comment"]),
    "nested": ("/* A struct. */\ntypedef struct s {\n    /* u */\n    union {\n        int a;\n    } u;\n} s;\n",
               ["x.h:11: field s.u.a has no comment"]),
    "enumerator": ("/* An enum. */\ntypedef enum e {\n    A = 0, /* one */\n    B\n} e;\n",
                   ["x.h:10: enumerator e.B has no comment"]),
    "constant": ("#define BOOTJACK_A 1 /* one */\n#define BOOTJACK_B 2\n",
                 ["x.h:8: constant BOOTJACK_B has no comment"]),
    "far": ("/* Not of the function: a line is empty. */\n\nint far(void);\n", ["x.h:9: function far has no comment"]),
    "struct": ("typedef struct s {\n    int a; /* one */\n} s;\n", ["x.h:7: struct s has no comment"]),
    "good": ("/* All is well. */\ntypedef struct s {\n    /* Above. */\n    int (*call)(void *context);\n} s;\n", []),
}


@pytest.mark.parametrize("case", CASES)
def test_what_lacks_a_comment_is_told(case, tmp_path, capsys):
    body, wanted = CASES[case]
    header = tmp_path / "x.h"
    header.write_text(f"/* About\n * it. */\n#ifndef X_H\n#define X_H\n#include <stddef.h>\n\n{body}#endif\n")
    assert reference.main([str(header), "-o", str(tmp_path / "out")]) == (1 if wanted else 0)
    told = [line for line in capsys.readouterr().err.splitlines() if line]
    assert told == [f"ci/reference: {line}" for line in wanted]


def test_a_header_that_is_not_there(tmp_path, capsys):
    assert reference.main([str(tmp_path / "none.h"), "-o", str(tmp_path)]) == 2
    assert "No such file" in capsys.readouterr().err


def examples():
    for header in HEADERS:
        for number, text in enumerate(reference.examples_of(reference.parse(header.name, header.read_text()))):
            yield pytest.param(text, id=f"{header.name}-{number}")


def test_there_are_examples():
    assert len(list(examples())) >= 3


@pytest.mark.parametrize("text", examples())
def test_examples_compile(text, tmp_path):
    source = tmp_path / "example.c"
    source.write_text(f'#include "bootjack/bootjack.h"\n\n{text}')
    command = ["cc", "-std=c11", "-Wall", "-Wextra", "-Werror", "-Wno-unused-function",
               "-I", str(api.ROOT / "client/include"), "-c", str(source), "-o", str(tmp_path / "example.o")]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
