# SPDX-License-Identifier: MIT
# Copyright 2026 The Atoll authors
#
# Tests: see tests/run.
