"""``python -m dtsen_core``: the command line."""

from __future__ import annotations

from dtsen_core.cli.main import run

if __name__ == "__main__":
    run()
