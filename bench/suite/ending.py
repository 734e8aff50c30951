# SPDX-License-Identifier: MIT
# Copyright 2026 The Atoll authors
"""How a program ends when somebody ends it."""

import signal
import sys
from collections.abc import Callable


def exit_with(main: Callable[[], int], interrupted: str) -> None:
    """Of SIGTERM as of any exit: what has been opened is closed, what was started ended. `interrupted` is said on Control-C."""
    signal.signal(signal.SIGTERM, _terminated)
    try:
        sys.exit(main())
    except KeyboardInterrupt:
        sys.exit(interrupted)


def _terminated(_signal, _frame):
    raise SystemExit(1)
