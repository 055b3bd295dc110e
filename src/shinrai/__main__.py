"""``python -m shinrai``: the command line without the script."""

from __future__ import annotations

from shinrai.cli import main

main()
