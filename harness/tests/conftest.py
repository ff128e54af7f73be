# SPDX-License-Identifier: Apache-2.0
"""How several workers (pytest-xdist, `--dist loadgroup`) share these tests: one test after the other, what takes minutes first. Tests
for which a fixture of their file builds or records something once stay together, or every worker would do it. One worker has all that
waits in real time, while the others are busy."""
import pytest

# They wait for half a minute here and there, and leave the cores idle.
WAITING = ("test_bench_server", "test_foreign_servers", "test_real_time")
# Of these each has a build, or a run of the whole suite, in it.
LONG = (*WAITING, "test_clusterfuzz", "test_campaign", "test_fuzz_client", "test_docs", "test_tshark", "test_stable_captures", "test_templates",
        "test_fuzz_tool", "test_libc_programs", "test_installed", "test_determinism", "test_leshan", "test_replay", "test_must_not_pass", "test_properties",
        "test_variants")


def shared(item):
    """The fixtures of the test's own file that are made once for several tests, each with its parameter if it has any."""
    for name, definitions in sorted(item._fixtureinfo.name2fixturedefs.items()):  # pytest tells it in no other way
        if definitions[-1].scope != "function" and definitions[-1].baseid.endswith(".py"):
            yield f"{name}-{item.callspec.indices[name]}" if hasattr(item, "callspec") and name in item.callspec.indices else name


def rank(item):
    name = item.path.stem
    return LONG.index(name) if name in LONG else len(LONG)


@pytest.hookimpl(tryfirst=True)  # before xdist looks at the marks
def pytest_collection_modifyitems(config, items):
    if not getattr(config.option, "loadgroup", False):  # so a worker is told
        return
    for item in items:
        names = list(shared(item))
        if item.path.stem in WAITING:
            item.add_marker(pytest.mark.xdist_group("waiting"))
        elif names:
            item.add_marker(pytest.mark.xdist_group("-".join([item.path.stem, *names])))
    items.sort(key=rank)
