# SPDX-License-Identifier: MIT
# Copyright 2026 The Atoll authors
"""Where the tree is, and where its outputs are."""

import os
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
BUILD = Path(os.environ.get("ATOLL_BUILD", ROOT / "build"))
