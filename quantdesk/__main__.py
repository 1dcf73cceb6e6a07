"""Start quantdesk from ``python -m quantdesk`` and from the packaged program."""

from __future__ import annotations

import multiprocessing
import sys

from quantdesk.cli import main

if __name__ == "__main__":
    multiprocessing.freeze_support()
    sys.exit(main())
