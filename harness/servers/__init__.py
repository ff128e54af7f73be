# SPDX-License-Identifier: Apache-2.0
"""What a Bootstrap-Server of somebody else does with clients that behave, and with those that do not."""
