# SPDX-License-Identifier: Apache-2.0
"""Scenario files are tests (harness/pytest_bootjack), and tests have worlds (bootjack/fixtures.py), wherever pytest is
started below this folder."""
pytest_plugins = ["harness.pytest_bootjack.plugin", "bootjack.fixtures"]
