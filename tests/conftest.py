"""What holds for every test."""

from __future__ import annotations

import os
import signal

from hypothesis import settings

# A busy machine must not fail a test: how long things take is measured in bench/, never here. Examples are drawn anew
# in each run, except in CI: there the same tree gives the same answer.
settings.register_profile("shinrai", deadline=None, derandomize=os.environ.get("CI") == "true")
settings.load_profile("shinrai")

# Tests that were started in the background of a script (`make test &`) are given SIGINT as ignored, and would hand that
# on to every program that they interrupt.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)
