# SPDX-License-Identifier: Apache-2.0
"""Bootjack from Python: run scenarios, look at what happened, and a pytest plugin on top of it."""
from .api import BootjackMissing, Result, ScenarioError, find_bootjack, run_command, run_scenario, run_scenarios

__all__ = ["BootjackMissing", "Result", "ScenarioError", "find_bootjack", "run_command", "run_scenario", "run_scenarios"]
