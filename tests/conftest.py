"""What holds for every test."""

from __future__ import annotations

from hypothesis import settings

# A busy machine must not fail a test: how long things take is measured in bench/, never here.
settings.register_profile("shinrai", deadline=None)
settings.load_profile("shinrai")
