# SPDX-License-Identifier: Apache-2.0
"""The reference of rules: every rule of the catalogue with the scenarios that show it."""
