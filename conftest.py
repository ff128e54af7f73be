# SPDX-License-Identifier: Apache-2.0
"""Scenario files are tests (harness/pytest_bootjack), wherever pytest is started below this folder."""
pytest_plugins = ["harness.pytest_bootjack.plugin"]
