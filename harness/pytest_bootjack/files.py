# SPDX-License-Identifier: Apache-2.0
"""What stands in scenario files and in the catalogue of rules, for the plugin and for reports, which need no pytest."""
from __future__ import annotations

import yaml


class Tolerant(yaml.SafeLoader):
    """Reads the language's own tags (!hex) as plain values."""


Tolerant.add_multi_constructor("!", lambda loader, suffix, node: getattr(node, "value", None))


def rule_entries(loaded) -> dict:
    """The catalogue as id -> {clause, level, text}: a map by id, or a list of entries with an `id`, under `rules`
    or at the top."""
    loaded = loaded.get("rules", loaded) if isinstance(loaded, dict) else loaded
    if isinstance(loaded, list):
        return {entry["id"]: entry for entry in loaded}
    return {key: entry if isinstance(entry, dict) else {"text": entry} for key, entry in (loaded or {}).items()}
