"""`python -m leuko` is the command `leuko`."""

from __future__ import annotations

import sys

from leuko.cli import main

if __name__ == "__main__":
    sys.exit(main())
