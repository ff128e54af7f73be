# SPDX-License-Identifier: Apache-2.0
"""The HTML report of a run: `/usr/bin/python3 -m harness.report RESULTS.jsonl -o report/`."""
