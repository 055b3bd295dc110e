"""What holds for every test."""

from __future__ import annotations

import os

from hypothesis import settings

# A busy machine must not fail a test: how long things take is measured in bench/, never here. Examples are drawn anew
# in each run, except in CI: there the same tree gives the same answer.
settings.register_profile("shinrai", deadline=None, derandomize=os.environ.get("CI") == "true")
settings.load_profile("shinrai")
